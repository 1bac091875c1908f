/*
 * What is on its way over a link: packets in the order of their arrival, and of their posting
 * where two arrive at once. A binary heap.
 */
#ifndef TCPWAVE_SIM_DELAY_LINE_H
#define TCPWAVE_SIM_DELAY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/seq.h"
#include "lib/core/time.h"

struct delayed_packet {
    uint64_t number;  /* of the segment, counted from 1 over the whole link */
    uint8_t from;     /* enum link_end */
    uint8_t ecn;      /* of the IP header around it */
    bool corrupted;   /* a bit of it was flipped */
    uint32_t mtu;     /* not 0: no segment, but the ICMP error that says so to its sender */
    struct seq seq;   /* which segment that ICMP error quotes */
    struct flow flow; /* as the sender of the segment sees it */
    uint32_t len;     /* of bytes: a TCP segment as it stands in its packet */
    uint8_t bytes[];
};

struct delay_line_slot {
    wave_time at;
    uint64_t order;
    struct delayed_packet *delayed_packet;
};

struct delay_line {
    struct delay_line_slot *heap;
    size_t count, room;
    uint64_t order; /* how many were ever posted */
};

/* Posts a packet from malloc(), which is the transit's until it is taken out again. WAVE_ENOMEM,
 * and it stays the caller's. */
int delay_line_put(struct delay_line *t, wave_time at, struct delayed_packet *p);

/* When the next one arrives; WAVE_NEVER when none is on the way. */
wave_time delay_line_next(const struct delay_line *t);

/* Takes the next one out; the caller frees it. NULL when none is on the way. */
struct delayed_packet *delay_line_take(struct delay_line *t);

/* Frees everything. */
void delay_line_free(struct delay_line *t);

#endif
