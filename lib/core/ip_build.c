/*
 * Writes IP headers byte by byte, without options or extension headers.
 */
#include "lib/core/ip_build.h"
#include "lib/core/ip.h"

#include <string.h>

#include "lib/core/bytes.h"
#include "lib/core/checksum.h"

static size_t build_v4(const struct flow *flow, uint8_t protocol, const struct ip_fields *f,
                       uint32_t len, uint8_t *to)
{
    uint16_t sum;

    memset(to, 0, IPV4_HEADER);
    to[0] = 0x45;
    to[1] = f->tos;
    put_u16(to + 2, IPV4_HEADER + len);
    put_u16(to + 4, f->id);
    put_u16(to + 6, f->df ? 0x4000 : 0);
    to[8] = f->ttl;
    to[9] = protocol;
    memcpy(to + 12, flow->local.byte, 4);
    memcpy(to + 16, flow->remote.byte, 4);
    sum = checksum_finish(checksum_add(0, to, IPV4_HEADER));
    memcpy(to + IPV4_CHECKSUM_AT, &sum, sizeof sum);
    return IPV4_HEADER;
}

static size_t build_v6(const struct flow *flow, uint8_t protocol, const struct ip_fields *f,
                       uint32_t len, uint8_t *to)
{
    put_u32(to, 6u << 28 | (uint32_t)f->tos << 20);
    put_u16(to + 4, len);
    to[6] = protocol;
    to[7] = f->ttl;
    memcpy(to + 8, flow->local.byte, 16);
    memcpy(to + 24, flow->remote.byte, 16);
    return IPV6_HEADER;
}

size_t ip_build(const struct flow *flow, uint8_t protocol, const struct ip_fields *f, uint32_t len,
                uint8_t *to)
{
    return flow->v6 ? build_v6(flow, protocol, f, len, to) : build_v4(flow, protocol, f, len, to);
}
