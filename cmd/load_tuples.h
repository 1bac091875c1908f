/*
 * Chooses the local port of a load's next connection. A tuple is one pair of local address and
 * target with one local port, and so one flow. The pairs take turns, and so do the ports of each
 * pair: no port is used again before all others of its pair have been used.
 *
 * Whether a port can be used again depends on the peer. The side that closes first keeps its end of
 * the connection in TIME_WAIT for two maximum segment lifetimes (RFC 9293, 3.6.1). To accept a SYN
 * for a new connection before they are over is only a MAY (RFC 9293, 3.6.1, MAY-2), and some stacks
 * answer with RST. So ports whose last connection the peer may still have in TIME_WAIT come after
 * all others, and among them the one that has waited longest comes first; if such a port is
 * refused, load tries another one. When every port is in this condition they are used nevertheless:
 * most peers accept the SYN, since its sequence number and timestamp lie beyond the old ones, and
 * to wait for the others would take up to four minutes.
 */
#ifndef TCPWAVE_CMD_LOAD_TUPLES_H
#define TCPWAVE_CMD_LOAD_TUPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/time.h"

#define LOAD_TIME_WAIT (240 * WAVE_S) /* 2 MSL, with an MSL of two minutes (RFC 9293, 3.4.2) */

/* Lists tuples that have been used, those of the longest ago first. */
struct load_tuple_list {
    uint32_t first, last; /* 1 + tuple, or 0 */
};

/* Holds all tuples of a run: `pairs` times `ports` of them. */
struct load_tuples {
    uint32_t pairs, ports; /* `ports` is the number of each pair */
    uint32_t cap;          /* tuples of each pair in use at a time, at most; <= `ports` */
    uint32_t able;         /* pairs that have fewer than `cap` in use */
    uint32_t turn;         /* the pair that comes next */
    struct load_tuples_of_pair {
        uint32_t in_use;
        uint32_t fresh;        /* ports below this one have been used */
        struct load_tuple_list clean;     /* the peer no longer has their last connection */
        struct load_tuple_list time_wait; /* the peer may still have it */
    } * pair;
    struct {
        uint32_t next;  /* in its list: 1 + tuple, or 0 */
        uint32_t since; /* when its last connection ended, in milliseconds */
    } * at;
};

/* Allocates the tuples of `pairs` pairs with `ports` ports each. Returns 0, and load_tuples_free()
 * frees them, or WAVE_ENOMEM. */
int load_tuples_init(struct load_tuples *p, uint32_t pairs, uint32_t ports, uint32_t cap);

/* Frees the tuples. */
void load_tuples_free(struct load_tuples *p);

/* Returns whether any pair can take another connection. */
static inline bool load_tuples_any(const struct load_tuples *p)
{
    return p->able > 0;
}

/* Returns the pair whose turn it is, of those that can take a connection. There must be one. */
uint32_t load_tuples_next_pair(struct load_tuples *p);

/* Takes the next tuple of this pair, which must have fewer than `cap` in use. *time_wait is whether
 * the peer may still have an earlier connection over it. */
uint32_t load_tuples_take(struct load_tuples *p, uint32_t pair, wave_time now, bool *time_wait);

/* Gives a tuple back. `held`: the peer may still have its connection. */
void load_tuples_give(struct load_tuples *p, uint32_t tuple, wave_time now, bool held);

/* Return the pair of a tuple, and the index of its local port. */
static inline uint32_t load_tuple_pair(const struct load_tuples *p, uint32_t tuple)
{
    return tuple % p->pairs;
}

static inline uint32_t load_tuple_port(const struct load_tuples *p, uint32_t tuple)
{
    return tuple / p->pairs;
}

#endif
