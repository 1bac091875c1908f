/*
 * Congestion control: RFC 5681 with the initial window of RFC 6928, HyStart++ in the first slow
 * start (RFC 9406) and, unless conn_config wants Reno, CUBIC in congestion avoidance (RFC 9438).
 * With SACK, what is sent in recovery is prr.c's to say. Windows in bytes.
 */
#ifndef TCPWAVE_CORE_CC_H
#define TCPWAVE_CORE_CC_H

#include "lib/core/conn.h"

/* The handshake is done: the initial window, or one segment when a SYN was lost (RFC 5681, 3.1). */
void cc_established(struct conn *c);

/* `bytes` of data were newly acknowledged outside of fast recovery; `rtt` is the round trip that
 * the acknowledgement measured, in microseconds, or 0. */
void cc_acked(struct conn *c, wave_time now, uint32_t bytes, uint32_t rtt);

/* Loss was detected, or congestion marked: half of what was in flight (RFC 5681, 3.2, step 2), or
 * seven tenths (RFC 9438, 4.6). */
void cc_lost(struct conn *c);

/* The retransmission timer fired: one segment; `first` unless it is firing in a row. */
void cc_timeout(struct conn *c, bool first);

/* No data was sent for `idle` nanoseconds: restart window after an RTO of it (RFC 5681, 4.1). */
void cc_idle(struct conn *c, wave_time idle);

#endif
