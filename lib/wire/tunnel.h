/*
 * Finds the IP packet inside a tunnel's packet, one level deep: IP in IP (RFC 2003, RFC 4213), GRE
 * (RFC 2784, RFC 2890) with IP or Ethernet in it, and VXLAN (RFC 7348). This file is pure, and
 * reads strangers' bytes through struct cursor.
 */
#ifndef TCPWAVE_WIRE_TUNNEL_H
#define TCPWAVE_WIRE_TUNNEL_H

#include <stddef.h>
#include <stdint.h>

enum tunnel_kind { TUNNEL_NONE, TUNNEL_IP, TUNNEL_GRE, TUNNEL_VXLAN };

/* The packet inside. */
struct tunnel {
    enum tunnel_kind kind;
    const uint8_t *ip; /* points into the packet around it */
    size_t caplen;     /* bytes of it that are present */
};

/* Looks into an IP packet of which `caplen` bytes are present. Returns 0 and *out; WAVE_ENOTOURS
 * when it is no tunnel's, or a fragment; WAVE_ETRUNC when the capture ends within the tunnel's
 * header. */
int tunnel_inside(const uint8_t *ip, size_t caplen, struct tunnel *out);

/* Returns "IP in IP", "GRE", "VXLAN", or "". */
const char *tunnel_name(enum tunnel_kind kind);

#endif
