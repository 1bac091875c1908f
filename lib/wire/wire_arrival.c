/*
 * What the capture brings: which packets are ours, which way they went, whether their checksums
 * hold, and what is counted of the others. A packet that this host's address translation has
 * rewritten, and one that several interfaces show, are put right here, so that everything above
 * sees each segment once and by the addresses that the user named.
 */
#include <errno.h>
#include <linux/if.h>
#include <pcap/dlt.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/core/checksum.h"
#include "lib/core/diag.h"
#include "lib/wire/frame.h"
#include "lib/wire/route.h"
#include "lib/wire/tx_queue.h"
#include "lib/wire/wire_private.h"

#define LOOK_EVERY (500 * WAVE_MS)

static const struct addr any;

/* Whether `f`, as this host sees it, is ours. Listening, it is by our own end alone. */
static bool is_ours(const struct wire *w, const struct flow *f)
{
    if (!w->listen) {
        struct flow first = *f;
        if ((uint16_t)(f->lport - w->flow.lport) < w->lports)
            first.lport = w->flow.lport;
        return flow_eq(&first, &w->flow);
    }
    bool port = w->guards ? guards_hold(w->guards, f->lport) : f->lport == w->flow.lport;
    return f->v6 == w->flow.v6 && port &&
           (addr_eq(&w->flow.local, &any) || addr_eq(&f->local, &w->flow.local));
}

/*
 * Whether the packet is about our flow, and which way it went. By addresses and ports, since on lo
 * both ends are this host. Arriving comes first: a listener on any address with a client on the
 * same port of another address of this host would otherwise take its requests for its answers.
 * An ICMP error is ours when it quotes a segment that we sent.
 */
static bool match(const struct wire *w, const struct packet *p, bool *outgoing)
{
    struct flow seen = flow_reverse(&p->flow);
    *outgoing = false;
    if (p->kind == PACKET_ICMP)
        return is_ours(w, &p->icmp.flow);
    if (is_ours(w, &seen))
        return true;
    *outgoing = true;
    return !w->inbound_only && is_ours(w, &p->flow);
}

/*
 * Whether the checksum holds, or was never filled in: a sender that leaves it to its network card
 * puts the pseudo-header's sum in its place, and between virtual machines, containers and a card
 * that joins segments on receipt that is how the segment arrives. (libpcap does not hand on the
 * kernel's own mark for it, TP_STATUS_CSUMNOTREADY.)
 */
static bool checksum_acceptable(const struct packet *p)
{
    if (seg_checksum_ok(&p->flow, p->l4, p->l4_len))
        return true;
    uint16_t field,
        unfilled = (uint16_t)~checksum_finish(checksum_pseudo(&p->flow, CHECKSUM_TCP, p->l4_len));
    memcpy(&field, p->l4 + SEG_CHECKSUM_AT, sizeof field);
    return field == unfilled;
}

/* Returns whether IPv4's header holds its checksum (RFC 791, 3.1), and counts it where not. No card
 * and no offload leaves this one for later, so that a host throws away what comes without it. */
static bool header_acceptable(struct wire *w, const struct wire_packet *p)
{
    const uint32_t header = (p->ip[0] & 15u) * 4;

    if (w->info.loopback || p->ip[0] >> 4 != 4 || header > p->ip_len ||
        checksum_finish(checksum_add(0, p->ip, header)) == 0)
        return true;
    w->stats.bad_header++;
    return false;
}

/* Returns whether a packet that arrived holds its checksums; of one that was put together, those of
 * the IP headers were examined before. */
static bool arrived_whole(struct wire *w, const struct wire_packet *p)
{
    return w->info.loopback || ((p->fragments || header_acceptable(w, p)) &&
                                (p->packet.kind != PACKET_TCP || checksum_acceptable(&p->packet)));
}

/*
 * A segment that arrived for us and does not hold its own TCP header, as far as it can be told:
 * `out` gets the flow it claims, and is else empty. IP's own header was found right by then.
 */
static bool malformed_arrival(const struct wire *w, const uint8_t *ip, uint32_t len,
                              struct packet *out)
{
    bool v6 = w->flow.v6;
    uint32_t header = v6 ? 40 : (ip[0] & 15u) * 4, from = v6 ? 8 : 12, size = v6 ? 16 : 4;
    struct flow f = {.v6 = v6};

    if (header < 20 || len < header + 4 || ip[0] >> 4 != (v6 ? 6 : 4) ||
        ip[v6 ? 6 : 9] != CHECKSUM_TCP)
        return false;
    memcpy(f.local.byte, ip + from, size);
    memcpy(f.remote.byte, ip + from + size, size);
    seg_ports(ip + header, &f.lport, &f.rport);
    struct flow seen = flow_reverse(&f);
    if (!is_ours(w, &seen))
        return false;
    *out = (struct packet){.kind = PACKET_TCP, .flow = f, .length = len};
    return true;
}

void wire_watch(struct wire *w, wave_time now)
{
    const bool wanted = w->inbound_only && own_nat_watches(&w->nat, now);

    if (wanted != w->watching)
        capture_own_syns(w->capture, wanted);
    w->watching = wanted;
}

/* Whether the local end of `f` is ours. */
static bool is_own_end(const struct wire *w, const struct flow *f)
{
    const bool port = w->guards ? guards_hold(w->guards, f->lport)
                                : (uint16_t)(f->lport - w->flow.lport) < w->lports;

    return f->v6 == w->flow.v6 && port &&
           (addr_eq(&w->flow.local, &any) || addr_eq(&f->local, &w->flow.local));
}

/* Takes note of where this host sends what is for the target. */
static void note_translated(struct wire *w, const struct flow *seen)
{
    struct wire_stats *s = &w->stats;

    if (!s->translated) {
        s->nat_addr = seen->remote;
        s->nat_port = seen->rport;
    } else if (s->nat_port != seen->rport || !addr_eq(&s->nat_addr, &seen->remote)) {
        s->nat_others = true;
    }
    s->translated = true;
}

/* A SYN may be one of those that are to show whether this host rewrites what we send. */
static void look_at_syn(struct wire *w, const struct packet *p)
{
    if (!w->nat.waiting || p->kind != PACKET_TCP || (p->seg.flags & (SEG_SYN | SEG_ACK)) != SEG_SYN)
        return;
    const enum own_nat_done done = own_nat_left(&w->nat, &p->flow, p->seg.seq);
    w->stats.syns_left += done != OWN_NAT_STRANGE;
    switch (done) {
    case OWN_NAT_TARGET:
        note_translated(w, &p->flow);
        break;
    case OWN_NAT_CLASH:
        w->stats.nat_clash = true;
        note_translated(w, &p->flow);
        /* fall through */
    case OWN_NAT_SOURCE:
        w->stats.source_translated = true;
        w->stats.nat_source = p->flow.local;
        w->stats.nat_source_port = p->flow.lport;
        break;
    default:
        break;
    }
    if (w->watching)
        wire_watch(w, wire_now());
}

/* Whether the packet was sent by this host. On lo each one arrives as well, and that is what is
 * captured there. */
static bool leaves(const struct wire *w, const struct frame *f, const struct packet *p)
{
    return f->has_outgoing && f->ifindex != LOOPBACK_IFINDEX ? f->outgoing
                                                             : is_own_end(w, &p->flow);
}

/*
 * This host's address translation gives what we send another target: it was captured behind it, and
 * what answers comes from there, captured before it is translated back. Where the ports are ours
 * alone, what leaves from them is what we sent; else a SYN is. From then on that target stands for
 * the one we know, and *named is the flow with the latter.
 */
static bool translated(struct wire *w, const struct frame *f, struct wire_packet *p,
                       struct flow *named)
{
    const struct packet *k = &p->packet;
    const bool out = k->kind == PACKET_TCP && leaves(w, f, k);

    *named = k->kind == PACKET_ICMP ? k->icmp.flow : out ? k->flow : flow_reverse(&k->flow);
    if (!is_own_end(w, named) || (!w->listen && is_ours(w, named)))
        return false;
    if (!own_nat_restore(&w->nat, named)) {
        if (w->listen || !w->follows || !out || (k->seg.flags & SEG_RST) ||
            (!w->guard && (k->seg.flags & (SEG_SYN | SEG_ACK)) != SEG_SYN))
            return false;
        note_translated(w, named);
        own_nat_add(&w->nat, named, &w->flow.remote, w->flow.rport);
        named->remote = w->flow.remote;
        named->rport = w->flow.rport;
    }
    p->outgoing = out;
    return true;
}

/* Puts the target that the user named in the place of the one that it was rewritten to. */
static void translate_back(struct wire_packet *p, const struct flow *named)
{
    if (p->packet.kind == PACKET_ICMP)
        p->packet.icmp.flow = *named;
    else
        p->packet.flow = p->outgoing ? *named : flow_reverse(named);
}

/* A segment to our port from another address or port than the peer's. */
static void note_elsewhere(struct wire *w, const struct frame *f, const struct packet *p)
{
    const struct flow seen = flow_reverse(&p->flow);

    if (w->listen || !w->follows || p->kind != PACKET_TCP || (f->has_outgoing && f->outgoing) ||
        !addr_eq(&seen.local, &w->flow.local) ||
        (uint16_t)(seen.lport - w->flow.lport) >= w->lports)
        return;
    w->stats.elsewhere++;
    /* A SYN that was not seen to leave may have been sent there by this host's own rules. */
    if ((p->seg.flags & (SEG_SYN | SEG_ACK)) == (SEG_SYN | SEG_ACK) &&
        !(w->stats.translated && seen.rport == w->stats.nat_port &&
          addr_eq(&seen.remote, &w->stats.nat_addr)))
        w->stats.stray = (struct wire_stray){seen.remote, seen.rport, p->seg.flags, p->seg.ack};
}

/* Counts by which interface the peer's segments come in; a copy of one on the route's own interface
 * makes it one of that. Returns whether the packet is a copy. */
static bool is_copy(struct wire *w, const struct frame *f, const struct wire_packet *p)
{
    const int here = (int)f->ifindex;
    int first = 0;
    bool copy;

    if (!here || (!w->anywhere && w->info.ifindex))
        return false;
    copy = copies_seen(&w->copies, p->ip, p->ip_len, here, p->stamp, &first);
    w->stats.copies += copy;
    /* This host itself says over lo that its neighbour does not answer. */
    if (p->outgoing || !w->info.ifindex || p->packet.kind == PACKET_ICMP)
        return copy;
    copies_way_seen(&w->way, w->info.ifindex, here, copy, first);
    return copy;
}

/* A packet that could be read: 0 and *out, or why it is not for us. */
static int take_packet(struct wire *w, const struct frame *f, struct wire_packet *p,
                       struct wire_packet *out)
{
    struct flow named;
    bool is_translated;

    look_at_syn(w, &p->packet);
    /* A listening wire takes any remote for its own. */
    is_translated = w->listen && w->nat.flows.used && translated(w, f, p, &named);
    if (!is_translated && !match(w, &p->packet, &p->outgoing)) {
        is_translated = !w->listen && translated(w, f, p, &named);
        if (!is_translated) {
            note_elsewhere(w, f, &p->packet);
            return WAVE_ENOTOURS;
        }
    }
    if (p->outgoing && w->inbound_only)
        return WAVE_ENOTOURS;
    if (!p->fragments && is_copy(w, f, p)) /* each fragment was looked at by itself */
        return WAVE_ENOTOURS;
    if (!p->outgoing && !arrived_whole(w, p)) {
        if (!w->broken || p->packet.kind != PACKET_TCP)
            return WAVE_ECHECKSUM;
        p->broken = WAVE_ECHECKSUM;
    }
    if (is_translated)
        translate_back(p, &named);
    *out = *p;
    return 0;
}

/* Whether a packet of that flow, as its sender sees it, is one to us that is put together from its
 * fragments. */
static bool wants_whole(void *ctx, const struct flow *flow)
{
    const struct wire *w = ctx;
    struct flow seen = flow_reverse(flow);

    own_nat_restore(&w->nat, &seen);
    return is_ours(w, &seen);
}

/* Whether the fragment can be one of a packet to us. Only the first one has the ports. */
static bool may_be_ours(const struct wire *w, const struct ip_fragment *f)
{
    return f->v6 == w->flow.v6 &&
           (addr_eq(&w->flow.local, &any) || addr_eq(&f->target, &w->flow.local)) &&
           (w->listen || addr_eq(&f->source, &w->flow.remote) || w->nat.flows.used);
}

int wire_put_together(struct ip_reassembly **room, ip_reassembly_wants *wants, void *ctx,
                      wave_time at, const struct ip_fragment *one, struct wire_packet *p)
{
    struct ip_whole whole;
    int error;

    if (!*room)
        *room = ip_reassembly_create(wants, ctx);
    if (!*room)
        return WAVE_ENOTOURS; /* no memory for it: it is lost */
    error = ip_reassembly_add(*room, at, one, &whole);
    if (error)
        return error;
    p->ip = whole.bytes;
    p->ip_len = whole.len;
    p->fragments = whole.fragments;
    return ip_parse(p->ip, p->ip_len, &p->packet);
}

/* A packet that ip_parse() does not take may be a fragment. Returns what ip_parse() says of the
 * whole packet, which is then in *p; WAVE_EAGAIN while it is not complete; or why the fragment is
 * not for us. */
static int take_fragment(struct wire *w, const struct frame *f, struct wire_packet *p)
{
    struct ip_fragment one;
    int error = ip_fragment_parse(p->ip, p->ip_len, &one);

    if (error)
        return error;
    if ((f->has_outgoing && f->outgoing) || !may_be_ours(w, &one) || is_copy(w, f, p))
        return WAVE_ENOTOURS;
    if (!header_acceptable(w, p))
        return WAVE_ECHECKSUM;
    return wire_put_together(&w->fragments, wants_whole, w, p->stamp, &one, p);
}

/* Reads one captured frame: 0 and *out, or why there is no packet in it for us. */
static int read_frame(struct wire *w, const struct capture_frame *c, struct wire_packet *out)
{
    struct frame f;
    int error = frame_parse(capture_dlt(w->capture), c->bytes, c->caplen, &f);
    if (error)
        return error;
    const uint8_t *ip = c->bytes + f.offset;
    uint32_t ip_len = c->caplen - (uint32_t)f.offset;
    const bool ethernet = capture_dlt(w->capture) == DLT_EN10MB && !w->info.loopback;
    struct wire_packet p = {.stamp = c->stamp,
                            .ip = ip,
                            .ip_len = ip_len,
                            .link = ethernet ? c->bytes : c->link,
                            .link_len = ethernet ? (uint32_t)f.offset : c->link_len,
                            .mac = f.source};
    error = ip_parse(ip, ip_len, &p.packet);
    if (error == WAVE_ENOTOURS) {
        error = take_fragment(w, &f, &p);
        if (!p.fragments)
            return error;
    }
    if (error == WAVE_EMALFORMED && w->broken && malformed_arrival(w, p.ip, p.ip_len, &p.packet)) {
        p.broken = error;
        *out = p;
        return 0;
    }
    if (error)
        return error;
    if (p.packet.length < p.ip_len)
        p.ip_len = p.packet.length; /* without the padding of a short Ethernet frame */
    error = take_packet(w, &f, &p, out);
    w->stats.bad_whole += error == WAVE_ECHECKSUM && p.fragments;
    return error;
}

void wire_count_unread(struct wire_stats *s, int error)
{
    switch (error) {
    case WAVE_EAGAIN: /* a fragment that waits for the others */
        break;
    case WAVE_ETRUNC:
        s->truncated++;
        break;
    case WAVE_ECHECKSUM:
        s->bad_checksum++;
        s->malformed++;
        break;
    case WAVE_EMALFORMED:
        s->malformed++;
        break;
    default:
        s->unrelated++;
        break;
    }
}

/* A capture on all interfaces is not told that one of them was removed: looks once in a while
 * whether the route's own is there. 0, or WAVE_ESYS with *d filled in. */
static int still_there(struct wire *w, struct diag *d)
{
    struct ifreq ifr = {.ifr_ifindex = w->info.ifindex};
    wave_time now;

    if (!w->anywhere)
        return 0;
    now = wire_now();
    if (now < w->seen_at + LOOK_EVERY)
        return 0;
    w->seen_at = now;
    if (ioctl(capture_fd(w->capture), SIOCGIFNAME, &ifr) == 0 || errno != ENODEV)
        return 0;
    return diag_fail(d, WAVE_ESYS, "the capture failed: the interface was removed");
}

int wire_next(struct wire *w, struct wire_packet *out, struct diag *d)
{
    struct capture_frame c;
    int status;
    while ((status = capture_next(w->capture, &c, d)) > 0) {
        c.stamp = capture_clock_map(&w->stamp, c.stamp);
        w->gap = w->gap || c.gap;
        int error = read_frame(w, &c, out);
        if (error == 0) {
            out->gap = w->gap;
            w->gap = false;
            return 1;
        }
        wire_count_unread(&w->stats, error);
    }
    capture_clock_drained(&w->stamp);
    if (w->watching)
        wire_watch(w, wire_now());
    return status == 0 ? still_there(w, d) : status;
}

struct wire_stats wire_stats(struct wire *w)
{
    struct wire_stats s = w->stats;
    s.l2_send = tx_queue_l2_sent(w->tx_queue);
    s.given_up = tx_queue_given_up(w->tx_queue);
    s.fragmented = ip_reassembly_counts(w->fragments, capture_clock_now());
    capture_stats(w->capture, &s.received, &s.dropped);
    for (uint16_t i = 0; w->guard && i < w->lports; i++)
        s.counts_reached = guard_reached(&w->guard[i], &s.reached) || s.counts_reached;
    if (w->guards)
        s.counts_reached = guards_reached(w->guards, &s.reached);
    s.clock_step = capture_clock_stepped(&w->stamp);
    struct ifreq ifr = {.ifr_ifindex = w->way.ifindex};
    s.other = copies_way_other(&w->way);
    if (s.other && ioctl(capture_fd(w->capture), SIOCGIFNAME, &ifr) == 0)
        memcpy(s.other_interface, ifr.ifr_name, sizeof s.other_interface);
    return s;
}
