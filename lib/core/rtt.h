/*
 * The round-trip time and the retransmission timeout (RFC 6298), in microseconds.
 */
#ifndef TCPWAVE_CORE_RTT_H
#define TCPWAVE_CORE_RTT_H

#include <stdint.h>

#include "lib/core/time.h"

/* What was measured on one connection. */
struct rtt {
    uint32_t srtt;   /* microseconds; 0: not measured yet */
    uint32_t rttvar; /* microseconds; the RTO itself while nothing is measured */
    uint32_t min;    /* the smallest sample, microseconds */
};

struct conn_config;

/* Starts with nothing measured: the RTO is config->rto_initial (RFC 6298, 2.1). */
void rtt_init(struct rtt *r, const struct conn_config *config);

/* Adds an RTT sample, of a segment that was sent only once (Karn; RFC 6298, section 3). */
void rtt_sample(struct rtt *r, wave_time took);

/* Records that a SYN had to be retransmitted: while nothing is measured, the RTO for data is at
 * least three seconds (RFC 6298, 5.7). */
void rtt_syn_lost(struct rtt *r);

/* Returns the timeout after the timer has fired `backoff` times in a row (RFC 6298, 5.5): SRTT +
 * max(4*RTTVAR, config->rto_min), doubled each time, in nanoseconds, at most config->rto_max. */
wave_time rtt_rto(const struct rtt *r, const struct conn_config *config, unsigned backoff);

#endif
