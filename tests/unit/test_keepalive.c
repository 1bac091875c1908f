/* Tests keepalive in virtual time: RFC 9293, 3.8.4, RFC 1122, 4.2.3.6. */
#include "tests/unit/engine.h"

static void with_keepalive(void)
{
    rig_start(&variants[1]);
    drive(STATE_ESTABLISHED);
    conn_keepalive(&rig.c, rig.now, true);
    nothing();
    forget();
}

/* The next probe, exactly `after` from now: <SEQ=SND.NXT-1>, no data. */
static void probe_after(wave_time after)
{
    out_between(after - WAVE_US, after + WAVE_US, ACK, snd_nxt() - 1, rcv_nxt(), 0);
    nothing();
}

static void rfc9293_3_8_4_must_25_off_by_default(void **state)
{
    (void)state;
    check(!rig.env.config.keepalive, "keepalive is on by default");
    drive(STATE_ESTABLISHED);
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "there is something to wait for");
    silent(30 * 24 * WAVE_H);
}

static void rfc9293_3_8_4_must_28_two_hours_by_default(void **state)
{
    (void)state;
    check(rig.env.config.keepalive_idle == 7200 * WAVE_S, "keep_idle is another");
    check(rig.env.config.keepalive_interval == 75 * WAVE_S, "keep_interval is another");
    check(rig.env.config.keepalive_count == 10, "keep_count is another");
    with_keepalive();
    probe_after(7200 * WAVE_S);
}

/* The first probe after two hours, nine more after 75 seconds each, and as long for an answer to
 * the tenth. */
static void rfc1122_4_2_3_6_full_default_schedule(void **state)
{
    (void)state;
    with_keepalive();
    wave_time from = rig.now;
    probe_after(7200 * WAVE_S);
    for (int i = 2; i <= 10; i++) {
        probe_after(75 * WAVE_S);
        check(expect_event(EVENT_PROBE)->u.probe.n == (uint32_t)i - 1, "the probes are miscounted");
    }
    check(rig.now - from == 7875 * WAVE_S, "the tenth probe went after %llu us",
          (unsigned long long)((rig.now - from) / WAVE_US));
    expect_state(STATE_ESTABLISHED);
    check(!next_out(75 * WAVE_S - WAVE_US), "something goes out before the last interval is over");
    expect_state(STATE_ESTABLISHED);
    check(next_out(2 * WAVE_US), "no RST tells the peer");
    check((rig.out.flags & RST) && out_seq() == snd_nxt(), "it is no RST at SND.NXT");
    expect_closed(END_KEEPALIVE);
    check(expect_event(EVENT_TIMEOUT)->u.timeout == TIMEOUT_KEEPALIVE, "another kind of timeout");
    check(rig.c.probes == 10, "%u probes were counted", rig.c.probes);
    silent(24 * WAVE_H);
}

static void rfc9293_3_8_4_an_answer_starts_the_schedule_again(void **state)
{
    (void)state;
    with_keepalive();
    for (int round = 0; round < 5; round++) {
        probe_after(7200 * WAVE_S);
        silent(30 * WAVE_MS);
        in(ACK, 1, 1, WND, 0);
        const struct event *e = expect_event(EVENT_PROBE_ANSWER);
        check(e->u.probe.n == (uint32_t)round + 1 && e->u.probe.rtt == 30 * WAVE_MS,
              "the answer is to probe %u, after %llu us", e->u.probe.n,
              (unsigned long long)(e->u.probe.rtt / WAVE_US));
        check(rig.c.keepalive_unanswered == 0, "%u probes still count as unanswered",
              rig.c.keepalive_unanswered);
    }
    expect_state(STATE_ESTABLISHED);
}

static void rfc9293_3_8_4_must_29_single_lost_probes_end_nothing(void **state)
{
    (void)state;
    with_keepalive();
    for (int round = 0; round < 3; round++) {
        probe_after(7200 * WAVE_S);
        for (int lost = 0; lost < 8; lost++)
            probe_after(75 * WAVE_S);
        probe_after(75 * WAVE_S);
        in(ACK, 1, 1, WND, 0); /* the tenth is answered */
        expect_state(STATE_ESTABLISHED);
    }
}

static void rfc1122_4_2_3_6_rst_in_answer_is_a_reset(void **state)
{
    (void)state;
    with_keepalive();
    probe_after(7200 * WAVE_S);
    in(RST, 1, 0, 0, 0);
    expect_closed(END_RESET);
    expect_event(EVENT_RESET);
    expect_no_event(EVENT_PROBE_ANSWER);
    silent(24 * WAVE_H);
}

static void rfc9293_3_8_4_must_26_any_segment_puts_it_off(void **state)
{
    (void)state;
    with_keepalive();
    silent(7000 * WAVE_S);
    in(ACK | PSH, 1, 1, WND, 10);
    acknowledges(11);
    wave_time spent = rig.now;
    silent(7199 * WAVE_S);
    out_between(0, WAVE_S + WAVE_US, ACK, 0, 11, 0);
    check(rig.now >= spent + 7199 * WAVE_S, "the probe came too soon");
}

static void rfc9293_3_8_4_must_26_put_off_to_the_microsecond(void **state)
{
    (void)state;
    with_keepalive();
    silent(5000 * WAVE_S);
    in(ACK, 1, 1, WND, 0);
    probe_after(7200 * WAVE_S);
}

static void a_pure_ack_moves_the_timer_lazily(void **state)
{
    (void)state;
    with_keepalive();
    wave_time timer = rig.c.timer[TIMER_KEEPALIVE];
    rig.now += WAVE_S;
    in(ACK, 1, 1, WND, 0);
    check(rig.c.timer[TIMER_KEEPALIVE] == timer, "the timer was moved for a segment");
    check(rig.c.last_in == rig.now, "the segment's time was not noted");
}

static void an_unacceptable_segment_is_a_sign_of_life_or_not_but_no_ack(void **state)
{
    (void)state;
    with_keepalive();
    probe_after(7200 * WAVE_S);
    in(ACK, 1, 5, WND, 0); /* of what was never sent */
    expect_no_event(EVENT_PROBE_ANSWER);
}

static void rfc9293_3_8_4_must_26_none_while_data_is_outstanding(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.env.config.keepalive_idle = WAVE_S;
    rig.env.config.keepalive_interval = WAVE_S;
    drive(STATE_ESTABLISHED);
    conn_keepalive(&rig.c, rig.now, true);
    push(100);
    out(ACK, 1, 1, 100);
    wave_time until = rig.now + 90 * WAVE_S;
    while (next_out(until - rig.now))
        check(out_seq() == 1 && rig.out.len == 100, "a probe goes out while data is outstanding");
    check(rig.c.probes == 0, "%u probes were counted", rig.c.probes);
    in(ACK, 1, 101, WND, 0);
    out_between(WAVE_S - WAVE_US, WAVE_S + WAVE_US, ACK, 100, 1, 0);
}

static void rfc9293_3_8_6_1_persist_and_keepalive_keep_apart(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.env.config.keepalive_idle = WAVE_S;
    rig.env.config.keepalive_interval = WAVE_S;
    rig.env.config.keepalive_count = 3;
    drive(STATE_ESTABLISHED);
    conn_keepalive(&rig.c, rig.now, true);
    in(ACK, 1, 1, 0, 0);
    push(100);
    wave_time until = rig.now + 10 * WAVE_MIN;
    while (next_out(until - rig.now)) {
        check(out_seq() == 1, "%u goes out, not a window probe", out_seq());
        in(ACK, 1, 1, 0, 0);
        expect_state(STATE_ESTABLISHED);
    }
    in(ACK, 1, 1, WND, 0);
    burst();
    in(ACK, 1, 101, WND, 0);
    expect_state(STATE_ESTABLISHED);
}

static void rfc9293_3_8_4_may_6_garbage_byte(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.env.config.keepalive_garbage = true;
    drive(STATE_ESTABLISHED);
    conn_keepalive(&rig.c, rig.now, true);
    rig.garbage = true;
    out_between(7200 * WAVE_S - WAVE_US, 7200 * WAVE_S + WAVE_US, ACK, 0, 1, 1);
    in(ACK, 1, 1, WND, 0);
    expect_event(EVENT_PROBE_ANSWER);
    rig.garbage = false;
    push(10); /* the garbage is no part of the stream */
    out(ACK, 1, 1, 10);
}

static void rfc9293_3_8_4_must_24_turned_off_again(void **state)
{
    (void)state;
    with_keepalive();
    silent(WAVE_H);
    conn_keepalive(&rig.c, rig.now, false);
    silent(24 * WAVE_H);
    conn_keepalive(&rig.c, rig.now, true);
    check(next_out(7200 * WAVE_S + WAVE_US), "no probe after it was turned on again");
}

static void conn_config_keepalive_turns_it_on_for_every_connection(void **state)
{
    (void)state;
    rig.env.config.keepalive = true;
    drive(STATE_ESTABLISHED);
    probe_after(7200 * WAVE_S);
}

static void rfc9293_3_8_4_must_27_settings_from_microseconds_to_days(void **state)
{
    (void)state;
    static const wave_time idle[] = {100 * WAVE_US, WAVE_MS, WAVE_S, 10 * 24 * WAVE_H};
    for (size_t i = 0; i < COUNT(idle); i++) {
        rig_start(&variants[1]);
        rig.env.config.keepalive_idle = idle[i];
        rig.env.config.keepalive_interval = idle[i] / 2;
        rig.env.config.keepalive_count = 2;
        drive(STATE_ESTABLISHED);
        conn_keepalive(&rig.c, rig.now, true);
        probe_after(idle[i]);
        probe_after(idle[i] / 2);
        check(next_out(idle[i] / 2 + WAVE_US) && (rig.out.flags & RST), "no RST tells the peer");
        expect_closed(END_KEEPALIVE);
    }
}

/* RFC 1122, 4.2.3.6: the interval is set by the application, so two of them may want two. */
static void rfc1122_4_2_3_6_times_of_its_own(void **state)
{
    (void)state;
    const struct keepalive_times own = {
        .idle = 10 * WAVE_S, .interval = 2 * WAVE_S, .count = 2, .garbage = true};
    rig_start(&variants[1]);
    drive(STATE_ESTABLISHED);
    check(conn_keepalive_times(&rig.c, rig.now, &own) == 0, "the times are not taken");
    rig.garbage = true;
    out_between(10 * WAVE_S - WAVE_US, 10 * WAVE_S + WAVE_US, ACK, 0, 1, 1);
    in(ACK, 1, 1, WND, 0);
    check(expect_event(EVENT_PROBE_ANSWER)->u.probe.rtt == 0, "the round trip is another");
    out_between(10 * WAVE_S - WAVE_US, 10 * WAVE_S + WAVE_US, ACK, 0, 1, 1);
    out_between(2 * WAVE_S - WAVE_US, 2 * WAVE_S + WAVE_US, ACK, 0, 1, 1);
    check(next_out(2 * WAVE_S + WAVE_US) && (rig.out.flags & RST), "no RST tells the peer");
    expect_closed(END_KEEPALIVE);
}

/* As many different ones as fit; equal ones take one place. A connection for whose times there is
 * no place keeps those that it had. */
static void times_of_their_own_are_bounded(void **state)
{
    (void)state;
    struct keepalive_times own = {.idle = WAVE_S, .interval = WAVE_S, .count = 1};
    rig_start(&variants[1]);
    drive(STATE_ESTABLISHED);
    for (unsigned i = 1; i <= ENV_KEEPALIVE_TIMES; i++) {
        own.idle = i * WAVE_S;
        for (unsigned twice = 0; twice < 2; twice++)
            check(conn_keepalive_times(&rig.c, rig.now, &own) == 0, "number %u is not taken", i);
    }
    own.idle = WAVE_H;
    check(conn_keepalive_times(&rig.c, rig.now, &own) == WAVE_ENOMEM, "there is no bound");
    probe_after(ENV_KEEPALIVE_TIMES * WAVE_S);
}

/* Checks keepalive in a state in which a peer may stay silent for ever. */
static void keepalive_holds_in(enum state s)
{
    rig_start(&variants[1]);
    rig.env.config.keepalive = true;
    drive(s);
    probe_after(7200 * WAVE_S);
    in(ACK, rcv_nxt(), snd_nxt(), WND, 0);
    probe_after(7200 * WAVE_S);
    for (int i = 2; i <= 10; i++)
        probe_after(75 * WAVE_S);
    pass(76 * WAVE_S);
    expect_closed(END_KEEPALIVE);
}

static void rfc1122_4_2_3_6_in_close_wait(void **state)
{
    (void)state;
    keepalive_holds_in(STATE_CLOSE_WAIT);
}

static void rfc1122_4_2_3_6_in_fin_wait_2(void **state)
{
    (void)state;
    keepalive_holds_in(STATE_FIN_WAIT_2);
}

static void time_wait_needs_none(void **state)
{
    (void)state;
    rig.env.config.keepalive = true;
    rig.env.config.keepalive_idle = WAVE_S;
    drive(STATE_TIME_WAIT);
    silent(2 * rig.env.config.msl);
    expect_closed(END_CLOSED);
}

static void none_before_the_handshake_is_done(void **state)
{
    (void)state;
    rig.env.config.keepalive = true;
    rig.env.config.keepalive_idle = 10 * WAVE_MS;
    drive(STATE_SYN_SENT);
    silent(900 * WAVE_MS);
}

/*
 * The peer's own probes.
 */

static void the_peers_probe_is_answered_and_reported(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    silent(100 * WAVE_S);
    in(ACK, 0, 1, WND, 0);
    out(ACK, 1, 1, 0);
    check(expect_event(EVENT_PEER_PROBE)->u.peer_probe.silence == 100 * WAVE_S,
          "the silence before it is another");
    silent(50 * WAVE_S);
    in(ACK, 0, 1, WND, 1); /* with a garbage byte */
    out(ACK, 1, 1, 0);
    check(expect_event(EVENT_PEER_PROBE)->u.peer_probe.silence == 50 * WAVE_S,
          "the silence before it is another");
    check(readable() == 0, "the garbage byte was delivered");
}

static void a_repeated_segment_is_no_probe(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK | PSH, 1, 1, WND, 100);
    acknowledges(101);
    in(ACK | PSH, 1, 1, WND, 100);
    out(ACK, 1, 101, 0);
    expect_no_event(EVENT_PEER_PROBE);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_8_4_must_25_off_by_default),
        cmocka_unit_test(rfc9293_3_8_4_must_28_two_hours_by_default),
        cmocka_unit_test(rfc1122_4_2_3_6_full_default_schedule),
        cmocka_unit_test(rfc9293_3_8_4_an_answer_starts_the_schedule_again),
        cmocka_unit_test(rfc9293_3_8_4_must_29_single_lost_probes_end_nothing),
        cmocka_unit_test(rfc1122_4_2_3_6_rst_in_answer_is_a_reset),
        cmocka_unit_test(rfc9293_3_8_4_must_26_any_segment_puts_it_off),
        cmocka_unit_test(rfc9293_3_8_4_must_26_put_off_to_the_microsecond),
        cmocka_unit_test(a_pure_ack_moves_the_timer_lazily),
        cmocka_unit_test(an_unacceptable_segment_is_a_sign_of_life_or_not_but_no_ack),
        cmocka_unit_test(rfc9293_3_8_4_must_26_none_while_data_is_outstanding),
        cmocka_unit_test(rfc9293_3_8_6_1_persist_and_keepalive_keep_apart),
        cmocka_unit_test(rfc9293_3_8_4_may_6_garbage_byte),
        cmocka_unit_test(rfc9293_3_8_4_must_24_turned_off_again),
        cmocka_unit_test(conn_config_keepalive_turns_it_on_for_every_connection),
        cmocka_unit_test(rfc9293_3_8_4_must_27_settings_from_microseconds_to_days),
        cmocka_unit_test(rfc1122_4_2_3_6_times_of_its_own),
        cmocka_unit_test(times_of_their_own_are_bounded),
        cmocka_unit_test(rfc1122_4_2_3_6_in_close_wait),
        cmocka_unit_test(rfc1122_4_2_3_6_in_fin_wait_2),
        cmocka_unit_test(time_wait_needs_none),
        cmocka_unit_test(none_before_the_handshake_is_done),
        cmocka_unit_test(the_peers_probe_is_answered_and_reported),
        cmocka_unit_test(a_repeated_segment_is_no_probe),
    };
    return run_cases(cases, COUNT(cases));
}
