/*
 * Tests that calls and segments lead to exactly the state that the RFC's variables describe. Each
 * state is reached in two ways: an engine is driven into it, and one is written down with these
 * variables. The two must agree, variable by variable and then in what they answer.
 */
#include "tests/unit/engine.h"

/* The flags that both handshakes and both closes determine. Flags of the moment, such as a pending
 * acknowledgement, are checked by what is answered. */
#define SETTLED                                                                                    \
    (CONN_PASSIVE | CONN_WSCALE | CONN_TIMESTAMPS | CONN_SACK | CONN_ECN | CONN_FIN_QUEUED |       \
     CONN_FIN_SENT | CONN_FIN_RCVD | CONN_RST_DUE | CONN_SYN_DUE | CONN_KEEPALIVE |                \
     CONN_SYN_ACKED | CONN_PERSIST | CONN_URGENT | CONN_SIMULTANEOUS | CONN_RECOVERY)

static struct engine_rig driven, built;

static const struct variant *chosen;

static void both(enum state s)
{
    rig_start(chosen);
    drive(s);
    driven = rig;
    memset(&rig, 0, sizeof rig);
    rig_start(chosen);
    rig.now = driven.now; /* the path took a round trip */
    build(s);
    built = rig;
}

static void same(const char *what, uint64_t a, uint64_t b)
{
    check(a == b, "%s: driven %llu, written down %llu", what, (unsigned long long)a,
          (unsigned long long)b);
}

static void compare_numbers(const struct conn *a, const struct conn *b)
{
    same("state", a->state, b->state);
    same("end", a->end, b->end);
    same("flags", a->flags & SETTLED, b->flags & SETTLED);
    if (a->state == STATE_LISTEN)
        return;
    same("SND.UNA", a->snd.una.v, b->snd.una.v);
    same("SND.NXT", a->snd.nxt.v, b->snd.nxt.v);
    same("ISS", a->snd.iss.v, b->snd.iss.v);
    if (a->state == STATE_SYN_SENT)
        return;
    same("RCV.NXT", a->rcv.nxt.v, b->rcv.nxt.v);
    same("IRS", a->rcv.irs.v, b->rcv.irs.v);
    /* A FIN takes no room: the edge may stay where it was, or move on by it. */
    uint32_t moved = a->rcv.adv.v - b->rcv.adv.v;
    check(moved == 0 || (a->flags & CONN_FIN_RCVD && moved == (uint32_t)-1),
          "the right edge: driven %u, written down %u", a->rcv.adv.v, b->rcv.adv.v);
    same("Last.ACK.sent", a->rcv.acked.v, b->rcv.acked.v);
    same("SND.WND", a->snd.wnd, b->snd.wnd);
    same("MAX.SND.WND", a->snd.max_wnd, b->snd.max_wnd);
    same("SND.WL1", a->snd.wl1.v, b->snd.wl1.v);
    if (state_synchronized(a->state))
        same("SND.WL2", a->snd.wl2.v, b->snd.wl2.v);
    same("the peer's scale", a->snd_shift, b->snd_shift);
    same("our scale", a->rcv_shift, b->rcv_shift);
    same("MSS", a->mss, b->mss);
}

static void compare_measures(const struct conn *a, const struct conn *b)
{
    static const char *const names[] = {"the retransmission timer", "the delayed ACK",
                                        "keepalive or TIME_WAIT", "a probe"};
    for (size_t i = 0; i < TIMERS; i++)
        same(names[i], a->timer[i] != WAVE_NEVER, b->timer[i] != WAVE_NEVER);
    same("bytes queued", conn_unacked(a), conn_unacked(b));
    same("a send queue", a->queue != NULL, b->queue != NULL);
    same("a receive queue", a->reasm != NULL, b->reasm != NULL);
    if (!state_synchronized(a->state))
        return;
    if (seq_diff(a->snd.una, a->snd.iss) == 1) { /* else the FIN may have been a second sample */
        same("SRTT", a->rtt.srtt, b->rtt.srtt);
        same("RTTVAR", a->rtt.rttvar, b->rtt.rttvar);
    }
    check(a->cwnd >= 10u * (a->mss - 12u) && a->cwnd <= 10u * a->mss,
          "cwnd is %u, not ten segments", a->cwnd);
    if (a->flags & CONN_TIMESTAMPS)
        same("TS.Recent", a->ts_recent, b->ts_recent);
}

/* Describes what a segment does to a rig: its state, its numbers, and all that is sent immediately.
 */
struct answer {
    enum state state;
    uint32_t una, nxt, rcv, n;
    struct {
        unsigned flags;
        uint32_t seq, ack, len;
    } out[8];
};

static struct answer answer_to(const struct engine_rig *from, unsigned flags, uint32_t seq,
                               uint32_t ack, uint32_t len)
{
    rig = *from;
    struct seg s = make(flags, seq, ack, WND, len);
    (void)conn_input(&rig.c, rig.now, &s);
    struct answer a;
    memset(&a, 0, sizeof a);
    struct seg reply;
    /* The ACK may be delayed: it must be sent by this time. */
    rig.now += rig.env.config.delayed_ack;
    conn_tick(&rig.c, rig.now);
    while (a.n < COUNT(a.out) && conn_output(&rig.c, rig.now, &reply, rig.room)) {
        a.out[a.n].flags = reply.flags;
        a.out[a.n].seq = reply.seq.v;
        a.out[a.n].ack = reply.flags & ACK ? reply.ack.v : 0;
        a.out[a.n++].len = reply.len;
    }
    a.state = rig.c.state;
    a.una = rig.c.snd.una.v;
    a.nxt = rig.c.snd.nxt.v;
    a.rcv = rig.c.rcv.nxt.v;
    conn_release(&rig.c);
    memset(&rig, 0, sizeof rig);
    return a;
}

static void compare_answers(void)
{
    static const struct {
        unsigned flags;
        uint32_t seq, ack, len;
    } stimuli[] = {
        {SYN, 0, 0, 0},       {SYN, 2, 0, 0},          {SYN | ACK, 0, 1, 0},   {RST, 1, 0, 0},
        {RST, 2, 0, 0},       {RST | ACK, 2, 2, 0},    {RST, 40000, 0, 0},     {ACK, 1, 1, 0},
        {ACK, 1, 2, 0},       {ACK, 2, 2, 0},          {ACK, 1, 1, 100},       {ACK, 1, 2, 1460},
        {ACK, 101, 1, 100},   {ACK, 0, 1, 1},          {ACK, 40000, 1, 0},     {FIN | ACK, 1, 1, 0},
        {FIN | ACK, 1, 2, 0}, {FIN | ACK, 2, 2, 10},   {FIN | ACK, 50, 1, 10}, {0, 1, 0, 10},
        {ACK, 1, 77777, 0},   {ACK, 2, 0x90000000, 1},
    };
    for (size_t i = 0; i < COUNT(stimuli); i++) {
        struct answer a =
            answer_to(&driven, stimuli[i].flags, stimuli[i].seq, stimuli[i].ack, stimuli[i].len);
        struct answer b =
            answer_to(&built, stimuli[i].flags, stimuli[i].seq, stimuli[i].ack, stimuli[i].len);
        check(memcmp(&a, &b, sizeof a) == 0,
              "stimulus %zu: driven ends in %s with %u segments (%x), written down in %s with %u "
              "(%x)",
              i, state_name(a.state), a.n, a.out[0].flags, state_name(b.state), b.n,
              b.out[0].flags);
    }
}

static void driven_is_what_is_written_down(void **state)
{
    enum state s = (enum state)(uintptr_t)*state;
    for (size_t v = 0; v < variant_count; v++) {
        chosen = &variants[v];
        both(s);
        compare_numbers(&driven.c, &built.c);
        built.c.rcv.adv = driven.c.rcv.adv;
        compare_measures(&driven.c, &built.c);
        compare_answers();
    }
}

/* The other ways into a state: each must leave the same variables as drive()'s. */

static void settled_as(enum state s)
{
    expect_state(s);
    struct engine_rig other = rig;
    memset(&rig, 0, sizeof rig);
    chosen = &variants[1];
    rig_start(chosen);
    rig.now = other.now;
    build(s);
    same("SND.UNA", other.c.snd.una.v, rig.c.snd.una.v);
    same("SND.NXT", other.c.snd.nxt.v, rig.c.snd.nxt.v);
    same("RCV.NXT", other.c.rcv.nxt.v, rig.c.rcv.nxt.v);
    same("SND.WND", other.c.snd.wnd, rig.c.snd.wnd);
    const uint32_t mask = SETTLED & ~(uint32_t)(CONN_PASSIVE | CONN_SIMULTANEOUS);
    same("flags", other.c.flags & mask, rig.c.flags & mask);
    for (size_t i = 0; i < TIMERS; i++)
        same("a timer", other.c.timer[i] != WAVE_NEVER, rig.c.timer[i] != WAVE_NEVER);
    conn_release(&other.c);
}

static void passive_open_reaches_the_same_established(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    establish_passive(RTT);
    settled_as(STATE_ESTABLISHED);
}

static void simultaneous_open_reaches_the_same_established(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    drive(STATE_SYN_SENT);
    simultaneous();
    in(SYN | ACK, 0, 1, WND, 0);
    burst();
    settled_as(STATE_ESTABLISHED);
}

static void simultaneous_close_reaches_the_same_time_wait(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    drive(STATE_CLOSING);
    in(ACK, 2, 2, WND, 0);
    settled_as(STATE_TIME_WAIT);
}

static void three_way_close_reaches_the_same_time_wait(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    drive(STATE_FIN_WAIT_1);
    in(FIN | ACK, 1, 2, WND, 0);
    out(ACK, 2, 2, 0);
    settled_as(STATE_TIME_WAIT);
}

static int stop(void **state)
{
    (void)state;
    rig_stop();
    return 0;
}

#define PATH(s)                                                                                    \
    {                                                                                              \
        .name = "rfc9293_3_3_2_driven_into_" #s, .test_func = driven_is_what_is_written_down,      \
        .teardown_func = stop, .initial_state = (void *)(uintptr_t)STATE_##s                       \
    }

int main(void)
{
    static const struct CMUnitTest cases[] = {
        PATH(CLOSED),
        PATH(LISTEN),
        PATH(SYN_SENT),
        PATH(SYN_RECEIVED),
        PATH(ESTABLISHED),
        PATH(FIN_WAIT_1),
        PATH(FIN_WAIT_2),
        PATH(CLOSE_WAIT),
        PATH(CLOSING),
        PATH(LAST_ACK),
        PATH(TIME_WAIT),
        cmocka_unit_test_teardown(passive_open_reaches_the_same_established, stop),
        cmocka_unit_test_teardown(simultaneous_open_reaches_the_same_established, stop),
        cmocka_unit_test_teardown(simultaneous_close_reaches_the_same_time_wait, stop),
        cmocka_unit_test_teardown(three_way_close_reaches_the_same_time_wait, stop),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
