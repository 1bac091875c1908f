/*
 * load: what its parts share.
 *
 *     load.c          from the options to the exit status
 *     load_options.c  what they are
 *     load_plan.c     which pairs of addresses, and how many ports of each
 *     load_tuples.c   which of the ports comes next
 *     load_loop.c     the loop that joins wire and engine
 *     load_conn.c     the connections, each on its course
 *     load_report.c   what is told of it
 *
 * It is no session (lib/run/session.h), since it shows no segments: nothing of a connection is kept
 * but what its course needs, and no captured segment is looked at twice.
 */
#ifndef TCPWAVE_CMD_LOAD_H
#define TCPWAVE_CMD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

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

/* Queues of connections that wait equally long, the first to end first. */
enum { LOAD_Q_NONE, LOAD_Q_ANSWER, LOAD_Q_HOLD, LOAD_Q_LINGER, LOAD_Q_DEAD, LOAD_QUEUES };

struct load_queue {
    uint32_t first, last; /* 1 + index, or 0 */
    wave_time length;
};

/* Of one connection, beside the engine's own; at the index that its id names. */
struct load_conn {
    struct course course;
    uint32_t id;
    uint32_t prev : 25;          /* in its queue: 1 + index, or 0 */
    uint32_t tries : 2;          /* ports that it was refused over before this one */
    uint32_t time_wait : 1;      /* the peer may still hold an earlier connection over its port */
    uint32_t closed_by_peer : 1; /* the peer's FIN came before it had ours: it keeps TIME_WAIT */
    uint32_t next : 25;          /* in its queue: 1 + index, or 0 */
    uint32_t tuple : 24, queue : 3;
    uint32_t
        awaits : 1; /* it waits for the answer to its SYN or FIN, and is counted in `awaiting` */
};

#define LOAD_LINK (2 * POOL_MAX - 1) /* `prev` and `next` have so many bits */

#define LOAD_TRIES 3 /* other ports that a connection is tried over, at most */

/* Connections that were refused over a port that the peer may still hold, and are to be tried over
 * another one: a ring with room for each connection there may be at a time. */
struct load_retries {
    struct {
        uint32_t pair : 24, tries : 2;
    } * at;
    uint32_t first, count;
};

_Static_assert(sizeof(struct load_conn) == 24, "a million of them are 24 MB");

struct load {
    const struct load_options *options;
    struct load_plan plan;
    struct port *port;
    struct stack *stack;
    struct loop loop;
    int signals;
    struct load_report report;

    struct course_config course, course_at_stop; /* as asked for, and once the run is to end */
    struct load_conn *conn;                  /* plan.concurrency of them */
    struct load_queue queue[LOAD_QUEUES];
    struct load_tuples tuples;
    struct load_retries retries;

    wave_time skew; /* of stamps, ahead of the engine's clock */
    wave_time when; /* when what is being looked at happened, by the engine's clock */
    wave_time began, next_open, next_tell;
    wave_time deadline; /* --timeout, from when the program began; or WAVE_NEVER */
    wave_time stop_at;  /* when to begin to stop, so that all is over by then */
    wave_time patience; /* a peer that has not answered for so long is called silent, when a run
                           that was to end by time cuts it off */

    uint32_t opened, counts[REPORT_VERDICTS];
    uint32_t established; /* handshakes completed */
    uint32_t awaiting;    /* connections that wait for the answer to a SYN or FIN */
    struct load_reuse reuse;
    uint64_t retransmissions, sent_bytes, received_bytes;
    struct histogram handshake, first_byte, close;
    uint32_t told_ended; /* connections that had ended when progress was last told */

    bool stopping;  /* nothing is opened any more; what is open is closed by `stop_by` */
    bool resetting; /* what is left is reset */
    bool timed_out;
    int signal; /* what stopped it, or 0 */
    wave_time stop_by;
    uint32_t cursor;  /* how far all connections were told to stop */
    bool failed;      /* this host failed: `error` says how */
    bool send_failed; /* and a note has been written of it */
    struct diag error;
};

/* Whether the run was to end by time or a signal, and not with a number of connections. */
static inline bool load_endless(const struct load *l)
{
    return l->options->connections == 0;
}

/* load_loop.c: all of it, until every connection has ended. */
void load_loop(struct load *l);

/* Takes in what the engine tells. To be called after each call that makes it tell something: its
 * queue is short. */
void load_drain(struct load *l);

/* The last word, with the figures; returns the exit status. */
int load_tell_end(struct load *l, struct report_verdict *v);

/* Ends the run, for this host cannot go on: connections are closed, as far as they get in the time
 * that a stopped run has. */
void load_fail(struct load *l, const struct diag *d);

/* load_conn.c */

/* Opens the next connection. WAVE_ENOMEM. */
int load_open(struct load *l);

/* What the engine tells of a connection. */
void load_event(struct load *l, const struct event *e);

/* Those whose wait is over go on; returns when the next wait ends. */
wave_time load_waits(struct load *l);

/* Closes the connection, or resets it, before its time. */
void load_stop(struct load *l, uint32_t id);

/* Connections that have ended. */
static inline uint32_t load_ended(const struct load *l)
{
    uint32_t n = 0;

    for (int v = 0; v < REPORT_VERDICTS; v++)
        n += l->counts[v];
    return n;
}

#endif
