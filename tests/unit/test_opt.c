/* Tests TCP options: those that hosts send are parsed and written byte by byte, and malformed ones
 * do no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/opt.h"

#define BYTES(...)                                                                                 \
    (const uint8_t[])                                                                              \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define PARSE(o, ...) opt_parse(BYTES(__VA_ARGS__), sizeof BYTES(__VA_ARGS__), (o))

/* A Linux SYN's options, as it orders them. */
static const uint8_t linux_syn[] = {2,    4,    0x05, 0xb4, 4, 2, 8, 10, 0x12, 0x34,
                                    0x56, 0x78, 0,    0,    0, 0, 1, 3,  3,    7};

static void a_linux_syn_is_read(void **state)
{
    struct opt o;

    (void)state;
    opt_parse(linux_syn, sizeof linux_syn, &o);
    assert_int_equal(o.has, OPT_MSS | OPT_SACK_PERMITTED | OPT_TIMESTAMP | OPT_WSCALE);
    assert_int_equal(o.mss, 1460);
    assert_int_equal(o.wscale, 7);
    assert_int_equal(o.tsval, 0x12345678);
    assert_int_equal(o.tsecr, 0);
    assert_ptr_equal(o.raw, linux_syn);
    assert_int_equal(o.raw_len, sizeof linux_syn);
}

static void a_linux_syn_is_written(void **state)
{
    const struct opt o = {.has = OPT_MSS | OPT_SACK_PERMITTED | OPT_TIMESTAMP | OPT_WSCALE,
                          .mss = 1460,
                          .wscale = 7,
                          .tsval = 0x12345678};
    uint8_t bytes[OPT_BYTES_MAX];

    (void)state;
    assert_int_equal(opt_build(&o, bytes), sizeof linux_syn);
    assert_memory_equal(bytes, linux_syn, sizeof linux_syn);
}

static void timestamps_alone_stand_behind_two_nops(void **state)
{
    const struct opt o = {.has = OPT_TIMESTAMP, .tsval = 1, .tsecr = 0xfffffffe};
    uint8_t bytes[OPT_BYTES_MAX];

    (void)state;
    assert_int_equal(opt_build(&o, bytes), 12);
    assert_memory_equal(bytes, BYTES(1, 1, 8, 10, 0, 0, 0, 1, 255, 255, 255, 254), 12);
}

static void sack_permitted_without_timestamps_has_its_own_word(void **state)
{
    const struct opt o = {.has = OPT_MSS | OPT_SACK_PERMITTED, .mss = 536};
    uint8_t bytes[OPT_BYTES_MAX];

    (void)state;
    assert_int_equal(opt_build(&o, bytes), 8);
    assert_memory_equal(bytes, BYTES(2, 4, 2, 24, 1, 1, 4, 2), 8);
}

static struct opt with_sacks(unsigned has, unsigned n)
{
    struct opt o = {.has = (uint8_t)(has | OPT_SACK), .sacks = (uint8_t)n};

    for (unsigned i = 0; i < OPT_SACK_MAX; i++)
        o.sack[i] = (struct sack_block){seq_of(0xffffff00 + 256 * i), seq_of(0xffffff10 + 256 * i)};
    return o;
}

static void rfc2018_3_four_blocks_fit_alone_and_three_beside_timestamps(void **state)
{
    struct opt o = with_sacks(0, 4), back;
    uint8_t bytes[OPT_BYTES_MAX];

    (void)state;
    assert_int_equal(opt_build(&o, bytes), 36);
    opt_parse(bytes, 36, &back);
    assert_int_equal(back.has, OPT_SACK);
    assert_int_equal(back.sacks, 4);
    assert_memory_equal(back.sack, o.sack, sizeof o.sack);

    o = with_sacks(OPT_TIMESTAMP, 4);
    assert_int_equal(opt_build(&o, bytes), 40);
    opt_parse(bytes, 40, &back);
    assert_int_equal(back.has, OPT_SACK | OPT_TIMESTAMP);
    assert_int_equal(back.sacks, 3);
    assert_memory_equal(back.sack, o.sack, 3 * sizeof *o.sack);
}

static void a_sack_option_without_blocks_is_not_written(void **state)
{
    const struct opt o = with_sacks(0, 0);
    uint8_t bytes[OPT_BYTES_MAX];

    (void)state;
    assert_int_equal(opt_build(&o, bytes), 0);
    assert_int_equal(opt_size(&o), 0);
}

/* Over every combination of what opt_build() writes. */
static void every_combination_is_read_back_and_sized_right(void **state)
{
    const unsigned all = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_SACK | OPT_TIMESTAMP;

    (void)state;
    for (unsigned has = 0; has <= all; has++)
        for (unsigned n = 0; n <= OPT_SACK_MAX; n++) {
            struct opt o = with_sacks(has, n), back;
            uint8_t bytes[OPT_BYTES_MAX];
            size_t size;

            o.has = (uint8_t)has;
            o.mss = 9000, o.wscale = 14, o.tsval = 0xdeadbeef, o.tsecr = 0xfeedface;
            size = opt_build(&o, bytes);
            assert_int_equal(size, opt_size(&o));
            assert_true(size <= OPT_BYTES_MAX && size % 4 == 0);
            opt_parse(bytes, size, &back);
            assert_int_equal(back.has & ~OPT_SACK, has & ~OPT_SACK & all);
            assert_int_equal((back.has & OPT_SACK) != 0, back.sacks != 0);
            if (has & OPT_SACK)
                assert_true(back.sacks == n || size + 8 > OPT_BYTES_MAX);
            assert_memory_equal(back.sack, o.sack, back.sacks * sizeof *o.sack);
            if (has & OPT_MSS)
                assert_int_equal(back.mss, 9000);
            if (has & OPT_WSCALE)
                assert_int_equal(back.wscale, 14);
            if (has & OPT_TIMESTAMP)
                assert_true(back.tsval == 0xdeadbeef && back.tsecr == 0xfeedface);
        }
}

static void rfc9293_must_7_a_length_of_0_or_1_stops_reading(void **state)
{
    struct opt o;

    (void)state;
    PARSE(&o, 3, 3, 7, 77, 0, 2, 4, 5, 180);
    assert_int_equal(o.has, OPT_WSCALE | OPT_MALFORMED);
    PARSE(&o, 3, 3, 7, 77, 1, 2, 4, 5, 180);
    assert_int_equal(o.has, OPT_WSCALE | OPT_MALFORMED);
}

static void rfc9293_must_7_a_length_beyond_the_end_stops_reading(void **state)
{
    struct opt o;

    (void)state;
    PARSE(&o, 3, 3, 7, 2, 4, 5);
    assert_int_equal(o.has, OPT_WSCALE | OPT_MALFORMED);
    PARSE(&o, 3, 3, 7, 2);
    assert_int_equal(o.has, OPT_WSCALE | OPT_MALFORMED);
    PARSE(&o, 99, 255);
    assert_int_equal(o.has, OPT_MALFORMED);
}

static void a_known_kind_of_a_wrong_length_is_skipped_and_reading_goes_on(void **state)
{
    struct opt o;

    (void)state;
    PARSE(&o, 2, 3, 5, 3, 3, 7);
    assert_int_equal(o.has, OPT_WSCALE | OPT_MALFORMED);
    PARSE(&o, 3, 4, 7, 7, 2, 4, 5, 180);
    assert_int_equal(o.has, OPT_MSS | OPT_MALFORMED);
    PARSE(&o, 4, 3, 0, 2, 4, 5, 180);
    assert_int_equal(o.has, OPT_MSS | OPT_MALFORMED);
    PARSE(&o, 8, 9, 0, 0, 0, 0, 0, 0, 0, 2, 4, 5, 180);
    assert_int_equal(o.has, OPT_MSS | OPT_MALFORMED);
    PARSE(&o, 5, 2, 2, 4, 5, 180);
    assert_int_equal(o.has, OPT_MSS | OPT_MALFORMED);
    PARSE(&o, 5, 9, 0, 0, 0, 0, 0, 0, 0, 2, 4, 5, 180);
    assert_int_equal(o.has, OPT_MSS | OPT_MALFORMED);
    assert_int_equal(o.sacks, 0);
}

static void end_of_list_hides_what_follows(void **state)
{
    struct opt o;

    (void)state;
    PARSE(&o, 1, 3, 3, 7, 0, 2, 4, 5, 180);
    assert_int_equal(o.has, OPT_WSCALE);
}

static void rfc9293_must_6_unknown_kinds_are_stepped_over_and_noted(void **state)
{
    struct opt o;

    (void)state;
    PARSE(&o, 254, 6, 1, 2, 3, 4, 34, 2, 19, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3,
          3, 9);
    assert_int_equal(o.has, OPT_OTHER | OPT_WSCALE);
    assert_int_equal(o.wscale, 9);
    assert_int_equal(o.raw[0], 254);
}

static void the_last_of_two_counts(void **state)
{
    struct opt o;

    (void)state;
    PARSE(&o, 2, 4, 1, 0, 2, 4, 2, 0);
    assert_int_equal(o.mss, 512);
    PARSE(&o, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 5, 10, 0, 0, 0, 5, 0, 0, 0, 6);
    assert_int_equal(o.sacks, 1);
    assert_int_equal(o.sack[0].first.v, 5);
}

static void nothing_is_nothing(void **state)
{
    struct opt o = {.has = 0xff};

    (void)state;
    opt_parse(NULL, 0, &o);
    assert_int_equal(o.has, 0);
    assert_null(o.raw);
}

/* Bytes at random, each time in a block of its very size, so that a sanitizer sees a read beyond
 * it. What is found must be something that can be. */
static void random_bytes_are_survived(void **state)
{
    uint32_t x = 2463534242;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        const size_t len = (x >> 8) % (OPT_BYTES_MAX + 1);
        uint8_t *bytes = malloc(len ? len : 1);
        struct opt o;

        for (size_t i = 0; i < len; i++) {
            x ^= x << 13, x ^= x >> 17, x ^= x << 5;
            bytes[i] = x & 0x100 ? (uint8_t)(x >> 9 & 15) : (uint8_t)(x >> 16);
        }
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        opt_parse(bytes, len, &o);
        assert_int_equal(o.raw_len, len);
        assert_true(o.sacks <= OPT_SACK_MAX);
        assert_int_equal((o.has & OPT_SACK) != 0, o.sacks > 0);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linux_syn_is_read),
        cmocka_unit_test(a_linux_syn_is_written),
        cmocka_unit_test(timestamps_alone_stand_behind_two_nops),
        cmocka_unit_test(sack_permitted_without_timestamps_has_its_own_word),
        cmocka_unit_test(rfc2018_3_four_blocks_fit_alone_and_three_beside_timestamps),
        cmocka_unit_test(a_sack_option_without_blocks_is_not_written),
        cmocka_unit_test(every_combination_is_read_back_and_sized_right),
        cmocka_unit_test(rfc9293_must_7_a_length_of_0_or_1_stops_reading),
        cmocka_unit_test(rfc9293_must_7_a_length_beyond_the_end_stops_reading),
        cmocka_unit_test(a_known_kind_of_a_wrong_length_is_skipped_and_reading_goes_on),
        cmocka_unit_test(end_of_list_hides_what_follows),
        cmocka_unit_test(rfc9293_must_6_unknown_kinds_are_stepped_over_and_noted),
        cmocka_unit_test(the_last_of_two_counts),
        cmocka_unit_test(nothing_is_nothing),
        cmocka_unit_test(random_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
