/*
 * Processes an acknowledgement: RFC 9293, 3.10.7.4, fifth step, with SACK, loss detection and
 * recovery (RFC 6675 and RFC 8985 if the peer does SACK, RFC 6582 if it does not). conn_take_ack()
 * does it in this order: window, cumulative ACK, SACK blocks, undoing a spurious reduction, ECN,
 * timers, new losses, and how much may be sent now.
 */
#include "lib/core/cc.h"
#include "lib/core/conn_priv.h"
#include "lib/core/loss.h"
#include "lib/core/queue.h"
#include "lib/core/rack.h"
#include "lib/core/sack.h"

#define DUP_THRESH 3

static wave_time srtt(const struct conn *c)
{
    return c->rtt.srtt * WAVE_US;
}

static wave_time min_rtt(const struct conn *c)
{
    return c->rtt.min * WAVE_US;
}

bool conn_in_prr(const struct conn *c)
{
    return (c->flags & (CONN_RECOVERY | CONN_SACK)) == (CONN_RECOVERY | CONN_SACK) && c->queue &&
           !c->queue->after_timeout && c->loss;
}

void conn_recover(struct conn *c)
{
    struct queue *q = c->queue;

    if (c->flags & CONN_RECOVERY)
        return;
    undo_begin(c, false);
    /* RFC 3168, 6.1.2: marks and losses in one window reduce it only once. */
    if (!q->cwr || seq_geq(c->snd.una, q->cwr_end))
        cc_lost(c);
    if (c->loss && (c->flags & CONN_SACK)) {
        prr_start(&c->loss->prr, q->out - q->sacked);
        c->cwnd = queue_pipe(q); /* until the acknowledgement that showed the loss is counted */
    }
    c->flags |= CONN_RECOVERY | CONN_RTX_DUE;
    if (c->flags & CONN_ECN)
        c->flags |= CONN_CWR;
    q->recover = c->snd.nxt;
    q->after_timeout = false;
}

bool conn_detect_loss(struct conn *c, wave_time now)
{
    struct rack_result r;

    r = rack_detect(&c->rack, c->queue, now, srtt(c), min_rtt(c), c->flags & CONN_RECOVERY);
    if (r.lost > 0)
        conn_recover(c);
    conn_rearm_rack(c, now, r.recheck_at);
    return r.lost > 0;
}

/* Measures the round-trip time of what the ACK covers: from `sent_at`, or else by the echoed
 * timestamp, which distinguishes an original from its retransmission (RFC 7323, section 4; once
 * negotiated, nearly every segment has one). A sample ends the back-off. Returns the sample, or
 * 0. */
static wave_time measure(struct conn *c, wave_time now, wave_time sent_at, const struct seg *s)
{
    wave_time took;

    if (sent_at != WAVE_NEVER) {
        took = now > sent_at ? now - sent_at : 0;
    } else {
        const uint32_t ms = conn_ms(now) + c->ts_offset - s->opt.tsecr;
        if (!(c->flags & CONN_TIMESTAMPS) || !(s->opt.has & OPT_TIMESTAMP) || s->opt.tsecr == 0 ||
            ms > 600000)
            return 0; /* no echo, or an echo of something we never sent */
        took = ms > 0 ? ms * WAVE_MS : WAVE_MS;
    }
    rtt_sample(&c->rtt, took);
    c->backoff = 0;
    return took;
}

/* Returns the latest time at which the segment whose timestamp is echoed can have been sent, since
 * our clock counts milliseconds; WAVE_NEVER if unknown. */
static wave_time echo_sent(const struct conn *c, wave_time now, const struct seg *s)
{
    uint32_t age;

    if (!c->loss)
        return WAVE_NEVER; /* nothing was sent twice, except by a tail-loss probe */
    age = conn_ms(now) + c->ts_offset - s->opt.tsecr;
    if (!(c->flags & CONN_TIMESTAMPS) || !(s->opt.has & OPT_TIMESTAMP) || s->opt.tsecr == 0 ||
        age > 600000 || age > now / WAVE_MS)
        return WAVE_NEVER;
    return (now / WAVE_MS - age + 1) * WAVE_MS - 1;
}

/* Passes the records that `ack` covers to RACK. Returns when the last of them was sent, or
 * WAVE_NEVER if one of them was sent more than once: the ACK may have waited for its retransmission
 * (Karn; RFC 6298, section 3). */
static wave_time delivered_by_ack(struct conn *c, wave_time now, struct seq ack, wave_time echo)
{
    struct queue *q = c->queue;
    wave_time sent_at = WAVE_NEVER;
    bool repaired = false;

    for (uint32_t i = 0; i < q->sents; i++) {
        const struct queue_record *r = queue_at(q, i);
        if (seq_gt(seq_add(r->first, r->len), ack))
            break;
        if (r->flags & QUEUE_SACKED)
            continue; /* already counted and measured, when the SACK came */
        if (c->flags & CONN_SACK)
            rack_delivered(&c->rack, q, r, now, min_rtt(c), echo);
        repaired |= r->flags & QUEUE_RETRANSMITTED;
        sent_at = r->at;
    }
    return repaired ? WAVE_NEVER : sent_at;
}

/* RFC 8985, 7.4.2: a tail-loss probe that repaired a loss counts as a loss. The ACK that reaches
 * the probe's end does not show whether it did, since the original may have caused that ACK. What
 * comes next shows it: a D-SACK, or a duplicate ACK from a peer that does not report D-SACKs, means
 * that both arrived; an ACK of later data without either means that only the probe did. */
static void finish_tail_probe(struct conn *c, struct seq ack, bool dsack, bool bare_duplicate)
{
    struct queue *q = c->queue;

    if (seq_lt(ack, q->tlp.end))
        return;
    if (!q->tlp.retransmission || dsack) {
        q->tlp.out = false;
    } else if (seq_gt(ack, q->tlp.end)) {
        q->tlp.out = false;
        if (!(c->flags & CONN_RECOVERY))
            cc_lost(c);
    } else if (bare_duplicate) {
        q->tlp.out = false;
    }
}

/* Counts duplicate ACKs if there is no SACK: RFC 6582 (NewReno). */
static void count_duplicate(struct conn *c, bool advanced, bool duplicate)
{
    struct queue *q = c->queue;

    if (advanced) {
        c->dupacks = 0;
        if ((c->flags & CONN_RECOVERY) && !q->after_timeout && q->sents > 0) {
            queue_mark_lost(q, 0); /* 3.2, step 3: a partial ACK */
            c->flags |= CONN_RTX_DUE;
        }
        return;
    }
    if (!duplicate)
        return;
    /* RFC 6582, 3.2, step 2 and 4: what the timer sent again the peer may have had, and that draws
     * duplicates as well. They tell of no loss, and let no more go out than RFC 5681, 3.1's loss
     * window and slow start from it. */
    if (q->after_timeout && ((c->flags & CONN_RECOVERY) || seq_eq(c->snd.una, q->recover)))
        return;
    if (c->dupacks < UINT8_MAX)
        c->dupacks++;
    if (c->dupacks == DUP_THRESH && !(c->flags & CONN_RECOVERY)) {
        queue_mark_lost(q, 0);
        conn_recover(c);
    }
}

/* Processes the SACK blocks, and returns how many bytes they report for the first time. A D-SACK
 * counts without a queue as well: the duplicate of the last segment is reported when nothing is
 * left in the queue. */
static uint32_t take_sack(struct conn *c, wave_time now, const struct seg *s, bool duplicate,
                          bool *dsack)
{
    struct queue *q = c->queue;
    struct sack_result sack = {0};

    /* The blocks are compared with the segment's own ACK, which may be older than SND.UNA. Compared
     * with SND.UNA, the blocks of an ACK that was overtaken would look like D-SACKs. */
    if (s->opt.sacks > 0)
        sack = sack_input(&c->rack, q, &s->opt, s->ack, c->snd.nxt, now, min_rtt(c),
                          echo_sent(c, now, s));
    if (sack.dsack) {
        /* RFC 8985, 7.4.1: a duplicate made by a tail-loss probe does not indicate reordering. */
        *dsack =
            !(q && q->tlp.out && q->tlp.retransmission && seq_eq(s->opt.sack[0].end, q->tlp.end));
        if (*dsack)
            rack_dsack(&c->rack, &c->dsack_round, c->snd.una, c->snd.nxt);
    }
    if (q && q->tlp.out)
        finish_tail_probe(c, s->ack, sack.dsack, duplicate && s->opt.sacks == 0);
    return sack.bytes;
}

/* Reduces the window when the peer echoes a congestion mark: RFC 3168, 6.1.2, once per window, and
 * announced with CWR. */
static void take_ecn_echo(struct conn *c, const struct seg *s)
{
    struct queue *q = c->queue;

    if (!(c->flags & CONN_ECN) || !(s->flags & SEG_ECE))
        return;
    if ((c->flags & CONN_RECOVERY) || (q->cwr && seq_leq(s->ack, q->cwr_end)))
        return;
    cc_lost(c);
    q->cwr = true;
    q->cwr_end = c->snd.nxt;
    c->flags |= CONN_CWR;
}

/* Takes the window from the segment. RFC 9293, 3.10.7.4: a segment older than the one that last set
 * the window does not change it. DEVIATES: one that acknowledges more does, however low its
 * sequence number is. A retransmission that brings a new acknowledgement would otherwise move the
 * window that an earlier segment offered to the right, beyond what the peer has ever offered.
 * Returns whether the window changed; *opened says whether it opened from zero. */
static bool take_window(struct conn *c, const struct seg *s, bool advanced, bool *opened)
{
    uint32_t wnd = (uint32_t)s->wnd << (s->flags & SEG_SYN ? 0 : c->snd_shift);
    uint32_t old = c->snd.wnd;

    *opened = false;
    if (!advanced && !seq_lt(c->snd.wl1, s->seq) &&
        !(seq_eq(c->snd.wl1, s->seq) && seq_leq(c->snd.wl2, s->ack)))
        return false;
    c->snd.wnd = wnd;
    c->snd.wl1 = s->seq;
    c->snd.wl2 = s->ack;
    if (wnd > c->snd.max_wnd)
        c->snd.max_wnd = wnd;
    *opened = old == 0 && wnd > 0;
    return old != wnd;
}

/* Removes the acknowledged data from the queue; `fin` says that our FIN is part of `acked`. */
static void drop_acked(struct conn *c, wave_time now, uint32_t acked, bool fin, wave_time rtt)
{
    struct event e = {.kind = EVENT_ACKED};
    uint32_t bytes = acked - (fin ? 1 : 0);
    bool grows = !(c->flags & CONN_RECOVERY) || (c->queue && c->queue->after_timeout);

    if (c->queue) {
        queue_drop(c->queue, bytes);
        if ((c->flags & CONN_RECOVERY) && seq_geq(c->snd.una, c->queue->recover)) {
            if (conn_in_prr(c))
                c->cwnd = c->ssthresh; /* RFC 6937, section 3: at the end of recovery */
            c->flags &= ~(uint32_t)CONN_RECOVERY;
            rack_recovered(&c->rack);
        }
    }
    if (bytes > 0) {
        e.u.bytes = bytes;
        conn_emit(c, now, &e);
        if (grows) /* RFC 6582, 3.2, step 3: not even the ACK that ends fast recovery */
            cc_acked(c, now, bytes, (uint32_t)(rtt / WAVE_US));
    }
}

/* Makes the probe byte, and anything else that a zero window kept the peer from accepting, due for
 * retransmission. */
static void window_opened(struct conn *c, bool probed)
{
    c->flags &= ~(uint32_t)CONN_PROBE_DUE;
    if (!probed)
        return;
    cc_idle(c, WAVE_NEVER); /* RFC 5681, 4.1: nothing but probes left for longer than an RTO */
    c->backoff = 0;
    if (c->queue)
        queue_all_lost(c->queue);
    else if (c->flags & CONN_FIN_SENT)
        c->flags |= CONN_RTX_DUE;
}

/* Sets cwnd to what may be in flight after an acknowledgement in fast recovery (RFC 6937). */
static void proceed(struct conn *c, uint32_t delivered, bool good)
{
    const uint32_t pipe = queue_pipe(c->queue);

    if (delivered == 0) /* RFC 9937, 6.2: what was allowed and is not sent yet stays so */
        return;
    c->cwnd = pipe + prr_allowed(&c->loss->prr, delivered, pipe, c->ssthresh, c->mss, good);
}

/* Advances SND.UNA by `acked`; `fin` says that our FIN is part of it. */
static void advance(struct conn *c, wave_time now, const struct seg *s, uint32_t acked, bool fin)
{
    wave_time sent_at = WAVE_NEVER, rtt;

    if (c->queue)
        sent_at = delivered_by_ack(c, now, s->ack, echo_sent(c, now, s));
    rtt = measure(c, now, sent_at, s);
    c->snd.una = s->ack;
    c->flags &= ~(uint32_t)(CONN_RTX_DUE | CONN_PROBE_DUE | CONN_STARVED | CONN_STALLED);
    if (conn_flight(c) > 0)
        conn_stalls(c, now);
    drop_acked(c, now, acked, fin, rtt);
}

/* Ends recovery when no data is in flight any more. */
static void flight_ends(struct conn *c, bool advanced)
{
    c->dupacks = 0;
    /* Only the FIN is left of a flight that was being recovered: it was lost like the rest. */
    if ((c->flags & CONN_RECOVERY) && advanced && conn_flight(c) > 0)
        c->flags |= CONN_RTX_DUE;
    c->flags &= ~(uint32_t)CONN_RECOVERY;
}

bool conn_take_ack(struct conn *c, wave_time now, const struct seg *s)
{
    uint32_t acked = s->ack.v - c->snd.una.v;
    const uint32_t flight = conn_flight(c);
    const bool advanced = acked > 0 && acked <= flight;
    const bool fin = advanced && (c->flags & CONN_FIN_SENT) && seq_eq(s->ack, c->snd.nxt);
    const bool probed = (c->flags & CONN_PERSIST) && c->backoff > 0;
    const uint32_t was = c->queue ? c->queue->sacked : 0; /* bytes SACKed before this segment */
    uint32_t sacked = 0;
    bool opened = false, moved = false, dsack = false, lost = false, duplicate;

    if (seq_geq(s->ack, c->snd.una))
        moved = take_window(c, s, advanced, &opened);
    /* RFC 5681, section 2 defines a duplicate ACK. While the window is closed, such an ACK answers
     * a probe (RFC 9293, 3.8.6.1) and tells of no loss. */
    duplicate = !advanced && !moved && s->len == 0 && flight > 0 && c->snd.wnd > 0 &&
                seq_eq(s->ack, c->snd.una) && !(s->flags & (SEG_SYN | SEG_FIN));
    if (advanced) {
        advance(c, now, s, acked, fin);
    } else if (c->snd.wnd == 0) {
        /* RFC 9293, MUST-37: a window may stay closed for ever as long as the peer answers. R2
         * counts from the first window probe that it does not answer. */
        c->flags &= ~(uint32_t)CONN_STALLED;
    }
    if (c->flags & CONN_SACK)
        sacked = take_sack(c, now, s, duplicate, &dsack);
    if (c->loss)
        undo_acked(c, s, advanced, dsack);
    if (c->queue) {
        if (!(c->flags & CONN_SACK))
            count_duplicate(c, advanced, duplicate);
        take_ecn_echo(c, s);
        if (c->queue->len == 0) {
            if (!(c->flags & CONN_STALLED)) /* for the restart window: RFC 5681, 4.1 */
                c->since = conn_ms(c->queue->sent_at);
            queue_free(&c->queue, c->env);
        }
    }
    if (!c->queue)
        flight_ends(c, advanced);
    if (opened)
        window_opened(c, probed);
    conn_rearm(c, now, advanced || opened);
    if (c->queue && (c->flags & CONN_SACK) && (advanced || sacked > 0))
        lost = conn_detect_loss(c, now);
    if (c->loss && conn_in_prr(c))
        proceed(c, (advanced ? acked : 0) + c->queue->sacked - was, advanced && !lost);
    return fin;
}
