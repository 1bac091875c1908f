/*
 * CUBIC, RFC 9438: after a reduction the congestion window grows by a cubic function of time, which
 * is flat about the window at which the loss was met; where Reno would be faster, it does as Reno.
 * Windows in bytes, times in milliseconds of a clock modulo 2^32. Integers only.
 */
#ifndef TCPWAVE_CORE_CUBIC_H
#define TCPWAVE_CORE_CUBIC_H

#include <stdbool.h>
#include <stdint.h>

struct cubic {
    uint32_t w_max; /* the window before the last reduction, less by fast convergence; 0: none */
    uint32_t cwnd_prior; /* the same as it was */
    uint32_t origin;     /* of this epoch: what the curve is flat about */
    uint32_t k;          /* when it gets there, from the epoch's start on */
    uint32_t epoch;      /* when the epoch started */
    uint32_t w_est;      /* Reno's window */
    uint32_t credit;     /* bytes acknowledged that w_est has not grown for */
    bool running;        /* the four above are of an epoch that goes on */
};

/* beta_cubic of a window: what is left of it after a loss (4.6). */
uint32_t cubic_reduced(uint32_t window);

/* The window is about to be reduced from `cwnd` (4.6, 4.7). */
void cubic_lost(struct cubic *q, uint32_t cwnd);

/* The retransmission timer fired: the next epoch knows of no window before it (4.8). */
void cubic_timeout(struct cubic *q);

/* The window is not used: time does not count until it is (5.8). */
void cubic_pause(struct cubic *q);

/* The window after `bytes` were acknowledged in congestion avoidance. `rtt` in milliseconds. */
uint32_t cubic_grown(struct cubic *q, uint32_t cwnd, uint32_t mss, uint32_t bytes, uint32_t now,
                     uint32_t rtt);

#endif
