/*
 * Undoes a reduction of the congestion window that turns out to be spurious: the timer fired too
 * early, or segments were only reordered. Three methods detect this: timestamps (Eifel, RFC 3522),
 * what is acknowledged after a timeout (F-RTO, RFC 5682), and D-SACKs of everything that was
 * retransmitted (RFC 3708). The response is RFC 4015's.
 */
#ifndef TCPWAVE_CORE_UNDO_H
#define TCPWAVE_CORE_UNDO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/cubic.h"
#include "lib/core/seq.h"

struct conn;
struct conn_plan;
struct seg;

/* The steps of F-RTO. */
enum frto {
    FRTO_NONE,
    FRTO_FIRST, /* the first segment was retransmitted: RFC 5682, step 2 */
    FRTO_SECOND /* new data is sent before anything else is retransmitted: step 3 */
};

/* What is needed to undo one reduction. */
struct undo {
    uint32_t cwnd, ssthresh; /* before the reduction */
    struct cubic cubic;
    struct seq from, end; /* SND.UNA and SND.NXT at the reduction */
    struct seq first;     /* the end of the first retransmission */
    uint32_t stamp;       /* and its TSval */
    uint16_t unreported;  /* retransmissions that no D-SACK has reported yet */
    bool armed;           /* there is a reduction to undo */
    bool sent;            /* a retransmission was sent */
    bool judged;          /* the first ACK after it was seen: Eifel is decided */
    bool timeout;
    uint8_t frto; /* enum frto */
};

/* Saves the window before it is reduced for a loss. When the timer fires during a recovery, that is
 * still the same reduction. */
void undo_begin(struct conn *c, bool timeout);

/* Records that a segment that ends at `end` is retransmitted in recovery, with that TSval. */
void undo_retransmitted(struct conn *c, struct seq end, uint32_t tsval);

/* Examines an acknowledgement, after the queue was updated: whether it advanced SND.UNA, and
 * whether it carried a D-SACK. Undoes the reduction if that proves it spurious. */
void undo_acked(struct conn *c, const struct seg *s, bool advanced, bool dsack);

/* Returns whether F-RTO wants new data to be sent first. */
bool undo_wants_new(const struct conn *c);

#endif
