/*
 * The Internet checksum of RFC 1071. It adds whole words of the machine instead of 16-bit words and
 * folds the carries in once, at the end; long runs of bytes are added in vector registers, since
 * every byte that is sent or captured passes through here.
 */
#include "lib/core/checksum.h"

#include <string.h>

/* Holds four sums side by side. The compiler adds them in as few instructions as the machine
 * has. */
typedef uint64_t lanes __attribute__((vector_size(32)));

/* Adds all bytes that form whole strides, and returns how many bytes that was. */
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

    /* Both 32-bit halves of each word are added to a 64-bit sum. No carry can be lost below 2^32
     * words, and no addition has to wait for the result of another. */
    for (; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, p + at, sizeof word);
        sum += (word & UINT32_MAX) + (word >> 32);
    }
    /* The tail is summed as if zeros followed (RFC 1071, section 1). */
    word = 0;
    memcpy(&word, p + at, len - at);
    return sum + (word & UINT32_MAX) + (word >> 32);
}

/* The 32 bits there, as two words of the sum: their carries are folded in the end. */
static uint64_t word_at(const uint8_t *p, size_t at)
{
    uint32_t word;

    memcpy(&word, p + at, sizeof word);
    return word;
}

uint64_t checksum_pseudo(const struct flow *flow, uint8_t protocol, uint32_t len)
{
    /* The IPv4 pseudo-header has 16 bits of length, after a zero and the protocol. The IPv6 one has
     * 32 bits of length, and three zeros before the protocol. The words add up to the same sum, so
     * one layout serves both. */
    const uint8_t tail[8] = {(uint8_t)(len >> 24),
                             (uint8_t)(len >> 16),
                             (uint8_t)(len >> 8),
                             (uint8_t)len,
                             0,
                             0,
                             0,
                             protocol};
    uint64_t sum = word_at(tail, 0) + word_at(tail, 4);

    for (size_t at = 0, width = flow->v6 ? 16 : 4; at < width; at += 4)
        sum += word_at(flow->local.byte, at) + word_at(flow->remote.byte, at);
    return sum;
}

uint16_t checksum_finish(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}
