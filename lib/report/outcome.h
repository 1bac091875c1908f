/*
 * Concludes from how a connection ended and why the run stopped what happened: the verdict with its
 * exit status, which side closed and how, and one sentence for a person. Pure.
 */
#ifndef TCPWAVE_REPORT_OUTCOME_H
#define TCPWAVE_REPORT_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/conn.h"
#include "lib/core/icmp.h"
#include "lib/core/verdict.h"

/* How the two sides closed, according to the states of our side. */
struct outcome_path {
    bool established : 1;
    bool local_first : 1, peer_first : 1; /* which FIN came first, if any */
    bool simultaneous : 1;                /* the FINs crossed: CLOSING */
    bool separate : 1;   /* the first FIN was acknowledged before the second FIN came */
    bool reset_sent : 1; /* we sent a RST */
    uint32_t acked_by;   /* the segment that acknowledged our FIN */
};

/* Records a change of our state. `segment` is the number of segments that have arrived, modulo
 * 2^32, so that changes by one and the same segment are recognised. */
void outcome_moved(struct outcome_path *p, enum state from, enum state to, uint32_t segment);

/* Records that we sent a segment with these flags in this state. */
void outcome_sent(struct outcome_path *p, enum state state, unsigned flags);

/* Why the run ended. */
enum outcome_stop {
    STOP_END,     /* the connection reached its end */
    STOP_ASKED,   /* --close=abort or =vanish was carried out, or --for is over */
    STOP_LINGER,  /* our FIN was acknowledged, and the peer stays open and silent */
    STOP_TIMEOUT, /* --timeout */
    STOP_NO_ACK,  /* --no-ack: enough SYN-ACKs were seen, or none comes any more */
    STOP_SIGNAL,
    STOP_LOCAL /* this host failed: see `error` */
};

struct outcome_facts {
    struct outcome_path path;
    enum conn_end end;
    enum outcome_stop stop;
    int signal;           /* with STOP_SIGNAL, or with STOP_LOCAL if one came as well; 0
                             otherwise */
    const char *error;    /* with STOP_LOCAL */
    const char *hindered; /* what this host lacked to send, or to store what came, or NULL */
    bool unread;          /* the sentence will not be read, and is left empty */
    const char *peer;     /* "192.0.2.1:80" */
    const char *awaited;  /* what the run still waited for: "the peer's FIN" */
    bool impaired;        /* rules of --impair did something to segments, so that neither path nor
                             peer is to blame for what is missing */
    bool made_rst, made_fin; /* the RST or FIN that our engine was given was a rule's, not the
                                peer's */
    bool all_acked;          /* a segment has shown that the peer has our FIN, after its own */
    bool outstanding;     /* data or FIN of ours is unacknowledged and was retransmitted */
    enum state local, state; /* ours when it ended; the peer's, as far as known */
    uint32_t syn_sent;       /* SYNs of ours */
    uint64_t arrived;        /* segments of the peer's that came, including those with a wrong
                                checksum */
    uint64_t elsewhere;      /* segments to our port from other addresses and ports, */
    bool odd_icmp;           /* and an ICMP error came that a host ignores */
    uint32_t missing;        /* bytes of the peer's that never came although later bytes did */
    bool answers;            /* segments came since what is outstanding was first sent */
    uint32_t syn_acks;       /* of the peer's that were seen */
    wave_time kept_silent;   /* --no-ack: for how long since the first SYN-ACK */
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
