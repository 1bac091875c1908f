/* Tests FIN_WAIT_1: our FIN has been sent at 1 and is not acknowledged (RFC 9293, 3.10.7.4 and
 * 3.6). */
#include "tests/unit/engine.h"

static void rfc9293_3_10_7_4_fifth_ack_of_our_fin_enters_fin_wait_2(void **state)
{
    (void)state;
    in(ACK, 1, 2, WND, 0);
    expect_state(STATE_FIN_WAIT_2);
    check(snd_una() == 2, "SND.UNA is %u", snd_una());
    expect_no_event(EVENT_ACKED); /* a FIN is no byte */
    silent(WAVE_H);
}

static void rfc9293_3_10_7_4_fifth_ack_below_our_fin_stays(void **state)
{
    (void)state;
    in(ACK, 1, 1, 40000, 0);
    nothing();
    expect_state(STATE_FIN_WAIT_1);
    check(rig.c.snd.wnd == 40000, "SND.WND is %u", rig.c.snd.wnd);
}

static void rfc9293_3_10_7_4_eighth_fin_before_our_fin_is_acknowledged_enters_closing(void **state)
{
    (void)state;
    in(FIN | ACK, 1, 1, WND, 0);
    expect_state(STATE_CLOSING);
    out(ACK, 2, 2, 0);
    nothing();
    expect_event(EVENT_FIN);
}

static void rfc9293_3_10_7_4_eighth_fin_with_ack_of_ours_enters_time_wait(void **state)
{
    (void)state;
    in(FIN | ACK, 1, 2, WND, 0);
    expect_state(STATE_TIME_WAIT);
    out(ACK, 2, 2, 0);
    silent(2 * rig.env.config.msl - 1);
    expect_state(STATE_TIME_WAIT);
    silent(1);
    expect_closed(END_CLOSED);
}

static void rfc9293_3_10_7_4_data_fin_and_ack_in_one_segment(void **state)
{
    (void)state;
    in(FIN | ACK | PSH, 1, 2, WND, 100);
    expect_state(STATE_TIME_WAIT);
    acknowledges(102);
    take(100);
}

static void rfc9293_3_10_7_4_data_with_ack_of_our_fin_is_delivered_in_fin_wait_2(void **state)
{
    (void)state;
    in(ACK | PSH, 1, 2, WND, 100);
    expect_state(STATE_FIN_WAIT_2);
    acknowledges(101);
    take(100);
}

static void rfc9293_3_6_ack_of_data_before_the_fin_stays(void **state)
{
    (void)state;
    const struct variant *v = &variants[0];
    rig_start(v);
    drive(STATE_ESTABLISHED);
    push(100);
    shut();
    check(burst() == 100, "the data does not go out");
    expect_state(STATE_FIN_WAIT_1);
    in(ACK, 1, 51, WND, 0);
    expect_state(STATE_FIN_WAIT_1);
    in(ACK, 1, 101, WND, 0);
    expect_state(STATE_FIN_WAIT_1);
    check(conn_unacked(&rig.c) == 0, "conn_unacked() is %zu", conn_unacked(&rig.c));
    in(ACK, 1, 102, WND, 0);
    expect_state(STATE_FIN_WAIT_2);
}

static void rfc9293_3_10_8_data_and_fin_lost_both_go_again(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    drive(STATE_ESTABLISHED);
    push(100);
    shut();
    burst();
    check(next_out(WAVE_S), "nothing is sent again");
    check(out_seq() == 1 && rig.out.len == 100, "not the data is sent again first");
    bool fin = rig.out.flags & FIN; /* it may ride on the repeated data */
    in(ACK, 1, fin ? 102 : 101, WND, 0);
    if (!fin)
        out_between(0, 2 * WAVE_S, FIN | ACK, 101, 1, 0);
    in(ACK, 1, 102, WND, 0);
    expect_state(STATE_FIN_WAIT_2);
}

static void rfc9293_3_10_7_4_second_reset_releases_what_was_read_of_the_peer(void **state)
{
    (void)state;
    in(ACK | PSH, 1, 1, WND, 100);
    in(RST, 101, 0, 0, 0);
    expect_state(STATE_CLOSED);
    expect_end(END_RESET);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_ack_of_our_fin_enters_fin_wait_2),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_ack_below_our_fin_stays),
        cmocka_unit_test(rfc9293_3_10_7_4_eighth_fin_before_our_fin_is_acknowledged_enters_closing),
        cmocka_unit_test(rfc9293_3_10_7_4_eighth_fin_with_ack_of_ours_enters_time_wait),
        cmocka_unit_test(rfc9293_3_10_7_4_data_fin_and_ack_in_one_segment),
        cmocka_unit_test(rfc9293_3_10_7_4_data_with_ack_of_our_fin_is_delivered_in_fin_wait_2),
        cmocka_unit_test(rfc9293_3_6_ack_of_data_before_the_fin_stays),
        cmocka_unit_test(rfc9293_3_10_8_data_and_fin_lost_both_go_again),
        cmocka_unit_test(rfc9293_3_10_7_4_second_reset_releases_what_was_read_of_the_peer),
    };
    return run_state(STATE_FIN_WAIT_1, cases, COUNT(cases));
}
