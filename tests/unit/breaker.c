/* Implements a host that breaks the rules: what its layer may do to a packet, chosen by the run's
 * seed, and when the host counts as having lied. See breaker.h. */
#include "tests/unit/breaker.h"

#include <string.h>

static bool now_and_then(struct breaker *b, unsigned rule)
{
    return (b->rules & rule) && prng_chance(&b->prng, b->often);
}

static void put(struct breaker *b, const struct seg *s)
{
    link_inject(b->sim->link, b->end, s);
}

static void keep(struct breaker *b, const struct seg *s)
{
    struct breaker_kept *k = &b->keep[b->kept % BREAKER_KEPT];

    if (s->len > sizeof k->data)
        return;
    k->seg = *s;
    k->state = b->sim->end[b->end].conn.state;
    k->seg.opt.raw = NULL;
    if (s->len)
        memcpy(k->data, s->data, s->len);
    k->seg.data = s->len ? k->data : NULL;
    b->kept++;
}

static void repeat(struct breaker *b)
{
    uint32_t there = b->kept < BREAKER_KEPT ? b->kept : BREAKER_KEPT; /* at least the last one */

    b->repeating = &b->keep[prng_below(&b->prng, there)];
    put(b, &b->repeating->seg);
    b->repeating = NULL;
}

/* Returns a number near `n`, in most cases the one beside it. */
static struct seq beside(struct breaker *b, struct seq n)
{
    uint64_t kind = prng_below(&b->prng, 4);
    uint32_t by = kind == 0 ? 1 : 1 + (uint32_t)prng_below(&b->prng, kind == 1 ? 3000 : 100000);

    if (kind == 3)
        return n;
    return prng_chance(&b->prng, 5000) ? seq_add(n, by) : seq_sub(n, by);
}

/* Sends a segment of which the engine knows nothing. It has no data, so that no wrong byte is read.
 */
static void lie(struct breaker *b, const struct seg *s)
{
    static const uint16_t flags[] = {SEG_ACK,           SEG_ACK,           SEG_FIN | SEG_ACK,
                                     SEG_FIN | SEG_ACK, SEG_RST,           SEG_RST | SEG_ACK,
                                     SEG_SYN,           SEG_SYN | SEG_ACK, SEG_FIN};
    struct seg odd = *s;

    odd.len = 0;
    odd.data = NULL;
    odd.flags = flags[prng_below(&b->prng, sizeof flags / sizeof flags[0])];
    /* Another ISN would displace every byte that the honest end reads. */
    if (b->sim->end[!b->end].conn.state < STATE_ESTABLISHED)
        odd.flags &= (uint16_t)~SEG_SYN;
    odd.seq = beside(b, prng_chance(&b->prng, 5000) ? s->seq : seg_end(s));
    odd.ack = beside(b, s->ack);
    b->lied = true;
    put(b, &odd);
}

/* Changes a segment: the same data is said to end the stream here, or another number is
 * acknowledged. */
static void bend(struct breaker *b, struct seg *s)
{
    b->lied = true;
    if (prng_chance(&b->prng, 3000) && !(s->flags & (SEG_SYN | SEG_RST)))
        s->flags ^= SEG_FIN;
    else if (s->flags & SEG_ACK)
        s->ack = beside(b, s->ack);
}

static void acknowledge_unsent(struct breaker *b, const struct seg *s)
{
    struct seg odd = *s;

    if (!(s->flags & SEG_ACK) || (s->flags & (SEG_SYN | SEG_RST)))
        return;
    odd.len = 0;
    odd.data = NULL;
    odd.flags = SEG_ACK;
    odd.seq = b->sim->end[b->end].conn.snd.nxt;
    /* Beyond all that the other side will ever send: else it may be true when it arrives. */
    odd.ack =
        seq_add(b->sim->end[!b->end].conn.snd.nxt, (uint32_t)b->sim->end[!b->end].user.total + 10 +
                                                       (uint32_t)prng_below(&b->prng, 50000));
    put(b, &odd);
}

/* Cuts off the end of the data, but not before a FIN: a host that has not sent its FIN is in no
 * state that a FIN leads to. */
static void cut(struct breaker *b, struct seg *s)
{
    if (s->len < 2 || (s->flags & (SEG_SYN | SEG_FIN)))
        return;
    s->len = 1 + (uint32_t)prng_below(&b->prng, s->len - 1);
}

static void out(void *ctx, const struct seg *given)
{
    struct breaker *b = ctx;
    struct seg s = *given;

    s.opt.raw = NULL;
    if ((b->rules & BREAK_WINDOW) && (s.flags & SEG_SYN))
        s.opt.has &= (uint8_t)~OPT_WSCALE;
    if (now_and_then(b, BREAK_STAMP))
        s.opt.tsval += (uint32_t)prng_next(&b->prng) >> prng_below(&b->prng, 32);
    if (now_and_then(b, BREAK_OFFER))
        s.wnd = prng_chance(&b->prng, 3000) ? 0 : (uint16_t)prng_next(&b->prng);
    if (now_and_then(b, BREAK_CUT))
        cut(b, &s);
    if (now_and_then(b, BREAK_LIES))
        bend(b, &s);
    put(b, &s);
    keep(b, &s);
    if (now_and_then(b, BREAK_REPEAT))
        repeat(b);
    if (now_and_then(b, BREAK_UNSENT))
        acknowledge_unsent(b, &s);
    if (now_and_then(b, BREAK_LIES))
        lie(b, &s);
}

static bool in(void *ctx, struct seg *s)
{
    struct breaker *b = ctx;

    if ((b->rules & BREAK_WINDOW) && (s->flags & SEG_SYN)) {
        s->opt.has |= OPT_WSCALE;
        s->opt.wscale = b->shift;
    }
    return !((b->rules & BREAK_DEAF) && (s->flags & SEG_FIN));
}

void breaker_init(struct breaker *b, struct sim *sim, enum link_end end, unsigned rules,
                  uint64_t seed)
{
    *b = (struct breaker){.sim = sim, .end = end, .prng = {seed}};
    b->rules = rules & (unsigned)prng_next(&b->prng);
    b->often = prng_chance(&b->prng, 3000) ? 100 : (uint32_t)prng_below(&b->prng, 3000);
    b->shift = (uint8_t)(1 + prng_below(&b->prng, 3));
    if (!prng_chance(&b->prng, 1500))
        b->rules &= ~(unsigned)BREAK_DEAF;
    if (b->rules & BREAK_WINDOW) {
        sim->end[end].env.config.wscale = true;
        sim->end[!end].env.config.wscale = false;
    }
    struct link_hook layer = {.out = out, .in = in, .ctx = b};
    link_hook(sim->link, end, &layer);
}
