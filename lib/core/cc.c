/*
 * Congestion control: how the congestion window (cwnd) and the slow-start threshold (ssthresh) move
 * when data is acknowledged, lost, or not sent for a while. CUBIC's curve is computed in cubic.c,
 * the end of the first slow start is found in hystart.c, and prr.c says how much is sent while a
 * loss is being repaired.
 */
#include "lib/core/cc.h"

#include "lib/core/conn_priv.h"
#include "lib/core/loss.h"
#include "lib/core/queue.h"

#define SLOW_START_LIMIT 8    /* L of RFC 9406, 4.3, for a sender that does not pace */
#define CSS_GROWTH_DIVISOR 4u /* from the same section */

/* Returns the initial window, in bytes. */
static uint32_t initial_window(const struct conn *c)
{
    const uint32_t n = c->env->config.initial_window, mss = c->mss;
    const uint32_t bytes = n * 1460 > 2 * mss ? n * 1460 : 2 * mss;

    return n * mss < bytes ? n * mss : bytes; /* RFC 6928, section 2, where n is 10 */
}

void cc_established(struct conn *c)
{
    c->cwnd = c->syn_sent > 1 ? c->mss : initial_window(c);
    c->ssthresh = UINT32_MAX; /* RFC 5681, 3.1: arbitrarily high */
}

static bool is_cubic(const struct conn *c)
{
    return c->loss && c->env->config.congestion == CONGESTION_CUBIC;
}

/* Increases cwnd by the bytes acknowledged, up to a limit (RFC 9406, 4.2), where RFC 5681 allows
 * one segment for each ACK: peers that use receive offload acknowledge dozens of segments with one
 * ACK. Only the first slow start, in which ssthresh is not known yet, looks for its own end
 * (HyStart++). */
static void slow_start(struct conn *c, uint32_t bytes, uint32_t rtt)
{
    const uint32_t room = c->ssthresh - c->cwnd, max = SLOW_START_LIMIT * (uint32_t)c->mss;
    uint32_t add = bytes < max ? bytes : max;

    if (c->ssthresh == UINT32_MAX && c->queue) {
        switch (hystart_acked(&c->queue->hystart, c->snd.una, c->snd.nxt, rtt)) {
        case HYSTART_SLOW_START:
            break;
        case HYSTART_CONSERVATIVE:
            add /= CSS_GROWTH_DIVISOR;
            break;
        case HYSTART_DONE:
            c->ssthresh = c->cwnd;
            loss_make(c); /* CUBIC's curve starts here, with K = 0: RFC 9438, 4.10 */
            return;
        }
    }
    c->cwnd += add < room ? add : room;
}

/* Increases cwnd by about one segment a round trip: RFC 5681, equation 3, with `bytes` where the
 * equation has one SMSS. */
static void grow_as_reno(struct conn *c, uint32_t bytes)
{
    uint64_t grow = (uint64_t)c->mss * bytes / c->cwnd;

    c->cwnd += grow > 0 ? (uint32_t)grow : 1;
}

void cc_acked(struct conn *c, wave_time now, uint32_t bytes, uint32_t rtt)
{
    /* A window that was not used says nothing about the path, so it does not grow (the reason is
     * RFC 7661's). */
    if (conn_flight(c) + bytes < c->cwnd / 2) {
        if (c->loss)
            cubic_pause(&c->loss->cubic);
        return;
    }
    if (c->cwnd < c->ssthresh)
        slow_start(c, bytes, rtt);
    else if (is_cubic(c))
        c->cwnd =
            cubic_grown(&c->loss->cubic, c->cwnd, c->mss, bytes, conn_ms(now), c->rtt.srtt / 1000);
    else
        grow_as_reno(c, bytes);
    if (c->cwnd > UINT32_MAX / 4)
        c->cwnd = UINT32_MAX / 4;
}

/* Returns the window after a loss with `flight` bytes in flight: RFC 5681, equation 4, or RFC 9438,
 * 4.6. */
static uint32_t reduced(const struct conn *c, uint32_t flight)
{
    const uint32_t window = is_cubic(c) ? cubic_reduced(flight) : flight / 2;

    return window > 2u * c->mss ? window : 2u * c->mss;
}

void cc_lost(struct conn *c)
{
    /* RFC 5681, 3.2, step 2 reduces from FlightSize and not from cwnd. What limited transmit sent
     * (RFC 3042) does not count, since cwnd would not have allowed it. */
    const uint32_t flight = conn_flight(c) < c->cwnd ? conn_flight(c) : c->cwnd;

    if (c->env->config.congestion == CONGESTION_CUBIC && loss_make(c))
        cubic_lost(&c->loss->cubic, c->cwnd);
    c->ssthresh = reduced(c, flight);
    c->cwnd = c->ssthresh;
}

void cc_timeout(struct conn *c, bool first)
{
    if (first && !(c->flags & CONN_RECOVERY)) {
        cc_lost(c);
    } else if (first) {
        /* The window was already reduced when this recovery began, and cwnd says nothing about the
         * path during recovery. So ssthresh becomes no more than equation 4 allows, but is not
         * reduced a second time for the same losses. */
        const uint32_t max = reduced(c, conn_flight(c));
        c->ssthresh = c->ssthresh < max ? c->ssthresh : max;
    }
    if (c->loss)
        cubic_timeout(&c->loss->cubic);
    c->cwnd = c->mss; /* RFC 5681, 3.1: the loss window */
}

void cc_idle(struct conn *c, wave_time idle)
{
    uint32_t restart = initial_window(c);

    if (c->loss)
        cubic_pause(&c->loss->cubic);
    if (idle > rtt_rto(&c->rtt, &c->env->config, c->backoff) && c->cwnd > restart)
        c->cwnd = restart;
}
