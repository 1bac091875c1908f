/* Which packets count as copies of one that another interface of this host has shown, and which are
 * packets of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/wire/copies.h"

#define STAMP (1000 * WAVE_S)

/* An IPv4 packet with a TCP header: only the fields that a digest is made of matter here. */
static void packet_v4(uint8_t ip[40], uint16_t id, uint32_t seq, uint8_t ttl)
{
    memset(ip, 0, 40);
    ip[0] = 0x45;
    ip[3] = 40;
    ip[4] = (uint8_t)(id >> 8);
    ip[5] = (uint8_t)id;
    ip[8] = ttl;
    ip[9] = 6;
    memcpy(ip + 24, &seq, sizeof seq);
}

static void the_same_packet_on_another_interface_is_a_copy(void **state)
{
    struct copies c = {.next = 0};
    uint8_t ip[40];
    int first = 0;
    (void)state;

    packet_v4(ip, 7, 100, 64);
    assert_false(copies_seen(&c, ip, sizeof ip, 2, STAMP, &first));
    assert_true(copies_seen(&c, ip, sizeof ip, 3, STAMP + WAVE_US, &first));
    assert_int_equal(first, 2);
    /* A third layer shows it once more. */
    assert_true(copies_seen(&c, ip, sizeof ip, 4, STAMP + 2 * WAVE_US, &first));
}

static void a_hop_on_this_host_may_change_the_ttl(void **state)
{
    struct copies c = {.next = 0};
    uint8_t ip[40];
    int first = 0;
    (void)state;

    packet_v4(ip, 7, 100, 64);
    assert_false(copies_seen(&c, ip, sizeof ip, 2, STAMP, &first));
    packet_v4(ip, 7, 100, 63);
    ip[10] = 1; /* the header's checksum follows */
    assert_true(copies_seen(&c, ip, sizeof ip, 3, STAMP, &first));
}

static void twice_on_one_interface_are_two_packets(void **state)
{
    struct copies c = {.next = 0};
    uint8_t ip[40];
    int first = 0;
    (void)state;

    packet_v4(ip, 7, 100, 64);
    assert_false(copies_seen(&c, ip, sizeof ip, 2, STAMP, &first));
    assert_false(copies_seen(&c, ip, sizeof ip, 2, STAMP, &first));
}

static void a_later_packet_is_no_copy(void **state)
{
    struct copies c = {.next = 0};
    uint8_t ip[40];
    int first = 0;
    (void)state;

    packet_v4(ip, 0, 100, 64); /* SYN-ACKs of some hosts all have the ID 0 */
    assert_false(copies_seen(&c, ip, sizeof ip, 2, STAMP, &first));
    assert_false(copies_seen(&c, ip, sizeof ip, 3, STAMP + WAVE_S, &first));
}

static void another_packet_is_no_copy(void **state)
{
    struct copies c = {.next = 0};
    uint8_t ip[40];
    int first = 0;
    (void)state;

    packet_v4(ip, 7, 100, 64);
    assert_false(copies_seen(&c, ip, sizeof ip, 2, STAMP, &first));
    packet_v4(ip, 8, 100, 64);
    assert_false(copies_seen(&c, ip, sizeof ip, 3, STAMP, &first));
    packet_v4(ip, 7, 101, 64);
    assert_false(copies_seen(&c, ip, sizeof ip, 3, STAMP, &first));
}

static void ipv6_is_known_by_what_stands_behind_the_hop_limit(void **state)
{
    struct copies c = {.next = 0};
    uint8_t ip[60] = {0x60};
    int first = 0;
    (void)state;

    ip[5] = 20;
    ip[6] = 6;
    ip[7] = 64;
    ip[47] = 9; /* of the sequence number */
    assert_false(copies_seen(&c, ip, sizeof ip, 2, STAMP, &first));
    ip[7] = 63;
    assert_true(copies_seen(&c, ip, sizeof ip, 3, STAMP, &first));
    ip[47] = 10;
    assert_false(copies_seen(&c, ip, sizeof ip, 3, STAMP, &first));
}

static void packets_in_between_do_not_matter(void **state)
{
    struct copies c = {.next = 0};
    uint8_t ip[40];
    int first = 0;
    (void)state;

    for (uint16_t i = 0; i < COPIES_KEPT; i++) {
        packet_v4(ip, i, 100, 64);
        assert_false(copies_seen(&c, ip, sizeof ip, 2, STAMP, &first));
    }
    for (uint16_t i = 0; i < COPIES_KEPT; i++) {
        packet_v4(ip, i, 100, 64);
        assert_true(copies_seen(&c, ip, sizeof ip, 3, STAMP + WAVE_MS, &first));
    }
}

/* The count of each group goes down with the oldest packet, however often the list is filled. */
static void the_counts_of_the_groups_are_those_of_the_packets_kept(void **state)
{
    struct copies c = {.next = UINT32_MAX - 100}; /* it passes its highest value */
    uint8_t ip[40];
    unsigned kept = 0;
    int first = 0;
    (void)state;

    c.kept[0] = COPIES_KEPT; /* as many packets of a digest of zeros */
    for (uint16_t i = 0; i < 1000; i++) {
        packet_v4(ip, i, 100, 64);
        assert_false(copies_seen(&c, ip, sizeof ip, 2, STAMP, &first));
        assert_true(copies_seen(&c, ip, sizeof ip, 3, STAMP, &first));
    }
    for (unsigned i = 0; i < COPIES_GROUPS; i++)
        kept += c.kept[i];
    assert_int_equal(kept, COPIES_KEPT);
}

static void a_packet_shorter_than_its_headers_is_read_within_its_bytes(void **state)
{
    struct copies c = {.next = 0};
    uint8_t ip[3] = {0x45, 0, 3};
    int first = 0;
    (void)state;

    assert_false(copies_seen(&c, ip, sizeof ip, 2, STAMP, &first));
    assert_true(copies_seen(&c, ip, sizeof ip, 3, STAMP, &first));
    assert_false(copies_seen(&c, ip, 0, 2, STAMP, &first));
}

/* A packet of the peer's, as a bridge (the route's interface, 9) and its port (3) show it. */
static void over_a_bridge(struct copies_way *w, bool copy_is_read)
{
    copies_way_seen(w, 9, 3, false, 0);
    if (copy_is_read)
        copies_way_seen(w, 9, 9, true, 3);
}

static void over_a_bridge_nothing_comes_by_another_interface(void **state)
{
    struct copies_way w = {.other = 0};
    (void)state;

    for (int i = 0; i < 10; i++)
        over_a_bridge(&w, true);
    assert_int_equal(copies_way_other(&w), 0);
}

/* The run ends while the copy of the last packet is not read, or the capture has lost a few. */
static void a_copy_that_is_not_read_yet_makes_no_other_interface(void **state)
{
    struct copies_way w = {.other = 0};
    (void)state;

    for (int i = 0; i < 10; i++)
        over_a_bridge(&w, i < 7);
    assert_int_equal(copies_way_other(&w), 0);
}

static void packets_by_another_interface_alone_are_counted(void **state)
{
    struct copies_way w = {.other = 0};
    (void)state;

    copies_way_seen(&w, 9, 4, false, 0);
    assert_int_equal(copies_way_other(&w), 1);
    assert_int_equal(w.ifindex, 4);
    copies_way_seen(&w, 9, 9, false, 0); /* the route's own brings what it brings */
    copies_way_seen(&w, 9, 4, false, 0);
    assert_int_equal(copies_way_other(&w), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_packet_on_another_interface_is_a_copy),
        cmocka_unit_test(a_hop_on_this_host_may_change_the_ttl),
        cmocka_unit_test(twice_on_one_interface_are_two_packets),
        cmocka_unit_test(a_later_packet_is_no_copy),
        cmocka_unit_test(another_packet_is_no_copy),
        cmocka_unit_test(ipv6_is_known_by_what_stands_behind_the_hop_limit),
        cmocka_unit_test(packets_in_between_do_not_matter),
        cmocka_unit_test(the_counts_of_the_groups_are_those_of_the_packets_kept),
        cmocka_unit_test(a_packet_shorter_than_its_headers_is_read_within_its_bytes),
        cmocka_unit_test(over_a_bridge_nothing_comes_by_another_interface),
        cmocka_unit_test(a_copy_that_is_not_read_yet_makes_no_other_interface),
        cmocka_unit_test(packets_by_another_interface_alone_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
