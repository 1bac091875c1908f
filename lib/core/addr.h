/* Addresses as text, in the form in which people write them. */
#ifndef TCPWAVE_CORE_ADDR_H
#define TCPWAVE_CORE_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/flow.h"

#define ADDR_TEXT 48 /* an IPv6 address in full, and the NUL */
/* The same with brackets, a colon and a port of five digits. */
#define ADDR_PORT_TEXT 56

#define MAC_BYTES 6 /* of an address of the link layer */
#define MAC_TEXT 18
#define ETHERNET_HEADER (2 * MAC_BYTES + 2) /* two addresses and a type (IEEE 802.3, 3.1.1) */

/* Writes the address to `text` and returns it: "192.0.2.1" or "2001:db8::1" (RFC 5952). */
const char *addr_text(bool v6, const struct addr *addr, char text[ADDR_TEXT]);

/* Writes address and port to `text` and returns it: "192.0.2.1:80" or "[2001:db8::1]:80". */
const char *addr_port_text(bool v6, const struct addr *addr, uint16_t port,
                           char text[ADDR_PORT_TEXT]);

/* Writes the address to `text` and returns it: "02:00:00:00:09:01". */
const char *mac_text(const uint8_t mac[MAC_BYTES], char text[MAC_TEXT]);

#endif
