/*
 * The timers: retransmission (RFC 6298), tail-loss probe and reordering (RFC 8985), persist
 * (RFC 9293, 3.8.6.1), delayed ACK, TIME_WAIT, keepalive. One slot serves the first four, since no
 * two of them ever run at once.
 */
#include "lib/core/cc.h"
#include "lib/core/conn_priv.h"
#include "lib/core/queue.h"
#include "lib/core/rack.h"

#define REXMT_KINDS ((uint32_t)(CONN_PERSIST | CONN_TLP | CONN_RACK))
#define TLP_MIN (10 * WAVE_MS) /* below that a receiver's delayed ACK is taken for a loss */

wave_time conn_rto_at(const struct conn *c, wave_time now)
{
    const struct conn_config *config = &c->env->config;
    wave_time rto = time_add(now, rtt_rto(&c->rtt, config, c->backoff));

    return time_min(rto, time_add(c->since, config->r2));
}

/* Something waits that only the peer's window keeps back. */
static bool blocked_by_window(const struct conn *c)
{
    bool fin_waits = (c->flags & CONN_FIN_QUEUED) && !(c->flags & CONN_FIN_SENT);

    if (c->flags & CONN_FIN_SENT)
        return false;
    return (queue_unsent(c->queue, c->snd.nxt) > 0 || fin_waits) && conn_plan(c).what != SEND_NEW;
}

/* RFC 8985, 7.2: when a tail-loss probe would go out, or WAVE_NEVER where none may. */
static wave_time tlp_at(const struct conn *c, wave_time now)
{
    const struct queue *q = c->queue;
    wave_time srtt = c->rtt.srtt * WAVE_US;

    if (!(c->flags & CONN_SACK) || (c->flags & CONN_RECOVERY) || !q || q->sents < 2 ||
        q->sacked > 0 || q->tlp.out || srtt == 0 || c->backoff > 0)
        return WAVE_NEVER;
    return now + (2 * srtt > TLP_MIN ? 2 * srtt : TLP_MIN);
}

static void arm(struct conn *c, wave_time at, uint32_t kind)
{
    c->flags = (c->flags & ~REXMT_KINDS) | kind;
    c->timer[TIMER_REXMT] = at;
}

void conn_rearm(struct conn *c, wave_time now, bool restart)
{
    bool runs = c->timer[TIMER_REXMT] != WAVE_NEVER;
    wave_time rto, tlp;

    if (conn_syn_unacked(c))
        return; /* the SYN's timer is started where it is sent */
    if (c->flags & CONN_PROBE_OWED)
        return; /* it fired just now; what it asked for is sent first */
    if (conn_flight(c) == 0 || c->snd.wnd == 0) {
        if (conn_flight(c) > 0 || blocked_by_window(c)) {
            if (!runs || !(c->flags & CONN_PERSIST))
                arm(c, time_add(now, rtt_rto(&c->rtt, &c->env->config, c->backoff)), CONN_PERSIST);
        } else {
            arm(c, WAVE_NEVER, 0);
            c->since = WAVE_NEVER;
        }
        return;
    }
    if (runs && !restart && !(c->flags & CONN_PERSIST))
        return;
    if (c->since == WAVE_NEVER)
        c->since = now;
    rto = conn_rto_at(c, now);
    tlp = tlp_at(c, now);
    if (tlp < rto)
        arm(c, tlp, CONN_TLP);
    else
        arm(c, rto, 0);
}

void conn_rearm_sent(struct conn *c, wave_time now)
{
    wave_time tlp;

    conn_rearm(c, now, false);
    if (c->snd.wnd == 0 || (c->flags & (CONN_PERSIST | CONN_RACK)))
        return;
    tlp = tlp_at(c, now);
    if ((c->flags & CONN_TLP) ? tlp != WAVE_NEVER : tlp < c->timer[TIMER_REXMT])
        arm(c, time_min(tlp, conn_rto_at(c, now)), CONN_TLP);
}

/* RFC 4821, 7.6.1: full segments that vanish time and again point to a router that drops what is
 * too big and does not say so (RFC 2923). Smaller ones are tried, down to what every path carries:
 * the IPv6 minimum MTU, then IPv4's 576. */
static void suspect_black_hole(struct conn *c, wave_time now)
{
    static const uint16_t v4_step[] = {1240, 536}, v6_step[] = {1220};
    const uint16_t *step = c->flow.v6 ? v6_step : v4_step;
    unsigned steps = c->flow.v6 ? 1 : 2;
    uint32_t first = c->queue ? queue_at(c->queue, 0)->len : 0; /* of the flight, or a FIN */

    if (c->backoff < 3 || c->backoff % 2 == 0) /* fewer happen on any lossy path */
        return;
    for (unsigned i = 0; i < steps; i++) {
        if (c->mss > step[i] && first + 40 > step[i]) {
            struct event e = {.kind = EVENT_MSS, .u.bytes = step[i]};
            c->mss = step[i];
            c->flags |= CONN_BLACKHOLE;
            conn_emit(c, now, &e);
            return;
        }
    }
}

static void give_up(struct conn *c, wave_time now, enum timeout_kind kind, enum conn_end end,
                    const char *cause)
{
    struct event e = {.kind = EVENT_TIMEOUT, .u.timeout = kind};

    conn_emit(c, now, &e);
    conn_finish(c, now, end, cause);
}

static void syn_fired(struct conn *c, wave_time now)
{
    if (c->syn_sent > c->env->config.syn_retries) {
        give_up(c, now, TIMEOUT_SYN, END_TIMEOUT_SYN,
                c->flags & CONN_PASSIVE ? "SYN-ACK unanswered" : "SYN unanswered");
        return;
    }
    c->backoff++;
    c->flags |= CONN_SYN_OWED;
}

/* RFC 6298, 5.4 to 5.6. */
static void rto_fired(struct conn *c, wave_time now)
{
    struct queue *q = c->queue;

    if (c->backoff < UINT8_MAX)
        c->backoff++;
    suspect_black_hole(c, now);
    cc_timeout(c, !(q && q->after_timeout && (c->flags & CONN_RECOVERY)));
    c->flags |= CONN_RECOVERY | CONN_RTX_OWED;
    if (c->flags & CONN_ECN) /* RFC 3168, 6.1.2: a reduction for any reason is announced */
        c->flags |= CONN_CWR;
    c->dupacks = 0;
    if (q) {
        queue_all_lost(q);
        q->after_timeout = true;
        q->recover = c->snd.nxt;
        q->tlp.out = false;
    }
    arm(c, conn_rto_at(c, now), 0);
}

static void rexmt_fired(struct conn *c, wave_time now)
{
    c->flags &= ~(uint32_t)CONN_STARVED;
    if (conn_syn_unacked(c)) {
        syn_fired(c, now);
        if (c->state != STATE_CLOSED)
            c->timer[TIMER_REXMT] = conn_rto_at(c, now);
        return;
    }
    if (c->flags & CONN_RACK) {
        conn_detect_loss(c, now);
        return;
    }
    if (c->flags & CONN_TLP) { /* behind the probe only the RTO waits: RFC 8985, 7.3 */
        c->flags |= CONN_PROBE_OWED;
        arm(c, conn_rto_at(c, now), 0);
        return;
    }
    if (c->since == WAVE_NEVER)
        c->since = now;
    if (now >= time_add(c->since, c->env->config.r2)) { /* R2: RFC 9293, 3.8.3 */
        give_up(c, now, TIMEOUT_RETRANSMIT, END_TIMEOUT,
                c->flags & CONN_PERSIST ? "window probes unanswered"
                                        : "retransmissions unanswered");
        return;
    }
    if (c->flags & CONN_PERSIST) { /* RFC 9293, SHLD-30: ever longer, whatever R2 is */
        if (c->backoff < UINT8_MAX)
            c->backoff++;
        c->flags |= CONN_PROBE_OWED;
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
        return; /* what is due stays due */
    if (due(c, TIMER_REXMT, now))
        rexmt_fired(c, now);
    if (due(c, TIMER_DELACK, now)) {
        c->timer[TIMER_DELACK] = WAVE_NEVER;
        c->flags |= CONN_ACK_NOW;
    }
    if (!due(c, TIMER_KEEP, now))
        return;
    if (c->state == STATE_TIME_WAIT) {
        if (c->flags & CONN_ACK_NOW)
            return; /* the last ACK leaves first; conn_output() comes back here */
        conn_leave_time_wait(c, now);
    } else {
        keep_fired(c, now);
    }
}

wave_time conn_expiry(const struct conn *c, wave_time now)
{
    wave_time at = WAVE_NEVER;

    if (conn_plan(c).what != SEND_NOTHING)
        return now;
    for (unsigned i = 0; i < TIMERS; i++)
        at = time_min(at, c->timer[i]);
    return at;
}
