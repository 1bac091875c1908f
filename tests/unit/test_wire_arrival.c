/*
 * Tests what arrives from the wire. The test writes it byte by byte: through a tun device (raw IP),
 * and with VLAN tags through a pair of veths. It runs in a network namespace of its own, and is
 * skipped (77) where that is not allowed.
 */
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/core/checksum.h"
#include "lib/wire/capture.h"
#include "lib/wire/frame.h"
#include "lib/wire/route.h"
#include "tests/unit/wire_netns.h"

/*
 * A tun device whose other end is this test: each packet that arrives is written byte by byte.
 */

static const char tun_peer[] = "10.79.0.2";

/* The device's descriptor, with an address of ours on it, or -1 where there are none. */
static int open_tun(void)
{
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR);
    strcpy(r.ifr_name, "wt");
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &r) == 0 &&
        netns_run("ip link set wt mtu 1400 up && ip addr add 10.79.0.1/24 dev wt"))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Holds a wire over the device to its far end. */
struct over_tun {
    int tun;
    struct wire *w;
    struct flow f, back;
};

static int open_over_tun(void **state)
{
    static struct over_tun o;
    struct wire_config c = {
        .remote = netns_addr(false, tun_peer), .rport = 80, .keep_privileges = true};
    *state = NULL;
    if ((o.tun = open_tun()) < 0)
        return 0; /* where there are no such devices the case is skipped */
    o.w = netns_open(&c);
    o.f = netns_flow(o.w, &c);
    o.back = flow_reverse(&o.f);
    *state = &o;
    return 0;
}

static int close_over_tun(void **state)
{
    struct over_tun *o = *state;
    if (o) {
        wire_close(o->w);
        close(o->tun);
    }
    return 0;
}

/* Makes an IPv4 packet from the far end, with the right header checksum. */
static size_t make_ip(uint8_t *bytes, const struct flow *from, uint8_t protocol, size_t len)
{
    uint8_t header[20] = {
        0x45, 0, (uint8_t)((20 + len) >> 8), (uint8_t)(20 + len), 0, 9, 0x40, 0, 63, protocol};
    memcpy(header + 12, from->local.byte, 4);
    memcpy(header + 16, from->remote.byte, 4);
    uint16_t sum = checksum_finish(checksum_add(0, header, sizeof header));
    memcpy(header + 10, &sum, 2);
    memcpy(bytes, header, sizeof header);
    return sizeof header + len;
}

static void arrive(int tun, const uint8_t *bytes, size_t len)
{
    assert_int_equal(write(tun, bytes, len), len);
}

static void checksums_right_wrong_and_not_filled_in(void **state)
{
    struct over_tun *o = *state;
    if (!o)
        skip();
    struct wire_packet p;
    uint8_t bytes[128], *tcp = bytes + 20;
    assert_string_equal(wire_info(o->w)->link, "raw");
    assert_int_equal(wire_info(o->w)->mtu, 1400);

    struct seg s = {.flags = SEG_ACK, .len = 4, .data = (const uint8_t *)"data"};
    size_t len = (size_t)seg_build(&o->back, &s, tcp, sizeof bytes - 20);
    len = make_ip(bytes, &o->back, 6, len);
    arrive(o->tun, bytes, len);
    netns_next(o->w, false, &p);
    assert_int_equal(p.packet.ttl, 63);

    bytes[len - 1] ^= 1;
    arrive(o->tun, bytes, len);
    assert_false(netns_next_within(o->w, false, 50, &p));
    assert_int_equal(wire_stats(o->w).malformed, 1);
    assert_int_equal(wire_stats(o->w).bad_header, 0);
    bytes[len - 1] ^= 1;

    bytes[10] ^= 1; /* IPv4's own: a host throws it away before its rules see it */
    arrive(o->tun, bytes, len);
    assert_false(netns_next_within(o->w, false, 50, &p));
    assert_int_equal(wire_stats(o->w).malformed, 2);
    assert_int_equal(wire_stats(o->w).bad_checksum, 2);
    assert_int_equal(wire_stats(o->w).bad_header, 1);
    bytes[10] ^= 1;

    /* CHECKSUM_PARTIAL: the sum of the pseudo-header, not inverted, stands in the field. */
    uint16_t unfilled =
        (uint16_t)~checksum_finish(checksum_pseudo(&o->back, 6, (uint32_t)len - 20));
    memcpy(tcp + 16, &unfilled, 2);
    arrive(o->tun, bytes, len);
    netns_next(o->w, false, &p);
    assert_int_equal(p.packet.seg.len, 4);

    arrive(o->tun, bytes, len - 10); /* the frame ends before the packet does */
    assert_false(netns_next_within(o->w, false, 50, &p));
    assert_int_equal(wire_stats(o->w).truncated, 1);

    tcp[12] = 0x40; /* a data offset below five (RFC 9293, 3.1) */
    arrive(o->tun, bytes, len);
    assert_false(netns_next_within(o->w, false, 50, &p));
    assert_int_equal(wire_stats(o->w).malformed, 3);
}

/* Sends the part of a segment from the far end as an IPv4 fragment. */
static void arrive_fragment(struct over_tun *o, const uint8_t *tcp, size_t from, size_t end,
                            size_t len, uint8_t id)
{
    uint8_t bytes[2000];
    const size_t n = make_ip(bytes, &o->back, 6, end - from);

    bytes[5] = id;
    bytes[6] = (uint8_t)((end < len ? 0x20 : 0) | from >> 11);
    bytes[7] = (uint8_t)(from >> 3);
    memset(bytes + 10, 0, 2);
    uint16_t sum = checksum_finish(checksum_add(0, bytes, 20));
    memcpy(bytes + 10, &sum, 2);
    memcpy(bytes + 20, tcp + from, end - from);
    arrive(o->tun, bytes, n);
}

/* RFC 1122, 3.3.2; the checksum is the whole segment's. */
static void fragments_are_given_as_one_packet(void **state)
{
    struct over_tun *o = *state;
    if (!o)
        skip();
    struct wire_packet p;
    static const uint8_t data[1000] = {1, 2, 3};
    uint8_t tcp[1100];
    struct seg s = {.flags = SEG_ACK, .len = sizeof data, .data = data};
    size_t len = (size_t)seg_build(&o->back, &s, tcp, sizeof tcp);

    arrive_fragment(o, tcp, 512, len, len, 1);
    arrive_fragment(o, tcp, 0, 512, len, 1);
    netns_next(o->w, false, &p);
    assert_int_equal(p.packet.seg.len, sizeof data);
    assert_memory_equal(p.packet.seg.data, data, sizeof data);
    assert_int_equal(p.fragments, 2);
    assert_int_equal(p.ip_len, len + 20);
    assert_int_equal(wire_stats(o->w).unrelated, 0);
    assert_int_equal(wire_stats(o->w).fragmented.packets, 1);

    tcp[600] ^= 1;
    arrive_fragment(o, tcp, 0, 512, len, 2);
    arrive_fragment(o, tcp, 512, len, len, 2);
    assert_false(netns_next_within(o->w, false, 50, &p));
    assert_int_equal(wire_stats(o->w).bad_checksum, 1);
    tcp[600] ^= 1;

    tcp[3] ^= 1; /* to another port of ours: of another connection */
    arrive_fragment(o, tcp, 0, 512, len, 3);
    arrive_fragment(o, tcp, 512, len, len, 3);
    arrive_fragment(o, tcp, 0, 512, len, 4); /* and this one is never complete */
    tcp[3] ^= 1;
    arrive_fragment(o, tcp, 0, 512, len, 5);
    assert_false(netns_next_within(o->w, false, 1200, &p));
    assert_int_equal(wire_stats(o->w).fragmented.packets, 2);
    assert_int_equal(wire_stats(o->w).fragmented.missing, 1);
    arrive_fragment(o, tcp, 512, len, len, 5); /* it only came late */
    netns_next(o->w, false, &p);
    assert_int_equal(wire_stats(o->w).fragmented.missing, 0);
}

/* RFC 1122, 3.2.2.1: an error quotes the IP header and eight bytes at least. */
static void port_unreachable_is_given_to_the_flow_it_quotes(void **state)
{
    struct over_tun *o = *state;
    if (!o)
        skip();
    struct wire_packet p;
    uint8_t sent[128], bytes[128] = {0}, *icmp = bytes + 20;

    netns_send(o->w, &o->f, &netns_syn);
    do /* IPv6 has things of its own to say on a new device */
        assert_true(read(o->tun, sent, sizeof sent) >= 40);
    while (sent[0] != 0x45);
    for (int quoted = 0; quoted < 2; quoted++) {
        sent[20] ^= 1; /* first another flow's port, then ours */
        memset(icmp, 0, 8);
        icmp[0] = 3;
        icmp[1] = 3;
        memcpy(icmp + 8, sent, 28);
        uint16_t sum = checksum_finish(checksum_add(0, icmp, 36));
        memcpy(icmp + 2, &sum, 2);
        arrive(o->tun, bytes, make_ip(bytes, &o->back, 1, 36));
        if (quoted == 0)
            assert_false(netns_next_within(o->w, false, 50, &p));
    }
    netns_next(o->w, false, &p);
    assert_int_equal(p.packet.kind, PACKET_ICMP);
    assert_int_equal(p.packet.icmp.type, 3);
    assert_int_equal(p.packet.icmp.code, 3);
    assert_int_equal(p.packet.icmp.seq.v, netns_syn.seq.v);
    assert_int_equal(wire_stats(o->w).unrelated, 1);
}

/* Listening on every interface and address: what comes in through any of them is met. */
static void listening_meets_a_stranger_on_any_interface(void **state)
{
    (void)state;
    int tun = open_tun();
    if (tun < 0)
        skip();
    struct wire_config c = {.listen = true, .keep_privileges = true};
    struct wire *w = netns_open(&c);
    struct flow from = {.local = netns_addr(false, tun_peer),
                        .remote = netns_addr(false, "10.79.0.1"),
                        .lport = 4000,
                        .rport = wire_info(w)->lport};
    struct wire_packet p;
    uint8_t bytes[128];
    assert_int_equal(wire_info(w)->mtu, 1400); /* the smallest there is */
    for (int i = 0; i < 2; i++) {
        int len = seg_build(&from, &netns_syn, bytes + 20, sizeof bytes - 20);
        arrive(tun, bytes, make_ip(bytes, &from, 6, (size_t)len));
        netns_next(w, false, &p);
        assert_true(flow_eq(&p.packet.flow, &from));
        assert_int_equal(p.packet.seg.flags, SEG_SYN);
        from.lport++;
    }
    assert_false(netns_next_within(w, true, 50, &p)); /* and the kernel said nothing */
    wire_close(w);
    close(tun);
}

/* Sends a frame out of "wd", so that it arrives at "wc". */
static void arrive_tagged(int fd, int ifindex, const uint8_t *ip, size_t len, int tags)
{
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 0xc, 2, 0, 0, 0, 0, 0xd};
    static const uint8_t tag[4] = {0x81, 0x00, 0x00, 0x05}, type[2] = {0x08, 0x00};
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = ifindex};
    uint8_t bytes[256];
    size_t n = 0;
    memcpy(bytes, macs, sizeof macs);
    n += sizeof macs;
    for (int i = 0; i < tags; i++, n += sizeof tag)
        memcpy(bytes + n, tag, sizeof tag);
    memcpy(bytes + n, type, sizeof type);
    n += sizeof type;
    memcpy(bytes + n, ip, len);
    n += len;
    assert_int_equal(sendto(fd, bytes, n, 0, (struct sockaddr *)&to, sizeof to), n);
}

/* The kernel takes the outer tag off before the filter sees the frame, and libpcap puts it back:
 * the packet is found, and read, with none, one and two. The neighbour's is not found. */
static void vlan_tagged_segments_are_captured(void **state)
{
    (void)state;
    assert_true(netns_run("ip link add wc type veth peer name wd && ip link set wc up &&"
                          "ip link set wd up"));
    struct flow back = {.local = netns_addr(false, "10.80.0.2"),
                        .remote = netns_addr(false, "10.80.0.1"),
                        .lport = 80,
                        .rport = 4000};
    struct capture_config config = {.device = "wc", .filter = {.flow = flow_reverse(&back)}};
    struct capture *c = NULL;
    struct capture_frame one;
    struct frame f;
    struct packet p;
    struct diag d = {""};
    uint8_t ip[64];
    assert_int_equal(capture_open(&c, &config, &d), 0);
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    assert_true(fd >= 0);
    int ifindex = (int)if_nametoindex("wd");

    struct seg s = {.flags = SEG_ACK};
    for (int tags = 0; tags <= 2; tags++) {
        struct flow other = back;
        other.lport++;
        assert_int_equal(seg_build(&other, &s, ip + 20, sizeof ip - 20), 20);
        arrive_tagged(fd, ifindex, ip, make_ip(ip, &other, 6, 20), tags);
        assert_int_equal(seg_build(&back, &s, ip + 20, sizeof ip - 20), 20);
        arrive_tagged(fd, ifindex, ip, make_ip(ip, &back, 6, 20), tags);

        struct pollfd ready = {capture_fd(c), POLLIN, 0};
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        assert_int_equal(capture_next(c, &one, &d), 1);
        assert_int_equal(frame_parse(capture_dlt(c), one.bytes, one.caplen, &f), 0);
        assert_int_equal(f.tags, tags);
        assert_int_equal(ip_parse(one.bytes + f.offset, one.caplen - f.offset, &p), 0);
        assert_true(flow_eq(&p.flow, &back));
        assert_int_equal(capture_next(c, &one, &d), 0);
    }
    close(fd);
    capture_close(c);
}

/* Opens a capture of "we", one end of a pair of veths; `fd` writes frames into the other end, "wf".
 * The interfaces accept longer frames than the capture expects. */
struct wire_arrival_pair {
    struct capture *c;
    struct flow back;
    int fd, ifindex;
};

static void open_pair(struct wire_arrival_pair *p)
{
    struct diag d = {""};
    assert_true(netns_run("ip link add we mtu 9000 type veth peer name wf mtu 9000 &&"
                          "ip link set we up && ip link set wf up"));
    p->back = (struct flow){.local = netns_addr(false, "10.81.0.2"),
                            .remote = netns_addr(false, "10.81.0.1"),
                            .lport = 80,
                            .rport = 4000};
    struct capture_config config = {
        .device = "we", .filter = {.flow = flow_reverse(&p->back)}, .mtu = 1500, .ring = 65536};
    assert_int_equal(capture_open(&p->c, &config, &d), 0);
    p->fd = socket(AF_PACKET, SOCK_RAW, 0);
    p->ifindex = (int)if_nametoindex("wf");
    assert_true(p->fd >= 0 && p->ifindex > 0);
}

static void close_pair(struct wire_arrival_pair *p)
{
    close(p->fd);
    capture_close(p->c);
    assert_true(netns_run("ip link del we"));
}

/* Sends a segment with `len` bytes of the value `number`, which is its sequence number too. */
static void arrive_long(struct wire_arrival_pair *p, uint32_t number, uint32_t len, bool tag)
{
    static uint8_t bytes[9100], data[9000];
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 0xe, 2, 0, 0, 0, 0, 0xf};
    static const uint8_t vlan[4] = {0x81, 0x00, 0x00, 0x05}, type[2] = {0x08, 0x00};
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = p->ifindex};
    struct seg s = {.seq = seq_of(number), .flags = SEG_ACK, .data = data, .len = len};
    size_t at = sizeof macs;

    memset(data, (int)number, len);
    memcpy(bytes, macs, sizeof macs);
    if (tag) {
        memcpy(bytes + at, vlan, sizeof vlan);
        at += sizeof vlan;
    }
    memcpy(bytes + at, type, sizeof type);
    at += sizeof type;
    int n = seg_build(&p->back, &s, bytes + at + 20, sizeof bytes - at - 20);
    assert_true(n > 0);
    at += make_ip(bytes + at, &p->back, 6, (size_t)n);
    assert_int_equal(sendto(p->fd, bytes, at, 0, (struct sockaddr *)&to, sizeof to), at);
}

/* Checks that the next frame is that segment, complete. Returns whether there is a gap before it.
 */
static bool expect_long(struct wire_arrival_pair *p, uint32_t number, uint32_t len, bool tag)
{
    struct pollfd ready = {capture_fd(p->c), POLLIN, 0};
    struct capture_frame one;
    struct frame f;
    struct packet seen;
    struct diag d = {""};

    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    assert_int_equal(capture_next(p->c, &one, &d), 1);
    assert_int_equal(one.caplen, one.len);
    assert_int_equal(frame_parse(capture_dlt(p->c), one.bytes, one.caplen, &f), 0);
    assert_int_equal(f.tags, tag);
    assert_int_equal(ip_parse(one.bytes + f.offset, one.caplen - f.offset, &seen), 0);
    assert_int_equal(seen.seg.seq.v, number);
    assert_int_equal(seen.seg.len, len);
    for (uint32_t i = 0; i < len; i++)
        assert_int_equal(seen.seg.data[i], (uint8_t)number);
    return one.gap;
}

static void nothing_waits(struct wire_arrival_pair *p)
{
    struct pollfd ready = {capture_fd(p->c), POLLIN, 0};
    struct capture_frame one;
    struct diag d = {""};

    assert_int_equal(capture_next(p->c, &one, &d), 0);
    assert_int_equal(poll(&ready, 1, 0), 0);
}

/* Around the length of a slot each length is tried. */
static void frames_longer_than_a_slot_are_whole_and_in_order(void **state)
{
    struct wire_arrival_pair p;

    (void)state;
    open_pair(&p);
    for (uint32_t i = 0; i < 10; i++)
        arrive_long(&p, i, i % 2 ? 8000 : 100, i == 3 || i == 4);
    for (uint32_t i = 0; i < 10; i++)
        assert_false(expect_long(&p, i, i % 2 ? 8000 : 100, i == 3 || i == 4));
    nothing_waits(&p);
    for (uint32_t len = 1440; len < 1600; len++) {
        arrive_long(&p, len, len, len & 1);
        assert_false(expect_long(&p, len, len, len & 1));
    }
    nothing_waits(&p);
    close_pair(&p);
}

/* The ring of 64 KiB has 40 slots. */
static void what_is_lost_is_known_by_the_frame_behind_it(void **state)
{
    struct wire_arrival_pair p;
    uint64_t received, dropped;

    (void)state;
    open_pair(&p);
    for (uint32_t i = 0; i < 50; i++)
        arrive_long(&p, i, 1000, false);
    for (uint32_t i = 0; i < 40; i++)
        assert_false(expect_long(&p, i, 1000, false));
    nothing_waits(&p);
    arrive_long(&p, 50, 1000, false);
    arrive_long(&p, 51, 1000, false);
    assert_true(expect_long(&p, 50, 1000, false));
    expect_long(&p, 51, 1000, false);
    arrive_long(&p, 52, 1000, false);
    assert_false(expect_long(&p, 52, 1000, false));
    nothing_waits(&p);
    capture_stats(p.c, &received, &dropped);
    assert_int_equal(dropped, 10);
    assert_int_equal(received, 53);
    assert_true(capture_room(p.c).frames == 40);
    close_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(checksums_right_wrong_and_not_filled_in, open_over_tun,
                                        close_over_tun),
        cmocka_unit_test_setup_teardown(fragments_are_given_as_one_packet, open_over_tun,
                                        close_over_tun),
        cmocka_unit_test_setup_teardown(port_unreachable_is_given_to_the_flow_it_quotes,
                                        open_over_tun, close_over_tun),
        cmocka_unit_test(listening_meets_a_stranger_on_any_interface),
        cmocka_unit_test(vlan_tagged_segments_are_captured),
        cmocka_unit_test(frames_longer_than_a_slot_are_whole_and_in_order),
        cmocka_unit_test(what_is_lost_is_known_by_the_frame_behind_it),
    };
    if (!netns_enter())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
