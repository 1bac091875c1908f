/*
 * Declares what the parts of `tcpwave load` share.
 *
 *     load.c          opens everything, runs, and returns the exit status
 *     load_options.c  the options
 *     load_plan.c     chooses the pairs of addresses, and how many local ports each of them uses
 *     load_tuples.c   chooses the local port of the next connection
 *     load_loop.c     does the work of one turn of the loop
 *     load_conn.c     takes each connection through its course
 *     load_signs.c    notices what connections show that findings may be based on
 *     load_findings.c makes the findings
 *     load_report.c   reports progress and the figures
 *
 * load is no session (lib/run/session.h), since it shows no segments. It keeps nothing of a
 * connection but what its course needs, and a captured segment goes to the engine and, with --pcap,
 * to the capture file, but nowhere else.
 */
#ifndef TCPWAVE_CMD_LOAD_H
#define TCPWAVE_CMD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/load_findings.h"
#include "cmd/load_options.h"
#include "cmd/load_plan.h"
#include "cmd/load_report.h"
#include "cmd/load_tuples.h"
#include "lib/core/histogram.h"
#include "lib/core/pool.h"
#include "lib/core/stack.h"
#include "lib/core/verdict.h"
#include "lib/run/course.h"
#include "lib/run/loop.h"

/* Names the queues in which connections wait. All waits in one queue have the same length, so that
 * they end in the order in which they began. LOAD_Q_CLOSING has those that were closed because
 * another wait was over, until they are answered. */
enum {
    LOAD_Q_NONE,
    LOAD_Q_CLOSING, /* comes first, since the next two wait for it: load_waits() */
    LOAD_Q_ANSWER,
    LOAD_Q_HOLD,
    LOAD_Q_LINGER,
    LOAD_Q_DEAD,
    LOAD_QUEUES
};

/* Holds one of those queues. */
struct load_queue {
    uint32_t first, last; /* 1 + index of a connection, or 0 */
    uint32_t count;
    wave_time length;
};

/* What was seen of a connection by now, so that it counts once. */
enum {
    LOAD_SAW_UNSTAMPED = 1 << 0,
    LOAD_SAW_OLD_TIMESTAMP = 1 << 1,
    LOAD_SAW_ECHO = 1 << 2,
    LOAD_SAW_WINDOW = 1 << 3,
    LOAD_SAW_FIN = 1 << 4,
    LOAD_SAW_EARLY = 1 << 5 /* the peer's FIN came before it had all of our data */
};

/* Holds what load needs of one connection beside the engine's own. It stands in `load.conn` at the
 * index of the connection's id. */
struct load_conn {
    struct course course;
    uint32_t id;
    uint32_t prev : 25;          /* in its queue: 1 + index, or 0 */
    uint32_t tries : 2;          /* other ports over which it was refused before this one */
    uint32_t time_wait : 1;      /* the peer may still have an earlier connection over its port */
    uint32_t closed_by_peer : 1; /* the peer's FIN came before it had ours: it keeps TIME_WAIT */
    uint32_t later : 1;          /* the peer sent data behind the begin of its answer */
    uint32_t cut : 1;            /* its large segments were not acknowledged */
    uint32_t next : 25;          /* in its queue: 1 + index, or 0 */
    uint32_t seen : 6;           /* LOAD_SAW_... */
    uint32_t tuple : 24, queue : 3;
    uint32_t shut_out : 1; /* it is counted as one that the accept queue had no room for */
    uint32_t
        awaits : 1; /* it waits for the answer to its SYN or FIN, and is counted in `awaiting` */
};

#define LOAD_LINK (2 * POOL_MAX - 1) /* the bits of `prev` and `next` */

/* How many SYNs and FINs may be without an answer where the answers set the pace. Of the FINs, more
 * may be where the rate asks for it, but never more than the capture's ring has room for answers.
 */
#define LOAD_AWAITING 1024
#define LOAD_CLOSING 8192

#define LOAD_TRIES 3 /* other ports over which a connection is tried, at most */

/* Holds the connections that are to be tried over another port, since they were refused over one
 * that the peer may still have in TIME_WAIT. It is a ring with room for plan.concurrency. */
struct load_retries {
    struct {
        uint32_t pair : 24, tries : 2;
    } * at;
    uint32_t first, count;
};

_Static_assert(sizeof(struct load_conn) == 24, "a million of them are 24 MB");

/* Holds the state of one run. */
struct load {
    const struct load_options *options;
    struct load_plan plan;
    struct port *port;
    struct impair *impair; /* the rules of --impair; NULL: there are none */
    struct stack *stack;
    struct loop loop;
    int signals;
    struct load_report report;
    struct load_seen seen;

    struct course_config course, course_at_stop; /* as asked for; and when the run is to end */
    struct load_conn *conn;                  /* plan.concurrency of them */
    struct load_queue queue[LOAD_QUEUES];
    struct load_tuples tuples;
    struct load_retries retries;

    wave_time skew; /* by which capture stamps are ahead of the engine's clock */
    wave_time when; /* the time, by the engine's clock, of the packet or event being handled */
    wave_time began, next_open, next_tell;
    wave_time deadline; /* the end of --timeout, or WAVE_NEVER */
    wave_time stop_at;  /* when to begin to stop, so that all is over by `deadline` */
    wave_time patience; /* how long a peer may take to answer before it counts as silent when a run
                           that was to end by time cuts it off */

    uint32_t opened, counts[REPORT_VERDICTS];
    uint32_t established; /* handshakes completed */
    uint32_t awaiting;    /* connections that wait for the answer to a SYN or FIN */
    struct load_reuse reuse;
    uint64_t retransmissions, sent_bytes, received_bytes;
    struct histogram handshake, first_byte, close;
    uint32_t told_ended; /* connections that had ended when progress was last reported */

    bool stopping;  /* nothing more is opened; what is open is closed by `stop_by` */
    bool resetting; /* what is still open is reset */
    bool timed_out;
    int signal; /* that stopped the run, or 0 */
    wave_time stop_by;
    uint32_t cursor;  /* how far the connections have been told to stop, for stack_next() */
    bool failed;      /* this host failed: `error` says how */
    bool send_failed; /* a segment could not be sent, and a note has been reported */
    struct diag error;
};

/* Returns whether the run was to end by time or a signal, not after a number of connections. */
static inline bool load_endless(const struct load *l)
{
    return l->options->connections == 0;
}

/* Runs the loop until every connection has ended. */
void load_loop(struct load *l);

/* Takes all events from the engine. To be called after each call that may cause some, since the
 * engine's queue of events is short. */
void load_drain(struct load *l);

/* Adds the counters of the run to *v, and reports the verdict with the figures. Returns the exit
 * status. */
int load_tell_end(struct load *l, struct report_verdict *v);

/* Ends the run because this host cannot go on. Connections are closed as far as they get in the
 * time that a stopped run has. The first failure is the one that is reported. */
void load_fail(struct load *l, const struct diag *d);

/* load_conn.c */

/* Opens the next connection. Returns 0 or WAVE_ENOMEM. */
int load_open(struct load *l);

/* Handles an event of the engine. */
void load_event(struct load *l, const struct event *e);

/* Takes the connections whose wait is over to their next step. Returns when the next wait ends. */
wave_time load_waits(struct load *l);

/* Closes or resets the connection because the run is to end. */
void load_stop(struct load *l, uint32_t id);

/* Returns how many connections have ended. */
static inline uint32_t load_ended(const struct load *l)
{
    uint32_t n = 0;

    for (int v = 0; v < REPORT_VERDICTS; v++)
        n += l->counts[v];
    return n;
}

#endif
