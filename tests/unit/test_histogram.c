/* Tests the histogram of durations against the same quantiles of the sorted values. */
#include "lib/core/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sim/prng.h"

static struct histogram histogram;

static int empty(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof histogram);
    return 0;
}

static void of_none_nothing_is_known(void **state)
{
    (void)state;
    assert_true(histogram_percentile(&histogram, 50) == WAVE_NEVER);
}

static void of_one_every_quantile_is_that_one(void **state)
{
    (void)state;
    histogram_add(&histogram, 123456789);
    for (unsigned p = 1; p <= 100; p++)
        assert_int_equal(histogram_percentile(&histogram, p), 123456789);
}

static void the_ends_are_exact(void **state)
{
    (void)state;
    histogram_add(&histogram, 1000003);
    histogram_add(&histogram, 17);
    histogram_add(&histogram, 999999999999);
    assert_int_equal(histogram.min, 17);
    assert_int_equal(histogram.max, 999999999999);
}

static void below_128_ns_every_value_is_exact(void **state)
{
    (void)state;
    for (wave_time t = 0; t < 100; t++)
        histogram_add(&histogram, t);
    for (unsigned p = 1; p <= 100; p++)
        assert_int_equal(histogram_percentile(&histogram, p), p - 1);
}

static void the_longest_duration_there_is_has_a_bucket(void **state)
{
    (void)state;
    histogram_add(&histogram, 0);
    histogram_add(&histogram, WAVE_NEVER - 1);
    histogram_add(&histogram, WAVE_NEVER - 1);
    assert_int_equal(histogram.bucket[HISTOGRAM_BUCKETS - 1], 2);
}

static int order(const void *a, const void *b)
{
    wave_time x = *(const wave_time *)a, y = *(const wave_time *)b;

    return x < y ? -1 : x > y;
}

#define MANY 5000

static void quantiles_are_within_half_a_percent(void **state)
{
    static wave_time value[MANY];
    struct prng random = {.state = 7};

    (void)state;
    for (unsigned i = 0; i < MANY; i++) { /* from nanoseconds to hours, each size as often */
        value[i] = prng_next(&random) >> (20 + prng_next(&random) % 40);
        histogram_add(&histogram, value[i]);
    }
    qsort(value, MANY, sizeof value[0], order);
    for (unsigned p = 1; p <= 100; p++) {
        wave_time exact = value[(MANY * p + 99) / 100 - 1],
                  told = histogram_percentile(&histogram, p);
        wave_time off = told > exact ? told - exact : exact - told;
        assert_true(off <= exact / 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(of_none_nothing_is_known, empty),
        cmocka_unit_test_setup(of_one_every_quantile_is_that_one, empty),
        cmocka_unit_test_setup(the_ends_are_exact, empty),
        cmocka_unit_test_setup(below_128_ns_every_value_is_exact, empty),
        cmocka_unit_test_setup(the_longest_duration_there_is_has_a_bucket, empty),
        cmocka_unit_test_setup(quantiles_are_within_half_a_percent, empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
