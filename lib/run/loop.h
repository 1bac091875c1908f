/*
 * The loop: the only one of the program. It sleeps, takes in captured packets, runs the engine's
 * timers, sends what is owed, and gives its user a turn. It knows packets, times and descriptors;
 * what they mean is its user's, who is told through struct loop_ops:
 *
 *     port --> packet() --> engine --> events() ... sending() --> port
 *                                         ^
 *                          turn() --------'
 *
 * It has its own clock, loop.now, which is read often enough that nobody else need read one. Over a
 * port in virtual time (port_sim.h) the same loop runs a test of hours in milliseconds.
 *
 * A packet taken in is followed by what it makes us send, so that no two acknowledgements are
 * merged into one; packet() says where that may wait for the next packet.
 */
#ifndef TCPWAVE_RUN_LOOP_H
#define TCPWAVE_RUN_LOOP_H

#include "lib/io/outbuf.h"
#include "lib/run/egress.h"

struct loop_ops {
    struct egress_ops egress;
    /* A captured packet. True: what it makes us send may wait for the next one that was captured
     * already; it goes out after a few of them at the latest. */
    bool (*packet)(void *self, const struct wire_packet *p);
    /* A round: does what is to be done now, and returns when it wants the next one at the latest.
     */
    wave_time (*turn)(void *self);
    /* Fills in what to wait for beside the port, at most LOOP_FDS; returns how many. May be NULL.
     */
    unsigned (*poll)(void *self, struct pollfd *fds);
    /* The loop is about to sleep: what is buffered is to be written out. May be NULL. */
    void (*idle)(void *self);
    /* SIGINT, SIGTERM or SIGHUP came. */
    void (*signalled)(void *self, int sig);
    /* loop.deadline has passed; called once. */
    void (*timed_out)(void *self);
    /* This host failed; `deaf`: no packet will come any more. */
    void (*failed)(void *self, const struct diag *d, bool deaf);
    /* While the run drains: whether everything that was to be seen has been. NULL: the whole time
     * is waited. */
    bool (*all_captured)(void *self);
};

#define LOOP_FDS (PORT_FDS - 3) /* of the user's */

struct loop {
    struct port *port;
    struct stack *stack; /* or NULL: no engine */
    const struct loop_ops *ops;
    void *self;
    struct egress egress;

    int signals;            /* descriptor of signals.h, or -1 */
    struct outbuf *report;  /* where the run is told, or NULL */
    struct outbuf *capture; /* of the capture file, or NULL */
    bool reported;          /* somebody reads the report: that its reader is gone ends the run */
    unsigned batch;         /* packets taken in before the user has a turn */
    unsigned clock_every;   /* packets between two readings of the clock; at least 1 */
    bool shared;            /* loop_share() was called */
    wave_time spin;     /* of silence, before it is worth to sleep; 0: at once */
    wave_time shortest; /* a sleep shorter than this is none: it would take longer */

    wave_time now;      /* the engine's clock, as last read */
    wave_time deadline; /* WAVE_NEVER: none */
    bool done;          /* set by the user: loop_run() returns after this round */

    /* The loop's own. */
    wave_time due;    /* when it wanted to wake up */
    wave_time heard;  /* when the last packet came */
    wave_time polled; /* when descriptors were last looked at */
    wave_time wake_at;
    unsigned waiting; /* packets whose answer waits for the next */
    bool behind;      /* the last batch was whole: there may be more that was captured */
};

/* Sets everything to what one connection wants; `stack` may be NULL. The fields above the line may
 * be changed before loop_run(). */
void loop_init(struct loop *l, struct port *port, struct stack *stack, const struct loop_ops *ops,
               void *self);

/* Before loop_run(): there are many connections, and what each sends shares the system call of a
 * batch. */
static inline void loop_share(struct loop *l)
{
    l->shared = true;
    l->egress.max = EGRESS_SHARED;
}

/* Runs until loop.done. */
void loop_run(struct loop *l);

/*
 * After loop_run(): sends what is still owed and takes in what is still captured, until the user is
 * told by all_captured(), or for `quiet` nanoseconds; without all_captured(), for as long after the
 * last packet, but for `max` in all.
 */
void loop_drain(struct loop *l, wave_time quiet, wave_time max);

/* Within a turn: the next one comes at `at` at the latest, whatever this one returns. */
void loop_wake_by(struct loop *l, wave_time at);

/* Whether packets may have been captured that are still to be taken in. */
static inline bool loop_behind(const struct loop *l)
{
    return l->behind;
}

/* Reads the clock: loop.now is right. */
void loop_clock(struct loop *l);

#endif
