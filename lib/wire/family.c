/*
 * Asks the kernel over rtnetlink for all addresses of a family and for all interfaces, and
 * concludes from them what this host can reach.
 */
#include "lib/wire/family.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/wire/netlink.h"
#include "lib/wire/route.h"

#define IPV6_MTU_MIN 1280u /* RFC 8200, section 5; with less Linux removes IPv6 from it */

static struct nlmsghdr *request_dump(union netlink_request *request, uint16_t type)
{
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(request->bytes);
    nlh->nlmsg_type = type;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    return nlh;
}

/* Sends a request. Returns false when the kernel could not be asked. */
static bool ask(struct nlmsghdr *nlh, mnl_cb_t each, void *data)
{
    struct mnl_socket *nl = netlink_open(NETLINK_ROUTE);
    if (!nl)
        return false;
    int error = netlink_ask(nl, nlh, each, data);
    mnl_socket_close(nl);
    return error == 0;
}

/* Holds the furthest reach of the addresses seen so far. */
struct family_search {
    uint8_t family;
    enum family_reach furthest;
};

static int each_address(const struct nlmsghdr *nlh, void *data)
{
    struct family_search *r = data;
    if (nlh->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(nlh) < sizeof(struct ifaddrmsg))
        return MNL_CB_OK;
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
    enum family_reach reach = ifa->ifa_scope == RT_SCOPE_HOST ? FAMILY_LOCAL : FAMILY_BEYOND;
    if (ifa->ifa_family == r->family && reach > r->furthest)
        r->furthest = reach;
    return MNL_CB_OK;
}

enum family_reach family_reach(bool v6)
{
    union netlink_request request = {.bytes = {0}};
    struct nlmsghdr *nlh = request_dump(&request, RTM_GETADDR);
    struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof *ifa);
    struct family_search r = {v6 ? AF_INET6 : AF_INET, FAMILY_NONE};
    ifa->ifa_family = r.family;
    return ask(nlh, each_address, &r) ? r.furthest : FAMILY_BEYOND;
}

bool family_default_v6(void)
{
    return family_reach(true) > family_reach(false);
}

/* Notes an interface that is up and whose MTU is too small for IPv6. */
static int each_narrow(const struct nlmsghdr *nlh, void *data)
{
    struct route_link *narrow = data, l;
    if (route_parse_link(nlh, &l) && l.up && !l.loopback && l.mtu && l.mtu < IPV6_MTU_MIN)
        *narrow = l;
    return MNL_CB_OK;
}

static struct route_link find_narrow(void)
{
    union netlink_request request = {.bytes = {0}};
    struct nlmsghdr *nlh = request_dump(&request, RTM_GETLINK);
    struct route_link narrow = {0};
    mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
    ask(nlh, each_narrow, &narrow);
    return narrow;
}

const char *family_lack(bool v6, char text[FAMILY_TEXT])
{
    enum family_reach reach = family_reach(v6);
    struct route_link narrow = {0};
    if (v6)
        narrow = find_narrow();
    text[0] = '\0';
    if (narrow.mtu)
        snprintf(text, FAMILY_TEXT,
                 "; IPv6 takes an MTU of %u bytes (RFC 8200, 5), and that of %s is %u",
                 IPV6_MTU_MIN, narrow.name, narrow.mtu);
    else if (reach == FAMILY_NONE)
        snprintf(text, FAMILY_TEXT, "; this host has no %s address", v6 ? "IPv6" : "IPv4");
    else if (reach == FAMILY_LOCAL)
        snprintf(text, FAMILY_TEXT, "; this host has no %s address beside %s", v6 ? "IPv6" : "IPv4",
                 v6 ? "::1" : "127.0.0.1");
    return text;
}
