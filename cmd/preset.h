/*
 * Declares the presets: named misbehaviour of our side, for listen and connect (--preset). A preset
 * is a few rules of --impair, which change segments on their way, or a few switches of the engine
 * and of a connection's course, or both. tcpwave-presets(7) describes each of them, and what a
 * correct peer does about it.
 *
 * The table is all that knows a preset by its name. A command reads the switches, and nothing else.
 */
#ifndef TCPWAVE_CMD_PRESET_H
#define TCPWAVE_CMD_PRESET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cmd/options.h"
#include "cmd/options_close.h"
#include "cmd/options_impair.h"
#include "cmd/options_tcp.h"
#include "lib/core/conn.h"
#include "lib/report/figures.h"
#include "lib/run/course.h"

#define PRESET_RULES 4 /* at most, with the NULL that ends them */

/* The commands that have a preset, as bits. */
enum { PRESET_LISTEN = 1 << 0, PRESET_CONNECT = 1 << 1, PRESET_BOTH = 3 };

/* What a preset sets. Where a user's option says the same, the option counts. All zero: nothing. */
struct preset_switches {
    /* Options that the user has not given. */
    bool closes; /* `close` stands for --close */
    enum close_how close;
    wave_time hold;               /* --hold */
    uint32_t window;              /* --window */
    bool sends;                   /* preset_data stands for --data */
    bool ecn, no_sack, no_wscale; /* --ecn, --no-sack, --no-wscale */
    wave_time time_wait;          /* --time-wait */
    bool needs_port;              /* connect: --source-port has to be given */

    /* The course, and the data. */
    bool holds_after_peer; /* --hold begins with the peer's FIN */
    bool resets_data;      /* the peer's first data is answered with RST */
    bool fin_on_data;      /* the FIN goes with the last data, without a wait for an answer */
    bool data_after_fin;   /* our data is sent only after the peer's FIN */
    uint32_t read_bytes;   /* so much of what came is read at a time; 0: all of it */
    wave_time read_every;  /* the time between two such reads */

    /* The engine: see struct conn_config. */
    bool deaf_to_keepalive, reneges, simultaneous_open;
};

struct preset {
    const char *name;
    unsigned commands; /* PRESET_LISTEN, PRESET_CONNECT */
    const char *help;  /* what it does, in a line */
    /* Rules of --impair, in order, ended by NULL: those of both commands, then those of one. */
    const char *rules[PRESET_RULES], *listen_rules[PRESET_RULES], *connect_rules[PRESET_RULES];
    struct preset_switches set;
};

/* All presets, in the order in which help lists them; the last one has no name. One that does
 * different things in listen and in connect has a row for each. */
extern const struct preset presets[];

/* Holds the values of the option's group. */
struct preset_options {
    const struct preset *preset; /* NULL: none was given */
    bool help;                   /* `--preset help` was asked for */
};

extern const struct option_row preset_listen_row[];
extern const struct option_row preset_connect_row[];

/* Returns what a preset that sends data sends where the user gave none: numbered lines, a good ten
 * segments of them. It must not be written to. */
struct bytes preset_bytes(void);

/* Lists the presets of that command, one a line. */
void preset_list(FILE *to, unsigned command);

/* Puts the preset's rules for that command in front of those that the user has given. Returns what
 * is wrong, as a message, or NULL. `p` may be NULL, here and below. */
const char *preset_impair(const struct preset *p, unsigned command, struct impair_options *o);

/* Fills in those of the options that the user has not given. `close->how` is CLOSE_DEFAULT where it
 * was not given. */
void preset_fill(const struct preset *p, struct close_options *close, struct end_options *end,
                 struct tcp_options *tcp);

/* Sets the engine's switches. */
void preset_configure(const struct preset *p, struct conn_config *c);

/* Sets the course's switches. */
void preset_plan(const struct preset *p, struct course_config *plan);

/* Adds the preset's name to the verdict's figures. */
void preset_figures(const struct preset *p, struct figures *f);

#endif
