/*
 * Examines each segment for signs. Everything here is about the peer's segments; signs_ours.c
 * records what they are compared with.
 */
#include "lib/report/signs.h"

#include <string.h>

#include "lib/report/report.h"

#define LATE_AFTER TRACK_REPEAT_MIN /* our ACK must have arrived this long after a round trip */
#define STORM_PAUSE (10 * WAVE_S)   /* challenges of a storm follow each other within this time */
#define STORM_MIN 10                /* challenges make a storm */
#define STRANGER (1u << 26)         /* numbers that no segment of one connection is apart */
#define TTL_WITHIN (5 * WAVE_S)     /* of the SYN-ACK: later, the route may have changed */
#define TTL_SIGNS 3                 /* more of them tell no more */
#define LOOKS 20                    /* segments with what every segment may have are enough */
#define ETHERNET 9000               /* an MSS beyond it is a loopback's, which is seldom filled */
#define QUEUE_MAX (5 * WAVE_S)      /* no queue on the way holds data for longer */
#define SYN_ANSWER (250 * WAVE_MS)  /* the answer to our last SYN, not to an earlier one */
#define LARGE_SENT 2                /* times that chance may lose a segment */
#define NARROW 256                  /* bytes of a window that are of little use */
#define FIN_ANSWER (50 * WAVE_MS)   /* what comes so soon after our FIN may answer it */

void signs_note(struct signs *s, enum sign_kind kind, uint32_t number)
{
    struct sign *g = &s->of[kind];

    if (s->impaired && signs_spoiled(s, kind))
        return;
    g->segment[g->count < SIGN_SEGMENTS ? g->count : SIGN_SEGMENTS - 1] = number;
    g->count++;
    /* Where there are very many, to look for findings at each of them would cost too much. */
    s->changed |= g->count < 16 || (g->count & (g->count - 1)) == 0;
}

/*
 * PAWS discarded a segment. One that was delayed on the way, or copied, is discarded as well, and
 * its timestamp is then an earlier one of the same clock. No delay explains two things: a timestamp
 * from before the peer's SYN, and new data that is discarded once more when the peer retransmits
 * it, since each retransmission has a timestamp of its own time.
 */
static void old_timestamp(struct report_flow *f, const struct seg *t, bool fresh)
{
    struct signs *s = &f->signs;
    const bool before =
        (f->theirs.has & OPT_TIMESTAMP) && (int32_t)(t->opt.tsval - f->theirs.tsval) < 0;
    const bool again = seg_len(t) && s->has_old && seq_eq(s->old, t->seq);

    if (!fresh)
        return;
    if (before || again)
        signs_note(s, SIGN_OLD_TIMESTAMP, f->track.number);
    s->old = t->seq;
    s->has_old = seg_len(t) > 0;
}

/* Returns how long an answer may take at most: the handshake's round trip, and what hosts add to
 * it. */
static wave_time patience(const struct report_flow *f)
{
    return (f->rtt == WAVE_NEVER ? WAVE_S : f->rtt) + LATE_AFTER;
}

/* A segment that draws a challenge ACK. `since`: when we sent what it answers, or 0. Our limit of
 * challenge ACKs ends each round of such answers after a few. */
static void challenged(struct report_flow *f, wave_time since)
{
    struct signs *s = &f->signs;

    if (signs_spoiled(s, SIGN_CHALLENGED))
        return;
    s->echoes += since && f->last <= since + patience(f);
    s->challenge = true;
    s->answered = s->asked = 0;
    s->storm = s->storm && f->last <= s->stormed + STORM_PAUSE ? s->storm + 1 : 1;
    s->stormed = f->last;
    s->storms |= s->storm >= STORM_MIN;
    signs_note(s, SIGN_CHALLENGED, f->track.number);
}

/* Returns whether an ACK is of quite other numbers than the connection's, so that no delay on the
 * way explains it. Two hosts that take each other's segments for their own send such. */
static bool is_stranger(const struct signs *s, const struct seg *t)
{
    const uint32_t apart = t->seq.v - s->acked.v;

    return s->acked_at && !seg_len(t) && (t->flags & SEG_ACK) && !(t->flags & SEG_RST) &&
           apart > STRANGER && 0u - apart > STRANGER;
}

void signs_refused(struct report_flow *f, enum check why, const struct seg *s, bool fresh)
{
    f->signs.refused[why]++;
    f->signs.changed = true;
    if (why == CHECK_PAWS)
        old_timestamp(f, s, fresh);
    if (why == CHECK_ACK_UNSENT && f->signs.opened)
        signs_note(&f->signs, SIGN_ACK_UNSENT, f->track.number);
    if (why == CHECK_SEQUENCE && (s->flags & SEG_RST) && f->signs.opened)
        signs_note(&f->signs, SIGN_RST_OUTSIDE, f->track.number);
    /* A host's RST to a segment of ours has the number that the segment acknowledges. A SYN may be
     * repeated by its sender's own clock: it counts behind a challenge ACK alone. */
    if (why == CHECK_RST_SEQUENCE || (why == CHECK_SEQUENCE && is_stranger(&f->signs, s)))
        challenged(f, f->signs.asked);
    else if (why == CHECK_SYN_IN_WINDOW)
        challenged(f, f->signs.answered);
}

void signs_quoted(struct report_flow *f, struct seq seq)
{
    const struct signs *s = &f->signs;

    if (f->has_iss && s->has_high && !s->far && !f->track.gaps &&
        (seq_lt(seq, f->iss) || seq_gt(seq, s->high)))
        signs_note(&f->signs, SIGN_QUOTE_ASTRAY, 0);
}

void signs_icmp(struct report_flow *f, const struct icmp *error)
{
    struct signs_icmp *i = &f->signs.icmp;

    if (!f->signs.opened || (error->meaning != ICMP_SOFT && error->meaning != ICMP_HARD))
        return;
    *i = (struct signs_icmp){i->count + 1, error->type, error->code, error->from};
}

wave_time signs_shut_for(const struct signs *s, wave_time now)
{
    return s->shut_for + (s->shut && now > s->shut_since ? now - s->shut_since : 0);
}

/* The peer's answer to our SYN. One that comes soon answers the last SYN. */
static void syn_heard(struct signs *s, const struct report_seen *seen, uint32_t number)
{
    const struct seg *t = &seen->packet->seg;

    if (s->unstamped_at && seen->stamp < s->unstamped_at + SYN_ANSWER && (t->flags & SEG_SYN) &&
        !(t->opt.has & OPT_TIMESTAMP)) {
        signs_note(s, SIGN_UNSTAMPED_HEARD, number);
        s->unstamped_at = 0;
    } else {
        s->stamped_heard = true;
    }
}

/* Examines whether the peer has a large segment: what reaches it does not vanish for its size. */
static void large_acked(struct signs *s, const struct seg *t)
{
    const struct seq end = seq_add(s->large_seq, s->large);
    bool has = seq_geq(t->ack, end);

    for (unsigned i = 0; i < t->opt.sacks; i++)
        has |= seq_leq(t->opt.sack[i].first, s->large_seq) && seq_geq(t->opt.sack[i].end, end);
    if (!s->large || !has)
        return;
    if (s->passed < s->large)
        s->passed = s->large;
    s->large = 0;
}

/* Examines what the peer acknowledges of it: the smaller piece to the byte, and with it nothing of
 * the rest of the large one. */
static void repetition_acked(struct signs *s, struct seq ack)
{
    struct signs_stuck *k = &s->stuck;

    if (!k->times || seq_leq(ack, k->seq))
        return;
    if (k->cut && k->times > LARGE_SENT && seq_eq(ack, seq_add(k->seq, k->cut)) &&
        s->passed < k->len) {
        s->cut_from = k->len;
        s->cut_to = k->cut;
        signs_note(s, SIGN_OURS_CUT, k->segment);
    }
    k->times = 0;
}

/* Examines an answer to our SYN (RFC 9293, 3.10.7.3, first and second). */
static void handshake(struct report_flow *f, const struct seg *t, uint32_t number)
{
    struct signs *s = &f->signs;
    const bool fits = (t->flags & SEG_ACK) && seq_eq(t->ack, seq_add(f->iss, 1));

    if (!f->has_iss)
        return;
    if ((t->flags & (SEG_SYN | SEG_ACK | SEG_RST)) == (SEG_SYN | SEG_ACK))
        signs_note(s, fits ? SIGN_SYN_ACK : SIGN_SYN_ACK_ASTRAY, number);
    else if ((t->flags & SEG_RST) && !fits)
        signs_note(s, SIGN_RST_ASTRAY, number);
    else if ((t->flags & (SEG_SYN | SEG_ACK | SEG_RST)) == SEG_ACK && !fits)
        signs_note(s, SIGN_ACK_ASTRAY, number); /* otherwise it has overtaken its SYN-ACK */
}

/* Returns whether TSecr is a value that we never sent (RFC 7323, 3.2). All our segments must have
 * been captured for that. */
static bool echoes_astray(const struct report_flow *f, const struct seg *t)
{
    const struct signs *s = &f->signs;

    return s->has_stamps && f->has_iss && !f->track.gaps && (t->flags & SEG_ACK) && t->opt.tsecr &&
           ((int32_t)(t->opt.tsecr - s->stamps[0]) < 0 ||
            (int32_t)(t->opt.tsecr - s->stamps[1]) > 0);
}

/* Returns whether a SACK block is for bytes that we never sent. After a gigabyte, numbers are
 * compared only with what was sent last. */
static bool sack_astray(const struct report_flow *f, const struct seg *t)
{
    const struct signs *s = &f->signs;
    const struct seq low = s->far ? seq_sub(s->high, SIGNS_FAR) : f->iss;

    if (!f->has_iss || !s->has_high || f->track.gaps)
        return false;
    for (unsigned i = 0; i < t->opt.sacks; i++)
        if (seq_gt(t->opt.sack[i].end, s->high) || seq_lt(t->opt.sack[i].first, low))
            return true;
    return false;
}

static void sacks(struct report_flow *f, const struct seg *t, uint32_t number)
{
    struct signs *s = &f->signs;
    const struct sack_block *b = t->opt.sack;

    if (!t->opt.sacks)
        return;
    if (sack_astray(f, t))
        signs_note(s, SIGN_SACK_ASTRAY, number);
    /* RFC 2883, section 4: the first block covers what came twice. */
    s->unneeded +=
        seq_leq(b[0].end, t->ack) ||
        (t->opt.sacks > 1 && seq_geq(b[0].first, b[1].first) && seq_leq(b[0].end, b[1].end));
}

/* Examines options that every segment must have, and options that none may have (RFC 7323, 3.2; RFC
 * 2018, section 2). */
static void options(struct report_flow *f, const struct seg *t, uint32_t number)
{
    struct signs *s = &f->signs;
    const unsigned sacked = t->opt.sacks ? OPT_SACK_PERMITTED : 0;
    const unsigned used = (t->opt.has & OPT_TIMESTAMP) | sacked;

    if (!s->opened || !f->offered || (t->flags & (SEG_RST | SEG_SYN)))
        return;
    if (used & f->ours.has & ~s->offered)
        signs_note(s, SIGN_UNOFFERED, number);
    if (t->opt.has & OPT_TIMESTAMP) {
        if (echoes_astray(f, t))
            signs_note(s, SIGN_ECHO_ASTRAY, number);
        if (!s->has_their_stamp || (int32_t)(t->opt.tsval - s->their_stamp) > 0)
            s->their_stamp = t->opt.tsval;
        s->has_their_stamp = true;
    } else if (f->ours.has & s->offered & OPT_TIMESTAMP) {
        signs_note(s, SIGN_UNSTAMPED, number);
    }
}

/* The peer's window: when it shuts, and for how long. Once the peer has all of ours and our FIN, it
 * has no use for a window any more. */
static void window(struct report_flow *f, const struct report_seen *seen,
                   const struct report_segment *g)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    const bool done = s->fin_sent && seq_geq(t->ack, s->high);
    const bool shut = !g->window && !done;

    if (!(t->flags & SEG_ACK) || (t->flags & (SEG_RST | SEG_SYN)))
        return;
    if (shut && !s->shut) {
        s->shut_since = seen->stamp;
        signs_note(s, SIGN_WINDOW_SHUT, g->number);
    } else if (shut && s->window_probed) {
        signs_note(s, SIGN_SHUT_ANSWER, g->number);
    } else if (!shut && s->shut) {
        s->shut_for += seen->stamp > s->shut_since ? seen->stamp - s->shut_since : 0;
        s->changed = true;
    }
    s->shut = shut;
    s->shut_told = seen->stamp;
    s->window_probed = false;
    if (g->window && g->window < NARROW && !done) {
        if (!s->narrow_since) {
            s->narrow = 0;
            s->narrow_full = false;
        }
        s->narrow_since = s->narrow_since ? s->narrow_since : seen->stamp;
        s->narrow = g->window > s->narrow ? g->window : s->narrow;
    } else if (!shut) {
        s->narrow_since = 0;
    }
}

/* Examines the first window after that of the SYN, which is never scaled (RFC 7323, 2.2): a host
 * may offer less than it could, and never takes back what it offered (RFC 9293, 3.8.6). */
static void first_window(struct report_flow *f, const struct seg *t, const struct report_segment *g)
{
    const int32_t kept = seq_diff(seq_add(t->ack, g->window), seq_add(f->iss, 1));
    const uint32_t syn = f->syn_window;

    if (f->has_iss && f->offered && (f->ours.has & OPT_WSCALE) && (t->flags & SEG_ACK) &&
        syn >= 4096 && g->window && kept > 0 && (uint32_t)kept < syn / 4)
        signs_note(&f->signs, SIGN_WINDOW_BACK, g->number);
}

/* Examines TTL or hop limit: it is the same for all segments that one host sends on a flow. */
static void ttl(struct report_flow *f, const struct report_seen *seen, uint32_t number)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    const uint8_t is = seen->packet->ttl;

    if (!is || (t->flags & SEG_RST))
        return;
    if (t->flags & SEG_SYN) {
        s->syn_ttl = is;
        return;
    }
    s->ttl_varies |= s->ttl && s->ttl != is;
    if (s->syn_ttl && s->syn_ttl != is && seen->stamp < s->opened + TTL_WITHIN &&
        signs_count(s, SIGN_SYN_ACK_TTL) < TTL_SIGNS)
        signs_note(s, SIGN_SYN_ACK_TTL, number);
    s->ttl = is;
}

/* Returns the segment of the last ones that has the same bytes, or NULL. */
static const struct signs_last *same_bytes(const struct signs *s, const struct seg *t)
{
    for (uint32_t i = 1; i <= SIGNS_TRAIN && i <= s->lasts; i++) {
        const struct signs_last *l = &s->last_data[(s->lasts - i) % SIGNS_TRAIN];
        if (seq_eq(l->seq, t->seq) && l->len == t->len)
            return l;
    }
    return NULL;
}

/* Returns whether this is the same packet as one of the last ones. It is if it has the same IP
 * identification, where those differ. Else it is if all is the same to the timestamps, and the peer
 * was not asked for it since: within a tick of its clock a segment that it sends once more has
 * mostly heard something new from us. */
static bool is_copy(const struct report_flow *f, const struct report_seen *seen)
{
    const struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    const struct signs_last *l = same_bytes(s, t);

    if (!l)
        return false;
    if (seen->packet->id && s->ids_vary)
        return seen->packet->id == l->id;
    return !seen->packet->id && !s->impaired && l->has_tsval && (t->opt.has & OPT_TIMESTAMP) &&
           l->tsval == t->opt.tsval && l->tsecr == t->opt.tsecr && seq_eq(l->ack, t->ack) &&
           l->wnd == t->wnd && !s->gap_since && (!s->gap_at || s->gap_at < l->stamp) &&
           seen->stamp < l->stamp + 10 * WAVE_MS;
}

/* Adds a segment with data of the peer's, which is no copy. */
static void keep_last(struct signs *s, const struct report_seen *seen)
{
    const struct seg *t = &seen->packet->seg;
    const uint16_t id = seen->packet->id, before = s->last_data[(s->lasts - 1) % SIGNS_TRAIN].id;

    s->ids_vary |= s->lasts && before && id && before != id;
    s->last_data[s->lasts++ % SIGNS_TRAIN] =
        (struct signs_last){.seq = t->seq,
                            .len = t->len,
                            .tsval = t->opt.tsval,
                            .id = id,
                            .ack = t->ack,
                            .wnd = t->wnd,
                            .tsecr = t->opt.tsecr,
                            .has_tsval = (t->opt.has & OPT_TIMESTAMP) != 0,
                            .stamp = seen->stamp};
}

/* Examines data that lies below what was seen before and is not a copy. It was overtaken on the
 * way, or retransmitted because it was lost on its way here, or retransmitted although we have
 * acknowledged it. */
static void repeated(struct report_flow *f, const struct report_seen *seen, uint32_t number)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    const bool older = (t->opt.has & OPT_TIMESTAMP) && s->has_their_stamp &&
                       (int32_t)(t->opt.tsval - s->their_stamp) < 0;
    const bool sooner =
        f->rtt != WAVE_NEVER && s->gap_since && seen->stamp < s->gap_since + f->rtt / 2;

    if (s->gap_since && seq_eq(t->seq, s->acked))
        signs_note(s, older || sooner ? SIGN_LATE : SIGN_FILLED, number);
    else if (s->acked_at && seq_leq(seg_end(t), s->acked) && !older &&
             seen->stamp > s->acked_at + patience(f))
        signs_note(s, SIGN_NEEDLESS, number);
}

/* Examines the sizes of the peer's segments. Those that are cut at one length, in the middle of
 * what its application wrote (no PSH), show how large it makes them at most; but not where our
 * window is small, of which many hosts fill no more than half with one segment. */
static void sizes(struct report_flow *f, const struct report_seen *seen, uint32_t number)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    const bool both = f->offered && (f->theirs.has & f->ours.has & OPT_MSS);
    const uint32_t mss = f->theirs.mss < f->ours.mss ? f->theirs.mss : f->ours.mss;
    const uint32_t stamps = f->ours.has & f->theirs.has & OPT_TIMESTAMP ? 12 : 0;

    if (f->has_iss && (f->ours.has & OPT_MSS) && t->len > f->ours.mss && !seen->fragments &&
        signs_count(s, SIGN_JOINED) < LOOKS)
        signs_note(s, SIGN_JOINED, number);
    if (t->len > s->largest) {
        s->largest = t->len;
        s->of[SIGN_CUT].count = 0;
    }
    if (both && mss <= ETHERNET && t->len == s->largest && t->len + stamps < mss && !t->opt.sacks &&
        f->window[0] >= 2 * mss && !(t->flags & (SEG_PSH | SEG_FIN)) &&
        signs_count(s, SIGN_CUT) < LOOKS)
        signs_note(s, SIGN_CUT, number);
}

/* RFC 3168, 6.1: new data is sent with ECT, and nothing else is. */
static void marks(struct report_flow *f, const struct report_seen *seen, uint32_t number)
{
    const unsigned asks = SEG_ECE | SEG_CWR;
    const bool us = f->our_flags & SEG_ACK; /* ours is the SYN-ACK */
    const unsigned ask = us ? f->their_flags : f->our_flags;
    const unsigned agree = us ? f->our_flags : f->their_flags;

    if ((ask & asks) != asks || (agree & asks) != SEG_ECE || seen->packet->seg.len < 2)
        return;
    signs_note(&f->signs, seen->packet->seg.ecn == ECN_NOT ? SIGN_UNMARKED : SIGN_MARKED, number);
}

/* Examines the peer's data or FIN. */
static void text(struct report_flow *f, const struct report_seen *seen,
                 const struct report_segment *g)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    const bool copy = is_copy(f, seen);

    if (t->flags & SEG_RST) /* RFC 9293, 3.5.2: it may explain the RST, and is no answer */
        return;
    s->theirs += t->len;
    s->data[1] += t->len > 0;
    if (g->notes & TRACK_PROBE)
        return;
    if (copy)
        signs_note(s, SIGN_COPY, g->number);
    else if (g->retransmission)
        repeated(f, seen, g->number);
    else if ((f->their_flags & SEG_ECE) &&
             signs_count(s, SIGN_MARKED) + signs_count(s, SIGN_UNMARKED) < LOOKS)
        marks(f, seen, g->number);
    if (t->len)
        sizes(f, seen, g->number);
    if (!copy)
        keep_last(s, seen);
}

/* Notes data beyond the window. It must begin within the window, since what lies elsewhere may
 * belong to an earlier connection; and a single byte may be a probe of a zero window (RFC 9293,
 * 3.8.6.1). */
static void overrun(struct report_flow *f, const struct seg *t, uint32_t number)
{
    struct signs *s = &f->signs;
    const bool probe = t->len == 1 && seq_eq(t->seq, s->edge);

    if (!s->has_edge || !f->has_iss || !f->has_irs || f->track.gaps || probe || !t->len)
        return;
    if (seq_gt(seq_add(t->seq, t->len), s->edge) && seq_leq(t->seq, s->edge) &&
        seq_geq(t->seq, s->acked))
        signs_note(s, SIGN_OVERRUN, number);
}

/* Records the peer's first FIN or RST that counts. */
static void ending(struct report_flow *f, const struct report_seen *seen,
                   const struct report_segment *g)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    const bool reset = (t->flags & SEG_RST) && g->local == STATE_CLOSED;
    const bool fin = (t->flags & SEG_FIN) && f->fin[1] == g->number;
    const wave_time trips = f->rtt == WAVE_NEVER ? 0 : 2 * f->rtt;

    const bool acks = reset && (t->flags & SEG_ACK) && s->has_high && seq_leq(t->ack, s->high);
    const struct seq ack =
        acks && (!s->has_their_ack || seq_gt(t->ack, s->their_ack)) ? t->ack : s->their_ack;
    struct signs_end *end = reset ? &s->rst : &s->fin;
    if (reset)
        s->icmp.count = 0;
    if ((!reset && !fin) || end->segment)
        return;
    *end = (struct signs_end){
        .first = !f->fin_seen[0] && !s->fin.segment,
        .pending = s->has_high && (s->has_their_ack || acks) && seq_lt(ack, s->high),
        .after_data = s->data[0] > 0,
        .bare = f->has_irs && seq_eq(t->seq, seq_add(f->irs, 1)) && (reset || !t->len),
        .answers = s->unanswered_probe,
        .before_fin = acks && s->fin_sent && seq_lt(t->ack, s->high),
        .answers_fin = reset && s->fin_sent && !s->fin.segment && s->theirs == s->fin_theirs &&
                       !(acks && seq_lt(t->ack, s->high)) &&
                       seen->stamp <= s->fin_at[0] + (trips > FIN_ANSWER ? trips : FIN_ANSWER),
        .ttl = seen->packet->ttl,
        .seq = t->seq,
        .impaired = s->impaired != 0,
        .other_mac = g->mac && s->of[SIGN_OTHER_MAC].count,
        .segment = g->number,
        .stamp = seen->stamp,
        .quiet = s->active && seen->stamp > s->active ? seen->stamp - s->active : 0};
    s->changed = true;
}

/* The peer's SYN-ACK, after the first. A copy that the network made comes sooner than a peer
 * repeats it. */
static void syn_ack_again(struct report_flow *f, const struct report_seen *seen, uint32_t number)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    const bool copy = s->syn_acked && seen->stamp < s->syn_acked + TRACK_REPEAT_MIN;

    if (!f->has_iss || !f->has_irs || !seq_eq(t->ack, seq_add(f->iss, 1)))
        return;
    if (f->syn_sent == 1 && s->opened_by != number && !seq_eq(t->seq, s->opened_isn))
        signs_note(s, SIGN_OTHER_ISN, number);
    if (!seq_eq(t->seq, f->irs))
        return;
    if (copy)
        return;
    s->syn_acked = seen->stamp;
    signs_note(s, SIGN_SYN_ACK, number);
    if (!s->opened || s->spoke || f->segments[0] <= f->syn_sent || !s->has_their_ack ||
        !seq_eq(s->their_ack, seq_add(f->iss, 1)))
        return;
    signs_note(s, SIGN_SYN_ACK_AGAIN, number);
    if (s->has_open_stamp && (t->opt.has & OPT_TIMESTAMP) &&
        (int32_t)(t->opt.tsecr - s->open_stamp) >= 0)
        signs_note(s, SIGN_SYN_ACK_HEARD, number);
    if (s->has_high && seq_gt(s->high, seq_add(f->iss, 1 + s->fin_sent)))
        signs_note(s, SIGN_DATA_UNTAKEN, number);
}

/* Notes what lies beyond bytes that never came. */
static void gap(struct signs *s, const struct report_seen *seen, const struct report_segment *g)
{
    const struct seq end = seg_end(&seen->packet->seg);

    if (s->gap_since)
        s->gap_heard = s->gap_at = seen->stamp;
    if (s->gap_since && g->retransmission && seq_eq(seen->packet->seg.seq, s->beyond))
        signs_note(s, SIGN_BEYOND_AGAIN, g->number);
    if (!s->gap_since || seq_gt(end, s->their_end))
        s->their_end = end;
    if (!(g->notes & TRACK_OUT_OF_ORDER))
        return;
    signs_note(s, SIGN_BEYOND_GAP, g->number);
    if (!s->gap_since || seq_lt(seen->packet->seg.seq, s->beyond))
        s->beyond = seen->packet->seg.seq;
    if (s->gap_since)
        return;
    s->gap_since = s->gap_heard = s->gap_at = seen->stamp;
    s->gap_acks = 0;
}

/*
 * The peer's ACK stops before our FIN, though one of them must have come to it by now. Its SYN-ACK
 * is no such ACK: a host that sends it again has not accepted the connection yet. Data of the
 * peer's may have been on its way for long, where there are queues: seconds later it tells, or
 * where it lies beyond the window that we had offered by then, since an ACK that we sent later
 * invited it. What has no data answers something of ours.
 */
static void fin_untaken(struct report_flow *f, const struct report_seen *seen, uint32_t number)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;

    const bool queued = t->len && seq_leq(seg_end(t), s->fin_edge);
    const wave_time longest = patience(f) + (queued ? QUEUE_MAX : 0);

    if (!s->fin_sent || s->shut || (t->flags & SEG_SYN) || !seq_eq(t->ack, seq_sub(s->high, 1)))
        return;
    for (unsigned i = 0; i < 2; i++) {
        if (!s->fin_asked[i] || seen->stamp <= s->fin_at[i + 1] + longest)
            continue;
        signs_note(s, SIGN_FIN_UNTAKEN, number);
        s->fin_asked[i] = false;
        return;
    }
}

static void their_ack(struct report_flow *f, const struct report_seen *seen,
                      const struct report_segment *g)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;

    if (!(t->flags & SEG_ACK) || (t->flags & SEG_RST))
        return;
    if (!s->has_their_ack || seq_gt(t->ack, s->their_ack))
        s->their_ack = t->ack;
    large_acked(s, t);
    repetition_acked(s, t->ack);
    s->has_their_ack = true;
    if (g->local != STATE_CLOSED) /* else it answers our RST, and the run ended without it */
        s->icmp.count = 0;
    if (s->unanswered_probe && s->probe_has_byte)
        signs_note(s, SIGN_BYTE_ANSWERED, g->number);
    s->bare_answered |= s->unanswered_probe && !s->probe_has_byte;
    s->unanswered_probe = false;
    fin_untaken(f, seen, g->number);
}

/* Examines a segment of the peer's in a synchronized state. */
static void synchronized(struct report_flow *f, const struct report_seen *seen,
                         const struct report_segment *g)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;

    if ((t->flags & (SEG_SYN | SEG_ACK)) == (SEG_SYN | SEG_ACK))
        syn_ack_again(f, seen, g->number);
    overrun(f, t, g->number);
    if (s->rst.segment && t->len && !(t->flags & (SEG_SYN | SEG_RST)) &&
        t->seq.v - s->rst.seq.v < SIGNS_FAR)
        signs_note(s, SIGN_AFTER_RST, g->number);
    if (g->notes & TRACK_OUT_OF_WINDOW) /* it may be any sender's */
        return;
    if (!s->spoke && !(t->flags & (SEG_SYN | SEG_RST)) && g->local != STATE_CLOSED) {
        s->spoke = true;
        first_window(f, t, g);
    }
    options(f, t, g->number);
    sacks(f, t, g->number);
    if (t->len || (t->flags & SEG_FIN))
        text(f, seen, g);
    gap(s, seen, g);
    window(f, seen, g);
    their_ack(f, seen, g);
    ttl(f, seen, g->number);
}

/* Returns whether this is a second answer to our only SYN, of another kind: a SYN-ACK after the RST
 * that refused us, or the RST of a host that has no such connection (RFC 9293, 3.10.7.1) after the
 * SYN-ACK. */
static bool answers_twice(const struct report_flow *f, const struct seg *t)
{
    const struct signs *s = &f->signs;
    const unsigned kind = t->flags & (SEG_SYN | SEG_ACK | SEG_RST);

    if (f->syn_sent != 1 || !f->has_iss || !seq_eq(t->ack, seq_add(f->iss, 1)))
        return false;
    if (!s->opened)
        return s->rst.segment && kind == (SEG_SYN | SEG_ACK);
    return kind == (SEG_RST | SEG_ACK) && t->seq.v == 0 && !seq_eq(s->opened_isn, seq_of(0)) &&
           !seq_eq(s->opened_isn, seq_of(UINT32_MAX));
}

static void theirs(struct report_flow *f, const struct report_seen *seen,
                   const struct report_segment *g)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    const bool syn = t->flags & SEG_SYN;

    if (!s->opened)
        syn_heard(s, seen, g->number);
    if (g->local == STATE_SYN_SENT) {
        handshake(f, t, g->number);
        return;
    }
    if (answers_twice(f, t)) {
        signs_note(s, SIGN_OTHER_ANSWER, g->number);
        return;
    }
    if (!s->opened && (t->flags & (SEG_ACK | SEG_RST)) == SEG_ACK && f->has_iss &&
        seq_eq(t->ack, seq_add(f->iss, 1))) {
        s->opened = seen->stamp;
        s->opened_by = g->number;
        s->opened_isn = t->seq;
        s->offered = syn ? t->opt.has : f->theirs.has;
    }
    if (syn && s->opened_by == g->number && (t->flags & SEG_ACK))
        f->syn_window = t->wnd;
    synchronized(f, seen, g);
    ending(f, seen, g);
}

bool signs_other_mac(const struct signs *s, const struct report_seen *seen)
{
    return !seen->out && (!s->has_mac || memcmp(s->mac, seen->mac, sizeof s->mac) != 0);
}

/* What the peer's packet shows beside its segment: how it came. The address of the link layer that
 * a flow begins with is no sign; another one is. */
static void arrival(struct signs *s, const struct report_seen *seen, const struct report_segment *g)
{
    if (seen->fragments) {
        s->fragments += seen->fragments;
        signs_note(s, SIGN_FRAGMENTED, g->number);
    }
    if (!g->mac)
        return;
    if (s->has_mac) {
        if (!signs_count(s, SIGN_OTHER_MAC)) {
            memcpy(s->macs[0], s->mac, sizeof s->mac);
            memcpy(s->macs[1], g->mac, sizeof s->mac);
        }
        signs_note(s, SIGN_OTHER_MAC, g->number);
    }
    memcpy(s->mac, g->mac, sizeof s->mac);
    s->has_mac = true;
}

void signs_segment(struct report_flow *f, const struct report_seen *seen,
                   const struct report_segment *g)
{
    struct signs *s = &f->signs;

    signs_impaired(s, seen, g->number);
    if (!report_counts(seen))
        return;
    if (seen->missed)
        signs_note(s, seen->passed ? SIGN_KEPT : SIGN_MISSED, g->number);
    if (seen->foreign)
        signs_note(s, SIGN_FOREIGN_RST, g->number);
    if (seen->out)
        signs_ours(f, seen, g);
    else if (!seen->missed) {
        arrival(s, seen, g);
        theirs(f, seen, g);
    }
    if (!(g->notes & (TRACK_PROBE | TRACK_PROBE_ANSWER)))
        s->active = seen->stamp;
}

bool signs_rst_comparable(const struct signs *s)
{
    return s->rst.segment && s->rst.ttl && signs_ttl(s) && !s->ttl_varies && s->opened;
}

bool signs_rst_elsewhere(const struct signs *s)
{
    return signs_rst_comparable(s) && signs_routers(s->rst.ttl) != signs_routers(signs_ttl(s)) &&
           s->rst.ttl != s->syn_ttl;
}
