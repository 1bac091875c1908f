/*
 * The send queue. The data is in a ring of bytes, and so are the records of the segments in flight;
 * both grow by doubling. The totals of bytes in flight, SACKed and lost are updated with every
 * mark, so that the pipe never has to be counted.
 */
#include "lib/core/queue.h"

#include <string.h>

#define SENTS_FIRST 4u

void queue_free(struct queue **qp, struct env *e)
{
    struct queue *q = *qp;

    if (!q)
        return;
    ring_free(&q->ring, e);
    if (q->sent)
        env_realloc(e, q->sent, q->sent_capacity * sizeof *q->sent, 0);
    env_realloc(e, q, sizeof *q, 0);
    *qp = NULL;
}

void queue_free_if_empty(struct queue **q, struct env *e)
{
    if ((*q)->len == 0)
        queue_free(q, e);
}

size_t queue_append(struct queue **qp, struct env *e, struct seq base, const void *data, size_t len,
                    uint32_t limit)
{
    struct queue *q = *qp;
    uint32_t n;

    if (!q) {
        q = env_realloc(e, NULL, 0, sizeof *q);
        if (!q)
            return 0;
        memset(q, 0, sizeof *q);
        q->base = base;
        q->recover = q->tlp.end = base;
        *qp = q;
    }
    n = q->len >= limit ? 0 : limit - q->len;
    if (len < n)
        n = (uint32_t)len;
    if (n == 0 || !ring_grow(&q->ring, e, q->len + n)) {
        queue_free_if_empty(qp, e);
        return 0;
    }
    ring_put(&q->ring, q->len, data, n);
    q->len += n;
    return n;
}

uint32_t queue_place(const struct queue *q, uint32_t limit, uint8_t **at)
{
    uint32_t run;

    if (!q || q->len >= limit)
        return 0;
    run = ring_place(&q->ring, q->len, at);
    return run < limit - q->len ? run : limit - q->len;
}

uint32_t queue_unsent(const struct queue *q, struct seq next)
{
    return q ? q->len - (next.v - q->base.v) : 0;
}

void queue_copy(const struct queue *q, struct seq first, uint32_t len, uint8_t *to)
{
    ring_get(&q->ring, first.v - q->base.v, len, to);
}

bool queue_can_send(struct queue *q, struct env *e)
{
    uint32_t capacity = q->sent_capacity ? q->sent_capacity * 2 : SENTS_FIRST;
    struct queue_record *sent;

    if (q->sents < q->sent_capacity)
        return true;
    if (capacity > QUEUE_RECORDS_MAX)
        return false;
    sent = env_realloc(e, NULL, 0, capacity * sizeof *sent);
    if (!sent)
        return false;
    for (uint32_t i = 0; i < q->sents; i++)
        sent[i] = *queue_at(q, i);
    if (q->sent)
        env_realloc(e, q->sent, q->sent_capacity * sizeof *sent, 0);
    q->sent = sent;
    q->sent_capacity = capacity;
    q->sent_head = 0;
    return true;
}

/* Returns the sending time of a segment: `now`, or as much later as makes it unique. */
static wave_time stamp(struct queue *q, wave_time now)
{
    q->sent_at = now > q->sent_at ? now : q->sent_at + 1;
    return q->sent_at;
}

void queue_sent(struct queue *q, struct seq first, uint32_t len, wave_time now)
{
    *queue_at(q, q->sents++) =
        (struct queue_record){.first = first, .len = len, .at = stamp(q, now)};
    q->out += len;
}

bool queue_split(struct queue *q, struct env *e, uint32_t i, uint32_t len)
{
    struct queue_record *a, *b;

    if (len >= queue_at(q, i)->len)
        return true;
    if (!queue_can_send(q, e))
        return false;
    for (uint32_t j = q->sents; j > i; j--)
        *queue_at(q, j) = *queue_at(q, j - 1);
    q->sents++;
    a = queue_at(q, i);
    b = queue_at(q, i + 1);
    b->first = seq_add(a->first, len);
    b->len = a->len - len;
    a->len = len;
    if (a->flags & QUEUE_SACKED)
        q->sacked_sents++;
    return true;
}

static void unmark_lost(struct queue *q, struct queue_record *s)
{
    if (s->flags & QUEUE_LOST)
        q->lost -= s->len;
    s->flags &= (uint8_t)~QUEUE_LOST;
}

void queue_retransmitted(struct queue *q, uint32_t i, wave_time now)
{
    struct queue_record *s = queue_at(q, i);

    unmark_lost(q, s);
    s->flags |= QUEUE_RETRANSMITTED;
    s->at = stamp(q, now);
}

void queue_mark_lost(struct queue *q, uint32_t i)
{
    struct queue_record *s = queue_at(q, i);

    if (s->flags & (QUEUE_LOST | QUEUE_SACKED))
        return;
    s->flags |= QUEUE_LOST;
    q->lost += s->len;
    if (i < q->lost_from)
        q->lost_from = i;
}

void queue_mark_sacked(struct queue *q, uint32_t i)
{
    struct queue_record *s = queue_at(q, i);

    if (s->flags & QUEUE_SACKED)
        return;
    unmark_lost(q, s);
    s->flags |= QUEUE_SACKED;
    q->sacked += s->len;
    q->sacked_sents++;
}

void queue_all_lost(struct queue *q)
{
    bool reneged = q->sents > 0 && (queue_at(q, 0)->flags & QUEUE_SACKED);

    for (uint32_t i = 0; i < q->sents; i++) {
        struct queue_record *s = queue_at(q, i);
        if (reneged && (s->flags & QUEUE_SACKED)) {
            s->flags &= (uint8_t)~QUEUE_SACKED;
            q->sacked -= s->len;
            q->sacked_sents--;
        }
        queue_mark_lost(q, i);
    }
}

void queue_none_lost(struct queue *q)
{
    for (uint32_t i = 0; i < q->sents && q->lost > 0; i++)
        unmark_lost(q, queue_at(q, i));
}

uint32_t queue_first_lost(struct queue *q)
{
    if (q->lost == 0)
        return UINT32_MAX;
    while (!(queue_at(q, q->lost_from)->flags & QUEUE_LOST))
        q->lost_from++;
    return q->lost_from;
}

void queue_drop(struct queue *q, uint32_t n)
{
    q->base = seq_add(q->base, n);
    ring_drop(&q->ring, n);
    q->len -= n;
    while (n > 0 && q->sents > 0) {
        struct queue_record *s = queue_at(q, 0);
        uint32_t take = s->len < n ? s->len : n;
        q->out -= take;
        if (s->flags & QUEUE_SACKED)
            q->sacked -= take;
        if (s->flags & QUEUE_LOST)
            q->lost -= take;
        n -= take;
        s->len -= take;
        s->first = seq_add(s->first, take);
        if (s->len > 0)
            break;
        if (s->flags & QUEUE_SACKED)
            q->sacked_sents--;
        q->sent_head = (q->sent_head + 1) & (q->sent_capacity - 1);
        q->sents--;
        if (q->lost_from > 0)
            q->lost_from--;
    }
}
