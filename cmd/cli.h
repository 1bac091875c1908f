/* Reads the command line: finds the command, parses its options and checks them. */
#ifndef TCPWAVE_CMD_CLI_H
#define TCPWAVE_CMD_CLI_H

#include <stdbool.h>

#include "cmd/command.h"

/* Holds what the user asked for. */
struct command_line {
    const struct command *command; /* NULL: none was named, as in --help and --version */
    void *options; /* its struct of options; NULL with `help`, `version` and `told` */
    bool help, version;            /* if either is set, no command is run */
    bool told;                     /* an option was answered on standard output: nothing is run */
    bool manual;                   /* with `help`: it was asked for by "tcpwave help" */
};

/*
 * Parses argv. Escapes in data are decoded in place, and operands are moved to the front of argv.
 * Returns 0 and fills *out, which cli_free() frees; or returns WAVE_EINVAL or WAVE_ENOMEM with the
 * reason in *d, and then out->command is set only if the command was recognised. If out->help or
 * out->version is set, the caller shows that and does nothing else; if out->told is set, it does
 * nothing at all.
 */
int cli_parse(int argc, char **argv, struct command_line *out, struct diag *d);

/* Frees the options that cli_parse() allocated. */
void cli_free(struct command_line *line);

/* Returns the command of that name, or NULL. */
const struct command *cli_command(const char *name);

#endif
