/* Tests quantities and addresses in the form in which people read them: what is written digit by
 * digit is what printf(3) would write, and its end is where it is said to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/addr.h"
#include "lib/report/human.h"

/* Calls `check` with numbers of every length, next to each power of ten and between them. */
static void for_numbers(void (*check)(uint64_t n))
{
    uint64_t x = 4711;

    for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10)
        for (unsigned i = 0; i < 40; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            check(power - 1 + i % 3);
            check(power + x % (9 * power));
        }
    check(UINT64_MAX);
}

static void has_digits(uint64_t n)
{
    char text[64], wanted[64];

    for (unsigned least = 0; least <= 9; least++) {
        char *end = human_digits(text, n, least);
        *end = '\0';
        snprintf(wanted, sizeof wanted, "%0*llu", (int)least, (unsigned long long)n);
        assert_string_equal(text, wanted);
    }
}

static void digits_are_those_of_printf(void **state)
{
    (void)state;
    for_numbers(has_digits);
}

static void has_commas(uint64_t n)
{
    char text[HUMAN_TEXT], wanted[64] = "", part[8];

    for (uint64_t unit = 1000000000000000000u; unit; unit /= 1000) {
        if (n < unit && unit > 1)
            continue;
        snprintf(part, sizeof part, wanted[0] ? ",%03u" : "%u", (unsigned)(n / unit % 1000));
        strcat(wanted, part);
    }
    assert_string_equal(human_count(n, text), wanted);
}

static void counts_have_commas(void **state)
{
    (void)state;
    for_numbers(has_commas);
}

static void has_bytes(uint64_t n)
{
    char text[HUMAN_TEXT], count[HUMAN_TEXT], wanted[64];

    snprintf(wanted, sizeof wanted, "%s byte%s", human_count(n, count), n == 1 ? "" : "s");
    if (n < 10000)
        assert_string_equal(human_bytes(n, text), wanted);
    const char *end = human_bytes_end(n, text);
    assert_ptr_equal(end, text + strlen(text));
}

static void bytes_have_their_unit(void **state)
{
    char text[HUMAN_TEXT];

    (void)state;
    for_numbers(has_bytes);
    assert_string_equal(human_bytes(10000, text), "9.8 KiB");
    assert_string_equal(human_bytes(8 << 20, text), "8.0 MiB");
    assert_string_equal(human_bytes(UINT64_MAX, text), "16777216.0 TiB");
}

static void has_duration(uint64_t n)
{
    char text[HUMAN_TEXT], wanted[64];
    const wave_time t = n % (2 * WAVE_MIN);
    const unsigned long us = (unsigned long)((t + 500) / 1000);
    const unsigned long tenths = (unsigned long)((t + 50000) / 100000);
    const unsigned long hundredths = (unsigned long)((t + 5000000) / 10000000);

    if (t < 10 * WAVE_MS)
        snprintf(wanted, sizeof wanted, "%lu.%03lu ms", us / 1000, us % 1000);
    else if (t + 50 * WAVE_US < WAVE_S)
        snprintf(wanted, sizeof wanted, "%lu.%lu ms", tenths / 10, tenths % 10);
    else
        snprintf(wanted, sizeof wanted, "%lu.%02lu s", hundredths / 100, hundredths % 100);
    assert_string_equal(human_duration(t, text), wanted);
    const char *end = human_duration_end(n, text);
    assert_ptr_equal(end, text + strlen(text));
}

static void durations_are_rounded(void **state)
{
    char text[HUMAN_TEXT];

    (void)state;
    for_numbers(has_duration);
    assert_string_equal(human_duration(WAVE_S - 15 * WAVE_US, text), "1.00 s");
    assert_string_equal(human_duration(WAVE_S - 51 * WAVE_US, text), "999.9 ms");
    assert_string_equal(human_duration(2 * WAVE_MIN, text), "2 min 0 s");
    assert_string_equal(human_duration(2 * WAVE_H + 11 * WAVE_MIN + 15 * WAVE_S, text),
                        "2 h 11 min 15 s");
    assert_string_equal(human_duration(WAVE_NEVER, text), "for ever");
}

static void every_port_and_every_byte(void **state)
{
    char text[ADDR_PORT_TEXT], wanted[ADDR_PORT_TEXT];

    (void)state;
    for (unsigned port = 0; port < 65536; port++) {
        const uint8_t n = (uint8_t)(port >> 8), m = (uint8_t)port;
        const struct addr addr = addr_v4(n, m, (uint8_t)~m, (uint8_t)(n ^ 0x55));

        snprintf(wanted, sizeof wanted, "%u.%u.%u.%u:%u", n, m, (uint8_t)~m, (unsigned)n ^ 0x55,
                 port);
        assert_ptr_equal(addr_port_end(false, &addr, (uint16_t)port, text), text + strlen(wanted));
        assert_string_equal(text, wanted);
    }
    const struct addr v6 = {{0x20, 1, 0xd, 0xb8, [15] = 1}};
    assert_ptr_equal(addr_port_end(true, &v6, 443, text), text + strlen("[2001:db8::1]:443"));
    assert_string_equal(text, "[2001:db8::1]:443");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_those_of_printf), cmocka_unit_test(counts_have_commas),
        cmocka_unit_test(bytes_have_their_unit),      cmocka_unit_test(durations_are_rounded),
        cmocka_unit_test(every_port_and_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
