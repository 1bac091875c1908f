/*
 * The events of the engine: a stream that its caller pulls. Everything that a person or a program
 * sees of a connection's inside comes from here.
 */
#ifndef TCPWAVE_CORE_EVENT_H
#define TCPWAVE_CORE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/icmp.h"
#include "lib/core/seq.h"
#include "lib/core/state.h"
#include "lib/core/time.h"

/* What happened, and which member of event.u describes it. */
enum event_kind {
    EVENT_STATE,        /* u.state: our own state changed */
    EVENT_DATA,         /* u.bytes: this many bytes became readable, in order */
    EVENT_ACKED,        /* u.bytes: this many of our bytes were acknowledged */
    EVENT_FIN,          /* the peer's FIN arrived in order: no more data will come */
    EVENT_RESET,        /* u.seq: an acceptable RST ended the connection */
    EVENT_TIMEOUT,      /* u.timeout: we gave up waiting for the peer */
    EVENT_RETRANSMIT,   /* u.retransmit: a segment is retransmitted */
    EVENT_DISCARDED,    /* u.check: an arriving segment was discarded, by this check */
    EVENT_TOLERATED,    /* u.check: an arriving segment was accepted, though it fails this check */
    EVENT_URGENT,       /* u.seq: the peer's urgent data ends before this number */
    EVENT_ICMP,         /* u.icmp: an ICMP error for this connection, and its effect */
    EVENT_PROBE,        /* u.probe: we sent a keepalive probe */
    EVENT_PROBE_ANSWER, /* u.probe: the probe was answered */
    EVENT_PEER_PROBE,   /* u.peer_probe: the peer sent a keepalive probe, and we answer it */
    EVENT_MSS           /* u.bytes: data per segment from now on (path MTU) */
};

/* Says why a connection was given up. */
enum timeout_kind {
    TIMEOUT_SYN,        /* the SYN or SYN-ACK was not answered (RFC 9293, 3.8.3) */
    TIMEOUT_RETRANSMIT, /* data or a FIN was unacknowledged for longer than R2 */
    TIMEOUT_KEEPALIVE   /* as many probes as configured were not answered (RFC 9293, 3.8.4) */
};

/* Says why a segment is retransmitted. */
enum retransmit_kind {
    RETRANSMIT_RTO,    /* RFC 6298 */
    RETRANSMIT_FAST,   /* three duplicate ACKs or SACK: RFC 5681, 6675, 8985 */
    RETRANSMIT_TLP,    /* tail-loss probe: RFC 8985, section 7 */
    RETRANSMIT_PERSIST /* zero-window probe: RFC 9293, 3.8.6.1 */
};

/* The checks that can discard a segment, in the order in which RFC 9293, 3.10.7 has them. */
enum check {
    CHECK_NONE,
    CHECK_BAD_ACK_IN_HANDSHAKE, /* SYN_SENT/SYN_RECEIVED/LISTEN: ACK of what was not sent */
    CHECK_NO_SYN,               /* SYN_SENT: neither SYN nor RST; LISTEN: no SYN */
    CHECK_PAWS,                 /* RFC 7323, section 5: an old timestamp */
    CHECK_NO_TIMESTAMP,         /* RFC 7323, 3.2: negotiated but missing; tolerated */
    CHECK_SEQUENCE,             /* outside the window */
    CHECK_RST_SEQUENCE,         /* RFC 5961, section 3: RST in the window, but not at RCV.NXT */
    CHECK_SYN_IN_WINDOW,        /* RFC 5961, section 4 */
    CHECK_NO_ACK,               /* synchronized state, but no ACK bit */
    CHECK_ACK_TOO_OLD,          /* RFC 5961, section 5: below SND.UNA - MAX.SND.WND */
    CHECK_ACK_UNSENT,           /* above SND.NXT */
    CHECK_CLOSED,               /* data after our side stopped reading, or no such connection */
    CHECK_MEMORY,               /* no memory to store it; the peer will retransmit it */
    CHECK_COUNT
};

/* Returns a few words for each check, for people to read. */
const char *check_name(enum check c);

/* One event. `kind` says which member of the union is valid. */
struct event {
    enum event_kind kind;
    uint32_t id; /* conn.id */
    wave_time at;
    union {
        struct {
            enum state from, to;
            const char *cause; /* a few words, static */
        } state;
        uint32_t bytes;
        struct seq seq;
        enum timeout_kind timeout;
        struct {
            enum retransmit_kind why;
            struct seq seq;
            uint32_t len;
            uint32_t n; /* how often the timer has fired in a row; 3 is R1 (RFC 9293, 3.8.3) */
        } retransmit;
        enum check check;
        struct {
            uint8_t type, code;
            bool v6;
            enum icmp_meaning meaning;
            bool fatal; /* it ended the handshake */
            struct addr from;
        } icmp;
        struct {
            uint32_t n;    /* counted from 1 over the whole connection */
            wave_time rtt; /* of an answer */
        } probe;
        struct {
            wave_time silence; /* since the previous segment from the peer */
        } peer_probe;
    } u;
};

#endif
