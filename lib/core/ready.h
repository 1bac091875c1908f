/* The connections that have something to send, first come, first served, linked through their
 * hooks: nobody ever searches for one. */
#ifndef TCPWAVE_CORE_READY_H
#define TCPWAVE_CORE_READY_H

#include "lib/core/pool.h"

struct ready {
    const struct pool *pool;
    uint32_t first, last; /* 1 + index, or 0 */
};

/* An empty list of connections of `pool`. */
void ready_init(struct ready *r, const struct pool *pool);

/* Puts a connection that is not in the list at its end. */
void ready_put(struct ready *r, struct conn *c);

/* Takes out a connection that is in the list. */
void ready_remove(struct ready *r, struct conn *c);

/* The first one, or NULL; it stays in. */
struct conn *ready_first(const struct ready *r);

#endif
