/* The list of connections that have something to send, served in the order in which they came. It
 * is linked through their hooks, so that no operation has to search. */
#ifndef TCPWAVE_CORE_READY_H
#define TCPWAVE_CORE_READY_H

#include "lib/core/pool.h"

/* The list. */
struct ready {
    const struct pool *pool;
    uint32_t first, last; /* 1 + index, or 0 */
};

/* Makes an empty list of connections of `pool`. */
void ready_init(struct ready *r, const struct pool *pool);

/* Appends a connection that is not in the list. */
void ready_put(struct ready *r, struct conn *c);

/* Removes a connection that is in the list. */
void ready_remove(struct ready *r, struct conn *c);

/* Returns the first connection, or NULL, and leaves it in the list. */
struct conn *ready_first(const struct ready *r);

#endif
