/* The latest segments of a run that occupied sequence numbers, so that a retransmission can name
 * the segment that it repeats. Bounded: older ones are overwritten. */
#ifndef TCPWAVE_REPORT_RECENT_SEGMENTS_H
#define TCPWAVE_REPORT_RECENT_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seq.h"

#define RECENT_SEGMENTS_MAX 1024 /* a power of two */

struct recent_segment {
    uint32_t connection;
    uint32_t number; /* of the segment */
    bool out;        /* we sent it */
    struct seq seq, end;
};

/* Empty when all zero. */
struct recent_segments {
    uint32_t next; /* free-running */
    struct recent_segment entry[RECENT_SEGMENTS_MAX];
};

void recent_segments_add(struct recent_segments *h, const struct recent_segment *e);

/* Returns the number of the latest segment of that side that contains this sequence number, or
 * 0. */
uint32_t recent_segments_find(const struct recent_segments *h, uint32_t connection, bool out,
                              struct seq seq);

/* Returns whether the latest segment of that side that contains this number began with it and ended
 * before `end`. */
bool recent_segments_has(const struct recent_segments *h, uint32_t connection, bool out,
                         struct seq seq, struct seq end);

#endif
