/* Tests what stands on a simulated path: routers, NAT and SYN proxy, each alone and then before a
 * host that real commands talk to; and the packets of ICMP errors. */
#include <stdlib.h>
#include <string.h>

#include "cmd/target.h"
#include "lib/core/checksum.h"
#include "lib/core/icmp_build.h"
#include "lib/sim/hops.h"
#include "lib/sim/nat.h"
#include "lib/sim/syn_proxy.h"
#include "tests/unit/command_rig.h"

static struct flow flow_of(uint16_t port)
{
    return (struct flow){.local = addr_v4(192, 0, 2, 80),
                         .remote = addr_v4(192, 0, 2, 1),
                         .lport = 80,
                         .rport = port};
}

static struct seg seg_of(unsigned flags, uint32_t seq, uint32_t ack)
{
    return (struct seg){
        .seq = seq_of(seq), .ack = seq_of(ack), .flags = (uint16_t)flags, .wnd = 1000};
}

/*
 * The map
 */

static void a_map_forgets_the_flow_that_was_not_used_for_longest(void **state)
{
    struct flow_map m;
    struct flow f = flow_of(0);
    bool fresh;

    (void)state;
    assert_int_equal(flow_map_init(&m, 1), 0);
    for (uint32_t i = 0; i < FLOW_MAP_MAX; i++) {
        f.rport = (uint16_t)i;
        flow_map_use(&m, &f, &fresh);
        assert_true(fresh);
    }
    f.rport = 0;
    flow_map_use(&m, &f, &fresh); /* the oldest is used once more: now 1 is */
    assert_false(fresh);
    f.lport = 81;
    flow_map_use(&m, &f, &fresh);
    assert_true(fresh);
    f = flow_of(0);
    assert_true(flow_map_find(&m, &f) != FLOW_MAP_NONE);
    f.rport = 1;
    assert_int_equal(flow_map_find(&m, &f), FLOW_MAP_NONE);
    f.rport = 2;
    assert_true(flow_map_find(&m, &f) != FLOW_MAP_NONE);
    flow_map_free(&m);
}

/* Random use, against a list that is searched from its beginning. */
static void a_map_is_what_a_list_would_be(void **state)
{
    struct flow_map m;
    struct prng r = {5};
    uint32_t number[50];
    bool there[50] = {false}, fresh;

    (void)state;
    assert_int_equal(flow_map_init(&m, 1), 0);
    for (int i = 0; i < 100000; i++) {
        const uint32_t k = (uint32_t)prng_below(&r, 50);
        struct flow f = flow_of((uint16_t)k);
        uint32_t found = flow_map_find(&m, &f);

        assert_int_equal(found, there[k] ? number[k] : FLOW_MAP_NONE);
        if (prng_below(&r, 3)) {
            number[k] = flow_map_use(&m, &f, &fresh);
            assert_int_equal(fresh, !there[k]);
            there[k] = true;
        } else if (there[k]) {
            flow_map_remove(&m, found);
            there[k] = false;
        }
    }
    flow_map_free(&m);
}

/*
 * Routers
 */

static void a_router_drops_what_has_no_ttl_left(void **state)
{
    struct flow f = flow_of(1);
    struct icmp e;

    (void)state;
    assert_int_equal(hops_expires(4, 1), 1);
    assert_int_equal(hops_expires(4, 4), 4);
    assert_int_equal(hops_expires(4, 5), 0);
    assert_int_equal(hops_expires(0, 1), 0);
    assert_int_equal(hops_way(4, 10 * WAVE_MS, 1), 2 * WAVE_MS);
    assert_int_equal(hops_way(4, 10 * WAVE_MS, 4), 8 * WAVE_MS);
    hops_error(&e, &f, seq_of(7), 3);
    assert_int_equal(e.type, 11);
    assert_int_equal(e.from.byte[3], 3);
    assert_int_equal(e.meaning, ICMP_SOFT);
    f.v6 = 1;
    hops_error(&e, &f, seq_of(7), 3);
    assert_int_equal(e.type, 3);
    assert_int_equal(e.from.byte[15], 3);
}

/* What ip_parse() reads is what was built, and the checksums are right. */
static void an_icmp_packet_says_what_its_error_says(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned mtu = 0; mtu < 2000; mtu += 1400) {
            struct flow f = {.local = target_simulated(v6, true),
                             .remote = target_simulated(v6, false),
                             .lport = 5000,
                             .rport = 80,
                             .v6 = (uint8_t)v6};
            struct icmp e;
            uint8_t bytes[ICMP_PACKET];
            struct packet p;
            size_t len, header = v6 ? IPV6_HEADER : IPV4_HEADER;

            hops_error(&e, &f, seq_of(0x12345678), 2);
            if (mtu) {
                e.type = v6 ? 2 : 3;
                e.code = v6 ? 0 : 4;
                e.mtu = mtu;
                e.meaning = ICMP_TOO_BIG;
            }
            len = icmp_build(&e, 60, bytes);
            assert_int_equal(ip_parse(bytes, len, &p), 0);
            assert_int_equal(p.kind, PACKET_ICMP);
            assert_int_equal(p.length, len);
            assert_int_equal(p.ttl, 60);
            assert_memory_equal(&p.icmp, &e, sizeof e);
            assert_int_equal(checksum_finish(checksum_add(
                                 v6 ? checksum_pseudo(&p.flow, 58, (uint32_t)(len - header)) : 0,
                                 bytes + header, len - header)),
                             0);
        }
}

/*
 * NAT
 */

static void a_nat_forgets_a_silent_connection(void **state)
{
    const struct flow f = flow_of(1);
    const struct seg syn = seg_of(SEG_SYN, 1, 0), data = seg_of(SEG_ACK, 2, 9);
    const struct seg rst = seg_of(SEG_RST, 2, 0);
    struct nat n;

    (void)state;
    for (unsigned resets = 0; resets < 2; resets++) {
        assert_int_equal(nat_init(&n, 60 * WAVE_S, resets, 1), 0);
        assert_int_equal(nat_pass(&n, 0, &f, &data), resets ? NAT_RESETS : NAT_DROPS);
        assert_int_equal(nat_pass(&n, 0, &f, &syn), NAT_PASSES);
        assert_int_equal(nat_pass(&n, 59 * WAVE_S, &f, &data), NAT_PASSES);
        assert_int_equal(nat_pass(&n, 118 * WAVE_S, &f, &data), NAT_PASSES);
        assert_int_equal(nat_pass(&n, 178 * WAVE_S, &f, &rst), NAT_DROPS);
        assert_int_equal(nat_pass(&n, 178 * WAVE_S, &f, &data), resets ? NAT_RESETS : NAT_DROPS);
        assert_int_equal(nat_pass(&n, 179 * WAVE_S, &f, &syn), NAT_PASSES);
        nat_free(&n);
    }
}

/* RFC 9293, 3.10.7.1: the RST of a host that has no such connection. */
static void a_nats_rst_fits_what_it_answers(void **state)
{
    struct seg s = seg_of(SEG_ACK, 100, 200), rst;

    (void)state;
    nat_reset(&s, &rst);
    assert_int_equal(rst.flags, SEG_RST);
    assert_int_equal(rst.seq.v, 200);
    s = seg_of(SEG_SYN, 100, 0);
    nat_reset(&s, &rst);
    assert_int_equal(rst.flags, SEG_RST | SEG_ACK);
    assert_int_equal(rst.seq.v, 0);
    assert_int_equal(rst.ack.v, 101);
}

/*
 * SYN proxy
 */

static void a_syn_proxy_opens_to_the_server_once_the_client_has_answered(void **state)
{
    const struct flow f = flow_of(1);
    struct seg s = seg_of(SEG_SYN, 100, 0);
    struct syn_proxy_sends sends;
    struct syn_proxy p;
    uint32_t isn;

    (void)state;
    assert_int_equal(syn_proxy_init(&p, 1460, 1), 0);
    s.opt = (struct opt){.has = OPT_MSS | OPT_WSCALE | OPT_TIMESTAMP, .mss = 1400, .wscale = 7};
    syn_proxy_from_client(&p, 0, &f, &s, &sends);
    assert_true(sends.to_client && !sends.to_server);
    assert_int_equal(sends.client.flags, SEG_SYN | SEG_ACK);
    assert_int_equal(sends.client.ack.v, 101);
    assert_int_equal(sends.client.wnd, 0);
    assert_int_equal(sends.client.opt.has, OPT_MSS);
    isn = sends.client.seq.v;

    s = seg_of(SEG_ACK, 101, isn); /* not what was sent: one too few */
    syn_proxy_from_client(&p, 0, &f, &s, &sends);
    assert_false(sends.to_client || sends.to_server);

    s = seg_of(SEG_ACK, 101, isn + 1);
    syn_proxy_from_client(&p, 0, &f, &s, &sends);
    assert_true(sends.to_server && !sends.to_client);
    assert_int_equal(sends.server.flags, SEG_SYN);
    assert_int_equal(sends.server.seq.v, 100);
    assert_in_range(sends.server.opt.mss, 88, 1400);

    s = seg_of(SEG_SYN | SEG_ACK, 7000, 101);
    syn_proxy_from_server(&p, &f, &s, &sends);
    assert_true(sends.to_server && sends.to_client);
    assert_int_equal(sends.server.ack.v, 7001);
    assert_int_equal(sends.client.flags, SEG_ACK);
    assert_int_equal(sends.client.seq.v, isn + 1);
    assert_int_equal(sends.client.wnd, 1000);

    s = seg_of(SEG_ACK, 101, isn + 11);
    syn_proxy_from_client(&p, 0, &f, &s, &sends);
    assert_int_equal(sends.server.ack.v, 7011);
    s = seg_of(SEG_FIN | SEG_ACK, 7001, 101);
    syn_proxy_from_server(&p, &f, &s, &sends);
    assert_int_equal(sends.client.seq.v, isn + 1);

    s = seg_of(SEG_RST, 7002, 0);
    syn_proxy_from_server(&p, &f, &s, &sends);
    assert_int_equal(sends.client.seq.v, isn + 2);
    s = seg_of(SEG_ACK, 102, isn + 11); /* the connection is over */
    syn_proxy_from_client(&p, 0, &f, &s, &sends);
    assert_false(sends.to_client || sends.to_server);
    syn_proxy_free(&p);
}

static void a_syn_proxy_hands_on_the_servers_refusal(void **state)
{
    const struct flow f = flow_of(1);
    struct seg s = seg_of(SEG_SYN, 100, 0);
    struct syn_proxy_sends sends;
    struct syn_proxy p;
    uint32_t isn;

    (void)state;
    assert_int_equal(syn_proxy_init(&p, 1460, 1), 0);
    syn_proxy_from_client(&p, 0, &f, &s, &sends);
    isn = sends.client.seq.v;
    s = seg_of(SEG_ACK, 101, isn + 1);
    syn_proxy_from_client(&p, 0, &f, &s, &sends);
    syn_proxy_from_client(&p, 0, &f, &s, &sends); /* the server is asked again */
    assert_int_equal(sends.server.flags, SEG_SYN);
    s = seg_of(SEG_RST | SEG_ACK, 0, 101);
    syn_proxy_from_server(&p, &f, &s, &sends);
    assert_true(sends.to_client);
    assert_int_equal(sends.client.flags, SEG_RST | SEG_ACK);
    assert_int_equal(sends.client.seq.v, isn + 1);
    assert_int_equal(sends.client.ack.v, 101);
    syn_proxy_free(&p);
}

/*
 * Before a host, in whole commands
 */

static void run_sim(struct command_rig *r, bool disturbed, const char *words)
{
    rig_init(r, HOST_ECHO);
    r->disturbed = disturbed;
    rig_run(r, words);
}

static void a_ttl_that_is_too_small_is_answered_by_a_router(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, true, "connect --json --ttl 2 --sim hops=4,rtt=50ms sim:80");
    rig_expect_text(&r, "icmp", "from", "198.51.100.2");
    rig_expect_text(&r, "verdict", "verdict", "rejected");
    rig_free(&r);
    run_sim(&r, true, "connect -6 --json --ttl 2 --sim hops=4,rtt=50ms sim:80");
    rig_expect_text(&r, "icmp", "from", "2001:db8:ffff::2");
    rig_free(&r);
    run_sim(&r, false, "connect --json --ttl 5 --sim hops=4 sim:80");
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_int(&r, "segment", "ttl", 5);
    rig_free(&r);
    run_sim(&r, false, "connect --json --close=passive --sim hops=4,peer=closes-first sim:80");
    rig_expect_int(&r, "segment", "ttl", 60);
    rig_free(&r);
}

static void a_nat_makes_a_silent_connection_lost(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, true, "keepalive --json --sim nat=5m sim:80");
    rig_expect_text(&r, "verdict", "verdict", "lost");
    rig_free(&r);
    run_sim(&r, true, "keepalive --json --sim nat=5m/rst sim:80");
    rig_expect_text(&r, "verdict", "verdict", "reset");
    rig_free(&r);
    run_sim(&r, false, "keepalive --json --idle 4m --for 1h --sim nat=5m sim:80");
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_free(&r);
}

static void a_syn_proxy_is_not_in_the_way(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, true, "connect --json -d hello --sim syn-proxy sim:80");
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_int(&r, "verdict", "received_bytes", 5);
    rig_free(&r);
    run_sim(&r, true, "connect -6 --json -d hello --sim syn-proxy,hops=3,nat=1m sim:80");
    rig_expect_int(&r, "verdict", "received_bytes", 5);
    rig_free(&r);
    /* The port seems open, though nothing listens. */
    run_sim(&r, true, "connect --json -d hello --sim syn-proxy,peer=closed sim:80");
    rig_expect_text(&r, "verdict", "verdict", "reset");
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_forgets_the_flow_that_was_not_used_for_longest),
        cmocka_unit_test(a_map_is_what_a_list_would_be),
        cmocka_unit_test(a_router_drops_what_has_no_ttl_left),
        cmocka_unit_test(an_icmp_packet_says_what_its_error_says),
        cmocka_unit_test(a_nat_forgets_a_silent_connection),
        cmocka_unit_test(a_nats_rst_fits_what_it_answers),
        cmocka_unit_test(a_syn_proxy_opens_to_the_server_once_the_client_has_answered),
        cmocka_unit_test(a_syn_proxy_hands_on_the_servers_refusal),
        cmocka_unit_test(a_ttl_that_is_too_small_is_answered_by_a_router),
        cmocka_unit_test(a_nat_makes_a_silent_connection_lost),
        cmocka_unit_test(a_syn_proxy_is_not_in_the_way),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests_name("sim_boxes", tests, NULL, NULL);
}
