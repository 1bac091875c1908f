/*
 * Contains the calls that the loop (lib/run/loop.c) makes for `tcpwave load`. A captured segment
 * goes to the engine, and to the capture file if there is one; it is not shown. In each turn waits
 * that are over are handled, connections are opened as far as rate and concurrency allow, and once
 * a second progress is reported.
 *
 * A run ends when enough connections have been opened and have ended, or when it is stopped, by a
 * signal, by --timeout or because this host fails. A stopped run opens nothing more, closes what is
 * open, and resets what is still open after two seconds.
 */
#include <stdio.h>

#include "cmd/load.h"
#include "cmd/platform.h"

#define RECEIVE_MAX 256             /* packets handled before the turn comes */
#define OPEN_MAX 64                 /* connections opened in one turn */
#define STOP_MAX 256                /* connections closed in one turn when the run is to end */
#define CLOCK_EVERY 16              /* packets between two readings of the clock */
#define CATCH_UP (10 * WAVE_MS)     /* how much of a rate is made up for after a delay, at most */
#define SPIN (50 * WAVE_US)         /* of silence, before it is worth while to sleep */
#define STOP_IN (2 * WAVE_S)        /* for the connections of a stopped run to close */
#define PATIENCE (50 * WAVE_MS)     /* for an answer, plus ... */
#define PATIENCE_TIMES 4            /* ... this many times the duration of a slow handshake */
#define STOP_SETTLES (50 * WAVE_MS) /* for answers that are still on their way at the end */

/* Returns how long a peer that does its part takes to answer at most, as estimated from the
 * handshakes so far. */
static wave_time patience(const struct load *l)
{
    const wave_time timeout = l->options->show.timeout;
    const wave_time max = timeout ? time_min(STOP_IN, timeout / 2) : STOP_IN;

    if (!l->handshake.count)
        return max;
    return time_min(max, PATIENCE + PATIENCE_TIMES * histogram_permille(&l->handshake, 990));
}

/* Ends the run: nothing more is opened, and what is open is closed by `stop_by`. */
static void stop(struct load *l)
{
    if (l->stopping)
        return;
    l->stopping = true;
    l->patience = patience(l);
    l->cursor = 0;
    l->stop_by = time_min(l->loop.now + STOP_IN, l->deadline);
    /* Connections that wait for another port do not get one any more, and count as refused. */
    l->counts[VERDICT_REFUSED] += l->retries.count;
    l->reuse.given_up += l->retries.count;
    l->retries.count = 0;
}

/* Ends the run with a RST for each connection that is still open. */
static void reset_all(struct load *l)
{
    stop(l);
    if (!l->resetting)
        l->cursor = 0;
    l->resetting = true;
}

void load_fail(struct load *l, const struct diag *d)
{
    if (!l->failed)
        l->error = *d;
    l->failed = true;
    stop(l);
}

void load_drain(struct load *l)
{
    struct event e;

    while (stack_event(l->stack, &e))
        load_event(l, &e);
}

/* Handles a segment that the kernel rejected for good. If it has taken none yet, this ends the run,
 * since the next segment would fare no better. Later it counts as one more lost segment, which is
 * retransmitted, and a note is reported the first time. */
static void send_failed(void *self, const struct flow *flow, const struct diag *d)
{
    struct load *l = self;

    (void)flow;
    l->seen.unsent++;
    if (!l->established && !l->port->ops->stats(l->port).sent) {
        load_fail(l, d);
        return;
    }
    if (!l->send_failed)
        report_note(&l->report.report, NULL, l->loop.now + l->skew, true, d->text);
    l->send_failed = true;
}

/*
 * Receiving
 */

static void save_packet(struct load *l, const struct wire_packet *p)
{
    struct diag d;

    if (view_save_packet(&l->report.view, p, NULL, &d) != 0)
        load_fail(l, &d);
}

static bool take_packet(void *self, const struct wire_packet *p)
{
    struct load *l = self;
    const struct impaired *i =
        p->impaired; /* what is due now: to show it, to take it in, or both */
    wave_time stamp = p->stamp - l->skew;

    if (l->report.view.pcap && (!i || i->shown))
        save_packet(l, p);
    l->when = stamp < l->loop.now ? stamp : l->loop.now;
    if (p->packet.kind == PACKET_ICMP) {
        stack_icmp(l->stack, l->loop.now, &p->packet.icmp);
    } else if (!p->outgoing) {
        struct flow flow = flow_reverse(&p->packet.flow);
        l->seen.captured += !i || (i->shown && i->on_wire);
        if (!i || i->taken) {
            l->seen.segment = i ? &i->engine : &p->packet.seg;
            if (stack_input(l->stack, l->loop.now, &flow, l->seen.segment) == STACK_NONE)
                load_seen_stray(l, &flow);
        }
    }
    load_drain(l);
    l->seen.segment = NULL;
    l->when = l->loop.now;
    return false;
}

/*
 * Opening
 */

/* Returns whether another connection may be opened now. Without a rate, the answers set the pace:
 * more SYNs than a queue holds would only be lost, and be retransmitted a second later, and more
 * FINs would only wait in the peer's memory. */
static bool may_open(const struct load *l)
{
    const uint32_t max = l->options->connections;

    if (l->stopping || stack_count(l->stack) >= l->plan.concurrency ||
        (!l->plan.rate && l->awaiting >= LOAD_AWAITING))
        return false;
    return l->retries.count || (load_tuples_any(&l->tuples) && (!max || l->opened < max));
}

/* Opens as many connections as concurrency and rate allow, but at most OPEN_MAX. */
static void open_more(struct load *l)
{
    const wave_time gap = l->plan.rate ? WAVE_S / l->plan.rate : 0;
    struct diag d;

    if (gap && l->next_open + CATCH_UP < l->loop.now)
        l->next_open = l->loop.now - CATCH_UP;
    for (unsigned n = 0; n < OPEN_MAX && may_open(l) && l->next_open <= l->loop.now; n++) {
        l->next_open = gap ? l->next_open + gap : l->loop.now;
        if (load_open(l) != 0) {
            snprintf(d.text, sizeof d.text, "no memory for a connection");
            load_fail(l, &d);
        }
        load_drain(l);
    }
}

/*
 * Stopping
 */

/* Stops the run on the first signal, and resets all connections on the second. */
static void signalled(void *self, int sig)
{
    struct load *l = self;

    if (l->signal)
        reset_all(l);
    l->signal = sig;
    stop(l);
}

/* Returns whether another connection may be stopped. A reset needs no answer. */
static bool may_stop(const struct load *l)
{
    return l->resetting || l->queue[LOAD_Q_CLOSING].count < LOAD_CLOSING;
}

/* Stops the next STOP_MAX connections. Returns true if there are more to stop now. */
static bool stop_more(struct load *l)
{
    for (unsigned n = 0; n < STOP_MAX && may_stop(l); n++) {
        uint32_t id = stack_next(l->stack, &l->cursor);
        if (id == STACK_NONE)
            return false;
        load_stop(l, id);
        load_drain(l);
    }
    return may_stop(l);
}

/*
 * Reporting
 */

/* Fills in the figures so far, all but the rate. */
static void figures(struct load *l, struct load_figures *f)
{
    const uint32_t n = load_ended(l);

    *f = (struct load_figures){.elapsed = l->loop.now - l->began,
                               .opened = l->opened,
                               .open = l->opened - n,
                               .counts = l->counts,
                               .sent_bytes = l->sent_bytes,
                               .received_bytes = l->received_bytes,
                               .retransmissions = l->retransmissions,
                               .unstamped = stack_env(l->stack)->tolerated[CHECK_NO_TIMESTAMP],
                               .handshake = &l->handshake,
                               .first_byte = &l->first_byte,
                               .close = &l->close,
                               .ports = port_lports(l->port),
                               .reuse = l->reuse,
                               .wire = l->port->ops->stats(l->port)};
}

/* Reports progress. */
static void tell(struct load *l)
{
    const uint32_t n = load_ended(l);
    const wave_time since = l->loop.now - (l->next_tell - WAVE_S);
    struct load_figures f;
    struct diag d;

    figures(l, &f);
    f.rate = (double)(n - l->told_ended) * 1e9 / (double)since;
    l->told_ended = n;
    l->next_tell = l->loop.now + WAVE_S;
    if (load_report_progress(&l->report, &f, &d) != 0)
        load_fail(l, &d);
}

int load_tell_end(struct load *l, struct report_verdict *v)
{
    struct outbuf_end end = {.signals = l->signals,
                             .deadline = platform_deadline(l->options->show.platform, l->deadline),
                             .hurried = l->signal || l->timed_out};
    struct load_figures f;

    figures(l, &f);
    f.rate = f.elapsed ? (double)load_ended(l) * 1e9 / (double)f.elapsed : 0;
    v->captured = f.wire.received;
    v->dropped = f.wire.dropped;
    v->sent = f.wire.sent;
    v->no_room = f.wire.retried;
    return load_report_verdict(&l->report, &f, v, port_stamp(l->port), &end, &l->error);
}

/*
 * Calls of the loop
 */

/* Returns whether the run is over. */
static bool all_done(const struct load *l)
{
    const uint32_t max = l->options->connections;

    return stack_count(l->stack) == 0 &&
           (l->stopping || (max && l->opened >= max && !l->retries.count));
}

/*
 * Stops the run in time for --timeout. Connections that are open at the deadline are cut off. A run
 * with --connections uses its time up to the deadline. A run that was to end by time alone stops a
 * little earlier, so that its connections end in order if the peer does its part: as much earlier
 * as answers take, estimated from the handshakes.
 */
static void watch_deadline(struct load *l)
{
    if (l->loop.now < l->stop_at || l->stopping)
        return;
    l->stop_at = load_endless(l) ? l->deadline - patience(l) : l->deadline;
    if (l->loop.now < l->stop_at)
        return;
    l->timed_out = true;
    stop(l);
}

static void events(void *self)
{
    load_drain(self);
}

/* Does nothing: watch_deadline() handles the deadline, and the loop only had to wake up for it. */
static void timed_out(void *self)
{
    (void)self;
}

/* Ends the run because this host failed. If no packet can be captured any more, connections cannot
 * be closed in order, and are reset. */
static void failed(void *self, const struct diag *d, bool deaf)
{
    load_fail(self, d);
    if (deaf)
        reset_all(self);
}

/* Handles the deadline, the waits, new connections and progress. Returns when to come back. */
static wave_time turn(void *self)
{
    struct load *l = self;
    wave_time until, look;
    bool more = false;

    l->when = l->loop.now;
    watch_deadline(l);
    look = load_look_at_neighbours(l);
    if (l->stopping && l->loop.now >= l->stop_by)
        reset_all(l);
    if (l->stopping)
        more = stop_more(l);
    until = time_min(load_waits(l), look);
    open_more(l);
    if (l->loop.now >= l->next_tell)
        tell(l);
    l->loop.done = all_done(l);
    until = time_min(until, time_min(l->next_tell, l->stopping ? l->stop_by : l->stop_at));
    if (may_open(l))
        until = time_min(until, l->next_open);
    return more ? l->loop.now : until;
}

static const struct loop_ops loop_ops = {.egress = {.send_failed = send_failed, .events = events},
                                         .packet = take_packet,
                                         .turn = turn,
                                         .signalled = signalled,
                                         .timed_out = timed_out,
                                         .failed = failed};

void load_loop(struct load *l)
{
    const struct load_options *o = l->options;
    struct loop *loop = &l->loop;

    loop_init(loop, l->port, l->stack, &loop_ops, l);
    loop->signals = l->signals;
    loop->batch = RECEIVE_MAX;
    loop->clock_every = CLOCK_EVERY;
    loop_share(loop);
    loop->spin = SPIN;
    view_join(&l->report.view, loop);
    loop->reported = false; /* that the reader is gone is noticed at the next line */
    loop->egress.ip = (struct wire_ip){.ttl = (uint8_t)o->tcp.ttl, .tos = (uint8_t)o->tcp.tos};
    l->skew = port_stamp(l->port) - loop->now;
    l->began = l->next_open = l->when = loop->now;
    report_begin(&l->report.report, l->began + l->skew);
    l->next_tell = loop->now + WAVE_S;
    l->stop_at = l->deadline;
    if (l->deadline != WAVE_NEVER)
        l->stop_at -= time_min(STOP_IN, o->show.timeout / 2);
    loop_run(loop);
    /* The SYNs of connections that were cut off may still be answered. While we run, the engine
     * resets what these answers would leave open at the peer. */
    if (l->stopping && loop->now < l->deadline)
        loop_drain(loop, time_min(STOP_SETTLES, l->deadline - loop->now),
                   time_min(STOP_IN, l->deadline - loop->now));
}
