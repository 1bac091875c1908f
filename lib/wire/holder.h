/*
 * Who holds a local port: asked from the kernel over SOCK_DIAG, which needs no privilege.
 */
#ifndef TCPWAVE_WIRE_HOLDER_H
#define TCPWAVE_WIRE_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/flow.h"

/* From the least to the most in the way. */
enum holder_kind {
    HOLDER_UNKNOWN, /* nothing found: bound without listening, or gone since */
    HOLDER_TIME_WAIT,
    HOLDER_BOUND, /* bound, neither listening nor connected (told by Linux 6.8 and later) */
    HOLDER_CONNECTION,
    HOLDER_LISTENER
};

struct holder {
    enum holder_kind kind;
    uint32_t uid;     /* of whoever made the socket; with HOLDER_TIME_WAIT 0, the kernel's own */
    bool same_flow;   /* one of them has the very four-tuple that was asked about */
    struct flow flow; /* with HOLDER_CONNECTION and HOLDER_TIME_WAIT: that of the one found */
};

/*
 * What stands in the way of binding flow->local (all zero: any address) and flow->lport: the most
 * obstructive of all that is found. flow->remote and rport are what `same_flow` is about. When the
 * kernel does not tell, the answer is HOLDER_UNKNOWN.
 */
void holder_find(const struct flow *flow, struct holder *out);

#define HOLDER_TEXT 160
/* "a listening socket of user 33", "a connection to 192.0.2.1:80 ...", ... Returns `text`. */
const char *holder_text(const struct holder *h, char text[HOLDER_TEXT]);

#endif
