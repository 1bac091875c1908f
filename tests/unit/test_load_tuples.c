/* Tests which local port the next connection of a load takes, and for how many ports a load is
 * planned. */
#include "cmd/load_tuples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/load_plan.h"

static struct load_tuples p;
static bool time_wait;

static int made(void **state)
{
    (void)state;
    memset(&p, 0, sizeof p);
    return 0;
}

static int freed(void **state)
{
    (void)state;
    load_tuples_free(&p);
    return 0;
}

/* The port of that pair which comes next. */
static uint32_t take(uint32_t pair, wave_time now)
{
    const uint32_t tuple = load_tuples_take(&p, pair, now, &time_wait);

    assert_int_equal(load_tuple_pair(&p, tuple), pair);
    return load_tuple_port(&p, tuple);
}

static void give(uint32_t pair, uint32_t port, wave_time now, bool held)
{
    load_tuples_give(&p, port * p.pairs + pair, now, held);
}

static void every_port_is_used_once_before_one_is_used_again(void **state)
{
    (void)state;
    assert_int_equal(load_tuples_init(&p, 3, 100, 10), 0);
    for (int round = 0; round < 4; round++)
        for (uint32_t port = 0; port < 100; port++)
            for (uint32_t pair = 0; pair < 3; pair++) {
                assert_int_equal(take(pair, WAVE_S), port);
                give(pair, port, WAVE_S, pair == 1);
            }
}

static void a_port_in_use_is_not_taken(void **state)
{
    (void)state;
    assert_int_equal(load_tuples_init(&p, 1, 4, 4), 0);
    for (uint32_t port = 0; port < 4; port++)
        assert_int_equal(take(0, 0), port);
    assert_false(load_tuples_any(&p));
    give(0, 2, WAVE_S, false);
    assert_true(load_tuples_any(&p));
    assert_int_equal(take(0, WAVE_S), 2);
    assert_false(load_tuples_any(&p));
}

static void rfc9293_3_6_1_a_port_that_the_peer_may_hold_comes_after_those_it_does_not(void **state)
{
    (void)state;
    assert_int_equal(load_tuples_init(&p, 1, 4, 4), 0);
    for (uint32_t port = 0; port < 4; port++)
        take(0, 0);
    give(0, 0, 1 * WAVE_S, true);
    give(0, 1, 2 * WAVE_S, true);
    give(0, 2, 3 * WAVE_S, false);
    give(0, 3, 4 * WAVE_S, false);
    assert_int_equal(take(0, 5 * WAVE_S), 2);
    assert_false(time_wait);
    assert_int_equal(take(0, 5 * WAVE_S), 3);
    assert_false(time_wait);
    /* Only those are left: the one that has rested longest is the first. */
    assert_int_equal(take(0, 5 * WAVE_S), 0);
    assert_true(time_wait);
    assert_int_equal(take(0, 5 * WAVE_S), 1);
    assert_true(time_wait);
}

static void rfc9293_3_4_2_after_two_segment_lifetimes_nothing_is_held_any_more(void **state)
{
    (void)state;
    assert_int_equal(load_tuples_init(&p, 1, 1, 1), 0);
    take(0, 0);
    give(0, 0, 10 * WAVE_S, true);
    take(0, 10 * WAVE_S + LOAD_TIME_WAIT - WAVE_MS);
    assert_true(time_wait);
    give(0, 0, 500 * WAVE_S, true);
    take(0, 500 * WAVE_S + LOAD_TIME_WAIT);
    assert_false(time_wait);
}

static void the_pairs_take_turns(void **state)
{
    (void)state;
    assert_int_equal(load_tuples_init(&p, 3, 10, 10), 0);
    for (uint32_t i = 0; i < 30; i++) {
        const uint32_t pair = load_tuples_next_pair(&p);
        assert_int_equal(pair, i % 3);
        take(pair, 0);
    }
    assert_false(load_tuples_any(&p));
}

static void a_pair_whose_connections_do_not_end_leaves_the_turn_to_the_others(void **state)
{
    (void)state;
    assert_int_equal(load_tuples_init(&p, 2, 1000, 5), 0);
    for (uint32_t i = 0; i < 5; i++)
        take(0, 0);
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(load_tuples_any(&p));
        assert_int_equal(load_tuples_next_pair(&p), 1);
        give(1, take(1, 0), 0, false);
    }
    give(0, 0, 0, false);
    assert_int_equal(load_tuples_next_pair(&p), 0);
}

static struct load_plan planned(struct load_options *o, uint32_t concurrency, uint32_t pairs,
                                uint32_t rate, uint32_t usable)
{
    struct load_plan plan = {.concurrency = concurrency, .pairs = pairs, .rate = rate};

    load_plan_ports(&plan, o, usable);
    return plan;
}

static void a_plan_has_a_port_for_each_connection_as_far_as_the_range_goes(void **state)
{
    static struct load_options o;
    struct load_plan plan;

    (void)state;
    o = (struct load_options){.connections = 200};
    plan = planned(&o, 10, 1, 0, 28232);
    assert_int_equal(plan.ports_max, 200);
    assert_int_equal(plan.ports_min, 10);
    o.connections = 1000000;
    assert_int_equal(planned(&o, 10, 1, 0, 28232).ports_max, 28232);
    assert_int_equal(planned(&o, 10, 100, 0, 28232).ports_max, 10000);
    o.connections = 0;
    assert_int_equal(planned(&o, 10, 1, 0, 28232).ports_max, 28232);
}

static void a_plan_with_a_rate_has_the_ports_that_it_can_need_while_one_rests(void **state)
{
    static struct load_options o;

    (void)state;
    o = (struct load_options){.connections = 0};
    assert_in_range(planned(&o, 10, 1, 20, 28232).ports_max, 20 * 240, 20 * 240 + 200);
    o.show.timeout = 5 * WAVE_S;
    assert_in_range(planned(&o, 10, 1, 20, 28232).ports_max, 110, 200);
}

static void a_plan_never_has_more_ports_than_may_be_taken(void **state)
{
    static struct load_options o;
    struct load_plan plan;

    (void)state;
    o = (struct load_options){.connections = 0};
    plan = planned(&o, 100, 1, 0, 120);
    assert_int_equal(plan.ports_max, 120);
    assert_int_equal(plan.ports_min, 100);
    /* There are too few, which load_plan() says. */
    plan = planned(&o, 100, 1, 0, 99);
    assert_int_equal(plan.ports_min, 100);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, made, freed)
    const struct CMUnitTest tests[] = {
        CASE(every_port_is_used_once_before_one_is_used_again),
        CASE(a_port_in_use_is_not_taken),
        CASE(rfc9293_3_6_1_a_port_that_the_peer_may_hold_comes_after_those_it_does_not),
        CASE(rfc9293_3_4_2_after_two_segment_lifetimes_nothing_is_held_any_more),
        CASE(the_pairs_take_turns),
        CASE(a_pair_whose_connections_do_not_end_leaves_the_turn_to_the_others),
        CASE(a_plan_has_a_port_for_each_connection_as_far_as_the_range_goes),
        CASE(a_plan_with_a_rate_has_the_ports_that_it_can_need_while_one_rests),
        CASE(a_plan_never_has_more_ports_than_may_be_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
