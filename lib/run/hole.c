#include "lib/run/hole.h"

struct hole_seen hole_see(struct hole *h, uint32_t gaps, const struct seg *s)
{
    struct hole_seen seen = {.lost = 0};
    struct seq end = seg_end(s);

    if (!h->has_next || (s->flags & SEG_SYN)) {
        h->has_next = true;
        h->next = end;
        h->gaps = gaps;
        return seen;
    }
    if (seq_eq(s->seq, h->next)) {
        h->gaps = gaps;
    } else if (seq_lt(s->seq, h->next)) {
        seen.repair = h->was && seq_lt(s->seq, h->end);
    } else if (h->gaps != gaps) {
        seen.from = h->next;
        seen.lost = s->seq.v - h->next.v;
        h->gaps = gaps;
        h->is = h->was = true;
    }
    if (seq_gt(end, h->next))
        h->next = end;
    if (h->is)
        h->end = h->next;
    return seen;
}

void hole_close(struct hole *h, struct seq next)
{
    h->is = h->is && seq_lt(next, h->end);
}
