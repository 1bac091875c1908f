/*
 * Combines consecutive segments for generic segmentation offload (GSO). gso_count() compares the
 * headers of each packet with those of the packet before: the kernel must be able to restore every
 * header from the first one. gso_head() then writes the headers of the large segment.
 */
#include "lib/wire/gso.h"
#include "lib/core/ip.h"

#include <linux/virtio_net.h>
#include <string.h>

#include "lib/core/bytes.h"
#include "lib/core/checksum.h"
#include "lib/core/cursor.h"
#include "lib/core/seg.h"

_Static_assert(sizeof(struct virtio_net_hdr) == GSO_PREFIX, "the prefix as packet sockets have it");

#define LARGEST 65535u /* bytes of an IP packet */
#define LAST_ONLY (SEG_PSH | SEG_FIN)

enum { GSO_PROTOCOL = 6 };

/* Describes a parsed packet. */
struct gso_packet {
    const uint8_t *ip, *tcp;
    size_t ip_len, headers, data; /* bytes: of the IP header, of both headers, of the data */
    uint32_t seq;
    uint8_t flags;
};

static struct gso_packet parse_headers(const struct iovec *v)
{
    struct gso_packet p = {.ip = v->iov_base};
    struct cursor c;

    p.ip_len = p.ip[0] >> 4 == 6 ? IPV6_HEADER : IPV4_HEADER;
    p.tcp = p.ip + p.ip_len;
    c = cursor_of(p.tcp + 4, 4);
    p.seq = cursor_u32(&c);
    p.flags = p.tcp[13];
    p.headers = p.ip_len + (size_t)(p.tcp[12] >> 4) * 4;
    p.data = v->iov_len - p.headers;
    return p;
}

static bool same(const uint8_t *a, const uint8_t *b, size_t from, size_t to)
{
    return memcmp(a + from, b + from, to - from) == 0;
}

static unsigned id_of(const struct gso_packet *p)
{
    return (unsigned)p->ip[4] << 8 | p->ip[5];
}

/* Returns whether b's IP header continues a's: it is the same except for the length, IPv4's
 * checksum, and IPv4's identification, which is one higher. */
static bool ip_goes_on(const struct gso_packet *a, const struct gso_packet *b)
{
    if (a->ip_len != b->ip_len)
        return false;
    if (a->ip_len == IPV6_HEADER)
        return same(a->ip, b->ip, 0, 4) && same(a->ip, b->ip, 6, IPV6_HEADER);
    return same(a->ip, b->ip, 0, 2) && same(a->ip, b->ip, 6, 10) &&
           same(a->ip, b->ip, 12, IPV4_HEADER) && id_of(b) == id_of(a) + 1;
}

/* Returns whether b's TCP header continues a's: its sequence number follows, only the last segment
 * has flags beyond those of an acknowledgement, and all else is the same. */
static bool tcp_goes_on(const struct gso_packet *a, const struct gso_packet *b)
{
    const uint8_t plain = SEG_ACK | SEG_ECE;

    return b->seq == a->seq + (uint32_t)a->data && !(a->flags & ~plain) &&
           (b->flags & ~LAST_ONLY) == a->flags && same(a->tcp, b->tcp, 0, 4) &&
           same(a->tcp, b->tcp, 8, 13) && same(a->tcp, b->tcp, 14, 16) &&
           same(a->tcp, b->tcp, 18, a->headers - a->ip_len);
}

bool gso_has_data(const struct iovec *packet)
{
    const uint8_t *ip = packet->iov_base;
    const size_t ip_len = ip[0] >> 4 == 6 ? IPV6_HEADER : IPV4_HEADER;

    return packet->iov_len > ip_len + (size_t)(ip[ip_len + 12] >> 4) * 4;
}

unsigned gso_count(const struct iovec *packets, unsigned n)
{
    struct gso_packet first = parse_headers(packets), a = first;
    size_t total = packets->iov_len;
    unsigned i = 1;

    for (; i < n && a.data && a.data == first.data; i++) {
        struct gso_packet b = parse_headers(packets + i);
        total += b.data;
        if (!b.data || b.data > first.data || total > LARGEST || !ip_goes_on(&a, &b) ||
            !tcp_goes_on(&a, &b))
            break;
        a = b;
    }
    return i;
}

/* Writes the headers of a segment with `total` bytes in all and with these flags. Of TCP's checksum
 * it fills in the sum of the pseudo-header alone, which it returns as well. */
static uint64_t write_headers(const struct gso_packet *p, size_t total, uint8_t flags, uint8_t *out)
{
    struct flow f = {.v6 = p->ip_len == IPV6_HEADER};
    size_t width = f.v6 ? 16 : 4, from = f.v6 ? 8 : 12;
    uint8_t *tcp = out + p->ip_len;
    uint64_t pseudo;
    uint16_t sum;

    memcpy(out, p->ip, p->headers);
    memcpy(f.local.byte, p->ip + from, width);
    memcpy(f.remote.byte, p->ip + from + width, width);
    if (f.v6) {
        put_u16(out + 4, (unsigned)total - IPV6_HEADER);
    } else {
        put_u16(out + 2, (unsigned)total);
        put_u16(out + IPV4_CHECKSUM_AT, 0);
        sum = checksum_finish(checksum_add(0, out, IPV4_HEADER));
        memcpy(out + IPV4_CHECKSUM_AT, &sum, sizeof sum);
    }
    tcp[13] = flags;
    pseudo = checksum_pseudo(&f, CHECKSUM_TCP, (uint32_t)(total - p->ip_len));
    sum = (uint16_t)~checksum_finish(pseudo);
    memcpy(tcp + SEG_CHECKSUM_AT, &sum, sizeof sum);
    return pseudo;
}

size_t gso_head(const struct iovec *packets, unsigned n, size_t train, const uint8_t *link,
                size_t link_len, uint8_t head[GSO_HEAD_MAX], size_t *skip)
{
    const struct gso_packet first = parse_headers(packets), last = parse_headers(packets + n - 1);
    const size_t size = train ? train : first.data, at = GSO_PREFIX + link_len;
    const struct virtio_net_hdr prefix = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                          .gso_type = first.ip_len == IPV6_HEADER
                                                          ? VIRTIO_NET_HDR_GSO_TCPV6
                                                          : VIRTIO_NET_HDR_GSO_TCPV4,
                                          .gso_size = (uint16_t)size,
                                          .hdr_len = (uint16_t)(link_len + first.headers),
                                          .csum_start = (uint16_t)(link_len + first.ip_len),
                                          .csum_offset = SEG_CHECKSUM_AT};

    memcpy(head, &prefix, GSO_PREFIX);
    memcpy(head + GSO_PREFIX, link, link_len);
    /* TCP's checksum is completed for each segment by the kernel or the network card. */
    write_headers(&first, first.headers + (n - 1) * size + last.data, last.flags, head + at);
    *skip = first.headers;
    return at + first.headers;
}

unsigned gso_segments(const struct iovec *packet, size_t train)
{
    return (unsigned)((parse_headers(packet).data + train - 1) / train);
}

size_t gso_first(const struct iovec *packet, size_t train, uint8_t *head)
{
    struct gso_packet p = parse_headers(packet);
    uint64_t sum = write_headers(&p, p.headers + train, p.flags & ~LAST_ONLY, head);
    uint16_t field;

    put_u16(head + p.ip_len + SEG_CHECKSUM_AT, 0);
    sum = checksum_add(sum, head + p.ip_len, p.headers - p.ip_len);
    field = checksum_finish(checksum_add(sum, p.ip + p.headers, train));
    memcpy(head + p.ip_len + SEG_CHECKSUM_AT, &field, sizeof field);
    return p.headers;
}

bool gso_cut(struct iovec *packet, size_t train)
{
    struct gso_packet p = parse_headers(packet);
    const unsigned id = id_of(&p) + 1;
    uint8_t *ip = (uint8_t *)packet->iov_base + train;

    memmove(ip, p.ip, p.headers); /* with small segments, over a part of where they stood */
    packet->iov_base = ip;
    packet->iov_len -= train;
    put_u32(ip + p.ip_len + 4, p.seq + (uint32_t)train);
    if (p.ip_len == IPV4_HEADER) {
        put_u16(ip + 2, (unsigned)packet->iov_len);
        put_u16(ip + 4, id);
        put_u16(ip + IPV4_CHECKSUM_AT, 0); /* template_checksum() adds it up with the rest */
    } else {
        put_u16(ip + 4, (unsigned)packet->iov_len - IPV6_HEADER);
    }
    return packet->iov_len > p.headers + train;
}
