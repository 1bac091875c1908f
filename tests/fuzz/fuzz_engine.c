/*
 * The engine against any sequence of (time step, segment, call). For all that a peer, a user and
 * the clock may do: its invariants hold, the bytes that it delivers and sends are those that were
 * written, its memory is bounded, it comes to rest, and nothing is left over.
 *
 * The input is a program: the first byte of each step chooses what happens, and the following bytes
 * are its arguments. The data of every segment follows one pattern of its sequence numbers, so that
 * a byte delivered in a wrong place shows, independently of how segments overlapped.
 */
#include "lib/core/conn.h"
#include "tests/fuzz/fuzz.h"

enum { OUTPUTS_MAX = 5000, SEND_MAX = 20000 };

struct engine_world {
    struct env env;
    struct conn conn;
    wave_time now;
    struct cursor in;
    uint32_t isn;        /* ours */
    uint32_t queued;     /* bytes that conn_send() took */
    uint32_t read;       /* bytes that conn_consume() gave back */
    struct seq edge;     /* right edge of the window we offered */
    bool offered;        /* `edge` is valid */
    struct fuzz_memory memory;
    uint8_t option_bytes[OPT_BYTES_MAX];
    uint8_t room[CONN_ROOM];
};

/* What must hold after every step. */
static void hold(const struct engine_world *w)
{
    const struct conn_config *config = &w->env.config;
    const char *broken = conn_check(&w->conn);

    if (broken)
        fprintf(stderr, "%s\n", broken);
    require(!broken);
    /* Rings are powers of two, and one is copied while it grows; records and runs come on top. */
    require(w->env.mem_used <= 8 * ((size_t)config->rcvbuf + config->sndbuf) + (1u << 20));
}

static void take_events(struct engine_world *w)
{
    struct event e;

    while (env_event(&w->env, &e))
        require(e.id == 1 && e.at <= w->now);
    require(w->env.events_lost == 0);
}

/* What holds of every segment that leaves. `una` is SND.UNA. */
static void leaves(struct engine_world *w, const struct seg *s, struct seq una)
{
    const bool syn = s->flags & SEG_SYN;
    uint32_t offset = s->seq.v + syn - w->isn - 1;
    struct seq edge;

    require(s->len + opt_size(&s->opt) <= CONN_ROOM);
    require(s->len == 0 || s->data);
    require(!(s->flags & SEG_RST) || s->len == 0);
    if (s->len && seq_geq(s->seq, una)) { /* below, it is a probe's garbage */
        require(offset + s->len <= w->queued);
        require(memcmp(s->data, pattern_at(offset), s->len) == 0);
    }
    if ((s->flags & SEG_RST) || !(s->flags & SEG_ACK))
        return;
    /* RFC 9293, 3.8.6.2.2: the right edge never moves to the left, but for what the scale rounds
     * off (RFC 7323, 2.4). */
    edge = seq_add(s->ack, (uint32_t)s->wnd << (syn ? 0 : w->conn.rcv_shift));
    require(!w->offered || syn || seq_gt(seq_add(edge, 1u << w->conn.rcv_shift), w->edge));
    w->edge = w->offered && !syn ? seq_max(edge, w->edge) : edge;
    w->offered = true;
}

/* Takes what the engine wants to send; it must come to an end. */
static void drain(struct engine_world *w)
{
    struct seg s;
    struct seq una = w->conn.snd.una;
    uint32_t n = 0;

    take_events(w);
    while (conn_output(&w->conn, w->now, &s, w->room)) {
        leaves(w, &s, una);
        require(++n < OUTPUTS_MAX + w->conn.cwnd); /* with options, a segment may carry one byte */
        if (n < 64 || n % 64 == 0) /* it looks at every record in flight */
            hold(w);
        take_events(w);
        una = w->conn.snd.una;
    }
    take_events(w);
    hold(w);
}

static void put_options(struct engine_world *w, struct seg *s)
{
    uint8_t kinds = cursor_u8(&w->in);

    s->opt.has = kinds & (OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_SACK | OPT_TIMESTAMP);
    if (kinds & OPT_MSS)
        s->opt.mss = cursor_u16(&w->in);
    if (kinds & OPT_WSCALE)
        s->opt.wscale = cursor_u8(&w->in);
    if (kinds & OPT_TIMESTAMP) {
        s->opt.tsval = kinds & 0x80 ? cursor_u32(&w->in) : w->conn.ts_recent + cursor_u8(&w->in);
        s->opt.tsecr =
            kinds & 0x80 ? cursor_u32(&w->in) : (uint32_t)(w->now / WAVE_MS) + w->conn.ts_offset;
    }
    if (kinds & OPT_SACK) {
        s->opt.sacks = cursor_u8(&w->in) % (OPT_SACK_MAX + 1);
        for (unsigned i = 0; i < s->opt.sacks; i++) {
            s->opt.sack[i].first = fuzz_near(&w->in, w->conn.snd.una);
            s->opt.sack[i].end = fuzz_near(&w->in, w->conn.snd.nxt);
        }
    }
}

/* Hands a segment over, with the pattern's data. */
static void deliver(struct engine_world *w, struct seg *s)
{
    const bool fresh = w->conn.state == STATE_LISTEN || w->conn.state == STATE_SYN_SENT;
    struct seg reset;

    s->data = s->len ? pattern_at(s->seq.v + ((s->flags & SEG_SYN) != 0)) : NULL;
    switch (conn_input(&w->conn, w->now, s)) {
    case INPUT_RESET:
        require(!(s->flags & SEG_RST));
        require(conn_reset_for(&w->conn, w->now, s, &reset) && reset.len == 0 &&
                (reset.flags & SEG_RST));
        break;
    case INPUT_REUSE:
        require(w->conn.state == STATE_CLOSED && (s->flags & SEG_SYN));
        break;
    case INPUT_DONE:
        break;
    }
    if (fresh) { /* the peer's numbers begin with this one */
        w->offered = false;
        w->read = 0;
    }
    if (w->conn.state == STATE_LISTEN) /* back again: what was queued went with the peer */
        w->queued = 0;
}

/* A segment of any kind. */
static void arrive(struct engine_world *w)
{
    struct seg s = {0};
    uint8_t what = cursor_u8(&w->in);

    s.flags = what < 200 ? (uint16_t)(SEG_ACK | (what & (SEG_FIN | SEG_PSH | SEG_URG | SEG_ECE)))
                         : (uint16_t)(cursor_u16(&w->in) & 0x1ff);
    s.seq = fuzz_near(&w->in, w->conn.rcv.nxt);
    s.ack = fuzz_near(&w->in, cursor_u8(&w->in) & 1 ? w->conn.snd.nxt : w->conn.snd.una);
    s.wnd = cursor_u16(&w->in);
    s.urp = s.flags & SEG_URG ? cursor_u16(&w->in) : 0;
    s.ecn = cursor_u8(&w->in) & 3;
    s.len = cursor_u8(&w->in) & 1 ? cursor_u16(&w->in) : 0;
    put_options(w, &s);
    deliver(w, &s);
}

/* SACK blocks over what is in flight, in sixteenths of it: bit n of `map` is the n-th one. */
static void scoreboard(const struct conn *c, unsigned map, struct opt *o)
{
    const uint32_t flight = c->snd.nxt.v - c->snd.una.v;

    for (unsigned i = 0; i < 16 && o->sacks < OPT_SACK_MAX; i++) {
        const unsigned first = i;
        while (i < 16 && map >> i & 1)
            i++;
        if (i == first)
            continue;
        o->sack[o->sacks].first = seq_add(c->snd.una, flight / 16 * first);
        o->sack[o->sacks++].end = i == 16 ? c->snd.nxt : seq_add(c->snd.una, flight / 16 * i);
    }
    if (o->sacks)
        o->has |= OPT_SACK;
}

/* A segment as an honest peer would send it, of which one byte says how much it acknowledges, how
 * much it carries, whether it ends and how far the window is open. */
static void answer(struct engine_world *w)
{
    const struct conn *c = &w->conn;
    const uint8_t what = cursor_u8(&w->in);
    const uint32_t flight = c->snd.nxt.v - c->snd.una.v;
    struct seg s = {.flags = SEG_ACK, .seq = c->rcv.nxt, .wnd = 0xffff};

    s.ack = seq_add(c->snd.una, what & 1 ? flight : what & 2 ? flight / 2 : 0);
    if (c->state == STATE_SYN_SENT || c->state == STATE_LISTEN) {
        s.flags = c->state == STATE_LISTEN || what & 0x80 ? SEG_SYN : SEG_SYN | SEG_ACK;
        s.seq = seq_of(what & 0x40 ? 0xffffff00u : 7);
        s.ack = c->snd.nxt;
        s.opt = (struct opt){.has = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TIMESTAMP,
                             .mss = what & 0x20 ? 88 : 1460,
                             .wscale = what & 0x10 ? 0 : 7};
        if (what & 8)
            s.opt.has = OPT_MSS;
    } else {
        if (what & 4)
            s.wnd = cursor_u8(&w->in) & 1 ? cursor_u8(&w->in) : 0;
        if (what & 8)
            s.flags |= SEG_FIN;
        if (what & 0x10)
            s.len = 1 + cursor_u16(&w->in) % 3000;
        if (what & 0x20) /* a gap before it */
            s.seq = seq_add(s.seq, cursor_u8(&w->in) * 16u);
        if (what & 0x40 && flight && (c->flags & CONN_SACK))
            scoreboard(c, cursor_u16(&w->in), &s.opt);
        if (c->flags & CONN_TIMESTAMPS)
            s.opt.has |= OPT_TIMESTAMP;
        if (what & 0x80)
            s.ecn = ECN_CE;
    }
    s.opt.tsval = c->ts_recent + 1;
    s.opt.tsecr = (uint32_t)(w->now / WAVE_MS) + c->ts_offset;
    deliver(w, &s);
}

static void trouble(struct engine_world *w)
{
    struct icmp e = {.type = 3, .flow = w->conn.flow, .has_seq = true};

    e.code = cursor_u8(&w->in);
    e.mtu = cursor_u16(&w->in);
    e.seq = fuzz_near(&w->in, w->conn.snd.una);
    e.meaning = (enum icmp_meaning)(cursor_u8(&w->in) % 4);
    conn_icmp(&w->conn, w->now, &e);
}

static void user_send(struct engine_world *w, size_t len)
{
    const size_t room = conn_send_room(&w->conn);
    int n = conn_send(&w->conn, w->now, pattern_at(w->queued), len);

    require(n < 0 || ((size_t)n <= len && (size_t)n <= room));
    w->queued += n > 0 ? (uint32_t)n : 0;
    require(conn_unacked(&w->conn) <= w->env.config.sndbuf);
}

/* Reads some of what is there, all of which must be what was written. */
static void user_read(struct engine_world *w)
{
    const uint8_t *data;
    size_t n = conn_peek(&w->conn, &data);
    uint8_t how = cursor_u8(&w->in);

    for (size_t at = 0; at < n;) {
        size_t run = n - at < PATTERN_PERIOD ? n - at : PATTERN_PERIOD;
        require(memcmp(data + at, pattern_at(w->conn.rcv.irs.v + 1 + w->read + (uint32_t)at),
                       run) == 0);
        at += run;
    }
    if (n > 0 && how < 128)
        n = 1 + how % n;
    conn_consume(&w->conn, w->now, n);
    w->read += (uint32_t)n;
    require(w->conn.state == STATE_CLOSED || w->read <= conn_received(&w->conn));
}

static void call(struct engine_world *w, uint8_t which)
{
    struct conn *c = &w->conn;

    switch (which) {
    case 0:
        user_send(w, cursor_u16(&w->in) % SEND_MAX);
        break;
    case 1:
        user_read(w);
        break;
    case 2:
        conn_close(c, w->now);
        break;
    case 3:
        conn_keepalive(c, w->now, cursor_u8(&w->in) & 1);
        break;
    case 4:
        conn_probe(c, cursor_u8(&w->in) & 1);
        break;
    case 5: /* rarely, since it ends the run */
        if (cursor_u8(&w->in) > 200)
            conn_abort(c, w->now);
        break;
    case 6:
        if (cursor_u8(&w->in) & 1)
            w->env.mem_max =
                cursor_u8(&w->in) < 128 ? SIZE_MAX : w->env.mem_used + cursor_u16(&w->in);
        else
            w->memory.left = cursor_u8(&w->in) % 8;
        break;
    default:
        trouble(w);
        break;
    }
}

/* To the engine's own next moment, or a few steps past now. */
static void pass_time(struct engine_world *w)
{
    wave_time next = conn_expiry(&w->conn, w->now);
    uint8_t how = cursor_u8(&w->in);

    if (how & 1)
        w->now += cursor_u16(&w->in) * WAVE_US;
    else if (next != WAVE_NEVER && next > w->now)
        w->now = next;
    conn_tick(&w->conn, w->now);
}

/* The third segment of a handshake brought a SYN cookie back. */
static void rebuild(struct engine_world *w)
{
    struct seg syn = {.flags = SEG_SYN, .seq = seq_of(7), .wnd = 1000};
    struct seg ack = {
        .flags = SEG_ACK, .seq = seq_of(8), .ack = seq_of(w->isn + 1), .wnd = cursor_u16(&w->in)};

    fuzz_options(&w->in, w->option_bytes, &syn.opt);
    conn_rebuild(&w->conn, w->now, &syn, seq_of(w->isn));
    ack.opt.has = syn.opt.has & OPT_TIMESTAMP; /* where most of the options come back from */
    ack.opt.tsval = syn.opt.tsval;
    conn_input(&w->conn, w->now, &ack);
}

static void begin(struct engine_world *w)
{
    struct conn_config config;
    struct flow flow = {
        .local = addr_v4(192, 0, 2, 1), .remote = addr_v4(192, 0, 2, 2), .lport = 1, .rport = 2};
    const uint8_t how = cursor_u8(&w->in), options = cursor_u8(&w->in);

    flow.v6 = how >> 7;
    conn_config_default(&config, how & 0x40 ? 68 : 1500, flow.v6);
    config.rcvbuf = how & 2 ? 5000 : 4u << 20;
    config.sndbuf = how & 4 ? 3000 : 1u << 20;
    config.wscale = options & 1;
    config.timestamps = options & 2;
    config.sack = options & 4;
    config.ecn = options & 8;
    config.nagle = options & 16;
    config.time_wait = options & 32;
    config.keepalive = options & 64;
    config.keepalive_garbage = how & 8;
    config.no_third_ack = (options & 0x80) && (how & 8);
    config.deaf_to_keepalive = config.reneges = (options & 0x80) && !(how & 8);
    env_init(&w->env, &config, how);
    w->env.resize = fuzz_resize;
    w->env.resize_ctx = &w->memory;
    w->memory.left = 0;
    w->queued = w->read = 0;
    w->offered = false;
    conn_init(&w->conn, &w->env, &flow, 1);
    w->now = WAVE_S;
    w->isn = how & 16 ? 0xfffffff0u : 0x7ffffff0u;
    if (how & 1)
        conn_open(&w->conn, w->now, seq_of(w->isn));
    else if (how & 32)
        rebuild(w);
    else
        conn_listen(&w->conn, seq_of(w->isn));
}

/* No more answers come: the engine must end by itself, after its own timeouts. */
static void end(struct engine_world *w)
{
    w->env.mem_max = SIZE_MAX;
    w->memory.left = 0;
    conn_keepalive(&w->conn, w->now, false);
    for (int i = 0; i < 300; i++) {
        wave_time next;
        drain(w);
        next = conn_expiry(&w->conn, w->now);
        if (next == WAVE_NEVER)
            break;
        if (next > w->now)
            w->now = next;
        conn_tick(&w->conn, w->now);
    }
    drain(w);
    require(conn_expiry(&w->conn, w->now) == WAVE_NEVER);
    conn_release(&w->conn);
    require(w->env.mem_used == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct engine_world w;

    pattern_fill();
    memset(&w.conn, 0, sizeof w.conn);
    w.in = cursor_of(bytes, size);
    begin(&w);
    drain(&w);
    while (w.in.left > 0) {
        const uint8_t step = cursor_u8(&w.in);
        if (step < 70)
            arrive(&w);
        else if (step < 150)
            answer(&w);
        else if (step < 200)
            pass_time(&w);
        else
            call(&w, step & 7);
        hold(&w);
        take_events(&w);
        if (step & 1) /* two inputs may come before output is asked for */
            drain(&w);
    }
    end(&w);
    return 0;
}
