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

/* Where this segment stands, or `head`. */
static uint32_t find(const struct journal *j, const struct seg *s)
{
    uint32_t at = j->tail;

    while (at != j->head && !is(&j->entry[at % JOURNAL_ENTRIES], s))
        at++;
    return at;
}

/* Takes out what stands before `end`, one at a time. */
static const struct journal_entry *missed_before(struct journal *j, uint32_t end)
{
    while (j->tail != end) {
        const struct journal_entry *e = &j->entry[j->tail++ % JOURNAL_ENTRIES];
        if (!e->missed)
            return e;
    }
    return NULL;
}

const struct journal_entry *journal_missed_before(struct journal *j, const struct seg *ours)
{
    uint32_t at = find(j, ours);

    return at == j->head ? NULL : missed_before(j, at);
}

const struct journal_entry *journal_missed(struct journal *j)
{
    return missed_before(j, j->head);
}

const struct journal_entry *journal_missed_by_ack(struct journal *j, uint32_t id, struct seq ack)
{
    for (uint32_t at = j->tail; at != j->head; at++) {
        struct journal_entry *e = &j->entry[at % JOURNAL_ENTRIES];
        uint32_t len = e->len + !!(e->flags & SEG_SYN) + !!(e->flags & SEG_FIN);
        /* What was sent again, or lies below what was acknowledged already, may have left after
         * this acknowledgement was captured. */
        if (e->id != id || e->missed || !len || e->again || e->probe || (e->flags & SEG_RST))
            continue;
        if (seq_gt(seq_add(e->seq, len), ack))
            return NULL;
        e->missed = true;
        return e;
    }
    return NULL;
}

const struct journal_entry *journal_take(struct journal *j, const struct seg *s)
{
    uint32_t at = find(j, s);

    if (at == j->head)
        return NULL;
    j->tail = at + 1;
    return &j->entry[at % JOURNAL_ENTRIES];
}

uint32_t journal_count(const struct journal *j)
{
    return j->head - j->tail;
}

bool journal_empty(const struct journal *j)
{
    return j->head == j->tail;
}
