/*
 * The routers between the two ends. Each decrements the TTL, and the one that makes it 0 drops the
 * packet and says so by ICMP (RFC 791, 3.2; RFC 1812, 5.3.1; RFC 8200, section 3). They stand at
 * equal distances: of a path with N of them, router K has K of N + 1 parts behind it.
 */
#ifndef TCPWAVE_SIM_HOPS_H
#define TCPWAVE_SIM_HOPS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/icmp.h"
#include "lib/core/time.h"

#define HOPS_MAX 60
#define HOPS_TTL 64 /* that the far end's packets and the routers' leave with */

/* Returns the number, from 1 and counted from the sender, of the router that drops a packet sent
 * with this TTL; 0: it passes all `hops` of them. */
uint32_t hops_expires(uint32_t hops, uint8_t ttl);

/* Returns the address of router `number`, counted from the near end: 198.51.100.N (RFC 5737), or
 * 2001:db8:ffff::N (RFC 3849). */
struct addr hops_router(bool v6, uint32_t number);

/* Returns how long a packet takes to that router, counted from its sender, of a way that takes
 * `delay`. */
wave_time hops_way(uint32_t hops, wave_time delay, uint32_t number);

/* Fills in the error of that router, counted from the near end, about a packet of `flow`, as its
 * sender sees it, with this sequence number. */
void hops_error(struct icmp *out, const struct flow *flow, struct seq seq, uint32_t number);

#endif
