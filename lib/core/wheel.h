/*
 * One timing wheel for all connections (Varghese and Lauck, 1987): nine levels of 64 slots, the
 * finest 16,384 ns wide, each level's slots 64 times the width of the one below. That covers every
 * wave_time there is. Arming, disarming and asking for the earliest take constant time.
 *
 * A node in the wheel is a promise to look at the connection no later than its time, not a
 * deadline: it comes out when its slot begins, which on a coarse level is early. Whoever takes it
 * out asks the connection when it really wants to be called and arms it again, which brings it to a
 * finer level. That is also what makes a timer that is put off with every segment cost nothing:
 * the node stays where it is until its slot comes.
 */
#ifndef TCPWAVE_CORE_WHEEL_H
#define TCPWAVE_CORE_WHEEL_H

#include "lib/core/pool.h"

#define WHEEL_TICK_BITS 14
#define WHEEL_TICK ((wave_time)1 << WHEEL_TICK_BITS)

enum { WHEEL_LEVELS = 9, WHEEL_SLOTS = 64 };

struct wheel {
    const struct pool *pool;
    uint64_t tick;                             /* how far the wheel has turned */
    uint64_t busy[WHEEL_LEVELS];               /* a bit for each slot that is not empty */
    uint32_t slot[WHEEL_LEVELS * WHEEL_SLOTS]; /* 1 + index of its first node, or 0 */
};

/* An empty wheel for the connections of `pool`. */
void wheel_init(struct wheel *w, const struct pool *pool);

/* Makes sure that the connection comes out at or before `when` (not WAVE_NEVER), or, where `when`
 * has passed, at once. One that comes out early enough already is left where it is. */
void wheel_arm(struct wheel *w, struct conn *c, wave_time when);

/* Takes the connection out, if it is in. */
void wheel_disarm(struct wheel *w, struct conn *c);

/* A connection whose slot has begun by `now`, taken out; NULL when there is none (left). Call it
 * until then: only then has the wheel turned to `now`. */
struct conn *wheel_pop(struct wheel *w, wave_time now);

/* When wheel_pop() next gives something, past times included; WAVE_NEVER when the wheel is
 * empty. */
wave_time wheel_next(const struct wheel *w);

#endif
