/*
 * Applies the SACK blocks of an acknowledgement to the scoreboard. A record is marked only when a
 * block covers all of it.
 */
#include "lib/core/sack.h"

#include "lib/core/rack.h"

/* Returns whether the first block is a D-SACK (RFC 2883, section 4): it lies below the cumulative
 * ACK, or inside the second block. */
static bool is_dsack(const struct opt *o, struct seq ack)
{
    const struct sack_block *a = &o->sack[0], *b = &o->sack[1];

    if (seq_geq(a->first, a->end)) /* no block at all */
        return false;
    if (seq_leq(a->end, ack))
        return true;
    return o->sacks > 1 && seq_geq(a->first, b->first) && seq_leq(a->end, b->end);
}

/* Returns the first record that ends beyond x, by binary search, since records are in ascending
 * order. */
static uint32_t first_beyond(const struct queue *q, struct seq x)
{
    uint32_t low = 0, high = q->sents;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct queue_record *s = queue_at(q, middle);
        if (seq_gt(seq_add(s->first, s->len), x))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct sack_result sack_input(struct rack *r, struct queue *q, const struct opt *o, struct seq ack,
                              struct seq next, wave_time now, wave_time min_rtt, wave_time echo)
{
    struct sack_result result = {0};

    if (o->sacks == 0)
        return result;
    result.dsack = is_dsack(o, ack);
    for (unsigned b = 0; q && b < o->sacks; b++) {
        const struct sack_block *k = &o->sack[b];
        if (seq_geq(k->first, k->end) || seq_lt(k->first, ack) || seq_gt(k->end, next))
            continue;
        for (uint32_t i = first_beyond(q, k->first); i < q->sents; i++) {
            struct queue_record *s = queue_at(q, i);
            if (seq_lt(s->first, k->first))
                continue; /* covered only in part: it may not have arrived */
            if (seq_gt(seq_add(s->first, s->len), k->end))
                break;
            if (s->flags & QUEUE_SACKED)
                continue;
            rack_delivered(r, q, s, now, min_rtt, echo);
            queue_mark_sacked(q, i);
            result.bytes += s->len;
        }
    }
    return result;
}
