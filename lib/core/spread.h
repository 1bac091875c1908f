/* How many durations spread, in bounded memory: both ends exactly, what lies between to within half
 * a percent. */
#ifndef TCPWAVE_CORE_SPREAD_H
#define TCPWAVE_CORE_SPREAD_H

#include <stdint.h>

#include "lib/core/time.h"

/* Buckets as wide as a 128th of the power of two that they lie in; below 128 ns each value has
 * its own. */
#define SPREAD_BITS 7
#define SPREAD_BUCKETS ((64 - SPREAD_BITS + 1) << SPREAD_BITS)

/* Empty when zeroed. */
struct spread {
    uint64_t count;
    wave_time least, most; /* when count is not 0 */
    uint32_t bucket[SPREAD_BUCKETS];
};

void spread_add(struct spread *s, wave_time t);

/* The smallest duration that `percent` of them (1 to 100) do not exceed; WAVE_NEVER when there
 * are none. */
wave_time spread_quantile(const struct spread *s, unsigned percent);

/* The same in tenths of a percent: 999 is p99.9. */
wave_time spread_permille(const struct spread *s, unsigned permille);

/* The figures that a report gives of them. The rest is not valid when there were none. */
struct spread_figures {
    uint64_t count;
    wave_time least, median, p95, most;
};

struct spread_figures spread_figures(const struct spread *s);

#endif
