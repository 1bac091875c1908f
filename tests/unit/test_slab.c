/* Tests the slab: items that never move, and lists of them by number. */
#include "lib/run/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sim/prng.h"

#define MANY 3000

struct item {
    uint32_t value;
    struct slab_link link, other;
};

static struct slab slab;
static struct slab_list list, other;

static int empty(void **state)
{
    (void)state;
    slab_init(&slab, sizeof(struct item));
    list = (struct slab_list){.link = offsetof(struct item, link)};
    other = (struct slab_list){.link = offsetof(struct item, other)};
    return 0;
}

static int emptied(void **state)
{
    (void)state;
    slab_free(&slab);
    return 0;
}

static uint32_t taken(uint32_t value)
{
    uint32_t number;
    struct item *i = slab_take(&slab, &number);

    assert_non_null(i);
    assert_ptr_equal(i, slab_at(&slab, number));
    i->value = value;
    return number;
}

static uint32_t value_of(uint32_t number)
{
    return ((const struct item *)slab_at(&slab, number))->value;
}

static void no_number_is_no_item(void **state)
{
    (void)state;
    assert_null(slab_at(&slab, SLAB_NONE));
    assert_int_not_equal(taken(1), SLAB_NONE);
}

static void items_never_move(void **state)
{
    static void *at[MANY];
    static uint32_t number[MANY];

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        number[i] = taken(i);
        at[i] = slab_at(&slab, number[i]);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        assert_ptr_equal(slab_at(&slab, number[i]), at[i]);
        assert_int_equal(value_of(number[i]), i);
    }
}

static void one_given_back_is_taken_next_and_is_zero(void **state)
{
    static const struct item zero;

    (void)state;
    uint32_t a = taken(1), b = taken(2), again;
    taken(3);
    slab_give(&slab, a);
    slab_give(&slab, b);
    const struct item *i = slab_take(&slab, &again);
    assert_int_equal(again, b);
    assert_memory_equal(i, &zero, sizeof zero);
    slab_take(&slab, &again);
    assert_int_equal(again, a);
    assert_int_equal(taken(4), 4); /* nothing is left over: a new one */
}

/* The list is what is expected, read from either end. */
static void holds(const struct slab_list *l, const uint32_t *expected, unsigned n)
{
    uint32_t at = l->first;

    for (unsigned i = 0; i < n; i++, at = slab_next(&slab, l, at))
        assert_int_equal(at, expected[i]);
    assert_int_equal(at, SLAB_NONE);
    at = l->last;
    for (unsigned i = n; i-- > 0; at = slab_prev(&slab, l, at))
        assert_int_equal(at, expected[i]);
    assert_int_equal(at, SLAB_NONE);
}

static void a_list_keeps_the_order_in_which_items_came(void **state)
{
    (void)state;
    const uint32_t none[1] = {0};
    uint32_t a = taken(1), b = taken(2), c = taken(3);
    holds(&list, none, 0);
    slab_append(&slab, &list, b);
    slab_append(&slab, &list, a);
    slab_append(&slab, &list, c);
    holds(&list, (uint32_t[]){b, a, c}, 3);
    slab_remove(&slab, &list, a); /* from the middle, the front, the end */
    holds(&list, (uint32_t[]){b, c}, 2);
    slab_append(&slab, &list, a);
    slab_remove(&slab, &list, b);
    holds(&list, (uint32_t[]){c, a}, 2);
    slab_remove(&slab, &list, a);
    holds(&list, (uint32_t[]){c}, 1);
    slab_remove(&slab, &list, c);
    holds(&list, none, 0);
}

static void an_item_may_be_in_several_lists(void **state)
{
    (void)state;
    uint32_t a = taken(1), b = taken(2);
    slab_append(&slab, &list, a);
    slab_append(&slab, &list, b);
    slab_append(&slab, &other, b);
    slab_append(&slab, &other, a);
    slab_remove(&slab, &list, a);
    holds(&list, (uint32_t[]){b}, 1);
    holds(&other, (uint32_t[]){b, a}, 2);
}

/* Random comings and goings, against a plain array. */
static void it_holds_what_an_array_would(void **state)
{
    static uint32_t model[64];
    struct prng random = {.state = 3};
    unsigned n = 0;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        bool add = n == 0 || (n < 64 && prng_next(&random) % 2);
        if (add) {
            model[n] = taken(round);
            slab_append(&slab, &list, model[n]);
            n++;
        } else {
            unsigned i = (unsigned)(prng_next(&random) % n);
            slab_remove(&slab, &list, model[i]);
            slab_give(&slab, model[i]);
            memmove(&model[i], &model[i + 1], (n - i - 1) * sizeof model[0]);
            n--;
        }
        holds(&list, model, n);
    }
    assert_true(slab.made <= 64); /* those given back were used */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_number_is_no_item, empty, emptied),
        cmocka_unit_test_setup_teardown(items_never_move, empty, emptied),
        cmocka_unit_test_setup_teardown(one_given_back_is_taken_next_and_is_zero, empty, emptied),
        cmocka_unit_test_setup_teardown(a_list_keeps_the_order_in_which_items_came, empty, emptied),
        cmocka_unit_test_setup_teardown(an_item_may_be_in_several_lists, empty, emptied),
        cmocka_unit_test_setup_teardown(it_holds_what_an_array_would, empty, emptied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
