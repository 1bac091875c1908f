/*
 * A random source that gives the same numbers for the same seed on every machine
 * (splitmix64, Steele and others, 2014). Nothing secret comes from it.
 */
#ifndef TCPWAVE_SIM_PRNG_H
#define TCPWAVE_SIM_PRNG_H

#include <stdbool.h>
#include <stdint.h>

struct prng {
    uint64_t state; /* the seed, to begin with */
};

static inline uint64_t prng_next(struct prng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* 0 <= result < n; 0 when n is 0. The bias, at most n/2^64, is of no interest here. */
static inline uint64_t prng_below(struct prng *r, uint64_t n)
{
    return n ? prng_next(r) % n : 0;
}

/* True `chance` times in 10000. Draws nothing when that is 0. */
static inline bool prng_chance(struct prng *r, uint32_t chance)
{
    return chance && prng_below(r, 10000) < chance;
}

#endif
