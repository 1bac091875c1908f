/*
 * What findings are made from: all that is known of a connection, of the path to its peer and of
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
#include "lib/report/how_to.h"

struct impairments;
struct report_flow;

/* About this host and its way to the peer. Zero means "not known" in every field. */
struct facts_host {
    bool counts_reached;    /* `reached` is known, because the guard counts */
    uint64_t reached;       /* segments that reached this host's TCP (lib/wire/guard.h) */
    uint64_t captured;      /* segments for us that were captured with a correct checksum */
    bool each_reached;      /* `reached` was read late enough to be compared with `captured` */
    bool first_stopped;     /* the answer to our SYN had not reached it when we answered that */
    bool past_rules;        /* most of what we sent passed none of this host's rules, since it was
                               sent on the link layer: connection tracking does not know it */
    uint64_t kept;     /* segments that we sent, where the capture shows what leaves, and showed
                          none of them; 0: not so, or not known: */
    uint64_t sent, passed_over; /* of many connections: segments that we sent, and those of them
                                   that the capture did not show though it showed later ones */
    bool redirected;   /* what we sent was redirected to this host itself, as far as its neighbour
                          table shows: over the one interface it is not reached */
    bool left_unknown; /* it is not known, since what leaves is not captured, or not counted */
    uint64_t unsent;   /* segments that this host's kernel rejected (EPERM and the like) */
    uint64_t refused;       /* segments that we gave up, since the interface refused them, */
    uint64_t accepted;      /* and such that it took, of those that were sent on the link layer */
    uint64_t bad_checksums; /* with a wrong checksum, */
    uint64_t bad_headers;   /* and of those with one of IPv4's header */
    int64_t clock_step;     /* nanoseconds by which the wall clock was set during the run; 0: none */
    uint64_t lost;          /* frames that the capture lost */
    uint64_t copies;        /* packets that were captured on a second interface as well */
    uint64_t icmps;         /* of many connections: ICMP errors about what we sent, */
    const char *icmp;       /* and who sent the last one, and what it says */
    uint64_t elsewhere;     /* segments to our port from an address or port other than the peer's */
    bool answered_elsewhere; /* one of them was a SYN-ACK that acknowledges our SYN, */
    bool presumed;           /* which is not certain where there were many SYNs, */
    const char *answerer;    /* and came from this address and port */
    uint64_t other;          /* segments of the peer's that came in by another interface, */
    const char *other_interface;
    const char
        *translated; /* the address and port to which this host rewrites our target, or NULL; */
    bool translated_more;          /* and to others */
    bool targets_clash;            /* several of our targets to the same: what comes from one port
                                      of ours would be one connection */
    const char *source_translated; /* the address and port to which this host rewrites our source,
                                      as it was seen to leave, or NULL */
    uint64_t fragmented;  /* the peer's packets that were put together from: */
    uint64_t fragments;   /* so many fragments */
    uint64_t incomplete;  /* packets of the flow's of which a fragment never came */
    bool unrepaired;      /* the bytes of one of those never came, in another packet either */
    uint64_t nameless;    /* packets from the peer's host of which the first fragment never came, so
                             that their ports are not known */
    uint64_t overlapping; /* the peer's packets whose fragments overlapped, so that each host throws
                             them away */
    uint64_t crowded_out; /* packets in fragments, for which we had no room */
    bool on_link;         /* no router is between us and the peer */
    bool anywhere;        /* all interfaces are captured */
    bool one_interface;   /* one of several interfaces that an answer may come in by is captured */
    bool interface_named; /* the user named the interface, so no other one is captured */
    bool loopback;
    bool listens;            /* peers connect to us */
    const char *unreachable; /* the address of the neighbour that does not answer; NULL: none */
    bool is_gateway;         /* that neighbour is the gateway, and not the peer itself */
    const char *interface;   /* the interface that is captured */
    const char *rerouted;    /* the interface that the route leads through now, or NULL:
                                unchanged */
    bool itself;             /* source and target of the run are one: nothing was sent */
    uint16_t kept_clear;     /* a target of the run that is a port of this host and lies among our
                                local ports, so that it was left out of them; 0: none */
    uint32_t failed;         /* of many: connections that did not go as asked */
    uint32_t queue_full;     /* of many: connections that the peer did not accept at first, since
                                its accept queue was full */
    uint32_t addresses;      /* of the peer's name that were not tried; 0: none, or no name */
    const char *address;     /* the first of them */
};

/* Whether what is missing was in packets that came in part, or with a wrong checksum: they were
 * neither lost as a whole, nor never repeated. */
static inline bool facts_incomplete(const struct facts_host *h)
{
    return h && (h->incomplete || h->nameless || h->overlapping || h->bad_checksums);
}

/* What a connection can show, of many of which no single segment is on record. */
enum many_kind {
    MANY_UNSTAMPED,     /* no timestamps on the peer's segment, though both agreed on them */
    MANY_OLD_TIMESTAMP, /* new data of the peer's was refused for its timestamp */
    MANY_ECHO_ASTRAY,   /* the peer echoed a timestamp that we never sent */
    MANY_UNSTAMPED_SYN, /* of its SYNs, those without timestamps alone were answered */
    MANY_WINDOW_SHUT,   /* the peer answered our window probes and took no data */
    MANY_FIN_UNTAKEN,   /* the peer was heard after our FIN was repeated, and did not take it */
    MANY_FIN_AT_ONCE,   /* the peer closed soon after the handshake, before any byte of its own, */
    MANY_RST_AT_ONCE,   /* or reset */
    MANY_RST_TO_FIN,    /* a RST came soon after our FIN, and no FIN of the peer's before it; */
    MANY_RST_BARE,      /* so soon that it may have come without our FIN */
    MANY_EARLY,         /* the peer answered and closed, and never took all of our data */
    MANY_FIN_IDLE,      /* the peer closed after a silence, */
    MANY_RST_IDLE,      /* or reset */
    MANY_CUT,           /* its large segments were not acknowledged, and smaller ones were */
    MANY_GAP,           /* bytes of the peer's never came, and what lies behind them did */
    MANY_KINDS
};

/* How many connections showed each. */
struct facts_many {
    uint32_t connections; /* of so many, */
    uint32_t failed;      /* of which so many did not go as asked */
    uint32_t count[MANY_KINDS];
    wave_time at_once; /* the longest time from the handshake to such an end, */
    wave_time idle;    /* and the shortest silence */
};

struct facts {
    const struct report_flow *flow;
    const struct facts_many *many; /* NULL: there is one connection, or nothing was counted */
    const struct facts_host *host; /* NULL: not yet known */
    const struct impairments *impairments; /* the rules of the run, once it is over; NULL: none, or
                                              not yet known */
    const char *preset, *preset_does; /* of our side's misbehaviour, its name and what it does in a
                                         few words; NULL: none */
    const struct how_to *how_to;      /* how a user asks for what is advised; NULL: in no words */
    wave_time now;                 /* a stamp of the capture */
    /* What is known once the run is over; before, all of it is zero. */
    bool over;
    enum verdict verdict;
    enum conn_end end;
    uint32_t missing;     /* bytes of the peer's that never came although later bytes did */
    bool outstanding;     /* data or FIN of ours is not acknowledged */
    wave_time silent_for; /* --no-ack: how long we kept silent after the first SYN-ACK */
    bool probed_fast;     /* keepalive probes came faster than some hosts answer them */
};

#endif
