/* The port that leads to the kernel, through libnet and libpcap (lib/wire). */
#ifndef TCPWAVE_RUN_PORT_WIRE_H
#define TCPWAVE_RUN_PORT_WIRE_H

#include "lib/run/port.h"

/* Opens the wire and drops the privileges, as wire_open() does, with the same errors. */
int port_wire_open(struct port **out, const struct wire_config *config, struct diag *d);

#endif
