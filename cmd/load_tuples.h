/*
 * Which local port the next connection of a load takes. A place is one pair of local address and
 * target with one local port, and so one flow. The pairs take turns, and so do the ports of each
 * pair: no port is used again before all others of its pair have been.
 *
 * A port that has been used before is a question to the peer. A side that has closed first keeps
 * its end of the connection in TIME_WAIT for two segment lifetimes (RFC 9293, 3.6.1); to take a SYN
 * for a new connection before they are over is only a MAY (RFC 9293, 3.6.1, MAY-2), and some stacks
 * answer RST. So the ports whose connection the peer may still hold rest behind those where it does
 * not, the one that has rested longest is taken first, and load tries another port where such a one
 * is refused. When every port rests they are used all the same: most peers take the SYN, whose
 * sequence number and timestamp lie beyond the old ones, and the others would have to be waited for
 * for up to four minutes.
 */
#ifndef TCPWAVE_CMD_LOAD_TUPLES_H
#define TCPWAVE_CMD_LOAD_TUPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/time.h"

#define LOAD_TIME_WAIT (240 * WAVE_S) /* two segment lifetimes of two minutes (RFC 9293, 3.4.2) */

/* Of ports that were used, the longest ago first. */
struct load_tuple_list {
    uint32_t first, last; /* 1 + place, or 0 */
};

struct load_tuples {
    uint32_t pairs, ports; /* ports of each pair */
    uint32_t cap;          /* of each pair in use at a time, at most; no more than `ports` */
    uint32_t able;         /* pairs that have fewer in use */
    uint32_t turn;         /* the pair that comes next */
    struct load_tuples_of_pair {
        uint32_t in_use;
        uint32_t fresh;        /* ports below this one have been used */
        struct load_tuple_list clean;     /* the peer is done with their connection */
        struct load_tuple_list time_wait; /* the peer may still hold it */
    } * pair;
    struct {
        uint32_t next;  /* in its row: 1 + place, or 0 */
        uint32_t since; /* when its connection ended, in milliseconds */
    } * at;
};

/* WAVE_ENOMEM. */
int load_tuples_init(struct load_tuples *p, uint32_t pairs, uint32_t ports, uint32_t cap);

void load_tuples_free(struct load_tuples *p);

/* Whether a connection can be opened. */
static inline bool load_tuples_any(const struct load_tuples *p)
{
    return p->able > 0;
}

/* The pair whose turn it is, of those that can take a connection. */
uint32_t load_tuples_next_pair(struct load_tuples *p);

/* Takes the next place of this pair, which must be able to. *rests tells whether the peer may still
 * hold an earlier connection there. */
uint32_t load_tuples_take(struct load_tuples *p, uint32_t pair, wave_time now, bool *time_wait);

/* Gives it back; `held`: the peer may still hold its connection. */
void load_tuples_give(struct load_tuples *p, uint32_t tuple, wave_time now, bool held);

static inline uint32_t load_tuple_pair(const struct load_tuples *p, uint32_t tuple)
{
    return tuple % p->pairs;
}

static inline uint32_t load_tuple_port(const struct load_tuples *p, uint32_t tuple)
{
    return tuple / p->pairs;
}

#endif
