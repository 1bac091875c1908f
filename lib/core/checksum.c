#include "lib/core/checksum.h"

#include <string.h>

uint64_t checksum_add(uint64_t sum, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t high = 0, word;

    /* Two halves of 32 bits into two sums of 64: no carry can be lost below 2^32 words, and the
     * additions do not wait for each other's carry. */
    for (; len >= sizeof word; len -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        sum += word & UINT32_MAX;
        high += word >> 32;
    }
    /* The tail counts as if zeros followed (RFC 1071, section 1). */
    word = 0;
    memcpy(&word, p, len);
    sum += word & UINT32_MAX;
    high += word >> 32;
    return sum + high;
}

uint64_t checksum_pseudo(const struct flow *flow, uint8_t protocol, uint32_t len)
{
    /* IPv4's has 16 bits of length behind a zero and the protocol, IPv6's 32 bits and three zeros
     * before it: the same words add up to the same sum, so that one layout serves both. */
    const uint8_t tail[8] = {(uint8_t)(len >> 24),
                             (uint8_t)(len >> 16),
                             (uint8_t)(len >> 8),
                             (uint8_t)len,
                             0,
                             0,
                             0,
                             protocol};
    const size_t width = flow->v6 ? 16 : 4;
    uint64_t sum = checksum_add(0, flow->local.byte, width);

    sum = checksum_add(sum, flow->remote.byte, width);
    return checksum_add(sum, tail, sizeof tail);
}

uint16_t checksum_finish(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}
