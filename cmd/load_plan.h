/*
 * What a load is made over: pairs of a local address and a target, and how many local ports each of
 * them is used with: one for each connection, as far as the range goes, so that a port comes again
 * only after all others (see load_tuples.h).
 */
#ifndef TCPWAVE_CMD_LOAD_PLAN_H
#define TCPWAVE_CMD_LOAD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/load_options.h"
#include "lib/core/err.h"
#include "lib/core/flow.h"

struct load_pair {
    struct addr local, remote;
    uint16_t rport;
};

struct load_plan {
    bool v6;
    uint32_t mtu;       /* the smallest of all the ways */
    uint32_t scope;     /* interface index of link-local addresses, or 0 */
    char interface[16]; /* where all of it leaves; "" when there are several */
    struct load_pair *pair;
    uint32_t pairs;
    uint32_t concurrency; /* and never more than there are connections to make */
    uint32_t ports_min;   /* local ports that it cannot do without */
    uint32_t ports_max;   /* and those that it has a use for */
    uint32_t cap;         /* connections of each pair at a time, at most */
    uint32_t rate;        /* a second; 0: unlimited */
    bool polite;          /* the rate is that of public addresses, and not what was asked for */
};

/* Looks names and routes up. Needs no privilege. Errors with *d filled in: unknown names, no
 * route, families that do not fit together (WAVE_EINVAL), more at a time than there are flows. */
int load_plan(struct load_plan *p, const struct load_options *o, struct diag *d);

/* Of that, ports_min, ports_max and cap: from the pairs, the concurrency and the rate, where
 * `usable` ports may be taken. ports_min may be more than that. */
void load_plan_ports(struct load_plan *p, const struct load_options *o, uint32_t usable);

void load_plan_free(struct load_plan *p);

#endif
