/* A ring of the latest segments of a run. Searches begin at the newest entry. */
#include "lib/report/recent_segments.h"

#include <stddef.h>

void recent_segments_add(struct recent_segments *h, const struct recent_segment *e)
{
    h->entry[h->next++ % RECENT_SEGMENTS_MAX] = *e;
}

/* Returns the latest segment of that side that contains this sequence number, or NULL. */
static const struct recent_segment *latest(const struct recent_segments *h, uint32_t connection,
                                           bool out, struct seq seq)
{
    uint32_t oldest = h->next > RECENT_SEGMENTS_MAX ? h->next - RECENT_SEGMENTS_MAX : 0;

    for (uint32_t at = h->next; at > oldest; at--) {
        const struct recent_segment *e = &h->entry[(at - 1) % RECENT_SEGMENTS_MAX];
        if (e->connection == connection && e->out == out && seq_leq(e->seq, seq) &&
            seq_lt(seq, e->end))
            return e;
    }
    return NULL;
}

uint32_t recent_segments_find(const struct recent_segments *h, uint32_t connection, bool out,
                              struct seq seq)
{
    const struct recent_segment *e = latest(h, connection, out, seq);

    return e ? e->number : 0;
}

bool recent_segments_has(const struct recent_segments *h, uint32_t connection, bool out,
                         struct seq seq, struct seq end)
{
    const struct recent_segment *e = latest(h, connection, out, seq);

    return e && seq_eq(e->seq, seq) && seq_eq(e->end, end);
}
