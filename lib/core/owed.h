/*
 * Segments owed to somebody without a connection: resets and SYN cookies. They are few, since
 * output follows input; where more are wanted than there is room for, the oldest is given up and
 * counted, as a lost segment would be.
 */
#ifndef TCPWAVE_CORE_OWED_H
#define TCPWAVE_CORE_OWED_H

#include "lib/core/flow.h"
#include "lib/core/seg.h"

enum { OWED_ROOM = 64 };

struct owed {
    uint32_t first, count;
    uint64_t lost;
    struct {
        struct flow flow;
        struct seg seg;
    } item[OWED_ROOM];
};

/* Adds a segment without data at the end. */
void owed_put(struct owed *o, const struct flow *flow, const struct seg *seg);

/* Takes the oldest one out; false when there is none. */
bool owed_take(struct owed *o, struct flow *flow, struct seg *seg);

#endif
