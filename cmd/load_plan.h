/*
 * Plans the connections of a load: which pairs of a local address and a target they use, and how
 * many local ports with each pair. There is one port for each connection, as far as the range of
 * ports allows, so that a port is used again only after all others (see load_tuples.h).
 */
#ifndef TCPWAVE_CMD_LOAD_PLAN_H
#define TCPWAVE_CMD_LOAD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/load_options.h"
#include "cmd/resolve.h"
#include "lib/core/err.h"
#include "lib/core/flow.h"

/* Names one local address and one target. */
struct load_pair {
    struct addr local, remote;
    uint16_t rport;
};

/* Holds the plan of a run. */
struct load_plan {
    bool v6;
    uint32_t mtu;       /* in bytes: the smallest of all routes */
    uint32_t scope;     /* interface index of link-local addresses, or 0 */
    char interface[16]; /* through which all segments leave; "" if there are several */
    struct load_pair *pair;
    uint32_t pairs;
    uint32_t concurrency; /* at most the number of connections to make */
    uint32_t ports_min;   /* local ports of each pair without which the run cannot begin */
    uint32_t ports_max;   /* local ports of each pair that the run can use */
    uint32_t cap;         /* connections of each pair at a time, at most */
    uint32_t rate;        /* connections a second; 0: unlimited */
    uint16_t *avoid; /* ports of targets on this host, which are no local ports of ours */
    uint32_t avoids;
    uint32_t others;       /* addresses of the only target's name beside the one that is taken, */
    char other[ADDR_TEXT]; /* and the first of them */
    bool polite; /* `rate` is the limit for public addresses, lower than what was asked for */
};

/*
 * Makes the plan: resolves names, and looks up routes. Needs no privilege. Returns 0, and
 * load_plan_free() frees *p, or an error with *d filled in: that of resolve_all() or of
 * route_find(); WAVE_EINVAL if families do not fit together, if a target is given twice or if there
 * are too few ports for --concurrency; or WAVE_ENOMEM.
 */
int load_plan(struct load_plan *p, const struct load_options *o, struct resolve *names,
              struct diag *d);

/* Computes ports_min, ports_max and cap from the pairs, the concurrency and the rate, when `usable`
 * ports are available. ports_min may be more than `usable`. */
void load_plan_ports(struct load_plan *p, const struct load_options *o, uint32_t usable);

/* Frees the pairs. */
void load_plan_free(struct load_plan *p);

#endif
