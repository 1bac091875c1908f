/*
 * Gives a segment to the tracker twice, with its shortcut for plain segments and without: all that
 * is then known of the flow must be the same.
 */
#ifndef TCPWAVE_TESTS_UNIT_TRACK_TWICE_H
#define TCPWAVE_TESTS_UNIT_TRACK_TWICE_H

#include <string.h>

#include "lib/core/track_infer.h"

static inline unsigned track_twice(struct track *t, wave_time at, enum track_side from,
                                   const struct seg *s)
{
    struct track full;
    unsigned notes;

    memcpy(&full, t, sizeof full);
    notes = track_segment(t, at, from, s);
    assert_int_equal(track_segment_in_full(&full, at, from, s), notes);
    assert_memory_equal(&full, t, sizeof full);
    return notes;
}

#endif
