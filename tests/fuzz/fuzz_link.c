/*
 * Two engines over a link that the input controls: it loses, duplicates, reorders, delays and
 * corrupts what crosses it, as long as it likes, while two users send, read and close at any time.
 * Once the link works and the users do their part, every byte arrives as it was written, and both
 * ends close.
 */
#include "lib/core/conn.h"
#include "lib/sim/link.h"
#include "tests/fuzz/fuzz.h"

enum { SEND_MAX = 60000, STEPS_MAX = 200 };

struct fuzz_link_end {
    struct env env;
    struct conn conn;
    uint32_t queued, read; /* bytes */
    bool closed;           /* CLOSE was called */
};

struct link_world {
    struct cursor in;
    struct link *link;
    struct fuzz_link_end end[2];
    bool reading, closing; /* the users read all there is; and close */
};

static void hold(const struct link_world *w)
{
    for (int i = 0; i < 2; i++) {
        const char *broken = conn_check(&w->end[i].conn);

        if (broken)
            fprintf(stderr, "%s\n", broken);
        require(!broken);
        require(w->end[i].env.events_lost == 0);
    }
}

static void take_events(struct fuzz_link_end *e)
{
    struct event event;

    while (env_event(&e->env, &event))
        require(event.kind != EVENT_STATE || state_edge(event.u.state.from, event.u.state.to));
}

static void user_read(struct link_world *w, int i, size_t max)
{
    struct fuzz_link_end *e = &w->end[i];
    const uint8_t *data;
    size_t n;

    while ((n = conn_peek(&e->conn, &data)) > 0 && max > 0) {
        n = n < max ? n : max;
        n = n < PATTERN_PERIOD ? n : PATTERN_PERIOD;
        require(memcmp(data, pattern_at(e->read), n) == 0);
        conn_consume(&e->conn, link_now(w->link), n);
        e->read += (uint32_t)n;
        max -= n;
    }
    require(e->read <= w->end[!i].queued);
}

static void user_send(struct link_world *w, int i, size_t len)
{
    struct fuzz_link_end *e = &w->end[i];
    int n;

    if (e->conn.state == STATE_LISTEN) /* to send there would open actively */
        return;
    n = conn_send(&e->conn, link_now(w->link), pattern_at(e->queued), len);
    require(n <= (int)len);
    e->queued += n > 0 ? (uint32_t)n : 0;
}

static void user_close(struct link_world *w, int i)
{
    struct fuzz_link_end *e = &w->end[i];

    if (e->closed || e->conn.state < STATE_SYN_RECEIVED) /* before that it would end all */
        return;
    e->closed = conn_close(&e->conn, link_now(w->link)) == 0;
}

static bool act(void *ctx)
{
    struct link_world *w = ctx;

    for (int i = 0; i < 2; i++) {
        take_events(&w->end[i]);
        if (w->reading)
            user_read(w, i, SIZE_MAX);
        if (w->closing)
            user_close(w, i);
    }
    hold(w);
    return false;
}

static struct path_impairment impairment(struct cursor *in)
{
    const uint8_t how = cursor_u8(in);
    struct path_impairment m = {.delay = (how & 1 ? cursor_u8(in) : 0) * WAVE_MS};

    if (how & 2)
        m.loss = cursor_u8(in) * 30u;
    if (how & 4)
        m.duplication = cursor_u8(in) * 20u;
    if (how & 8)
        m.reordering = cursor_u8(in) * 20u;
    if (how & 16)
        m.corruption = cursor_u8(in) * 4u;
    if (how & 32)
        m.marking = cursor_u8(in) * 10u;
    if (how & 64)
        m.jitter = cursor_u8(in) * WAVE_MS;
    if (how & 128) {
        m.bandwidth = (1 + cursor_u8(in)) * (uint64_t)64000;
        m.queue = 3000 + cursor_u8(in) * 100u;
        m.mtu = cursor_u8(in) < 128 ? 0 : 600 + cursor_u8(in) * 4u;
        m.silent_mtu = m.mtu & 4;
    }
    return m;
}

static void begin_end(struct link_world *w, int i, const struct flow *flow)
{
    static const uint32_t mtus[] = {1500, 576, 1280, 9000, 1500, 296, 1400, 1500};
    static const uint32_t buffers[] = {4u << 20, 3000, 10000, 65535};
    const uint8_t how = cursor_u8(&w->in), options = cursor_u8(&w->in);
    struct conn_config c;

    conn_config_default(&c, mtus[how & 7], flow->v6);
    c.rcvbuf = buffers[how >> 3 & 3];
    c.sndbuf = buffers[how >> 5 & 3];
    c.wscale = options & 1;
    c.timestamps = options & 2;
    c.sack = options & 4;
    c.ecn = options & 8;
    c.nagle = options & 16;
    c.time_wait = options & 32;
    c.keepalive_garbage = c.keepalive = options & 64;
    c.delayed_ack = options & 128 ? 400 * WAVE_MS : 40 * WAVE_MS;
    /* Patience, since the input may have none: longer than it can keep the link cut. */
    c.keepalive_idle = WAVE_S;
    c.keepalive_interval = WAVE_MIN;
    c.keepalive_count = 240;
    c.r2 = 4 * WAVE_H;
    c.syn_retries = 60;
    env_init(&w->end[i].env, &c, how);
    conn_init(&w->end[i].conn, &w->end[i].env, flow, (uint32_t)i);
    w->end[i].queued = w->end[i].read = 0;
    w->end[i].closed = false;
}

static void begin(struct link_world *w)
{
    const uint8_t how = cursor_u8(&w->in);
    const struct flow flow = {.local = addr_v4(192, 0, 2, 1),
                              .remote = addr_v4(192, 0, 2, 2),
                              .lport = 1,
                              .rport = 2,
                              .v6 = how & 1};
    const struct flow back = flow_reverse(&flow);
    const struct seq iss = seq_of(how & 2 ? 0xfffffff0u : how & 4 ? 0x7fffff00u : 7);

    begin_end(w, 0, &flow);
    begin_end(w, 1, &back);
    require(link_create(&w->link, &w->end[0].conn, &w->end[1].conn, how) == 0);
    if (how & 8)
        require(conn_open(&w->end[1].conn, link_now(w->link), iss) == 0);
    else
        require(conn_listen(&w->end[1].conn, iss) == 0);
    require(conn_open(&w->end[0].conn, link_now(w->link), seq_add(iss, how)) == 0);
    w->reading = how & 16;
    w->closing = false;
}

static void step(struct link_world *w, uint8_t what)
{
    const int i = what & 1;
    struct path_impairment m;

    if (what < 50) {
        user_send(w, i, cursor_u16(&w->in) % SEND_MAX);
    } else if (what < 70) {
        user_read(w, i, cursor_u16(&w->in));
    } else if (what < 75) {
        user_close(w, i);
    } else if (what < 80) {
        conn_probe(&w->end[i].conn, what & 2);
    } else if (what < 110) {
        m = impairment(&w->in);
        link_impair(w->link, (enum link_end)i, &m);
    } else if (what < 120) {
        link_set_cut(w->link, i);
    } else if (what < 220) {
        const wave_time unit = what & 2 ? WAVE_MS : what & 4 ? WAVE_S / 16 : WAVE_US;
        link_run(w->link, link_now(w->link) + (1 + cursor_u8(&w->in)) * unit, act, w);
    } else {
        w->reading = what & 2;
    }
    act(w);
}

/* An end whose last ACK was lost may meet the RST of a peer that is gone already: RFC 9293, 3.6. */
static void hold_ended(const struct link_world *w)
{
    int closed = 0;

    for (int i = 0; i < 2; i++) {
        const struct fuzz_link_end *e = &w->end[i];

        require(e->conn.state == STATE_CLOSED);
        require(e->conn.end == END_CLOSED || e->conn.end == END_RESET);
        require(e->read == w->end[!i].queued);
        require(conn_unacked(&e->conn) == 0);
        closed += e->conn.end == END_CLOSED;
    }
    require(closed > 0);
}

static void end(struct link_world *w)
{
    const struct path_impairment well = {.delay = WAVE_MS};

    w->reading = w->closing = true;
    link_set_cut(w->link, false);
    for (int i = 0; i < 2; i++)
        link_impair(w->link, (enum link_end)i, &well);
    act(w);
    link_run(w->link, link_now(w->link) + 6 * WAVE_H, act, w);
    hold_ended(w);
    link_destroy(w->link);
    for (int i = 0; i < 2; i++) {
        conn_release(&w->end[i].conn);
        require(w->end[i].env.mem_used == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct link_world w;

    pattern_fill();
    w.in = cursor_of(bytes, size);
    begin(&w);
    for (int n = 0; n < STEPS_MAX && w.in.left > 0; n++)
        step(&w, cursor_u8(&w.in));
    end(&w);
    return 0;
}
