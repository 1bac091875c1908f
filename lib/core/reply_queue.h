/*
 * Segments owed to somebody without a connection: resets and SYN cookies. They are few, since
 * output follows input; where more are wanted than there is room for, the oldest is given up and
 * counted, as a lost segment would be.
 */
#ifndef TCPWAVE_CORE_REPLY_QUEUE_H
#define TCPWAVE_CORE_REPLY_QUEUE_H

#include "lib/core/flow.h"
#include "lib/core/seg.h"

enum { REPLY_QUEUE_MAX = 64 };

struct reply_queue {
    uint32_t first, count;
    uint64_t lost;
    struct {
        struct flow flow;
        struct seg seg;
    } item[REPLY_QUEUE_MAX];
};

/* Adds a segment without data at the end. */
void reply_queue_put(struct reply_queue *o, const struct flow *flow, const struct seg *seg);

/* Takes the oldest one out; false when there is none. */
bool reply_queue_take(struct reply_queue *o, struct flow *flow, struct seg *seg);

#endif
