/* Tests ESTABLISHED: what is particular to it, beside the cases of synchronized.c, which run here
 * too (RFC 9293, 3.10). */
#include "tests/unit/engine.h"

static void rfc9293_3_10_7_4_eighth_fin_enters_close_wait(void **state)
{
    (void)state;
    in(FIN | ACK, 1, 1, WND, 0);
    expect_state(STATE_CLOSE_WAIT);
    acknowledges(2);
    expect_event(EVENT_FIN);
    check(conn_received(&rig.c) == 0, "the FIN was counted as data");
    silent(WAVE_H);
}

static void rfc9293_3_10_7_4_eighth_data_before_the_fin_stays_readable(void **state)
{
    (void)state;
    in(FIN | ACK, 1, 1, WND, 500);
    expect_state(STATE_CLOSE_WAIT);
    acknowledges(502);
    take(500);
}

static void rfc9293_3_10_4_close_enters_fin_wait_1(void **state)
{
    (void)state;
    shut();
    out(FIN | ACK, 1, 1, 0); /* conn.h: the state moves when the FIN leaves */
    expect_state(STATE_FIN_WAIT_1);
    nothing();
    check(snd_nxt() == 2, "SND.NXT is %u", snd_nxt());
    check(conn_unacked(&rig.c) == 0, "the FIN counts as data");
    check(conn_close(&rig.c, rig.now) == WAVE_ESTATE, "a second close is taken");
}

/* A host may send a pending acknowledgement with its FIN, or before it. */
static void rfc9293_3_10_4_close_acknowledges_what_is_owed(void **state)
{
    (void)state;
    in(ACK | PSH, 1, 1, WND, 100);
    shut();
    burst();
    check(rig.bursts > 0 && rig.seen[rig.bursts - 1].flags == (FIN | ACK), "no FIN goes out");
    check(out_ack() == 101, "the FIN acknowledges %u", out_ack());
    silent(100 * WAVE_MS);
    take(100);
}

static void rfc9293_3_10_7_4_fifth_newer_segment_updates_the_window(void **state)
{
    (void)state;
    in(ACK, 1, 1, 40000, 0);
    check(rig.c.snd.wnd == 40000, "SND.WND is %u", rig.c.snd.wnd);
    in(ACK | PSH, 1, 1, 20000, 10); /* the same SEQ and ACK: WL1 = SEQ, WL2 =< ACK */
    check(rig.c.snd.wnd == 20000, "SND.WND is %u", rig.c.snd.wnd);
    in(ACK, 11, 1, 8000, 0);
    check(rig.c.snd.wnd == 8000, "SND.WND is %u", rig.c.snd.wnd);
}

static void rfc9293_3_10_7_4_fifth_older_segment_does_not_update_the_window(void **state)
{
    (void)state;
    push(100);
    burst();
    in(ACK, 51, 101, 40000, 10); /* reordered: its bytes 1 to 50 come later */
    check(rig.c.snd.wnd == 40000, "SND.WND is %u", rig.c.snd.wnd);
    in(ACK, 1, 101, 4000, 50); /* SEQ below WL1 */
    check(rig.c.snd.wnd == 40000, "an older SEQ set SND.WND to %u", rig.c.snd.wnd);
    in(ACK, 61, 1, 4000, 0); /* ACK below SND.UNA */
    check(rig.c.snd.wnd == 40000, "an older ACK set SND.WND to %u", rig.c.snd.wnd);
    in(ACK, 61, 101, 4000, 0);
    check(rig.c.snd.wnd == 4000, "SND.WND is %u", rig.c.snd.wnd);
}

/* Otherwise SND.WL1 would have us send three segments from 201 on, beyond all that was offered. */
static void a_retransmission_that_acknowledges_more_sets_the_window(void **state)
{
    const uint32_t size = eff_mss();
    (void)state;
    push(200);
    burst();
    in(ACK, 101, 101, 3 * size, 100); /* what is before it was lost */
    check(rig.c.snd.wnd == 3 * size, "SND.WND is %u", rig.c.snd.wnd);
    in(ACK, 1, 201, 2 * size, 100);
    check(rig.c.snd.wnd == 2 * size, "SND.WND is %u", rig.c.snd.wnd);
    push(6 * size);
    check(burst() == 2 * size, "more is sent than the peer has offered");
}

static void rfc9293_3_10_7_4_fifth_ack_of_several_segments_frees_them_all(void **state)
{
    (void)state;
    push(4 * eff_mss());
    check(burst() == 4 * eff_mss(), "not all goes out");
    in(ACK, 1, 1 + 3 * eff_mss(), WND, 0);
    check(conn_unacked(&rig.c) == eff_mss(), "conn_unacked() is %zu", conn_unacked(&rig.c));
    check(expect_event(EVENT_ACKED)->u.bytes == 3 * eff_mss(), "the event tells another number");
    in(ACK, 1, 1 + 4 * eff_mss(), WND, 0);
    check(conn_unacked(&rig.c) == 0 && rig.env.mem_used == 0, "%zu bytes stay queued",
          rig.env.mem_used);
}

static void rfc9293_3_10_7_4_fifth_old_ack_with_new_data_delivers_it(void **state)
{
    (void)state;
    push(100);
    burst();
    in(ACK, 1, 101, WND, 0);
    in(ACK | PSH, 1, 51, WND, 20);
    acknowledges(21);
    take(20);
    check(snd_una() == 101, "SND.UNA went back to %u", snd_una());
}

static void rfc9293_3_10_7_4_data_both_ways_rides_on_acknowledgements(void **state)
{
    (void)state;
    uint32_t mine = 1, yours = 1;
    for (int i = 0; i < 50; i++) {
        in(ACK | PSH, yours, mine, WND, 333);
        yours += 333;
        take(333);
        push(77);
        out(ACK, mine, yours, 77);
        mine += 77;
        nothing();
    }
    in(ACK, yours, mine, WND, 0);
    silent(WAVE_H);
}

static void rfc9293_3_4_numbers_wrap_in_a_long_exchange(void **state)
{
    (void)state;
    uint32_t mss = eff_mss();
    for (uint32_t i = 0; i < 60; i++) {
        push(mss);
        out(ACK, 1 + i * mss, 1 + i * 1000, mss);
        rig.now += WAVE_MS;
        in(ACK, 1 + i * 1000, 1 + (i + 1) * mss, WND, 1000);
        acknowledges(1 + (i + 1) * 1000);
        take(1000);
    }
    check(conn_received(&rig.c) == 60000, "conn_received() is %u", conn_received(&rig.c));
    expect_state(STATE_ESTABLISHED);
}

static void conn_send_room_is_what_conn_send_takes(void **state)
{
    (void)state;
    in(ACK, 1, 1, 0, 0);
    rig.env.config.sndbuf = 10000;
    size_t room = conn_send_room(&rig.c);
    check(room > 0 && room <= 10000, "there is room for %zu", room);
    static const uint8_t zeros[20000];
    rig.sends_itself = true;
    int taken = conn_send(&rig.c, rig.now, zeros, sizeof zeros);
    check(taken == (int)room, "conn_send() took %d where there was room for %zu", taken, room);
    check(conn_send_room(&rig.c) == 0, "there is still room for %zu", conn_send_room(&rig.c));
    check(conn_send(&rig.c, rig.now, zeros, 1) == 0,
          "conn_send() takes more than there is room for");
    check(conn_unacked(&rig.c) == room, "conn_unacked() is %zu", conn_unacked(&rig.c));
    conn_abort(&rig.c, rig.now);
}

static void an_idle_connection_stays_without_a_word(void **state)
{
    (void)state;
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "there is something to wait for");
    silent(30 * 24 * WAVE_H);
    expect_state(STATE_ESTABLISHED);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_7_4_eighth_fin_enters_close_wait),
        cmocka_unit_test(rfc9293_3_10_7_4_eighth_data_before_the_fin_stays_readable),
        cmocka_unit_test(rfc9293_3_10_4_close_enters_fin_wait_1),
        cmocka_unit_test(rfc9293_3_10_4_close_acknowledges_what_is_owed),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_newer_segment_updates_the_window),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_older_segment_does_not_update_the_window),
        cmocka_unit_test(a_retransmission_that_acknowledges_more_sets_the_window),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_ack_of_several_segments_frees_them_all),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_old_ack_with_new_data_delivers_it),
        cmocka_unit_test(rfc9293_3_10_7_4_data_both_ways_rides_on_acknowledgements),
        cmocka_unit_test(rfc9293_3_4_numbers_wrap_in_a_long_exchange),
        cmocka_unit_test(conn_send_room_is_what_conn_send_takes),
        cmocka_unit_test(an_idle_connection_stays_without_a_word),
    };
    return run_state(STATE_ESTABLISHED, cases, COUNT(cases));
}
