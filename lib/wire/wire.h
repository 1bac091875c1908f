/*
 * The wire is the interface to all that asks the kernel about packets. It is opened once, with all
 * that needs a privilege. The privileges are then dropped before the first byte of a peer is read.
 *
 *     wire_open()  finds the route, opens raw socket (libnet), capture (libpcap) and guard, and
 *                  drops the privileges
 *     wire_send()  queues one segment; wire_flush() hands what is queued to the kernel
 *     wire_next()  gives one captured packet, of either direction
 */
#ifndef TCPWAVE_WIRE_WIRE_H
#define TCPWAVE_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"
#include "lib/core/impaired.h"
#include "lib/core/ip.h"
#include "lib/core/ip_reassembly.h"
#include "lib/core/seg.h"
#include "lib/core/time.h"
#include "lib/wire/guards.h"

#define WIRE_PORTS 1000 /* each takes a descriptor; many systems allow 1024 */

/* Says what to open. Zero means "not asked for". */
struct wire_config {
    bool v6;
    bool listen; /* passive: any remote; `remote` has no meaning */
    struct addr remote;
    uint16_t rport;
    bool has_source;
    struct addr source;    /* listen: the address to serve, any when !has_source */
    uint16_t lport;        /* 0: a free one, which the kernel chooses */
    uint16_t lports;       /* consecutive ports from lport on, each with a guard; 0 is 1, at most
                              WIRE_PORTS */
    const char *interface; /* name, or NULL: the route's; listen: NULL is every interface */
    uint32_t scope;        /* interface index of a link-local remote or source, or 0 */
    bool no_guard;         /* send: segments outside any connection. lport is then used even if
                              another socket holds it; 0 still reserves a free one */
    bool broken;           /* arriving segments with errors are given as well: wire_packet */
    bool inbound_only;     /* our own segments are not captured: for bulk and for load */
    bool anywhere;         /* with a route that is no loopback, and unless `interface` is named:
                              captures on all interfaces, since answers may come in by another one
                              than the route leads out by; a packet that is met on several counts
                              once. The target of what we send is followed where this host rewrites
                              it (NAT). With `free_ports` an interface that is named is only the one
                              to send by, and nothing is followed */
    bool follows_route;    /* wire_rerouted() will be asked */
    bool l2_send;          /* much will be sent. Once the next hop is known, packets go straight
                              to the interface (l2_send.h), without the kernel's routing and
                              firewall for each, and consecutive segments go as one that the
                              kernel cuts. Where that is not possible, or not now, packets go
                              through the kernel's routing */
    bool bypass_qdisc;     /* with `l2_send`, for wire_queue(): frames also bypass the queueing
                              discipline, and so every capture on this host */
    bool tx_ring;          /* with `l2_send`: short frames are handed over in a ring that the kernel
                              shares (tx_ring.h), for many connections */
    bool blocks;           /* capture ring in blocks of up to 1 ms, for many connections: frames
                              share the room of the ring by their lengths. Else each frame is
                              there immediately */
    uint32_t ring;        /* bytes of capture ring; 0: 8 MiB */
    bool keep_privileges; /* for tests, and for a process that opens several wires */
    unsigned guards;      /* for tests: the GUARD_... bits of guard.h to try; 0: all, in order */

    /* listen: instead of `lports`, free ports from lport on, not necessarily consecutive;
     * wire_port() names them. All zero: not used. */
    struct guards_wanted free_ports;
};

/* Holds what was found, and what is in force. */
struct wire_info {
    char interface[16]; /* "any" when listening on every interface; ifindex is then 0 */
    int ifindex;
    uint32_t mtu; /* bytes of an IP packet, 68 to 65535: of the route if it has its own, else of
                     the interface; the smallest of all when listening on every interface */
    bool loopback;
    bool anywhere;     /* captured are all interfaces, and not that one alone */
    bool on_link;      /* no router is between this host and the remote */
    struct addr local; /* all zero when listening on any address */
    uint16_t lport;    /* the first one, when there are several */
    const char *guard; /* "socket filter", "TCP-MD5 key", or "none" */
    const char *link;  /* "ethernet", "loopback", "raw", "cooked", "vlan" */
};

struct wire;

/*
 * Opens everything, or nothing. The first wire that is opened drops the privileges. A process that
 * needs several wires keeps the privileges (keep_privileges), and calls privilege_drop() itself.
 * Returns 0, or with *d filled in: WAVE_EPERM (*d says how to get the privilege); WAVE_ENOROUTE (no
 * route, an unknown interface, or a source that is not ours); WAVE_EINUSE (*d says by which kind of
 * socket the port is held); WAVE_ESELF; WAVE_ESYS; WAVE_ENOMEM.
 */
int wire_open(struct wire **out, const struct wire_config *config, struct diag *d);

/* Closes and frees everything, including the guard. `w` may be NULL. */
void wire_close(struct wire *w);

/* Returns what was found and is in force; it is valid until wire_close(). */
const struct wire_info *wire_info(const struct wire *w);

/* Returns how many ports there are: those of wire_config.free_ports, or else of `lports`. */
uint32_t wire_ports(const struct wire *w);

/* Returns the local port number `i`, of wire_config.free_ports or from `lport` on. */
uint16_t wire_port(const struct wire *w, uint32_t i);

/* Holds the fields of the IP header that are not part of a segment. */
struct wire_ip {
    uint8_t ttl;         /* 0: 64 */
    uint8_t tos;         /* DSCP; the ECN bits come from the segment */
    bool no_df;          /* IPv4; otherwise DF is set, as path MTU discovery wants (RFC 1191) */
    uint16_t id;         /* IPv4; 0: the next one */
    uint32_t flow_label; /* IPv6; 20 bits */
};

#define WIRE_QUEUE_MAX 128

/* Returns where the data of the next segment may be written, WIRE_DATA bytes at most, so that
 * wire_send() need not copy it. The place is valid until the next wire_send() or wire_flush(). NULL
 * when the queue is full. */
#define WIRE_DATA 65536
uint8_t *wire_room(struct wire *w);

/* Returns how many segments wire_send() takes as one now (seg.train): more than one where they go
 * out as one frame, which the kernel or the network card cuts. */
unsigned wire_train(const struct wire *w);

/*
 * Builds the segment with libnet and queues it; the next wire_flush() sends it from flow->local to
 * flow->remote. `ip` may be NULL. The segment's data is copied. A train (seg.train) leaves as its
 * segments in any case; ip->id has to be 0 for it. Returns 0; WAVE_EAGAIN when the
 * queue is full (call wire_flush() first); WAVE_ETRUNC when the segment does not fit into an IP
 * packet, or WAVE_ESYS, with *d filled in (`d` may be NULL).
 */
int wire_send(struct wire *w, const struct flow *flow, const struct seg *s,
              const struct wire_ip *ip, struct diag *d);

/* Names a segment that could not be sent. */
struct wire_unsent {
    struct flow flow;
    struct seq seq;
};

/*
 * Hands the queued segments to the kernel, in order, and never waits. Returns 0 when all are out;
 * WAVE_EAGAIN when the kernel has no room now (ENOBUFS, EAGAIN): the rest stays queued, so call it
 * once more later. For any other error one segment was discarded, which *unsent names, and the rest
 * stays queued, so call it once more immediately: WAVE_ETRUNC when the segment is larger than the
 * MTU (EMSGSIZE); WAVE_ESYS, with *d filled in (`d` may be NULL). When listening on every
 * interface, a link-local peer cannot be answered, because a flow does not name its interface; that
 * is WAVE_ESYS, too.
 */
int wire_flush(struct wire *w, struct wire_unsent *unsent, struct diag *d);

/*
 * Queues an IP packet as it is, header included: what crafted_build() made for `flow`, with this
 * sequence number. The packet is copied. Where the kernel routes it, the kernel fills in IPv4's
 * length and header checksum, and an ID of 0 without DF. Returns 0, or WAVE_EAGAIN when the queue
 * is full (call wire_flush() first).
 */
int wire_queue(struct wire *w, const struct flow *flow, struct seq seq, const uint8_t *ip,
               uint32_t len);

/* Describes a captured packet. */
struct wire_packet {
    wave_time stamp;
    bool outgoing;
    int broken;
    struct packet packet;
    const uint8_t *ip;
    uint32_t ip_len;
    const uint8_t *link; /* the Ethernet header before it, valid until the next call, of fragments
                            the last one's; NULL: there is none */
    uint32_t link_len;
    uint32_t fragments; /* it arrived in so many, and was put together; 0: in one piece */
    const uint8_t *mac; /* FRAME_ADDRESS bytes, valid until the next call: the link-layer address
                           that it came from, of fragments the last one's; NULL: there is none */
    bool gap;
    const struct impaired *impaired; /* what a port in front of the wire did to it on purpose, valid
                                        until the next call; NULL: nothing */
};

/*
 * Gives the next packet of our flow or flows, or an ICMP error that quotes a segment of ours.
 * Returns 1 and *out; 0 when none waits; WAVE_ESYS with *d filled in. Never blocks.
 *
 * Each packet is given once, on lo too. An arriving segment with a wrong checksum is counted as
 * malformed and not given (except with wire_config.broken). On lo any checksum is accepted.
 * Elsewhere a checksum is also accepted when the sender left it to an offload that has not filled
 * it in; the field then holds the sum of the pseudo-header. Segments larger than the MSS, which an
 * offload has merged, are given as they are. What arrives in IP fragments is given as a whole once
 * the last of them is here.
 */
int wire_next(struct wire *w, struct wire_packet *out, struct diag *d);

/* Adds a fragment that arrived at `at` to *room, which is made with the first one. Returns what
 * ip_parse() says of the whole packet, which is then in *p; while it is not complete, what
 * ip_reassembly_add() returns; and WAVE_ENOTOURS when memory is out. */
int wire_put_together(struct ip_reassembly **room, ip_reassembly_wants *wants, void *ctx,
                      wave_time at, const struct ip_fragment *one, struct wire_packet *p);

/*
 * Returns whether the kernel's route to the remote now leads through another interface than the one
 * that is captured. Answers may then arrive there, and `interface` is its name. Returns false where
 * this cannot happen or is not known: on lo, when listening, when an interface was asked for, or
 * without wire_config.follows_route.
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

/* The same for what is sent from `local` to `remote`: of a wire with many remotes, where it sends to
 * the link layer itself. */
bool wire_unreachable_from(const struct wire *w, const struct addr *local,
                           const struct addr *remote, struct wire_neighbour *out);

/* Returns whether this host asks on our interface, which is the only one to send by, for a
 * neighbour with the address of its own loopback: a rule has redirected there what we sent. It asks
 * the kernel. */
bool wire_asks_for_itself(const struct wire *w);

/* Returns how many bytes a peer with segments of up to `mss` bytes may send before we read any of
 * them, without a loss in the capture. A window of this size can be offered. */
uint32_t wire_window(const struct wire *w, uint32_t mss);

/* Returns what capture_down() returns: whether to call wire_next() now and then, though nothing
 * arrives. */
bool wire_down(const struct wire *w);

/* Returns the descriptor to poll for wire_next(). */
int wire_fd(const struct wire *w);

/* Returns the engine's clock: CLOCK_MONOTONIC in nanoseconds. */
wave_time wire_now(void);

/* Counts since wire_open(). */
struct wire_stats {
    uint64_t received, dropped;
    uint64_t truncated, malformed, unrelated;
    uint64_t l2_send;
    uint64_t sent, retried;
    uint64_t given_up; /* segments that the interface refused for so long that they were given up:
                          its queue is full, or a rule drops them there */
    uint64_t bad_checksum;  /* of `malformed`: packets for us with a wrong checksum */
    uint64_t bad_header;    /* of those: with one of IPv4's header */
    uint64_t bad_whole;     /* of `bad_checksum`: packets that were put together from fragments */
    bool counts_reached;    /* the guard counts what comes as far as this host's TCP: */
    uint64_t reached;       /* so many segments; with wire_config.free_ports at least so many */
    uint64_t copies;        /* packets that were met again on another interface of this host */
    uint64_t elsewhere;     /* segments to our port from another address or port than the peer's */
    struct wire_stray {     /* the last of those that was a SYN-ACK; `flags` 0: none was */
        struct addr addr;
        uint16_t port, flags;
        struct seq ack;
    } stray;
    uint64_t other; /* segments of the peer's that came in by `other_interface` alone */
    char other_interface[16];
    struct ip_reassembly_counts fragmented; /* packets that arrived in fragments */
    int64_t clock_step; /* nanoseconds by which the wall clock was set since wire_open() */
    bool translated; /* this host rewrites the target of what we send to: */
    struct addr nat_addr;
    uint16_t nat_port;
    bool nat_others;        /* and to others */
    bool nat_clash; /* it sends several targets to one place, where connections from one port of
                       ours clash: it rewrites the source of all but one */
    bool source_translated; /* this host rewrites our source to: */
    struct addr nat_source;
    uint16_t nat_source_port;
    uint64_t syns_watched; /* SYNs through the kernel that the capture was to show as they left, */
    uint64_t syns_left;    /* and those that it showed */
};
struct wire_stats wire_stats(struct wire *w);

/* Counts a frame in which no packet for us was found, for that reason (WAVE_E...). */
void wire_count_unread(struct wire_stats *s, int error);

#endif
