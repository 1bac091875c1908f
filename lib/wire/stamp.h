/*
 * The capture's stamps are of the wall clock, which may be set while we run (by hand, by NTP's
 * step, by a suspend, which CLOCK_MONOTONIC leaves out). Here they are told by a clock that nobody
 * sets: CLOCK_MONOTONIC, as far behind the wall clock as that was when this process first asked. So
 * times between two stamps are always true, and the date is that of the run's beginning.
 */
#ifndef TCPWAVE_WIRE_STAMP_H
#define TCPWAVE_WIRE_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/time.h"

/* Both clocks at one moment, in nanoseconds. */
struct stamp_clocks {
    wave_time wall, steady;
};

typedef struct stamp_clocks stamp_read(void);

/* The kernel's, read so close together that a step can be told from a pause between the two. */
stamp_read stamp_clocks;

/* What stamp_map() would make of a stamp of this moment. */
wave_time stamp_now(void);

struct stamp {
    stamp_read *read;
    wave_time ahead;     /* of the wall clock, at the beginning */
    wave_time step, was; /* by how much it was set since, modulo 2^64: as last seen, and before */
    wave_time last;      /* the last stamp given */
    wave_time until;     /* the clocks were read, and it was then */
};

/* `read` is stamp_clocks, but in tests. */
void stamp_init(struct stamp *s, stamp_read *read);

/*
 * The stamp of a captured frame, nanoseconds of the wall clock as it was captured, in the steady
 * count. Frames come in the order of their capture. A frame that was captured before the clock was
 * set, and is read after, is told from one that came later: of the two times that it may stand for,
 * the later one that is not in the future is right.
 */
wave_time stamp_map(struct stamp *s, wave_time captured);

/* No frame waits: those to come are captured after this. */
void stamp_drained(struct stamp *s);

#endif
