/*
 * A segment goes through the rules of its direction in their order. matches() says whether a rule
 * is about it, and apply() changes the verdict, in which the segment stands as the rules have left
 * it so far. What is done is put into words at the same time, for those who read them later.
 */
#include "lib/run/impair.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/text.h"
#include "lib/report/human.h"
#include "lib/run/impair_flow.h"
#include "lib/sim/prng.h"

#define SCALE_MAX 14 /* RFC 7323, 2.3 */
#define CHECKSUM_AT 16

struct impair {
    unsigned rules;
    struct {
        struct impair_rule rule;
        struct impair_count count;
        struct prng prng;
    } at[IMPAIR_RULES];
    struct impair_flows flows;
    uint8_t data[IMPAIR_DATA]; /* of a segment whose data was changed */
};

int impair_open(struct impair **out, const struct impair_rule *rules, unsigned count, uint64_t seed)
{
    struct impair *x = calloc(1, sizeof *x);

    if (!x)
        return WAVE_ENOMEM;
    x->rules = count < IMPAIR_RULES ? count : IMPAIR_RULES;
    for (unsigned i = 0; i < x->rules; i++) {
        x->at[i].rule = rules[i];
        x->at[i].count.words = rules[i].words;
        x->at[i].count.optional = rules[i].optional;
        x->at[i].prng.state = seed + (i + 1) * 0xd1342543de82ef95u;
    }
    impair_flows_init(&x->flows, x->rules);
    *out = x;
    return 0;
}

void impair_close(struct impair *x)
{
    if (!x)
        return;
    impair_flows_free(&x->flows);
    free(x);
}

unsigned impair_counts(const struct impair *x, struct impair_count out[IMPAIR_RULES])
{
    const unsigned n = x ? x->rules : 0;

    for (unsigned i = 0; i < n; i++)
        out[i] = x->at[i].count;
    return n;
}

/*
 * What is known of a connection
 */

static struct impair_syn syn_of(const struct seg *s)
{
    const bool scales = s->opt.has & OPT_WSCALE;

    return (struct impair_syn){.isn = s->seq,
                               .scales = scales,
                               .scale = scales && s->opt.wscale < SCALE_MAX ? s->opt.wscale
                                        : scales                            ? SCALE_MAX
                                                                            : 0};
}

/* Notes a SYN before the rules see it. */
static void note_given(const struct impair *x, struct impair_flow *f, enum impair_direction way,
                       const struct seg *s, wave_time now)
{
    struct impair_side *side = &f->side[way];

    if (!(s->flags & SEG_SYN))
        return;
    if (!(s->flags & SEG_ACK) && side->has && !seq_eq(side->given.isn, s->seq)) {
        impair_flows_restart(&x->flows, f, now);
    }
    side->has = true;
    side->given = side->left = syn_of(s);
}

/* Notes a SYN as the rules have left it. */
static void note_left(struct impair_flow *f, enum impair_direction way, const struct seg *given,
                      const struct seg *left)
{
    if (given->flags & SEG_SYN)
        f->side[way].left = syn_of(left);
}

/* Returns the scale by which the receiver reads the window of such a segment. What we sent reaches
 * the peer as the rules left it, and our TCP knows what it said itself; with what the peer sent it
 * is the other way round. */
static uint8_t scale_of(const struct impair_flow *f, enum impair_direction way, const struct seg *s)
{
    const struct impair_side *from = &f->side[way], *to = &f->side[!way];

    if ((s->flags & SEG_SYN) || !from->has || !to->has || !from->left.scales || !to->given.scales)
        return 0;
    return from->left.scale;
}

/* Returns whether the segment carries one of these bytes of its sender's stream. The stream begins
 * behind the SYN as the wire showed it. */
static bool has_bytes(const struct impair_flow *f, enum impair_direction way, const struct seg *s,
                      uint32_t first, uint32_t last)
{
    const struct impair_side *side = &f->side[way];
    const struct seq isn = way == IMPAIR_OUT ? side->left.isn : side->given.isn;
    const uint64_t begin = s->seq.v - isn.v + ((s->flags & SEG_SYN) != 0);

    return side->has && s->len && begin <= last && begin + s->len > first;
}

/*
 * Matching
 */

/* A segment on its way through the rules. */
struct passage {
    struct impair *x;
    struct impair_flow *f;
    enum impair_direction way;
    wave_time now, age;       /* `age` is that of the connection */
    struct impair_verdict *v; /* v->seg: the segment, as it is now */
    struct text_out said;     /* v->about.what */
};

static bool flags_match(uint16_t named, uint16_t flags)
{
    const uint16_t ends = SEG_SYN | SEG_FIN | SEG_RST;

    if ((named & ends) != (flags & ends) || (named & ~flags))
        return false;
    return !(named & SEG_SYN) || !(flags & SEG_ACK) == !(named & SEG_ACK);
}

/* Returns whether the action can be done to this segment at all. */
static bool applies(const struct passage *p, const struct impair_rule *r)
{
    const struct seg *s = &p->v->seg;

    switch (r->action) {
    case IMPAIR_CORRUPT_DATA:
        return s->len && s->len <= IMPAIR_DATA;
    case IMPAIR_TRUNCATE:
        return s->len > r->number;
    case IMPAIR_ACK:
        return s->flags & SEG_ACK;
    case IMPAIR_STRIP:
        return s->opt.has & r->options;
    case IMPAIR_MSS:
        return s->opt.has & OPT_MSS;
    case IMPAIR_WSCALE:
        return s->opt.has & OPT_WSCALE;
    case IMPAIR_TS:
    case IMPAIR_TSECR:
        return s->opt.has & OPT_TIMESTAMP;
    case IMPAIR_SACK:
        return s->opt.has & OPT_SACK;
    case IMPAIR_RST:
        return !(s->flags & SEG_RST);
    case IMPAIR_REORDER:
        return !p->v->hold && p->now >= p->f->side[p->way].held_until;
    default:
        return true;
    }
}

/* Returns whether the segment passes the items that say something about itself. */
static bool describes(const struct passage *p, const struct impair_rule *r)
{
    const struct seg *s = &p->v->seg;
    const unsigned m = r->match;

    return !((m & IMPAIR_BY_FLAGS) && !flags_match(r->flags, s->flags)) &&
           !((m & IMPAIR_BY_DATA) && !s->len) && !((m & IMPAIR_BY_NO_DATA) && s->len) &&
           !((m & IMPAIR_BY_AFTER) && p->age < r->after) &&
           !((m & IMPAIR_BY_BEFORE) && p->age >= r->before) &&
           !((m & IMPAIR_BY_BYTES) && !has_bytes(p->f, p->way, s, r->byte_first, r->byte_last)) &&
           applies(p, r);
}

static bool matches(const struct passage *p, unsigned i)
{
    const struct impair_rule *r = &p->x->at[i].rule;
    uint32_t n;

    if (!describes(p, r))
        return false;
    if ((r->match & IMPAIR_BY_CHANCE) && prng_below(&p->x->at[i].prng, IMPAIR_ALWAYS) >= r->chance)
        return false;
    if (p->f->count[i] < UINT32_MAX)
        p->f->count[i]++;
    n = p->f->count[i];
    return !((r->match & IMPAIR_BY_NUMBER) && (n < r->first || n > r->last)) &&
           !((r->match & IMPAIR_BY_EVERY) && n % r->every != 0);
}

/*
 * Applying
 */

/* Adds to the words for what is done, and to the acts. */
__attribute__((format(printf, 3, 4))) static void did(struct passage *p, unsigned act,
                                                      const char *format, ...)
{
    va_list args;

    if (p->said.used)
        text_add(&p->said, ", ");
    va_start(args, format);
    text_vadd(&p->said, format, args);
    va_end(args);
    p->v->about.acts |= act;
}

/* Returns how the words for a changed segment begin. */
static const char *passes(const struct passage *p)
{
    return p->way == IMPAIR_OUT ? "sent" : "taken in";
}

/* Says that a number was replaced, if it is another one. */
static void did_replace(struct passage *p, const char *what, uint64_t now, uint64_t before)
{
    if (now != before)
        did(p, IMPAIRED_REWRITTEN, "%s with %s %" PRIu64 " instead of %" PRIu64, passes(p), what,
            now, before);
}

/* Says that a number was moved. */
static void did_move(struct passage *p, const char *what, int64_t by)
{
    did(p, IMPAIRED_REWRITTEN, "%s with the %s %" PRIu64 " %s", passes(p), what,
        (uint64_t)(by < 0 ? -by : by), by < 0 ? "lower" : "higher");
}

/* The options were changed: their bytes as they came say nothing any more. */
static void options_changed(struct opt *o)
{
    o->raw = NULL;
    o->raw_len = 0;
}

static void set_window(struct passage *p, uint32_t bytes)
{
    struct seg *s = &p->v->seg;
    const uint8_t scale = scale_of(p->f, p->way, s);
    const uint16_t before = s->wnd;
    const uint32_t field = bytes >> scale;

    s->wnd = (uint16_t)(field < UINT16_MAX ? field : UINT16_MAX);
    did_replace(p, "window", (uint64_t)s->wnd << scale, (uint64_t)before << scale);
}

static void set_flags(struct passage *p, uint16_t flags)
{
    char now[SEG_FLAGS_TEXT], before[SEG_FLAGS_TEXT];
    struct seg *s = &p->v->seg;

    if (s->flags == flags)
        return;
    did(p, IMPAIRED_REWRITTEN, "%s with flags %s instead of %s", passes(p),
        seg_flags_text(flags, now), seg_flags_text(s->flags, before));
    s->flags = flags;
}

static void strip(struct passage *p, uint8_t options)
{
    const char *name = options == OPT_MSS              ? "MSS"
                       : options == OPT_WSCALE         ? "window scale"
                       : options == OPT_SACK_PERMITTED ? "SACK permitted"
                       : options == OPT_SACK           ? "SACK blocks"
                       : options == OPT_TIMESTAMP      ? "timestamps"
                                                       : "options";
    struct opt *o = &p->v->seg.opt;

    if (options == UINT8_MAX)
        *o = (struct opt){0};
    o->has &= (uint8_t)~options;
    if (options & OPT_SACK)
        o->sacks = 0;
    options_changed(o);
    did(p, IMPAIRED_REWRITTEN, "%s without %s", passes(p), name);
}

static void change_option(struct passage *p, const struct impair_rule *r)
{
    struct opt *o = &p->v->seg.opt;
    const uint32_t by = (uint32_t)r->number;

    if (r->action == IMPAIR_MSS) {
        did_replace(p, "MSS", by, o->mss);
        o->mss = (uint16_t)by;
    } else if (r->action == IMPAIR_WSCALE) {
        did_replace(p, "window scale", by, o->wscale);
        o->wscale = (uint8_t)by;
    } else if (r->action == IMPAIR_TS) {
        o->tsval += by;
        did_move(p, "timestamp", r->number);
    } else if (r->action == IMPAIR_TSECR) {
        o->tsecr += by;
        did_move(p, "timestamp's echo", r->number);
    } else {
        for (unsigned i = 0; i < o->sacks; i++) {
            o->sack[i].first = seq_add(o->sack[i].first, by);
            o->sack[i].end = seq_add(o->sack[i].end, by);
        }
        did_move(p, "SACK blocks", r->number);
    }
    options_changed(o);
}

static void set_urgent(struct passage *p, uint16_t pointer)
{
    struct seg *s = &p->v->seg;
    const uint16_t flags = (uint16_t)(pointer ? s->flags | SEG_URG : s->flags & ~SEG_URG);

    if (pointer == s->urp && flags == s->flags)
        return;
    s->urp = pointer;
    s->flags = flags;
    if (pointer)
        did(p, IMPAIRED_REWRITTEN, "%s with urgent pointer %u", passes(p), pointer);
    else
        did(p, IMPAIRED_REWRITTEN, "%s without urgent pointer", passes(p));
}

static void set_ecn(struct passage *p, uint8_t ecn)
{
    static const char *const words[] = {"none", "ect1", "ect0", "ce"};
    struct seg *s = &p->v->seg;

    if (s->ecn == ecn)
        return;
    did(p, IMPAIRED_REWRITTEN, "%s with ECN %s instead of %s", passes(p), words[ecn & 3],
        words[s->ecn & 3]);
    s->ecn = ecn;
}

/* Keeps only the first bytes of the data. What comes after the data, a FIN, is cut off with it. */
static void truncate_data(struct passage *p, uint32_t keep)
{
    struct seg *s = &p->v->seg;

    did(p, IMPAIRED_TRUNCATED, "cut to %" PRIu32 " of %" PRIu32 " bytes", keep, s->len);
    s->len = keep;
    s->flags &= (uint16_t)~SEG_FIN;
    if (!keep)
        s->data = NULL;
}

/* Changes a byte of the data, in memory of our own. */
static void corrupt_data(struct passage *p, struct prng *r)
{
    struct seg *s = &p->v->seg;
    const uint32_t at = (uint32_t)prng_below(r, s->len);

    if (s->data != p->x->data)
        memcpy(p->x->data, s->data, s->len);
    s->data = p->x->data;
    p->x->data[at] ^= (uint8_t)(1 + prng_below(r, 255));
    did(p, IMPAIRED_CORRUPTED, "byte %" PRIu32 " of its data changed, checksum repaired", at + 1);
}

/* Changes fields of the header or the options. */
static void rewrite(struct passage *p, const struct impair_rule *r)
{
    struct seg *s = &p->v->seg;
    const uint32_t n = (uint32_t)r->number;

    switch (r->action) {
    case IMPAIR_WIN:
        set_window(p, n);
        break;
    case IMPAIR_SEQ:
        s->seq = seq_add(s->seq, n);
        did_move(p, "sequence number", r->number);
        break;
    case IMPAIR_ACK:
        s->ack = seq_add(s->ack, n);
        did_move(p, "acknowledgment number", r->number);
        break;
    case IMPAIR_FLAGS:
        set_flags(p, r->set);
        break;
    case IMPAIR_STRIP:
        strip(p, r->options);
        break;
    case IMPAIR_URG:
        set_urgent(p, (uint16_t)n);
        break;
    case IMPAIR_TTL:
        p->v->ttl = (uint8_t)n;
        did(p, IMPAIRED_REWRITTEN, "%s with TTL %" PRIu32, passes(p), n);
        break;
    case IMPAIR_ECN:
        set_ecn(p, (uint8_t)n);
        break;
    default:
        change_option(p, r);
        break;
    }
}

static void apply(struct passage *p, unsigned i)
{
    const struct impair_rule *r = &p->x->at[i].rule;
    struct prng *prng = &p->x->at[i].prng;
    struct impair_verdict *v = p->v;
    char text[HUMAN_TEXT];

    switch (r->action) {
    case IMPAIR_DROP:
        v->drop = true;
        did(p, IMPAIRED_DROPPED, "dropped");
        break;
    case IMPAIR_RST:
        v->drop = v->answer = true;
        did(p, IMPAIRED_DROPPED | IMPAIRED_RESET, "dropped and answered with RST");
        break;
    case IMPAIR_DUP:
        v->twice = true;
        did(p, IMPAIRED_DUPLICATED, "%s twice", passes(p));
        break;
    case IMPAIR_DELAY:
        v->wait = time_add(v->wait, r->delay);
        did(p, IMPAIRED_DELAYED, "delayed by %s", human_duration(r->delay, text));
        break;
    case IMPAIR_REORDER:
        v->hold = true;
        did(p, IMPAIRED_REORDERED, "held back until the next segment has passed");
        break;
    case IMPAIR_CORRUPT:
        v->spoil = true;
        v->bit = (uint32_t)prng_next(prng);
        did(p, IMPAIRED_CORRUPTED | IMPAIRED_BROKEN,
            "one bit changed, so that its checksum is wrong");
        break;
    case IMPAIR_CORRUPT_DATA:
        corrupt_data(p, prng);
        break;
    case IMPAIR_TRUNCATE:
        truncate_data(p, (uint32_t)r->number);
        break;
    default:
        rewrite(p, r);
        break;
    }
}

bool impair_segment(struct impair *x, enum impair_direction direction, const struct flow *flow,
                    const struct seg *s, wave_time now, struct impair_verdict *out)
{
    const struct flow ours = direction == IMPAIR_OUT ? *flow : flow_reverse(flow);
    struct passage p = {
        .x = x, .f = impair_flows_get(&x->flows, &ours, now), .way = direction, .v = out};

    if (!p.f) /* no memory at all */
        return false;
    note_given(x, p.f, direction, s, now);
    p.now = now;
    p.age = now - p.f->begun;
    *out = (struct impair_verdict){.seg = *s};
    p.said = (struct text_out){.text = out->about.what, .room = sizeof out->about.what};
    for (unsigned i = 0; i < x->rules && !out->drop; i++) {
        const unsigned before = out->about.acts;
        const wave_time wait = out->wait;
        const bool hold = out->hold;

        if (x->at[i].rule.direction != direction)
            continue;
        x->at[i].count.seen++;
        if (!matches(&p, i))
            continue;
        x->at[i].count.matched++;
        apply(&p, i);
        if (out->wait != wait || out->hold != hold)
            out->held_by = i + 1;
        if (!before && out->about.acts) {
            out->about.rule = i + 1;
            out->about.words = x->at[i].rule.words;
        }
    }
    note_left(p.f, direction, s, &out->seg);
    if (out->hold)
        p.f->side[direction].held_until = time_add(now, IMPAIR_HELD);
    else if (!out->drop && !out->wait) /* it overtakes what is held back */
        p.f->side[direction].held_until = 0;
    return out->about.acts != 0;
}

/*
 * For the port
 */

void impair_held(struct impair *x, unsigned rule, bool more)
{
    if (rule)
        x->at[rule - 1].count.held += more ? 1 : (uint64_t)-1;
}

void impair_spoil(uint8_t *tcp, uint32_t len, uint32_t bit)
{
    const uint32_t header = len > 12 ? (tcp[12] >> 4) * 4u : 0, place = bit >> 3;

    if (len < SEG_HEADER)
        return;
    if (len > header)
        tcp[header + place % (len - header)] ^= (uint8_t)(1u << (bit & 7));
    else
        tcp[CHECKSUM_AT + place % 2] ^= (uint8_t)(1u << (bit & 7));
}

struct seg impair_reset(const struct seg *s)
{
    if (s->flags & SEG_ACK)
        return (struct seg){.seq = s->ack, .flags = SEG_RST};
    return (struct seg){.ack = seg_end(s), .flags = SEG_RST | SEG_ACK};
}
