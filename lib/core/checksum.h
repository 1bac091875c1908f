/*
 * The Internet checksum (RFC 1071), and the pseudo-headers of TCP over IPv4 (RFC 9293, 3.1) and
 * IPv6 (RFC 8200, 8.1).
 *
 * A running sum is carried as 64 bits in the machine's own byte order, which the checksum does not
 * care about as long as the result is stored in that order too (RFC 1071, section 2 (B)).
 */
#ifndef TCPWAVE_CORE_CHECKSUM_H
#define TCPWAVE_CORE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/flow.h"

#define CHECKSUM_TCP 6 /* the protocol number in the pseudo-header */

/* `sum` with `len` bytes added. Every piece but the last must be of even length. */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t len);

/* The sum of the pseudo-header of `len` bytes of `protocol` between the two ends of `flow`. */
uint64_t checksum_pseudo(const struct flow *flow, uint8_t protocol, uint32_t len);

/* What goes into the checksum field (with memcpy: it is in network order already). Over bytes
 * that hold their checksum already it gives 0 exactly when that is right. */
uint16_t checksum_finish(uint64_t sum);

#endif
