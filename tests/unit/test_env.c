/* Tests what the connections of an engine share: the event queue, and the limit on memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/core/env.h"

static struct env env;

static int make(void **state)
{
    struct conn_config config;

    (void)state;
    conn_config_default(&config, 1500, false);
    env_init(&env, &config, 1);
    return 0;
}

static void emit(uint32_t bytes)
{
    env_emit(&env, &(struct event){.kind = EVENT_DATA, .id = 7, .u.bytes = bytes});
}

static void next_is(uint32_t bytes)
{
    struct event e;

    assert_true(env_event(&env, &e));
    assert_int_equal(e.u.bytes, bytes);
}

static void events_come_out_oldest_first(void **state)
{
    struct event e;
    uint32_t in = 0, out = 0;

    (void)state;
    assert_false(env_event(&env, &e));
    for (uint32_t round = 0; round < 500; round++) { /* round the ring, at every length */
        for (uint32_t n = 0; n < 1 + round % ENV_EVENTS; n++)
            emit(in++);
        while (out < in)
            next_is(out++);
        assert_false(env_event(&env, &e));
    }
    assert_int_equal(env.events_lost, 0);
}

static void of_too_many_events_the_oldest_go_and_are_counted(void **state)
{
    struct event e;

    (void)state;
    emit(1000);
    next_is(1000); /* so that the ring does not begin at its first place */
    for (uint32_t i = 0; i < ENV_EVENTS + 5; i++)
        emit(i);
    assert_int_equal(env.events_lost, 5);
    for (uint32_t i = 5; i < ENV_EVENTS + 5; i++)
        next_is(i);
    assert_false(env_event(&env, &e));
}

static void emit_kind(enum event_kind kind, uint32_t n)
{
    env_emit(&env, &(struct event){.kind = kind, .id = n});
}

/* A caller that lost one of these would take a connection for open that has ended. */
static void changes_of_state_and_ends_are_given_up_last(void **state)
{
    static const enum event_kind vital[] = {EVENT_STATE, EVENT_FIN, EVENT_RESET, EVENT_TIMEOUT};
    struct event e;
    uint32_t lost = 0;

    (void)state;
    emit(1000);
    next_is(1000);
    for (uint32_t i = 0; i < ENV_EVENTS / 2; i++) {
        emit_kind(vital[i % 4], i);
        emit(i);
    }
    for (uint32_t i = ENV_EVENTS / 2; i < ENV_EVENTS; i++, lost++)
        emit_kind(vital[i % 4], i);
    assert_int_equal(env.events_lost, lost);
    for (uint32_t i = 0; i < ENV_EVENTS; i++) { /* all of them, in their order */
        assert_true(env_event(&env, &e));
        assert_int_equal(e.kind, vital[i % 4]);
        assert_int_equal(e.id, i);
    }
    assert_false(env_event(&env, &e));
    for (uint32_t i = 0; i < ENV_EVENTS + 1; i++) /* where there are no others, the oldest */
        emit_kind(EVENT_STATE, i);
    assert_true(env_event(&env, &e));
    assert_int_equal(e.id, 1);
}

static void the_queue_is_busy_from_its_half_on(void **state)
{
    struct event e;

    (void)state;
    for (uint32_t i = 0; i < ENV_WAITING; i++) {
        assert_false(env_busy(&env));
        emit(i);
    }
    assert_true(env_busy(&env));
    assert_true(ENV_EVENTS - env.event_count >= ENV_STEP);
    assert_true(env_event(&env, &e));
    assert_false(env_busy(&env));
}

static void memory_is_counted_and_bounded(void **state)
{
    void *a, *b;

    (void)state;
    env.mem_max = 1000;
    a = env_realloc(&env, NULL, 0, 600);
    assert_non_null(a);
    assert_null(env_realloc(&env, NULL, 0, 401));
    assert_int_equal(env.mem_used, 600);
    b = env_realloc(&env, NULL, 0, 400); /* the last byte may be had */
    assert_non_null(b);
    assert_null(env_realloc(&env, a, 600, 601)); /* which loses nothing */
    a = env_realloc(&env, a, 600, 100);
    assert_non_null(a);
    assert_int_equal(env.mem_used, 500);
    assert_null(env_realloc(&env, a, 100, 0));
    assert_null(env_realloc(&env, b, 400, 0));
    assert_int_equal(env.mem_used, 0);
}

static void *refuses(void *ctx, void *old, size_t old_size, size_t new_size)
{
    (void)ctx, (void)old, (void)old_size, (void)new_size;
    return NULL;
}

static void what_the_allocator_refuses_is_not_counted(void **state)
{
    (void)state;
    env.resize = refuses;
    assert_null(env_realloc(&env, NULL, 0, 100));
    assert_int_equal(env.mem_used, 0);
}

/* RFC 6691: fixed headers only; and no packet of IP is longer than 65,535 bytes. */
static void rfc6691_2_the_mtu_gives_the_mss(void **state)
{
    static const struct {
        uint32_t mtu, v4, v6;
    } t[] = {{1500, 1460, 1440},
             {576, 536, 516},
             {65536, 65495, 65476},
             {100000, 65495, 65495},
             {0, 8, 8}};
    struct conn_config c;

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        conn_config_default(&c, t[i].mtu, false);
        assert_int_equal(c.mss, t[i].v4);
        conn_config_default(&c, t[i].mtu, true);
        assert_int_equal(c.mss, t[i].v6);
    }
}

#define CASE(f) cmocka_unit_test_setup(f, make)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(events_come_out_oldest_first),
        CASE(of_too_many_events_the_oldest_go_and_are_counted),
        CASE(changes_of_state_and_ends_are_given_up_last),
        CASE(the_queue_is_busy_from_its_half_on),
        CASE(memory_is_counted_and_bounded),
        CASE(what_the_allocator_refuses_is_not_counted),
        CASE(rfc6691_2_the_mtu_gives_the_mss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
