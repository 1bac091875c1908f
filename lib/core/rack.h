/*
 * Loss detection by time: RACK, RFC 8985, section 6. A segment is lost when one sent later, by at
 * least the reordering window, has been delivered. With SACK it replaces the counting of duplicate
 * ACKs (RFC 6675), and finds lost retransmissions as well.
 */
#ifndef TCPWAVE_CORE_RACK_H
#define TCPWAVE_CORE_RACK_H

#include "lib/core/queue.h"

/* What a connection has learnt of its path's reordering (step 4). It outlasts the queue, which goes
 * whenever everything is acknowledged; the rest of RACK's state is of one flight and in there. */
struct rack {
    uint8_t reo_mult : 6; /* reo_wnd_mult: 1 to begin with */
    bool reordered : 1;   /* reordering_seen */
    bool dsack : 1;       /* a D-SACK came in a round whose end the connection notes */
    uint8_t reo_persist;  /* reo_wnd_persist */
};

/* Record `s` was delivered, by ACK or SACK, for the first time (steps 1 to 3). `min_rtt` in
 * nanoseconds, 0 when nothing is measured. `echo`: what the acknowledgement echoes was sent no
 * later than then; WAVE_NEVER without a timestamp. */
void rack_delivered(struct rack *r, struct queue *q, const struct queue_record *s, wave_time now,
                    wave_time min_rtt, wave_time echo);

/* A D-SACK arrived: at most once a round the reordering window grows (step 4). `round` keeps where
 * that ends, `ack` and `next` are SND.UNA and SND.NXT. */
void rack_dsack(struct rack *r, struct seq *round, struct seq ack, struct seq next);

/* A loss recovery is over: after sixteen of them without a D-SACK the window is narrow again (step
 * 4). */
void rack_recovered(struct rack *r);

struct rack_result {
    uint32_t lost;   /* bytes newly marked */
    wave_time recheck_at; /* when all that is only late so far will be lost, or WAVE_NEVER */
};

/* Marks what must be lost by now (step 5). `recovery`: whether loss recovery is under way. */
struct rack_result rack_detect(const struct rack *r, struct queue *q, wave_time now, wave_time srtt,
                               wave_time min_rtt, bool recovery);

#endif
