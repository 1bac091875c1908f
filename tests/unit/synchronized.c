/*
 * Cases that several states share. RFC 9293, 3.10.7.4 lists its steps once for all the states that
 * have both SYNs. So its cases are written once, relative to the SND.UNA, SND.NXT and RCV.NXT that
 * the state left, and run in each of these states.
 */
#include "tests/unit/engine.h"

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, and all else as it was. */
static void answered_and_dropped(struct entry e)
{
    out(ACK, e.nxt, e.rcv, 0);
    nothing();
    expect_state(e.state);
    check(snd_una() == e.una && snd_nxt() == e.nxt && rcv_nxt() == e.rcv, "a number moved");
    check(readable() == 0, "data was delivered");
}

static void dropped_silently(struct entry e)
{
    nothing();
    expect_state(e.state);
    check(snd_una() == e.una && snd_nxt() == e.nxt && rcv_nxt() == e.rcv, "a number moved");
    check(readable() == 0, "data was delivered");
}

/*
 * Every synchronized state. First step: the sequence number.
 */

static void rfc9293_3_10_7_4_first_empty_segment_below_the_window_is_acknowledged(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, e.rcv - 1, e.una, WND, 0);
    answered_and_dropped(e);
}

static void rfc9293_3_10_7_4_first_garbage_byte_below_the_window_is_acknowledged(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, e.rcv - 1, e.una, WND, 1);
    answered_and_dropped(e);
}

static void rfc9293_3_10_7_4_first_old_duplicate_data_is_acknowledged(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK | PSH, e.rcv - 500, e.una, WND, 500);
    answered_and_dropped(e);
}

static void rfc9293_3_10_7_4_first_empty_segment_beyond_the_window_is_acknowledged(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, rig.edge + 1, e.una, WND, 0);
    answered_and_dropped(e);
    in(ACK, rig.edge + 0x40000000, e.una, WND, 0);
    answered_and_dropped(e);
}

static void rfc9293_3_10_7_4_first_data_beyond_the_window_is_acknowledged(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, rig.edge, e.una, WND, 100);
    answered_and_dropped(e);
}

static void rfc9293_3_10_7_4_first_segment_half_the_space_away_is_acknowledged(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, e.rcv + 0x80000000, e.una, WND, 1);
    answered_and_dropped(e);
}

static void rfc9293_3_10_7_4_first_unacceptable_segment_moves_no_window(void **state)
{
    (void)state;
    struct entry e = entry();
    uint32_t wnd = rig.c.snd.wnd;
    in(ACK, e.rcv - 1, e.una, 4000, 0);
    answered_and_dropped(e);
    check(rig.c.snd.wnd == wnd, "SND.WND is %u, was %u", rig.c.snd.wnd, wnd);
}

/* Second step: RST, as RFC 5961, section 3 has it. */

static void rfc5961_3_2_rst_at_rcv_nxt_closes_without_a_word(void **state)
{
    (void)state;
    struct entry e = entry();
    in(RST, e.rcv, 0, 0, 0);
    nothing();
    expect_state(STATE_CLOSED);
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "CLOSED, and still something to wait for");
    if (e.state == STATE_ESTABLISHED || e.state == STATE_FIN_WAIT_1 ||
        e.state == STATE_FIN_WAIT_2 || e.state == STATE_CLOSE_WAIT) {
        expect_end(END_RESET);
        expect_event(EVENT_RESET);
    }
}

static void rfc5961_3_2_rst_with_ack_at_rcv_nxt_closes(void **state)
{
    (void)state;
    struct entry e = entry();
    in(RST | ACK, e.rcv, e.nxt, 0, 0);
    nothing();
    expect_state(STATE_CLOSED);
}

static void rfc9293_3_5_3_shld_2_rst_may_carry_data(void **state)
{
    (void)state;
    struct entry e = entry();
    in(RST | ACK, e.rcv, e.nxt, 0, 20);
    nothing();
    expect_state(STATE_CLOSED);
    check(readable() == 0, "a RST's text was delivered");
}

static void rfc5961_3_2_rst_elsewhere_in_window_gets_a_challenge_ack(void **state)
{
    (void)state;
    struct entry e = entry();
    in(RST, e.rcv + 1, 0, 0, 0);
    answered_and_dropped(e);
    expect_event(EVENT_DISCARDED);
    in(RST | ACK, rig.edge - 1, e.una, 0, 0);
    answered_and_dropped(e);
}

static void rfc5961_3_2_rst_outside_the_window_is_dropped(void **state)
{
    (void)state;
    struct entry e = entry();
    in(RST, e.rcv - 1, 0, 0, 0);
    dropped_silently(e);
    in(RST, rig.edge + 1, 0, 0, 0);
    dropped_silently(e);
    in(RST | ACK, e.rcv + 0x80000000, e.una, 0, 0);
    dropped_silently(e);
}

/* Fourth step: SYN. */

static void rfc5961_4_2_old_syn_gets_a_challenge_ack(void **state)
{
    (void)state;
    struct entry e = entry();
    in(SYN, 0, 0, WND, 0);
    answered_and_dropped(e);
}

static void rfc9293_3_10_7_4_fourth_syn_ack_repeated_is_acknowledged(void **state)
{
    (void)state;
    struct entry e = entry();
    in(SYN | ACK, 0, 1, WND, 0);
    answered_and_dropped(e);
}

static void rfc5961_4_2_syn_in_window_gets_a_challenge_ack(void **state)
{
    (void)state;
    struct entry e = entry();
    in(SYN, e.rcv, 0, WND, 0);
    answered_and_dropped(e);
    in(SYN, e.rcv + 1000, 0, WND, 10);
    answered_and_dropped(e);
    in(SYN | ACK, e.rcv, e.una, WND, 0);
    answered_and_dropped(e);
}

static void rfc5961_4_2_syn_beyond_the_window_gets_a_challenge_ack(void **state)
{
    (void)state;
    struct entry e = entry();
    in(SYN, rig.edge + 1000000, 0, WND, 0);
    answered_and_dropped(e);
}

/* RFC 9293, 3.5.1, figure 9: the peer has lost its memory and opens a new connection. Our
 * acknowledgement makes it reset us, at RCV.NXT. */
static void rfc9293_3_5_1_rebooted_peer_finds_the_half_open_connection(void **state)
{
    (void)state;
    struct entry e = entry();
    in(SYN, rig.edge + 123456, 0, WND, 0);
    answered_and_dropped(e);
    in(RST, out_ack(), 0, 0, 0);
    nothing();
    expect_state(STATE_CLOSED);
}

/* Fifth step: ACK. */

static void rfc9293_3_10_7_4_fifth_segment_without_ack_is_dropped(void **state)
{
    (void)state;
    struct entry e = entry();
    in(0, e.rcv, 0, WND, 100);
    dropped_silently(e);
    in(FIN, e.rcv, 0, WND, 0);
    dropped_silently(e);
    in(PSH | URG, e.rcv, 0, WND, 1);
    dropped_silently(e);
}

static void rfc9293_3_10_7_4_fifth_ack_of_what_was_not_sent_is_answered_and_dropped(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK | PSH, e.rcv, e.nxt + 1, WND, 100);
    answered_and_dropped(e);
    in(ACK, e.rcv, e.nxt + 0x7fff0000, WND, 0);
    answered_and_dropped(e);
    expect_event(EVENT_DISCARDED);
}

static void rfc5961_5_2_ack_below_una_less_the_largest_window_is_answered_and_dropped(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK | PSH, e.rcv, e.una - WND - 1, WND, 100);
    answered_and_dropped(e);
    in(ACK, e.rcv, e.una - 0x40000000, WND, 0);
    answered_and_dropped(e);
}

static void rfc9293_3_10_7_4_fifth_duplicate_ack_changes_nothing(void **state)
{
    (void)state;
    struct entry e = entry();
    for (int i = 0; i < 2; i++)
        in(ACK, e.rcv, e.una, WND, 0);
    in(ACK, e.rcv, e.una - WND, WND, 0);
    burst(); /* RFC 9293 lets it be ignored; an answer would do no harm */
    for (size_t i = 0; i < rig.bursts; i++)
        check(rig.seen[i].flags == ACK && rig.seen[i].len == 0, "a duplicate ACK causes more");
    expect_state(e.state);
    check(snd_una() == e.una && snd_nxt() == e.nxt && rcv_nxt() == e.rcv, "a number moved");
}

/* The user's call. */

static void conn_probe_asks_one_below_snd_nxt(void **state)
{
    (void)state;
    struct entry e = entry();
    check(conn_probe(&rig.c, false) == 0, "conn_probe() refuses");
    out(ACK, e.nxt - 1, e.rcv, 0);
    nothing();
    rig.garbage = true;
    check(conn_probe(&rig.c, true) == 0, "conn_probe() refuses");
    out(ACK, e.nxt - 1, e.rcv, 1);
    nothing();
    check(snd_nxt() == e.nxt, "a probe moved SND.NXT");
    in(ACK, e.rcv, e.nxt, WND, 0);
    expect_state(e.state);
}

static void conn_ack_repeats_the_acknowledgement(void **state)
{
    (void)state;
    struct entry e = entry();
    check(conn_ack(&rig.c) == 0, "conn_ack() refuses");
    out(ACK, e.nxt, e.rcv, 0);
    nothing();
    expect_state(e.state);
}

/*
 * States in which nothing of ours may follow: FIN_WAIT_1 and 2, CLOSING, LAST_ACK, TIME_WAIT.
 */

static void rfc9293_3_10_2_send_is_refused_after_close(void **state)
{
    (void)state;
    struct entry e = entry();
    check(conn_send(&rig.c, rig.now, "x", 1) == WAVE_ESTATE, "conn_send() is taken");
    dropped_silently(e);
}

static void rfc9293_3_10_4_second_close_is_refused_and_sends_no_fin(void **state)
{
    (void)state;
    struct entry e = entry();
    check(conn_close(&rig.c, rig.now) == WAVE_ESTATE, "conn_close() is taken twice");
    dropped_silently(e);
}

/*
 * States that wait for the acknowledgement of our FIN: FIN_WAIT_1, CLOSING, LAST_ACK.
 */

static void rfc9293_3_10_8_fin_is_sent_again_with_doubling_intervals(void **state)
{
    (void)state;
    struct entry e = entry();
    wave_time rto = rtt_rto(&rig.c.rtt, &rig.env.config, 0), last = 0, interval = 0;
    for (int fired = 0; fired < 4;) {
        out_between(1, 16 * rto + rto / 2, FIN | ACK, e.una, e.rcv, 0);
        nothing();
        /* A tail-loss probe (RFC 8985, section 7) may come between and counts for nothing. */
        if (expect_event(EVENT_RETRANSMIT)->u.retransmit.why != RETRANSMIT_RTO)
            continue;
        if (fired++ > 1)
            check(rig.now - last >= 2 * interval - interval / 10 &&
                      rig.now - last <= 2 * interval + interval / 10,
                  "%llu us after %llu us is no doubling",
                  (unsigned long long)((rig.now - last) / WAVE_US),
                  (unsigned long long)(interval / WAVE_US));
        interval = rig.now - last;
        last = rig.now;
    }
    expect_state(e.state);
}

static void rfc9293_3_8_3_fin_never_acknowledged_is_given_up_after_r2(void **state)
{
    (void)state;
    wave_time from = rig.now;
    while (rig.c.state != STATE_CLOSED && rig.now < from + WAVE_H)
        next_out(WAVE_S);
    expect_state(STATE_CLOSED);
    expect_end(END_TIMEOUT);
    /* next_out() stops the clock by the second. */
    check(rig.now - from >= rig.env.config.r2, "given up %llu ms early",
          (unsigned long long)((from + rig.env.config.r2 - rig.now) / WAVE_MS));
    check(rig.now - from <= 3 * rig.env.config.r2, "given up only after %llu s",
          (unsigned long long)((rig.now - from) / WAVE_S));
    const struct event *t = expect_event(EVENT_TIMEOUT);
    check(t->u.timeout == TIMEOUT_RETRANSMIT, "the timeout is of kind %d", t->u.timeout);
    burst();
    silent(WAVE_H);
}

/*
 * States that still receive: ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2. Seventh and eighth step.
 */

static void rfc9293_3_10_7_4_seventh_data_in_order_is_delivered_and_acknowledged(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK | PSH, e.rcv, e.una, WND, 100);
    check(readable() == 100, "%u bytes are readable", readable());
    check(expect_event(EVENT_DATA)->u.bytes == 100, "the event tells another number");
    acknowledges(e.rcv + 100);
    check(out_seq() == e.nxt || e.state == STATE_FIN_WAIT_1, "the ACK stands at %u", out_seq());
    take(100);
    check(conn_received(&rig.c) == 100, "conn_received() is %u", conn_received(&rig.c));
    expect_state(e.state);
}

static void rfc9293_3_10_7_4_seventh_data_beyond_a_gap_is_held_and_answered_at_once(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, e.rcv + 100, e.una, WND, 200);
    out(ACK, e.nxt, e.rcv, 0);
    nothing();
    check(readable() == 0, "data beyond a gap was delivered");
    in(ACK, e.rcv, e.una, WND, 100);
    out(ACK, e.nxt, e.rcv + 300, 0); /* RFC 5681, 4.2: a segment that fills a gap is acknowledged immediately */
    nothing();
    take(300);
    expect_state(e.state);
}

static void rfc9293_3_10_7_4_seventh_of_partly_duplicate_data_the_new_part_is_taken(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, e.rcv, e.una, WND, 100);
    acknowledges(e.rcv + 100);
    in(ACK, e.rcv + 50, e.una, WND, 100);
    acknowledges(e.rcv + 150);
    take(150);
    check(readable() == 0, "bytes were delivered twice");
}

static void rfc9293_3_10_7_4_seventh_duplicate_data_is_acknowledged_and_not_delivered(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, e.rcv, e.una, WND, 100);
    acknowledges(e.rcv + 100);
    take(100);
    in(ACK, e.rcv, e.una, WND, 100);
    out(ACK, e.nxt, e.rcv + 100, 0);
    nothing();
    check(readable() == 0, "bytes were delivered twice");
}

static void rfc9293_3_10_7_4_seventh_overlapping_segments_beyond_a_gap_are_joined(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, e.rcv + 1000, e.una, WND, 500);
    in(ACK, e.rcv + 300, e.una, WND, 300);
    in(ACK, e.rcv + 200, e.una, WND, 1000);
    in(ACK, e.rcv + 1400, e.una, WND, 600);
    burst();
    check(readable() == 0, "data beyond a gap was delivered");
    in(ACK, e.rcv, e.una, WND, 250);
    out(ACK, e.nxt, e.rcv + 2000, 0);
    take(2000);
}

static void rfc9293_3_10_7_4_seventh_last_byte_of_the_window_is_taken(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, rig.edge - 1, e.una, WND, 1);
    burst();
    in(ACK, e.rcv, e.una, WND, rig.edge - 1 - e.rcv);
    acknowledges(rig.edge);
    check(readable() == RCVBUF, "%u bytes are readable", readable());
    take(RCVBUF);
}

static void rfc9293_3_10_7_4_seventh_data_across_the_right_edge_is_cut_there(void **state)
{
    (void)state;
    struct entry e = entry();
    uint32_t edge = rig.edge;
    in(ACK, e.rcv, e.una, WND, edge - e.rcv + 500);
    check(next_out(400 * WAVE_MS), "no acknowledgement");
    check((int32_t)(out_ack() - edge) <= 0, "%u is acknowledged, beyond the window", out_ack());
    check((int32_t)(out_ack() - e.rcv) > 0, "what fits was not taken");
    check(readable() == out_ack() - e.rcv, "acknowledged is not what is readable");
}

static void rfc9293_3_8_6_full_buffer_closes_the_window_and_still_takes_acks(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, e.rcv, e.una, WND, RCVBUF);
    acknowledges(e.rcv + RCVBUF);
    check(out_window() == 0, "the window is %u with the buffer full", out_window());
    in(ACK, e.rcv + RCVBUF, e.una, WND, 1); /* the peer's window probe */
    out(ACK, e.nxt, e.rcv + RCVBUF, 0);
    check(out_window() == 0, "the window is %u with the buffer full", out_window());
    in(ACK, e.rcv + RCVBUF, e.nxt, WND, 0); /* "special allowance ... to accept valid ACKs" */
    check(snd_una() == e.nxt, "an ACK was not taken with the window at zero");
    in(RST, e.rcv + RCVBUF + 1, 0, 0, 0);
    check(rig.c.state != STATE_CLOSED, "a RST beyond a window of zero was taken");
    nothing();
    in(RST, e.rcv + RCVBUF, 0, 0, 0);
    expect_state(STATE_CLOSED);
}

static void rfc9293_3_10_7_4_eighth_fin_beyond_a_gap_waits_for_it(void **state)
{
    (void)state;
    struct entry e = entry();
    in(FIN | ACK, e.rcv + 100, e.una, WND, 50);
    out(ACK, e.nxt, e.rcv, 0);
    expect_state(e.state);
    expect_no_event(EVENT_FIN);
    in(ACK, e.rcv, e.una, WND, 100);
    acknowledges(e.rcv + 151);
    take(150);
    expect_event(EVENT_FIN);
    check(rig.c.state != e.state, "the FIN was not taken once the gap was filled");
}

static void rfc9293_3_10_7_4_eighth_empty_fin_beyond_a_gap_waits_for_it(void **state)
{
    (void)state;
    struct entry e = entry();
    in(FIN | ACK, e.rcv + 100, e.una, WND, 0);
    out(ACK, e.nxt, e.rcv, 0);
    expect_state(e.state);
    in(ACK, e.rcv, e.una, WND, 100);
    /* A receiver may discard what lay beyond the gap (SHLD-31); the peer then retransmits it. */
    check(next_out(400 * WAVE_MS), "no acknowledgement");
    if (out_ack() == e.rcv + 100) {
        in(FIN | ACK, e.rcv + 100, e.una, WND, 0);
        acknowledges(e.rcv + 101);
    } else {
        check(out_ack() == e.rcv + 101, "%u is acknowledged", out_ack());
    }
    take(100);
    expect_event(EVENT_FIN);
    check(rig.c.state != e.state, "the FIN was not taken");
}

static void rfc9293_3_10_7_4_eighth_fin_with_data_is_taken_behind_it(void **state)
{
    (void)state;
    struct entry e = entry();
    in(FIN | ACK | PSH, e.rcv, e.una, WND, 100);
    acknowledges(e.rcv + 101);
    expect_event(EVENT_FIN);
    take(100);
    check(conn_received(&rig.c) == 100, "the FIN was counted as data");
}

static void rfc9293_3_10_7_4_eighth_fin_partly_duplicate_is_taken(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, e.rcv, e.una, WND, 100);
    acknowledges(e.rcv + 100);
    in(FIN | ACK, e.rcv + 50, e.una, WND, 50);
    acknowledges(e.rcv + 101);
    expect_event(EVENT_FIN);
    take(100);
}

/*
 * States in which the peer's FIN was taken: CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT.
 */

static void rfc9293_3_10_7_4_seventh_text_after_the_fin_is_ignored(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK | PSH, e.rcv, e.una, WND, 100);
    burst();
    for (size_t i = 0; i < rig.bursts; i++)
        check(rig.seen[i].flags == ACK && rig.seen[i].len == 0, "text after the FIN causes more");
    check(readable() == 0 && rcv_nxt() == e.rcv, "text after the FIN was taken");
    expect_no_event(EVENT_DATA);
    expect_state(e.state);
}

static void rfc9293_3_10_7_4_sixth_urgent_after_the_fin_is_ignored(void **state)
{
    (void)state;
    struct entry e = entry();
    struct seg s = make(ACK | URG, e.rcv, e.una, WND, 0);
    s.urp = 10;
    feed(s);
    expect_no_event(EVENT_URGENT);
    expect_state(e.state);
}

static void rfc9293_3_10_7_4_eighth_repeated_fin_is_acknowledged(void **state)
{
    (void)state;
    struct entry e = entry();
    for (int i = 0; i < 3; i++) {
        in(FIN | ACK, e.rcv - 1, e.una, WND, 0);
        out(ACK, e.nxt, e.rcv, 0);
        nothing();
    }
    expect_state(e.state);
    check(rcv_nxt() == e.rcv, "a FIN was counted twice");
    expect_no_event(EVENT_FIN);
}

static void rfc9293_3_10_7_4_eighth_another_fin_beyond_leaves_the_state(void **state)
{
    (void)state;
    struct entry e = entry();
    in(FIN | ACK, e.rcv, e.una, WND, 0);
    burst();
    expect_state(e.state);
    check(rcv_nxt() == e.rcv, "a second FIN was counted");
}

#define CASES(name) static const struct CMUnitTest name[]

CASES(synchronized) = {
    cmocka_unit_test(rfc9293_3_10_7_4_first_empty_segment_below_the_window_is_acknowledged),
    cmocka_unit_test(rfc9293_3_10_7_4_first_garbage_byte_below_the_window_is_acknowledged),
    cmocka_unit_test(rfc9293_3_10_7_4_first_old_duplicate_data_is_acknowledged),
    cmocka_unit_test(rfc9293_3_10_7_4_first_empty_segment_beyond_the_window_is_acknowledged),
    cmocka_unit_test(rfc9293_3_10_7_4_first_data_beyond_the_window_is_acknowledged),
    cmocka_unit_test(rfc9293_3_10_7_4_first_segment_half_the_space_away_is_acknowledged),
    cmocka_unit_test(rfc9293_3_10_7_4_first_unacceptable_segment_moves_no_window),
    cmocka_unit_test(rfc5961_3_2_rst_at_rcv_nxt_closes_without_a_word),
    cmocka_unit_test(rfc5961_3_2_rst_with_ack_at_rcv_nxt_closes),
    cmocka_unit_test(rfc9293_3_5_3_shld_2_rst_may_carry_data),
    cmocka_unit_test(rfc5961_3_2_rst_elsewhere_in_window_gets_a_challenge_ack),
    cmocka_unit_test(rfc5961_3_2_rst_outside_the_window_is_dropped),
    cmocka_unit_test(rfc5961_4_2_old_syn_gets_a_challenge_ack),
    cmocka_unit_test(rfc9293_3_10_7_4_fourth_syn_ack_repeated_is_acknowledged),
    cmocka_unit_test(rfc9293_3_10_7_4_fifth_segment_without_ack_is_dropped),
    cmocka_unit_test(rfc9293_3_10_7_4_fifth_ack_of_what_was_not_sent_is_answered_and_dropped),
    cmocka_unit_test(rfc5961_5_2_ack_below_una_less_the_largest_window_is_answered_and_dropped),
    cmocka_unit_test(rfc9293_3_10_7_4_fifth_duplicate_ack_changes_nothing),
};

/* A SYN may open a new connection from TIME_WAIT (RFC 6191). */
CASES(not_time_wait) = {
    cmocka_unit_test(rfc5961_4_2_syn_in_window_gets_a_challenge_ack),
    cmocka_unit_test(rfc5961_4_2_syn_beyond_the_window_gets_a_challenge_ack),
    cmocka_unit_test(rfc9293_3_5_1_rebooted_peer_finds_the_half_open_connection),
};

/* Nothing of ours is outstanding. */
CASES(at_rest) = {
    cmocka_unit_test(conn_probe_asks_one_below_snd_nxt),
    cmocka_unit_test(conn_ack_repeats_the_acknowledgement),
};

CASES(after_close) = {
    cmocka_unit_test(rfc9293_3_10_2_send_is_refused_after_close),
    cmocka_unit_test(rfc9293_3_10_4_second_close_is_refused_and_sends_no_fin),
};

CASES(fin_outstanding) = {
    cmocka_unit_test(rfc9293_3_10_8_fin_is_sent_again_with_doubling_intervals),
    cmocka_unit_test(rfc9293_3_8_3_fin_never_acknowledged_is_given_up_after_r2),
};

CASES(receiving) = {
    cmocka_unit_test(rfc9293_3_10_7_4_seventh_data_in_order_is_delivered_and_acknowledged),
    cmocka_unit_test(rfc9293_3_10_7_4_seventh_data_beyond_a_gap_is_held_and_answered_at_once),
    cmocka_unit_test(rfc9293_3_10_7_4_seventh_of_partly_duplicate_data_the_new_part_is_taken),
    cmocka_unit_test(rfc9293_3_10_7_4_seventh_duplicate_data_is_acknowledged_and_not_delivered),
    cmocka_unit_test(rfc9293_3_10_7_4_seventh_overlapping_segments_beyond_a_gap_are_joined),
    cmocka_unit_test(rfc9293_3_10_7_4_seventh_last_byte_of_the_window_is_taken),
    cmocka_unit_test(rfc9293_3_10_7_4_seventh_data_across_the_right_edge_is_cut_there),
    cmocka_unit_test(rfc9293_3_8_6_full_buffer_closes_the_window_and_still_takes_acks),
    cmocka_unit_test(rfc9293_3_10_7_4_eighth_fin_beyond_a_gap_waits_for_it),
    cmocka_unit_test(rfc9293_3_10_7_4_eighth_empty_fin_beyond_a_gap_waits_for_it),
    cmocka_unit_test(rfc9293_3_10_7_4_eighth_fin_with_data_is_taken_behind_it),
    cmocka_unit_test(rfc9293_3_10_7_4_eighth_fin_partly_duplicate_is_taken),
};

CASES(fin_taken) = {
    cmocka_unit_test(rfc9293_3_10_7_4_seventh_text_after_the_fin_is_ignored),
    cmocka_unit_test(rfc9293_3_10_7_4_sixth_urgent_after_the_fin_is_ignored),
    cmocka_unit_test(rfc9293_3_10_7_4_eighth_repeated_fin_is_acknowledged),
    cmocka_unit_test(rfc9293_3_10_7_4_eighth_another_fin_beyond_leaves_the_state),
};

#define BIT(s) (1u << STATE_##s)
#define OUR_FIN_OUT (BIT(FIN_WAIT_1) | BIT(CLOSING) | BIT(LAST_ACK))
#define PEER_OPEN (BIT(ESTABLISHED) | BIT(FIN_WAIT_1) | BIT(FIN_WAIT_2))
#define PEER_CLOSED (BIT(CLOSE_WAIT) | BIT(CLOSING) | BIT(LAST_ACK) | BIT(TIME_WAIT))

const struct group synchronized_groups[] = {
    {PEER_OPEN | PEER_CLOSED, synchronized, COUNT(synchronized)},
    {(PEER_OPEN | PEER_CLOSED) & ~BIT(TIME_WAIT), not_time_wait, COUNT(not_time_wait)},
    {(PEER_OPEN | PEER_CLOSED) & ~OUR_FIN_OUT, at_rest, COUNT(at_rest)},
    {OUR_FIN_OUT | BIT(FIN_WAIT_2) | BIT(TIME_WAIT), after_close, COUNT(after_close)},
    {OUR_FIN_OUT, fin_outstanding, COUNT(fin_outstanding)},
    {PEER_OPEN, receiving, COUNT(receiving)},
    {PEER_CLOSED, fin_taken, COUNT(fin_taken)},
    {0, NULL, 0},
};
