/*
 * A NAT, or a firewall that keeps state, as far as a connection notices it: it learns a connection
 * from a SYN, lets its segments pass, and forgets it when none has passed for a while (RFC 5382,
 * section 5). What comes then belongs to nothing that it knows. Addresses are not rewritten.
 */
#ifndef TCPWAVE_SIM_NAT_H
#define TCPWAVE_SIM_NAT_H

#include "lib/core/seg.h"
#include "lib/core/time.h"
#include "lib/sim/flow_map.h"

struct nat {
    wave_time idle; /* after which a connection is forgotten */
    bool resets;    /* what belongs to nothing is answered with RST; else it vanishes */
    struct flow_map map;
    wave_time *last; /* when the last segment of a connection passed */
};

/* What happens to a segment. */
enum nat_does { NAT_PASSES, NAT_DROPS, NAT_RESETS };

/* Makes a NAT that knows no connection. Returns 0, and nat_free() frees it, or WAVE_ENOMEM. */
int nat_init(struct nat *n, wave_time idle, bool resets, uint64_t seed);
void nat_free(struct nat *n);

/* Decides on a segment of either direction. `flow` is as the end behind the NAT sees it. */
enum nat_does nat_pass(struct nat *n, wave_time now, const struct flow *flow, const struct seg *s);

/* Fills in the RST that answers a segment (RFC 9293, 3.10.7.1: as a host that knows nothing of the
 * connection). */
void nat_reset(const struct seg *s, struct seg *rst);

#endif
