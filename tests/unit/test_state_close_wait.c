/* Tests CLOSE_WAIT: the peer's FIN is at 1 and is acknowledged; we may go on sending (RFC 9293,
 * 3.10.2 to 3.10.4, 3.10.7.4). */
#include "tests/unit/engine.h"

static void rfc9293_3_10_4_close_enters_last_ack(void **state)
{
    (void)state;
    shut();
    out(FIN | ACK, 1, 2, 0);
    nothing();
    expect_state(STATE_LAST_ACK);
    check(conn_close(&rig.c, rig.now) == WAVE_ESTATE, "a second close is taken");
}

static void rfc9293_3_6_1_we_may_send_for_as_long_as_we_like(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        push(1000);
        out(ACK, 1 + i * 1000, 2, 1000);
        rig.now += WAVE_MS;
        in(ACK, 2, 1 + (i + 1) * 1000, WND, 0);
        silent(WAVE_MIN);
    }
    expect_state(STATE_CLOSE_WAIT);
}

static void rfc9293_3_10_3_receive_is_satisfied_by_data_on_hand(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    drive(STATE_ESTABLISHED);
    in(FIN | ACK | PSH, 1, 1, WND, 700);
    acknowledges(702);
    expect_state(STATE_CLOSE_WAIT);
    pass(WAVE_H);
    take(300);
    take(400);
    check(readable() == 0, "more is readable than was sent");
}

static void rfc9293_3_10_3_without_data_receive_gives_nothing(void **state)
{
    (void)state;
    check(readable() == 0, "data is readable");
}

static void rfc9293_3_10_7_4_nothing_times_out(void **state)
{
    (void)state;
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "there is something to wait for");
    silent(24 * WAVE_H);
    expect_state(STATE_CLOSE_WAIT);
}

static void rfc9293_3_10_7_4_fifth_window_is_updated(void **state)
{
    (void)state;
    in(ACK, 2, 1, 4000, 0);
    check(rig.c.snd.wnd == 4000, "SND.WND is %u", rig.c.snd.wnd);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_4_close_enters_last_ack),
        cmocka_unit_test(rfc9293_3_6_1_we_may_send_for_as_long_as_we_like),
        cmocka_unit_test(rfc9293_3_10_3_receive_is_satisfied_by_data_on_hand),
        cmocka_unit_test(rfc9293_3_10_3_without_data_receive_gives_nothing),
        cmocka_unit_test(rfc9293_3_10_7_4_nothing_times_out),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_window_is_updated),
    };
    return run_state(STATE_CLOSE_WAIT, cases, COUNT(cases));
}
