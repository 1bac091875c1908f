/*
 * SipHash (Aumasson and Bernstein, 2012): a keyed hash for short inputs that whoever does not
 * have the key can neither predict nor collide.
 */
#ifndef TCPWAVE_CORE_SIPHASH_H
#define TCPWAVE_CORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k[2];
};

/* The key that 16 secret bytes and a purpose give: one secret serves several uses, none of which
 * betrays another's key. */
struct siphash_key siphash_key(const uint8_t secret[16], uint64_t purpose);

/* SipHash-2-4, for what a stranger gets to see: ISNs and cookies. */
uint64_t siphash24(const struct siphash_key *key, const void *bytes, size_t len);

/* SipHash-1-3, half the work, for hash tables, whose hashes nobody sees. */
uint64_t siphash13(const struct siphash_key *key, const void *bytes, size_t len);

#endif
