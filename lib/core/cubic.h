/*
 * CUBIC, RFC 9438. After a reduction, the congestion window grows as a cubic function of time,
 * which is flat around the window at which the loss occurred. Where Reno would be faster, the
 * window grows as Reno's does. Windows are in bytes and times in milliseconds of a clock modulo
 * 2^32; all arithmetic is in integers.
 */
#ifndef TCPWAVE_CORE_CUBIC_H
#define TCPWAVE_CORE_CUBIC_H

#include <stdbool.h>
#include <stdint.h>

/* The state of one connection; all zero before the first loss. */
struct cubic {
    uint32_t w_max;      /* window before the last reduction, less by fast convergence; 0: none */
    uint32_t cwnd_prior; /* the same without fast convergence */
    uint32_t origin;     /* of this epoch: the window around which the curve is flat */
    uint32_t k;          /* K: when the curve reaches it, in ms from the start of the epoch */
    uint32_t epoch;      /* when the epoch started */
    uint32_t w_est;      /* W_est, Reno's window */
    uint32_t credit;     /* bytes acknowledged for which w_est has not grown yet */
    bool running;        /* an epoch is under way: origin, k, epoch and w_est are valid */
};

/* Returns what is left of `window` after a loss: beta_cubic of it (4.6). */
uint32_t cubic_reduced(uint32_t window);

/* Records that the window is about to be reduced from `cwnd` (4.6, 4.7). */
void cubic_lost(struct cubic *q, uint32_t cwnd);

/* Records that the retransmission timer fired: the next epoch has no previous window (4.8). */
void cubic_timeout(struct cubic *q);

/* Records that the window is not used: time does not count until it is used again (5.8). */
void cubic_pause(struct cubic *q);

/* Returns the window after `bytes` were acknowledged in congestion avoidance. `rtt` is in
 * milliseconds. */
uint32_t cubic_grown(struct cubic *q, uint32_t cwnd, uint32_t mss, uint32_t bytes, uint32_t now,
                     uint32_t rtt);

#endif
