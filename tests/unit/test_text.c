/* Tests the numbers, sizes, durations and escapes of the command line: which are accepted and which
 * are rejected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/err.h"
#include "lib/core/text.h"

#define UNTOUCHED 0xdeadbeefu

static void numbers_are_digits_and_nothing_else(void **state)
{
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "+1",
                                      "-1",
                                      "1e3",
                                      "1.0",
                                      "a",
                                      "0x",
                                      "x10",
                                      "0xg",
                                      "0x1g",
                                      "0x1 ",
                                      "0x 1",
                                      "0X1",
                                      "00x1",
                                      "-0x1",
                                      "18446744073709551616",
                                      "0x10000000000000000"};
    uint64_t n = UNTOUCHED;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(text_number(bad[i], &n), WAVE_EINVAL);
        assert_int_equal(n, UNTOUCHED);
    }
    assert_int_equal(text_number("18446744073709551615", &n), 0);
    assert_true(n == UINT64_MAX);
    assert_int_equal(text_number("007", &n), 0);
    assert_int_equal(n, 7);
    assert_int_equal(text_number("0x10", &n), 0);
    assert_int_equal(n, 16);
    assert_int_equal(text_number("0x0", &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(text_number("0xdeadBEEF", &n), 0);
    assert_int_equal(n, 0xdeadbeef);
    assert_int_equal(text_number("0x00ffffffffffffffff", &n), 0);
    assert_true(n == UINT64_MAX);
}

static void sizes_take_binary_suffixes(void **state)
{
    static const char *const bad[] = {"", "k", "4kB", "4 k", "4T", "-4k", "18014398509481984k"};
    uint64_t n = UNTOUCHED;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(text_size(bad[i], &n), WAVE_EINVAL);
        assert_int_equal(n, UNTOUCHED);
    }
    assert_int_equal(text_size("3", &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(text_size("4k", &n), 0);
    assert_int_equal(n, 4096);
    assert_int_equal(text_size("4K", &n), 0);
    assert_int_equal(n, 4096);
    assert_int_equal(text_size("4M", &n), 0);
    assert_int_equal(n, 4194304);
    assert_int_equal(text_size("0x10k", &n), 0);
    assert_int_equal(n, 16384);
    assert_int_equal(text_size("1G", &n), 0);
    assert_int_equal(n, 1073741824);
}

static void durations_are_read_to_the_nanosecond(void **state)
{
    static const struct {
        const char *text;
        wave_time t;
    } good[] = {{"0", 0},
                {"5", 5 * WAVE_S},
                {"0.5", WAVE_S / 2},
                {".5", WAVE_S / 2},
                {"75s", 75 * WAVE_S},
                {"250us", 250 * WAVE_US},
                {"1.5ms", 1500 * WAVE_US},
                {"0.1us", 100},
                {"0.0001us", 0},
                {"0.000000001", 1},
                {"10m", 10 * WAVE_MIN},
                {"2h", 2 * WAVE_H},
                {"1.25h", 75 * WAVE_MIN},
                {"0.333333333333333333333333s", 333333333},
                {"18446744073.709551614", WAVE_NEVER - 1}};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        wave_time t = UNTOUCHED;
        assert_int_equal(text_duration(good[i].text, &t), 0);
        assert_true(t == good[i].t);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "s",
                                      ".",
                                      "1.",
                                      ".s",
                                      "1.s",
                                      "-1",
                                      "-1s",
                                      "+1",
                                      "1e3",
                                      "nan",
                                      "inf",
                                      "0x10",
                                      "1 s",
                                      " 1",
                                      "1s ",
                                      "1S",
                                      "1d",
                                      "1ns",
                                      "1sec",
                                      "1s2",
                                      "1..5",
                                      "1.5.2",
                                      "1,5s",
                                      "1m30s",
                                      "5124096h",
                                      "18446744073.709551615",
                                      "18446744074",
                                      "99999999999999999999999"};
    wave_time t = UNTOUCHED;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(text_duration(bad[i], &t), WAVE_EINVAL);
        assert_int_equal(t, UNTOUCHED);
    }
}

static void a_duration_is_written_as_it_is_read(void **state)
{
    static const struct {
        wave_time t;
        const char *text;
    } shown[] = {{0, "0s"},
                 {WAVE_NEVER, "never"},
                 {2 * WAVE_H, "2h"},
                 {90 * WAVE_S, "90s"},
                 {75 * WAVE_MIN, "75m"},
                 {1500 * WAVE_US, "1500us"},
                 {1, "0.001us"},
                 {1500, "1.5us"},
                 {WAVE_NEVER - 1, "18446744073709551.614us"}};
    char text[TEXT_DURATION];
    wave_time again;

    (void)state;
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        assert_string_equal(text_duration_format(shown[i].t, text), shown[i].text);
        if (shown[i].t != WAVE_NEVER) {
            assert_int_equal(text_duration(shown[i].text, &again), 0);
            assert_true(again == shown[i].t);
        }
    }
}

static void escapes_become_bytes(void **state)
{
    char text[] = "a\\r\\n\\t\\0\\x00\\xfF\\\\n\303\244";
    static const char want[] = "a\r\n\t\0\0\377\\n\303\244";
    const char *why = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(text_unescape(text, &len, &why), 0);
    assert_int_equal(len, sizeof want - 1);
    assert_memory_equal(text, want, len);

    char empty[] = "";
    assert_int_equal(text_unescape(empty, &len, &why), 0);
    assert_int_equal(len, 0);
}

static void escapes_that_are_none_are_refused_and_named(void **state)
{
    static const struct {
        const char *text, *names;
    } bad[] = {{"a\\", "single backslash"}, {"\\q", "none of"},      {"\\\303\244", "none of"},
               {"\\x", "hexadecimal"},      {"\\x4", "hexadecimal"}, {"\\xg0", "hexadecimal"},
               {"\\x0g", "hexadecimal"},    {"\\012\\7", "none of"}};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[16];
        const char *why = NULL;
        size_t len = UNTOUCHED;
        strcpy(text, bad[i].text);
        assert_int_equal(text_unescape(text, &len, &why), WAVE_EINVAL);
        assert_int_equal(len, UNTOUCHED);
        assert_non_null(strstr(why, bad[i].names));
    }
}

static void distance_counts_single_mistakes(void **state)
{
    char a[200], b[200];

    (void)state;
    assert_int_equal(text_distance("", ""), 0);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("abc", ""), 3);
    assert_int_equal(text_distance("listen", "lisen"), 1);
    assert_int_equal(text_distance("listen", "lisstten"), 2);
    assert_int_equal(text_distance("listen", "liste"), 1);
    assert_int_equal(text_distance("listen", "lsiten"), 1);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    memset(a, 'a', sizeof a - 1);
    memset(b, 'b', sizeof b - 1);
    a[sizeof a - 1] = b[sizeof b - 1] = '\0';
    assert_int_equal(text_distance(a, b), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_digits_and_nothing_else),
        cmocka_unit_test(sizes_take_binary_suffixes),
        cmocka_unit_test(durations_are_read_to_the_nanosecond),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(a_duration_is_written_as_it_is_read),
        cmocka_unit_test(escapes_become_bytes),
        cmocka_unit_test(escapes_that_are_none_are_refused_and_named),
        cmocka_unit_test(distance_counts_single_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
