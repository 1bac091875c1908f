/* The latest segments of a run that took up sequence numbers, so that one sent again can name the
 * one that it repeats. Bounded: older ones are forgotten. */
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

/* Empty when zeroed. */
struct recent_segments {
    uint32_t next; /* counts up for ever */
    struct recent_segment entry[RECENT_SEGMENTS_MAX];
};

void recent_segments_add(struct recent_segments *h, const struct recent_segment *e);

/* The number of the latest segment of that side which held this sequence number, or 0. */
uint32_t recent_segments_find(const struct recent_segments *h, uint32_t connection, bool out,
                              struct seq seq);

/* Whether the latest segment of that side which held this number began there and ended before
 * `end`. */
bool recent_segments_has(const struct recent_segments *h, uint32_t connection, bool out,
                         struct seq seq, struct seq end);

#endif
