/*
 * A histogram of durations with logarithmic buckets, as HdrHistogram has them: each power of two is
 * divided into 128 buckets, so that the relative error is the same over the whole range.
 */
#include "lib/core/histogram.h"

#define PER_OCTAVE (1u << HISTOGRAM_BITS)

/* Returns the power of two that t lies in, counted from that of PER_OCTAVE; 0 also for all smaller
 * values. */
static unsigned octave(wave_time t)
{
    return t < PER_OCTAVE ? 0 : 63 - (unsigned)__builtin_clzll(t) - HISTOGRAM_BITS;
}

static unsigned bucket_of(wave_time t)
{
    unsigned shift = octave(t);

    return t < PER_OCTAVE ? (unsigned)t : (shift << HISTOGRAM_BITS) + (unsigned)(t >> shift);
}

/* Returns the middle of a bucket. */
static wave_time bucket_value(unsigned bucket)
{
    unsigned shift = bucket < PER_OCTAVE ? 0 : (bucket >> HISTOGRAM_BITS) - 1;
    wave_time first = (wave_time)(bucket - (shift << HISTOGRAM_BITS)) << shift;

    return first + (((wave_time)1 << shift) >> 1);
}

void histogram_add(struct histogram *s, wave_time t)
{
    if (!s->count || t < s->min)
        s->min = t;
    if (!s->count || t > s->max)
        s->max = t;
    s->count++;
    s->bucket[bucket_of(t)]++;
}

wave_time histogram_percentile(const struct histogram *s, unsigned percent)
{
    return histogram_permille(s, 10 * percent);
}

wave_time histogram_permille(const struct histogram *s, unsigned permille)
{
    uint64_t rank = (s->count * permille + 999) / 1000, below = 0;
    unsigned i = 0;
    wave_time t;

    if (!s->count)
        return WAVE_NEVER;
    while ((below += s->bucket[i]) < rank)
        i++;
    t = bucket_value(i);
    return t < s->min ? s->min : time_min(t, s->max);
}

struct histogram_summary histogram_summary(const struct histogram *s)
{
    return (struct histogram_summary){.count = s->count,
                                      .min = s->min,
                                      .median = histogram_percentile(s, 50),
                                      .p95 = histogram_percentile(s, 95),
                                      .max = s->max};
}
