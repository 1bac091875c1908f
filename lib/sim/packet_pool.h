/*
 * Packets of a simulated network, and memory for them. A packet keeps its TCP segment where its
 * data can be written first: headers are put in front of them, and then that of IP, so that the
 * data are written once and never moved. Packets that are given back are kept, since malloc(3)
 * takes much of the time that a packet has.
 */
#ifndef TCPWAVE_SIM_PACKET_POOL_H
#define TCPWAVE_SIM_PACKET_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/time.h"

/* Where a segment's data stand in `bytes`: the largest headers of IP and TCP fit before them. */
#define PACKET_DATA_AT 104

/* Bytes of data that fit into a packet which packet_pool_place() prepares. */
#define PACKET_PLACE 1944

/* Holds a packet: a TCP segment as bytes, or a router's ICMP error as a struct icmp. */
struct delayed_packet {
    struct delayed_packet *next; /* in the list that it stands in */
    wave_time at;                /* when it arrives, or arrived */
    uint64_t order;              /* of the packets that arrive at that time */
    uint32_t room;               /* of `bytes` */
    uint32_t start, len;         /* of the segment in `bytes`, its header included */
    uint64_t number;             /* of the segment; counted from 1 over the whole link */
    uint8_t from;                /* the end that sent it: 0 or 1, enum link_end */
    uint8_t ecn;                 /* ECN field of its IP header */
    bool corrupted;              /* the path flipped a bit of it */
    bool icmp;        /* an ICMP error on its way back to `from`, which sent what it is about */
    struct flow flow; /* as the sender of the segment sees it */
    _Alignas(8) uint8_t bytes[];
};

/* Holds the packets that were given back, in two sizes, and the one that is prepared. All zero is
 * an empty one. */
struct packet_pool {
    struct delayed_packet *spare[2];
    uint32_t spares[2];
    struct delayed_packet *prepared;
};

/* Returns a packet from end `from` that is zero but for that, for a segment with `len` bytes of
 * data or for as many bytes of any kind. If `data` is what packet_pool_place() returned last, it is
 * the packet that they were written to. NULL: no memory. */
struct delayed_packet *packet_pool_take(struct packet_pool *p, unsigned from, size_t len,
                                        const uint8_t *data);

/* Returns where the data of the next segment may be written, PACKET_PLACE bytes, valid until they
 * are taken; NULL: no memory. */
uint8_t *packet_pool_place(struct packet_pool *p);

/* Takes a packet back. */
void packet_pool_give(struct packet_pool *p, struct delayed_packet *c);

/* Frees what was given back. */
void packet_pool_free(struct packet_pool *p);

/* Returns the bytes of the segment. */
static inline uint8_t *packet_segment(struct delayed_packet *c)
{
    return c->bytes + c->start;
}

#endif
