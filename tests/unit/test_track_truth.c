/*
 * Tests the tracker against the truth. Two engines talk over a simulated link; trackers watch at
 * both of its ends, and one more begins in the middle. A state that a tracker calls proved must be
 * the state in which that side's engine was when it sent the evidence, and must not contradict what
 * both sides have acknowledged since. Where the link did no harm, tracker and engines must agree in
 * the end.
 *
 * In some groups one end breaks the rules (breaker.h): this end is judged until it lies, and the
 * other end always. In some groups a tracker misses segments, and is informed of this at the first
 * one, or with the next segment that it sees.
 *
 * Everything in a run follows from its seed, which a failure prints. SEED=n in the environment runs
 * that seed alone, TRACE=1 shows it. TRACK_RUNS=n makes n runs of each group, TRACK_FROM=n begins
 * at the nth, TRACK_GROUP=n leaves out the other groups.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/track.h"
#include "tests/unit/breaker.h"
#include "tests/unit/sim.h"
#include "tests/unit/track_twice.h"

enum {
    GROUP = 1000000,  /* a seed is GROUP * group + 0 to runs - 1 */
    SEGMENTS = 20000, /* of a run, at most */
    ACTIONS = 6,
    RING_LOST = 32, /* of a burst, at most */
    END = 90        /* seconds: before the end of any TIME_WAIT */
};

enum watcher { AT_A, AT_B, IN_THE_MIDDLE, WATCHERS };

/*
 * Models a ring that was full for a while, as that of a live capture may be: a burst of segments of
 * either side is lost, and the tracker is informed of it with the next segment that is captured. If
 * `log` is set, what side A sent is known nevertheless. The tracker is given it, with its number,
 * before the next captured segment of A, or before a segment that acknowledges it. For side B, the
 * tracker is informed that bytes were missed when the next ones leave a hole.
 */
struct capture_ring {
    uint32_t full; /* so often it becomes full, in 1/10000 */
    uint32_t left; /* of the burst */
    bool gap, hole, log;
    bool has_next;
    struct seq next; /* of B's */
    uint32_t lost;   /* segments of A that the tracker is still to be given */
    struct {
        struct seg seg;
        uint32_t number;
    } ours[RING_LOST];
};

/* Holds a tracker, and which segment of the link each of its numbers was. */
struct watch {
    struct track track;
    enum link_end at;
    uint64_t skip;   /* segments it does not see to begin with */
    uint32_t misses; /* of the rest, in 1/10000 */
    struct capture_ring ring;
    bool saw_fin[2]; /* an engine's own FIN, and an engine's ACK of it */
    bool saw_fin_acked[2];
    uint32_t number[SEGMENTS];
};

struct run {
    struct sim *sim;
    uint8_t truth[SEGMENTS]; /* state of its sender after each segment had left */
    uint8_t sender[SEGMENTS];
    bool lie[SEGMENTS]; /* its sender had lied by then */
    bool has_fin[2];
    struct seq fin_end[2]; /* behind the FIN, as the engine numbers it */
    struct breaker *breaker;
    uint64_t lied_at;   /* the first lie: a segment's number */
    struct prng losses; /* of the watchers */
    struct watch watch[WATCHERS];
    unsigned proved; /* of each state: bits */
    bool harmless;   /* as the group says */
    bool garbage;    /* probes may carry a byte */
    bool untold;     /* an end fell to CLOSED without a word */
};

enum action_kind { CLOSE, ABORT, VANISH, PROBE, SILENT, ACTION_KINDS };

struct action {
    wave_time at;
    enum link_end end;
    enum action_kind kind;
};

struct track_truth_group {
    uint32_t number, runs;
    bool harmless;  /* nothing is lost, doubled or displaced */
    bool rough;     /* each impairment at its maximum */
    bool gaps;      /* watchers miss segments */
    bool ring;      /* and are informed of it with the next one */
    unsigned rules; /* what one end may break */
};

static const char *side_name(int side)
{
    return side == TRACK_A ? "A" : "B";
}

/* Return whether a side that has sent its FIN, or has received that of the other, may be in this
 * state. */
static bool has_sent_fin(enum state s)
{
    return s == STATE_FIN_WAIT_1 || s == STATE_FIN_WAIT_2 || s == STATE_CLOSING ||
           s == STATE_TIME_WAIT || s == STATE_LAST_ACK || s == STATE_CLOSED;
}

static bool has_got_fin(enum state s)
{
    return s == STATE_CLOSE_WAIT || s == STATE_CLOSING || s == STATE_TIME_WAIT ||
           s == STATE_LAST_ACK || s == STATE_CLOSED;
}

/* Checks the states against what both sides have acknowledged: a FIN that the tracker has seen, and
 * the ACK of it. */
static void hold_against_fins(const struct run *r, const struct watch *w)
{
    for (int side = TRACK_A; side < TRACK_SIDES; side++) {
        struct track_view v = track_view(&w->track, (enum track_side)side);
        if (v.certainty != CERTAINTY_PROVED || (r->breaker && r->breaker->lied))
            continue;
        if (w->saw_fin_acked[side] && !has_sent_fin(v.state))
            sim_fail(
                r->sim,
                "watcher %td calls %s %s, proved by segment #%u, after its FIN was acknowledged",
                w - r->watch, side_name(side), state_name(v.state), w->number[v.evidence]);
        if (w->saw_fin_acked[!side] && !has_got_fin(v.state))
            sim_fail(r->sim,
                     "watcher %td calls %s %s, proved by segment #%u, after it acknowledged a FIN",
                     w - r->watch, side_name(side), state_name(v.state), w->number[v.evidence]);
    }
}

static void note_fins(const struct run *r, struct watch *w, enum link_end from, const struct seg *s)
{
    /* To one that has not seen the beginning, an old SYN may begin another connection. */
    if ((s->flags & SEG_SYN) && w->skip)
        w->saw_fin[0] = w->saw_fin[1] = w->saw_fin_acked[0] = w->saw_fin_acked[1] = false;
    if (r->has_fin[from] && (s->flags & SEG_FIN) && seq_eq(seg_end(s), r->fin_end[from]))
        w->saw_fin[from] = true;
    if (w->saw_fin[!from] && (s->flags & SEG_ACK) && !(s->flags & SEG_RST) &&
        seq_eq(s->ack, r->fin_end[!from]))
        w->saw_fin_acked[!from] = true;
}

static void hold_against_truth(struct run *r, const struct watch *w)
{
    /* What was a lie before the first segment that it sees it cannot know. */
    if (r->lied_at && r->lied_at < w->skip)
        return;
    for (int side = TRACK_A; side < TRACK_SIDES; side++) {
        struct track_view v = track_view(&w->track, (enum track_side)side);
        if (v.certainty != CERTAINTY_PROVED)
            continue;
        assert_in_range(v.evidence, 1, w->track.number);
        uint32_t n = w->number[v.evidence];
        if (r->lie[n] && r->sender[n] == side)
            continue;
        r->proved |= 1u << v.state;
        if (r->sender[n] != side || r->truth[n] != v.state)
            sim_fail(r->sim,
                     "watcher %td calls %s %s, proved by segment #%u (%s), which %s sent in %s",
                     w - r->watch, side_name(side), state_name(v.state), n, v.cause,
                     side_name(r->sender[n]), state_name(r->truth[n]));
    }
}

static void say_missed(const struct run *r, size_t watcher, uint64_t number)
{
    if (r->sim->traced)
        fprintf(stderr, "# watcher %zu misses #%llu\n", watcher, (unsigned long long)number);
}

/* Returns whether the tracker's ring has no room for the segment. */
static bool lose(struct run *r, struct watch *w, enum link_end from, uint64_t number,
                 const struct seg *s)
{
    struct capture_ring *q = &w->ring;

    if (!q->left && prng_chance(&r->losses, q->full))
        q->left = 1 + (uint32_t)prng_below(&r->losses, RING_LOST);
    if (!q->left || q->lost == RING_LOST)
        return false;
    q->left--;
    q->gap = q->hole = true;
    if (q->log && from == LINK_A) {
        q->ours[q->lost].seg = *s;
        q->ours[q->lost++].number = (uint32_t)number;
    }
    return true;
}

/* Gives the tracker the oldest `n` of A's segments that were lost. */
static void tell_ours(struct watch *w, wave_time at, uint32_t n)
{
    struct capture_ring *q = &w->ring;

    for (uint32_t i = 0; i < n && w->track.number + 2 < SEGMENTS; i++) {
        w->number[w->track.number + 1] = q->ours[i].number;
        track_gap(&w->track);
        track_twice(&w->track, at, TRACK_A, &q->ours[i].seg);
    }
    q->lost -= n;
    memmove(q->ours, q->ours + n, q->lost * sizeof q->ours[0]);
}

/* Returns how many of A's segments were certainly sent before this one of B, which acknowledges
 * them. */
static uint32_t sent_before(const struct capture_ring *q, const struct seg *s)
{
    uint32_t n = 0;

    if (!(s->flags & SEG_ACK))
        return 0;
    while (n < q->lost && seg_len(&q->ours[n].seg) && seq_leq(seg_end(&q->ours[n].seg), s->ack))
        n++;
    return n;
}

/* Informs the tracker of what was lost before this segment. */
static void tell_lost(struct watch *w, wave_time at, enum link_end from, const struct seg *s)
{
    struct capture_ring *q = &w->ring;
    bool counts = from == LINK_B && seg_len(s) && !(s->flags & SEG_RST);

    if (q->gap)
        track_gap(&w->track);
    q->gap = false;
    tell_ours(w, at, from == LINK_A ? q->lost : sent_before(q, s));
    if (!q->log || !counts)
        return;
    if (q->hole && q->has_next && !(s->flags & SEG_SYN) && seq_gt(s->seq, q->next) &&
        s->seq.v - q->next.v < 200000 && w->track.number + 2 < SEGMENTS) {
        w->number[w->track.number + 1] = 0; /* no segment, and so no evidence */
        track_missed(&w->track, TRACK_B, q->next, s->seq.v - q->next.v);
    }
    q->hole = q->hole && q->has_next && seq_lt(s->seq, q->next);
    if (!q->has_next || (s->flags & SEG_SYN) || seq_gt(seg_end(s), q->next))
        q->next = seg_end(s);
    q->has_next = true;
}

/* The tracker at the sender's end sees a segment when it leaves; the one at the other end sees it
 * when it arrives, as often as it does. */
static void watch(void *ctx, wave_time at, enum link_end from, bool arrived, uint64_t number,
                  const struct seg *s)
{
    struct run *r = ctx;
    if (number >= SEGMENTS && r->breaker)
        return; /* it makes the other end answer without end */
    if (number >= SEGMENTS)
        sim_fail(r->sim, "the run has too many segments");
    if (!arrived) {
        bool bad = r->breaker && r->breaker->end == from;
        r->truth[number] = bad && r->breaker->repeating ? (uint8_t)r->breaker->repeating->state
                                                        : r->sim->end[from].conn.state;
        r->sender[number] = (uint8_t)from;
        r->lie[number] = bad && r->breaker->lied;
        if (r->lie[number] && !r->lied_at)
            r->lied_at = number;
        if ((s->flags & SEG_FIN) && !r->lie[number]) {
            r->has_fin[from] = true;
            r->fin_end[from] = seg_end(s);
        }
    }
    for (size_t i = 0; i < WATCHERS; i++) {
        struct watch *w = &r->watch[i];
        if (arrived == (w->at == from) || number < w->skip)
            continue;
        if (prng_chance(&r->losses, w->misses)) {
            track_gap(&w->track);
            say_missed(r, i, number);
            continue;
        }
        if (lose(r, w, from, number, s)) {
            say_missed(r, i, number);
            continue;
        }
        tell_lost(w, at, from, s);
        if (w->track.number + 1 >= SEGMENTS)
            return;
        w->number[w->track.number + 1] = (uint32_t)number;
        track_twice(&w->track, at, from == LINK_A ? TRACK_A : TRACK_B, s);
        hold_against_truth(r, w);
        note_fins(r, w, from, s);
        hold_against_fins(r, w);
    }
}

static struct conn_config random_config(struct prng *r)
{
    static const uint32_t mtus[] = {576, 1400, 1500};
    struct conn_config c = sim_config(mtus[prng_below(r, 3)]);
    c.rcvbuf = prng_chance(r, 3000) ? 5000 : 200000;
    c.wscale = prng_chance(r, 7500);
    c.timestamps = prng_chance(r, 5000);
    c.sack = prng_chance(r, 6000);
    c.nagle = prng_chance(r, 2000);
    c.delayed_ack = prng_chance(r, 5000) ? 40 * WAVE_MS : prng_below(r, 200 * WAVE_MS);
    if (prng_chance(r, 3000)) {
        c.keepalive = true;
        c.keepalive_garbage = prng_chance(r, 5000);
        c.keepalive_idle = 100 * WAVE_MS + prng_below(r, 5 * WAVE_S);
        c.keepalive_interval = 500 * WAVE_MS;
        c.keepalive_count = 5;
    }
    return c;
}

static struct path_impairment random_manners(struct prng *r, const struct track_truth_group *g)
{
    struct path_impairment m = {.delay = prng_chance(r, 2000) ? 0 : prng_below(r, 100 * WAVE_MS)};
    if (g->harmless)
        return m;
    m.loss = g->rough ? 3000 : (uint32_t)prng_below(r, 2000);
    m.duplication = g->rough ? 1000 : (uint32_t)prng_below(r, 1000);
    m.reordering = g->rough ? 2000 : (uint32_t)prng_below(r, 2000);
    m.jitter = prng_chance(r, 5000) ? 0 : prng_below(r, 50 * WAVE_MS);
    return m;
}

/*
 * CLOSE in SYN_RECEIVED with nothing to send puts out a FIN before the handshake is over, and the
 * SYN-ACK is then retransmitted from FIN_WAIT_1 (RFC 9293, 3.10.4). If that FIN is lost, nothing on
 * the wire distinguishes this state from SYN_RECEIVED: track.h names this one exception. So where
 * segments are lost, users have something to send, or wait.
 */
static struct sim_user random_user(struct prng *r, const struct track_truth_group *g)
{
    static const uint32_t sizes[] = {0, 0, 1, 300, 5000, 40000};
    struct sim_user u = {.total = prng_below(r, 1 + sizes[prng_below(r, 6)])};
    if (!g->harmless && u.total == 0)
        u.total = 1;
    if (prng_chance(r, 5000)) {
        u.write_max = 100 + (uint32_t)prng_below(r, 3000);
        u.write_pause = prng_below(r, 300 * WAVE_MS);
    }
    u.close = (enum sim_close)prng_below(r, 3);
    if (prng_chance(r, 5000))
        u.close_after = prng_below(r, 3 * WAVE_S);
    return u;
}

static void random_open(struct run *r, struct prng *p)
{
    struct seq iss[2] = {seq_of((uint32_t)prng_next(p)), seq_of((uint32_t)prng_next(p))};
    struct conn *a = &r->sim->end[LINK_A].conn, *b = &r->sim->end[LINK_B].conn;
    wave_time now = link_now(r->sim->link);
    uint64_t kind = prng_below(p, 4);
    if (kind == 0) {
        assert_int_equal(conn_open(a, now, iss[0]), 0);
        assert_int_equal(conn_open(b, now, iss[1]), 0);
    } else if (kind == 1) {
        sim_listen(r->sim, LINK_A, iss[0]);
        assert_int_equal(conn_open(b, now, iss[1]), 0);
    } else {
        sim_open(r->sim, iss[0], iss[1]);
    }
}

static size_t random_actions(struct prng *p, struct action *of)
{
    size_t n = prng_below(p, ACTIONS + 1);
    wave_time at = WAVE_S;
    for (size_t i = 0; i < n; i++) {
        at += prng_chance(p, 5000) ? prng_below(p, 200 * WAVE_MS) : prng_below(p, 4 * WAVE_S);
        of[i] = (struct action){.at = at, .end = (enum link_end)prng_below(p, 2), .kind = PROBE};
        if (prng_chance(p, 4000))
            of[i].kind = (enum action_kind)prng_below(p, ACTION_KINDS);
    }
    return n;
}

/* RFC 9293, 3.10.5: in these states ABORT sends no RST. */
static bool aborts_silently(enum state s)
{
    return s == STATE_LISTEN || s == STATE_SYN_SENT || s == STATE_CLOSING || s == STATE_LAST_ACK ||
           s == STATE_TIME_WAIT;
}

/* Makes a call of the user. Its result depends on the state, and is not tested here. */
static void act(struct run *r, const struct action *a, struct prng *p)
{
    struct sim_end *e = &r->sim->end[a->end];
    wave_time now = link_now(r->sim->link);
    switch (a->kind) {
    case CLOSE:
        if (!e->closed && e->conn.state != STATE_CLOSED && e->conn.state != STATE_LISTEN &&
            (r->harmless || e->conn.state != STATE_SYN_RECEIVED || conn_unacked(&e->conn))) {
            r->untold = r->untold || e->conn.state == STATE_SYN_SENT; /* RFC 9293, 3.10.4 */
            e->closed = conn_close(&e->conn, now) == 0;
            e->user.total = e->sent;
        }
        break;
    case ABORT:
        r->untold = r->untold || aborts_silently((enum state)e->conn.state);
        conn_abort(&e->conn, now);
        e->closed = true;
        break;
    case VANISH:
        r->untold = true;
        conn_vanish(&e->conn, now);
        e->closed = true;
        break;
    case SILENT:
        track_silent(&r->watch[prng_below(p, WATCHERS)].track, (enum track_side)prng_below(p, 2));
        break;
    default:
        (void)conn_probe(&e->conn, prng_chance(p, 5000) && r->garbage);
        break;
    }
}

/* Checks that in the end, if nothing was lost, the first two trackers agree with the engines. */
static void assert_agreement(struct run *r)
{
    for (size_t i = AT_A; i <= AT_B; i++)
        for (int side = TRACK_A; side < TRACK_SIDES; side++) {
            struct track_view v = track_view(&r->watch[i].track, (enum track_side)side);
            const struct conn *c = &r->sim->end[side].conn;
            if (v.state != c->state)
                sim_fail(r->sim, "in the end watcher %zu calls %s %s (%s: %s), and it is %s", i,
                         side_name(side), state_name(v.state),
                         v.certainty == CERTAINTY_PROVED ? "proved" : "assumed", v.cause,
                         state_name(c->state));
        }
}

static unsigned run(uint64_t seed, const struct track_truth_group *g)
{
    struct run *r = calloc(1, sizeof *r);
    struct prng p = {seed ^ 0x747261636b657273u};
    struct action actions[ACTIONS];
    assert_non_null(r);
    struct conn_config a = random_config(&p), b = random_config(&p);
    /* A garbage byte is read where a lie has acknowledged the byte that it stands for. */
    bool garbage = !(g->rules & BREAK_LIES);
    a.keepalive_garbage = a.keepalive_garbage && garbage;
    b.keepalive_garbage = b.keepalive_garbage && garbage;
    r->sim = sim_new(seed, &a, &b);
    r->harmless = g->harmless;
    r->garbage = garbage;
    r->losses.state = seed;
    r->sender[0] = TRACK_SIDES; /* there is no such segment */
    if (g->rules) {
        r->breaker = calloc(1, sizeof *r->breaker);
        assert_non_null(r->breaker);
        breaker_init(r->breaker, r->sim, (enum link_end)prng_below(&p, 2), g->rules, prng_next(&p));
    }
    r->sim->quick = prng_chance(&p, 5000);
    r->sim->watch = watch;
    r->sim->watch_ctx = r;
    for (size_t i = 0; i < WATCHERS; i++) {
        track_init(&r->watch[i].track);
        r->watch[i].misses = g->gaps ? (uint32_t)prng_below(&p, 3000) : 0;
        if (g->ring) {
            r->watch[i].ring.full = (uint32_t)prng_below(&p, 1000);
            r->watch[i].ring.log = i == AT_A && prng_chance(&p, 7000);
        }
        r->watch[i].at = i == AT_B || (i == IN_THE_MIDDLE && prng_chance(&p, 5000));
    }
    /* In the harmless group a FIN from SYN_RECEIVED may have gone before: see random_user(). */
    r->watch[IN_THE_MIDDLE].skip = g->harmless ? SEGMENTS : 2 + prng_below(&p, 20);
    for (enum link_end e = LINK_A; e <= LINK_B; e++) {
        struct path_impairment m = random_manners(&p, g);
        link_impair(r->sim->link, e, &m);
        link_set_resets(r->sim->link, e, prng_chance(&p, 8000));
        r->sim->end[e].user = random_user(&p, g);
    }
    random_open(r, &p);
    size_t n = random_actions(&p, actions);
    for (size_t i = 0; i < n; i++) {
        sim_run(r->sim, actions[i].at);
        act(r, &actions[i], &p);
    }
    sim_run(r->sim, END * WAVE_S);
    link_run(r->sim->link, END * WAVE_S, NULL, NULL); /* what is still on the way */
    if (g->harmless && !r->untold)
        assert_agreement(r);
    unsigned proved = r->proved;
    sim_delete(r->sim);
    free(r->breaker);
    free(r);
    return proved;
}

static void runs_of_a_group(void **state)
{
    const struct track_truth_group *g = *state;
    const char *only = getenv("SEED"), *many = getenv("TRACK_RUNS"), *from = getenv("TRACK_FROM"),
               *group = getenv("TRACK_GROUP");
    unsigned proved = 0;
    if (only) {
        uint64_t seed = strtoull(only, NULL, 10);
        if (seed / GROUP != g->number)
            skip();
        run(seed, g);
        return;
    }
    if (group && strtoul(group, NULL, 10) != g->number)
        skip();
    uint32_t first = from ? (uint32_t)strtoul(from, NULL, 10) : 0;
    uint32_t runs = many ? (uint32_t)strtoul(many, NULL, 10) : g->runs;
    for (uint32_t i = first; i < first + runs; i++)
        proved |= run((uint64_t)GROUP * g->number + i, g);
    /* Every state that a side can speak from was proved at least once: a tracker that claims
     * nothing would pass otherwise. */
    for (unsigned s = STATE_CLOSED; s < STATE_UNKNOWN; s++)
        if (s != STATE_LISTEN && !(proved >> s & 1))
            fail_msg("%s was never proved", state_name((enum state)s));
}

static struct track_truth_group harmless = {.number = 1, .runs = 1000, .harmless = true};
static struct track_truth_group any = {.number = 2, .runs = 2000};
static struct track_truth_group rough = {.number = 3, .runs = 500, .rough = true};
static struct track_truth_group breaks = {
    .number = 4, .runs = 800, .rules = BREAK_ALL & ~BREAK_LIES};
static struct track_truth_group lies = {.number = 5, .runs = 800, .rules = BREAK_ALL};
static struct track_truth_group gaps = {.number = 6, .runs = 400, .gaps = true};
static struct track_truth_group ring = {.number = 7, .runs = 400, .ring = true};
static struct track_truth_group all = {
    .number = 8, .runs = 400, .gaps = true, .ring = true, .rules = BREAK_ALL};

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"proved_is_true_and_all_agree_in_the_end_of_undisturbed_runs", runs_of_a_group, NULL, NULL,
         &harmless},
        {"proved_is_true_under_loss_duplication_and_reordering", runs_of_a_group, NULL, NULL, &any},
        {"proved_is_true_with_loss_30_duplication_10_reordering_20", runs_of_a_group, NULL, NULL,
         &rough},
        {"proved_is_true_of_a_peer_that_breaks_the_rules", runs_of_a_group, NULL, NULL, &breaks},
        {"proved_is_true_of_the_other_side_of_a_peer_that_lies", runs_of_a_group, NULL, NULL,
         &lies},
        {"proved_is_true_where_the_capture_has_gaps", runs_of_a_group, NULL, NULL, &gaps},
        {"proved_is_true_where_a_ring_was_full_and_told_it_with_the_next_segment", runs_of_a_group,
         NULL, NULL, &ring},
        {"proved_is_true_of_the_other_side_of_a_peer_that_lies_in_a_capture_with_gaps",
         runs_of_a_group, NULL, NULL, &all},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
