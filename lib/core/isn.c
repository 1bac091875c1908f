/*
 * The clock-driven ISN of RFC 6528, with SipHash-2-4 as the keyed function F.
 */
#include "lib/core/isn.h"

struct seq isn(const struct siphash_key *key, const struct flow *flow, wave_time now)
{
    uint8_t packed[FLOW_PACKED_V6];
    const uint32_t len = flow_pack(flow, packed);

    return seq_of((uint32_t)(now / (4 * WAVE_US)) + (uint32_t)siphash24(key, packed, len));
}
