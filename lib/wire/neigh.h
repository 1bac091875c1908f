/*
 * The kernel's neighbour table: who stands at the other end of a link. Needs no privilege.
 */
#ifndef TCPWAVE_WIRE_NEIGH_H
#define TCPWAVE_WIRE_NEIGH_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/core/flow.h"

#define NEIGH_MAC 6

/*
 * The Ethernet address of `hop` on that interface, as far as the kernel takes it for good; it finds
 * out when something is sent there in the ordinary way. `stale`: it is old, and the next thing sent
 * in the ordinary way makes the kernel ask whether it still holds. 0, or a negative errno: ENOENT
 * when it is not known (now).
 */
int neigh_find(struct mnl_socket *nl, int ifindex, bool v6, const struct addr *hop,
               uint8_t mac[NEIGH_MAC], bool *stale);

/* Whether the kernel has asked for the Ethernet address of `hop` there and got no answer, or still
 * asks. */
bool neigh_silent(struct mnl_socket *nl, int ifindex, bool v6, const struct addr *hop);

/* What RTM_GETNEIGH answers: false when it is another kind of message, too short, of no use to
 * send to, or has no Ethernet address. */
bool neigh_parse(const struct nlmsghdr *nlh, uint8_t mac[NEIGH_MAC], bool *stale);

#endif
