/*
 * Puts the parts of the wire together. wire_open() opens them in an order that leaves nothing half
 * done. What may fail because of the user's input (no route, a port in use) comes before the
 * capture, which costs milliseconds. The guard comes before the capture, so that the filter knows
 * the port. The privileges are dropped last, and no byte from the network has been read by then.
 */
#include "lib/wire/wire.h"

#include "lib/wire/wire_private.h"

#include <errno.h>
#include <net/if_arp.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/core/diag.h"
#include "lib/io/privilege.h"
#include "lib/wire/builder.h"
#include "lib/wire/capture.h"
#include "lib/wire/capture_clock.h"
#include "lib/wire/guard.h"
#include "lib/wire/guards.h"
#include "lib/wire/l2_send.h"
#include "lib/wire/neigh.h"
#include "lib/wire/netlink.h"
#include "lib/wire/route.h"
#include "lib/wire/tx_queue.h"

_Static_assert(WIRE_DATA <= TX_QUEUE_DATA, "the queue has the room that is promised");

static const struct addr any;

static int open_route(struct wire *w, const struct wire_config *config, struct route *r,
                      struct diag *d)
{
    struct route_query q = {.v6 = config->v6,
                            .listen = config->listen,
                            .remote = config->remote,
                            .rport = config->rport,
                            .has_source = config->has_source,
                            .source = config->source,
                            .interface = config->interface,
                            .scope = config->scope};
    int error = route_find(&q, r, d);
    if (error)
        return error;
    memcpy(w->info.interface, r->interface, sizeof w->info.interface);
    w->info.ifindex = r->ifindex;
    w->info.mtu = r->mtu;
    w->info.loopback = r->loopback;
    w->info.on_link = r->on_link;
    w->info.local = r->source;
    w->flow.v6 = config->v6;
    w->flow.local = r->source;
    w->flow.lport = config->lport;
    if (!config->listen) {
        w->flow.remote = config->remote;
        w->flow.rport = config->rport;
    }
    return 0;
}

/* Opens the raw socket and the queue. The socket is bound to an interface only where one was asked
 * for, or where the address means nothing without one. What goes to this host itself goes over lo
 * in any case. */
static int open_builder(struct wire *w, const struct wire_config *config, const struct route *r,
                        struct diag *d)
{
    /* Of many targets the interface is only the one to send by, and what is rewritten may leave by
     * another one. */
    bool named = config->interface && !(config->free_ports.max && config->anywhere);
    bool here = !r->loopback && r->ifindex && (named || config->scope);
    w->bound = !addr_eq(&r->source, &any);
    w->on_device = here;
    struct builder_config c = {.v6 = config->v6,
                               .device = here ? r->interface : NULL,
                               .source = w->bound ? &r->source : NULL,
                               .scope = r->scope};
    int error = builder_open(&w->builder, &c, d);
    if (error == 0 && tx_queue_open(&w->tx_queue, builder_fd(w->builder), r->mtu) != 0)
        error = diag_fail(d, WAVE_ENOMEM, "out of memory");
    if (error == 0 && !w->bound)
        tx_queue_route_by_source(w->tx_queue);
    return error;
}

static int open_l2_send(struct wire *w, const struct wire_config *config, const struct route *r,
                        struct diag *d)
{
    if (!config->l2_send || r->loopback || !r->ifindex)
        return 0;
    int error = l2_send_open(&w->l2_send, config->v6, r, d);
    if (error == WAVE_ENOTOURS)
        return 0;
    if (error == 0)
        tx_queue_link_layer(w->tx_queue, l2_send_fd(w->l2_send), l2_send_to(w->l2_send),
                            l2_send_header_size(w->l2_send));
    if (error == 0 && config->bypass_qdisc && l2_send_bypass_qdisc(w->l2_send))
        tx_queue_bypass_qdisc(w->tx_queue);
    /* The kernel does not check whether a frame in the ring is longer than the MTU. */
    if (error == 0 && config->tx_ring && r->mtu >= TX_RING_FRAME)
        w->tx_ring = tx_ring_open(l2_send_to(w->l2_send));
    if (w->tx_ring)
        tx_queue_use_ring(w->tx_queue, w->tx_ring);
    return error;
}

/* Opens the netlink socket for asking about the route. */
static int open_again(struct wire *w, const struct wire_config *config, struct diag *d)
{
    if (!config->follows_route || config->listen || w->info.loopback)
        return 0;
    w->nl = w->l2_send ? l2_send_netlink(w->l2_send) : netlink_open(NETLINK_ROUTE);
    return w->nl ? 0
                 : diag_fail(d, WAVE_ESYS, "cannot ask the kernel for routes: %s", strerror(errno));
}

bool wire_rerouted(const struct wire *w, char interface[16])
{
    char name[16];
    int ifindex;

    if (!w->nl || w->on_device ||
        route_through(w->nl, w->flow.v6, &w->flow.remote, w->bound ? &w->flow.local : NULL,
                      &ifindex, name) != 0 ||
        ifindex == w->info.ifindex)
        return false;
    memcpy(interface, name, sizeof name);
    return true;
}

/* Returns the kernel's door for questions about routes and neighbours, or NULL. */
static struct mnl_socket *netlink_of(const struct wire *w)
{
    return w->nl || !w->l2_send ? w->nl : l2_send_netlink(w->l2_send);
}

bool wire_unreachable(const struct wire *w, struct wire_neighbour *out)
{
    return w->nl &&
           wire_unreachable_from(w, w->bound ? &w->flow.local : NULL, &w->flow.remote, out);
}

bool wire_unreachable_from(const struct wire *w, const struct addr *local,
                           const struct addr *remote, struct wire_neighbour *out)
{
    struct mnl_socket *nl = netlink_of(w);
    struct addr hop;

    if (!nl || !w->info.ifindex ||
        route_next_hop(nl, w->flow.v6, remote, local, w->info.ifindex, w->on_device, &hop) != 0 ||
        !neigh_silent(nl, w->info.ifindex, w->flow.v6, &hop))
        return false;
    *out = (struct wire_neighbour){.gateway = !addr_eq(&hop, remote), .addr = hop};
    return true;
}

/* What a rule sends to the loopback address leaves it by lo, unless the socket is bound to another
 * interface: there it finds no neighbour. */
bool wire_asks_for_itself(const struct wire *w)
{
    static const struct addr v4 = {{127, 0, 0, 1}}, v6 = {{[15] = 1}};
    struct mnl_socket *nl = netlink_of(w);

    return nl && w->on_device &&
           neigh_asked_for(nl, w->info.ifindex, w->flow.v6, w->flow.v6 ? &v6 : &v4,
                           wire_now() - w->opened);
}

static int open_free_ports(struct wire *w, const struct wire_config *config,
                           const struct guard_query *q, struct diag *d)
{
    int error = guards_open(&w->guards, &config->free_ports, q, d);
    if (error)
        return error;
    w->flow.lport = w->info.lport = guards_lowest(w->guards);
    w->lports = (uint16_t)(guards_highest(w->guards) - w->flow.lport + 1);
    w->info.guard = guard_name(guards_kind(w->guards));
    return 0;
}

/* Whether a segment from one of the ports, from that one on, to the peer is one from us to
 * ourselves. */
static bool is_self(const struct wire *w, uint16_t lport)
{
    return !w->listen && (uint16_t)(w->flow.rport - lport) < w->lports &&
           addr_eq(&w->flow.local, &w->flow.remote);
}

/* Guards the ports. Of one that the kernel chooses, another is asked for while it is the target's
 * own: the first one is held until then, so that it is not chosen again. */
static int open_range(struct wire *w, struct guard *g, const struct guard_query *q, struct diag *d)
{
    struct guard itself;
    int error = guard_open_range(g, w->lports, q, &w->flow.lport, d);

    if (error || w->lports > 1 || !is_self(w, w->flow.lport))
        return error;
    itself = *g;
    error = guard_open_range(g, w->lports, q, &w->flow.lport, d);
    guard_close(&itself);
    return error;
}

static int open_guard(struct wire *w, const struct wire_config *config, const struct route *r,
                      struct diag *d)
{
    w->info.guard = guard_name(0);
    w->info.lport = config->lport;
    if (config->lport && is_self(w, config->lport))
        return diag_fail(
            d, WAVE_ESELF,
            "port %u of this host is the target itself, so that it cannot be the source "
            "port, too: a connection from there would meet itself; choose another one",
            w->flow.rport);
    /* A segment outside any connection may use any port, in use or not. */
    if (config->no_guard && config->lport)
        return 0;
    struct guard_query q = {.flow = w->flow,
                            .scope = r->scope,
                            .reserve_only = config->no_guard,
                            .kinds = config->guards};
    if (!w->listen && addr_eq(&w->flow.local, &w->flow.remote))
        q.avoid = w->flow.rport;
    if (config->free_ports.max)
        return open_free_ports(w, config, &q, d);
    struct guard *g = calloc(w->lports, sizeof *g);
    if (!g)
        return diag_fail(d, WAVE_ENOMEM, "out of memory");
    int error = open_range(w, g, &q, d);
    if (error) {
        free(g);
        return error;
    }
    w->guard = g;
    w->info.guard = guard_name(g->kind);
    w->info.lport = w->flow.lport;
    return 0;
}

static const char *link_name(int dlt, const struct route *r)
{
    if (r->loopback)
        return "loopback";
    if (r->vlan)
        return "vlan";
    switch (dlt) {
    case DLT_EN10MB:
        return "ethernet";
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2:
        return "cooked";
    case DLT_NULL:
    case DLT_LOOP:
        return "loopback";
    default:
        return "raw";
    }
}

/* The route's own link, where the capture is on all interfaces. */
static const char *link_of_route(const struct route *r)
{
    return r->vlan ? "vlan" : r->hardware == ARPHRD_ETHER ? "ethernet" : "raw";
}

static int open_capture(struct wire *w, const struct wire_config *config, const struct route *r,
                        struct diag *d)
{
    w->anywhere =
        config->anywhere && !r->loopback && !config->scope &&
        (config->free_ports.max ? r->ifindex != 0
                                : !config->listen && !config->interface && !config->blocks);
    w->follows = !r->loopback && !config->listen;
    w->asks_nat = !r->loopback && (config->inbound_only || w->l2_send || config->free_ports.max);
    struct capture_config c = {.device = w->anywhere ? "any" : r->interface,
                               .filter = {.flow = w->flow,
                                          .lports = w->lports,
                                          .listen = config->listen,
                                          .any_remote = w->follows,
                                          .inbound_only = config->inbound_only,
                                          .own_syns = config->inbound_only && w->asks_nat},
                               .loopback = r->loopback,
                               .blocks = config->blocks,
                               .ring = config->ring,
                               .mtu = r->mtu};
    w->info.anywhere = w->anywhere;
    int error = capture_open(&w->capture, &c, d);
    if (error == 0)
        w->info.link = w->anywhere ? link_of_route(r) : link_name(capture_dlt(w->capture), r);
    return error;
}

static int open_all(struct wire *w, const struct wire_config *config, struct diag *d)
{
    struct route r;
    int error = open_route(w, config, &r, d);
    if (error == 0)
        error = open_builder(w, config, &r, d);
    if (error == 0)
        error = open_l2_send(w, config, &r, d);
    if (error == 0)
        error = open_again(w, config, d);
    if (error == 0)
        error = open_guard(w, config, &r, d);
    if (error == 0)
        error = open_capture(w, config, &r, d);
    if (error == 0 && !config->keep_privileges)
        error = privilege_drop(d);
    return error;
}

int wire_open(struct wire **out, const struct wire_config *config, struct diag *d)
{
    struct wire *w = calloc(1, sizeof *w);
    if (!w)
        return diag_fail(d, WAVE_ENOMEM, "out of memory");
    w->opened = wire_now();
    w->lports = config->lports ? config->lports : 1;
    w->broken = config->broken;
    w->listen = config->listen;
    w->inbound_only = config->inbound_only;
    capture_clock_init(&w->stamp, clock_pair_read);
    int error = open_all(w, config, d);
    if (error) {
        wire_close(w);
        return error;
    }
    *out = w;
    return 0;
}

void wire_close(struct wire *w)
{
    if (!w)
        return;
    capture_close(w->capture);
    ip_reassembly_free(w->fragments);
    own_nat_free(&w->nat);
    for (uint16_t i = 0; w->guard && i < w->lports; i++)
        guard_close(&w->guard[i]);
    free(w->guard);
    guards_close(w->guards);
    tx_queue_close(w->tx_queue);
    if (w->nl && !w->l2_send)
        mnl_socket_close(w->nl);
    tx_ring_close(w->tx_ring);
    l2_send_close(w->l2_send);
    builder_close(w->builder);
    free(w);
}

const struct wire_info *wire_info(const struct wire *w)
{
    return &w->info;
}

uint32_t wire_ports(const struct wire *w)
{
    return w->guards ? guards_count(w->guards) : w->lports;
}

uint16_t wire_port(const struct wire *w, uint32_t i)
{
    return w->guards ? guards_port(w->guards, i) : (uint16_t)(w->info.lport + i);
}

/* Returns the link-layer header of a packet of `flow`, or NULL when the kernel routes it. */
static const uint8_t *header_for(struct wire *w, const struct flow *flow)
{
    if (w->l2_send && tx_queue_empty(w->tx_queue))
        w->began = wire_now();
    return w->l2_send ? l2_send_header(w->l2_send, flow, w->began) : NULL;
}

/* Returns whether the segment has to go through the kernel, because its target is rewritten there
 * or it is to be found out whether it is. */
static bool through_kernel(struct wire *w, const struct flow *flow, uint16_t flags, struct seq seq)
{
    wave_time now;
    bool through;

    if (!w->asks_nat || (!(flags & SEG_SYN) && !w->nat.translates))
        return false;
    now = wire_now();
    through = own_nat_sending(&w->nat, flow, flags, seq, now);
    w->stats.syns_watched += through && flags & SEG_SYN;
    wire_watch(w, now);
    return through;
}

uint8_t *wire_room(struct wire *w)
{
    return tx_queue_data_room(w->tx_queue);
}

unsigned wire_train(const struct wire *w)
{
    return w->framed && tx_queue_takes_trains(w->tx_queue) ? WIRE_QUEUE_MAX : 1;
}

int wire_send(struct wire *w, const struct flow *flow, const struct seg *s,
              const struct wire_ip *ip, struct diag *d)
{
    size_t size = builder_size(w->builder, s);
    if (size > UINT16_MAX)
        return diag_fail(d, WAVE_ETRUNC, "%u bytes of data do not fit into an IP packet", s->len);
    const uint8_t *there = tx_queue_data_room(w->tx_queue);
    uint8_t *bytes = s->len && s->data == there ? tx_queue_room_around(w->tx_queue, size, s->len)
                                                : tx_queue_room(w->tx_queue, size);
    if (!bytes)
        return WAVE_EAGAIN;
    const uint8_t *header = header_for(w, flow);
    if (through_kernel(w, flow, s->flags, s->seq))
        header = NULL;
    bool no_checksum = false;
    w->framed = header != NULL;
    int error = header ? builder_build_no_checksum(w->builder, flow, s, ip, bytes, &no_checksum, d)
                       : builder_build(w->builder, flow, s, ip, bytes, d);
    if (error)
        return error;
    tx_queue_add(w->tx_queue, size, flow, s->seq, header);
    if (no_checksum)
        tx_queue_no_checksum(w->tx_queue);
    if (s->train)
        tx_queue_train(w->tx_queue, s->train);
    return 0;
}

static int count_sent(struct wire *w, unsigned sent, int error)
{
    w->stats.sent += sent;
    w->stats.retried += error == WAVE_EAGAIN;
    return error;
}

int wire_flush(struct wire *w, struct wire_unsent *unsent, struct diag *d)
{
    int error;
    unsigned sent = tx_queue_flush(w->tx_queue, &error, unsent);
    if (error)
        error = builder_send_error(w->builder, &unsent->flow, error, d);
    return count_sent(w, sent, error);
}

int wire_queue(struct wire *w, const struct flow *flow, struct seq seq, const uint8_t *ip,
               uint32_t len)
{
    uint8_t *bytes = tx_queue_room(w->tx_queue, len);
    if (!bytes)
        return WAVE_EAGAIN;
    tx_queue_no_gso(w->tx_queue);
    memcpy(bytes, ip, len);
    const uint32_t flags = (flow->v6 ? IPV6_HEADER : (ip[0] & 15u) * 4) + SEG_FLAGS_AT;
    const uint8_t *header = header_for(w, flow);
    if (flags < len && through_kernel(w, flow, ip[flags], seq))
        header = NULL;
    tx_queue_add(w->tx_queue, len, flow, seq, header);
    return 0;
}

/* The peer sends two frames for each acknowledgement of ours, which is captured as well. */
uint32_t wire_window(const struct wire *w, uint32_t mss)
{
    struct capture_room room = capture_room(w->capture);
    uint64_t frames = (uint64_t)room.frames * (w->inbound_only ? 3 : 2) / 3 * mss;

    return frames < room.bytes ? (uint32_t)frames : room.bytes;
}

bool wire_down(const struct wire *w)
{
    return w->anywhere || capture_down(w->capture);
}

int wire_fd(const struct wire *w)
{
    return capture_fd(w->capture);
}

wave_time wire_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (wave_time)now.tv_sec * WAVE_S + (wave_time)now.tv_nsec;
}
