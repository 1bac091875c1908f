/*
 * Builds segments in which any field may be wrong. libnet makes the headers in a handle that sends
 * nothing (LIBNET_NONE), in this order: options, TCP, IP. What libnet cannot express goes into its
 * block before the packet is assembled, so that the checksum covers it. What contradicts itself (a
 * wrong checksum) is changed in the assembled bytes. Fragments are cut from the whole packet (RFC
 * 791, 3.2; RFC 8200, 4.5).
 */
#include "lib/wire/crafted.h"
#include "lib/core/ip.h"

#include <libnet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/bytes.h"
#include "lib/core/checksum.h"
#include "lib/core/diag.h"
#include "lib/core/seg.h"

#define FRAGMENT_HEADER 8u
#define IPV4_FRAGMENT 6 /* offsets in the headers */
#define IPV6_PAYLOAD 4
#define IPV6_NEXT 6
#define TCP_OFFSET 12
#define MORE_FRAGMENTS 0x2000

struct crafted {
    libnet_t *net;
    uint8_t *packet; /* libnet's memory; NULL before the first packet */
    uint32_t len;
    uint32_t header; /* bytes of the IP header in `packet` */
    uint32_t cut;    /* bytes of TCP in each fragment; 0: not fragmented */
    uint32_t id;
    bool v6;
    bool given; /* the caller gave the TCP checksum, so we do not correct it */
    uint8_t piece[IPV6_HEADER + UINT16_MAX];
};

uint32_t crafted_room(bool v6, uint8_t options_len)
{
    /* IPv6's length field does not count the IPv6 header. */
    uint32_t headers = (v6 ? 0 : IPV4_HEADER) + SEG_HEADER + ((options_len + 3u) & ~3u);
    return UINT16_MAX - headers;
}

int crafted_open(struct crafted **out, struct diag *d)
{
    char why[LIBNET_ERRBUF_SIZE] = "";
    struct crafted *f = calloc(1, sizeof *f);
    if (f)
        f->net = libnet_init(LIBNET_NONE, NULL, why);
    if (!f || !f->net) {
        free(f);
        return diag_fail(d, WAVE_ENOMEM, "cannot start libnet: %.200s", *why ? why : "no memory");
    }
    *out = f;
    return 0;
}

/* Frees the last packet. */
static void drop_packet(struct crafted *f)
{
    if (f->packet)
        libnet_adv_free_packet(f->net, f->packet);
    f->packet = NULL;
    libnet_clear_packet(f->net);
}

void crafted_close(struct crafted *f)
{
    if (!f)
        return;
    drop_packet(f);
    libnet_destroy(f->net);
    free(f);
}

/* Returns 0, or WAVE_EINVAL when the segment cannot be built. */
static int check(const struct crafted_segment *w, struct diag *d)
{
    if (w->flags > 0x1ff || w->reserved > 7 || w->offset > 15 || w->flow_label > 0xfffff ||
        w->options_len > OPT_BYTES_MAX || (!w->flow.v6 && w->id > UINT16_MAX))
        return diag_fail(d, WAVE_EINVAL, "a field of the segment is beyond its bits");
    if (w->fragment % 8)
        return diag_fail(d, WAVE_EINVAL, "fragments are cut at multiples of 8 bytes");
    if (w->len > crafted_room(w->flow.v6, w->options_len))
        return diag_fail(d, WAVE_EINVAL, "%u bytes of data do not fit into an IP packet: %u do",
                         w->len, crafted_room(w->flow.v6, w->options_len));
    return 0;
}

/* Builds options, TCP header and data. Returns 0, or -1. */
static int build_tcp(struct crafted *f, const struct crafted_segment *w, uint16_t len)
{
    uint8_t padded[OPT_BYTES_MAX] = {0};
    uint32_t options_len = (w->options_len + 3u) & ~3u;
    memcpy(padded, w->options, w->options_len);
    if (options_len && libnet_build_tcp_options(padded, options_len, f->net, 0) < 0)
        return -1;
    libnet_ptag_t tcp =
        libnet_build_tcp(w->flow.lport, w->flow.rport, w->seq, w->ack, (uint8_t)w->flags, w->wnd,
                         w->checksum_how == CRAFTED_GIVEN ? w->checksum : 0, w->urp, len,
                         w->len ? w->data : NULL, w->len, f->net, 0);
    if (tcp < 0)
        return -1;
    /* libnet knows eight flags, no reserved bits, and only the true data offset. */
    uint8_t *header = libnet_getpbuf(f->net, tcp);
    unsigned offset = w->has_offset ? w->offset : (SEG_HEADER + options_len) / 4;
    header[TCP_OFFSET] = (uint8_t)(offset << 4 | w->reserved << 1 | w->flags >> 8);
    return 0;
}

/* Builds the IP header. Returns its ptag, or -1. */
static int build_ip(struct crafted *f, const struct crafted_segment *w, uint16_t tcp_len)
{
    if (w->flow.v6) {
        struct libnet_in6_addr from, to;
        memcpy(&from, w->flow.local.byte, sizeof from);
        memcpy(&to, w->flow.remote.byte, sizeof to);
        return libnet_build_ipv6(w->tos, w->flow_label, tcp_len, IPPROTO_TCP, w->ttl, from, to,
                                 NULL, 0, f->net, 0);
    }
    uint32_t from, to;
    memcpy(&from, w->flow.local.byte, sizeof from);
    memcpy(&to, w->flow.remote.byte, sizeof to);
    return libnet_build_ipv4((uint16_t)(IPV4_HEADER + tcp_len), w->tos, (uint16_t)w->id,
                             w->df ? IP_DF : 0, w->ttl, IPPROTO_TCP, 0, from, to, NULL, 0, f->net,
                             0);
}

/* Sets checksums that libnet does not make. libnet reads a given checksum of 0 as "compute it", and
 * it never makes a wrong one. */
static void alter_checksum(struct crafted *f, const struct crafted_segment *w)
{
    uint8_t *tcp = f->packet + f->header, *sum = tcp + SEG_CHECKSUM_AT;
    uint32_t len = f->len - f->header;
    /* libnet 1.1.6 adds the pseudo-header's length and protocol in 16 bits, but the largest IPv6
     * packets need 17 (the field has 32: RFC 8200, 8.1). */
    if (len + IPPROTO_TCP > UINT16_MAX) {
        put_u16(sum, 0);
        uint16_t right =
            checksum_finish(checksum_add(checksum_pseudo(&w->flow, CHECKSUM_TCP, len), tcp, len));
        memcpy(sum, &right, sizeof right);
    }
    if (w->checksum_how == CRAFTED_GIVEN)
        put_u16(sum, w->checksum);
    else if (w->checksum_how == CRAFTED_WRONG)
        sum[1] ^= 1;
}

int crafted_build(struct crafted *f, const struct crafted_segment *w, struct diag *d)
{
    int error = check(w, d);
    if (error)
        return error;
    drop_packet(f);
    uint32_t len = SEG_HEADER + ((w->options_len + 3u) & ~3u) + w->len;
    if (build_tcp(f, w, (uint16_t)len) < 0 || build_ip(f, w, (uint16_t)len) < 0 ||
        libnet_pblock_coalesce(f->net, &f->packet, &f->len) < 0) {
        f->packet = NULL;
        return diag_fail(d, WAVE_ESYS, "libnet cannot build the segment: %.200s",
                         libnet_geterror(f->net));
    }
    f->v6 = w->flow.v6;
    f->header = f->v6 ? IPV6_HEADER : IPV4_HEADER;
    f->id = w->id;
    f->cut = w->fragment;
    f->given = w->checksum_how == CRAFTED_GIVEN;
    /* libnet 1.1.6 mixes bits of the traffic class into the flow label. */
    if (f->v6)
        put_u32(f->packet, 6u << 28 | (uint32_t)w->tos << 20 | w->flow_label);
    alter_checksum(f, w);
    return 0;
}

/* Puts `value` into a field of two bytes, and corrects the checksum, if one is given (RFC 1624,
 * eqn. 3). The sum may use either byte order, as long as it uses the same one throughout. */
static void put_summed(uint8_t *field, unsigned value, uint8_t *checksum)
{
    unsigned old = (unsigned)field[0] << 8 | field[1];
    put_u16(field, value);
    if (!checksum)
        return;
    uint32_t sum = (~((unsigned)checksum[0] << 8 | checksum[1]) & 0xffff) + (~old & 0xffff) + value;
    sum = (sum & 0xffff) + (sum >> 16);
    put_u16(checksum, ~(sum + (sum >> 16)) & 0xffff);
}

void crafted_renumber(struct crafted *f, uint16_t lport, uint32_t seq, uint32_t id)
{
    uint8_t *tcp = f->packet + f->header, *sum = f->given ? NULL : tcp + SEG_CHECKSUM_AT;
    put_summed(tcp, lport, sum);
    put_summed(tcp + 4, seq >> 16, sum);
    put_summed(tcp + 6, seq & 0xffff, sum);
    if (!f->v6)
        put_summed(f->packet + 4, id & 0xffff, f->packet + IPV4_CHECKSUM_AT);
    f->id = id;
}

const uint8_t *crafted_packet(const struct crafted *f, uint32_t *len)
{
    *len = f->len;
    return f->packet;
}

uint32_t crafted_fragments(const struct crafted *f)
{
    uint32_t tcp = f->len - f->header;
    return f->cut ? (tcp + f->cut - 1) / f->cut : 1;
}

/* Makes the header that of a fragment. RFC 791, 3.1: DF keeps its value; the offset is in units of
 * 8 bytes. */
static void fragment_v4(uint8_t *ip, uint32_t offset, uint32_t len, bool more)
{
    uint16_t sum = 0;
    put_u16(ip + 2, IPV4_HEADER + len);
    ip[IPV4_FRAGMENT] |= (uint8_t)((more ? MORE_FRAGMENTS >> 8 : 0) | offset / 8 >> 8);
    ip[IPV4_FRAGMENT + 1] = (uint8_t)(offset / 8);
    memcpy(ip + IPV4_CHECKSUM_AT, &sum, sizeof sum);
    sum = checksum_finish(checksum_add(0, ip, IPV4_HEADER));
    memcpy(ip + IPV4_CHECKSUM_AT, &sum, sizeof sum);
}

/* Makes the headers those of a fragment. RFC 8200, 4.5: a fragment header stands between IP and
 * TCP. */
static void fragment_v6(uint8_t *ip, uint32_t offset, uint32_t len, bool more, uint32_t id)
{
    uint8_t *header = ip + IPV6_HEADER;
    put_u16(ip + IPV6_PAYLOAD, FRAGMENT_HEADER + len);
    ip[IPV6_NEXT] = IPPROTO_FRAGMENT;
    header[0] = IPPROTO_TCP;
    header[1] = 0;
    put_u32(put_u16(header + 2, offset | more), id);
}

const uint8_t *crafted_fragment(struct crafted *f, uint32_t i, uint32_t *len)
{
    if (!f->cut)
        return crafted_packet(f, len);
    uint32_t tcp = f->len - f->header, offset = i * f->cut;
    uint32_t n = tcp - offset < f->cut ? tcp - offset : f->cut;
    uint32_t header = f->header + (f->v6 ? FRAGMENT_HEADER : 0);
    bool more = offset + n < tcp;
    memcpy(f->piece, f->packet, f->header);
    memcpy(f->piece + header, f->packet + f->header + offset, n);
    if (f->v6)
        fragment_v6(f->piece, offset, n, more, f->id);
    else
        fragment_v4(f->piece, offset, n, more);
    *len = header + n;
    return f->piece;
}
