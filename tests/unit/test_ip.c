/*
 * Tests the parsing of IP packets of both families: whole, unusual, truncated and forged ones.
 * Every packet is put into a block of exactly its size, so that a sanitizer sees a read beyond it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/err.h"
#include "lib/core/ip.h"

/* A packet under construction. */
struct ip_bytes {
    uint8_t b[2048];
    size_t n;
};

static void put(struct ip_bytes *p, const void *from, size_t n)
{
    memcpy(p->b + p->n, from, n);
    p->n += n;
}
#define PUT(p, ...) put((p), (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})

/* Writes the IP length fields for the present content. */
static void close_packet(struct ip_bytes *p, size_t at)
{
    if (p->b[at] >> 4 == 4) {
        p->b[at + 2] = (uint8_t)((p->n - at) >> 8), p->b[at + 3] = (uint8_t)(p->n - at);
    } else {
        p->b[at + 4] = (uint8_t)((p->n - at - 40) >> 8), p->b[at + 5] = (uint8_t)(p->n - at - 40);
    }
}

static void put_v4(struct ip_bytes *p, uint8_t protocol, unsigned fragment)
{
    PUT(p, 0x45, 0xb9, 0, 0, 0xbe, 0xef, (uint8_t)(fragment >> 8), (uint8_t)fragment, 61, protocol,
        0, 0, 192, 0, 2, 1, 198, 51, 100, 7);
}

static void put_v6(struct ip_bytes *p, uint8_t next)
{
    PUT(p, 0x6b, 0x92, 0x34, 0x56, 0, 0, next, 61);
    PUT(p, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
    PUT(p, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
}

/* Appends a segment: ports 50000 to 80, SEQ 0x01020304, ACK, three bytes of data. */
static void put_tcp(struct ip_bytes *p)
{
    PUT(p, 0xc3, 0x50, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x10, 1, 0, 0, 0, 0, 0, 'a', 'b', 'c');
}

static struct ip_bytes tcp4(void)
{
    struct ip_bytes p = {.n = 0};

    put_v4(&p, 6, 0x4000);
    put_tcp(&p);
    close_packet(&p, 0);
    return p;
}

static struct ip_bytes tcp6(void)
{
    struct ip_bytes p = {.n = 0};

    put_v6(&p, 6);
    put_tcp(&p);
    close_packet(&p, 0);
    return p;
}

/* Calls ip_parse() on a copy of the first `len` bytes, which ends where they end. `*out` must be
 * untouched on failure. */
static uint8_t *block;
static int parse(const struct ip_bytes *p, size_t len, struct packet *out)
{
    struct packet before;
    int r;

    memset(out, 0x5a, sizeof *out);
    before = *out;
    free(block);
    block = malloc(len ? len : 1);
    memcpy(block, p->b, len);
    r = ip_parse(block, len, out);
    if (r != 0)
        assert_memory_equal(out, &before, sizeof before);
    return r;
}

static int drop_block(void **state)
{
    (void)state;
    free(block);
    block = NULL;
    return 0;
}

static void is_our_segment(const struct packet *k, bool v6)
{
    assert_int_equal(k->kind, PACKET_TCP);
    assert_int_equal(k->flow.v6, v6);
    assert_int_equal(k->flow.lport, 50000);
    assert_int_equal(k->flow.rport, 80);
    assert_int_equal(k->flow.local.byte[v6 ? 15 : 3], 1);
    assert_int_equal(k->flow.remote.byte[v6 ? 15 : 3], v6 ? 2 : 7);
    assert_int_equal(k->seg.seq.v, 0x01020304);
    assert_int_equal(k->seg.len, 3);
    assert_memory_equal(k->seg.data, "abc", 3);
    assert_int_equal(k->l4_len, 23);
    assert_ptr_equal(k->l4 + 20, k->seg.data);
}

static void rfc791_3_1_header_fields_are_read(void **state)
{
    const struct ip_bytes p = tcp4();
    struct packet k;

    (void)state;
    assert_int_equal(parse(&p, p.n, &k), 0);
    is_our_segment(&k, false);
    assert_int_equal(k.ttl, 61);
    assert_int_equal(k.tos, 0xb9);
    assert_int_equal(k.seg.ecn, ECN_ECT1);
    assert_true(k.df);
    assert_int_equal(k.id, 0xbeef);
    assert_int_equal(k.flow_label, 0);
    assert_int_equal(k.length, 43);
    for (int i = 4; i < 16; i++)
        assert_int_equal(k.flow.local.byte[i] | k.flow.remote.byte[i], 0);
}

static void rfc8200_3_header_fields_are_read(void **state)
{
    const struct ip_bytes p = tcp6();
    struct packet k;

    (void)state;
    assert_int_equal(parse(&p, p.n, &k), 0);
    is_our_segment(&k, true);
    assert_int_equal(k.ttl, 61);
    assert_int_equal(k.tos, 0xb9);
    assert_int_equal(k.flow_label, 0x23456);
    assert_true(k.df);
    assert_int_equal(k.id, 0);
    assert_int_equal(k.length, 63);
}

static void rfc791_3_1_options_are_stepped_over(void **state)
{
    struct ip_bytes p = {.n = 0};
    struct packet k;

    (void)state;
    put_v4(&p, 6, 0);
    p.b[0] = 0x46;
    PUT(&p, 0x94, 4, 0, 0); /* router alert */
    put_tcp(&p);
    close_packet(&p, 0);
    assert_int_equal(parse(&p, p.n, &k), 0);
    is_our_segment(&k, false);
    assert_false(k.df);
}

static void rfc8200_4_extension_headers_are_stepped_over(void **state)
{
    struct ip_bytes p = {.n = 0};
    struct packet k;

    (void)state;
    put_v6(&p, 0);
    PUT(&p, 60, 0, 1, 4, 0, 0, 0, 0);                          /* hop-by-hop */
    PUT(&p, 43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* destination, 16 bytes */
    PUT(&p, 44, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);  /* routing, 24 bytes, */
    PUT(&p, 0, 0, 0, 0, 0, 0, 0, 0);                           /* no segments left */
    PUT(&p, 60, 0xff, 0, 0, 1, 2, 3, 4);                       /* atomic fragment */
    PUT(&p, 6, 0, 1, 4, 0, 0, 0, 0);                           /* destination */
    put_tcp(&p);
    close_packet(&p, 0);
    assert_int_equal(parse(&p, p.n, &k), 0);
    is_our_segment(&k, true);

    p.b[40 + 8 + 16 + 3] = 1; /* a segment left: not at its destination yet */
    assert_int_equal(parse(&p, p.n, &k), WAVE_ENOTOURS);
}

static void rfc6946_only_atomic_fragments_are_whole(void **state)
{
    static const struct {
        unsigned field4, field6;
    } part[] = {{0x2000, 0x0001}, {0x0001, 0x0008}, {0x2001, 0x0009}, {0x1fff, 0xfff8}};
    struct packet k;

    (void)state;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        struct ip_bytes p = tcp4();

        p.b[6] = (uint8_t)(part[i].field4 >> 8), p.b[7] = (uint8_t)part[i].field4;
        assert_int_equal(parse(&p, p.n, &k), WAVE_ENOTOURS);

        p = (struct ip_bytes){.n = 0};
        put_v6(&p, 44);
        PUT(&p, 6, 0, (uint8_t)(part[i].field6 >> 8), (uint8_t)part[i].field6, 1, 2, 3, 4);
        put_tcp(&p);
        close_packet(&p, 0);
        assert_int_equal(parse(&p, p.n, &k), WAVE_ENOTOURS);
    }
}

static void padding_behind_the_packet_is_cut_off(void **state)
{
    struct packet k;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct ip_bytes p = v6 ? tcp6() : tcp4();

        PUT(&p, 0, 0, 0, 0, 0, 0);
        assert_int_equal(parse(&p, p.n, &k), 0);
        is_our_segment(&k, v6);
        assert_int_equal(k.length, p.n - 6);
    }
}

static void a_length_of_0_means_to_the_end_of_the_capture(void **state)
{
    struct packet k;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct ip_bytes p = v6 ? tcp6() : tcp4();

        p.b[v6 ? 4 : 2] = p.b[v6 ? 5 : 3] = 0;
        assert_int_equal(parse(&p, p.n, &k), 0);
        is_our_segment(&k, v6);
        assert_int_equal(k.length, p.n);
    }
}

static void a_capture_that_ends_early_is_truncated_at_every_byte(void **state)
{
    struct packet k;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        const struct ip_bytes p = v6 ? tcp6() : tcp4();

        for (size_t len = 0; len < p.n; len++)
            assert_int_equal(parse(&p, len, &k), WAVE_ETRUNC);
    }
}

static void lengths_that_contradict_each_other_are_malformed(void **state)
{
    struct ip_bytes p = tcp4();
    struct packet k;

    (void)state;
    p.b[0] = 0x44;
    assert_int_equal(parse(&p, p.n, &k), WAVE_EMALFORMED);
    p = tcp4(), p.b[3] = 19; /* shorter than its header */
    assert_int_equal(parse(&p, p.n, &k), WAVE_EMALFORMED);
    p = tcp4(), p.b[3] = 39; /* too short for a TCP header */
    assert_int_equal(parse(&p, p.n, &k), WAVE_EMALFORMED);
    p = tcp4(), p.b[20 + 12] = 0x60; /* data offset beyond the end */
    assert_int_equal(parse(&p, p.n, &k), WAVE_EMALFORMED);
    p = tcp4(), p.b[20 + 12] = 0x40;
    assert_int_equal(parse(&p, p.n, &k), WAVE_EMALFORMED);
    p = tcp6(), p.b[5] = 19;
    assert_int_equal(parse(&p, p.n, &k), WAVE_EMALFORMED);
    p = tcp6(), p.b[6] = 0, p.b[41] = 200; /* an extension header longer than the packet */
    assert_int_equal(parse(&p, p.n, &k), WAVE_EMALFORMED);
}

static void other_protocols_and_versions_are_not_ours(void **state)
{
    struct ip_bytes p = tcp4();
    struct packet k;

    (void)state;
    p.b[9] = 17;
    assert_int_equal(parse(&p, p.n, &k), WAVE_ENOTOURS);
    p = tcp6(), p.b[6] = 17;
    assert_int_equal(parse(&p, p.n, &k), WAVE_ENOTOURS);
    p = tcp4(), p.b[0] = 0x55;
    assert_int_equal(parse(&p, p.n, &k), WAVE_ENOTOURS);
    p = tcp4(), p.b[9] = 58; /* ICMPv6 over IPv4 is nothing */
    assert_int_equal(parse(&p, p.n, &k), WAVE_ENOTOURS);
}

/* Returns an ICMP error from 203.0.113.9 (or 2001:db8::9) that quotes the first `quoted` bytes of
 * our segment's packet. */
static struct ip_bytes error(bool v6, uint8_t type, uint8_t code, uint32_t rest, size_t quoted)
{
    const struct ip_bytes cause = v6 ? tcp6() : tcp4();
    struct ip_bytes p = {.n = 0};

    if (v6)
        put_v6(&p, 58), p.b[23] = 9;
    else
        put_v4(&p, 1, 0), memcpy(p.b + 12, (const uint8_t[]){203, 0, 113, 9}, 4);
    PUT(&p, type, code, 0, 0, (uint8_t)(rest >> 24), (uint8_t)(rest >> 16), (uint8_t)(rest >> 8),
        (uint8_t)rest);
    put(&p, cause.b, quoted);
    close_packet(&p, 0);
    return p;
}

static void is_about_our_flow(const struct packet *k, bool v6)
{
    assert_int_equal(k->kind, PACKET_ICMP);
    assert_null(k->l4);
    assert_int_equal(k->icmp.from.byte[v6 ? 15 : 3], 9);
    assert_int_equal(k->icmp.flow.v6, v6);
    assert_int_equal(k->icmp.flow.lport, 50000);
    assert_int_equal(k->icmp.flow.rport, 80);
    assert_int_equal(k->icmp.flow.local.byte[v6 ? 15 : 3], 1);
    assert_int_equal(k->icmp.flow.remote.byte[v6 ? 15 : 3], v6 ? 2 : 7);
}

static void rfc792_an_error_with_eight_bytes_of_tcp_names_flow_and_seq(void **state)
{
    static const uint8_t type4[] = {3, 4, 5, 11, 12}, type6[] = {1, 2, 3, 4};
    struct packet k;

    (void)state;
    for (size_t i = 0; i < sizeof type4; i++) {
        const struct ip_bytes p = error(false, type4[i], 1, 0, 28);

        assert_int_equal(parse(&p, p.n, &k), 0);
        is_about_our_flow(&k, false);
        assert_int_equal(k.icmp.type, type4[i]);
        assert_int_equal(k.icmp.code, 1);
        assert_true(k.icmp.has_seq);
        assert_int_equal(k.icmp.seq.v, 0x01020304);
        assert_int_equal(k.icmp.meaning, icmp_meaning(false, type4[i], 1));
    }
    for (size_t i = 0; i < sizeof type6; i++) {
        const struct ip_bytes p = error(true, type6[i], 1, 0, 48);

        assert_int_equal(parse(&p, p.n, &k), 0);
        is_about_our_flow(&k, true);
        assert_true(k.icmp.has_seq);
        assert_int_equal(k.icmp.seq.v, 0x01020304);
        assert_int_equal(k.icmp.meaning, icmp_meaning(true, type6[i], 1));
    }
}

static void a_quotation_of_ports_alone_names_the_flow_only(void **state)
{
    struct packet k;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++)
        for (size_t quoted = v6 ? 44 : 24; quoted < (v6 ? 48u : 28u); quoted++) {
            const struct ip_bytes p = error(v6, v6 ? 1 : 3, v6 ? 4 : 3, 0, quoted);

            assert_int_equal(parse(&p, p.n, &k), 0);
            is_about_our_flow(&k, v6);
            assert_false(k.icmp.has_seq);
            assert_int_equal(k.icmp.meaning, ICMP_HARD);
        }
}

static void a_quotation_too_short_to_name_a_flow_is_not_ours(void **state)
{
    struct packet k;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++)
        for (size_t quoted = 0; quoted < (v6 ? 44u : 24u); quoted++) {
            const struct ip_bytes p = error(v6, v6 ? 1 : 3, 3, 0, quoted);

            assert_int_equal(parse(&p, p.n, &k), WAVE_ENOTOURS);
        }
}

static void rfc1191_4_and_rfc4443_3_2_the_next_hops_mtu_is_read(void **state)
{
    struct ip_bytes p = error(false, 3, 4, 0xffff0578, 28);
    struct packet k;

    (void)state;
    assert_int_equal(parse(&p, p.n, &k), 0);
    assert_int_equal(k.icmp.meaning, ICMP_TOO_BIG);
    assert_int_equal(k.icmp.mtu, 1400);
    p = error(true, 2, 0, 0x00010500, 48);
    assert_int_equal(parse(&p, p.n, &k), 0);
    assert_int_equal(k.icmp.meaning, ICMP_TOO_BIG);
    assert_int_equal(k.icmp.mtu, 0x10500);
    p = error(false, 3, 1, 1400, 28); /* elsewhere the word is unused */
    assert_int_equal(parse(&p, p.n, &k), 0);
    assert_int_equal(k.icmp.mtu, 0);
}

static void messages_that_quote_nothing_are_not_ours(void **state)
{
    struct packet k;

    (void)state;
    for (int type = 0; type < 256; type++) {
        const struct ip_bytes p4 = error(false, (uint8_t)type, 0, 0, 28);
        const struct ip_bytes p6 = error(true, (uint8_t)type, 0, 0, 48);
        const bool quotes4 = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;

        assert_int_equal(parse(&p4, p4.n, &k), quotes4 ? 0 : WAVE_ENOTOURS);
        assert_int_equal(parse(&p6, p6.n, &k), type >= 1 && type <= 4 ? 0 : WAVE_ENOTOURS);
    }
}

static void a_quoted_datagram_of_udp_or_a_later_fragment_is_not_ours(void **state)
{
    struct ip_bytes p = error(false, 3, 3, 0, 28);
    struct packet k;

    (void)state;
    p.b[28 + 9] = 17;
    assert_int_equal(parse(&p, p.n, &k), WAVE_ENOTOURS);
    p = error(false, 3, 3, 0, 28), p.b[28 + 7] = 1;
    assert_int_equal(parse(&p, p.n, &k), WAVE_ENOTOURS);
    p = error(false, 3, 3, 0, 28), p.b[28 + 6] = 0x20; /* the first fragment has the ports */
    assert_int_equal(parse(&p, p.n, &k), 0);
    p = error(false, 3, 3, 0, 28), p.b[28] = 0x60; /* another family than its carrier */
    assert_int_equal(parse(&p, p.n, &k), WAVE_ENOTOURS);
}

static void an_icmp_header_cut_short_by_its_packet_is_malformed(void **state)
{
    struct ip_bytes p = {.n = 0};
    struct packet k;

    (void)state;
    put_v4(&p, 1, 0);
    PUT(&p, 3, 3, 0, 0, 0, 0, 0);
    close_packet(&p, 0);
    assert_int_equal(parse(&p, p.n, &k), WAVE_EMALFORMED);
}

/* Good packets with bytes struck at random and cut anywhere: any answer will do, as long as what
 * is given lies within the bytes. */
static void damaged_packets_are_survived(void **state)
{
    uint32_t x = 88172645;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        struct ip_bytes p = round % 4 == 0   ? tcp4()
                            : round % 4 == 1 ? tcp6()
                                             : error(round % 2, round % 2 ? 1 : 3, 1, 0, 40);
        struct packet k;
        size_t len;

        for (unsigned hits = 1 + round % 5; hits; hits--) {
            x ^= x << 13, x ^= x >> 17, x ^= x << 5;
            p.b[x % p.n] = (uint8_t)(x >> 20);
        }
        len = x & 0x40000 ? p.n : (x >> 7) % (p.n + 1);
        if (parse(&p, len, &k) == 0 && k.kind == PACKET_TCP) {
            assert_true(k.l4 >= block && k.l4 + k.l4_len <= block + len);
            assert_true(k.seg.len <= k.l4_len);
        }
    }
}

/* A packet of IPv4 with one of the options that segments have, `more` bytes of data, and its
 * trailer. */
static struct ip_bytes tcp4_with(unsigned kind, unsigned more)
{
    static const struct {
        size_t len;
        uint8_t bytes[20];
    } options[] = {{0, {0}},
                   {12, {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}},
                   {20, {2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7}},
                   {12, {1, 1, 5, 10, 0, 0, 1, 0, 0, 0, 2, 0}},
                   {4, {0xfe, 4, 0, 1}}};
    const size_t size = options[kind % 5].len;
    struct ip_bytes p = {.n = 0};

    put_v4(&p, 6, 0x4000);
    put_tcp(&p);
    p.n -= 3;
    p.b[32] = (uint8_t)((20 + size) << 2);
    put(&p, options[kind % 5].bytes, size);
    p.n += more;
    close_packet(&p, 0);
    p.n += more % 7 == 6 ? 6 : 0; /* padding */
    return p;
}

/* Reads the packet in both ways. Returns whether it was taken. */
static bool reads_alike(const struct ip_bytes *p, size_t len, bool cut)
{
    struct packet plain, full;
    int r;

    memset(&plain, 0, sizeof plain);
    memset(&full, 0, sizeof full);
    free(block);
    block = malloc(len ? len : 1);
    memcpy(block, p->b, len);
    r = cut ? ip_parse_cut(block, len, &plain) : ip_parse(block, len, &plain);
    assert_int_equal(r, ip_parse_in_full(block, len, cut, &full));
    if (r == 0)
        assert_memory_equal(&plain, &full, sizeof plain);
    return r == 0;
}

static void plain_packets_are_read_as_all_others_are(void **state)
{
    (void)state;
    uint32_t x = 4711;
    unsigned taken = 0;

    for (unsigned round = 0; round < 40000; round++) {
        struct ip_bytes p = tcp4_with(round, round / 5 % 40);
        size_t len = p.n;

        for (unsigned hits = round / 200 % 4; hits; hits--) {
            x ^= x << 13, x ^= x >> 17, x ^= x << 5;
            p.b[x % 40] =
                x & 0x1000 ? (uint8_t)(x >> 20) : (uint8_t)(p.b[x % 40] ^ 1u << (x >> 29));
        }
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        if (x & 0x300)
            len = x & 0x400 ? 40 + (x >> 12) % (len - 39) : (x >> 12) % (len + 1);
        taken += reads_alike(&p, len, x & 1);
    }
    assert_in_range(taken, 10000, 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc791_3_1_header_fields_are_read),
        cmocka_unit_test(rfc8200_3_header_fields_are_read),
        cmocka_unit_test(rfc791_3_1_options_are_stepped_over),
        cmocka_unit_test(rfc8200_4_extension_headers_are_stepped_over),
        cmocka_unit_test(rfc6946_only_atomic_fragments_are_whole),
        cmocka_unit_test(padding_behind_the_packet_is_cut_off),
        cmocka_unit_test(a_length_of_0_means_to_the_end_of_the_capture),
        cmocka_unit_test(a_capture_that_ends_early_is_truncated_at_every_byte),
        cmocka_unit_test(lengths_that_contradict_each_other_are_malformed),
        cmocka_unit_test(other_protocols_and_versions_are_not_ours),
        cmocka_unit_test(rfc792_an_error_with_eight_bytes_of_tcp_names_flow_and_seq),
        cmocka_unit_test(a_quotation_of_ports_alone_names_the_flow_only),
        cmocka_unit_test(a_quotation_too_short_to_name_a_flow_is_not_ours),
        cmocka_unit_test(rfc1191_4_and_rfc4443_3_2_the_next_hops_mtu_is_read),
        cmocka_unit_test(messages_that_quote_nothing_are_not_ours),
        cmocka_unit_test(a_quoted_datagram_of_udp_or_a_later_fragment_is_not_ours),
        cmocka_unit_test(an_icmp_header_cut_short_by_its_packet_is_malformed),
        cmocka_unit_test(damaged_packets_are_survived),
        cmocka_unit_test(plain_packets_are_read_as_all_others_are),
    };
    return cmocka_run_group_tests(tests, NULL, drop_block);
}
