/* Tests CLOSING: both FINs have been sent, and ours, at 1, is not acknowledged (RFC 9293, 3.6 and
 * 3.10.7.4). */
#include "tests/unit/engine.h"

static void rfc9293_3_10_7_4_fifth_ack_of_our_fin_enters_time_wait(void **state)
{
    (void)state;
    in(ACK, 2, 2, WND, 0);
    expect_state(STATE_TIME_WAIT);
    silent(2 * rig.env.config.msl - 1);
    expect_state(STATE_TIME_WAIT);
    silent(1);
    expect_closed(END_CLOSED);
}

static void rfc9293_3_10_7_4_fifth_other_ack_is_ignored(void **state)
{
    (void)state;
    in(ACK, 2, 1, WND, 0);
    nothing();
    expect_state(STATE_CLOSING);
}

/* A peer that answers our FIN only by its repeated FIN: out of window, yet its ACK is good
 * (RFC 9293, appendix A.2, leaves open whether it is looked at). */
static void rfc9293_a_2_repeated_fin_may_acknowledge_ours(void **state)
{
    (void)state;
    in(FIN | ACK, 1, 2, WND, 0);
    check(rig.c.state == STATE_CLOSING || rig.c.state == STATE_TIME_WAIT, "the state is %s",
          state_name(rig.c.state));
    out(ACK, 2, 2, 0);
    in(ACK, 2, 2, WND, 0);
    expect_state(STATE_TIME_WAIT);
}

static void conn_config_time_wait_off_leaves_it_at_once(void **state)
{
    (void)state;
    rig.env.config.time_wait = false;
    in(ACK, 2, 2, WND, 0);
    silent(WAVE_MS);
    expect_closed(END_CLOSED);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_ack_of_our_fin_enters_time_wait),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_other_ack_is_ignored),
        cmocka_unit_test(rfc9293_a_2_repeated_fin_may_acknowledge_ours),
        cmocka_unit_test(conn_config_time_wait_off_leaves_it_at_once),
    };
    return run_state(STATE_CLOSING, cases, COUNT(cases));
}
