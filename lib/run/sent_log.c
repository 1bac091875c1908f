#include "lib/run/sent_log.h"

void sent_log_add(struct sent_log *j, const struct sent_entry *e)
{
    if (j->head - j->tail == SENT_LOG_ENTRIES)
        j->tail++;
    j->entry[j->head++ % SENT_LOG_ENTRIES] = *e;
}

static bool is(const struct sent_entry *e, const struct seg *s)
{
    return seq_eq(e->seq, s->seq) && e->len == s->len && e->flags == s->flags && e->wnd == s->wnd &&
           (!(s->flags & SEG_ACK) || seq_eq(e->ack, s->ack));
}

/* Where this segment stands, or `head`. */
static uint32_t find(const struct sent_log *j, const struct seg *s)
{
    uint32_t at = j->tail;

    while (at != j->head && !is(&j->entry[at % SENT_LOG_ENTRIES], s))
        at++;
    return at;
}

/* Takes out what stands before `end`, one at a time. */
static const struct sent_entry *missed_before(struct sent_log *j, uint32_t end)
{
    while (j->tail != end) {
        const struct sent_entry *e = &j->entry[j->tail++ % SENT_LOG_ENTRIES];
        if (!e->missed)
            return e;
    }
    return NULL;
}

const struct sent_entry *sent_log_missed_before(struct sent_log *j, const struct seg *ours)
{
    uint32_t at = find(j, ours);

    return at == j->head ? NULL : missed_before(j, at);
}

const struct sent_entry *sent_log_missed(struct sent_log *j)
{
    return missed_before(j, j->head);
}

const struct sent_entry *sent_log_missed_by_ack(struct sent_log *j, uint32_t id, struct seq ack)
{
    for (uint32_t at = j->tail; at != j->head; at++) {
        struct sent_entry *e = &j->entry[at % SENT_LOG_ENTRIES];
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

const struct sent_entry *sent_log_take(struct sent_log *j, const struct seg *s)
{
    uint32_t at = find(j, s);

    if (at == j->head)
        return NULL;
    j->tail = at + 1;
    return &j->entry[at % SENT_LOG_ENTRIES];
}

uint32_t sent_log_count(const struct sent_log *j)
{
    return j->head - j->tail;
}

bool sent_log_empty(const struct sent_log *j)
{
    return j->head == j->tail;
}
