/*
 * Copies: a capture on all interfaces sees a packet once for each layer that it passes on this host
 * (a bridge and its port, a bond and its member, a VLAN and the card below). Each packet counts
 * once: the first copy is kept, and what is the same and comes from another interface within a few
 * milliseconds is a copy of it. Two equal packets from the same interface are two packets, since it
 * is the network that has copied them.
 */
#ifndef TCPWAVE_WIRE_COPIES_H
#define TCPWAVE_WIRE_COPIES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/time.h"

#define COPIES_KEPT 64     /* packets, a power of two */
#define COPIES_GROUPS 1024 /* of digests, a power of two */

/* Empty when zeroed. */
struct copies {
    struct {
        uint64_t digest; /* of what no layer of this host changes */
        wave_time stamp;
        int ifindex;
    } at[COPIES_KEPT];
    uint8_t kept[COPIES_GROUPS]; /* how many of them are in each group */
    uint32_t next;               /* counts up; after its highest value come those of a full list */
};

/* Takes note of an IP packet of `len` bytes, seen on that interface at that time. Returns whether
 * it is a copy of one that was seen on another interface just before: on number *first. */
bool copies_seen(struct copies *c, const uint8_t *ip, uint32_t len, int ifindex, wave_time stamp,
                 int *first);

/* By which interface the peer's packets come in. Empty when zeroed. */
struct copies_way {
    uint64_t other;  /* packets that only another interface than the route's has shown so far */
    uint64_t paired; /* those that another one showed first, and then the route's own */
    int ifindex;     /* the other interface, the last one if there are several */
};

/* Takes note of a packet of the peer's that came in by interface `here`. `copy`: copies_seen()
 * calls it a copy of one that was first seen on interface `first`. */
void copies_way_seen(struct copies_way *w, int route, int here, bool copy, int first);

/* Returns how many packets came in by another interface alone. Where most of what another interface
 * showed was shown by the route's own as well (it is a bridge, and the other its port), the rest
 * are packets whose copy was lost by the capture or not read yet: then it is none. */
uint64_t copies_way_other(const struct copies_way *w);

#endif
