/*
 * The tracker's sequence numbers. For each segment this file decides whether it can be believed,
 * enters its numbers into the halves of struct track, and returns whether it is new, repeated, out
 * of order or a probe. What the numbers say about states is decided in track_infer.c.
 *
 * The sender of the segment is called x here, and the other side y.
 */
#include "lib/core/track.h"

#include "lib/core/track_infer.h"

#define WINDOW_MAX (1u << 30) /* the largest possible window (RFC 7323, section 2.2) */
#define SHIFT_MAX 14          /* RFC 7323, section 2.3 */
#define IDLE 5                /* ticks of 2^28 ns: a difference of this many is at least a second */

/* Returns whether h cannot have used the number n because it is below h's SYN. It is checked only
 * while the SYN is near enough for the comparison to be meaningful. */
static bool below_syn(const struct track_half *h, struct seq n)
{
    return seen(h, SEEN_SYN) && h->next.v - h->isn.v < WINDOW_MAX && seq_lt(n, h->isn);
}

/* Returns whether x's segment has a FIN in the place of its SYN, or below it. Such a FIN is never
 * accepted: without that SYN, y cannot interpret x's segments, and with it the FIN lies below
 * RCV.NXT (RFC 9293, 3.10.7.4, first). So an ACK of this number is an ACK of the SYN. */
static bool fin_below_syn(const struct track_half *x, const struct seg *s)
{
    return (s->flags & SEG_FIN) && below_syn(x, seq_sub(seg_end(s), 2));
}

/* The reasons for not believing a segment. */
enum doubt {
    DOUBT_NONE,
    DOUBT_UNSENT,    /* it acknowledges what y was not seen to send */
    DOUBT_OVERRUN,   /* it lies beyond any window that y can have offered */
    DOUBT_MISPLACED, /* it contradicts the known place of x's FIN, or lies behind it */
    DOUBT_IMPOSSIBLE
};

/* Returns whether the end of x's segment agrees with the place of its FIN. */
static bool fits_fin(const struct track_half *x, const struct seg *s)
{
    struct seq end = seg_end(s);

    if (seen(x, SEEN_FIN)) /* nothing lies behind a FIN, and it does not move */
        return seq_leq(end, seq_add(x->fin, 1)) &&
               (!(s->flags & SEG_FIN) || seq_eq(end, seq_add(x->fin, 1)));
    if ((s->flags & SEG_FIN) && seen(x, SEEN_ANY))
        return seq_gt(end, x->next) || (seq_eq(end, x->next) && !seen(x, SEEN_LAST_NOT_FIN));
    return true;
}

/* Returns the highest number at which x can have sent, given what y acknowledged and offered.
 * `edge` is not used: an ACK on an old segment moves SND.UNA but not SND.WND, so a sender may
 * correctly go further (RFC 9293, 3.10.7.4, SND.WL1). */
static struct seq reach(const struct track_half *x, const struct track_half *y, struct seq acked)
{
    bool known = seen(x, SEEN_SYN) && seen(y, SEEN_SYN);

    return seq_add(acked, known ? y->max_window : WINDOW_MAX);
}

/* Returns why x cannot have sent this segment, or why y would not accept it. */
static enum doubt doubt_of(const struct track_half *x, const struct track_half *y,
                           const struct seg *s)
{
    if (!(s->flags & SEG_ACK))
        return DOUBT_IMPOSSIBLE; /* RFC 9293, 3.10.7.4, fifth: dropped */
    if ((seen(y, SEEN_ACK) && seq_lt(s->seq, seq_sub(y->acked, WINDOW_MAX))) ||
        (seen(x, SEEN_ANY) && below_syn(x, s->seq)))
        return DOUBT_IMPOSSIBLE;
    if (fin_below_syn(x, s))
        return DOUBT_IMPOSSIBLE;
    if (!fits_fin(x, s))
        return DOUBT_MISPLACED;
    if (seen(y, SEEN_ANY) &&
        (seq_lt(s->ack, seq_sub(y->next, WINDOW_MAX)) || below_syn(y, seq_sub(s->ack, 1))))
        return DOUBT_IMPOSSIBLE;
    if (seen(y, SEEN_ANY) && seq_gt(s->ack, y->next))
        return DOUBT_UNSENT;
    if (seen(y, SEEN_ACK) && seq_gt(s->seq, reach(x, y, y->acked)))
        return DOUBT_OVERRUN;
    return DOUBT_NONE;
}

/* Records x's FIN. */
static void enter_fin(const struct inference *l, struct track_half *x, struct track_half *y,
                      struct seq fin)
{
    x->fin = fin;
    x->fin_at = l->now;
    x->seen |= SEEN_FIN | SEEN_OPEN;
    y->before = y->next;
}

/* h's numbers advance to `next`. Data that h sent before and that was not believed now has its
 * place, and so has its FIN, unless `covered` says that other bytes took that place. If the FIN is
 * not last, y may have accepted it or not. Returns whether a FIN was recorded. */
static bool confirm_overrun(const struct inference *l, struct track_half *h, struct seq next,
                            bool covered)
{
    bool last = !covered && !seen(h, SEEN_OVERRUN_DATA) && seq_eq(next, h->overrun);
    bool fin = seen(h, SEEN_OVERRUN_FIN) && !seen(h, SEEN_FIN) && last;

    if (!seen(h, SEEN_OVERRUN) || seq_lt(next, h->overrun))
        return false;
    if (seen(h, SEEN_OVERRUN_FIN) && !last)
        infer_fin_ambiguous(l);
    h->seen &= ~(uint32_t)(SEEN_OVERRUN | SEEN_OVERRUN_FIN | SEEN_OVERRUN_DATA);
    if (fin)
        enter_fin(l, h, h == l->x ? l->y : l->x, seq_sub(h->overrun, 1));
    return fin;
}

/* Updates y when x acknowledges what y was not believed to have sent. */
static void follow_sender(struct inference *l)
{
    struct track_half *y = l->y;

    /* A FIN that is not last was not one, or not the one that was accepted. */
    if (seen(y, SEEN_FIN)) {
        y->seen &= ~(uint32_t)SEEN_FIN;
        infer_fin_ambiguous(l);
    }
    y->next = l->s->ack;
    if (!seen(y, SEEN_ANY))
        y->before = y->next;
    y->seen = (y->seen | SEEN_ANY) & ~(uint32_t)SEEN_LAST_NOT_FIN;
    y->misfits = 0;
    infer_followed(l, confirm_overrun(l, y, y->next, false));
}

/* Updates y when x sends where only an ACK of y that was not believed can have allowed it. */
static void follow_acker(struct inference *l)
{
    struct track_half *x = l->x, *y = l->y;

    y->acked = y->unsent_ack;
    y->edge = seq_max(y->edge, seq_add(y->acked, y->max_window));
    y->seen &= ~(uint32_t)SEEN_UNSENT_ACK;
    y->misfits = 0;
    if (seq_gt(y->acked, x->next)) {
        x->next = y->acked;
        x->seen &= ~(uint32_t)SEEN_LAST_NOT_FIN;
        l->t->gaps = true;
    }
}

/* Records a FIN of x that was not believed and that has data behind it: y may have accepted it all
 * the same. */
static void lose_fin(struct track_half *x, struct seq end)
{
    if (seen(x, SEEN_LOST_FIN) && !seq_eq(x->lost, end))
        x->seen |= SEEN_LOST_FINS;
    x->seen |= SEEN_LOST_FIN;
    x->lost = end;
}

/* Returns whether the ACK of x can be that of a FIN recorded by lose_fin(). */
static bool takes_lost_fin(const struct inference *l)
{
    const struct track_half *x = l->x, *y = l->y;
    bool newer = !seen(x, SEEN_ACK) || seq_gt(l->s->ack, x->acked);

    return (seen(y, SEEN_LOST_FIN) && seq_eq(l->s->ack, y->lost)) ||
           (seen(y, SEEN_LOST_FINS) && newer);
}

/* Stores what a segment that is not believed claims, in case the other side confirms it. */
static void enter_unsent(struct inference *l, enum doubt doubt)
{
    struct track_half *x = l->x;
    const struct seg *s = l->s;
    struct seq end = seg_end(s);
    bool on = seen(x, SEEN_OVERRUN) && seq_eq(s->seq, x->overrun);
    bool more = seen(x, SEEN_UNSENT_ACK) && seq_gt(s->ack, x->unsent_ack);
    bool fits = doubt == DOUBT_UNSENT ? more : on;
    bool beyond = !seen(x, SEEN_ANY) || seq_gt(end, x->next) ||
                  ((s->flags & SEG_FIN) && seq_eq(end, x->next));

    if ((seen(l->y, SEEN_ACK) && seq_geq(l->y->acked, end)) || fin_below_syn(x, s))
        beyond = false; /* y has received all of it, or will accept none of it */
    l->t->doubts = true;
    if (doubt == DOUBT_UNSENT && (more || !seen(x, SEEN_UNSENT_ACK))) {
        x->unsent_ack = s->ack;
        x->seen |= SEEN_UNSENT_ACK;
    }
    if (beyond && (!seen(x, SEEN_OVERRUN) || seq_gt(end, x->overrun))) {
        if (seen(x, SEEN_OVERRUN_FIN))
            lose_fin(x, x->overrun);
        x->overrun = end;
        x->seen &= ~(uint32_t)(SEEN_OVERRUN_FIN | SEEN_OVERRUN_DATA);
        x->seen |= SEEN_OVERRUN;
    }
    if (beyond && seq_eq(end, x->overrun) && (s->flags & SEG_FIN))
        x->seen |= SEEN_OVERRUN_FIN;
    else if (beyond && seq_eq(end, x->overrun) && s->len > 0)
        x->seen |= SEEN_OVERRUN_DATA;
    else if (beyond && (s->flags & SEG_FIN))
        lose_fin(x, end);
    if (fits && x->misfits < TRACK_MISFITS)
        x->misfits++;
}

/* Handles a segment in which x contradicts itself about the place of its FIN. It changes nothing if
 * y had already accepted the bytes. */
static void misplaced(struct inference *l)
{
    const struct track_half *x = l->x, *y = l->y;
    bool taken = seen(y, SEEN_ACK) && seq_geq(y->acked, seg_end(l->s));
    bool ended = seen(x, SEEN_FIN) && seen(y, SEEN_ACK) && seq_gt(y->acked, x->fin);

    if (taken || ended)
        return;
    /* How far x may send is not known before y's first acknowledgement. */
    if ((l->s->flags & SEG_FIN) &&
        (!seen(y, SEEN_ACK) || seq_leq(seg_end(l->s), reach(x, y, y->acked))))
        infer_fin_ambiguous(l);
    else
        enter_unsent(l, DOUBT_OVERRUN);
}

/* Checks the segment's doubt once more if an ACK of y that was not believed can have allowed it.
 * Returns the doubt that remains. */
static enum doubt invited(struct inference *l, enum doubt doubt)
{
    struct track_half *x = l->x, *y = l->y;

    if (doubt != DOUBT_OVERRUN || !seen(y, SEEN_UNSENT_ACK) || seq_leq(y->unsent_ack, y->acked) ||
        seq_gt(l->s->seq, reach(x, y, y->unsent_ack)))
        return doubt;
    follow_acker(l);
    return doubt_of(x, y, l->s);
}

/* Returns whether the segment counts, after comparing what is unexpected about it with what the
 * other side sent. */
static bool believed(struct inference *l)
{
    struct track_half *x = l->x, *y = l->y;
    const struct seg *s = l->s;
    enum doubt doubt = invited(l, doubt_of(x, y, s));
    bool news = doubt == DOUBT_UNSENT || (doubt == DOUBT_NONE && !seen(y, SEEN_ANY)) ||
                (doubt == DOUBT_NONE && seen(y, SEEN_OVERRUN_FIN) && seq_eq(s->ack, y->overrun));

    if (takes_lost_fin(l))
        infer_fin_ambiguous(l);
    if (news && seen(y, SEEN_OVERRUN) && seq_leq(s->ack, y->overrun)) {
        follow_sender(l);
        doubt = invited(l, doubt_of(x, y, s));
    }
    /* Data beyond the window may be forged, but it does not acknowledge y's FIN by chance. */
    if (doubt == DOUBT_OVERRUN && seen(y, SEEN_FIN) && seq_eq(s->ack, seq_add(y->fin, 1)))
        infer_got_fin(l);
    /* y may ignore an ACK that is too old, and accept the rest of its segment. */
    if (doubt == DOUBT_UNSENT || doubt == DOUBT_OVERRUN ||
        (doubt == DOUBT_IMPOSSIBLE && (s->flags & SEG_ACK)))
        enter_unsent(l, doubt);
    else if (doubt == DOUBT_MISPLACED)
        misplaced(l);
    /* Where segments were missed, what does not fit may be true. */
    if (doubt != DOUBT_NONE && l->t->gaps)
        infer_misfit(l);
    return doubt == DOUBT_NONE;
}

/* Returns the notes for a segment without data at the next number: what it answers, if anything. */
static unsigned note_pure_ack(struct track_half *x, struct track_half *y, const struct seg *s)
{
    bool again = seen(x, SEEN_ACK) && seq_eq(s->ack, x->acked);

    /* An answer acknowledges what the prober had sent by then, and nothing new. */
    if (again && seen(y, SEEN_PROBE) && seq_eq(s->ack, y->probed)) {
        y->seen &= ~(uint32_t)SEEN_PROBE;
        return TRACK_PROBE_ANSWER;
    }
    if (again && seen(y, SEEN_UNACCEPTABLE)) {
        y->seen &= ~(uint32_t)SEEN_UNACCEPTABLE;
        return TRACK_CHALLENGE;
    }
    return again && seq_lt(s->ack, y->next) && s->wnd == x->wnd ? TRACK_DUPLICATE_ACK : TRACK_NEW;
}

/* Returns how the segment compares with those before it. */
static unsigned note(struct track_half *x, struct track_half *y, const struct seg *s)
{
    unsigned notes = s->wnd == 0 ? TRACK_ZERO_WINDOW : TRACK_NEW;
    uint32_t len = seg_len(s);
    bool idle = seen(y, SEEN_ACK) && seq_eq(y->acked, x->next);
    bool scaled = seen(x, SEEN_SYN) && seen(y, SEEN_SYN) && seen(y, SEEN_ACK);

    if (scaled && len > 0 && seq_geq(s->seq, y->edge))
        notes |= TRACK_OUT_OF_WINDOW; /* usually a window probe */
    if (s->len == 1 && !(s->flags & SEG_FIN) && seen(y, SEEN_ACK) && y->wnd == 0 &&
        seq_eq(s->seq, y->acked))
        notes |= TRACK_WINDOW_PROBE;
    if (!seen(x, SEEN_ANY))
        return notes;
    if (seen(y, SEEN_PROBE) && seq_gt(s->ack, y->probed))
        y->seen &= ~(uint32_t)SEEN_PROBE; /* what comes now answers something later */
    if (idle && !(s->flags & SEG_FIN) && s->len <= 1 && seq_eq(seq_add(s->seq, 1), x->next) &&
        seen(x, SEEN_ACK) && seq_geq(s->ack, x->acked)) {
        if (!seen(x, SEEN_PROBE)) /* otherwise an answer may be that of an earlier probe */
            y->asked = true;
        x->seen |= SEEN_PROBE;
        x->probed = x->next;
        return notes | TRACK_PROBE;
    }
    if (len > 0 && seq_lt(s->seq, x->next))
        notes |= TRACK_RETRANSMISSION;
    else if (seq_gt(s->seq, x->next))
        notes |= TRACK_OUT_OF_ORDER;
    else if (len == 0 && seq_eq(s->seq, x->next))
        notes |= note_pure_ack(x, y, s);
    return notes;
}

/* Enters x's ACK and the right edge of its window, which never moves left (RFC 9293, 3.8.6). */
static void enter_ack(struct inference *l)
{
    struct track_half *x = l->x, *y = l->y;
    const struct seg *s = l->s;
    bool first = !seen(x, SEEN_ACK);
    bool scaled = seen(x, SEEN_WSCALE) && seen(y, SEEN_WSCALE) && !(s->flags & SEG_SYN);
    uint32_t wnd = (uint32_t)s->wnd << (scaled ? x->shift : 0);
    struct seq edge = seq_add(s->ack, wnd);

    if (x->max_window < wnd)
        x->max_window = wnd;
    l->newer = first || seq_gt(s->ack, x->acked);
    if (!l->newer && seg_len(s) == 0 && !seen(y, SEEN_RST_SENT_TO))
        y->opened_at = l->now - REPEAT_TICKS; /* it asks for what it has not received */
    /* A window that was rounded down to a multiple of its scale has not shrunk. */
    if (!first && seq_geq(s->ack, x->acked) &&
        seq_lt(seq_add(edge, scaled ? 1u << x->shift : 0), x->edge))
        x->seen |= SEEN_WINDOW_CLOSED | SEEN_WINDOW_SHRUNK;
    x->edge = first ? edge : seq_max(x->edge, edge);
    if (l->newer)
        x->acked = s->ack;
    if (seq_eq(s->ack, x->acked))
        x->wnd = s->wnd;
    x->seen |= SEEN_ACK;
}

/* Updates x's `before`: the end of what x sent before it acknowledged y's SYN or FIN. */
static void enter_before(const struct inference *l)
{
    struct track_half *x = l->x, *y = l->y;
    struct seq end = seg_end(l->s);
    bool acks = true;

    if (seen(y, SEEN_FIN))
        acks = seq_gt(l->s->ack, y->fin);
    else if (seen(y, SEEN_SYN) && !seen(y, SEEN_OPEN))
        acks = seq_gt(l->s->ack, y->isn);
    if (!seen(x, SEEN_ANY))
        x->before = l->s->seq;
    if (!acks)
        x->before = seq_max(x->before, end);
}

/* Returns whether y has x's FIN, according to y's own ACK. */
static bool fin_taken(const struct track_half *x, const struct track_half *y)
{
    return seen(y, SEEN_ACK) && seq_gt(y->acked, x->fin);
}

/* Enters a FIN in x's segment. `last_not_fin` says that the number before the segment is known to
 * be data. */
static void enter_first_fin(const struct inference *l, bool last_not_fin)
{
    struct track_half *x = l->x;
    struct seq end = seg_end(l->s);

    x->fin_repeated = seen(x, SEEN_FIN);
    if (seen(x, SEEN_FIN))
        return;
    /* It may be a different FIN from one sent before the first segment seen. It is not a FIN at all
     * where its number was acknowledged before. */
    if ((seen(l->y, SEEN_ACK) && seq_geq(l->y->acked, end)) || seen(x, SEEN_BYTE))
        infer_fin_ambiguous(l);
    else if ((!seen(x, SEEN_SYN) || l->t->gaps) && !last_not_fin)
        x->seen |= SEEN_UNCERTAIN_FIN;
    enter_fin(l, x, l->y, seq_sub(end, 1));
}

/* Updates the highest number sent, and whether the number before it is known not to be a FIN. */
static void enter_end(const struct inference *l)
{
    struct track_half *x = l->x;
    const struct seg *s = l->s;
    struct seq end = seg_end(s);
    /* A single byte may be a probe in the place of a FIN if the flow was not seen from its
     * beginning, if the byte lies behind a gap, or if segments were missed or not believed. */
    bool clear = seen(x, SEEN_SYN) && !l->t->gaps && !l->t->doubts && seq_eq(s->seq, x->next);
    bool data = !(s->flags & SEG_FIN) && s->len > (clear ? 0 : 1) && !(l->notes & TRACK_PROBE);
    bool last_not_fin = seen(x, SEEN_LAST_NOT_FIN) && seq_eq(s->seq, x->next);

    confirm_overrun(l, x, end, seq_geq(x->next, x->overrun) || seq_lt(s->seq, x->overrun));
    if (!seen(x, SEEN_ANY) || seq_gt(end, x->next)) {
        x->seen &= ~(uint32_t)(SEEN_LAST_NOT_FIN | SEEN_BYTE);
        x->next = end;
    }
    if (s->len == 1 && !(s->flags & SEG_FIN) && seq_eq(end, x->next))
        x->seen |= SEEN_BYTE;
    if (data && seq_eq(end, x->next))
        x->seen |= SEEN_LAST_NOT_FIN;
    x->seen |= SEEN_ANY;
    if (s->flags & SEG_FIN)
        enter_first_fin(l, last_not_fin);
    else if (s->len > 0 && seen(x, SEEN_FIN) && seq_gt(end, x->fin) && !fin_taken(x, l->y))
        infer_fin_ambiguous(l); /* a byte in the place of the FIN: y may accept either */
}

/* Records what x must know, since it acknowledges bytes that were never sent without it. With data
 * on y's SYN (RFC 7413), x may send data in SYN_RECEIVED, and its data shows nothing. */
static void enter_known(const struct inference *l)
{
    struct track_half *x = l->x;
    const struct track_half *y = l->y;
    bool beyond = seen(y, SEEN_ANY) && seq_gt(l->s->ack, y->before);
    bool fast_open = seen(y, SEEN_SYN) && seq_gt(y->before, seq_add(y->isn, 1));
    bool probe = l->notes & TRACK_PROBE;
    /* Without SYN, only a probe is sent on the SYN's number (RFC 9293, 3.8.4). The exception are
     * hosts that stay within a closed window, but those only answer. */
    bool keepalive = probe && infer_whole(l) && seq_eq(l->s->seq, x->isn) &&
                     !seen(y, SEEN_WINDOW_CLOSED) && l->idle && !l->t->gaps;

    if (beyond || keepalive || (l->s->len > 0 && !fast_open && !probe))
        x->seen |= SEEN_OPEN;
    /* In a flow not seen from its beginning, or with gaps, it is not known what y sent without
     * it. */
    if (seen(x, SEEN_FIN) && beyond && infer_whole(l) && !l->t->gaps && !l->t->doubts &&
        seq_gt(y->acked, x->fin))
        x->seen |= SEEN_FIN_ACKED;
}

/* Returns whether x may have sent this before it received y's RST. A later segment shows that x has
 * not accepted the RST. */
static bool crossed_reset(const struct inference *l)
{
    struct track_half *x = l->x;

    if (!seen(x, SEEN_RST_SENT_TO))
        return false;
    if (l->now - x->opened_at < CROSSING_TICKS)
        return true;
    x->seen &= ~(uint32_t)SEEN_RST_SENT_TO;
    x->state = STATE_UNKNOWN;
    x->certainty = CERTAINTY_ASSUMED;
    return false;
}

/* Processes a segment without SYN and RST. Returns its notes, as on_syn() and on_rst() do. */
static unsigned on_segment(struct inference *l)
{
    struct track_half *x = l->x, *y = l->y;

    if (l->t->two_syn_acks)
        infer_syn_ack(l);
    if (!believed(l))
        return TRACK_OUT_OF_WINDOW;
    x->misfits = 0;
    if (seen(x, SEEN_RST)) {
        /* An RST comes last: data beyond it shows that the RST was forged. */
        if (seq_leq(seg_end(l->s), x->next)) {
            l->t->doubts |= !seen(x, SEEN_ACK) || seq_gt(l->s->ack, x->acked);
            return note(x, y, l->s);
        }
        x->seen &= ~(uint32_t)SEEN_RST;
        x->state = STATE_UNKNOWN;
        x->certainty = CERTAINTY_ASSUMED;
    }
    l->notes = note(x, y, l->s);
    enter_before(l);
    enter_ack(l);
    enter_end(l);
    enter_known(l);
    if (!crossed_reset(l))
        infer_sender(l);
    infer_receiver(l);
    return l->notes;
}

/* Returns whether x may open this flow again: its old connection is over, or was never
 * established. */
static bool may_reopen(const struct track_half *x, const struct track_half *y, const struct seg *s)
{
    /* RFC 6191. But if x's SYN was not seen before, this may be that SYN, sent twice. */
    bool later = seq_gt(s->seq, x->next) || (seen(x, SEEN_SYN) && (s->opt.has & OPT_TIMESTAMP));

    if (s->flags & SEG_ACK) /* a SYN-ACK may be a different one as long as none was accepted */
        return !seen(x, SEEN_OPEN | SEEN_BARE_SYN) && !seen(y, SEEN_ACK) && seen(y, SEEN_SYN);
    if (x->state == STATE_TIME_WAIT || y->state == STATE_TIME_WAIT)
        return later;
    if (x->state == STATE_CLOSED || y->state == STATE_CLOSED)
        return true;
    if (x->state == STATE_UNKNOWN && y->state == STATE_UNKNOWN)
        return true;
    return x->state == STATE_SYN_SENT && !seen(y, SEEN_ANY) && seq_gt(s->seq, x->isn);
}

static const struct track_half unknown = {.state = STATE_UNKNOWN};

/* Enters the SYN that identifies x's connection from now on. */
static void enter_syn(struct inference *l)
{
    struct track_half *x = l->x;
    const struct track_half *y = l->y;
    const struct seg *s = l->s;
    /* Where y has already acknowledged this SYN, there was a SYN without ACK before it. Where that
     * one was missed, y may have received it, be in SYN_RECEIVED, and answer this SYN-ACK as a
     * segment that it cannot accept (RFC 9293, 3.10.7.4, first). */
    bool first =
        !l->t->gaps && !l->t->missed_before_syn && !(seen(y, SEEN_ACK) && seq_gt(y->acked, s->seq));

    x->isn = s->seq;
    x->next = seg_end(s);
    x->opened_at = l->now;
    x->before = (s->flags & SEG_ACK) && first ? s->seq : x->next;
    x->seen |= SEEN_ANY | SEEN_SYN | SEEN_LAST_NOT_FIN;
    if (!(s->flags & SEG_ACK))
        x->seen |= SEEN_BARE_SYN;
    if (s->opt.has & (OPT_WSCALE | OPT_CUT)) { /* one that was not captured may be any */
        const bool known = (s->opt.has & OPT_WSCALE) && s->opt.wscale <= SHIFT_MAX;
        x->seen |= SEEN_WSCALE;
        x->shift = known ? s->opt.wscale : SHIFT_MAX;
    }
}

/* Processes a SYN or SYN-ACK, which may begin a new connection. */
static unsigned on_syn(struct inference *l)
{
    struct track_half *x = l->x, *y = l->y;
    const struct seg *s = l->s;
    bool ack = s->flags & SEG_ACK;
    bool same = seen(x, SEEN_SYN) && seq_eq(s->seq, x->isn);
    bool again = same && (!ack || seen(x, SEEN_ACK));
    bool bad_ack = ack && seen(y, SEEN_ANY) &&
                   (seq_gt(s->ack, y->next) || (seen(y, SEEN_SYN) && seq_leq(s->ack, y->isn)));

    if ((s->flags & SEG_FIN) || bad_ack)
        return TRACK_OUT_OF_WINDOW;
    if (!same && seen(x, SEEN_ANY) && !may_reopen(x, y, s)) {
        x->seen |= SEEN_UNACCEPTABLE; /* RFC 5961, section 4 */
        return TRACK_OUT_OF_WINDOW;
    }
    if (!same) {
        /* Where x's SYN was not seen, this may be the SYN of the present connection. */
        bool vague = seen(x, SEEN_ANY) && !seen(x, SEEN_SYN) && seq_leq(s->seq, x->next);
        bool heard = seen(y, SEEN_ANY);
        if (!ack && (seen(x, SEEN_ANY) || y->state == STATE_CLOSED))
            *y = unknown;
        l->t->two_syn_acks = ack && seen(x, SEEN_SYN);
        l->t->earlier_isn = x->isn;
        *x = unknown;
        if (!ack && !seen(y, SEEN_ANY)) { /* what crosses x's SYN stays valid */
            /* A SYN of y that crosses this one may be among what was missed. */
            l->t->missed_before_syn = l->t->gaps || (l->t->missed_before_syn && !heard);
            l->t->gaps = l->t->doubts = l->t->fin_ambiguous = false;
        }
        l->t->fin_ambiguous |= vague;
    }
    l->notes = again ? TRACK_RETRANSMISSION : TRACK_NEW;
    if (!same)
        enter_syn(l);
    else if (seen(x, SEEN_OPEN) || (!ack && seen(x, SEEN_ACK)))
        return TRACK_RETRANSMISSION; /* it has sent other segments since it sent this */
    else if (!(s->opt.has & (OPT_WSCALE | OPT_CUT)))
        x->seen &= ~(uint32_t)SEEN_WSCALE; /* RFC 7323, 2.2: what it leaves off it does not use */
    bool asked = ack && seen(y, SEEN_SYN_UNANSWERED);
    if (ack)
        y->seen &= ~(uint32_t)SEEN_SYN_UNANSWERED;
    else
        x->seen |= SEEN_SYN_UNANSWERED;
    if (crossed_reset(l))
        return l->notes;
    if (ack) {
        enter_ack(l);
        y->before = seq_max(y->before, s->ack); /* as a rule it answers a SYN without ACK */
        infer_proved(l, STATE_SYN_RECEIVED, again ? CAUSE_SYN_ACK_REPEATED : CAUSE_SYN_ACK);
    } else {
        infer_proved(l, STATE_SYN_SENT, again ? CAUSE_SYN_REPEATED : CAUSE_SYN);
    }
    infer_receiver(l);
    return asked ? l->notes & ~(unsigned)TRACK_RETRANSMISSION : l->notes;
}

/* Handles an RST from a side whose SYN was not seen, while the other side's SYN waits for its
 * answer. */
static unsigned on_refusal(struct inference *l)
{
    const struct track_half *y = l->y;

    /* RFC 9293, 3.10.7.3, first and second: without an ACK of the SYN it is ignored. */
    if (!(l->s->flags & SEG_ACK) || seq_leq(l->s->ack, y->isn) || seq_gt(l->s->ack, y->next))
        return TRACK_OUT_OF_WINDOW;
    infer_assumed(l->x, l->number, STATE_CLOSED, CAUSE_REFUSED);
    infer_assumed(l->y, l->number, STATE_CLOSED, CAUSE_REFUSED);
    return TRACK_NEW;
}

/* Processes an RST. */
static unsigned on_rst(struct inference *l)
{
    struct track_half *x = l->x, *y = l->y;
    struct seq n = l->s->seq;
    /* In SYN_SENT, an RST answers an ACK of something never sent, and ends nothing. */
    bool sent = !seen(x, SEEN_SYN) || (seq_gt(n, x->isn) && seq_leq(n, x->next));
    bool asked = seen(y, SEEN_ACK) && seq_eq(n, y->acked) && sent;
    bool exact = asked || (seen(x, SEEN_ANY) && seq_eq(n, x->next));
    bool known = seen(x, SEEN_ANY) || seen(y, SEEN_ACK);
    bool window = seen(x, SEEN_SYN) && seen(y, SEEN_SYN) && seen(y, SEEN_ACK);

    if (!seen(x, SEEN_ANY) && seen(y, SEEN_SYN) && !seen(y, SEEN_ACK))
        return on_refusal(l);
    if (!known || (!exact && !(window && seq_gt(n, y->acked) && seq_lt(n, y->edge))))
        return TRACK_OUT_OF_WINDOW;
    if (!exact) {
        x->seen |= SEEN_UNACCEPTABLE; /* RFC 5961, section 3 */
        return TRACK_NEW;
    }
    /* A passive opener may be back in LISTEN, where an ACK is answered with an RST as well. In
     * SYN_RECEIVED, an ACK of something never sent is, too, and such an ACK may have been missed
     * (RFC 9293, 3.10.7.4, fifth). */
    bool over =
        l->t->gaps ? seen(x, SEEN_OPEN) && infer_whole(l) : seen(x, SEEN_OPEN | SEEN_BARE_SYN);
    if (over && !seen(y, SEEN_UNSENT_ACK))
        infer_proved(l, STATE_CLOSED, CAUSE_RST);
    else
        infer_assumed(x, l->number, STATE_CLOSED, CAUSE_RST);
    x->seen |= SEEN_RST;
    if (seen(y, SEEN_ANY) && y->state != STATE_CLOSED) {
        bool back = y->state == STATE_SYN_RECEIVED && !seen(y, SEEN_BARE_SYN);
        infer_assumed(y, l->number, back ? STATE_LISTEN : STATE_CLOSED, CAUSE_RST_SENT);
        y->seen |= SEEN_RST_SENT_TO;
        y->opened_at = l->now;
    }
    return TRACK_NEW;
}

/* What is known of each side of an open flow of which nothing is in doubt, and what may be known
 * beside that. That y has received x's SYN it need not have shown, as with the client's first data,
 * if little has been sent: then its own SYN is near enough to compare with (below_syn()). */
#define OPEN_FLOW ((uint32_t)(SEEN_ANY | SEEN_SYN | SEEN_ACK))
#define OPEN_FLOW_ALSO                                                                             \
    ((uint32_t)(SEEN_BARE_SYN | SEEN_WSCALE | SEEN_LAST_NOT_FIN | SEEN_BYTE | SEEN_WINDOW_CLOSED | \
                SEEN_WINDOW_SHRUNK | SEEN_SYN_UNANSWERED))

/* Returns whether the segment is what most segments are (Van Jacobson called it header prediction):
 * the next data in order, or an ACK alone, on a connection that is open and of which nothing is in
 * doubt, from a side that is proved to be ESTABLISHED. It is believed, and changes no state: of
 * what on_segment() does, only its numbers remain to be entered. */
static bool is_plain(const struct inference *l)
{
    const struct track *t = l->t;
    const struct track_half *x = l->x, *y = l->y;
    const struct seg *s = l->s;
    const uint32_t ahead = s->seq.v - y->acked.v; /* of what y has acknowledged */
    const uint32_t behind = y->next.v - s->ack.v; /* what y has sent */

    return (s->flags & (SEG_ACK | SEG_SYN | SEG_FIN | SEG_RST)) == SEG_ACK && s->wnd &&
           s->len != 1 && (x->seen & ~OPEN_FLOW_ALSO) == (OPEN_FLOW | SEEN_OPEN) &&
           (y->seen & ~(OPEN_FLOW_ALSO | SEEN_OPEN)) == OPEN_FLOW &&
           (seen(y, SEEN_OPEN) || y->next.v - y->isn.v < WINDOW_MAX) &&
           x->state == STATE_ESTABLISHED && x->certainty == CERTAINTY_PROVED &&
           y->state == STATE_ESTABLISHED && !t->gaps && !t->doubts && !t->fin_ambiguous &&
           seq_eq(s->seq, x->next) && ahead <= y->max_window && behind < WINDOW_MAX &&
           behind < y->next.v - y->isn.v && (s->len == 0 || seq_lt(s->seq, y->edge));
}

/* Enters the numbers of such a segment. Returns its notes. */
static unsigned on_plain(struct inference *l)
{
    struct track_half *x = l->x;
    const uint32_t len = l->s->len;
    const unsigned notes = len ? TRACK_NEW : note_pure_ack(x, l->y, l->s);

    x->misfits = 0;
    enter_ack(l);
    if (len) {
        x->next = seq_add(x->next, len);
        x->seen = (x->seen & ~(uint32_t)SEEN_BYTE) | SEEN_LAST_NOT_FIN;
    }
    return notes;
}

void track_init(struct track *t)
{
    *t = (struct track){.half = {unknown, unknown}};
}

/* Begins with a segment: gives it a number, and notes its time. */
static struct inference arrived(struct track *t, wave_time at, enum track_side from,
                                const struct seg *s)
{
    const struct inference l = {.t = t,
                                .x = &t->half[from],
                                .y = &t->half[from == TRACK_A ? TRACK_B : TRACK_A],
                                .s = s,
                                .number = ++t->number,
                                .now = (uint32_t)(at >> 20),
                                .idle = (uint16_t)((at >> 28) - t->last_at) >= IDLE};

    t->last_at = (uint16_t)(at >> 28);
    return l;
}

static unsigned in_full(struct inference *l)
{
    const struct seg *s = l->s;
    unsigned notes;

    if (s->flags & SEG_RST)
        notes = on_rst(l);
    else if (s->flags & SEG_SYN)
        notes = on_syn(l);
    else
        notes = on_segment(l);
    if (s->wnd == 0 && !(s->flags & SEG_RST))
        l->x->seen |= SEEN_WINDOW_CLOSED;
    if (!(notes & TRACK_OUT_OF_WINDOW))
        l->x->seen &= ~(uint32_t)SEEN_SILENT;
    return notes;
}

unsigned track_segment_in_full(struct track *t, wave_time at, enum track_side from,
                               const struct seg *s)
{
    struct inference l = arrived(t, at, from, s);

    return in_full(&l);
}

unsigned track_segment(struct track *t, wave_time at, enum track_side from, const struct seg *s)
{
    struct inference l = arrived(t, at, from, s);

    return is_plain(&l) ? on_plain(&l) : in_full(&l);
}

void track_silent(struct track *t, enum track_side side)
{
    t->half[side].seen |= SEEN_SILENT;
}

void track_gap(struct track *t)
{
    t->gaps = true;
}

unsigned track_missed(struct track *t, enum track_side from, struct seq seq, uint32_t len)
{
    struct track_half *x = &t->half[from];
    struct seq end = seq_add(seq, len);
    bool below = seen(x, SEEN_ANY) && seq_lt(seq, x->next);

    t->number++;
    track_gap(t);
    if (!seen(x, SEEN_ANY) || seq_gt(end, x->next)) {
        x->seen &= ~(uint32_t)(SEEN_LAST_NOT_FIN | SEEN_BYTE);
        x->seen |= SEEN_ANY;
        x->next = end;
    }
    /* It may have been sent without an ACK of anything. */
    x->before = seq_max(x->before, end);
    return below ? TRACK_RETRANSMISSION : TRACK_NEW;
}

void track_unsent(struct track *t)
{
    t->number++;
}

bool track_fin(const struct track *t, enum track_side side, struct seq *end)
{
    const struct track_half *h = &t->half[side];

    if (!seen(h, SEEN_FIN))
        return false;
    *end = seq_add(h->fin, 1);
    return true;
}

bool track_fin_acked(const struct track *t, enum track_side side)
{
    const struct track_half *h = &t->half[side], *other = &t->half[!side];

    return seen(h, SEEN_FIN) && fin_taken(h, other);
}
