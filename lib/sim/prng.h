/*
 * A random source that gives the same numbers for the same seed on every machine (splitmix64,
 * Steele and others, 2014). Nothing secret may come from it.
 */
#ifndef TCPWAVE_SIM_PRNG_H
#define TCPWAVE_SIM_PRNG_H

#include <stdbool.h>
#include <stdint.h>

/* Holds the state of the source. */
struct prng {
    uint64_t state; /* the seed at the beginning */
};

/* Returns the next 64 random bits. */
static inline uint64_t prng_next(struct prng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Returns a number from 0 to n - 1, or 0 when n is 0. The bias, at most n/2^64, does not matter
 * here. */
static inline uint64_t prng_below(struct prng *r, uint64_t n)
{
    return n ? prng_next(r) % n : 0;
}

/* Returns true with a probability of `chance` in 10000. Draws no number when `chance` is 0. */
static inline bool prng_chance(struct prng *r, uint32_t chance)
{
    return chance && prng_below(r, 10000) < chance;
}

#endif
