/*
 * Congestion control: RFC 5681 with the initial window of RFC 6928, slow start counted in bytes as
 * RFC 9406 has it and, with SACK, the recovery of RFC 6675. Windows in bytes.
 */
#ifndef TCPWAVE_CORE_CC_H
#define TCPWAVE_CORE_CC_H

#include "lib/core/conn.h"

/* The handshake is done: the initial window, or one segment when a SYN was lost (RFC 5681, 3.1). */
void cc_established(struct conn *c);

/* `bytes` of data were newly acknowledged outside of fast recovery. */
void cc_acked(struct conn *c, uint32_t bytes);

/* Loss was detected, or congestion marked: half of what was in flight (RFC 5681, 3.2, step 2). */
void cc_lost(struct conn *c);

/* The retransmission timer fired: one segment; `first` unless it is firing in a row. */
void cc_timeout(struct conn *c, bool first);

/* No data was sent for `idle` nanoseconds: restart window after an RTO of it (RFC 5681, 4.1). */
void cc_idle(struct conn *c, wave_time idle);

#endif
