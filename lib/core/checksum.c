#include "lib/core/checksum.h"

#include <string.h>

/* Four sums side by side, which the compiler adds in as few instructions as the machine has. */
typedef uint64_t lanes __attribute__((vector_size(32)));

/* Adds all of the bytes that are whole strides, and returns how many those were. */
static size_t add_strides(uint64_t *sum, const uint8_t *p, size_t len)
{
    const size_t stride = 2 * sizeof(lanes);
    lanes low = {0}, high = {0}, a, b;
    size_t at = 0;

    for (; len - at >= stride; at += stride) {
        memcpy(&a, p + at, sizeof a);
        memcpy(&b, p + at + sizeof a, sizeof b);
        low += (a & UINT32_MAX) + (b & UINT32_MAX);
        high += (a >> 32) + (b >> 32);
    }
    low += high;
    *sum += low[0] + low[1] + low[2] + low[3];
    return at;
}

uint64_t checksum_add(uint64_t sum, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t word;
    size_t at = len >= 128 ? add_strides(&sum, p, len) : 0;

    /* Each word's two halves of 32 bits are added to a sum of 64, so that no carry can be lost
     * below 2^32 words, and no addition waits for another's. */
    for (; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, p + at, sizeof word);
        sum += (word & UINT32_MAX) + (word >> 32);
    }
    /* The tail counts as if zeros followed (RFC 1071, section 1). */
    word = 0;
    memcpy(&word, p + at, len - at);
    return sum + (word & UINT32_MAX) + (word >> 32);
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
