/*
 * What the rooms of the engine share: conn.c (the user's calls), conn_in.c (arriving segments),
 * conn_ack.c (what an acknowledgement does), conn_out.c (what to send), conn_timer.c, keepalive.c.
 */
#ifndef TCPWAVE_CORE_CONN_PRIV_H
#define TCPWAVE_CORE_CONN_PRIV_H

#include "lib/core/conn.h"

/* The smallest data segment a peer can talk us into: less would be all headers and scoreboard. */
#define CONN_MSS_MIN 48

/* Bytes in the sequence space sent and not acknowledged: data, SYN and FIN. */
static inline uint32_t conn_flight(const struct conn *c)
{
    return c->snd.nxt.v - c->snd.una.v;
}

/* Our SYN is on the way and unanswered; so are all calls that wait for it. */
static inline bool conn_syn_unacked(const struct conn *c)
{
    return c->state >= STATE_SYN_SENT && !(c->flags & CONN_SYN_ACKED);
}

/* What the peer may still send: RCV.WND. A scaled window that was told is the edge rounded up, so
 * what is taken reaches to where any rounding of it can have reached (RFC 7323, 2.4). */
static inline uint32_t conn_rcv_wnd(const struct conn *c)
{
    uint32_t open = c->rcv.adv.v - c->rcv.nxt.v;

    return open > 0 ? open + (1u << c->rcv_shift) - 1 : 0;
}

/* Our clock for timestamps: milliseconds (RFC 7323, 5.4). */
static inline uint32_t conn_ms(wave_time now)
{
    return (uint32_t)(now / WAVE_MS);
}

/* How long ago our SYN was sent; it is asked for while that is unacknowledged. */
static inline wave_time conn_syn_took(const struct conn *c, wave_time now)
{
    return (uint32_t)((uint32_t)(now / WAVE_US) - c->syn_at) * WAVE_US;
}

/* R2's clock starts: something waits for the peer from now on. */
static inline void conn_stalls(struct conn *c, wave_time now)
{
    c->since = conn_ms(now + WAVE_MS - 1);
    c->flags |= CONN_STALLED;
}

/* The duplicate that the next acknowledgement reports (RFC 2883, 4): a part of one segment. */
static inline void conn_duplicate(struct conn *c, struct seq first, struct seq end)
{
    c->dsack = first;
    c->dsack_len = (uint16_t)(end.v - first.v);
    c->flags |= CONN_DSACK;
}

/* conn.c: the one function that moves the state. The edge must be in state_edge()'s table. */
void conn_move(struct conn *c, wave_time now, enum state to, const char *cause);

/* conn.c: CLOSED, for this reason. */
void conn_finish(struct conn *c, wave_time now, enum conn_end end, const char *cause);

/* The end of TIME_WAIT. */
void conn_leave_time_wait(struct conn *c, wave_time now);

/* conn.c: an event of this connection. */
void conn_emit(struct conn *c, wave_time now, struct event *event);

/* conn_in.c: what the two SYNs agreed on, from the peer's. */
void conn_take_syn(struct conn *c, wave_time now, const struct seg *s);

/* conn_in.c: the peer has acknowledged our SYN; `s` is the segment that did. */
void conn_handshake_done(struct conn *c, wave_time now, const struct seg *s);

/* conn_in.c: the check that refused a segment, counted and told. */
void conn_discard(struct conn *c, wave_time now, enum check check);

/* conn_ack.c: an acknowledgement in SND.UNA..SND.NXT, its SACK blocks and its window. Returns
 * true when it acknowledged our FIN. */
bool conn_take_ack(struct conn *c, wave_time now, const struct seg *s);

/* conn_ack.c: begins loss recovery, unless one is under way. */
void conn_recover(struct conn *c);

/* Whether PRR says what may be sent: fast recovery with SACK. It is asked for with a queue. */
bool conn_in_prr(const struct conn *c);

/* conn_ack.c: lets RACK look for losses and arms its timer. True: some were found. */
bool conn_detect_loss(struct conn *c, wave_time now);

/* conn_out.c: what the next segment is; decided in one place for output and expiry alike. */
enum conn_plan_kind {
    PLAN_NOTHING,
    PLAN_RST,
    PLAN_SYN,
    PLAN_NEW,            /* data and perhaps FIN that were never sent */
    PLAN_RETRANSMIT,     /* a record of the queue */
    PLAN_RETRANSMIT_FIN, /* the FIN, alone */
    PLAN_KEEPALIVE,      /* keepalive probe */
    PLAN_VERIFY,         /* conn_probe() */
    PLAN_ACK
};

struct conn_plan {
    enum conn_plan_kind what;
    struct seq first;
    uint32_t len;
    bool fin;
    uint32_t record; /* PLAN_RETRANSMIT: its index */
    enum retransmit_kind why;
};

struct conn_plan conn_plan(const struct conn *c);

/* conn_out.c: data bytes of a full segment now, options deducted (RFC 6691). */
uint32_t conn_segment_size(const struct conn *c);

/* conn_out.c: the right edge that we could offer, silly windows avoided (RFC 9293, 3.8.6.2.2). */
struct seq conn_offer(const struct conn *c);

/* conn_timer.c: chooses what timer[REXMT] is to run for, and starts it, with a tail-loss probe
 * before it where there may be one. With `restart` a timer that runs starts anew (RFC 6298, 5.3);
 * without, it goes on (5.1). */
void conn_rearm(struct conn *c, wave_time now, bool restart);

/* conn_timer.c: the same after new data was sent, which puts a tail-loss probe off, or makes one
 * possible where the RTO was all there was (RFC 8985, 7.2). */
void conn_rearm_sent(struct conn *c, wave_time now);

/* conn_timer.c: the same after RACK has looked for losses and wants to look again at that time
 * (RFC 8985, 6.3), or at none. */
void conn_rearm_rack(struct conn *c, wave_time now, wave_time recheck_at);

/* conn_timer.c: when the retransmission timer, started now, fires: RTO, but not beyond R2. */
wave_time conn_rto_at(const struct conn *c, wave_time now);

/* keepalive.c */
void keepalive_start(struct conn *c);
void keepalive_fired(struct conn *c, wave_time now);
void keepalive_heard(struct conn *c, wave_time now);
/* Whether the probe that is due carries a byte. */
bool keepalive_has_byte(const struct conn *c);
void keepalive_probe_sent(struct conn *c, wave_time now);

#endif
