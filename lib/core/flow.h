/*
 * A flow: both ends of a connection as this host sees it (RFC 9293, 3.3.1: a connection is
 * identified by a pair of sockets).
 */
#ifndef TCPWAVE_CORE_FLOW_H
#define TCPWAVE_CORE_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* An address without its family, in network order: four bytes and twelve zeros for IPv4, sixteen
 * bytes for IPv6. */
struct addr {
    uint8_t byte[16];
};

/* Ports are in host order, and `v6` is the family of both addresses. All padding is zero, so that
 * two flows are equal when memcmp() says so. */
struct flow {
    struct addr local, remote;
    uint16_t lport, rport;
    uint8_t v6;
    uint8_t zero[3];
};

_Static_assert(sizeof(struct flow) == 40, "a flow has no hidden padding");

/* Returns the IPv4 address a.b.c.d. */
static inline struct addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct addr){{a, b, c, d}};
}

/* Return whether both are the same. */
static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static inline bool flow_eq(const struct flow *a, const struct flow *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Returns the same connection as the other end sees it. */
static inline struct flow flow_reverse(const struct flow *f)
{
    return (struct flow){
        .local = f->remote, .remote = f->local, .lport = f->rport, .rport = f->lport, .v6 = f->v6};
}

/* The bytes of a flow that differ between flows, for a hash: FLOW_PACKED_V4 of them over IPv4,
 * where three quarters of the addresses are zeros, and FLOW_PACKED_V6 over IPv6. The ports are the
 * last of them. */
enum { FLOW_PACKED_PORTS = 4, FLOW_PACKED_V4 = 12, FLOW_PACKED_V6 = 36 };

/* Writes them. Returns how many they are. */
static inline uint32_t flow_pack(const struct flow *f, uint8_t out[FLOW_PACKED_V6])
{
    const uint32_t width = f->v6 ? 16 : 4;

    memcpy(out, f->local.byte, width);
    memcpy(out + width, f->remote.byte, width);
    memcpy(out + 2 * width, &f->lport, sizeof f->lport);
    memcpy(out + 2 * width + 2, &f->rport, sizeof f->rport);
    return 2 * width + FLOW_PACKED_PORTS;
}

#endif
