/*
 * Taking back a reduction of the congestion window that no loss was the reason for: the timer fired
 * too early, or segments came out of order. Found by timestamps (Eifel, RFC 3522), by what is
 * acknowledged after a timeout (F-RTO, RFC 5682), or by D-SACKs of all that was sent again (RFC
 * 3708); the response is RFC 4015's.
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

enum frto {
    FRTO_NONE,
    FRTO_FIRST, /* the first segment was sent again: RFC 5682, step 2 */
    FRTO_SECOND /* new data goes out before anything else is sent again: step 3 */
};

struct undo {
    uint32_t cwnd, ssthresh; /* before the reduction */
    struct cubic cubic;
    struct seq from, end; /* SND.UNA and SND.NXT at it */
    struct seq first;     /* the end of the first retransmission */
    uint32_t stamp;       /* and its TSval */
    uint16_t unreported;  /* retransmissions that no D-SACK has told of yet */
    bool armed;           /* there is something to take back */
    bool sent;            /* a retransmission has gone out */
    bool judged;          /* the first ACK after it was seen: Eifel has nothing more to say */
    bool timeout;
    uint8_t frto; /* enum frto */
};

/* The window is about to be reduced for a loss; call it before. A recovery that goes on, in which
 * the timer fires, stays the same reduction. */
void undo_begin(struct conn *c, bool timeout);

/* A segment that ends at `end` goes out again in recovery, with that TSval. */
void undo_retransmitted(struct conn *c, struct seq end, uint32_t tsval);

/* An acknowledgement: `advanced` or not, `sacked` bytes newly SACKed, `dsack` or not; the queue has
 * had all of it. Takes the reduction back where it proves to be for nothing. */
void undo_acked(struct conn *c, const struct seg *s, bool advanced, bool dsack);

/* Whether F-RTO wants new data sent first. */
bool undo_wants_new(const struct conn *c);

#endif
