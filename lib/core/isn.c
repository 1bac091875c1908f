/*
 * The clock-driven ISN of RFC 6528, with SipHash-2-4 as the keyed function F.
 */
#include "lib/core/isn.h"

struct seq isn(const struct siphash_key *key, const struct flow *flow, wave_time now)
{
    return seq_of((uint32_t)(now / (4 * WAVE_US)) + (uint32_t)siphash24(key, flow, sizeof *flow));
}
