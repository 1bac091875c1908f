/* Reads the header of each kind of tunnel. A reader leaves the cursor at what is inside, and
 * returns the EtherType of that. */
#include "lib/wire/tunnel.h"

#include <pcap/dlt.h>

#include "lib/core/cursor.h"
#include "lib/core/err.h"
#include "lib/core/ip.h"
#include "lib/wire/frame.h"

enum { PROTOCOL_IPV4 = 4, PROTOCOL_UDP = 17, PROTOCOL_IPV6 = 41, PROTOCOL_GRE = 47 };
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_ETHERNET = 0x6558 };
enum { PORT_VXLAN = 4789, PORT_VXLAN_LINUX = 8472 }; /* the latter is Linux's default */

#define GRE_CHECKSUM 0x8000
#define GRE_KEY 0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_ROUTING_OR_VERSION 0x4007 /* RFC 1701's routing; version 1 is PPTP's */
#define VXLAN_HAS_NUMBER 0x08000000

/* Reads GRE: flags and version, type, and what the flags say. */
static uint16_t gre(struct cursor *c)
{
    const uint16_t flags = cursor_u16(c), type = cursor_u16(c);

    if (flags & GRE_ROUTING_OR_VERSION)
        return 0;
    if (flags & GRE_CHECKSUM)
        cursor_bytes(c, 4);
    if (flags & GRE_KEY)
        cursor_bytes(c, 4);
    if (flags & GRE_SEQUENCE)
        cursor_bytes(c, 4);
    return type;
}

/* Reads UDP and VXLAN: ports, length, checksum; flags, network number. */
static uint16_t vxlan(struct cursor *c)
{
    cursor_bytes(c, 2);
    const uint16_t port = cursor_u16(c);

    if (port != PORT_VXLAN && port != PORT_VXLAN_LINUX)
        return 0;
    cursor_bytes(c, 4);
    const uint32_t flags = cursor_u32(c);
    cursor_bytes(c, 4);
    return flags & VXLAN_HAS_NUMBER ? TYPE_ETHERNET : 0;
}

/* Steps over the Ethernet header inside. */
static int ethernet(struct cursor *c)
{
    struct frame f;
    int error = frame_parse(DLT_EN10MB, c->at, c->left, &f);

    if (!error)
        cursor_bytes(c, f.offset);
    return error;
}

int tunnel_inside(const uint8_t *ip, size_t caplen, struct tunnel *out)
{
    struct ip_payload p;
    struct cursor c;
    enum tunnel_kind kind = TUNNEL_IP;
    uint16_t type = 0;
    int error = ip_payload(ip, caplen, &p);

    if (error || p.fragment)
        return error ? error : WAVE_ENOTOURS;
    c = cursor_of(p.at, p.there);
    if (p.protocol == PROTOCOL_IPV4 || p.protocol == PROTOCOL_IPV6) {
        type = p.protocol == PROTOCOL_IPV4 ? TYPE_IPV4 : TYPE_IPV6;
    } else if (p.protocol == PROTOCOL_GRE) {
        kind = TUNNEL_GRE;
        type = gre(&c);
    } else if (p.protocol == PROTOCOL_UDP) {
        kind = TUNNEL_VXLAN;
        type = vxlan(&c);
    }
    if (c.short_)
        return WAVE_ETRUNC;
    if (type == TYPE_ETHERNET)
        error = ethernet(&c);
    else if (type != TYPE_IPV4 && type != TYPE_IPV6)
        error = WAVE_ENOTOURS;
    if (error)
        return error;
    *out = (struct tunnel){kind, c.at, c.left};
    return 0;
}

const char *tunnel_name(enum tunnel_kind kind)
{
    static const char *const names[] = {"", "IP in IP", "GRE", "VXLAN"};

    return names[kind];
}
