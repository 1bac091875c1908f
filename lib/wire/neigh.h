/*
 * The kernel's neighbour table: the link-layer address of each host on a link. No privilege is
 * needed.
 */
#ifndef TCPWAVE_WIRE_NEIGH_H
#define TCPWAVE_WIRE_NEIGH_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/time.h"

#define NEIGH_MAC 6

/*
 * Finds the Ethernet address of `hop` on that interface, when the kernel considers it usable. The
 * kernel finds out an address when something is sent there through its own routing. *stale says
 * that the address is old; the next packet that the kernel itself routes there makes it probe the
 * neighbour. Returns 0, or a negative errno: ENOENT when the address is not known now.
 */
int neigh_find(struct mnl_socket *nl, int ifindex, bool v6, const struct addr *hop,
               uint8_t mac[NEIGH_MAC], bool *stale);

/* Whether the kernel has asked for the Ethernet address of `hop` there and got no answer, or still
 * asks. */
bool neigh_silent(struct mnl_socket *nl, int ifindex, bool v6, const struct addr *hop);

/* The same where something was sent there within so long a time. */
bool neigh_asked_for(struct mnl_socket *nl, int ifindex, bool v6, const struct addr *hop,
                     wave_time within);

/* Parses an answer to RTM_GETNEIGH. Returns false when it is another kind of message, too short, in
 * a state that cannot be used for sending, or without an Ethernet address. */
bool neigh_parse(const struct nlmsghdr *nlh, uint8_t mac[NEIGH_MAC], bool *stale);

#endif
