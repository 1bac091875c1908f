/* A table with chains, which grows by doubling, and a list in the order of use. Both link by index,
 * since growing moves the memory. */
#include "lib/run/impair_flow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ROOM_FIRST 16u

void impair_flows_init(struct impair_flows *t, unsigned rules)
{
    uint8_t secret[16] = {0};
    const size_t size = sizeof(struct impair_flow) + rules * sizeof(uint32_t);
    const size_t align = _Alignof(struct impair_flow);

    /* The peers of a listening side choose their ports, and must not choose buckets with them. What
     * the rules do does not depend on the key. Without one, the table is only slower. */
    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
        memset(secret, 0, sizeof secret);
    *t = (struct impair_flows){.key = siphash_key(secret, 0),
                               .size = (size + align - 1) / align * align,
                               .rules = rules};
}

void impair_flows_free(struct impair_flows *t)
{
    free(t->memory);
    free(t->first);
}

/* Returns number `link` - 1; `link` is not 0. */
static struct impair_flow *at(const struct impair_flows *t, uint32_t link)
{
    return (struct impair_flow *)(void *)(t->memory + (size_t)(link - 1) * t->size);
}

static uint32_t *bucket(const struct impair_flows *t, const struct flow *flow)
{
    return &t->first[siphash13(&t->key, flow, sizeof *flow) & (t->room - 1)];
}

/* Makes room for twice as many. Returns false if memory is short. */
static bool grow(struct impair_flows *t)
{
    const uint32_t room = t->room ? 2 * t->room : ROOM_FIRST;
    uint32_t *first = calloc(room, sizeof *first);
    uint8_t *memory = first ? realloc(t->memory, room * t->size) : NULL;

    if (!memory) {
        free(first);
        return false;
    }
    free(t->first);
    t->first = first;
    t->memory = memory;
    t->room = room;
    for (uint32_t link = 1; link <= t->used; link++) {
        struct impair_flow *f = at(t, link);
        uint32_t *head = bucket(t, &f->flow);
        f->next = *head;
        *head = link;
    }
    return true;
}

/* Takes a connection out of the order of use. */
static void take_out(struct impair_flows *t, const struct impair_flow *f)
{
    *(f->older ? &at(t, f->older)->newer : &t->oldest) = f->newer;
    *(f->newer ? &at(t, f->newer)->older : &t->newest) = f->older;
}

static void put_newest(struct impair_flows *t, struct impair_flow *f, uint32_t link)
{
    f->older = t->newest;
    f->newer = 0;
    *(t->newest ? &at(t, t->newest)->newer : &t->oldest) = link;
    t->newest = link;
}

/* Returns the place of a connection that is new, where need be that of the oldest one; 0: there is
 * none. */
static uint32_t place(struct impair_flows *t)
{
    uint32_t link, *from;

    if (t->used < IMPAIR_FLOWS && (t->used < t->room || grow(t)))
        return ++t->used;
    link = t->oldest;
    if (!link)
        return 0;
    take_out(t, at(t, link));
    for (from = bucket(t, &at(t, link)->flow); *from != link; from = &at(t, *from)->next)
        ;
    *from = at(t, link)->next;
    return link;
}

void impair_flows_restart(const struct impair_flows *t, struct impair_flow *f, wave_time now)
{
    f->begun = now;
    memset(f->side, 0, sizeof f->side);
    memset(f->count, 0, t->rules * sizeof *f->count);
}

struct impair_flow *impair_flows_get(struct impair_flows *t, const struct flow *flow, wave_time now)
{
    uint32_t link = t->room ? *bucket(t, flow) : 0, *head;
    struct impair_flow *f;

    while (link && !flow_eq(&at(t, link)->flow, flow))
        link = at(t, link)->next;
    if (link) {
        f = at(t, link);
        take_out(t, f);
    } else {
        link = place(t);
        if (!link)
            return NULL;
        f = at(t, link);
        f->flow = *flow;
        impair_flows_restart(t, f, now);
        head = bucket(t, flow);
        f->next = *head;
        *head = link;
    }
    put_newest(t, f, link);
    return f;
}
