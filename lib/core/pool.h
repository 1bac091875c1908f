/*
 * Slots for connections, identified by index and generation. They are allocated in chunks, so that
 * a struct conn never moves, and so that memory is touched only when its slots are first used.
 */
#ifndef TCPWAVE_CORE_POOL_H
#define TCPWAVE_CORE_POOL_H

#include "lib/core/conn.h"

#define POOL_MAX (1u << 24) /* connections: an id has 24 bits of index and 8 bits of generation */

/* A pool of connections. */
struct pool {
    struct env *env;
    struct conn **chunk;
    uint32_t chunks, room; /* chunks allocated, and size of `chunk` */
    uint32_t made;         /* slots that were ever used: indices below this are valid */
    uint32_t max;          /* slots that may be used at a time */
    uint32_t used;         /* slots in use */
    uint32_t free;         /* 1 + index of the first free slot, or 0 */
};

/* Makes an empty pool of at most `max` slots, with nothing allocated. Its memory comes from `env`
 * and counts against env->mem_max. */
void pool_init(struct pool *p, struct env *env, uint32_t max);

/* Frees the chunks. The caller must release the connections in them before (conn_release()). */
void pool_free(struct pool *p);

/* Takes a slot and initialises its connection over `flow` (conn_init(), hooks zero). Its id is
 * never 0, and the slot did not have the same id in its last 254 uses. Returns NULL when `max`
 * slots are in use or memory is short. */
struct conn *pool_take(struct pool *p, const struct flow *flow);

/* Frees a connection's slot. */
void pool_give(struct pool *p, struct conn *c);

/* Returns the index that an id contains. */
static inline uint32_t pool_index(uint32_t id)
{
    return id & (POOL_MAX - 1);
}

/* Returns the slot with an index below `made`, whether it is in use or not (then its id is 0). */
struct conn *pool_at(const struct pool *p, uint32_t index);

/* Returns the connection with that id, or NULL when there is none. */
struct conn *pool_conn(const struct pool *p, uint32_t id);

#endif
