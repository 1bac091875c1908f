/* The commands: one table, in command.c, from which dispatch and help come. */
#ifndef TCPWAVE_CMD_COMMAND_H
#define TCPWAVE_CMD_COMMAND_H

#include <stdbool.h>

struct options;

/* Bits: a row of the table of options names the commands that have it by these. */
enum {
    CONNECT = 1 << 0,
    HALFCLOSE = 1 << 1,
    KEEPALIVE = 1 << 2,
    LISTEN = 1 << 3,
    SEND = 1 << 4,
    LOAD = 1 << 5
};

struct command {
    const char *name;
    unsigned bit;        /* CONNECT and so on: chooses its options */
    const char *target;  /* how its target is written in help: "HOST:PORT", "[ADDR:]PORT" */
    const char *summary; /* a few words for the list */
    const char *purpose; /* a sentence or two for its help */
    int (*run)(const struct options *); /* returns the exit status */
    /* What only this command wants of its options together: a message to the user, or NULL. May be
     * NULL itself. */
    const char *(*check)(const struct options *);
};

/* Ended by a row without a name. */
extern const struct command commands[];

int connect_run(const struct options *o);
int halfclose_run(const struct options *o);
int keepalive_run(const struct options *o);
int listen_run(const struct options *o);
int send_run(const struct options *o);
const char *listen_check(const struct options *o);
int load_run(const struct options *o);

#endif
