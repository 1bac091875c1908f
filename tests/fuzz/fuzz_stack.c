/*
 * A stack that many peers, correct and malicious, talk to at the same time: connections open in
 * both directions, listeners with and without cookies, releases at any moment, memory that runs
 * out. Its counts agree with what is there, every connection's invariants hold, and nothing is left
 * over at the end.
 */
#include "lib/core/stack.h"
#include "tests/fuzz/fuzz.h"

enum { FLOWS = 16, MOST = 6, OUTPUTS_MAX = 20000 };

/* One peer, who remembers what was said to it last. */
struct peer {
    struct flow flow;
    struct seq seq, ack; /* the stack's: behind its last segment, and what that acknowledged */
    uint32_t tsval;
    bool heard;
};

struct stack_world {
    struct stack *stack;
    struct cursor in;
    wave_time now;
    struct peer peer[FLOWS];
    uint32_t id[FLOWS]; /* that stack_connect() gave, or STACK_NONE */
    struct fuzz_memory memory;
    uint8_t room[CONN_ROOM];
};

static void hold(struct stack_world *w)
{
    struct env *env = stack_env(w->stack);
    uint32_t cursor = 0, id, count = 0, half_open = 0;

    while ((id = stack_next(w->stack, &cursor)) != STACK_NONE) {
        struct conn *c = stack_conn(w->stack, id);
        const char *broken;

        require(c && c->id == id);
        broken = conn_check(c);
        if (broken)
            fprintf(stderr, "%s\n", broken);
        require(!broken);
        half_open += c->state == STATE_SYN_RECEIVED;
        require(++count <= MOST);
    }
    require(count == stack_count(w->stack));
    require(stack_half_open(w->stack) <= half_open);
    require(env->mem_used == w->memory.held && env->mem_used <= env->mem_max);
}

static void take_events(struct stack_world *w)
{
    struct event e;

    while (stack_event(w->stack, &e))
        require(e.id != STACK_NONE && e.at <= w->now);
    require(stack_env(w->stack)->events_lost == 0);
}

static void drain(struct stack_world *w)
{
    struct flow flow;
    struct seg s;
    uint32_t id;
    int n = 0;

    while (stack_output(w->stack, w->now, &flow, &s, w->room, &id)) {
        require(++n < OUTPUTS_MAX);
        require(id == STACK_NONE || stack_conn(w->stack, id));
        for (int i = 0; i < FLOWS; i++) {
            struct peer *p = &w->peer[i];
            if (!flow_eq(&p->flow, &flow))
                continue;
            if (!(s.flags & SEG_RST)) {
                p->seq = seg_end(&s);
                p->ack = s.flags & SEG_ACK ? s.ack : seq_of(5000);
                p->tsval = s.opt.tsval;
                p->heard = true;
            }
        }
        take_events(w);
    }
    take_events(w);
}

static void user(struct stack_world *w, struct conn *c, uint8_t what)
{
    const uint32_t id = c->id;
    const uint8_t *data;

    switch (what & 7) {
    case 0:
        conn_send(c, w->now, pattern_at(0), cursor_u16(&w->in) % 10000);
        break;
    case 1:
        conn_consume(c, w->now, conn_peek(c, &data));
        break;
    case 2:
        conn_close(c, w->now);
        break;
    case 3:
        conn_abort(c, w->now);
        break;
    case 4:
        conn_vanish(c, w->now);
        break;
    case 5:
        conn_keepalive(c, w->now, what & 8);
        break;
    case 6:
        conn_probe(c, what & 8);
        break;
    default:
        stack_release(w->stack, id);
        require(!stack_conn(w->stack, id));
        return;
    }
    stack_changed(w->stack, w->now, id);
}

/* What one peer sends: the next segment of its part, or anything. */
static void arrive(struct stack_world *w, uint8_t what)
{
    struct peer *p = &w->peer[what % FLOWS];
    const uint8_t shape = cursor_u8(&w->in);
    uint8_t option_bytes[OPT_BYTES_MAX];
    struct seg s = {.flags = SEG_ACK, .seq = p->ack, .ack = p->seq, .wnd = 0xffff};
    uint32_t id;

    if (shape & 1)
        s.seq = fuzz_near(&w->in, s.seq);
    if (shape & 2)
        s.ack = fuzz_near(&w->in, s.ack);
    if (shape & 4)
        s.flags = cursor_u16(&w->in) & 0x1ff;
    if (shape & 8)
        s.len = cursor_u16(&w->in) % 3000;
    if (shape & 16)
        s.flags |= SEG_FIN;
    if (shape & 32)
        s.wnd = cursor_u8(&w->in);
    if (shape & 64)
        fuzz_options(&w->in, option_bytes, &s.opt);
    if (!p->heard || shape & 128) {
        s.flags = SEG_SYN;
        s.seq = seq_of(1000);
    }
    if (s.opt.has & OPT_TIMESTAMP && !(shape & 128))
        s.opt.tsecr = p->tsval;
    s.data = s.len ? pattern_at(0) : NULL;
    id = stack_input(w->stack, w->now, &p->flow, &s);
    /* A RST takes what a listener made back to LISTEN: gone. */
    require(id == STACK_NONE || stack_conn(w->stack, id) || (s.flags & (SEG_RST | SEG_SYN)));
}

static void trouble(struct stack_world *w)
{
    const struct peer *p = &w->peer[cursor_u8(&w->in) % FLOWS];
    struct icmp e = {.type = 3, .flow = p->flow, .has_seq = true};

    e.meaning = (enum icmp_meaning)(cursor_u8(&w->in) % 4);
    e.mtu = cursor_u16(&w->in);
    e.seq = seq_sub(p->seq, cursor_u8(&w->in));
    stack_icmp(w->stack, w->now, &e);
}

static void step(struct stack_world *w, uint8_t what)
{
    const uint8_t arg = what % FLOWS;
    uint32_t id, cursor;
    wave_time next;

    if (what < 0x80) {
        arrive(w, what);
    } else if (what < 0xa0) {
        cursor = arg;
        id = stack_next(w->stack, &cursor);
        if (id != STACK_NONE)
            user(w, stack_conn(w->stack, id), cursor_u8(&w->in));
    } else if (what < 0xb0) {
        if (stack_connect(w->stack, w->now, &w->peer[arg].flow, &id) == 0)
            require(stack_conn(w->stack, id)->state == STATE_SYN_SENT);
    } else if (what < 0xc0) {
        w->now += cursor_u16(&w->in) * WAVE_MS;
        stack_tick(w->stack, w->now);
    } else if (what < 0xe0) {
        next = stack_expiry(w->stack, w->now);
        if (next != WAVE_NEVER && next > w->now)
            w->now = next;
        stack_tick(w->stack, w->now);
    } else if (what < 0xe8) {
        trouble(w);
    } else if (what < 0xf0) {
        w->memory.every = what & 7;
    } else if (what < 0xf4) {
        stack_unlisten(w->stack);
    } else if (what < 0xf8) {
        stack_env(w->stack)->mem_max = what & 1 ? SIZE_MAX : w->memory.held + cursor_u16(&w->in);
    } else {
        drain(w);
    }
}

static void begin(struct stack_world *w, const uint8_t *bytes, size_t size)
{
    struct conn_config config;
    uint8_t how;
    struct stack_listener l = {.any = true, .port = 80};

    memset(w, 0, offsetof(struct stack_world, room));
    w->in = cursor_of(bytes, size);
    how = cursor_u8(&w->in);
    conn_config_default(&config, 1500, false);
    config.time_wait = how & 1;
    config.keepalive = how & 2;
    config.timestamps = how & 4;
    config.rcvbuf = 100000;
    config.ecn = how & 64;
    config.simultaneous_open = how & 128;
    require(stack_create(&w->stack, &config, MOST, how) == 0);
    stack_env(w->stack)->resize = fuzz_resize;
    stack_env(w->stack)->resize_ctx = &w->memory;
    l.half_open = how >> 3 & 3;
    l.answer_rst = how & 32;
    require(stack_listen(w->stack, &l) == 0);
    require(stack_listen(w->stack, &l) < 0);
    l.v6 = true;
    require(stack_listen(w->stack, &l) == 0);
    for (uint8_t i = 0; i < FLOWS; i++)
        w->peer[i].flow = (struct flow){.local = addr_v4(192, 0, 2, 1),
                                        .remote = addr_v4(192, 0, 2, i / 2),
                                        .lport = i & 4 ? 1000 : 80,
                                        .rport = i,
                                        .v6 = i > 13};
    w->now = 1000 * WAVE_S;
}

/* No more segments come: the connections that are left close, each after its own timeouts. */
static void end(struct stack_world *w)
{
    uint32_t cursor = 0, id;
    wave_time next = 0;

    w->memory.every = 0;
    stack_env(w->stack)->mem_max = SIZE_MAX;
    while ((id = stack_next(w->stack, &cursor)) != STACK_NONE) {
        conn_keepalive(stack_conn(w->stack, id), w->now, false);
        stack_changed(w->stack, w->now, id);
    }
    for (int i = 0; i < 20000 && next != WAVE_NEVER; i++) {
        drain(w);
        next = stack_expiry(w->stack, w->now);
        if (next == WAVE_NEVER)
            break;
        if (next > w->now)
            w->now = next;
        stack_tick(w->stack, w->now);
        take_events(w);
    }
    require(next == WAVE_NEVER);
    hold(w);
    cursor = 0;
    while ((id = stack_next(w->stack, &cursor)) != STACK_NONE)
        stack_release(w->stack, id);
    require(stack_count(w->stack) == 0 && stack_half_open(w->stack) == 0);
    take_events(w);
    stack_destroy(w->stack);
    require(w->memory.held == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct stack_world w;

    pattern_fill();
    begin(&w, bytes, size);
    while (w.in.left > 0) {
        const uint8_t what = cursor_u8(&w.in);

        step(&w, what);
        take_events(&w);
        if (what & 1)
            drain(&w);
        hold(&w);
    }
    end(&w);
    return 0;
}
