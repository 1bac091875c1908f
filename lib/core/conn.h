/*
 * One endpoint of one connection: RFC 9293, section 3.10, as a state machine that does no I/O.
 *
 *     conn_input(segment), conn_tick(now), the user's calls   something happens
 *     conn_output() until it has nothing                      the segments to send
 *     env_event() until there is none                         what happened inside
 *     conn_expiry()                                           when to call next
 *
 * Call conn_output() after every input: two segments that are put in before the output is pulled
 * would merge two acknowledgements into one. Pull the events after every call: while too many of
 * them wait, conn_output() returns nothing and conn_tick() does nothing (env.h). Time must not run
 * backwards.
 *
 * The field names are the RFC's: snd.una is SND.UNA. Windows are in bytes, with the window scale
 * already applied.
 */
#ifndef TCPWAVE_CORE_CONN_H
#define TCPWAVE_CORE_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/env.h"
#include "lib/core/flow.h"
#include "lib/core/icmp.h"
#include "lib/core/rack.h"
#include "lib/core/rtt.h"
#include "lib/core/seg.h"
#include "lib/core/state.h"

struct queue; /* data queued or sent, until acknowledged; allocated only while there is any */
struct reasm; /* data received and not read yet; allocated only while there is any */
struct loss;  /* what loss recovery and CUBIC need; allocated at the first loss */

/* Says how a connection ended, once its state is CLOSED. */
enum conn_end {
    END_NONE,    /* it has not ended, or was never opened */
    END_CLOSED,  /* both FINs were acknowledged */
    END_REFUSED, /* an RST answered our SYN or our SYN-ACK */
    END_RESET,   /* an RST came after the handshake */
    END_TIMEOUT_SYN,
    END_TIMEOUT, /* retransmissions were not acknowledged */
    END_KEEPALIVE,
    END_ICMP,    /* a hard ICMP error came during the handshake */
    END_ABORTED, /* conn_abort() */
    END_VANISHED /* conn_vanish() */
};

/* The bits of conn.flags. */
enum {
    CONN_PASSIVE = 1 << 0,        /* opened by conn_listen() */
    CONN_ACK_NOW = 1 << 1,        /* an acknowledgement is due now */
    CONN_WSCALE = 1 << 2,         /* both sides offered window scaling */
    CONN_TIMESTAMPS = 1 << 3,     /* both sides offered timestamps */
    CONN_SACK = 1 << 4,           /* both sides offered SACK */
    CONN_ECN = 1 << 5,            /* ECN was negotiated (RFC 3168) */
    CONN_ECE = 1 << 6,            /* CE was seen: every ACK carries ECE until CWR comes */
    CONN_CWR = 1 << 7,            /* the window was reduced: the next data carries CWR */
    CONN_FIN_QUEUED = 1 << 8,     /* CLOSE was called: a FIN follows the last byte */
    CONN_FIN_SENT = 1 << 9,       /* and its sequence number is snd.nxt - 1 */
    CONN_FIN_RCVD = 1 << 10,      /* the peer's FIN was received in order: rcv.nxt is past it */
    CONN_RST_DUE = 1 << 11,       /* an RST is sent next, in any state */
    CONN_SYN_DUE = 1 << 12,       /* our SYN or SYN-ACK is to be sent or retransmitted */
    CONN_RTX_DUE = 1 << 13,       /* the retransmission timer fired: retransmit the first segment */
    CONN_PROBE_DUE = 1 << 14,     /* a window probe or tail-loss probe is due */
    CONN_KEEPALIVE_DUE = 1 << 15, /* a keepalive probe is due */
    CONN_KEEPALIVE = 1 << 16,     /* keepalive is on for this connection */
    CONN_PERSIST = 1 << 17,       /* timer[REXMT] is the persist timer */
    CONN_TLP = 1 << 18,           /* timer[PROBE] is the tail-loss probe's */
    CONN_RACK = 1 << 19,          /* timer[PROBE] is RACK's reordering timer */
    CONN_DSACK = 1 << 20,         /* `dsack` is to be reported (RFC 2883) */
    CONN_URGENT = 1 << 21,        /* rcv.up is valid: the peer has sent urgent data */
    CONN_SIMULTANEOUS = 1 << 22,  /* the SYNs crossed: simultaneous open (RFC 9293, 3.5) */
    CONN_BLACKHOLE = 1 << 23,     /* mss was lowered because a black hole is suspected (RFC 4821) */
    CONN_RECOVERY = 1 << 24,      /* in loss recovery, until the recovery point in `queue` */
    CONN_STALLED = 1 << 25,       /* `since` counts for R2: something waits for the peer */
    CONN_VERIFY_DUE = 1 << 26,    /* conn_probe() was called */
    CONN_VERIFY_BYTE = 1 << 27,   /* and the form with one garbage byte was asked for */
    CONN_STARVED = 1 << 28,       /* no memory for another record: wait for an ACK or the timer */
    CONN_SYN_ACKED = 1 << 29,     /* the peer has acknowledged our SYN */
    CONN_PLAIN_SYN = 1 << 30      /* a SYN of either side went without ECN: no data has it */
};
/* Our SYN without timestamps was answered for the first time (conn_config.unstamped_syn). An
 * enumeration has no value for this bit. */
#define CONN_UNSTAMPED_HEARD (1u << 31)

/* The indices of conn.timer. */
enum { TIMER_REXMT, TIMER_DELACK, TIMER_KEEPALIVE, TIMER_PROBE, TIMERS };
#define TIMER_TIME_WAIT TIMER_KEEPALIVE /* no keepalive in TIME_WAIT: one slot serves both */

/* A connection. The members are ordered by size, so that there is no padding. */
struct conn {
    struct env *env;
    struct queue *queue;
    struct reasm *reasm;
    struct loss *loss;
    wave_time timer[TIMERS]; /* WAVE_NEVER when not running */
    wave_time last_in;       /* when the last acceptable segment came from the peer */
    struct flow flow;
    uint32_t id;    /* chosen by the caller: every event carries it */
    uint32_t flags; /* CONN_... */
    struct {
        struct seq una, nxt, wl1, wl2, iss;
        uint32_t wnd, max_wnd; /* bytes */
    } snd;
    struct {
        struct seq nxt, irs, up;
        struct seq adv;   /* right edge offered: never moves left (RFC 9293, 3.8.6.2.2); beyond what
                             the field can say, the buffer's */
        struct seq acked; /* Last.ACK.sent of RFC 7323, 4.3 */
    } rcv;
    struct rtt rtt;
    uint32_t cwnd; /* bytes */
    union {
        uint32_t ssthresh; /* bytes */
        uint32_t syn_at;   /* when our SYN was sent, in microseconds; until it is acknowledged */
    };
    /* A time in milliseconds, modulo 2^32. With CONN_STALLED it is when the outstanding data last
     * made progress, for R2. Without, it is when data was last sent, for the restart window. */
    uint32_t since;
    uint32_t ts_recent;     /* TS.Recent (RFC 7323, 4.3) */
    uint32_t ts_offset;     /* added to our timestamp clock (RFC 7323, 5.4) */
    uint32_t retransmits;   /* segments retransmitted */
    uint32_t probes;        /* keepalive probes sent */
    struct seq dsack;       /* with CONN_DSACK: first sequence number of the duplicate to report */
    uint16_t dsack_len;     /* and its bytes, at most one segment's */
    uint16_t mss;           /* data bytes in a segment to the peer, before options are deducted */
    struct seq dsack_round; /* for `rack`: where the round in which a D-SACK came ends */
    struct rack rack;       /* the part of RACK that outlasts a flight (RFC 8985, 6.2) */
    uint8_t state : 4;      /* enum state */
    uint8_t end : 4;        /* enum conn_end */
    uint8_t snd_shift : 4, rcv_shift : 4; /* window scales in force */
    uint8_t dupacks;                      /* duplicate ACKs in a row, capped */
    uint8_t backoff;              /* how often the retransmission timer has fired in a row */
    uint8_t keepalive_unanswered; /* keepalive probes unanswered */
    uint8_t syn_sent : 7;         /* SYNs or SYN-ACKs sent */
    uint8_t held : 1;             /* conn_hold() */
    uint8_t rcv_segs;             /* segments with data received since the last acknowledgement */
    uint8_t quick_acks : 4;       /* segments that are still acknowledged without delay */
    uint8_t times : 4;            /* 1 + the index in env.times; 0: keepalive as in env.config */
    uint8_t ts_unit;              /* when TS.Recent was recorded, in units defined in conn_in.c */
    uint16_t answers; /* limited answers: since when they are counted, and how many (conn_in.c) */
    struct {          /* used by the stack; zero for a connection on its own */
        uint32_t ready_next, ready_prev, wheel_next, wheel_prev; /* 1 + an index in the pool */
        uint16_t wheel_slot;                                     /* 1 + the slot it waits in */
        uint8_t generation, marks;
    } hook;
};

/* With conn_config.unstamped_syn: so many SYNs are sent before the second one without timestamps.
 */
#define CONN_UNSTAMPED_SECOND 5

_Static_assert(sizeof(struct conn) <= 256, "a connection is at most 256 bytes");

/*
 * The user's calls (RFC 9293, 3.9.1). `now` starts timers.
 */

/* Makes `c` a closed connection over `flow`, with nothing allocated. Window scale, MSS and
 * keepalive are read from env->config here, all other settings when they are needed. */
void conn_init(struct conn *c, struct env *env, const struct flow *flow, uint32_t id);

/* Active OPEN: the next conn_output() sends the SYN. Returns WAVE_ESTATE unless the connection is
 * CLOSED and was never opened. */
int conn_open(struct conn *c, wave_time now, struct seq iss);

/* Passive OPEN: enters LISTEN, for one peer. `iss` is used when the peer's SYN comes. No event is
 * made, since nothing has happened yet. Returns WAVE_ESTATE unless the connection is CLOSED and was
 * never opened. */
int conn_listen(struct conn *c, struct seq iss);

/* Restores a connection whose SYN-ACK was a SYN cookie (RFC 4987, 3.6). It goes from CLOSED through
 * LISTEN to SYN_RECEIVED, as if `syn` (as far as the cookie remembers it) had been answered with
 * `iss`. The caller then gives the acknowledgement that carried the cookie to conn_input(). Returns
 * WAVE_ESTATE as conn_listen() does. */
int conn_rebuild(struct conn *c, wave_time now, const struct seg *syn, struct seq iss);

/* Where an established connection stands, for an engine that is to go on with it. */
struct conn_numbers {
    struct seq iss, irs;     /* of the SYNs */
    struct seq snd_nxt;      /* all that we sent lies before it, and is acknowledged */
    struct seq rcv_nxt;      /* all that the peer sent lies before it, and is acknowledged */
    struct seq rcv_edge;     /* right edge of the window that we offered */
    uint32_t snd_wnd;        /* the peer's window, in bytes */
    struct opt ours, theirs; /* options of the SYNs */
    uint32_t tsval;          /* if both have timestamps: the last one that we sent, */
    uint32_t ts_recent;      /* and the latest of the peer's (TS.Recent of RFC 7323, 4.3) */
    bool passive;            /* the peer opened */
};

/* Takes over a connection: it is ESTABLISHED, with nothing outstanding and nothing to read. No
 * event is made, since nothing has happened to it. Returns WAVE_ESTATE unless the connection is
 * CLOSED and was never opened, and WAVE_EINVAL if the numbers contradict each other. */
int conn_adopt(struct conn *c, wave_time now, const struct conn_numbers *n);

/* SEND: queues up to `len` bytes and returns how many were accepted (0 when the buffer is full or
 * memory is short). Returns WAVE_ESTATE after conn_close(), or where the state does not allow
 * sending. */
int conn_send(struct conn *c, wave_time now, const void *data, size_t len);

/* Returns how many bytes conn_send() would accept now. */
size_t conn_send_room(const struct conn *c);

/* Points *at to where in the buffer the next bytes will lie, and returns how many fit there in one
 * run: 0 when that is known only once they are queued, or nothing can be. Bytes that are written
 * there and then given to conn_send(), before any other call on this connection, are accepted
 * without a copy, and all of them. */
size_t conn_send_place(const struct conn *c, uint8_t **at);

/* Returns how many bytes are queued, or sent and not acknowledged. A FIN does not count. */
size_t conn_unacked(const struct conn *c);

/* RECEIVE without a copy: points *data to the bytes that can be read in order, as one run, and
 * returns how many there are (0: none). They are valid until the next call on this connection. */
size_t conn_peek(const struct conn *c, const uint8_t **data);

/* Frees `n` of the bytes that conn_peek() showed. This can make a window update due. */
void conn_consume(struct conn *c, wave_time now, size_t n);

/* CLOSE: a FIN follows the queued data, and receiving continues. FIN_WAIT_1 or LAST_ACK is entered
 * when the FIN leaves, so that the state is always what the wire shows. In LISTEN and SYN_SENT the
 * connection becomes CLOSED immediately (RFC 9293, 3.10.4). Returns WAVE_ESTATE when called twice,
 * or when CLOSED. */
int conn_close(struct conn *c, wave_time now);

/* ABORT: sends an RST in the states that RFC 9293, 3.10.5 names, and becomes CLOSED. */
void conn_abort(struct conn *c, wave_time now);

/* Becomes CLOSED and sends nothing to the peer. */
void conn_vanish(struct conn *c, wave_time now);

/* Turns keepalive on or off for this connection. The times and counts are conn_config's, unless
 * conn_keepalive_times() was called. */
void conn_keepalive(struct conn *c, wave_time now, bool on);

/* Turns keepalive on for this connection, with times and counts of its own (RFC 1122, 4.2.3.6: the
 * application sets them). The copy is kept until the stack ends: returns WAVE_ENOMEM, and changes
 * nothing, when connections of the stack have used ENV_KEEPALIVE_TIMES others. */
int conn_keepalive_times(struct conn *c, wave_time now, const struct keepalive_times *times);

/* Holds an active open behind its SYN: it sends nothing more but a RST, so that a SYN-ACK makes it
 * ESTABLISHED here and leaves the peer in SYN_RECEIVED. What becomes due meanwhile, the third
 * segment of the handshake among it, is sent after conn_hold(c, false). A connection that is held
 * takes no data to send, and no CLOSE. */
void conn_hold(struct conn *c, bool on);

/* Makes a segment due with SEQ = SND.NXT - 1, with one garbage byte if `garbage` is set, which a
 * living peer must acknowledge. The next conn_output() sends it, in any synchronized state. After
 * our FIN the probe with a byte stays on the FIN's own sequence number. Returns WAVE_ESTATE in
 * other states, or while data is outstanding. */
int conn_probe(struct conn *c, bool garbage);

/* Makes an acknowledgement due, although nothing has come. Returns WAVE_ESTATE unless the state is
 * synchronized. */
int conn_ack(struct conn *c);

/* Frees the queues. The connection may then be initialised for another use. */
void conn_release(struct conn *c);

/*
 * The network's side.
 */

/* Says what conn_input() asks of its caller, beside pulling the output. */
enum conn_input {
    INPUT_DONE,
    INPUT_REUSE, /* TIME_WAIT, and this SYN may open a new connection (RFC 6191; RFC 9293, 3.6.1):
                    this connection is CLOSED now, and the segment belongs to a listener */
    INPUT_RESET  /* the segment is to be answered with the RST that conn_reset_for() builds: it came
                    to CLOSED, or acknowledged something we never sent in LISTEN, SYN_SENT or
                    SYN_RECEIVED (RFC 9293, 3.10.7.1 to 3.10.7.4). The connection itself does not
                    change */
};

/* Processes a segment from the peer, whose checksum was verified or is known to be good. For an RST
 * the result is always INPUT_DONE. */
enum conn_input conn_input(struct conn *c, wave_time now, const struct seg *s);

/* Processes an ICMP error that quotes this flow. It is ignored unless the quoted sequence number is
 * in flight (RFC 5927, section 4.1). */
void conn_icmp(struct conn *c, wave_time now, const struct icmp *icmp);

/* Runs the timers that are due, unless too many events wait. */
void conn_tick(struct conn *c, wave_time now);

/*
 * Builds the next segment to send, if there is one, in *out and returns true. The data is copied to
 * `room`, of at least CONN_ROOM bytes, and stays valid as long as that does. The segment is assumed
 * to be sent: it counts as in flight from `now` on. Returns false when there is nothing to send,
 * and also while too many events wait; conn_expiry() is then not later than `now`. With env.train,
 * full segments of new data that would come one after the other now may come as one (seg.train).
 */
#define CONN_ROOM 65536
bool conn_output(struct conn *c, wave_time now, struct seg *out, uint8_t *room);

/* Returns when conn_tick() or conn_output() next has something to do. `now` or an earlier time
 * means immediately; WAVE_NEVER is returned only in CLOSED or LISTEN, or when idle without
 * keepalive. */
wave_time conn_expiry(const struct conn *c, wave_time now);

/* Builds the RST that answers a segment which belongs to no connection (`c` is NULL; RFC 9293,
 * 3.10.7.1) or for which `c` returned INPUT_RESET. Returns false when the segment is an RST itself
 * and gets no answer. */
bool conn_reset_for(const struct conn *c, wave_time now, const struct seg *s, struct seg *out);

/* Returns how many bytes of the peer's data have arrived in order, modulo 2^32. The FIN does not
 * count. */
uint32_t conn_received(const struct conn *c);

/* Numbers of the peer's that are missing before `high`, up to which it is known to have sent: what
 * came beyond gaps is not counted, its FIN neither. 0 where all is there. */
uint32_t conn_missing(const struct conn *c, struct seq high);

/* Returns how many numbers of the peer's came beyond a gap, and are held until that is filled; its
 * FIN is one of them. */
uint32_t conn_beyond(const struct conn *c);

/*
 * Accessors, for code outside the engine, which reads no field of a connection.
 */

/* Returns the flow, as this host sees it. */
static inline const struct flow *conn_flow(const struct conn *c)
{
    return &c->flow;
}

/* Returns the state. */
static inline enum state conn_state(const struct conn *c)
{
    return (enum state)c->state;
}

/* Returns how the connection ended; END_NONE until it has. */
static inline enum conn_end conn_end(const struct conn *c)
{
    return (enum conn_end)c->end;
}

/* Returns whether the peer opened the connection. */
static inline bool conn_passive(const struct conn *c)
{
    return c->flags & CONN_PASSIVE;
}

/* Returns whether the peer's FIN was received in order. */
static inline bool conn_fin_received(const struct conn *c)
{
    return c->flags & CONN_FIN_RCVD;
}

/* Returns whether our FIN was sent. */
static inline bool conn_fin_sent(const struct conn *c)
{
    return c->flags & CONN_FIN_SENT;
}

/* Returns whether an acknowledgement is due now; the next segment carries it. */
static inline bool conn_ack_due(const struct conn *c)
{
    return c->flags & CONN_ACK_NOW;
}

/* Returns whether a RST is due now, in any state. */
static inline bool conn_reset_due(const struct conn *c)
{
    return c->flags & CONN_RST_DUE;
}

/* Returns whether conn_hold() is in force. */
static inline bool conn_held(const struct conn *c)
{
    return c->held;
}

/* Returns whether anything of ours, including a SYN or FIN, is sent and not acknowledged. */
static inline bool conn_outstanding(const struct conn *c)
{
    return !seq_eq(c->snd.una, c->snd.nxt);
}

/* Returns whether the peer has acknowledged our SYN and nothing behind it. */
static inline bool conn_only_syn_acked(const struct conn *c)
{
    return seq_eq(c->snd.una, seq_add(c->snd.iss, 1));
}

/* Returns SND.UNA: the first sequence number of ours that is not acknowledged (RFC 9293, 3.3.1). */
static inline struct seq conn_snd_una(const struct conn *c)
{
    return c->snd.una;
}

/* Returns SND.NXT: the next sequence number that we send for the first time (RFC 9293, 3.3.1). */
static inline struct seq conn_snd_nxt(const struct conn *c)
{
    return c->snd.nxt;
}

/* Returns ISS: the sequence number of our SYN (RFC 9293, 3.3.1). */
static inline struct seq conn_iss(const struct conn *c)
{
    return c->snd.iss;
}

/* Returns SND.WND, the window that the peer offers from SND.UNA on, in bytes: the scale of RFC 7323
 * is applied. */
static inline uint32_t conn_snd_wnd(const struct conn *c)
{
    return c->snd.wnd;
}

/* Returns how much the two windows allow in flight, the peer's and the congestion window (RFC 5681,
 * section 2), in bytes. */
static inline uint32_t conn_window(const struct conn *c)
{
    return c->cwnd < c->snd.wnd ? c->cwnd : c->snd.wnd;
}

/* Returns how many sequence numbers are sent and not acknowledged: bytes, SYN and FIN. */
static inline uint32_t conn_flight(const struct conn *c)
{
    return c->snd.nxt.v - c->snd.una.v;
}

/* Returns RCV.NXT: the sequence number that is expected next (RFC 9293, 3.3.1). */
static inline struct seq conn_rcv_nxt(const struct conn *c)
{
    return c->rcv.nxt;
}

/* Returns IRS: the sequence number of the peer's SYN (RFC 9293, 3.3.1). */
static inline struct seq conn_irs(const struct conn *c)
{
    return c->rcv.irs;
}

/* Returns the edge up to which data of the peer's is taken. It is the right edge of the window that
 * we offered, and never moves left (RFC 9293, 3.8.6.2.2); where the buffer is larger than the window
 * field can say (without a scale, or with a small one), it lies beyond that, as far as the buffer
 * reaches. */
static inline struct seq conn_rcv_edge(const struct conn *c)
{
    return c->rcv.adv;
}

/* Returns TS.Recent (RFC 7323, 4.3), in units of the peer's timestamp clock. 0 where timestamps
 * were not agreed on. */
static inline uint32_t conn_ts_recent(const struct conn *c)
{
    return c->ts_recent;
}

/* Returns the newest timestamp that we can have sent by now (RFC 7323, 5.4); there are some where
 * both sides agreed on them. */
static inline uint32_t conn_stamp(const struct conn *c, wave_time now)
{
    return (uint32_t)(now / WAVE_MS) + c->ts_offset;
}

/* Returns whether both sides agreed on timestamps (RFC 7323, 3.2). */
static inline bool conn_stamped(const struct conn *c)
{
    return c->flags & CONN_TIMESTAMPS;
}

/* With conn_config.unstamped_syn: returns whether none of our SYNs with timestamps was answered,
 * and those without them were, twice. The SYN-ACK of the second one opened the connection. */
static inline bool conn_unstamped_alone(const struct conn *c)
{
    return (c->flags & (CONN_UNSTAMPED_HEARD | CONN_TIMESTAMPS)) == CONN_UNSTAMPED_HEARD &&
           c->syn_sent > CONN_UNSTAMPED_SECOND;
}

/* Returns whether our segments are smaller now, since larger ones were lost time after time (RFC
 * 4821, 7.6.1). */
static inline bool conn_cut(const struct conn *c)
{
    return c->flags & CONN_BLACKHOLE;
}

/* Returns how often in a row the retransmission timer has expired (RFC 6298, 5.5). */
static inline unsigned conn_backoff(const struct conn *c)
{
    return c->backoff;
}

/* Returns when the last acceptable segment came from the peer. */
static inline wave_time conn_last_in(const struct conn *c)
{
    return c->last_in;
}

/* Returns when the timer fires; WAVE_NEVER while it does not run. */
static inline wave_time conn_timer(const struct conn *c, unsigned timer)
{
    return c->timer[timer];
}

/* Returns the smoothed round-trip time (RFC 6298, section 2); 0 before it is measured. */
static inline wave_time conn_srtt(const struct conn *c)
{
    return c->rtt.srtt * WAVE_US;
}

/* Returns the retransmission timeout, without any back-off. */
wave_time conn_rto(const struct conn *c);

/* Checks RFC 9293's invariants (SND.UNA <= SND.NXT, the queue agrees with the sequence space, ...).
 * Returns NULL, or what is violated. For tests and fuzzing. */
const char *conn_check(const struct conn *c);

#endif
