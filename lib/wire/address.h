/*
 * struct addr to and from what the system's calls take.
 */
#ifndef TCPWAVE_WIRE_ADDRESS_H
#define TCPWAVE_WIRE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/core/flow.h"

/* Fills in *out, whole, and returns the length of what is valid in it. `scope` is the interface
 * index of a link-local address, 0 otherwise; IPv4 does not look at it. */
socklen_t address_socket(bool v6, const struct addr *a, uint16_t port, uint32_t scope,
                         struct sockaddr_storage *out);

/* Bytes of an address of that family on the wire. */
static inline size_t address_size(bool v6)
{
    return v6 ? 16 : 4;
}

/* fe80::/10 (RFC 4291, 2.5.6): means nothing without an interface. */
static inline bool address_link_local(bool v6, const struct addr *a)
{
    return v6 && a->byte[0] == 0xfe && (a->byte[1] & 0xc0) == 0x80;
}

/* 127.0.0.0/8 (RFC 1122, 3.2.1.3) or ::1 (RFC 4291, 2.5.3). */
bool address_loopback(bool v6, const struct addr *a);

#endif
