/* What the commands and their options say to a person. */
#ifndef TCPWAVE_CMD_HELP_H
#define TCPWAVE_CMD_HELP_H

#include <stdio.h>

#include "cmd/command.h"

/* One screen: the commands, and where to go from there. */
void help_overview(FILE *to);

/* A command's options. */
void help_command(FILE *to, const struct command *c);

/* The manual's page of a command, or with NULL the first one, on a terminal. Returns 0 when it was
 * shown; WAVE_ENOTFOUND when there is no man(1) or no page, and nothing was shown. */
int help_manual(const struct command *c);

/* All options, one a line: command, long name, letter, value, range, help, with a tab between
 * and "-" for what is not there. Each command comes first, by a line that has neither name nor
 * letter, its target for a value and its summary for help. For completions and for the manual's
 * check. */
void help_dump(FILE *to);

#endif
