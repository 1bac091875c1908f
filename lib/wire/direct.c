#include "lib/wire/direct.h"

#include <errno.h>
#include <libnet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/diag.h"
#include "lib/wire/neigh.h"
#include "lib/wire/netlink.h"
#include "lib/wire/route.h"

#define WAYS 1024            /* destinations that are kept in mind */
#define TRUSTED WAVE_S       /* how long an answer of the kernel's holds */
#define RETRY (20 * WAVE_MS) /* before an unknown neighbour is asked for again */

struct way {
    struct addr remote;
    wave_time until; /* 0: empty */
    bool known;
    bool ask; /* the next segment goes the ordinary way, so that the kernel looks after it */
    uint8_t header[DIRECT_HEADER];
};

struct direct {
    libnet_t *net;
    libnet_ptag_t ethernet;
    struct mnl_socket *nl;
    bool v6;
    struct sockaddr_ll to;
    uint8_t own[NEIGH_MAC];
    struct way way[WAYS];
};

/* libnet's socket would be given a copy of each frame on the interface, which nobody reads. */
static void receive_nothing(int fd)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &nothing};
    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int set_up(struct direct *x, const char *interface, int ifindex, struct diag *d)
{
    char why[LIBNET_ERRBUF_SIZE] = "";
    x->net = libnet_init(LIBNET_LINK, interface, why);
    if (!x->net)
        return diag_fail(d, WAVE_ESYS, "libnet cannot send frames on %s: %.200s", interface, why);
    const int one = 1;
    int fd = libnet_getfd(x->net);
    receive_nothing(fd);
    const struct libnet_ether_addr *own = libnet_get_hwaddr(x->net);
    if (x->net->link_type != DLT_EN10MB || !own ||
        setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0)
        return WAVE_ENOTOURS;
    memcpy(x->own, own->ether_addr_octet, NEIGH_MAC);
    x->to = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                 .sll_ifindex = ifindex,
                                 .sll_halen = NEIGH_MAC,
                                 .sll_protocol = htons(x->v6 ? ETH_P_IPV6 : ETH_P_IP)};
    x->nl = netlink_open(NETLINK_ROUTE);
    if (!x->nl)
        return diag_fail(d, WAVE_ESYS, "cannot ask the kernel for neighbours (rtnetlink): %s",
                         strerror(errno));
    return 0;
}

bool direct_flood(struct direct *x)
{
    const int on = 1, off = 0;
    int fd = libnet_getfd(x->net);
    if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) < 0)
        return false;
    /* Bound, so that no frame has to name its interface, and to no protocol, so that the kernel
     * offers nothing back. It reads the frame's own protocol from its header. */
    const struct sockaddr_ll here = {.sll_family = AF_PACKET, .sll_ifindex = x->to.sll_ifindex};
    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &off, sizeof off) == 0 &&
        bind(fd, (const struct sockaddr *)&here, sizeof here) == 0)
        return true;
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &off, sizeof off);
    return false;
}

int direct_open(struct direct **out, bool v6, const char *interface, int ifindex, struct diag *d)
{
    struct direct *x = calloc(1, sizeof *x);
    if (!x)
        return diag_fail(d, WAVE_ENOMEM, "out of memory");
    x->v6 = v6;
    int error = set_up(x, interface, ifindex, d);
    if (error) {
        direct_close(x);
        return error;
    }
    *out = x;
    return 0;
}

void direct_close(struct direct *x)
{
    if (!x)
        return;
    if (x->nl)
        mnl_socket_close(x->nl);
    if (x->net)
        libnet_destroy(x->net);
    free(x);
}

int direct_fd(const struct direct *x)
{
    return libnet_getfd(x->net);
}

const struct sockaddr_ll *direct_to(const struct direct *x)
{
    return &x->to;
}

struct mnl_socket *direct_netlink(const struct direct *x)
{
    return x->nl;
}

/* The header to `mac`, built by libnet. */
static bool build(struct direct *x, const uint8_t *mac, uint8_t header[DIRECT_HEADER])
{
    x->ethernet = libnet_build_ethernet(mac, x->own, x->v6 ? ETH_P_IPV6 : ETH_P_IP, NULL, 0, x->net,
                                        x->ethernet);
    if (x->ethernet < 0) {
        libnet_clear_packet(x->net);
        x->ethernet = LIBNET_PTAG_INITIALIZER;
        return false;
    }
    memcpy(header, libnet_getpbuf(x->net, x->ethernet), DIRECT_HEADER);
    return true;
}

static bool find(struct direct *x, struct way *w)
{
    struct addr hop;
    uint8_t mac[NEIGH_MAC];
    return route_next_hop(x->nl, x->v6, &w->remote, x->to.sll_ifindex, &hop) == 0 &&
           neigh_find(x->nl, x->to.sll_ifindex, x->v6, &hop, mac, &w->ask) == 0 &&
           build(x, mac, w->header);
}

const uint8_t *direct_header(struct direct *x, const struct addr *remote, wave_time now)
{
    size_t last = x->v6 ? 15 : 3;
    struct way *w = &x->way[(remote->byte[last - 1] * 256u + remote->byte[last]) % WAYS];
    if (now < w->until && !addr_eq(&w->remote, remote))
        return NULL; /* two that share a place must not ask the kernel in turn for each frame */
    if (now >= w->until) {
        w->remote = *remote;
        w->ask = false;
        w->known = find(x, w);
        w->until = now + (w->known ? TRUSTED : RETRY);
    }
    /* A neighbour that only frames of ours go to grows stale, and the kernel would never find out
     * that its address has changed. */
    if (w->known && w->ask) {
        w->ask = false;
        return NULL;
    }
    return w->known ? w->header : NULL;
}
