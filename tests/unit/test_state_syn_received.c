/* Tests SYN_RECEIVED: RFC 9293, 3.10.2 to 3.10.5 and 3.10.7.4. The cases begin in a SYN_RECEIVED
 * that was entered from LISTEN; those of a simultaneous open enter their own. */
#include "tests/unit/engine.h"

static void unmoved(void)
{
    nothing();
    expect_state(STATE_SYN_RECEIVED);
    check(snd_una() == 0 && snd_nxt() == 1 && rcv_nxt() == 1, "a number moved");
    check(readable() == 0, "data is readable before the handshake is done");
}

/* From LISTEN's SYN_RECEIVED into the one that came from SYN_SENT, in the same variant. */
static void again_as_simultaneous(void **state)
{
    const struct variant *v = NULL;
    for (size_t i = 0; i < variant_count; i++)
        if (variants[i].iss == rig.iss)
            v = &variants[i];
    (void)state;
    rig_start(v);
    drive(STATE_SYN_SENT);
    simultaneous();
    forget();
}

static void rfc9293_3_10_7_4_fifth_ack_of_the_syn_establishes(void **state)
{
    (void)state;
    in(ACK, 1, 1, 40000, 0);
    nothing();
    expect_state(STATE_ESTABLISHED);
    check(snd_una() == 1 && rig.c.snd.wnd == 40000, "SND.UNA is %u, SND.WND %u", snd_una(),
          rig.c.snd.wnd);
    silent(WAVE_H);
}

static void rfc9293_3_10_7_4_fifth_ack_with_data_establishes_and_delivers(void **state)
{
    (void)state;
    in(ACK | PSH, 1, 1, WND, 100);
    expect_state(STATE_ESTABLISHED);
    acknowledges(101);
    take(100);
}

static void rfc9293_3_10_7_4_fifth_ack_with_data_beyond_a_gap_establishes(void **state)
{
    (void)state;
    in(ACK | PSH, 101, 1, WND, 100);
    expect_state(STATE_ESTABLISHED);
    out(ACK, 1, 1, 0);
    in(ACK | PSH, 1, 1, WND, 100);
    acknowledges(201);
    take(200);
}

static void rfc9293_3_10_7_4_eighth_fin_with_the_ack_closes_the_peers_side(void **state)
{
    (void)state;
    in(FIN | ACK, 1, 1, WND, 10);
    expect_state(STATE_CLOSE_WAIT);
    acknowledges(12);
    take(10);
    expect_event(EVENT_FIN);
}

static void rfc9293_3_10_7_4_fifth_other_ack_is_answered_with_rst(void **state)
{
    (void)state;
    const uint32_t acks[] = {2, 1000, 0x7fff0000};
    for (size_t i = 0; i < COUNT(acks); i++) {
        in(ACK | PSH, 1, acks[i], WND, 10);
        check(next_out(0), "nothing answers");
        check(rig.out.flags == RST && out_seq() == acks[i] && rig.out.len == 0,
              "the answer is not <SEQ=SEG.ACK><CTL=RST>");
        unmoved();
    }
}

static void rfc9293_3_10_7_4_fifth_ack_of_less_than_the_syn_is_answered_with_rst(void **state)
{
    (void)state;
    in(ACK, 1, 0, WND, 0);
    check(next_out(0), "nothing answers");
    check(rig.out.flags == RST && out_seq() == 0 && rig.out.len == 0,
          "the answer is not <SEQ=SEG.ACK><CTL=RST>");
    unmoved();
}

static void rfc9293_3_10_7_4_fifth_segment_without_ack_is_dropped(void **state)
{
    (void)state;
    in(0, 1, 0, WND, 0);
    unmoved();
    in(PSH, 1, 0, WND, 10);
    unmoved();
    in(FIN, 1, 0, WND, 0);
    unmoved();
}

static void rfc9293_3_10_7_4_second_rst_returns_a_passive_open_to_listen(void **state)
{
    (void)state;
    in(RST, 1, 0, 0, 0);
    nothing();
    expect_state(STATE_LISTEN);
    in(SYN, 0, 0, WND, 0);
    out(SYN | ACK, 0, 1, 0);
    in(ACK, 1, 1, WND, 0);
    expect_state(STATE_ESTABLISHED);
}

static void rfc9293_3_10_7_4_second_rst_refuses_an_active_open(void **state)
{
    again_as_simultaneous(state);
    in(RST, 1, 0, 0, 0);
    expect_closed(END_REFUSED);
    silent(WAVE_H);
}

static void rfc5961_3_2_rst_elsewhere_in_window_gets_a_challenge_ack(void **state)
{
    (void)state;
    in(RST, 2, 0, 0, 0);
    out(ACK, 1, 1, 0);
    unmoved();
    in(RST, RCVBUF, 0, 0, 0);
    out(ACK, 1, 1, 0);
    unmoved();
}

static void rfc5961_3_2_rst_outside_the_window_is_dropped(void **state)
{
    (void)state;
    in(RST, 0, 0, 0, 0);
    unmoved();
    in(RST, RCVBUF + 2, 0, 0, 0);
    unmoved();
    in(RST, 0x80000000, 0, 0, 0);
    unmoved();
}

/* By the letter, the retransmitted SYN is outside the window and gets an ACK. Hosts retransmit the
 * SYN-ACK instead, which acknowledges as well. */
static void repeated_syn(unsigned flags, uint32_t data)
{
    in(flags, 0, 0, WND, data);
    check(next_out(0), "nothing answers");
    check((rig.out.flags == (SYN | ACK) && out_seq() == 0) ||
              (rig.out.flags == ACK && out_seq() == 1),
          "the answer is neither an ACK nor our SYN-ACK");
    check(out_ack() == 1, "%u is acknowledged", out_ack());
    unmoved();
    in(ACK, 1, 1, WND, 0);
    expect_state(STATE_ESTABLISHED);
}

static void rfc9293_3_10_7_4_first_repeated_syn_is_acknowledged(void **state)
{
    (void)state;
    repeated_syn(SYN, 0);
}

/* Its data and FIN reach into the window, and are no reason to take it for another one. */
static void rfc9293_3_10_7_4_first_repeated_syn_with_data_is_acknowledged(void **state)
{
    (void)state;
    repeated_syn(SYN | FIN, 5);
}

static void rfc9293_3_10_7_4_fourth_syn_in_window_returns_a_passive_open_to_listen(void **state)
{
    (void)state;
    in(SYN, 1000, 0, WND, 0);
    nothing();
    expect_state(STATE_LISTEN);
}

static void rfc5961_4_2_syn_in_window_gets_a_challenge_ack_after_an_active_open(void **state)
{
    again_as_simultaneous(state);
    in(SYN, 1000, 0, WND, 0);
    out(ACK, 1, 1, 0);
    unmoved();
}

static void rfc9293_3_10_7_4_first_segment_out_of_window_is_acknowledged(void **state)
{
    (void)state;
    in(ACK, RCVBUF + 2, 1, WND, 0);
    out(ACK, 1, 1, 0);
    unmoved();
    in(ACK, 0x80000001, 1, WND, 100);
    out(ACK, 1, 1, 0);
    unmoved();
    in(ACK, 0, 1, WND, 0);
    out(ACK, 1, 1, 0);
    unmoved();
}

static void rfc9293_3_5_simultaneous_open_ends_established(void **state)
{
    again_as_simultaneous(state);
    in(SYN | ACK, 0, 1, WND, 0); /* figure 7: the peer answers our SYN as we answer its */
    expect_state(STATE_ESTABLISHED);
    burst();
    for (size_t i = 0; i < rig.bursts; i++)
        check(rig.seen[i].flags == ACK && rig.seen[i].seq == 1, "something but an ACK goes out");
    push(10);
    out(ACK, 1, 1, 10);
}

static void rfc9293_3_5_simultaneous_open_ends_with_a_plain_ack(void **state)
{
    again_as_simultaneous(state);
    in(ACK, 1, 1, WND, 0);
    nothing();
    expect_state(STATE_ESTABLISHED);
    check(snd_una() == 1, "SND.UNA is %u", snd_una());
}

static void rfc9293_3_10_2_send_is_queued_until_established(void **state)
{
    (void)state;
    push(100);
    unmoved();
    in(ACK, 1, 1, WND, 0);
    out(ACK, 1, 1, 100);
    nothing();
}

/* The FIN may be sent immediately, or wait for the end of the handshake. */
static void rfc9293_3_10_4_close_leads_to_fin_wait_1(void **state)
{
    (void)state;
    shut();
    uint32_t early = burst() + (uint32_t)rig.bursts;
    check(early == 0 || (early == 1 && rig.seen[0].flags == (FIN | ACK) && rig.seen[0].seq == 1),
          "something but the FIN goes out");
    expect_state(early ? STATE_FIN_WAIT_1 : STATE_SYN_RECEIVED);
    in(ACK, 1, 1, WND, 0);
    if (!early)
        out(FIN | ACK, 1, 1, 0);
    expect_state(STATE_FIN_WAIT_1);
    in(ACK, 1, 2, WND, 0);
    expect_state(STATE_FIN_WAIT_2);
    check(conn_close(&rig.c, rig.now) == WAVE_ESTATE, "a second close is taken");
}

static void rfc9293_3_10_4_close_waits_for_what_is_queued(void **state)
{
    (void)state;
    push(100);
    shut();
    unmoved();
    in(ACK, 1, 1, WND, 0);
    check(burst() == 100, "the data does not go out");
    check(rig.seen[rig.bursts - 1].flags & FIN, "the FIN does not follow it");
    expect_state(STATE_FIN_WAIT_1);
    in(ACK, 1, 102, WND, 0);
    expect_state(STATE_FIN_WAIT_2);
}

/* RFC 4987, 3.6: a SYN cookie came back, and the connection is made as if its SYN had been
 * remembered. The acknowledgement that brought it is given to the engine immediately. */
static void rfc4987_3_6_rebuilt_from_a_cookie(void **state)
{
    (void)state;
    const struct variant *v = NULL;
    for (size_t i = 0; i < variant_count; i++)
        if (variants[i].iss == rig.iss)
            v = &variants[i];
    rig_start(v);
    struct seg syn = make(SYN, 0, 0, WND, 0);
    syn.opt.has &= ~(unsigned)(OPT_WSCALE | OPT_TIMESTAMP | OPT_SACK_PERMITTED);
    check(conn_rebuild(&rig.c, rig.now, &syn, seq_of(rig.iss)) == 0, "conn_rebuild() refuses");
    in(ACK | PSH, 1, 1, WND, 100);
    expect_state(STATE_ESTABLISHED);
    acknowledges(101);
    take(100);
    push(3000);
    check(burst() == 3000, "not all goes out");
    in(FIN | ACK, 101, 3001, WND, 0);
    expect_state(STATE_CLOSE_WAIT);
}

/* First step: outside of the window, and not the SYN that we have had: an ACK, and no more. */
static void rfc9293_3_10_7_4_first_another_syn_below_the_window_is_acknowledged(void **state)
{
    (void)state;
    struct seg s = make(SYN, 0, 0, WND, 0);
    s.seq = seq_sub(s.seq, 5);
    feed(s);
    out(ACK, 1, 1, 0);
    nothing();
    expect_state(STATE_SYN_RECEIVED);
    in(ACK, 1, 1, WND, 0);
    expect_state(STATE_ESTABLISHED);
}

/* RFC 9293, 3.5, figure 8, and what differs from its last lines by one thing. */
static void rfc9293_3_5_a_crossed_syn_ack_is_that_of_the_same_syn(void **state)
{
    static const struct {
        unsigned flags;
        uint32_t seq, ack, len;
    } wrong[] = {{SYN | ACK, 0xfffffffb, 1, 0},
                 {SYN | ACK, 0, 0, 0},
                 {SYN | ACK, 0, 2, 0},
                 {SYN | ACK | FIN, 0, 1, 0},
                 {SYN | ACK, 3, 1, 0}};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        again_as_simultaneous(state);
        in(wrong[i].flags, wrong[i].seq, wrong[i].ack, WND, wrong[i].len);
        expect_state(STATE_SYN_RECEIVED);
        burst();
        for (size_t j = 0; j < rig.bursts; j++)
            check(rig.seen[j].flags == ACK || rig.seen[j].flags == RST, "flags %x go out",
                  rig.seen[j].flags);
        in(SYN | ACK, 0, 1, WND, 0);
        expect_state(STATE_ESTABLISHED);
    }
}

/* Data on it waits until the peer sends it without the SYN, as it does once ours is acknowledged.
 */
static void rfc9293_3_5_data_on_a_crossed_syn_ack_comes_again(void **state)
{
    again_as_simultaneous(state);
    in(SYN | ACK, 0, 1, WND, 50);
    acknowledges(1);
    check(readable() == 0, "%u bytes were taken", readable());
    in(ACK | PSH, 1, 1, WND, 50);
    acknowledges(51);
    expect_state(STATE_ESTABLISHED);
    take(50);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_ack_of_the_syn_establishes),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_ack_with_data_establishes_and_delivers),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_ack_with_data_beyond_a_gap_establishes),
        cmocka_unit_test(rfc9293_3_10_7_4_eighth_fin_with_the_ack_closes_the_peers_side),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_other_ack_is_answered_with_rst),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_ack_of_less_than_the_syn_is_answered_with_rst),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_segment_without_ack_is_dropped),
        cmocka_unit_test(rfc9293_3_10_7_4_second_rst_returns_a_passive_open_to_listen),
        cmocka_unit_test(rfc9293_3_10_7_4_second_rst_refuses_an_active_open),
        cmocka_unit_test(rfc5961_3_2_rst_elsewhere_in_window_gets_a_challenge_ack),
        cmocka_unit_test(rfc5961_3_2_rst_outside_the_window_is_dropped),
        cmocka_unit_test(rfc9293_3_10_7_4_first_repeated_syn_is_acknowledged),
        cmocka_unit_test(rfc9293_3_10_7_4_first_repeated_syn_with_data_is_acknowledged),
        cmocka_unit_test(rfc9293_3_10_7_4_fourth_syn_in_window_returns_a_passive_open_to_listen),
        cmocka_unit_test(rfc5961_4_2_syn_in_window_gets_a_challenge_ack_after_an_active_open),
        cmocka_unit_test(rfc9293_3_10_7_4_first_segment_out_of_window_is_acknowledged),
        cmocka_unit_test(rfc9293_3_5_simultaneous_open_ends_established),
        cmocka_unit_test(rfc9293_3_5_simultaneous_open_ends_with_a_plain_ack),
        cmocka_unit_test(rfc9293_3_10_2_send_is_queued_until_established),
        cmocka_unit_test(rfc9293_3_10_4_close_leads_to_fin_wait_1),
        cmocka_unit_test(rfc9293_3_10_4_close_waits_for_what_is_queued),
        cmocka_unit_test(rfc4987_3_6_rebuilt_from_a_cookie),
        cmocka_unit_test(rfc9293_3_10_7_4_first_another_syn_below_the_window_is_acknowledged),
        cmocka_unit_test(rfc9293_3_5_a_crossed_syn_ack_is_that_of_the_same_syn),
        cmocka_unit_test(rfc9293_3_5_data_on_a_crossed_syn_ack_comes_again),
    };
    return run_state(STATE_SYN_RECEIVED, cases, COUNT(cases));
}
