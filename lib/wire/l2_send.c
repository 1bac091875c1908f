/*
 * Finds out for each destination whether its packets can be sent on the link layer, and builds the
 * link-layer header. The kernel's answers about routes and neighbours are kept in a small table,
 * hashed by the addresses, for the time TRUSTED. So there is one question a second for each
 * destination, and not one for each packet.
 */
#include "lib/wire/l2_send.h"

#include <errno.h>
#include <libnet.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/core/diag.h"
#include "lib/wire/neigh.h"
#include "lib/wire/netlink.h"
#include "lib/wire/route.h"

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519 /* Linux 4.14: modems */
#endif

#define WAYS 1024            /* entries: pairs of source and destination */
#define TRUSTED WAVE_S       /* how long we use an answer of the kernel */
#define RETRY (20 * WAVE_MS) /* before we ask once more about an unknown neighbour */

/* Holds what is known about one pair of addresses. */
struct l2_route {
    struct addr local, remote; /* a rule may route each source differently (ip-rule(8)) */
    wave_time until;           /* 0: the entry is empty */
    bool known;
    bool ask; /* send the next segment through the kernel's routing, so that it probes the
                 neighbour; or since it is the first one of the pair, so that the kernel says where
                 its rules drop it */
    uint8_t header[L2_HEADER];
};

struct l2_send {
    int fd;
    size_t header;
    libnet_t *net; /* NULL when the interface has no link layer */
    libnet_ptag_t ethernet;
    struct mnl_socket *nl;
    bool v6;
    struct sockaddr_ll to;
    uint8_t own[NEIGH_MAC];
    struct l2_route way[WAYS];
};

/* Keeps the socket from receiving. It would otherwise get a copy of each frame on the interface,
 * which we never read. Bound to no protocol it gets none, and that costs the kernel nothing. An
 * older kernel takes "no protocol" for the protocol that the socket was opened with; there the
 * filter discards the frames, and since Linux 4.20 our own frames are not offered at all. */
static void receive_nothing(const struct l2_send *x)
{
    const int one = 1;
    const struct sockaddr_ll here = {.sll_family = AF_PACKET, .sll_ifindex = x->to.sll_ifindex};
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &nothing};
    setsockopt(x->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    setsockopt(x->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    (void)!bind(x->fd, (const struct sockaddr *)&here, sizeof here);
}

/* Opens the link layer through libnet, which also knows our address. */
static bool open_ethernet(struct l2_send *x, const char *interface)
{
    char why[LIBNET_ERRBUF_SIZE] = "";
    x->net = libnet_init(LIBNET_LINK, interface, why);
    if (!x->net)
        return false;
    x->fd = libnet_getfd(x->net);
    x->header = L2_HEADER;
    const struct libnet_ether_addr *own = libnet_get_hwaddr(x->net);
    if (x->net->link_type != DLT_EN10MB || !own)
        return false;
    memcpy(x->own, own->ether_addr_octet, NEIGH_MAC);
    return true;
}

/* Opens an interface without a link layer, which libnet does not support. The socket is opened for
 * no protocol, so that the kernel delivers no frames to it. */
static bool open_bare(struct l2_send *x)
{
    x->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    return x->fd >= 0;
}

/* Opens everything; returns false when packets cannot be sent on this link layer. */
static bool set_up(struct l2_send *x, const struct route *route)
{
    const int one = 1;
    bool open = false;
    if (route->hardware == ARPHRD_ETHER)
        open = open_ethernet(x, route->interface);
    else if (route->hardware == ARPHRD_NONE || route->hardware == ARPHRD_RAWIP)
        open = open_bare(x);
    if (!open || setsockopt(x->fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0)
        return false;
    x->to = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                 .sll_ifindex = route->ifindex,
                                 .sll_halen = x->header ? NEIGH_MAC : 0,
                                 .sll_protocol = htons(x->v6 ? ETH_P_IPV6 : ETH_P_IP)};
    receive_nothing(x);
    x->nl = netlink_open(NETLINK_ROUTE);
    return x->nl != NULL;
}

bool l2_send_bypass_qdisc(struct l2_send *x)
{
    const int on = 1, off = 0;
    int fd = x->fd;
    if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) < 0)
        return false;
    /* We bind the socket so that frames need not name their interface. On Ethernet it is bound to
     * no protocol, so that the kernel delivers nothing to it; the kernel reads the protocol of a
     * frame from the frame's header. Without a link-layer header the kernel uses the protocol of
     * the socket. */
    const struct sockaddr_ll here = {.sll_family = AF_PACKET,
                                     .sll_ifindex = x->to.sll_ifindex,
                                     .sll_protocol = x->header ? 0 : x->to.sll_protocol};
    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &off, sizeof off) == 0 &&
        bind(fd, (const struct sockaddr *)&here, sizeof here) == 0)
        return true;
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &off, sizeof off);
    return false;
}

int l2_send_open(struct l2_send **out, bool v6, const struct route *route, struct diag *d)
{
    struct l2_send *x = calloc(1, sizeof *x);
    if (!x)
        return diag_fail(d, WAVE_ENOMEM, "out of memory");
    x->v6 = v6;
    x->fd = -1;
    if (!set_up(x, route)) {
        l2_send_close(x);
        return WAVE_ENOTOURS;
    }
    *out = x;
    return 0;
}

void l2_send_close(struct l2_send *x)
{
    if (!x)
        return;
    if (x->nl)
        mnl_socket_close(x->nl);
    if (x->net)
        libnet_destroy(x->net);
    else if (x->fd >= 0)
        close(x->fd);
    free(x);
}

int l2_send_fd(const struct l2_send *x)
{
    return x->fd;
}

size_t l2_send_header_size(const struct l2_send *x)
{
    return x->header;
}

const struct sockaddr_ll *l2_send_to(const struct l2_send *x)
{
    return &x->to;
}

struct mnl_socket *l2_send_netlink(const struct l2_send *x)
{
    return x->nl;
}

/* Builds the link-layer header to `mac` with libnet. */
static bool build(struct l2_send *x, const uint8_t *mac, uint8_t header[L2_HEADER])
{
    x->ethernet = libnet_build_ethernet(mac, x->own, x->v6 ? ETH_P_IPV6 : ETH_P_IP, NULL, 0, x->net,
                                        x->ethernet);
    if (x->ethernet < 0) {
        libnet_clear_packet(x->net);
        x->ethernet = LIBNET_PTAG_INITIALIZER;
        return false;
    }
    memcpy(header, libnet_getpbuf(x->net, x->ethernet), L2_HEADER);
    return true;
}

/* Asks the kernel for the next hop and its address. Returns false when there is none on this
 * interface. */
static bool find(struct l2_send *x, struct l2_route *w)
{
    struct addr hop;
    uint8_t mac[NEIGH_MAC];
    if (route_next_hop(x->nl, x->v6, &w->remote, &w->local, x->to.sll_ifindex, false, &hop) != 0)
        return false;
    if (!x->net)
        return true; /* no link layer: there is only one neighbour, or the interface chooses it */
    return neigh_find(x->nl, x->to.sll_ifindex, x->v6, &hop, mac, &w->ask) == 0 &&
           build(x, mac, w->header);
}

const uint8_t *l2_send_header(struct l2_send *x, const struct flow *flow, wave_time now)
{
    const struct addr *local = &flow->local, *remote = &flow->remote;
    size_t last = x->v6 ? 15 : 3;
    struct l2_route *w =
        &x->way[(remote->byte[last - 1] * 256u + remote->byte[last] + local->byte[last] * 31u) %
                WAYS];
    if (now < w->until && !(addr_eq(&w->remote, remote) && addr_eq(&w->local, local)))
        return NULL; /* the entry serves another pair; to ask the kernel for each frame in turn
                        would be slow */
    if (now >= w->until) {
        const bool first = !w->until || !addr_eq(&w->remote, remote) || !addr_eq(&w->local, local);
        w->local = *local;
        w->remote = *remote;
        w->ask = false;
        w->known = find(x, w);
        w->ask |= first;
        w->until = now + (w->known ? TRUSTED : RETRY);
    }
    /* The kernel does not see our frames use a neighbour, so its entry grows stale, and the kernel
     * would never notice that the neighbour's address has changed. */
    if (w->known && w->ask) {
        w->ask = false;
        return NULL;
    }
    return w->known ? w->header : NULL;
}
