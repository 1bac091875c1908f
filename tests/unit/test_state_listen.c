/* Tests LISTEN: RFC 9293, 3.10.1 to 3.10.5 and 3.10.7.2. */
#include "tests/unit/engine.h"

static void ignored(void)
{
    nothing();
    expect_state(STATE_LISTEN);
    check(readable() == 0, "data is readable");
}

static void rfc9293_3_10_7_2_first_rst_is_ignored(void **state)
{
    (void)state;
    in(RST, 0, 0, 0, 0);
    ignored();
    in(RST | ACK, 0, 1, 0, 0);
    ignored();
    in(RST | SYN, 0, 0, 0, 0);
    ignored();
}

static void rfc9293_3_10_7_2_second_ack_is_answered_with_rst(void **state)
{
    (void)state;
    const unsigned flags[] = {ACK, ACK | PSH, SYN | ACK, FIN | ACK, URG | ACK};
    for (size_t i = 0; i < COUNT(flags); i++) {
        in(flags[i], 500, 900 + (uint32_t)i, WND, flags[i] & PSH ? 10 : 0);
        check(next_out(0), "no RST goes out");
        check(rig.out.flags == RST && out_seq() == 900 + i && rig.out.len == 0,
              "the answer is not <SEQ=SEG.ACK><CTL=RST>");
        ignored();
    }
}

static void rfc9293_3_10_7_2_third_syn_is_answered_with_syn_ack(void **state)
{
    (void)state;
    in(SYN, 0, 0, WND, 0);
    expect_state(STATE_SYN_RECEIVED);
    out(SYN | ACK, 0, 1, 0);
    nothing();
    check(snd_una() == 0 && snd_nxt() == 1, "SND.UNA is %u, SND.NXT %u", snd_una(), snd_nxt());
    check(rig.c.rcv.irs.v == rig.irs && rcv_nxt() == 1, "IRS or RCV.NXT is wrong");
    check(rig.out.opt.has & OPT_MSS, "no MSS stands on the SYN-ACK");
}

/* "Any other control or text should be queued for processing later": it may also be left to the
 * peer to retransmit it, but it is not delivered before the handshake is done. */
static void rfc9293_3_10_7_2_third_data_on_the_syn_waits_for_the_handshake(void **state)
{
    (void)state;
    in(SYN, 0, 0, WND, 100);
    check(next_out(0), "no SYN-ACK goes out");
    uint32_t acked = out_ack();
    check(rig.out.flags == (SYN | ACK) && (acked == 1 || acked == 101), "no SYN-ACK goes out");
    check(readable() == 0, "data is readable before the handshake is done");
    in(ACK, 101, 1, WND, 0);
    burst();
    if (acked == 1)
        in(ACK | PSH, 1, 1, WND, 100);
    take(100);
    expect_state(STATE_ESTABLISHED);
    check(rcv_nxt() == 101, "RCV.NXT is %u", rcv_nxt());
}

static void rfc9293_3_10_7_4_eighth_fin_on_the_syn_is_not_processed_yet(void **state)
{
    (void)state;
    in(SYN | FIN, 0, 0, WND, 0);
    burst();
    check(rig.c.state == STATE_SYN_RECEIVED || rig.c.state == STATE_LISTEN, "the state is %s",
          state_name(rig.c.state));
    expect_no_event(EVENT_FIN);
}

static void rfc9293_3_10_7_2_fourth_anything_else_is_dropped(void **state)
{
    (void)state;
    in(0, 0, 0, WND, 0);
    ignored();
    in(FIN, 0, 0, WND, 0);
    ignored();
    in(PSH | URG, 5, 0, WND, 100);
    ignored();
}

static void rfc9293_3_10_7_2_old_duplicate_syn_is_undone_by_the_peers_rst(void **state)
{
    (void)state; /* figure 11 */
    in(SYN, 0x1000000, 0, WND, 0);
    out(SYN | ACK, 0, 0x1000001, 0);
    in(RST, 0x1000001, 0, 0, 0);
    nothing();
    expect_state(STATE_LISTEN);
    in(SYN, 0, 0, WND, 0);
    out(SYN | ACK, 0, 1, 0);
    in(ACK, 1, 1, WND, 0);
    expect_state(STATE_ESTABLISHED);
}

static void rfc9293_3_10_4_close_deletes_the_tcb(void **state)
{
    (void)state;
    shut();
    expect_state(STATE_CLOSED);
    silent(WAVE_H);
}

static void listening_has_no_timeout(void **state)
{
    (void)state;
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "there is something to wait for");
    silent(24 * WAVE_H);
    expect_state(STATE_LISTEN);
}

/* RFC 9293, 3.10.7.4: back in LISTEN, the next SYN is answered as the first one was. */
static void rfc9293_3_10_7_4_nothing_of_an_attempt_is_left_in_listen(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.env.config.syn_retries = 3;
    rig.env.config.rcvbuf = 1 << 20;
    drive(STATE_LISTEN);
    rig.peer.wscale = false;
    in(SYN, 0, 0, WND, 0);
    out(SYN | ACK, 0, 1, 0);
    out_between(WAVE_S, WAVE_S, SYN | ACK, 0, 1, 0);
    out_between(2 * WAVE_S, 2 * WAVE_S, SYN | ACK, 0, 1, 0);
    in(RST, 1, 0, 0, 0);
    expect_state(STATE_LISTEN);
    rig.peer.wscale = true;
    in(SYN, 0, 0, WND, 0);
    out(SYN | ACK, 0, 1, 0);
    check(rig.out.opt.has & OPT_WSCALE && rig.out.opt.wscale > 0, "no window scale is offered");
    for (unsigned i = 0; i < 3; i++)
        out_between(WAVE_S << i, WAVE_S << i, SYN | ACK, 0, 1, 0);
    in(RST, 1, 0, 0, 0);
    in(SYN, 0, 0, WND, 0);
    out(SYN | ACK, 0, 1, 0);
    silent(20 * WAVE_MS);
    in(ACK, 1, 1, WND, 0);
    check(rig.c.rtt.srtt == 20000, "SRTT is %u us", rig.c.rtt.srtt);
    check(rig.c.cwnd == 10 * 1460, "the initial window is %u", rig.c.cwnd);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_7_2_first_rst_is_ignored),
        cmocka_unit_test(rfc9293_3_10_7_2_second_ack_is_answered_with_rst),
        cmocka_unit_test(rfc9293_3_10_7_2_third_syn_is_answered_with_syn_ack),
        cmocka_unit_test(rfc9293_3_10_7_2_third_data_on_the_syn_waits_for_the_handshake),
        cmocka_unit_test(rfc9293_3_10_7_4_eighth_fin_on_the_syn_is_not_processed_yet),
        cmocka_unit_test(rfc9293_3_10_7_2_fourth_anything_else_is_dropped),
        cmocka_unit_test(rfc9293_3_10_7_2_old_duplicate_syn_is_undone_by_the_peers_rst),
        cmocka_unit_test(rfc9293_3_10_4_close_deletes_the_tcb),
        cmocka_unit_test(listening_has_no_timeout),
        cmocka_unit_test(rfc9293_3_10_7_4_nothing_of_an_attempt_is_left_in_listen),
    };
    return run_state(STATE_LISTEN, cases, COUNT(cases));
}
