/* Tests sequence arithmetic across both of its edges: 2^32, where numbers wrap, and 2^31, beyond
 * which "before" turns into "after". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/core/seq.h"
#include "lib/core/time.h"

static const uint32_t start[] = {0,          1,          1000,       0x7fffffff,
                                 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
#define EACH(i) for (size_t i = 0; i < sizeof start / sizeof *start; i++)

static void rfc9293_3_4_order_holds_anywhere_on_the_circle(void **state)
{
    (void)state;
    EACH(i)
    {
        const struct seq a = seq_of(start[i]), b = seq_add(a, 1), far = seq_add(a, 0x7fffffff);

        assert_true(seq_lt(a, b) && seq_leq(a, b) && !seq_gt(a, b) && !seq_geq(a, b));
        assert_true(seq_gt(b, a) && seq_geq(b, a) && !seq_lt(b, a) && !seq_leq(b, a));
        assert_true(seq_leq(a, a) && seq_geq(a, a) && !seq_lt(a, a) && !seq_gt(a, a));
        assert_true(seq_lt(a, far) && seq_gt(far, a));
        assert_true(seq_eq(a, a) && !seq_eq(a, b));
    }
}

static void rfc9293_3_4_half_the_circle_away_order_turns_over(void **state)
{
    (void)state;
    EACH(i)
    {
        const struct seq a = seq_of(start[i]);

        assert_true(seq_gt(a, seq_add(a, 0x80000001)));
        assert_int_equal(seq_diff(seq_add(a, 0x80000001), a), -0x7fffffff);
    }
}

static void rfc9293_3_4_difference_and_addition_undo_each_other(void **state)
{
    (void)state;
    EACH(i) EACH(j)
    {
        const struct seq a = seq_of(start[i]);

        assert_true(seq_eq(seq_sub(seq_add(a, start[j]), start[j]), a));
        assert_int_equal((uint32_t)seq_diff(seq_add(a, start[j]), a), start[j]);
    }
}

static void rfc9293_3_4_max_and_min_are_by_that_order(void **state)
{
    (void)state;
    EACH(i)
    {
        const struct seq a = seq_of(start[i]), b = seq_add(a, 5);

        assert_int_equal(seq_max(a, b).v, b.v);
        assert_int_equal(seq_max(b, a).v, b.v);
        assert_int_equal(seq_min(a, b).v, a.v);
        assert_int_equal(seq_min(b, a).v, a.v);
    }
}

static void rfc9293_3_4_a_window_holds_its_first_and_not_its_end(void **state)
{
    (void)state;
    EACH(i)
    {
        const struct seq a = seq_of(start[i]);

        assert_true(seq_within(a, a, 1));
        assert_true(seq_within(seq_add(a, 9), a, 10));
        assert_false(seq_within(seq_add(a, 10), a, 10));
        assert_false(seq_within(seq_sub(a, 1), a, 10));
        assert_false(seq_within(a, a, 0));
        assert_true(seq_within(seq_add(a, 0xfffffffe), a, 0xffffffff));
    }
}

static void time_never_is_never_passed(void **state)
{
    (void)state;
    assert_true(time_add(WAVE_NEVER, 1) == WAVE_NEVER);
    assert_true(time_add(WAVE_NEVER - 5, 5) == WAVE_NEVER);
    assert_true(time_add(WAVE_NEVER - 5, 6) == WAVE_NEVER);
    assert_true(time_add(WAVE_NEVER - 5, 4) == WAVE_NEVER - 1);
    assert_true(time_add(2 * WAVE_S, 3 * WAVE_MS) == 2003 * WAVE_MS);
    assert_true(time_min(WAVE_NEVER, 7) == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc9293_3_4_order_holds_anywhere_on_the_circle),
        cmocka_unit_test(rfc9293_3_4_half_the_circle_away_order_turns_over),
        cmocka_unit_test(rfc9293_3_4_difference_and_addition_undo_each_other),
        cmocka_unit_test(rfc9293_3_4_max_and_min_are_by_that_order),
        cmocka_unit_test(rfc9293_3_4_a_window_holds_its_first_and_not_its_end),
        cmocka_unit_test(time_never_is_never_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
