/*
 * SipHash-c-d, written once for any number of rounds; siphash24() and siphash13() set the number as
 * a constant, so that the compiler unrolls each.
 */
#include "lib/core/siphash.h"

#include <string.h>

/* Loads a word, which is little-endian in SipHash. */
static inline uint64_t load(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap64(v);
}

static inline uint64_t rotate(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

/* Does `rounds` rounds of SipHash. */
static inline void mix(uint64_t v[4], int rounds)
{
    while (rounds--) {
        v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
        v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
    }
}

static inline uint64_t siphash(const struct siphash_key *key, const uint8_t *p, size_t len,
                               int word_rounds, int end_rounds)
{
    uint64_t v[4] = {key->k[0] ^ 0x736f6d6570736575u, key->k[1] ^ 0x646f72616e646f6du,
                     key->k[0] ^ 0x6c7967656e657261u, key->k[1] ^ 0x7465646279746573u};
    uint8_t last[8] = {[7] = (uint8_t)len};
    uint64_t word;

    for (; len >= 8; len -= 8, p += 8) {
        word = load(p);
        v[3] ^= word;
        mix(v, word_rounds);
        v[0] ^= word;
    }
    memcpy(last, p, len);
    word = load(last);
    v[3] ^= word;
    mix(v, word_rounds);
    v[0] ^= word;
    v[2] ^= 0xff;
    mix(v, end_rounds);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t siphash24(const struct siphash_key *key, const void *bytes, size_t len)
{
    return siphash(key, bytes, len, 2, 4);
}

uint64_t siphash13(const struct siphash_key *key, const void *bytes, size_t len)
{
    return siphash(key, bytes, len, 1, 3);
}

struct siphash_key siphash_key(const uint8_t secret[16], uint64_t purpose)
{
    const struct siphash_key root = {{load(secret), load(secret + 8)}};
    const uint64_t half[2] = {2 * purpose, 2 * purpose + 1};

    return (struct siphash_key){
        {siphash24(&root, &half[0], sizeof half[0]), siphash24(&root, &half[1], sizeof half[1])}};
}
