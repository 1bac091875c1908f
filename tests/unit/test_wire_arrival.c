/*
 * What arrives, written byte by byte by the test: through a tun device (raw IP), and with VLAN tags
 * through a pair of veths. In a network namespace of its own; skipped (77) where that is not
 * allowed.
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
#include "tests/unit/wire_ground.h"

/*
 * A tun device, whose other end is this test: what arrives is written byte by byte.
 */

static const char tun_peer[] = "10.79.0.2";

/* The device's descriptor, with an address of ours on it, or -1 where there are none. */
static int open_tun(void)
{
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR);
    strcpy(r.ifr_name, "wt");
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &r) == 0 &&
        ground_run("ip link set wt mtu 1400 up && ip addr add 10.79.0.1/24 dev wt"))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* A wire over the device to its far end. */
struct over_tun {
    int tun;
    struct wire *w;
    struct flow f, back;
};

static int open_over_tun(void **state)
{
    static struct over_tun o;
    struct wire_config c = {
        .remote = ground_addr(false, tun_peer), .rport = 80, .keep_privileges = true};
    *state = NULL;
    if ((o.tun = open_tun()) < 0)
        return 0; /* where there are no such devices the case is skipped */
    o.w = ground_open(&c);
    o.f = ground_flow(o.w, &c);
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

/* An IPv4 packet from the far end, its header's checksum right. */
static size_t make_ip(uint8_t *bytes, const struct flow *from, uint8_t protocol, size_t len)
{
    uint8_t header[20] = {0x45, 0, 0, (uint8_t)(20 + len), 0, 9, 0x40, 0, 63, protocol};
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
    ground_next(o->w, false, &p);
    assert_int_equal(p.packet.ttl, 63);

    bytes[len - 1] ^= 1;
    arrive(o->tun, bytes, len);
    assert_false(ground_next_within(o->w, false, 50, &p));
    assert_int_equal(wire_stats(o->w).malformed, 1);

    /* CHECKSUM_PARTIAL: the sum of the pseudo-header, not inverted, stands in the field. */
    uint16_t unfilled =
        (uint16_t)~checksum_finish(checksum_pseudo(&o->back, 6, (uint32_t)len - 20));
    memcpy(tcp + 16, &unfilled, 2);
    arrive(o->tun, bytes, len);
    ground_next(o->w, false, &p);
    assert_int_equal(p.packet.seg.len, 4);

    arrive(o->tun, bytes, len - 10); /* the frame ends before the packet does */
    assert_false(ground_next_within(o->w, false, 50, &p));
    assert_int_equal(wire_stats(o->w).truncated, 1);

    tcp[12] = 0x40; /* a data offset below five (RFC 9293, 3.1) */
    arrive(o->tun, bytes, len);
    assert_false(ground_next_within(o->w, false, 50, &p));
    assert_int_equal(wire_stats(o->w).malformed, 2);
}

/* RFC 1122, 3.2.2.1: an error quotes the IP header and eight bytes at least. */
static void port_unreachable_is_given_to_the_flow_it_quotes(void **state)
{
    struct over_tun *o = *state;
    if (!o)
        skip();
    struct wire_packet p;
    uint8_t sent[128], bytes[128] = {0}, *icmp = bytes + 20;

    ground_send(o->w, &o->f, &ground_syn);
    do /* IPv6 has things of its own to say on a new device */
        assert_true(read(o->tun, sent, sizeof sent) >= 40);
    while (sent[0] != 0x45);
    for (int quoted = 0; quoted < 2; quoted++) {
        sent[20] ^= 1; /* first another flow's port, then ours again */
        memset(icmp, 0, 8);
        icmp[0] = 3;
        icmp[1] = 3;
        memcpy(icmp + 8, sent, 28);
        uint16_t sum = checksum_finish(checksum_add(0, icmp, 36));
        memcpy(icmp + 2, &sum, 2);
        arrive(o->tun, bytes, make_ip(bytes, &o->back, 1, 36));
        if (quoted == 0)
            assert_false(ground_next_within(o->w, false, 50, &p));
    }
    ground_next(o->w, false, &p);
    assert_int_equal(p.packet.kind, PACKET_ICMP);
    assert_int_equal(p.packet.icmp.type, 3);
    assert_int_equal(p.packet.icmp.code, 3);
    assert_int_equal(p.packet.icmp.seq.v, ground_syn.seq.v);
    assert_int_equal(wire_stats(o->w).other, 1);
}

/* Listening on every interface and address: what comes in through any of them is met. */
static void listening_meets_a_stranger_on_any_interface(void **state)
{
    (void)state;
    int tun = open_tun();
    if (tun < 0)
        skip();
    struct wire_config c = {.listen = true, .keep_privileges = true};
    struct wire *w = ground_open(&c);
    struct flow from = {.local = ground_addr(false, tun_peer),
                        .remote = ground_addr(false, "10.79.0.1"),
                        .lport = 4000,
                        .rport = wire_info(w)->lport};
    struct wire_packet p;
    uint8_t bytes[128];
    assert_int_equal(wire_info(w)->mtu, 1400); /* the smallest there is */
    for (int i = 0; i < 2; i++) {
        int len = seg_build(&from, &ground_syn, bytes + 20, sizeof bytes - 20);
        arrive(tun, bytes, make_ip(bytes, &from, 6, (size_t)len));
        ground_next(w, false, &p);
        assert_true(flow_eq(&p.packet.flow, &from));
        assert_int_equal(p.packet.seg.flags, SEG_SYN);
        from.lport++;
    }
    assert_false(ground_next_within(w, true, 50, &p)); /* and the kernel said nothing */
    wire_close(w);
    close(tun);
}

/* A frame out of "wd", which is thereby into "wc". */
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
    assert_true(ground_run("ip link add wc type veth peer name wd && ip link set wc up &&"
                           "ip link set wd up"));
    struct flow back = {.local = ground_addr(false, "10.80.0.2"),
                        .remote = ground_addr(false, "10.80.0.1"),
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(checksums_right_wrong_and_not_filled_in, open_over_tun,
                                        close_over_tun),
        cmocka_unit_test_setup_teardown(port_unreachable_is_given_to_the_flow_it_quotes,
                                        open_over_tun, close_over_tun),
        cmocka_unit_test(listening_meets_a_stranger_on_any_interface),
        cmocka_unit_test(vlan_tagged_segments_are_captured),
    };
    if (!ground_enter())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
