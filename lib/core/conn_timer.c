/*
 * The timers: retransmission (RFC 6298), tail-loss probe and reordering (RFC 8985), persist (RFC
 * 9293, 3.8.6.1), delayed ACK, TIME_WAIT and keepalive. A timer is a point in time, and conn_tick()
 * runs those that have passed.
 *
 * timer[REXMT] is the SYN's, the retransmission timer or the persist timer; only one of these runs
 * at a time. timer[PROBE] is the tail-loss probe's or RACK's. It runs beside the retransmission
 * timer and never postpones it.
 */
#include "lib/core/cc.h"
#include "lib/core/conn_priv.h"
#include "lib/core/loss.h"
#include "lib/core/queue.h"
#include "lib/core/rack.h"

#define TLP_MIN (10 * WAVE_MS) /* with less, a receiver's delayed ACK is mistaken for a loss */
#define TLP_MAX_ACK_DELAY (200 * WAVE_MS) /* RFC 8985, 7.2: a receiver delays an ACK this long */

/* Returns when R2 is over (RFC 9293, 3.8.3). */
static wave_time r2_at(const struct conn *c, wave_time now)
{
    int64_t waited = (int32_t)(conn_ms(now) - c->since);

    if (!(c->flags & CONN_STALLED))
        return WAVE_NEVER;
    return time_add((wave_time)((int64_t)(now / WAVE_MS) - waited) * WAVE_MS, c->env->config.r2);
}

wave_time conn_rto_at(const struct conn *c, wave_time now)
{
    const struct conn_config *config = &c->env->config;
    const wave_time rto = rtt_rto(&c->rtt, config, c->backoff);

    if (c->backoff == 0 && rto < config->r2 / 4)
        return now + rto; /* R2 is far off, and is checked when the timer fires, too */
    return time_min(time_add(now, rto), r2_at(c, now));
}

/* Returns whether something waits that only the peer's window holds back. */
static bool blocked_by_window(const struct conn *c)
{
    bool fin_waits = (c->flags & CONN_FIN_QUEUED) && !(c->flags & CONN_FIN_SENT);

    if (c->flags & CONN_FIN_SENT)
        return false;
    return (queue_unsent(c->queue, c->snd.nxt) > 0 || fin_waits) && conn_plan(c).what != PLAN_NEW;
}

/* RFC 8985, 7.2: no probe is sent in recovery, while something is SACKed, or before the last probe
 * is answered. */
static bool tlp_allowed(const struct conn *c)
{
    const struct queue *q = c->queue;

    return (c->flags & (CONN_SACK | CONN_RECOVERY)) == CONN_SACK && q && q->sents > 0 &&
           q->sacked == 0 && !q->tlp.out && c->rtt.srtt > 0 && c->backoff == 0;
}

static void stop_probe(struct conn *c)
{
    c->flags &= ~(uint32_t)(CONN_TLP | CONN_RACK);
    c->timer[TIMER_PROBE] = WAVE_NEVER;
}

/* Starts the tail-loss probe's timer. RFC 8985, 7.2: the PTO counts from now, and is never after
 * the RTO's expiry, which does not change. */
static void start_probe(struct conn *c, wave_time now)
{
    wave_time pto = 2 * WAVE_US * c->rtt.srtt;

    if ((c->flags & CONN_RACK) && c->queue)
        return;
    if (!tlp_allowed(c)) {
        stop_probe(c);
        return;
    }
    pto = time_add(now, pto > TLP_MIN ? pto : TLP_MIN);
    /* One segment's PTO has a receiver's longest delay of an ACK on top. DEVIATES where with that
     * the retransmission timer comes first: then it is that which fires, and no probe. */
    if (c->queue->sents == 1 && (pto += TLP_MAX_ACK_DELAY) >= c->timer[TIMER_REXMT]) {
        stop_probe(c);
        return;
    }
    c->timer[TIMER_PROBE] = time_min(pto, c->timer[TIMER_REXMT]);
    c->flags |= CONN_TLP;
}

/* Starts the persist timer if it is needed: nothing is in flight, or the window is closed. */
static void rearm_persist(struct conn *c, wave_time now)
{
    const bool runs = c->timer[TIMER_REXMT] != WAVE_NEVER;

    stop_probe(c);
    if (conn_flight(c) > 0 || blocked_by_window(c)) {
        if (runs && (c->flags & CONN_PERSIST))
            return;
        c->flags |= CONN_PERSIST;
        c->timer[TIMER_REXMT] = time_add(now, rtt_rto(&c->rtt, &c->env->config, c->backoff));
    } else {
        c->flags &= ~(uint32_t)(CONN_PERSIST | CONN_STALLED);
        c->timer[TIMER_REXMT] = WAVE_NEVER;
    }
}

void conn_rearm(struct conn *c, wave_time now, bool restart)
{
    if (conn_syn_unacked(c))
        return; /* the SYN's timer is started where it is sent */
    if (c->flags & CONN_PROBE_DUE)
        return; /* it has just fired; its probe is sent first */
    if (conn_flight(c) == 0 || c->snd.wnd == 0) {
        rearm_persist(c, now);
        return;
    }
    if (!restart && c->timer[TIMER_REXMT] != WAVE_NEVER && !(c->flags & CONN_PERSIST)) {
        if ((c->flags & CONN_TLP) && !tlp_allowed(c))
            stop_probe(c);
        return;
    }
    if (!(c->flags & CONN_STALLED))
        conn_stalls(c, now);
    c->flags &= ~(uint32_t)CONN_PERSIST;
    c->timer[TIMER_REXMT] = conn_rto_at(c, now);
    start_probe(c, now);
}

void conn_rearm_sent(struct conn *c, wave_time now)
{
    conn_rearm(c, now, false);
    if (c->snd.wnd > 0 && !(c->flags & CONN_PERSIST))
        start_probe(c, now);
}

void conn_rearm_rack(struct conn *c, wave_time now, wave_time recheck_at)
{
    if (c->flags & CONN_RACK)
        stop_probe(c);
    conn_rearm(c, now, false);
    if (recheck_at == WAVE_NEVER) {
        if (c->timer[TIMER_PROBE] == WAVE_NEVER && c->timer[TIMER_REXMT] != WAVE_NEVER)
            start_probe(c, now);
    } else if (recheck_at < c->timer[TIMER_PROBE]) {
        c->flags = (c->flags & ~(uint32_t)CONN_TLP) | CONN_RACK;
        c->timer[TIMER_PROBE] = recheck_at;
    }
}

/* Lowers the segment size when a black hole is suspected. RFC 4821, 7.6.1: full segments that are
 * lost time after time suggest a router that drops what is too big and does not say so (RFC 2923).
 * Smaller sizes are tried: what every link of IPv6 has to carry (RFC 8200, section 5), and then
 * that of IPv4, over IPv6 too, since there are tunnels that carry less. */
static void suspect_black_hole(struct conn *c, wave_time now)
{
    static const uint16_t v4_step[] = {1240, 536}, v6_step[] = {1220, 536};
    const uint16_t *step = c->flow.v6 ? v6_step : v4_step;
    uint32_t first = c->queue ? queue_at(c->queue, 0)->len : 0; /* 0 if only a FIN is in flight */

    if (c->backoff < 3 || c->backoff % 2 == 0) /* any lossy path has one or two timeouts in a row */
        return;
    for (unsigned i = 0; i < 2; i++) {
        if (c->mss > step[i] && first + 40 > step[i]) {
            struct event e = {.kind = EVENT_MSS, .u.bytes = step[i]};
            c->mss = step[i];
            c->flags |= CONN_BLACKHOLE;
            conn_emit(c, now, &e);
            return;
        }
    }
}

/* Ends the connection because the peer did not answer. */
static void give_up(struct conn *c, wave_time now, enum timeout_kind kind, enum conn_end end,
                    const char *cause)
{
    struct event e = {.kind = EVENT_TIMEOUT, .u.timeout = kind};

    conn_emit(c, now, &e);
    conn_finish(c, now, end, cause);
}

/* Handles an expiry while our SYN is unacknowledged: the SYN is retransmitted, or we give up. */
static void syn_fired(struct conn *c, wave_time now)
{
    const bool compares = (c->flags & CONN_UNSTAMPED_HEARD) && conn_syn_unstamped(c);

    if (c->syn_sent > c->env->config.syn_retries && !compares) {
        give_up(c, now, TIMEOUT_SYN, END_TIMEOUT_SYN,
                c->flags & CONN_PASSIVE ? "SYN-ACK unanswered" : "SYN unanswered");
        return;
    }
    c->backoff++;
    c->flags |= CONN_SYN_DUE;
}

/* Handles an expiry of the retransmission timer (RFC 6298, 5.4 to 5.6). */
static void rto_fired(struct conn *c, wave_time now)
{
    struct queue *q = c->queue;

    if (c->backoff < UINT8_MAX)
        c->backoff++;
    suspect_black_hole(c, now);
    undo_begin(c, true);
    cc_timeout(c, !(q && q->after_timeout && (c->flags & CONN_RECOVERY)));
    c->flags |= CONN_RECOVERY | CONN_RTX_DUE;
    if (c->flags & CONN_ECN) /* RFC 3168, 6.1.2: any reduction is announced */
        c->flags |= CONN_CWR;
    c->dupacks = 0;
    if (q) {
        queue_all_lost(q);
        q->after_timeout = true;
        q->recover = c->snd.nxt;
        q->tlp.out = false;
    }
    stop_probe(c);
    c->timer[TIMER_REXMT] = conn_rto_at(c, now);
}

/* Handles an expiry of timer[PROBE] (RFC 8985, 6.3 and 7.3). After a tail-loss probe the RTO counts
 * from now. */
static void probe_fired(struct conn *c, wave_time now)
{
    const bool tail = c->flags & CONN_TLP;

    c->flags &= ~(uint32_t)CONN_STARVED;
    stop_probe(c);
    if (tail) {
        c->flags |= CONN_PROBE_DUE;
        c->timer[TIMER_REXMT] = conn_rto_at(c, now);
    } else if (c->queue) {
        conn_detect_loss(c, now);
    }
}

/* Handles an expiry of timer[REXMT], for any of its three uses. */
static void rexmt_fired(struct conn *c, wave_time now)
{
    c->flags &= ~(uint32_t)CONN_STARVED;
    if (conn_syn_unacked(c)) {
        syn_fired(c, now);
        if (c->state != STATE_CLOSED)
            c->timer[TIMER_REXMT] = conn_rto_at(c, now);
        return;
    }
    if (!(c->flags & CONN_STALLED))
        conn_stalls(c, now);
    if (now >= r2_at(c, now)) { /* R2: RFC 9293, 3.8.3 */
        give_up(c, now, TIMEOUT_RETRANSMIT, END_TIMEOUT,
                c->flags & CONN_PERSIST ? "window probes unanswered"
                                        : "retransmissions unanswered");
        return;
    }
    if (c->flags & CONN_PERSIST) { /* RFC 9293, SHLD-30: the interval keeps growing, for any R2 */
        if (c->backoff < UINT8_MAX)
            c->backoff++;
        c->flags |= CONN_PROBE_DUE;
        c->timer[TIMER_REXMT] = time_add(now, rtt_rto(&c->rtt, &c->env->config, c->backoff));
        return;
    }
    rto_fired(c, now);
}

static bool due(const struct conn *c, unsigned timer, wave_time now)
{
    return c->state != STATE_CLOSED && c->timer[timer] <= now;
}

void conn_leave_time_wait(struct conn *c, wave_time now)
{
    const struct conn_config *config = &c->env->config;

    conn_finish(c, now, END_CLOSED,
                !config->time_wait || !config->msl ? "TIME_WAIT not kept"
                : config->time_wait_end            ? config->time_wait_end
                                                   : "2 MSL passed");
}

void conn_tick(struct conn *c, wave_time now)
{
    if (env_busy(c->env))
        return; /* timers that are due stay due */
    if (due(c, TIMER_PROBE, now))
        probe_fired(c, now);
    if (due(c, TIMER_REXMT, now))
        rexmt_fired(c, now);
    if (due(c, TIMER_DELACK, now)) {
        c->timer[TIMER_DELACK] = WAVE_NEVER;
        c->flags |= CONN_ACK_NOW;
    }
    if (!due(c, TIMER_KEEPALIVE, now))
        return;
    if (c->state == STATE_TIME_WAIT) {
        if (c->flags & CONN_ACK_NOW)
            return; /* the last ACK leaves first, and conn_output() then ends TIME_WAIT */
        conn_leave_time_wait(c, now);
    } else {
        keepalive_fired(c, now);
    }
}

wave_time conn_expiry(const struct conn *c, wave_time now)
{
    wave_time at = WAVE_NEVER;

    if (conn_plan(c).what != PLAN_NOTHING)
        return now;
    for (unsigned i = 0; i < TIMERS; i++)
        at = time_min(at, c->timer[i]);
    return at;
}
