/*
 * A packet is known by a digest of those fields that no hop changes. Digests are kept in a table in
 * which the newer one takes the oldest one's place in its set.
 */
#include "lib/report/doubles.h"

#include "lib/core/bytes.h"

#define TICK_BITS 16 /* stamps are compared in units of 2^16 ns, modulo 2^32: three days */

static uint64_t mix(uint64_t digest, uint64_t n)
{
    digest = (digest ^ n) * 0x9e3779b97f4a7c15u;
    return digest ^ digest >> 29;
}

/* It holds no secret, unlike the hash of the flow table: which packets fall into one set, and push
 * each other out, must not change from run to run. */
static uint64_t digest_of(const struct packet *p)
{
    const struct seg *s = &p->seg;
    const struct flow *f = &p->flow;
    const bool syn = s->flags & SEG_SYN;
    uint64_t n = mix((uint64_t)s->seq.v << 32 | s->ack.v,
                     (uint64_t)get_u32(f->local.byte) << 32 | get_u32(f->remote.byte));

    for (unsigned i = 4; f->v6 && i < sizeof f->local.byte; i += 4)
        n = mix(n, (uint64_t)get_u32(f->local.byte + i) << 32 | get_u32(f->remote.byte + i));
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

/* Between two places there may be as many packets as are on their way, of which each set keeps the
 * newest ones. */
enum double_kind doubles_note(struct doubles *d, const struct packet *p, uint32_t place,
                              wave_time stamp)
{
    const uint64_t n = digest_of(p);
    const uint32_t digest = (uint32_t)n, tick = (uint32_t)(stamp >> TICK_BITS);
    struct doubles_set *s = &d->set[(uint32_t)(n >> 40) % DOUBLES_SETS];
    _Static_assert(DOUBLES_WAYS == 4, "the ways are looked at one by one");
    unsigned i = s->digest[0] == digest   ? 0
                 : s->digest[1] == digest ? 1
                 : s->digest[2] == digest ? 2
                 : s->digest[3] == digest ? 3
                                          : DOUBLES_WAYS;

    if (i == DOUBLES_WAYS) {
        i = s->next;
        s->next = (i + 1) % DOUBLES_WAYS;
    } else if (s->place[i]) {
        const int32_t later = (int32_t)(tick - s->tick[i]);
        const wave_time apart = (wave_time)(later < 0 ? -(int64_t)later : later) << TICK_BITS;
        if (s->place[i] != place && apart <= longest(p))
            return DOUBLE_ELSEWHERE;
        if (s->place[i] == place && apart <= DOUBLES_WITHIN && p->id)
            return DOUBLE_COPY;
        if (s->place[i] == place && apart <= DOUBLES_ALIKE && !p->id && p->seg.len &&
            (p->seg.opt.has & OPT_TIMESTAMP))
            return DOUBLE_ALIKE;
    }
    s->digest[i] = digest;
    s->place[i] = place;
    s->tick[i] = tick;
    return DOUBLE_NONE;
}
