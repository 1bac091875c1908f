/* Tests what each ICMP error means for TCP, by the type and code of both families. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/icmp.h"

static void rfc5461_2_2_these_are_hard_and_no_others(void **state)
{
    static const struct {
        int v6, type, code;
    } hard[] = {{0, 3, 2}, {0, 3, 3}, {0, 3, 9}, {0, 3, 10}, {0, 3, 13},
                {1, 1, 1}, {1, 1, 4}, {1, 1, 5}, {1, 1, 6},  {1, 4, 1}};

    (void)state;
    for (int v6 = 0; v6 < 2; v6++)
        for (int type = 0; type < 256; type++)
            for (int code = 0; code < 256; code++) {
                bool is = false;

                for (size_t i = 0; i < sizeof hard / sizeof *hard; i++)
                    is |= hard[i].v6 == v6 && hard[i].type == type && hard[i].code == code;
                assert_int_equal(icmp_meaning(v6, (uint8_t)type, (uint8_t)code) == ICMP_HARD, is);
            }
}

static void rfc1122_4_2_3_9_unreachable_and_time_exceeded_are_soft(void **state)
{
    (void)state;
    assert_int_equal(icmp_meaning(false, 3, 0), ICMP_SOFT);
    assert_int_equal(icmp_meaning(false, 3, 1), ICMP_SOFT);
    assert_int_equal(icmp_meaning(false, 3, 5), ICMP_SOFT);
    assert_int_equal(icmp_meaning(false, 11, 0), ICMP_SOFT);
    assert_int_equal(icmp_meaning(false, 11, 1), ICMP_SOFT);
    assert_int_equal(icmp_meaning(false, 12, 0), ICMP_SOFT);
    assert_int_equal(icmp_meaning(true, 1, 0), ICMP_SOFT);
    assert_int_equal(icmp_meaning(true, 1, 3), ICMP_SOFT);
    assert_int_equal(icmp_meaning(true, 3, 0), ICMP_SOFT);
    assert_int_equal(icmp_meaning(true, 3, 1), ICMP_SOFT);
}

static void rfc1191_and_8201_too_big(void **state)
{
    (void)state;
    assert_int_equal(icmp_meaning(false, 3, 4), ICMP_TOO_BIG);
    assert_int_equal(icmp_meaning(true, 2, 0), ICMP_TOO_BIG);
    assert_int_equal(icmp_meaning(true, 2, 9), ICMP_TOO_BIG); /* RFC 4443, 3.2: code ignored */
    assert_int_equal(icmp_meaning(false, 2, 0), ICMP_NO_ERROR);
}

static void rfc6633_source_quench_says_nothing(void **state)
{
    (void)state;
    assert_int_equal(icmp_meaning(false, 4, 0), ICMP_NO_ERROR);
    assert_int_equal(icmp_meaning(false, 5, 1), ICMP_NO_ERROR);
    assert_int_equal(icmp_meaning(false, 8, 0), ICMP_NO_ERROR);
    assert_int_equal(icmp_meaning(true, 128, 0), ICMP_NO_ERROR);
    assert_int_equal(icmp_meaning(false, 3, 200), ICMP_NO_ERROR);
}

static void every_message_that_means_something_has_words(void **state)
{
    (void)state;
    assert_string_equal(icmp_text(false, 3, 3), "port unreachable");
    assert_string_equal(icmp_text(false, 3, 13), "administratively prohibited");
    assert_string_equal(icmp_text(true, 1, 4), "port unreachable");
    for (int v6 = 0; v6 < 2; v6++)
        for (int type = 0; type < 256; type++)
            for (int code = 0; code < 256; code++) {
                const char *text = icmp_text(v6, (uint8_t)type, (uint8_t)code);

                assert_non_null(text);
                if (icmp_meaning(v6, (uint8_t)type, (uint8_t)code) != ICMP_NO_ERROR)
                    assert_string_not_equal(text, icmp_text(false, 255, 255));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc5461_2_2_these_are_hard_and_no_others),
        cmocka_unit_test(rfc1122_4_2_3_9_unreachable_and_time_exceeded_are_soft),
        cmocka_unit_test(rfc1191_and_8201_too_big),
        cmocka_unit_test(rfc6633_source_quench_says_nothing),
        cmocka_unit_test(every_message_that_means_something_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
