/*
 * Which way a packet goes: the interface, the source address and the MTU. The kernel is asked over
 * rtnetlink, which needs no privilege.
 */
#ifndef TCPWAVE_WIRE_ROUTE_H
#define TCPWAVE_WIRE_ROUTE_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"

#define LOOPBACK_IFINDEX 1 /* the kernel gives this number to lo in each namespace */

/* Says what to look up. */
struct route_query {
    bool v6;
    bool listen; /* `remote` has no meaning then */
    struct addr remote;
    uint16_t rport; /* for which there may be rules; 0: not known */
    bool has_source;
    struct addr source;
    const char *interface; /* or NULL */
    uint32_t scope;        /* interface index of a link-local remote or source, or 0 */
};

/* Describes the route that was found. */
struct route {
    int ifindex; /* 0: every interface (listening, and none was named) */
    char interface[16];
    uint32_t mtu;       /* bytes of an IP packet: the route's own or the interface's; 68 to 65535 */
    bool loopback;      /* packets pass through the loopback interface */
    bool vlan;          /* the interface is a VLAN of another one */
    bool on_link;       /* no router is between: packets go to the remote's own address */
    uint16_t hardware;  /* type of its link layer: ARPHRD_... of <linux/if_arp.h> */
    struct addr source; /* all zero when listening on any address */
    uint32_t scope;     /* for binding a link-local source, else 0 */
};

/*
 * Finds the route to `remote` or, for listening, the interface to listen on. A destination on this
 * host itself goes over loopback, even if another interface was asked for. Returns 0, or with *d
 * filled in: WAVE_ENOROUTE for no route, an interface that is unknown or down, a source that is not
 * ours, a link-local address without an interface, or an address that TCP cannot connect to;
 * WAVE_ESYS when the kernel does not answer.
 */
int route_find(const struct route_query *q, struct route *out, struct diag *d);

/* Finds where on that interface the kernel would send a packet from `from` to `to`: a router, or
 * `to` itself. Returns 0, or a negative errno: EXDEV when the packet would leave through another
 * interface, or goes to a router of another address family. `bound`: by a socket that is bound to
 * the interface. */
int route_next_hop(struct mnl_socket *nl, bool v6, const struct addr *to, const struct addr *from,
                   int ifindex, bool bound, struct addr *hop);

/* Finds the interface through which the kernel would send a packet to `to`, from `from` if that is
 * not NULL. Returns 0, or a negative errno. */
int route_through(struct mnl_socket *nl, bool v6, const struct addr *to, const struct addr *from,
                  int *ifindex, char name[16]);

#define ROUTE_REFUSAL 160
/* Explains why the kernel has no route, for the errno that it returned (positive). Rules and routes
 * of the types unreachable, prohibit and blackhole have an errno each. Returns `text`. */
const char *route_refusal(int error, char text[ROUTE_REFUSAL]);

/* Holds the answer to RTM_GETROUTE. */
struct route_answer {
    uint8_t type;    /* RTN_... */
    uint32_t oif;    /* interface index; 0 when left out */
    uint32_t mtu;    /* the route's own, else 0 */
    bool has_source; /* a preferred source was given */
    struct addr source;
    bool has_gateway, foreign_gateway; /* a router of the same address family; of another one */
    struct addr gateway;
};

/* Holds the answer to RTM_GETLINK, for one interface. */
struct route_link {
    int ifindex;
    char name[16];
    uint32_t mtu;
    uint16_t hardware; /* ARPHRD_... */
    bool up, loopback, vlan;
};

/* Parse one netlink message. They return false when it is another kind of message, or too short. */
bool route_parse_answer(const struct nlmsghdr *nlh, struct route_answer *out);
bool route_parse_link(const struct nlmsghdr *nlh, struct route_link *out);

#endif
