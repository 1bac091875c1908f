/*
 * What a finding is drawn from: all that is known of a connection, of the path to its peer and of
 * this host, at some moment of the run or at its end.
 */
#ifndef TCPWAVE_REPORT_FACTS_H
#define TCPWAVE_REPORT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/addr.h"
#include "lib/core/conn.h"
#include "lib/core/time.h"
#include "lib/core/verdict.h"

struct report_flow;

/* Of this host and the way out of it. Zero means "not known", everywhere. */
struct facts_host {
    bool counts_reached;    /* `reached` is known: the guard counts */
    uint64_t reached;       /* segments that came as far as this host's TCP (lib/wire/guard.h) */
    uint64_t captured;      /* segments for us that the capture saw, with a good checksum */
    uint64_t bad_checksums; /* and with a bad one */
    uint64_t lost;          /* frames that the capture lost */
    uint64_t copies;        /* packets that were met again on another interface */
    uint64_t elsewhere;     /* segments to our port from another address or port than the peer's */
    bool answered_elsewhere; /* one of those was a SYN-ACK that acknowledges our SYN: */
    const char *answerer;    /* from this address and port */
    uint64_t other;          /* segments of the peer's that came in by another interface: */
    const char *other_interface;
    const char
        *translated;      /* the address and port that this host rewrites our target to, or NULL */
    bool anywhere;        /* captured are all interfaces */
    bool one_interface;   /* captured is one interface of several that an answer may come in by */
    bool interface_named; /* by the user, so that no other one is captured */
    bool loopback;
    const char *unreachable; /* the neighbour that does not answer: its address; NULL: none */
    bool is_gateway;         /* it is the gateway, and not the peer itself */
    const char *interface;   /* the one that is captured */
    const char *rerouted;    /* the one that the route has come to lead through, or NULL */
    uint16_t kept_clear;     /* a port of this host's, a target of the run, that lies among our local
                                ports and was left out of them; 0: none */
    uint32_t queue_full;     /* of many: connections that the peer did not accept at first, since
                                its accept queue was full */
    uint32_t addresses;      /* of the peer's name, that were not tried; 0: none, or no name */
    const char *address;     /* the first of them */
};

struct facts {
    const struct report_flow *flow;
    const struct facts_host *host; /* NULL: not asked for yet */
    wave_time now;                 /* stamp */
    /* Once the run is over; before, all of them are zero. */
    bool over;
    enum verdict verdict;
    enum conn_end end;
    uint32_t missing;     /* bytes of the peer's that never came, before what did come */
    bool outstanding;     /* data or FIN of ours is not acknowledged */
    wave_time silent_for; /* --no-ack: how long we kept silent after the first SYN-ACK */
};

#endif
