/*
 * SipHash (Aumasson and Bernstein, 2012): a keyed hash for short inputs. Without the key its values
 * cannot be predicted, and collisions cannot be found.
 */
#ifndef TCPWAVE_CORE_SIPHASH_H
#define TCPWAVE_CORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* A key of 128 bits. */
struct siphash_key {
    uint64_t k[2];
};

/* Derives a key from 16 secret bytes and a purpose. One secret can serve several purposes, and a
 * key for one reveals nothing about the others. */
struct siphash_key siphash_key(const uint8_t secret[16], uint64_t purpose);

/* Computes SipHash-2-4, for values that a stranger gets to see: ISNs and cookies. */
uint64_t siphash24(const struct siphash_key *key, const void *bytes, size_t len);

/* Computes SipHash-1-3, with half the work, for hash tables, whose hashes are never visible. */
uint64_t siphash13(const struct siphash_key *key, const void *bytes, size_t len);

#endif
