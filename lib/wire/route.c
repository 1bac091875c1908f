/*
 * Asks the kernel over rtnetlink for a route, an interface or an address, and turns the answers
 * into a struct route or into an error that says what to do. The file has three parts: parsers of
 * netlink messages, requests, and the decisions that follow from the answers.
 */
#include "lib/wire/route.h"
#include "lib/core/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/core/diag.h"
#include "lib/wire/address.h"
#include "lib/wire/family.h"
#include "lib/wire/netlink.h"

#define MTU_MIN 68u    /* RFC 791, 3.2: every link carries packets of this size */
#define MTU_MAX 65535u /* limit of the length field of the IP header */
#define MTU_UNKNOWN 1500u

/*
 * Parsing messages.
 */

static bool get_u32(const struct nlattr *a, uint32_t *out)
{
    if (mnl_attr_get_payload_len(a) < sizeof *out)
        return false;
    *out = mnl_attr_get_u32(a);
    return true;
}

/* Copies an attribute that is a string, and cuts it to fit. */
static void get_name(const struct nlattr *a, char out[16])
{
    size_t n = mnl_attr_get_payload_len(a);
    n = n < 15 ? n : 15;
    memcpy(out, mnl_attr_get_payload(a), n);
    out[n] = '\0';
}

/* Returns the MTU among the metrics of a route, or 0. */
static uint32_t parse_mtu(const struct nlattr *metrics)
{
    uint32_t mtu = 0;
    struct nlattr *a;
    mnl_attr_for_each_nested(a, metrics)
    {
        if (mnl_attr_get_type(a) == RTAX_MTU)
            get_u32(a, &mtu);
    }
    return mtu;
}

bool route_parse_answer(const struct nlmsghdr *nlh, struct route_answer *out)
{
    if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(struct rtmsg))
        return false;
    const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
    size_t size = address_size(rtm->rtm_family == AF_INET6);
    struct route_answer r = {.type = rtm->rtm_type};
    struct nlattr *a;
    mnl_attr_for_each(a, nlh, sizeof *rtm)
    {
        switch (mnl_attr_get_type(a)) {
        case RTA_OIF:
            get_u32(a, &r.oif);
            break;
        case RTA_PREFSRC:
            if (mnl_attr_get_payload_len(a) == size) {
                memcpy(r.source.byte, mnl_attr_get_payload(a), size);
                r.has_source = true;
            }
            break;
        case RTA_GATEWAY:
            if (mnl_attr_get_payload_len(a) == size) {
                memcpy(r.gateway.byte, mnl_attr_get_payload(a), size);
                r.has_gateway = true;
            }
            break;
        case RTA_VIA:
            r.foreign_gateway = true;
            break;
        case RTA_METRICS:
            r.mtu = parse_mtu(a);
            break;
        default:
            break;
        }
    }
    *out = r;
    return true;
}

static bool parse_is_vlan(const struct nlattr *linkinfo)
{
    char kind[16] = "";
    struct nlattr *a;
    mnl_attr_for_each_nested(a, linkinfo)
    {
        if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
            get_name(a, kind);
    }
    return strcmp(kind, "vlan") == 0;
}

bool route_parse_link(const struct nlmsghdr *nlh, struct route_link *out)
{
    if (nlh->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(nlh) < sizeof(struct ifinfomsg))
        return false;
    const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
    struct route_link l = {.ifindex = ifi->ifi_index,
                           .hardware = ifi->ifi_type,
                           .up = ifi->ifi_flags & IFF_UP,
                           .loopback = ifi->ifi_flags & IFF_LOOPBACK};
    struct nlattr *a;
    mnl_attr_for_each(a, nlh, sizeof *ifi)
    {
        switch (mnl_attr_get_type(a)) {
        case IFLA_IFNAME:
            get_name(a, l.name);
            break;
        case IFLA_MTU:
            get_u32(a, &l.mtu);
            break;
        case IFLA_LINKINFO:
            l.vlan = parse_is_vlan(a);
            break;
        default:
            break;
        }
    }
    *out = l;
    return true;
}

/*
 * Requests.
 */

static int each_answer(const struct nlmsghdr *nlh, void *data)
{
    route_parse_answer(nlh, data);
    return MNL_CB_OK;
}

/* Asks for the route of TCP to that port of `to`, 0: of any packet to it. Returns 0, or the
 * kernel's errno, negative: ENETUNREACH, EHOSTUNREACH, EACCES (prohibited), ... */
static int ask_route_of_port(struct mnl_socket *nl, bool v6, const struct addr *to,
                             const struct addr *from, uint32_t oif, uint16_t port,
                             struct route_answer *out)
{
    union netlink_request request = {.bytes = {0}};
    size_t size = address_size(v6);
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(request.bytes);
    nlh->nlmsg_type = RTM_GETROUTE;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);
    rtm->rtm_family = v6 ? AF_INET6 : AF_INET;
    rtm->rtm_dst_len = (uint8_t)(size * 8);
    mnl_attr_put(nlh, RTA_DST, size, to->byte);
    if (from) {
        rtm->rtm_src_len = (uint8_t)(size * 8);
        mnl_attr_put(nlh, RTA_SRC, size, from->byte);
    }
    if (oif)
        mnl_attr_put_u32(nlh, RTA_OIF, oif);
    if (port) {
        mnl_attr_put_u8(nlh, RTA_IP_PROTO, IPPROTO_TCP);
        mnl_attr_put_u16(nlh, RTA_DPORT, htons(port));
    }
    *out = (struct route_answer){0};
    return netlink_ask(nl, nlh, each_answer, out);
}

/* Asks for the route to `to`. */
static int ask_route(struct mnl_socket *nl, bool v6, const struct addr *to, const struct addr *from,
                     uint32_t oif, struct route_answer *out)
{
    return ask_route_of_port(nl, v6, to, from, oif, 0, out);
}

int route_next_hop(struct mnl_socket *nl, bool v6, const struct addr *to, const struct addr *from,
                   int ifindex, bool bound, struct addr *hop)
{
    const bool by_it = bound || address_link_local(v6, to);
    struct route_answer a;
    int error = ask_route(nl, v6, to, from, by_it ? (uint32_t)ifindex : 0, &a);
    if (error < 0)
        return error;
    if (a.type != RTN_UNICAST || a.oif != (uint32_t)ifindex || a.foreign_gateway)
        return -EXDEV;
    *hop = a.has_gateway ? a.gateway : *to;
    return 0;
}

static int each_link(const struct nlmsghdr *nlh, void *data)
{
    route_parse_link(nlh, data);
    return MNL_CB_OK;
}

/* Asks for an interface by name, or by index when `name` is NULL. Returns 0 or a negative errno:
 * ENODEV when there is none. */
static int ask_link(struct mnl_socket *nl, const char *name, int ifindex, struct route_link *out)
{
    union netlink_request request = {.bytes = {0}};
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(request.bytes);
    nlh->nlmsg_type = RTM_GETLINK;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof *ifi);
    ifi->ifi_family = AF_UNSPEC;
    ifi->ifi_index = name ? 0 : ifindex;
    if (name)
        mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
    *out = (struct route_link){0};
    return netlink_ask(nl, nlh, each_link, out);
}

int route_through(struct mnl_socket *nl, bool v6, const struct addr *to, const struct addr *from,
                  int *ifindex, char name[16])
{
    struct route_answer a;
    struct route_link link;
    int error = ask_route(nl, v6, to, from, 0, &a);
    if (error == 0)
        error = ask_link(nl, NULL, (int)a.oif, &link);
    if (error == 0) {
        *ifindex = link.ifindex;
        memcpy(name, link.name, sizeof link.name);
    }
    return error;
}

struct smallest_mtu {
    uint32_t mtu;
};

static int each_smallest(const struct nlmsghdr *nlh, void *data)
{
    struct smallest_mtu *s = data;
    struct route_link l;
    if (route_parse_link(nlh, &l) && l.up && !l.loopback && l.mtu && l.mtu < s->mtu)
        s->mtu = l.mtu;
    return MNL_CB_OK;
}

/* Returns the smallest MTU of the interfaces that are up. A packet of that size fits any of
 * them. */
static uint32_t ask_smallest_mtu(struct mnl_socket *nl)
{
    union netlink_request request = {.bytes = {0}};
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(request.bytes);
    nlh->nlmsg_type = RTM_GETLINK;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
    struct smallest_mtu s = {MTU_MAX};
    return netlink_ask(nl, nlh, each_smallest, &s) == 0 ? s.mtu : MTU_UNKNOWN;
}

struct address_owner {
    const struct addr *address;
    size_t size;
    int ifindex;
};

static int each_owner(const struct nlmsghdr *nlh, void *data)
{
    struct address_owner *o = data;
    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct ifaddrmsg))
        return MNL_CB_OK;
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
    struct nlattr *a;
    mnl_attr_for_each(a, nlh, sizeof *ifa)
    {
        /* On a point-to-point link IFA_LOCAL is our end, and IFA_ADDRESS is the peer's. */
        uint16_t type = mnl_attr_get_type(a);
        if ((type == IFA_LOCAL || (type == IFA_ADDRESS && ifa->ifa_family == AF_INET6)) &&
            mnl_attr_get_payload_len(a) == o->size &&
            memcmp(mnl_attr_get_payload(a), o->address->byte, o->size) == 0)
            o->ifindex = (int)ifa->ifa_index;
    }
    return MNL_CB_OK;
}

/* Returns the index of the interface that has the address, or 0. The addresses in 127.0.0.0/8 are
 * ours, but most are on no interface's list. */
static int ask_owner(struct mnl_socket *nl, bool v6, const struct addr *address)
{
    union netlink_request request = {.bytes = {0}};
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(request.bytes);
    nlh->nlmsg_type = RTM_GETADDR;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof *ifa);
    ifa->ifa_family = v6 ? AF_INET6 : AF_INET;
    struct address_owner o = {address, address_size(v6), 0};
    return netlink_ask(nl, nlh, each_owner, &o) == 0 ? o.ifindex : 0;
}

/*
 * Decisions.
 */

/* Fills in what the route takes from its interface; `mtu` is the route's own, or 0. */
static void take_link(struct route *r, const struct route_link *l, uint32_t mtu)
{
    r->ifindex = l->ifindex;
    memcpy(r->interface, l->name, sizeof r->interface);
    r->loopback = l->loopback;
    r->vlan = l->vlan;
    r->hardware = l->hardware;
    r->mtu = mtu ? mtu : l->mtu ? l->mtu : MTU_UNKNOWN;
    if (r->mtu > MTU_MAX)
        r->mtu = MTU_MAX;
    if (r->mtu < MTU_MIN)
        r->mtu = MTU_MIN;
}

static int check_up(const struct route_link *l, struct diag *d)
{
    if (l->up)
        return 0;
    return diag_fail(d, WAVE_ENOROUTE, "interface '%s' is down; 'ip link set %s up' brings it up",
                     l->name, l->name);
}

/* Finds the interface that was named, by its name or as the scope of an address. *asked stays 0
 * when none was named. */
static int named_interface(struct mnl_socket *nl, const struct route_query *q, uint32_t *asked,
                           struct diag *d)
{
    struct route_link l;
    if (q->interface) {
        if (strlen(q->interface) >= IFNAMSIZ || ask_link(nl, q->interface, 0, &l) < 0 || !l.ifindex)
            return diag_fail(d, WAVE_ENOROUTE, "no interface is named '%s'; %s", q->interface,
                             strcmp(q->interface, "any") == 0
                                 ? "without --interface, answers may come in by any"
                                 : "'ip link' shows those there are");
        if (q->scope && q->scope != (uint32_t)l.ifindex)
            return diag_fail(d, WAVE_ENOROUTE,
                             "the address belongs to another interface than '%s'; name the same "
                             "one in both places",
                             q->interface);
    } else if (q->scope) {
        if (ask_link(nl, NULL, (int)q->scope, &l) < 0 || !l.ifindex)
            return diag_fail(d, WAVE_ENOROUTE, "no interface has the number %u", q->scope);
    } else {
        return 0;
    }
    int error = check_up(&l, d);
    if (error)
        return error;
    *asked = (uint32_t)l.ifindex;
    return 0;
}

/* Checks that the source address is ours: an address is ours when the kernel would deliver a packet
 * for it here. Unlike the list of interface addresses, this includes all of 127.0.0.0/8 and any
 * local route. */
static int check_source(struct mnl_socket *nl, const struct route_query *q, uint32_t asked,
                        struct diag *d)
{
    char text[ADDR_PORT_TEXT];
    struct route_answer a;
    uint32_t oif = address_link_local(q->v6, &q->source) ? asked : 0;
    if (ask_route(nl, q->v6, &q->source, NULL, oif, &a) < 0 || a.type != RTN_LOCAL)
        return diag_fail(
            d, WAVE_ENOROUTE,
            "the source address %s is not this host's, or not in use (tentative, dadfailed); "
            "'ip addr' shows those that are",
            addr_text(q->v6, &q->source, text));
    return 0;
}

/* The cases follow from what the kernel returns when it is asked for a route. It returns EACCES and
 * EINVAL for no other reason (fib_props and fib4_rule_action() in its sources). An unreachable rule
 * gives ENETUNREACH, like a missing route, and an unreachable route gives EHOSTUNREACH. */
const char *route_refusal(int error, char text[ROUTE_REFUSAL])
{
    const char *reason = strerror(error);
    switch (error) {
    case EACCES:
        snprintf(text, ROUTE_REFUSAL,
                 "%s: a rule or route of this host's prohibits it (see 'ip rule', 'ip route show "
                 "table all')",
                 reason);
        break;
    case EINVAL:
        snprintf(text, ROUTE_REFUSAL,
                 "%s: a blackhole rule or route of this host's swallows it (see 'ip rule', 'ip "
                 "route show table all')",
                 reason);
        break;
    case ENETUNREACH:
    case EHOSTUNREACH:
        snprintf(text, ROUTE_REFUSAL,
                 "%s; see whether interface, address and route are still there, and 'ip rule'",
                 reason);
        break;
    default:
        snprintf(text, ROUTE_REFUSAL, "%s", reason);
        break;
    }
    return text;
}

/* Fails since nothing may leave this host from there (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3). */
static int from_loopback(const char *from, const char *to, struct diag *d)
{
    return diag_fail(d, WAVE_ENOROUTE,
                     "no route from %s to %s: a loopback address is no source for what leaves this "
                     "host; name another one with --source, or leave it out",
                     from, to);
}

/* Fails because there is no route; *d gets the reason. */
static int no_route(const struct route_query *q, const struct addr *source, int error,
                    struct diag *d)
{
    char to[ADDR_PORT_TEXT], from[ADDR_PORT_TEXT] = "", lack[FAMILY_TEXT], why[ROUTE_REFUSAL];
    bool refused = error == -EACCES || error == -EINVAL;
    addr_text(q->v6, &q->remote, to);
    family_lack(q->v6, lack);
    if (source)
        addr_text(q->v6, source, from);
    if (source && error == -EINVAL && address_loopback(q->v6, source))
        return from_loopback(from, to, d);
    return diag_fail(d, WAVE_ENOROUTE, "no route%s%s to %s%s%s: %s%s%s", source ? " from " : "",
                     from, to, q->interface ? " through " : "", q->interface ? q->interface : "",
                     refused ? route_refusal(-error, why) : strerror(-error), lack,
                     source && !refused ? "; see 'ip rule' and 'ip route show table all'" : "");
}

/* Fills in the source address: the one that was asked for, or the route's own, or, for a
 * destination on this host, that destination itself. */
static int take_source(const struct route_query *q, const struct route_answer *a, struct route *r,
                       struct diag *d)
{
    char text[ADDR_PORT_TEXT];
    if (q->has_source)
        r->source = q->source;
    else if (a->has_source)
        r->source = a->source;
    else if (a->type == RTN_LOCAL)
        r->source = q->remote;
    else
        return diag_fail(d, WAVE_ENOROUTE,
                         "this host has no address to reach %s from; give one with --source",
                         addr_text(q->v6, &q->remote, text));
    return 0;
}

/* Returns the negative errno with which a rule refuses TCP to the port that is asked for ('ip rule
 * add dport'), or 0. What we send carries the port where no such rule looks for it, and would get
 * through where an application's connection does not. */
static int check_port(struct mnl_socket *nl, const struct route_query *q, const struct addr *source,
                      uint32_t asked)
{
    struct route_answer a;
    const int error =
        q->rport ? ask_route_of_port(nl, q->v6, &q->remote, source, asked, q->rport, &a) : 0;

    return error == -EACCES || error == -EINVAL || error == -ENETUNREACH || error == -EHOSTUNREACH
               ? error
               : 0;
}

static const struct addr unspecified;

/* Finds the route to a peer. */
static int find_remote(struct mnl_socket *nl, const struct route_query *q, uint32_t asked,
                       struct route *r, struct diag *d)
{
    char text[ADDR_PORT_TEXT];
    addr_text(q->v6, &q->remote, text);
    if (address_link_local(q->v6, &q->remote) && !asked)
        return diag_fail(d, WAVE_ENOROUTE,
                         "%s is a link-local address and means nothing without an interface; "
                         "write %s%%eth0, or name it with --interface",
                         text, text);

    if (addr_eq(&q->remote, &unspecified))
        return diag_fail(d, WAVE_ENOROUTE,
                         "%s is no address to connect to; for this host itself use %s", text,
                         q->v6 ? "::1" : "127.0.0.1");
    if (address_loopback(q->v6, &q->remote))
        asked = 0; /* no other interface may carry it (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3) */

    struct route_answer a;
    const struct addr *from = q->has_source ? &q->source : NULL;
    int error = ask_route(nl, q->v6, &q->remote, from, asked, &a);
    if (error < 0)
        return no_route(q, from, error, d);
    if (a.type != RTN_UNICAST && a.type != RTN_LOCAL) /* RFC 9293, MUST-46 */
        return diag_fail(d, WAVE_ENOROUTE,
                         "%s is a broadcast, multicast or blocked address, to which TCP cannot "
                         "connect",
                         text);
    if (from && q->v6 && a.type == RTN_UNICAST && address_loopback(q->v6, from))
        return from_loopback("::1", text, d); /* IPv4's is refused by the kernel, if it may not */
    if ((error = take_source(q, &a, r, d)) < 0)
        return error;
    /* There may be a rule for the source address that this route has given. The kernel's own TCP
     * asks once more, with that source (ip_route_connect() in its sources), and so do we. */
    if (!from && a.type == RTN_UNICAST &&
        (error = ask_route(nl, q->v6, &q->remote, &r->source, asked, &a)) < 0)
        return no_route(q, &r->source, error, d);

    if ((error = check_port(nl, q, &r->source, asked)) < 0)
        return no_route(q, &r->source, error, d);

    struct route_link l;
    uint32_t oif = a.type == RTN_LOCAL ? LOOPBACK_IFINDEX : a.oif;
    if (ask_link(nl, NULL, (int)oif, &l) < 0 || !l.ifindex)
        return diag_fail(d, WAVE_ENOROUTE, "the interface to %s (number %u) is gone", text, oif);
    if ((error = check_up(&l, d)) < 0)
        return error;
    take_link(r, &l, a.mtu);
    r->on_link = a.type == RTN_UNICAST && !a.has_gateway && !a.foreign_gateway;
    r->scope = address_link_local(q->v6, &r->source) ? asked : 0;
    return 0;
}

/* Finds the interface to listen on. */
static int find_listen(struct mnl_socket *nl, const struct route_query *q, uint32_t asked,
                       struct route *r, struct diag *d)
{
    char text[ADDR_PORT_TEXT];
    struct route_link l = {0};
    if (!q->has_source && family_reach(q->v6) == FAMILY_NONE)
        return diag_fail(d, WAVE_ENOROUTE,
                         "cannot listen over %s: this host has no such address; 'ip addr' shows "
                         "those it has",
                         q->v6 ? "IPv6" : "IPv4");
    if (q->has_source) {
        r->source = q->source;
        if (address_link_local(q->v6, &q->source)) {
            if (!asked)
                return diag_fail(d, WAVE_ENOROUTE,
                                 "%s is a link-local address; name its interface with --interface",
                                 addr_text(q->v6, &q->source, text));
            r->scope = asked;
        }
    }
    if (!asked && q->has_source && address_loopback(q->v6, &q->source))
        asked = LOOPBACK_IFINDEX; /* such packets appear on no other interface (RFC 1122,
                                     3.2.1.3) */
    if (asked) {
        if (ask_link(nl, NULL, (int)asked, &l) < 0 || !l.ifindex)
            return diag_fail(d, WAVE_ENOROUTE, "the interface with number %u is gone", asked);
        take_link(r, &l, 0);
        return 0;
    }
    /* A peer may reach an address of ours through any interface, and this host itself reaches it
     * over lo. */
    int owner = q->has_source ? ask_owner(nl, q->v6, &q->source) : 0;
    if (!owner || ask_link(nl, NULL, owner, &l) < 0)
        l.mtu = ask_smallest_mtu(nl);
    take_link(r, &l, l.mtu);
    r->ifindex = 0;
    r->loopback = r->vlan = false;
    snprintf(r->interface, sizeof r->interface, "any");
    return 0;
}

int route_find(const struct route_query *q, struct route *out, struct diag *d)
{
    struct mnl_socket *nl = netlink_open(NETLINK_ROUTE);
    if (!nl)
        return diag_fail(d, WAVE_ESYS, "cannot ask the kernel for a route (rtnetlink): %s",
                         strerror(errno));
    struct route r = {0};
    uint32_t asked = 0;
    int error = named_interface(nl, q, &asked, d);
    if (error == 0 && q->has_source)
        error = check_source(nl, q, asked, d);
    if (error == 0)
        error = q->listen ? find_listen(nl, q, asked, &r, d) : find_remote(nl, q, asked, &r, d);
    mnl_socket_close(nl);
    if (error == 0)
        *out = r;
    return error;
}
