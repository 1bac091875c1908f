/* Tests the timing wheel against a plain array of deadlines, over times from nanoseconds to
 * centuries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/core/wheel.h"

enum { NODES = 400 };

static struct env env;
static struct pool pool;
static struct wheel wheel;
static struct conn *node[NODES];
static wave_time deadline[NODES]; /* WAVE_NEVER: none */

static int make(void **state)
{
    struct conn_config config;

    (void)state;
    conn_config_default(&config, 1500, false);
    env_init(&env, &config, 1);
    pool_init(&pool, &env, NODES);
    wheel_init(&wheel, &pool);
    for (int i = 0; i < NODES; i++) {
        node[i] = pool_take(&pool, &(struct flow){.lport = 1});
        deadline[i] = WAVE_NEVER;
    }
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    pool_free(&pool);
    return 0;
}

static void arm(int i, wave_time when)
{
    deadline[i] = when;
    wheel_arm(&wheel, node[i], when);
}

/* Runs the wheel as the stack does: an entry that comes out early is rearmed. Returns how many
 * deadlines were met; none may be met before its time. */
static unsigned run(wave_time now, unsigned *looks)
{
    unsigned met = 0;
    struct conn *c;

    while ((c = wheel_pop(&wheel, now))) {
        const uint32_t i = pool_index(c->id);

        assert_int_equal(c->hook.wheel_slot, 0);
        if (looks)
            ++*looks;
        if (deadline[i] <= now) {
            deadline[i] = WAVE_NEVER;
            met++;
        } else if (deadline[i] != WAVE_NEVER) {
            wheel_arm(&wheel, c, deadline[i]);
        }
    }
    return met;
}

static wave_time earliest(void)
{
    wave_time first = WAVE_NEVER;

    for (int i = 0; i < NODES; i++)
        first = time_min(first, deadline[i]);
    return first;
}

/* No entry in the wheel is overdue by more than a tick, and the wheel's next time is at most a tick
 * later than the earliest deadline. */
static void check(wave_time now)
{
    const wave_time first = earliest();

    assert_true(time_add(first, WHEEL_TICK) > now);
    if (first == WAVE_NEVER)
        return; /* lazily left ones may still be inside */
    assert_true(wheel_next(&wheel) <= time_add(first, WHEEL_TICK - 1));
}

static void an_empty_wheel_never_comes(void **state)
{
    (void)state;
    assert_true(wheel_next(&wheel) == WAVE_NEVER);
    assert_null(wheel_pop(&wheel, WAVE_H));
    wheel_disarm(&wheel, node[0]); /* not in: nothing happens */
    assert_true(wheel_next(&wheel) == WAVE_NEVER);
}

static void never_early_and_never_a_tick_late(void **state)
{
    static const wave_time when[] = {1, WHEEL_TICK - 1, WHEEL_TICK, WHEEL_TICK + 1, 40 * WAVE_MS};

    (void)state;
    for (size_t i = 0; i < sizeof when / sizeof *when; i++) {
        const wave_time up = (when[i] + WHEEL_TICK - 1) / WHEEL_TICK * WHEEL_TICK;

        wheel_init(&wheel, &pool);
        arm(0, when[i]);
        assert_int_equal(run(when[i] - 1, NULL), 0);
        assert_int_equal(run(up, NULL), 1);
        assert_true(wheel_next(&wheel) == WAVE_NEVER);
    }
}

static void a_deadline_that_has_passed_comes_at_once(void **state)
{
    (void)state;
    assert_null(wheel_pop(&wheel, WAVE_S));
    arm(0, 5);
    assert_true(wheel_next(&wheel) <= WAVE_S);
    assert_int_equal(run(WAVE_S, NULL), 1);
}

static void a_deadline_put_off_costs_nothing_until_its_slot_comes(void **state)
{
    unsigned looks = 0;
    wave_time now;

    (void)state;
    arm(0, 7200 * WAVE_S);
    /* Each segment postpones keepalive by two hours: for ten hours, one comes every second. */
    for (now = 0; now < 10 * WAVE_H; now += WAVE_S) {
        assert_int_equal(run(now, &looks), 0);
        arm(0, now + 7200 * WAVE_S);
    }
    assert_true(looks < 60); /* of 36,000 */
    assert_int_equal(run(now - WAVE_S + 7200 * WAVE_S - 1, &looks), 0);
    assert_int_equal(run(now - WAVE_S + 7200 * WAVE_S + WHEEL_TICK, &looks), 1);
}

static void a_deadline_brought_forward_is_met(void **state)
{
    (void)state;
    arm(0, 100 * WAVE_S);
    arm(0, 3 * WAVE_S);
    assert_true(wheel_next(&wheel) <= 3 * WAVE_S);
    assert_int_equal(run(3 * WAVE_S + WHEEL_TICK, NULL), 1);
}

static void a_node_disarmed_does_not_come(void **state)
{
    struct conn *c;

    (void)state;
    for (int i = 0; i < 3; i++) /* one slot: first, middle and last of its list */
        arm(i, 10 * WAVE_S);
    for (int i = 3; i < 6; i++)
        arm(i, 20 * WAVE_S);
    wheel_disarm(&wheel, node[1]);
    wheel_disarm(&wheel, node[5]);
    wheel_disarm(&wheel, node[3]);
    wheel_disarm(&wheel, node[3]);
    deadline[1] = deadline[5] = deadline[3] = WAVE_NEVER;
    assert_int_equal(run(11 * WAVE_S, NULL), 2);
    while ((c = wheel_pop(&wheel, 21 * WAVE_S)))
        assert_ptr_equal(c, node[4]);
    assert_true(wheel_next(&wheel) == WAVE_NEVER);
}

/* While a slot is emptied, other entries of it are disarmed and rearmed. An application that closes
 * its connections at a timeout does this. */
static void the_slot_that_is_being_emptied_may_be_meddled_with(void **state)
{
    struct conn *c;
    unsigned out = 0;

    (void)state;
    for (int i = 0; i < 30; i++)
        wheel_arm(&wheel, node[i], WAVE_H);
    c = wheel_pop(&wheel, 2 * WAVE_H);
    assert_non_null(c);
    for (int i = 0; i < 30; i++)
        if (node[i] != c && i % 3 == 0)
            wheel_disarm(&wheel, node[i]);
    for (int i = 0; i < 30; i++)
        if (node[i] != c && i % 3 == 1)
            wheel_arm(&wheel, node[i], 1); /* long past: it is due already, and stays */
    wheel_arm(&wheel, c, 3 * WAVE_H);
    while ((c = wheel_pop(&wheel, 2 * WAVE_H)))
        out++;
    assert_in_range(out, 19, 20);
    assert_true(wheel_next(&wheel) > 2 * WAVE_H);
    out = 0;
    for (wave_time at; (at = wheel_next(&wheel)) != WAVE_NEVER;) {
        assert_true(at <= 3 * WAVE_H + WHEEL_TICK);
        c = wheel_pop(&wheel, at);
        if (at < 3 * WAVE_H)
            wheel_arm(&wheel, c, 3 * WAVE_H), out++;
    }
    assert_true(out <= WHEEL_LEVELS);
}

static void a_deadline_is_looked_at_no_more_often_than_there_are_levels(void **state)
{
    static const wave_time when[] = {WAVE_S, WAVE_H, 8760 * WAVE_H, WAVE_NEVER - 2 * WHEEL_TICK};

    (void)state;
    for (size_t i = 0; i < sizeof when / sizeof *when; i++) {
        unsigned looks = 0, met = 0;

        wheel_init(&wheel, &pool);
        arm(0, when[i]);
        while (met == 0) {
            const wave_time next = wheel_next(&wheel);

            assert_true(next <= when[i] || next - when[i] < WHEEL_TICK);
            met = run(next, &looks);
        }
        assert_true(looks <= WHEEL_LEVELS);
    }
}

/* Arms, puts off, brings forward, disarms and lets time pass, all at random, in steps from
 * nanoseconds to years. */
static void random_use_agrees_with_a_plain_array(void **state)
{
    uint64_t x = 88172645463325252;
    wave_time now = 0;

    (void)state;
    for (int round = 0; round < 300000; round++) {
        unsigned met = 0, expected = 0;
        int i;

        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        i = (int)(x % NODES);
        switch (x >> 32 & 3) {
        case 0:
        case 1:
            arm(i, time_add(now, (x >> 34) >> (x >> 10 & 31)));
            if (deadline[i] == WAVE_NEVER)
                deadline[i]--;
            break;
        case 2:
            wheel_disarm(&wheel, node[i]);
            deadline[i] = WAVE_NEVER;
            break;
        case 3:
            now = x & 0x800 ? time_min(wheel_next(&wheel), now + WAVE_H)
                            : now + ((x >> 34) >> (x >> 12 & 31) >> 4);
            for (int n = 0; n < NODES; n++)
                expected += time_add(deadline[n], WHEEL_TICK) <= now;
            met = run(now, NULL);
            assert_true(met >= expected);
            check(now);
            break;
        }
    }
}

/* So near the end of time that no tick begins after it: met a tick early rather than never. */
static void the_last_moment_has_a_slot(void **state)
{
    (void)state;
    arm(0, WAVE_NEVER - 1);
    arm(1, WAVE_NEVER - WHEEL_TICK);
    assert_true(wheel_next(&wheel) <= WAVE_NEVER - 1);
    for (int i = 0; i < 2 * WHEEL_LEVELS; i++) { /* the deadline comes ever nearer, and nothing wraps */
        struct conn *c = wheel_pop(&wheel, WAVE_NEVER - 2 * WHEEL_TICK);
        if (!c)
            break;
        wheel_arm(&wheel, c, c == node[0] ? WAVE_NEVER - 1 : WAVE_NEVER - WHEEL_TICK);
    }
    assert_null(wheel_pop(&wheel, WAVE_NEVER - 2 * WHEEL_TICK));
    assert_non_null(wheel_pop(&wheel, WAVE_NEVER - 1));
    assert_non_null(wheel_pop(&wheel, WAVE_NEVER - 1));
    assert_null(wheel_pop(&wheel, WAVE_NEVER - 1));
    assert_true(wheel_next(&wheel) == WAVE_NEVER);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_empty_wheel_never_comes),
        CASE(never_early_and_never_a_tick_late),
        CASE(a_deadline_that_has_passed_comes_at_once),
        CASE(a_deadline_put_off_costs_nothing_until_its_slot_comes),
        CASE(a_deadline_brought_forward_is_met),
        CASE(a_node_disarmed_does_not_come),
        CASE(the_slot_that_is_being_emptied_may_be_meddled_with),
        CASE(a_deadline_is_looked_at_no_more_often_than_there_are_levels),
        CASE(random_use_agrees_with_a_plain_array),
        CASE(the_last_moment_has_a_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
