/*
 * One timing wheel for all connections (Varghese and Lauck, 1987). It has nine levels of 64 slots.
 * A slot of the finest level is 16,384 ns wide, and a slot of each other level is 64 times as wide
 * as one of the level below, so that every wave_time has a place. Arming, disarming and finding the
 * earliest slot take constant time.
 *
 * A node in the wheel is not a deadline, but a promise to examine the connection no later than its
 * time. It comes out when its slot begins, which is early on a coarse level. The caller of
 * wheel_pop() asks the connection when it really wants to be called and arms it again, which puts
 * it on a finer level. So a timer that is postponed with every segment costs nothing: the node
 * stays where it is until its slot comes.
 */
#ifndef TCPWAVE_CORE_WHEEL_H
#define TCPWAVE_CORE_WHEEL_H

#include "lib/core/pool.h"

#define WHEEL_TICK_BITS 14
#define WHEEL_TICK ((wave_time)1 << WHEEL_TICK_BITS)

/* The size of the wheel. */
enum { WHEEL_LEVELS = 9, WHEEL_SLOTS = 64 };

/* The wheel. */
struct wheel {
    const struct pool *pool;
    uint64_t tick;                             /* how far the wheel has turned */
    uint64_t busy[WHEEL_LEVELS];               /* a bit for each slot that is not empty */
    uint32_t slot[WHEEL_LEVELS * WHEEL_SLOTS]; /* 1 + index of its first node, or 0 */
};

/* Makes an empty wheel for the connections of `pool`. */
void wheel_init(struct wheel *w, const struct pool *pool);

/* Makes sure that the connection comes out at or before `when` (not WAVE_NEVER), or immediately if
 * `when` is in the past. A connection that will come out early enough stays where it is. */
void wheel_arm(struct wheel *w, struct conn *c, wave_time when);

/* Removes the connection, if it is in the wheel. */
void wheel_disarm(struct wheel *w, struct conn *c);

/* Removes and returns a connection whose slot has begun by `now`; returns NULL when none is left.
 * Call it until it returns NULL: only then has the wheel turned to `now`. */
struct conn *wheel_pop(struct wheel *w, wave_time now);

/* Returns when wheel_pop() next has a connection, which may be in the past; WAVE_NEVER when the
 * wheel is empty. */
wave_time wheel_next(const struct wheel *w);

#endif
