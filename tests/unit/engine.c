/*
 * Drives one engine. It builds the peer's segments, compares what goes out with what a case
 * expects, and checks after every step what must always hold, whatever the case tests. See
 * engine.h.
 */
#include "tests/unit/engine.h"

#include <stdarg.h>
#include <stdio.h>

struct engine_rig rig;

/* Both streams repeat after a prime number of bytes, so that a byte out of place by any power of
 * two, or by any MSS, shows. */
#define PERIOD 65521u
#define PEER_PHASE 31337u
static uint8_t pattern[PERIOD + 70000];

const struct variant variants[] = {
    {"plain", 1000000, 2000000, false},
    {"options, across 2^32 here and 2^31 there", 0xfffffffe, 0x7ffffffe, true},
    {"options, across 2^31 here and 2^32 there", 0x7ffffffe, 0xfffffffe, true},
    {"plain, data just below 2^32", 0xfffffff0, 0xfffffff0, false},
};
const size_t variant_count = COUNT(variants);

static const uint8_t *bytes_at(uint32_t position, uint32_t phase)
{
    if (pattern[1] == 0)
        for (size_t i = 0; i < sizeof pattern; i++)
            pattern[i] = (uint8_t)((i % PERIOD * 2654435761u) >> 13);
    return pattern + (position + phase) % PERIOD;
}

static struct seq ours(uint32_t relative)
{
    return seq_of(rig.iss + relative);
}

static struct seq theirs(uint32_t relative)
{
    return seq_of(rig.irs + relative);
}

uint32_t out_seq(void)
{
    return rig.out.seq.v - rig.iss;
}

uint32_t out_ack(void)
{
    return rig.out.ack.v - rig.irs;
}

uint32_t out_window(void)
{
    bool scaled = rig.scaled && !(rig.out.flags & SEG_SYN);
    return (uint32_t)rig.out.wnd << (scaled ? rig.our_syn.wscale : 0);
}

uint32_t snd_una(void)
{
    return rig.c.snd.una.v - rig.iss;
}

uint32_t snd_nxt(void)
{
    return rig.c.snd.nxt.v - rig.iss;
}

uint32_t rcv_nxt(void)
{
    return rig.c.rcv.nxt.v - rig.irs;
}

uint32_t rto_us(void)
{
    return (uint32_t)(rtt_rto(&rig.c.rtt, &rig.env.config, 0) / WAVE_US);
}

uint32_t eff_mss(void)
{
    return (rig.peer.no_mss ? 536u : rig.peer.mss) - (rig.stamped ? 12 : 0);
}

struct entry entry(void)
{
    return (struct entry){rig.c.state, snd_una(), snd_nxt(), rcv_nxt()};
}

void check_at(struct at at, bool condition, const char *format, ...)
{
    if (condition)
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_error("%s\n", text);
    print_error("    state %s, snd.una %u nxt %u wnd %u, rcv.nxt %u, %llu us on the clock\n",
                state_name(rig.c.state), snd_una(), snd_nxt(), rig.c.snd.wnd, rcv_nxt(),
                (unsigned long long)(rig.now / WAVE_US));
    _fail(at.file, at.line);
}

/*
 * What must hold in every case
 */

/* conn_listen() and conn_rebuild() have no time to stamp an event of LISTEN with. */
static void step_into_listen(enum state s)
{
    if (rig.state == STATE_CLOSED && s == STATE_LISTEN)
        rig.state = STATE_LISTEN;
}

static void verify_event(struct at at, const struct event *e)
{
    check_at(at, e->id == rig.c.id, "an event is of connection %u", e->id);
    check_at(at, e->at >= rig.last_event && e->at <= rig.now, "an event is of another time");
    rig.last_event = e->at;
    if (e->kind == EVENT_DATA)
        rig.told_data += e->u.bytes;
    if (e->kind == EVENT_ACKED)
        rig.told_acked += e->u.bytes;
    if (e->kind != EVENT_STATE)
        return;
    check_at(at, e->u.state.cause && e->u.state.cause[0], "a step has no cause");
    check_at(at, e->u.state.from == rig.state, "an event says %s was left in %s",
             state_name(e->u.state.from), state_name(rig.state));
    check_at(at, state_edge(e->u.state.from, e->u.state.to), "%s to %s is no edge",
             state_name(e->u.state.from), state_name(e->u.state.to));
    rig.state = e->u.state.to;
}

/* Checks that the events add up to what the connection says of itself. */
static void verify_sums(struct at at)
{
    check_at(at, rig.env.events_lost == 0, "events were lost");
    check_at(at, rig.state == rig.c.state, "the events end in %s", state_name(rig.state));
    check_at(at, rig.told_data == conn_received(&rig.c), "%u bytes were told of, %u received",
             rig.told_data, conn_received(&rig.c));
    if (rig.c.state != STATE_CLOSED && !rig.sends_itself)
        check_at(at, rig.told_acked + conn_unacked(&rig.c) == rig.queued - 1,
                 "%u bytes were sent, %u told to be acknowledged, %zu are not", rig.queued - 1,
                 rig.told_acked, conn_unacked(&rig.c));
    const char *broken = conn_check(&rig.c);
    check_at(at, broken == NULL, "conn_check: %s", broken ? broken : "");
}

/* Records every event, and checks that the states in them follow one another by RFC 9293's
 * transitions. */
static void take_events(struct at at)
{
    struct event e;
    while (env_event(&rig.env, &e)) {
        if (e.kind == EVENT_STATE)
            step_into_listen(e.u.state.from);
        verify_event(at, &e);
        if (rig.events == COUNT(rig.log))
            forget();
        rig.taken[rig.events] = false;
        rig.log[rig.events++] = e;
    }
    step_into_listen(rig.c.state);
    verify_sums(at);
}

/* Checks the options. RFC 7323, 3.2: negotiated timestamps are on every segment but a RST; RFC
 * 9293, 3.1 and 3.2: MSS, window scale and SACK-permitted are on SYNs only. */
static void verify_options(struct at at, const struct seg *s)
{
    const struct opt *o = &s->opt;
    bool syn = s->flags & SEG_SYN;
    if (!syn)
        check_at(at, !(o->has & (OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED)),
                 "an option that belongs on a SYN goes out without one");
    if (!syn && !(s->flags & SEG_RST))
        check_at(at, !!(o->has & OPT_TIMESTAMP) == rig.stamped,
                 "timestamps are %s, and this has %s", rig.stamped ? "in force" : "not in force",
                 o->has & OPT_TIMESTAMP ? "one" : "none");
    if (o->has & OPT_SACK)
        check_at(at, rig.sacked, "SACK blocks were not negotiated");
    check_at(at, opt_size(o) <= OPT_BYTES_MAX, "more than 40 bytes of options");
    if (!syn && s->len > 0)
        check_at(at, s->len + opt_size(o) <= (rig.peer.no_mss ? 536u : rig.peer.mss),
                 "%u bytes of data and %zu of options exceed the peer's MSS", s->len, opt_size(o));
    if (o->has & OPT_TIMESTAMP)
        rig.echo = o->tsval;
}

/* Checks the offered window. RFC 9293, 3.8.6: its right edge never moves left, but for the part
 * that a scaled window cannot express. */
static void verify_edge(struct at at, const struct seg *s)
{
    if ((s->flags & (SEG_RST | SEG_ACK)) != SEG_ACK)
        return;
    uint32_t edge = out_ack() + out_window();
    uint32_t grain = rig.scaled ? 1u << rig.our_syn.wscale : 1;
    check_at(at, (int32_t)(edge + grain - rig.edge) > 0,
             "the window shrank: its edge was %u, is %u", rig.edge, edge);
    if ((int32_t)(edge - rig.edge) > 0)
        rig.edge = edge;
}

/* Checks the numbers. RFC 9293, 3.4 and 3.8.6: SEG.ACK is RCV.NXT, the window is the room in the
 * buffer, and new data stays in the peer's window, except a probe of a zero window. */
static void verify_numbers(struct at at, const struct seg *s)
{
    if (s->flags & SEG_RST)
        return;
    uint32_t end = out_seq() + s->len, edge = snd_una() + rig.c.snd.wnd;
    check_at(at, !(s->flags & SEG_ACK) || out_ack() == rcv_nxt(), "%u is acknowledged, not %u",
             out_ack(), rcv_nxt());
    check_at(at, (int32_t)(end - snd_nxt()) <= 0, "%u is sent, beyond SND.NXT", end);
    check_at(at, (int32_t)(out_seq() + 1 - snd_una()) >= 0, "%u is sent, long acknowledged",
             out_seq());
    if (s->len > 0 && (int32_t)(end - rig.sent) > 0 && rig.c.snd.wnd > 0)
        check_at(at, (int32_t)(end - edge) <= 0, "new data up to %u, the window ends at %u", end,
                 edge);
    if ((int32_t)(end - rig.sent) > 0)
        rig.sent = end;
    /* A scaled window may be rounded up, so that its edge does not move left (RFC 7323, 2.4); what
     * is offered must then be taken, and a_four_mebibyte_buffer_is_offered_and_filled sees to it.
     */
    uint32_t grain = rig.scaled ? 1u << rig.our_syn.wscale : 1;
    uint32_t max = rig.env.config.rcvbuf + grain - 1 + !!(rig.c.flags & CONN_FIN_RCVD);
    if (s->flags & SEG_ACK && !(s->flags & SEG_SYN))
        check_at(at, out_ack() + out_window() - rig.read <= max,
                 "a window of %u is more than there is room for", out_window());
}

static void verify_segment(struct at at)
{
    const struct seg *s = &rig.out;
    check_at(at, !(s->flags & SEG_SYN) || !(s->flags & (SEG_FIN | SEG_RST)),
             "SYN stands with FIN or RST");
    check_at(at, s->reserved == 0, "reserved bits are set (RFC 9293, 3.1)");
    check_at(at, (s->flags & SEG_URG) || s->urp == 0, "an urgent pointer without URG");
    if (s->flags & SEG_SYN)
        rig.our_syn = s->opt;
    verify_options(at, s);
    if (s->flags & SEG_SYN) {
        rig.stamped = rig.our_syn.has & rig.their_syn.has & OPT_TIMESTAMP;
        rig.scaled = rig.our_syn.has & rig.their_syn.has & OPT_WSCALE;
        rig.sacked = rig.our_syn.has & rig.their_syn.has & OPT_SACK_PERMITTED;
    }
    verify_edge(at, s);
    verify_numbers(at, s);
    if (s->len > 0 && !rig.garbage)
        check_at(at, memcmp(s->data, bytes_at(out_seq(), 0), s->len) == 0,
                 "the bytes at %u are not what was sent there", out_seq());
}

static bool pull(struct at at)
{
    if (rig.reset_due) {
        rig.out = rig.reset;
        rig.reset_due = false;
        return true;
    }
    bool some = conn_output(&rig.c, rig.now, &rig.out, rig.room);
    if (some)
        verify_segment(at);
    take_events(at);
    return some;
}

/*
 * The wire.
 */

struct seg make(unsigned flags, uint32_t seq, uint32_t ack, uint32_t wnd, uint32_t len)
{
    struct seg s = {.seq = theirs(seq), .ack = ours(ack), .flags = (uint16_t)flags, .len = len};
    bool syn = flags & SYN;
    s.wnd = (uint16_t)(!syn && rig.scaled ? wnd >> rig.peer.shift : wnd);
    if (len > 0)
        s.data = bytes_at(seq + syn, PEER_PHASE);
    if (syn) {
        if (!rig.peer.no_mss)
            s.opt.has |= OPT_MSS;
        s.opt.mss = rig.peer.mss;
        if (rig.peer.wscale)
            s.opt.has |= OPT_WSCALE;
        s.opt.wscale = rig.peer.shift;
        if (rig.peer.sack)
            s.opt.has |= OPT_SACK_PERMITTED;
    }
    if (syn ? rig.peer.timestamps : rig.stamped) {
        s.opt.has |= OPT_TIMESTAMP;
        s.opt.tsval = rig.peer_clock + (uint32_t)(rig.now / WAVE_MS);
        s.opt.tsecr = flags & ACK ? rig.echo : 0;
    }
    return s;
}

/* Notes the peer's SYN. Its options are in force from its first arrival in LISTEN or SYN_SENT on,
 * once ours are. */
static void note_their_syn(const struct seg *s)
{
    if (!(s->flags & SYN) || (rig.c.state != STATE_LISTEN && rig.c.state != STATE_SYN_SENT))
        return;
    rig.their_syn = s->opt;
    rig.edge = 0; /* a window offered for another SYN, an old duplicate, says nothing now */
    if (rig.c.state == STATE_SYN_SENT) {
        rig.stamped = rig.our_syn.has & s->opt.has & OPT_TIMESTAMP;
        rig.scaled = rig.our_syn.has & s->opt.has & OPT_WSCALE;
        rig.sacked = rig.our_syn.has & s->opt.has & OPT_SACK_PERMITTED;
    }
}

void feed_at(struct at at, struct seg s, enum conn_input expected)
{
    note_their_syn(&s);
    enum conn_input got = conn_input(&rig.c, rig.now, &s);
    if (got == INPUT_RESET) {
        check_at(at, !rig.reset_due, "a RST was left unsent");
        rig.reset_due = conn_reset_for(&rig.c, rig.now, &s, &rig.reset);
        check_at(at, rig.reset_due, "a RST is to be answered with RST");
        got = INPUT_DONE;
    }
    check_at(at, got == expected, "conn_input() gave %d", got);
    take_events(at);
}

bool next_out(wave_time duration)
{
    wave_time until = rig.now + duration;
    for (int idle = 0; idle < 100000; idle++) {
        if (pull(HERE))
            return true;
        wave_time due = conn_expiry(&rig.c, rig.now);
        if (due > until) {
            rig.now = until;
            return false;
        }
        if (due > rig.now)
            rig.now = due;
        else
            check(idle < 99990, "conn_expiry() says now, and there is nothing to do");
        conn_tick(&rig.c, rig.now);
        take_events(HERE);
    }
    check(false, "the engine woke 100000 times and sent nothing");
    return false;
}

static void describe(char *text, size_t room, unsigned flags, uint32_t seq, uint32_t ack,
                     uint32_t len)
{
    char name[SEG_FLAGS_TEXT];
    snprintf(text, room, "<%s seq %u ack %u len %u>", seg_flags_text((uint16_t)flags, name), seq,
             ack, len);
}

void out_at(struct at at, wave_time lo, wave_time hi, unsigned flags, uint32_t seq, uint32_t ack,
            uint32_t len)
{
    char want[80], got[80];
    wave_time from = rig.now;
    describe(want, sizeof want, flags, seq, ack, len);
    check_at(at, next_out(hi), "nothing went out, where %s should", want);
    describe(got, sizeof got, rig.out.flags, out_seq(), out_ack(), rig.out.len);
    check_at(at, rig.now - from >= lo, "%s went out after %llu us, too soon", got,
             (unsigned long long)((rig.now - from) / WAVE_US));
    /* Where PSH stands is the sender's choice (RFC 9293, 3.9.1.2), but for the case about it. */
    bool same = ((rig.out.flags ^ flags) & ~(unsigned)PSH) == 0 && out_seq() == seq &&
                (len == ANY_LEN || rig.out.len == len) && (!(flags & ACK) || out_ack() == ack);
    check_at(at, same, "%s went out, where %s should", got, want);
}

void silent_at(struct at at, wave_time duration)
{
    char got[80];
    bool some = next_out(duration);
    describe(got, sizeof got, rig.out.flags, out_seq(), out_ack(), rig.out.len);
    check_at(at, !some, "%s went out, where nothing should", got);
}

void acknowledges_at(struct at at, uint32_t ack)
{
    wave_time until = rig.now + 500 * WAVE_MS - 1;
    while (next_out(until - rig.now))
        if ((rig.out.flags & (ACK | RST | SYN)) == ACK && out_ack() == ack)
            return;
    check_at(at, false, "no acknowledgement of %u within 500 ms", ack);
}

uint32_t burst(void)
{
    uint32_t bytes = 0;
    rig.bursts = 0;
    while (pull(HERE)) {
        bytes += rig.out.len;
        check(rig.bursts < SEEN_MAX, "more than %d segments at once", SEEN_MAX);
        rig.seen[rig.bursts].seq = out_seq();
        rig.seen[rig.bursts].len = rig.out.len;
        rig.seen[rig.bursts].flags = rig.out.flags;
        rig.seen[rig.bursts++].ecn = rig.out.ecn;
    }
    return bytes;
}

void expect_state_at(struct at at, enum state s)
{
    check_at(at, rig.c.state == s, "the state is %s, not %s", state_name(rig.c.state),
             state_name(s));
}

/*
 * The user.
 */

void push(uint32_t n)
{
    while (n > 0) {
        uint32_t part = n < 50000 ? n : 50000;
        int taken = conn_send(&rig.c, rig.now, bytes_at(rig.queued, 0), part);
        check(taken == (int)part, "conn_send() took %d of %u", taken, part);
        rig.queued += part;
        n -= part;
    }
    take_events(HERE);
}

uint32_t readable(void)
{
    const uint8_t *data = NULL;
    size_t n = conn_peek(&rig.c, &data);
    for (size_t done = 0; done < n; done += 50000) {
        size_t part = n - done < 50000 ? n - done : 50000;
        check(memcmp(data + done, bytes_at(rig.read + (uint32_t)done, PEER_PHASE), part) == 0,
              "the bytes delivered at %u are not what the peer sent there", rig.read);
    }
    return (uint32_t)n;
}

void take(uint32_t n)
{
    while (n > 0) {
        uint32_t run = readable();
        check(run > 0, "%u bytes should still be readable", n);
        uint32_t part = run < n ? run : n;
        conn_consume(&rig.c, rig.now, part);
        take_events(HERE);
        rig.read += part;
        n -= part;
    }
}

void shut(void)
{
    int rc = conn_close(&rig.c, rig.now);
    check(rc == 0, "conn_close() gave %d", rc);
    take_events(HERE);
}

void pass(wave_time duration)
{
    wave_time until = rig.now + duration;
    while (next_out(until - rig.now))
        ;
}

/*
 * Events.
 */

const struct event *event_find(enum event_kind kind)
{
    take_events(HERE);
    for (size_t i = 0; i < rig.events; i++)
        if (!rig.taken[i] && rig.log[i].kind == kind) {
            rig.taken[i] = true;
            return &rig.log[i];
        }
    return NULL;
}

const struct event *expect_event_at(struct at at, enum event_kind kind)
{
    const struct event *e = event_find(kind);
    check_at(at, e != NULL, "no event of kind %d came", kind);
    return e;
}

void forget(void)
{
    rig.events = 0;
}

/*
 * Into a state.
 */

void rig_stop(void)
{
    if (rig.c.env)
        conn_release(&rig.c);
    if (rig.c.env)
        check(rig.env.mem_used == 0, "%zu bytes of queues were not given back", rig.env.mem_used);
    memset(&rig, 0, sizeof rig);
}

void rig_start(const struct variant *v)
{
    rig_stop();
    struct conn_config config;
    conn_config_default(&config, 1500, false);
    config.rcvbuf = RCVBUF;
    config.time_wait = true;
    config.quick_acks = 0; /* delayed is the rule; what hurries is in the cases about it */
    config.wscale = config.timestamps = config.sack = v->options;
    env_init(&rig.env, &config, 1);
    const struct flow flow = {.local = addr_v4(192, 0, 2, 1),
                              .remote = addr_v4(192, 0, 2, 2),
                              .lport = 40000,
                              .rport = 80};
    conn_init(&rig.c, &rig.env, &flow, 7);
    rig.now = 1000 * WAVE_S;
    rig.iss = v->iss;
    rig.irs = v->irs;
    rig.peer.mss = 1460;
    rig.peer.wscale = rig.peer.timestamps = rig.peer.sack = v->options;
    rig.peer.shift = 2;
    rig.peer_clock = 0x7ffffff0; /* so that timestamps, too, cross 2^31 */
    rig.queued = rig.read = 1;
}

void renew(void)
{
    const struct flow flow = rig.c.flow;
    conn_init(&rig.c, &rig.env, &flow, 7);
}

static void begin_active(void)
{
    renew();
    check(conn_open(&rig.c, rig.now, ours(0)) == 0, "conn_open() refuses");
    out(SYN, 0, 0, 0);
    expect_state(STATE_SYN_SENT);
}

static void begin_passive(void)
{
    renew();
    check(conn_listen(&rig.c, ours(0)) == 0, "conn_listen() refuses");
    take_events(HERE);
    nothing();
    expect_state(STATE_LISTEN);
}

void simultaneous(void)
{
    in(SYN, 0, 0, WND, 0);
    out(SYN | ACK, 0, 1, 0);
    expect_state(STATE_SYN_RECEIVED);
}

void establish(wave_time rtt)
{
    begin_active();
    silent(rtt);
    in(SYN | ACK, 0, 1, WND, 0);
    out(ACK, 1, 1, 0);
    nothing();
    expect_state(STATE_ESTABLISHED);
}

void establish_passive(wave_time rtt)
{
    begin_passive();
    in(SYN, 0, 0, WND, 0);
    out(SYN | ACK, 0, 1, 0);
    silent(rtt);
    in(ACK, 1, 1, WND, 0);
    nothing();
    expect_state(STATE_ESTABLISHED);
}

static void drive_close(enum state s)
{
    bool peer_first = s == STATE_CLOSE_WAIT || s == STATE_LAST_ACK;
    if (peer_first) {
        in(FIN | ACK, 1, 1, WND, 0);
        acknowledges(2);
        if (s == STATE_CLOSE_WAIT)
            return;
    }
    shut();
    out(FIN | ACK, 1, peer_first ? 2 : 1, 0);
    if (s == STATE_CLOSING) {
        in(FIN | ACK, 1, 1, WND, 0);
        out(ACK, 2, 2, 0);
    }
    if (s == STATE_FIN_WAIT_2 || s == STATE_TIME_WAIT)
        in(ACK, 1, 2, WND, 0);
    if (s == STATE_TIME_WAIT) {
        in(FIN | ACK, 1, 2, WND, 0);
        out(ACK, 2, 2, 0);
    }
}

void drive(enum state s)
{
    switch (s) {
    case STATE_CLOSED:
        break;
    case STATE_LISTEN:
        begin_passive();
        break;
    case STATE_SYN_SENT:
        begin_active();
        break;
    case STATE_SYN_RECEIVED:
        begin_passive();
        in(SYN, 0, 0, WND, 0);
        out(SYN | ACK, 0, 1, 0);
        break;
    default:
        establish(RTT);
        if (s != STATE_ESTABLISHED)
            drive_close(s);
    }
    nothing();
    expect_state(s);
    forget();
}

/* Sets what both SYNs have negotiated. */
static void build_handshake(struct conn *c, uint32_t wl1, uint32_t wl2)
{
    const struct conn_config *config = &rig.env.config;
    rig.stamped = rig.peer.timestamps && config->timestamps;
    rig.scaled = rig.peer.wscale && config->wscale;
    rig.sacked = rig.peer.sack && config->sack;
    c->flags |= (rig.stamped ? CONN_TIMESTAMPS : 0) | (rig.scaled ? CONN_WSCALE : 0) |
                (rig.sacked ? CONN_SACK : 0);
    c->snd_shift = rig.scaled ? rig.peer.shift : 0;
    c->rcv_shift = 0; /* RCVBUF fits into 16 bits */
    c->mss = rig.peer.mss;
    c->rcv.irs = theirs(0);
    c->rcv.nxt = c->rcv.acked = theirs(1);
    c->rcv.adv = theirs(1 + RCVBUF);
    c->snd.wl1 = theirs(wl1);
    c->snd.wl2 = ours(wl2);
    c->snd.wnd = c->snd.max_wnd = WND;
    c->ts_recent = rig.stamped ? rig.peer_clock + (uint32_t)(rig.now / WAVE_MS) : 0;
    c->cwnd = 10u * eff_mss();
    c->ssthresh = UINT32_MAX;
    c->last_in = rig.now;
    rig.edge = 1 + RCVBUF;
}

void build(enum state s)
{
    struct conn *c = &rig.c;
    c->state = s;
    rig.state = s;
    if (s == STATE_CLOSED)
        return;
    c->snd.iss = c->snd.una = c->snd.nxt = ours(0);
    if (s == STATE_LISTEN || s == STATE_SYN_RECEIVED)
        c->flags |= CONN_PASSIVE;
    if (s == STATE_LISTEN)
        return;
    c->snd.nxt = ours(1);
    c->syn_sent = 1;
    c->since = (uint32_t)(rig.now / WAVE_MS);
    c->flags |= CONN_STALLED;
    c->syn_at = (uint32_t)(rig.now / WAVE_US);
    c->rtt.rttvar = (uint32_t)(rig.env.config.rto_initial / WAVE_US);
    c->timer[TIMER_REXMT] = rig.now + rig.env.config.rto_initial;
    if (s == STATE_SYN_SENT)
        return;
    build_handshake(c, 0, s == STATE_SYN_RECEIVED ? 0 : 1);
    if (s == STATE_SYN_RECEIVED)
        return;
    c->flags = (c->flags | CONN_SYN_ACKED) & ~(uint32_t)CONN_STALLED;
    c->snd.una = ours(1);
    c->timer[TIMER_REXMT] = WAVE_NEVER;
    c->rtt.srtt = c->rtt.min = (uint32_t)(RTT / WAVE_US);
    c->rtt.rttvar = c->rtt.srtt / 2;
    if (s == STATE_ESTABLISHED)
        return;
    if (s != STATE_CLOSE_WAIT) {
        c->flags |= CONN_FIN_QUEUED | CONN_FIN_SENT;
        c->snd.nxt = ours(2);
        c->timer[TIMER_REXMT] = rig.now + rto_us() * WAVE_US;
    }
    if (s == STATE_FIN_WAIT_2 || s == STATE_TIME_WAIT) {
        c->snd.una = c->snd.wl2 = ours(2);
        c->snd.wl1 = theirs(1);
        c->timer[TIMER_REXMT] = WAVE_NEVER;
    }
    if (s == STATE_FIN_WAIT_1 || s == STATE_FIN_WAIT_2)
        return;
    c->flags |= CONN_FIN_RCVD;
    c->rcv.nxt = c->rcv.acked = theirs(2);
    c->rcv.adv = theirs(2 + RCVBUF);
    c->snd.wl1 = theirs(1);
    rig.edge = 2 + RCVBUF;
    if (s == STATE_TIME_WAIT)
        c->timer[TIMER_TIME_WAIT] = rig.now + 2 * rig.env.config.msl;
}

/*
 * main().
 */

#define CASES_MAX 1024
static struct CMUnitTest all[CASES_MAX];
static char names[CASES_MAX][160];
static size_t cases_count;
static struct engine_start {
    enum state state;
    size_t variant;
} starts[CASES_MAX];

static int set_up(void **state)
{
    const struct engine_start *start = *state;
    rig_start(&variants[start->variant]);
    drive(start->state);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_stop();
    return 0;
}

static void add(const struct CMUnitTest *cases, size_t n, enum state s, size_t variant, bool named)
{
    for (size_t i = 0; i < n && cases_count < CASES_MAX; i++) {
        struct CMUnitTest *t = &all[cases_count];
        starts[cases_count] = (struct engine_start){s, variant};
        snprintf(names[cases_count], sizeof names[0], "%s%s%s%s", cases[i].name, named ? " (" : "",
                 named ? variants[variant].name : "", named ? ")" : "");
        *t = (struct CMUnitTest){.name = names[cases_count],
                                 .test_func = cases[i].test_func,
                                 .setup_func = set_up,
                                 .teardown_func = tear_down,
                                 .initial_state = &starts[cases_count]};
        cases_count++;
    }
}

int run_cases(const struct CMUnitTest *cases, size_t n)
{
    add(cases, n, STATE_CLOSED, 1, false);
    return cmocka_run_group_tests(all, NULL, NULL);
}

int run_state(enum state s, const struct CMUnitTest *cases, size_t n)
{
    const struct group *const groups[] = {handshake_groups, synchronized_groups, sending_groups};
    for (size_t v = 0; v < variant_count; v++) {
        add(cases, n, s, v, true);
        for (size_t i = 0; i < COUNT(groups); i++)
            for (const struct group *g = groups[i]; g->n > 0; g++)
                if (g->states & 1u << s)
                    add(g->cases, g->n, s, v, true);
    }
    return cmocka_run_group_tests(all, NULL, NULL);
}
