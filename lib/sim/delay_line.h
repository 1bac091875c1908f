/*
 * The packets that are on their way over a path. They come out in the order of their arrival;
 * packets that arrive at the same time come out in the order in which they were put in.
 */
#ifndef TCPWAVE_SIM_DELAY_LINE_H
#define TCPWAVE_SIM_DELAY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/time.h"
#include "lib/sim/packet_pool.h"

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
