/*
 * One round runs the timers, sends what they cause, reads what was captured, gives the user its
 * turn, sends once more, and sleeps until something comes. While there is work, descriptors are
 * polled once a millisecond instead of in every round.
 */
#include "lib/run/loop.h"

#include "lib/io/signals.h"

#define ANSWER_EVERY 32 /* packets read, at most, before what they cause is sent */
#define LATE                                                                                       \
    (50 * WAVE_MS)         /* a loop that comes this late first reads what came meanwhile */
#define LATE_BATCHES 512   /* of packets in that case: as many as any ring holds */
#define BUSY_LOOK WAVE_MS  /* between two polls of the descriptors while there is work */
#define DRAIN_LOOK WAVE_MS /* between two checks whether everything has been captured */

void loop_init(struct loop *l, struct port *port, struct stack *stack, const struct loop_ops *ops,
               void *self)
{
    *l = (struct loop){.port = port,
                       .stack = stack,
                       .ops = ops,
                       .self = self,
                       .signals = -1,
                       .batch = 64,
                       .clock_every = 1,
                       .deadline = WAVE_NEVER,
                       .now = port_now(port)};
    l->egress.port = port;
    l->egress.stack = stack;
    l->egress.ops = &ops->egress;
    l->egress.max = EGRESS_BATCH;
    l->egress.self = self;
    l->due = l->heard = l->polled = l->now;
}

void loop_clock(struct loop *l)
{
    l->now = port_now(l->port);
}

void loop_wake_by(struct loop *l, wave_time at)
{
    l->wake_at = time_min(l->wake_at, at);
}

/* Sends what a packet has caused. With many connections, one system call sends for several of
 * them. */
static void answer(struct loop *l)
{
    if (!l->stack)
        return;
    if (l->shared && !egress_stuck(&l->egress) && !egress_whole(&l->egress))
        egress_pull(&l->egress, l->now);
    else
        egress_send(&l->egress, l->now);
}

/* Reads the next captured packet. Returns false if there is none. */
static bool next(struct loop *l, struct wire_packet *p)
{
    struct diag d; /* not zeroed: there is one for each packet */
    int n;

    d.text[0] = '\0';
    n = l->port->ops->next(l->port, p, &d);

    if (n < 0)
        l->ops->failed(l->self, &d, true);
    return n > 0;
}

/* Reads captured packets, up to a batch. Returns how many. */
static unsigned receive(struct loop *l)
{
    struct wire_packet p;
    unsigned n;

    for (n = 0; n < l->batch && next(l, &p); n++) {
        if (n % l->clock_every == 0)
            loop_clock(l);
        if (l->ops->packet(l->self, &p) && ++l->waiting < ANSWER_EVERY)
            continue;
        l->waiting = 0;
        answer(l);
    }
    l->behind = n == l->batch;
    if (l->waiting || l->egress.queued) {
        l->waiting = 0;
        loop_clock(l);
        egress_send(&l->egress, l->now);
    }
    if (n)
        l->heard = l->now;
    return n;
}

/* A loop may come late because the machine is busy, or because the process was stopped or
 * suspended. It then reads what was captured meanwhile before the timers run. Otherwise they would
 * count an answer as missing that has already arrived. */
static void catch_up(struct loop *l)
{
    loop_clock(l);
    if (l->now < time_add(l->due, LATE))
        return;
    for (unsigned i = 0; i < LATE_BATCHES && !l->done && receive(l) == l->batch; i++)
        ;
    loop_clock(l);
}

/* Runs the timers and sends what they cause. */
static void tick(struct loop *l)
{
    if (l->stack) {
        stack_tick(l->stack, l->now);
        l->ops->egress.events(l->self);
    }
    egress_send(&l->egress, l->now);
}

/* Returns what to poll for of an output queue: that its reader accepts what waits and, with `gone`,
 * that the reader goes away. If nothing waits, an error is noticed by the next write. */
static struct pollfd of_output(const struct outbuf *o, bool gone)
{
    struct pollfd p = o ? outbuf_poll(o) : (struct pollfd){.fd = -1};

    if (!p.events && !gone)
        p.fd = -1;
    return p;
}

/* Acts on what poll reported for the descriptors. */
static void look(struct loop *l, const struct pollfd *signals, const struct pollfd *report,
                 const struct pollfd *capture)
{
    int sig;

    if ((signals->revents & POLLIN) && (sig = signals_next(l->signals)) != 0) {
        loop_clock(l);
        l->ops->signalled(l->self, sig);
    }
    if (l->reported && (report->revents & OUTBUF_GONE)) {
        l->reported = false;
        l->ops->failed(l->self, &(struct diag){"cannot write the report: its reader is gone"},
                       false);
    }
    if (report->revents)
        outbuf_polled(l->report, report->revents);
    if (capture->revents)
        outbuf_polled(l->capture, capture->revents);
}

/* Sleeps until `until`, or until there is something to do. With `until` 0 it only polls. */
static void sleep_until(struct loop *l, wave_time until)
{
    struct pollfd fds[PORT_FDS] = {{.fd = l->signals, .events = POLLIN}};
    unsigned n = 3;

    if (l->ops->poll)
        n += l->ops->poll(l->self, fds + n);
    if (until > l->now && l->ops->idle)
        l->ops->idle(l->self);
    /* Whether something waits for its reader is only known now. */
    fds[1] = of_output(l->report, l->reported);
    fds[2] = of_output(l->capture, false);
    l->port->ops->wait(l->port, until, fds, n);
    look(l, &fds[0], &fds[1], &fds[2]);
    l->polled = l->now;
}

/* Returns when the next round is due. */
static wave_time next_round(struct loop *l, wave_time turn)
{
    wave_time until = time_min(time_min(turn, l->wake_at), l->deadline);

    if (egress_stuck(&l->egress))
        return time_min(until, l->egress.retry_at) > l->now ? time_min(until, l->egress.retry_at)
                                                            : l->egress.retry_at;
    return l->stack ? time_min(until, stack_expiry(l->stack, l->now)) : until;
}

/* Runs one round up to the sleep. Returns when the next one is due. */
static wave_time round_of(struct loop *l)
{
    wave_time until;

    catch_up(l);
    tick(l);
    receive(l);
    l->due = l->now;
    catch_up(l); /* if sending what the timers or the packets caused took long */
    if (l->done)
        return l->now;
    l->wake_at = WAVE_NEVER;
    until = l->ops->turn(l->self);
    egress_send(&l->egress, l->now);
    if (!l->done && l->now >= l->deadline) {
        l->deadline = WAVE_NEVER;
        l->ops->timed_out(l->self);
    }
    return next_round(l, until);
}

void loop_run(struct loop *l)
{
    if (l->port->virtual_time) /* the loop would wait without end for a clock that stands still */
        l->spin = l->shortest = 0;
    while (!l->done) {
        wave_time until = round_of(l);

        if (l->done)
            break;
        /* A timer may be overdue already: this round was stopped while it sent or read. */
        l->due = l->behind || l->now - l->heard < l->spin ? time_min(until, l->now) : until;
        if (l->due > l->now && l->due - l->now >= l->shortest)
            sleep_until(l, l->due);
        else if (l->now - l->polled >= BUSY_LOOK)
            sleep_until(l, 0);
    }
}

/* Reads everything that has been captured. Returns whether there was anything. */
static bool receive_all(struct loop *l)
{
    bool any = false;

    for (unsigned i = 0; i < LATE_BATCHES; i++) {
        unsigned n = receive(l);
        any |= n > 0;
        if (n < l->batch)
            break;
    }
    return any;
}

void loop_drain(struct loop *l, wave_time quiet, wave_time max)
{
    wave_time begun, end;

    loop_clock(l);
    begun = l->now;
    end = begun + quiet;
    while (l->now < end) {
        bool whole = egress_send(&l->egress, l->now);
        bool heard = receive_all(l);

        loop_clock(l);
        if (whole) { /* each of many connections must send its RST */
            end = l->now + quiet;
            continue;
        }
        if (l->ops->all_captured) {
            if (!egress_stuck(&l->egress) && l->ops->all_captured(l->self))
                break;
        } else if (heard) {
            end = time_min(begun + max, l->now + quiet);
        }
        if (l->now < end)
            l->port->ops->wait(l->port, time_min(end, l->now + DRAIN_LOOK), NULL, 0);
        loop_clock(l);
    }
}
