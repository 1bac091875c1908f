/*
 * Runs two connections against each other in virtual time. First, everything that the engines have
 * to send leaves immediately, one end after the other, and gets an arrival time. Then the clock
 * jumps to the earliest arrival or timer, and so on. A segment is never handed over directly, even
 * where the delay is zero, so that no engine is called from within the other.
 *
 * A segment's way:  leave() -> link_inject() -> path_send() ... path_take() -> arrive()
 */
#include "lib/sim/link.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/core/err.h"

/* Limits the outputs and ticks at one instant during which no byte is acknowledged or received.
 * No correct engine comes near it, and it is small enough that the segments sent until then fit in
 * memory. */
#define SPIN_MAX (1u << 17)

/* Holds the sequence numbers that move when a connection makes progress. */
struct progress {
    struct seq una[2], nxt[2];
};

struct link {
    struct conn *end[2];
    struct path path;
    struct link_hook layer[2];
    bool resets[2];
    bool cut;
    wave_time now;
    uint64_t number;
    link_watch *watch;
    void *watch_ctx;
    link_filter *filter;
    void *filter_ctx;
    void (*act)(void *ctx); /* set by link_set_user() */
    void *act_ctx;
    uint32_t spin; /* outputs and ticks since `progress` was stored */
    struct progress progress;
    uint8_t room[CONN_ROOM]; /* for conn_output() */
};

/* Ends the process when a run has lost its meaning. The simulator serves tests and nothing else. If
 * it returned an error that a test forgets to check, the test would pass or hang. */
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

/* Counts an output or a tick of `end` at this instant, and ends a run that would stay there for
 * ever. */
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

void link_inject(struct link *l, enum link_end from, const struct seg *s)
{
    bool lost;
    int error;

    l->number++;
    if (l->watch)
        l->watch(l->watch_ctx, l->now, from, false, l->number, s);
    lost = (l->filter && !l->filter(l->filter_ctx, l->now, from, l->number, s)) || l->cut;
    error = path_send(&l->path, l->now, from, &l->end[from]->flow, s, l->number, lost);
    if (error)
        broken(l, error == WAVE_ENOMEM ? "out of memory" : "a segment that cannot be encoded",
               from);
}

/* Sends a segment of one end, through that end's hook if there is one. */
static void leave(struct link *l, enum link_end from, const struct seg *s)
{
    const struct link_hook *layer = &l->layer[from];

    if (layer->out)
        layer->out(layer->ctx, s);
    else
        link_inject(l, from, s);
}

/* Sends all that both ends have to send now. */
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

/* Delivers a packet to the other end, or an ICMP error to its sender. */
static void arrive(struct link *l, const struct delayed_packet *p)
{
    enum link_end to = p->from == LINK_A ? LINK_B : LINK_A;
    struct conn *c = l->end[to];
    struct seg s, rst;

    if (p->icmp) {
        conn_icmp(l->end[p->from], l->now, path_error_of(p));
        return;
    }
    if (seg_checksum_ok(&c->flow, p->bytes + p->start, p->len) == p->corrupted)
        broken(l,
               p->corrupted ? "a flipped bit that the checksum did not find"
                            : "an unharmed segment whose checksum does not hold",
               to);
    if (p->corrupted) {
        l->path.counts.bad_checksum++;
        return;
    }
    if (seg_parse(p->bytes + p->start, p->len, &s) < 0)
        broken(l, "a segment that was encoded and cannot be decoded", to);
    s.ecn = p->ecn;
    l->path.counts.delivered++;
    if (l->watch)
        l->watch(l->watch_ctx, l->now, (enum link_end)p->from, true, p->number, &s);
    if (l->layer[to].in && !l->layer[to].in(l->layer[to].ctx, &s))
        return;
    /* A SYN for a connection in TIME_WAIT finds no listener here, and so belongs to no connection.
     * A segment that is not acceptable in LISTEN, SYN_SENT or SYN_RECEIVED is answered by the
     * connection itself, and so independently of link_set_resets(). */
    enum conn_input answer = conn_input(c, l->now, &s);
    bool may_reset = l->resets[to] || c->state != STATE_CLOSED;
    if (answer != INPUT_DONE && may_reset && conn_reset_for(c, l->now, &s, &rst))
        leave(l, to, &rst);
}

/* Returns the end whose timer is due first; *due is its time. */
static enum link_end first_due(const struct link *l, wave_time *due)
{
    wave_time a = conn_expiry(l->end[LINK_A], l->now), b = conn_expiry(l->end[LINK_B], l->now);
    *due = time_min(a, b);
    return a <= b ? LINK_A : LINK_B;
}

/* Does the next thing, one delivery or one tick, unless that comes after `until`. Returns false
 * when there was nothing to do. */
static bool happen(struct link *l, wave_time until)
{
    wave_time tick, arrival = path_next(&l->path);
    enum link_end due = first_due(l, &tick);
    wave_time next = time_min(tick, arrival);

    if (next > until || next == WAVE_NEVER)
        return false;
    clock_set(l, next);
    if (arrival <= tick) {
        struct delayed_packet *p = path_take(&l->path);
        arrive(l, p);
        packet_pool_give(&l->path.pool, p);
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
    return time_min(tick, path_next(&l->path));
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
    path_init(&l->path, seed);
    clock_set(l, WAVE_S);
    *out = l;
    return 0;
}

void link_destroy(struct link *l)
{
    if (!l)
        return;
    path_free(&l->path);
    free(l);
}

void link_impair(struct link *l, enum link_end from, const struct path_impairment *m)
{
    l->path.direction[from].impairment = *m;
}

void link_set_watch(struct link *l, link_watch *watch, void *ctx)
{
    l->watch = watch;
    l->watch_ctx = ctx;
}

void link_hook(struct link *l, enum link_end end, const struct link_hook *layer)
{
    l->layer[end] = *layer;
}

void link_set_filter(struct link *l, link_filter *filter, void *ctx)
{
    l->filter = filter;
    l->filter_ctx = ctx;
}

void link_set_user(struct link *l, void (*act)(void *ctx), void *ctx)
{
    l->act = act;
    l->act_ctx = ctx;
}

void link_set_cut(struct link *l, bool cut)
{
    l->cut = cut;
    if (!cut)
        return;
    path_lose_all(&l->path);
}

void link_set_resets(struct link *l, enum link_end end, bool on)
{
    l->resets[end] = on;
}

wave_time link_now(const struct link *l)
{
    return l->now;
}

struct path_counts link_counts(const struct link *l)
{
    return l->path.counts;
}
