/* Tests segments as bytes: parsed, written, and their checksum compared with that of a slow
 * implementation after the RFC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/checksum.h"
#include "lib/core/err.h"
#include "lib/core/seg.h"

static const struct flow flow4 = {
    .local = {{192, 0, 2, 1}}, .remote = {{198, 51, 100, 7}}, .lport = 0xc350, .rport = 80};
static const struct flow flow6 = {
    .local = {{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
    .remote = {{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0xff, 0xfe, 0xfd, 0xfc, 0xab, 0xcd, 0, 2}},
    .lport = 0xc350,
    .rport = 80,
    .v6 = 1};

/* RFC 1071, section 4.1: sums sixteen bits at a time, and folds each carry immediately. */
static uint16_t slow_checksum(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* Sums the segment behind its pseudo-header, as the RFCs draw it. Returns 0 if the checksum is
 * right. */
static uint16_t slow_segment_checksum(const struct flow *f, const uint8_t *bytes, size_t len)
{
    static uint8_t all[40 + 70000];
    size_t n = 0;

    if (f->v6) { /* RFC 8200, 8.1 */
        const uint8_t tail[] = {(uint8_t)(len >> 24),
                                (uint8_t)(len >> 16),
                                (uint8_t)(len >> 8),
                                (uint8_t)len,
                                0,
                                0,
                                0,
                                6};
        memcpy(all, f->local.byte, 16), memcpy(all + 16, f->remote.byte, 16);
        memcpy(all + 32, tail, 8);
        n = 40;
    } else { /* RFC 9293, 3.1 */
        const uint8_t tail[] = {0, 6, (uint8_t)(len >> 8), (uint8_t)len};
        memcpy(all, f->local.byte, 4), memcpy(all + 4, f->remote.byte, 4);
        memcpy(all + 8, tail, 4);
        n = 12;
    }
    memcpy(all + n, bytes, len);
    return slow_checksum(all, n + len);
}

/* A SYN with options and two bytes of data, written down by hand. */
static void rfc9293_3_1_a_syn_is_read_field_by_field(void **state)
{
    static const uint8_t syn[] = {0x9c, 0x40, 0x00, 0x50, 0xfe, 0xdc, 0xba, 0x98, 0x00, 0x00, 0x00,
                                  0x00, 0xa0, 0xc2, 0xfa, 0xf0, 0x00, 0x00, 0x00, 0x07, 0x02, 0x04,
                                  0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a, 0x01, 0x02, 0x03, 0x04, 0x00,
                                  0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07, 'h',  'i'};
    uint16_t source, destination;
    struct seg s;

    (void)state;
    assert_int_equal(seg_parse(syn, sizeof syn, &s), 0);
    assert_int_equal(s.seq.v, 0xfedcba98);
    assert_int_equal(s.ack.v, 0);
    assert_int_equal(s.flags, SEG_SYN | SEG_ECE | SEG_CWR);
    assert_int_equal(s.reserved, 0);
    assert_int_equal(s.wnd, 64240);
    assert_int_equal(s.urp, 7);
    assert_int_equal(s.opt.mss, 1460);
    assert_int_equal(s.opt.tsval, 0x01020304);
    assert_int_equal(s.len, 2);
    assert_ptr_equal(s.data, syn + 40);
    assert_int_equal(seg_len(&s), 3);
    assert_int_equal(seg_end(&s).v, 0xfedcba9b);
    seg_ports(syn, &source, &destination);
    assert_int_equal(source, 40000);
    assert_int_equal(destination, 80);
}

static void rfc9293_3_1_reserved_bits_and_ae_are_kept_apart(void **state)
{
    uint8_t b[20] = {0};
    struct seg s;

    (void)state;
    b[12] = 0x50 | 0x0a; /* reserved 101, AE 0 */
    assert_int_equal(seg_parse(b, sizeof b, &s), 0);
    assert_int_equal(s.reserved, 5);
    assert_int_equal(s.flags, 0);
    b[12] = 0x51, b[13] = 0xff;
    assert_int_equal(seg_parse(b, sizeof b, &s), 0);
    assert_int_equal(s.reserved, 0);
    assert_int_equal(s.flags, 0x1ff);
    assert_null(s.data);
}

static void a_header_that_cannot_be_is_refused_and_nothing_written(void **state)
{
    uint8_t b[60] = {0};
    struct seg s, before;

    (void)state;
    memset(&s, 0x5a, sizeof s);
    before = s;
    for (unsigned offset = 0; offset < 16; offset++)
        for (size_t len = 0; len <= sizeof b; len++) {
            int expected = len < 20           ? WAVE_ETRUNC
                           : offset < 5       ? WAVE_EMALFORMED
                           : offset * 4 > len ? WAVE_ETRUNC
                                              : 0;
            b[12] = (uint8_t)(offset << 4);
            assert_int_equal(seg_parse(b, len, &s), expected);
            if (expected == 0)
                s = before;
            assert_memory_equal(&s, &before, sizeof s);
        }
}

static struct seg sample(unsigned len, const uint8_t *data)
{
    return (struct seg){.seq = seq_of(0xfffffff0),
                        .ack = seq_of(0x01020304),
                        .flags = SEG_ACK | SEG_PSH | SEG_AE,
                        .reserved = 6,
                        .wnd = 0xabcd,
                        .urp = 0x1234,
                        .opt = {.has = OPT_TIMESTAMP, .tsval = 77, .tsecr = 0x80000000},
                        .len = len,
                        .data = len ? data : NULL};
}

static void what_is_built_is_read_back_and_its_checksum_is_the_books(void **state)
{
    static uint8_t data[65000], bytes[65100];
    static const unsigned lens[] = {0,  1,  2,  3,  4,   5,    6,    7,    8,    9,
                                    15, 16, 17, 31, 536, 1447, 1448, 8191, 64999};

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(255 - i * i % 251);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        for (int v6 = 0; v6 < 2; v6++) {
            const struct flow *f = v6 ? &flow6 : &flow4;
            const struct flow reverse = flow_reverse(f);
            const struct seg s = sample(lens[i], data);
            uint16_t source, destination;
            struct seg back;
            int n = seg_build(f, &s, bytes, sizeof bytes);

            assert_int_equal(n, 20 + 12 + lens[i]);
            assert_int_equal(slow_segment_checksum(f, bytes, (size_t)n), 0);
            assert_true(seg_checksum_ok(f, bytes, (size_t)n));
            assert_true(seg_checksum_ok(&reverse, bytes, (size_t)n));
            assert_int_equal(seg_parse(bytes, (size_t)n, &back), 0);
            seg_ports(bytes, &source, &destination);
            assert_int_equal(source, f->lport);
            assert_int_equal(destination, f->rport);
            assert_true(seq_eq(back.seq, s.seq) && seq_eq(back.ack, s.ack));
            assert_int_equal(back.flags, s.flags);
            assert_int_equal(back.reserved, s.reserved);
            assert_int_equal(back.wnd, s.wnd);
            assert_int_equal(back.urp, s.urp);
            assert_int_equal(back.opt.tsval, 77);
            assert_int_equal(back.len, s.len);
            if (s.len)
                assert_memory_equal(back.data, data, s.len);
        }
}

static void a_checksum_sees_every_single_bit(void **state)
{
    static const uint8_t data[] = "The quick brown fox jumps over the lazy dog";
    const struct seg s = sample(sizeof data, data);
    uint8_t bytes[128];
    size_t n = (size_t)seg_build(&flow4, &s, bytes, sizeof bytes);
    struct flow other = flow4;

    (void)state;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(seg_checksum_ok(&flow4, bytes, n));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(seg_checksum_ok(&flow4, bytes, n));
    other.remote.byte[3] ^= 1; /* the pseudo-header counts */
    assert_false(seg_checksum_ok(&other, bytes, n));
    assert_false(seg_checksum_ok(&flow4, bytes, n - 1));
    assert_false(seg_checksum_ok(&flow4, bytes, 19));
    assert_false(seg_checksum_ok(&flow4, bytes, 0));
}

static void rfc1071_3_the_examples_sum(void **state)
{
    static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    static const uint8_t complement[] = {0x22, 0x0d}; /* of ddf2 */
    uint16_t sum = checksum_finish(checksum_add(0, example, sizeof example));

    (void)state;
    assert_memory_equal(&sum, complement, 2);
}

static void rfc1071_carries_are_not_lost_in_long_runs_of_ones(void **state)
{
    static uint8_t ones[70001];

    (void)state;
    memset(ones, 0xff, sizeof ones);
    for (size_t len = 0; len < 200; len++) {
        uint16_t expected = slow_checksum(ones, len), sum;
        uint8_t network[2] = {(uint8_t)(expected >> 8), (uint8_t)expected};

        sum = checksum_finish(checksum_add(0, ones, len));
        assert_memory_equal(&sum, network, 2);
        /* In pieces of even length the same. */
        sum = checksum_finish(checksum_add(checksum_add(0, ones, len / 4 * 2), ones + len / 4 * 2,
                                           len - len / 4 * 2));
        assert_memory_equal(&sum, network, 2);
    }
    assert_int_equal(checksum_finish(checksum_add(0, ones, 70000)), 0);
}

static void a_room_too_small_is_refused(void **state)
{
    const struct seg s = sample(5, (const uint8_t *)"hello");
    uint8_t bytes[37];

    (void)state;
    for (size_t room = 0; room < 37; room++)
        assert_int_equal(seg_build(&flow4, &s, bytes, room), WAVE_EINVAL);
    assert_int_equal(seg_build(&flow4, &s, bytes, 37), 37);
}

static void flags_are_written_as_tcpdump_writes_them(void **state)
{
    static const struct {
        unsigned flags;
        const char *text;
    } t[] = {
        {0, "none"},
        {SEG_SYN, "S"},
        {SEG_SYN | SEG_ACK, "S."},
        {SEG_ACK, "."},
        {SEG_PSH | SEG_ACK, "P."},
        {SEG_FIN | SEG_ACK, "F."},
        {SEG_FIN | SEG_PSH | SEG_ACK, "FP."},
        {SEG_RST, "R"},
        {SEG_RST | SEG_ACK, "R."},
        {SEG_SYN | SEG_ECE | SEG_CWR, "SEW"},
        {SEG_SYN | SEG_ACK | SEG_ECE, "S.E"},
        {SEG_ACK | SEG_URG, ".U"},
        {0x1ff, "FSRP.UEWe"},
        {0xfe00, "none"},
    };
    char text[SEG_FLAGS_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        assert_ptr_equal(seg_flags_text((uint16_t)t[i].flags, text), text);
        assert_string_equal(text, t[i].text);
    }
}

/* Lengths that no packet has, and that 32 bits or an int do not hold, are rejected before any byte
 * is read. */
static void lengths_beyond_any_packet_are_refused(void **state)
{
    struct seg s = {.flags = SEG_ACK, .len = 0x80000000u, .data = (const uint8_t *)""};
    uint8_t bytes[SEG_HEADER] = {0};

    (void)state;
    assert_int_equal(seg_build(&flow4, &s, bytes, SIZE_MAX), WAVE_EINVAL);
    s.len = UINT32_MAX;
    assert_int_equal(seg_build(&flow4, &s, bytes, SIZE_MAX), WAVE_EINVAL);
    assert_false(seg_checksum_ok(&flow4, bytes, SIZE_MAX));
    assert_false(seg_checksum_ok(&flow4, bytes, SEG_HEADER - 1));
}

/* A snap length that ends within the options leaves some of them unknown, and none malformed. */
static void options_that_a_capture_cut_are_not_malformed(void **state)
{
    uint8_t b[40] = {0};
    struct seg s;

    (void)state;
    static const uint8_t options[] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2,
                                      3, 4, 0, 0,    0, 0, 1, 3,  3, 7};
    b[12] = 10 << 4;
    b[13] = SEG_SYN;
    memcpy(b + 20, options, sizeof options);
    for (size_t there = 20; there <= 40; there++) {
        assert_int_equal(seg_parse_cut(b, there, 40, &s), 0);
        assert_int_equal((s.opt.has & OPT_CUT) != 0, there < 40);
        assert_false(s.opt.has & OPT_MALFORMED);
        assert_int_equal((s.opt.has & OPT_MSS) != 0, there >= 24);
        assert_int_equal((s.opt.has & OPT_WSCALE) != 0, there == 40);
        assert_int_equal(s.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_that_a_capture_cut_are_not_malformed),
        cmocka_unit_test(rfc9293_3_1_a_syn_is_read_field_by_field),
        cmocka_unit_test(rfc9293_3_1_reserved_bits_and_ae_are_kept_apart),
        cmocka_unit_test(a_header_that_cannot_be_is_refused_and_nothing_written),
        cmocka_unit_test(what_is_built_is_read_back_and_its_checksum_is_the_books),
        cmocka_unit_test(a_checksum_sees_every_single_bit),
        cmocka_unit_test(rfc1071_3_the_examples_sum),
        cmocka_unit_test(rfc1071_carries_are_not_lost_in_long_runs_of_ones),
        cmocka_unit_test(a_room_too_small_is_refused),
        cmocka_unit_test(flags_are_written_as_tcpdump_writes_them),
        cmocka_unit_test(lengths_beyond_any_packet_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
