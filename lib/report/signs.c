/*
 * What is noticed of each segment. Everything here is about the peer's segments, but for the few
 * lines that remember what we offered and sent, which the peer's are held against.
 */
#include "lib/report/signs.h"

#include <string.h>

#include "lib/report/report.h"

#define NEEDLESS_AFTER TRACK_REPEAT_MIN /* beyond a round trip, our ACK must have arrived */

void signs_note(struct signs *s, enum sign_kind kind, uint32_t number)
{
    struct sign *g = &s->of[kind];

    g->segment[g->count < SIGN_SEGMENTS ? g->count : SIGN_SEGMENTS - 1] = number;
    g->count++;
    s->changed = true;
}

void signs_refused(struct report_flow *f, enum check why, uint32_t number, bool fresh)
{
    struct signs *s = &f->signs;

    s->refused[why]++;
    s->changed = true;
    if (why == CHECK_PAWS && fresh)
        signs_note(s, SIGN_OLD_TIMESTAMP, number);
    if (why == CHECK_RST_SEQUENCE || why == CHECK_SYN_IN_WINDOW)
        signs_note(s, SIGN_CHALLENGED, number);
}

wave_time signs_shut_for(const struct signs *s, wave_time now)
{
    return s->shut_for + (s->shut && now > s->shut_since ? now - s->shut_since : 0);
}

/* What we offer and send, which the peer's segments are held against. */
static void ours(struct signs *s, const struct report_seen *seen, const struct report_segment *g)
{
    const struct seg *t = &seen->packet->seg;
    struct seq edge = seq_add(t->ack, g->window);

    if (seen->foreign)
        return;
    if (!(t->flags & SEG_RST) && (!s->has_high || seq_gt(seg_end(t), s->high))) {
        s->high = seg_end(t);
        s->has_high = true;
    }
    if (t->flags & SEG_FIN) {
        s->fin_repeats += s->fin_sent;
        s->fin_sent = true;
    }
    if ((t->flags & SEG_ACK) && (!s->has_edge || seq_gt(edge, s->edge))) {
        s->edge = edge;
        s->has_edge = true;
    }
    if ((t->flags & SEG_ACK) && (!s->acked_at || seq_gt(t->ack, s->acked))) {
        s->acked = t->ack;
        s->acked_at = seen->stamp;
    }
    if (t->opt.has & OPT_TIMESTAMP) {
        if (!s->has_stamps)
            s->stamps[0] = t->opt.tsval;
        s->stamps[1] = t->opt.tsval;
        s->has_stamps = true;
    }
    if (g->notes & TRACK_PROBE) {
        s->unanswered_probe = true;
        if (!t->len)
            signs_note(s, SIGN_PROBED, g->number);
    }
}

/* An answer to our SYN that does not fit it (RFC 9293, 3.10.7.3, first and second). */
static void handshake(struct report_flow *f, const struct seg *t, uint32_t number)
{
    struct signs *s = &f->signs;
    const bool fits = (t->flags & SEG_ACK) && seq_eq(t->ack, seq_add(f->iss, 1));

    if (t->flags & SEG_RST) {
        if (!fits)
            signs_note(s, SIGN_RST_ASTRAY, number);
    } else if ((t->flags & (SEG_SYN | SEG_ACK)) == SEG_ACK) {
        signs_note(s, SIGN_ACK_ASTRAY, number);
    } else if ((t->flags & SEG_SYN) && (t->flags & SEG_ACK) && !fits) {
        signs_note(s, SIGN_SYN_ACK_ASTRAY, number);
    }
}

/* RFC 7323, 3.2: TSecr echoes a value that we sent. */
static bool echoes_astray(const struct signs *s, const struct seg *t)
{
    return s->has_stamps && (t->flags & SEG_ACK) && (t->opt.has & OPT_TIMESTAMP) &&
           !(t->flags & SEG_RST) && t->opt.tsecr &&
           ((int32_t)(t->opt.tsecr - s->stamps[0]) < 0 ||
            (int32_t)(t->opt.tsecr - s->stamps[1]) > 0);
}

static bool sack_astray(const struct signs *s, const struct report_flow *f, const struct seg *t)
{
    if (!f->has_iss || !s->has_high)
        return false;
    for (unsigned i = 0; i < t->opt.sacks; i++)
        if (seq_gt(t->opt.sack[i].end, s->high) || seq_lt(t->opt.sack[i].first, f->iss))
            return true;
    return false;
}

/* The peer's window: when it shuts, and for how long. */
static void window(struct signs *s, const struct report_seen *seen, const struct report_segment *g)
{
    const struct seg *t = &seen->packet->seg;
    const bool shut = !g->window && (t->flags & SEG_ACK) && !(t->flags & (SEG_RST | SEG_SYN));

    if (t->flags & (SEG_RST | SEG_SYN))
        return;
    if (shut && !s->shut) {
        s->shut_since = seen->stamp;
        signs_note(s, SIGN_WINDOW_SHUT, g->number);
    } else if (shut) {
        signs_note(s, SIGN_SHUT_ANSWER, g->number);
    } else if (s->shut) {
        s->shut_for += seen->stamp > s->shut_since ? seen->stamp - s->shut_since : 0;
        s->changed = true;
    }
    s->shut = shut;
}

/* TTL and hop limit: the same for all segments that one host sends on a flow. */
static void ttl(struct report_flow *f, const struct report_seen *seen, uint32_t number)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    const uint8_t is = seen->packet->ttl;

    if (seen->missed || !is)
        return;
    if (t->flags & SEG_RST) {
        uint8_t usual = s->ttl ? s->ttl : s->syn_ttl;
        if (usual && usual != is)
            signs_note(s, SIGN_RST_TTL, number);
    } else if (t->flags & SEG_SYN) {
        s->syn_ttl = is;
    } else {
        if (s->syn_ttl && s->syn_ttl != is && s->ttl != is)
            signs_note(s, SIGN_SYN_ACK_TTL, number);
        s->ttl = is;
    }
}

/* The peer's data. */
static void text(struct report_flow *f, const struct report_seen *seen,
                 const struct report_segment *g)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    /* Where the next hop's MTU is less than our MSS tells, nothing larger can have come in one. */
    const uint32_t mss = f->ours.has & OPT_MSS ? f->ours.mss : 536;
    const bool copy = s->has_last && seq_eq(s->last, t->seq) && s->last_len == t->len &&
                      !seen->packet->flow.v6 && seen->packet->id && s->id == seen->packet->id;
    const wave_time trip = f->rtt == WAVE_NEVER ? WAVE_S : f->rtt;

    s->theirs += t->len;
    if (t->len > mss && !seen->fragments)
        signs_note(s, SIGN_JOINED, g->number);
    if (s->has_edge && seq_gt(seg_end(t), seq_add(s->edge, (t->flags & SEG_FIN) != 0)))
        signs_note(s, SIGN_OVERRUN, g->number);
    if (copy)
        signs_note(s, SIGN_COPY, g->number);
    else if (g->retransmission && s->acked_at && seq_leq(seg_end(t), s->acked) &&
             seen->stamp > s->acked_at + trip + NEEDLESS_AFTER)
        signs_note(s, SIGN_NEEDLESS, g->number);
    s->last = t->seq;
    s->last_len = t->len;
    s->id = seen->packet->id;
    s->has_last = true;
}

/* The peer's FIN or RST, the first that counts. */
static void ending(struct report_flow *f, const struct report_seen *seen,
                   const struct report_segment *g)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;
    const bool reset = (t->flags & SEG_RST) && g->local == STATE_CLOSED;
    const bool fin = (t->flags & SEG_FIN) && f->fin[1] == g->number;

    struct signs_end *end = reset ? &s->rst : &s->fin;
    if ((!reset && !fin) || end->segment)
        return;
    *end = (struct signs_end){
        .first = !f->fin_seen[0] && !s->fin.segment,
        .pending = s->has_high && (t->flags & SEG_ACK) && seq_lt(t->ack, s->high),
        .answers = s->unanswered_probe,
        .segment = g->number,
        .stamp = seen->stamp,
        .quiet = s->active && seen->stamp > s->active ? seen->stamp - s->active : 0};
    s->changed = true;
}

/* A segment of the peer's in a synchronized state. */
static void synchronized(struct report_flow *f, const struct report_seen *seen,
                         const struct report_segment *g)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;

    if ((t->flags & (SEG_SYN | SEG_ACK)) == (SEG_SYN | SEG_ACK) && s->opened && f->has_irs &&
        seq_eq(t->seq, f->irs) && f->segments[0] > f->syn_sent)
        signs_note(s, SIGN_SYN_ACK_AGAIN, g->number);
    if (t->opt.has & OPT_TIMESTAMP) {
        if (echoes_astray(s, t))
            signs_note(s, SIGN_ECHO_ASTRAY, g->number);
    } else if ((f->ours.has & f->theirs.has & OPT_TIMESTAMP) && f->offered &&
               !(t->flags & (SEG_RST | SEG_SYN))) {
        signs_note(s, SIGN_UNSTAMPED, g->number);
    }
    if (g->notes & TRACK_OUT_OF_ORDER)
        signs_note(s, SIGN_BEYOND_GAP, g->number);
    if (t->opt.sacks && sack_astray(s, f, t))
        signs_note(s, SIGN_SACK_ASTRAY, g->number);
    if (t->len || (t->flags & SEG_FIN))
        text(f, seen, g);
    window(s, seen, g);
    if (s->fin_repeats && (t->flags & SEG_ACK) && !(t->flags & (SEG_RST | SEG_SYN)) &&
        seq_lt(t->ack, s->high))
        signs_note(s, SIGN_FIN_UNTAKEN, g->number);
}

static void theirs(struct report_flow *f, const struct report_seen *seen,
                   const struct report_segment *g)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;

    if (g->local == STATE_SYN_SENT) {
        handshake(f, t, g->number);
        return;
    }
    if (!s->opened && (t->flags & (SEG_ACK | SEG_RST)) == SEG_ACK && f->has_iss &&
        seq_gt(t->ack, f->iss)) {
        s->opened = seen->stamp;
        s->opened_by = g->number;
    } else {
        synchronized(f, seen, g);
    }
    if ((t->flags & SEG_ACK) && (!s->has_their_ack || seq_gt(t->ack, s->their_ack))) {
        s->their_ack = t->ack;
        s->has_their_ack = true;
    }
    ttl(f, seen, g->number);
    ending(f, seen, g);
    s->unanswered_probe = s->unanswered_probe && !(t->flags & SEG_ACK);
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

    if (seen->missed)
        signs_note(s, SIGN_MISSED, g->number);
    if (seen->foreign)
        signs_note(s, SIGN_FOREIGN_RST, g->number);
    if (seen->out)
        ours(s, seen, g);
    else if (!seen->missed) {
        arrival(s, seen, g);
        theirs(f, seen, g);
    }
    if (!(g->notes & (TRACK_PROBE | TRACK_PROBE_ANSWER)))
        s->active = seen->stamp;
}
