/*
 * Tests crafted segments byte by byte: each field where RFC 9293, 3.1, RFC 791 and RFC 8200 put it,
 * checksums that are right, wrong or given, fragments that add up to the whole packet, and numbers
 * that are changed afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/checksum.h"
#include "lib/core/ip.h"
#include "lib/core/seg.h"
#include "lib/wire/crafted.h"

static const struct flow flow4 = {
    .local = {{10, 0, 0, 1}}, .remote = {{10, 0, 0, 2}}, .lport = 4000, .rport = 80};
static const struct flow flow6 = {
    .local = {{0xfd, [15] = 1}}, .remote = {{0xfd, [15] = 2}}, .lport = 4000, .rport = 80, .v6 = 1};

static uint8_t data[70000];

static struct crafted_segment plain(bool v6)
{
    return (struct crafted_segment){
        .flow = v6 ? flow6 : flow4, .seq = 1000, .flags = SEG_SYN, .wnd = 512, .ttl = 64, .id = 77};
}

static int set_up(void **state)
{
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    return crafted_open((struct crafted **)state, NULL);
}

static int tear_down(void **state)
{
    crafted_close(*state);
    return 0;
}

/* Builds the segment and parses the result. */
static struct packet built(struct crafted *f, const struct crafted_segment *w)
{
    struct packet p;
    uint32_t len;
    const uint8_t *bytes;

    assert_int_equal(crafted_build(f, w, NULL), 0);
    bytes = crafted_packet(f, &len);
    assert_int_equal(ip_parse(bytes, len, &p), 0);
    assert_int_equal(p.length, len);
    assert_true(flow_eq(&p.flow, &w->flow));
    return p;
}

static bool sum_ok(const struct packet *p)
{
    return seg_checksum_ok(&p->flow, p->l4, p->l4_len);
}

static void every_field_stands_in_its_place(void **state)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct crafted_segment w = plain(v6);
        w.seq = 0xfedcba98;
        w.ack = 0x01234567;
        w.flags = SEG_AE | SEG_CWR | SEG_FIN;
        w.wnd = 0xabcd;
        w.urp = 0x1357;
        w.reserved = 5;
        w.ttl = 3;
        w.tos = 0xb9;
        w.df = !v6;
        w.id = 0xc0de;
        w.flow_label = v6 ? 0xb2517 : 0;
        w.data = data;
        w.len = 333;
        memcpy(w.options, "\x02\x04\x05\xb4", 4);
        w.options_len = 4;
        struct packet p = built(*state, &w);
        assert_int_equal(p.seg.seq.v, w.seq);
        assert_int_equal(p.seg.ack.v, w.ack);
        assert_int_equal(p.seg.flags, w.flags);
        assert_int_equal(p.seg.wnd, w.wnd);
        assert_int_equal(p.seg.urp, w.urp);
        assert_int_equal(p.seg.reserved, 5);
        assert_int_equal(p.ttl, 3);
        assert_int_equal(p.tos, 0xb9);
        assert_int_equal(p.flow_label, w.flow_label);
        assert_true(p.df);
        assert_int_equal(p.id, v6 ? 0 : 0xc0de);
        assert_int_equal(p.seg.len, 333);
        assert_memory_equal(p.seg.data, data, 333);
        assert_int_equal(p.seg.opt.mss, 1460);
        assert_true(sum_ok(&p));
    }
}

static void rfc9293_3_1_options_are_padded_with_zeros(void **state)
{
    for (uint8_t len = 1; len <= OPT_BYTES_MAX; len++) {
        struct crafted_segment w = plain(false);
        uint8_t want[OPT_BYTES_MAX] = {0};
        memset(w.options, 1, len);
        memset(want, 1, len);
        w.options_len = len;
        struct packet p = built(*state, &w);
        assert_int_equal(p.l4_len, 20 + (len + 3) / 4 * 4);
        assert_int_equal(p.l4[12] >> 4, p.l4_len / 4);
        assert_memory_equal(p.l4 + 20, want, p.l4_len - 20);
        assert_true(sum_ok(&p));
    }
}

static void a_data_offset_may_lie_under_a_right_checksum(void **state)
{
    for (uint8_t offset = 0; offset < 16; offset++) {
        struct crafted_segment w = plain(false);
        uint32_t len;
        w.has_offset = true;
        w.offset = offset;
        assert_int_equal(crafted_build(*state, &w, NULL), 0);
        const uint8_t *tcp = crafted_packet(*state, &len) + 20;
        assert_int_equal(tcp[12] >> 4, offset);
        assert_true(seg_checksum_ok(&flow4, tcp, len - 20));
    }
}

static void a_wrong_checksum_is_wrong_and_a_given_one_stands(void **state)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct crafted_segment w = plain(v6);
        w.checksum_how = CRAFTED_WRONG;
        struct packet p = built(*state, &w);
        assert_false(sum_ok(&p));
        const uint16_t given[] = {0, 1, 0xbeef, 0xffff};
        for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
            w.checksum_how = CRAFTED_GIVEN;
            w.checksum = given[i];
            p = built(*state, &w);
            assert_int_equal(p.l4[16] << 8 | p.l4[17], given[i]);
        }
    }
}

/* Reassembles the fragments: the bytes of TCP that they carry, at the offsets in their headers. */
static uint32_t join(struct crafted *f, bool v6, uint8_t *out)
{
    uint32_t total = 0, pieces = crafted_fragments(f);
    for (uint32_t i = 0; i < pieces; i++) {
        uint32_t len, header = v6 ? 48 : 20;
        const uint8_t *p = crafted_fragment(f, i, &len);
        unsigned field = v6 ? (unsigned)p[42] << 8 | p[43] : (unsigned)p[6] << 8 | p[7];
        uint32_t offset = v6 ? field & 0xfff8 : (field & 0x1fff) * 8;
        bool more = v6 ? field & 1 : field & 0x2000;
        assert_int_equal(more, i + 1 < pieces);
        assert_int_equal(offset, total);
        if (v6) {
            assert_int_equal(p[4] << 8 | p[5], len - 40);
            assert_int_equal(p[6], 44);
            assert_int_equal(p[40], 6);
            assert_memory_equal(p + 44, "\0\0\0\x4d", 4);
        } else {
            assert_int_equal(p[2] << 8 | p[3], len);
            assert_int_equal(checksum_finish(checksum_add(0, p, 20)), 0);
        }
        memcpy(out + offset, p + header, len - header);
        total += len - header;
    }
    return total;
}

static void fragments_join_to_the_whole(void **state)
{
    static uint8_t joined[70000];
    const uint32_t cuts[] = {8, 16, 24, 536, 1480, 65528}, lens[] = {0, 1, 4, 12, 1460, 65400};
    for (unsigned i = 0; i < 2 * 6 * 6; i++) {
        bool v6 = i & 1;
        struct crafted_segment w = plain(v6);
        uint32_t len;
        w.data = data;
        w.len = lens[i / 2 % 6];
        w.fragment = cuts[i / 12];
        struct packet p = built(*state, &w);
        crafted_packet(*state, &len);
        assert_int_equal(crafted_fragments(*state), (p.l4_len + w.fragment - 1) / w.fragment);
        assert_int_equal(join(*state, v6, joined), p.l4_len);
        assert_memory_equal(joined, p.l4, p.l4_len);
    }
}

static void rfc791_3_1_fragments_keep_df(void **state)
{
    struct crafted_segment w = plain(false);
    uint32_t len;
    w.df = true;
    w.fragment = 8;
    assert_int_equal(crafted_build(*state, &w, NULL), 0);
    for (uint32_t i = 0; i < crafted_fragments(*state); i++)
        assert_int_equal(crafted_fragment(*state, i, &len)[6] & 0x40, 0x40);
}

/* RFC 1624: what is renumbered is what would have been built. */
static void renumbered_is_as_if_built_so(void **state)
{
    uint8_t renumbered[256];
    for (uint32_t i = 0; i < 4000; i++) {
        bool v6 = i & 1;
        struct crafted_segment w = plain(v6);
        uint32_t len, again;
        w.checksum_how = i % 7 == 0 ? CRAFTED_GIVEN : CRAFTED_RIGHT;
        w.checksum = 0x1234;
        w.data = data;
        w.len = i % 50;
        assert_int_equal(crafted_build(*state, &w, NULL), 0);
        w.flow.lport = (uint16_t)(i * 40503u);
        w.seq = i * 2654435761u;
        w.id = (i * 31) & 0xffff;
        crafted_renumber(*state, w.flow.lport, w.seq, w.id);
        const uint8_t *moved = crafted_packet(*state, &len);
        assert_true(len <= sizeof renumbered);
        memcpy(renumbered, moved, len);
        struct packet p;
        assert_int_equal(ip_parse(renumbered, len, &p), 0);
        if (w.checksum_how == CRAFTED_RIGHT)
            assert_true(sum_ok(&p));
        assert_int_equal(crafted_build(*state, &w, NULL), 0);
        const uint8_t *anew = crafted_packet(*state, &again);
        assert_int_equal(again, len);
        assert_memory_equal(renumbered, anew, len);
    }
}

static void renumbered_a_wrong_checksum_stays_wrong(void **state)
{
    struct crafted_segment w = plain(false);
    w.checksum_how = CRAFTED_WRONG;
    assert_int_equal(crafted_build(*state, &w, NULL), 0);
    for (uint32_t i = 0; i < 70000; i++) {
        uint32_t len;
        crafted_renumber(*state, (uint16_t)(4000 + i % 256), i, i & 0xffff);
        const uint8_t *p = crafted_packet(*state, &len);
        struct flow f = flow4;
        assert_false(seg_checksum_ok(&f, p + 20, len - 20));
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    struct diag d;
    for (int v6 = 0; v6 < 2; v6++) {
        struct crafted_segment w = plain(v6);
        w.data = data;
        w.len = crafted_room(v6, 0);
        assert_int_equal(w.len, v6 ? 65515 : 65495);
        assert_int_equal(crafted_build(*state, &w, &d), 0);
        w.len++;
        assert_int_equal(crafted_build(*state, &w, &d), WAVE_EINVAL);
        w = plain(v6);
        w.fragment = 12;
        assert_int_equal(crafted_build(*state, &w, &d), WAVE_EINVAL);
        w = plain(v6);
        w.flags = 0x200;
        assert_int_equal(crafted_build(*state, &w, &d), WAVE_EINVAL);
        w = plain(v6);
        w.reserved = 8;
        assert_int_equal(crafted_build(*state, &w, &d), WAVE_EINVAL);
        w = plain(v6);
        w.flow_label = 0x100000;
        assert_int_equal(crafted_build(*state, &w, &d), WAVE_EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_stands_in_its_place),
        cmocka_unit_test(rfc9293_3_1_options_are_padded_with_zeros),
        cmocka_unit_test(a_data_offset_may_lie_under_a_right_checksum),
        cmocka_unit_test(a_wrong_checksum_is_wrong_and_a_given_one_stands),
        cmocka_unit_test(fragments_join_to_the_whole),
        cmocka_unit_test(rfc791_3_1_fragments_keep_df),
        cmocka_unit_test(renumbered_is_as_if_built_so),
        cmocka_unit_test(renumbered_a_wrong_checksum_stays_wrong),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests_name("crafted", tests, set_up, tear_down);
}
