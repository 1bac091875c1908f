/* Tests the pool: slots that never move, ids that name one connection only, and memory that may run
 * out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/core/pool.h"

static const struct flow flow = {.lport = 1, .rport = 2};

struct pool_world {
    struct env env;
    struct pool pool;
};

static void make(struct pool_world *w, uint32_t max)
{
    struct conn_config config;

    conn_config_default(&config, 1500, false);
    env_init(&w->env, &config, 1);
    pool_init(&w->pool, &w->env, max);
}

static void unmake(struct pool_world *w)
{
    pool_free(&w->pool);
    assert_int_equal(w->env.mem_used, 0);
}

static void connections_never_move_and_are_found_by_id(void **state)
{
    enum { N = 5000 };
    static struct conn *at[N];
    static uint32_t id[N];
    struct pool_world w;

    (void)state;
    make(&w, N);
    for (int i = 0; i < N; i++) {
        at[i] = pool_take(&w.pool, &flow);
        assert_non_null(at[i]);
        id[i] = at[i]->id;
        assert_int_not_equal(id[i], 0);
        assert_true(flow_eq(&at[i]->flow, &flow));
    }
    for (int i = 0; i < N; i++)
        assert_ptr_equal(pool_conn(&w.pool, id[i]), at[i]);
    assert_int_equal(w.pool.used, N);
    unmake(&w);
}

static void no_more_than_max(void **state)
{
    struct pool_world w;
    struct conn *c;

    (void)state;
    make(&w, 3);
    pool_take(&w.pool, &flow), pool_take(&w.pool, &flow);
    c = pool_take(&w.pool, &flow);
    assert_non_null(c);
    assert_null(pool_take(&w.pool, &flow));
    pool_give(&w.pool, c);
    assert_non_null(pool_take(&w.pool, &flow));
    assert_null(pool_take(&w.pool, &flow));
    unmake(&w);
}

static void an_id_given_back_names_nobody_for_254_uses_of_its_slot(void **state)
{
    struct pool_world w;
    struct conn *c;
    uint32_t first;

    (void)state;
    make(&w, 1);
    c = pool_take(&w.pool, &flow);
    first = c->id;
    for (int i = 1; i < 255; i++) {
        pool_give(&w.pool, c);
        assert_null(pool_conn(&w.pool, first));
        c = pool_take(&w.pool, &flow);
        assert_int_not_equal(c->id, 0);
        assert_int_not_equal(c->id, first);
        assert_null(pool_conn(&w.pool, first));
    }
    pool_give(&w.pool, c);
    c = pool_take(&w.pool, &flow);
    assert_int_equal(c->id, first);
    unmake(&w);
}

static void an_id_out_of_nowhere_names_nobody(void **state)
{
    struct pool_world w;

    (void)state;
    make(&w, 10);
    assert_null(pool_conn(&w.pool, 0));
    assert_null(pool_conn(&w.pool, 1u << 24));
    assert_null(pool_conn(&w.pool, UINT32_MAX));
    pool_take(&w.pool, &flow);
    assert_null(pool_conn(&w.pool, 0));
    assert_null(pool_conn(&w.pool, 1));
    assert_null(pool_conn(&w.pool, 2u << 24));
    unmake(&w);
}

static void hooks_are_clean_in_a_slot_used_again(void **state)
{
    struct pool_world w;
    struct conn *c;

    (void)state;
    make(&w, 2);
    c = pool_take(&w.pool, &flow);
    c->hook.marks = 255;
    c->hook.wheel_slot = 9;
    c->hook.ready_next = c->hook.ready_prev = c->hook.wheel_next = c->hook.wheel_prev = 7;
    pool_give(&w.pool, c);
    c = pool_take(&w.pool, &flow);
    assert_int_equal(c->hook.marks | c->hook.wheel_slot, 0);
    assert_int_equal(c->hook.ready_next | c->hook.ready_prev, 0);
    assert_int_equal(c->hook.wheel_next | c->hook.wheel_prev, 0);
    unmake(&w);
}

/* Lets `left` allocations succeed and the rest fail. */
static void *failing(void *ctx, void *old, size_t old_size, size_t new_size)
{
    int *left = ctx;

    (void)old_size;
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    return (*left)-- > 0 ? realloc(old, new_size) : NULL;
}

static void each_allocation_may_fail_and_be_tried_again(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 12; allowed++) {
        struct pool_world w;
        int left = allowed, taken = 0;

        make(&w, 4000);
        w.env.resize = failing;
        w.env.resize_ctx = &left;
        while (taken < 4000 && pool_take(&w.pool, &flow))
            taken++;
        assert_true(taken < 4000);
        assert_int_equal(w.pool.used, taken);
        left = 1000;
        for (; taken < 4000; taken++)
            assert_non_null(pool_take(&w.pool, &flow));
        unmake(&w);
    }
}

static void memory_stays_below_the_bound(void **state)
{
    struct pool_world w;
    int taken = 0;

    (void)state;
    make(&w, 100000);
    w.env.mem_max = 300000;
    while (pool_take(&w.pool, &flow))
        taken++;
    assert_in_range(taken, 256, 300000 / (int)sizeof(struct conn));
    assert_true(w.env.mem_used <= w.env.mem_max);
    unmake(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_never_move_and_are_found_by_id),
        cmocka_unit_test(no_more_than_max),
        cmocka_unit_test(an_id_given_back_names_nobody_for_254_uses_of_its_slot),
        cmocka_unit_test(an_id_out_of_nowhere_names_nobody),
        cmocka_unit_test(hooks_are_clean_in_a_slot_used_again),
        cmocka_unit_test(each_allocation_may_fail_and_be_tried_again),
        cmocka_unit_test(memory_stays_below_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
