/*
 * What load does with what the loop brings: no segment is shown, so that a captured one goes to the
 * engine and nowhere else. In its turn it opens what may be opened, and tells how far it has come.
 * The loop itself is lib/run/loop.c.
 */
#include <stdio.h>

#include "cmd/load.h"

#define RECEIVE_MAX 256             /* packets taken in before others have their turn */
#define OPEN_MAX 64                 /* connections opened likewise */
#define AWAITING_MAX 1024           /* answers to SYNs and FINs, where no rate is asked for */
#define STOP_MAX 256                /* connections closed likewise, when the run is to end */
#define CLOCK_EVERY 16              /* packets between two readings of the clock */
#define CATCH_UP (10 * WAVE_MS)     /* of a rate that we fell behind of, no more is made good */
#define SPIN (50 * WAVE_US)         /* of silence, before it is worth to sleep */
#define STOP_IN (2 * WAVE_S)        /* a stopped run's connections have so long to close */
#define PATIENCE (50 * WAVE_MS)     /* for an answer, and on top of that, ... */
#define PATIENCE_TIMES 4            /* ... so many times what a slow handshake took */
#define STOP_SETTLES (50 * WAVE_MS) /* answers to SYNs that are under way then */

/* How long a peer that does its part takes to answer at most, as far as handshakes tell. */
static wave_time patience(const struct load *l)
{
    const wave_time timeout = l->options->show.timeout;
    const wave_time max = timeout ? time_min(STOP_IN, timeout / 2) : STOP_IN;

    if (!l->handshake.count)
        return max;
    return time_min(max, PATIENCE + PATIENCE_TIMES * histogram_permille(&l->handshake, 990));
}

static void stop(struct load *l)
{
    if (l->stopping)
        return;
    l->stopping = true;
    l->patience = patience(l);
    l->cursor = 0;
    l->stop_by = time_min(l->loop.now + STOP_IN, l->deadline);
    /* They get no other port any more: what a RST told of them stands. */
    l->counts[VERDICT_REFUSED] += l->retries.count;
    l->reuse.given_up += l->retries.count;
    l->retries.count = 0;
}

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

/* The kernel refused a segment for good. With no connection yet that is the end: nothing can be
 * learnt so. Later it is one more lost segment, which is sent again. */
static void send_failed(void *self, const struct flow *flow, const struct diag *d)
{
    struct load *l = self;

    (void)flow;
    if (!l->established) {
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
    wave_time stamp = p->stamp - l->skew;

    if (l->report.view.pcap)
        save_packet(l, p);
    l->when = stamp < l->loop.now ? stamp : l->loop.now;
    if (p->packet.kind == PACKET_ICMP) {
        stack_icmp(l->stack, l->loop.now, &p->packet.icmp);
    } else if (!p->outgoing) {
        struct flow flow = flow_reverse(&p->packet.flow);
        stack_input(l->stack, l->loop.now, &flow, &p->packet.seg);
    }
    load_drain(l);
    l->when = l->loop.now;
    return false;
}

/*
 * Opening
 */

/* Without a rate it is the answers that set the pace. More SYNs at once than any queue holds would
 * only be lost, and come again a second later; more FINs only wait at the peer, in its memory. */
static bool may_open(const struct load *l)
{
    const uint32_t max = l->options->connections;

    if (l->stopping || stack_count(l->stack) >= l->plan.concurrency ||
        (!l->plan.rate && l->awaiting >= AWAITING_MAX))
        return false;
    return l->retries.count || (load_tuples_any(&l->tuples) && (!max || l->opened < max));
}

/* Opens as many as concurrency and rate allow, up to a batch. */
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

static void signalled(void *self, int sig)
{
    struct load *l = self;

    if (l->signal)
        reset_all(l);
    l->signal = sig;
    stop(l);
}

/* Tells the next of the connections that the run ends; true when there are more to tell. */
static bool stop_more(struct load *l)
{
    for (unsigned n = 0; n < STOP_MAX; n++) {
        uint32_t id = stack_next(l->stack, &l->cursor);
        if (id == STACK_NONE)
            return false;
        load_stop(l, id);
        load_drain(l);
    }
    return true;
}

/*
 * Telling
 */

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
    struct outbuf_end end = {
        .signals = l->signals, .deadline = l->deadline, .hurried = l->signal || l->timed_out};
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
 * The loop's calls
 */

static bool all_done(const struct load *l)
{
    const uint32_t max = l->options->connections;

    return stack_count(l->stack) == 0 &&
           (l->stopping || (max && l->opened >= max && !l->retries.count));
}

/*
 * --timeout. The run is over when it says so, and what is open then is cut off. Where a number of
 * connections was asked for there is time for them until the last moment. A run that was to end by
 * time alone opens no more a little before, and closes what it has, so that connections which the
 * peer does its part of end in order: as long before as answers take, as far as handshakes tell.
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

/* watch_deadline() has seen to it: here only the loop's sleep had to end. */
static void timed_out(void *self)
{
    (void)self;
}

/* Deaf, there is no closing in order. */
static void failed(void *self, const struct diag *d, bool deaf)
{
    load_fail(self, d);
    if (deaf)
        reset_all(self);
}

/* Waits, new connections, the end, progress. When to come back. */
static wave_time turn(void *self)
{
    struct load *l = self;
    wave_time until;
    bool more = false;

    l->when = l->loop.now;
    watch_deadline(l);
    if (l->stopping && l->loop.now >= l->stop_by)
        reset_all(l);
    if (l->stopping)
        more = stop_more(l);
    until = load_waits(l);
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
    loop->shared = true;
    loop->spin = SPIN;
    view_join(&l->report.view, loop);
    loop->reported = false; /* a reader that is gone is met at the next line */
    loop->egress.ip = (struct wire_ip){.ttl = (uint8_t)o->tcp.ttl, .tos = (uint8_t)o->tcp.tos};
    l->skew = port_stamp(l->port) - loop->now;
    l->began = l->next_open = l->when = loop->now;
    report_begin(&l->report.report, l->began + l->skew);
    l->next_tell = loop->now + WAVE_S;
    l->stop_at = l->deadline;
    if (l->deadline != WAVE_NEVER)
        l->stop_at -= time_min(STOP_IN, o->show.timeout / 2);
    loop_run(loop);
    /* SYNs of connections that were cut off may still be answered: with RST, as long as we are
     * there to say so. */
    if (l->stopping && loop->now < l->deadline)
        loop_drain(loop, time_min(STOP_SETTLES, l->deadline - loop->now),
                   time_min(STOP_IN, l->deadline - loop->now));
}
