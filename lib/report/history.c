#include "lib/report/history.h"

#include <stddef.h>

void history_add(struct history *h, const struct history_entry *e)
{
    h->entry[h->next++ % HISTORY_ENTRIES] = *e;
}

/* The latest segment of that side which held this sequence number, or NULL. */
static const struct history_entry *latest(const struct history *h, uint32_t connection, bool out,
                                          struct seq seq)
{
    uint32_t oldest = h->next > HISTORY_ENTRIES ? h->next - HISTORY_ENTRIES : 0;

    for (uint32_t at = h->next; at > oldest; at--) {
        const struct history_entry *e = &h->entry[(at - 1) % HISTORY_ENTRIES];
        if (e->connection == connection && e->out == out && seq_leq(e->seq, seq) &&
            seq_lt(seq, e->end))
            return e;
    }
    return NULL;
}

uint32_t history_find(const struct history *h, uint32_t connection, bool out, struct seq seq)
{
    const struct history_entry *e = latest(h, connection, out, seq);

    return e ? e->number : 0;
}

bool history_has(const struct history *h, uint32_t connection, bool out, struct seq seq,
                 struct seq end)
{
    const struct history_entry *e = latest(h, connection, out, seq);

    return e && seq_eq(e->seq, seq) && seq_eq(e->end, end);
}
