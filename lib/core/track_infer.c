/*
 * The tracker's states. A segment is used twice: infer_sender() concludes from it in which state
 * its sender was, and infer_receiver() what its receiver becomes if it arrives. infer_proved() and
 * infer_assumed() apply a conclusion, unless a stronger one stands. As in track.c, x sent the
 * segment, and y is the other side. track.h explains the rules.
 */
#include "lib/core/track_infer.h"

/* Returns how far a side is in its life. A proof never moves a side back from a proved state, and
 * only a contradiction moves it back from an assumed one. */
static int state_order(uint8_t state)
{
    static const uint8_t ranks[STATE_COUNT] = {
        [STATE_UNKNOWN] = 0,      [STATE_LISTEN] = 1,      [STATE_SYN_SENT] = 2,
        [STATE_SYN_RECEIVED] = 3, [STATE_ESTABLISHED] = 4, [STATE_FIN_WAIT_1] = 5,
        [STATE_CLOSE_WAIT] = 5,   [STATE_FIN_WAIT_2] = 6,  [STATE_CLOSING] = 6,
        [STATE_LAST_ACK] = 6,     [STATE_TIME_WAIT] = 7,   [STATE_CLOSED] = 8,
    };
    return ranks[state];
}

/* Returns whether x has not received y's FIN, although it must have by now if it ever does: x's ACK
 * stops before the FIN, and either a second has passed, or the FIN was repeated, or the ACK itself
 * is repeated, which answers something that y sent after all of its data. */
static bool stops(const struct inference *l)
{
    const struct track_half *y = l->y;
    const struct seg *s = l->s;

    if (!seen(y, SEEN_FIN) || seg_len(s) > 0 || seq_gt(s->ack, y->fin) ||
        !seq_eq(s->seq, l->x->next))
        return false;
    return y->fin_repeated || l->now - y->fin_at >= CROSSING_TICKS ||
           ((l->notes & TRACK_DUPLICATE_ACK) && seq_eq(s->ack, y->fin));
}

/* Returns whether a side in this state has the other side's FIN. */
static bool has_fin(uint8_t state)
{
    return state == STATE_CLOSE_WAIT || state == STATE_LAST_ACK || state == STATE_CLOSING ||
           state == STATE_TIME_WAIT;
}

/* Returns whether the segment contradicts what was assumed before. A repeated SYN or FIN was not
 * acknowledged, and an answer was sent after its probe; an ACK that stops() before the other side's
 * FIN contradicts, too. A plain ACK, data or a first SYN-ACK does not: it may merely have crossed
 * the segment on which the assumption rests. */
static bool contradicts(const struct inference *l)
{
    return (l->s->flags & (SEG_FIN | SEG_RST)) ||
           ((l->s->flags & SEG_SYN) && (l->notes & TRACK_RETRANSMISSION)) ||
           ((l->notes & TRACK_PROBE_ANSWER) && l->x->asked) || (has_fin(l->x->state) && stops(l));
}

bool infer_whole(const struct inference *l)
{
    return (l->x->seen & l->y->seen & (SEEN_SYN | SEEN_ACK)) == (SEEN_SYN | SEEN_ACK);
}

void infer_assumed(struct track_half *h, uint32_t number, enum state state, enum cause cause)
{
    if (h->state == state)
        return;
    h->state = state;
    h->certainty = CERTAINTY_ASSUMED;
    h->asked = false;
    h->cause = cause;
    h->evidence = number;
}

/* Does what infer_assumed() does for the sender itself: its segment fits the state but does not
 * prove it. */
static void suggested(const struct inference *l, enum state state, enum cause cause)
{
    if (state_order(l->x->state) < state_order(state) ||
        (contradicts(l) && l->x->certainty == CERTAINTY_ASSUMED))
        infer_assumed(l->x, l->number, state, cause);
}

void infer_proved(const struct inference *l, enum state state, enum cause cause)
{
    struct track_half *x = l->x;
    bool proved = x->certainty == CERTAINTY_PROVED;
    bool answer = l->notes & TRACK_PROBE_ANSWER;

    /* A side that answers a SYN without having sent its own refers to an older connection. */
    bool other = seen(l->y, SEEN_SYN) && !seen(x, SEEN_SYN);

    if (l->t->fin_ambiguous || other) {
        suggested(l, state, cause);
        return;
    }
    if (state_order(x->state) > state_order(state) && (proved || !contradicts(l)))
        return;
    if (proved && x->state == state && !answer && !seen(x, SEEN_SILENT))
        return;
    x->state = state;
    x->certainty = CERTAINTY_PROVED;
    x->cause = answer ? CAUSE_ANSWER : cause;
    x->evidence = l->number;
}

/* Makes a proved state of h an assumed one. */
static void doubted(struct track_half *h, uint32_t number, enum cause cause)
{
    if (h->certainty != CERTAINTY_PROVED)
        return;
    h->certainty = CERTAINTY_ASSUMED;
    h->asked = false;
    h->cause = cause;
    h->evidence = number;
}

/* Returns whether the state is known and before both FINs: the side has not received one and has
 * not sent one. */
static bool before_both(uint8_t state)
{
    return state != STATE_UNKNOWN && state_order(state) <= state_order(STATE_ESTABLISHED);
}

/* h has sent its FIN, so it cannot be in a state from before. */
static void past_fin(struct track_half *h, uint32_t number)
{
    if (h->state == STATE_CLOSE_WAIT)
        infer_assumed(h, number, STATE_LAST_ACK, CAUSE_FIN);
    else if (before_both(h->state))
        infer_assumed(h, number, STATE_FIN_WAIT_1, CAUSE_FIN);
}

void infer_followed(const struct inference *l, bool fin)
{
    struct track_half *y = l->y;

    doubted(y, l->number, CAUSE_FOLLOWED);
    if (fin)
        past_fin(y, l->number);
}

void infer_got_fin(const struct inference *l)
{
    struct track_half *x = l->x;

    if (before_both(x->state))
        infer_assumed(x, l->number, STATE_CLOSE_WAIT, CAUSE_ACKED_FIN);
    else if (x->state == STATE_FIN_WAIT_1)
        infer_assumed(x, l->number, STATE_CLOSING, CAUSE_ACKED_FIN);
    else if (x->state == STATE_FIN_WAIT_2)
        infer_assumed(x, l->number, STATE_TIME_WAIT, CAUSE_ACKED_FIN);
}

void infer_syn_ack(const struct inference *l)
{
    struct track_half *y = l->y;

    if (seen(l->x, SEEN_ACK) || l->s->ack.v != l->t->earlier_isn.v + 1)
        return;
    y->isn = l->t->earlier_isn;
    y->next = seq_add(y->isn, 1);
    y->before = l->t->gaps || l->t->missed_before_syn ? y->next : y->isn;
    y->certainty = CERTAINTY_ASSUMED;
    l->t->two_syn_acks = false;
}

void infer_misfit(const struct inference *l)
{
    doubted(l->x, l->number, CAUSE_MISFITS);
}

void infer_fin_ambiguous(const struct inference *l)
{
    l->t->fin_ambiguous = true;
    doubted(l->x, l->number, CAUSE_NONE);
    doubted(l->y, l->number, CAUSE_NONE);
}

/* Returns whether this is the first data of x and cannot be a retransmission, since it comes so
 * soon after x's SYN and y has not asked for it twice. (A tail-loss probe can come sooner, but
 * repeats what was sent last, including the FIN: RFC 8985, 7.3.) */
static bool first_data(const struct inference *l)
{
    const struct track_half *x = l->x;

    return seen(x, SEEN_SYN) && seen(l->y, SEEN_ACK) && !l->t->gaps && !l->t->doubts &&
           seq_eq(l->s->seq, seq_add(x->isn, 1)) && l->now - x->opened_at < REPEAT_TICKS &&
           !(l->notes & (TRACK_PROBE | TRACK_RETRANSMISSION));
}

/* Returns whether x had certainly not sent a FIN when it sent this. Without data, SEQ is SND.NXT,
 * or one less in a probe: if the number before SND.NXT is data, no FIN has been sent. Data may be a
 * retransmission with a lost FIN behind it. */
static bool fin_unsent(const struct inference *l)
{
    const struct track_half *x = l->x;
    struct seq at = seq_add(seg_end(l->s), l->s->len == 0 && (l->notes & TRACK_PROBE));

    if (seen(x, SEEN_FIN) || !seen(x, SEEN_LAST_NOT_FIN) || !seq_eq(at, x->next) || l->t->gaps)
        return false;
    /* An ACK that the last byte has overtaken looks like a probe, but not long after that byte. */
    if ((l->notes & TRACK_PROBE) && seen(x, SEEN_BYTE) && !l->idle)
        return false;
    /* Hosts that stay within the window send an ACK at its edge when it has shrunk. */
    if (l->s->len == 0 && seen(l->y, SEEN_WINDOW_SHRUNK) && seq_lt(at, l->y->edge))
        return false;
    /* It may be a probe in the place of a FIN that was not believed, or whose acknowledgement alone
     * was seen. */
    if ((seen(x, SEEN_OVERRUN_FIN) && seq_eq(x->overrun, seq_add(at, 1))) ||
        (seen(l->y, SEEN_UNSENT_ACK) && seq_eq(l->y->unsent_ack, seq_add(at, 1))))
        return false;
    return l->s->len == 0 || first_data(l);
}

/* Returns whether this segment is x's FIN, or was certainly sent after it. */
static bool fin_sent(const struct inference *l)
{
    return seen(l->x, SEEN_FIN) &&
           ((l->s->flags & SEG_FIN) || seq_gt(l->s->seq, l->x->fin) || l->newer);
}

/* Concludes what x is when it has sent its FIN and has received y's: CLOSING or TIME_WAIT if its
 * own came first, LAST_ACK if not. After LAST_ACK, nothing but an RST is sent. */
static void both_fins(const struct inference *l, bool unacked, bool sure)
{
    struct track_half *x = l->x;
    bool fin = l->s->flags & SEG_FIN;
    enum cause cause = fin ? CAUSE_FIN_AND_ACK : CAUSE_ACKED_FIN;

    if (seen(x, SEEN_FIN_ACKED))
        infer_proved(l, STATE_TIME_WAIT, CAUSE_ACKED_FIN);
    else if (seen(x, SEEN_FIN_FIRST) && sure)
        infer_proved(l, STATE_CLOSING, cause);
    else if (seen(x, SEEN_FIN_FIRST) && unacked)
        suggested(l, STATE_CLOSING, cause);
    else if (seen(x, SEEN_FIN_FIRST))
        suggested(l, STATE_TIME_WAIT, CAUSE_FIN_ACK_SENT);
    else if (seen(x, SEEN_FIN_LAST))
        infer_proved(l, STATE_LAST_ACK, cause);
    else if (unacked)
        suggested(l, STATE_LAST_ACK, cause);
}

/* Concludes what x is after it has sent its FIN. `got`: it has y's FIN; `not_got`: it has certainly
 * not. */
static void after_fin(const struct inference *l, bool got, bool not_got)
{
    struct track_half *x = l->x;
    bool fin = l->s->flags & SEG_FIN;
    bool unacked = fin || (infer_whole(l) && seq_leq(l->y->acked, x->fin));
    bool sure =
        fin || (unacked && !l->t->gaps && !l->t->doubts); /* or its ACK was missed */
    enum cause cause = l->notes & TRACK_RETRANSMISSION ? CAUSE_FIN_REPEATED : CAUSE_FIN;

    if (not_got)
        x->seen |= SEEN_FIN_FIRST;
    if (got)
        both_fins(l, unacked, sure);
    else if (!not_got)
        return; /* not seen from the beginning: y's FIN may have come before */
    else if (seen(x, SEEN_FIN_ACKED))
        infer_proved(l, STATE_FIN_WAIT_2, CAUSE_ACKED_AFTER_FIN);
    else if (sure)
        infer_proved(l, STATE_FIN_WAIT_1, cause);
    else if (infer_whole(l))
        suggested(l, unacked ? STATE_FIN_WAIT_1 : STATE_FIN_WAIT_2,
                  has_fin(x->state) ? CAUSE_STOPS : CAUSE_FIN_ACK_SENT);
}

/* Does the same for x before it has sent its FIN. */
static void before_fin(const struct inference *l, bool got, bool not_got)
{
    struct track_half *x = l->x;

    if (got) {
        x->seen |= SEEN_FIN_LAST;
        infer_proved(l, STATE_CLOSE_WAIT, CAUSE_ACKED_FIN);
    } else if (not_got && seen(x, SEEN_OPEN)) {
        enum cause cause = l->s->len ? CAUSE_DATA : CAUSE_ACK;
        if (l->notes & TRACK_PROBE)
            cause = CAUSE_PROBE;
        else if (l->newer)
            cause = seq_eq(l->s->ack, seq_add(l->y->isn, 1)) ? CAUSE_ACKED_SYN : CAUSE_ACKED_DATA;
        infer_proved(l, STATE_ESTABLISHED, cause);
    }
}

/* Returns whether the number before x's newest acknowledgement, which covers all that x has of y's
 * data, is certainly not a FIN. If everything was seen, a FIN would have been seen. If not, what y
 * says about higher numbers shows that it sent no FIN below them only if y follows the rules: to
 * prove something about x, the byte itself must have been seen. */
static bool fin_lies_behind(const struct inference *l)
{
    const struct track_half *y = l->y;
    bool all = seen(y, SEEN_SYN) && !l->t->gaps && !l->t->doubts;

    if (seen(y, SEEN_UNCERTAIN_FIN) || !seen(y, SEEN_ANY))
        return false;
    if (all)
        return seen(y, SEEN_FIN | SEEN_LAST_NOT_FIN) || seq_lt(l->s->ack, y->next);
    return seen(y, SEEN_LAST_NOT_FIN) && seq_eq(l->s->ack, y->next);
}

/* Concludes what x's newest acknowledgement shows. */
static void infer_by_ack(const struct inference *l)
{
    struct track_half *x = l->x;
    const struct track_half *y = l->y;
    bool got = seen(y, SEEN_FIN) && seq_gt(l->s->ack, y->fin);
    bool not_got = !got && fin_lies_behind(l);

    if (got || stops(l))
        x->stops = !got;
    if (got && seen(y, SEEN_UNCERTAIN_FIN)) {
        infer_got_fin(l);
        if (!fin_sent(l) && fin_unsent(l))
            suggested(l, STATE_CLOSE_WAIT, CAUSE_ACKED_FIN);
        return;
    }
    if (fin_sent(l))
        after_fin(l, got, not_got);
    else if (fin_unsent(l))
        before_fin(l, got, not_got);
    else if (seen(x, SEEN_FIN) || !seen(x, SEEN_SYN))
        return;
    else if (got)
        suggested(l, STATE_CLOSE_WAIT, CAUSE_ACKED_FIN);
    else if (not_got && seen(x, SEEN_OPEN))
        suggested(l, STATE_ESTABLISHED, l->newer ? CAUSE_ACKED_DATA : CAUSE_DATA);
}

void infer_sender(const struct inference *l)
{
    if (seq_eq(l->s->ack, l->x->acked)) /* otherwise it is older than what was seen before */
        infer_by_ack(l);
    if (l->x->state == STATE_SYN_SENT) /* a state that sends nothing but SYN */
        infer_assumed(l->x, l->number, STATE_ESTABLISHED, CAUSE_ACKED_SYN);
    /* Data with an ACK of its SYN took it out of SYN_RECEIVED, where it accepts no other data. */
    else if (l->x->state == STATE_SYN_RECEIVED && l->newer)
        infer_assumed(l->x, l->number, STATE_ESTABLISHED, CAUSE_ACKED_DATA);
    if (seen(l->x, SEEN_FIN))
        past_fin(l->x, l->number);
    else if (seen(l->y, SEEN_FIN) && seq_gt(l->s->ack, l->y->fin) && before_both(l->x->state))
        infer_assumed(l->x, l->number, STATE_CLOSE_WAIT, CAUSE_ACKED_FIN);
}

/* Concludes what y is in the handshake, if this segment of x arrives. */
static void handshake(const struct inference *l)
{
    struct track_half *y = l->y;
    bool acks = (l->s->flags & SEG_ACK) && seq_gt(l->s->ack, y->isn);

    if (y->state == STATE_SYN_SENT && (l->s->flags & SEG_SYN))
        infer_assumed(y, l->number, acks ? STATE_ESTABLISHED : STATE_SYN_RECEIVED,
                      acks ? CAUSE_SYN_ACK_SENT : CAUSE_SYN_CROSSED);
    else if (y->state == STATE_SYN_RECEIVED && acks)
        infer_assumed(y, l->number, STATE_ESTABLISHED, CAUSE_HANDSHAKE_SENT);
}

void infer_receiver(const struct inference *l)
{
    struct track_half *y = l->y;
    bool acks = seen(y, SEEN_FIN) && (l->s->flags & SEG_ACK) && seq_gt(l->s->ack, y->fin);
    bool fin = seen(l->x, SEEN_FIN) && !y->stops;

    /* The ACK in an unacceptable segment is ignored (RFC 9293, 3.10.7.4, first). */
    if (l->notes & (TRACK_PROBE | TRACK_OUT_OF_WINDOW))
        return;
    handshake(l);
    switch (y->state) {
    case STATE_ESTABLISHED:
        if (fin && (l->s->flags & SEG_FIN))
            infer_assumed(y, l->number, STATE_CLOSE_WAIT, CAUSE_FIN_SENT);
        break;
    case STATE_FIN_WAIT_1:
        if (acks)
            infer_assumed(y, l->number, fin ? STATE_TIME_WAIT : STATE_FIN_WAIT_2,
                          CAUSE_FIN_ACK_SENT);
        else if (fin)
            infer_assumed(y, l->number, STATE_CLOSING, CAUSE_FIN_CROSSED);
        break;
    case STATE_FIN_WAIT_2:
        if (fin)
            infer_assumed(y, l->number, STATE_TIME_WAIT, CAUSE_FIN_SENT);
        break;
    case STATE_CLOSING:
        if (acks)
            infer_assumed(y, l->number, STATE_TIME_WAIT, CAUSE_FIN_ACK_SENT);
        break;
    case STATE_LAST_ACK:
        if (acks)
            infer_assumed(y, l->number, STATE_CLOSED, CAUSE_FIN_ACK_SENT);
        break;
    default:
        break;
    }
}
