/*
 * Sending on the link layer, for many segments: straight to one interface, without the kernel's
 * routing of each segment. On Ethernet we send frames; an interface without a link layer (tun,
 * WireGuard) takes the IP packets as they are. Routes and neighbours are still the kernel's: we ask
 * for them over rtnetlink, and repeat the question from time to time. A packet that cannot be sent
 * on the link layer goes through a raw IP socket, which is also how the kernel learns about a
 * neighbour.
 */
#ifndef TCPWAVE_WIRE_L2_SEND_H
#define TCPWAVE_WIRE_L2_SEND_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/core/addr.h"
#include "lib/core/err.h"
#include "lib/core/flow.h"
#include "lib/core/time.h"

#define L2_HEADER ETHERNET_HEADER /* bytes, at most */

struct l2_send;
struct route;
struct mnl_socket;

/*
 * Decides, in this one place, whether packets can be sent on the link layer of the interface of
 * `route`, and opens it. Returns 0; WAVE_ENOMEM with *d filled in; WAVE_ENOTOURS when they cannot:
 * the link layer is neither Ethernet nor absent (PPP and tunnels, where kernel versions differ),
 * libnet cannot open it, or the kernel does not segment for us. All of that can be sent through the
 * raw socket.
 */
int l2_send_open(struct l2_send **out, bool v6, const struct route *route, struct diag *d);

/*
 * Makes frames bypass the queueing discipline as well, for packets that are sent for their number
 * alone. No capture on this host sees such frames, and they have no struct virtio_net_hdr before
 * them. Returns false, and changes nothing, where the kernel does not support this.
 */
bool l2_send_bypass_qdisc(struct l2_send *x);

/* Closes it; `x` may be NULL. */
void l2_send_close(struct l2_send *x);

/* Return the packet socket, which expects struct virtio_net_hdr before each frame (gso.h), and the
 * address that its frames are sent to. */
int l2_send_fd(const struct l2_send *x);
const struct sockaddr_ll *l2_send_to(const struct l2_send *x);

/* Returns the bytes of the link-layer header before each packet: L2_HEADER, or 0 where there is
 * none. */
size_t l2_send_header_size(const struct l2_send *x);

/* Returns the netlink socket on which it asks the kernel; l2_send_close() closes it. */
struct mnl_socket *l2_send_netlink(const struct l2_send *x);

/* Returns the link-layer header of packets from flow->local to flow->remote, valid until the next
 * call. Returns NULL when the packet has to go through the kernel's routing: it would leave by
 * another interface, the next hop is not known now, the kernel is to probe a stale neighbour (at
 * most once a second), or the packet is the first one of these addresses: where a rule of this host
 * drops that one, the kernel says so. */
const uint8_t *l2_send_header(struct l2_send *x, const struct flow *flow, wave_time now);

#endif
