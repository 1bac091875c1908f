/*
 * The guard keeps this host's own kernel, which does not know our connections, from answering their
 * segments with RST. It is a listening socket on our address and port that drops all it is given.
 * It also reserves the port. It disappears with the process, however the process ends: there is no
 * firewall rule, and nothing to clean up.
 */
#ifndef TCPWAVE_WIRE_GUARD_H
#define TCPWAVE_WIRE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"

/* Names the methods, in the order in which they are tried. */
enum {
    GUARD_FILTER = 1 << 0, /* a socket filter that drops all; CAP_NET_ADMIN on some kernels */
    GUARD_MD5 = 1 << 1     /* a TCP-MD5 key (RFC 2385) that no peer has; Linux 4.17 */
};

/* Holds a guarded port. */
struct guard {
    int fd;        /* -1: none */
    unsigned kind; /* GUARD_..., or 0 when the port is only reserved */
};

/* Says what to guard, and how. */
struct guard_query {
    struct flow flow;  /* local and lport (0: the kernel's choice); remote and rport may be zero */
    uint32_t scope;    /* interface index of a link-local local address, else 0 */
    bool reserve_only; /* hold the port, but let the kernel answer */
    unsigned kinds;    /* GUARD_... to try; 0: all */
    uint16_t avoid;    /* where a run of ports is chosen: one that is no part of it; 0: none */
    bool skip_owner;   /* do not say which socket holds a port: to find out takes long */
};

/*
 * Opens a guard. It is in force before the port begins to listen, so that no segment gets through
 * in between. *port is the port that is held. Returns 0, or with *d filled in: WAVE_EINUSE (*d says
 * by which kind of socket); WAVE_EPERM (a port that needs a privilege, or a guard that does);
 * WAVE_ENOROUTE (the address is not ours); WAVE_ESYS (*d says what was tried).
 */
int guard_open(struct guard *out, const struct guard_query *q, uint16_t *port, struct diag *d);

/*
 * Guards `count` consecutive ports, of which *port is the first: all of them, or none. With lport 0
 * the kernel chooses when it is a single port. For several ports, the first is a random one from
 * the same range, and another one when a neighbour is taken or reserved (local_ports.h). Errors as
 * guard_open().
 */
int guard_open_range(struct guard *out, uint16_t count, const struct guard_query *q, uint16_t *port,
                     struct diag *d);

/*
 * How many segments came as far as this host's TCP on that port, and were swallowed there: adds
 * them to *n. False when the kernel does not tell. What the capture has seen and this has not was
 * stopped on the way up: by a rule of this host's firewall, its address translation or its routing.
 */
bool guard_reached(const struct guard *g, uint64_t *n);

/* Releases the port. A guard with fd -1 is allowed. */
void guard_close(struct guard *g);

/* Returns the name of the method: "socket filter", "TCP-MD5 key" or "none". */
const char *guard_name(unsigned kind);

#endif
