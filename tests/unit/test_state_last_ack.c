/* Tests LAST_ACK: the peer closed first, and our FIN is at 1 (RFC 9293, 3.6 and 3.10.7.4). */
#include "tests/unit/engine.h"

static void rfc9293_3_10_7_4_fifth_ack_of_our_fin_closes(void **state)
{
    (void)state;
    in(ACK, 2, 2, WND, 0);
    expect_closed(END_CLOSED);
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "CLOSED, and still something to wait for");
    silent(WAVE_H);
}

static void rfc9293_3_10_7_4_fifth_other_ack_is_ignored(void **state)
{
    (void)state;
    in(ACK, 2, 1, WND, 0);
    nothing();
    expect_state(STATE_LAST_ACK);
}

static void rfc9293_3_6_data_before_the_fin_must_be_acknowledged_too(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    drive(STATE_CLOSE_WAIT);
    push(100);
    shut();
    check(burst() == 100, "the data does not go out");
    expect_state(STATE_LAST_ACK);
    in(ACK, 2, 101, WND, 0);
    expect_state(STATE_LAST_ACK);
    in(ACK, 2, 102, WND, 0);
    expect_closed(END_CLOSED);
}

static void rfc9293_3_10_7_4_lost_ack_is_asked_for_by_our_fin(void **state)
{
    (void)state;
    out_between(1, 2 * WAVE_S, FIN | ACK, 1, 2, 0);
    in(ACK, 2, 2, WND, 0);
    expect_closed(END_CLOSED);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_ack_of_our_fin_closes),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_other_ack_is_ignored),
        cmocka_unit_test(rfc9293_3_6_data_before_the_fin_must_be_acknowledged_too),
        cmocka_unit_test(rfc9293_3_10_7_4_lost_ack_is_asked_for_by_our_fin),
    };
    return run_state(STATE_LAST_ACK, cases, COUNT(cases));
}
