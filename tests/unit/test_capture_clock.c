/* Tests the time stamps of the capture while the wall clock is set: forwards, backwards, and
 * between the capture of a frame and its reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/wire/capture_clock.h"

#define DATE (1700000000 * WAVE_S)
#define HOUR (3600 * WAVE_S)

static struct clock_pair_read clocks;
static unsigned reads;

static struct clock_pair_read read_clocks(void)
{
    reads++;
    return clocks;
}

static void pass(wave_time t)
{
    clocks.steady += t;
    clocks.wall += t;
}

static struct capture_clock begin(void)
{
    struct capture_clock s;

    clocks = (struct clock_pair_read){.wall = DATE, .steady = 5 * WAVE_S};
    capture_clock_init(&s, read_clocks);
    return s;
}

static void as_it_is_while_nobody_sets_the_clock(void **state)
{
    struct capture_clock s = begin();
    (void)state;
    for (int i = 1; i < 10; i++) {
        pass(WAVE_S);
        assert_true(capture_clock_map(&s, clocks.wall) == DATE + (wave_time)i * WAVE_S);
        capture_clock_drained(&s);
    }
}

static void a_step_is_told_and_a_pause_is_not(void **state)
{
    struct capture_clock s = begin();

    (void)state;
    pass(WAVE_S);
    assert_true(capture_clock_stepped(&s) == 0);
    clocks.wall += 20 * WAVE_MS;
    assert_true(capture_clock_stepped(&s) == 0);
    clocks.wall += HOUR;
    assert_true(capture_clock_stepped(&s) == (int64_t)(HOUR + 20 * WAVE_MS));
    clocks.wall -= 2 * HOUR;
    assert_true(capture_clock_stepped(&s) == (int64_t)(20 * WAVE_MS) - (int64_t)HOUR);
}

/* To and fro, after a silence and in the midst of frames. */
static void set_while_nothing_waits(void **state)
{
    static const wave_time steps[] = {HOUR,       -(wave_time)HOUR, -(wave_time)HOUR,
                                      100 * HOUR, 20 * WAVE_MS,     -(wave_time)(20 * WAVE_MS)};
    (void)state;
    for (int drained = 0; drained < 2; drained++) {
        struct capture_clock s = begin();
        wave_time is = DATE;
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            if (!drained && steps[i] + WAVE_S < 2 * WAVE_S)
                continue; /* too little to show before the ring is empty */
            clocks.wall += steps[i];
            for (int frame = 0; frame < 3; frame++) {
                pass(3 * WAVE_S);
                is += 3 * WAVE_S;
                assert_true(capture_clock_map(&s, clocks.wall) == is);
                if (drained)
                    capture_clock_drained(&s);
            }
            capture_clock_drained(&s);
        }
    }
}

static void set_between_capture_and_reading(void **state)
{
    static const wave_time steps[] = {HOUR, -(wave_time)HOUR};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct capture_clock s = begin();
        wave_time before, after;
        pass(WAVE_S);
        before = clocks.wall;
        pass(WAVE_S);
        clocks.wall += steps[i];
        after = clocks.wall;
        pass(WAVE_S);
        assert_true(capture_clock_map(&s, before) == DATE + WAVE_S);
        assert_true(capture_clock_map(&s, after) == DATE + 2 * WAVE_S);
        capture_clock_drained(&s);
        pass(WAVE_S);
        assert_true(capture_clock_map(&s, clocks.wall) == DATE + 4 * WAVE_S);
    }
}

/* A long silence leaves room for an hour to hide in. */
static void set_back_during_a_long_silence(void **state)
{
    struct capture_clock s = begin();
    (void)state;
    pass(5 * HOUR);
    clocks.wall -= HOUR;
    pass(WAVE_S);
    assert_true(capture_clock_map(&s, clocks.wall) == DATE + 5 * HOUR + WAVE_S);
}

/* CLOCK_MONOTONIC stands still, CLOCK_REALTIME does not. */
static void a_suspend_is_no_time(void **state)
{
    struct capture_clock s = begin();
    (void)state;
    pass(WAVE_S);
    assert_true(capture_clock_map(&s, clocks.wall) == DATE + WAVE_S);
    clocks.wall += 8 * HOUR;
    pass(WAVE_MS);
    assert_true(capture_clock_map(&s, clocks.wall) == DATE + WAVE_S + WAVE_MS);
}

/* One reading of the clocks serves all that were captured before it. */
static void a_batch_costs_one_look(void **state)
{
    struct capture_clock s = begin();
    wave_time first;
    (void)state;
    pass(WAVE_S);
    first = clocks.wall;
    pass(WAVE_S);
    reads = 0;
    for (wave_time i = 0; i < 1000; i++)
        assert_true(capture_clock_map(&s, first + i * WAVE_US) == DATE + WAVE_S + i * WAVE_US);
    assert_int_equal(reads, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_is_while_nobody_sets_the_clock),
        cmocka_unit_test(a_step_is_told_and_a_pause_is_not),
        cmocka_unit_test(set_while_nothing_waits),
        cmocka_unit_test(set_between_capture_and_reading),
        cmocka_unit_test(set_back_during_a_long_silence),
        cmocka_unit_test(a_suspend_is_no_time),
        cmocka_unit_test(a_batch_costs_one_look),
    };
    return cmocka_run_group_tests_name("capture_clock", tests, NULL, NULL);
}
