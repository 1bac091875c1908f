/*
 * RACK. Of the segments delivered so far, the one that was sent last is remembered. A segment that
 * was sent before it is lost once the RTT of that segment and the reordering window have passed
 * since it was sent.
 */
#include "lib/core/rack.h"

#define DUP_THRESH 3   /* RFC 5681's three duplicate ACKs, in segments */
#define REO_PERSIST 16 /* recoveries: RFC 8985, 6.2, step 4 */

void rack_delivered(struct rack *r, struct queue *q, const struct queue_record *s, wave_time now,
                    wave_time min_rtt, wave_time echo)
{
    struct seq end = seq_add(s->first, s->len);
    wave_time rtt = now > s->at ? now - s->at : 0;

    /* RFC 8985, 6.2, step 2: if the answer came faster than any before, or echoes an earlier
     * timestamp, it answers the original and not the retransmission, and does not show when the
     * retransmission was delivered. */
    if ((s->flags & QUEUE_RETRANSMITTED) && (rtt < min_rtt || echo < s->at))
        return;
    /* Step 3: a segment below what was already delivered, and never retransmitted, was only
     * reordered. */
    if (q->rack.any && seq_lt(end, q->rack.fack) && !(s->flags & QUEUE_RETRANSMITTED))
        r->reordered = true;
    if (!q->rack.any || seq_gt(end, q->rack.fack))
        q->rack.fack = end;
    if (!q->rack.any || s->at > q->rack.at) {
        q->rack.at = s->at;
        q->rack.rtt = rtt;
    }
    q->rack.any = true;
}

void rack_dsack(struct rack *r, struct seq *round, struct seq ack, struct seq next)
{
    if (r->dsack && seq_lt(ack, *round))
        return;
    r->dsack = true;
    *round = next;
    r->reo_persist = REO_PERSIST;
    if (r->reo_mult < 20)
        r->reo_mult++;
}

void rack_recovered(struct rack *r)
{
    if (r->reo_persist > 0)
        r->reo_persist--;
    if (r->reo_persist == 0)
        r->reo_mult = 1;
}

/* Returns how long a segment may be late before it counts as lost (RFC 8985, 6.2, step 4). Without
 * reordering so far it is 0 in recovery, or when three segments are SACKed. */
static wave_time reordering_window(const struct rack *r, const struct queue *q, wave_time srtt,
                                   wave_time min_rtt, bool recovery)
{
    if (!r->reordered && (recovery || q->sacked_sents >= DUP_THRESH))
        return 0;
    return time_min(min_rtt / 4 * r->reo_mult, srtt);
}

struct rack_result rack_detect(const struct rack *r, struct queue *q, wave_time now, wave_time srtt,
                               wave_time min_rtt, bool recovery)
{
    struct rack_result result = {0, WAVE_NEVER};
    wave_time window;

    if (!q->rack.any)
        return result;
    window = reordering_window(r, q, srtt, min_rtt, recovery);
    for (uint32_t i = 0; i < q->sents; i++) {
        const struct queue_record *s = queue_at(q, i);
        wave_time due;
        if (s->flags & (QUEUE_SACKED | QUEUE_LOST))
            continue;
        if (s->at >= q->rack.at) {
            if (!(s->flags & QUEUE_RETRANSMITTED))
                break; /* everything after it was sent even later */
            continue;
        }
        due = s->at + q->rack.rtt + window;
        if (due <= now) {
            queue_mark_lost(q, i);
            result.lost += s->len;
        } else if (result.recheck_at == WAVE_NEVER || due > result.recheck_at) {
            /* The latest of these times, as RFC 8985 has it. Segments that were sent together
             * become due a nanosecond apart, and need only one timer. */
            result.recheck_at = due;
        }
    }
    return result;
}
