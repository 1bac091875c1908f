#include "lib/core/cc.h"

#include "lib/core/conn_priv.h"

#define SLOW_START_LIMIT 8 /* RFC 9406, 4.3: L, for a sender that does not pace */

static uint32_t initial_window(const struct conn *c)
{
    const uint32_t n = c->env->config.initial_window, mss = c->mss;
    const uint32_t bytes = n * 1460 > 2 * mss ? n * 1460 : 2 * mss;

    return n * mss < bytes ? n * mss : bytes; /* RFC 6928, section 2, which has n at 10 */
}

void cc_established(struct conn *c)
{
    c->cwnd = c->syn_sent > 1 ? c->mss : initial_window(c);
    c->ssthresh = UINT32_MAX; /* RFC 5681, 3.1: arbitrarily high */
}

void cc_acked(struct conn *c, uint32_t bytes)
{
    /* A window that was not used says nothing about the path (RFC 7661's reason). */
    if (conn_flight(c) + bytes < c->cwnd / 2)
        return;
    if (c->cwnd < c->ssthresh) {
        /* RFC 9406, 4.2 for RFC 5681's one segment an ACK: peers behind receive offload
         * acknowledge dozens of segments at once. */
        uint32_t room = c->ssthresh - c->cwnd;
        uint32_t most = SLOW_START_LIMIT * (uint32_t)c->mss;
        uint32_t add = bytes < most ? bytes : most;
        c->cwnd += add < room ? add : room;
    } else { /* a segment a round trip, RFC 5681, equation 3, for `bytes` instead of one SMSS */
        uint64_t grow = (uint64_t)c->mss * bytes / c->cwnd;
        c->cwnd += grow > 0 ? (uint32_t)grow : 1;
    }
    if (c->cwnd > UINT32_MAX / 4)
        c->cwnd = UINT32_MAX / 4;
}

void cc_lost(struct conn *c)
{
    /* RFC 5681, 3.2, step 2: FlightSize, and not cwnd, but without what limited transmit sent
     * (RFC 3042), which is what cwnd would not have allowed. */
    uint32_t flight = conn_flight(c) < c->cwnd ? conn_flight(c) : c->cwnd;
    uint32_t half = flight / 2;

    c->ssthresh = half > 2u * c->mss ? half : 2u * c->mss;
    c->cwnd = c->ssthresh;
}

void cc_timeout(struct conn *c, bool first)
{
    if (first)
        cc_lost(c);
    c->cwnd = c->mss; /* RFC 5681, 3.1: the loss window */
}

void cc_idle(struct conn *c, wave_time idle)
{
    uint32_t restart = initial_window(c);

    if (idle > rtt_rto(&c->rtt, &c->env->config, c->backoff) && c->cwnd > restart)
        c->cwnd = restart;
}
