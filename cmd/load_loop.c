/*
 * One round: run the timers, open what may be opened, take in what was captured, each segment
 * followed by what it makes us send, hand all of that to the kernel, and sleep when there is
 * nothing to do. The clock is read once a batch, not once a segment.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/load.h"
#include "cmd/session.h"
#include "cmd/signals.h"

#define RECEIVE_MOST 256            /* packets taken in before others have their turn */
#define OPEN_MOST 64                /* connections opened likewise */
#define AWAITING_MOST 1024          /* answers to SYNs and FINs, where no rate is asked for */
#define STOP_MOST 256               /* connections closed likewise, when the run is to end */
#define CLOCK_EVERY 16              /* packets between two readings of the clock */
#define CATCH_UP (10 * WAVE_MS)     /* of a rate that we fell behind of, no more is made good */
#define SPIN (50 * WAVE_US)         /* of silence, before it is worth to sleep */
#define NO_ROOM (100 * WAVE_US)     /* before the kernel is offered again what it had no room for */
#define NO_ROOM_MOST (10 * WAVE_MS) /* that pause doubles up to this */
#define STOP_IN (2 * WAVE_S)        /* a stopped run's connections have so long to close */
#define STOP_SETTLES (50 * WAVE_MS) /* answers to SYNs that are under way then */

static void read_clock(struct load *l)
{
    l->now = wire_now();
}

static void stop(struct load *l)
{
    if (l->stopping)
        return;
    l->stopping = true;
    l->cursor = 0;
    l->stop_by = l->now + STOP_IN;
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

/*
 * Sending
 */

/* The kernel refused a segment for good. With no connection yet that is the end: nothing can be
 * learnt so. Later it is one more lost segment, which is sent again. */
static void refused(struct load *l, const struct diag *d)
{
    if (!l->established) {
        load_fail(l, d);
        return;
    }
    if (!l->send_failed)
        load_report_note(&l->report, d->text);
    l->send_failed = true;
}

/* False when the kernel has no room for all of it now. */
static bool flush(struct load *l)
{
    struct wire_unsent unsent;
    struct diag d = {"a segment is larger than the way's MTU"};
    int error;

    if (l->pause && l->now < l->again_at)
        return false;
    while ((error = wire_flush(l->wire, &unsent, &d)) != 0 && error != WAVE_EAGAIN)
        refused(l, &d);
    if (error) {
        l->pause = l->pause ? time_min(2 * l->pause, NO_ROOM_MOST) : NO_ROOM;
        l->again_at = l->now + l->pause;
        return false;
    }
    l->pause = 0;
    l->queued = 0;
    return true;
}

/* Sends what is owed; false when the kernel has no room now. */
static bool output(struct load *l)
{
    const struct options *o = l->options;
    const struct wire_ip ip = {.ttl = (uint8_t)o->ttl, .tos = (uint8_t)o->tos};
    struct flow flow;
    struct seg seg;
    uint32_t id;

    for (;;) {
        if (l->queued == WIRE_BATCH && !flush(l))
            return false;
        if (!stack_output(l->stack, l->now, &flow, &seg, l->room, &id))
            break;
        load_drain(l);
        struct diag d;
        int error = wire_send(l->wire, &flow, &seg, &ip, &d);
        if (error == WAVE_EAGAIN && flush(l))
            error = wire_send(l->wire, &flow, &seg, &ip, &d);
        if (error == 0)
            l->queued++;
        else if (error != WAVE_EAGAIN) /* else it is lost, and will be sent again */
            refused(l, &d);
    }
    load_drain(l);
    return true;
}

/*
 * Receiving
 */

static void keep_packet(struct load *l, const struct wire_packet *p)
{
    struct diag d;
    struct pcapfile_packet k = {.stamp = p->stamp,
                                .outgoing = p->outgoing,
                                .ip = p->ip,
                                .captured = p->ip_len,
                                .length =
                                    p->packet.length > p->ip_len ? p->packet.length : p->ip_len};

    if (pcapfile_packet(l->pcap, &k, &d) != 0)
        load_fail(l, &d);
}

static void take_in(struct load *l, const struct wire_packet *p)
{
    wave_time stamp = p->stamp - l->skew;

    if (l->pcap)
        keep_packet(l, p);
    l->when = stamp < l->now ? stamp : l->now;
    if (p->packet.kind == PACKET_ICMP) {
        stack_icmp(l->stack, l->now, &p->packet.icmp);
    } else if (!p->outgoing) {
        struct flow flow = flow_reverse(&p->packet.flow);
        stack_input(l->stack, l->now, &flow, &p->packet.seg);
    }
    load_drain(l);
}

/* Takes in what was captured, up to a batch: how many packets that was. */
static unsigned receive(struct load *l)
{
    unsigned n;

    read_clock(l);
    for (n = 0; n < RECEIVE_MOST; n++) {
        struct wire_packet p;
        struct diag d = {""};
        int got = wire_next(l->wire, &p, &d);

        if (got < 0) { /* deaf, there is no closing in order */
            load_fail(l, &d);
            reset_all(l);
        }
        if (got <= 0)
            break;
        if (n % CLOCK_EVERY == CLOCK_EVERY - 1)
            read_clock(l);
        take_in(l, &p);
        if (!output(l)) {
            n++;
            break;
        }
    }
    l->when = l->now;
    return n;
}

/*
 * Opening
 */

/* Without a rate it is the answers that set the pace. More SYNs at once than any queue holds would
 * only be lost, and come again a second later; more FINs only wait at the peer, in its memory. */
static bool may_open(const struct load *l)
{
    const uint32_t most = l->options->connections;

    return !l->stopping && (l->plan.rate || l->awaiting < AWAITING_MOST) &&
           stack_count(l->stack) < l->plan.concurrency && l->places && (!most || l->opened < most);
}

/* Opens as many as concurrency and rate allow, up to a batch. */
static void open_more(struct load *l)
{
    const wave_time gap = l->plan.rate ? WAVE_S / l->plan.rate : 0;
    struct diag d;

    if (gap && l->next_open + CATCH_UP < l->now)
        l->next_open = l->now - CATCH_UP;
    for (unsigned n = 0; n < OPEN_MOST && may_open(l) && l->next_open <= l->now; n++) {
        l->next_open = gap ? l->next_open + gap : l->now;
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

static void take_signal(struct load *l)
{
    int sig = signals_next(l->signals);

    if (!sig)
        return;
    read_clock(l); /* it may have come after a long sleep */
    if (l->signal)
        reset_all(l);
    l->signal = sig;
    stop(l);
}

/* Tells the next of the connections that the run ends; true when there are more to tell. */
static bool stop_more(struct load *l)
{
    for (unsigned n = 0; n < STOP_MOST; n++) {
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

    *f = (struct load_figures){.elapsed = l->now - l->began,
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
                               .wire = wire_stats(l->wire)};
}

static void tell(struct load *l)
{
    const uint32_t n = load_ended(l);
    const wave_time since = l->now - (l->next_tell - WAVE_S);
    struct load_figures f;
    struct diag d;

    figures(l, &f);
    f.rate = (double)(n - l->told_ended) * 1e9 / (double)since;
    l->told_ended = n;
    l->next_tell = l->now + WAVE_S;
    if (load_report_progress(&l->report, &f, &d) != 0)
        load_fail(l, &d);
}

int load_tell_end(struct load *l, const struct load_verdict *v)
{
    struct load_figures f;

    figures(l, &f);
    f.rate = f.elapsed ? (double)load_ended(l) * 1e9 / (double)f.elapsed : 0;
    return load_report_verdict(&l->report, &f, v);
}

/*
 * The loop
 */

/* Until `until`, or something is there to be done. */
static void sleep_until(struct load *l, wave_time until)
{
    struct pollfd fds[] = {{.fd = wire_fd(l->wire), .events = POLLIN},
                           {.fd = l->signals, .events = POLLIN}};
    wave_time left = until > l->now ? until - l->now : 0;
    struct timespec t = {(time_t)(left / WAVE_S), (long)(left % WAVE_S)};

    if (ppoll(fds, 2, &t, NULL) > 0 && (fds[1].revents & POLLIN))
        take_signal(l);
}

static bool all_done(const struct load *l)
{
    const uint32_t most = l->options->connections;

    return stack_count(l->stack) == 0 && (l->stopping || (most && l->opened >= most));
}

/* Timers, waits, new connections, and what all of that makes us send. When to come back. */
static wave_time act(struct load *l)
{
    wave_time until;
    bool more = false;

    read_clock(l);
    l->when = l->now;
    if (l->now >= l->deadline && !l->stopping) {
        l->timed_out = true;
        stop(l);
    }
    if (l->stopping && l->now >= l->stop_by)
        reset_all(l);
    stack_tick(l->stack, l->now);
    load_drain(l);
    if (l->stopping)
        more = stop_more(l);
    until = load_waits(l);
    open_more(l);
    if (!output(l) || !flush(l))
        return l->again_at;
    if (l->now >= l->next_tell)
        tell(l);
    until = time_min(until, time_min(l->next_tell, l->stopping ? l->stop_by : l->deadline));
    until = time_min(until, stack_expiry(l->stack, l->now));
    if (may_open(l))
        until = time_min(until, l->next_open);
    return more ? l->now : until;
}

/* SYNs of connections that were cut off may still be answered: with RST, as long as we are there to
 * say so. */
static void settle(struct load *l)
{
    /* Whoever still sends then has been told often enough. */
    const wave_time last = l->now + STOP_IN;
    wave_time end = l->now + STOP_SETTLES;

    while (l->now < end) {
        if (receive(l))
            end = time_min(last, l->now + STOP_SETTLES);
        output(l);
        flush(l);
        sleep_until(l, l->pause ? time_min(end, l->again_at) : end);
        read_clock(l);
    }
}

/* As session_loop.c's catch_up(). */
static void catch_up(struct load *l, wave_time due)
{
    read_clock(l);
    if (l->now < time_add(due, SESSION_LATE))
        return;
    for (unsigned i = 0; i < SESSION_LATE_BATCHES && receive(l) == RECEIVE_MOST; i++)
        ;
}

void load_loop(struct load *l)
{
    wave_time heard, polled, due;

    read_clock(l);
    l->skew = session_stamp() - l->now;
    l->began = l->next_open = heard = polled = due = l->now;
    l->next_tell = l->now + WAVE_S;
    l->deadline = l->options->timeout ? time_add(l->now, l->options->timeout) : WAVE_NEVER;
    for (;;) {
        catch_up(l, due);
        wave_time until = act(l);
        unsigned n = receive(l);

        flush(l);
        if (all_done(l))
            break;
        if (n)
            heard = l->now;
        due = l->now;
        if (!n && l->now - heard > SPIN)
            sleep_until(l, due = until);
        else if (l->now - polled > WAVE_MS)
            take_signal(l);
        else
            continue;
        polled = l->now;
    }
    if (l->stopping)
        settle(l);
}
