/*
 * Records what we offered and sent, with which the peer's segments are compared (signs.c).
 */
#include "lib/report/signs.h"

#include "lib/report/report.h"

static void our_fin(struct signs *s, wave_time now)
{
    if (!s->fin_sent) {
        s->fin_at[0] = now;
        s->fin_theirs = s->theirs;
    }
    s->fin_at[1] = s->fin_at[2];
    s->fin_asked[0] = s->fin_asked[1];
    s->fin_at[2] = now;
    s->fin_edge = s->edge;
    s->fin_sent = s->fin_asked[1] = true;
}

/* Records a SYN that we opened with, and whether its answer will tell something of timestamps. */
static void our_syn(struct signs *s, const struct report_seen *seen, uint32_t number)
{
    s->unstamped_at = 0;
    if (seen->packet->seg.opt.has & OPT_TIMESTAMP)
        signs_note(s, SIGN_STAMPED_SYN, number);
    else if (signs_count(s, SIGN_STAMPED_SYN))
        s->unstamped_at = seen->stamp;
}

/* Records our timestamps, with which the peer's echoes are compared. */
static void our_stamp(struct report_flow *f, const struct seg *t)
{
    struct signs *s = &f->signs;

    if (!(t->opt.has & OPT_TIMESTAMP))
        return;
    if (!s->has_stamps)
        s->stamps[0] = s->stamps[1] = t->opt.tsval;
    else if ((int32_t)(t->opt.tsval - s->stamps[1]) > 0)
        s->stamps[1] = t->opt.tsval;
    if (!s->has_open_stamp && !(t->flags & SEG_SYN) && f->syn.has_timestamp &&
        (int32_t)(t->opt.tsval - f->syn.tsval) > 0) {
        s->has_open_stamp = true;
        s->open_stamp = t->opt.tsval;
    }
    s->has_stamps = true;
}

/* Records a probe of ours: keepalive or window. */
static void our_probe(struct signs *s, const struct seg *t, const struct report_segment *g)
{
    /* A FIN is sent even into a zero window, so that it probes the window as well. */
    if ((g->notes & TRACK_WINDOW_PROBE) || (s->shut && (t->flags & SEG_FIN))) {
        s->window_probed = true;
        signs_note(s, SIGN_WINDOW_PROBED, g->number);
    }
    if (!(g->notes & TRACK_PROBE)) {
        /* What comes now may answer this segment instead. */
        s->unanswered_probe = s->unanswered_probe && !seg_len(t);
        return;
    }
    if (s->unanswered_probe && !s->probe_has_byte)
        signs_note(s, SIGN_PROBE_IGNORED, g->number);
    s->unanswered_probe = true;
    s->probe_has_byte = t->len > 0;
    if (!t->len)
        signs_note(s, SIGN_PROBED, g->number);
}

/* Records what we acknowledge and offer. Where a segment with an older sequence number is the first
 * to bring an acknowledgement, the peer may correctly move a window to the right that another one
 * has offered (RFC 9293, 3.10.7.4: SND.WL1). */
static void our_ack(struct signs *s, const struct report_seen *seen, const struct report_segment *g)
{
    const struct seg *t = &seen->packet->seg;
    const bool older = g->notes & (TRACK_RETRANSMISSION | TRACK_PROBE | TRACK_WINDOW_PROBE);

    if (g->window > s->max_window)
        s->max_window = g->window;
    const struct seq edge = seq_add(t->ack, older ? s->max_window : g->window);

    if (!s->has_edge || seq_gt(edge, s->edge)) {
        s->edge = edge;
        s->has_edge = true;
    }
    if (!s->acked_at || seq_gt(t->ack, s->acked)) {
        s->acked = t->ack;
        s->acked_at = seen->stamp;
        if (s->gap_since && seq_geq(t->ack, s->their_end))
            s->gap_since = 0;
    } else if (s->gap_since && seq_eq(t->ack, s->acked) && !seg_len(t)) {
        s->gap_acks++;
    }
}

/* Records data of ours that is sent for the first time. */
static void our_data(struct signs *s, const struct seg *t)
{
    if (t->len >= s->large) {
        s->large_seq = t->seq;
        s->large = t->len;
    }
}

/* Records data of ours that is sent once more. A TCP that takes large packets for lost on the way
 * repeats them in smaller pieces. */
static void our_repetition(struct signs *s, const struct seg *t, uint32_t number)
{
    struct signs_stuck *k = &s->stuck;

    if (!k->times || !seq_eq(k->seq, t->seq)) {
        *k = (struct signs_stuck){.seq = t->seq, .len = t->len, .times = 2};
    } else if (t->len >= k->len) {
        k->times += t->len == k->len;
        k->cut = 0;
    } else {
        k->cut = t->len;
        k->segment = number;
        s->large = 0; /* what is acknowledged from now on may have been sent in pieces */
    }
}

void signs_ours(struct report_flow *f, const struct report_seen *seen,
                const struct report_segment *g)
{
    struct signs *s = &f->signs;
    const struct seg *t = &seen->packet->seg;

    /* A copy that a rule made asks nothing that the segment itself does not ask. */
    if (seen->foreign || (seen->impaired && seen->impaired->copy))
        return;
    s->asked = seen->stamp;
    s->answered = s->challenge && !seg_len(t) && !(t->flags & SEG_RST) ? seen->stamp : 0;
    s->challenge = false;
    if (!(t->flags & SEG_RST) && (!s->has_high || seq_gt(seg_end(t), s->high))) {
        s->high = seg_end(t);
        s->has_high = true;
        s->far |= f->has_iss && s->high.v - f->iss.v >= SIGNS_FAR;
    }
    if (t->flags & SEG_ACK)
        our_ack(s, seen, g);
    if (t->flags & SEG_FIN)
        our_fin(s, seen->stamp);
    our_stamp(f, t);
    if ((t->flags & (SEG_SYN | SEG_ACK)) == SEG_SYN)
        our_syn(s, seen, g->number);
    our_probe(s, t, g);
    if (t->len && !(g->notes & (TRACK_PROBE | TRACK_WINDOW_PROBE))) {
        s->data[0]++;
        s->narrow_full |= s->narrow_since && seq_geq(seg_end(t), seq_add(s->their_ack, s->narrow));
        s->more_sent |= s->fin.segment && !g->retransmission;
        s->resent += g->retransmission;
        if (g->retransmission)
            our_repetition(s, t, g->number);
        else
            our_data(s, t);
    }
}
