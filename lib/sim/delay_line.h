/*
 * The packets that are on their way over a path. They come out in the order of their arrival;
 * packets that arrive at the same time come out in the order in which they were put in.
 */
#ifndef TCPWAVE_SIM_DELAY_LINE_H
#define TCPWAVE_SIM_DELAY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/time.h"

/* Holds a packet on its way: a TCP segment as bytes, or a router's ICMP error as a struct icmp. */
struct delayed_packet {
    struct delayed_packet *next; /* in the delay line, or of the path's spare ones */
    wave_time at;                /* when it arrives */
    uint64_t order;              /* of the packets that arrive at that time */
    uint32_t room;               /* of `bytes` */
    uint64_t number;  /* of the segment; counted from 1 over the whole link */
    uint8_t from;     /* the end that sent it: 0 or 1, enum link_end */
    uint8_t ecn;      /* ECN field of its IP header */
    bool corrupted;   /* the path flipped a bit of it */
    bool icmp;        /* an ICMP error on its way back to `from`, which sent what it is about */
    struct flow flow; /* as the sender of the segment sees it */
    uint32_t len;     /* of `bytes`: those of the TCP segment, header included */
    _Alignas(8) uint8_t bytes[];
};

/* Orders one packet in the heap. */
struct delay_line_slot {
    wave_time at;
    uint64_t order;
    struct delayed_packet *delayed_packet;
};

/* Holds the packets. All zero is an empty one. Those that arrive in the order in which they were
 * put in, which are nearly all, stand in a list; the others in a heap. */
struct delay_line {
    struct delayed_packet *first, *last;
    struct delay_line_slot *heap;
    size_t count, room; /* of the heap */
    uint64_t order; /* packets put in so far */
};

/* Puts in a packet from malloc(), which arrives at time `at`. The packet belongs to the delay line
 * until it is taken out. Returns 0, or WAVE_ENOMEM; the packet then stays the caller's. */
int delay_line_put(struct delay_line *t, wave_time at, struct delayed_packet *p);

/* Returns when the next packet arrives; WAVE_NEVER when none is on its way. */
wave_time delay_line_next(const struct delay_line *t);

/* Takes out the next packet, which the caller frees. Returns NULL when none is on its way. */
struct delayed_packet *delay_line_take(struct delay_line *t);

/* Frees all packets and the heap. */
void delay_line_free(struct delay_line *t);

#endif
