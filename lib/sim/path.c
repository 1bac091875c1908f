/*
 * A segment's way: path_send() encodes it and decides whether it is lost; line() decides when its
 * last bit has left; depart() decides when it arrives and in what shape; post() puts it among the
 * packets that are on their way, in the order of their arrival.
 */
#include "lib/sim/path.h"
#include "lib/core/ip.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/err.h"

#define SMALL 256 /* bytes of a segment that is not worth being kept: it has little data or none   \
                   */
#define LARGE 2048
#define SPARES_MAX 16384 /* 32 MB */

/* Returns the bytes of the IP packet that carries `len` bytes of TCP. */
static uint32_t packet_size(const struct flow *flow, uint32_t len)
{
    return len + (flow->v6 ? IPV6_HEADER : IPV4_HEADER);
}

/* Puts the packet on its way; when there is no memory, frees it and returns WAVE_ENOMEM. */
static int post(struct path *p, wave_time at, struct delayed_packet *c)
{
    int error = delay_line_put(&p->delay_line, at, c);

    if (error)
        packet_pool_give(&p->pool, c);
    return error;
}

/* Returns whether the segment is too big for the path, and sends the router's ICMP error if so. The
 * router stands half way, so the way to it and back takes the delay of one direction. */
static bool too_big(struct path *p, wave_time now, unsigned from, const struct flow *flow,
                    const struct seg *s, uint32_t len)
{
    const struct path_impairment *m = &p->direction[from].impairment;

    if (!m->mtu || packet_size(flow, len) <= m->mtu)
        return false;
    if (!m->silent_mtu)
        path_error(p, time_add(now, m->delay), from,
                   &(struct icmp){.type = flow->v6 ? 2 : 3,
                                  .code = flow->v6 ? 0 : 4,
                                  .mtu = m->mtu,
                                  .flow = *flow,
                                  .has_seq = true,
                                  .seq = s->seq,
                                  .meaning = ICMP_TOO_BIG,
                                  .from = p->router[flow->v6 != 0]});
    return true;
}

/* Puts `size` bytes on the line. Returns false when its queue is full; otherwise *sent is the time
 * when their last bit has left. An idle line takes any segment, even one that is longer than the
 * queue. */
static bool line(struct path_direction *w, wave_time now, uint32_t size, wave_time *sent)
{
    const struct path_impairment *m = &w->impairment;
    wave_time start = now;
    unsigned __int128 takes, waiting;

    *sent = now;
    if (!m->bandwidth)
        return true;
    if (w->line_free > now) {
        start = w->line_free;
        waiting = (unsigned __int128)(start - now) * m->bandwidth / (8 * WAVE_S);
        if (m->queue && waiting + size > m->queue)
            return false;
    }
    takes = (unsigned __int128)size * 8 * WAVE_S / m->bandwidth;
    w->line_free = *sent = time_add(start, (wave_time)takes);
    return true;
}

/* Flips one bit. This always changes the checksum: the sum differs by a power of two, and so never
 * by 65535. */
static void corrupt(struct path *p, struct delayed_packet *c)
{
    uint64_t bit = prng_below(&p->prng, 8 * (uint64_t)c->len);

    packet_segment(c)[bit / 8] ^= (uint8_t)(1 << bit % 8);
    c->corrupted = true;
    p->counts.corrupted++;
}

/* Sends a segment, or a copy of it, on its way at time `sent`: adds delay, jitter, reordering and
 * corruption. */
static int depart(struct path *p, struct path_direction *w, wave_time sent,
                  struct delayed_packet *c)
{
    const struct path_impairment *m = &w->impairment;
    wave_time at = time_add(sent, m->delay);

    if (m->jitter)
        at = time_add(at, prng_below(&p->prng, m->jitter + 1));
    if (prng_chance(&p->prng, m->reordering)) {
        p->counts.reordered++;
        at = time_add(at, 1 + prng_below(&p->prng, m->delay + m->jitter + WAVE_MS));
    } else {
        if (at < w->last_arrival)
            at = w->last_arrival;
        w->last_arrival = at;
    }
    if (prng_chance(&p->prng, m->corruption))
        corrupt(p, c);
    return post(p, at, c);
}

/* Sends a second copy of the packet, ahead of the original. */
static int duplicate(struct path *p, struct path_direction *w, wave_time sent,
                     const struct delayed_packet *c)
{
    struct delayed_packet *copy = packet_pool_take(&p->pool, c->from, c->len, NULL);

    if (!copy)
        return WAVE_ENOMEM;
    copy->number = c->number;
    copy->ecn = c->ecn;
    copy->flow = c->flow;
    copy->start = c->start;
    copy->len = c->len;
    memcpy(packet_segment(copy), c->bytes + c->start, c->len);
    p->counts.duplicated++;
    return depart(p, w, sent, copy);
}

int path_send(struct path *p, wave_time now, unsigned from, const struct flow *flow,
              const struct seg *s, uint64_t number, bool lost)
{
    struct path_direction *w = &p->direction[from];
    const size_t header = SEG_HEADER + opt_size(&s->opt);
    struct delayed_packet *c = packet_pool_take(&p->pool, from, s->len, s->data);
    wave_time sent;
    int len;

    if (!c)
        return WAVE_ENOMEM;
    c->number = number;
    c->ecn = s->ecn;
    c->flow = *flow;
    p->counts.sent++;
    c->start = header <= SEG_HEADER_MAX ? (uint32_t)(PACKET_DATA_AT - header) : 0;
    len = seg_build(flow, s, packet_segment(c), c->room - c->start);
    if (len < SEG_HEADER) {
        packet_pool_give(&p->pool, c);
        return WAVE_EINVAL;
    }
    c->len = (uint32_t)len;
    if (lost || too_big(p, now, from, flow, s, c->len) ||
        prng_chance(&p->prng, w->impairment.loss) ||
        !line(w, now, packet_size(flow, c->len), &sent)) {
        p->counts.lost++;
        packet_pool_give(&p->pool, c);
        return 0;
    }
    if (s->ecn != ECN_NOT && prng_chance(&p->prng, w->impairment.marking)) {
        p->counts.marked++;
        c->ecn = ECN_CE;
    }
    if (prng_chance(&p->prng, w->impairment.duplication) && duplicate(p, w, sent, c) != 0) {
        packet_pool_give(&p->pool, c);
        return WAVE_ENOMEM;
    }
    return depart(p, w, sent, c);
}

int path_error(struct path *p, wave_time at, unsigned to, const struct icmp *e)
{
    struct delayed_packet *c = packet_pool_take(&p->pool, to, sizeof *e, NULL);

    if (!c)
        return WAVE_ENOMEM;
    c->icmp = true;
    c->flow = e->flow;
    memcpy(c->bytes, e, sizeof *e);
    return post(p, at, c);
}

const struct icmp *path_error_of(const struct delayed_packet *c)
{
    return (const struct icmp *)(const void *)c->bytes;
}

wave_time path_next(const struct path *p)
{
    return delay_line_next(&p->delay_line);
}

struct delayed_packet *path_take(struct path *p)
{
    return delay_line_take(&p->delay_line);
}

void path_lose_all(struct path *p)
{
    for (struct delayed_packet *c = path_take(p); c; c = path_take(p)) {
        p->counts.lost += !c->icmp;
        packet_pool_give(&p->pool, c);
    }
}

void path_init(struct path *p, uint64_t seed)
{
    *p =
        (struct path){.prng = {seed},
                      .router = {addr_v4(192, 0, 2, 254), {{0x20, 0x01, 0x0d, 0xb8, [15] = 0xfe}}}};
}

void path_free(struct path *p)
{
    delay_line_free(&p->delay_line);
    packet_pool_free(&p->pool);
}
