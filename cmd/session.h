/*
 * A run on the wire: one loop that joins capture, engine and report, for one connection or many.
 *
 *     captured packets -> stack_input() -> stack_output() -> wire_send()
 *          |                   |
 *          +---> report <------+ events
 *
 * What to do with a connection is the command's: its `turn` is called once a round, its `event`
 * for each event of the engine. Both may use conn_...() on a connection, and call
 * session_changed() then.
 */
#ifndef TCPWAVE_CMD_SESSION_H
#define TCPWAVE_CMD_SESSION_H

#include <poll.h>
#include <sys/queue.h>

#include "cmd/hole.h"
#include "cmd/journal.h"
#include "cmd/ladder.h"
#include "cmd/options.h"
#include "cmd/outcome.h"
#include "cmd/pcapfile.h"
#include "cmd/render_json.h"
#include "cmd/report.h"
#include "cmd/svg.h"
#include "cmd/term.h"
#include "lib/core/stack.h"
#include "lib/wire/wire.h"

#define SESSION_FDS 2 /* of the command's */

/* A loop of packets, load's as well, that comes so late takes in what was captured meanwhile before
 * its timers run: up to so many batches, as many as any ring holds. */
#define SESSION_LATE (50 * WAVE_MS)
#define SESSION_LATE_BATCHES 512

/* A connection of this run. */
struct session_conn {
    uint32_t id; /* the stack's */
    struct report_flow flow;
    struct outcome_path path;
    uint64_t arrived;   /* segments of the peer's */
    uint64_t uneven_at; /* which of them was the last that came out of order or again, or 0 */
    struct hole hole;   /* what our capture lost of the peer's */
    enum state state;   /* ours, as of the last event */
    struct seq sent;    /* the highest number sent, plus one */
    bool has_sent;
    uint32_t syn_sent; /* SYNs or SYN-ACKs of ours */
    uint32_t syn_acks; /* of the peer's that arrived */
    uint32_t probes;   /* keepalive probes in a row without an answer */
    bool has_icmp;     /* `icmp` is the last error that came before the handshake was done */
    struct icmp icmp;
    bool unsent;              /* the kernel refused what was sent last: `session.send_error` */
    bool outstanding;         /* when it was stopped: unacknowledged, and sent again */
    enum state stopped_in;    /* our state before it was CLOSED */
    bool left;                /* session_leave() was called */
    enum outcome_stop why;    /* with `left` */
    const char *awaited;      /* what this one waits for; NULL: what the run does */
    wave_time established_at; /* the engine's time; WAVE_NEVER: not yet */
    wave_time syn_ack_at[2];  /* of the last two SYN-ACKs */
    wave_time data_at;        /* of the last data or FIN from the peer */
    wave_time fin_acked_at;   /* when we entered FIN_WAIT_2 */
    void *user;               /* the command's */
    LIST_ENTRY(session_conn) all;
};

struct session;

struct session_ops {
    /* An event of the engine; may be NULL. */
    void (*event)(struct session *s, struct session_conn *c, const struct event *e);
    /* A round of the loop: does what the command wants done, and says when it wants another
     * at the latest. */
    wave_time (*turn)(struct session *s, wave_time now);
    /* Fills in what to poll beside the wire, at most SESSION_FDS; may be NULL. */
    unsigned (*poll)(struct session *s, struct pollfd *fds);
    /* A peer opened a connection (listen); may be NULL. */
    void (*opened)(struct session *s, struct session_conn *c);
};

struct session {
    const struct options *options;
    const struct session_ops *ops;
    void *user;
    struct wire *wire;
    struct stack *stack;
    struct report report;
    struct pcapfile *pcap;
    struct svg *svg;
    int signals;

    /* What is drawn where. */
    FILE *stream;
    struct term term;
    struct ladder ladder;
    struct render_json json;
    bool shows; /* somebody wants the segments */

    struct session_conn **conn; /* those of the run, each at the index that its id names */
    LIST_HEAD(session_conns, session_conn) all;
    uint32_t opened;                    /* connections so far */
    uint32_t verdicts[REPORT_VERDICTS]; /* where there are several: how each one ended */
    bool many;                          /* connections are numbered */
    bool over;                          /* one of them is CLOSED */

    bool done;
    enum outcome_stop stop;
    int signal;            /* that came, or 0 */
    struct diag error;     /* with STOP_LOCAL */
    wave_time close_until; /* with STOP_LOCAL: how long connections may take to close */
    wave_time deadline;    /* of --timeout */
    wave_time due;         /* when the loop wanted to wake up */
    wave_time again_at;    /* session_again() */
    wave_time route_at;    /* when the route may be asked for again */
    bool repeats;          /* a segment was sent again since */
    char route[16];        /* the interface that it led through then; empty: ours */

    const char *awaited;
    wave_time awaited_until, awaited_since, awaited_told;

    struct { /* the kernel has no room for what is queued */
        bool is;
        wave_time again_at, pause;
    } stuck;
    uint32_t gaps;          /* how often the capture has lost something */
    bool unread;            /* the last batch did not empty the capture */
    unsigned owed;          /* segments taken in whose acknowledgement waits for the next */
    unsigned queued;        /* segments that the wire has not been told to flush */
    struct diag send_error; /* the last one; empty: there was none */
    struct journal journal;
    uint8_t room[CONN_ROOM];
};

/*
 * Opens wire, capture file, stack and renderers as the options say; `target` is where to, or where
 * to listen. Privileges are gone afterwards. Errors with *d filled in; *out is NULL then.
 */
int session_open(struct session **out, const struct options *o, const struct target *target,
                 const struct session_ops *ops, void *user, struct diag *d);

/* Closes and frees. NULL is taken. */
void session_close(struct session *s);

/* Opens the connection to `target`. WAVE_ENOMEM. */
int session_connect(struct session *s, const struct target *target, struct session_conn **out);

/* The engine's side of it, or NULL after session_release(). */
struct conn *session_engine(struct session *s, const struct session_conn *c);

/* To be called after any conn_...() call of the command's. */
void session_changed(struct session *s, struct session_conn *c, wave_time now);

/* Ends one connection and lets the run go on: with RST, unless it is closed already (as after
 * conn_vanish()). Its outcome is then told by `why`. */
void session_leave(struct session *s, struct session_conn *c, enum outcome_stop why);

/* Gives the connection up for good: its slot, and `c` itself. */
void session_release(struct session *s, struct session_conn *c);

/* What the run waits for now, until when (WAVE_NEVER: no end is set); shown to who watches, and
 * named by the verdict of a run that is stopped. NULL: nothing. */
void session_await(struct session *s, const char *what, wave_time until);

/* To be called in a turn: the next one comes then at the latest, whatever this one returns. */
void session_again(struct session *s, wave_time at);

/* Runs until session_stop(), a signal or --timeout. */
void session_run(struct session *s);

/* Ends the run after this round. Connections that are open are ended with RST. The first reason
 * stands. */
void session_stop(struct session *s, enum outcome_stop why);

/*
 * Ends the run since this host cannot go on, for that reason: it outdoes any other but an earlier
 * one of its kind, and may come after session_run(). The command has no more turns. Connections are
 * closed in order, with what was queued and FIN; what the peer still sends is thrown away. One that
 * is not closed within two seconds is ended with RST.
 */
void session_fail(struct session *s, const struct diag *d);

/* What happened to the connection. */
void session_outcome(struct session *s, const struct session_conn *c, struct outcome *out);

/* The verdict, to every renderer; returns the exit status. It is the run's; or, where connections
 * are numbered and `c` is one of them, that of this connection, and the run's comes last, with
 * `c` NULL. `found` may be NULL. */
int session_verdict(struct session *s, const struct session_conn *c, const struct outcome *outcome,
                    const struct report_findings *found);

/* Writes out what was told so far. WAVE_ESYS or WAVE_ENOMEM, with *d filled in, when some of it is
 * lost. */
int session_flush(struct session *s, struct diag *d);

/* Where the report cannot be read, for which `d` has the reason, nor can its verdict: the line for
 * a person, of whatever of this host's failed first. Returns the exit status; a signal's stands. */
int session_unread(enum verdict verdict, int exit, const char *message, const struct diag *d);

/* A run that could not begin: the line for a person and, where asked for, the JSON verdict.
 * Returns the exit status. */
int session_refuse(const struct options *o, const struct diag *d);

/* Between session.c and session_loop.c. */

/* The connection of this id, or NULL. */
struct session_conn *session_find(struct session *s, uint32_t id);

/* Takes notice of a connection of the stack's. NULL when memory is out. */
struct session_conn *session_adopt(struct session *s, uint32_t id, const struct flow *flow);

/* One step of the closing that session_fail() began; returns when the next is due. */
wave_time session_wind_up(struct session *s, wave_time now);

/* The clock that captured packets are stamped with, in nanoseconds. */
wave_time session_stamp(void);

#endif
