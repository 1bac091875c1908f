/*
 * A doubly linked list through the connections' hooks, with indices for pointers.
 */
#include "lib/core/ready.h"

void ready_init(struct ready *r, const struct pool *pool)
{
    *r = (struct ready){.pool = pool};
}

static struct conn *at(const struct ready *r, uint32_t link)
{
    return link ? pool_at(r->pool, link - 1) : NULL;
}

void ready_put(struct ready *r, struct conn *c)
{
    struct conn *last = at(r, r->last);
    const uint32_t link = pool_index(c->id) + 1;

    c->hook.ready_next = 0;
    c->hook.ready_prev = r->last;
    *(last ? &last->hook.ready_next : &r->first) = link;
    r->last = link;
}

void ready_remove(struct ready *r, struct conn *c)
{
    struct conn *next = at(r, c->hook.ready_next), *prev = at(r, c->hook.ready_prev);

    *(next ? &next->hook.ready_prev : &r->last) = c->hook.ready_prev;
    *(prev ? &prev->hook.ready_next : &r->first) = c->hook.ready_next;
    c->hook.ready_next = c->hook.ready_prev = 0;
}

struct conn *ready_first(const struct ready *r)
{
    return at(r, r->first);
}
