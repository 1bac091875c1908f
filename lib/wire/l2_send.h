/*
 * The direct way out, for many segments: straight to one interface, past the kernel's routing of
 * each. On Ethernet they are frames; an interface that has no link layer at all (tun, WireGuard)
 * takes the IP packets as they are. Routes and neighbours are still the kernel's word, asked for
 * over rtnetlink and asked for again as time goes by. What has no direct way goes the ordinary one,
 * a raw IP socket, which is also how the kernel comes to know a neighbour.
 */
#ifndef TCPWAVE_WIRE_L2_SEND_H
#define TCPWAVE_WIRE_L2_SEND_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"
#include "lib/core/time.h"

#define L2_HEADER 14 /* bytes, at most: IEEE 802.3, 3.1.1, with an EtherType */

struct l2_send;
struct route;
struct mnl_socket;

/*
 * The one place that decides whether there is a direct way through the interface of `route`. 0;
 * WAVE_ENOMEM with *d filled in; WAVE_ENOTOURS when there is none: the link layer is neither
 * Ethernet nor none (PPP and tunnels, whose kernel code differs by version), libnet cannot open it,
 * or the kernel will not cut segments for us. All of that can be sent the ordinary way.
 */
int l2_send_open(struct l2_send **out, bool v6, const struct route *route, struct diag *d);

/*
 * For frames that are sent for their number alone: past the queueing discipline, too, which also
 * means that no capture on this host sees them, and without the prefix that joined segments need.
 * Returns false, and nothing has changed, where the kernel knows no such way.
 */
bool l2_send_bypass_qdisc(struct l2_send *x);

/* NULL is taken. */
void l2_send_close(struct l2_send *x);

/* The packet socket's descriptor, which wants struct virtio_net_hdr before each frame (gso.h), and
 * where its frames go. */
int l2_send_fd(const struct l2_send *x);
const struct sockaddr_ll *l2_send_to(const struct l2_send *x);

/* Bytes of the link layer's header before each packet: L2_HEADER, or 0 where there is none. */
size_t l2_send_header_size(const struct l2_send *x);

/* The netlink socket by which it asks the kernel; its own to close. */
struct mnl_socket *l2_send_netlink(const struct l2_send *x);

/* The link layer's header of packets from flow->local to flow->remote, valid until the next call;
 * NULL when the kernel would send them over another interface, does not know the next hop now, or
 * is to look whether it still stands there: once a second at most, while what it knows is stale. */
const uint8_t *l2_send_header(struct l2_send *x, const struct flow *flow, wave_time now);

#endif
