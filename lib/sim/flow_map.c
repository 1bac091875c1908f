/* Chains of entries in buckets, and through all entries a list in the order of their last use. */
#include "lib/sim/flow_map.h"

#include <stdlib.h>

#include "lib/core/err.h"

static uint32_t *bucket_of(const struct flow_map *m, const struct flow *flow)
{
    return &m->bucket[siphash13(&m->key, flow, sizeof *flow) % FLOW_MAP_MAX];
}

int flow_map_init(struct flow_map *m, uint64_t seed)
{
    *m = (struct flow_map){.key = {{seed, ~seed}}};
    m->bucket = calloc(FLOW_MAP_MAX, sizeof *m->bucket);
    m->entry = calloc(FLOW_MAP_MAX, sizeof *m->entry);
    if (m->bucket && m->entry)
        return 0;
    flow_map_free(m);
    return WAVE_ENOMEM;
}

void flow_map_free(struct flow_map *m)
{
    free(m->bucket);
    free(m->entry);
    m->bucket = NULL;
    m->entry = NULL;
}

uint32_t flow_map_find(const struct flow_map *m, const struct flow *flow)
{
    for (uint32_t at = *bucket_of(m, flow); at; at = m->entry[at - 1].next)
        if (flow_eq(&m->entry[at - 1].flow, flow))
            return at - 1;
    return FLOW_MAP_NONE;
}

/* Takes an entry out of the order of use. */
static void unlink_use(struct flow_map *m, uint32_t number)
{
    const struct flow_map_entry *e = &m->entry[number];

    *(e->older ? &m->entry[e->older - 1].newer : &m->oldest) = e->newer;
    *(e->newer ? &m->entry[e->newer - 1].older : &m->newest) = e->older;
}

static void make_newest(struct flow_map *m, uint32_t number)
{
    struct flow_map_entry *e = &m->entry[number];

    e->newer = 0;
    e->older = m->newest;
    *(m->newest ? &m->entry[m->newest - 1].newer : &m->oldest) = number + 1;
    m->newest = number + 1;
}

void flow_map_remove(struct flow_map *m, uint32_t number)
{
    struct flow_map_entry *e = &m->entry[number];
    uint32_t *at = bucket_of(m, &e->flow);

    while (*at != number + 1)
        at = &m->entry[*at - 1].next;
    *at = e->next;
    unlink_use(m, number);
    e->next = m->spare;
    m->spare = number + 1;
}

/* Returns the number of an entry that is in no list. */
static uint32_t take_spare(struct flow_map *m)
{
    uint32_t number;

    if (!m->spare && m->used < FLOW_MAP_MAX)
        return m->used++;
    if (!m->spare)
        flow_map_remove(m, m->oldest - 1);
    number = m->spare - 1;
    m->spare = m->entry[number].next;
    return number;
}

uint32_t flow_map_use(struct flow_map *m, const struct flow *flow, bool *fresh)
{
    uint32_t number = flow_map_find(m, flow), *bucket;

    *fresh = number == FLOW_MAP_NONE;
    if (!*fresh) {
        unlink_use(m, number);
        make_newest(m, number);
        return number;
    }
    number = take_spare(m);
    bucket = bucket_of(m, flow);
    m->entry[number].flow = *flow;
    m->entry[number].next = *bucket;
    *bucket = number + 1;
    make_newest(m, number);
    return number;
}
