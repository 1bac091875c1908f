/*
 * HyStart++, RFC 9406: slow start ends, by way of a conservative phase, when the round trip gets
 * longer, which is before the bottleneck's queue overflows. Microseconds.
 */
#ifndef TCPWAVE_CORE_HYSTART_H
#define TCPWAVE_CORE_HYSTART_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seq.h"

struct hystart {
    uint32_t last_min, round_min; /* lastRoundMinRTT, currentRoundMinRTT; 0: infinity */
    uint32_t baseline;            /* cssBaselineMinRtt */
    struct seq end;               /* windowEnd */
    uint8_t samples;              /* rttSampleCount, capped */
    uint8_t css_rounds;           /* that the conservative phase has begun */
    bool started, css;
};

enum hystart_phase {
    HYSTART_SLOW_START,
    HYSTART_CONSERVATIVE, /* CSS: a quarter of the growth */
    HYSTART_DONE          /* congestion avoidance: ssthresh is cwnd */
};

/* An acknowledgement up to `una` in slow start, with the round trip it measured or 0. */
enum hystart_phase hystart_acked(struct hystart *h, struct seq una, struct seq nxt, uint32_t rtt);

#endif
