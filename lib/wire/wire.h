/*
 * The wire: everything about packets that asks the kernel. Opened once with all that needs a
 * privilege, which is then dropped before the first byte of a peer is read.
 *
 *     wire_open()  route, raw socket (libnet), capture (libpcap), guard, privileges dropped
 *     wire_send()  one segment out, queued; wire_flush() hands what is queued to the kernel
 *     wire_next()  one captured packet in, of either direction
 */
#ifndef TCPWAVE_WIRE_WIRE_H
#define TCPWAVE_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"
#include "lib/core/ip.h"
#include "lib/core/seg.h"
#include "lib/core/time.h"
#include "lib/wire/guards.h"

#define WIRE_PORTS 1000 /* a descriptor each, of which many systems allow 1024 */

/* What to open. Zero means "not asked for". */
struct wire_config {
    bool v6;
    bool listen; /* passive: any remote; `remote` is not looked at */
    struct addr remote;
    uint16_t rport;
    bool has_source;
    struct addr source;    /* listen: the address to serve, any when !has_source */
    uint16_t lport;        /* 0: one that is free, chosen by the kernel */
    uint16_t lports;       /* that many consecutive ports from lport on, each of them guarded; 0
                              is 1, at most WIRE_PORTS */
    const char *interface; /* name, or NULL: the route's; listen: NULL is every interface */
    uint32_t scope;        /* interface index of a link-local remote or source, or 0 */
    bool no_guard;         /* send: crafts outside any connection. lport is then used as it is,
                              held by somebody or not; 0 still reserves one that is free */
    bool broken;           /* arriving segments that do not hold are given, too: wire_packet */
    bool inbound_only;     /* our own segments are not captured: for bulk and for load */
    bool anywhere;         /* with a route that is no loopback, and unless `interface` is named:
                              captures on all interfaces, since answers may come in by another one
                              than the route leads out by; a packet that is met on several counts
                              once. The target of what we send is followed where this host rewrites
                              it (NAT) */
    bool follows_route;    /* wire_rerouted() will be asked */
    bool l2_send;          /* much will be sent: straight to the interface (l2_send.h), past the
                             kernel's routing and firewall of each segment, and segments that
                             follow on from each other as one that the kernel cuts again, once it
                             knows the next hop; wherever there is no such way, or not now, as
                             ever */
    bool bypass_qdisc; /* with `l2_send`, for wire_queue(): past the queueing discipline, too, and
                   so past every capture on this host */
    bool blocks;          /* capture ring in blocks of up to 1 ms, for many connections: frames
                             share the ring's room by their lengths. Else each frame is there at
                             once */
    uint32_t ring;        /* bytes of capture ring; 0: 8 MiB */
    bool keep_privileges; /* for tests, and for a process that opens several wires */
    unsigned guards;      /* tests only: bits of guard.h's GUARD_... to try; 0: all, in order */

    /* listen: instead of `lports`, ports from lport on, wherever free ones are found; wire_port()
     * names them. All zero: not so. */
    struct guards_wanted free_ports;
};

/* What was found and is in force. */
struct wire_info {
    char interface[16]; /* "any" when listening on every interface, and ifindex is 0 */
    int ifindex;
    uint32_t mtu; /* bytes of an IP packet, 68 to 65535; of the route when it has one of
                     its own, the smallest of all when listening on every interface */
    bool loopback;
    bool anywhere;     /* captured are all interfaces, and not that one alone */
    struct addr local; /* all zero when listening on any address */
    uint16_t lport;    /* the first, of several */
    const char *guard; /* "socket filter", "TCP-MD5 key", or "none" */
    const char *link;  /* "ethernet", "loopback", "raw", "cooked", "vlan" */
};

struct wire;

/*
 * Opens all of it, or nothing. The privileges are dropped with the first one opened: a process
 * that needs several keeps them (keep_privileges) until it calls privilege_drop() itself. Errors,
 * each with *d filled in: WAVE_EPERM (says how to get the privilege), WAVE_ENOROUTE (no route,
 * unknown interface, source not ours), WAVE_EINUSE (says by what kind of thing the port is held),
 * WAVE_ESYS, WAVE_ENOMEM.
 */
int wire_open(struct wire **out, const struct wire_config *config, struct diag *d);

/* Closes and frees; the guard goes with it. NULL is taken. */
void wire_close(struct wire *w);

const struct wire_info *wire_info(const struct wire *w);

/* How many ports there are of those that wire_config.free_ports asks for. */
uint32_t wire_ports(const struct wire *w);

/* The local port number `i` of them. */
uint16_t wire_port(const struct wire *w, uint32_t i);

/* Fields of the IP header that a segment does not have. */
struct wire_ip {
    uint8_t ttl;         /* 0: 64 */
    uint8_t tos;         /* DSCP; the ECN bits come from the segment */
    bool no_df;          /* IPv4; DF is set otherwise, as path MTU discovery wants (RFC 1191) */
    uint16_t id;         /* IPv4; 0: the next one */
    uint32_t flow_label; /* IPv6; 20 bits */
};

#define WIRE_QUEUE_MAX                                                                             \
    64 /* segments that can be queued; fewer where they are larger than the MTU */

/* Where the data of the next segment may be written, WIRE_DATA bytes at most, so that wire_send()
 * need not copy it; until that or wire_flush(). NULL when the queue is full. */
#define WIRE_DATA 65536
uint8_t *wire_room(struct wire *w);

/*
 * Crafts the segment with libnet and queues it, to go as flow->local to flow->remote with the next
 * wire_flush(). `ip` may be NULL; the segment's data is copied. Returns 0; WAVE_EAGAIN when the
 * queue is full: wire_flush() first; WAVE_ETRUNC when it is more than an IP packet can be, or
 * WAVE_ESYS, with `d` filled in (d may be NULL).
 */
int wire_send(struct wire *w, const struct flow *flow, const struct seg *s,
              const struct wire_ip *ip, struct diag *d);

/* A segment that could not be sent. */
struct wire_unsent {
    struct flow flow;
    struct seq seq;
};

/*
 * Hands the queued segments to the kernel, in order, without ever waiting for it. Returns 0 when
 * all are out; WAVE_EAGAIN when the kernel has no room now (ENOBUFS, EAGAIN): the rest stays
 * queued, call again later. For any other error one segment was thrown away, which *unsent names,
 * and the rest stays queued, call again at once: WAVE_ETRUNC, it is larger than the MTU (EMSGSIZE);
 * WAVE_ESYS, with `d` filled in (d may be NULL). Listening on every interface, a link-local peer
 * cannot be answered (a flow does not name its interface): that is WAVE_ESYS too.
 */
int wire_flush(struct wire *w, struct wire_unsent *unsent, struct diag *d);

/*
 * Queues an IP packet as it stands, header included: what crafted_build() made for `flow`, with
 * this sequence number. It is copied. Where the kernel routes it, IPv4's length and header checksum
 * are the kernel's to fill in, and so is an ID of 0 without DF. Returns 0, or WAVE_EAGAIN when the
 * queue is full: wire_flush() first.
 */
int wire_queue(struct wire *w, const struct flow *flow, struct seq seq, const uint8_t *ip,
               uint32_t len);

/* A captured packet. */
struct wire_packet {
    wave_time stamp;      /* the capture's, in nanoseconds: of the wall clock, but for what it was
                             set by since the process first asked for it (capture_clock.h) */
    bool outgoing;        /* we sent it */
    int broken;           /* 0; with wire_config.broken an arriving segment may also be one with
                             WAVE_ECHECKSUM, or WAVE_EMALFORMED, which has no packet but its flow */
    struct packet packet; /* its flow as the sender sees it */
    const uint8_t *ip;    /* the IP packet's bytes, for --pcap and -vv; valid until wire_next() */
    uint32_t ip_len;      /* bytes there */
    bool gap;             /* the capture may have lost packets just before this one */
};

/*
 * The next packet of our flow or flows, or an ICMP error that quotes a segment of ours: 1 and *out,
 * 0 when none waits, or WAVE_ESYS. Never blocks.
 *
 * A packet is given once, on lo too. An arriving segment whose checksum is wrong is counted as
 * malformed and not given (but for wire_config.broken); accepted is any checksum on lo, and
 * elsewhere one that the sender left to an offload which has not filled it in (the field then holds
 * the pseudo-header's sum). Segments larger than the MSS, which an offload joined, are given as
 * they are.
 */
int wire_next(struct wire *w, struct wire_packet *out, struct diag *d);

/*
 * Whether the kernel's route to the remote has come to lead through another interface than the one
 * that is captured, which answers may then come in by: true, and that one's name. False where this
 * cannot be or cannot be told: on lo, listening, when an interface was asked for, or without
 * wire_config.follows_route.
 */
bool wire_rerouted(const struct wire *w, char interface[16]);

/* The neighbour that what we send is handed to. */
struct wire_neighbour {
    bool gateway; /* a router; else the peer itself */
    struct addr addr;
};

/*
 * Whether the kernel asked for that neighbour's link-layer address in vain (ARP, or neighbour
 * discovery): true, and *out. False as well where this cannot be or cannot be told: on lo, without
 * a link layer, listening, or without wire_config.follows_route.
 */
bool wire_unreachable(const struct wire *w, struct wire_neighbour *out);

/* How many bytes a peer with segments of up to `mss` bytes may send before we read any of them,
 * without a loss to the capture: so large a window can be offered. */
uint32_t wire_window(const struct wire *w, uint32_t mss);

/* As capture_down(): whether wire_next() is to be called now and then, though nothing comes. */
bool wire_down(const struct wire *w);

/* The descriptor that poll(2) waits on for wire_next(). */
int wire_fd(const struct wire *w);

/* The engine's clock: CLOCK_MONOTONIC in nanoseconds. */
wave_time wire_now(void);

struct wire_stats {
    uint64_t received, dropped; /* the capture's: frames seen, and lost for want of room */
    uint64_t truncated, malformed, unrelated; /* frames that gave no packet, and why */
    uint64_t l2_send;       /* of those sent: past the kernel's routing (wire_config.l2_send) */
    uint64_t sent, retried; /* segments that the kernel took, and how often it had no room */
    uint64_t bad_checksum;  /* of `malformed`: segments for us with a wrong checksum */
    bool counts_reached;    /* the guard counts what comes as far as this host's TCP: */
    uint64_t reached;       /* so many segments */
    uint64_t copies;        /* packets that were met again on another interface of this host */
    uint64_t elsewhere;     /* segments to our port from another address or port than the peer's */
    struct wire_stray {     /* the last of those that was a SYN-ACK; `flags` 0: none was */
        struct addr addr;
        uint16_t port, flags;
        struct seq ack;
    } stray;
    uint64_t other; /* segments of the peer's that came in by `other_interface` alone */
    char other_interface[16];
    bool translated; /* this host rewrites the target of what we send to: */
    struct addr nat_addr;
    uint16_t nat_port;
};
struct wire_stats wire_stats(struct wire *w);

#endif
