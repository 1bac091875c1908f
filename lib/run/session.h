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
#ifndef TCPWAVE_RUN_SESSION_H
#define TCPWAVE_RUN_SESSION_H

#include <poll.h>

#include "lib/core/addr.h"
#include "lib/report/outcome.h"
#include "lib/report/report.h"
#include "lib/run/course.h"
#include "lib/run/loop.h"
#include "lib/run/sent_log.h"
#include "lib/run/slab.h"

#define SESSION_FDS 2 /* of the command's */

/*
 * A connection of this run. Every one has this much, a million of them at a time on a listener, so
 * that nothing is in it but what decides how the run goes on and which verdict is counted. What
 * only words are made of is in the record.
 */
struct session_conn {
    struct session_record *record; /* NULL where many are, and none is shown */
    wave_time quiet_since;         /* the engine's time of what happened last: it was established,
                                      data or the peer's FIN came, our FIN was acknowledged */
    uint32_t id;                   /* the stack's */
    uint32_t self;                 /* its number in the slab */
    struct slab_link all;          /* with the others of the run, in the order they came */
    uint32_t arrived;              /* segments of the peer's, modulo 2^32 */
    uint32_t stalled;   /* `arrived` when what is outstanding was repeated first; with `stalls` */
    uint32_t disordered_at; /* which of them was the last that came out of order or again, or 0 */
    struct hole hole;   /* what our capture lost of the peer's */
    struct outcome_path path;
    uint8_t state;        /* enum state: ours, as of the last event */
    uint8_t stopped_in;   /* enum state: ours before it was CLOSED */
    uint8_t why;          /* enum outcome_stop, with `left` */
    uint8_t waits;        /* enum course_wait, where it is not for what the run waits */
    bool left : 1;        /* session_end_conn() was called */
    bool unsent : 1;      /* the kernel refused what was sent last: `session.send_error` */
    bool stalls : 1;      /* something was repeated since an acknowledgement of new data came */
    bool outstanding : 1; /* when it was stopped: unacknowledged, and sent again */
    bool has_icmp : 1;    /* an error came before the handshake was done */
};

/* What is shown of a connection, or told of it in words. */
struct session_record {
    struct session_conn *conn;
    struct report_flow flow;
    struct icmp icmp;         /* the last error that came before the handshake was done */
    struct sent_side sent;    /* what was sent, as far as the next segment is concerned */
    uint32_t gaps;            /* session.gaps, as the report of this connection knows it */
    bool unstamped_told;      /* that the peer leaves its timestamps out */
    struct seq high;          /* the peer's SND.NXT, as far as acceptable segments told */
    bool has_high;
    uint32_t syn_sent;        /* SYNs or SYN-ACKs of ours */
    uint32_t syn_acks;        /* of the peer's that arrived */
    uint32_t probes;          /* keepalive probes in a row without an answer */
    wave_time established_at; /* the engine's time; WAVE_NEVER: not yet */
    wave_time fin_acked_at;   /* when we entered FIN_WAIT_2, likewise */
    wave_time syn_ack_at[2];  /* of the last two SYN-ACKs */
    wave_time syn_acked_at;   /* of the first */
    wave_time cut_off_at;     /* when it was stopped */
};

struct session;

struct session_ops {
    /* Bytes of a connection, where the command keeps something of each: a struct that begins with
     * struct session_conn, zero behind it at first. 0: it keeps nothing. */
    size_t conn_size;
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

struct session_config {
    const char *command; /* in the verdict */
    bool v6;
    struct conn_config engine; /* of every connection */
    uint64_t seed;             /* of what is random and no secret */
    uint32_t max_connections;  /* connections at a time */
    size_t memory;             /* bytes of all queues together; 0: no bound */
    bool many;                 /* connections are numbered, each with a verdict of its own */
    bool shows;                /* somebody wants the segments */
    bool live;                 /* somebody watches: waits are told */
    bool verify;               /* see verify.h */
    struct wire_ip ip;         /* of every segment */
    wave_time timeout;         /* of the whole run; 0: none */
    wave_time deadline;        /* when it ends; 0: it counts from when the session is opened */
    wave_time linger;          /* for a peer that acknowledged our FIN and says nothing */
    int signals;               /* descriptor of signals.h, or -1 */
    bool interface_named;      /* by the user: no other one is captured */
    uint32_t addresses;        /* of the peer's name, beside the one that is tried: */
    char address[ADDR_TEXT];   /* the first of them */
    uint32_t number;           /* of the connection, where others come in runs of their own; or 0 */
    /* Called for each captured packet, with what is known after it in a few words, "" where nothing
     * is: for a capture file. 0, or an error that ends the run, with *d filled in. May be NULL. */
    int (*save_packet)(void *sink, const struct wire_packet *p, const char *comment,
                       struct diag *d);
    /* Writes out what was told so far; likewise. */
    int (*flush)(void *sink, struct diag *d);
    void *sink;
};

struct session {
    struct session_config config;
    const struct session_ops *ops;
    void *user;
    struct port *port;
    struct stack *stack;
    struct loop loop;
    struct report report;
    bool shows; /* config.shows */
    bool many;  /* config.many */

    struct slab slab;                   /* the connections of the run */
    uint32_t *conn;                     /* their numbers, each at the index that its id names */
    struct slab_list all;               /* in the order they came */
    uint32_t opened;                    /* connections so far */
    uint32_t verdicts[REPORT_VERDICTS]; /* where there are several: how each one ended */
    bool over;                          /* one of them is CLOSED */

    enum outcome_stop stop;
    int signal;            /* that came, or 0 */
    struct diag error;     /* with STOP_LOCAL */
    wave_time close_until; /* with STOP_LOCAL: how long connections may take to close */
    wave_time route_at;    /* when the route may be asked for again */
    wave_time neighbour_at; /* when the neighbour is asked for next; 0: not yet known */
    char unreachable[48];   /* the next hop, where it does not answer; else empty */
    bool unreachable_gateway;
    uint64_t arrived;      /* segments of peers that were captured */
    bool repeats;          /* a segment was sent again since */
    char route[16];        /* the interface that it led through then; empty: ours */

    const char *awaited;
    wave_time awaited_until, awaited_since, awaited_told;

    wave_time end;          /* of --timeout, or WAVE_NEVER */
    uint32_t gaps;          /* how often the capture has lost something */
    wave_time change_waits_since; /* since when a change of our state waits for its segment */
    struct diag send_error; /* the last one; empty: there was none */
    struct sent_log sent_log;
};

/* Opens a session over the port, which becomes the session's: it is closed with it, also where this
 * fails. WAVE_ENOMEM or WAVE_ESYS, with *d filled in; *out is NULL then. */
int session_open(struct session **out, struct port *port, const struct session_config *config,
                 const struct session_ops *ops, void *user, struct diag *d);

/* Closes and frees. NULL is taken. */
void session_close(struct session *s);

/* Opens a connection to that address and port. WAVE_ENOMEM. */
int session_connect(struct session *s, const struct addr *remote, uint16_t rport,
                    struct session_conn **out);

/* The engine's side of it, or NULL after session_release(). */
struct conn *session_engine(struct session *s, const struct session_conn *c);

/* To be called after any conn_...() call of the command's. */
void session_changed(struct session *s, struct session_conn *c, wave_time now);

/* Ends one connection and lets the run go on: with RST, unless it is closed already (as after
 * conn_vanish()). Its outcome is then told by `why`. */
void session_end_conn(struct session *s, struct session_conn *c, enum outcome_stop why);

/* Gives the connection up for good: its slot, and `c` itself. */
void session_release(struct session *s, struct session_conn *c);

/* The first and the last of the run's connections that came, and the one that came after `c`, or
 * before it; NULL where there is none. */
struct session_conn *session_first(const struct session *s);
struct session_conn *session_last(const struct session *s);
struct session_conn *session_next(const struct session *s, const struct session_conn *c);
struct session_conn *session_prev(const struct session *s, const struct session_conn *c);

/* What the report is told about; NULL where there is no record. */
static inline struct report_flow *session_flow(const struct session_conn *c)
{
    return c->record ? &c->record->flow : NULL;
}

/* The connection that such a flow belongs to. */
static inline struct session_conn *session_of_flow(const struct report_flow *f)
{
    const size_t offset = offsetof(struct session_record, flow);

    return ((const struct session_record *)(const void *)((const char *)f - offset))->conn;
}

/* What the run waits for now, until when (WAVE_NEVER: no end is set); shown to who watches, and
 * named by the verdict of a run that is stopped. NULL: nothing. */
void session_await(struct session *s, const char *what, wave_time until);

/* To be called in a turn: the next one comes then at the latest, whatever this one returns. */
void session_wake_by(struct session *s, wave_time at);

/* Pulls the events that wait in the engine, which no captured segment caused, and tells them on. */
void session_drain(struct session *s);

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

/* What there is to say of the connection (NULL: of the run as a whole) beyond its outcome; adds it
 * to the list, and makes the outcome's sentence of what explains most. */
void session_diagnose(struct session *s, const struct session_conn *c, struct outcome *outcome,
                      struct findings *list);

/* Bytes of the peer's that it must have sent, since what lies behind them came, and that never came
 * themselves; a FIN counts as one. */
uint32_t session_missing(struct session *s, const struct session_conn *c);

/* Fills in the run's verdict, of which the message is the outcome's own; or, where connections are
 * numbered and `c` is one of them, that of this connection. `figures` may be NULL. */
void session_verdict(struct session *s, const struct session_conn *c, const struct outcome *outcome,
                     const struct figures *figures, const struct findings *findings,
                     struct report_verdict *v);

/* Tells the verdict of one of several connections, and counts it. */
void session_conn_verdict(struct session *s, const struct session_conn *c,
                          const struct outcome *outcome, const struct figures *figures);

/* Between session.c, session_loop.c and session_findings.c. */

/* The connection of this id, or NULL. */
struct session_conn *session_find(struct session *s, uint32_t id);

/* Takes notice of a connection of the stack's. NULL when memory is out. */
struct session_conn *session_add_conn(struct session *s, uint32_t id, const struct flow *flow);

/* One step of the closing that session_fail() began; returns when the next is due. */
wave_time session_close_step(struct session *s, wave_time now);

/* Ends the run where the next hop does not answer; returns when to look next. */
wave_time session_look_at_neighbour(struct session *s, wave_time now);

/* Joins the session to the loop that it runs on. */
void session_loop_init(struct session *s);

/* The clock that captured packets are stamped with, in nanoseconds. */
static inline wave_time session_stamp(const struct session *s)
{
    return port_stamp(s->port);
}

#endif
