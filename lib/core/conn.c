/*
 * One endpoint: the user's calls (RFC 9293, 3.10.1 to 3.10.6), and conn_move(), the only function
 * that changes the state. The rest of the engine is in conn_in.c (arriving segments), conn_ack.c
 * (acknowledgements), conn_out.c (what to send), conn_timer.c, conn_icmp.c and keepalive.c;
 * conn_priv.h declares what these files share.
 */
#include "lib/core/conn.h"

#include <assert.h>
#include <string.h>

#include "lib/core/cc.h"
#include "lib/core/conn_priv.h"
#include "lib/core/err.h"
#include "lib/core/loss.h"
#include "lib/core/queue.h"
#include "lib/core/reasm.h"

void conn_emit(struct conn *c, wave_time now, struct event *event)
{
    event->id = c->id;
    event->at = now;
    env_emit(c->env, event);
}

static void stop_timers(struct conn *c)
{
    for (unsigned i = 0; i < TIMERS; i++)
        c->timer[i] = WAVE_NEVER;
}

/* Returns the smallest shift with which the 16-bit window field can express the whole receive
 * buffer (RFC 7323, 2.3). */
static uint8_t window_shift(const struct conn_config *config)
{
    uint8_t shift = 0;

    if (!config->wscale)
        return 0;
    while (shift < 14 && (65535u << shift) < config->rcvbuf)
        shift++;
    return shift;
}

/* Resets everything that a handshake changes: at the start, and when the connection returns to
 * LISTEN. */
static void no_attempt(struct conn *c)
{
    c->flags &= ~(CONN_STALLED | CONN_UNSTAMPED_HEARD);
    c->syn_sent = 0;
    c->backoff = 0;
    c->rcv_shift = window_shift(&c->env->config);
    c->mss = (uint16_t)c->env->config.mss;
    rtt_init(&c->rtt, &c->env->config);
}

void conn_move(struct conn *c, wave_time now, enum state to, const char *cause)
{
    struct event e = {.kind = EVENT_STATE};

    assert(state_edge((enum state)c->state, to));
    e.u.state.from = (enum state)c->state;
    e.u.state.to = to;
    e.u.state.cause = cause;
    c->state = (uint8_t)to;
    conn_emit(c, now, &e);
    if (to == STATE_TIME_WAIT) {
        const struct conn_config *config = &c->env->config;
        stop_timers(c);
        loss_free(c);
        c->timer[TIMER_TIME_WAIT] = config->time_wait ? time_add(now, 2 * config->msl) : now;
    }
    if (to == STATE_LISTEN)
        no_attempt(c);
    if (to == STATE_CLOSED || to == STATE_LISTEN) {
        stop_timers(c);
        queue_free(&c->queue, c->env);
        loss_free(c);
        reasm_drop_gaps(&c->reasm, c->env); /* data that arrived in order can still be read */
        c->flags &= CONN_RST_DUE | CONN_PASSIVE | CONN_FIN_SENT | CONN_FIN_RCVD |
                    CONN_SIMULTANEOUS | CONN_WSCALE | CONN_TIMESTAMPS | CONN_SACK | CONN_ECN |
                    CONN_SYN_ACKED;
    }
}

void conn_finish(struct conn *c, wave_time now, enum conn_end end, const char *cause)
{
    c->end = (uint8_t)end;
    conn_move(c, now, STATE_CLOSED, cause);
}

void conn_init(struct conn *c, struct env *env, const struct flow *flow, uint32_t id)
{
    memset(c, 0, sizeof *c);
    c->env = env;
    c->flow = *flow;
    c->id = id;
    c->ts_offset = env_random(env);
    c->rack.reo_mult = 1;
    if (env->config.keepalive)
        c->flags |= CONN_KEEPALIVE;
    no_attempt(c);
    stop_timers(c);
}

/* Enters SYN_SENT with a SYN due. */
static void start_active(struct conn *c, wave_time now, struct seq iss, const char *cause)
{
    c->snd.iss = c->snd.una = iss;
    c->snd.nxt = seq_add(iss, 1);
    c->flags = (c->flags | CONN_SYN_DUE) & ~(uint32_t)CONN_PASSIVE;
    conn_move(c, now, STATE_SYN_SENT, cause);
}

int conn_open(struct conn *c, wave_time now, struct seq iss)
{
    if (c->state != STATE_CLOSED || c->end != END_NONE)
        return WAVE_ESTATE;
    start_active(c, now, iss, "active open");
    return 0;
}

int conn_listen(struct conn *c, struct seq iss)
{
    if (c->state != STATE_CLOSED || c->end != END_NONE)
        return WAVE_ESTATE;
    c->snd.iss = c->snd.una = c->snd.nxt = iss;
    c->flags |= CONN_PASSIVE;
    c->state = STATE_LISTEN;
    return 0;
}

int conn_rebuild(struct conn *c, wave_time now, const struct seg *syn, struct seq iss)
{
    int error = conn_listen(c, iss);

    if (error)
        return error;
    conn_input(c, now, syn);
    c->flags &= ~(uint32_t)CONN_SYN_DUE; /* the cookie was our SYN-ACK, and it has arrived */
    c->syn_sent = 1;
    return 0;
}

/* Returns whether the state accepts SEND (RFC 9293, 3.10.2). */
static bool may_send(const struct conn *c)
{
    switch (c->state) {
    case STATE_LISTEN:
    case STATE_SYN_SENT:
    case STATE_SYN_RECEIVED:
    case STATE_ESTABLISHED:
    case STATE_CLOSE_WAIT:
        return !(c->flags & CONN_FIN_QUEUED);
    default:
        return false;
    }
}

int conn_send(struct conn *c, wave_time now, const void *data, size_t len)
{
    struct seq base =
        conn_syn_unacked(c) || c->state == STATE_LISTEN ? seq_add(c->snd.iss, 1) : c->snd.una;
    size_t n;

    if (!may_send(c) || c->held)
        return WAVE_ESTATE;
    if (len > INT32_MAX)
        len = INT32_MAX;
    if (c->state == STATE_LISTEN) /* 3.10.2: SEND turns a passive open into an active one */
        start_active(c, now, c->snd.iss, "a SEND call made the passive open active");
    if (state_synchronized((enum state)c->state) && conn_flight(c) == 0 && c->queue == NULL)
        cc_idle(c, (conn_ms(now) - c->since) * WAVE_MS);
    n = queue_append(&c->queue, c->env, base, data, len, c->env->config.sndbuf);
    conn_rearm(c, now, false);
    return (int)n;
}

size_t conn_send_room(const struct conn *c)
{
    const uint32_t limit = c->env->config.sndbuf, held = c->queue ? c->queue->len : 0;

    return !may_send(c) || held >= limit ? 0 : limit - held;
}

size_t conn_send_place(const struct conn *c, uint8_t **at)
{
    return may_send(c) ? queue_place(c->queue, c->env->config.sndbuf, at) : 0;
}

size_t conn_unacked(const struct conn *c)
{
    return c->queue ? c->queue->len : 0;
}

size_t conn_peek(const struct conn *c, const uint8_t **data)
{
    return reasm_peek(c->reasm, data);
}

void conn_consume(struct conn *c, wave_time now, size_t n)
{
    (void)now;
    reasm_consume(&c->reasm, c->env, n > UINT32_MAX ? UINT32_MAX : (uint32_t)n);
    if (!state_synchronized((enum state)c->state) || (c->flags & CONN_FIN_RCVD))
        return;
    /* Ordinary ACKs carry the window. An extra one is sent only where the peer may be stalled for
     * lack of it: less than two segments of window are left, and the edge can move (RFC 9293,
     * 3.8.6.2.2). */
    if (conn_rcv_wnd(c) < 2u * c->mss && !seq_eq(conn_offer(c), c->rcv.adv))
        c->flags |= CONN_ACK_NOW;
}

int conn_close(struct conn *c, wave_time now)
{
    if (c->held && c->state != STATE_SYN_SENT)
        return WAVE_ESTATE;
    switch (c->state) {
    case STATE_LISTEN:
    case STATE_SYN_SENT: /* RFC 9293, 3.10.4: delete the TCB */
        conn_finish(c, now, END_ABORTED, "we closed before the handshake was complete");
        return 0;
    case STATE_SYN_RECEIVED:
    case STATE_ESTABLISHED:
    case STATE_CLOSE_WAIT:
        if (c->flags & CONN_FIN_QUEUED)
            return WAVE_ESTATE;
        c->flags |= CONN_FIN_QUEUED;
        conn_rearm(c, now, false);
        return 0;
    default:
        return WAVE_ESTATE;
    }
}

void conn_abort(struct conn *c, wave_time now)
{
    switch (c->state) {
    case STATE_CLOSED:
        return;
    case STATE_SYN_RECEIVED:
    case STATE_ESTABLISHED:
    case STATE_FIN_WAIT_1:
    case STATE_FIN_WAIT_2:
    case STATE_CLOSE_WAIT: /* RFC 9293, 3.10.5: these send <SEQ=SND.NXT><CTL=RST> */
        c->flags |= CONN_RST_DUE;
        break;
    default:
        break;
    }
    conn_finish(c, now, END_ABORTED, "we aborted (ABORT call)");
}

void conn_vanish(struct conn *c, wave_time now)
{
    if (c->state != STATE_CLOSED)
        conn_finish(c, now, END_VANISHED, "vanished");
}

void conn_keepalive(struct conn *c, wave_time now, bool on)
{
    (void)now; /* the idle time counts from the last segment, not from this call */
    if (on) {
        c->flags |= CONN_KEEPALIVE;
        keepalive_start(c);
    } else if (c->flags & CONN_KEEPALIVE) {
        c->flags &= ~(uint32_t)(CONN_KEEPALIVE | CONN_KEEPALIVE_DUE);
        if (c->state != STATE_TIME_WAIT)
            c->timer[TIMER_KEEPALIVE] = WAVE_NEVER;
    }
}

void conn_hold(struct conn *c, bool on)
{
    c->held = on;
}

int conn_probe(struct conn *c, bool garbage)
{
    if (!state_synchronized((enum state)c->state) || conn_flight(c) > 0)
        return WAVE_ESTATE;
    c->flags |= CONN_VERIFY_DUE;
    if (garbage)
        c->flags |= CONN_VERIFY_BYTE;
    return 0;
}

int conn_ack(struct conn *c)
{
    if (!state_synchronized((enum state)c->state))
        return WAVE_ESTATE;
    c->flags |= CONN_ACK_NOW;
    return 0;
}

void conn_release(struct conn *c)
{
    queue_free(&c->queue, c->env);
    loss_free(c);
    reasm_free(&c->reasm, c->env);
}

uint32_t conn_received(const struct conn *c)
{
    if (c->rcv.nxt.v == c->rcv.irs.v)
        return 0; /* no SYN yet */
    return c->rcv.nxt.v - c->rcv.irs.v - 1 - ((c->flags & CONN_FIN_RCVD) != 0);
}

uint32_t conn_missing(const struct conn *c, struct seq high)
{
    const struct reasm *r = c->reasm;
    uint32_t missing;

    if (seq_leq(high, c->rcv.nxt))
        return 0;
    missing = high.v - c->rcv.nxt.v;
    for (uint32_t i = 0; r && i < r->runs; i++)
        missing -= r->run[i].end.v - r->run[i].first.v;
    return missing - (r && r->has_fin && seq_lt(r->fin, high));
}

uint32_t conn_beyond(const struct conn *c)
{
    const struct reasm *r = c->reasm;
    uint32_t n = 0;

    for (uint32_t i = 0; r && i < r->runs; i++)
        n += r->run[i].end.v - r->run[i].first.v;
    return n + (r && r->has_fin && !(c->flags & CONN_FIN_RCVD));
}

wave_time conn_rto(const struct conn *c)
{
    return rtt_rto(&c->rtt, &c->env->config, 0);
}

/* Does conn_check()'s part for the send queue: its records and their totals. */
static const char *check_queue(const struct conn *c, const struct queue *q)
{
    uint32_t out = 0, sacked = 0, lost = 0;
    struct seq at = q->base;
    const bool fin = c->flags & CONN_FIN_SENT;

    if (q->len == 0)
        return "an empty queue was not freed";
    if (!conn_syn_unacked(c) && !seq_eq(q->base, c->snd.una))
        return "the queue does not begin at SND.UNA";
    for (uint32_t i = 0; i < q->sents; i++) {
        const struct queue_record *s = queue_at(q, i);
        if (!seq_eq(s->first, at) || s->len == 0)
            return "records in flight are not contiguous";
        at = seq_add(at, s->len);
        out += s->len;
        sacked += s->flags & QUEUE_SACKED ? s->len : 0;
        lost += s->flags & QUEUE_LOST ? s->len : 0;
    }
    if (out != q->out || sacked != q->sacked || lost != q->lost)
        return "the scoreboard's counts are wrong";
    if (!seq_eq(at, fin ? seq_sub(c->snd.nxt, 1) : c->snd.nxt))
        return "records do not end at SND.NXT";
    return out > q->len ? "more in flight than held" : NULL;
}

const char *conn_check(const struct conn *c)
{
    if (c->state > STATE_TIME_WAIT)
        return "no such state";
    if (c->state == STATE_CLOSED || c->state == STATE_LISTEN)
        return c->queue ? "a send queue without a connection" : NULL;
    if (seq_gt(c->snd.una, c->snd.nxt))
        return "SND.UNA is beyond SND.NXT";
    if (state_synchronized((enum state)c->state) && seq_gt(c->rcv.nxt, c->rcv.adv))
        return "RCV.NXT is beyond the window offered";
    if (conn_flight(c) > 0 && c->timer[TIMER_REXMT] == WAVE_NEVER && !c->env->config.no_third_ack &&
        conn_plan(c).what == PLAN_NOTHING)
        return "something is in flight and no timer runs";
    if (c->reasm && c->reasm->runs > 0 && seq_leq(c->reasm->run[0].first, c->rcv.nxt))
        return "a run beyond a gap begins at RCV.NXT";
    return c->queue ? check_queue(c, c->queue) : NULL;
}
