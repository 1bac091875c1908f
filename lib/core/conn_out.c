/*
 * Sending. conn_plan() decides what the next segment is and changes nothing. conn_output() builds
 * that segment and updates the connection. conn_expiry() asks conn_plan(), too, so that the two
 * always agree.
 */
#include <string.h>

#include "lib/core/cc.h"
#include "lib/core/conn_priv.h"
#include "lib/core/err.h"
#include "lib/core/loss.h"
#include "lib/core/queue.h"
#include "lib/core/reasm.h"

/* The data of a train, so that it fits into an IP packet with the longest headers that it has. */
#define TRAIN_BYTES (65535u - 40 - SEG_HEADER_MAX)

/* Returns the bytes of options on a segment with that many SACK blocks. */
static uint32_t option_bytes(const struct conn *c, unsigned blocks)
{
    return (c->flags & CONN_TIMESTAMPS ? 12 : 0) + (blocks ? 4 + 8 * blocks : 0);
}

/* Returns how many SACK blocks the next segment has: as many as fit into the 40 bytes of options,
 * but so few that a segment of the path's size has room for a byte of data. */
static unsigned sack_blocks(const struct conn *c)
{
    unsigned max = c->flags & CONN_TIMESTAMPS ? 3 : 4;
    unsigned n = c->flags & CONN_DSACK ? 1 : 0;

    if (!(c->flags & CONN_SACK) || (n == 0 && !c->reasm))
        return 0;
    if (c->reasm)
        n += c->reasm->runs;
    if (n > max)
        n = max;
    while (n > 0 && option_bytes(c, n) >= c->mss)
        n--;
    return n;
}

uint32_t conn_segment_size(const struct conn *c)
{
    uint32_t options = option_bytes(c, sack_blocks(c));

    return c->mss > options + 1 ? c->mss - options : 1;
}

struct seq conn_offer(const struct conn *c)
{
    const struct conn_config *config = &c->env->config;
    uint32_t held = reasm_ready(c->reasm);
    uint32_t room = held < config->rcvbuf ? config->rcvbuf - held : 0;
    uint32_t min = config->rcvbuf / 2 < c->mss ? config->rcvbuf / 2 : c->mss;
    struct seq edge = seq_add(c->rcv.nxt, room);

    /* RFC 9293, 3.8.6.2.2: the right edge does not move until it can move by half the buffer or a
     * full segment, and it never moves left. */
    if (seq_diff(edge, c->rcv.adv) < (int32_t)min)
        return c->rcv.adv;
    return edge;
}

/*
 * What to send: decisions.
 */

/* Plans the retransmission of a record, or of its first `max` bytes. */
static struct conn_plan plan_retransmission(const struct conn *c, uint32_t record, uint32_t max,
                                            enum retransmit_kind why)
{
    const struct queue_record *s = queue_at(c->queue, record);
    struct conn_plan p = {.what = PLAN_RETRANSMIT, .first = s->first, .record = record, .why = why};

    p.len = s->len < max ? s->len : max;
    /* The FIN is retransmitted with the last byte before it. */
    p.fin = (c->flags & CONN_FIN_SENT) && p.len == s->len &&
            seq_eq(seq_add(s->first, s->len), seq_sub(c->snd.nxt, 1));
    return p;
}

/* Returns how many bytes the peer's window still takes beyond SND.NXT. */
static uint32_t usable_window(const struct conn *c)
{
    const int32_t edge = seq_diff(seq_add(c->snd.una, c->snd.wnd), c->snd.nxt);

    return edge > 0 ? (uint32_t)edge : 0;
}

/* Plans a window probe: at least one byte, new or already sent, regardless of the window (RFC 9293,
 * 3.8.6.1). */
static struct conn_plan plan_window_probe(const struct conn *c, uint32_t unsent)
{
    const uint32_t usable = usable_window(c), size = conn_segment_size(c);
    struct conn_plan p = {.first = c->snd.nxt, .why = RETRANSMIT_PERSIST};

    if (c->queue && c->queue->sents > 0)
        return plan_retransmission(c, 0, usable > 1 ? size : 1, RETRANSMIT_PERSIST);
    if (c->flags & CONN_FIN_SENT) {
        p.what = PLAN_RETRANSMIT_FIN;
        p.first = seq_sub(c->snd.nxt, 1);
        return p;
    }
    p.what = PLAN_NEW;
    p.len = usable > 1 ? usable : 1;
    if (p.len > size)
        p.len = size;
    if (p.len >= unsent) {
        p.len = unsent;
        p.fin = unsent == 0;
    }
    return p;
}

/* Plans a tail-loss probe: new data if there is any, otherwise the last segment (RFC 8985, 7.3). */
static struct conn_plan plan_tail_probe(const struct conn *c, uint32_t unsent)
{
    const uint32_t usable = usable_window(c), size = conn_segment_size(c);
    struct conn_plan p = {.what = PLAN_NEW, .first = c->snd.nxt, .why = RETRANSMIT_TLP};

    if (unsent > 0 && usable >= (unsent < size ? unsent : size)) {
        p.len = unsent < size ? unsent : size;
        return p;
    }
    if (c->queue && c->queue->sents > 0)
        return plan_retransmission(c, c->queue->sents - 1, size, RETRANSMIT_TLP);
    p.what = PLAN_RETRANSMIT_FIN;
    p.first = seq_sub(c->snd.nxt, 1);
    return p;
}

/* Returns how many bytes the congestion window allows in flight. Without SACK, each duplicate ACK
 * means that one more segment has left the network (RFC 5681, 3.2, steps 1 and 4). */
static uint32_t allowed_in_flight(const struct conn *c)
{
    return c->cwnd + (c->flags & CONN_SACK ? 0 : c->dupacks * (uint32_t)c->mss);
}

/* Plans data that was never sent: as much as both windows allow, and no silly segments (RFC 9293,
 * 3.8.6.2.1). */
static struct conn_plan plan_new(const struct conn *c, uint32_t unsent)
{
    const uint32_t usable = usable_window(c), size = conn_segment_size(c);
    struct conn_plan p = {.what = PLAN_NOTHING, .first = c->snd.nxt};
    uint32_t pipe = queue_pipe(c->queue);
    uint32_t allowed = allowed_in_flight(c);
    uint32_t room = allowed > pipe ? allowed - pipe : 0;
    uint32_t len = unsent < size ? unsent : size;
    bool fin_queued = c->flags & CONN_FIN_QUEUED;

    if (unsent > 0 && len > room) {
        if (pipe > 0)
            return p;
        if (room > 0)
            len = room;
    }
    if (len > usable)
        len = usable;
    if (len < size && len < unsent && len < c->snd.max_wnd / 2)
        return p; /* the persist timer overrides this: conn_rearm() */
    if (c->env->config.nagle && len < size && conn_flight(c) > 0 && !fin_queued)
        return p;
    p.fin = fin_queued && len == unsent && usable > len;
    p.len = len;
    if (len > 0 || p.fin)
        p.what = PLAN_NEW;
    return p;
}

/* Plans the retransmission of the oldest lost data. */
static struct conn_plan plan_lost(const struct conn *c)
{
    struct queue *q = c->queue;
    const uint32_t i = queue_first_lost(q), pipe = queue_pipe(q);
    const bool after_timeout = q->after_timeout && (c->flags & CONN_RECOVERY);
    struct conn_plan p = plan_retransmission(c, i, conn_segment_size(c),
                                             after_timeout ? RETRANSMIT_RTO : RETRANSMIT_FAST);

    /* The first retransmission of a recovery does not depend on what is in flight (RFC 5681, 3.2,
     * step 3; RFC 6675, section 5, step 4.3). */
    if (pipe == 0 || (c->flags & CONN_RTX_DUE) || pipe + p.len <= allowed_in_flight(c))
        return p;
    return (struct conn_plan){.what = PLAN_NOTHING};
}

/* Plans data or FIN: a probe that is due comes first, then lost data, then new data. */
static struct conn_plan plan_data(const struct conn *c)
{
    const bool fin_sent = c->flags & CONN_FIN_SENT;
    struct queue *q = c->queue;
    uint32_t unsent = fin_sent ? 0 : queue_unsent(q, c->snd.nxt);
    bool new_first = false;
    struct conn_plan p;

    if (c->flags & CONN_PROBE_DUE)
        return c->flags & CONN_PERSIST ? plan_window_probe(c, unsent) : plan_tail_probe(c, unsent);
    if (q && q->lost > 0 && c->snd.wnd > 0) {
        /* RFC 5682, 2.1, step 2b: new data is sent first, to find out whether the timeout was
         * spurious. */
        new_first = unsent > 0 && !(c->flags & CONN_STARVED) && undo_wants_new(c);
        if (!new_first)
            return plan_lost(c);
    }
    if ((c->flags & CONN_RTX_DUE) && fin_sent && (!q || q->sents == 0))
        return (struct conn_plan){
            .what = PLAN_RETRANSMIT_FIN, .first = seq_sub(c->snd.nxt, 1), .why = RETRANSMIT_RTO};
    if ((c->flags & CONN_STARVED) || (unsent == 0 && (fin_sent || !(c->flags & CONN_FIN_QUEUED))))
        return (struct conn_plan){.what = PLAN_NOTHING};
    p = plan_new(c, unsent);
    if (new_first && p.what == PLAN_NOTHING && queue_pipe(q) == 0)
        return plan_lost(c); /* or nothing would be sent at all */
    return p;
}

/* Returns whether plan_data() has anything to decide. It mostly has not: a receiver is asked after
 * every segment. */
static bool data_waits(const struct conn *c)
{
    const struct queue *q = c->queue;

    if (c->flags & (CONN_PROBE_DUE | CONN_RTX_DUE))
        return true;
    if (c->flags & CONN_FIN_SENT)
        return q && q->lost > 0;
    return (c->flags & CONN_FIN_QUEUED) || (q && (q->lost > 0 || queue_unsent(q, c->snd.nxt) > 0));
}

/* Returns whether the state allows sending data, a FIN, or their retransmissions. */
static bool may_send_data(const struct conn *c)
{
    switch (c->state) {
    case STATE_ESTABLISHED:
    case STATE_CLOSE_WAIT:
    case STATE_FIN_WAIT_1:
    case STATE_CLOSING:
    case STATE_LAST_ACK:
        return !conn_syn_unacked(c);
    default:
        return false;
    }
}

struct conn_plan conn_plan(const struct conn *c)
{
    struct conn_plan p = {.what = PLAN_NOTHING, .first = c->snd.nxt};

    if (c->flags & CONN_RST_DUE) {
        p.what = PLAN_RST;
        return p;
    }
    if (c->state == STATE_CLOSED || c->state == STATE_LISTEN)
        return p;
    if (c->flags & CONN_SYN_DUE) {
        p.what = PLAN_SYN;
        p.first = c->snd.iss;
        return p;
    }
    if (c->state == STATE_SYN_SENT || c->held)
        return p;
    if (data_waits(c) && may_send_data(c)) {
        struct conn_plan data = plan_data(c);
        if (data.what != PLAN_NOTHING)
            return data;
    }
    /* RFC 9293, 3.10.4: after CLOSE in SYN_RECEIVED with nothing to send, the FIN is sent
     * immediately. */
    if (c->state == STATE_SYN_RECEIVED && (c->flags & CONN_FIN_QUEUED) && !c->queue) {
        p.what = PLAN_NEW;
        p.fin = true;
        return p;
    }
    /* Data or a FIN may have been sent since the probe became due. A garbage byte with an
     * unacknowledged number would then be taken for data if the original is lost. */
    const bool idle = conn_flight(c) == 0;
    if (idle && (c->flags & CONN_KEEPALIVE_DUE))
        p.what = PLAN_KEEPALIVE;
    else if (idle && (c->flags & CONN_VERIFY_DUE))
        p.what = PLAN_VERIFY;
    else if (c->flags & CONN_ACK_NOW)
        p.what = PLAN_ACK;
    return p;
}

/*
 * Building the segments.
 */

static void put_timestamp(const struct conn *c, wave_time now, struct seg *out)
{
    out->opt.has |= OPT_TIMESTAMP;
    out->opt.tsval = conn_ms(now) + c->ts_offset;
    out->opt.tsecr = out->flags & SEG_ACK ? c->ts_recent : 0; /* RFC 7323, 3.2 */
}

/* Fills in the SACK option, which may be empty. */
static void put_sack(struct conn *c, struct seg *out)
{
    unsigned blocks = sack_blocks(c), n = 0;

    if (blocks == 0)
        return;
    if (c->flags & CONN_DSACK) /* RFC 2883, 4: the D-SACK block comes first */
        out->opt.sack[n++] = (struct sack_block){c->dsack, seq_add(c->dsack, c->dsack_len)};
    n += reasm_sack(c->reasm, out->opt.sack + n, blocks - n);
    out->opt.sacks = (uint8_t)n;
    out->opt.has |= OPT_SACK;
    c->flags &= ~(uint32_t)CONN_DSACK;
}

/* Returns the window field, and updates the edge that it stands for. The edge moves by whole units
 * of the scale. Where it does not move, the field is rounded up, since rounded down it would take
 * back part of the offer (RFC 7323, 2.4). RCV.ADV follows the buffer in both cases, and must not
 * drift with the rounding. */
static uint16_t put_window(struct conn *c)
{
    const uint32_t part = (1u << c->rcv_shift) - 1;
    uint32_t offer = (conn_offer(c).v - c->rcv.nxt.v) & ~part;
    uint32_t field;

    c->rcv.adv = seq_max(c->rcv.adv, seq_add(c->rcv.nxt, offer));
    field = (c->rcv.adv.v - c->rcv.nxt.v + part) >> c->rcv_shift;
    return (uint16_t)(field < 65535 ? field : 65535);
}

/* Fills in what every segment after the SYNs has: an acknowledgement (RFC 9293, 3.10.7.4 and its
 * figures). */
static void put_ack(struct conn *c, wave_time now, struct seg *out)
{
    out->flags |= SEG_ACK;
    out->ack = c->rcv.nxt;
    out->wnd = put_window(c);
    if (c->flags & CONN_ECE)
        out->flags |= SEG_ECE;
    put_sack(c, out);
    if (c->flags & CONN_TIMESTAMPS)
        put_timestamp(c, now, out);
    c->rcv.acked = c->rcv.nxt;
    c->rcv_segs = 0;
    c->flags &= ~(uint32_t)CONN_ACK_NOW;
    c->timer[TIMER_DELACK] = WAVE_NEVER;
}

/* Counts a retransmission, and emits an event for it. */
static void emit_retransmission(struct conn *c, wave_time now, const struct conn_plan *p)
{
    struct event e = {.kind = EVENT_RETRANSMIT};

    e.u.retransmit.why = p->why;
    e.u.retransmit.seq = p->first;
    e.u.retransmit.len = p->len;
    e.u.retransmit.n = c->backoff;
    conn_emit(c, now, &e);
    c->retransmits++;
}

/* Builds our SYN or SYN-ACK. A SYN-ACK has only the options that the peer's SYN offered. */
static void send_syn(struct conn *c, wave_time now, struct seg *out)
{
    const struct conn_config *config = &c->env->config;
    const bool passive = c->state != STATE_SYN_SENT;

    out->flags = SEG_SYN | (passive ? SEG_ACK : 0);
    out->ack = passive ? c->rcv.nxt : seq_of(0);
    /* The window is never scaled on a SYN: RFC 7323, 2.2. */
    out->wnd = (uint16_t)(config->rcvbuf > 65535 ? 65535 : config->rcvbuf);
    out->opt.has = OPT_MSS;
    out->opt.mss = (uint16_t)config->mss;
    if (passive ? c->flags & CONN_SACK : config->sack)
        out->opt.has |= OPT_SACK_PERMITTED;
    if (passive ? c->flags & CONN_WSCALE : config->wscale) {
        out->opt.has |= OPT_WSCALE;
        out->opt.wscale = c->rcv_shift;
    }
    if (passive ? (c->flags & CONN_TIMESTAMPS) != 0 : config->timestamps && !conn_syn_unstamped(c))
        put_timestamp(c, now, out);
    /* RFC 3168, 6.1.1. Only the first SYN asks for ECN, since some firewalls drop such SYNs
     * (6.1.1.1). */
    if (passive && (c->flags & CONN_ECN))
        out->flags |= SEG_ECE;
    if (!passive && config->ecn) {
        if (c->syn_sent == 0)
            out->flags |= SEG_ECE | SEG_CWR;
        else
            c->flags |= CONN_PLAIN_SYN;
    }
    if (passive) {
        c->rcv.acked = c->rcv.nxt;
        c->flags &= ~(uint32_t)CONN_ACK_NOW;
    }
    if (c->syn_sent == 0) {
        c->syn_at = (uint32_t)(now / WAVE_US);
        conn_stalls(c, now);
    } else {
        emit_retransmission(c, now,
                            &(struct conn_plan){.first = c->snd.iss, .why = RETRANSMIT_RTO});
    }
    c->syn_sent++;
    c->flags &= ~(uint32_t)CONN_SYN_DUE;
    /* R2 for data does not apply here; syn_retries does. */
    const bool compares =
        (c->flags & CONN_UNSTAMPED_HEARD) && c->syn_sent == CONN_UNSTAMPED_SYN + 2;
    c->timer[TIMER_REXMT] =
        time_add(now, compares ? CONN_UNSTAMPED_WAIT : rtt_rto(&c->rtt, config, c->backoff));
}

/* Adds the FIN. When it is sent for the first time, the state changes. */
static void send_fin(struct conn *c, wave_time now, struct seg *out)
{
    out->flags |= SEG_FIN;
    if (c->flags & CONN_FIN_SENT)
        return;
    /* DEVIATES: RFC 9293, 3.10.4 enters FIN_WAIT_1 at CLOSE, though data may still be sent before
     * the FIN. Here the state is the one that an observer of the wire sees. */
    c->flags |= CONN_FIN_SENT;
    c->snd.nxt = seq_add(c->snd.nxt, 1);
    if (c->state == STATE_CLOSE_WAIT)
        conn_move(c, now, STATE_LAST_ACK, "our FIN after the peer's");
    else if (c->state == STATE_ESTABLISHED || c->state == STATE_SYN_RECEIVED)
        conn_move(c, now, STATE_FIN_WAIT_1, "our FIN");
}

static void put_data(struct conn *c, const struct conn_plan *p, struct seg *out, uint8_t *room)
{
    if (p->len == 0)
        return;
    queue_copy(c->queue, p->first, p->len, room);
    out->data = room;
    out->len = p->len;
    out->train = (uint16_t)p->train;
    if (seq_eq(seq_add(p->first, p->len), seq_add(c->queue->base, c->queue->len)))
        out->flags |= SEG_PSH; /* nothing more is queued: RFC 9293, 3.9.1.2 */
}

/*
 * Makes a train of the planned segment and of those that would follow it now. It is only done while
 * all is well: each of them would be a full segment of new data whose header differs in nothing but
 * the sequence number, and the records for them are there. So a train changes neither what is sent
 * nor what is remembered of it.
 */
static void make_train(const struct conn *c, struct conn_plan *p)
{
    const uint32_t special = CONN_PROBE_DUE | CONN_RTX_DUE | CONN_PERSIST | CONN_RECOVERY |
                             CONN_CWR | CONN_DSACK | CONN_STARVED;
    const struct queue *q = c->queue;
    const uint32_t size = conn_segment_size(c);
    uint32_t max = c->env->train, bytes, room;

    if (p->len != size || p->fin || (c->flags & special) || c->reasm || q->lost > 0)
        return;
    if (max > TRAIN_BYTES / size)
        max = TRAIN_BYTES / size;
    if (max > q->sent_capacity - q->sents)
        max = q->sent_capacity - q->sents;
    bytes = queue_unsent(q, c->snd.nxt) - (c->flags & CONN_FIN_QUEUED ? 1 : 0);
    room = allowed_in_flight(c) - queue_pipe(q);
    if (bytes > room)
        bytes = room;
    if (bytes > usable_window(c))
        bytes = usable_window(c);
    if (max > bytes / size)
        max = bytes / size;
    if (max < 2)
        return;
    p->len = max * size;
    p->train = size;
}

/* Records what a plan sends, segment by segment. */
static void record_sent(struct conn *c, wave_time now, const struct conn_plan *p)
{
    const uint32_t size = p->train ? p->train : p->len;

    for (uint32_t at = 0; at < p->len; at += size)
        queue_sent(c->queue, seq_add(p->first, at), size, now);
}

/* Sends new data and perhaps the FIN. Where there is data, queue_can_send() must have returned
 * true. */
static void send_new(struct conn *c, wave_time now, const struct conn_plan *p, struct seg *out,
                     uint8_t *room)
{
    bool idle = conn_flight(c) == 0;

    put_data(c, p, out, room);
    if (p->len > 0) {
        record_sent(c, now, p);
        if (c->loss && conn_in_prr(c))
            prr_sent(&c->loss->prr, p->len);
        c->snd.nxt = seq_add(c->snd.nxt, p->len);
        if (c->snd.wnd > 0) { /* RFC 3168, 6.1.6: neither is set on a probe of a closed window */
            /* 6.1.1: never by a host that has sent a SYN without ECN. */
            if ((c->flags & (CONN_ECN | CONN_PLAIN_SYN)) == CONN_ECN)
                out->ecn = ECN_ECT0;
            if (c->flags & CONN_CWR)
                out->flags |= SEG_CWR;
            c->flags &= ~(uint32_t)CONN_CWR;
        }
    }
    if (p->fin)
        send_fin(c, now, out);
    if (idle && !(c->flags & CONN_PERSIST))
        conn_stalls(c, now);
    if ((c->flags & CONN_PROBE_DUE) && !(c->flags & CONN_PERSIST) && c->queue) {
        c->queue->tlp.out = true;
        c->queue->tlp.retransmission = false;
        c->queue->tlp.end = c->snd.nxt;
    }
    c->flags &= ~(uint32_t)CONN_PROBE_DUE;
    conn_rearm_sent(c, now);
}

/* Informs undo.c and prr.c of a retransmission in recovery. */
static void sent_in_recovery(struct conn *c, wave_time now, const struct conn_plan *p)
{
    undo_retransmitted(c, seq_add(p->first, p->len), conn_ms(now) + c->ts_offset);
    if (conn_in_prr(c))
        prr_sent(&c->loss->prr, p->len);
}

/* Builds a retransmission: lost data, a probe of the window or of the tail, or the FIN. */
static void send_retransmission(struct conn *c, wave_time now, struct conn_plan *p, struct seg *out,
                                uint8_t *room)
{
    bool tail_probe = (c->flags & CONN_PROBE_DUE) && !(c->flags & CONN_PERSIST);

    if (p->what == PLAN_RETRANSMIT) {
        /* A record larger than what may be sent now is split. Where there is no memory for that, a
         * shortened segment is sent all the same, and the rest waits for the timer. */
        if (p->why != RETRANSMIT_PERSIST)
            queue_split(c->queue, c->env, p->record, p->len);
        put_data(c, p, out, room);
        if (p->why == RETRANSMIT_TLP) {
            c->queue->tlp.out = c->queue->tlp.retransmission = true;
            c->queue->tlp.end = c->snd.nxt;
        }
        queue_retransmitted(c->queue, p->record, now);
        if (c->loss && (c->flags & CONN_RECOVERY))
            sent_in_recovery(c, now, p);
    }
    if (p->fin || p->what == PLAN_RETRANSMIT_FIN)
        out->flags |= SEG_FIN;
    emit_retransmission(c, now, p);
    c->flags &= ~(uint32_t)(CONN_RTX_DUE | CONN_PROBE_DUE);
    /* RFC 6675, section 6: the oldest segment's timeout counts from when it was last sent. */
    conn_rearm(c, now,
               tail_probe || p->why == RETRANSMIT_RTO ||
                   (p->what == PLAN_RETRANSMIT && p->record == 0));
}

/* Builds <SEQ=SND.NXT-1>, with a byte that the peer must treat as one it already received. After
 * our FIN that number is the FIN's own, the last one that was acknowledged. */
static void send_probe(struct conn *c, struct seg *out, bool garbage)
{
    static const uint8_t byte = 0;

    out->seq = seq_sub(c->snd.nxt, 1);
    if (garbage) {
        out->data = &byte;
        out->len = 1;
    }
}

/* SND.NXT, but never beyond the peer's window, where it could not accept the segment. Until our SYN
 * is acknowledged, the window does not count from SND.UNA. */
static struct seq bare_seq(const struct conn *c)
{
    if (!(c->flags & CONN_SYN_ACKED))
        return c->snd.nxt;
    return seq_min(c->snd.nxt, seq_add(c->snd.una, c->snd.wnd));
}

/* Ends TIME_WAIT as soon as its ACK is sent, if it is not to be kept. */
static void leave_time_wait(struct conn *c, wave_time now)
{
    if (c->state == STATE_TIME_WAIT && c->timer[TIMER_TIME_WAIT] <= now)
        conn_leave_time_wait(c, now);
}

bool conn_output(struct conn *c, wave_time now, struct seg *out, uint8_t *room)
{
    if (env_busy(c->env))
        return false;

    struct conn_plan p = conn_plan(c);

    if (p.what == PLAN_NOTHING)
        return false;
    if (p.what == PLAN_NEW && p.len > 0 && !queue_can_send(c->queue, c->env)) {
        c->flags = (c->flags | CONN_STARVED) & ~(uint32_t)CONN_PROBE_DUE;
        conn_rearm(c, now, false);
        return false;
    }
    *out = (struct seg){.seq = p.first};
    switch (p.what) {
    case PLAN_NOTHING: /* it has returned */
    case PLAN_RST:     /* RFC 9293, 3.10.5: <SEQ=SND.NXT><CTL=RST> */
        /* DEVIATES while a window probe is unanswered: a peer with a closed window accepts a RST at
         * RCV.NXT only (RFC 5961, 3.2), and that is what it has acknowledged. */
        out->seq = bare_seq(c);
        out->flags = SEG_RST;
        if (c->flags & CONN_TIMESTAMPS) /* RFC 7323, 3.2: SHOULD */
            put_timestamp(c, now, out);
        c->flags &= ~(uint32_t)CONN_RST_DUE;
        return true;
    case PLAN_SYN:
        send_syn(c, now, out);
        return true;
    case PLAN_NEW:
        if (c->env->train > 1 && p.len > 0)
            make_train(c, &p);
        send_new(c, now, &p, out, room);
        break;
    case PLAN_RETRANSMIT:
    case PLAN_RETRANSMIT_FIN:
        send_retransmission(c, now, &p, out, room);
        break;
    case PLAN_KEEPALIVE:
        send_probe(c, out, keepalive_has_byte(c));
        keepalive_probe_sent(c, now);
        break;
    case PLAN_VERIFY:
        send_probe(c, out, c->flags & CONN_VERIFY_BYTE);
        c->flags &= ~(uint32_t)(CONN_VERIFY_DUE | CONN_VERIFY_BYTE);
        break;
    case PLAN_ACK:
        out->seq = bare_seq(c);
        break;
    }
    put_ack(c, now, out);
    leave_time_wait(c, now);
    return true;
}

bool conn_reset_for(const struct conn *c, wave_time now, const struct seg *s, struct seg *out)
{
    struct seg r = {.flags = SEG_RST};

    if (s->flags & SEG_RST)
        return false;
    if (s->flags & SEG_ACK) {
        r.seq = s->ack;
    } else {
        r.flags |= SEG_ACK;
        r.ack = seg_end(s);
    }
    /* RFC 7323, 3.2: SHOULD, if timestamps were negotiated. Without an ACK bit there is no echo. */
    if (c && c->state > STATE_SYN_SENT && (c->flags & CONN_TIMESTAMPS))
        put_timestamp(c, now, &r);
    *out = r;
    return true;
}
