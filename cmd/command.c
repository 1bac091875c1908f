/* Defines the list of commands from the table in cmd/command.h. */
#include "cmd/command.h"

#define COMMAND_ENTRY(name) &name##_command,

const struct command *const commands[] = {COMMANDS(COMMAND_ENTRY) NULL};
