/*
 * Parses IP packets. head_parse() reads a header of either family into struct head, including
 * options and extension headers; ip_parse() then decodes the TCP segment or the ICMP error behind
 * it. An ICMP error quotes a packet, whose header head_parse() reads, too. All reads go through
 * struct cursor, which checks the bounds.
 */
#include "lib/core/ip.h"

#include <string.h>

#include "lib/core/bytes.h"
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

/* The contents of an IP header of either family, with its options and extension headers skipped. */
struct head {
    struct flow flow; /* ports 0 */
    uint8_t ttl, tos, protocol;
    bool df;
    bool later_fragment; /* its offset is not 0: it has no TCP header */
    bool fragment;       /* it is only part of a packet */
    uint16_t id;
    uint32_t flow_label;
    size_t length; /* of the packet; 0 when the header does not say */
};

/* Records the fragment fields, which are one word in either family. */
static void note_fragment(struct head *h, unsigned offset, bool more)
{
    /* A fragment with offset 0 and no more to follow is the whole packet: an atomic fragment (RFC
     * 6946). */
    h->later_fragment = offset != 0;
    h->fragment = h->later_fragment || more;
}

/* Parses an IPv4 header (RFC 791, 3.1) and leaves `c` behind its options. The header checksum is
 * not checked: the sender may have left it to hardware that comes after the capture. */
static int head_v4(struct cursor *c, struct head *h)
{
    const uint8_t *at = cursor_bytes(c, IPV4_HEADER);
    unsigned ihl, fragment;

    if (!at)
        return WAVE_ETRUNC;
    ihl = at[0] & 15u;
    h->tos = at[1];
    h->length = get_u16(at + 2);
    h->id = get_u16(at + 4);
    fragment = get_u16(at + 6);
    h->ttl = at[8];
    h->protocol = at[9];
    if (ihl < 5 || (h->length && h->length < ihl * 4))
        return WAVE_EMALFORMED;
    h->df = fragment & 0x4000;
    note_fragment(h, fragment & 0x1fff, fragment & 0x2000);
    memcpy(h->flow.local.byte, at + 12, 4);
    memcpy(h->flow.remote.byte, at + 16, 4);
    return cursor_bytes(c, (ihl - 5) * 4) ? 0 : WAVE_ETRUNC;
}

/* Skips the extension headers of RFC 8200, section 4 that may come before TCP. Each has eight bytes
 * or more, so the end of the packet bounds the loop. */
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

            size = 0; /* in this header that byte is reserved */
            note_fragment(h, field >> 3, field & 1);
        }
        cursor_bytes(c, 4 + size * 8u);
        if (c->short_)
            return WAVE_ETRUNC;
        /* While segments are left, the IP destination is not the address that the flow and the TCP
         * checksum use (RFC 8200, 8.1). */
        if (kind == PROTOCOL_ROUTING && detail[1] != 0)
            return WAVE_ENOTOURS;
        h->protocol = next;
        /* A later fragment continues in the middle of something. */
        if (h->later_fragment)
            return 0;
    }
}

/* Parses an IPv6 header (RFC 8200, section 3) with its extension headers. */
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
    h->length = payload ? payload + IPV6_HEADER : 0;
    h->df = true;
    h->flow.v6 = 1;
    memcpy(h->flow.local.byte, local, 16);
    memcpy(h->flow.remote.byte, remote, 16);
    /* Bytes after the packet's end must not be read as one of its headers. */
    if (payload && payload < c->left)
        c->left = payload;
    return step_over_extensions(c, h);
}

/* Parses the header of a packet whose first bytes are in `c`. Leaves `c` at the payload, cut to the
 * packet's length where the bytes continue beyond it. */
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
        /* The packet is complete, so headers that do not fit into it contradict its length. */
        return r == WAVE_ETRUNC && h->length && h->length <= there ? WAVE_EMALFORMED : r;
    default:
        return WAVE_ENOTOURS;
    }
}

/* Returns whether a message of this type quotes the packet that caused it (RFC 1122, 3.2.2; RFC
 * 4443, 2.1: errors are below 128, of which four are assigned). */
static bool icmp_quotes(bool v6, uint8_t type)
{
    if (v6)
        return type >= 1 && type <= 4;
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* Parses an ICMP or ICMPv6 error about a TCP segment. How much of the segment is quoted depends on
 * the router. RFC 792 asks for eight bytes of TCP, and nothing more is needed here. */
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

    /* A first fragment still contains the ports. A later one does not show which flow it belongs
     * to. */
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

/* Returns how many bytes the payload has, of which those in `c` are present. `there` is what was
 * present of the whole packet. */
static size_t payload_length(const struct cursor *c, const struct head *h, size_t there)
{
    return h->length > there ? h->length - (there - c->left) : c->left;
}

/* Reads what most packets are: IPv4 without options, in one piece, with TCP. Returns whether it is
 * that, and well-formed; for all else, parse() says what it is. */
static bool plain_v4(const uint8_t *bytes, size_t caplen, bool cut, struct packet *out)
{
    const size_t least = IPV4_HEADER + SEG_HEADER;

    if (caplen < least || bytes[0] != 0x45 || bytes[9] != PROTOCOL_TCP)
        return false;
    const size_t length = get_u16(bytes + 2), there = caplen < length ? caplen : length;
    const unsigned fragment = get_u16(bytes + 6);
    const uint8_t *l4 = bytes + IPV4_HEADER;
    if (length < least || (there < length && !cut) || (fragment & 0x3fff) ||
        seg_parse_cut(l4, there - IPV4_HEADER, length - IPV4_HEADER, &out->seg) != 0)
        return false;
    out->seg.ecn = bytes[1] & 3;
    out->kind = PACKET_TCP;
    out->flow = (struct flow){.lport = get_u16(l4), .rport = get_u16(l4 + 2)};
    memcpy(out->flow.local.byte, bytes + 12, 4);
    memcpy(out->flow.remote.byte, bytes + 16, 4);
    out->ttl = bytes[8];
    out->tos = bytes[1];
    out->df = fragment & 0x4000;
    out->id = get_u16(bytes + 4);
    out->flow_label = 0;
    out->length = (uint32_t)length;
    out->l4 = l4;
    out->l4_len = (uint32_t)(there - IPV4_HEADER);
    return true;
}

static int parse(const uint8_t *bytes, size_t caplen, bool cut, struct packet *out)
{
    if (plain_v4(bytes, caplen, cut, out))
        return 0;

    struct cursor c = cursor_of(bytes, caplen);
    struct head h;
    int r = head_parse(&c, &h);

    if (r != 0)
        return r;
    if (h.fragment)
        return WAVE_ENOTOURS;
    if (h.length > caplen && !cut)
        return WAVE_ETRUNC;
    if (h.protocol == PROTOCOL_TCP) {
        r = seg_parse_cut(c.at, c.left, payload_length(&c, &h, caplen), &out->seg);
        /* Where the packet is complete, a TCP header that does not fit into it contradicts its
         * length. */
        if (r != 0)
            return h.length > caplen ? r : WAVE_EMALFORMED;
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

int ip_parse(const uint8_t *bytes, size_t caplen, struct packet *out)
{
    return parse(bytes, caplen, false, out);
}

int ip_parse_cut(const uint8_t *bytes, size_t caplen, struct packet *out)
{
    return parse(bytes, caplen, true, out);
}

int ip_payload(const uint8_t *bytes, size_t caplen, struct ip_payload *out)
{
    struct cursor c = cursor_of(bytes, caplen);
    struct head h;
    int r = head_parse(&c, &h);

    if (r == 0)
        *out = (struct ip_payload){.protocol = h.protocol,
                                   .v6 = h.flow.v6,
                                   .fragment = h.fragment,
                                   .at = c.at,
                                   .there = c.left,
                                   .length = payload_length(&c, &h, caplen)};
    return r;
}
