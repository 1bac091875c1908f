/*
 * Builds an ICMP or ICMPv6 error, for the simulator and the tests.
 */
#ifndef TCPWAVE_CORE_ICMP_BUILD_H
#define TCPWAVE_CORE_ICMP_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/icmp.h"
#include "lib/core/ip.h"

#define ICMP_HEADER 8u
#define ICMP_QUOTED 8u /* bytes of the TCP header: RFC 792 asks for no more */
#define ICMP_PACKET (IPV6_HEADER + ICMP_HEADER + IPV6_HEADER + ICMP_QUOTED) /* the most there are  \
                                                                             */

/*
 * Writes the whole IP packet of an error from e->from to the sender of the segment, which it quotes
 * as far as ICMP must: its IP header, as it arrived with a TTL of 1, its ports and its sequence
 * number. Returns the number of bytes written. What ip_parse() makes of them is *e.
 */
size_t icmp_build(const struct icmp *e, uint8_t ttl, uint8_t to[ICMP_PACKET]);

#endif
