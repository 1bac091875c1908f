/*
 * Writes a packet as a copy of stored headers with other numbers in it. The checksums are computed
 * over the whole headers instead of being corrected (RFC 1624): the headers are a dozen words, and
 * the data has to be summed in any case. Addresses and ports are patched as well, so that one
 * template serves all connections of a wire.
 */
#include "lib/wire/template.h"
#include "lib/core/ip.h"

#include <string.h>

#include "lib/core/bytes.h"
#include "lib/core/checksum.h"

bool template_fits(const struct seg *s)
{
    const unsigned flags = SEG_SYN | SEG_ACK | SEG_FIN | SEG_RST | SEG_PSH | SEG_ECE | SEG_CWR;
    const unsigned options = OPT_MSS | OPT_TIMESTAMP | OPT_SACK_PERMITTED | OPT_WSCALE;

    return !(s->flags & ~flags) && !s->reserved && !s->urp && !(s->opt.has & ~options);
}

bool template_matches(const struct template *t, const struct seg *s, const struct wire_ip *ip)
{
    return t->len && t->has == s->opt.has && (!(t->has & OPT_MSS) || t->mss == s->opt.mss) &&
           (!(t->has & OPT_WSCALE) || t->wscale == s->opt.wscale) && t->ip.no_df == ip->no_df &&
           t->ip.flow_label == ip->flow_label;
}

void template_store(struct template *t, const struct seg *s, const uint8_t *bytes, size_t len,
                    const struct wire_ip *ip)
{
    memcpy(t->bytes, bytes, len);
    t->len = (uint8_t)len;
    t->has = s->opt.has;
    t->mss = s->opt.mss;
    t->wscale = s->opt.wscale;
    t->ip = *ip;
}

/* Patches an IPv4 header (RFC 791, 3.1). Returns where it ends. */
static uint8_t *write_ipv4(uint8_t *p, const struct flow *flow, size_t len, uint8_t tos,
                           uint8_t ttl, uint16_t id)
{
    p[1] = tos;
    put_u16(p + 2, (unsigned)len);
    put_u16(p + 4, id);
    p[8] = ttl;
    put_u16(p + IPV4_CHECKSUM_AT, 0);
    memcpy(p + 12, flow->local.byte, 4);
    memcpy(p + 16, flow->remote.byte, 4);
    return p + IPV4_HEADER;
}

/* Patches an IPv6 header (RFC 8200, 3). Returns where it ends. */
static uint8_t *write_ipv6(uint8_t *p, const struct flow *flow, size_t len, uint8_t tos,
                           uint8_t hop_limit)
{
    p[0] = (uint8_t)(0x60 | tos >> 4);
    p[1] = (uint8_t)((tos & 15) << 4 | (p[1] & 15));
    put_u16(p + 4, (unsigned)len - IPV6_HEADER);
    p[7] = hop_limit;
    memcpy(p + 8, flow->local.byte, 16);
    memcpy(p + 24, flow->remote.byte, 16);
    return p + IPV6_HEADER;
}

/* Patches a TCP header (RFC 9293, 3.1), and copies the data behind its options. */
static void write_tcp(uint8_t *p, const struct flow *flow, const struct seg *s, size_t header)
{
    put_u16(p, flow->lport);
    put_u16(p + 2, flow->rport);
    put_u32(p + 4, s->seq.v);
    put_u32(p + 8, s->flags & SEG_ACK ? s->ack.v : 0);
    p[13] = (uint8_t)s->flags;
    put_u16(p + 14, s->wnd);
    put_u16(p + SEG_CHECKSUM_AT, 0);
    if (s->opt.has & OPT_TIMESTAMP) /* opt_build() puts them behind the MSS and four bytes that
                                       end with kind and length */
        put_u32(put_u32(p + SEG_HEADER + (s->opt.has & OPT_MSS ? 4 : 0) + 4, s->opt.tsval),
                s->opt.tsecr);
    if (s->len && s->data != p + header)
        memcpy(p + header, s->data, s->len);
}

void template_checksum(uint8_t *ip, size_t len)
{
    bool v6 = ip[0] >> 4 == 6;
    size_t header = v6 ? IPV6_HEADER : IPV4_HEADER, pair = v6 ? 32 : 8;
    static const struct flow nowhere;
    uint8_t *tcp = ip + header;
    uint64_t pseudo;
    uint16_t sum;

    if (!v6) {
        sum = checksum_finish(checksum_add(0, ip, IPV4_HEADER));
        memcpy(ip + IPV4_CHECKSUM_AT, &sum, sizeof sum);
    }
    len -= header;
    put_u16(tcp + SEG_CHECKSUM_AT, 0);
    /* The addresses end the header, and are summed where they are. */
    pseudo = checksum_pseudo(&nowhere, CHECKSUM_TCP, (uint32_t)len);
    pseudo = checksum_add(pseudo, tcp - pair, pair);
    sum = checksum_finish(checksum_add(pseudo, tcp, len));
    memcpy(tcp + SEG_CHECKSUM_AT, &sum, sizeof sum);
}

void template_write(const struct template *t, const struct flow *flow, const struct seg *s,
                    uint8_t tos, uint8_t ttl, uint16_t id, uint8_t *out)
{
    size_t len = t->len + s->len, ip;
    uint8_t *tcp;

    memcpy(out, t->bytes, t->len);
    tcp =
        flow->v6 ? write_ipv6(out, flow, len, tos, ttl) : write_ipv4(out, flow, len, tos, ttl, id);
    ip = (size_t)(tcp - out);
    write_tcp(tcp, flow, s, t->len - ip);
}
