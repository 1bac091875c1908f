/* The port that leads to the kernel: libnet and libpcap, as lib/wire has them. */
#ifndef TCPWAVE_RUN_PORT_WIRE_H
#define TCPWAVE_RUN_PORT_WIRE_H

#include "lib/run/port.h"

/* Opens the wire behind it, and drops the privileges, as wire_open() does; its errors. */
int port_wire_open(struct port **out, const struct wire_config *config, struct diag *d);

/* The local port number `i` of those that wire_config.scattered asked for. */
uint16_t port_wire_port(const struct port *p, uint32_t i);

/* How many of them there are. */
uint32_t port_wire_ports(const struct port *p);

/* As wire_window(): bytes of receive window that its capture can keep. */
uint32_t port_wire_window(const struct port *p, uint32_t mss);

#endif
