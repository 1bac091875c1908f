/* The latest segments of a run that took up sequence numbers, so that one sent again can name the
 * one that it repeats. Bounded: older ones are forgotten. */
#ifndef TCPWAVE_REPORT_HISTORY_H
#define TCPWAVE_REPORT_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seq.h"

#define HISTORY_ENTRIES 1024 /* a power of two */

struct history_entry {
    uint32_t connection;
    uint32_t number; /* of the segment */
    bool out;        /* we sent it */
    struct seq seq, end;
};

/* Empty when zeroed. */
struct history {
    uint32_t next; /* counts up for ever */
    struct history_entry entry[HISTORY_ENTRIES];
};

void history_add(struct history *h, const struct history_entry *e);

/* The number of the latest segment of that side which held this sequence number, or 0. */
uint32_t history_find(const struct history *h, uint32_t connection, bool out, struct seq seq);

/* Whether the latest segment of that side which held this number began there and ended before
 * `end`. */
bool history_has(const struct history *h, uint32_t connection, bool out, struct seq seq,
                 struct seq end);

#endif
