/*
 * CUBIC in integer arithmetic. An epoch begins with the first acknowledgement after a reduction;
 * from then on the window follows W_cubic(t) (RFC 9438, equation 1), or Reno's window where that is
 * larger. Section numbers without an RFC are RFC 9438's.
 */
#include "lib/core/cubic.h"

/* beta_cubic is 0.7 and C is 0.4 (RFC 9438, 4.6 and 5). alpha_cubic is 3 * (1 - beta) / (1 + beta),
 * which is 9 / 17 (4.3). */
#define FAR_MS 200000 /* distance from K beyond which the curve is not followed */

uint32_t cubic_reduced(uint32_t window)
{
    return (uint32_t)((uint64_t)window * 7 / 10);
}

void cubic_lost(struct cubic *q, uint32_t cwnd)
{
    /* 4.7, fast convergence: the previous W_max was not reached, so the new one is (1 + beta) / 2
     * of cwnd, to leave room for other flows. */
    q->w_max = cwnd < q->w_max ? (uint32_t)((uint64_t)cwnd * 17 / 20) : cwnd;
    q->cwnd_prior = cwnd;
    q->running = false;
}

void cubic_timeout(struct cubic *q)
{
    q->w_max = 0;
    q->running = false;
}

void cubic_pause(struct cubic *q)
{
    q->running = false;
}

/* Returns the largest x whose cube is not above v. */
static uint32_t cube_root(uint64_t v)
{
    uint64_t x = 0;

    for (int bit = 20; bit >= 0; bit--) {
        const uint64_t try = x | 1u << bit;
        if (try * try * try <= v)
            x = try;
    }
    return (uint32_t)x;
}

/* Starts an epoch at window `cwnd`: computes K, and where the curve is flat. */
static void start_epoch(struct cubic *q, uint32_t cwnd, uint32_t mss, uint32_t now)
{
    q->epoch = now;
    q->w_est = cwnd;
    q->credit = 0;
    q->running = true;
    if (cwnd < q->w_max) { /* equation 2, in segments and seconds: K^3 = (W_max - cwnd) / C */
        q->origin = q->w_max;
        q->k = cube_root((uint64_t)(q->w_max - cwnd) * 2500000000u / mss);
    } else {
        q->origin = cwnd;
        q->k = 0;
    }
}

/* Computes equation 1: C * (t - K)^3 + W_max, but not less than 0. */
static uint64_t w_cubic(const struct cubic *q, uint32_t mss, uint64_t t)
{
    const bool before = t < q->k;
    uint64_t d = before ? q->k - t : t - q->k, cube;

    if (d > FAR_MS)
        d = FAR_MS;
    cube = d * d * d / 10000 * mss / 250000; /* milliseconds to seconds, and times C: 2.5e9 */
    if (before)
        return cube < q->origin ? q->origin - cube : 0;
    return q->origin + cube;
}

/* Advances w_est by as much as Reno with this reduction would grow (4.3, equation 4). alpha is 1
 * once the window before the reduction is reached. */
static void grow_reno(struct cubic *q, uint32_t cwnd, uint32_t mss, uint32_t bytes)
{
    const bool slow = q->w_est < q->cwnd_prior;
    uint64_t credit = q->credit + (slow ? (uint64_t)bytes * 9 / 17 : bytes);

    q->w_est += (uint32_t)(credit / cwnd * mss);
    q->credit = (uint32_t)(credit % cwnd);
}

uint32_t cubic_grown(struct cubic *q, uint32_t cwnd, uint32_t mss, uint32_t bytes, uint32_t now,
                     uint32_t rtt)
{
    uint64_t target, t;

    if (!q->running)
        start_epoch(q, cwnd, mss, now);
    t = now - q->epoch;
    grow_reno(q, cwnd, mss, bytes);
    if (w_cubic(q, mss, t) < q->w_est) /* 4.3: Reno is ahead of the curve */
        return q->w_est > cwnd ? q->w_est : cwnd;
    target = w_cubic(q, mss, t + rtt); /* 4.2: limited to cwnd .. 1.5 * cwnd */
    if (target > cwnd + (uint64_t)cwnd / 2)
        target = cwnd + (uint64_t)cwnd / 2;
    if (target <= cwnd)
        return cwnd;
    /* 4.4, 4.5: cwnd grows by (target - cwnd) / cwnd for each segment acknowledged. */
    target = (target - cwnd) * (bytes < cwnd ? bytes : cwnd) / cwnd;
    return cwnd + (uint32_t)target;
}
