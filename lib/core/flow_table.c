/*
 * A hash table with open addressing and linear probing. It doubles when it is two thirds full. An
 * entry is removed without a tombstone: the entries behind it move up.
 */
#include "lib/core/flow_table.h"

#include <string.h>

#include "lib/core/err.h"

enum { ROOM_FIRST = 64 };

void flow_table_init(struct flow_table *t, struct env *env, struct siphash_key key)
{
    *t = (struct flow_table){.env = env, .key = key};
}

void flow_table_free(struct flow_table *t)
{
    if (t->entry)
        env_realloc(t->env, t->entry, t->room * sizeof *t->entry, 0);
    flow_table_init(t, t->env, t->key);
}

uint32_t flow_table_hash(const struct flow_table *t, const struct flow *flow)
{
    uint8_t packed[FLOW_PACKED_V6];

    if (flow->v6)
        return (uint32_t)siphash13(&t->key, packed, flow_pack(flow, packed));
    flow_pack(flow, packed);
    return (uint32_t)siphash13(&t->key, packed, FLOW_PACKED_V4);
}

struct conn *flow_table_find(const struct flow_table *t, const struct pool *pool,
                             const struct flow *flow, uint32_t hash)
{
    const uint32_t mask = t->room - 1;

    if (t->used == 0)
        return NULL;
    for (uint32_t i = hash & mask; t->entry[i].id; i = (i + 1) & mask) {
        struct conn *c;

        if (t->entry[i].hash != hash)
            continue;
        c = pool_at(pool, pool_index(t->entry[i].id));
        if (flow_eq(&c->flow, flow))
            return c;
    }
    return NULL;
}

static void put(struct flow_table_entry *entry, uint32_t mask, struct flow_table_entry e)
{
    uint32_t i = e.hash & mask;

    while (entry[i].id)
        i = (i + 1) & mask;
    entry[i] = e;
}

static bool grow(struct flow_table *t)
{
    const uint32_t room = t->room ? 2 * t->room : ROOM_FIRST;
    struct flow_table_entry *entry = env_realloc(t->env, NULL, 0, room * sizeof *entry);

    if (!entry)
        return false;
    memset(entry, 0, room * sizeof *entry);
    for (uint32_t i = 0; i < t->room; i++)
        if (t->entry[i].id)
            put(entry, room - 1, t->entry[i]);
    if (t->entry)
        env_realloc(t->env, t->entry, t->room * sizeof *t->entry, 0);
    t->entry = entry;
    t->room = room;
    return true;
}

int flow_table_add(struct flow_table *t, uint32_t hash, uint32_t id)
{
    /* Probe runs begin to grow long when the table is two thirds full. They may when memory is
     * short, but one entry in sixteen stays empty, since a search ends at an empty entry. */
    if (t->used >= t->room - t->room / 3 && !grow(t) && t->used >= t->room - t->room / 16)
        return WAVE_ENOMEM;
    put(t->entry, t->room - 1, (struct flow_table_entry){hash, id});
    t->used++;
    return 0;
}

void flow_table_remove(struct flow_table *t, uint32_t hash, uint32_t id)
{
    const uint32_t mask = t->room - 1;
    uint32_t hole, i;

    if (t->used == 0)
        return;
    for (hole = hash & mask; t->entry[hole].id != id; hole = (hole + 1) & mask)
        if (!t->entry[hole].id)
            return;
    /* Entries behind the hole move up into it, unless that would put them before their own place.
     * There are no tombstones, so the length of a search depends only on how full the table is. */
    for (i = (hole + 1) & mask; t->entry[i].id; i = (i + 1) & mask)
        if (((i - t->entry[i].hash) & mask) >= ((i - hole) & mask)) {
            t->entry[hole] = t->entry[i];
            hole = i;
        }
    t->entry[hole].id = 0;
    t->used--;
}
