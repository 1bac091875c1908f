/*
 * Slots for connections, named by index and generation. They come in chunks, so that a struct conn
 * never moves, and a chunk is touched only as its slots are first used.
 */
#ifndef TCPWAVE_CORE_POOL_H
#define TCPWAVE_CORE_POOL_H

#include "lib/core/conn.h"

#define POOL_MAX (1u << 24) /* connections: an id has 24 bits of index and 8 of generation */

struct pool {
    struct env *env;
    struct conn **chunk;
    uint32_t chunks, room; /* chunks there are, and pointers there is room for */
    uint32_t made;         /* slots ever used: indices below this are valid */
    uint32_t max;          /* slots there may be */
    uint32_t used;         /* slots in use */
    uint32_t free;         /* 1 + index of the first slot given back, or 0 */
};

/* An empty pool of at most `max` slots, with nothing allocated; its memory comes from `env` and
 * counts against env->mem_max. */
void pool_init(struct pool *p, struct env *env, uint32_t max);

/* Frees the chunks; what the connections in them hold is the caller's to release first. */
void pool_free(struct pool *p);

/* Takes a slot and initialises its connection over `flow` (conn_init(), hooks zero). Its id is
 * never 0, and no slot had it 255 generations back. NULL when `max` are in use or memory is
 * short. */
struct conn *pool_take(struct pool *p, const struct flow *flow);

/* Gives a connection's slot back. */
void pool_give(struct pool *p, struct conn *c);

/* The index an id names. */
static inline uint32_t pool_index(uint32_t id)
{
    return id & (POOL_MAX - 1);
}

/* The slot of an index below `made`, in use or not (then its id is 0). */
struct conn *pool_at(const struct pool *p, uint32_t index);

/* The connection of that id, or NULL when there is none. */
struct conn *pool_conn(const struct pool *p, uint32_t id);

#endif
