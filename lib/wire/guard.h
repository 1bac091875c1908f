/*
 * The guard: what keeps this host's own kernel, which knows nothing of our connections, from
 * answering their segments with RST. A listening socket on our address and port that
 * swallows everything it is given. It reserves the port as well, and goes with the process,
 * however that ends: no firewall rule, nothing to clean up.
 */
#ifndef TCPWAVE_WIRE_GUARD_H
#define TCPWAVE_WIRE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"

/* In the order in which they are tried. */
enum {
    GUARD_FILTER = 1 << 0, /* a socket filter that takes nothing; CAP_NET_ADMIN on some kernels */
    GUARD_MD5 = 1 << 1     /* a TCP-MD5 key (RFC 2385) that no peer has; Linux 4.17 */
};

struct guard {
    int fd;        /* -1: none */
    unsigned kind; /* GUARD_..., or 0 when the port is only reserved */
};

struct guard_query {
    struct flow flow;  /* local and lport (0: the kernel's choice); remote and rport may be zero */
    uint32_t scope;    /* interface index of a link-local local address, else 0 */
    bool reserve_only; /* hold the port and let the kernel answer as it likes */
    unsigned kinds;    /* GUARD_... to try; 0: all */
    bool skip_owner;   /* of a held port it need not be said who holds it: asking takes long */
};

/*
 * Sets it up before the port begins to listen, so that no segment slips in between. `*port` is
 * the port held. Errors with *d filled in: WAVE_EINUSE (by what kind of thing), WAVE_EPERM (a
 * port that needs a privilege; no guard for want of one), WAVE_ENOROUTE (the address is not ours),
 * WAVE_ESYS (says what was tried).
 */
int guard_open(struct guard *out, const struct guard_query *q, uint16_t *port, struct diag *d);

/*
 * The same for `count` consecutive ports, of which `*port` is the first: all, or none. With lport 0
 * the kernel chooses a single one; of several the first is a random one from the same range, and
 * another one when a neighbour is taken or reserved (see local_ports.h).
 */
int guard_open_range(struct guard *out, uint16_t count, const struct guard_query *q, uint16_t *port,
                     struct diag *d);

/* Lets the port go. A guard that is none is taken. */
void guard_close(struct guard *g);

/* "socket filter", "TCP-MD5 key" or "none". */
const char *guard_name(unsigned kind);

#endif
