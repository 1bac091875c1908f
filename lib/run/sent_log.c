/*
 * A ring of the segments that were sent and not yet captured, in the order of sending, and beside
 * it the search for holes in what the peer sent. The essay in sent_log.h explains what both are
 * for.
 */
#include "lib/run/sent_log.h"

struct sent_delta sent_update(struct sent_side *c, const struct seg *s, bool probe)
{
    struct sent_delta news = {.sent_before = false};
    struct seq end = seg_end(s);
    uint32_t len = seg_len(s), control = len - s->len;

    if (!len || (s->flags & SEG_RST))
        return news;
    news.sent_before = c->any && !probe && seq_lt(s->seq, c->next);
    /* A SYN-ACK that answers a SYN was asked for, however often: no timer of ours found that the
     * SYN-ACK before it was lost. */
    if ((s->flags & SEG_SYN) && c->asked)
        news.sent_before = c->asked = false;
    if (c->any && seq_leq(end, c->next))
        return news;
    uint32_t more = c->any ? end.v - c->next.v : len;
    news.bytes = more > control ? more - control : 0;
    c->next = end;
    c->any = true;
    return news;
}

struct sent_entry sent_entry(uint32_t id, const struct seg *s, enum state state)
{
    return (struct sent_entry){.id = id,
                               .seq = s->seq,
                               .ack = s->ack,
                               .len = s->len,
                               .flags = s->flags,
                               .wnd = s->wnd,
                               .state = (uint8_t)state,
                               .opt = s->opt};
}

struct seg sent_seg(const struct sent_entry *e)
{
    return (struct seg){.seq = e->seq,
                        .ack = e->ack,
                        .len = e->len,
                        .flags = e->flags,
                        .wnd = e->wnd,
                        .opt = e->opt};
}

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

/* Returns the index of the entry that is this segment, or `head`. */
static uint32_t find(const struct sent_log *j, const struct seg *s)
{
    uint32_t at = j->tail;

    while (at != j->head &&
           (j->entry[at % SENT_LOG_ENTRIES].picked || !is(&j->entry[at % SENT_LOG_ENTRIES], s)))
        at++;
    return at;
}

/* Removes and returns the oldest entry before index `end`; NULL when none is left. */
static const struct sent_entry *missed_before(struct sent_log *j, uint32_t end)
{
    while (j->tail != end) {
        const struct sent_entry *e = &j->entry[j->tail++ % SENT_LOG_ENTRIES];
        if (!e->missed && !e->picked)
            return e;
    }
    return NULL;
}

const struct sent_entry *sent_log_missed_before(struct sent_log *j, const struct seg *ours)
{
    uint32_t at = find(j, ours);

    return at == j->head ? NULL : missed_before(j, at);
}

bool sent_log_repeats(const struct sent_log *j)
{
    for (uint32_t i = j->tail; i != j->head; i++)
        if (j->entry[i % SENT_LOG_ENTRIES].sent_before || j->entry[i % SENT_LOG_ENTRIES].probe)
            return true;
    return false;
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
        /* A retransmission, or a segment below what was acknowledged before, may have left after
         * this acknowledgement was captured. */
        if (e->id != id || e->missed || e->picked || !len || e->sent_before || e->probe ||
            (e->flags & SEG_RST))
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

const struct sent_entry *sent_log_pick(struct sent_log *j, const struct seg *s)
{
    uint32_t at = find(j, s);

    if (at == j->head)
        return NULL;
    j->entry[at % SENT_LOG_ENTRIES].picked = true;
    while (j->tail != j->head && j->entry[j->tail % SENT_LOG_ENTRIES].picked)
        j->tail++;
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
