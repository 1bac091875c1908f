#include "lib/core/ip.h"

#include <string.h>

#include "lib/core/cursor.h"
#include "lib/core/err.h"

enum {
    PROTOCOL_HOP_BY_HOP = 0,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_ROUTING = 43,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_ICMPV6 = 58,
    PROTOCOL_DESTINATION = 60
};

/* What an IP header of either family says, all its options and extension headers read. */
struct head {
    struct flow flow; /* ports 0 */
    uint8_t ttl, tos, protocol;
    bool df;
    bool later_fragment; /* its offset is not 0: no TCP header is in it */
    bool fragment;       /* it is not the whole packet */
    uint16_t id;
    uint32_t flow_label;
    size_t length; /* of the packet; 0 when the header leaves it open */
};

/* Notes the fragment fields, which both families have in one word each. */
static void note_fragment(struct head *h, unsigned offset, bool more)
{
    /* Offset 0 and no more to come is the whole packet: an atomic fragment (RFC 6946). */
    h->later_fragment = offset != 0;
    h->fragment = h->later_fragment || more;
}

/* Reads an IPv4 header (RFC 791, 3.1) and leaves `c` behind its options. Its checksum is not
 * looked at: who sent it may have left it to hardware that comes after the capture. */
static int head_v4(struct cursor *c, struct head *h)
{
    const uint8_t *local, *remote;
    unsigned ihl, fragment;

    ihl = cursor_u8(c) & 15u;
    h->tos = cursor_u8(c);
    h->length = cursor_u16(c);
    h->id = cursor_u16(c);
    fragment = cursor_u16(c);
    h->ttl = cursor_u8(c);
    h->protocol = cursor_u8(c);
    cursor_u16(c);
    local = cursor_bytes(c, 4);
    remote = cursor_bytes(c, 4);
    if (c->short_)
        return WAVE_ETRUNC;
    if (ihl < 5 || (h->length && h->length < ihl * 4))
        return WAVE_EMALFORMED;
    h->df = fragment & 0x4000;
    note_fragment(h, fragment & 0x1fff, fragment & 0x2000);
    memcpy(h->flow.local.byte, local, 4);
    memcpy(h->flow.remote.byte, remote, 4);
    return cursor_bytes(c, (ihl - 5) * 4) ? 0 : WAVE_ETRUNC;
}

/* Steps over the extension headers of RFC 8200, section 4, as far as they may stand before TCP.
 * Each takes eight bytes or more, so that the packet's end bounds the loop. */
static int step_over_extensions(struct cursor *c, struct head *h)
{
    for (;;) {
        const uint8_t kind = h->protocol;
        uint8_t next, size, detail[2];

        if (kind != PROTOCOL_HOP_BY_HOP && kind != PROTOCOL_ROUTING &&
            kind != PROTOCOL_DESTINATION && kind != PROTOCOL_FRAGMENT)
            return 0;
        next = cursor_u8(c);
        size = cursor_u8(c);
        detail[0] = cursor_u8(c);
        detail[1] = cursor_u8(c);
        if (kind == PROTOCOL_FRAGMENT) {
            const unsigned field = (unsigned)detail[0] << 8 | detail[1];

            size = 0; /* that byte is reserved in this header */
            note_fragment(h, field >> 3, field & 1);
        }
        cursor_bytes(c, 4 + size * 8u);
        if (c->short_)
            return WAVE_ETRUNC;
        /* With segments left to visit, the destination is not the one that TCP's checksum and
         * flow are about (RFC 8200, 8.1). */
        if (kind == PROTOCOL_ROUTING && detail[1] != 0)
            return WAVE_ENOTOURS;
        h->protocol = next;
        /* What follows in a later fragment is the middle of something. */
        if (h->later_fragment)
            return 0;
    }
}

/* Reads an IPv6 header (RFC 8200, section 3) with its extension headers. */
static int head_v6(struct cursor *c, struct head *h)
{
    const uint32_t first = cursor_u32(c);
    const uint8_t *local, *remote;
    size_t payload;

    payload = cursor_u16(c);
    h->protocol = cursor_u8(c);
    h->ttl = cursor_u8(c);
    local = cursor_bytes(c, 16);
    remote = cursor_bytes(c, 16);
    if (c->short_)
        return WAVE_ETRUNC;
    h->tos = first >> 20 & 0xff;
    h->flow_label = first & 0xfffff;
    h->length = payload ? payload + 40 : 0;
    h->df = true;
    h->flow.v6 = 1;
    memcpy(h->flow.local.byte, local, 16);
    memcpy(h->flow.remote.byte, remote, 16);
    /* Nothing behind the packet's own end may be taken for one of its headers. */
    if (payload && payload < c->left)
        c->left = payload;
    return step_over_extensions(c, h);
}

/* Reads the header of a packet whose first bytes are in `c` and leaves `c` on what it carries, cut
 * to the packet's length where the bytes go on beyond it. */
static int head_parse(struct cursor *c, struct head *h)
{
    const size_t there = c->left;
    int r;

    *h = (struct head){0};
    if (there == 0)
        return WAVE_ETRUNC;
    switch (c->at[0] >> 4) {
    case 4:
        r = head_v4(c, h);
        if (r == 0 && h->length && h->length < there)
            c->left = h->length - (there - c->left);
        return r;
    case 6:
        r = head_v6(c, h);
        /* Headers that do not fit a packet which is there whole contradict its length. */
        return r == WAVE_ETRUNC && h->length && h->length <= there ? WAVE_EMALFORMED : r;
    default:
        return WAVE_ENOTOURS;
    }
}

/* Whether a message of this type quotes the packet that caused it (RFC 1122, 3.2.2; RFC 4443,
 * 2.1: errors are below 128, of which four are assigned). */
static bool icmp_quotes(bool v6, uint8_t type)
{
    if (v6)
        return type >= 1 && type <= 4;
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* Decodes an ICMP or ICMPv6 error about a TCP segment. The quotation is as long as the router
 * pleased: eight bytes of TCP by RFC 792, and nothing here needs more. */
static int icmp_parse(struct cursor c, const struct head *outer, struct icmp *out)
{
    struct icmp e = {.from = outer->flow.local};
    struct head quoted;
    uint32_t rest;

    e.type = cursor_u8(&c);
    e.code = cursor_u8(&c);
    cursor_u16(&c);
    rest = cursor_u32(&c);
    if (c.short_)
        return WAVE_EMALFORMED;
    if (!icmp_quotes(outer->flow.v6, e.type))
        return WAVE_ENOTOURS;
    e.meaning = icmp_meaning(outer->flow.v6, e.type, e.code);
    if (e.meaning == ICMP_TOO_BIG)
        e.mtu = outer->flow.v6 ? rest : rest & 0xffff; /* RFC 4443, 3.2; RFC 1191, section 4 */

    /* A first fragment still has the ports; a later one says nothing about whose it was. */
    if (head_parse(&c, &quoted) != 0 || quoted.flow.v6 != outer->flow.v6 ||
        quoted.protocol != PROTOCOL_TCP || quoted.later_fragment || c.left < 4)
        return WAVE_ENOTOURS;
    e.flow = quoted.flow;
    e.flow.lport = cursor_u16(&c);
    e.flow.rport = cursor_u16(&c);
    e.seq = seq_of(cursor_u32(&c));
    e.has_seq = !c.short_;
    *out = e;
    return 0;
}

int ip_parse(const uint8_t *bytes, size_t caplen, struct packet *out)
{
    struct cursor c = cursor_of(bytes, caplen);
    struct head h;
    int r = head_parse(&c, &h);

    if (r != 0)
        return r;
    if (h.fragment)
        return WAVE_ENOTOURS;
    if (h.length > caplen)
        return WAVE_ETRUNC;
    if (h.protocol == PROTOCOL_TCP) {
        r = seg_parse(c.at, c.left, &out->seg);
        /* The packet is there whole: a TCP header that it does not hold contradicts it. */
        if (r != 0)
            return WAVE_EMALFORMED;
        seg_ports(c.at, &h.flow.lport, &h.flow.rport);
        out->seg.ecn = h.tos & 3;
        out->kind = PACKET_TCP;
        out->l4 = c.at;
        out->l4_len = (uint32_t)c.left;
    } else if (h.protocol == (h.flow.v6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP)) {
        r = icmp_parse(c, &h, &out->icmp);
        if (r != 0)
            return r;
        out->kind = PACKET_ICMP;
        out->l4 = NULL;
        out->l4_len = 0;
    } else {
        return WAVE_ENOTOURS;
    }
    out->flow = h.flow;
    out->ttl = h.ttl;
    out->tos = h.tos;
    out->df = h.df;
    out->id = h.id;
    out->flow_label = h.flow_label;
    out->length = (uint32_t)(h.length ? h.length : caplen);
    return 0;
}
