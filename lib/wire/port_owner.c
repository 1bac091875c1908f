/*
 * Finds the socket that holds a port. It lists all TCP sockets of both families over SOCK_DIAG, and
 * keeps the one that is most in the way.
 */
#include "lib/wire/port_owner.h"
#include "lib/core/addr.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "lib/wire/address.h"
#include "lib/wire/netlink.h"

#define STATE_BOUND 13 /* TCP_BOUND_INACTIVE, which the headers may not have yet */

struct port_owner_search {
    struct flow flow;
    struct port_owner found;
};

/* Returns the kind of a socket in this TCP state. */
static enum port_owner_kind kind_of(uint8_t state)
{
    switch (state) {
    case TCP_LISTEN:
        return PORT_OWNER_LISTENER;
    case TCP_TIME_WAIT:
        return PORT_OWNER_TIME_WAIT;
    case TCP_CLOSE:
    case STATE_BOUND:
        return PORT_OWNER_BOUND;
    default:
        return PORT_OWNER_CONNECTION;
    }
}

static struct flow flow_of(const struct inet_diag_msg *m)
{
    struct flow f = {.lport = ntohs(m->id.idiag_sport),
                     .rport = ntohs(m->id.idiag_dport),
                     .v6 = m->idiag_family == AF_INET6};
    memcpy(f.local.byte, m->id.idiag_src, address_size(f.v6));
    memcpy(f.remote.byte, m->id.idiag_dst, address_size(f.v6));
    return f;
}

/* Turns a flow with mapped addresses (RFC 4291, 2.5.5.2) into the IPv4 flow that it is. An IPv6
 * socket that has accepted an IPv4 connection has both addresses mapped. */
static void unmap(struct flow *f)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    if (!f->v6 || memcmp(f->local.byte, prefix, sizeof prefix) != 0)
        return;
    f->local = addr_v4(f->local.byte[12], f->local.byte[13], f->local.byte[14], f->local.byte[15]);
    f->remote =
        addr_v4(f->remote.byte[12], f->remote.byte[13], f->remote.byte[14], f->remote.byte[15]);
    f->v6 = false;
}

/* Returns whether a socket bound as `held` prevents a bind as `wanted`. An IPv6 socket on the any
 * address usually accepts IPv4 as well, so it conflicts with both families. */
static bool in_the_way(const struct flow *held, const struct flow *wanted)
{
    static const struct addr any;
    bool held_any = addr_eq(&held->local, &any);
    if (held->lport != wanted->lport)
        return false;
    if (held->v6 != wanted->v6)
        return held->v6 && held_any;
    return held_any || addr_eq(&wanted->local, &any) || addr_eq(&held->local, &wanted->local);
}

/* Keeps the socket of this message when it is more in the way than the one before. */
static int consider(const struct nlmsghdr *nlh, void *data)
{
    struct port_owner_search *s = data;
    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct inet_diag_msg))
        return MNL_CB_OK;
    const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
    struct flow held = flow_of(m);
    unmap(&held);
    if (!in_the_way(&held, &s->flow))
        return MNL_CB_OK;

    enum port_owner_kind kind = kind_of(m->idiag_state);
    s->found.same_flow |= flow_eq(&held, &s->flow);
    if (kind > s->found.kind) {
        s->found.kind = kind;
        s->found.uid = m->idiag_uid;
        s->found.flow = held;
    }
    return MNL_CB_OK;
}

static void search_family(struct mnl_socket *nl, uint8_t family, struct port_owner_search *s)
{
    union netlink_request request = {.bytes = {0}};
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(request.bytes);
    nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    struct inet_diag_req_v2 *req = mnl_nlmsg_put_extra_header(nlh, sizeof *req);
    req->sdiag_family = family;
    req->sdiag_protocol = IPPROTO_TCP;
    req->idiag_states = UINT32_MAX;
    netlink_ask(nl, nlh, consider, s); /* after a failure the result stays PORT_OWNER_UNKNOWN */
}

void port_owner_find(const struct flow *flow, struct port_owner *out)
{
    struct port_owner_search s = {.flow = *flow};
    struct mnl_socket *nl = netlink_open(NETLINK_SOCK_DIAG);
    if (nl) {
        search_family(nl, AF_INET, &s);
        search_family(nl, AF_INET6, &s);
        mnl_socket_close(nl);
    }
    *out = s.found;
}

const char *port_owner_text(const struct port_owner *h, char text[PORT_OWNER_TEXT])
{
    char remote[ADDR_PORT_TEXT];
    addr_port_text(h->flow.v6, &h->flow.remote, h->flow.rport, remote);
    switch (h->kind) {
    case PORT_OWNER_LISTENER:
        snprintf(text, PORT_OWNER_TEXT, "a listening socket of user %u", h->uid);
        break;
    case PORT_OWNER_CONNECTION:
        snprintf(text, PORT_OWNER_TEXT, "a connection to %s of user %u", remote, h->uid);
        break;
    case PORT_OWNER_BOUND:
        snprintf(text, PORT_OWNER_TEXT, "a bound socket of user %u", h->uid);
        break;
    case PORT_OWNER_TIME_WAIT:
        snprintf(text, PORT_OWNER_TEXT, "a closed connection to %s in TIME_WAIT", remote);
        break;
    case PORT_OWNER_UNKNOWN:
        snprintf(text, PORT_OWNER_TEXT, "a socket that is bound and not listening");
        break;
    }
    return text;
}
