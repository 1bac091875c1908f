/*
 * A run on the wire: one loop that joins capture, engine and report, for one connection or many.
 *
 *     captured packets -> stack_input() -> stack_output() -> wire_send()
 *          |                   |
 *          +---> report <------+ events
 *
 * The command decides what to do with a connection: its `turn` is called once a round, and its
 * `event` for each event of the engine. Both may call conn_...() functions, and call
 * session_changed() afterwards.
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

#define SESSION_FDS 2 /* for the command */

/*
 * A connection of this run. A listener may have a million of them at a time, so this struct has
 * only what decides how the run goes on and which verdict is counted. What is needed only for words
 * is in the record.
 */
struct session_conn {
    struct session_record *record; /* NULL if there are many and none is shown */
    wave_time quiet_since;         /* the engine's time of the last of these: the connection was
                                      established, data or the peer's FIN came, our FIN was
                                      acknowledged */
    uint32_t id;                   /* in the stack */
    uint32_t self;                 /* its number in the slab */
    struct slab_link all;          /* links it to the run's other connections, in the order in
                                      which they came */
    uint32_t arrived;              /* segments of the peer's, modulo 2^32 */
    uint32_t stalled;       /* `arrived` when what is outstanding was first retransmitted; with
                               `stalls` */
    uint32_t stalled_at;    /* with `stalls`: when that was, in milliseconds modulo 2^32 */
    uint32_t disordered_at; /* the last of `arrived` that was out of order or a retransmission,
                               or 0 */
    struct hole hole;   /* what our capture lost of the peer's */
    struct outcome_path path;
    uint8_t state;        /* enum state: ours, as of the last event */
    uint8_t stopped_in;   /* enum state: ours before it was CLOSED */
    uint8_t why;          /* enum outcome_stop, with `left` */
    uint8_t waits;        /* enum course_wait, if it differs from what the run waits for */
    bool left : 1;        /* session_end_conn() was called */
    bool unsent : 1;      /* the kernel rejected what was sent last: `session.send_error` */
    bool stalls : 1;      /* something was retransmitted since new data was last acknowledged */
    bool outstanding : 1; /* when it was stopped, retransmitted data was unacknowledged */
    bool has_icmp : 1;    /* an error came before the handshake was complete */
    bool odd_icmp : 1;    /* one came, whether or not it counts */
    bool probing : 1;     /* a keepalive probe has no answer; `stalled` is from before it */
    bool followed : 1;    /* it has no engine: session_follow() */
    uint8_t unheard;      /* retransmissions since a segment of the peer's came, at most 2 */
    uint16_t unheard_at; /* with it: when the first was sent, in quarters of a second modulo 2^16 */
};

/* What is shown of a connection, or reported of it in words. */
struct session_record {
    struct session_conn *conn;
    struct report_flow flow;
    struct icmp icmp;         /* the last error that came before the handshake was complete */
    struct sent_side sent;    /* what was sent, as far as the next segment is concerned */
    uint32_t gaps;            /* session.gaps, as far as this connection's report has been
                                 informed */
    bool unstamped_told;      /* the report has a note that the peer omits its timestamps */
    struct seq high;          /* the peer's SND.NXT, as far as acceptable segments have shown */
    bool has_high;
    uint32_t missing; /* bytes before `high` that had not come when the peer was heard last */
    uint32_t syn_sent;        /* SYNs or SYN-ACKs of ours */
    uint32_t syn_acks;        /* of the peer's that arrived */
    uint32_t probes;          /* keepalive probes in a row without an answer */
    wave_time established_at; /* the engine's time; WAVE_NEVER: not yet */
    wave_time fin_acked_at;   /* when we entered FIN_WAIT_2, likewise */
    wave_time syn_ack_at[2];  /* of the last two SYN-ACKs */
    wave_time syn_acked_at;   /* of the first */
    wave_time cut_off_at;     /* when it was stopped */
    uint32_t ts_recent;       /* of a connection without an engine: the peer's last timestamp */
};

struct session;

struct session_ops {
    /* The size of the struct that the command keeps for each connection. It begins with struct
     * session_conn, and the rest is zero at first. 0: the command keeps nothing. */
    size_t conn_size;
    /* Called for an event of the engine; may be NULL. */
    void (*event)(struct session *s, struct session_conn *c, const struct event *e);
    /* Called for a captured ICMP error about a connection, also one that the engine ignores since
     * it quotes nothing in flight; may be NULL. */
    void (*icmp)(struct session *s, struct session_conn *c, const struct icmp *e);
    /* Called once a round: does what the command wants done, and returns the latest time for the
     * next call. */
    wave_time (*turn)(struct session *s, wave_time now);
    /* Fills in what to poll beside the wire, at most SESSION_FDS entries; may be NULL. */
    unsigned (*poll)(struct session *s, struct pollfd *fds);
    /* Called when a peer has opened a connection (listen); may be NULL. */
    void (*opened)(struct session *s, struct session_conn *c);
};

struct session_config {
    const char *command; /* in the verdict */
    bool v6;
    struct conn_config engine; /* of every connection */
    uint64_t seed;             /* for random decisions that need not be secret */
    uint32_t max_connections;  /* connections at a time */
    size_t memory;             /* bytes of all queues together; 0: no bound */
    bool many;                 /* connections are numbered, each with a verdict of its own */
    bool shows;                /* the segments are shown or written somewhere */
    bool live;                 /* the output is a terminal: waits are shown */
    bool impaired;             /* the port impairs segments on purpose (port_impair.h) */
    bool verify;               /* see verify.h */
    struct wire_ip ip;         /* of every segment */
    wave_time timeout;         /* of the whole run; 0: none */
    wave_time deadline;        /* when it ends; 0: it counts from when the session is opened */
    wave_time linger;          /* for a peer that acknowledged our FIN and sends nothing */
    int signals;               /* descriptor of signals.h, or -1 */
    bool interface_named;      /* the user named the interface: no other one is captured */
    uint32_t addresses;        /* of the peer's name, beside the one that is used */
    char address[ADDR_TEXT];   /* the first of them */
    uint32_t number;           /* of the connection, where others have runs of their own; or 0 */
    /* Called for each captured packet, for a capture file, with what is known after it in a few
     * words ("" if nothing is). Returns 0, or an error that ends the run, with *d filled in. May be
     * NULL. */
    const char *preset, *preset_does; /* as in struct facts */
    /* Lists the rules of --impair and their counts so far; NULL: there are none. */
    void (*impairments)(const void *rules, struct impairments *list);
    const void *rules;
    int (*save_packet)(void *sink, const struct wire_packet *p, const char *comment,
                       struct diag *d);
    /* Writes out what has been reported so far; the same return values. May be NULL. */
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
    uint32_t *conn;                     /* their numbers in the slab, each at the index that is
                                           in its id */
    struct slab_list all;               /* in the order in which they came */
    uint32_t opened;                    /* connections so far */
    uint32_t followed;                  /* those without an engine */
    struct impairments impairments;     /* as last listed */
    uint32_t verdicts[REPORT_VERDICTS]; /* if there are several: how many ended in which way */
    bool over;                          /* at least one of them is CLOSED */

    enum outcome_stop stop;
    int signal;            /* that came, or 0 */
    struct diag error;     /* with STOP_LOCAL */
    wave_time close_until; /* with STOP_LOCAL: how long connections may take to close */
    wave_time route_at;    /* the earliest time for the next check of the route */
    wave_time neighbour_at; /* when the neighbour is checked next; 0: not yet known */
    char unreachable[48];   /* the next hop, if it does not answer; else empty */
    bool unreachable_gateway;
    uint64_t arrived;      /* segments of peers that were captured */
    uint64_t left;         /* segments of ours that were captured */
    uint64_t passed_over;  /* those that were not, though one that was sent later was */
    bool first_looked_at;  /* whether the answer to our SYN has reached this host's TCP: */
    bool first_stopped;    /* it had not */
    bool repeats; /* a segment was retransmitted, or a probe sent, since the route was checked */
    char route[16];        /* the interface that the route led through then; empty: ours */

    const char *awaited;
    wave_time awaited_until, awaited_since, awaited_told;

    wave_time end;          /* of --timeout, or WAVE_NEVER */
    uint32_t gaps;          /* how often the capture has lost something */
    wave_time change_waits_since; /* since when a change of our state has waited for its segment */
    struct diag send_error;       /* the last error; empty: there was none */
    struct sent_log sent_log;
};

/* Opens a session over the port. The port belongs to the session, which closes it, also if this
 * call fails. Returns 0, WAVE_ENOMEM or WAVE_ESYS, the latter two with *d filled in and *out
 * NULL. */
int session_open(struct session **out, struct port *port, const struct session_config *config,
                 const struct session_ops *ops, void *user, struct diag *d);

/* Closes and frees the session. NULL is allowed. */
void session_close(struct session *s);

/* Opens a connection to that address and port, from the local port number `i` of the port
 * (port_lport()). There may be several at a time. Returns 0, WAVE_EINUSE if there is one between
 * these ports, or WAVE_ENOMEM. */
int session_connect(struct session *s, uint32_t i, const struct addr *remote, uint16_t rport,
                    struct session_conn **out);

/*
 * session_follow.c: connections without an engine. Their segments are captured, tracked and
 * reported as those of any other, and are not answered; those of ours are made by the command.
 */

/* Follows the flow to that address and port, from the local port number `i` of the port. Returns 0,
 * WAVE_EINUSE if the session has it, WAVE_ESTATE if the session shows no segments, without which
 * nothing can be followed, or WAVE_ENOMEM. */
int session_follow(struct session *s, uint32_t i, const struct addr *remote, uint16_t rport,
                   struct session_conn **out);

/* Gives a followed connection an engine, which goes on from what the captured segments have said.
 * Returns 0; WAVE_ESTATE if it has one, if not both SYNs were captured, or if something that either
 * side sent, a FIN included, is unacknowledged or ends the connection; or WAVE_ENOMEM. */
int session_adopt(struct session *s, struct session_conn *c);

/* Takes the engine from the connection, which is only followed from then on. No segment is sent,
 * and data that the engine still had is lost. Returns 0, or WAVE_ESTATE if it has none or has no
 * record. */
int session_give_up(struct session *s, struct session_conn *c);

/* Returns the followed connection with that flow, or NULL, for a captured segment of the peer's,
 * whose timestamp is stored. */
struct session_conn *session_followed(struct session *s, const struct flow *flow,
                                      const struct seg *seg);

/* Returns the engine's connection, or NULL: after session_release(), and without an engine. */
struct conn *session_engine(struct session *s, const struct session_conn *c);

/* Must be called after the command has called any conn_...() function. */
void session_changed(struct session *s, struct session_conn *c, wave_time now);

/* Ends one connection and lets the run go on: with RST, unless the connection is already closed (as
 * after conn_vanish()). Its outcome then reports `why`. */
void session_end_conn(struct session *s, struct session_conn *c, enum outcome_stop why);

/* Gives up the connection: frees its slot, and `c` itself. */
void session_release(struct session *s, struct session_conn *c);

/* Return the first and the last of the run's connections in the order in which they came, and the
 * one that came after `c` or before it; NULL if there is none. */
struct session_conn *session_first(const struct session *s);
struct session_conn *session_last(const struct session *s);
struct session_conn *session_next(const struct session *s, const struct session_conn *c);
struct session_conn *session_prev(const struct session *s, const struct session_conn *c);

/* Returns what the report knows of the connection; NULL if it has no record. */
static inline struct report_flow *session_flow(const struct session_conn *c)
{
    return c->record ? &c->record->flow : NULL;
}

/* Returns the connection to which such a flow belongs. */
static inline struct session_conn *session_of_flow(const struct report_flow *f)
{
    const size_t offset = offsetof(struct session_record, flow);

    return ((const struct session_record *)(const void *)((const char *)f - offset))->conn;
}

/* Sets what the run waits for now and until when (WAVE_NEVER: without end). A terminal shows it,
 * and the verdict of a run that is stopped names it. NULL: nothing. */
void session_await(struct session *s, const char *what, wave_time until);

/* May be called in a turn: the next turn comes at `at` at the latest, even if this one returns a
 * later time. */
void session_wake_by(struct session *s, wave_time at);

/* Pulls the events that wait in the engine and that no captured segment caused, and reports
 * them. */
void session_drain(struct session *s);

/* Runs until session_stop(), a signal or --timeout. */
void session_run(struct session *s);

/* Ends the run after this round. Open connections are ended with RST. If it is called more than
 * once, the first reason counts. */
void session_stop(struct session *s, enum outcome_stop why);

/*
 * Ends the run because this host cannot go on, for the reason in *d. That reason replaces any other
 * except an earlier one of its kind, and this may be called after session_run(). The command has no
 * more turns. Connections are closed in order, with what was queued and FIN; what the peer still
 * sends is discarded. A connection that is not closed within two seconds is ended with RST.
 */
void session_fail(struct session *s, const struct diag *d);

/* Fills in what happened to the connection. */
void session_outcome(struct session *s, const struct session_conn *c, struct outcome *out);

/* Returns the rules of --impair with their counts so far, or NULL. */
const struct impairments *session_impairments(struct session *s);

/* Returns whether a rule did something to segments of this connection, or may have. */
bool session_impaired(struct session *s, const struct session_conn *c);

/* Adds the findings about the connection (NULL: about the run as a whole) to the list, and rewrites
 * the outcome's sentence from the finding that explains most. */
void session_diagnose(struct session *s, const struct session_conn *c, struct outcome *outcome,
                      struct findings *list);

/* Returns how many bytes the peer must have sent that never came although later bytes did; a FIN
 * among them counts as one. */
uint32_t session_missing(struct session *s, const struct session_conn *c);

/* Fills in the run's verdict, whose message is that of the outcome; or, if connections are numbered
 * and `c` is one of them, the verdict of this connection. `figures` may be NULL. */
void session_verdict(struct session *s, const struct session_conn *c, const struct outcome *outcome,
                     const struct figures *figures, const struct findings *findings,
                     struct report_verdict *v);

/* Reports the verdict of one of several connections, and counts it. */
void session_conn_verdict(struct session *s, const struct session_conn *c,
                          const struct outcome *outcome, const struct figures *figures);

/* Returns the clock that stamps captured packets, in nanoseconds. */
static inline wave_time session_stamp(const struct session *s)
{
    return port_stamp(s->port);
}

#endif
