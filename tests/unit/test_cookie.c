/* Tests SYN cookies: they are valid for the peers that got them, for a limited time, and for no one
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/core/cookie.h"

static const struct siphash_key key = {{0x1122334455667788, 0x99aabbccddeeff00}};
static const struct flow flow = {
    .local = {{192, 0, 2, 1}}, .remote = {{192, 0, 2, 2}}, .lport = 80, .rport = 40000};
static const struct seq irs = {0xfffffffe};

static uint16_t there_and_back(uint16_t mss)
{
    return cookie_check(&key, WAVE_S, &flow, irs, cookie_make(&key, WAVE_S, &flow, irs, mss));
}

static void rfc4987_a_the_mss_comes_back_rounded_down(void **state)
{
    uint16_t last = 0;

    (void)state;
    assert_int_equal(there_and_back(1460), 1460);
    assert_int_equal(there_and_back(1459), 1440);
    assert_int_equal(there_and_back(536), 536);
    assert_int_equal(there_and_back(65495), 8940);
    assert_int_equal(there_and_back(0), 88);
    for (unsigned mss = 88; mss < 65536; mss++) {
        const uint16_t back = there_and_back((uint16_t)mss);

        assert_true(back <= mss && back >= last);
        last = back;
    }
}

static void a_cookie_lives_a_minute_and_two_at_most(void **state)
{
    (void)state;
    for (wave_time born = 0; born < 3 * COOKIE_LIFE; born += 7 * WAVE_S) {
        const struct seq iss = cookie_make(&key, born, &flow, irs, 1460);

        assert_int_equal(cookie_check(&key, born, &flow, irs, iss), 1460);
        assert_int_equal(cookie_check(&key, born + COOKIE_LIFE, &flow, irs, iss), 1460);
        assert_int_equal(cookie_check(&key, born + 2 * COOKIE_LIFE, &flow, irs, iss), 0);
        assert_int_equal(cookie_check(&key, born + 1000 * COOKIE_LIFE, &flow, irs, iss), 0);
    }
}

static void another_flow_number_or_key_is_refused(void **state)
{
    const struct seq iss = cookie_make(&key, WAVE_S, &flow, irs, 1460);
    const struct siphash_key other = {{1, 2}};
    struct flow f = flow;
    uint8_t *byte = (uint8_t *)&f;

    (void)state;
    assert_int_equal(cookie_check(&other, WAVE_S, &flow, irs, iss), 0);
    assert_int_equal(cookie_check(&key, WAVE_S, &flow, seq_add(irs, 1), iss), 0);
    assert_int_equal(cookie_check(&key, WAVE_S, &flow, seq_sub(irs, 1), iss), 0);
    for (size_t i = 0; i < offsetof(struct flow, zero); i++) {
        byte[i] ^= 1;
        assert_int_equal(cookie_check(&key, WAVE_S, &f, irs, iss), 0);
        byte[i] ^= 1;
    }
    for (unsigned bit = 0; bit < 32; bit++)
        assert_int_equal(cookie_check(&key, WAVE_S, &flow, irs, seq_of(iss.v ^ 1u << bit)), 0);
}

/* A blind guess meets one of 2 slots times 8 sizes in 2^32: none in a million, but for a chance of
 * 1 in 250, and with a fixed key it is the same every time. */
static void guesses_are_refused(void **state)
{
    uint32_t x = 2463534242;

    (void)state;
    for (int i = 0; i < 1000000; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        assert_int_equal(cookie_check(&key, WAVE_S, &flow, irs, seq_of(x)), 0);
    }
}

static void options_travel_in_the_timestamp(void **state)
{
    (void)state;
    for (uint32_t clock = 0xffffffc0u - 70; clock != 200; clock++)
        for (unsigned wscale = 0; wscale < 17; wscale++)
            for (unsigned bits = 0; bits < 4; bits++) {
                struct opt syn = {.has = OPT_MSS | OPT_TIMESTAMP}, back = {.has = OPT_MSS};
                const bool ecn = bits & 1, sack = bits & 2;
                uint32_t tsval;

                if (wscale < 16)
                    syn.has |= OPT_WSCALE, syn.wscale = (uint8_t)wscale;
                if (sack)
                    syn.has |= OPT_SACK_PERMITTED;
                tsval = cookie_tsval(clock, &syn, ecn);
                /* RFC 7323, 5.3: never ahead, or what follows would be taken for old. */
                assert_true(clock - tsval <= 63);
                assert_int_equal(cookie_tsecr(tsval, &back), ecn);
                assert_int_equal(back.has & OPT_SACK_PERMITTED, syn.has & OPT_SACK_PERMITTED);
                assert_int_equal(back.has & OPT_WSCALE, syn.has & OPT_WSCALE);
                assert_int_equal(back.has & OPT_MSS, OPT_MSS);
                if (wscale < 16)
                    assert_int_equal(back.wscale, wscale < 14 ? wscale : 14);
            }
}

static void rfc7323_5_4_the_clocks_offset_is_one_for_each_pair_of_hosts(void **state)
{
    struct flow f = flow;

    (void)state;
    f.rport = 1;
    assert_int_equal(cookie_ts_offset(&key, &f), cookie_ts_offset(&key, &flow));
    f.remote.byte[3]++;
    assert_int_not_equal(cookie_ts_offset(&key, &f), cookie_ts_offset(&key, &flow));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc4987_a_the_mss_comes_back_rounded_down),
        cmocka_unit_test(a_cookie_lives_a_minute_and_two_at_most),
        cmocka_unit_test(another_flow_number_or_key_is_refused),
        cmocka_unit_test(guesses_are_refused),
        cmocka_unit_test(options_travel_in_the_timestamp),
        cmocka_unit_test(rfc7323_5_4_the_clocks_offset_is_one_for_each_pair_of_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
