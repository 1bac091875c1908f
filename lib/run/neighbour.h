/*
 * A next hop that does not answer: when it may be said, and the words for it. Every command says
 * the same.
 */
#ifndef TCPWAVE_RUN_NEIGHBOUR_H
#define TCPWAVE_RUN_NEIGHBOUR_H

#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/core/time.h"
#include "lib/run/port.h"

#define NEIGHBOUR_AFTER (3200 * WAVE_MS) /* ARP and neighbour discovery give up after 3 seconds */

/* Fills in *d for a neighbour of the port's that is silent, whose address in words is `text`.
 * Returns WAVE_ENOROUTE. */
static inline int neighbour_silent(struct diag *d, const struct port *port, bool v6, bool gateway,
                                   const char text[ADDR_TEXT])
{
    return diag_fail(d, WAVE_ENOROUTE,
                     gateway
                         ? "the gateway %s does not answer %s on %s, so that nothing can be sent"
                         : "no host has the address %s: %s on %s has no answer",
                     text, v6 ? "neighbour discovery" : "ARP", port->info->interface);
}

#endif
