/*
 * Measures what many connections cost the engine: two stacks, of which one connects to the other,
 * joined directly and in virtual time.
 *
 *     stack_bench cycles HELD CYCLES    full cycles (handshake, FIN in both directions) while HELD
 *                                       connections are open: each opens a new one and closes the
 *                                       oldest
 *     stack_bench held HELD             opens HELD connections, then lets one side probe each of
 *                                       them every 75 seconds (RFC 1122, 4.2.3.6): memory, and
 *                                       time
 *
 * Times are processor times, of both stacks together. No packet is made; load.sh measures what a
 * segment costs on the wire.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/core/stack.h"

enum { PORTS = 60000, FIRST_PORT = 1024, INTERVAL = 75 };

struct stack_bench_bench {
    struct stack *client, *server;
    wave_time now;
    uint32_t *held; /* ids of the client's, a ring: the oldest is closed first */
    uint32_t room, opened, closed;
    uint32_t established, ended; /* at the client */
    uint64_t segments, probes, answers;
    uint8_t data[CONN_ROOM];
};

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "stack_bench: %s\n", what);
    exit(1);
}

/* Bytes of memory that the process has in use. */
static double resident(void)
{
    unsigned long all, used = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%lu %lu", &all, &used) != 2)
        used = 0;
    if (f)
        fclose(f);
    return (double)used * (double)sysconf(_SC_PAGESIZE);
}

/* A server that closes when its client has, and lets go of what is over. */
static void serve(struct stack_bench_bench *b)
{
    struct event e;

    while (stack_event(b->server, &e)) {
        struct conn *c = stack_conn(b->server, e.id);

        b->probes += e.kind == EVENT_PROBE;
        b->answers += e.kind == EVENT_PROBE_ANSWER;
        if (c && e.kind == EVENT_FIN) {
            conn_close(c, b->now);
            stack_changed(b->server, b->now, e.id);
        }
        if (c && c->state == STATE_CLOSED && conn_expiry(c, b->now) > b->now)
            stack_release(b->server, e.id);
    }
}

static void attend(struct stack_bench_bench *b)
{
    struct event e;

    while (stack_event(b->client, &e)) {
        struct conn *c = stack_conn(b->client, e.id);

        if (!c || e.kind != EVENT_STATE)
            continue;
        b->established += e.u.state.to == STATE_ESTABLISHED;
        b->ended += e.u.state.to == STATE_CLOSED;
        if (e.u.state.to == STATE_CLOSED && conn_expiry(c, b->now) > b->now)
            stack_release(b->client, e.id);
    }
}

/* Carries what one side has to send over to the other; true when there was anything. */
static bool carry(struct stack_bench_bench *b, struct stack *from, struct stack *to)
{
    struct flow flow, seen;
    struct seg seg;
    uint32_t id;
    bool any = false;

    while (stack_output(from, b->now, &flow, &seg, b->data, &id)) {
        seen = flow_reverse(&flow);
        stack_input(to, b->now, &seen, &seg);
        b->segments++;
        any = true;
        attend(b);
        serve(b);
    }
    return any;
}

static void settle(struct stack_bench_bench *b)
{
    bool any = true;

    while (any) {
        any = carry(b, b->client, b->server);
        any = carry(b, b->server, b->client) || any;
    }
}

static void open_one(struct stack_bench_bench *b)
{
    const uint32_t n = b->opened % b->room, host = n / PORTS;
    const struct flow flow = {.local = addr_v4(10, 0, (uint8_t)(host >> 8), (uint8_t)host),
                              .remote = addr_v4(10, 1, 0, 1),
                              .lport = (uint16_t)(FIRST_PORT + n % PORTS),
                              .rport = 80};

    if (stack_connect(b->client, b->now, &flow, &b->held[n]) != 0)
        die("cannot open a connection");
    b->opened++;
    b->now += WAVE_US;
    attend(b);
    settle(b);
}

static void close_oldest(struct stack_bench_bench *b)
{
    const uint32_t id = b->held[b->closed++ % b->room];

    conn_close(stack_conn(b->client, id), b->now);
    stack_changed(b->client, b->now, id);
    settle(b);
}

static void begin(struct stack_bench_bench *b, uint32_t held)
{
    const struct stack_listener listener = {
        .any = true, .port = 80, .half_open = 1024, .answer_rst = true};
    struct conn_config c;

    memset(b, 0, sizeof *b);
    b->now = WAVE_S;
    b->room = held + held / 8 + 1;
    b->held = calloc(b->room, sizeof *b->held);
    conn_config_default(&c, 1500, false);
    c.time_wait = false;
    c.rcvbuf = 65535;
    if (!b->held || stack_create(&b->client, &c, b->room, 1) != 0)
        die("no memory");
    c.keepalive = true;
    c.keepalive_idle = c.keepalive_interval = INTERVAL * WAVE_S;
    c.keepalive_count = 10;
    if (stack_create(&b->server, &c, b->room, 2) != 0 || stack_listen(b->server, &listener) != 0)
        die("no memory");
    for (uint32_t i = 0; i < held; i++)
        open_one(b);
    if (b->established != held || stack_count(b->server) != held)
        die("not every connection came about");
}

static void end(struct stack_bench_bench *b)
{
    stack_destroy(b->client);
    stack_destroy(b->server);
    free(b->held);
}

static void cycles(struct stack_bench_bench *b, uint32_t held, uint32_t count)
{
    double began;

    begin(b, held);
    began = seconds();
    for (uint32_t i = 0; i < count; i++) {
        open_one(b);
        close_oldest(b);
    }
    printf("%u open: %.0f ns a cycle\n", held, (seconds() - began) / count * 1e9);
    if (b->ended != count || stack_count(b->server) != held)
        die("not every connection ended");
    end(b);
}

static void held(struct stack_bench_bench *b, uint32_t count)
{
    double before = resident(), began, memory;
    wave_time until;

    begin(b, count);
    memory = resident() - before - b->room * sizeof *b->held;
    until = b->now + 2 * INTERVAL * WAVE_S;
    b->segments = 0;
    began = seconds();
    while (b->now < until) {
        wave_time next = time_min(stack_expiry(b->client, b->now), stack_expiry(b->server, b->now));

        b->now = next > b->now ? next : b->now;
        stack_tick(b->client, b->now);
        stack_tick(b->server, b->now);
        attend(b);
        serve(b);
        settle(b);
    }
    printf("%u held: %.1f MiB each side; %.2f probes of each answered in two intervals of %d s, "
           "%.2f %% of a core for both sides\n",
           count, memory / 2 / 1048576, (double)b->answers / count, INTERVAL,
           (seconds() - began) / (2 * INTERVAL) * 100);
    if (b->answers < count || stack_count(b->client) != count)
        die("not every probe was answered");
    end(b);
}

int main(int argc, char **argv)
{
    static struct stack_bench_bench b;

    if (argc == 4 && strcmp(argv[1], "cycles") == 0)
        cycles(&b, (uint32_t)strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10));
    else if (argc == 3 && strcmp(argv[1], "held") == 0)
        held(&b, (uint32_t)strtoul(argv[2], NULL, 10));
    else
        die("usage: stack_bench cycles HELD CYCLES | held HELD");
    return 0;
}
