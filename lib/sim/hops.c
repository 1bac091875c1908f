/* The path has no routers as objects: what they do follows from the TTL and the distance alone. */
#include "lib/sim/hops.h"

enum { V4_TIME_EXCEEDED = 11, V6_TIME_EXCEEDED = 3 }; /* RFC 792; RFC 4443, 3.3 */

uint32_t hops_expires(uint32_t hops, uint8_t ttl)
{
    return ttl <= hops ? ttl : 0;
}

struct addr hops_router(bool v6, uint32_t number)
{
    struct addr a = addr_v4(198, 51, 100, (uint8_t)number);

    if (v6)
        a = (struct addr){{0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [15] = (uint8_t)number}};
    return a;
}

wave_time hops_way(uint32_t hops, wave_time delay, uint32_t number)
{
    return delay / (hops + 1) * number;
}

void hops_error(struct icmp *out, const struct flow *flow, struct seq seq, uint32_t number)
{
    const uint8_t type = flow->v6 ? V6_TIME_EXCEEDED : V4_TIME_EXCEEDED;

    *out = (struct icmp){.from = hops_router(flow->v6, number),
                         .type = type,
                         .flow = *flow,
                         .has_seq = true,
                         .seq = seq,
                         .meaning = icmp_meaning(flow->v6, type, 0)};
}
