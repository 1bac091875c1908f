/*
 * Tests runs in which allocations fail: each one in turn, alone and together with some that follow,
 * and all of them for a while. The run must end as if nothing had happened, since a segment that
 * found no memory is retransmitted, and no block may leak.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sim.h"

/* Both directions, loss, a slow reader: queues and reassembly grow, shrink and go. */
static struct sim *set_up(uint64_t seed)
{
    struct conn_config c = sim_config(1500);
    struct path_impairment m = {.loss = 1000,
                                .reordering = 1000,
                                .duplication = 500,
                                .delay = 20 * WAVE_MS,
                                .jitter = 2 * WAVE_MS};
    c.rcvbuf = 20000;
    c.sndbuf = 20000;
    c.r2 = 12 * WAVE_H; /* a hundred refusals in a row are as many time-outs, of up to 2 minutes */
    c.syn_retries = 30;
    struct sim *s = sim_new(seed, &c, &c);
    sim_impair(s, &m);
    sim_open(s, seq_of(0xffffff00), seq_of(0x7fffff00));
    s->end[LINK_A].user =
        (struct sim_user){.total = 40000, .write_max = 5000, .close = SIM_CLOSE_SENT};
    s->end[LINK_B].user = (struct sim_user){.total = 30000,
                                            .write_max = 3000,
                                            .read_max = 2000,
                                            .read_pause = 30 * WAVE_MS,
                                            .close = SIM_CLOSE_AFTER_PEER};
    return s;
}

/* Makes a run in which the calls `from` to `from` + `count` - 1 of that end fail. Returns how many
 * calls there were. */
static uint64_t run(uint64_t seed, enum link_end end, uint64_t from, uint64_t count)
{
    struct sim *s = set_up(seed);
    s->end[end].memory.fail_from = from;
    s->end[end].memory.fail_count = count;
    if (!sim_run(s, 24 * WAVE_H))
        sim_fail(s, "the run did not end with calls %llu to %llu of end %c failing",
                 (unsigned long long)from, (unsigned long long)(from + count - 1),
                 end == LINK_A ? 'A' : 'B');
    sim_assert_complete(s);
    uint64_t calls = s->end[end].memory.calls;
    if (count && calls >= from)
        assert_true(s->end[end].memory.failed > 0);
    sim_delete(s);
    return calls;
}

static void each_in_turn(uint64_t count)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        for (enum link_end e = LINK_A; e <= LINK_B; e++) {
            uint64_t calls = run(seed, e, 0, 0);
            assert_true(calls >= 5);
            for (uint64_t n = 1; n <= calls; n++)
                run(seed, e, n, count);
        }
}

static void each_allocation_failing_once_loses_nothing(void **unused)
{
    (void)unused;
    each_in_turn(1);
}

static void each_allocation_and_four_more_failing_loses_nothing(void **unused)
{
    (void)unused;
    each_in_turn(5);
}

static void a_hundred_allocations_failing_loses_nothing(void **unused)
{
    (void)unused;
    each_in_turn(100);
}

/* The engine's own bound instead of the allocator's word. */
static void a_bound_on_memory_is_kept_and_loses_nothing(void **unused)
{
    (void)unused;
    for (size_t bound = 8000; bound <= 64000; bound *= 2) {
        struct sim *s = set_up(bound);
        size_t max = 0;
        for (int i = 0; i < 2; i++)
            s->end[i].env.mem_max = bound;
        wave_time until = link_now(s->link) + 12 * WAVE_H;
        while (link_now(s->link) < until && !sim_run_for(s, 10 * WAVE_MS))
            for (int i = 0; i < 2; i++)
                max = s->end[i].memory.bytes > max ? s->end[i].memory.bytes : max;
        assert_in_range(max, 1, bound);
        sim_assert_complete(s);
        sim_delete(s);
    }
}

static void no_memory_at_all_gives_no_crash_and_leaves_nothing(void **unused)
{
    (void)unused;
    struct sim *s = set_up(1);
    for (int i = 0; i < 2; i++)
        s->end[i].memory = (struct sim_memory){.fail_from = 1, .fail_count = UINT64_MAX / 2};
    sim_run(s, WAVE_MIN);
    sim_assert_no_memory(s);
    assert_int_equal(s->end[LINK_A].sent, 0);
    assert_int_equal(s->end[LINK_A].conn.state, STATE_ESTABLISHED);
    sim_delete(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_failing_once_loses_nothing),
        cmocka_unit_test(each_allocation_and_four_more_failing_loses_nothing),
        cmocka_unit_test(a_hundred_allocations_failing_loses_nothing),
        cmocka_unit_test(a_bound_on_memory_is_kept_and_loses_nothing),
        cmocka_unit_test(no_memory_at_all_gives_no_crash_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
