/*
 * `tcpwave send` in the loop: segments are queued when they are due, and the run ends when each has
 * its answer, or has waited long enough.
 */
#include "cmd/send.h"

#define BURST EGRESS_SHARED /* segments sent before the answers to them are handled */
#define BATCH 256           /* packets handled before the next turn */
#define SPIN (60 * WAVE_US) /* a shorter sleep would take longer than asked for */

/* Returns when segment `i` is due. */
static wave_time due(const struct send *s, uint64_t i)
{
    const struct send_options *o = s->options;

    if (i == 0 || o->rate == SEND_RATE_MAX)
        return s->started;
    if (o->rate)
        return s->started + (wave_time)((unsigned __int128)i * WAVE_S / o->rate);
    return s->started + i * send_interval(o);
}

/* Reports segment `i` of ours as it was built, if the capture does not show it. */
static void report_built(struct send *s, uint64_t i, wave_time stamp)
{
    const struct crafted_segment *f = &s->segment;
    struct packet p = {.kind = PACKET_TCP,
                       .flow = f->flow,
                       .ttl = f->ttl,
                       .tos = f->tos,
                       .df = f->df || f->flow.v6,
                       .id = f->flow.v6 ? 0 : (uint16_t)f->id,
                       .flow_label = f->flow_label,
                       .seg = {.seq = seq_of(f->seq),
                               .ack = seq_of(f->ack),
                               .flags = f->flags,
                               .wnd = f->wnd,
                               .urp = f->urp,
                               .ecn = f->tos & 3,
                               .reserved = f->reserved,
                               .len = f->len,
                               .data = f->data}};

    opt_parse(f->options, f->options_len, &p.seg.opt);
    send_report_ours(s, i, stamp, &p);
}

/* Queues the next segment in all its fragments. Returns false if the kernel had no room for all of
 * them; the next call begins with the first that is left. */
static bool queue_one(struct send *s, wave_time now)
{
    uint64_t i = match_count(s->match);
    struct crafted_segment *f = &s->segment;

    f->flow.lport = match_port(&s->plan, i);
    f->seq = match_seq(&s->plan, i);
    crafted_renumber(s->crafted, f->flow.lport, f->seq, f->id);
    for (; s->piece < crafted_fragments(s->crafted); s->piece++) {
        uint32_t len;
        const uint8_t *ip = crafted_fragment(s->crafted, s->piece, &len);
        while (s->port->ops->queue(s->port, &f->flow, seq_of(f->seq), ip, len) != 0)
            if (!egress_flush(&s->loop.egress, now))
                return false;
        s->loop.egress.queued++;
    }
    s->piece = 0;
    return true;
}

/* Takes note that the next segment has been sent. */
static void sent(struct send *s, wave_time now, wave_time stamp)
{
    uint64_t i = match_count(s->match);

    if (i == 0)
        s->started = s->first = now; /* the other segments are due from this time on */
    s->last = now;
    match_sent(s->match, stamp);
    if (!s->captured_too && !s->bulk)
        report_built(s, i, stamp);
    /* Skip ID 0: the kernel would replace it with one of its own. */
    if (s->options->id == SEND_UNSET) {
        s->segment.id = s->target.v6 ? s->segment.id + 1 : (s->segment.id + 1) & 0xffff;
        s->segment.id += !s->segment.id;
    }
}

static bool all_sent(const struct send *s)
{
    return match_count(s->match) >= s->options->count;
}

/* Sends the segments that are due, and returns when the next one is. */
static wave_time send_due(struct send *s, wave_time now)
{
    wave_time stamp = port_stamp(s->port), at = WAVE_NEVER;

    if (!egress_flush(&s->loop.egress, now))
        return WAVE_NEVER; /* the loop retries when the kernel has room */
    for (int n = 0; n < BURST && !all_sent(s); n++) {
        at = due(s, match_count(s->match));
        if (at > now)
            break;
        if (!queue_one(s, now))
            return WAVE_NEVER;
        sent(s, now, stamp);
    }
    return all_sent(s) && egress_flush(&s->loop.egress, now) ? WAVE_NEVER : at;
}

/* Counts and reports the segments that got no answer in time. */
static void expire(struct send *s, wave_time stamp)
{
    struct report_event e = {.kind = REPORT_UNANSWERED};
    uint64_t i;

    while (match_unanswered(s->match, stamp, &i)) {
        tally_unanswered(&s->tally, i);
        e.u.unanswered = (struct report_unanswered){i + 1, s->plan.wait};
        if (!s->bulk)
            report_tell(&s->report, stamp, &e);
    }
}

/* Returns whether the run is over: everything has been sent, and either every segment has its
 * answer or the wait for answers is over. */
static bool finished(const struct send *s, wave_time stamp)
{
    bool answered = match_answered(s->match) == match_count(s->match);

    return all_sent(s) && !egress_stuck(&s->loop.egress) &&
           ((answered && !s->options->wait_all) || stamp >= match_over(s->match));
}

static void flush_output(void *self)
{
    struct send *s = self;
    struct diag d;

    if (view_flush(&s->view, &d) != 0)
        send_fail(s, &d);
}

/* Looks whether there is anyone to send to, while nothing has come; returns when to look next. The
 * run ends where there is not. */
static wave_time look_at_neighbour(struct send *s, bool over)
{
    wave_time next = WAVE_NEVER;
    struct diag d;

    if (match_count(s->match))
        next = send_look_at_neighbour(&s->seen, s->port, s->target.v6, s->loop.now, s->first, over);
    if (s->seen.unreachable) {
        send_unreachable_text(&s->seen, s->port, s->target.v6, &d);
        send_fail(s, &d);
    }
    return next;
}

/* Sends what is due, and gives up on segments that have waited long enough. It does not give up
 * while there are captured packets that have not been handled: the answer may be among them.
 * Returns when to come back. */
static wave_time turn(void *self)
{
    struct send *s = self;
    wave_time until = send_due(s, s->loop.now), stamp = port_stamp(s->port), expiry;

    if (loop_behind(&s->loop))
        return s->loop.now;
    expire(s, stamp);
    const bool over = finished(s, stamp);
    const wave_time look = look_at_neighbour(s, over);
    if (s->failed || (over && look == WAVE_NEVER)) {
        s->loop.done = true;
        return WAVE_NEVER;
    }
    if (over)
        return look;
    until = time_min(until, look);
    expiry = all_sent(s) ? match_over(s->match) : match_expiry(s->match);
    if (expiry != WAVE_NEVER)
        until = time_min(until, s->loop.now + (expiry > stamp ? expiry - stamp : 0));
    return until;
}

static void send_failed(void *self, const struct flow *flow, const struct diag *d)
{
    struct send *s = self;

    (void)flow;
    send_fail(s, d);
    s->loop.done = true;
}

static void no_events(void *self)
{
    (void)self;
}

static void signalled(void *self, int sig)
{
    struct send *s = self;

    s->signal = sig;
    s->loop.done = true;
}

static void timed_out(void *self)
{
    ((struct send *)self)->loop.done = true;
}

static void failed(void *self, const struct diag *d, bool deaf)
{
    struct send *s = self;

    (void)deaf;
    send_fail(s, d);
    s->loop.done = true;
}

static const struct loop_ops loop_ops = {
    .egress = {.send_failed = send_failed, .events = no_events},
    .packet = send_take_packet,
    .turn = turn,
    .idle = flush_output,
    .signalled = signalled,
    .timed_out = timed_out,
    .failed = failed};

void send_perform(struct send *s)
{
    struct loop *l = &s->loop;

    loop_init(l, s->port, NULL, &loop_ops, s);
    l->signals = s->signals;
    view_join(&s->view, l);
    l->batch = BATCH;
    l->shortest = SPIN;
    l->deadline = s->end = s->names.deadline;
    s->started = l->now;
    loop_run(l);
}
