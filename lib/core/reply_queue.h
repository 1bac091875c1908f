/*
 * The queue of segments that answer a peer without a connection: RSTs and SYN cookies. They are
 * few, since output follows every input. When the queue is full, the oldest is dropped and counted,
 * as if the network had lost it.
 */
#ifndef TCPWAVE_CORE_REPLY_QUEUE_H
#define TCPWAVE_CORE_REPLY_QUEUE_H

#include "lib/core/flow.h"
#include "lib/core/seg.h"

/* The size of the queue, in segments. */
enum { REPLY_QUEUE_MAX = 64 };

/* The queue. `lost` counts the segments dropped. */
struct reply_queue {
    uint32_t first, count;
    uint64_t lost;
    struct {
        struct flow flow;
        struct seg seg;
    } item[REPLY_QUEUE_MAX];
};

/* Appends a segment without data. */
void reply_queue_put(struct reply_queue *o, const struct flow *flow, const struct seg *seg);

/* Removes the oldest one; returns false when there is none. */
bool reply_queue_take(struct reply_queue *o, struct flow *flow, struct seg *seg);

#endif
