/*
 * The capture's filter, compared with the parsers that come after it. When frame_parse() and
 * ip_parse() find a segment of ours in a frame, or an ICMP error about one, the filter has to let
 * it through, independently of link type, VLAN tags, options and extension headers. It must not let
 * through a segment of another flow.
 *
 * The first bytes are a query, and the others are frames: assembled with addresses and ports near
 * to the query's, and then damaged.
 */
#include <pcap/pcap.h>

#include "lib/core/bytes.h"
#include "lib/core/ip.h"
#include "lib/wire/filter.h"
#include "lib/wire/frame.h"
#include "tests/fuzz/fuzz.h"

enum { FRAME_ROOM = 512, IFINDEX_LO = 1 };

static const int link_types[] = {DLT_EN10MB, DLT_LINUX_SLL2, DLT_RAW, DLT_LINUX_SLL};

static const struct addr any;

struct filter_world {
    struct cursor in;
    struct filter_query query;
    int dlt;
    pcap_t *pcap;
    struct bpf_program program;
    uint8_t frame[FRAME_ROOM];
    size_t len;
};

static void compile(struct filter_world *w)
{
    char text[FILTER_TEXT];

    filter_text(&w->query, text);
    require(strlen(text) < FILTER_TEXT - 1);
    w->pcap = pcap_open_dead(w->dlt, 65535);
    require(w->pcap);
    if (pcap_compile(w->pcap, &w->program, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
        fprintf(stderr, "%s: %s\n", text, pcap_geterr(w->pcap));
    require(w->program.bf_len > 0);
}

static void query(struct filter_world *w)
{
    const uint8_t how = cursor_u8(&w->in), more = cursor_u8(&w->in);
    struct filter_query *q = &w->query;
    struct flow *f = &q->flow;

    *q = (struct filter_query){.listen = how & 1, .inbound_only = how & 2};
    w->dlt = link_types[how >> 2 & 3];
    f->v6 = how >> 4 & 1;
    f->local = f->v6 ? (struct addr){{0xfd, [15] = 1}} : addr_v4(10, 0, 0, 1);
    f->remote = f->v6 ? (struct addr){{0xfd, [15] = 2}} : addr_v4(10, 0, 0, 2);
    if (how & 32)
        f->remote = f->local;
    if (q->listen && (how & 64))
        f->local = any;
    f->lport = (uint16_t)(0x0fa0 + (more & 1));
    f->rport = more & 2 ? f->lport : 80;
    q->lports = more >> 2 & 7;
    if (more & 32)
        f->lport = 65535 - 7;
    q->any_device = w->dlt == DLT_LINUX_SLL2;
    q->tags = w->dlt == DLT_EN10MB && !(more & 64);
}

/*
 * Frames.
 */

static void put(struct filter_world *w, const void *bytes, size_t len)
{
    require(w->len + len <= sizeof w->frame);
    memcpy(w->frame + w->len, bytes, len);
    w->len += len;
}

static void put16(struct filter_world *w, unsigned v)
{
    uint8_t bytes[2];

    put_u16(bytes, v);
    put(w, bytes, sizeof bytes);
}

static void put_link(struct filter_world *w, bool v6, uint8_t how)
{
    static const uint16_t tag[] = {0x8100, 0x88a8, 0x9100, 0x8100};
    const unsigned type = v6 ? 0x86dd : 0x0800;

    w->len = 0;
    memset(w->frame, 0, sizeof w->frame);
    switch (w->dlt) {
    case DLT_EN10MB:
        w->len = 12;
        for (unsigned i = how & 3; i > 0 && i < 3; i--) {
            put16(w, tag[(how >> 2 & 3) ^ (i & 1)]);
            put16(w, how);
        }
        put16(w, type);
        break;
    case DLT_LINUX_SLL2:
        put16(w, type);
        w->frame[7] = how & 1 ? IFINDEX_LO : 2;
        w->frame[10] = how & 2 ? 4 : 0; /* leaving */
        w->len = 20;
        break;
    case DLT_LINUX_SLL:
        w->len = 14;
        put16(w, type);
        break;
    default:
        break;
    }
}

/* IPv4 with options, IPv6 with extension headers; what follows has `len` bytes. */
static void put_ip(struct filter_world *w, const struct flow *f, uint8_t protocol, size_t len,
                   uint8_t how)
{
    static const uint8_t kinds[] = {0, 43, 60, 44};
    const unsigned extra = how & 3;
    uint8_t zeros[8] = {0};

    if (f->v6) {
        put(w, (uint8_t[]){0x60, 0, 0, 0}, 4);
        put16(w, (unsigned)(len + 8 * extra));
        put(w, (uint8_t[]){extra ? kinds[how >> 2 & 3] : protocol, 64}, 2);
        put(w, f->local.byte, 16);
        put(w, f->remote.byte, 16);
        for (unsigned i = 1; i <= extra; i++) {
            zeros[0] = i == extra ? protocol : kinds[how >> (2 + 2 * i) & 3];
            put(w, zeros, 8);
        }
    } else {
        put(w, (uint8_t[]){(uint8_t)(0x45 + extra), 0}, 2);
        put16(w, (unsigned)(20 + 4 * extra + len));
        put(w, (uint8_t[]){0, 1, (uint8_t)(how & 0x60), how & 0x80 ? 1 : 0, 64, protocol, 0, 0}, 8);
        put(w, f->local.byte, 4);
        put(w, f->remote.byte, 4);
        put(w, (uint8_t[12]){1, 1, 1, 1}, 4 * extra);
    }
}

static void put_tcp(struct filter_world *w, const struct flow *f)
{
    struct seg s = {.flags = SEG_ACK, .seq = seq_of(1)};
    const int n = seg_build(f, &s, w->frame + w->len, sizeof w->frame - w->len);

    require(n == SEG_HEADER);
    w->len += (size_t)n;
}

static struct flow near_flow(struct filter_world *w)
{
    const uint8_t how = cursor_u8(&w->in), twist = cursor_u8(&w->in);
    const struct filter_query *q = &w->query;
    struct flow f = q->flow;

    if (addr_eq(&f.local, &any))
        f.local = f.v6 ? (struct addr){{0xfd, [15] = 1}} : addr_v4(10, 0, 0, 1);
    if (q->lports)
        f.lport = (uint16_t)(f.lport + how % (q->lports + 1u));
    if (twist & 1)
        f.lport ^= cursor_u8(&w->in);
    if (twist & 2)
        f.rport ^= cursor_u8(&w->in);
    if (twist & 4)
        f.local.byte[3] ^= cursor_u8(&w->in);
    if (twist & 8)
        f.remote.byte[3] ^= cursor_u8(&w->in);
    if ((twist & 0x30) == 0x30) { /* the other family */
        f.v6 = !f.v6;
        memset(f.local.byte + 4, 0, 12);
        memset(f.remote.byte + 4, 0, 12);
    }
    return how & 0x80 ? flow_reverse(&f) : f;
}

static void frame(struct filter_world *w)
{
    const struct flow f = near_flow(w);
    const uint8_t kind = cursor_u8(&w->in), link = cursor_u8(&w->in), how = cursor_u8(&w->in);

    put_link(w, f.v6, link);
    if (kind & 1) {
        const size_t quoted = (f.v6 ? 40 : 20) + SEG_HEADER;
        const struct flow outer = flow_reverse(&f);

        put_ip(w, &outer, f.v6 ? 58 : 1, 8 + quoted, how);
        put(w, (uint8_t[]){f.v6 ? kind >> 5 : (kind >> 4) % 13, kind >> 1 & 7, 0, 0, 0, 0, 0, 0},
            8);
        put_ip(w, &f, 6, SEG_HEADER, 0);
        put_tcp(w, &f);
    } else {
        put_ip(w, &f, 6, SEG_HEADER, how);
        put_tcp(w, &f);
    }
    for (unsigned i = kind & 8 ? cursor_u8(&w->in) % 4 : 0; i > 0; i--) {
        const size_t at = cursor_u16(&w->in) % w->len;
        w->frame[at] = cursor_u8(&w->in);
    }
    if ((kind & 0x16) == 0x16)
        w->len = cursor_u16(&w->in) % (w->len + 1);
}

/*
 * What is to be let through.
 */

/* Whether a flow, as this host sees it, is one of the query's. */
static bool is_ours(const struct filter_query *q, const struct flow *f)
{
    const uint16_t ports = q->lports ? q->lports : 1;

    if (f->v6 != q->flow.v6 || (uint16_t)(f->lport - q->flow.lport) >= ports)
        return false;
    if (!addr_eq(&q->flow.local, &any) && !addr_eq(&q->flow.local, &f->local))
        return false;
    return q->listen || (f->rport == q->flow.rport && addr_eq(&f->remote, &q->flow.remote));
}

static bool has_extensions(const struct filter_world *w, const struct frame *f)
{
    return f->v6 && w->frame[f->offset + 6] != 6;
}

static void judge(struct filter_world *w)
{
    const struct filter_query *q = &w->query;
    const struct pcap_pkthdr h = {.caplen = (uint32_t)w->len, .len = (uint32_t)w->len};
    const bool passes = pcap_offline_filter(&w->program, &h, w->frame) != 0;
    struct packet p;
    struct frame f;
    struct flow seen;
    bool ours;

    if (frame_parse(w->dlt, w->frame, w->len, &f) != 0 ||
        ip_parse(w->frame + f.offset, w->len - f.offset, &p) != 0)
        return;
    /* A frame whose type field contradicts the packet matters to no one. */
    if (f.v6 != p.flow.v6 || (f.tags && !q->tags))
        return;
    seen = flow_reverse(&p.flow);
    if (q->any_device && f.outgoing && f.ifindex == IFINDEX_LO) { /* arrives once more */
        require(!passes);
        return;
    }
    if (p.kind == PACKET_ICMP) {
        ours = is_ours(q, &p.icmp.flow) &&
               (addr_eq(&q->flow.local, &any) || addr_eq(&q->flow.local, &p.flow.remote));
        require(passes || !ours);
        return;
    }
    ours = is_ours(q, &seen) || (!q->inbound_only && is_ours(q, &p.flow));
    require(passes || !ours);
    if (!has_extensions(w, &f))
        require(passes == ours);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct filter_world w;

    memset(&w, 0, sizeof w);
    w.in = cursor_of(bytes, size);
    query(&w);
    compile(&w);
    while (w.in.left > 0) {
        frame(&w);
        judge(&w);
    }
    pcap_freecode(&w.program);
    pcap_close(w.pcap);
    return 0;
}
