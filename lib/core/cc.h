/*
 * Congestion control: RFC 5681 with the initial window of RFC 6928, HyStart++ in the first slow
 * start (RFC 9406) and, unless conn_config selects Reno, CUBIC in congestion avoidance (RFC 9438).
 * In fast recovery with SACK, prr.c decides how much is sent. All windows are in bytes.
 */
#ifndef TCPWAVE_CORE_CC_H
#define TCPWAVE_CORE_CC_H

#include "lib/core/conn.h"

/* Sets cwnd when the handshake is done: to the initial window, or to one segment if a SYN was lost
 * (RFC 5681, 3.1). */
void cc_established(struct conn *c);

/* Grows cwnd after `bytes` of data were newly acknowledged outside of fast recovery. `rtt` is the
 * round-trip time that the acknowledgement measured, in microseconds, or 0 if it measured none. */
void cc_acked(struct conn *c, wave_time now, uint32_t bytes, uint32_t rtt);

/* Reduces cwnd and ssthresh after a loss or an ECN congestion mark: to half of what was in flight
 * (RFC 5681, 3.2, step 2), or to seven tenths with CUBIC (RFC 9438, 4.6). */
void cc_lost(struct conn *c);

/* Sets cwnd to one segment when the retransmission timer fires. `first` is false when it fires in a
 * row for the same flight, which does not reduce ssthresh any further. */
void cc_timeout(struct conn *c, bool first);

/* Limits cwnd to the restart window when no data was sent for `idle` nanoseconds and that is more
 * than one RTO (RFC 5681, 4.1). */
void cc_idle(struct conn *c, wave_time idle);

#endif
