/*
 * What the files of the engine share: conn.c (the user's calls), conn_in.c (arriving segments),
 * conn_ack.c (acknowledgements), conn_out.c (what to send), conn_timer.c, keepalive.c.
 */
#ifndef TCPWAVE_CORE_CONN_PRIV_H
#define TCPWAVE_CORE_CONN_PRIV_H

#include "lib/core/conn.h"

/* The smallest data segment that a peer or router can make us use. Anything smaller would be mostly
 * headers, and records of what is in flight. */
#define CONN_MSS_MIN 48

/* Returns whether our SYN is not acknowledged yet, sent or still to be sent. */
static inline bool conn_syn_unacked(const struct conn *c)
{
    return c->state >= STATE_SYN_SENT && !(c->flags & CONN_SYN_ACKED);
}

/* Returns how much the peer may still send: RCV.WND. The window field that we sent may be the edge
 * rounded up to the scale's unit, so data is accepted as far as any rounding can have reached (RFC
 * 7323, 2.4). */
static inline uint32_t conn_rcv_wnd(const struct conn *c)
{
    uint32_t open = c->rcv.adv.v - c->rcv.nxt.v;

    return open > 0 ? open + (1u << c->rcv_shift) - 1 : 0;
}

/* Returns the time on our timestamp clock, which counts milliseconds (RFC 7323, 5.4). */
static inline uint32_t conn_ms(wave_time now)
{
    return (uint32_t)(now / WAVE_MS);
}

/* Returns how long ago our SYN was sent. Valid only while it is unacknowledged. */
static inline wave_time conn_syn_took(const struct conn *c, wave_time now)
{
    return (uint32_t)((uint32_t)(now / WAVE_US) - c->syn_at) * WAVE_US;
}

/* Starts R2's clock: from now on something waits for the peer. */
static inline void conn_stalls(struct conn *c, wave_time now)
{
    c->since = conn_ms(now + WAVE_MS - 1);
    c->flags |= CONN_STALLED;
}

/*
 * With conn_config.unstamped_syn the fourth SYN has no timestamps, since some hosts and firewalls
 * drop a SYN that has them, or whose timestamp they take for an old one (RFC 7323, 5.3, in
 * TIME_WAIT). An option may be left out of a retransmitted SYN. An answer alone would not show that
 * the timestamps were at fault: the path may have been restored meanwhile. So the first answer is
 * passed over, a SYN with timestamps is sent, and half a second later one without them. These are
 * retransmissions as any other, and whichever is answered next opens the connection.
 */
#define CONN_UNSTAMPED_SYN 3 /* this many SYNs are sent before it */
#define CONN_UNSTAMPED_WAIT (500 * WAVE_MS)

/* Returns whether the next SYN has no timestamps although they are wanted. */
static inline bool conn_syn_unstamped(const struct conn *c)
{
    const bool second = c->flags & CONN_UNSTAMPED_HEARD;

    return c->env->config.unstamped_syn && c->state == STATE_SYN_SENT &&
           c->syn_sent == (second ? CONN_UNSTAMPED_SECOND : CONN_UNSTAMPED_SYN);
}

_Static_assert(CONN_UNSTAMPED_SECOND == CONN_UNSTAMPED_SYN + 2, "one with timestamps is between");

/* Makes the next acknowledgement report this duplicate (RFC 2883, 4), which is part of one
 * segment. */
static inline void conn_duplicate(struct conn *c, struct seq first, struct seq end)
{
    c->dsack = first;
    c->dsack_len = (uint16_t)(end.v - first.v);
    c->flags |= CONN_DSACK;
}

/* conn.c: the only function that changes the state. The edge must be in state_edge()'s table. */
void conn_move(struct conn *c, wave_time now, enum state to, const char *cause);

/* conn.c: makes the connection CLOSED, for the reason `end`. */
void conn_finish(struct conn *c, wave_time now, enum conn_end end, const char *cause);

/* conn_timer.c: ends TIME_WAIT. */
void conn_leave_time_wait(struct conn *c, wave_time now);

/* conn.c: emits an event of this connection. */
void conn_emit(struct conn *c, wave_time now, struct event *event);

/* conn_in.c: records what the two SYNs agreed on, from the peer's. */
void conn_take_syn(struct conn *c, wave_time now, const struct seg *s);

/* conn_in.c: completes the handshake: `s` is the segment that acknowledged our SYN. */
void conn_handshake_done(struct conn *c, wave_time now, const struct seg *s);

/* conn_in.c: counts a segment that failed `check`, and emits an event for it. */
void conn_discard(struct conn *c, wave_time now, enum check check);

/* conn_ack.c: processes an acknowledgement in SND.UNA..SND.NXT with its SACK blocks and its window.
 * Returns true when it acknowledged our FIN. */
bool conn_take_ack(struct conn *c, wave_time now, const struct seg *s);

/* conn_ack.c: begins loss recovery, unless it is under way. */
void conn_recover(struct conn *c);

/* Returns whether PRR decides how much may be sent, which is in fast recovery with SACK. The
 * connection must have a queue. */
bool conn_in_prr(const struct conn *c);

/* conn_ack.c: lets RACK look for losses and arms its timer. Returns true if it found any. */
bool conn_detect_loss(struct conn *c, wave_time now);

/* conn_out.c: what the next segment is. This is decided in one place for conn_output(), which sends
 * it, and conn_expiry(), which asks whether there is one. */
enum conn_plan_kind {
    PLAN_NOTHING,
    PLAN_RST,
    PLAN_SYN,
    PLAN_NEW,            /* data, and perhaps a FIN, never sent before */
    PLAN_RETRANSMIT,     /* one record of the queue */
    PLAN_RETRANSMIT_FIN, /* the FIN alone */
    PLAN_KEEPALIVE,      /* a keepalive probe */
    PLAN_VERIFY,         /* conn_probe() */
    PLAN_ACK
};

/* The segment that is sent next. */
struct conn_plan {
    enum conn_plan_kind what;
    struct seq first;
    uint32_t len;
    bool fin;
    uint32_t train;  /* PLAN_NEW: `len` is several segments of this size; 0: it is one */
    uint32_t record; /* PLAN_RETRANSMIT: its index */
    enum retransmit_kind why;
};

/* Decides what to send next, without changing anything. */
struct conn_plan conn_plan(const struct conn *c);

/* conn_out.c: returns how many data bytes a full segment has now, with options deducted (RFC
 * 6691). */
uint32_t conn_segment_size(const struct conn *c);

/* conn_out.c: returns the right edge that we could offer, without silly windows (RFC 9293,
 * 3.8.6.2.2). */
struct seq conn_offer(const struct conn *c);

/* conn_timer.c: chooses what timer[REXMT] has to run for and starts it, with a tail-loss probe
 * before it where one is allowed. With `restart`, a running timer starts over (RFC 6298, 5.3);
 * without, it continues (5.1). */
void conn_rearm(struct conn *c, wave_time now, bool restart);

/* conn_timer.c: the same after new data was sent. This postpones a tail-loss probe, or makes one
 * possible where only the RTO was running (RFC 8985, 7.2). */
void conn_rearm_sent(struct conn *c, wave_time now);

/* conn_timer.c: the same after RACK looked for losses. RACK looks again at `recheck_at` (RFC 8985,
 * 6.3), or has no reason to when that is WAVE_NEVER. */
void conn_rearm_rack(struct conn *c, wave_time now, wave_time recheck_at);

/* conn_timer.c: returns when the retransmission timer would fire if it were started now: after one
 * RTO, but not after R2. */
wave_time conn_rto_at(const struct conn *c, wave_time now);

/* keepalive.c: starts or restarts the timer; handles its expiry; notes a segment from the peer;
 * notes a probe that was sent. */
void keepalive_start(struct conn *c);
void keepalive_fired(struct conn *c, wave_time now);
void keepalive_heard(struct conn *c, wave_time now);
/* Whether the probe that is due carries a byte. */
bool keepalive_has_byte(const struct conn *c);
void keepalive_probe_sent(struct conn *c, wave_time now);

#endif
