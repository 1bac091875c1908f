/*
 * The memory of a stack's connections. Slots are allocated in chunks that never move, and free
 * slots form a linked list. Every use of a slot increases its generation, which is part of the id,
 * so that an id of an earlier use does not find the new connection.
 */
#include "lib/core/pool.h"

#include <string.h>

enum { POOL_CHUNK = 256 }; /* slots: 64 KiB */

void pool_init(struct pool *p, struct env *env, uint32_t max)
{
    *p = (struct pool){.env = env, .max = max < POOL_MAX ? max : POOL_MAX};
}

/* Returns the size in bytes of a table of that many chunks. */
static size_t table_size(uint32_t room)
{
    return room * sizeof(struct conn *); /* NOLINT(bugprone-sizeof-expression): pointers */
}

void pool_free(struct pool *p)
{
    for (uint32_t i = 0; i < p->chunks; i++)
        env_realloc(p->env, p->chunk[i], POOL_CHUNK * sizeof(struct conn), 0);
    if (p->chunk)
        env_realloc(p->env, p->chunk, table_size(p->room), 0);
    pool_init(p, p->env, p->max);
}

struct conn *pool_at(const struct pool *p, uint32_t index)
{
    return &p->chunk[index / POOL_CHUNK][index % POOL_CHUNK];
}

struct conn *pool_conn(const struct pool *p, uint32_t id)
{
    struct conn *c;

    if (id == 0 || pool_index(id) >= p->made)
        return NULL;
    c = pool_at(p, pool_index(id));
    return c->id == id ? c : NULL;
}

static bool grow(struct pool *p)
{
    if (p->chunks == p->room) {
        const uint32_t room = p->room ? 2 * p->room : 4;
        void *chunk = env_realloc(p->env, p->chunk, table_size(p->room), table_size(room));
        if (!chunk)
            return false;
        p->chunk = chunk;
        p->room = room;
    }
    p->chunk[p->chunks] = env_realloc(p->env, NULL, 0, POOL_CHUNK * sizeof(struct conn));
    if (!p->chunk[p->chunks])
        return false;
    p->chunks++;
    return true;
}

struct conn *pool_take(struct pool *p, const struct flow *flow)
{
    uint32_t index, generation = 1;
    struct conn *c;

    if (p->free) { /* the slot freed last is the most likely to be in a cache */
        index = p->free - 1;
        c = pool_at(p, index);
        p->free = c->hook.ready_next;
        generation = c->hook.generation % 255u + 1;
    } else {
        if (p->made == p->max || (p->made == p->chunks * POOL_CHUNK && !grow(p)))
            return NULL;
        index = p->made++;
        c = pool_at(p, index);
    }
    conn_init(c, p->env, flow, generation << 24 | index);
    memset(&c->hook, 0, sizeof c->hook);
    c->hook.generation = (uint8_t)generation;
    p->used++;
    return c;
}

void pool_give(struct pool *p, struct conn *c)
{
    const uint32_t index = pool_index(c->id);

    c->id = 0;
    c->hook.ready_next = p->free; /* a free slot does not need its hook: it links the free list */
    p->free = index + 1;
    p->used--;
}
