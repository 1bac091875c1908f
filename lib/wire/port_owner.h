/*
 * Who holds a local port: asked from the kernel over SOCK_DIAG, which needs no privilege.
 */
#ifndef TCPWAVE_WIRE_PORT_OWNER_H
#define TCPWAVE_WIRE_PORT_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/flow.h"

/* From the least to the most in the way. */
enum port_owner_kind {
    PORT_OWNER_UNKNOWN, /* nothing found: bound without listening, or gone since */
    PORT_OWNER_TIME_WAIT,
    PORT_OWNER_BOUND, /* bound, neither listening nor connected (told by Linux 6.8 and later) */
    PORT_OWNER_CONNECTION,
    PORT_OWNER_LISTENER
};

struct port_owner {
    enum port_owner_kind kind;
    uint32_t uid;   /* of whoever made the socket; with PORT_OWNER_TIME_WAIT 0, the kernel's own */
    bool same_flow; /* one of them has the very four-tuple that was asked about */
    struct flow
        flow; /* with PORT_OWNER_CONNECTION and PORT_OWNER_TIME_WAIT: that of the one found */
};

/*
 * What stands in the way of binding flow->local (all zero: any address) and flow->lport: the most
 * obstructive of all that is found. flow->remote and rport are what `same_flow` is about. When the
 * kernel does not tell, the answer is PORT_OWNER_UNKNOWN.
 */
void port_owner_find(const struct flow *flow, struct port_owner *out);

#define PORT_OWNER_TEXT 160
/* "a listening socket of user 33", "a connection to 192.0.2.1:80 ...", ... Returns `text`. */
const char *port_owner_text(const struct port_owner *h, char text[PORT_OWNER_TEXT]);

#endif
