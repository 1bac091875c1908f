/*
 * From flow to connection: open addressing with linear probing, doubled as it fills. An entry has
 * the hash beside the id, so that a look-up touches one line of the table and then the very
 * connection it is after. The hash is keyed: peers choose their ports, and must not be able to
 * choose collisions.
 */
#ifndef TCPWAVE_CORE_FLOW_TABLE_H
#define TCPWAVE_CORE_FLOW_TABLE_H

#include "lib/core/pool.h"
#include "lib/core/siphash.h"

struct flow_table_entry {
    uint32_t hash, id; /* id 0: nobody */
};

struct flow_table {
    struct env *env;
    struct siphash_key key;
    struct flow_table_entry *entry;
    uint32_t room; /* entries there are: 0 or a power of two */
    uint32_t used;
};

/* An empty table with nothing allocated; its memory comes from `env` as the pool's does. */
void flow_table_init(struct flow_table *t, struct env *env, struct siphash_key key);
void flow_table_free(struct flow_table *t);

/* The hash that the calls below want. */
uint32_t flow_table_hash(const struct flow_table *t, const struct flow *flow);

/* The connection over `flow`, or NULL. */
struct conn *flow_table_find(const struct flow_table *t, const struct pool *pool,
                             const struct flow *flow, uint32_t hash);

/* Adds an id whose flow is not in the table. WAVE_ENOMEM. */
int flow_table_add(struct flow_table *t, uint32_t hash, uint32_t id);

/* Takes an id out; nothing happens when it is not there. */
void flow_table_remove(struct flow_table *t, uint32_t hash, uint32_t id);

#endif
