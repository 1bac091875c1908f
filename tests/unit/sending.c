/* Cases that the two states which still send share: ESTABLISHED and CLOSE_WAIT (RFC 9293, 3.10.2,
 * 3.10.4, 3.10.5, 3.10.8 and the fifth step of 3.10.7.4). */
#include "tests/unit/engine.h"

static void rfc9293_3_10_2_send_goes_out_with_an_acknowledgement(void **state)
{
    (void)state;
    struct entry e = entry();
    push(100);
    out(ACK, e.nxt, e.rcv, 100);
    check(rig.out.flags & PSH, "no PSH on the last of what was sent (RFC 9293, MUST-61)");
    nothing();
    check(conn_unacked(&rig.c) == 100, "conn_unacked() is %zu", conn_unacked(&rig.c));
    in(ACK, e.rcv, e.nxt + 100, WND, 0);
    nothing();
    check(expect_event(EVENT_ACKED)->u.bytes == 100, "the event tells another number");
    check(conn_unacked(&rig.c) == 0, "conn_unacked() is %zu", conn_unacked(&rig.c));
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "a timer runs with all acknowledged");
}

static void rfc9293_3_10_2_send_is_cut_into_segments(void **state)
{
    (void)state;
    struct entry e = entry();
    push(2 * eff_mss() + 10);
    out(ACK, e.nxt, e.rcv, eff_mss());
    out(ACK, e.nxt + eff_mss(), e.rcv, eff_mss());
    out(ACK, e.nxt + 2 * eff_mss(), e.rcv, 10);
    check(rig.out.flags & PSH, "no PSH on the last of what was sent (RFC 9293, MUST-61)");
    nothing();
}

static void rfc9293_3_10_7_4_fifth_ack_of_a_part_frees_that_part(void **state)
{
    (void)state;
    struct entry e = entry();
    push(100);
    out(ACK, e.nxt, e.rcv, 100);
    in(ACK, e.rcv, e.nxt + 40, WND, 0);
    check(snd_una() == e.nxt + 40, "SND.UNA is %u", snd_una());
    check(conn_unacked(&rig.c) == 60, "conn_unacked() is %zu", conn_unacked(&rig.c));
    check(next_out(2 * WAVE_S), "the rest is not sent again");
    check(out_seq() == e.nxt + 40 && rig.out.len == 60, "not the rest is sent again");
}

static void rfc9293_3_10_8_data_is_sent_again_when_the_timer_expires(void **state)
{
    (void)state;
    struct entry e = entry();
    push(100);
    out(ACK, e.nxt, e.rcv, 100);
    out_between(1, 2 * WAVE_S, ACK, e.nxt, e.rcv, 100);
    nothing();
    expect_event(EVENT_RETRANSMIT);
    check(rig.c.retransmits == 1, "retransmits is %u", rig.c.retransmits);
    in(ACK, e.rcv, e.nxt + 100, WND, 0);
    silent(WAVE_H);
    expect_state(e.state);
}

static void rfc9293_3_8_3_data_never_acknowledged_is_given_up_after_r2(void **state)
{
    (void)state;
    push(100);
    burst();
    wave_time from = rig.now;
    while (rig.c.state != STATE_CLOSED && rig.now < from + WAVE_H)
        next_out(WAVE_S);
    expect_state(STATE_CLOSED);
    expect_end(END_TIMEOUT);
    check(rig.now - from >= rig.env.config.r2, "given up before R2");
    check(rig.now - from <= 3 * rig.env.config.r2, "given up only after %llu s",
          (unsigned long long)((rig.now - from) / WAVE_S));
    check(expect_event(EVENT_TIMEOUT)->u.timeout == TIMEOUT_RETRANSMIT, "another kind of timeout");
}

static void rfc9293_3_10_4_close_sends_what_is_queued_before_its_fin(void **state)
{
    (void)state;
    struct entry e = entry();
    push(3000);
    shut();
    uint32_t bytes = 0, fin = 0;
    while (next_out(0)) {
        check(out_seq() == e.nxt + bytes, "data out of order");
        bytes += rig.out.len;
        fin += (rig.out.flags & FIN) != 0;
    }
    check(bytes == 3000 && fin == 1, "%u bytes and %u FINs went out", bytes, fin);
    check(rig.out.flags & FIN, "the FIN is not the last");
    check(conn_unacked(&rig.c) == 3000, "conn_unacked() is %zu", conn_unacked(&rig.c));
    in(ACK, e.rcv, e.nxt + 3000, WND, 0);
    expect_state(e.state == STATE_ESTABLISHED ? STATE_FIN_WAIT_1 : STATE_LAST_ACK);
    in(ACK, e.rcv, e.nxt + 3001, WND, 0);
    expect_state(e.state == STATE_ESTABLISHED ? STATE_FIN_WAIT_2 : STATE_CLOSED);
}

static void rfc9293_3_10_4_fin_waits_behind_data_that_the_window_holds_back(void **state)
{
    (void)state;
    struct entry e = entry();
    in(ACK, e.rcv, e.una, 1000, 0);
    push(1400);
    shut();
    uint32_t sent = burst();
    check(sent <= 1000, "%u bytes went out into a window of 1000", sent);
    for (size_t i = 0; i < rig.bursts; i++)
        check(!(rig.seen[i].flags & FIN), "the FIN overtook data");
    in(ACK, e.rcv, e.nxt + sent, WND, 0);
    check(burst() == 1400 - sent, "the rest did not go out");
    check(rig.seen[rig.bursts - 1].flags & FIN, "the FIN does not follow the last byte");
    in(ACK, e.rcv, e.nxt + 1401, WND, 0);
    expect_state(e.state == STATE_ESTABLISHED ? STATE_FIN_WAIT_2 : STATE_CLOSED);
}

static void rfc9293_3_10_5_abort_flushes_what_is_queued(void **state)
{
    (void)state;
    struct entry e = entry();
    push(100);
    out(ACK, e.nxt, e.rcv, 100);
    conn_abort(&rig.c, rig.now);
    expect_state(STATE_CLOSED);
    check(next_out(0) && (rig.out.flags & RST) && out_seq() == e.nxt + 100,
          "no RST at SND.NXT goes out");
    silent(WAVE_H);
    check(rig.env.mem_used == 0, "%zu bytes stay queued", rig.env.mem_used);
}

static void conn_probe_is_refused_while_data_is_outstanding(void **state)
{
    (void)state;
    struct entry e = entry();
    push(10);
    out(ACK, e.nxt, e.rcv, 10);
    check(conn_probe(&rig.c, false) == WAVE_ESTATE, "conn_probe() is taken");
    nothing();
    in(ACK, e.rcv, e.nxt + 10, WND, 0);
    check(conn_probe(&rig.c, false) == 0, "conn_probe() refuses");
    out(ACK, e.nxt + 9, e.rcv, 0);
}

/* A retransmission may be divided differently, and any part of it may be acknowledged. */
static void rfc9293_3_8_6_bytes_are_acknowledged_one_by_one(void **state)
{
    (void)state;
    struct entry e = entry();
    push(3000);
    check(burst() == 3000, "not all goes out");
    for (uint32_t i = 1; i <= 3000; i += 7) {
        in(ACK, e.rcv, e.nxt + i, WND, 0);
        check(snd_una() == e.nxt + i && conn_unacked(&rig.c) == 3000 - i,
              "SND.UNA is %u, %zu unacknowledged", snd_una(), conn_unacked(&rig.c));
        nothing();
    }
    in(ACK, e.rcv, e.nxt + 3000, WND, 0);
    check(rig.env.mem_used == 0, "%zu bytes stay queued", rig.env.mem_used);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(conn_probe_is_refused_while_data_is_outstanding),
    cmocka_unit_test(rfc9293_3_8_6_bytes_are_acknowledged_one_by_one),
    cmocka_unit_test(rfc9293_3_10_2_send_goes_out_with_an_acknowledgement),
    cmocka_unit_test(rfc9293_3_10_2_send_is_cut_into_segments),
    cmocka_unit_test(rfc9293_3_10_7_4_fifth_ack_of_a_part_frees_that_part),
    cmocka_unit_test(rfc9293_3_10_8_data_is_sent_again_when_the_timer_expires),
    cmocka_unit_test(rfc9293_3_8_3_data_never_acknowledged_is_given_up_after_r2),
    cmocka_unit_test(rfc9293_3_10_4_close_sends_what_is_queued_before_its_fin),
    cmocka_unit_test(rfc9293_3_10_4_fin_waits_behind_data_that_the_window_holds_back),
    cmocka_unit_test(rfc9293_3_10_5_abort_flushes_what_is_queued),
};

const struct group sending_groups[] = {
    {1u << STATE_ESTABLISHED | 1u << STATE_CLOSE_WAIT, cases, COUNT(cases)},
    {0, NULL, 0},
};
