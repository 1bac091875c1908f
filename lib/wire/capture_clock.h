/*
 * The capture's stamps are of the wall clock, which may be set while we run (by hand, by NTP's
 * step, by a suspend, which CLOCK_MONOTONIC leaves out). Here they are told by a clock that nobody
 * sets: CLOCK_MONOTONIC, as far behind the wall clock as that was when this process first asked. So
 * times between two stamps are always true, and the date is that of the run's beginning.
 */
#ifndef TCPWAVE_WIRE_CAPTURE_CLOCK_H
#define TCPWAVE_WIRE_CAPTURE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/time.h"

/* Both clocks at one moment, in nanoseconds. */
struct clock_pair_read {
    wave_time wall, steady;
};

typedef struct clock_pair_read clock_read(void);

/* The kernel's, read so close together that a step can be told from a pause between the two. */
clock_read clock_pair_read;

/* What capture_clock_map() would make of a stamp of this moment. */
wave_time capture_clock_now(void);

struct capture_clock {
    clock_read *read;
    wave_time ahead;     /* of the wall clock, at the beginning */
    wave_time step, was; /* by how much it was set since, modulo 2^64: as last seen, and before */
    wave_time last;      /* the last stamp given */
    wave_time until;     /* the clocks were read, and it was then */
};

/* `read` is clock_pair_read, but in tests. */
void capture_clock_init(struct capture_clock *s, clock_read *read);

/*
 * The stamp of a captured frame, nanoseconds of the wall clock as it was captured, in the steady
 * count. Frames come in the order of their capture. A frame that was captured before the clock was
 * set, and is read after, is told from one that came later: of the two times that it may stand for,
 * the later one that is not in the future is right.
 */
wave_time capture_clock_map(struct capture_clock *s, wave_time captured);

/* No frame waits: those to come are captured after this. */
void capture_clock_drained(struct capture_clock *s);

#endif
