/*
 * A map from flows to numbers, from 0 to FLOW_MAP_MAX - 1, for a box on the path that keeps
 * something about each connection: what it keeps stands in an array of its own at that number. When
 * the map is full, the flow that was not used for longest makes room, as in a real box.
 */
#ifndef TCPWAVE_SIM_FLOW_MAP_H
#define TCPWAVE_SIM_FLOW_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/siphash.h"

#define FLOW_MAP_MAX 65536u
#define FLOW_MAP_NONE UINT32_MAX

struct flow_map {
    struct siphash_key key;
    uint32_t *bucket; /* 1 + the number of a flow, or 0 */
    struct flow_map_entry {
        struct flow flow;
        uint32_t next;         /* in its bucket: 1 + a number, or 0 */
        uint32_t older, newer; /* in the order of use: 1 + a number, or 0 */
    } * entry;
    uint32_t used;  /* numbers that were given out so far */
    uint32_t spare; /* 1 + a number that was given back, or 0; `next` leads to more */
    uint32_t newest, oldest;
};

/* Makes an empty map, whose order in memory depends on `seed`. Returns 0, and flow_map_free() frees
 * it, or WAVE_ENOMEM. */
int flow_map_init(struct flow_map *m, uint64_t seed);
void flow_map_free(struct flow_map *m);

/* Returns the number of a flow, or FLOW_MAP_NONE. */
uint32_t flow_map_find(const struct flow_map *m, const struct flow *flow);

/* Returns the number of a flow, which is added if it is not there: *fresh. It becomes the one that
 * was used last. */
uint32_t flow_map_use(struct flow_map *m, const struct flow *flow, bool *fresh);

/* Forgets a flow, given its number. */
void flow_map_remove(struct flow_map *m, uint32_t number);

#endif
