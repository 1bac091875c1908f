/* Tests how connections close: RFC 9293, 3.6, figures 12 and 13, half-close (3.6.1), and each
 * segment of a close lost in turn. */
#include "tests/unit/engine.h"

/* Returns the states in the events, one after the other. */
static void passed_through(const enum state *states, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct event *e = expect_event(EVENT_STATE);
        check(e->u.state.to == states[i], "step %zu led to %s, not %s", i,
              state_name(e->u.state.to), state_name(states[i]));
    }
    check(!event_find(EVENT_STATE), "there were more steps");
}

#define PASSED(...)                                                                                \
    do {                                                                                           \
        static const enum state path[] = {__VA_ARGS__};                                            \
        passed_through(path, COUNT(path));                                                         \
    } while (0)

static void rfc9293_3_6_figure_12_four_way_close_by_us(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    shut();
    out(FIN | ACK, 1, 1, 0);
    in(ACK, 1, 2, WND, 0);
    in(FIN | ACK, 1, 2, WND, 0);
    out(ACK, 2, 2, 0);
    silent(2 * rig.env.config.msl);
    expect_closed(END_CLOSED);
    PASSED(STATE_FIN_WAIT_1, STATE_FIN_WAIT_2, STATE_TIME_WAIT, STATE_CLOSED);
}

static void rfc9293_3_6_figure_12_four_way_close_by_the_peer(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(FIN | ACK, 1, 1, WND, 0);
    acknowledges(2);
    pass(WAVE_S);
    shut();
    out(FIN | ACK, 1, 2, 0);
    in(ACK, 2, 2, WND, 0);
    expect_closed(END_CLOSED);
    PASSED(STATE_CLOSE_WAIT, STATE_LAST_ACK, STATE_CLOSED);
}

static void rfc9293_3_6_three_way_close_by_us(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    shut();
    out(FIN | ACK, 1, 1, 0);
    in(FIN | ACK, 1, 2, WND, 0);
    out(ACK, 2, 2, 0);
    /* FIN_WAIT_2 may be passed through, or left out (3.10.7.4, eighth). */
    expect_state(STATE_TIME_WAIT);
    silent(2 * rig.env.config.msl);
    expect_closed(END_CLOSED);
}

static void rfc9293_3_6_three_way_close_by_the_peer(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(FIN | ACK, 1, 1, WND, 0);
    shut(); /* before the acknowledgement went out: it rides on our FIN, or goes before it */
    burst();
    check(rig.bursts <= 2 && rig.seen[rig.bursts - 1].flags == (FIN | ACK), "no FIN goes out");
    check(out_ack() == 2, "the FIN acknowledges %u", out_ack());
    in(ACK, 2, 2, WND, 0);
    expect_closed(END_CLOSED);
}

static void rfc9293_3_6_figure_13_simultaneous_close(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    shut();
    out(FIN | ACK, 1, 1, 0);
    in(FIN | ACK, 1, 1, WND, 0);
    out(ACK, 2, 2, 0);
    in(ACK, 2, 2, WND, 0);
    silent(2 * rig.env.config.msl);
    expect_closed(END_CLOSED);
    PASSED(STATE_FIN_WAIT_1, STATE_CLOSING, STATE_TIME_WAIT, STATE_CLOSED);
}

static void rfc9293_3_6_simultaneous_close_with_data_in_flight(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(100);
    shut();
    check(burst() == 100, "the data does not go out");
    in(FIN | ACK | PSH, 1, 1, WND, 200);
    expect_state(STATE_CLOSING);
    acknowledges(202);
    take(200);
    in(ACK, 202, 102, WND, 0);
    expect_state(STATE_TIME_WAIT);
}

static void rfc9293_3_6_1_half_close_by_us_receives_on(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(50);
    shut();
    burst();
    in(ACK, 1, 52, WND, 0);
    expect_state(STATE_FIN_WAIT_2);
    uint32_t next = 1;
    for (int i = 0; i < 100; i++) {
        in(ACK | PSH, next, 52, WND, 1000);
        next += 1000;
        acknowledges(next);
        take(1000);
        pass(10 * WAVE_MIN);
    }
    in(FIN | ACK, next, 52, WND, 0);
    out(ACK, 52, next + 1, 0);
    expect_state(STATE_TIME_WAIT);
}

static void rfc9293_3_6_1_half_close_by_the_peer_sends_on(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(FIN | ACK, 1, 1, WND, 0);
    acknowledges(2);
    uint32_t total = 100000;
    push(total);
    shut();
    uint32_t acked = 1;
    while (acked < 1 + total) {
        check(next_out(WAVE_S), "the data stops at %u", acked);
        if (out_seq() + rig.out.len > acked)
            acked = out_seq() + rig.out.len;
        in(ACK, 2, acked, WND, 0);
    }
    if (rig.c.state != STATE_LAST_ACK || !(rig.out.flags & FIN))
        check(next_out(WAVE_S) && (rig.out.flags & FIN), "no FIN goes out");
    expect_state(STATE_LAST_ACK);
    in(ACK, 2, total + 2, WND, 0);
    expect_closed(END_CLOSED);
}

/* Each segment of a close, lost in turn. */

static void our_fin_is_lost(void **state)
{
    (void)state;
    drive(STATE_FIN_WAIT_1);
    out_between(1, WAVE_S, FIN | ACK, 1, 1, 0);
    in(ACK, 1, 2, WND, 0);
    expect_state(STATE_FIN_WAIT_2);
}

static void the_ack_of_our_fin_is_lost(void **state)
{
    (void)state;
    drive(STATE_FIN_WAIT_1);
    out_between(1, WAVE_S, FIN | ACK, 1, 1, 0);
    in(FIN | ACK, 1, 2, WND, 0); /* the peer's FIN comes with the next one */
    out(ACK, 2, 2, 0);
    expect_state(STATE_TIME_WAIT);
}

static void our_last_ack_is_lost(void **state)
{
    (void)state;
    drive(STATE_TIME_WAIT);
    for (int i = 0; i < 6; i++) {
        silent(WAVE_MIN);
        in(FIN | ACK, 1, 2, WND, 0);
        out(ACK, 2, 2, 0);
    }
    silent(2 * rig.env.config.msl);
    expect_closed(END_CLOSED);
}

static void our_ack_of_the_peers_fin_is_lost(void **state)
{
    (void)state;
    drive(STATE_CLOSE_WAIT);
    in(FIN | ACK, 1, 1, WND, 0);
    out(ACK, 1, 2, 0);
    shut();
    out(FIN | ACK, 1, 2, 0);
    in(ACK, 2, 2, WND, 0);
    expect_closed(END_CLOSED);
}

static void the_last_ack_to_us_is_lost(void **state)
{
    (void)state;
    drive(STATE_LAST_ACK);
    out_between(1, WAVE_S, FIN | ACK, 1, 2, 0);
    out_between(1, 2 * WAVE_S, FIN | ACK, 1, 2, 0);
    in(RST, 2, 0, 0, 0); /* the peer is gone already */
    expect_state(STATE_CLOSED);
    nothing();
}

static void data_before_our_fin_is_lost(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(100);
    shut();
    burst();
    in(ACK, 1, 1, WND, 0);
    uint32_t acked = 1;
    for (int i = 0; i < 10 && rig.c.state == STATE_FIN_WAIT_1; i++) {
        check(next_out(5 * WAVE_S), "what was lost is not sent again");
        uint32_t end = out_seq() + rig.out.len + ((rig.out.flags & FIN) != 0);
        if (out_seq() <= acked && end > acked)
            acked = end;
        in(ACK, 1, acked, WND, 0);
    }
    expect_state(STATE_FIN_WAIT_2);
}

static void rfc9293_3_6_must_12_the_user_learns_how_it_ended(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(FIN | ACK, 1, 1, WND, 0);
    expect_event(EVENT_FIN);
    expect_no_event(EVENT_RESET);
    burst();
    in(RST, 2, 0, 0, 0);
    expect_event(EVENT_RESET);
    expect_closed(END_RESET);
}

/* However a connection ends, what waited to be sent or read is given back. */
static void every_end_gives_the_queues_back(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        rig_start(&variants[1]);
        drive(STATE_ESTABLISHED);
        push(50000);
        burst();
        in(ACK, 1, 1, WND, 1000);
        in(ACK, 3001, 1, WND, 1000);
        burst();
        if (way == 0)
            conn_vanish(&rig.c, rig.now);
        else if (way == 1)
            conn_abort(&rig.c, rig.now);
        else if (way == 2)
            in(RST, 1001, 0, 0, 0);
        else
            pass(10 * WAVE_MIN); /* given up after R2 */
        burst();
        expect_state(STATE_CLOSED);
        conn_release(&rig.c);
        check(rig.env.mem_used == 0, "way %d keeps %zu bytes", way, rig.env.mem_used);
    }
}

static void nothing_is_left_of_a_closed_connection(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(5000);
    burst();
    in(ACK, 1001, 1, WND, 1000); /* held beyond a gap */
    burst();
    in(RST, 1, 0, 0, 0);
    expect_closed(END_RESET);
    check(conn_unacked(&rig.c) == 0, "conn_unacked() is %zu", conn_unacked(&rig.c));
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "CLOSED, and still something to wait for");
    conn_release(&rig.c);
    check(rig.env.mem_used == 0, "%zu bytes are kept", rig.env.mem_used);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_6_figure_12_four_way_close_by_us),
        cmocka_unit_test(rfc9293_3_6_figure_12_four_way_close_by_the_peer),
        cmocka_unit_test(rfc9293_3_6_three_way_close_by_us),
        cmocka_unit_test(rfc9293_3_6_three_way_close_by_the_peer),
        cmocka_unit_test(rfc9293_3_6_figure_13_simultaneous_close),
        cmocka_unit_test(rfc9293_3_6_simultaneous_close_with_data_in_flight),
        cmocka_unit_test(rfc9293_3_6_1_half_close_by_us_receives_on),
        cmocka_unit_test(rfc9293_3_6_1_half_close_by_the_peer_sends_on),
        cmocka_unit_test(our_fin_is_lost),
        cmocka_unit_test(the_ack_of_our_fin_is_lost),
        cmocka_unit_test(our_last_ack_is_lost),
        cmocka_unit_test(our_ack_of_the_peers_fin_is_lost),
        cmocka_unit_test(the_last_ack_to_us_is_lost),
        cmocka_unit_test(data_before_our_fin_is_lost),
        cmocka_unit_test(rfc9293_3_6_must_12_the_user_learns_how_it_ended),
        cmocka_unit_test(nothing_is_left_of_a_closed_connection),
        cmocka_unit_test(every_end_gives_the_queues_back),
    };
    return run_cases(cases, COUNT(cases));
}
