/*
 * Tests that a segment written from a template is, byte for byte, the one that libnet builds. Both
 * come from builders without a socket, so that no privilege is needed; the many peers of a listener
 * are played by changing addresses and ports.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/wire/builder.h"
#include "lib/wire/template.h"

enum { SEGMENTS = 4000, ROOM = 65536 };

static uint32_t number; /* the same numbers in every run */

static uint32_t next_number(void)
{
    number = number * 1664525 + 1013904223;
    return number >> 8 ^ number << 16;
}

static uint8_t data[ROOM];

/* A segment of the kind a template serves, any number in it. */
static struct seg any_segment(void)
{
    static const uint32_t lengths[] = {0, 0, 1, 2, 3, 7, 536, 1448, 1447, 20000, 65000};
    static const uint16_t flags[] = {
        SEG_ACK,           SEG_ACK | SEG_PSH, SEG_ACK | SEG_FIN, SEG_RST, SEG_RST | SEG_ACK,
        SEG_ACK | SEG_ECE, SEG_ACK | SEG_CWR, SEG_SYN,           0,       SEG_SYN | SEG_ACK};
    struct seg s = {.seq = seq_of(next_number()),
                    .ack = seq_of(next_number()),
                    .flags = flags[next_number() % 10],
                    .wnd = (uint16_t)next_number(),
                    .ecn = next_number() % 4,
                    .len = lengths[next_number() % 11]};

    if (next_number() % 2) {
        s.opt.has = OPT_TIMESTAMP;
        s.opt.tsval = next_number();
        s.opt.tsecr = next_number();
    }
    if (s.flags & SEG_SYN) { /* options of a SYN, whose values seldom change */
        s.opt.has |= next_number() & (OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED);
        s.opt.mss = next_number() % 8 ? 1460 : (uint16_t)next_number();
        s.opt.wscale = next_number() % 8 ? 7 : (uint8_t)next_number();
    }
    s.data = s.len ? data + next_number() % 8 : NULL;
    return s;
}

static struct flow any_flow(bool v6)
{
    struct flow f = {.lport = (uint16_t)next_number(), .rport = (uint16_t)next_number(), .v6 = v6};

    for (unsigned i = 0; i < (v6 ? 16 : 4); i++) {
        f.local.byte[i] = (uint8_t)next_number();
        f.remote.byte[i] = (uint8_t)next_number();
    }
    return f;
}

static struct builder *open_builder(bool v6)
{
    struct builder_config config = {.v6 = v6, .no_socket = true};
    struct builder *c;

    assert_int_equal(builder_open(&c, &config, NULL), 0);
    return c;
}

static void compare(struct builder *patched, struct builder *built, const struct flow *f,
                    const struct seg *s, const struct wire_ip *ip)
{
    static uint8_t a[ROOM], b[ROOM];
    size_t size = builder_size(patched, s);

    memset(a, 0xaa, sizeof a);
    memset(b, 0xbb, sizeof b);
    assert_int_equal(builder_build(patched, f, s, ip, a, NULL), 0);
    assert_int_equal(builder_build_unpatched(built, f, s, ip, b, NULL), 0);
    assert_memory_equal(a, b, size);
    assert_int_equal(a[size], 0xaa);
    assert_int_equal(b[size], 0xbb);
}

static void same_bytes(bool v6)
{
    struct builder *patched = open_builder(v6), *built = open_builder(v6);

    for (unsigned i = 0; i < SEGMENTS; i++) {
        struct seg s = any_segment();
        struct flow f = any_flow(v6);
        /* IPv4's ID counts up in each builder from a random number. The fields for which a template
         * is made change rarely, as in practice. */
        struct wire_ip ip = {.id = (uint16_t)(next_number() | 1),
                             .tos = (uint8_t)next_number(),
                             .ttl = (uint8_t)(i / 500),
                             .no_df = i / 250 & 1,
                             .flow_label = i / 1000};
        assert_true(template_fits(&s));
        compare(patched, built, &f, &s, &ip);
    }
    builder_close(patched);
    builder_close(built);
}

static void a_stencil_gives_libnets_bytes_over_ipv4(void **state)
{
    (void)state;
    same_bytes(false);
}

static void a_stencil_gives_libnets_bytes_over_ipv6(void **state)
{
    (void)state;
    same_bytes(true);
}

static void what_does_not_fit_is_built_anew(void **state)
{
    const struct seg odd[] = {
        {.flags = SEG_ACK | SEG_URG, .urp = 5, .len = 9, .data = data},
        {.flags = SEG_ACK | SEG_AE},
        {.flags = SEG_ACK, .reserved = 5},
        {.flags = SEG_ACK,
         .opt = {.has = OPT_TIMESTAMP | OPT_SACK, .sacks = 2, .sack = {{{1}, {2}}, {{5}, {9}}}}},
    };
    const struct seg plain = {
        .flags = SEG_ACK, .opt = {.has = OPT_TIMESTAMP}, .len = 3, .data = data};
    const struct wire_ip ip = {.id = 77};

    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct builder *patched = open_builder(v6), *built = open_builder(v6);
        struct flow f = any_flow(v6);
        for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
            assert_false(template_fits(&odd[i]));
            compare(patched, built, &f, &odd[i], &ip);
            compare(patched, built, &f, &plain, &ip); /* and it leaves the template unharmed */
        }
        builder_close(patched);
        builder_close(built);
    }
}

static void ipv4_numbers_count_up_and_leave_out_zero(void **state)
{
    struct builder *c = open_builder(false);
    struct flow f = any_flow(false);
    const struct seg s = {.flags = SEG_ACK};
    uint8_t bytes[64];
    unsigned last = 0;

    (void)state;
    for (unsigned i = 0; i < 70000; i++) {
        assert_int_equal(builder_build(c, &f, &s, NULL, bytes, NULL), 0);
        unsigned id = (unsigned)bytes[4] << 8 | bytes[5];
        assert_int_not_equal(id, 0);
        if (last)
            assert_int_equal(id, last == 65535 ? 1 : last + 1);
        last = id;
    }
    builder_close(c);
}

int main(void)
{
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)next_number();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stencil_gives_libnets_bytes_over_ipv4),
        cmocka_unit_test(a_stencil_gives_libnets_bytes_over_ipv6),
        cmocka_unit_test(what_does_not_fit_is_built_anew),
        cmocka_unit_test(ipv4_numbers_count_up_and_leave_out_zero),
    };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
