/*
 * Writing an IP header: for the simulator and the tests. On the wire libnet or the kernel does it.
 */
#ifndef TCPWAVE_CORE_IP_BUILD_H
#define TCPWAVE_CORE_IP_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/ip.h"

static inline size_t ip_build_size(bool v6)
{
    return v6 ? IPV6_HEADER : IPV4_HEADER;
}

/* The fields of the header that a segment does not have. */
struct ip_fields {
    uint8_t ttl, tos;
    bool df;     /* IPv4 */
    uint16_t id; /* IPv4 */
};

/*
 * Writes the header (RFC 791, 3.1; RFC 8200, section 3) of a packet from flow->local to
 * flow->remote with `len` bytes of `protocol` behind it, ip_build_size() bytes, checksum included.
 * Returns the bytes written.
 */
size_t ip_build(const struct flow *flow, uint8_t protocol, const struct ip_fields *f, uint32_t len,
                uint8_t *to);

#endif
