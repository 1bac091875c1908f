/*
 * Guards for many local ports, one for each port. Ports that another process holds are skipped.
 */
#ifndef TCPWAVE_WIRE_GUARDS_H
#define TCPWAVE_WIRE_GUARDS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/time.h"
#include "lib/wire/guard.h"
#include "lib/wire/local_ports.h"

struct guards;

/* Says how many ports to guard. */
struct guards_wanted {
    uint32_t min; /* ports, 1 or more; fewer are an error */
    uint32_t max;
    wave_time until; /* a time of wire_now(): after it, stop when there are `min`. 0: no limit */
    const uint16_t *avoid; /* ports that are kept clear of: those of targets on this host, in whose
                              place a guard would stand */
    uint32_t avoids;
};

/*
 * Guards as many ports as are wanted, from q->flow.lport on. Where that is 0, it uses the ports
 * that the kernel would choose from, beginning with a random one and going round the range.
 * Reserved ports are left alone (local_ports.h). Each guard takes a descriptor, so the process's
 * limit is raised as far as it may be, and there are never more guards than it allows. Returns 0 or
 * an error of guard_open(). In addition: WAVE_EINUSE when fewer than `min` ports are free, and
 * WAVE_ESYS when the limit of descriptors is too low for them; in both cases *d says how many there
 * are.
 */
int guards_open(struct guards **out, const struct guards_wanted *wanted,
                const struct guard_query *q, struct diag *d);

/* Closes all guards; `g` may be NULL. */
void guards_close(struct guards *g);

/* Returns the number of guarded ports. */
uint32_t guards_count(const struct guards *g);

/* Returns port number `i`, from 0, in the order in which they were taken. */
uint16_t guards_port(const struct guards *g, uint32_t i);

/* Return the lowest and the highest of the ports. */
uint16_t guards_lowest(const struct guards *g);
uint16_t guards_highest(const struct guards *g);

/* Returns whether the port is guarded here. */
bool guards_hold(const struct guards *g, uint16_t port);

/* Does what guard_reached() does for all of them, but only until *n is not 0: to ask each of many
 * takes long. */
bool guards_reached(const struct guards *g, uint64_t *n);

/* Returns the method in force: one of GUARD_... in guard.h. */
unsigned guards_kind(const struct guards *g);

#endif
