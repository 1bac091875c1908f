/*
 * Converts struct addr to what the system's calls take, and recognises special addresses.
 */
#ifndef TCPWAVE_WIRE_ADDRESS_H
#define TCPWAVE_WIRE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/core/flow.h"

/* Fills in all of *out, and returns how many bytes of it are valid. `scope` is the interface index
 * of a link-local address, and 0 otherwise; it has no meaning for IPv4. */
socklen_t address_socket(bool v6, const struct addr *a, uint16_t port, uint32_t scope,
                         struct sockaddr_storage *out);

/* Returns the bytes that an address of the family takes in a packet. */
static inline size_t address_size(bool v6)
{
    return v6 ? 16 : 4;
}

/* Returns whether the address is in fe80::/10 (RFC 4291, 2.5.6). Such an address means nothing
 * without an interface. */
static inline bool address_link_local(bool v6, const struct addr *a)
{
    return v6 && a->byte[0] == 0xfe && (a->byte[1] & 0xc0) == 0x80;
}

/* Returns whether the address is in 127.0.0.0/8 (RFC 1122, 3.2.1.3) or is ::1 (RFC 4291, 2.5.3). */
bool address_loopback(bool v6, const struct addr *a);

#endif
