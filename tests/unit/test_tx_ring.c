/*
 * Tests the transmit ring against the kernel, over a veth in a network namespace of its own. Where
 * that is not allowed the program is skipped (77).
 *
 * A frame that is put is numbered, and what arrives at the other end is held against the numbers:
 * each frame once, whole and in order, also after the kernel has refused some of them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/wire/l2_send.h"
#include "lib/wire/tx_ring.h"
#include "tests/unit/wire_netns.h"

#define TYPE 0x88b5 /* IEEE 802: for local experiments */
#define SHORTEST 8  /* bytes of a packet: its number stands twice in it */
#define LONGEST (TX_RING_FRAME - L2_HEADER)

static const uint8_t link_header[L2_HEADER] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
                                               0,    0,    0,    0,    1,    0x88, 0xb5};

static int arrivals; /* a socket at the other end */

static size_t length_of(uint32_t number)
{
    return SHORTEST + number * 7 % (LONGEST - SHORTEST + 1);
}

static bool put(struct tx_ring *r, uint32_t number)
{
    const size_t len = length_of(number);
    uint8_t packet[LONGEST];

    memset(packet, (int)number, sizeof packet);
    memcpy(packet, &number, sizeof number);
    memcpy(packet + len - sizeof number, &number, sizeof number);
    return tx_ring_put(r, link_header, L2_HEADER, packet, len);
}

/* Puts the frames from `first` to before `end`, as far as there is room. Returns how many. */
static uint32_t put_all(struct tx_ring *r, uint32_t first, uint32_t end)
{
    uint32_t n = 0;

    while (first + n < end && put(r, first + n))
        n++;
    return n;
}

/* Reads the next frame that has arrived. Returns false if there is none. */
static bool arrived(uint32_t *number)
{
    uint8_t frame[2048];
    const ssize_t n = recv(arrivals, frame, sizeof frame, 0);
    uint32_t last;

    if (n < 0)
        return false;
    assert_memory_equal(frame, link_header, L2_HEADER);
    assert_true(n >= L2_HEADER + SHORTEST);
    memcpy(number, frame + L2_HEADER, sizeof *number);
    memcpy(&last, frame + n - sizeof last, sizeof last);
    assert_int_equal(n, L2_HEADER + length_of(*number));
    assert_int_equal(last, *number);
    return true;
}

static void expect_arrived(uint32_t first, uint32_t end)
{
    for (uint32_t i = first, got; i < end; i++) {
        assert_true(arrived(&got));
        assert_int_equal(got, i);
    }
}

static void expect_no_more(void)
{
    uint32_t got;

    assert_false(arrived(&got));
}

static struct tx_ring *begin(void)
{
    const struct sockaddr_ll to = {.sll_family = AF_PACKET,
                                   .sll_ifindex = (int)if_nametoindex("ra"),
                                   .sll_halen = 6,
                                   .sll_protocol = htons(TYPE)};
    struct tx_ring *r = tx_ring_open(&to);

    assert_non_null(r);
    return r;
}

/* Several times round the ring, a few more in each turn. */
static void frames_arrive_whole_and_in_order(void **state)
{
    struct tx_ring *r = begin();
    uint32_t number = 0;

    (void)state;
    for (uint32_t n = 1; n <= 100; n++, number += n - 1) {
        assert_int_equal(put_all(r, number, number + n), n);
        assert_int_equal(tx_ring_send(r), n);
        expect_arrived(number, number + n);
    }
    expect_no_more();
    tx_ring_close(r);
}

static void where_nothing_was_put_nothing_is_sent(void **state)
{
    struct tx_ring *r = begin();

    (void)state;
    assert_int_equal(tx_ring_send(r), -1);
    assert_int_equal(errno, EAGAIN);
    expect_no_more();
    tx_ring_close(r);
}

static void a_full_ring_takes_no_more(void **state)
{
    struct tx_ring *r = begin();
    const uint32_t room = put_all(r, 0, 100000);
    uint32_t before = 0, number;

    (void)state;
    assert_in_range(room, 128, 99999);
    assert_false(put(r, room));
    assert_int_equal(tx_ring_send(r), room);
    assert_true(arrived(&number));
    assert_int_equal(number, 0);
    for (; arrived(&number); before = number) /* the other end has no room for all of them */
        assert_in_range(number, before + 1, room - 1);
    assert_true(put(r, room));
    assert_int_equal(tx_ring_send(r), 1);
    expect_arrived(room, room + 1);
    expect_no_more();
    tx_ring_close(r);
}

/* The kernel stays at the frame that it refused; what is put next has to stand there. */
static void what_was_refused_is_not_sent_later(void **state)
{
    struct tx_ring *r = begin();

    (void)state;
    assert_int_equal(put_all(r, 0, 5), 5);
    assert_int_equal(tx_ring_send(r), 5);
    assert_true(netns_run("ip link set ra down"));
    assert_int_equal(put_all(r, 100, 110), 10);
    assert_int_equal(tx_ring_send(r), -1);
    assert_int_equal(errno, ENETDOWN);
    assert_true(netns_run("ip link set ra up"));
    assert_int_equal(put_all(r, 5, 8), 3);
    assert_int_equal(tx_ring_send(r), 3);
    expect_arrived(0, 8);
    expect_no_more();
    tx_ring_close(r);
}

/* A queue of few bytes takes some frames and refuses the next; the others stay ours. */
static void what_the_kernel_takes_in_part_is_told(void **state)
{
    struct tx_ring *r = begin();
    uint32_t number = 0;
    int taken;

    (void)state;
    if (!netns_run("tc qdisc add dev ra root tbf rate 8kbit burst 1600 limit 3000"))
        skip();
    assert_int_equal(put_all(r, 0, 64), 64);
    taken = tx_ring_send(r);
    assert_in_range(taken, 1, 63);
    assert_int_equal(put_all(r, (uint32_t)taken, 64), 64 - taken);
    assert_int_equal(tx_ring_send(r), -1);
    assert_int_equal(errno, ENOBUFS);
    assert_true(netns_run("tc qdisc del dev ra root")); /* what it holds is lost */
    assert_int_equal(put_all(r, (uint32_t)taken, 64), 64 - taken);
    assert_int_equal(tx_ring_send(r), 64 - taken);
    while (number < (uint32_t)taken)
        assert_true(arrived(&number));
    assert_int_equal(number, taken);
    expect_arrived((uint32_t)taken + 1, 64);
    expect_no_more();
    tx_ring_close(r);
}

/* Frames that wait in the interface's queue keep their slots. */
static void what_is_still_on_its_way_is_not_written_over(void **state)
{
    struct tx_ring *r = begin();
    uint32_t first = 0, number = 0;

    (void)state;
    if (!netns_run("tc qdisc add dev ra root tbf rate 8kbit burst 1600 limit 1000000"))
        skip();
    for (uint32_t n = 1; n > 0 && first < 10000; first += n) {
        const uint32_t there = put_all(r, first, first + 64);
        const int taken = tx_ring_send(r);
        if (taken <= 0) {
            assert_int_equal(errno, EAGAIN);
            n = 0;
            continue;
        }
        assert_in_range(taken, 1, there);
        n = (uint32_t)taken;
    }
    assert_in_range(first, 64, 9999);
    assert_true(netns_run("tc qdisc del dev ra root"));
    assert_int_equal(put_all(r, first, first + 64), 64);
    assert_int_equal(tx_ring_send(r), 64);
    while (number < first)
        assert_true(arrived(&number));
    assert_int_equal(number, first);
    expect_arrived(first + 1, first + 64);
    expect_no_more();
    tx_ring_close(r);
}

static bool set_up(void)
{
    const struct timeval patience = {0, 200000};
    struct sockaddr_ll here = {.sll_family = AF_PACKET, .sll_protocol = htons(TYPE)};

    if (!netns_enter() ||
        !netns_run("ip link add ra type veth peer name rb && ip link set ra up && "
                   "ip link set rb up"))
        return false;
    here.sll_ifindex = (int)if_nametoindex("rb");
    arrivals = socket(AF_PACKET, SOCK_RAW, 0);
    return arrivals >= 0 &&
           setsockopt(arrivals, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
           bind(arrivals, (struct sockaddr *)&here, sizeof here) == 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_arrive_whole_and_in_order),
        cmocka_unit_test(where_nothing_was_put_nothing_is_sent),
        cmocka_unit_test(a_full_ring_takes_no_more),
        cmocka_unit_test(what_was_refused_is_not_sent_later),
        cmocka_unit_test(what_the_kernel_takes_in_part_is_told),
        cmocka_unit_test(what_is_still_on_its_way_is_not_written_over),
    };

    if (!set_up())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
