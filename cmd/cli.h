/* The command line: which command, and its options, checked. */
#ifndef TCPWAVE_CMD_CLI_H
#define TCPWAVE_CMD_CLI_H

#include <stdbool.h>

#include "cmd/command.h"

/* What was asked for. */
struct command_line {
    const struct command *command; /* NULL: none, which only --help and --version can do without */
    void *options;                 /* its struct of options; NULL with `help` and `version` */
    bool help, version;            /* no command is run */
    bool manual;                   /* with `help`: asked for by "tcpwave help" */
};

/*
 * Reads argv, in which escapes of data are decoded in place and operands are moved to the front. 0
 * and *out, which cli_free() frees; or, with the reason in *d, WAVE_EINVAL or WAVE_ENOMEM, and
 * out->command set as far as it was understood. With out->help or out->version nothing else is to
 * be done but to show it.
 */
int cli_parse(int argc, char **argv, struct command_line *out, struct diag *d);

void cli_free(struct command_line *line);

/* The command of that name, or NULL. */
const struct command *cli_command(const char *name);

#endif
