/*
 * The order of things: whatever the engines have to send leaves at once, in one go for each end,
 * and is given an arrival time. The clock then jumps to the earliest arrival or timer. Nothing is
 * ever handed over directly, even where the delay is zero, so that no engine is entered from
 * within the other.
 *
 * A segment's way:  leave() -> link_put() -> gets_through() -> set_out() -> post() -> arrive()
 */
#include "lib/sim/link.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/core/err.h"
#include "lib/sim/prng.h"
#include "lib/sim/transit.h"

/* Outputs and ticks at one instant without a byte acknowledged or received: no honest engine
 * comes near, and it is small enough that memory holds what was sent until then. */
#define SPIN_MAX (1u << 17)

/* One direction, named after the end that sends. */
struct way {
    struct link_manners manners;
    wave_time line_free;    /* when the last bit given to the line has left */
    wave_time last_arrival; /* of those that keep their order */
};

/* What moves when a connection gets on. */
struct progress {
    struct seq una[2], nxt[2];
};

struct link {
    struct conn *end[2];
    struct way way[2];
    struct link_layer layer[2];
    bool resets[2];
    bool cut;
    wave_time now;
    struct prng prng;
    struct transit transit;
    uint64_t number;
    struct link_counts counts;
    link_watch *watch;
    void *watch_ctx;
    link_filter *filter;
    void *filter_ctx;
    void (*act)(void *ctx); /* link_user()'s */
    void *act_ctx;
    uint32_t spin; /* outputs and ticks since `progress` was noted */
    struct progress progress;
    uint8_t room[CONN_ROOM]; /* conn_output()'s */
};

/* A run that cannot mean anything any more. The simulator serves tests and nothing else; to
 * return an error that a test may forget to look at would let it pass, or hang. */
static _Noreturn void broken(const struct link *l, const char *what, enum link_end end)
{
    fprintf(stderr, "link: %s (end %c, %s; the other is %s; at %llu ns, after %llu segments)\n",
            what, end == LINK_A ? 'A' : 'B', state_name(l->end[end]->state),
            state_name(l->end[!end]->state), (unsigned long long)l->now,
            (unsigned long long)l->number);
    abort();
}

static struct progress progress_of(const struct link *l)
{
    return (struct progress){{l->end[0]->snd.una, l->end[1]->snd.una},
                             {l->end[0]->rcv.nxt, l->end[1]->rcv.nxt}};
}

static bool progress_made(const struct progress *a, const struct progress *b)
{
    for (int i = 0; i < 2; i++)
        if (!seq_eq(a->una[i], b->una[i]) || !seq_eq(a->nxt[i], b->nxt[i]))
            return true;
    return false;
}

/* Counts what end did at this instant, and ends a run that would never leave it. */
static void spin_count(struct link *l, enum link_end end, const char *doing)
{
    if (++l->spin < SPIN_MAX)
        return;
    struct progress now = progress_of(l);
    if (!progress_made(&l->progress, &now))
        broken(l, doing, end);
    l->progress = now;
    l->spin = 0;
}

static void clock_set(struct link *l, wave_time to)
{
    if (to <= l->now)
        return;
    l->now = to;
    l->spin = 0;
    l->progress = progress_of(l);
}

static uint32_t packet_size(const struct link *l, uint32_t len)
{
    return len + (l->end[0]->flow.v6 ? 40 : 20);
}

static struct parcel *parcel_new(const struct link *l, enum link_end from, size_t room)
{
    struct parcel *p = malloc(sizeof *p + room);
    if (!p)
        broken(l, "out of memory", from);
    memset(p, 0, sizeof *p);
    p->from = (uint8_t)from;
    return p;
}

static void post(struct link *l, wave_time at, struct parcel *p)
{
    if (transit_post(&l->transit, at, p) < 0)
        broken(l, "out of memory", (enum link_end)p->from);
}

/* Whether the segment does not fit the path. The router that says so stands half way: there
 * and back takes one delay. */
static bool too_big(struct link *l, enum link_end from, const struct seg *s, uint32_t len)
{
    const struct link_manners *m = &l->way[from].manners;
    if (!m->mtu || packet_size(l, len) <= m->mtu)
        return false;
    if (!m->silent_mtu) {
        struct parcel *icmp = parcel_new(l, from, 0);
        icmp->mtu = m->mtu;
        icmp->seq = s->seq;
        post(l, time_add(l->now, m->delay), icmp);
    }
    return true;
}

/* Puts `size` bytes on the line. False when its queue is full; else *sent is when their last
 * bit has left. A line that is idle takes any segment, whatever its queue's length. */
static bool line(struct link *l, struct way *w, uint32_t size, wave_time *sent)
{
    const struct link_manners *m = &w->manners;
    *sent = l->now;
    if (!m->bandwidth)
        return true;
    wave_time start = l->now;
    if (w->line_free > l->now) {
        start = w->line_free;
        unsigned __int128 waiting =
            (unsigned __int128)(start - l->now) * m->bandwidth / (8 * WAVE_S);
        if (m->queue && waiting + size > m->queue)
            return false;
    }
    unsigned __int128 takes = (unsigned __int128)size * 8 * WAVE_S / m->bandwidth;
    w->line_free = *sent = time_add(start, (wave_time)takes);
    return true;
}

/* Flips one bit, which always changes the sum: by a power of two, and never by 65535. */
static void corrupt(struct link *l, struct parcel *p)
{
    uint64_t bit = prng_below(&l->prng, 8 * (uint64_t)p->len);
    p->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    p->corrupted = true;
    l->counts.corrupted++;
}

/* A segment, or a copy of it, sets out at `sent`. */
static void set_out(struct link *l, struct way *w, wave_time sent, struct parcel *p)
{
    const struct link_manners *m = &w->manners;
    wave_time at = time_add(sent, m->delay);
    if (m->jitter)
        at = time_add(at, prng_below(&l->prng, m->jitter + 1));
    if (prng_chance(&l->prng, m->reordering)) {
        l->counts.reordered++;
        at = time_add(at, 1 + prng_below(&l->prng, m->delay + m->jitter + WAVE_MS));
    } else {
        if (at < w->last_arrival)
            at = w->last_arrival;
        w->last_arrival = at;
    }
    if (prng_chance(&l->prng, m->corruption))
        corrupt(l, p);
    post(l, at, p);
}

/* Whether the segment gets onto the line at all; *sent is when it has left it. */
static bool gets_through(struct link *l, enum link_end from, const struct seg *s, uint32_t len,
                         wave_time *sent)
{
    struct way *w = &l->way[from];
    return (!l->filter || l->filter(l->filter_ctx, l->now, from, l->number, s)) && !l->cut &&
           !too_big(l, from, s, len) && !prng_chance(&l->prng, w->manners.loss) &&
           line(l, w, packet_size(l, len), sent);
}

void link_put(struct link *l, enum link_end from, const struct seg *s)
{
    struct way *w = &l->way[from];
    size_t room = SEG_HEADER + opt_size(&s->opt) + s->len;
    struct parcel *p = parcel_new(l, from, room), *copy;
    wave_time sent;

    p->number = ++l->number;
    p->ecn = s->ecn;
    l->counts.sent++;
    if (l->watch)
        l->watch(l->watch_ctx, l->now, from, false, p->number, s);
    int len = seg_build(&l->end[from]->flow, s, p->bytes, room);
    if (len < SEG_HEADER)
        broken(l, "a segment that cannot be encoded", from);
    p->len = (uint32_t)len;
    if (!gets_through(l, from, s, p->len, &sent)) {
        l->counts.lost++;
        free(p);
        return;
    }
    if (s->ecn != ECN_NOT && prng_chance(&l->prng, w->manners.marking)) {
        l->counts.marked++;
        p->ecn = ECN_CE;
    }
    if (prng_chance(&l->prng, w->manners.duplication)) {
        l->counts.duplicated++;
        copy = parcel_new(l, from, p->len);
        memcpy(copy, p, sizeof *p + p->len);
        set_out(l, w, sent, copy);
    }
    set_out(l, w, sent, p);
}

static void leave(struct link *l, enum link_end from, const struct seg *s)
{
    const struct link_layer *layer = &l->layer[from];

    if (layer->out)
        layer->out(layer->ctx, s);
    else
        link_put(l, from, s);
}

/* Everything both ends have to send now. */
static void flush(struct link *l)
{
    for (enum link_end e = LINK_A; e <= LINK_B; e++) {
        struct seg s;
        while (conn_output(l->end[e], l->now, &s, l->room)) {
            spin_count(l, e, "an engine sends without end at one instant");
            leave(l, e, &s);
        }
    }
}

/* The router's word to the sender: RFC 1191, section 4, or RFC 4443, 3.2. */
static void arrive_too_big(struct link *l, const struct parcel *p)
{
    struct conn *c = l->end[p->from];
    struct icmp e = {.type = 3,
                     .code = 4,
                     .mtu = p->mtu,
                     .flow = c->flow,
                     .has_seq = true,
                     .seq = p->seq,
                     .meaning = ICMP_TOO_BIG};
    e.from = addr_v4(192, 0, 2, 254);
    if (c->flow.v6) {
        e.type = 2;
        e.code = 0;
        e.from = (struct addr){{0x20, 0x01, 0x0d, 0xb8, [15] = 0xfe}};
    }
    conn_icmp(c, l->now, &e);
}

static void arrive(struct link *l, const struct parcel *p)
{
    enum link_end to = p->from == LINK_A ? LINK_B : LINK_A;
    struct conn *c = l->end[to];
    struct seg s, rst;

    if (p->mtu) {
        arrive_too_big(l, p);
        return;
    }
    if (seg_checksum_ok(&c->flow, p->bytes, p->len) == p->corrupted)
        broken(l,
               p->corrupted ? "a flipped bit that the checksum did not find"
                            : "an unharmed segment whose checksum does not hold",
               to);
    if (p->corrupted) {
        l->counts.refused_checksum++;
        return;
    }
    if (seg_parse(p->bytes, p->len, &s) < 0)
        broken(l, "a segment that was encoded and cannot be decoded", to);
    s.ecn = p->ecn;
    l->counts.delivered++;
    if (l->watch)
        l->watch(l->watch_ctx, l->now, (enum link_end)p->from, true, p->number, &s);
    if (l->layer[to].in && !l->layer[to].in(l->layer[to].ctx, &s))
        return;
    /* A SYN for a connection in TIME_WAIT finds no listener here, and is nobody's. What is refused
     * in LISTEN, SYN_SENT or SYN_RECEIVED is answered by the connection, not by its host. */
    enum conn_input answer = conn_input(c, l->now, &s);
    bool may_reset = l->resets[to] || c->state != STATE_CLOSED;
    if (answer != INPUT_DONE && may_reset && conn_reset_for(&s, &rst))
        leave(l, to, &rst);
}

/* The end whose timer is due first. */
static enum link_end first_due(const struct link *l, wave_time *due)
{
    wave_time a = conn_expiry(l->end[LINK_A], l->now), b = conn_expiry(l->end[LINK_B], l->now);
    *due = time_min(a, b);
    return a <= b ? LINK_A : LINK_B;
}

/* One delivery, or one tick, whichever comes first, but none after `until`. */
static bool happen(struct link *l, wave_time until)
{
    wave_time tick, arrival = transit_next(&l->transit);
    enum link_end due = first_due(l, &tick);
    wave_time next = time_min(tick, arrival);

    if (next > until || next == WAVE_NEVER)
        return false;
    clock_set(l, next);
    if (arrival <= tick) {
        struct parcel *p = transit_take(&l->transit);
        arrive(l, p);
        free(p);
    } else {
        spin_count(l, due, "an engine wants to be ticked without end at one instant");
        conn_tick(l->end[due], l->now);
    }
    if (l->act)
        l->act(l->act_ctx);
    return true;
}

wave_time link_run(struct link *l, wave_time until, bool (*stop)(void *ctx), void *ctx)
{
    flush(l);
    while (happen(l, until)) {
        flush(l);
        if (!stop)
            continue;
        if (stop(ctx))
            return l->now;
        flush(l);
    }
    if (until != WAVE_NEVER)
        clock_set(l, until);
    return l->now;
}

wave_time link_next(const struct link *l)
{
    wave_time tick;
    first_due(l, &tick);
    return time_min(tick, transit_next(&l->transit));
}

int link_create(struct link **out, struct conn *a, struct conn *b, uint64_t seed)
{
    struct flow other = flow_reverse(&b->flow);
    if (!flow_eq(&a->flow, &other))
        return WAVE_EINVAL;
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        return WAVE_ENOMEM;
    l->end[LINK_A] = a;
    l->end[LINK_B] = b;
    l->resets[LINK_A] = l->resets[LINK_B] = true;
    l->prng.state = seed;
    clock_set(l, WAVE_S);
    *out = l;
    return 0;
}

void link_destroy(struct link *l)
{
    if (!l)
        return;
    transit_free(&l->transit);
    free(l);
}

void link_manners(struct link *l, enum link_end from, const struct link_manners *m)
{
    l->way[from].manners = *m;
}

void link_watcher(struct link *l, link_watch *watch, void *ctx)
{
    l->watch = watch;
    l->watch_ctx = ctx;
}

void link_layer(struct link *l, enum link_end end, const struct link_layer *layer)
{
    l->layer[end] = *layer;
}

void link_filterer(struct link *l, link_filter *filter, void *ctx)
{
    l->filter = filter;
    l->filter_ctx = ctx;
}

void link_user(struct link *l, void (*act)(void *ctx), void *ctx)
{
    l->act = act;
    l->act_ctx = ctx;
}

void link_cut(struct link *l, bool cut)
{
    l->cut = cut;
    if (!cut)
        return;
    for (struct parcel *p = transit_take(&l->transit); p; p = transit_take(&l->transit)) {
        l->counts.lost += p->mtu == 0;
        free(p);
    }
}

void link_resets(struct link *l, enum link_end end, bool on)
{
    l->resets[end] = on;
}

wave_time link_now(const struct link *l)
{
    return l->now;
}

struct link_counts link_counts(const struct link *l)
{
    return l->counts;
}
