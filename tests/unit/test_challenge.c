/*
 * Tests the defence against blind attacks: RFC 5961, sections 3 to 5, and the limit of section 7.
 * What each state answers is tested in the files of the states; this file tests the limit, and what
 * an attacker gains.
 */
#include "tests/unit/engine.h"

static void rfc5961_7_challenge_acks_are_limited_a_second(void **state)
{
    (void)state;
    rig.env.config.challenge_limit = 3;
    drive(STATE_ESTABLISHED);
    for (int i = 0; i < 3; i++) {
        in(RST, 100, 0, 0, 0);
        out(ACK, 1, 1, 0);
    }
    for (int i = 0; i < 10; i++) {
        in(RST, 100, 0, 0, 0);
        nothing();
    }
    expect_state(STATE_ESTABLISHED);
    silent(1500 * WAVE_MS);
    for (int i = 0; i < 3; i++) {
        in(RST, 100, 0, 0, 0);
        out(ACK, 1, 1, 0);
    }
    in(RST, 100, 0, 0, 0);
    nothing();
}

/* In any second that begins with a challenge, wherever it begins. */
static void rfc5961_7_the_limit_is_of_each_second(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        rig_start(&variants[1]);
        rig.env.config.challenge_limit = 2;
        drive(STATE_ESTABLISHED);
        pass(i * 137 * WAVE_MS);
        in(RST, 100, 0, 0, 0);
        out(ACK, 1, 1, 0);
        silent(WAVE_S / 2);
        in(RST, 100, 0, 0, 0);
        out(ACK, 1, 1, 0);
        silent(WAVE_S / 2 - 1);
        in(RST, 100, 0, 0, 0);
        nothing();
        silent(WAVE_S / 2);
        in(RST, 100, 0, 0, 0);
        out(ACK, 1, 1, 0);
    }
    rig.env.config.challenge_limit = 0;
    silent(WAVE_H);
    in(RST, 100, 0, 0, 0);
    nothing();
}

/* A device between the two that answers each challenge with another RST beside the window's edge:
 * what was a storm, as fast as the path is, is a few segments a second. */
static void rfc5961_7_a_rst_for_each_challenge_is_no_storm(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    const wave_time until = rig.now + 10 * WAVE_S;
    unsigned challenges = 0;
    while (rig.now < until) {
        in(RST, 100, 0, 0, 0);
        challenges += next_out(WAVE_MS);
        rig.now += WAVE_MS;
    }
    check(challenges >= 10 && challenges <= 40, "%u challenges in ten seconds", challenges);
    expect_state(STATE_ESTABLISHED);
}

static void rfc5961_7_one_limit_for_rst_syn_and_ack(void **state)
{
    (void)state;
    rig.env.config.challenge_limit = 2;
    drive(STATE_ESTABLISHED);
    in(RST, 100, 0, 0, 0);
    out(ACK, 1, 1, 0);
    in(SYN, 100, 0, WND, 0);
    out(ACK, 1, 1, 0);
    in(SYN, 100, 0, WND, 0);
    nothing();
    in(RST, 100, 0, 0, 0);
    nothing();
    in(ACK | PSH, 1, 1 - WND - 1, WND, 10);
    nothing();
    check(rcv_nxt() == 1, "data with an ACK too old was taken");
}

/* A peer that has lost count by one, and answers each ACK of what it never sent, looks as if it
 * probed: two stacks must not go on for ever. */
static void rfc9293_3_8_4_probes_that_answer_our_answers_are_no_storm(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    const wave_time until = rig.now + 10 * WAVE_S;
    unsigned answers = 0;
    while (rig.now < until) {
        in(ACK, 0, 1, WND, 0);
        answers += next_out(WAVE_MS);
        rig.now += WAVE_MS;
    }
    check(answers >= 100 && answers <= 160, "%u answers in ten seconds", answers);
    in(ACK, 0, 1, WND, 1); /* with the garbage byte it is none of our ACKs */
    out(ACK, 1, 1, 0);
}

static void rfc5961_7_default_limit_is_a_few_a_second(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    check(rig.env.config.challenge_limit >= 2 && rig.env.config.challenge_limit <= 5,
          "the limit is %u a second", rig.env.config.challenge_limit);
    unsigned answered = 0;
    for (uint32_t i = 0; i < rig.env.config.challenge_limit + 50; i++) {
        in(RST, 100, 0, 0, 0);
        answered += next_out(0);
    }
    check(answered == rig.env.config.challenge_limit, "%u challenges were sent", answered);
}

/* A limit shared by all connections would reveal the challenges of the others to anyone that uses
 * it up. */
static void rfc5961_7_each_connection_has_its_own_limit(void **state)
{
    (void)state;
    rig.env.config.challenge_limit = 1;
    drive(STATE_ESTABLISHED);
    in(RST, 100, 0, 0, 0);
    out(ACK, 1, 1, 0);
    in(RST, 100, 0, 0, 0);
    nothing();
    struct conn other = rig.c; /* of the same env */
    struct seg rst = make(RST, 100, 0, 0, 0), answer;
    other.answers = 0;
    check(conn_input(&other, rig.now, &rst) == INPUT_DONE, "it is not taken");
    check(conn_output(&other, rig.now, &answer, rig.room), "the other one's limit is used up");
}

static void rfc5961_7_limit_does_not_hold_back_ordinary_acks(void **state)
{
    (void)state;
    rig.env.config.challenge_limit = 1;
    drive(STATE_ESTABLISHED);
    for (int i = 0; i < 5; i++) {
        in(RST, 100, 0, 0, 0);
        burst();
    }
    in(ACK | PSH, 1, 1, WND, 100);
    acknowledges(101);
    take(100);
    in(ACK, 201, 1, WND, 100); /* beyond a gap: a duplicate ACK that recovery needs */
    out(ACK, 1, 101, 0);
}

static void rfc5961_7_limit_does_not_spare_a_valid_rst(void **state)
{
    (void)state;
    rig.env.config.challenge_limit = 1;
    drive(STATE_ESTABLISHED);
    for (int i = 0; i < 3; i++) {
        in(RST, 100, 0, 0, 0);
        burst();
    }
    in(RST, 1, 0, 0, 0);
    expect_closed(END_RESET);
}

/* The peer that really lost the connection answers our challenge with a RST at what we
 * acknowledged, which is RCV.NXT. */
static void rfc5961_3_2_challenge_is_settled_in_one_round_trip(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(RST, 50, 0, 0, 0);
    out(ACK, 1, 1, 0);
    in(RST, out_ack(), 0, 0, 0);
    expect_closed(END_RESET);
}

static void rfc5961_3_2_rst_at_rcv_nxt_with_data_beyond_a_gap_held(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 101, 1, WND, 100);
    out(ACK, 1, 1, 0);
    in(RST, 201, 0, 0, 0); /* after what was sent, as the peer sees it; not at RCV.NXT */
    out(ACK, 1, 1, 0);
    expect_state(STATE_ESTABLISHED);
    in(RST, 1, 0, 0, 0);
    expect_closed(END_RESET);
}

static void rfc5961_4_2_syn_with_data_is_not_taken(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(SYN | ACK | PSH, 1, 1, WND, 100);
    out(ACK, 1, 1, 0);
    nothing();
    check(readable() == 0 && rcv_nxt() == 1, "data on a SYN was taken");
}

static void rfc5961_4_2_syn_rst_is_a_rst(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(SYN | RST, 1, 0, 0, 0); /* the RST bit is looked at first */
    expect_closed(END_RESET);
}

static void rfc5961_5_2_the_oldest_ack_that_is_taken(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK | PSH, 1, 1 - WND, WND, 10);
    acknowledges(11);
    take(10);
    in(ACK | PSH, 11, 1 - WND - 1, WND, 10);
    out(ACK, 1, 11, 0);
    nothing();
    check(rcv_nxt() == 11, "data with an ACK too old was taken");
    check(expect_event(EVENT_DISCARDED)->u.check == CHECK_ACK_TOO_OLD, "another check refused it");
}

static void rfc5961_5_2_max_snd_wnd_is_the_largest_ever_offered(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 1, 1, 1000, 0);
    check(rig.c.snd.max_wnd == WND, "MAX.SND.WND is %u", rig.c.snd.max_wnd);
    in(ACK | PSH, 1, 1 - WND, 1000, 10);
    acknowledges(11);
    in(ACK, 11, 1, 100000, 0);
    check(rig.c.snd.max_wnd == 100000, "MAX.SND.WND is %u", rig.c.snd.max_wnd);
}

static void each_check_names_itself(void **state)
{
    (void)state;
    static const struct {
        unsigned flags;
        uint32_t seq, ack;
        enum check which;
    } table[] = {{RST, 100, 0, CHECK_RST_SEQUENCE},
                 {SYN, 100, 0, CHECK_SYN_IN_WINDOW},
                 {0, 1, 0, CHECK_NO_ACK},
                 {ACK, 1, 2, CHECK_ACK_UNSENT},
                 {ACK, 0x40000000, 1, CHECK_SEQUENCE},
                 {ACK, 1, 0x80001000, CHECK_ACK_TOO_OLD}};
    for (size_t i = 0; i < COUNT(table); i++) {
        rig_start(&variants[1]);
        drive(STATE_ESTABLISHED);
        in(table[i].flags, table[i].seq, table[i].ack, WND, 0);
        burst();
        const struct event *e = expect_event(EVENT_DISCARDED);
        check(e->u.check == table[i].which, "\"%s\" refused it, not \"%s\"", check_name(e->u.check),
              check_name(table[i].which));
        check(rig.env.discarded[table[i].which] == 1, "the counter is %llu",
              (unsigned long long)rig.env.discarded[table[i].which]);
    }
}

/* A peer that has filled our window stands at RCV.NXT: its SYN there is not acceptable, its RST is.
 */
static void rfc5961_at_the_edge_of_a_shut_window(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 1, 1, WND, RCVBUF);
    acknowledges(1 + RCVBUF);
    check(out_window() == 0, "a window of %u is left", out_window());
    const uint32_t next = 1 + RCVBUF;
    in(SYN, next, 0, WND, 0);
    out(ACK, 1, next, 0);
    expect_state(STATE_ESTABLISHED);
    in(SYN | ACK, next, 1, WND, 0);
    out(ACK, 1, next, 0);
    in(RST, next + 1, 0, 0, 0); /* outside: no answer */
    nothing();
    in(RST, next - 1, 0, 0, 0);
    nothing();
    in(RST, next, 0, 0, 0);
    expect_closed(END_RESET);
}

/* Section 4.2 in every synchronized state, and section 3.2: one byte beside RCV.NXT on each side.
 */
static void rfc5961_3_2_the_window_is_exact(void **state)
{
    (void)state;
    static const struct {
        uint32_t seq;
        bool challenged;
    } table[] = {{0, false}, {2, true}, {RCVBUF, true}, {RCVBUF + 1, false}, {0x80000001, false}};
    for (size_t i = 0; i < COUNT(table); i++) {
        rig_start(&variants[0]);
        drive(STATE_ESTABLISHED);
        in(RST, table[i].seq, 0, 0, 0);
        burst();
        check((rig.bursts == 1) == table[i].challenged, "a RST at %u draws %zu answers",
              table[i].seq, rig.bursts);
        expect_state(STATE_ESTABLISHED);
    }
}

/* The challenge says where we are: SND.NXT and RCV.NXT, with data of ours under way. */
static void rfc5961_3_2_the_challenge_names_both_numbers(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(500);
    out(ACK, 1, 1, 500);
    in(ACK | PSH, 1, 1, WND, 70);
    burst();
    in(RST, 100, 0, 0, 0);
    out(ACK, 501, 71, 0);
    in(SYN, 100, 0, WND, 0);
    out(ACK, 501, 71, 0);
}

/* 5.2 moves nothing: neither window nor data of a segment with an ACK out of range. */
static void rfc5961_5_2_nothing_of_a_refused_segment_counts(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(1000);
    burst();
    in(ACK | PSH | FIN, 1, 1002, 10, 100);
    check(snd_una() == 1 && rig.c.snd.wnd == WND && rcv_nxt() == 1, "it counted");
    expect_state(STATE_ESTABLISHED);
    burst();
    struct seg s = make(ACK | URG | FIN, 1, 0x80001000, 10, 100);
    s.urp = 50;
    feed(s);
    check(snd_una() == 1 && rig.c.snd.wnd == WND && rcv_nxt() == 1, "it counted");
    expect_no_event(EVENT_URGENT);
    expect_state(STATE_ESTABLISHED);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc5961_7_challenge_acks_are_limited_a_second),
        cmocka_unit_test(rfc5961_7_one_limit_for_rst_syn_and_ack),
        cmocka_unit_test(rfc5961_7_the_limit_is_of_each_second),
        cmocka_unit_test(rfc5961_7_a_rst_for_each_challenge_is_no_storm),
        cmocka_unit_test(rfc9293_3_8_4_probes_that_answer_our_answers_are_no_storm),
        cmocka_unit_test(rfc5961_7_default_limit_is_a_few_a_second),
        cmocka_unit_test(rfc5961_7_each_connection_has_its_own_limit),
        cmocka_unit_test(rfc5961_7_limit_does_not_hold_back_ordinary_acks),
        cmocka_unit_test(rfc5961_7_limit_does_not_spare_a_valid_rst),
        cmocka_unit_test(rfc5961_3_2_challenge_is_settled_in_one_round_trip),
        cmocka_unit_test(rfc5961_3_2_rst_at_rcv_nxt_with_data_beyond_a_gap_held),
        cmocka_unit_test(rfc5961_4_2_syn_with_data_is_not_taken),
        cmocka_unit_test(rfc5961_4_2_syn_rst_is_a_rst),
        cmocka_unit_test(rfc5961_5_2_the_oldest_ack_that_is_taken),
        cmocka_unit_test(rfc5961_5_2_max_snd_wnd_is_the_largest_ever_offered),
        cmocka_unit_test(each_check_names_itself),
        cmocka_unit_test(rfc5961_at_the_edge_of_a_shut_window),
        cmocka_unit_test(rfc5961_3_2_the_window_is_exact),
        cmocka_unit_test(rfc5961_3_2_the_challenge_names_both_numbers),
        cmocka_unit_test(rfc5961_5_2_nothing_of_a_refused_segment_counts),
    };
    return run_cases(cases, COUNT(cases));
}
