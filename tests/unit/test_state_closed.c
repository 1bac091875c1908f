/* Tests CLOSED: RFC 9293, 3.10.1 to 3.10.5 and 3.10.7.1. */
#include "tests/unit/engine.h"

static void reset_is(struct seg arriving, unsigned flags, uint32_t seq, uint32_t ack)
{
    struct seg answer;
    memset(&answer, 0xa5, sizeof answer);
    check(conn_reset_for(NULL, 0, &arriving, &answer), "no RST answers");
    check(answer.flags == flags && answer.seq.v == seq && answer.len == 0,
          "the answer has flags %x, seq %u, %u bytes", answer.flags, answer.seq.v, answer.len);
    check(!(flags & ACK) || answer.ack.v == ack, "the answer acknowledges %u, not %u", answer.ack.v,
          ack);
    check(answer.urp == 0 && answer.reserved == 0 && answer.ecn == ECN_NOT && answer.opt.has == 0,
          "the answer carries more than it should");
}

static struct seg arriving(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    static const uint8_t zeros[2000];
    return (struct seg){.flags = (uint16_t)flags,
                        .seq = seq_of(seq),
                        .ack = seq_of(ack),
                        .wnd = 1000,
                        .len = len,
                        .data = len ? zeros : NULL};
}

static void rfc9293_3_10_7_1_without_ack_the_rst_acknowledges_all_of_the_segment(void **state)
{
    (void)state;
    reset_is(arriving(SYN, 5000, 0, 0), RST | ACK, 0, 5001);
    reset_is(arriving(SYN, 5000, 77, 100), RST | ACK, 0, 5101);
    reset_is(arriving(FIN, 5000, 0, 0), RST | ACK, 0, 5001);
    reset_is(arriving(0, 5000, 0, 10), RST | ACK, 0, 5010);
    reset_is(arriving(SYN | FIN, 5000, 0, 3), RST | ACK, 0, 5005);
    reset_is(arriving(0, 5000, 0, 0), RST | ACK, 0, 5000);
}

static void rfc9293_3_10_7_1_with_ack_the_rst_stands_at_what_it_acknowledges(void **state)
{
    (void)state;
    reset_is(arriving(ACK, 5000, 9000, 0), RST, 9000, 0);
    reset_is(arriving(ACK | PSH, 5000, 9000, 100), RST, 9000, 0);
    reset_is(arriving(SYN | ACK, 5000, 9000, 0), RST, 9000, 0);
    reset_is(arriving(FIN | ACK, 5000, 9000, 0), RST, 9000, 0);
    reset_is(arriving(ACK, 5000, 0, 0), RST, 0, 0);
}

static void rfc9293_3_4_reset_across_the_wrap(void **state)
{
    (void)state;
    reset_is(arriving(SYN, 0xffffffff, 0, 0), RST | ACK, 0, 0);
    reset_is(arriving(SYN | FIN, 0xffffffff, 0, 10), RST | ACK, 0, 11);
    reset_is(arriving(0, 0x7fffffff, 0, 2), RST | ACK, 0, 0x80000001);
    reset_is(arriving(ACK, 1, 0xffffffff, 0), RST, 0xffffffff, 0);
}

static void rfc9293_3_10_7_1_rst_is_never_answered(void **state)
{
    (void)state;
    struct seg answer;
    const unsigned flags[] = {RST, RST | ACK, RST | SYN, RST | FIN | ACK, RST | PSH | URG | ACK};
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct seg s = arriving(flags[i], 5000, 9000, 0);
        check(!conn_reset_for(NULL, 0, &s, &answer), "a RST answers a RST");
    }
}

static void rfc9293_3_10_7_1_segments_leave_it_closed(void **state)
{
    (void)state;
    const unsigned flags[] = {SYN, SYN | ACK, ACK, FIN | ACK, 0, RST, RST | ACK, URG | ACK};
    for (size_t i = 0; i < COUNT(flags); i++) {
        in(flags[i], 0, 1, WND, 0);
        bool answered = next_out(0);
        check(answered == !(flags[i] & RST), "the answer to flags %x is wrong", flags[i]);
        check(!answered || (rig.out.flags & RST), "something but a RST goes out");
        nothing();
        expect_state(STATE_CLOSED);
    }
    check(readable() == 0, "data is readable");
}

static void rfc9293_3_10_1_active_open_sends_syn(void **state)
{
    (void)state;
    check(conn_open(&rig.c, rig.now, seq_of(rig.iss)) == 0, "conn_open() refuses");
    expect_state(STATE_SYN_SENT);
    out(SYN, 0, 0, 0);
    nothing();
    check(snd_una() == 0 && snd_nxt() == 1, "SND.UNA is %u, SND.NXT %u", snd_una(), snd_nxt());
    const struct event *e = expect_event(EVENT_STATE);
    check(e->id == 7 && e->u.state.cause && e->u.state.cause[0], "the event has no id or no cause");
}

static void rfc9293_3_10_1_passive_open_listens(void **state)
{
    (void)state;
    check(conn_listen(&rig.c, seq_of(rig.iss)) == 0, "conn_listen() refuses");
    expect_state(STATE_LISTEN);
    silent(WAVE_H);
}

static void rfc9293_3_10_2_send_fails(void **state)
{
    (void)state;
    check(conn_send(&rig.c, rig.now, "x", 1) == WAVE_ESTATE, "conn_send() is taken");
    check(conn_unacked(&rig.c) == 0, "a byte is queued");
    expect_closed(END_NONE);
}

static void rfc9293_3_10_4_close_fails(void **state)
{
    (void)state;
    check(conn_close(&rig.c, rig.now) == WAVE_ESTATE, "conn_close() is taken");
    expect_closed(END_NONE);
}

static void rfc9293_3_10_5_abort_sends_nothing(void **state)
{
    (void)state;
    conn_abort(&rig.c, rig.now);
    expect_state(STATE_CLOSED);
    nothing();
}

static void conn_vanish_and_probe_send_nothing(void **state)
{
    (void)state;
    check(conn_probe(&rig.c, false) == WAVE_ESTATE, "conn_probe() is taken");
    conn_vanish(&rig.c, rig.now);
    expect_state(STATE_CLOSED);
    nothing();
}

static void conn_expiry_is_never(void **state)
{
    (void)state;
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "there is something to wait for");
    conn_tick(&rig.c, rig.now + WAVE_H);
    expect_closed(END_NONE);
}

static void rfc9293_3_9_2_2_icmp_is_ignored(void **state)
{
    (void)state;
    struct icmp e = {.type = 3,
                     .code = 3,
                     .flow = rig.c.flow,
                     .has_seq = true,
                     .seq = seq_of(rig.iss),
                     .meaning = ICMP_HARD};
    conn_icmp(&rig.c, rig.now, &e);
    expect_closed(END_NONE);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_7_1_without_ack_the_rst_acknowledges_all_of_the_segment),
        cmocka_unit_test(rfc9293_3_10_7_1_with_ack_the_rst_stands_at_what_it_acknowledges),
        cmocka_unit_test(rfc9293_3_4_reset_across_the_wrap),
        cmocka_unit_test(rfc9293_3_10_7_1_rst_is_never_answered),
        cmocka_unit_test(rfc9293_3_10_7_1_segments_leave_it_closed),
        cmocka_unit_test(rfc9293_3_10_1_active_open_sends_syn),
        cmocka_unit_test(rfc9293_3_10_1_passive_open_listens),
        cmocka_unit_test(rfc9293_3_10_2_send_fails),
        cmocka_unit_test(rfc9293_3_10_4_close_fails),
        cmocka_unit_test(rfc9293_3_10_5_abort_sends_nothing),
        cmocka_unit_test(conn_vanish_and_probe_send_nothing),
        cmocka_unit_test(conn_expiry_is_never),
        cmocka_unit_test(rfc9293_3_9_2_2_icmp_is_ignored),
    };
    return run_state(STATE_CLOSED, cases, COUNT(cases));
}
