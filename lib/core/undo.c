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
        /* The timer fired in a recovery, or in a row. RFC 5682, step 1: no F-RTO then. */
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
    /* Where there are timestamps, Eifel knows at once. */
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

/* RFC 4015, as far as it is about the window: it is again what it was. The flight is, too, since
 * nothing is taken for lost any longer, so that no burst follows. What was lost all the same, RACK
 * will find. */
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
    if (!u->timeout) /* what was taken for a loss was a delay: RFC 8985, 6.2, step 3 */
        c->rack.reordered = true;
    if (c->queue) {
        c->queue->after_timeout = false;
        queue_none_lost(c->queue);
    }
}

/* RFC 3522: the first ACK that covers the first retransmission echoes a stamp older than that, so
 * the original had arrived. */
static bool eifel(const struct conn *c, struct undo *u, const struct seg *s)
{
    if (!(c->flags & CONN_TIMESTAMPS) || !(s->opt.has & OPT_TIMESTAMP) || u->judged || !u->sent ||
        seq_lt(s->ack, u->first))
        return false;
    u->judged = true;
    return s->opt.tsecr != 0 && (int32_t)(s->opt.tsecr - u->stamp) < 0;
}

/* RFC 5682, section 2.1 with 3.1's allowance for SACK. `advanced` in step 3 means that something
 * was acknowledged that went out once only: step 2 saw the end of what had gone twice. */
static bool f_rto(struct conn *c, struct undo *u, const struct seg *s, bool advanced)
{
    const struct queue *q = c->queue;

    switch (u->frto) {
    case FRTO_FIRST:
        if (!advanced) { /* 2a; with SACK a duplicate only fills the scoreboard */
            if (!(c->flags & CONN_SACK))
                u->frto = FRTO_NONE;
            return false;
        }
        /* 2a: it acknowledges all that was out, or not all of what went again; or there is
         * nothing new to send, or no room for it. */
        if (!q || seq_geq(s->ack, u->end) || (queue_at(q, 0)->flags & QUEUE_RETRANSMITTED) ||
            queue_unsent(q, c->snd.nxt) == 0 ||
            seq_geq(c->snd.nxt, seq_add(c->snd.una, c->snd.wnd)))
            u->frto = FRTO_NONE;
        else
            u->frto = FRTO_SECOND;
        return false;
    case FRTO_SECOND:
        u->frto = FRTO_NONE;
        return advanced; /* 3b, else 3a */
    default:
        return false;
    }
}

/* RFC 3708: all that was sent again arrived twice. */
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
    /* A mark of congestion is a reason for the reduction whatever was lost. */
    if (spurious && !((s->flags & SEG_ECE) && (c->flags & CONN_ECN)))
        take_back(c);
}

bool undo_wants_new(const struct conn *c)
{
    return c->loss && c->loss->undo.frto == FRTO_SECOND;
}
