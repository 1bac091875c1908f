/* Tests SYN_SENT: RFC 9293, 3.10.1 to 3.10.5, 3.10.7.3 and 3.8.3. */
#include "tests/unit/engine.h"

static void unmoved(void)
{
    nothing();
    expect_state(STATE_SYN_SENT);
    check(snd_una() == 0 && snd_nxt() == 1, "SND.UNA is %u, SND.NXT %u", snd_una(), snd_nxt());
    check(readable() == 0, "data is readable");
}

static void answered_with_rst(uint32_t seq)
{
    check(next_out(0), "no RST goes out");
    check(rig.out.flags == RST && out_seq() == seq && rig.out.len == 0,
          "the answer is not <SEQ=SEG.ACK><CTL=RST>");
    unmoved();
}

static void rfc9293_3_10_7_3_fourth_syn_ack_establishes(void **state)
{
    (void)state;
    in(SYN | ACK, 0, 1, WND, 0);
    expect_state(STATE_ESTABLISHED);
    out(ACK, 1, 1, 0);
    nothing();
    check(snd_una() == 1 && rig.c.rcv.irs.v == rig.irs, "SND.UNA or IRS is wrong");
    check(rig.c.snd.wnd == WND, "SND.WND is %u", rig.c.snd.wnd);
    silent(WAVE_H);
}

static void rfc9293_3_10_7_3_first_syn_ack_of_another_syn_is_reset(void **state)
{
    (void)state;
    const uint32_t acks[] = {0, 2, 0xffffffff, 1000, 0x80000001, 0x40000000, 0xc0000000};
    for (size_t i = 0; i < COUNT(acks); i++) {
        in(SYN | ACK, 0, acks[i], WND, 0);
        answered_with_rst(acks[i]);
    }
    in(SYN | ACK, 0, 1, WND, 0);
    expect_state(STATE_ESTABLISHED);
}

/* RFC 9293, 3.5.1, figure 9: the peer thinks the connection of a former life is open. */
static void rfc9293_3_5_1_half_open_connection_is_reset_and_the_syn_goes_again(void **state)
{
    (void)state;
    in(ACK, 300, 5000, WND, 0);
    answered_with_rst(5000);
    in(ACK | PSH, 300, 5000, WND, 10); /* figure 10 */
    answered_with_rst(5000);
    out_between(WAVE_MS, WAVE_MS, SYN, 0, 0, 0); /* soon, now that nothing is in its way */
    silent(WAVE_S / 2);                          /* once */
    in(ACK, 300, 5000, WND, 0);
    answered_with_rst(5000);
    silent(WAVE_S);
}

static void rfc9293_3_5_1_a_distant_half_open_connection_is_given_a_round_trip(void **state)
{
    (void)state;
    silent(100 * WAVE_MS);
    in(ACK, 300, 5000, WND, 0);
    answered_with_rst(5000);
    silent(99 * WAVE_MS);
    out_between(WAVE_MS, WAVE_MS, SYN, 0, 0, 0);
}

static void conn_config_syn_retries_of_0_are_none_for_a_half_open_connection_either(void **state)
{
    (void)state;
    rig.env.config.syn_retries = 0;
    in(ACK, 300, 5000, WND, 0);
    answered_with_rst(5000);
    silent(WAVE_S / 2);
    expect_state(STATE_SYN_SENT);
}

static void rfc9293_3_10_7_3_fifth_acceptable_ack_alone_is_dropped(void **state)
{
    (void)state;
    in(ACK, 0, 1, WND, 0);
    unmoved();
    in(FIN | ACK, 0, 1, WND, 0);
    unmoved();
    in(ACK | PSH, 0, 1, WND, 10);
    unmoved();
}

static void rfc9293_3_10_7_3_fifth_neither_syn_nor_ack_is_dropped(void **state)
{
    (void)state;
    in(0, 0, 0, WND, 0);
    unmoved();
    in(FIN, 0, 0, WND, 0);
    unmoved();
    in(PSH, 0, 0, WND, 10);
    unmoved();
}

static void rfc9293_3_10_7_3_second_rst_that_acknowledges_the_syn_refuses(void **state)
{
    (void)state;
    struct seg s = make(RST | ACK, 0, 1, 0, 0);
    s.seq = seq_of(0); /* as 3.10.7.1 forms it */
    feed(s);
    expect_closed(END_REFUSED);
    silent(WAVE_H);
}

static void rfc9293_3_10_7_3_first_rst_that_acknowledges_something_else_is_dropped(void **state)
{
    (void)state;
    in(RST | ACK, 0, 0, 0, 0);
    unmoved();
    in(RST | ACK, 0, 2, 0, 0);
    unmoved();
    in(RST | ACK, 0, 0x80000001, 0, 0);
    unmoved();
}

static void rfc9293_3_10_7_3_second_rst_without_ack_is_dropped(void **state)
{
    (void)state;
    in(RST, 0, 0, 0, 0);
    unmoved();
    in(RST | SYN, 0, 0, 0, 0);
    unmoved();
}

static void rfc9293_3_10_7_3_second_rst_wins_over_syn(void **state)
{
    (void)state;
    in(RST | SYN | ACK, 0, 1, 0, 0);
    expect_closed(END_REFUSED);
}

static void rfc9293_3_10_7_3_fourth_syn_alone_is_a_simultaneous_open(void **state)
{
    (void)state;
    in(SYN, 0, 0, WND, 0);
    expect_state(STATE_SYN_RECEIVED);
    out(SYN | ACK, 0, 1, 0);
    nothing();
    check(snd_una() == 0 && snd_nxt() == 1 && rcv_nxt() == 1, "a number is wrong");
}

static void rfc9293_3_10_7_3_fourth_data_on_the_syn_ack_is_taken(void **state)
{
    (void)state;
    in(SYN | ACK | PSH, 0, 1, WND, 100);
    expect_state(STATE_ESTABLISHED);
    acknowledges(101);
    take(100);
}

static void rfc9293_3_10_7_3_fourth_fin_on_the_syn_ack_is_taken(void **state)
{
    (void)state;
    in(SYN | FIN | ACK, 0, 1, WND, 10);
    acknowledges(12);
    take(10);
    expect_state(STATE_CLOSE_WAIT);
    expect_event(EVENT_FIN);
}

static void rfc9293_3_10_2_send_is_queued_until_established(void **state)
{
    (void)state;
    push(100);
    unmoved();
    in(SYN | ACK, 0, 1, WND, 0);
    uint32_t data = burst();
    check(data == 100, "%u bytes go out", data);
    check(rig.seen[rig.bursts - 1].seq == 1, "not at ISS+1");
    in(ACK, 1, 101, WND, 0);
    check(conn_unacked(&rig.c) == 0, "conn_unacked() is %zu", conn_unacked(&rig.c));
}

static void rfc9293_3_10_4_close_deletes_the_tcb(void **state)
{
    (void)state;
    shut();
    expect_state(STATE_CLOSED);
    silent(WAVE_H);
}

static void rfc9293_3_10_5_abort_flushes_what_is_queued(void **state)
{
    (void)state;
    push(5000);
    conn_abort(&rig.c, rig.now);
    expect_closed(END_ABORTED);
    check(rig.env.mem_used == 0, "%zu bytes stay queued", rig.env.mem_used);
}

static void a_late_syn_ack_still_establishes(void **state)
{
    (void)state;
    out_between(1, 2 * WAVE_S, SYN, 0, 0, 0);
    out_between(1, 3 * WAVE_S, SYN, 0, 0, 0);
    in(SYN | ACK, 0, 1, WND, 0);
    out(ACK, 1, 1, 0);
    expect_state(STATE_ESTABLISHED);
    in(SYN | ACK, 0, 1, WND, 0); /* the answer to the retransmitted SYN */
    out(ACK, 1, 1, 0);
    expect_state(STATE_ESTABLISHED);
}

static void conn_config_no_third_ack_leaves_the_syn_ack_unanswered(void **state)
{
    (void)state;
    rig.env.config.no_third_ack = true;
    for (int i = 0; i < 3; i++) {
        in(SYN | ACK, 0, 1, WND, 0);
        silent(WAVE_S);
        expect_no_event(EVENT_DATA);
    }
    check(rig.c.state != STATE_CLOSED, "the connection was given up");
    check(rig.c.rcv.irs.v == rig.irs || rig.c.state == STATE_SYN_SENT, "IRS is wrong");
}

static void conn_hold_leaves_the_peer_in_syn_received_until_it_ends(void **state)
{
    (void)state;
    conn_hold(&rig.c, true);
    in(SYN | ACK, 0, 1, WND, 0);
    expect_state(STATE_ESTABLISHED);
    silent(WAVE_S);
    in(SYN | ACK, 0, 1, WND, 0); /* the peer repeats it */
    silent(10 * WAVE_S);
    check(conn_send(&rig.c, rig.now, "x", 1) == WAVE_ESTATE, "data was taken");
    check(conn_close(&rig.c, rig.now) == WAVE_ESTATE, "CLOSE was taken");
    conn_hold(&rig.c, false);
    out(ACK, 1, 1, 0);
    expect_state(STATE_ESTABLISHED);
    silent(WAVE_S);
}

static void a_rst_ends_a_held_connection(void **state)
{
    (void)state;
    conn_hold(&rig.c, true);
    in(SYN | ACK, 0, 1, WND, 0);
    in(RST, 1, 0, 0, 0);
    expect_state(STATE_CLOSED);
    check(conn_end(&rig.c) == END_RESET, "it is no reset");
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_7_3_fourth_syn_ack_establishes),
        cmocka_unit_test(rfc9293_3_10_7_3_first_syn_ack_of_another_syn_is_reset),
        cmocka_unit_test(rfc9293_3_5_1_half_open_connection_is_reset_and_the_syn_goes_again),
        cmocka_unit_test(rfc9293_3_5_1_a_distant_half_open_connection_is_given_a_round_trip),
        cmocka_unit_test(conn_config_syn_retries_of_0_are_none_for_a_half_open_connection_either),
        cmocka_unit_test(rfc9293_3_10_7_3_fifth_acceptable_ack_alone_is_dropped),
        cmocka_unit_test(rfc9293_3_10_7_3_fifth_neither_syn_nor_ack_is_dropped),
        cmocka_unit_test(rfc9293_3_10_7_3_second_rst_that_acknowledges_the_syn_refuses),
        cmocka_unit_test(rfc9293_3_10_7_3_first_rst_that_acknowledges_something_else_is_dropped),
        cmocka_unit_test(rfc9293_3_10_7_3_second_rst_without_ack_is_dropped),
        cmocka_unit_test(rfc9293_3_10_7_3_second_rst_wins_over_syn),
        cmocka_unit_test(rfc9293_3_10_7_3_fourth_syn_alone_is_a_simultaneous_open),
        cmocka_unit_test(rfc9293_3_10_7_3_fourth_data_on_the_syn_ack_is_taken),
        cmocka_unit_test(rfc9293_3_10_7_3_fourth_fin_on_the_syn_ack_is_taken),
        cmocka_unit_test(rfc9293_3_10_2_send_is_queued_until_established),
        cmocka_unit_test(rfc9293_3_10_4_close_deletes_the_tcb),
        cmocka_unit_test(rfc9293_3_10_5_abort_flushes_what_is_queued),
        cmocka_unit_test(a_late_syn_ack_still_establishes),
        cmocka_unit_test(conn_config_no_third_ack_leaves_the_syn_ack_unanswered),
        cmocka_unit_test(conn_hold_leaves_the_peer_in_syn_received_until_it_ends),
        cmocka_unit_test(a_rst_ends_a_held_connection),
    };
    return run_state(STATE_SYN_SENT, cases, COUNT(cases));
}
