/* The port that leads to the kernel: libnet and libpcap, as lib/wire has them. */
#ifndef TCPWAVE_RUN_PORT_WIRE_H
#define TCPWAVE_RUN_PORT_WIRE_H

#include "lib/run/port.h"

/* Opens the wire behind it, and drops the privileges, as wire_open() does; its errors. */
int port_wire_open(struct port **out, const struct wire_config *config, struct diag *d);

#endif
