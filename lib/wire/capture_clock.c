/*
 * Maps the wall-clock stamps of captured frames to a steady clock. look() compares the kernel's two
 * clocks (CLOCK_REALTIME and CLOCK_MONOTONIC). It is called for the first frame after the capture
 * was drained, and for a stamp that the last comparison does not explain: one in the future, or one
 * far earlier than the stamp before it. So a long run of frames costs no system call for each.
 */
#include "lib/wire/capture_clock.h"

#include <time.h>

/* Steps up to this size are not applied; they add up until they exceed it. A smaller step cannot be
 * distinguished from the time that reading the clocks takes. */
#define TOLERANCE WAVE_MS
#define TIGHT (10 * WAVE_US) /* between two readings of the same clock */
#define TRIES 5
#define DISORDER WAVE_S
#define STEP ((int64_t)(100 * WAVE_MS)) /* a smaller one may be a pause between two readings */

/* Returns the time of a clock in nanoseconds. */
static wave_time read_clock(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (wave_time)t.tv_sec * WAVE_S + (wave_time)t.tv_nsec;
}

/* Reads CLOCK_MONOTONIC and another clock. No call reads both at once: the readings are repeated
 * until nothing came in between that took long. */
static void read_two(clockid_t which, wave_time *steady, wave_time *other)
{
    for (int i = 0; i < TRIES; i++) {
        *steady = read_clock(CLOCK_MONOTONIC);
        *other = read_clock(which);
        if (read_clock(CLOCK_MONOTONIC) - *steady < TIGHT)
            break;
    }
}

struct clock_pair_read clock_pair_read(void)
{
    struct clock_pair_read c;

    read_two(CLOCK_REALTIME, &c.steady, &c.wall);
    return c;
}

wave_time clock_asleep(void)
{
    wave_time awake, all;

    read_two(CLOCK_BOOTTIME, &awake, &all);
    return all > awake ? all - awake : 0;
}

/* Returns by how much the wall clock was ahead of the steady one at first. It is the same for the
 * whole process, whose report has one beginning. */
static wave_time ahead_at_first(void)
{
    static wave_time ahead;

    if (!ahead) {
        struct clock_pair_read c = clock_pair_read();
        ahead = c.wall - c.steady;
    }
    return ahead;
}

wave_time capture_clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC) + ahead_at_first();
}

/* Reads the clocks, and notes by how much the wall clock was set. */
static void look(struct capture_clock *s)
{
    struct clock_pair_read c = s->read();
    wave_time step = c.wall - c.steady - s->ahead;

    s->until = c.steady + s->ahead;
    if (step - s->step + TOLERANCE > 2 * TOLERANCE)
        s->step = step;
}

void capture_clock_init(struct capture_clock *s, clock_read *read)
{
    struct clock_pair_read c = read();

    *s = (struct capture_clock){
        .read = read, .ahead = read == clock_pair_read ? ahead_at_first() : c.wall - c.steady};
    look(s);
    capture_clock_drained(s);
}

/* Returns whether the stamp is later than the last reading of the clocks. */
static bool in_the_future(const struct capture_clock *s, wave_time stamp)
{
    return stamp > s->until + TOLERANCE;
}

wave_time capture_clock_map(struct capture_clock *s, wave_time captured)
{
    wave_time stamp = captured - s->step, before;

    if (in_the_future(s, stamp) || stamp + DISORDER < s->last) {
        look(s);
        stamp = captured - s->step;
    }
    before = captured - s->was;
    if (in_the_future(s, stamp) || (before > stamp && !in_the_future(s, before)))
        stamp = before;
    if (in_the_future(s, stamp))
        stamp = s->until;
    s->last = stamp;
    return stamp;
}

int64_t capture_clock_stepped(const struct capture_clock *s)
{
    const struct clock_pair_read c = s->read();
    const int64_t step = (int64_t)(c.wall - c.steady - s->ahead);

    return step >= STEP || step <= -STEP ? step : 0;
}

void capture_clock_drained(struct capture_clock *s)
{
    s->was = s->step;
    s->until = 0;
}
