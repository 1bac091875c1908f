#include "lib/report/history.h"

void history_add(struct history *h, const struct history_entry *e)
{
    h->entry[h->next++ % HISTORY_ENTRIES] = *e;
}

uint32_t history_find(const struct history *h, uint32_t connection, bool out, struct seq seq)
{
    uint32_t oldest = h->next > HISTORY_ENTRIES ? h->next - HISTORY_ENTRIES : 0;

    for (uint32_t at = h->next; at > oldest; at--) {
        const struct history_entry *e = &h->entry[(at - 1) % HISTORY_ENTRIES];
        if (e->connection == connection && e->out == out && seq_leq(e->seq, seq) &&
            seq_lt(seq, e->end))
            return e->number;
    }
    return 0;
}
