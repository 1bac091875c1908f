/*
 * Time as the protocol sees it: a count of nanoseconds that the caller supplies. Nothing below cmd/
 * reads a clock on behalf of the engine.
 */
#ifndef TCPWAVE_CORE_TIME_H
#define TCPWAVE_CORE_TIME_H

#include <stdint.h>

/* Nanoseconds since an origin that the caller chooses and never changes. */
typedef uint64_t wave_time;

#define WAVE_NEVER UINT64_MAX /* an expiry that never comes */
#define WAVE_US ((wave_time)1000)
#define WAVE_MS ((wave_time)1000000)
#define WAVE_S ((wave_time)1000000000)
#define WAVE_MIN (60 * WAVE_S)
#define WAVE_H (3600 * WAVE_S)

/* Returns a + b, or WAVE_NEVER instead of wrapping around. */
static inline wave_time time_add(wave_time a, wave_time b)
{
    return b > WAVE_NEVER - a ? WAVE_NEVER : a + b;
}

/* Returns the earlier of two times. */
static inline wave_time time_min(wave_time a, wave_time b)
{
    return a < b ? a : b;
}

#endif
