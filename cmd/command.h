/*
 * The commands. Each describes itself in its own file: a `const struct command NAME_command`, with
 * its texts, its options and its run(). The table below names them; dispatch, help, completions and
 * the look for who has an option all come from it.
 */
#ifndef TCPWAVE_CMD_COMMAND_H
#define TCPWAVE_CMD_COMMAND_H

#include <stddef.h>

#include "cmd/options.h"
#include "lib/core/err.h"

struct command {
    const char *name;
    const char *target;  /* how its target is written in help: "HOST:PORT", "[ADDR:]PORT" */
    const char *summary; /* a few words for the list */
    const char *purpose; /* a sentence or two for its help */

    size_t size;                       /* of its struct of options */
    const struct option_group *groups; /* in the order in which help shows them; a name or a letter
                                          stands in one row of them all */
    /* What is in force when nothing is asked for, into a struct that is all zero. */
    void (*defaults)(void *options);
    /* What stands beside the options, `count` of it, never 0. WAVE_EINVAL with the reason in *d. */
    int (*operands)(void *options, char *const *text, unsigned count, struct diag *d);
    /* What all of it says together, and defaults that depend on others: what is wrong, or NULL. */
    const char *(*check)(void *options);
    int (*run)(const void *options); /* returns the exit status */
};

/* One row for each command, in the order in which help lists them. */
#define COMMANDS(ROW)                                                                              \
    ROW(connect)                                                                                   \
    ROW(halfclose)                                                                                 \
    ROW(keepalive)                                                                                 \
    ROW(listen)                                                                                    \
    ROW(send)                                                                                      \
    ROW(load)

#define COMMAND_DECLARE(name) extern const struct command name##_command;
COMMANDS(COMMAND_DECLARE)

/* The same as a list that ends with NULL. */
extern const struct command *const commands[];

#endif
