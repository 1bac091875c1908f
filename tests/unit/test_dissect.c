/* Tests how a segment is found in a frame: cut short, in fragments, and inside each kind of tunnel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pcap/dlt.h>

#include "lib/core/checksum.h"
#include "lib/core/ip_build.h"
#include "lib/wire/dissect.h"

static const struct flow inner = {
    .local = {{192, 0, 2, 1}}, .remote = {{192, 0, 2, 80}}, .lport = 40000, .rport = 80};
static const struct flow outer = {.local = {{203, 0, 113, 1}}, .remote = {{203, 0, 113, 2}}};
static const struct ip_fields fields = {.ttl = 57, .df = true, .id = 4711};

/* Writes an IP packet with 100 bytes of data: its length. */
static uint32_t segment(uint8_t *to)
{
    static uint8_t data[100];
    struct seg s = {.seq = seq_of(1000),
                    .ack = seq_of(7),
                    .flags = SEG_ACK,
                    .len = sizeof data,
                    .data = data,
                    .opt = {.has = OPT_TIMESTAMP, .tsval = 5, .tsecr = 6}};
    uint8_t tcp[200];
    int len = seg_build(&inner, &s, tcp, sizeof tcp);

    assert_true(len > 0);
    size_t header = ip_build(&inner, CHECKSUM_TCP, &fields, (uint32_t)len, to);
    memcpy(to + header, tcp, (size_t)len);
    return (uint32_t)header + (uint32_t)len;
}

/* Puts `head`, and the segment, behind an outer header: the length of it all. */
static uint32_t wrapped(uint8_t protocol, const uint8_t *head, size_t head_len, uint8_t *to)
{
    uint8_t packet[300];
    const uint32_t len = segment(packet);
    size_t at = ip_build(&outer, protocol, &fields, (uint32_t)head_len + len, to);

    memcpy(to + at, head, head_len);
    memcpy(to + at + head_len, packet, len);
    return (uint32_t)(at + head_len + len);
}

static int dissected(int dlt, const uint8_t *bytes, uint32_t caplen, struct dissect *d,
                     struct dissected *out)
{
    static uint8_t copy[2048]; /* `out` points into it */
    struct capture_record r = {.stamp = WAVE_S, .dlt = dlt, .bytes = copy, .caplen = caplen};

    memcpy(copy, bytes, caplen);
    return dissect_frame(d, &r, out);
}

static void is_the_segment(const struct dissected *p, enum tunnel_kind tunnel)
{
    assert_int_equal(p->packet.kind, PACKET_TCP);
    assert_true(flow_eq(&p->packet.flow, &inner));
    assert_int_equal(p->packet.seg.seq.v, 1000);
    assert_int_equal(p->packet.seg.len, 100);
    assert_int_equal(p->packet.seg.opt.tsval, 5);
    assert_int_equal(p->tunnel, tunnel);
}

static void a_snap_length_leaves_the_lengths_as_they_were(void **state)
{
    (void)state;
    struct dissect d = {0};
    struct dissected p;
    uint8_t bytes[300];
    const uint32_t len = segment(bytes);
    for (uint32_t n = 0; n <= len; n++) {
        int error = dissected(DLT_RAW, bytes, n, &d, &p);
        assert_int_equal(error, n < 40 ? WAVE_ETRUNC : 0);
        if (error)
            continue;
        assert_int_equal(p.packet.seg.len, 100);
        assert_int_equal(p.packet.length, len);
        assert_int_equal(p.ip_len, n);
        assert_true(p.packet.l4_len == n - 20);
        assert_true((p.packet.seg.data != NULL) == (n == len));
        assert_true((p.packet.seg.opt.has & OPT_TIMESTAMP) ? n >= 52 : n < 52);
    }
    assert_int_equal(d.counts.truncated, 40);
    assert_int_equal(d.counts.cut, len - 40);
}

static void tunnels(void **state)
{
    (void)state;
    static const uint8_t gre[] = {0, 0, 0x08, 0};
    static const uint8_t gre_all[] = {0xb0, 0, 0x08, 0, 1, 2, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1};
    static const uint8_t gre_ether[] = {0, 0, 0x65, 0x58, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    static const uint8_t vxlan[] = {0x30, 0x39, 0x12, 0xb5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 42,
                                    0,    2,    0,    0,    0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    static const struct {
        uint8_t protocol;
        const uint8_t *head;
        size_t len;
        enum tunnel_kind kind;
    } all[] = {{4, NULL, 0, TUNNEL_IP},
               {47, gre, sizeof gre, TUNNEL_GRE},
               {47, gre_all, sizeof gre_all, TUNNEL_GRE},
               {47, gre_ether, sizeof gre_ether, TUNNEL_GRE},
               {17, vxlan, sizeof vxlan, TUNNEL_VXLAN}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct dissect d = {0};
        struct dissected p;
        uint8_t bytes[400];
        static const uint8_t none[1];
        const uint32_t len =
            wrapped(all[i].protocol, all[i].head ? all[i].head : none, all[i].len, bytes);
        assert_int_equal(dissected(DLT_RAW, bytes, len, &d, &p), 0);
        is_the_segment(&p, all[i].kind);
        assert_int_equal(d.counts.tunnelled, 1);
        for (uint32_t n = 20; n < 20 + all[i].len + 40; n++) /* cut, and no byte read beyond */
            assert_int_not_equal(dissected(DLT_RAW, bytes, n, &d, &p), 0);
    }
}

static void what_looks_like_a_tunnel(void **state)
{
    (void)state;
    static const uint8_t pptp[] = {0x30, 1, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t dns[] = {0x30, 0x39, 0, 53, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 42, 0};
    struct dissect d = {0};
    struct dissected p;
    uint8_t bytes[400];
    assert_int_equal(dissected(DLT_RAW, bytes, wrapped(47, pptp, sizeof pptp, bytes), &d, &p),
                     WAVE_ENOTOURS);
    assert_int_equal(dissected(DLT_RAW, bytes, wrapped(17, dns, sizeof dns, bytes), &d, &p),
                     WAVE_ENOTOURS);
    assert_int_equal(d.counts.other, 2);
    assert_int_equal(dissected(9999, bytes, 60, &d, &p), WAVE_ENOTOURS);
    assert_int_equal(d.counts.unknown, 1);
    assert_int_equal(d.counts.unknown_dlt, 9999);
}

/* Only one level: a tunnel within a tunnel is no segment. */
static void a_tunnel_in_a_tunnel(void **state)
{
    (void)state;
    struct dissect d = {0};
    struct dissected p;
    uint8_t once[400], twice[500];
    static const uint8_t none[1];
    const uint32_t len = wrapped(4, none, 0, once);
    const size_t at = ip_build(&outer, 4, &fields, len, twice);
    memcpy(twice + at, once, len);
    assert_int_equal(dissected(DLT_RAW, twice, (uint32_t)at + len, &d, &p), WAVE_ENOTOURS);
}

static void fragments_are_put_together(void **state)
{
    (void)state;
    struct dissect d = {0};
    struct dissected p;
    uint8_t bytes[300], part[300];
    const uint32_t len = segment(bytes), first = 64, rest = len - 20 - first;
    memcpy(part, bytes, 20 + first);
    part[2] = 0;
    part[3] = (uint8_t)(20 + first);
    part[6] = 0x20;
    assert_int_equal(dissected(DLT_RAW, part, 20 + first, &d, &p), WAVE_EAGAIN);
    memcpy(part + 20, bytes + 20 + first, rest);
    part[3] = (uint8_t)(20 + rest);
    part[6] = 0;
    part[7] = (uint8_t)(first / 8);
    assert_int_equal(dissected(DLT_RAW, part, 20 + rest, &d, &p), 0);
    is_the_segment(&p, TUNNEL_NONE);
    assert_int_equal(p.fragments, 2);
    dissect_end(&d);
}

/* Places differ by interface, direction, sender, tags and hops; the same frame has one place. */
static void places(void **state)
{
    (void)state;
    struct dissect d = {0};
    struct dissected a, b;
    uint8_t bytes[300] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    const uint32_t len = 14 + segment(bytes + 14);
    struct capture_record r = {.dlt = DLT_EN10MB, .bytes = bytes, .caplen = len};
    assert_int_equal(dissect_frame(&d, &r, &a), 0);
    assert_int_equal(dissect_frame(&d, &r, &b), 0);
    assert_true(a.place == b.place);
    r.interface = 1;
    assert_int_equal(dissect_frame(&d, &r, &b), 0);
    assert_true(a.place != b.place);
    r.interface = 0;
    bytes[11] = 3;
    assert_int_equal(dissect_frame(&d, &r, &b), 0);
    assert_true(a.place != b.place);
    memset(bytes + 11, 2, 1); /* the last byte of the address, as it was */
    bytes[14 + 8]--;          /* TTL */
    assert_int_equal(dissect_frame(&d, &r, &b), 0);
    assert_true(a.place != b.place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snap_length_leaves_the_lengths_as_they_were),
        cmocka_unit_test(tunnels),
        cmocka_unit_test(what_looks_like_a_tunnel),
        cmocka_unit_test(a_tunnel_in_a_tunnel),
        cmocka_unit_test(fragments_are_put_together),
        cmocka_unit_test(places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
