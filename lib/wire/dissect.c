/*
 * A packet that is captured at two places is one packet, and one that is captured twice at the same
 * place is two. A place is known by what the frame says of it: the interface, the direction, the
 * link-layer address of the last sender, the VLAN tags, the tunnel, and how many hops are left.
 */
#include "lib/wire/dissect.h"

#include <string.h>

#include "lib/core/err.h"
#include "lib/wire/frame.h"

/* Every flow is followed. */
static bool wants_all(void *ctx, const struct flow *flow)
{
    (void)ctx;
    (void)flow;
    return true;
}

static uint32_t place_of(const struct capture_record *r, const struct frame *f,
                         const struct dissected *p)
{
    uint64_t n = (uint64_t)r->interface << 32 | f->ifindex;
    uint64_t mac = 0;

    if (f->source)
        memcpy(&mac, f->source, FRAME_ADDRESS);
    n ^= (uint64_t)(p->packet.ttl | f->tags << 8 | f->outgoing << 10 | (unsigned)p->tunnel << 11)
         << 40;
    n = (n ^ mac * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    return (uint32_t)(n >> 32) | 1;
}

/* A packet that ip_parse_cut() does not take may be a fragment. Returns what is said of the whole
 * packet, which is then in *p, and WAVE_EAGAIN while it is not complete. */
static int take_fragment(struct dissect *d, struct dissected *p)
{
    struct ip_fragment one;
    struct ip_whole whole;
    int error = ip_fragment_parse(p->ip, p->ip_len, &one);

    if (error)
        return error;
    if (!d->fragments) {
        d->fragments = ip_reassembly_create(wants_all, NULL);
        if (!d->fragments)
            return WAVE_ENOTOURS;
        ip_reassembly_tell(d->fragments, d->lacks, d->lacks_ctx);
    }
    error = ip_reassembly_add(d->fragments, d->now, &one, &whole);
    if (error)
        return error;
    p->ip = whole.bytes;
    p->ip_len = whole.len;
    p->fragments = whole.fragments;
    return ip_parse_cut(p->ip, p->ip_len, &p->packet);
}

/* Takes a packet that is neither TCP nor an ICMP error about it: a tunnel, or a fragment. */
__attribute__((noinline)) static int take_inside(struct dissect *d, struct dissected *p)
{
    int error = WAVE_ENOTOURS;
    struct tunnel inside;

    if (tunnel_inside(p->ip, p->ip_len, &inside) == 0) {
        p->tunnel = inside.kind;
        p->ip = inside.ip;
        p->ip_len = (uint32_t)inside.caplen;
        error = ip_parse_cut(p->ip, p->ip_len, &p->packet);
    }
    return error == WAVE_ENOTOURS ? take_fragment(d, p) : error;
}

static int take_frame(struct dissect *d, const struct capture_record *r, struct dissected *p)
{
    struct frame frame;
    int error = frame_parse(r->dlt, r->bytes, r->caplen, &frame);

    if (error)
        return error;
    p->ip = r->bytes + frame.offset;
    p->ip_len = r->caplen - (uint32_t)frame.offset;
    p->fragments = 0;
    p->tunnel = TUNNEL_NONE;
    p->mac = frame.source;
    error = ip_parse_cut(p->ip, p->ip_len, &p->packet);
    if (error == WAVE_ENOTOURS)
        error = take_inside(d, p);
    if (error)
        return error;
    if (p->packet.length < p->ip_len)
        p->ip_len = p->packet.length; /* without the padding of a short Ethernet frame */
    p->place = place_of(r, &frame, p);
    return 0;
}

static void count_error(struct dissect *d, const struct capture_record *r, int error)
{
    struct dissect_counts *c = &d->counts;

    if (error == WAVE_EAGAIN) /* a fragment that waits for the others */
        return;
    if (error == WAVE_ETRUNC) {
        c->truncated++;
    } else if (error == WAVE_EMALFORMED) {
        c->malformed++;
    } else if (!frame_known(r->dlt)) {
        if (!c->unknown++)
            c->unknown_dlt = r->dlt;
    } else {
        c->other++;
    }
}

int dissect_frame(struct dissect *d, const struct capture_record *r, struct dissected *out)
{
    int error;

    d->counts.frames++;
    if (r->stamp > d->now)
        d->now = r->stamp;
    out->stamp = r->stamp;
    error = take_frame(d, r, out);
    if (error) {
        count_error(d, r, error);
        return error;
    }
    d->counts.cut += out->packet.length > out->ip_len;
    d->counts.tunnelled += out->tunnel != TUNNEL_NONE;
    return 0;
}

void dissect_look(struct dissect *d)
{
    if (d->looked != d->now)
        ip_reassembly_look(d->fragments, d->now);
    d->looked = d->now;
}

void dissect_end(struct dissect *d)
{
    ip_reassembly_free(d->fragments);
    d->fragments = NULL;
}
