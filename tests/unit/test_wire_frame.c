/* Tests the parser of link-layer headers on frames made by hand: each link type, VLAN tags, and
 * every length that is too short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pcap/dlt.h>

#include "lib/core/err.h"
#include "lib/wire/frame.h"

#define MACS 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define V4 0x45
#define V6 0x60

/* Reads a copy that ends where the frame ends, so that a sanitizer sees a byte read beyond. */
static int parse(int dlt, const uint8_t *bytes, size_t len, struct frame *out)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    int result = frame_parse(dlt, copy, len, out);
    free(copy);
    return result;
}

/* The address that the frame comes from, where the link has one, is that of the sender: all frames
 * here have the same. */
static void source_within(const struct frame *f, int dlt, const uint8_t *bytes, size_t len)
{
    static const uint8_t ethernet_sender[FRAME_ADDRESS] = {2, 0, 0, 0, 0, 2};
    const bool has = dlt == DLT_EN10MB || (dlt == DLT_LINUX_SLL && len > 12 && bytes[6] == 2);
    struct frame again;

    if (dlt == DLT_LINUX_SLL2)
        return; /* see below */
    assert_int_equal(f->source != NULL, has);
    if (!has)
        return;
    assert_int_equal(frame_parse(dlt, bytes, len, &again), 0);
    if (dlt == DLT_EN10MB)
        assert_memory_equal(again.source, ethernet_sender, sizeof ethernet_sender);
    else
        assert_ptr_equal(again.source, bytes + 6);
}

/* Checks that the frame is parsed as expected, and that no shorter one passes for a whole header.
 */
static void expect(int dlt, const uint8_t *bytes, size_t len, const struct frame *want)
{
    struct frame f;
    assert_int_equal(parse(dlt, bytes, len, &f), 0);
    assert_int_equal(f.offset, want->offset);
    assert_int_equal(f.v6, want->v6);
    assert_int_equal(f.tags, want->tags);
    assert_int_equal(f.ifindex, want->ifindex);
    assert_int_equal(f.has_outgoing, want->has_outgoing);
    assert_int_equal(f.outgoing, want->outgoing);
    source_within(&f, dlt, bytes, len);
    struct frame untouched = {.offset = 99};
    for (size_t n = 0; n < want->offset; n++) {
        assert_int_equal(parse(dlt, bytes, n, &untouched), WAVE_ETRUNC);
        assert_int_equal(untouched.offset, 99);
    }
}

#define EXPECT(dlt, bytes, ...) expect(dlt, bytes, sizeof bytes, &(struct frame){__VA_ARGS__})

static void refuse(int dlt, const uint8_t *bytes, size_t len)
{
    struct frame untouched = {.offset = 99};
    assert_int_equal(parse(dlt, bytes, len, &untouched), WAVE_ENOTOURS);
    assert_int_equal(untouched.offset, 99);
}

#define REFUSE(dlt, bytes) refuse(dlt, bytes, sizeof bytes)

static void ethernet(void **state)
{
    (void)state;
    static const uint8_t v4[] = {MACS, 0x08, 0x00, V4};
    static const uint8_t v6[] = {MACS, 0x86, 0xdd, V6};
    static const uint8_t arp[] = {MACS, 0x08, 0x06, 0, 1};
    static const uint8_t length[] = {MACS, 0x00, 0x26, 0x42, 0x42, 3}; /* 802.3, spanning tree */
    EXPECT(DLT_EN10MB, v4, .offset = 14);
    EXPECT(DLT_EN10MB, v6, .offset = 14, .v6 = true);
    REFUSE(DLT_EN10MB, arp);
    REFUSE(DLT_EN10MB, length);
}

static void ieee8021q_one_tag_and_two(void **state)
{
    (void)state;
    static const uint8_t one[] = {MACS, 0x81, 0x00, 0xa0, 0x05, 0x08, 0x00, V4};
    static const uint8_t two[] = {MACS, 0x88, 0xa8, 0, 9, 0x81, 0x00, 0, 5, 0x86, 0xdd, V6};
    static const uint8_t old[] = {MACS, 0x91, 0x00, 0, 9, 0x81, 0x00, 0, 5, 0x08, 0x00, V4};
    static const uint8_t three[] = {MACS, 0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 8, 0, V4};
    static const uint8_t tagged_arp[] = {MACS, 0x81, 0x00, 0, 5, 0x08, 0x06, 0};
    EXPECT(DLT_EN10MB, one, .offset = 18, .tags = 1);
    EXPECT(DLT_EN10MB, two, .offset = 22, .v6 = true, .tags = 2);
    EXPECT(DLT_EN10MB, old, .offset = 22, .tags = 2);
    REFUSE(DLT_EN10MB, three);
    REFUSE(DLT_EN10MB, tagged_arp);
}

static void linux_cooked(void **state)
{
    (void)state;
    static const uint8_t in[] = {0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x00, V4};
    static const uint8_t out[] = {0, 4, 3, 4, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x86, 0xdd, V6};
    static const uint8_t tag[] = {0, 0, 0, 1,    0,    6, 2, 0,    0,   0, 0,
                                  1, 0, 0, 0x81, 0x00, 0, 7, 0x08, 0x0, V4};
    static const uint8_t arp[] = {0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x06, 0};
    EXPECT(DLT_LINUX_SLL, in, .offset = 16, .has_outgoing = true);
    EXPECT(DLT_LINUX_SLL, out, .offset = 16, .v6 = true, .has_outgoing = true, .outgoing = true);
    EXPECT(DLT_LINUX_SLL, tag, .offset = 20, .tags = 1, .has_outgoing = true);
    REFUSE(DLT_LINUX_SLL, arp);
}

static void linux_cooked_2(void **state)
{
    (void)state;
    static const uint8_t in[] = {0x08, 0x00, 0, 0, 0, 0, 1, 3, 3, 4, 0,
                                 6,    0,    0, 0, 0, 0, 0, 0, 0, V4};
    static const uint8_t out[] = {0x86, 0xdd, 0, 0, 0, 0, 0, 1, 0, 1, 4,
                                  6,    0,    0, 0, 0, 0, 0, 0, 0, V6};
    EXPECT(DLT_LINUX_SLL2, in, .offset = 20, .ifindex = 259, .has_outgoing = true);
    EXPECT(DLT_LINUX_SLL2, out, .offset = 20, .v6 = true, .ifindex = 1, .has_outgoing = true,
           .outgoing = true);
}

/* Tunnels and lo have none. */
static void the_address_that_a_frame_comes_from(void **state)
{
    (void)state;
    uint8_t v2[] = {0x08, 0x00, 0, 0, 0, 0, 1, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 7, 0, 0, V4};
    uint8_t lo[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0x00, V4};
    struct frame f;

    assert_int_equal(frame_parse(DLT_LINUX_SLL2, v2, sizeof v2, &f), 0);
    assert_ptr_equal(f.source, v2 + 12);
    v2[11] = 4; /* the address of a tunnel */
    assert_int_equal(frame_parse(DLT_LINUX_SLL2, v2, sizeof v2, &f), 0);
    assert_null(f.source);
    assert_int_equal(frame_parse(DLT_EN10MB, lo, sizeof lo, &f), 0);
    assert_null(f.source);
}

static void raw_ip_of_tun_and_wireguard(void **state)
{
    (void)state;
    static const uint8_t v4[] = {V4, 0}, v6[] = {V6, 0}, other[] = {0x00, 0};
    EXPECT(DLT_RAW, v4, .offset = 0);
    EXPECT(DLT_RAW, v6, .offset = 0, .v6 = true);
    EXPECT(DLT_IPV4, v4, .offset = 0);
    EXPECT(DLT_IPV6, v6, .offset = 0, .v6 = true);
    REFUSE(DLT_RAW, other);
    struct frame f;
    assert_int_equal(parse(DLT_RAW, v4, 0, &f), WAVE_ETRUNC);
}

static void rfc1661_ppp_with_and_without_compression(void **state)
{
    (void)state;
    static const uint8_t full[] = {0xff, 0x03, 0x00, 0x21, V4};
    static const uint8_t no_address[] = {0x00, 0x57, V6};
    static const uint8_t short_protocol[] = {0xff, 0x03, 0x21, V4};
    static const uint8_t shortest[] = {0x57, V6};
    static const uint8_t lcp[] = {0xff, 0x03, 0xc0, 0x21, 1};
    EXPECT(DLT_PPP, full, .offset = 4);
    EXPECT(DLT_PPP, no_address, .offset = 2, .v6 = true);
    EXPECT(DLT_PPP, short_protocol, .offset = 3);
    EXPECT(DLT_PPP, shortest, .offset = 1, .v6 = true);
    REFUSE(DLT_PPP, lcp);
}

static void bsd_loopback_in_either_byte_order(void **state)
{
    (void)state;
    static const uint8_t little[] = {2, 0, 0, 0, V4}, big[] = {0, 0, 0, 2, V4};
    static const uint8_t v6[][5] = {
        {10, 0, 0, 0, V6}, {0, 0, 0, 24, V6}, {28, 0, 0, 0, V6}, {0, 0, 0, 30, V6}};
    static const uint8_t osi[] = {7, 0, 0, 0, 1};
    EXPECT(DLT_NULL, little, .offset = 4);
    EXPECT(DLT_NULL, big, .offset = 4);
    EXPECT(DLT_LOOP, big, .offset = 4);
    for (size_t i = 0; i < 4; i++)
        EXPECT(DLT_NULL, v6[i], .offset = 4, .v6 = true);
    REFUSE(DLT_NULL, osi);
}

#define SNAP 0xaa, 0xaa, 3, 0, 0, 0

static void ieee8023_with_llc_and_snap(void **state)
{
    (void)state;
    static const uint8_t v4[] = {MACS, 0, 60, SNAP, 0x08, 0x00, V4};
    static const uint8_t novell[] = {MACS, 0, 60, 0xe0, 0xe0, 3, 0, 0, 0, 0x08, 0x00, V4};
    EXPECT(DLT_EN10MB, v4, .offset = 22);
    REFUSE(DLT_EN10MB, novell);
}

static void rfc2516_pppoe_session(void **state)
{
    (void)state;
    static const uint8_t v4[] = {MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 42, 0, 0x21, V4};
    static const uint8_t lcp[] = {MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 42, 0xc0, 0x21, 1};
    static const uint8_t bare[] = {0x11, 0, 0, 1, 0, 42, 0, 0x57, V6};
    EXPECT(DLT_EN10MB, v4, .offset = 22);
    EXPECT(DLT_PPP_ETHER, bare, .offset = 8, .v6 = true);
    REFUSE(DLT_EN10MB, lcp);
}

/* Reads a wireless frame, and every shorter one, which does not pass for a whole header. */
static void wireless(int dlt, const uint8_t *bytes, size_t len, size_t offset)
{
    struct frame f;

    assert_int_equal(frame_parse(dlt, bytes, len, &f), 0);
    assert_int_equal(f.offset, offset);
    assert_int_equal(f.source[5], 2);
    for (size_t n = 0; n < offset; n++)
        assert_int_equal(parse(dlt, bytes, n, &f), WAVE_ETRUNC);
}

#define MAC(last) 2, 0, 0, 0, 0, last
#define ADDRESSES MAC(1), MAC(2), MAC(3), 0, 0

static void ieee80211_data_frames(void **state)
{
    (void)state;
    static const uint8_t plain[] = {0x08, 1, 0, 0, ADDRESSES, SNAP, 8, 0, V4};
    static const uint8_t qos[] = {0x88, 2, 0, 0, ADDRESSES, 0, 0, SNAP, 8, 0, V4};
    static const uint8_t bridged[] = {0x88, 0x83, 0, 0, ADDRESSES, MAC(4), 0, 0,
                                      1,    2,    3, 4, SNAP,      8,      0, V4};
    static const uint8_t secret[] = {0x08, 0x41, 0, 0, ADDRESSES, SNAP, 8, 0, V4};
    static const uint8_t several[] = {0x88, 1, 0, 0, ADDRESSES, 0x80, 0, SNAP, 8, 0, V4};
    static const uint8_t beacon[] = {0x80, 0, 0, 0, ADDRESSES, SNAP, 8, 0, V4};
    wireless(DLT_IEEE802_11, plain, sizeof plain, 32);
    wireless(DLT_IEEE802_11, qos, sizeof qos, 34);
    wireless(DLT_IEEE802_11, bridged, sizeof bridged, 44);
    REFUSE(DLT_IEEE802_11, secret);
    REFUSE(DLT_IEEE802_11, several);
    REFUSE(DLT_IEEE802_11, beacon);
}

/* The second has a time and flags, and a header that is padded; the third has two words of bits. */
static void radiotap_before_ieee80211(void **state)
{
    (void)state;
    static const uint8_t none[] = {0, 0, 8, 0,         0,    0, 0, 0, 0x08,
                                   1, 0, 0, ADDRESSES, SNAP, 8, 0, V4};
    static const uint8_t padded[] = {0, 0,    17,   0, 3, 0, 0,         0, 1, 2, 3, 4,    5, 6, 7,
                                     8, 0x20, 0x88, 1, 0, 0, ADDRESSES, 0, 0, 0, 0, SNAP, 8, 0, V4};
    static const uint8_t more[] = {0, 0,    25, 0, 3, 0,         0,    0x80, 0, 0, 0, 0,
                                   0, 0,    0,  0, 1, 2,         3,    4,    5, 6, 7, 8,
                                   0, 0x08, 1,  0, 0, ADDRESSES, SNAP, 8,    0, V4};
    uint8_t beyond[sizeof none];
    struct frame f;
    wireless(DLT_IEEE802_11_RADIO, none, sizeof none, 40);
    wireless(DLT_IEEE802_11_RADIO, padded, sizeof padded, 17 + 26 + 2 + 8);
    wireless(DLT_IEEE802_11_RADIO, more, sizeof more, 25 + 32);
    memcpy(beyond, none, sizeof none);
    beyond[2] = 200;
    assert_int_equal(parse(DLT_IEEE802_11_RADIO, beyond, sizeof beyond, &f), WAVE_ETRUNC);
}

static void unknown_link_types_are_named_as_such(void **state)
{
    (void)state;
    static const uint8_t bytes[64];
    assert_false(frame_known(DLT_USB_LINUX));
    REFUSE(DLT_USB_LINUX, bytes);
    assert_true(frame_known(DLT_EN10MB));
    assert_true(frame_known(DLT_LINUX_SLL2));
}

/* Any bytes at all give an answer, and an offset that lies within them. */
static void random_bytes_never_point_outside(void **state)
{
    (void)state;
    static const int types[] = {
        DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW,        DLT_PPP,
        DLT_NULL,   DLT_LOOP,      DLT_PPP_ETHER,  DLT_IEEE802_11, DLT_IEEE802_11_RADIO};
    const size_t count = sizeof types / sizeof *types;
    uint8_t bytes[40];
    uint32_t random = 1;
    for (int i = 0; i < 20000; i++) {
        size_t len = 0;
        for (size_t k = 0; k < sizeof bytes; k++) {
            random = random * 1664525u + 1013904223u;
            bytes[k] = random >> 28 ? (uint8_t)(random >> 20) : 0x81;
        }
        len = random >> 16 & 31;
        struct frame f;
        int result = parse(types[(size_t)i % count], bytes, len, &f);
        assert_true(result == 0 || result == WAVE_ETRUNC || result == WAVE_ENOTOURS);
        if (result == 0)
            assert_true(f.offset <= len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ethernet),
        cmocka_unit_test(ieee8021q_one_tag_and_two),
        cmocka_unit_test(linux_cooked),
        cmocka_unit_test(linux_cooked_2),
        cmocka_unit_test(the_address_that_a_frame_comes_from),
        cmocka_unit_test(raw_ip_of_tun_and_wireguard),
        cmocka_unit_test(rfc1661_ppp_with_and_without_compression),
        cmocka_unit_test(bsd_loopback_in_either_byte_order),
        cmocka_unit_test(ieee8023_with_llc_and_snap),
        cmocka_unit_test(rfc2516_pppoe_session),
        cmocka_unit_test(ieee80211_data_frames),
        cmocka_unit_test(radiotap_before_ieee80211),
        cmocka_unit_test(unknown_link_types_are_named_as_such),
        cmocka_unit_test(random_bytes_never_point_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
