/*
 * What happened, from how a connection ended and why the run stopped: the verdict with its exit
 * status, who closed and how, and one sentence for a person. Pure.
 */
#ifndef TCPWAVE_REPORT_OUTCOME_H
#define TCPWAVE_REPORT_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/conn.h"
#include "lib/core/icmp.h"
#include "lib/core/verdict.h"

/* How the two sides closed, as told by the states our side went through. */
struct outcome_path {
    bool established : 1;
    bool local_first : 1, peer_first : 1; /* whose FIN came first, as far as there was one */
    bool simultaneous : 1;                /* the FINs crossed: CLOSING */
    bool separate : 1;   /* the first FIN was acknowledged before the second FIN came */
    bool reset_sent : 1; /* a RST of ours went out */
    uint32_t acked_by;   /* the segment that acknowledged our FIN */
};

/* Our side moved; `segment` counts those that arrived, modulo 2^32, so that moves for one and the
 * same are known for it. */
void outcome_moved(struct outcome_path *p, enum state from, enum state to, uint32_t segment);

/* We sent a segment with these flags while in this state. */
void outcome_sent(struct outcome_path *p, enum state state, unsigned flags);

/* Why the run ended, when it was not for the connection's own end. */
enum outcome_stop {
    STOP_END,     /* the connection reached its end */
    STOP_ASKED,   /* --close=abort or =vanish was carried out, or --for is over */
    STOP_LINGER,  /* our FIN was acknowledged, and the peer stays open and silent */
    STOP_TIMEOUT, /* --timeout */
    STOP_NO_ACK,  /* --no-ack: enough SYN-ACKs were seen, or none comes any more */
    STOP_SIGNAL,
    STOP_LOCAL /* this host failed: `error` says how */
};

struct outcome_facts {
    struct outcome_path path;
    enum conn_end end;
    enum outcome_stop stop;
    int signal;           /* with STOP_SIGNAL, and with STOP_LOCAL if one came as well; or 0 */
    const char *error;    /* with STOP_LOCAL */
    const char *hindered; /* what this host lacked for sending or for keeping what came, or NULL */
    bool unread;          /* nobody will read the sentence: it is left empty */
    const char *peer;     /* "192.0.2.1:80" */
    const char *awaited;  /* what the run still waited for: "the peer's FIN" */
    bool outstanding;     /* data or FIN of ours is unacknowledged and was sent again */
    enum state local, state; /* ours when it ended; the peer's, as far as known */
    uint32_t syn_sent;       /* SYNs of ours */
    uint64_t arrived;        /* segments of the peer's that came, those with a wrong checksum too */
    uint32_t missing;        /* bytes of the peer's that never came, before what did come */
    bool answers;            /* some came since what is outstanding was sent for the first time */
    uint32_t syn_acks;       /* of the peer's that were seen */
    wave_time kept_silent;   /* --no-ack: how long, from the first of them on */
    uint32_t probes;         /* keepalive probes that went unanswered */
    wave_time waited;        /* the --timeout or --linger that ran out */
    const struct icmp *icmp; /* the last error about the handshake, or NULL */
};

#define OUTCOME_TEXT 560 /* bytes of the sentence */

struct outcome {
    enum verdict verdict;
    int exit;
    const char *by, *kind; /* as in struct report_verdict */
    char message[OUTCOME_TEXT]; /* "what happened", or "what happened: for what reason" */
};

void outcome_of(const struct outcome_facts *f, struct outcome *out);

#endif
