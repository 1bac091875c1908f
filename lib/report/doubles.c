/*
 * A packet is known by a digest of those fields that no hop changes. Digests are kept in a table in
 * which the newer one takes the older one's place: a copy comes within a few packets, or never.
 */
#include "lib/report/doubles.h"

static uint64_t mix(uint64_t digest, uint64_t n)
{
    digest = (digest ^ n) * 0x9e3779b97f4a7c15u;
    return digest ^ digest >> 29;
}

/* The hash is the same for both directions, so the ports go in as they stand in the segment. */
static uint64_t digest_of(uint64_t hash, const struct packet *p)
{
    const struct seg *s = &p->seg;
    const bool syn = s->flags & SEG_SYN;
    uint64_t n = mix(hash, (uint64_t)s->seq.v << 32 | s->ack.v);

    n = mix(n, (uint64_t)p->id << 48 | (uint64_t)s->flags << 32 | (syn ? 0 : s->len));
    n = mix(n, (uint64_t)p->flow.lport << 48 | (uint64_t)p->flow.rport << 32 |
                   (syn ? 0 : (uint64_t)s->wnd << 8 | s->opt.sacks));
    if (!syn)
        n = mix(n, (uint64_t)s->opt.tsval << 32 | s->opt.tsecr);
    return n;
}

/* Returns for how long a packet at another place is taken for the same one. */
static wave_time longest(const struct packet *p)
{
    if (p->id)
        return DOUBLES_APART;
    if (p->seg.flags & SEG_SYN)
        return DOUBLES_SYN_APART;
    return p->seg.opt.has & OPT_TIMESTAMP ? DOUBLES_APART : DOUBLES_WITHIN;
}

enum double_kind doubles_note(struct doubles *d, uint64_t hash, const struct packet *p,
                              uint32_t place, wave_time stamp)
{
    const uint64_t digest = digest_of(hash, p);
    const uint32_t at = (uint32_t)(digest >> 40) % DOUBLES_KEPT;
    const wave_time before = d->at[at].stamp;
    const wave_time apart = stamp >= before ? stamp - before : before - stamp;

    if (d->at[at].digest == (uint32_t)digest && d->at[at].place) {
        if (d->at[at].place != place && apart <= longest(p))
            return DOUBLE_ELSEWHERE;
        if (d->at[at].place == place && apart <= DOUBLES_WITHIN && p->id)
            return DOUBLE_COPY;
    }
    d->at[at].digest = (uint32_t)digest;
    d->at[at].stamp = stamp;
    d->at[at].place = place;
    return DOUBLE_NONE;
}
