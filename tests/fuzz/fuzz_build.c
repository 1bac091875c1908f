/*
 * The packets that leave: segments as builder.h makes them, from a template and without one,
 * combined and cut again; and crafted ones, whole, in fragments and with other numbers. Each is
 * compared with what libnet builds, with what parsing it returns, and with a checksum that is added
 * up word by word.
 */
#include <linux/virtio_net.h>

#include "lib/core/bytes.h"
#include "lib/core/checksum.h"
#include "lib/core/err.h"
#include "lib/core/ip.h"
#include "lib/wire/builder.h"
#include "lib/wire/crafted.h"
#include "lib/wire/gso.h"
#include "lib/wire/template.h"
#include "tests/fuzz/fuzz.h"

enum { FRAGMENT_HEADER = 8 };
enum { PACKETS = 8, PACKET_ROOM = IPV6_HEADER + UINT16_MAX };

static size_t ip_header(bool v6)
{
    return v6 ? IPV6_HEADER : IPV4_HEADER;
}

/* RFC 1071, section 1, as it stands there. */
static uint16_t sum_of(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static bool tcp_sum_holds(const struct flow *f, const uint8_t *tcp, size_t len)
{
    const size_t width = f->v6 ? 16 : 4;
    uint32_t sum = 6 + sum_of(f->local.byte, width, 0) + sum_of(f->remote.byte, width, 0);

    return sum_of(tcp, len, sum + (uint32_t)len) == 0xffff;
}

static bool ip_sum_holds(bool v6, const uint8_t *ip)
{
    return v6 || sum_of(ip, IPV4_HEADER, 0) == 0xffff;
}

static struct flow some_flow(struct cursor *in, bool v6)
{
    struct flow f = {.local = addr_v4(192, 0, 2, 1), .remote = addr_v4(198, 51, 100, 7), .v6 = v6};

    if (v6)
        for (unsigned i = 4; i < 16; i++)
            f.local.byte[i] = f.remote.byte[15 - i] = (uint8_t)(i * 17);
    f.local.byte[3] = cursor_u8(in);
    f.lport = cursor_u16(in);
    f.rport = cursor_u16(in);
    return f;
}

/*
 * Builder and template.
 */

static void some_segment(struct cursor *in, struct seg *s, uint8_t options[OPT_BYTES_MAX])
{
    const uint8_t how = cursor_u8(in);

    *s = (struct seg){.seq = seq_of(cursor_u32(in))};
    s->ack = seq_of(cursor_u32(in));
    s->flags = how & 1 ? cursor_u16(in) & 0x1ff : SEG_ACK | (how & SEG_PSH);
    s->wnd = cursor_u16(in);
    s->urp = how & 2 ? cursor_u16(in) : 0;
    s->ecn = how >> 2 & 3;
    s->reserved = how & 16 ? cursor_u8(in) & 7 : 0;
    if (how & 32)
        fuzz_options(in, options, &s->opt);
    if (how & 64) {
        s->opt.has |= OPT_TIMESTAMP;
        s->opt.tsval = cursor_u32(in);
        s->opt.tsecr = cursor_u32(in);
    }
    s->len = how & 128 ? cursor_u16(in) % 3000 : 0;
    s->data = s->len ? pattern_at(cursor_u8(in)) : NULL;
}

static struct wire_ip some_ip(struct cursor *in)
{
    const uint8_t how = cursor_u8(in);
    struct wire_ip ip = {.no_df = how & 4, .id = 1};

    if (how & 1)
        ip.ttl = cursor_u8(in);
    if (how & 2)
        ip.tos = cursor_u8(in);
    if (how & 8)
        ip.id = cursor_u16(in) | 1;
    if (how & 16)
        ip.flow_label = cursor_u32(in) & 0xfffff;
    return ip;
}

/* What a receiver reads is what was asked for. */
static void read_back(const struct flow *f, const struct seg *s, const struct wire_ip *ip,
                      const uint8_t *bytes, size_t len)
{
    struct packet p;

    require(ip_parse(bytes, len, &p) == 0 && p.kind == PACKET_TCP && p.length == len);
    require(flow_eq(&p.flow, f));
    require(p.ttl == (ip->ttl ? ip->ttl : 64) && p.tos == ((ip->tos & ~3) | s->ecn));
    require(f->v6 || (p.df == !ip->no_df && p.id == ip->id));
    require(!f->v6 || p.flow_label == ip->flow_label);
    require(seq_eq(p.seg.seq, s->seq) && p.seg.ack.v == (s->flags & SEG_ACK ? s->ack.v : 0));
    require(p.seg.flags == s->flags && p.seg.wnd == s->wnd && p.seg.urp == s->urp);
    require(p.seg.reserved == s->reserved && p.seg.len == s->len);
    require(s->len == 0 || memcmp(p.seg.data, s->data, s->len) == 0);
    require(ip_sum_holds(f->v6, bytes) && tcp_sum_holds(f, p.l4, p.l4_len));
    require(seg_checksum_ok(f, p.l4, p.l4_len));
}

static struct builder *crafter(bool v6)
{
    static struct builder *made[2];
    const struct builder_config config = {.v6 = v6, .no_socket = true};

    if (!made[v6])
        require(builder_open(&made[v6], &config, NULL) == 0);
    return made[v6];
}

static size_t builder(const struct flow *f, const struct seg *s, const struct wire_ip *ip,
                      uint8_t *bytes)
{
    static uint8_t anew[PACKET_ROOM];
    struct builder *c = crafter(f->v6);
    const size_t len = builder_size(c, s);

    require(len <= UINT16_MAX);
    require(builder_build(c, f, s, ip, bytes, NULL) == 0);
    require(builder_build_unpatched(c, f, s, ip, anew, NULL) == 0);
    require(memcmp(bytes, anew, len) == 0);
    read_back(f, s, ip, bytes, len);
    return len;
}

/*
 * Joined segments, cut again as the kernel does it: its own segmentation offload.
 */

struct burst {
    uint8_t bytes[PACKETS][PACKET_ROOM];
    struct iovec packet[PACKETS];
    unsigned count;
};

/* Segments that follow on from each other, or nearly. */
static void some_burst(struct cursor *in, struct burst *b)
{
    const bool v6 = cursor_u8(in) & 1;
    struct flow f = some_flow(in, v6);
    uint8_t options[OPT_BYTES_MAX];
    struct wire_ip ip;
    struct seg s;
    const uint32_t size = 1 + cursor_u16(in) % 3000;

    some_segment(in, &s, options);
    ip = some_ip(in);
    s.data = pattern_at(0);
    b->count = 1 + cursor_u8(in) % PACKETS;
    for (unsigned i = 0; i < b->count; i++) {
        const uint8_t twist = cursor_u8(in);

        s.len = twist & 1 ? cursor_u16(in) % 3000 : size;
        if (twist & 2)
            s.flags ^= cursor_u16(in) & 0x1ff;
        if (twist & 4)
            s.seq = fuzz_near(in, s.seq);
        if ((twist & 0xf8) == 8)
            s.wnd ^= cursor_u16(in);
        if ((twist & 0xf8) == 16)
            f.rport ^= cursor_u8(in);
        if ((twist & 0xf8) == 24)
            ip = some_ip(in);
        if ((twist & 0xf8) == 32)
            some_segment(in, &s, options);
        if ((twist & 0xf8) == 40)
            s.opt.tsval += cursor_u8(in);
        if ((twist & 0xf8) == 48)
            s.ack = fuzz_near(in, s.ack);
        if ((twist & 0xf8) == 56)
            f.local.byte[2] ^= cursor_u8(in);
        if (s.len == 0)
            s.data = NULL;
        else if (!s.data)
            s.data = pattern_at(i);
        b->packet[i] = (struct iovec){b->bytes[i], builder(&f, &s, &ip, b->bytes[i])};
        s.seq = seq_add(s.seq, s.len);
        ip.id = (uint16_t)(ip.id + 1) ? (uint16_t)(ip.id + 1) : 1;
    }
}

/* Writes segment number `i` of the large one, as the kernel makes it: with its own length,
 * identification and checksums, and with the flags that only the last segment has. */
static void cut(const struct virtio_net_hdr *prefix, const uint8_t *headers, bool v6, unsigned i,
                bool last, const uint8_t *data, size_t len, uint8_t *out)
{
    const size_t header = ip_header(v6), all = prefix->hdr_len - L2_HEADER;
    struct flow f = {.v6 = v6};
    const size_t width = v6 ? 16 : 4, from = v6 ? 8 : 12;
    uint8_t *tcp = out + header;
    struct cursor c = cursor_of(headers + header + 4, 4);
    uint16_t sum = 0;

    memcpy(out, headers, all);
    memcpy(out + all, data, len);
    memcpy(f.local.byte, out + from, width);
    memcpy(f.remote.byte, out + from + width, width);
    put_u32(tcp + 4, cursor_u32(&c) + i * prefix->gso_size);
    if (!last)
        tcp[13] &= (uint8_t) ~(SEG_FIN | SEG_PSH);
    if (i > 0)
        tcp[13] &= (uint8_t)~SEG_CWR;
    if (v6) {
        put_u16(out + 4, (unsigned)(all + len - IPV6_HEADER));
    } else {
        put_u16(out + 2, (unsigned)(all + len));
        put_u16(out + 4, ((unsigned)out[4] << 8 | out[5]) + i);
        memcpy(out + 10, &sum, sizeof sum);
        put_u16(out + 10, ~sum_of(out, IPV4_HEADER, 0) & 0xffffu);
    }
    memcpy(tcp + 16, &sum, sizeof sum);
    sum = checksum_finish(
        checksum_add(checksum_pseudo(&f, CHECKSUM_TCP, (uint32_t)(all - header + len)), tcp,
                     all - header + len));
    memcpy(tcp + 16, &sum, sizeof sum);
}

/* The same segments as a train: as one frame it has the same `head`, and cut one by one it gives
 * back every byte of them. */
static void as_train(const struct iovec *packet, unsigned n, size_t skip, const uint8_t *link,
                     const uint8_t *head)
{
    static uint8_t bytes[65536];
    const bool v6 = *(const uint8_t *)packet->iov_base >> 4 == 6;
    const size_t size = packet->iov_len - skip, flags = ip_header(v6) + 13;
    struct iovec train = {bytes, skip};
    uint8_t one[GSO_HEAD_MAX];
    size_t skipped;

    memcpy(bytes, packet->iov_base, skip);
    bytes[flags] = ((const uint8_t *)packet[n - 1].iov_base)[flags];
    for (unsigned i = 0; i < n; i++) {
        const size_t data = packet[i].iov_len - skip;
        memcpy(bytes + train.iov_len, (const uint8_t *)packet[i].iov_base + skip, data);
        train.iov_len += data;
    }
    require(gso_segments(&train, size) == n);
    require(gso_head(&train, 1, size, link, L2_HEADER, one, &skipped) ==
            GSO_PREFIX + L2_HEADER + skip);
    require(skipped == skip && memcmp(one, head, GSO_PREFIX + L2_HEADER + skip) == 0);
    for (unsigned i = 0; i + 1 < n; i++) {
        const uint8_t *wanted = packet[i].iov_base;
        require(gso_first(&train, size, one) == skip);
        require(memcmp(one, wanted, skip) == 0);
        require(memcmp((const uint8_t *)train.iov_base + skip, wanted + skip, size) == 0);
        require(gso_cut(&train, size) == (i + 2 < n));
    }
    template_checksum(train.iov_base, train.iov_len);
    require(train.iov_len == packet[n - 1].iov_len);
    require(memcmp(train.iov_base, packet[n - 1].iov_base, train.iov_len) == 0);
}

static void join(struct cursor *in)
{
    static struct burst b;
    static uint8_t out[PACKET_ROOM];
    static const uint8_t link[L2_HEADER] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};

    some_burst(in, &b);
    for (unsigned first = 0, n; first < b.count; first += n) {
        const struct iovec *packet = b.packet + first;
        const bool v6 = *(const uint8_t *)packet->iov_base >> 4 == 6;
        uint8_t head[GSO_HEAD_MAX];
        const uint8_t *ip = head + GSO_PREFIX + L2_HEADER;
        struct virtio_net_hdr prefix;
        size_t skip, len, total = 0;

        n = gso_count(packet, b.count - first);
        require(n >= 1 && n <= b.count - first);
        if (n == 1)
            continue;
        len = gso_head(packet, n, 0, link, L2_HEADER, head, &skip);
        require(memcmp(head + GSO_PREFIX, link, L2_HEADER) == 0);
        require(len == GSO_PREFIX + L2_HEADER + skip && len <= sizeof head);
        memcpy(&prefix, head, sizeof prefix);
        require(prefix.hdr_len == L2_HEADER + skip);
        require(prefix.gso_type == (v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4));
        require(prefix.csum_start == L2_HEADER + ip_header(v6) && prefix.csum_offset == 16);
        for (unsigned i = 0; i < n; i++) {
            const size_t data = packet[i].iov_len - skip;
            require(i + 1 < n ? data == prefix.gso_size : data >= 1 && data <= prefix.gso_size);
            cut(&prefix, ip, v6, i, i + 1 == n, (const uint8_t *)packet[i].iov_base + skip, data,
                out);
            require(memcmp(out, packet[i].iov_base, packet[i].iov_len) == 0);
            total += data;
        }
        total += skip - (v6 ? IPV6_HEADER : 0);
        require(((size_t)ip[v6 ? 4 : 2] << 8 | ip[v6 ? 5 : 3]) == total);
        as_train(packet, n, skip, link, head);
    }
}

/*
 * Forged.
 */

static void some_forgery(struct cursor *in, struct crafted_segment *w)
{
    const uint8_t how = cursor_u8(in), more = cursor_u8(in);
    const uint8_t *options;

    *w = (struct crafted_segment){.flow = some_flow(in, how & 1)};
    w->seq = cursor_u32(in);
    w->ack = cursor_u32(in);
    w->flags = cursor_u16(in) & (more & 0x80 ? 0x3ff : 0x1ff);
    w->wnd = cursor_u16(in);
    w->urp = cursor_u16(in);
    w->reserved = cursor_u8(in) & (more & 0x40 ? 15 : 7);
    w->has_offset = how & 2;
    w->offset = cursor_u8(in) & (more & 0x20 ? 31 : 15);
    w->checksum_how = (enum crafted_checksum)((how >> 2 & 3) % 3);
    w->checksum = cursor_u16(in);
    w->ttl = cursor_u8(in);
    w->tos = cursor_u8(in);
    w->df = how & 16;
    w->id = more & 0x10 ? cursor_u32(in) : cursor_u16(in);
    w->flow_label = cursor_u32(in) & (more & 8 ? 0x1fffff : 0xfffff);
    w->fragment = how & 32 ? cursor_u8(in) * (more & 4 ? 1u : 8u) : 0;
    w->len = how & 64 ? cursor_u16(in) : cursor_u8(in);
    w->data = pattern_at(how);
    w->options_len = how & 128 ? cursor_u8(in) % (more & 2 ? 64 : OPT_BYTES_MAX + 1) : 0;
    options = cursor_bytes(in, w->options_len < OPT_BYTES_MAX ? w->options_len : OPT_BYTES_MAX);
    if (options)
        memcpy(w->options, options,
               w->options_len < OPT_BYTES_MAX ? w->options_len : OPT_BYTES_MAX);
}

/* Whether struct crafted_segment allows it. */
static bool is_possible(const struct crafted_segment *w)
{
    const uint32_t options = (w->options_len + 3u) / 4 * 4;
    const uint32_t max = UINT16_MAX - SEG_HEADER - (w->flow.v6 ? 0 : IPV4_HEADER);

    return w->flags <= 0x1ff && w->reserved <= 7 && w->offset <= 15 && w->flow_label <= 0xfffff &&
           w->options_len <= OPT_BYTES_MAX && (w->flow.v6 || w->id <= UINT16_MAX) &&
           w->fragment % 8 == 0 && w->len + options <= max;
}

/* Every field stands where its RFC says. */
static void hold_forged(const struct crafted_segment *w, const uint8_t *ip, uint32_t len)
{
    const uint8_t *tcp = ip + ip_header(w->flow.v6);
    const uint32_t options = (w->options_len + 3u) / 4 * 4, tcp_len = SEG_HEADER + options + w->len;
    struct cursor c = cursor_of(ip, len);
    uint16_t sum;

    require(len == ip_header(w->flow.v6) + tcp_len);
    if (w->flow.v6) {
        require(cursor_u32(&c) == (6u << 28 | (uint32_t)w->tos << 20 | w->flow_label));
        require(cursor_u16(&c) == tcp_len);
        require(cursor_u8(&c) == 6 && cursor_u8(&c) == w->ttl);
    } else {
        require(cursor_u8(&c) == 0x45 && cursor_u8(&c) == w->tos);
        require(cursor_u16(&c) == len && cursor_u16(&c) == w->id);
        require(cursor_u16(&c) == (w->df ? 0x4000 : 0));
        require(cursor_u8(&c) == w->ttl && cursor_u8(&c) == 6);
        cursor_u16(&c);
        require(ip_sum_holds(false, ip));
    }
    require(memcmp(cursor_bytes(&c, w->flow.v6 ? 16 : 4), w->flow.local.byte,
                   w->flow.v6 ? 16 : 4) == 0);
    require(memcmp(cursor_bytes(&c, w->flow.v6 ? 16 : 4), w->flow.remote.byte,
                   w->flow.v6 ? 16 : 4) == 0);
    require(cursor_u16(&c) == w->flow.lport && cursor_u16(&c) == w->flow.rport);
    require(cursor_u32(&c) == w->seq && cursor_u32(&c) == w->ack);
    require(cursor_u16(&c) == ((w->has_offset ? w->offset : 5u + options / 4) << 12 |
                               (unsigned)w->reserved << 9 | w->flags));
    require(cursor_u16(&c) == w->wnd);
    sum = cursor_u16(&c);
    if (w->checksum_how == CRAFTED_GIVEN)
        require(sum == w->checksum);
    else
        require(tcp_sum_holds(&w->flow, tcp, tcp_len) == (w->checksum_how == CRAFTED_RIGHT));
    require(cursor_u16(&c) == w->urp);
    require(memcmp(cursor_bytes(&c, w->options_len), w->options, w->options_len) == 0);
    for (uint32_t i = w->options_len; i < options; i++)
        require(cursor_u8(&c) == 0);
    require(w->len == 0 || memcmp(cursor_bytes(&c, w->len), w->data, w->len) == 0);
    require(!c.short_);
}

/* RFC 791, 3.2 and RFC 8200, 4.5: the pieces, put to their places, are the whole, and nothing but
 * the fields of fragmentation and of length differs in their headers. */
static void hold_pieces(struct crafted *f, const struct crafted_segment *w)
{
    static uint8_t whole[PACKET_ROOM], again[PACKET_ROOM];
    const size_t header = ip_header(w->flow.v6), extra = w->flow.v6 ? FRAGMENT_HEADER : 0;
    uint32_t len, at = header;
    const uint8_t *packet = crafted_packet(f, &len);
    const uint32_t n = crafted_fragments(f), total = len;

    memcpy(whole, packet, len);
    if (!w->fragment) {
        require(n == 1 && crafted_fragment(f, 0, &len) == packet && len == total);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *piece = crafted_fragment(f, i, &len);
        const uint8_t *field = piece + (w->flow.v6 ? header + 2 : 6);
        const unsigned word = (unsigned)field[0] << 8 | field[1];
        const unsigned offset = w->flow.v6 ? word & 0xfff8 : (word & 0x1fff) * 8;
        const bool more = w->flow.v6 ? word & 1 : word & 0x2000;
        const uint32_t data = len - (uint32_t)(header + extra);

        require(offset == at - header && more == (i + 1 < n));
        require(more ? data == w->fragment : data >= 1 && data <= w->fragment);
        require(ip_sum_holds(w->flow.v6, piece));
        memcpy(again, piece, header);
        memcpy(again + at, piece + header + extra, data);
        at += data;
        if (w->flow.v6) {
            struct cursor c = cursor_of(piece + header + 4, 4);
            require(again[6] == 44 && piece[header] == 6 && cursor_u32(&c) == w->id);
            require(piece[header + 1] == 0 && !(word & 6)); /* reserved */
            require(((uint32_t)again[4] << 8 | again[5]) == len - header);
            again[6] = 6;
            memcpy(again + 4, whole + 4, 2);
            require(memcmp(again, whole, header) == 0);
        } else {
            require(((uint32_t)again[2] << 8 | again[3]) == len);
            require((word & 0x4000) == (w->df ? 0x4000 : 0));
            memcpy(again + 2, whole + 2, 2);
            memcpy(again + 6, whole + 6, 2);
            memcpy(again + 10, whole + 10, 2);
            require(memcmp(again, whole, header) == 0);
        }
    }
    require(at == total && memcmp(again + header, whole + header, total - header) == 0);
}

static void forge(struct cursor *in)
{
    static struct crafted *f;
    struct diag d = {""};
    struct crafted_segment w;
    const uint8_t *packet;
    uint32_t len;
    int error;

    if (!f)
        require(crafted_open(&f, &d) == 0);
    some_forgery(in, &w);
    error = crafted_build(f, &w, &d);
    require((error == 0) == is_possible(&w));
    if (error) {
        require(error == WAVE_EINVAL && *d.text);
        return;
    }
    packet = crafted_packet(f, &len);
    hold_forged(&w, packet, len);
    hold_pieces(f, &w);
    while (in->left > 0) {
        w.flow.lport = cursor_u16(in);
        w.seq = cursor_u32(in);
        w.id = w.flow.v6 ? cursor_u32(in) : cursor_u16(in);
        crafted_renumber(f, w.flow.lport, w.seq, w.id);
        packet = crafted_packet(f, &len);
        hold_forged(&w, packet, len);
    }
    hold_pieces(f, &w);
}

/* Pieces of even length, from any place, add up to the same. */
static void checksums(struct cursor *in)
{
    const size_t start = cursor_u8(in), len = cursor_u16(in) % 4000;
    const size_t cut_at = len ? cursor_u16(in) % len & ~1u : 0;
    const uint8_t *p = pattern_bytes + start;
    const uint16_t sum = checksum_finish(checksum_add(0, p, len));
    uint8_t bytes[2];

    require(checksum_finish(checksum_add(checksum_add(0, p, cut_at), p + cut_at, len - cut_at)) ==
            sum);
    memcpy(bytes, &sum, sizeof sum);
    require(((unsigned)bytes[0] << 8 | bytes[1]) == (~sum_of(p, len, 0) & 0xffffu));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct cursor in = cursor_of(bytes, size);

    pattern_fill();
    switch (cursor_u8(&in) & 3) {
    case 0:
        while (in.left > 0) {
            static uint8_t room[PACKET_ROOM];
            uint8_t options[OPT_BYTES_MAX];
            struct seg s;
            const bool v6 = cursor_u8(&in) & 1;
            const struct flow f = some_flow(&in, v6);
            struct wire_ip ip;

            some_segment(&in, &s, options);
            ip = some_ip(&in);
            builder(&f, &s, &ip, room);
        }
        break;
    case 1:
        join(&in);
        break;
    case 2:
        forge(&in);
        break;
    default:
        checksums(&in);
        break;
    }
    return 0;
}
