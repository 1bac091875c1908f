/* Runs two engines over a simulated link, and checks at every step what must hold. See sim.h. */
#include "tests/unit/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHUNK = 65536 };

void sim_fail(const struct sim *s, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const struct sim_end *a = &s->end[0], *b = &s->end[1];
    fail_msg("SEED=%llu at %.6f s: %s [A: %s, sent %llu, read %llu] [B: %s, sent %llu, read %llu]",
             (unsigned long long)s->seed, (double)link_now(s->link) / 1e9, text, a->path,
             (unsigned long long)a->sent, (unsigned long long)a->received, b->path,
             (unsigned long long)b->sent, (unsigned long long)b->received);
}

/* Returns the byte at that position of a stream. Each eight bytes differ from all others, so that
 * data that is lost, duplicated or displaced is noticed. */
static uint8_t stream_byte(uint64_t key, uint64_t at)
{
    struct prng r = {key + at / 8};
    return (uint8_t)(prng_next(&r) >> at % 8 * 8);
}

static void stream_fill(uint64_t key, uint64_t at, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = stream_byte(key, at + i);
}

/* Each block carries its size, so that an engine that frees it with a wrong one is caught. */
struct block {
    size_t size;
    _Alignas(max_align_t) uint8_t bytes[];
};

static void *resize(void *ctx, void *old, size_t old_size, size_t new_size)
{
    struct sim_memory *m = ctx;
    struct block *b = old ? (struct block *)((uint8_t *)old - offsetof(struct block, bytes)) : NULL;
    assert_int_equal(b ? b->size : 0, old_size);
    if (!new_size) {
        m->blocks -= b != NULL;
        m->bytes -= old_size;
        free(b);
        return NULL;
    }
    m->calls++;
    if (m->calls >= m->fail_from && m->calls - m->fail_from < m->fail_count) {
        m->failed++;
        return NULL;
    }
    struct block *n = realloc(b, sizeof *n + new_size);
    assert_non_null(n);
    m->blocks += b == NULL;
    m->bytes += new_size - old_size;
    n->size = new_size;
    return n->bytes;
}

const char *sim_log_text(struct sim *s)
{
    struct sim_log *log = &s->log;
    size_t at = 0;
    log->text[0] = '\0';
    for (size_t i = 0; i < log->count && i < SIM_LOG && at < sizeof log->text - 32; i++) {
        const struct seg *g = &log->seen[i].seg;
        char flags[SEG_FLAGS_TEXT];
        seg_flags_text((uint16_t)(g->flags & ~SEG_PSH), flags);
        at += (size_t)snprintf(log->text + at, sizeof log->text - at, "%s%c:%s", i ? " " : "",
                               log->seen[i].from == LINK_A ? 'A' : 'B', flags);
        if (g->len)
            at += (size_t)snprintf(log->text + at, sizeof log->text - at, "(%u)", g->len);
    }
    return log->text;
}

void sim_log_clear(struct sim *s)
{
    s->log.count = 0;
}

struct conn_config sim_config(uint32_t mtu)
{
    struct conn_config c;
    conn_config_default(&c, mtu, false);
    return c;
}

/* Takes the engine's events. Its states must follow one another by the transitions of the table,
 * with none left out. */
static void drain_events(struct sim *s, struct sim_end *e)
{
    struct event ev;
    while (env_event(&e->env, &ev)) {
        assert_in_range(ev.kind, 0, EVENT_MSS);
        e->events[ev.kind]++;
        e->last[ev.kind] = ev;
        if (ev.kind != EVENT_STATE)
            continue;
        if (ev.u.state.from != e->state || !state_edge(ev.u.state.from, ev.u.state.to))
            sim_fail(s, "end %c went from %s, where it was in %s, to %s", e->conn.id ? 'B' : 'A',
                     state_name(ev.u.state.from), state_name(e->state), state_name(ev.u.state.to));
        e->state = ev.u.state.to;
        if (e->state == STATE_LISTEN) /* what its user had queued went with the connection */
            e->sent = e->received = 0;
        size_t len = strlen(e->path);
        snprintf(e->path + len, sizeof e->path - len, "%s%s", len ? " " : "", state_name(e->state));
    }
    if (e->env.events_lost)
        sim_fail(s, "events were lost");
    if (e->state != e->conn.state)
        sim_fail(s, "end %c is in %s and told of %s", e->conn.id ? 'B' : 'A',
                 state_name(e->conn.state), state_name(e->state));
}

static void trace(const struct sim *s, wave_time at, enum link_end from, bool arrived,
                  uint64_t number, const struct seg *g)
{
    char flags[SEG_FLAGS_TEXT];
    const struct conn *c = &s->end[from].conn, *peer = &s->end[!from].conn;
    fprintf(stderr, "# %12.6f %s %c #%-5llu %-4s seq %u (+%u) len %u ack %u (+%u) win %u",
            (double)at / 1e9, arrived ? "    got" : "sent   ", from == LINK_A ? 'A' : 'B',
            (unsigned long long)number, seg_flags_text(g->flags, flags), g->seq.v,
            g->seq.v - c->snd.iss.v, g->len, g->ack.v, g->ack.v - peer->snd.iss.v, g->wnd);
    for (size_t i = 0; i < g->opt.sacks && (g->opt.has & OPT_SACK); i++)
        fprintf(stderr, " sack %u:%u", g->opt.sack[i].first.v - peer->snd.iss.v,
                g->opt.sack[i].end.v - peer->snd.iss.v);
    fprintf(stderr, "  A %s B %s\n", state_name(s->end[0].conn.state),
            state_name(s->end[1].conn.state));
}

static void record(struct sim_log *log, wave_time at, enum link_end from, const struct seg *g)
{
    if (log->count < SIM_LOG) {
        struct sim_seen *seen = &log->seen[log->count];
        *seen = (struct sim_seen){.at = at, .from = from, .seg = *g};
        seen->seg.data = NULL;
        seen->seg.opt.raw = NULL;
    }
    log->count++;
}

/* Watches the link. Events are drained here as well, since one step may send more segments than an
 * env keeps events for. */
static void watch(void *ctx, wave_time at, enum link_end from, bool arrived, uint64_t number,
                  const struct seg *g)
{
    struct sim *s = ctx;
    if (s->traced)
        trace(s, at, from, arrived, number, g);
    if (arrived)
        s->heard[!from] = at;
    else
        record(&s->log, at, from, g);
    drain_events(s, &s->end[from]);
    if (s->watch)
        s->watch(s->watch_ctx, at, from, arrived, number, g);
}

static void end_init(struct sim *s, enum link_end e, const struct conn_config *config)
{
    struct sim_end *end = &s->end[e];
    struct flow flow = {.local = addr_v4(192, 0, 2, 1),
                        .remote = addr_v4(192, 0, 2, 2),
                        .lport = 40000,
                        .rport = 80};
    if (e == LINK_B)
        flow = flow_reverse(&flow);
    env_init(&end->env, config, prng_next(&s->prng));
    end->env.resize = resize;
    end->env.resize_ctx = &end->memory;
    end->key = prng_next(&s->prng);
    end->close_at = WAVE_NEVER;
    conn_init(&end->conn, &end->env, &flow, e);
    end->state = STATE_CLOSED;
}

void sim_delete(struct sim *s)
{
    for (int e = 0; e < 2; e++)
        conn_release(&s->end[e].conn);
    sim_assert_no_memory(s);
    link_destroy(s->link);
    free(s);
}

void sim_impair(struct sim *s, const struct path_impairment *m)
{
    link_impair(s->link, LINK_A, m);
    link_impair(s->link, LINK_B, m);
}

/* Draw how many bytes a call moves, and when the user makes the next call. */
static size_t chunk(struct sim *s, uint32_t max, uint64_t there)
{
    uint64_t n = max ? 1 + prng_below(&s->prng, max) : CHUNK;
    n = n < there ? n : there;
    return n < CHUNK ? (size_t)n : CHUNK;
}

static wave_time after_pause(struct sim *s, wave_time pause)
{
    return link_now(s->link) + (pause ? 1 + prng_below(&s->prng, pause) : 0);
}

static void user_writes(struct sim *s, struct sim_end *e)
{
    static uint8_t bytes[CHUNK];
    wave_time now = link_now(s->link);
    /* SEND in LISTEN would open actively (RFC 9293, 3.10.2); a server waits for its client. */
    if (e->conn.state == STATE_LISTEN || e->conn.state == STATE_CLOSED)
        return;
    while (e->sent < e->user.total && e->next_write <= now) {
        size_t n = chunk(s, e->user.write_max, e->user.total - e->sent);
        size_t room = conn_send_room(&e->conn);
        stream_fill(e->key, e->sent, bytes, n < room ? n : room);
        int taken = conn_send(&e->conn, now, bytes, n);
        bool open = e->conn.state == STATE_ESTABLISHED || e->conn.state == STATE_CLOSE_WAIT;
        if (taken > (int)n || taken > (int)room || (taken < 0 && open))
            sim_fail(s, "SEND of %zu bytes with room for %zu gave %d", n, room, taken);
        if (taken > 0)
            e->sent += (uint64_t)taken;
        e->next_write = after_pause(s, e->user.write_pause);
        if (taken <= 0) {
            /* Memory is short: the user must retry by itself, since no delivery may come to prompt
             * it. */
            if (taken == 0 && room)
                e->next_write = now + 10 * WAVE_MS;
            break;
        }
    }
}

static void user_reads(struct sim *s, struct sim_end *e)
{
    wave_time now = link_now(s->link);
    const struct sim_end *peer = &s->end[e == &s->end[0]];
    const uint8_t *bytes;
    size_t there;
    if (e->user.never_reads || now < e->user.read_from)
        return;
    while (e->next_read <= now && (there = conn_peek(&e->conn, &bytes)) > 0) {
        size_t n = chunk(s, e->user.read_max, there);
        for (size_t i = 0; i < n; i++)
            if (bytes[i] != stream_byte(peer->key, e->received + i))
                sim_fail(s, "end %c read a wrong byte at %llu", e->conn.id ? 'B' : 'A',
                         (unsigned long long)(e->received + i));
        conn_consume(&e->conn, now, n);
        e->received += n;
        if (e->received > peer->sent)
            sim_fail(s, "end %c read more than was sent", e->conn.id ? 'B' : 'A');
        e->next_read = after_pause(s, e->user.read_pause);
    }
}

static void user_closes(struct sim *s, struct sim_end *e)
{
    wave_time now = link_now(s->link);
    bool may = e->user.close == SIM_CLOSE_SENT ||
               (e->user.close == SIM_CLOSE_AFTER_PEER && e->events[EVENT_FIN]);
    enum state st = e->conn.state;
    if (e->closed || !may || e->sent < e->user.total || st == STATE_CLOSED || st == STATE_LISTEN ||
        st == STATE_SYN_SENT)
        return;
    if (e->close_at == WAVE_NEVER)
        e->close_at = now + e->user.close_after;
    if (now < e->close_at)
        return;
    int r = conn_close(&e->conn, now);
    if (r < 0)
        sim_fail(s, "CLOSE in %s gave %d", state_name(st), r);
    e->closed = true;
}

static void users_act(struct sim *s)
{
    for (int i = 0; i < 2; i++) {
        struct sim_end *e = &s->end[i];
        drain_events(s, e);
        user_writes(s, e);
        user_reads(s, e);
        user_closes(s, e);
        drain_events(s, e);
    }
}

static void act_quickly(void *ctx)
{
    struct sim *s = ctx;
    if (s->quick)
        users_act(s);
}

/* Returns when a user next does something on its own, after now. */
static wave_time wake(struct sim *s)
{
    wave_time now = link_now(s->link), at = WAVE_NEVER;
    for (int i = 0; i < 2; i++) {
        const wave_time times[] = {s->end[i].next_write, s->end[i].next_read,
                                   s->end[i].user.read_from, s->end[i].close_at};
        for (size_t k = 0; k < sizeof times / sizeof times[0]; k++)
            if (times[k] > now)
                at = time_min(at, times[k]);
    }
    return at;
}

/* Makes a step of a run, and checks what must hold after each. */
static void step(struct sim *s)
{
    users_act(s);
    for (int i = 0; i < 2; i++) {
        const char *wrong = conn_check(&s->end[i].conn);
        if (wrong)
            sim_fail(s, "end %c: %s", i ? 'B' : 'A', wrong);
    }
}

/* Holds what a run is waiting for, and the time until which the link runs. */
struct goal {
    struct sim *s;
    bool (*reached)(const struct goal *g);
    enum link_end end; /* state_reached()'s */
    enum state state;
    wave_time until;
};

static bool over(const struct goal *g)
{
    const uint8_t *bytes;
    for (int i = 0; i < 2; i++)
        if (g->s->end[i].conn.state != STATE_CLOSED || conn_peek(&g->s->end[i].conn, &bytes) > 0)
            return false;
    return true;
}

static bool state_reached(const struct goal *g)
{
    return g->s->end[g->end].conn.state == g->state;
}

/* A user that acts earlier than this stops the link as well. */
static bool stop(void *ctx)
{
    const struct goal *g = ctx;
    step(g->s);
    return g->reached(g) || wake(g->s) < g->until;
}

/* Runs until the goal is reached, or `until`, or nothing is left that could happen. */
static bool run_to(struct goal *g, wave_time until)
{
    struct sim *s = g->s;
    step(s);
    while (!g->reached(g)) {
        g->until = time_min(until, wake(s));
        link_run(s->link, g->until, stop, g);
        step(s);
        if (link_now(s->link) >= until ||
            (link_next(s->link) == WAVE_NEVER && wake(s) == WAVE_NEVER && until == WAVE_NEVER))
            break;
    }
    return g->reached(g);
}

struct sim *sim_new(uint64_t seed, const struct conn_config *a, const struct conn_config *b)
{
    struct sim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->seed = seed;
    s->prng.state = seed;
    end_init(s, LINK_A, a);
    end_init(s, LINK_B, b);
    assert_int_equal(link_create(&s->link, &s->end[0].conn, &s->end[1].conn, prng_next(&s->prng)),
                     0);
    s->traced = getenv("TRACE") != NULL;
    link_set_watch(s->link, watch, s);
    link_set_user(s->link, act_quickly, s);
    return s;
}

bool sim_run(struct sim *s, wave_time until)
{
    struct goal g = {.s = s, .reached = over};
    return run_to(&g, until);
}

bool sim_run_for(struct sim *s, wave_time time)
{
    return sim_run(s, link_now(s->link) + time);
}

void sim_until_state(struct sim *s, enum link_end end, enum state state, wave_time within)
{
    struct goal g = {.s = s, .reached = state_reached, .end = end, .state = state};
    if (!run_to(&g, link_now(s->link) + within))
        sim_fail(s, "end %c did not reach %s", end == LINK_A ? 'A' : 'B', state_name(state));
}

void sim_listen(struct sim *s, enum link_end end, struct seq iss)
{
    assert_int_equal(conn_listen(&s->end[end].conn, iss), 0);
    s->end[end].state = STATE_LISTEN;
}

void sim_open(struct sim *s, struct seq iss_a, struct seq iss_b)
{
    sim_listen(s, LINK_B, iss_b);
    assert_int_equal(conn_open(&s->end[LINK_A].conn, link_now(s->link), iss_a), 0);
}

void sim_establish(struct sim *s)
{
    sim_open(s, seq_of(1000), seq_of(500000));
    sim_until_state(s, LINK_B, STATE_ESTABLISHED, WAVE_MIN);
    sim_until_state(s, LINK_A, STATE_ESTABLISHED, WAVE_MIN);
}

void sim_restart(struct sim *s, enum link_end which)
{
    struct sim_end *e = &s->end[which];
    struct flow flow = e->conn.flow;
    drain_events(s, e);
    conn_release(&e->conn);
    conn_init(&e->conn, &e->env, &flow, which);
    e->state = STATE_CLOSED;
    e->sent = e->received = 0;
    e->closed = false;
    e->path[0] = '\0';
    e->close_at = WAVE_NEVER;
    memset(e->events, 0, sizeof e->events);
}

void sim_assert_no_memory(struct sim *s)
{
    for (int i = 0; i < 2; i++) {
        const struct sim_end *e = &s->end[i];
        if (e->env.mem_used || e->memory.blocks || e->memory.bytes)
            sim_fail(s,
                     "end %c holds %zu bytes by its account, %zu in %zu blocks by the allocator's",
                     i ? 'B' : 'A', e->env.mem_used, e->memory.bytes, e->memory.blocks);
    }
}

void sim_assert_complete(struct sim *s)
{
    for (int i = 0; i < 2; i++) {
        const struct sim_end *e = &s->end[i], *peer = &s->end[!i];
        if (e->conn.state != STATE_CLOSED)
            sim_fail(s, "end %c is not CLOSED", i ? 'B' : 'A');
        if (peer->sent != peer->user.total || e->received != peer->user.total)
            sim_fail(s, "end %c read %llu of %llu bytes", i ? 'B' : 'A',
                     (unsigned long long)e->received, (unsigned long long)peer->user.total);
    }
    sim_assert_no_memory(s);
}
