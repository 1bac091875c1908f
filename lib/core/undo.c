/*
 * Undoes a reduction of the congestion window when it turns out that nothing was lost. undo_begin()
 * saves the window before a reduction; undo_acked() looks for evidence in each acknowledgement,
 * with Eifel, F-RTO and D-SACK, and restores it.
 */
#include "lib/core/undo.h"

#include "lib/core/conn_priv.h"
#include "lib/core/loss.h"
#include "lib/core/queue.h"

void undo_begin(struct conn *c, bool timeout)
{
    const bool goes_on = c->flags & CONN_RECOVERY;
    struct loss *l = loss_make(c);
    struct undo *u;

    if (!l)
        return;
    u = &l->undo;
    if (goes_on) {
        /* The timer fired during a recovery, or in a row. RFC 5682, step 1: F-RTO is not used
         * then. */
        u->frto = FRTO_NONE;
        u->timeout |= timeout;
        return;
    }
    *u = (struct undo){.cwnd = c->cwnd,
                       .ssthresh = c->ssthresh,
                       .cubic = l->cubic,
                       .from = c->snd.una,
                       .end = c->snd.nxt,
                       .armed = true,
                       .timeout = timeout};
    /* With timestamps, Eifel decides immediately. */
    if (timeout && !(c->flags & CONN_TIMESTAMPS))
        u->frto = FRTO_FIRST;
}

void undo_retransmitted(struct conn *c, struct seq end, uint32_t tsval)
{
    struct undo *u = &c->loss->undo;

    if (!u->armed)
        return;
    if (!u->sent) {
        u->sent = true;
        u->first = end;
        u->stamp = tsval;
    }
    if (u->unreported < UINT16_MAX)
        u->unreported++;
}

/* Restores the window to what it was: the part of RFC 4015 that concerns the window. The flight is
 * restored, too, since nothing counts as lost any longer, so no burst follows. RACK will find what
 * was lost all the same. */
static void take_back(struct conn *c)
{
    struct undo *u = &c->loss->undo;

    u->armed = false;
    u->frto = FRTO_NONE;
    if (c->cwnd < u->cwnd)
        c->cwnd = u->cwnd;
    if (c->ssthresh < u->ssthresh)
        c->ssthresh = u->ssthresh;
    c->loss->cubic = u->cubic;
    c->flags &= ~(uint32_t)(CONN_RECOVERY | CONN_RTX_DUE);
    c->backoff = 0;
    c->dupacks = 0;
    if (!u->timeout) /* the segment was not lost but late: RFC 8985, 6.2, step 3 */
        c->rack.reordered = true;
    if (c->queue) {
        c->queue->after_timeout = false;
        queue_none_lost(c->queue);
    }
}

/* Applies RFC 3522: returns whether the first ACK that covers the first retransmission echoes an
 * older timestamp, which shows that the original had arrived. */
static bool eifel(const struct conn *c, struct undo *u, const struct seg *s)
{
    if (!(c->flags & CONN_TIMESTAMPS) || !(s->opt.has & OPT_TIMESTAMP) || u->judged || !u->sent ||
        seq_lt(s->ack, u->first))
        return false;
    u->judged = true;
    return s->opt.tsecr != 0 && (int32_t)(s->opt.tsecr - u->stamp) < 0;
}

/* Applies RFC 5682, section 2.1, with the SACK extension of 3.1. In step 3, `advanced` means that
 * something was acknowledged that was sent only once, since step 2 saw the end of what was sent
 * twice. Returns whether the timeout was spurious. */
static bool f_rto(struct conn *c, struct undo *u, const struct seg *s, bool advanced)
{
    const struct queue *q = c->queue;

    switch (u->frto) {
    case FRTO_FIRST:
        if (!advanced) { /* 2a; with SACK, a duplicate only updates the scoreboard */
            if (!(c->flags & CONN_SACK))
                u->frto = FRTO_NONE;
            return false;
        }
        /* 2a: the ACK covers everything that was in flight, or not all that was retransmitted; or
         * there is no new data to send, or no window for it. */
        if (!q || seq_geq(s->ack, u->end) || (queue_at(q, 0)->flags & QUEUE_RETRANSMITTED) ||
            queue_unsent(q, c->snd.nxt) == 0 ||
            seq_geq(c->snd.nxt, seq_add(c->snd.una, c->snd.wnd)))
            u->frto = FRTO_NONE;
        else
            u->frto = FRTO_SECOND;
        return false;
    case FRTO_SECOND:
        u->frto = FRTO_NONE;
        /* 3a: the two new segments are in flight, and one retransmission must fit beside them. With
         * SACK, the duplicate has told which of them has arrived. */
        if (!advanced && !(c->flags & CONN_SACK) && c->cwnd < 3u * c->mss)
            c->cwnd = 3u * c->mss;
        return advanced; /* 3b if true, else 3a */
    default:
        return false;
    }
}

/* Applies RFC 3708: returns whether everything that was retransmitted arrived twice. */
static bool all_doubled(struct undo *u, const struct seg *s)
{
    const struct sack_block *b = &s->opt.sack[0];

    if (u->unreported == 0 || seq_lt(b->first, u->from) || seq_gt(b->end, u->end))
        return false;
    return --u->unreported == 0;
}

void undo_acked(struct conn *c, const struct seg *s, bool advanced, bool dsack)
{
    struct undo *u = &c->loss->undo;
    bool spurious = false;

    if (!u->armed)
        return;
    if (advanced)
        spurious = eifel(c, u, s);
    if (u->frto != FRTO_NONE && f_rto(c, u, s, advanced))
        spurious = true;
    if (dsack && all_doubled(u, s))
        spurious = true;
    /* A congestion mark is reason enough for the reduction, even if nothing was lost. */
    if (spurious && !((s->flags & SEG_ECE) && (c->flags & CONN_ECN)))
        take_back(c);
}

bool undo_wants_new(const struct conn *c)
{
    return c->loss && c->loss->undo.frto == FRTO_SECOND;
}
