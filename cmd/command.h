/*
 * Lists the commands. Each command describes itself in its own file, in a `const struct command
 * NAME_command` with its texts, its options and its run(). The table below names them all.
 * Dispatch, help, completions and the search for the command that has an option work from this
 * table.
 */
#ifndef TCPWAVE_CMD_COMMAND_H
#define TCPWAVE_CMD_COMMAND_H

#include <stddef.h>
#include <stdio.h>

#include "cmd/options.h"
#include "lib/core/err.h"

/* Describes one command. cmd/cli.c calls defaults(), then parses the options, then calls operands()
 * and check(); cmd/main.c calls run(). */
struct command {
    const char *name;
    const char *target;  /* how help writes its target: "HOST:PORT", "[ADDR:]PORT" */
    const char *summary; /* a few words for the list of commands */
    const char *purpose; /* a sentence or two for its help */

    size_t size;                       /* of its struct of options, in bytes */
    const struct option_group *groups; /* in the order in which help shows them; no name and no
                                          letter stands in two rows */
    /* Writes the defaults into a struct that is all zero. */
    void (*defaults)(void *options);
    /* Prints what an option asks to be told of in place of a run, as `--preset help` does, and
     * returns true; or returns false. The target may be missing then. NULL: no option does. */
    bool (*tell)(const void *options, FILE *to);
    /* Writes the words that an option takes, "a|b|c", for the completions, and returns true; or
     * returns false if its row lists them itself, or if it takes other values. NULL: for all. */
    bool (*words)(const struct option_row *row, FILE *to);
    /* Takes the `count` arguments that are not options; `count` is never 0. Returns 0, or
     * WAVE_EINVAL with the reason in *d. */
    int (*operands)(void *options, char *const *text, unsigned count, struct diag *d);
    /* Checks the options together, and fills in defaults that depend on other options. Returns what
     * is wrong, as a message, or NULL. */
    const char *(*check)(void *options);
    /* Runs the command with the checked options, and returns the exit status. */
    int (*run)(const void *options);
};

/* Holds one row for each command, in the order in which help lists them. */
#define COMMANDS(ROW)                                                                              \
    ROW(connect)                                                                                   \
    ROW(halfclose)                                                                                 \
    ROW(keepalive)                                                                                 \
    ROW(idle)                                                                                      \
    ROW(listen)                                                                                    \
    ROW(send)                                                                                      \
    ROW(load)                                                                                      \
    ROW(read)

#define COMMAND_DECLARE(name) extern const struct command name##_command;
COMMANDS(COMMAND_DECLARE)

/* The same commands as a list that ends with NULL. */
extern const struct command *const commands[];

#endif
