/*
 * What this host's address translation does to what we send. A captured segment has the addresses
 * that are on the wire, so one of ours has another target than the one we named where a rule
 * rewrites it (dnat; service addresses of Kubernetes and Docker are made so), and the answers come
 * from there. Each flow is rewritten by itself: a rule may share flows out among many hosts.
 *
 * A wire with one target learns from what it sees leaving: its ports are its own. A wire with many
 * targets sends most segments past the rules, on the link layer, so that it has to find out first.
 * The first SYNs to each target go through the kernel, until one of them is seen to leave. Where it
 * leaves for the target, the rest may go on the link layer. Where it leaves for another one, what
 * is for that target keeps going through the kernel, and each SYN is watched.
 */
#ifndef TCPWAVE_WIRE_OWN_NAT_H
#define TCPWAVE_WIRE_OWN_NAT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/seg.h"
#include "lib/core/seq.h"
#include "lib/core/time.h"

#define OWN_NAT_PENDING 1024             /* SYNs that are waited for at a time */
#define OWN_NAT_PATIENCE (100 * WAVE_MS) /* for a SYN to be seen leaving: a busy host is late */
#define OWN_NAT_MAX (1u << 18)           /* flows that are known at a time */

/* A flow or a pair of addresses, and what is known of it. */
struct own_nat_entry {
    struct flow key; /* as it is on the wire; of a pair, as we send it and without the local port */
    struct addr named;
    uint16_t port;
    uint8_t state;
    wave_time since;
};

/* A hash table with open addressing. */
struct own_nat_table {
    struct own_nat_entry *entry;
    uint32_t room, used; /* `room` is 0 or a power of two */
};

struct own_nat {
    struct own_nat_table flows, pairs;
    struct own_nat_syn {
        struct flow flow;
        struct seq seq;
    } * pending;
    uint32_t waiting, oldest; /* of the pending; the one to overwrite when there is no room */
    wave_time until;          /* the pending are waited for, unless something is translated */
    bool translates;          /* a pair's target is rewritten */
    struct own_nat_syn last;  /* of the pending */
    bool one_number;          /* SYNs from several ports have the same number */
};

/* Frees what it has allocated. */
void own_nat_free(struct own_nat *n);

/* Takes note of a flow on the wire that stands for one to that target. Without memory for it, the
 * flow is not known. */
void own_nat_add(struct own_nat *n, const struct flow *seen, const struct addr *named,
                 uint16_t port);

/* Puts the target that was named in the place of the remote end of a flow that is on the wire.
 * Returns false, and changes nothing, where the flow is not known. */
bool own_nat_restore(const struct own_nat *n, struct flow *flow);

/* Of a wire with many targets: returns whether the segment with these flags and number, which is
 * about to be sent over `flow`, has to go through the kernel. */
bool own_nat_sending(struct own_nat *n, const struct flow *flow, uint16_t flags, struct seq seq,
                     wave_time now);

/* Returns whether SYNs that leave are waited for. */
bool own_nat_watches(const struct own_nat *n, wave_time now);

/* What was done to a SYN. */
enum own_nat_done {
    OWN_NAT_STRANGE,
    OWN_NAT_UNCHANGED,
    OWN_NAT_TARGET,
    OWN_NAT_SOURCE,
    OWN_NAT_CLASH /* the same, since another connection of ours goes from that port to the same
                     place */
};

/* Says what was done to a SYN that was seen leaving over `seen`, if it is one that was waited for.
 */
enum own_nat_done own_nat_left(struct own_nat *n, const struct flow *seen, struct seq seq);

#endif
