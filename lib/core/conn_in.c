/*
 * Arriving segments: RFC 9293, 3.10.7, with its steps in their order. RFC 5961 and RFC 7323 are
 * applied where they amend a step.
 *
 * input_listen() and input_syn_sent() handle their states; input_synchronized() handles all later
 * ones. It checks the timestamp (PAWS), the window, RST and SYN, and passes what is left to
 * take_segment(), which does the ACK, the urgent pointer, the text and the FIN.
 */
#include "lib/core/cc.h"
#include "lib/core/conn_priv.h"
#include "lib/core/reasm.h"

/* The time of TS.Recent is stored in units of 2^46 ns, which is 19.5 hours. After 24 days the
 * peer's clock may have wrapped around (RFC 7323, 5.5). 30 units are certainly more than 24 days,
 * and a clock of milliseconds has not gone half way round by then. */
#define TS_UNIT 46
#define TS_RECENT_LIFE 30

/* Limited answers are counted for five units of 2^28 ns from the first one on: for a second, or up
 * to a third of a second longer. */
#define ANSWER_UNIT 28
#define ANSWER_SECOND 5
#define ANSWER_BITS 4
#define ANSWER_MAX ((1u << ANSWER_BITS) - 1)

void conn_discard(struct conn *c, wave_time now, enum check check)
{
    struct event e = {.kind = EVENT_DISCARDED, .u.check = check};

    c->env->discarded[check]++;
    conn_emit(c, now, &e);
}

/*
 * Makes an ACK due for a segment that has no data and may itself answer an ACK of ours. Only so
 * many are sent per second, or two stacks could answer each other for ever (RFC 5961, section 7).
 * Each connection has its own limit: with a limit common to all, a third party could use it up and
 * learn what happens on other connections (CVE-2016-5696).
 */
static void answer_limited(struct conn *c, wave_time now, uint32_t max)
{
    const unsigned mask = UINT16_MAX >> ANSWER_BITS;
    unsigned at = (unsigned)(now >> ANSWER_UNIT) & mask;
    unsigned began = c->answers >> ANSWER_BITS, n = c->answers & ANSWER_MAX;

    if (((at - began) & mask) >= ANSWER_SECOND) {
        began = at;
        n = 0;
    }
    if (n >= max || n >= ANSWER_MAX)
        return;
    c->answers = (uint16_t)(began << ANSWER_BITS | (n + 1));
    c->flags |= CONN_ACK_NOW;
}

/* Discards a segment and answers it with a challenge ACK, within the limit. */
static void challenge(struct conn *c, wave_time now, enum check check)
{
    conn_discard(c, now, check);
    answer_limited(c, now, c->env->config.challenge_limit);
}

static void record_timestamp(struct conn *c, wave_time now, uint32_t tsval)
{
    c->ts_recent = tsval;
    c->ts_unit = (uint8_t)(now >> TS_UNIT);
}

/*
 * The SYNs, and the LISTEN state.
 */

/* RFC 3168, 6.1.1: the SYN asks with ECE and CWR, the SYN-ACK agrees with ECE alone. */
static bool is_ecn_setup(const struct seg *s)
{
    return (s->flags & (SEG_ECE | SEG_CWR)) == (s->flags & SEG_ACK ? SEG_ECE : SEG_ECE | SEG_CWR);
}

void conn_take_syn(struct conn *c, wave_time now, const struct seg *s)
{
    const struct conn_config *config = &c->env->config;
    uint32_t mss = s->opt.has & OPT_MSS ? s->opt.mss : (c->flow.v6 ? 1220 : 536);

    c->rcv.irs = s->seq;
    c->rcv.nxt = seq_add(s->seq, 1);
    c->rcv.acked = c->rcv.nxt;
    c->rcv.adv = seq_add(c->rcv.nxt, config->rcvbuf > 65535 ? 65535 : config->rcvbuf);
    /* RFC 9293, MUST-15: the MSS is 536 or 1220 if the option is missing. */
    mss = mss < CONN_MSS_MIN ? CONN_MSS_MIN : mss;
    c->mss = (uint16_t)(mss < config->mss ? mss : config->mss);
    c->flags &= ~(uint32_t)(CONN_WSCALE | CONN_TIMESTAMPS | CONN_SACK | CONN_ECN);
    c->snd_shift = 0;
    if (config->wscale && (s->opt.has & OPT_WSCALE)) {
        c->flags |= CONN_WSCALE;
        c->snd_shift = s->opt.wscale > 14 ? 14 : s->opt.wscale; /* RFC 7323, 2.3 */
    } else {
        c->rcv_shift = 0;
    }
    if (config->timestamps && (s->opt.has & OPT_TIMESTAMP)) {
        c->flags |= CONN_TIMESTAMPS;
        record_timestamp(c, now, s->opt.tsval);
    }
    if (config->sack && (s->opt.has & OPT_SACK_PERMITTED))
        c->flags |= CONN_SACK;
    if (config->ecn && is_ecn_setup(s))
        c->flags |= CONN_ECN;
    c->snd.wnd = s->wnd; /* never scaled on a SYN: RFC 7323, 2.2 */
    c->snd.max_wnd = s->wnd;
    c->snd.wl1 = s->seq;
    c->snd.wl2 = s->flags & SEG_ACK ? s->ack : c->snd.iss;
    c->quick_acks = config->quick_acks > 15 ? 15 : config->quick_acks & 15;
    c->last_in = now;
}

/* The peer's SYN, come again. RFC 7323, 2.2 and 3.2, and RFC 2018, 2: the SYN-ACK has what the SYN
 * offers, and hosts leave options off a SYN that they must send for the third or fourth time. A
 * peer that did so scales and stamps nothing. RFC 3168, 6.1.1: after a SYN without ECN, which a
 * repeated one may be, there is none. */
static void retake_syn(struct conn *c, wave_time now, const struct seg *s)
{
    uint32_t gone = 0;

    if (!(s->opt.has & OPT_WSCALE)) {
        gone |= CONN_WSCALE;
        c->snd_shift = c->rcv_shift = 0;
    }
    if (!(s->opt.has & OPT_TIMESTAMP))
        gone |= CONN_TIMESTAMPS;
    if (!(s->opt.has & OPT_SACK_PERMITTED))
        gone |= CONN_SACK;
    if (!is_ecn_setup(s))
        gone |= CONN_ECN;
    c->flags = (c->flags | CONN_SYN_DUE) & ~gone;
    if (c->flags & CONN_TIMESTAMPS)
        record_timestamp(c, now, s->opt.tsval); /* what the repeated SYN-ACK echoes */
}

/* Processes a segment in LISTEN: RFC 9293, 3.10.7.2. */
static enum conn_input input_listen(struct conn *c, wave_time now, const struct seg *s)
{
    if (s->flags & SEG_RST) {
        conn_discard(c, now, CHECK_NO_SYN);
        return INPUT_DONE;
    }
    if (s->flags & SEG_ACK) { /* any ACK is for something we never sent */
        conn_discard(c, now, CHECK_BAD_ACK_IN_HANDSHAKE);
        return INPUT_RESET;
    }
    if (!(s->flags & SEG_SYN)) {
        conn_discard(c, now, CHECK_NO_SYN);
        return INPUT_DONE;
    }
    /* Data and FIN on the SYN are not stored. 3.10.7.2 allows them to be queued; since they are not
     * acknowledged, the peer will retransmit them, which costs us no memory. */
    conn_take_syn(c, now, s);
    c->snd.una = c->snd.iss;
    c->snd.nxt = seq_add(c->snd.iss, 1);
    c->flags |= CONN_SYN_DUE;
    conn_move(c, now, STATE_SYN_RECEIVED, "the peer's SYN");
    return INPUT_DONE;
}

void conn_handshake_done(struct conn *c, wave_time now, const struct seg *s)
{
    /* Karn (RFC 6298, section 3): a SYN that crossed the peer's was retransmitted as a SYN-ACK, and
     * gives no sample. */
    if (c->syn_sent == 1 && (c->flags & CONN_STALLED) && !(c->flags & CONN_SIMULTANEOUS))
        rtt_sample(&c->rtt, conn_syn_took(c, now));
    if (c->syn_sent > 1)
        rtt_syn_lost(&c->rtt);
    c->backoff = 0;
    c->timer[TIMER_REXMT] = WAVE_NEVER;
    c->flags = (c->flags | CONN_SYN_ACKED) & ~(uint32_t)(CONN_SYN_DUE | CONN_STALLED);
    c->snd.una = seq_add(c->snd.iss, 1);
    c->snd.wnd = (uint32_t)s->wnd << (s->flags & SEG_SYN ? 0 : c->snd_shift);
    if (c->snd.wnd > c->snd.max_wnd)
        c->snd.max_wnd = c->snd.wnd;
    c->snd.wl1 = s->seq;
    c->snd.wl2 = s->ack;
    c->last_in = now;
    cc_established(c);
}

/*
 * All other states, step by step.
 */

/* Returns whether this SYN may open a new connection although we are in TIME_WAIT (RFC 6191,
 * section 2). */
static bool may_reuse(const struct conn *c, const struct seg *s)
{
    const bool beyond = seq_gt(s->seq, c->rcv.nxt);
    const bool stamped = c->env->config.timestamps && (s->opt.has & OPT_TIMESTAMP);
    int32_t age;

    if ((s->flags & (SEG_SYN | SEG_ACK | SEG_RST | SEG_FIN)) != SEG_SYN)
        return false;
    if (!stamped) /* the new connection would have no timestamps */
        return beyond;
    if (!(c->flags & CONN_TIMESTAMPS))
        return true;
    age = (int32_t)(s->opt.tsval - c->ts_recent);
    return age > 0 || (age == 0 && beyond);
}

/* Applies RFC 7323, 5.3, R1 (PAWS). Returns false when the segment is discarded. */
static bool check_paws(struct conn *c, wave_time now, const struct seg *s)
{
    if (!(c->flags & CONN_TIMESTAMPS) || !(s->opt.has & OPT_TIMESTAMP) || (s->flags & SEG_RST) ||
        (int32_t)(s->opt.tsval - c->ts_recent) >= 0 ||
        (uint8_t)((uint8_t)(now >> TS_UNIT) - c->ts_unit) >= TS_RECENT_LIFE)
        return true;
    if (s->len > 0 && !(s->flags & SEG_SYN)) { /* data and ACKs cannot loop for ever */
        conn_discard(c, now, CHECK_PAWS);
        c->flags |= CONN_ACK_NOW;
    } else {
        challenge(c, now, CHECK_PAWS);
    }
    return false;
}

/*
 * Applies RFC 7323, 5.3, R3 to a segment that passed R1, the window (R2) and the check of its ACK.
 * So only a segment with the right numbers for both directions changes TS.Recent: an attacker who
 * could change it otherwise would make PAWS discard the peer's segments for 24 days. The segment
 * must span Last.ACK.sent (4.3).
 *
 * DEVIATES from 3.2, under which a segment without timestamps SHOULD be dropped on a connection
 * that negotiated them. Some peers and paths leave them out, Linux and FreeBSD accept such
 * segments, and to drop them would mean to lose the peer.
 */
static void take_timestamp(struct conn *c, wave_time now, const struct seg *s)
{
    if (!(c->flags & CONN_TIMESTAMPS))
        return;
    if (!(s->opt.has & OPT_TIMESTAMP)) {
        struct event e = {.kind = EVENT_TOLERATED, .u.check = CHECK_NO_TIMESTAMP};

        c->env->tolerated[CHECK_NO_TIMESTAMP]++;
        conn_emit(c, now, &e);
    } else if (seq_leq(s->seq, c->rcv.acked)) {
        record_timestamp(c, now, s->opt.tsval);
    }
}

/* Returns whether a segment is acceptable: RFC 9293, 3.4, table 6, with 3.10.7.4's exception for
 * valid ACKs. A segment without data may be at the window's right edge, where a peer is that has
 * filled the window, and one byte beyond a closed window, where a peer is that has probed it. For a
 * SYN only its own number counts, not the data behind it: a SYN before the window is the
 * retransmission of the peer's first one. */
static bool acceptable(const struct conn *c, const struct seg *s)
{
    const uint32_t wnd = conn_rcv_wnd(c), len = seg_len(s);

    if (len == 0 && !(s->flags & SEG_RST))
        return s->seq.v - c->rcv.nxt.v <= (wnd > 0 ? wnd : 1);
    if (len == 0)
        return wnd == 0 ? seq_eq(s->seq, c->rcv.nxt) : seq_within(s->seq, c->rcv.nxt, wnd);
    return wnd > 0 &&
           (seq_within(s->seq, c->rcv.nxt, wnd) ||
            (!(s->flags & SEG_SYN) && seq_within(seq_add(s->seq, len - 1), c->rcv.nxt, wnd)));
}

/* Checks RFC 5961, 5.2: (SND.UNA - MAX.SND.WND) =< SEG.ACK =< SND.NXT. Returns CHECK_NONE, or what
 * is wrong. */
static enum check check_ack(const struct conn *c, const struct seg *s)
{
    if (!(s->flags & SEG_ACK))
        return CHECK_NO_ACK;
    if (seq_gt(s->ack, c->snd.nxt))
        return CHECK_ACK_UNSENT;
    if (seq_lt(s->ack, seq_sub(c->snd.una, c->snd.max_wnd)))
        return CHECK_ACK_TOO_OLD;
    return CHECK_NONE;
}

/* Returns whether a segment in a synchronized state has the number one below what we expect, and a
 * valid acknowledgement. */
static bool is_one_below(const struct conn *c, const struct seg *s)
{
    return seq_eq(s->seq, seq_sub(c->rcv.nxt, 1)) && !(s->flags & (SEG_SYN | SEG_FIN | SEG_RST)) &&
           state_synchronized((enum state)c->state) && check_ack(c, s) == CHECK_NONE;
}

/* Returns whether the segment is a keepalive probe: its number is one below what we acknowledged,
 * and it has no data or one byte that we already received (RFC 9293, 3.8.4). A byte that we have
 * not acknowledged yet may simply be a retransmission. */
static bool is_peer_probe(const struct conn *c, const struct seg *s)
{
    return s->len <= 1 && seq_eq(c->rcv.acked, c->rcv.nxt) && is_one_below(c, s);
}

/* Returns whether a segment without data is one below what we expect, and acknowledges something
 * new. Its sender has given us a byte, or a FIN, against our closed window, and does not know yet
 * that we took it; we have done the same. If both sides only answered such a segment, they would
 * answer each other for ever (RFC 9293, A.2, and draft-gont-tcpm-tcp-seq-validation). */
static bool is_crossed_ack(const struct conn *c, const struct seg *s)
{
    return s->len == 0 && seq_gt(s->ack, c->snd.una) && is_one_below(c, s);
}

/* First step, for a segment that is not acceptable: it is answered with an ACK, unless it is an
 * RST. */
static void unacceptable(struct conn *c, wave_time now, const struct seg *s)
{
    if (is_peer_probe(c, s)) {
        struct event e = {.kind = EVENT_PEER_PROBE};
        e.u.peer_probe.silence = now - c->last_in;
        conn_emit(c, now, &e);
        if (!(s->opt.has & OPT_TIMESTAMP))
            take_timestamp(c, now, s); /* reports that it is missing; one that is there is not
                                          recorded (R2) */
        keepalive_heard(c, now);
        if (c->env->config.deaf_to_keepalive) /* DEVIATES, as the user asked */
            return;
        /* A peer whose SND.NXT is one below our RCV.NXT would answer our answer. */
        if (s->len > 0)
            c->flags |= CONN_ACK_NOW;
        else
            answer_limited(c, now, ANSWER_MAX);
        return;
    }
    if (s->flags & SEG_RST) {
        conn_discard(c, now, CHECK_SEQUENCE);
        return;
    }
    if (c->state == STATE_SYN_RECEIVED && (s->flags & (SEG_SYN | SEG_ACK)) == SEG_SYN &&
        seq_eq(s->seq, c->rcv.irs)) { /* our SYN-ACK was lost: retransmit it, not only its ACK */
        conn_discard(c, now, CHECK_SEQUENCE);
        retake_syn(c, now, s);
        return;
    }
    /* RFC 3168, 6.1.1: nor does a host send ECN-capable data that has received a SYN without it. */
    if ((s->flags & SEG_SYN) && seq_eq(s->seq, c->rcv.irs) && !is_ecn_setup(s))
        c->flags |= CONN_PLAIN_SYN;
    if (seg_len(s) == 0 || (s->flags & SEG_SYN)) { /* here two stacks could loop for ever */
        challenge(c, now, CHECK_SEQUENCE);
        return;
    }
    conn_discard(c, now, CHECK_SEQUENCE);
    c->flags |= CONN_ACK_NOW;
    if (s->len > 0 && (c->flags & CONN_SACK) && seq_lt(s->seq, c->rcv.nxt)) {
        conn_duplicate(c, s->seq, seq_min(seq_add(s->seq, s->len), c->rcv.nxt));
    }
    /* Eighth step: the 2 MSL start over with a retransmission of the FIN that was accepted, and
     * with no other segment. */
    if (c->state == STATE_TIME_WAIT && (s->flags & SEG_FIN) && seq_eq(seg_end(s), c->rcv.nxt))
        c->timer[TIMER_TIME_WAIT] =
            c->env->config.time_wait ? time_add(now, 2 * c->env->config.msl) : now;
}

/* Second step, with RFC 5961, 3.2: handles an RST in the window. */
static void take_reset(struct conn *c, wave_time now, const struct seg *s)
{
    struct event e = {.kind = EVENT_RESET, .u.seq = s->seq};

    if (!seq_eq(s->seq, c->rcv.nxt)) {
        challenge(c, now, CHECK_RST_SEQUENCE);
        return;
    }
    conn_emit(c, now, &e);
    switch (c->state) {
    case STATE_SYN_RECEIVED:
        if (c->flags & CONN_PASSIVE)
            conn_move(c, now, STATE_LISTEN, "RST answered our SYN-ACK");
        else
            conn_finish(c, now, END_REFUSED, "RST in the handshake");
        return;
    case STATE_CLOSING:
    case STATE_LAST_ACK:
    case STATE_TIME_WAIT: /* both sides had closed: nothing was cut off */
        conn_finish(c, now, c->state == STATE_TIME_WAIT ? END_CLOSED : END_RESET, "RST");
        return;
    default:
        conn_finish(c, now, END_RESET, "RST");
    }
}

/* Fourth step: handles a SYN in the window. */
static void take_stray_syn(struct conn *c, wave_time now)
{
    if (c->state == STATE_SYN_RECEIVED && (c->flags & CONN_PASSIVE)) {
        conn_discard(c, now, CHECK_SYN_IN_WINDOW);
        conn_move(c, now, STATE_LISTEN, "a second SYN");
        return;
    }
    challenge(c, now, CHECK_SYN_IN_WINDOW); /* RFC 5961, 4.2 */
}

/* Fifth step: checks the ACK. Returns false when the segment is discarded. */
static bool acceptable_ack(struct conn *c, wave_time now, const struct seg *s)
{
    const enum check wrong = check_ack(c, s);

    if (wrong == CHECK_NO_ACK)
        conn_discard(c, now, wrong);
    else if (wrong != CHECK_NONE)
        challenge(c, now, wrong);
    return wrong == CHECK_NONE;
}

/* Handles the acknowledgement of our FIN, which can come in three states. */
static void fin_acked(struct conn *c, wave_time now)
{
    switch (c->state) {
    case STATE_FIN_WAIT_1:
        conn_move(c, now, STATE_FIN_WAIT_2, "our FIN is acknowledged");
        break;
    case STATE_CLOSING:
        conn_move(c, now, STATE_TIME_WAIT, "our FIN is acknowledged");
        break;
    default: /* LAST_ACK */
        conn_finish(c, now, END_CLOSED, "our FIN is acknowledged");
        break;
    }
}

/* Sixth step: the urgent pointer. */
static void take_urgent(struct conn *c, wave_time now, const struct seg *s)
{
    struct seq up = seq_add(s->seq, s->urp);
    struct event e = {.kind = EVENT_URGENT, .u.seq = up};

    if (!(s->flags & SEG_URG) || (c->flags & CONN_FIN_RCVD))
        return;
    /* Urgent data that was received is no longer urgent; 2^31 bytes later its pointer would look as
     * if it were. */
    if ((c->flags & CONN_URGENT) && seq_leq(c->rcv.up, c->rcv.nxt))
        c->flags &= ~(uint32_t)CONN_URGENT;
    if (seq_leq(up, c->flags & CONN_URGENT ? c->rcv.up : c->rcv.nxt))
        return;
    c->rcv.up = up;
    c->flags |= CONN_URGENT;
    conn_emit(c, now, &e);
}

/* Makes an ACK due for `len` bytes, now or later. RFC 9293, 3.8.6.3: at least for every second full
 * segment, and within the delay. The peer's first segments are acknowledged immediately, since
 * these ACKs make its congestion window grow. */
static void schedule_ack(struct conn *c, wave_time now, uint32_t len)
{
    if (c->quick_acks > 0) {
        c->quick_acks--;
        c->flags |= CONN_ACK_NOW;
        return;
    }
    c->rcv_segs += len > c->mss ? 2 : 1; /* one that offload has merged counts as two */
    if (c->rcv_segs >= 2) {
        c->flags |= CONN_ACK_NOW;
        return;
    }
    c->timer[TIMER_DELACK] =
        time_min(c->timer[TIMER_DELACK], time_add(now, c->env->config.delayed_ack));
}

/* Seventh step: stores the data that lies inside the window. Returns false when a FIN behind it
 * does not count. */
static bool take_text(struct conn *c, wave_time now, const struct seg *s)
{
    struct seq end = seq_add(s->seq, s->len);
    struct seq first = seq_max(s->seq, c->rcv.nxt);
    struct seq edge = seq_add(c->rcv.nxt, conn_rcv_wnd(c));
    struct seq last = seq_min(end, edge);
    struct event e = {.kind = EVENT_DATA};
    struct reasm_result r;

    if (s->len == 0)
        return true;
    if (seq_lt(s->seq, c->rcv.nxt)) { /* its front is a duplicate */
        c->flags |= CONN_ACK_NOW;
        if (c->flags & CONN_SACK)
            conn_duplicate(c, s->seq, seq_min(end, c->rcv.nxt));
    }
    if (seq_geq(first, last)) {
        c->flags |= CONN_ACK_NOW;
        return seq_leq(end, edge);
    }
    if (c->reasm && c->reasm->runs > 0 && seq_eq(first, c->rcv.nxt) && c->env->config.reneges) {
        reasm_drop_gaps(&c->reasm, c->env); /* DEVIATES, as the user asked */
        c->flags |= CONN_ACK_NOW;
    }
    r = reasm_insert(&c->reasm, c->env, c->rcv.nxt, first, s->data + (first.v - s->seq.v),
                     last.v - first.v, c->env->config.rcvbuf + 65536);
    if (r.discarded) {
        c->flags |= CONN_ACK_NOW;
        conn_discard(c, now, CHECK_MEMORY);
        return false;
    }
    /* RFC 2883, 4.2.2: of several parts that are duplicate, the first is reported. */
    if (r.duplicate && (c->flags & CONN_SACK) && seq_eq(first, s->seq))
        conn_duplicate(c, r.dup.first, r.dup.end);
    c->rcv.nxt = seq_add(c->rcv.nxt, r.advanced);
    c->rcv.adv = seq_max(c->rcv.adv, c->rcv.nxt);
    if (r.advanced > 0) {
        e.u.bytes = r.advanced;
        conn_emit(c, now, &e);
    }
    if (r.out_of_order || r.filled) /* RFC 5681, 4.2: immediately near a gap */
        c->flags |= CONN_ACK_NOW;
    else
        schedule_ack(c, now, last.v - first.v);
    return seq_leq(end, last);
}

/* Eighth step: all data before the FIN is here. The handshake is done, since the ACK is processed
 * before the FIN. */
static void take_fin(struct conn *c, wave_time now)
{
    struct event e = {.kind = EVENT_FIN};

    c->rcv.nxt = seq_add(c->rcv.nxt, 1);
    c->rcv.adv = seq_max(c->rcv.adv, c->rcv.nxt);
    c->flags |= CONN_FIN_RCVD | CONN_ACK_NOW;
    reasm_drop_gaps(&c->reasm, c->env);
    conn_emit(c, now, &e);
    switch (c->state) {
    case STATE_ESTABLISHED:
        conn_move(c, now, STATE_CLOSE_WAIT, "the peer's FIN");
        break;
    case STATE_FIN_WAIT_1:
        conn_move(c, now, STATE_CLOSING, "the peer's FIN crossed ours");
        break;
    default: /* FIN_WAIT_2 */
        conn_move(c, now, STATE_TIME_WAIT, "the peer's FIN");
        break;
    }
}

/* Does steps seven and eight, with a FIN that came earlier, beyond a gap. */
static void take_text_and_fin(struct conn *c, wave_time now, const struct seg *s)
{
    struct seq fin = seq_add(s->seq, s->len);
    bool whole;

    if (c->flags & CONN_FIN_RCVD)
        return; /* 3.10.7.4: nothing comes after a FIN */
    whole = take_text(c, now, s);
    if ((s->flags & SEG_FIN) && whole && seq_gt(fin, c->rcv.nxt)) {
        reasm_fin(&c->reasm, c->env, fin);
        c->flags |= CONN_ACK_NOW;
        return;
    }
    if (((s->flags & SEG_FIN) && whole && seq_eq(fin, c->rcv.nxt)) ||
        (c->reasm && c->reasm->has_fin && seq_eq(c->reasm->fin, c->rcv.nxt)))
        take_fin(c, now);
}

/* RFC 3168, 6.1.3: congestion marks are echoed until the sender sends CWR. */
static void take_ecn_mark(struct conn *c, const struct seg *s)
{
    if (!(c->flags & CONN_ECN))
        return;
    if (s->flags & SEG_CWR)
        c->flags &= ~(uint32_t)CONN_ECE;
    /* This is done for data only: on a path that marks everything, our ACK of a marked ACK would
     * cause the next one. */
    if (s->ecn == ECN_CE && s->len > 0)
        c->flags |= CONN_ECE | CONN_ACK_NOW;
}

/* Fifth step while our SYN is not acknowledged. Returns false when this segment does not
 * acknowledge it either. */
static bool finish_handshake(struct conn *c, wave_time now, const struct seg *s)
{
    if (!seq_lt(c->snd.una, s->ack) || !seq_leq(s->ack, c->snd.nxt)) {
        conn_discard(c, now, CHECK_BAD_ACK_IN_HANDSHAKE);
        return false;
    }
    conn_handshake_done(c, now, s);
    if (c->state == STATE_SYN_RECEIVED)
        conn_move(c, now, STATE_ESTABLISHED, "our SYN is acknowledged");
    keepalive_start(c);
    return true;
}

/* Returns whether this is the SYN-ACK of a simultaneous open (3.5): it repeats the number of the
 * SYN that we have already received. */
static bool is_crossed_syn_ack(const struct conn *c, const struct seg *s)
{
    return c->state == STATE_SYN_RECEIVED && (c->flags & CONN_SIMULTANEOUS) &&
           (s->flags & (SEG_SYN | SEG_ACK | SEG_RST | SEG_FIN)) == (SEG_SYN | SEG_ACK) &&
           seq_eq(s->seq, c->rcv.irs) && seq_eq(s->ack, c->snd.nxt) && s->len == 0;
}

/* The answer has our number after that byte or FIN, which the peer can accept. */
static void take_crossed_ack(struct conn *c, wave_time now, const struct seg *s)
{
    keepalive_heard(c, now);
    if (conn_take_ack(c, now, s))
        fin_acked(c, now);
    c->flags |= CONN_ACK_NOW;
}

/* Does steps five to eight, for a segment that passed the first four. */
static enum conn_input take_segment(struct conn *c, wave_time now, const struct seg *s)
{
    /* With a zero window, valid ACKs, URGs and RSTs are still processed, but text is not. A FIN
     * alone needs no room, and it is all that a peer sends that closes without having probed the
     * window. */
    const bool shut = conn_rcv_wnd(c) == 0 && s->len > 0;

    if (conn_syn_unacked(c)) {
        if (!(s->flags & SEG_ACK)) {
            conn_discard(c, now, CHECK_NO_ACK);
            return INPUT_DONE;
        }
        if (!finish_handshake(c, now, s))
            return INPUT_RESET;
    } else if (!acceptable_ack(c, now, s)) {
        return INPUT_DONE;
    }
    take_timestamp(c, now, s);
    keepalive_heard(c, now);
    take_ecn_mark(c, s);
    if (conn_take_ack(c, now, s))
        fin_acked(c, now);
    if (c->state == STATE_CLOSED || (s->flags & SEG_SYN))
        return INPUT_DONE;
    take_urgent(c, now, s);
    if (shut)
        c->flags |= CONN_ACK_NOW;
    else
        take_text_and_fin(c, now, s);
    return INPUT_DONE;
}

/* Processes a segment in SYN_RECEIVED and all later states: RFC 9293, 3.10.7.4. */
static enum conn_input input_synchronized(struct conn *c, wave_time now, const struct seg *s)
{
    if (c->state == STATE_TIME_WAIT && may_reuse(c, s)) {
        conn_finish(c, now, END_CLOSED, "a new SYN ended TIME_WAIT");
        return INPUT_REUSE;
    }
    if (!check_paws(c, now, s))
        return INPUT_DONE;
    if (is_crossed_syn_ack(c, s))
        return take_segment(c, now, s);
    if (!acceptable(c, s)) {
        bool shut = conn_rcv_wnd(c) == 0 && seq_eq(s->seq, c->rcv.nxt) && !(s->flags & SEG_SYN);
        if (!shut) {
            if (is_crossed_ack(c, s))
                take_crossed_ack(c, now, s);
            else
                unacceptable(c, now, s);
            return INPUT_DONE;
        }
    }
    if (s->flags & SEG_RST) {
        take_reset(c, now, s);
        return INPUT_DONE;
    }
    if (s->flags & SEG_SYN) {
        take_stray_syn(c, now);
        return INPUT_DONE;
    }
    return take_segment(c, now, s);
}

/*
 * The SYN_SENT state. Once the SYN is answered, the segment goes through the other states' steps.
 */

/* Handles the peer's SYN or SYN-ACK: 3.10.7.3, fourth step. */
static void synchronise(struct conn *c, wave_time now, const struct seg *s)
{
    struct seg rest = *s;

    conn_take_syn(c, now, s);
    if (c->env->config.no_third_ack) { /* as the user asked, the handshake is not completed */
        c->flags &= ~(uint32_t)CONN_SYN_DUE;
        c->timer[TIMER_REXMT] = WAVE_NEVER;
        return;
    }
    if (s->flags & SEG_ACK) {
        conn_handshake_done(c, now, s);
        c->flags |= CONN_ACK_NOW;
        conn_move(c, now, STATE_ESTABLISHED, "SYN-ACK");
        keepalive_start(c);
        conn_rearm(c, now, true);
        rest.seq = seq_add(s->seq, 1); /* data and FIN on a SYN-ACK count: 3.10.7.3, fourth */
        rest.flags &= (uint16_t)~SEG_SYN;
        take_urgent(c, now, &rest);
        take_text_and_fin(c, now, &rest);
        return;
    }
    /* The SYNs crossed: RFC 9293, 3.5, figure 8. The next segment is our first SYN-ACK. */
    c->flags |= CONN_SYN_DUE | CONN_SIMULTANEOUS;
    c->syn_sent = 0;
    c->backoff = 0;
    conn_move(c, now, STATE_SYN_RECEIVED, "the peer's SYN crossed ours");
}

/*
 * RFC 9293, 3.5.1, figure 9: the peer still has an older connection over this flow. The RST that it
 * now gets ends that connection, and our SYN can be accepted. It is retransmitted once, after the
 * round-trip time that was just seen, without waiting for the timer.
 */
static void retransmit_syn_soon(struct conn *c, wave_time now)
{
    wave_time rtt = c->flags & CONN_STALLED ? conn_syn_took(c, now) : 0;

    if (c->syn_sent == 1 && c->env->config.syn_retries > 0)
        c->timer[TIMER_REXMT] =
            time_min(c->timer[TIMER_REXMT], time_add(now, rtt > WAVE_MS ? rtt : WAVE_MS));
}

/* Returns whether a SYN-ACK is the first answer to our SYN without timestamps, after which one with
 * them is sent to compare (conn_priv.h). */
static bool answers_unstamped(const struct conn *c, const struct seg *s)
{
    const struct conn_config *config = &c->env->config;

    return config->unstamped_syn && config->timestamps && c->syn_sent == CONN_UNSTAMPED_SYN + 1 &&
           (s->flags & SEG_ACK) && !(s->opt.has & OPT_TIMESTAMP) &&
           !(c->flags & CONN_UNSTAMPED_HEARD);
}

/* Processes a segment in SYN_SENT: RFC 9293, 3.10.7.3, with its steps in order. */
static enum conn_input input_syn_sent(struct conn *c, wave_time now, const struct seg *s)
{
    const bool ack = s->flags & SEG_ACK;

    /* First: SEG.ACK =< ISS or SEG.ACK > SND.NXT. RFC 5961, 4.2's rule for an RST in SYN_SENT is
     * the same, since SND.NXT is ISS+1. */
    if (ack && (seq_leq(s->ack, c->snd.iss) || seq_gt(s->ack, c->snd.nxt))) {
        conn_discard(c, now, CHECK_BAD_ACK_IN_HANDSHAKE);
        if (!(s->flags & (SEG_SYN | SEG_RST)))
            retransmit_syn_soon(c, now);
        return s->flags & SEG_RST ? INPUT_DONE : INPUT_RESET;
    }
    if (s->flags & SEG_RST) { /* second */
        struct event e = {.kind = EVENT_RESET, .u.seq = s->seq};
        if (!ack) {
            conn_discard(c, now, CHECK_BAD_ACK_IN_HANDSHAKE);
            return INPUT_DONE;
        }
        conn_emit(c, now, &e);
        conn_finish(c, now, END_REFUSED, "RST answered our SYN");
        return INPUT_DONE;
    }
    if (!(s->flags & SEG_SYN)) { /* fourth, fifth */
        conn_discard(c, now, CHECK_NO_SYN);
        return INPUT_DONE;
    }
    if (answers_unstamped(c, s)) {
        c->flags |= CONN_UNSTAMPED_HEARD | CONN_SYN_DUE;
        return INPUT_DONE;
    }
    synchronise(c, now, s);
    return INPUT_DONE;
}

enum conn_input conn_input(struct conn *c, wave_time now, const struct seg *s)
{
    switch (c->state) {
    case STATE_CLOSED: /* 3.10.7.1 */
        conn_discard(c, now, CHECK_CLOSED);
        return s->flags & SEG_RST ? INPUT_DONE : INPUT_RESET;
    case STATE_LISTEN:
        return input_listen(c, now, s);
    case STATE_SYN_SENT:
        return input_syn_sent(c, now, s);
    default:
        return input_synchronized(c, now, s);
    }
}
