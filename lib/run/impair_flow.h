/*
 * The connections that the rules of --impair have seen, by their flow. There is room for
 * IMPAIR_FLOWS; the one that was not used for longest makes place. Part of impair.h.
 */
#ifndef TCPWAVE_RUN_IMPAIR_FLOW_H
#define TCPWAVE_RUN_IMPAIR_FLOW_H

#include "lib/core/siphash.h"
#include "lib/run/impair.h"

/* What the last SYN of one side said, before the rules or after them. */
struct impair_syn {
    struct seq isn;
    bool scales;   /* it had a window scale: */
    uint8_t scale; /* 14 at most */
};

/* A connection, as this host sees it. */
struct impair_flow {
    struct flow flow;
    wave_time begun;     /* when its first segment came */
    struct impair_side { /* index: enum impair_direction, of the segments that this side sends */
        bool has;        /* a SYN was seen: */
        struct impair_syn given, left; /* before the rules, and after them */
        wave_time held_until;          /* by `reorder`; 0: nothing is */
    } side[2];
    uint32_t next;         /* with the same hash: 1 + index, or 0 */
    uint32_t older, newer; /* in the order of use: likewise */
    uint32_t count[];      /* for each rule: segments that passed all but its counting items */
};

struct impair_flows {
    struct siphash_key key;
    uint8_t *memory; /* `room` of them, each with `size` bytes */
    size_t size;
    uint32_t used, room;
    uint32_t *first; /* by hash: 1 + index, or 0; `room` of them, a power of two */
    uint32_t oldest, newest;
    unsigned rules;
};

/* Makes an empty table, with nothing allocated, for so many rules. */
void impair_flows_init(struct impair_flows *t, unsigned rules);
void impair_flows_free(struct impair_flows *t);

/* Returns the connection of a flow, which is added if it is not there, and is now the newest. It is
 * valid until the next call. If memory is short, an older one makes place; NULL: there is none. */
struct impair_flow *impair_flows_get(struct impair_flows *t, const struct flow *flow,
                                     wave_time now);

/* Forgets everything about the connection but its flow: a new one begins over it. */
void impair_flows_restart(const struct impair_flows *t, struct impair_flow *f, wave_time now);

#endif
