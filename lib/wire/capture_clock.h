/*
 * The stamps of captured frames are from the wall clock, and the wall clock may be set while we
 * run: by hand, by a step of NTP, or by a suspend, which CLOCK_MONOTONIC does not count. Here they
 * are converted to a clock that is never set: CLOCK_MONOTONIC, plus the difference by which the
 * wall clock was ahead when this process first asked. So the time between two stamps is always
 * true, and the date is that of the run's beginning.
 */
#ifndef TCPWAVE_WIRE_CAPTURE_CLOCK_H
#define TCPWAVE_WIRE_CAPTURE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/time.h"

/* Holds the times of both clocks at the same moment, in nanoseconds. */
struct clock_pair_read {
    wave_time wall, steady;
};

/* Reads both clocks. */
typedef struct clock_pair_read clock_read(void);

/* Reads the kernel's clocks, so close together that a step can be distinguished from a pause
 * between the two readings. */
clock_read clock_pair_read;

/* Returns for how long this host has been suspended since it was started: CLOCK_BOOTTIME counts
 * that time, CLOCK_MONOTONIC does not. A pause between the two readings counts as well. */
wave_time clock_asleep(void);

/* Returns what capture_clock_map() would return for a frame that is captured now. */
wave_time capture_clock_now(void);

/* Holds what is known about the clocks. */
struct capture_clock {
    clock_read *read;
    wave_time ahead;     /* by how much the wall clock was ahead at the beginning */
    wave_time step, was; /* by how much it was set since, modulo 2^64: as seen last, and before
                            that */
    wave_time last;      /* the last stamp returned */
    wave_time until;     /* when the clocks were last read, in the steady count */
};

/* Initialises *s. `read` is clock_pair_read, except in tests. */
void capture_clock_init(struct capture_clock *s, clock_read *read);

/*
 * Converts the stamp of a captured frame (nanoseconds of the wall clock at its capture) to the
 * steady count. Frames come in the order of their capture. After the clock was set, a stamp may
 * belong to a frame from before the step or from after it, and so stand for two times. The later of
 * the two that is not in the future is right.
 */
wave_time capture_clock_map(struct capture_clock *s, wave_time captured);

/* Returns by how much the wall clock is ahead of where it would be had it not been set since the
 * beginning, negative if behind; 0 where that is too little to tell. */
int64_t capture_clock_stepped(const struct capture_clock *s);

/* Notes that no frame waits: all later ones are captured after this call. */
void capture_clock_drained(struct capture_clock *s);

#endif
