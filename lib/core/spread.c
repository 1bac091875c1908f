#include "lib/core/spread.h"

#define PER_OCTAVE (1u << SPREAD_BITS)

/* The power of two that t lies in, counted from that of PER_OCTAVE; 0 also for all that is smaller.
 */
static unsigned octave(wave_time t)
{
    return t < PER_OCTAVE ? 0 : 63 - (unsigned)__builtin_clzll(t) - SPREAD_BITS;
}

static unsigned bucket_of(wave_time t)
{
    unsigned shift = octave(t);

    return t < PER_OCTAVE ? (unsigned)t : (shift << SPREAD_BITS) + (unsigned)(t >> shift);
}

/* The middle of a bucket. */
static wave_time bucket_value(unsigned bucket)
{
    unsigned shift = bucket < PER_OCTAVE ? 0 : (bucket >> SPREAD_BITS) - 1;
    wave_time first = (wave_time)(bucket - (shift << SPREAD_BITS)) << shift;

    return first + (((wave_time)1 << shift) >> 1);
}

void spread_add(struct spread *s, wave_time t)
{
    if (!s->count || t < s->least)
        s->least = t;
    if (!s->count || t > s->most)
        s->most = t;
    s->count++;
    s->bucket[bucket_of(t)]++;
}

wave_time spread_quantile(const struct spread *s, unsigned percent)
{
    return spread_permille(s, 10 * percent);
}

wave_time spread_permille(const struct spread *s, unsigned permille)
{
    uint64_t rank = (s->count * permille + 999) / 1000, below = 0;
    unsigned i = 0;
    wave_time t;

    if (!s->count)
        return WAVE_NEVER;
    while ((below += s->bucket[i]) < rank)
        i++;
    t = bucket_value(i);
    return t < s->least ? s->least : time_min(t, s->most);
}

struct spread_figures spread_figures(const struct spread *s)
{
    return (struct spread_figures){.count = s->count,
                                   .least = s->least,
                                   .median = spread_quantile(s, 50),
                                   .p95 = spread_quantile(s, 95),
                                   .most = s->most};
}
