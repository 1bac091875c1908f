/* RFC 792 and RFC 4443, section 3: type, code, checksum, four bytes of which only an MTU is used,
 * and the packet that caused the error. */
#include "lib/core/icmp_build.h"

#include <string.h>

#include "lib/core/bytes.h"
#include "lib/core/checksum.h"
#include "lib/core/ip_build.h"

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_ICMPV6 = 58 };

/* Writes the quoted packet: no more of its data is quoted than its header says it has. */
static size_t quote(const struct icmp *e, uint8_t *to)
{
    const struct ip_fields fields = {.ttl = 1, .df = true};
    size_t header = ip_build(&e->flow, PROTOCOL_TCP, &fields, SEG_HEADER, to);

    put_u16(to + header, e->flow.lport);
    put_u16(to + header + 2, e->flow.rport);
    put_u32(to + header + 4, e->seq.v);
    return header + (e->has_seq ? ICMP_QUOTED : ICMP_QUOTED / 2);
}

size_t icmp_build(const struct icmp *e, uint8_t ttl, uint8_t to[ICMP_PACKET])
{
    const struct flow flow = {.local = e->from, .remote = e->flow.local, .v6 = e->flow.v6};
    const struct ip_fields fields = {.ttl = ttl};
    const uint8_t protocol = flow.v6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
    const size_t header = ip_build_size(flow.v6);
    uint8_t *icmp = to + header;
    uint32_t len = ICMP_HEADER + (uint32_t)quote(e, icmp + ICMP_HEADER);
    uint64_t sum = flow.v6 ? checksum_pseudo(&flow, protocol, len) : 0;
    uint16_t check;

    memset(icmp, 0, ICMP_HEADER);
    icmp[0] = e->type;
    icmp[1] = e->code;
    put_u32(icmp + 4, e->mtu);
    check = checksum_finish(checksum_add(sum, icmp, len));
    memcpy(icmp + 2, &check, sizeof check);
    return ip_build(&flow, protocol, &fields, len, to) + len;
}
