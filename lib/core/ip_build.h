/*
 * Builds an IP header, for the simulator and the tests. On the wire, libnet or the kernel does
 * this.
 */
#ifndef TCPWAVE_CORE_IP_BUILD_H
#define TCPWAVE_CORE_IP_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/ip.h"

/* Returns the size of the header, in bytes. */
static inline size_t ip_build_size(bool v6)
{
    return v6 ? IPV6_HEADER : IPV4_HEADER;
}

/* The header fields that a segment does not determine. */
struct ip_fields {
    uint8_t ttl, tos;
    bool df;     /* IPv4 */
    uint16_t id; /* IPv4 */
};

/*
 * Writes the header (RFC 791, 3.1; RFC 8200, section 3) of a packet from flow->local to
 * flow->remote that carries `len` bytes of `protocol`. The header has ip_build_size() bytes; IPv4's
 * includes its checksum. Returns the number of bytes written.
 */
size_t ip_build(const struct flow *flow, uint8_t protocol, const struct ip_fields *f, uint32_t len,
                uint8_t *to);

#endif
