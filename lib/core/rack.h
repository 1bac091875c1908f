/*
 * Loss detection by time: RACK, RFC 8985, section 6. A segment is lost when another one, sent later
 * by at least the reordering window, has been delivered. With SACK this replaces the counting of
 * duplicate ACKs (RFC 6675), and also finds lost retransmissions.
 */
#ifndef TCPWAVE_CORE_RACK_H
#define TCPWAVE_CORE_RACK_H

#include "lib/core/queue.h"

/* What a connection has learnt about reordering on its path (step 4). It outlasts the queue, which
 * is freed when everything is acknowledged and holds the rest of RACK's state, which concerns one
 * flight only. */
struct rack {
    uint8_t reo_mult : 6; /* reo_wnd_mult; begins at 1 */
    bool reordered : 1;   /* reordering_seen */
    bool dsack : 1;       /* a D-SACK came in this round, whose end the connection stores */
    uint8_t reo_persist;  /* reo_wnd_persist */
};

/* Processes the first delivery of record `s`, by ACK or SACK (steps 1 to 3). `min_rtt` is in
 * nanoseconds, or 0 when none is measured. `echo` is the latest time at which the segment with the
 * echoed timestamp can have been sent; WAVE_NEVER without timestamps. */
void rack_delivered(struct rack *r, struct queue *q, const struct queue_record *s, wave_time now,
                    wave_time min_rtt, wave_time echo);

/* Processes a D-SACK, which widens the reordering window once per round at most (step 4). `round`
 * stores where the round ends; `ack` and `next` are SND.UNA and SND.NXT. */
void rack_dsack(struct rack *r, struct seq *round, struct seq ack, struct seq next);

/* Processes the end of a loss recovery: after sixteen of them without a D-SACK, the reordering
 * window is narrow again (step 4). */
void rack_recovered(struct rack *r);

/* What rack_detect() found. */
struct rack_result {
    uint32_t lost;        /* bytes newly marked */
    wave_time recheck_at; /* when all that is only late so far will be lost, or WAVE_NEVER */
};

/* Marks the records that must be lost by now (step 5). `recovery` says whether loss recovery is
 * under way. */
struct rack_result rack_detect(const struct rack *r, struct queue *q, wave_time now, wave_time srtt,
                               wave_time min_rtt, bool recovery);

#endif
