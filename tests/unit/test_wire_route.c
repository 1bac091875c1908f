/*
 * Tests the parsers of the kernel's routing messages, on messages made by hand; the texts that say
 * which process owns a port; and addresses as text. The queries themselves are tested in
 * test_wire_live.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "lib/core/addr.h"
#include "lib/wire/address.h"
#include "lib/wire/neigh.h"
#include "lib/wire/netlink.h"
#include "lib/wire/port_owner.h"
#include "lib/wire/route.h"

static const struct addr source4 = {{10, 1, 2, 3}};
static const struct addr source6 = {{0x20, 1, 0xd, 0xb8, [15] = 9}};

static struct nlmsghdr *route_message(union netlink_request *m, uint8_t family, uint8_t type)
{
    memset(m, 0, sizeof *m);
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(m->bytes);
    nlh->nlmsg_type = RTM_NEWROUTE;
    struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);
    rtm->rtm_family = family;
    rtm->rtm_type = type;
    return nlh;
}

static void a_route_with_all_it_may_have(void **state)
{
    (void)state;
    union netlink_request m;
    struct route_answer a;
    struct nlmsghdr *nlh = route_message(&m, AF_INET, RTN_UNICAST);
    mnl_attr_put_u32(nlh, RTA_OIF, 7);
    mnl_attr_put(nlh, RTA_PREFSRC, 4, source4.byte);
    mnl_attr_put(nlh, RTA_GATEWAY, 4, source4.byte);
    struct nlattr *metrics = mnl_attr_nest_start(nlh, RTA_METRICS);
    mnl_attr_put_u32(nlh, RTAX_ADVMSS, 1400);
    mnl_attr_put_u32(nlh, RTAX_MTU, 1280);
    mnl_attr_nest_end(nlh, metrics);
    assert_true(route_parse_answer(nlh, &a));
    assert_int_equal(a.type, RTN_UNICAST);
    assert_int_equal(a.oif, 7);
    assert_int_equal(a.mtu, 1280);
    assert_true(a.has_source);
    assert_true(addr_eq(&a.source, &source4));
    assert_true(a.has_gateway && !a.foreign_gateway);
    assert_true(addr_eq(&a.gateway, &source4));
}

static struct nlmsghdr *neigh_message(union netlink_request *m, uint16_t state, size_t mac_len)
{
    static const uint8_t mac[20] = {2, 3, 4, 5, 6, 7};
    memset(m, 0, sizeof *m);
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(m->bytes);
    nlh->nlmsg_type = RTM_NEWNEIGH;
    struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof *ndm);
    ndm->ndm_family = AF_INET;
    ndm->ndm_state = state;
    mnl_attr_put(nlh, NDA_DST, 4, source4.byte);
    if (mac_len)
        mnl_attr_put(nlh, NDA_LLADDR, mac_len, mac);
    return nlh;
}

static void a_neighbour_is_one_only_while_it_can_be_sent_to(void **state)
{
    static const uint16_t good[] = {NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE, NUD_PERMANENT};
    static const uint16_t bad[] = {NUD_INCOMPLETE, NUD_FAILED, NUD_NONE, NUD_NOARP};
    (void)state;
    union netlink_request m;
    uint8_t mac[NEIGH_MAC] = {0};
    bool stale = false;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(neigh_parse(neigh_message(&m, bad[i], NEIGH_MAC), mac, &stale));
    assert_false(neigh_parse(neigh_message(&m, NUD_STALE, 0), mac, &stale));
    assert_false(neigh_parse(neigh_message(&m, NUD_STALE, 20), mac, &stale)); /* InfiniBand's */
    assert_int_equal(mac[0], 0);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(neigh_parse(neigh_message(&m, good[i], NEIGH_MAC), mac, &stale));
        assert_int_equal(stale, good[i] == NUD_STALE);
    }
    assert_int_equal(mac[5], 7);
    neigh_message(&m, NUD_STALE, NEIGH_MAC)->nlmsg_type = RTM_DELNEIGH;
    assert_false(neigh_parse(&m.header, mac, &stale));
}

static void a_route_of_ipv6_and_one_with_nothing(void **state)
{
    (void)state;
    union netlink_request m;
    struct route_answer a;
    struct nlmsghdr *nlh = route_message(&m, AF_INET6, RTN_LOCAL);
    mnl_attr_put(nlh, RTA_PREFSRC, 16, source6.byte);
    assert_true(route_parse_answer(nlh, &a));
    assert_int_equal(a.type, RTN_LOCAL);
    assert_true(addr_eq(&a.source, &source6));
    nlh = route_message(&m, AF_INET, RTN_UNREACHABLE);
    assert_true(route_parse_answer(nlh, &a));
    assert_int_equal(a.type, RTN_UNREACHABLE);
    assert_int_equal(a.oif, 0);
    assert_int_equal(a.mtu, 0);
    assert_false(a.has_source);
}

/* Attributes of the wrong length are skipped; messages of the wrong kind or length are rejected. */
static void malformed_messages_are_not_believed(void **state)
{
    (void)state;
    union netlink_request m;
    struct route_answer a;
    struct route_link l;
    struct nlmsghdr *nlh = route_message(&m, AF_INET, RTN_UNICAST);
    mnl_attr_put(nlh, RTA_PREFSRC, 16, source6.byte);
    mnl_attr_put_u16(nlh, RTA_OIF, 7);
    assert_true(route_parse_answer(nlh, &a));
    assert_false(a.has_source);
    assert_int_equal(a.oif, 0);
    assert_false(route_parse_link(nlh, &l));
    nlh->nlmsg_len = MNL_NLMSG_HDRLEN + 4;
    assert_false(route_parse_answer(nlh, &a));
    nlh->nlmsg_type = RTM_NEWLINK;
    assert_false(route_parse_link(nlh, &l));
    assert_false(route_parse_answer(nlh, &a));
}

static struct nlmsghdr *link_message(union netlink_request *m, unsigned flags, const char *name,
                                     const char *kind)
{
    memset(m, 0, sizeof *m);
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(m->bytes);
    nlh->nlmsg_type = RTM_NEWLINK;
    struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof *ifi);
    ifi->ifi_index = 12;
    ifi->ifi_type = ARPHRD_NONE;
    ifi->ifi_flags = flags;
    mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
    mnl_attr_put_u32(nlh, IFLA_MTU, 1492);
    if (kind) {
        struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
        mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
        mnl_attr_nest_end(nlh, info);
    }
    return nlh;
}

static void links(void **state)
{
    (void)state;
    union netlink_request m;
    struct route_link l;
    assert_true(route_parse_link(link_message(&m, IFF_UP, "eth0.5", "vlan"), &l));
    assert_int_equal(l.ifindex, 12);
    assert_string_equal(l.name, "eth0.5");
    assert_int_equal(l.mtu, 1492);
    assert_int_equal(l.hardware, ARPHRD_NONE);
    assert_true(l.up && l.vlan && !l.loopback);
    assert_true(route_parse_link(link_message(&m, IFF_LOOPBACK, "lo", NULL), &l));
    assert_true(!l.up && !l.vlan && l.loopback);
    assert_true(route_parse_link(link_message(&m, IFF_UP, "a-name-longer-than-any", "veth"), &l));
    assert_string_equal(l.name, "a-name-longer-t");
    assert_false(l.vlan);
}

/* What a rule or route of each kind makes the kernel say (ip-route(8)). */
static void a_refusal_says_what_refuses(void **state)
{
    (void)state;
    char text[ROUTE_REFUSAL];
    assert_non_null(strstr(route_refusal(EACCES, text), "prohibits it"));
    assert_non_null(strstr(text, "'ip rule'"));
    assert_non_null(strstr(route_refusal(EINVAL, text), "blackhole"));
    assert_non_null(strstr(route_refusal(ENETUNREACH, text), "Network is unreachable;"));
    assert_non_null(strstr(route_refusal(EHOSTUNREACH, text), "'ip rule'"));
    assert_string_equal(route_refusal(EIO, text), "Input/output error");
}

static void holders_are_told_apart(void **state)
{
    (void)state;
    struct port_owner h = {.uid = 33,
                           .flow = {.remote = {{192, 0, 2, 1}}, .rport = 443, .local = source4}};
    char text[PORT_OWNER_TEXT];
    static const char *const want[] = {
        [PORT_OWNER_UNKNOWN] = "a socket that is bound and not listening",
        [PORT_OWNER_TIME_WAIT] = "a closed connection to 192.0.2.1:443 in TIME_WAIT",
        [PORT_OWNER_BOUND] = "a bound socket of user 33",
        [PORT_OWNER_CONNECTION] = "a connection to 192.0.2.1:443 of user 33",
        [PORT_OWNER_LISTENER] = "a listening socket of user 33",
    };
    for (int kind = PORT_OWNER_UNKNOWN; kind <= PORT_OWNER_LISTENER; kind++) {
        h.kind = (enum port_owner_kind)kind;
        assert_string_equal(port_owner_text(&h, text), want[kind]);
    }
}

static void addresses_as_text(void **state)
{
    (void)state;
    char text[ADDR_PORT_TEXT];
    struct addr longest;
    memset(&longest, 0xff, sizeof longest);
    assert_string_equal(addr_text(false, &source4, text), "10.1.2.3");
    assert_string_equal(addr_port_text(false, &source4, 80, text), "10.1.2.3:80");
    assert_string_equal(addr_port_text(true, &source6, 80, text), "[2001:db8::9]:80");
    assert_string_equal(addr_port_text(true, &longest, 65535, text),
                        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void rfc4291_2_5_link_local_and_loopback(void **state)
{
    (void)state;
    struct addr a = {{0xfe, 0xbf}}, one = {{[15] = 1}}, v4 = {{127, 9}};
    assert_true(address_link_local(true, &a));
    a.byte[1] = 0xc0;
    assert_false(address_link_local(true, &a));
    assert_true(address_loopback(true, &one));
    assert_false(address_loopback(false, &one));
    assert_true(address_loopback(false, &v4));
    assert_false(address_loopback(true, &v4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_with_all_it_may_have),
        cmocka_unit_test(a_neighbour_is_one_only_while_it_can_be_sent_to),
        cmocka_unit_test(a_route_of_ipv6_and_one_with_nothing),
        cmocka_unit_test(malformed_messages_are_not_believed),
        cmocka_unit_test(links),
        cmocka_unit_test(a_refusal_says_what_refuses),
        cmocka_unit_test(holders_are_told_apart),
        cmocka_unit_test(addresses_as_text),
        cmocka_unit_test(rfc4291_2_5_link_local_and_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
