/*
 * What a session does in the loop: segments that are sent go into the sent log, the command has its
 * turns, and waits are shown. The loop itself is lib/run/loop.c.
 */
#include "lib/run/session_priv.h"

#include <string.h>

#define AHEAD 1024            /* segments sent, at most, that the capture has not yet shown */
#define CAPTURE_DELAY WAVE_MS /* how long a segment may take from sending to capture */
#define LAST_CAPTURE_DELAY (20 * WAVE_MS) /* the same for the last segments of the run */
#define TELL_AFTER (2 * WAVE_S)           /* a wait longer than this is shown */
#define TELL_EVERY WAVE_S

/* Adds to the log what no packet says. A SYN, FIN or RST belongs to the state that it brings about,
 * any other segment to the state in which it was sent. */
static void log_sent(struct session *s, struct session_record *r, const struct seg *seg)
{
    const struct session_conn *c = r->conn;
    const struct conn *e = session_engine(s, c);
    bool moves = seg->flags & (SEG_SYN | SEG_FIN | SEG_RST);
    /* One byte below SND.NXT with nothing outstanding is a probe. */
    bool probe = e && !conn_outstanding(e) && seq_eq(seg->seq, seq_sub(conn_snd_nxt(e), 1));
    struct sent_delta news = sent_update(&r->sent, seg, probe);

    r->flow.sent_bytes += news.bytes;
    r->syn_sent += (seg->flags & SEG_SYN) != 0;
    if (s->shows) {
        struct sent_entry j =
            sent_entry(c->id, seg, moves && e ? conn_state(e) : (enum state)c->state);
        j.probe = probe;
        j.sent_before = news.sent_before;
        sent_log_add(&s->sent_log, &j);
    }
}

/* Adds to the log a reset or a SYN cookie, which belongs to no connection, so that it is
 * recognised as ours when it is captured. If the run has a single connection, its state is
 * logged as the one in which the segment was sent; a reset that ends the peer's former
 * connection does not change it. */
static void log_stray(struct session *s, const struct flow *flow, const struct seg *seg)
{
    const struct session_conn *c = s->many ? NULL : session_find_flow(s, flow);
    struct sent_entry j = sent_entry(STACK_NONE, seg, c ? c->state : STATE_CLOSED);

    if (s->shows)
        sent_log_add(&s->sent_log, &j);
}

/* The kernel has rejected a segment for good. Before the handshake is complete that ends the run,
 * because nothing can be learnt about the peer. Later it is one more lost segment, which will be
 * retransmitted. */
static void send_failed(void *self, const struct flow *flow, const struct diag *d)
{
    struct session *s = self;
    struct session_conn *c = session_find_flow(s, flow);

    if (!c)
        return;
    if (!c->path.established) {
        session_fail(s, d);
        return;
    }
    if (strcmp(s->send_error.text, d->text) != 0)
        report_note(&s->report, session_flow(c), session_stamp(s), true, d->text);
    s->send_error = *d;
    c->unsent = true;
}

/* Called when a segment of ours is about to be sent. */
static void sending(void *self, uint32_t id, const struct flow *flow, const struct seg *seg,
                    struct wire_ip *ip)
{
    struct session *s = self;
    struct session_conn *c = session_find(s, id);

    (void)ip;
    if (!c) {
        log_stray(s, flow, seg);
        return;
    }
    c->unsent = false; /* until the kernel rejects another one */
    outcome_sent(&c->path, (enum state)c->state, seg->flags);
    if (c->record)
        log_sent(s, c->record, seg);
}

/* Our own segments come back through the capture. They would fill it if we sent faster than we
 * process each of them for the outputs. Once the capture is empty, those that have not come back
 * were lost. */
static bool may_send(void *self)
{
    const struct session *s = self;

    return !loop_behind(&s->loop) || sent_log_count(&s->sent_log) < AHEAD;
}

/* Gives up waiting for the segments of state changes, because nothing has been captured for a
 * while. */
static void flush_changes(struct session *s)
{
    if (!s->report.waiting)
        return;
    for (struct session_conn *c = session_last(s); c; c = session_prev(s, c))
        if (c->record && c->record->flow.waiting_count)
            report_flush(&s->report, session_flow(c), session_stamp(s));
}

/* Shows on a terminal what we wait for. Returns when to show it next. */
static wave_time tell_wait(struct session *s, wave_time now)
{
    wave_time left = s->awaited_until == WAVE_NEVER ? WAVE_NEVER
                     : s->awaited_until > now       ? s->awaited_until - now
                                                    : 0;
    wave_time waited = now > s->awaited_since ? now - s->awaited_since : 0;
    bool worth = left == WAVE_NEVER
                     ? waited >= TELL_AFTER
                     : left >= WAVE_S / 2 && s->awaited_until - s->awaited_since > TELL_AFTER;

    if (!s->config.live || !s->awaited)
        return WAVE_NEVER;
    if (worth && now - s->awaited_told >= TELL_EVERY - WAVE_MS) {
        report_wait(&s->report, NULL, session_stamp(s), s->awaited, left);
        s->awaited_told = now;
    }
    return now + TELL_EVERY;
}

/* Writes out what has been reported so far, for a reader that follows the run. */
static void flush_output(void *self)
{
    struct session *s = self;
    struct diag d;

    if (s->config.flush && s->config.flush(s->config.sink, &d) != 0)
        session_fail(s, &d);
}

/* Returns when to check next whether the segment that shows a change of our state has been
 * captured. If nothing has been captured for a while, it never will be. */
static wave_time wait_for_capture(struct session *s, wave_time now)
{
    wave_time from = s->change_waits_since > s->loop.heard ? s->change_waits_since : s->loop.heard;

    if (!s->report.waiting)
        return WAVE_NEVER;
    if (now < from + CAPTURE_DELAY)
        return from + CAPTURE_DELAY;
    flush_changes(s);
    return WAVE_NEVER;
}

static wave_time turn(void *self)
{
    struct session *s = self;
    wave_time now = s->loop.now, until;

    session_look_at_route(s, now);
    wave_time look = session_look_at_neighbour(s, now);
    until = s->stop == STOP_LOCAL ? session_close_step(s, now) : s->ops->turn(s, now);
    until = time_min(time_min(until, look), tell_wait(s, now));
    return time_min(until, wait_for_capture(s, now));
}

static unsigned descriptors(void *self, struct pollfd *fds)
{
    struct session *s = self;

    /* After a failure the command has no more turns. */
    return s->ops->poll && s->stop != STOP_LOCAL ? s->ops->poll(s, fds) : 0;
}

static void signalled(void *self, int sig)
{
    struct session *s = self;

    s->signal = sig;
    session_stop(s, STOP_SIGNAL);
}

static void timed_out(void *self)
{
    session_stop(self, STOP_TIMEOUT);
}

/* Without a capture, connections cannot be closed in order. */
static void failed(void *self, const struct diag *d, bool deaf)
{
    session_fail(self, d);
    if (deaf)
        session_stop(self, STOP_LOCAL);
}

/* Returns whether everything that was sent has been captured, and so reported. */
static bool all_captured(void *self)
{
    const struct session *s = self;

    return !s->shows || sent_log_empty(&s->sent_log);
}

static void events(void *self)
{
    session_drain(self);
}

static const struct loop_ops loop_ops = {.egress = {.may_send = may_send,
                                                    .sending = sending,
                                                    .send_failed = send_failed,
                                                    .events = events},
                                         .packet = session_take_packet,
                                         .turn = turn,
                                         .poll = descriptors,
                                         .idle = flush_output,
                                         .signalled = signalled,
                                         .timed_out = timed_out,
                                         .failed = failed,
                                         .all_captured = all_captured};

void session_loop_init(struct session *s)
{
    const struct session_config *c = &s->config;
    struct loop *l = &s->loop;

    loop_init(l, s->port, s->stack, &loop_ops, s);
    l->signals = c->signals;
    if (s->many)
        loop_share(l);
    l->deadline = s->end = !c->timeout   ? WAVE_NEVER
                           : c->deadline ? c->deadline
                                         : time_add(l->now, c->timeout);
    l->egress.ip = c->ip;
}

void session_wake_by(struct session *s, wave_time at)
{
    loop_wake_by(&s->loop, at);
}

/* Reports what was sent and never captured, too. It would have been captured by the time at which
 * something was sent once more after it, or a probe, by a timer. */
static void finish_capture(struct session *s)
{
    loop_drain(&s->loop, LAST_CAPTURE_DELAY, LAST_CAPTURE_DELAY);
    for (const struct sent_entry *j;
         session_may_miss(s) && (j = sent_log_missed(&s->sent_log)) != NULL;)
        session_missed(s, j, session_stamp(s), sent_log_repeats(&s->sent_log));
    flush_changes(s);
    report_wait(&s->report, NULL, session_stamp(s), NULL, 0);
}

void session_run(struct session *s)
{
    loop_run(&s->loop);
    finish_capture(s);
}
