/* Tests the flow table against a plain list of what should be in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/core/err.h"
#include "lib/core/flow_table.h"

static struct env env;
static struct pool pool;
static struct flow_table table;

static int make(void **state)
{
    struct conn_config config;

    (void)state;
    conn_config_default(&config, 1500, false);
    env_init(&env, &config, 1);
    pool_init(&pool, &env, POOL_MAX);
    flow_table_init(&table, &env, (struct siphash_key){{1, 2}});
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    flow_table_free(&table);
    pool_free(&pool);
    assert_int_equal(env.mem_used, 0);
    return 0;
}

static struct flow flow_of(uint32_t n)
{
    return (struct flow){.local = {{10, 0, 0, 1}},
                         .remote = {{10, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16)}},
                         .lport = (uint16_t)n,
                         .rport = 80};
}

static struct conn *find(uint32_t n)
{
    const struct flow f = flow_of(n);

    return flow_table_find(&table, &pool, &f, flow_table_hash(&table, &f));
}

/* `hash` instead of the flow's own, where a test wants collisions. */
static struct conn *add(uint32_t n, uint32_t hash)
{
    const struct flow f = flow_of(n);
    struct conn *c = pool_take(&pool, &f);

    assert_non_null(c);
    assert_int_equal(flow_table_add(&table, hash, c->id), 0);
    return c;
}

static void an_empty_table_has_nobody(void **state)
{
    (void)state;
    assert_null(find(1));
    flow_table_remove(&table, 1, 1);
}

static void a_hundred_thousand_are_found_and_nobody_else(void **state)
{
    enum { N = 100000 };
    static struct conn *c[N];

    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        const struct flow f = flow_of(i);
        c[i] = add(i, flow_table_hash(&table, &f));
    }
    for (uint32_t i = 0; i < N; i++)
        assert_ptr_equal(find(i), c[i]);
    for (uint32_t i = N; i < 2 * N; i++)
        assert_null(find(i));
    assert_true(table.used * 3 >= table.room && table.used * 3 <= table.room * 2 + 3);
    for (uint32_t i = 0; i < N; i += 2)
        flow_table_remove(&table, flow_table_hash(&table, &c[i]->flow), c[i]->id);
    for (uint32_t i = 0; i < N; i++)
        assert_ptr_equal(find(i), i % 2 ? c[i] : NULL);
    assert_int_equal(table.used, N / 2);
}

/* The hashes have few values, so that runs are long, overlap and wrap round the end. An entry must
 * be found from when it is added until it is removed, and not after. */
static void random_additions_and_removals_under_heavy_collision(void **state)
{
    enum { N = 40 };
    struct conn *c[N] = {NULL};
    uint32_t hash[N], x = 88172645;

    (void)state;
    for (int i = 0; i < N; i++)
        hash[i] = i % 5 == 0 ? 63u : i % 5 == 1 ? 62u + 64 : i % 5 == 2 ? 0u : (uint32_t)i * 7;
    for (int round = 0; round < 100000; round++) {
        uint32_t n;

        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        n = x % N;
        if (c[n]) {
            flow_table_remove(&table, hash[n], c[n]->id);
            pool_give(&pool, c[n]);
            c[n] = NULL;
        } else {
            c[n] = add(n, hash[n]);
        }
        for (uint32_t i = 0; i < N; i++) {
            const struct flow f = flow_of(i);
            assert_ptr_equal(flow_table_find(&table, &pool, &f, hash[i]), c[i]);
        }
    }
}

static void equal_hashes_are_told_apart_by_their_flows(void **state)
{
    struct conn *a = add(1, 5), *b = add(2, 5);
    const struct flow fa = flow_of(1), fb = flow_of(2), fc = flow_of(3);

    (void)state;
    assert_ptr_equal(flow_table_find(&table, &pool, &fa, 5), a);
    assert_ptr_equal(flow_table_find(&table, &pool, &fb, 5), b);
    assert_null(flow_table_find(&table, &pool, &fc, 5));
    flow_table_remove(&table, 5, a->id);
    flow_table_remove(&table, 5, a->id); /* a second time does nothing */
    assert_null(flow_table_find(&table, &pool, &fa, 5));
    assert_ptr_equal(flow_table_find(&table, &pool, &fb, 5), b);
}

static void another_key_gives_other_hashes(void **state)
{
    struct flow_table other;
    const struct flow f = flow_of(1);

    (void)state;
    flow_table_init(&other, &env, (struct siphash_key){{1, 3}});
    assert_int_not_equal(flow_table_hash(&table, &f), flow_table_hash(&other, &f));
}

/* A peer that walks its ports, which are the low bits, must not fill one corner of the table: with
 * even spread the longest run of a table two thirds full stays short. */
static void walking_ports_spread_evenly(void **state)
{
    unsigned run = 0, longest = 0;

    (void)state;
    for (uint32_t i = 0; i < 40000; i++) {
        const struct flow f = flow_of(i);
        add(i, flow_table_hash(&table, &f));
    }
    for (uint32_t i = 0; i < 2 * table.room; i++) {
        run = table.entry[i % table.room].id ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    assert_true(longest < 200);
}

static void without_memory_it_fills_up_and_then_says_no(void **state)
{
    uint32_t n = 0;
    struct conn *c;

    (void)state;
    add(n++, 0);
    while (pool.made < 150)
        pool_take(&pool, &(struct flow){.lport = 9});
    env.mem_max = env.mem_used; /* no more */
    for (;; n++) {
        const struct flow f = flow_of(n);

        c = pool_take(&pool, &f);
        assert_non_null(c);
        if (flow_table_add(&table, flow_table_hash(&table, &f), c->id) != 0)
            break;
        assert_ptr_equal(find(n), c);
    }
    assert_int_equal(n, 60); /* of 64: an empty one is left for searches to end at */
    assert_null(find(n));
    env.mem_max = SIZE_MAX;
    assert_int_equal(flow_table_add(&table, flow_table_hash(&table, &c->flow), c->id), 0);
    assert_ptr_equal(find(n), c);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_empty_table_has_nobody),
        CASE(a_hundred_thousand_are_found_and_nobody_else),
        CASE(random_additions_and_removals_under_heavy_collision),
        CASE(equal_hashes_are_told_apart_by_their_flows),
        CASE(another_key_gives_other_hashes),
        CASE(walking_ports_spread_evenly),
        CASE(without_memory_it_fills_up_and_then_says_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
