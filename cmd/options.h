/*
 * What the command line asked for, checked: the only thing a command's run() is given.
 *
 * Texts point into argv. Durations are nanoseconds. A field whose comment says "0: ..." was not
 * given when it is 0, since no option takes a 0 there. Fields of options that a command does not
 * have keep their default.
 */
#ifndef TCPWAVE_CMD_OPTIONS_H
#define TCPWAVE_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/load_options.h"
#include "cmd/send_options.h"
#include "cmd/target.h"
#include "lib/core/flow.h"
#include "lib/core/time.h"

#define TIME_WAIT_FULL (4 * WAVE_MIN) /* 2 MSL: RFC 9293, 3.4.2 */

struct command;

/* The words of --close, --color: in the order in which the table of options has them. */
enum close_how {
    CLOSE_ACTIVE,  /* our FIN after our data */
    CLOSE_PASSIVE, /* the peer's FIN first */
    CLOSE_ABORT,   /* RST */
    CLOSE_VANISH,  /* nothing at all */
    CLOSE_DEFAULT  /* not a word: none was given. No command sees it */
};

/* --data, its escapes decoded; NULL when there was none, which is not the same as none of length
 * 0. */
struct bytes {
    uint8_t *at;
    size_t len;
};

struct options {
    const struct command *command;
    struct target_name target; /* its form is checked; target_resolve() looks it up */
    bool help, version;        /* main's: no command is run */
    bool manual;               /* with `help`: asked for by "tcpwave help" */

    /* Where from, where to. */
    bool ipv4, ipv6;       /* -4, -6: never both */
    const char *interface; /* NULL: the route's */
    bool has_source;
    struct source_addr {
        bool v6;
        struct addr addr;
    } source;             /* agrees with -4, -6 and a literal target */
    uint32_t source_port; /* 0: chosen by the kernel */

    /* Data. */
    struct bytes data;  /* -d; never together with `file` */
    const char *file;   /* -f: a path, "-" is standard input; NULL: none */
    struct bytes hex;   /* --hex: bytes to send; never together with the two above */
    const char *output; /* -o: a path, "-" is standard output; NULL: none */

    /* The handshake. */
    uint32_t syn_retries;                   /* SYNs after the first, default 3 */
    bool no_ack;                            /* the third segment of the handshake is never sent */
    uint32_t mss;                           /* announced; 0: from the MTU */
    uint32_t window;                        /* receive buffer in bytes; 0: the default */
    bool no_wscale, no_timestamps, no_sack; /* not offered */
    bool ecn;                               /* RFC 3168 negotiation is asked for */
    uint32_t ttl;                           /* or hop limit, default 64 */
    uint32_t tos;                           /* DSCP and ECN byte; its two low bits are 0 */

    /* The exchange and its end. */
    uint32_t close;      /* enum close_how */
    wave_time hold;      /* before closing; 0: none */
    wave_time linger;    /* for a peer that acknowledged our FIN, keeps its side open and says
                            nothing; default 5 s */
    wave_time give_up;   /* R2: unacknowledged this long is lost; default 100 s */
    bool keep_time_wait; /* false: TIME_WAIT is entered and left at once */
    wave_time time_wait; /* how long it is kept: 2 MSL in all, so that MSL is half of it */
    bool verify;         /* a harmless probe after each step that left something assumed */
    wave_time timeout;   /* of the whole run; 0: none but the protocol's own */

    /* Keepalive. */
    bool keepalive;          /* listen: --keepalive, or any of the following; else true for the
                                command of that name */
    wave_time keep_idle;     /* default 7200 s */
    wave_time keep_interval; /* default 75 s */
    uint32_t keep_count;     /* 1 to 255, default 10 */
    bool keep_garbage;       /* probes carry one byte */
    wave_time keep_for;      /* the run ends with success after this; 0: never */

    /* listen. */
    bool echo, discard;   /* at most one of these, `serve` and `data` */
    const char *serve;    /* a path; NULL: none */
    uint32_t connections; /* end after so many; 0: never */
    uint32_t half_open;   /* connections in SYN_RECEIVED before SYN cookies; default 256 */
    uint32_t max;         /* connections at a time; default 4096 */

    struct load_options load; /* and `connections` */

    struct send_options send;

    /* What is shown. */
    bool json, quiet, ascii; /* ascii: no character beyond ASCII in the drawing */
    uint8_t verbose;         /* how often -v stood there */
    uint32_t color;          /* enum term_color, as given: NO_COLOR is term.h's to ask */
    uint32_t width;          /* columns; 0: the terminal's */
    const char *pcap;        /* a path, "-" is standard output; NULL: none */
    const char *svg;         /* likewise */
    uint32_t svg_scale;      /* enum picture_scale */
    bool no_sandbox;         /* confine() puts no filter in force */

    const struct outside *outside; /* NULL: the system; set by unit tests alone, see outside.h */
};

static inline unsigned options_is_stdout(const char *path)
{
    return path && path[0] == '-' && !path[1];
}

/* How many of received bytes, capture and picture go to standard output: 0, or 1 after
 * options_check(). Then all else goes to standard error. */
static inline unsigned options_stdout_taken(const struct options *o)
{
    return options_is_stdout(o->output) + options_is_stdout(o->pcap) + options_is_stdout(o->svg);
}

/* Which addresses of a name will do. */
static inline enum target_family options_family(const struct options *o)
{
    if (o->ipv4 || (o->has_source && !o->source.v6))
        return TARGET_IPV4;
    return o->ipv6 || o->has_source ? TARGET_IPV6 : TARGET_ANY;
}

#endif
