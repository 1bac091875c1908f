/*
 * One endpoint of one connection: RFC 9293, section 3.10, as a pure machine.
 *
 *     conn_input(segment), conn_tick(now), the user's calls   what happens
 *     conn_output() until it has nothing                      what to send
 *     env_event() until there is none                         what to know
 *     conn_expiry()                                           when to come back
 *
 * Call conn_output() after every input: two segments taken in before one is asked out would
 * merge two acknowledgements into one. Pull the events after every call: while too many of them
 * wait, conn_output() has nothing and conn_tick() does nothing (env.h).
 * Times may not run backwards.
 *
 * The names are the RFC's: snd.una is SND.UNA. Windows are in bytes, already scaled.
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

struct queue; /* bytes sent or to be sent, until acknowledged; only while there are any */
struct reasm; /* bytes received and not read; only while there are any */
struct loss;  /* what there is to know of losses; from the first one on */

/* How a connection ended, once state is CLOSED. */
enum conn_end {
    END_NONE,    /* it has not, or was never opened */
    END_CLOSED,  /* both FINs acknowledged */
    END_REFUSED, /* RST answered our SYN, or our SYN-ACK */
    END_RESET,   /* RST after the handshake */
    END_TIMEOUT_SYN,
    END_TIMEOUT, /* retransmissions ran out */
    END_KEEPALIVE,
    END_ICMP,    /* a hard error in the handshake */
    END_ABORTED, /* conn_abort() */
    END_VANISHED /* conn_vanish() */
};

/* Bits of conn.flags. */
enum {
    CONN_PASSIVE = 1 << 0,        /* opened by conn_listen() */
    CONN_ACK_NOW = 1 << 1,        /* an acknowledgement is owed at once */
    CONN_WSCALE = 1 << 2,         /* both offered window scaling */
    CONN_TIMESTAMPS = 1 << 3,     /* both offered timestamps */
    CONN_SACK = 1 << 4,           /* both offered SACK */
    CONN_ECN = 1 << 5,            /* RFC 3168 negotiated */
    CONN_ECE = 1 << 6,            /* CE seen, ECE on every ACK until CWR */
    CONN_CWR = 1 << 7,            /* window reduced, CWR on the next data */
    CONN_FIN_QUEUED = 1 << 8,     /* CLOSE was called: FIN after the last byte */
    CONN_FIN_SENT = 1 << 9,       /* and it has a sequence number: snd.nxt - 1 */
    CONN_FIN_RCVD = 1 << 10,      /* the peer's FIN was taken in order: rcv.nxt is past it */
    CONN_RST_DUE = 1 << 11,       /* a RST goes out next, whatever the state */
    CONN_SYN_DUE = 1 << 12,       /* our SYN or SYN-ACK is to go out (again) */
    CONN_RTX_DUE = 1 << 13,       /* the retransmission timer fired: the first segment goes again */
    CONN_PROBE_DUE = 1 << 14,     /* a window probe or tail-loss probe is due */
    CONN_KEEPALIVE_DUE = 1 << 15, /* a keepalive probe is due */
    CONN_KEEPALIVE = 1 << 16,     /* keepalive is on for this connection */
    CONN_PERSIST = 1 << 17,       /* timer[REXMT] is the persist timer */
    CONN_TLP = 1 << 18,           /* timer[PROBE] is the tail-loss probe's */
    CONN_RACK = 1 << 19,          /* timer[PROBE] is RACK's reordering timer */
    CONN_DSACK = 1 << 20,         /* `dsack` is to be reported (RFC 2883) */
    CONN_URGENT = 1 << 21,        /* rcv.up is valid: the peer has told it */
    CONN_SIMULTANEOUS = 1 << 22,  /* SYN met SYN (RFC 9293, 3.5) */
    CONN_BLACKHOLE = 1 << 23,     /* mss was lowered on suspicion (RFC 4821) */
    CONN_RECOVERY = 1 << 24,      /* in loss recovery until `queue`'s recovery point */
    CONN_STALLED = 1 << 25,       /* `since` is for R2: something waits for the peer */
    CONN_VERIFY_DUE = 1 << 26,    /* conn_probe() was called */
    CONN_VERIFY_BYTE = 1 << 27,   /* and asked for the form with one garbage byte */
    CONN_STARVED = 1 << 28,       /* no room for a record in flight: wait for an ACK or the timer */
    CONN_SYN_ACKED = 1 << 29      /* the peer has acknowledged our SYN */
};

enum { TIMER_REXMT, TIMER_DELACK, TIMER_KEEPALIVE, TIMER_PROBE, TIMERS };
#define TIMER_TIME_WAIT TIMER_KEEPALIVE /* TIME_WAIT needs no keepalive: one slot serves both */

/* The order is that of size: there is no padding. */
struct conn {
    struct env *env;
    struct queue *queue;
    struct reasm *reasm;
    struct loss *loss;
    wave_time timer[TIMERS]; /* WAVE_NEVER when not running */
    wave_time last_in;       /* last acceptable segment from the peer */
    struct flow flow;
    uint32_t id;    /* the caller's: stands in every event */
    uint32_t flags; /* CONN_... */
    struct {
        struct seq una, nxt, wl1, wl2, iss;
        uint32_t wnd, max_wnd; /* bytes */
    } snd;
    struct {
        struct seq nxt, irs, up;
        struct seq adv; /* the right edge we have offered: never moves left (RFC 9293, 3.8.6.2.2) */
        struct seq acked; /* Last.ACK.sent of RFC 7323, 4.3 */
    } rcv;
    struct rtt rtt;
    uint32_t cwnd; /* bytes */
    union {
        uint32_t ssthresh; /* bytes */
        uint32_t syn_at;   /* until our SYN is acknowledged: when it was sent, in microseconds */
    };
    /* In milliseconds, modulo 2^32. With CONN_STALLED it is when what is outstanding last made
     * progress, for R2; without, when data was last sent, for the restart window. */
    uint32_t since;
    uint32_t ts_recent;     /* TS.Recent (RFC 7323, 4.3) */
    uint32_t ts_offset;     /* added to our clock (RFC 7323, 5.4) */
    uint32_t retransmits;   /* segments sent again */
    uint32_t probes;        /* keepalive probes sent */
    struct seq dsack;       /* with CONN_DSACK: the first number of the duplicate to report, */
    uint16_t dsack_len;     /* and its bytes, which are a segment's at most */
    uint16_t mss;           /* bytes of data a segment to the peer may have, options not deducted */
    struct seq dsack_round; /* of `rack`: the round in which a D-SACK came ends here */
    struct rack rack;       /* what outlasts a flight (RFC 8985, 6.2) */
    uint8_t state : 4;      /* enum state */
    uint8_t end : 4;        /* enum conn_end */
    uint8_t snd_shift : 4, rcv_shift : 4; /* window scales in force */
    uint8_t dupacks;                      /* in a row, capped */
    uint8_t backoff;    /* how often the retransmission timer has fired in a row */
    uint8_t keepalive_unanswered; /* keepalive probes unanswered */
    uint8_t syn_sent;   /* SYNs or SYN-ACKs sent */
    uint8_t rcv_segs;   /* segments with data taken since the last acknowledgement */
    uint8_t quick_acks; /* of the peer's next segments, acknowledged without delay */
    uint8_t ts_unit;    /* when TS.Recent was recorded, in units that conn_in.c has */
    uint16_t answers;   /* limited ones: since when counted, and how many; likewise */
    struct {            /* the stack's, zero for a lone connection */
        uint32_t ready_next, ready_prev, wheel_next, wheel_prev; /* 1 + an index in the pool */
        uint16_t wheel_slot;                                     /* 1 + the slot it waits in */
        uint8_t generation, marks;
    } hook;
};

_Static_assert(sizeof(struct conn) <= 256, "a connection is at most 256 bytes");

/*
 * The user's calls, RFC 9293, 3.9.1. `now` is used to start timers.
 */

/* A closed connection over `flow`, with nothing allocated. Window scale, MSS and keepalive are
 * taken from env->config here, everything else when it is needed. */
void conn_init(struct conn *c, struct env *env, const struct flow *flow, uint32_t id);

/* OPEN, active: SYN goes out at the next conn_output(). WAVE_ESTATE unless CLOSED. */
int conn_open(struct conn *c, wave_time now, struct seq iss);

/* OPEN, passive: LISTEN, for one peer. `iss` is used when its SYN comes. Makes no event, since
 * nothing has happened yet. WAVE_ESTATE unless CLOSED. */
int conn_listen(struct conn *c, struct seq iss);

/* A connection whose SYN-ACK was a SYN cookie (RFC 4987, 3.6): from CLOSED through LISTEN to
 * SYN_RECEIVED, as if `syn` (as far as the cookie remembers it) had been answered with `iss`. The
 * acknowledgement that carried the cookie back is then given to conn_input(). */
int conn_rebuild(struct conn *c, wave_time now, const struct seg *syn, struct seq iss);

/* SEND: queues up to `len` bytes and returns how many were taken (0 when the buffer is full or
 * memory is short); WAVE_ESTATE after conn_close() or where the state allows no sending. */
int conn_send(struct conn *c, wave_time now, const void *data, size_t len);

/* Bytes that conn_send() would take now. */
size_t conn_send_room(const struct conn *c);

/* Bytes queued or sent and not acknowledged; a FIN does not count. */
size_t conn_unacked(const struct conn *c);

/* RECEIVE without a copy: the bytes readable in order, as one run, and their number (0: none).
 * Valid until the next call on this connection. */
size_t conn_peek(const struct conn *c, const uint8_t **data);

/* Gives `n` of the bytes conn_peek() showed back; a window update may become due. */
void conn_consume(struct conn *c, wave_time now, size_t n);

/* CLOSE: FIN after what is queued; receiving goes on. FIN_WAIT_1 or LAST_ACK is entered when the
 * FIN leaves, so that the state is always what the wire shows. In LISTEN and SYN_SENT the
 * connection is CLOSED at once (RFC 9293, 3.10.4). WAVE_ESTATE when called twice or CLOSED. */
int conn_close(struct conn *c, wave_time now);

/* ABORT: RST in the states that RFC 9293, 3.10.5 names, and CLOSED. */
void conn_abort(struct conn *c, wave_time now);

/* CLOSED, and nothing is said to the peer. */
void conn_vanish(struct conn *c, wave_time now);

/* Turns keepalive on or off for this connection; conn_config's values hold. */
void conn_keepalive(struct conn *c, wave_time now, bool on);

/* One segment a byte below SND.NXT, with one garbage byte if `garbage`, that a living peer must
 * acknowledge. Goes out at the next conn_output(), in any synchronized state. After our FIN the
 * byte probe stays on the FIN's own number. WAVE_ESTATE elsewhere, or while data is outstanding. */
int conn_probe(struct conn *c, bool garbage);

/* Frees the queues. The connection may then be initialised anew. */
void conn_release(struct conn *c);

/*
 * The network's side.
 */

/* What conn_input() wants of its caller beside asking for output. */
enum conn_input {
    INPUT_DONE,
    INPUT_REUSE, /* TIME_WAIT, and this SYN may open a new connection (RFC 6191; RFC 9293, 3.6.1):
                   the connection is CLOSED now, and the segment belongs to a listener */
    INPUT_RESET  /* the segment is to be answered with what conn_reset_for() makes of it: it came
                    to CLOSED, or acknowledged in LISTEN, SYN_SENT or SYN_RECEIVED what we never
                    sent (RFC 9293, 3.10.7.1 to 3.10.7.4). The connection itself is unharmed */
};

/* A segment from the peer, checksum verified or known to be good. Never anything else than
 * INPUT_DONE for a RST. */
enum conn_input conn_input(struct conn *c, wave_time now, const struct seg *s);

/* An ICMP error that quotes this flow. Ignored unless the quoted number is in flight
 * (RFC 5927, section 4.1). */
void conn_icmp(struct conn *c, wave_time now, const struct icmp *icmp);

/* Runs the timers that are due, unless too many events wait. */
void conn_tick(struct conn *c, wave_time now);

/*
 * The next segment to send, if there is one: true, and *out is filled in. Its data is copied to
 * `room`, of at least CONN_ROOM bytes, and stays valid as long as that does. Sending is
 * taken for done: the segment counts as in flight from `now` on. False, too, while too many events
 * wait; conn_expiry() then says "at once".
 */
#define CONN_ROOM 65536
bool conn_output(struct conn *c, wave_time now, struct seg *out, uint8_t *room);

/* When conn_tick() or conn_output() next has something to do: `now` or before it means at once,
 * WAVE_NEVER only when CLOSED, LISTEN or idle without keepalive. */
wave_time conn_expiry(const struct conn *c, wave_time now);

/* The answer to a segment that belongs to no connection (RFC 9293, 3.10.7.1), or that connection
 * `c`, else NULL, does not want (INPUT_RESET): false when it is a RST itself, else the RST to
 * send. */
bool conn_reset_for(const struct conn *c, wave_time now, const struct seg *s, struct seg *out);

/* Bytes of the peer's data that arrived in order so far, modulo 2^32; FIN not counted. */
uint32_t conn_received(const struct conn *c);

/* Numbers of the peer's that are missing before `high`, up to which it is known to have sent: what
 * came beyond gaps is not counted, its FIN neither. 0 where all is there. */
uint32_t conn_missing(const struct conn *c, struct seq high);

/*
 * What a connection is like: for those beside the engine, which look at no field of it.
 */

static inline const struct flow *conn_flow(const struct conn *c)
{
    return &c->flow;
}

static inline enum state conn_state(const struct conn *c)
{
    return (enum state)c->state;
}

/* How it ended; END_NONE until it has. */
static inline enum conn_end conn_end(const struct conn *c)
{
    return (enum conn_end)c->end;
}

/* Whether the peer opened it. */
static inline bool conn_passive(const struct conn *c)
{
    return c->flags & CONN_PASSIVE;
}

/* Whether the peer's FIN was taken in order. */
static inline bool conn_fin_received(const struct conn *c)
{
    return c->flags & CONN_FIN_RCVD;
}

/* Whether our FIN has left. */
static inline bool conn_fin_sent(const struct conn *c)
{
    return c->flags & CONN_FIN_SENT;
}

/* Whether an acknowledgement goes out with the next segment, and that is due now. */
static inline bool conn_ack_due(const struct conn *c)
{
    return c->flags & CONN_ACK_NOW;
}

/* Whether something of ours, a SYN or FIN included, is sent and not acknowledged. */
static inline bool conn_outstanding(const struct conn *c)
{
    return !seq_eq(c->snd.una, c->snd.nxt);
}

/* When the last acceptable segment of the peer's came. */
static inline wave_time conn_last_in(const struct conn *c)
{
    return c->last_in;
}

/* When the timer fires; WAVE_NEVER while it does not run. */
static inline wave_time conn_timer(const struct conn *c, unsigned timer)
{
    return c->timer[timer];
}

/* The smoothed round trip (RFC 6298, section 2); 0 before it was measured. */
static inline wave_time conn_srtt(const struct conn *c)
{
    return c->rtt.srtt * WAVE_US;
}

/* The retransmission timeout, without any backing off. */
wave_time conn_rto(const struct conn *c);

/* RFC 9293's invariants (SND.UNA <= SND.NXT, queue and sequence space agree, ...): NULL, or
 * what is broken. For tests and fuzzing. */
const char *conn_check(const struct conn *c);

#endif
