/*
 * HyStart++, RFC 9406. Slow start ends, after a conservative phase, when the round-trip time
 * increases, which happens before the bottleneck's queue overflows. Times are in microseconds.
 */
#ifndef TCPWAVE_CORE_HYSTART_H
#define TCPWAVE_CORE_HYSTART_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seq.h"

/* The state of one connection's first slow start; all zero at its start. The RFC's names are beside
 * the fields. */
struct hystart {
    uint32_t last_min, round_min; /* lastRoundMinRTT, currentRoundMinRTT; 0: infinity */
    uint32_t baseline;            /* cssBaselineMinRtt */
    struct seq end;               /* windowEnd */
    uint8_t samples;              /* rttSampleCount, capped */
    uint8_t css_rounds;           /* rounds of the conservative phase so far */
    bool started, css;
};

/* Says how fast cwnd may grow. */
enum hystart_phase {
    HYSTART_SLOW_START,
    HYSTART_CONSERVATIVE, /* CSS: a quarter of the growth */
    HYSTART_DONE          /* congestion avoidance: ssthresh becomes cwnd */
};

/* Processes an acknowledgement up to `una` in slow start, with SND.NXT in `nxt` and the RTT that it
 * measured, or 0. Returns the phase that is now in force. */
enum hystart_phase hystart_acked(struct hystart *h, struct seq una, struct seq nxt, uint32_t rtt);

#endif
