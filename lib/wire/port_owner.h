/*
 * Which socket holds a local port. The kernel is asked over SOCK_DIAG, which needs no privilege.
 */
#ifndef TCPWAVE_WIRE_PORT_OWNER_H
#define TCPWAVE_WIRE_PORT_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/flow.h"

/* Names the kinds of sockets, from the one least in the way to the one most in the way. */
enum port_owner_kind {
    PORT_OWNER_UNKNOWN, /* none found: it is bound without listening, or it is gone now */
    PORT_OWNER_TIME_WAIT,
    PORT_OWNER_BOUND, /* bound, neither listening nor connected (reported since Linux 6.8) */
    PORT_OWNER_CONNECTION,
    PORT_OWNER_LISTENER
};

/* Describes the socket that was found. */
struct port_owner {
    enum port_owner_kind kind;
    uint32_t uid;     /* user of the socket; with PORT_OWNER_TIME_WAIT it is 0, the kernel's own */
    bool same_flow;   /* one of the sockets has exactly the four-tuple that was asked about */
    struct flow
        flow; /* of the socket, with PORT_OWNER_CONNECTION and PORT_OWNER_TIME_WAIT */
};

/*
 * Finds the socket that prevents a bind to flow->local (all zero: any address) and flow->lport.
 * When there are several, it reports the one that is most in the way. flow->remote and rport matter
 * only for `same_flow`. When the kernel does not answer, the result is PORT_OWNER_UNKNOWN.
 */
void port_owner_find(const struct flow *flow, struct port_owner *out);

#define PORT_OWNER_TEXT 160
/* Describes the socket in words: "a listening socket of user 33", "a connection to 192.0.2.1:80
 * ...". Returns `text`. */
const char *port_owner_text(const struct port_owner *h, char text[PORT_OWNER_TEXT]);

#endif
