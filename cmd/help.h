/* Prints help: the commands, a command's options, and the manual. */
#ifndef TCPWAVE_CMD_HELP_H
#define TCPWAVE_CMD_HELP_H

#include <stdio.h>

#include "cmd/command.h"

/* Prints one screen: the commands, and where to read on. */
void help_overview(FILE *to);

/* Prints a command's options. */
void help_command(FILE *to, const struct command *c);

/* Shows the manual's page of a command, or tcpwave(1) if `c` is NULL. Returns 0 if it was shown.
 * Returns WAVE_ENOTFOUND, and shows nothing, if standard output is no terminal or if there is no
 * man(1) or no page. */
int help_manual(const struct command *c);

/* Prints all options, one a line: command, long name, letter, value, range and help, with tabs
 * between them and "-" for what an option lacks. Each command's options follow a line for the
 * command itself, which has neither name nor letter, its target as the value and its summary as the
 * help. The completions and the test of the manual read this. */
void help_dump(FILE *to);

#endif
