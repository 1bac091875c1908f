/* Tests FIN_WAIT_2: the connection is half-closed and our FIN is acknowledged; the peer may go on
 * as long as it likes (RFC 9293, 3.6.1 and 3.10.7.4). */
#include "tests/unit/engine.h"

static void rfc9293_3_10_7_4_eighth_fin_enters_time_wait(void **state)
{
    (void)state;
    in(FIN | ACK, 1, 2, WND, 0);
    expect_state(STATE_TIME_WAIT);
    out(ACK, 2, 2, 0);
    nothing();
    expect_event(EVENT_FIN);
    silent(2 * rig.env.config.msl - 1);
    expect_state(STATE_TIME_WAIT);
    silent(1);
    expect_closed(END_CLOSED);
}

static void rfc9293_3_10_7_4_data_and_fin_in_one_segment(void **state)
{
    (void)state;
    in(FIN | ACK | PSH, 1, 2, WND, 1000);
    expect_state(STATE_TIME_WAIT);
    acknowledges(1002);
    take(1000);
}

static void rfc9293_3_6_1_the_peer_may_send_for_as_long_as_it_likes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        in(ACK | PSH, 1 + i * 1000, 2, WND, 1000);
        acknowledges(1 + (i + 1) * 1000);
        take(1000);
        pass(WAVE_H);
    }
    expect_state(STATE_FIN_WAIT_2);
    check(conn_received(&rig.c) == 200000, "conn_received() is %u", conn_received(&rig.c));
    in(FIN | ACK, 200001, 2, WND, 0);
    expect_state(STATE_TIME_WAIT);
}

static void rfc9293_3_10_8_nothing_is_outstanding_and_nothing_times_out(void **state)
{
    (void)state;
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "there is something to wait for");
    silent(24 * WAVE_H);
    expect_state(STATE_FIN_WAIT_2);
}

static void rfc9293_3_8_6_2_2_reading_opens_the_window_again(void **state)
{
    (void)state;
    in(ACK | PSH, 1, 2, WND, RCVBUF);
    acknowledges(1 + RCVBUF);
    check(out_window() == 0, "the window is %u with the buffer full", out_window());
    take(RCVBUF);
    out(ACK, 2, 1 + RCVBUF, 0);
    check(out_window() == RCVBUF, "the window is %u with the buffer empty", out_window());
}

static void conn_config_time_wait_off_leaves_it_at_once(void **state)
{
    (void)state;
    rig.env.config.time_wait = false;
    in(FIN | ACK, 1, 2, WND, 0);
    out(ACK, 2, 2, 0);
    silent(WAVE_MS);
    expect_closed(END_CLOSED);
    bool seen = false;
    for (const struct event *e; (e = event_find(EVENT_STATE)) != NULL;)
        seen |= e->u.state.to == STATE_TIME_WAIT;
    check(seen, "TIME_WAIT was not entered");
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_7_4_eighth_fin_enters_time_wait),
        cmocka_unit_test(rfc9293_3_10_7_4_data_and_fin_in_one_segment),
        cmocka_unit_test(rfc9293_3_6_1_the_peer_may_send_for_as_long_as_it_likes),
        cmocka_unit_test(rfc9293_3_10_8_nothing_is_outstanding_and_nothing_times_out),
        cmocka_unit_test(rfc9293_3_8_6_2_2_reading_opens_the_window_again),
        cmocka_unit_test(conn_config_time_wait_off_leaves_it_at_once),
    };
    return run_state(STATE_FIN_WAIT_2, cases, COUNT(cases));
}
