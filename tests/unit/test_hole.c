/* Tests that segments of the peer which the capture missed are distinguished from those that the
 * path lost or reordered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/run/sent_log.h"

static struct hole h;
static uint32_t gaps;

/* Ten bytes from there on. */
static struct hole_seen see(uint32_t seq)
{
    struct seg s = {.seq = seq_of(seq), .flags = SEG_ACK, .len = 10};
    return hole_see(&h, gaps, &s);
}

static int reset(void **state)
{
    struct seg syn = {.seq = seq_of(UINT32_MAX), .flags = SEG_SYN | SEG_ACK};

    (void)state;
    memset(&h, 0, sizeof h);
    gaps = 5;
    hole_see(&h, gaps, &syn);
    return 0;
}

static void expect_nothing(struct hole_seen seen)
{
    assert_int_equal(seen.lost, 0);
    assert_false(seen.repair);
}

static void in_order_nothing_is_missing(void **state)
{
    (void)state;
    expect_nothing(see(0));
    expect_nothing(see(10));
    hole_close(&h, seq_of(20));
    assert_false(h.is);
    assert_false(h.was);
}

/* The capture has lost nothing: the path has. */
static void a_gap_of_the_path_s_is_not_ours(void **state)
{
    (void)state;
    expect_nothing(see(0));
    expect_nothing(see(30));
    assert_false(h.is);
    expect_nothing(see(10)); /* and what fills it is no repair */
}

static void a_gap_after_a_loss_is_ours_until_it_is_filled(void **state)
{
    struct hole_seen seen;

    (void)state;
    expect_nothing(see(0));
    gaps++;
    seen = see(30);
    assert_int_equal(seen.lost, 20);
    assert_int_equal(seen.from.v, 10);
    hole_close(&h, seq_of(10));
    assert_true(h.is);
    expect_nothing(see(40));
    assert_true(see(10).repair);
    hole_close(&h, seq_of(20));
    assert_true(h.is);
    assert_true(see(20).repair);
    hole_close(&h, seq_of(50));
    assert_false(h.is);
    assert_true(see(30).repair); /* the peer goes on from where it began to repeat */
    expect_nothing(see(50));
    hole_close(&h, seq_of(60));
    expect_nothing(see(50)); /* it was sent when nothing was missing any more */
}

/* What was lost was ours, or the other connections': the next segment in order shows it. */
static void a_loss_that_left_no_gap_excuses_no_later_one(void **state)
{
    (void)state;
    gaps++;
    expect_nothing(see(0));
    expect_nothing(see(20));
    assert_false(h.is);
}

static void each_of_several_gaps_has_its_bytes(void **state)
{
    (void)state;
    gaps++;
    assert_int_equal(see(10).lost, 10);
    gaps++;
    assert_int_equal(see(50).lost, 30);
    assert_true(see(0).repair);
    hole_close(&h, seq_of(20));
    assert_true(h.is);
    assert_true(see(20).repair);
}

/* Met in the middle, as behind a SYN cookie: what came before is not known to be missing. */
static void the_first_segment_seen_follows_on_nothing(void **state)
{
    (void)state;
    memset(&h, 0, sizeof h);
    expect_nothing(see(1000));
    gaps++;
    assert_int_equal(see(1020).lost, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(in_order_nothing_is_missing, reset),
        cmocka_unit_test_setup(a_gap_of_the_path_s_is_not_ours, reset),
        cmocka_unit_test_setup(a_gap_after_a_loss_is_ours_until_it_is_filled, reset),
        cmocka_unit_test_setup(a_loss_that_left_no_gap_excuses_no_later_one, reset),
        cmocka_unit_test_setup(each_of_several_gaps_has_its_bytes, reset),
        cmocka_unit_test_setup(the_first_segment_seen_follows_on_nothing, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
