/*
 * The Internet checksum (RFC 1071), and the pseudo-headers of TCP over IPv4 (RFC 9293, 3.1) and
 * IPv6 (RFC 8200, 8.1).
 *
 * A running sum is a 64-bit number in the machine's byte order. The checksum does not depend on the
 * byte order, as long as the result is stored in the same order too (RFC 1071, section 2 (B)).
 */
#ifndef TCPWAVE_CORE_CHECKSUM_H
#define TCPWAVE_CORE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/flow.h"

#define CHECKSUM_TCP 6 /* the protocol number in the pseudo-header */

/* Returns `sum` with `len` bytes added. Every piece but the last must have an even length. */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t len);

/* Returns the sum of the pseudo-header for `len` bytes of `protocol` between the two ends of
 * `flow`. */
uint64_t checksum_pseudo(const struct flow *flow, uint8_t protocol, uint32_t len);

/* Returns the value for the checksum field. Store it with memcpy(), since it is in network order
 * already. When the bytes include a checksum, the result is 0 if and only if that checksum is
 * correct. */
uint16_t checksum_finish(uint64_t sum);

#endif
