/*
 * Guards in bulk: one for each of many local ports, wherever free ones are found. A port that
 * somebody holds is passed over.
 */
#ifndef TCPWAVE_WIRE_GUARDS_H
#define TCPWAVE_WIRE_GUARDS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/wire/guard.h"

#define GUARDS_FIRST 1024 /* lower ports are never taken unasked */
#define GUARDS_MOST (UINT16_MAX - GUARDS_FIRST + 1)

struct guards;

/*
 * Guards `count` ports (1 to GUARDS_MOST) in ascending order, from q->flow.lport on; or, where that
 * is 0, from a random one of those that the kernel would choose from, and, should they not do, from
 * GUARDS_FIRST on. Each takes a descriptor, so the process's limit is raised as far as it may be.
 * Errors as guard_open(), and WAVE_EINUSE when fewer ports are free, WAVE_ESYS when the limit of
 * descriptors is too low (both say how many there are).
 */
int guards_open(struct guards **out, uint32_t count, const struct guard_query *q, struct diag *d);

/* NULL is taken. */
void guards_close(struct guards *g);

/* The ports, `i` counted from 0; ascending. */
uint16_t guards_port(const struct guards *g, uint32_t i);

/* Whether this one is among them. */
bool guards_hold(const struct guards *g, uint16_t port);

/* GUARD_... in force. */
unsigned guards_kind(const struct guards *g);

#endif
