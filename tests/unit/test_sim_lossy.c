/*
 * Tests hundreds of seeded runs over a link that loses, duplicates, reorders, delays and damages
 * segments, with data in both directions at the same time. Every byte must arrive as it was sent,
 * both ends must end CLOSED, and nothing may be left over. Everything in a run follows from its
 * seed.
 *
 * A failure prints its seed. SEED=n in the environment runs that seed alone, TRACE=1 shows it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sim.h"

/* What the seeds of one group have in common; a seed is GROUP * group + 0 to runs - 1. */
enum { GROUP = 1000 };

struct sim_lossy_group {
    uint32_t number, runs;
    bool rough;         /* each impairment at its maximum, instead of up to it */
    bool clean;         /* no impairment but delay: the engine's timing alone */
    uint32_t isn_below; /* ISNs lie so close below this number that the data crosses it; or 0 */
    bool wraps;         /* the same below 2^32 */
    bool simultaneous;  /* both open actively */
    bool slow_readers;
};

static uint32_t pick(struct prng *r, const uint32_t *of, size_t n)
{
    return of[prng_below(r, n)];
}

static struct conn_config random_config(struct prng *r, const struct sim_lossy_group *g)
{
    static const uint32_t mtus[] = {576, 1280, 1400, 1500, 1500, 1500, 9000};
    static const uint32_t buffers[] = {3000, 10000, 65535, 200000, 1 << 20, 4 << 20};
    struct conn_config c = sim_config(pick(r, mtus, 7));
    c.rcvbuf = pick(r, buffers, g->slow_readers ? 3 : 6);
    c.sndbuf = pick(r, buffers, 6);
    c.initial_window = 1 + (uint32_t)prng_below(r, 10);
    c.wscale = prng_chance(r, 7500);
    c.timestamps = prng_chance(r, 6000);
    c.sack = prng_chance(r, 6000);
    c.ecn = prng_chance(r, 5000);
    c.nagle = prng_chance(r, 3000);
    c.delayed_ack = prng_chance(r, 5000) ? 40 * WAVE_MS : prng_below(r, 500 * WAVE_MS);
    c.time_wait = prng_chance(r, 8000);
    /* Three segments in ten are lost each way, so that a default of patience would give up
     * once in a while. What it does then is tested elsewhere. */
    c.r2 = 4 * WAVE_H;
    c.syn_retries = 60;
    if (prng_chance(r, 1500)) {
        c.keepalive = true;
        c.keepalive_garbage = prng_chance(r, 5000);
        c.keepalive_idle = 1 + prng_below(r, 5 * WAVE_S);
        c.keepalive_interval = WAVE_S;
        c.keepalive_count = 200;
    }
    return c;
}

static struct path_impairment random_manners(struct prng *r, const struct sim_lossy_group *g)
{
    static const uint32_t kbits[] = {0, 0, 64, 1000, 10000, 100000, 1000000};
    static const uint32_t losses[] = {0, 10, 100, 300, 1000, 2000, 3000};
    struct path_impairment m = {
        .loss = pick(r, losses, 7),
        .duplication = (uint32_t)prng_below(r, 1001),
        .reordering = (uint32_t)prng_below(r, 2001),
        .corruption = (uint32_t)prng_below(r, 101),
        .marking = prng_chance(r, 5000) ? (uint32_t)prng_below(r, 1000) : 0,
        .delay = prng_chance(r, 3000) ? 0 : prng_below(r, 200 * WAVE_MS),
        .jitter = prng_chance(r, 5000) ? 0 : prng_below(r, 20 * WAVE_MS),
        .mtu = prng_chance(r, 1000) ? 600 + (uint32_t)prng_below(r, 900) : 0,
        .bandwidth = pick(r, kbits, 7) * (uint64_t)1000,
    };
    if (prng_chance(r, 5000))
        m.queue = 30000 + (uint32_t)prng_below(r, 300000);
    if (g->rough) {
        m.loss = 3000;
        m.duplication = 1000;
        m.reordering = 2000;
        m.corruption = 100;
    }
    if (g->clean)
        m = (struct path_impairment){
            .delay = m.delay, .jitter = m.jitter, .bandwidth = m.bandwidth};
    return m;
}

static struct sim_user random_user(struct prng *r, const struct sim_lossy_group *g)
{
    static const uint32_t sizes[] = {0, 1, 100, 3000, 20000, 60000, 200000};
    static const uint32_t chunks[] = {0, 0, 1, 100, 1460, 5000, 30000};
    struct sim_user u = {0};
    u.total = prng_below(r, 1 + pick(r, sizes, 7));
    /* Chunks of single bytes are for short streams: they make a segment each. */
    u.write_max = pick(r, chunks, 7);
    if (u.write_max == 1 && u.total > 2000)
        u.write_max = 1460;
    u.read_max = pick(r, chunks, 7);
    if (prng_chance(r, 4000))
        u.write_pause = prng_below(r, 50 * WAVE_MS);
    if (prng_chance(r, g->slow_readers ? 9000 : 2000)) {
        u.read_max = 500 + (uint32_t)prng_below(r, 3000);
        u.read_pause = prng_below(r, 2 * WAVE_S);
    }
    if (prng_chance(r, g->slow_readers ? 9000 : 2000))
        u.read_from = prng_below(r, 30 * WAVE_S);
    u.close = SIM_CLOSE_SENT;
    if (prng_chance(r, 3000))
        u.close_after = prng_below(r, 10 * WAVE_S);
    return u;
}

static struct seq random_isn(struct prng *r, const struct sim_lossy_group *g)
{
    uint32_t below = (uint32_t)prng_below(r, 100000);
    if (g->wraps)
        return seq_of(0u - below);
    return g->isn_below ? seq_of(g->isn_below - below) : seq_of((uint32_t)prng_next(r));
}

static struct sim *set_up(uint64_t seed, const struct sim_lossy_group *g)
{
    struct prng r = {seed ^ 0x7463707761766521u};
    struct conn_config a = random_config(&r, g), b = random_config(&r, g);
    struct sim *s = sim_new(seed, &a, &b);
    s->quick = prng_chance(&r, 5000);
    for (enum link_end e = LINK_A; e <= LINK_B; e++) {
        struct path_impairment m = random_manners(&r, g);
        link_impair(s->link, e, &m);
        s->end[e].user = random_user(&r, g);
    }
    /* One of the two may wait for the other; if both did, neither would close. */
    if (prng_chance(&r, 5000))
        s->end[prng_below(&r, 2)].user.close = SIM_CLOSE_AFTER_PEER;
    struct seq iss_a = random_isn(&r, g), iss_b = random_isn(&r, g);
    if (g->simultaneous) {
        assert_int_equal(conn_open(&s->end[LINK_A].conn, link_now(s->link), iss_a), 0);
        assert_int_equal(conn_open(&s->end[LINK_B].conn, link_now(s->link), iss_b), 0);
    } else {
        sim_open(s, iss_a, iss_b);
    }
    return s;
}

/* An end whose last ACK was lost may get a RST from a peer that is already CLOSED. By then the peer
 * had everything, or it would not be CLOSED. */
static void assert_ended_well(struct sim *s)
{
    int closed = 0;
    for (int i = 0; i < 2; i++) {
        uint8_t end = s->end[i].conn.end;
        if (end != END_CLOSED && end != END_RESET)
            sim_fail(s, "end %c ended as %d", i ? 'B' : 'A', end);
        closed += end == END_CLOSED;
        if (conn_unacked(&s->end[i].conn))
            sim_fail(s, "end %c keeps data that is not acknowledged", i ? 'B' : 'A');
    }
    if (!closed)
        sim_fail(s, "neither end was closed in order");
}

static void run(uint64_t seed, const struct sim_lossy_group *g)
{
    struct sim *s = set_up(seed, g);
    if (!sim_run(s, 48 * WAVE_H))
        sim_fail(s, "the run did not end");
    sim_assert_complete(s);
    assert_ended_well(s);
    sim_delete(s);
}

static void runs_of_a_group(void **state)
{
    const struct sim_lossy_group *g = *state;
    const char *only = getenv("SEED");
    if (only) {
        uint64_t seed = strtoull(only, NULL, 10);
        if (seed / GROUP != g->number)
            skip();
        run(seed, g);
        return;
    }
    for (uint32_t i = 0; i < g->runs; i++)
        run((uint64_t)GROUP * g->number + i, g);
}

static struct sim_lossy_group any = {.number = 1, .runs = 400};
static struct sim_lossy_group rough = {.number = 2, .runs = 200, .rough = true};
static struct sim_lossy_group wraps = {.number = 3, .runs = 100, .wraps = true};
static struct sim_lossy_group signs = {.number = 4, .runs = 100, .isn_below = 1u << 31};
static struct sim_lossy_group slow = {.number = 5, .runs = 100, .slow_readers = true};
static struct sim_lossy_group both = {.number = 6, .runs = 100, .simultaneous = true};
static struct sim_lossy_group clean = {.number = 7, .runs = 100, .clean = true};

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"bytes_survive_any_mixture_of_manners", runs_of_a_group, NULL, NULL, &any},
        {"bytes_survive_loss_30_duplication_10_reordering_20_corruption_1", runs_of_a_group, NULL,
         NULL, &rough},
        {"rfc9293_3_4_sequence_numbers_cross_2_to_the_32", runs_of_a_group, NULL, NULL, &wraps},
        {"rfc9293_3_4_sequence_numbers_cross_2_to_the_31", runs_of_a_group, NULL, NULL, &signs},
        {"rfc9293_3_8_6_slow_readers_and_zero_windows", runs_of_a_group, NULL, NULL, &slow},
        {"rfc9293_3_5_both_open_at_once_on_a_bad_link", runs_of_a_group, NULL, NULL, &both},
        {"bytes_survive_a_clean_link", runs_of_a_group, NULL, NULL, &clean},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
