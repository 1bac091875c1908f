/*
 * Each segment is taken into account in three steps: what it sends, which is compared with what its
 * side has sent before; what it acknowledges, which ends the marks of the other side; and the
 * window that it offers. The fields of struct measure_side say what counts as what. What few
 * segments need stands apart, not inlined, so that the others do not save its registers.
 */
#include "lib/report/measure.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define UNIT_BITS 6 /* round trips are counted in units of 2^6 ns */
#define SUB_BITS 4  /* a bucket is as wide as a 16th of its power of two */
#define BUCKETS ((32 - SUB_BITS + 1) << SUB_BITS)
#define NEAR (3 * WAVE_MS) /* what came so soon behind a gap was not asked for (as tshark has it)  \
                            */

/* A histogram of round trips in units. */
struct measure_histogram {
    uint16_t bucket[BUCKETS];
    uint32_t next_free; /* 1 + index, while it is not in use */
};

struct measure_room {
    uint32_t count, used, free; /* `free`: 1 + index of the first that was given back */
    struct measure_histogram at[];
};

struct measure_room *measure_room_create(uint32_t histograms)
{
    struct measure_room *r = calloc(1, sizeof *r + histograms * sizeof r->at[0]);

    if (r)
        r->count = histograms;
    return r;
}

void measure_room_free(struct measure_room *r)
{
    free(r);
}

/* Returns 1 + the index of an empty histogram, or 0. */
static uint32_t take_histogram(struct measure_room *r)
{
    uint32_t i = r->free;

    if (i) {
        r->free = r->at[i - 1].next_free;
        memset(&r->at[i - 1], 0, sizeof r->at[0]);
        return i;
    }
    return r->used < r->count ? ++r->used : 0;
}

static void give_back(struct measure_rtt *rtt, struct measure_room *r)
{
    if (!rtt->histogram)
        return;
    r->at[rtt->histogram - 1].next_free = r->free;
    r->free = rtt->histogram;
    rtt->histogram = 0;
}

void measure_init(struct measure *m, wave_time at)
{
    memset(m, 0, offsetof(struct measure, side));
    m->first = m->last = at;
    m->syn_at = m->syn_ack_at = m->to_server = m->to_client = WAVE_NEVER;
    for (unsigned i = 0; i < TRACK_SIDES; i++) {
        memset(&m->side[i], 0, offsetof(struct measure_side, rtt.sample));
        m->side[i].flight_open = true;
    }
}

void measure_end(struct measure *m, struct measure_room *r)
{
    give_back(&m->side[TRACK_A].rtt, r);
    give_back(&m->side[TRACK_B].rtt, r);
}

/*
 * Round trips
 */

static unsigned bucket_of(uint32_t units)
{
    if (units < 1u << SUB_BITS)
        return units;
    const unsigned shift = 31 - SUB_BITS - (unsigned)__builtin_clz(units);
    return ((shift + 1) << SUB_BITS) + ((units >> shift) & ((1u << SUB_BITS) - 1));
}

/* Returns the middle of a bucket. */
static uint32_t units_of(unsigned bucket)
{
    if (bucket < 1u << SUB_BITS)
        return bucket;
    const unsigned shift = (bucket >> SUB_BITS) - 1;
    const uint32_t first = (1u << SUB_BITS | (bucket & ((1u << SUB_BITS) - 1))) << shift;
    return first + ((1u << shift) >> 1);
}

/* Counts one, with that weight. When a bucket is full, all are halved: the shares stay what they
 * are. */
static void count_in(struct measure_histogram *h, uint32_t units, unsigned weight)
{
    uint16_t *b = &h->bucket[bucket_of(units)];

    if (*b > UINT16_MAX - weight)
        for (unsigned i = 0; i < BUCKETS; i++)
            h->bucket[i] /= 2;
    *b += (uint16_t)weight;
}

/* Takes a round trip, which stands for so many segments. */
static void sample(struct measure_rtt *rtt, struct measure_room *r, uint32_t units, unsigned weight)
{
    if (!rtt->count || units < rtt->min)
        rtt->min = units;
    if (!rtt->count || units > rtt->max)
        rtt->max = units;
    if (rtt->count < MEASURE_SAMPLES)
        rtt->sample[rtt->count] = units;
    if (rtt->count == MEASURE_SAMPLES && (rtt->histogram = take_histogram(r)))
        for (unsigned i = 0; i < MEASURE_SAMPLES; i++)
            count_in(&r->at[rtt->histogram - 1], rtt->sample[i], 1);
    if (rtt->histogram)
        count_in(&r->at[rtt->histogram - 1], units, weight);
    rtt->count++;
}

/* Of a few: sorts them. */
static uint32_t of_samples(const struct measure_rtt *rtt, unsigned percent)
{
    uint32_t sorted[MEASURE_SAMPLES] = {rtt->sample[0]};
    const unsigned n = rtt->count < MEASURE_SAMPLES ? rtt->count : MEASURE_SAMPLES;
    const unsigned at = (n * percent + 99) / 100;

    /* cppcheck-suppress knownConditionTrueFalse ; there are more than one, as a rule */
    for (unsigned i = 1; i < n; i++) {
        unsigned k = i;
        for (; k > 0 && sorted[k - 1] > rtt->sample[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = rtt->sample[i];
    }
    return sorted[at ? at - 1 : 0];
}

static uint32_t of_histogram(const struct measure_rtt *rtt, const struct measure_histogram *h,
                             unsigned percent)
{
    uint64_t total = 0, so_far = 0;
    uint32_t units;

    for (unsigned i = 0; i < BUCKETS; i++)
        total += h->bucket[i];
    for (unsigned i = 0; i < BUCKETS; i++) {
        so_far += h->bucket[i];
        if (so_far && so_far * 100 >= total * percent) {
            units = units_of(i);
            return units < rtt->min ? rtt->min : units > rtt->max ? rtt->max : units;
        }
    }
    return rtt->max;
}

wave_time measure_rtt(const struct measure_rtt *rtt, const struct measure_room *r, unsigned percent)
{
    uint32_t units;

    if (!rtt->count)
        return WAVE_NEVER;
    if (percent == 0)
        units = rtt->min;
    else if (rtt->histogram)
        units = of_histogram(rtt, &r->at[rtt->histogram - 1], percent);
    else
        units = of_samples(rtt, percent);
    return (wave_time)units << UNIT_BITS;
}

/*
 * Marks a segment of new bytes: its acknowledgement will give a round trip. Where more segments are
 * on their way than there is room for marks, every other mark is taken off, and from then on fewer
 * are set, so that they lie all over what is in flight. The stride is odd, since many receivers
 * acknowledge every second segment.
 */
static void mark(struct measure_side *x, struct seq end, wave_time at)
{
    if (!x->marks)
        x->stride /= 2;
    if (x->since_mark++ < x->stride)
        return;
    if (x->marks == MEASURE_MARKS) {
        for (unsigned i = 0; i < MEASURE_MARKS / 2; i++) {
            const uint32_t both = x->mark[2 * i].weight + x->mark[2 * i + 1].weight;
            x->mark[i] = x->mark[2 * i];
            x->mark[i].weight = both;
        }
        x->marks = MEASURE_MARKS / 2;
        x->stride = x->stride < 64 ? (uint8_t)(2 * x->stride + 2) : x->stride;
    }
    x->mark[x->marks++] = (struct measure_mark){end, (uint32_t)(at >> UNIT_BITS), x->since_mark};
    x->since_mark = 0;
}

/* Ends the marks that this acknowledgement covers. `clear`: it says when the last of them came. */
static void unmark(struct measure_side *x, struct measure_room *r, struct seq ack, wave_time at,
                   bool clear)
{
    unsigned n = 0;

    while (n < x->marks && seq_leq(x->mark[n].end, ack))
        n++;
    if (n && clear && seq_eq(x->mark[n - 1].end, ack)) {
        const uint32_t took = (uint32_t)(at >> UNIT_BITS) - x->mark[n - 1].at;
        if (took <= INT32_MAX) /* otherwise the stamps go back */
            sample(&x->rtt, r, took, x->mark[n - 1].weight);
    }
    x->marks -= n;
    if (n && x->marks)
        memmove(x->mark, x->mark + n, x->marks * sizeof x->mark[0]);
}

/*
 * What was missing
 */

__attribute__((noinline)) static void add_hole(struct measure_side *x, struct seq first,
                                               struct seq end)
{
    if (x->holes == MEASURE_HOLES) { /* the oldest is forgotten */
        x->holes--;
        memmove(x->hole, x->hole + 1, x->holes * sizeof x->hole[0]);
    }
    x->hole[x->holes++] = (struct measure_hole){first, end};
}

/* Takes what lies between `first` and `end` out of the holes. Returns how many bytes that were. */
__attribute__((noinline)) static uint32_t fill_holes(struct measure_side *x, struct seq first,
                                                     struct seq end)
{
    uint32_t filled = 0;

    for (unsigned i = 0; i < x->holes; i++) {
        struct measure_hole h = x->hole[i];
        const struct seq from = seq_max(h.first, first), to = seq_min(h.end, end);

        if (seq_geq(from, to))
            continue;
        filled += to.v - from.v;
        if (seq_lt(h.first, from) && seq_lt(to, h.end) && x->holes < MEASURE_HOLES) {
            memmove(x->hole + i + 1, x->hole + i, (x->holes - i) * sizeof x->hole[0]);
            x->holes++;
            x->hole[i++] = (struct measure_hole){h.first, from};
            x->hole[i] = (struct measure_hole){to, h.end};
        } else if (seq_lt(h.first, from)) {
            x->hole[i].end = from;
        } else {
            x->hole[i].first = to;
        }
        if (seq_eq(x->hole[i].first, x->hole[i].end)) {
            x->holes--;
            memmove(x->hole + i, x->hole + i + 1, (x->holes - i) * sizeof x->hole[0]);
            i--;
        }
    }
    return filled;
}

uint64_t measure_missing(const struct measure_side *s)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < s->holes; i++)
        n += s->hole[i].end.v - s->hole[i].first.v;
    return n;
}

uint32_t measure_lost(const struct measure_side *s, const struct measure_side *o)
{
    /* D-SACKs speak of what is explained already, too. */
    const uint32_t explained = s->spurious + s->duplicates + s->keepalives + s->window_probes;
    const uint32_t twice = o->dsacks > explained ? o->dsacks - explained : 0;
    const uint32_t had = s->outrun > twice ? s->outrun : twice;
    const uint32_t others = s->spurious + s->excused + had;

    if (s->outrun == UINT8_MAX || s->excused == UINT8_MAX) /* there may have been more */
        return 0;
    return s->retransmissions > others ? s->retransmissions - others : 0;
}

void measure_too_big(struct measure *m, enum track_side from)
{
    m->side[from].shrinks = m->has[from];
    m->side[from].shrunk = m->next[from];
}

/*
 * What was sent more than once
 */

/* Returns whether a segment that fills a gap was sent before what showed the gap. */
static bool overtaken(const struct measure *m, const struct measure_side *x,
                      const struct measured *g)
{
    const struct packet *p = g->packet;
    const wave_time round = measure_handshake(m);

    if (x->has_tsval && (p->seg.opt.has & OPT_TIMESTAMP) && p->seg.opt.tsval != x->tsval)
        return (int32_t)(p->seg.opt.tsval - x->tsval) < 0;
    if (x->has_id && p->id && p->id != x->id)
        return (int16_t)(p->id - x->id) < 0;
    return g->at - x->gap_since < (round != WAVE_NEVER ? round / 2 : NEAR);
}

/* Takes note that the side asks for an answer which it did not get. */
static void asks(struct measure_side *x, const struct measured *g)
{
    if (!x->unanswered++)
        x->asked_at = g->at;
    x->asked_len = (uint16_t)g->packet->seg.len;
}

static void excuse(struct measure_side *x, uint32_t segments)
{
    const uint32_t room = UINT8_MAX - x->excused;

    x->excused += (uint8_t)(segments < room ? segments : room);
}

/* Takes note of a retransmission of what was not acknowledged: whether it says that a segment with
 * data was lost. */
static void doubt(struct measure_side *x, const struct seg *s, bool by_timer)
{
    if ((!s->len && by_timer) || (x->shrinks && seq_lt(s->seq, x->shrunk))) {
        excuse(x, 1);
    } else if (s->len) {
        if (!x->resent)
            x->resent_tsval = s->opt.tsval;
        x->resent += x->resent < UINT8_MAX;
    }
}

/* Says what has caused a retransmission. */
static void cause(struct measure_side *x, const struct measure_side *y, const struct measured *g)
{
    const struct seg *s = &g->packet->seg;
    const bool asked =
        y->run >= 2 || (y->has_sack && seq_gt(y->sacked, y->acked) && seq_gt(y->sacked, s->seq));
    const bool paused = x->segments > 1 && g->at >= x->last + TRACK_REPEAT_MIN;

    x->retransmissions++;
    x->retransmitted_bytes += s->len;
    if (y->has_ack && seq_leq(seg_end(s), y->acked)) {
        x->spurious++;
    } else {
        doubt(x, s, !asked || paused);
        *(asked && !paused ? &x->fast : &x->timeouts) += 1;
    }
    if (!asked || paused)
        asks(x, g);
}

/* Puts a segment that the tracker calls repeated into its class. */
__attribute__((noinline)) static void repeated(struct measure *m, struct measure_side *x,
                                               const struct measure_side *y,
                                               const struct measured *g, uint32_t filled)
{
    if (g->twice)
        return;
    if (filled && overtaken(m, x, g))
        x->out_of_order++;
    else
        cause(x, y, g);
    x->marks = 0;
}

/* Takes the bytes of a segment that the tracker believes; `end` is seg_end(). */
static void sent(struct measure *m, struct measure_side *x, struct measure_side *y,
                 const struct measured *g, struct seq end)
{
    const struct seg *s = &g->packet->seg;
    const bool syn = s->flags & SEG_SYN;
    const struct seq first = seq_add(s->seq, syn), next = g->before[g->from];
    const bool had = g->had[g->from] && !(syn && !(g->notes & TRACK_RETRANSMISSION));
    uint32_t filled = 0, fresh = s->len;

    if (had && seq_gt(s->seq, next)) {
        add_hole(x, next, s->seq);
        x->gap_since = g->at;
        x->gaps++;
    } else if (had && seq_lt(first, next)) {
        const struct seq last = seq_add(first, s->len); /* behind its data */
        filled = x->holes ? fill_holes(x, first, seq_min(last, next)) : 0;
        fresh = filled + (seq_gt(last, next) ? last.v - next.v : 0);
        if ((s->flags & SEG_FIN) && x->holes) /* what a FIN fills is no data */
            filled += fill_holes(x, last, seq_min(end, next));
    }
    x->bytes += fresh;
    if (s->len && x->flight_open)
        x->initial_window += fresh;
    if ((g->notes & (TRACK_RETRANSMISSION | TRACK_WINDOW_PROBE)) == TRACK_RETRANSMISSION)
        repeated(m, x, y, g, filled);
    else if (!seq_eq(s->seq, end) && !(g->notes & (TRACK_PROBE | TRACK_WINDOW_PROBE)))
        mark(x, end, g->at);
    if (!had || seq_gt(end, next)) {
        x->has_tsval = s->opt.has & OPT_TIMESTAMP;
        x->tsval = s->opt.tsval;
        x->has_id = g->packet->id != 0;
        x->id = g->packet->id;
    }
    if (!y->has_ack)
        return;
    if (!(g->notes & TRACK_RETRANSMISSION) && s->len && y->window &&
        seq_eq(end, seq_add(y->acked, y->window)))
        x->window_full++;
    const struct seq high = s->flags & SEG_FIN ? seq_sub(m->next[g->from], 1) : m->next[g->from];
    const int32_t flight = seq_diff(high, y->acked);
    if (flight > 0 && (uint32_t)flight > x->in_flight)
        x->in_flight = (uint32_t)flight;
}

/*
 * What was acknowledged, and the window
 */

bool measure_is_dsack(const struct seg *s)
{
    const struct sack_block *b = s->opt.sack;

    if (!(s->opt.has & OPT_SACK) || !s->opt.sacks)
        return false;
    return seq_leq(b[0].end, s->ack) ||
           (s->opt.sacks > 1 && seq_geq(b[0].first, b[1].first) && seq_leq(b[0].end, b[1].end));
}

__attribute__((noinline)) static void selective(struct measure_side *x, struct measure_side *y,
                                                const struct seg *s)
{
    const bool twice = measure_is_dsack(s);

    x->dsacks += twice;
    if (twice && y->largest) /* one may speak of several segments */
        excuse(y, (s->opt.sack[0].end.v - s->opt.sack[0].first.v - 1) / y->largest);
    for (unsigned i = twice; i < s->opt.sacks; i++)
        if (!x->has_sack || seq_gt(s->opt.sack[i].end, x->sacked)) {
            x->has_sack = true;
            x->sacked = s->opt.sack[i].end;
        }
}

/* Takes note of bytes that this acknowledgement covers, and that were never seen: the capture has
 * missed them. */
static void unseen(const struct measure *m, const struct measure_side *x, struct measure_side *y,
                   const struct measured *g)
{
    const enum track_side other = !g->from;
    const struct seq ack = g->packet->seg.ack;

    if (g->had[other] && m->has[other] && seq_gt(m->next[other], g->before[other])) {
        y->not_captured += m->next[other].v - g->before[other].v;
        y->marks = 0;
    } else if (!y->segments && x->has_ack) {
        y->not_captured += ack.v - x->acked.v;
    }
    if (y->holes)
        y->not_captured += fill_holes(y, seq_sub(ack, 1u << 30), ack);
}

bool measure_asked(const struct measure *m, enum track_side side)
{
    const struct measure_side *x = &m->side[side];

    return x->has_sack || (x->run && !x->dsacks);
}

/* Takes note of the first new acknowledgement after retransmissions: a timestamp from before them
 * says that what they repeat had come. */
__attribute__((noinline)) static void settle(struct measure_side *y, const struct seg *s)
{
    const unsigned outrun = y->outrun + y->resent;

    if ((s->opt.has & OPT_TIMESTAMP) && y->has_tsval &&
        (int32_t)(s->opt.tsecr - y->resent_tsval) < 0)
        y->outrun = outrun < UINT8_MAX ? (uint8_t)outrun : UINT8_MAX;
    y->resent = 0;
}

static void acknowledged(const struct measure *m, struct measure_side *x, struct measure_side *y,
                         struct measure_room *r, const struct measured *g)
{
    const struct seg *s = &g->packet->seg;
    const bool newer = !x->has_ack || seq_gt(s->ack, x->acked);

    if ((g->notes & TRACK_DUPLICATE_ACK) && s->wnd) {
        x->duplicate_acks++;
        x->run += !g->twice;
    }
    if (s->opt.has & OPT_SACK)
        selective(x, y, s);
    if (!newer)
        return;
    if (y->resent)
        settle(y, s);
    if (x->has_ack) {
        const uint32_t took = s->ack.v - x->acked.v;
        if (took > y->took)
            y->took = took < UINT16_MAX ? (uint16_t)took : UINT16_MAX;
    }
    unseen(m, x, y, g);
    if (y->marks)
        unmark(y, r, s->ack, g->at, x->run == 0 && !g->twice);
    if (y->flight_open && y->data_segments)
        y->flight_open = false;
    x->run = 0;
    x->has_sack = x->has_sack && seq_gt(x->sacked, s->ack);
    x->has_ack = true;
    x->acked = s->ack;
}

/* RFC 7323, 2.2 and 2.3: scaled if both SYNs offered it. Without the SYNs the scale is not known;
 * the field is then taken as it stands. */
static void offered(struct measure_side *x, const struct measure_side *y, const struct measured *g)
{
    const struct seg *s = &g->packet->seg;
    const bool both = x->syn.has & y->syn.has & OPT_WSCALE, syn = s->flags & SEG_SYN;
    const unsigned shift = both && !syn ? (x->syn.wscale > 14 ? 14 : x->syn.wscale) : 0;

    if (x->has_ack && seq_lt(s->ack, x->acked))
        return; /* it is older than what was seen before */
    x->window = (uint32_t)s->wnd << shift;
    if (x->window > x->window_max)
        x->window_max = x->window;
    if (s->wnd == 0 && !(s->flags & (SEG_SYN | SEG_FIN))) {
        x->zero_windows++;
        if (!x->zero)
            x->zero_since = g->at;
        x->zero = true;
    } else if (s->wnd && x->zero) {
        x->zero_for += g->at > x->zero_since ? g->at - x->zero_since : 0;
        x->zero = false;
    }
}

wave_time measure_zero_for(const struct measure_side *s, wave_time now)
{
    return s->zero_for + (s->zero && now > s->zero_since ? now - s->zero_since : 0);
}

/*
 * The handshake
 */

/* Returns whether the SYN offers what that one did. */
static bool same_offer(const struct measure_syn *y, const struct seg *s)
{
    if ((s->opt.has | y->has) & OPT_CUT)
        return true; /* as far as was captured */
    return s->opt.has == y->has && s->opt.mss == y->mss && s->opt.wscale == y->wscale;
}

__attribute__((noinline)) static void learn_syn(struct measure *m, struct measure_side *x,
                                                const struct measured *g)
{
    const struct seg *s = &g->packet->seg;

    x->syns++;
    if (!(s->flags & SEG_ACK) || m->syn_at == WAVE_NEVER || g->from == TRACK_B) {
        if (!x->syn.seen || !(g->notes & TRACK_RETRANSMISSION))
            x->syn = (struct measure_syn){.seen = true,
                                          .flags = s->flags,
                                          .has = s->opt.has,
                                          .wscale = s->opt.wscale,
                                          .mss = s->opt.mss,
                                          .window = s->wnd};
        else
            x->syn.varies |= !same_offer(&x->syn, s);
    }
    if (!(s->flags & SEG_ACK)) {
        m->syn_at = g->at;
    } else {
        if (x->syns == 1 && m->side[!g->from].syns == 1 && m->syn_at <= g->at)
            m->to_server = g->at - m->syn_at;
        m->syn_ack_at = g->at;
    }
}

/* The first segment of the opener behind its SYN that acknowledges the SYN-ACK. */
static void opened(struct measure *m, const struct measured *g)
{
    const struct seg *s = &g->packet->seg;

    if (m->to_client == WAVE_NEVER && m->syn_ack_at != WAVE_NEVER &&
        m->side[!g->from].syn.flags & SEG_ACK && m->side[!g->from].syns == 1 &&
        (s->flags & SEG_ACK) && !m->side[g->from].has_ack && g->at >= m->syn_ack_at)
        m->to_client = g->at - m->syn_ack_at;
}

wave_time measure_handshake(const struct measure *m)
{
    return m->to_server == WAVE_NEVER || m->to_client == WAVE_NEVER ? WAVE_NEVER
                                                                    : m->to_server + m->to_client;
}

void measure_syn_elsewhere(struct measure *m, enum track_side from, const struct seg *s)
{
    struct measure_syn *y = &m->side[from].syn;

    if (!y->seen || y->varies || y->differs || same_offer(y, s))
        return;
    y->differs = true;
    y->other = s->opt.has;
    y->other_wscale = s->opt.wscale;
    y->other_mss = s->opt.mss;
}

/*
 * All of it
 */

static inline void times(struct measure *m, struct measure_side *x, const struct measured *g)
{
    if (g->at > m->last + m->idle) {
        m->idle = g->at - m->last;
        m->idle_at = m->last;
    }
    if (g->at > m->last)
        m->last = g->at;
    if (x->segments > 1 && g->at > x->last + x->idle)
        x->idle = g->at - x->last;
    if (x->segments == 1)
        x->first = g->at;
    x->last = g->at;
}

static void data(struct measure_side *x, const struct measured *g)
{
    const uint32_t len = g->packet->seg.len;

    if (!x->data_segments++)
        x->first_data = g->at;
    x->last_data = g->at;
    x->data_bytes += len;
    if (len > x->largest)
        x->largest = len;
}

__attribute__((noinline)) static void remarks(struct measure_side *x, const struct measured *g)
{
    if (g->notes & (TRACK_PROBE | TRACK_WINDOW_PROBE))
        asks(x, g);
    x->keepalives += (g->notes & TRACK_PROBE) != 0;
    x->window_probes += (g->notes & TRACK_WINDOW_PROBE) != 0;
    x->challenges += (g->notes & TRACK_CHALLENGE) != 0;
}

/* Notes an answer to a SYN that acknowledges something else. */
static void astray(struct measure_side *x, const struct seg *s)
{
    x->astray |= s->flags & SEG_RST   ? MEASURE_ASTRAY_RST
                 : s->flags & SEG_SYN ? MEASURE_ASTRAY_SYN_ACK
                                      : MEASURE_ASTRAY_ACK;
}

/* Returns whether a segment that came after a RST of the same side was sent after it: one with new
 * bytes, or an ACK that is too late to have been overtaken. A SYN begins another connection. */
static bool goes_on(const struct measure_side *x, const struct measured *g, bool fills)
{
    const struct seg *s = &g->packet->seg;

    if (s->flags & SEG_SYN)
        return false;
    if (fills)
        return g->had[g->from] && seq_gt(seg_end(s), g->before[g->from]);
    return (s->flags & SEG_ACK) && g->at > x->last + TRACK_REPEAT_MIN;
}

/* Takes a segment of x; m->next is what the tracker says after it. It stands apart, so that the
 * addresses of both sides are worked out once. */
__attribute__((noinline)) static void take(struct measure *m, struct measure_side *x,
                                           struct measure_side *y, struct measure_room *r,
                                           const struct measured *g)
{
    const struct seg *s = &g->packet->seg;
    const struct seq end = seg_end(s);
    const bool fills = !seq_eq(s->seq, end);

    const bool believed =
        m->has[g->from] && seq_leq(end, m->next[g->from]) && g->notes != TRACK_OUT_OF_WINDOW;

    x->segments++;
    y->unanswered = 0;
    x->duplicates += g->twice;
    x->ip_bytes += g->packet->length;
    if (g->notes == TRACK_OUT_OF_WINDOW && y->syns && !y->has_ack && !x->syns)
        astray(x, s);
    if (s->flags & SEG_RST) {
        if (!x->resets++)
            x->rst_ttl = g->packet->ttl;
        x->rst_ends |= x->has_ack && !(g->notes & TRACK_OUT_OF_WINDOW);
        times(m, x, g);
        return;
    }
    x->ttl = g->packet->ttl;
    x->after_rst |= x->rst_ends && believed && goes_on(x, g, fills);
    x->fins += (s->flags & SEG_FIN) != 0;
    if (s->len)
        data(x, g);
    if (g->notes)
        remarks(x, g);
    if ((s->flags & SEG_SYN) && believed && !g->twice)
        learn_syn(m, x, g);
    else if (!x->has_ack)
        opened(m, g);
    if (!believed && !(g->notes & (TRACK_WINDOW_PROBE | TRACK_PROBE)))
        x->unacceptable++;
    /* An ACK alone sends nothing, unless it lies beyond a gap. */
    if (believed && (fills || !g->had[g->from] || !seq_eq(s->seq, g->before[g->from])))
        sent(m, x, y, g, end);
    if (believed && (s->flags & SEG_ACK)) {
        acknowledged(m, x, y, r, g);
        offered(x, y, g);
    }
    times(m, x, g);
}

void measure_segment(struct measure *m, struct measure_room *r, const struct track *t,
                     const struct measured *g)
{
    for (unsigned i = 0; i < TRACK_SIDES; i++)
        m->has[i] = track_next(t, i, &m->next[i]);
    take(m, &m->side[g->from], &m->side[!g->from], r, g);
}

static double rate(const struct measure_side *s, uint64_t bytes)
{
    return s->data_segments && s->last_data > s->first_data
               ? (double)bytes * 1e9 / (double)(s->last_data - s->first_data)
               : 0;
}

double measure_throughput(const struct measure_side *s)
{
    return rate(s, s->data_bytes);
}

double measure_goodput(const struct measure_side *s)
{
    return rate(s, s->bytes);
}
