/*
 * The only loop of the program. It sleeps, reads captured packets, runs the engine's timers, sends
 * what is due, and gives its user a turn. It knows packets, times and descriptors. What they mean
 * is known to its user, whose functions are in struct loop_ops:
 *
 *     port --> packet() --> engine --> events() ... sending() --> port
 *                                         ^
 *                          turn() --------'
 *
 * It has its own clock, loop.now, which is read often enough that no other code has to read one.
 * Over a port in virtual time (port_sim.h) the same loop runs a test of hours in milliseconds.
 *
 * After each packet, what it causes is sent, so that no two acknowledgements are merged into one.
 * packet() says when that may wait for the next packet.
 */
#ifndef TCPWAVE_RUN_LOOP_H
#define TCPWAVE_RUN_LOOP_H

#include "lib/io/outbuf.h"
#include "lib/run/egress.h"

struct loop_ops {
    struct egress_ops egress;
    /* Called with a captured packet. Returns true if what the packet causes may wait for the next
     * one that is already captured; it is sent after a few of them at the latest. */
    bool (*packet)(void *self, const struct wire_packet *p);
    /* Called once a round: does what is due now, and returns the latest time for the next call. */
    wave_time (*turn)(void *self);
    /* Fills in what to poll beside the port, at most LOOP_FDS entries; returns how many. May be
     * NULL. */
    unsigned (*poll)(void *self, struct pollfd *fds);
    /* Called before the loop sleeps: buffered output has to be written. May be NULL. */
    void (*idle)(void *self);
    /* Called when SIGINT, SIGTERM or SIGHUP has come. */
    void (*signalled)(void *self, int sig);
    /* Called once, when loop.deadline has passed. */
    void (*timed_out)(void *self);
    /* Called when this host has failed. `deaf`: no packet will be captured any more. */
    void (*failed)(void *self, const struct diag *d, bool deaf);
    /* Returns, while the run drains, whether everything that was expected has been captured. NULL:
     * the loop waits for the whole time. */
    bool (*all_captured)(void *self);
};

#define LOOP_FDS (PORT_FDS - 3) /* for the user */

struct loop {
    struct port *port;
    struct stack *stack; /* NULL: no engine */
    const struct loop_ops *ops;
    void *self;
    struct egress egress;

    int signals;            /* descriptor of signals.h, or -1 */
    struct outbuf *report;  /* where the run is reported, or NULL */
    struct outbuf *capture; /* of the capture file, or NULL */
    bool reported;          /* the report has a reader, and the run ends when that reader goes
                               away */
    unsigned batch;         /* packets read before the user has a turn */
    unsigned clock_every;   /* packets read between two readings of the clock; at least 1 */
    bool shared;            /* loop_share() was called */
    wave_time spin;         /* of silence, after which the loop sleeps; 0: it sleeps immediately */
    wave_time shortest; /* the loop does not sleep for less than this, which would take longer */

    wave_time now;      /* the engine's clock, as of its last reading */
    wave_time deadline; /* WAVE_NEVER: none */
    bool done;          /* set by the user: loop_run() returns after this round */

    /* Private to the loop. */
    wave_time due;    /* when the loop meant to wake up */
    wave_time heard;  /* when the last packet came */
    wave_time polled; /* when the descriptors were last polled */
    wave_time wake_at;
    unsigned waiting; /* packets whose answers wait for the next packet */
    bool behind;      /* the last batch was full: more may have been captured */
};

/* Sets everything for a run with one connection; `stack` may be NULL. The fields above the line may
 * be changed before loop_run(). */
void loop_init(struct loop *l, struct port *port, struct stack *stack, const struct loop_ops *ops,
               void *self);

/* Called before loop_run() if there are many connections: their segments share the system call of a
 * batch. */
static inline void loop_share(struct loop *l)
{
    l->shared = true;
    l->egress.max = EGRESS_SHARED;
}

/* Runs until loop.done is set. */
void loop_run(struct loop *l);

/*
 * Called after loop_run(). Sends what is still due and reads what is still captured, until
 * all_captured() returns true or `quiet` nanoseconds have passed. Without all_captured() it goes on
 * until `quiet` nanoseconds have passed since the last packet, and for `max` at most.
 */
void loop_drain(struct loop *l, wave_time quiet, wave_time max);

/* May be called within a turn: the next turn comes at `at` at the latest, even if this one returns
 * a later time. */
void loop_wake_by(struct loop *l, wave_time at);

/* Returns whether packets may have been captured that have not been read. */
static inline bool loop_behind(const struct loop *l)
{
    return l->behind;
}

/* Reads the clock into loop.now. */
void loop_clock(struct loop *l);

#endif
