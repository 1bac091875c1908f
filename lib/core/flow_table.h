/*
 * The map from a flow to its connection: open addressing with linear probing, doubled as it fills.
 * An entry has the hash beside the id, so that a lookup touches one cache line of the table and
 * then only the connection it looks for. The hash is keyed, because peers choose their ports and
 * must not be able to choose collisions.
 */
#ifndef TCPWAVE_CORE_FLOW_TABLE_H
#define TCPWAVE_CORE_FLOW_TABLE_H

#include "lib/core/pool.h"
#include "lib/core/siphash.h"

/* An entry of the table. */
struct flow_table_entry {
    uint32_t hash, id; /* an id of 0 marks an empty entry */
};

/* The table. */
struct flow_table {
    struct env *env;
    struct siphash_key key;
    struct flow_table_entry *entry;
    uint32_t room; /* size of `entry`: 0 or a power of two */
    uint32_t used;
};

/* Makes an empty table with nothing allocated. Its memory comes from `env`, as the pool's does. */
void flow_table_init(struct flow_table *t, struct env *env, struct siphash_key key);
void flow_table_free(struct flow_table *t);

/* Returns the hash of a flow, which the calls below need. */
uint32_t flow_table_hash(const struct flow_table *t, const struct flow *flow);

/* Returns the connection over `flow`, or NULL. */
struct conn *flow_table_find(const struct flow_table *t, const struct pool *pool,
                             const struct flow *flow, uint32_t hash);

/* Adds an id whose flow is not in the table. Returns 0 or WAVE_ENOMEM. */
int flow_table_add(struct flow_table *t, uint32_t hash, uint32_t id);

/* Removes an id; does nothing when it is not there. */
void flow_table_remove(struct flow_table *t, uint32_t hash, uint32_t id);

#endif
