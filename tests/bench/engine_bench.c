/*
 * Measures how many segments a second the engine handles on one core, with bulk data in one
 * direction. First, two engines are handed each other's segments directly. Then they run over the
 * simulated link (segments are encoded, summed, delivered and decoded): once as in a local network,
 * where little is in flight, and once with a millisecond in each direction and the default buffers,
 * which no cache holds. A segment counts once, when it is sent by one engine and received by the
 * other.
 *
 *     engine_bench [MEGABYTES]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/core/conn.h"
#include "lib/sim/link.h"

enum { CHUNK = 1 << 16 };

/* How the two are joined. */
enum engine_bench_route { DIRECTLY, LOCAL, FAR };

struct engine_bench_end {
    struct env env;
    struct conn conn;
};

struct engine_bench_bench {
    struct engine_bench_end a, b;
    struct link *link; /* NULL: directly */
    wave_time now;
    uint64_t total, sent, received, segments;
};

static uint8_t chunk[CHUNK];

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void drain(struct env *e)
{
    struct event ev;
    while (env_event(e, &ev))
        ;
}

/* The users: A sends as much as there is room for, B reads all there is. */
static void users(struct engine_bench_bench *b)
{
    size_t there;
    const uint8_t *bytes;

    drain(&b->a.env);
    drain(&b->b.env);
    if (b->a.conn.state == STATE_ESTABLISHED && b->sent < b->total &&
        conn_send_room(&b->a.conn) >= CHUNK) {
        uint64_t n = b->total - b->sent;
        int taken = conn_send(&b->a.conn, b->now, chunk, n < CHUNK ? (size_t)n : CHUNK);
        if (taken > 0)
            b->sent += (uint64_t)taken;
    }
    while ((there = conn_peek(&b->b.conn, &bytes)) > 0) {
        conn_consume(&b->b.conn, b->now, there);
        b->received += there;
    }
}

static void transfer(struct engine_bench_bench *b, struct conn *from, struct conn *to)
{
    static uint8_t room[CONN_ROOM];
    struct seg s;
    while (conn_output(from, b->now, &s, room)) {
        b->segments++;
        conn_input(to, b->now, &s);
        users(b);
        /* What the receiver has to say comes before the next segment, as conn.h asks. */
        static uint8_t back[CONN_ROOM];
        while (conn_output(to, b->now, &s, back)) {
            b->segments++;
            conn_input(from, b->now, &s);
        }
    }
}

static void run_directly(struct engine_bench_bench *b)
{
    while (b->received < b->total) {
        users(b);
        transfer(b, &b->a.conn, &b->b.conn);
        transfer(b, &b->b.conn, &b->a.conn);
        wave_time next = time_min(conn_expiry(&b->a.conn, b->now), conn_expiry(&b->b.conn, b->now));
        if (next == WAVE_NEVER)
            continue;
        b->now = next > b->now ? next : b->now + WAVE_US;
        conn_tick(&b->a.conn, b->now);
        conn_tick(&b->b.conn, b->now);
    }
}

static bool step(void *ctx)
{
    struct engine_bench_bench *b = ctx;
    b->now = link_now(b->link);
    users(b);
    return b->received == b->total;
}

static void run_over_link(struct engine_bench_bench *b)
{
    while (b->received < b->total)
        link_run(b->link, link_now(b->link) + WAVE_S, step, b);
    b->segments = link_counts(b->link).delivered;
}

/* Segments a second, or a message and the end. */
static double run(uint64_t total, enum engine_bench_route path)
{
    struct engine_bench_bench *b = calloc(1, sizeof *b);
    struct conn_config c;
    struct flow f = {.local = addr_v4(192, 0, 2, 1),
                     .remote = addr_v4(192, 0, 2, 2),
                     .lport = 1024,
                     .rport = 80};
    struct flow r = flow_reverse(&f);

    if (!b) {
        fputs("engine_bench: out of memory\n", stderr);
        exit(1);
    }
    conn_config_default(&c, 1500, false);
    if (path == LOCAL)
        c.sndbuf = c.rcvbuf = 1 << 18;
    env_init(&b->a.env, &c, 1);
    env_init(&b->b.env, &c, 2);
    conn_init(&b->a.conn, &b->a.env, &f, 1);
    conn_init(&b->b.conn, &b->b.env, &r, 2);
    b->total = total;
    b->now = WAVE_S;
    if (path != DIRECTLY) {
        const struct path_impairment m = {.delay = path == LOCAL ? 50 * WAVE_US : WAVE_MS,
                                          .bandwidth = 10000000000u};
        if (link_create(&b->link, &b->a.conn, &b->b.conn, 1) < 0) {
            fputs("engine_bench: out of memory\n", stderr);
            exit(1);
        }
        link_impair(b->link, LINK_A, &m);
        link_impair(b->link, LINK_B, &m);
    }
    conn_listen(&b->b.conn, seq_of(2));
    conn_open(&b->a.conn, b->now, seq_of(1));
    double start = seconds();
    if (path != DIRECTLY)
        run_over_link(b);
    else
        run_directly(b);
    double rate = (double)b->segments / (seconds() - start);
    conn_release(&b->a.conn);
    conn_release(&b->b.conn);
    link_destroy(b->link);
    free(b);
    return rate;
}

int main(int argc, char **argv)
{
    uint64_t megabytes = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000;
    if (argc > 2 || !megabytes) {
        fputs("usage: engine_bench [MEGABYTES]\n", stderr);
        return 2;
    }
    uint64_t total = megabytes * 1000000;
    double direct = run(total, DIRECTLY), local = run(total, LOCAL), far = run(total, FAR);
    printf("engine, in millions of segments a second: %.2f directly; over the simulated link %.2f "
           "at 50 us, %.2f at 1 ms (%llu MB each)\n",
           direct / 1e6, local / 1e6, far / 1e6, (unsigned long long)megabytes);
    return 0;
}
