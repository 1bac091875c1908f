/* A histogram of durations in bounded memory: minimum and maximum are exact, and percentiles are
 * accurate to half a percent. */
#ifndef TCPWAVE_CORE_HISTOGRAM_H
#define TCPWAVE_CORE_HISTOGRAM_H

#include <stdint.h>

#include "lib/core/time.h"

/* A bucket is as wide as a 128th of the power of two that it lies in; below 128 ns each value has
 * its own bucket. */
#define HISTOGRAM_BITS 7
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS)

/* A histogram. It is empty when zeroed. */
struct histogram {
    uint64_t count;
    wave_time min, max; /* valid when count is not 0 */
    uint32_t bucket[HISTOGRAM_BUCKETS];
};

/* Adds one duration. */
void histogram_add(struct histogram *s, wave_time t);

/* Returns the smallest duration that `percent` of them (1 to 100) do not exceed; WAVE_NEVER when
 * there are none. */
wave_time histogram_percentile(const struct histogram *s, unsigned percent);

/* Does the same in tenths of a percent: 999 is p99.9. */
wave_time histogram_permille(const struct histogram *s, unsigned permille);

/* The figures that a report shows. All but `count` are valid only when `count` is not 0. */
struct histogram_summary {
    uint64_t count;
    wave_time min, median, p95, max;
};

/* Computes the figures. */
struct histogram_summary histogram_summary(const struct histogram *s);

#endif
