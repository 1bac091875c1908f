/*
 * What is on its way over a link: parcels in the order of their arrival, and of their posting
 * where two arrive at once. A binary heap.
 */
#ifndef TCPWAVE_SIM_TRANSIT_H
#define TCPWAVE_SIM_TRANSIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/seq.h"
#include "lib/core/time.h"

struct parcel {
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

struct transit_slot {
    wave_time at;
    uint64_t order;
    struct parcel *parcel;
};

struct transit {
    struct transit_slot *heap;
    size_t count, room;
    uint64_t order; /* how many were ever posted */
};

/* Posts a parcel from malloc(), which is the transit's until it is taken out again. WAVE_ENOMEM,
 * and it stays the caller's. */
int transit_post(struct transit *t, wave_time at, struct parcel *p);

/* When the next one arrives; WAVE_NEVER when none is on the way. */
wave_time transit_next(const struct transit *t);

/* Takes the next one out; the caller frees it. NULL when none is on the way. */
struct parcel *transit_take(struct transit *t);

/* Frees everything. */
void transit_free(struct transit *t);

#endif
