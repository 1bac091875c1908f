#include "cmd/journal.h"

void journal_add(struct journal *j, const struct journal_entry *e)
{
    if (j->head - j->tail == JOURNAL_ENTRIES)
        j->tail++;
    j->entry[j->head++ % JOURNAL_ENTRIES] = *e;
}

static bool is(const struct journal_entry *e, const struct seg *s)
{
    return seq_eq(e->seq, s->seq) && e->len == s->len && e->flags == s->flags && e->wnd == s->wnd &&
           (!(s->flags & SEG_ACK) || seq_eq(e->ack, s->ack));
}

const struct journal_entry *journal_take(struct journal *j, const struct seg *s)
{
    for (uint32_t at = j->tail; at != j->head; at++) {
        const struct journal_entry *e = &j->entry[at % JOURNAL_ENTRIES];
        if (is(e, s)) {
            j->tail = at + 1;
            return e;
        }
    }
    return NULL;
}

bool journal_empty(const struct journal *j)
{
    return j->head == j->tail;
}
