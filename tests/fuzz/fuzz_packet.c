/*
 * Captured frames: the first byte chooses the link type, and the rest is a frame. All that is
 * parsed out of it lies within it, and a parsed segment survives being built and parsed once more.
 */
#include <pcap/dlt.h>

#include "lib/core/ip.h"
#include "lib/wire/frame.h"
#include "tests/fuzz/fuzz.h"

static const int link_types[] = {DLT_RAW,  DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_PPP,
                                 DLT_NULL, DLT_LOOP,   DLT_IPV4,      DLT_IPV6,       9999};

enum { CHECKED_ROOM = 70000 }; /* more than the largest packet */

static void within(const void *at, size_t len, const uint8_t *bytes, size_t size)
{
    const uint8_t *p = at;

    require(p >= bytes && p <= bytes + size && len <= (size_t)(bytes + size - p));
}

/* SACK blocks that no longer fit beside the other options may be left off, from the end. */
static void same_options(const struct opt *a, const struct opt *b)
{
    const unsigned known = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TIMESTAMP;

    require((a->has & known) == (b->has & known));
    require(!(b->has & (OPT_MALFORMED | OPT_OTHER)));
    require(!(a->has & OPT_MSS) || a->mss == b->mss);
    require(!(a->has & OPT_WSCALE) || a->wscale == b->wscale);
    require(!(a->has & OPT_TIMESTAMP) || (a->tsval == b->tsval && a->tsecr == b->tsecr));
    require(b->sacks <= a->sacks);
    require(memcmp(a->sack, b->sack, b->sacks * sizeof a->sack[0]) == 0);
}

static void again(const struct packet *p)
{
    static uint8_t room[CHECKED_ROOM];
    const struct seg *s = &p->seg;
    struct seg read;
    uint16_t source, destination;
    int n = seg_build(&p->flow, s, room, sizeof room);

    require(n >= SEG_HEADER);
    require(seg_checksum_ok(&p->flow, room, (size_t)n));
    require(seg_parse(room, (size_t)n, &read) == 0);
    seg_ports(room, &source, &destination);
    require(source == p->flow.lport && destination == p->flow.rport);
    require(seq_eq(read.seq, s->seq) && seq_eq(read.ack, s->ack));
    require(read.flags == s->flags && read.wnd == s->wnd && read.urp == s->urp);
    require(read.reserved == s->reserved && read.len == s->len);
    require(s->len == 0 || memcmp(read.data, s->data, s->len) == 0);
    same_options(&s->opt, &read.opt);
    require(seg_build(&p->flow, s, room, (size_t)n - 1) < 0);
}

static void look(const struct packet *p, const uint8_t *bytes, size_t size)
{
    char text[SEG_FLAGS_TEXT];

    require(p->length <= size);
    if (p->kind == PACKET_ICMP) {
        require(icmp_text(p->flow.v6, p->icmp.type, p->icmp.code));
        require(p->icmp.meaning == icmp_meaning(p->flow.v6, p->icmp.type, p->icmp.code));
        require(p->icmp.flow.v6 == p->flow.v6);
        return;
    }
    within(p->l4, p->l4_len, bytes, p->length);
    if (p->seg.len)
        within(p->seg.data, p->seg.len, p->l4, p->l4_len);
    if (p->seg.opt.raw_len)
        within(p->seg.opt.raw, p->seg.opt.raw_len, p->l4, p->l4_len);
    require(p->seg.opt.sacks <= OPT_SACK_MAX && p->seg.opt.raw_len <= OPT_BYTES_MAX);
    require(strlen(seg_flags_text(p->seg.flags, text)) < sizeof text);
    seg_checksum_ok(&p->flow, p->l4, p->l4_len);
    again(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const int types = sizeof link_types / sizeof link_types[0];
    struct packet p, untouched;
    struct frame f, f_untouched;

    if (size < 1 || size > CHECKED_ROOM - SEG_HEADER_MAX)
        return 0;
    memset(&p, 0xa5, sizeof p);
    memset(&f, 0xa5, sizeof f);
    untouched = p;
    f_untouched = f;
    if (frame_parse(link_types[bytes[0] % types], bytes + 1, size - 1, &f) != 0) {
        require(memcmp(&f, &f_untouched, sizeof f) == 0);
        return 0;
    }
    require(f.offset <= size - 1);
    bytes += 1 + f.offset;
    size -= 1 + f.offset;
    if (ip_parse(bytes, size, &p) != 0)
        require(memcmp(&p, &untouched, sizeof p) == 0);
    else
        look(&p, bytes, size);
    return 0;
}
