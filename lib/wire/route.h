/*
 * Which way a packet goes: interface, source address and MTU, asked from the kernel over
 * rtnetlink. Needs no privilege.
 */
#ifndef TCPWAVE_WIRE_ROUTE_H
#define TCPWAVE_WIRE_ROUTE_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"

#define LOOPBACK_IFINDEX 1 /* the kernel gives each namespace's lo the first number */

struct route_query {
    bool v6;
    bool listen; /* `remote` is not looked at */
    struct addr remote;
    bool has_source;
    struct addr source;
    const char *interface; /* or NULL */
    uint32_t scope;        /* interface index of a link-local remote or source, or 0 */
};

struct route {
    int ifindex; /* 0: every interface (listening without one named) */
    char interface[16];
    uint32_t mtu;       /* bytes of an IP packet: the route's own or the interface's; 68 to 65535 */
    bool loopback;      /* packets pass through the loopback interface */
    bool vlan;          /* the interface is a VLAN of another one */
    uint16_t hardware;  /* its kind of link layer: ARPHRD_... of <linux/if_arp.h> */
    struct addr source; /* all zero when listening on any address */
    uint32_t scope;     /* to bind a link-local source with, else 0 */
};

/*
 * The way to `remote`; or, to listen, the interface to listen on. A destination that is this host
 * itself goes over loopback, whatever interface was asked for. WAVE_ENOROUTE with *d filled in: no
 * route, an unknown interface or one that is down, a source that is not ours, a link-local address
 * without an interface, an address that TCP cannot talk to. WAVE_ESYS when the kernel does not
 * answer.
 */
int route_find(const struct route_query *q, struct route *out, struct diag *d);

/* Where on that interface the kernel would hand over a packet from `from` to `to`: a router, or
 * `to` itself. 0, or a negative errno: EXDEV when the packet would not leave there, or leads over
 * another family's router. */
int route_next_hop(struct mnl_socket *nl, bool v6, const struct addr *to, const struct addr *from,
                   int ifindex, struct addr *hop);

/* The interface that the kernel would send a packet to `to` through, from `from` where that is not
 * NULL: 0, or a negative errno. */
int route_through(struct mnl_socket *nl, bool v6, const struct addr *to, const struct addr *from,
                  int *ifindex, char name[16]);

#define ROUTE_REFUSAL 160
/* Why the kernel has no route, in words, for the errno that it gave (positive): rules and routes of
 * the kinds unreachable, prohibit and blackhole have one each. Returns `text`. */
const char *route_refusal(int error, char text[ROUTE_REFUSAL]);

/* What RTM_GETROUTE answers. */
struct route_answer {
    uint8_t type;    /* RTN_... */
    uint32_t oif;    /* 0 when left out */
    uint32_t mtu;    /* the route's own, else 0 */
    bool has_source; /* a preferred source was given */
    struct addr source;
    bool has_gateway, foreign_gateway; /* a router of the same family; of another */
    struct addr gateway;
};

/* What RTM_GETLINK tells of an interface. */
struct route_link {
    int ifindex;
    char name[16];
    uint32_t mtu;
    uint16_t hardware; /* ARPHRD_... */
    bool up, loopback, vlan;
};

/* Readers of one netlink message; false when it is another kind of message or too short. */
bool route_parse_answer(const struct nlmsghdr *nlh, struct route_answer *out);
bool route_parse_link(const struct nlmsghdr *nlh, struct route_link *out);

#endif
