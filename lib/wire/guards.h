/*
 * Guards in bulk: one for each of many local ports, wherever free ones are found. A port that
 * somebody holds is passed over.
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

struct guards_wanted {
    uint32_t min; /* ports, 1 or more: without them it is an error */
    uint32_t max;
    wave_time until; /* on wire_now()'s clock: having those, open no more then. 0: take the time */
};

/*
 * Guards as many ports as are wanted: from q->flow.lport on; or, where that is 0, those that the
 * kernel would choose from, beginning with a random one and going round. Reserved ports are left
 * alone (see local_ports.h). Each takes a descriptor, so the process's limit is raised as far as it
 * may be, and there are no more of them than it allows. Errors as guard_open(), and WAVE_EINUSE
 * when fewer than `min` ports are free, WAVE_ESYS when the limit of descriptors is too low for them
 * (both say how many there are).
 */
int guards_open(struct guards **out, const struct guards_wanted *wanted,
                const struct guard_query *q, struct diag *d);

/* NULL is taken. */
void guards_close(struct guards *g);

uint32_t guards_count(const struct guards *g);

/* The ports, `i` counted from 0, in the order in which they were taken. */
uint16_t guards_port(const struct guards *g, uint32_t i);

/* The lowest and the highest of them. */
uint16_t guards_lowest(const struct guards *g);
uint16_t guards_highest(const struct guards *g);

/* Whether this one is among them. */
bool guards_hold(const struct guards *g, uint16_t port);

/* GUARD_... in force. */
unsigned guards_kind(const struct guards *g);

#endif
