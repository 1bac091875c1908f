/* Tests which segment of ours an answer belongs to, by the numbers of RFC 9293, 3.10.7.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/send_match.h"

#define PORT 40000
#define AT(n) ((wave_time)(n)*WAVE_MS)

static struct match *opened(struct match_plan plan)
{
    struct match *m;

    if (!plan.lport)
        plan.lport = PORT;
    if (!plan.ports)
        plan.ports = 1;
    if (!plan.wait)
        plan.wait = AT(100);
    assert_int_equal(match_open(&m, &plan), 0);
    for (uint64_t i = 0; i < plan.count; i++)
        match_sent(m, AT(i));
    return m;
}

static struct seg seg_of(unsigned flags, uint32_t seq, uint32_t ack)
{
    return (struct seg){.flags = (uint16_t)flags, .seq = seq_of(seq), .ack = seq_of(ack)};
}

static struct match_result came(struct match *m, uint16_t port, unsigned flags, uint32_t seq,
                                uint32_t ack, wave_time at)
{
    struct seg s = seg_of(flags, seq, ack);
    return match_answer(m, port, &s, at);
}

static void rfc9293_3_10_7_1_rst_acknowledges_what_was_sent(void **state)
{
    (void)state;
    struct match *m =
        opened((struct match_plan){.seq = 1000, .flags = SEG_SYN, .len = 6, .count = 1});
    struct match_result a = came(m, PORT, SEG_RST | SEG_ACK, 0, 1006, AT(3));
    assert_false(a.stray);
    assert_int_equal(a.kind, ANSWER_RST);
    assert_int_equal(a.to, 0);
    assert_int_equal(a.rtt, AT(3));
    assert_false(a.duplicate || a.late || a.out_of_order || a.unexpected);
    assert_int_equal(match_answered(m), 1);
    match_close(m);
}

static void rfc9293_3_10_7_1_rst_has_our_ack_for_its_seq(void **state)
{
    (void)state;
    struct match *m =
        opened((struct match_plan){.seq = 1000, .ack = 5000, .flags = SEG_ACK, .count = 1});
    struct match_result a = came(m, PORT, SEG_RST, 5000, 0, AT(3));
    assert_false(a.stray || a.unexpected);
    assert_int_equal(a.rtt, AT(3));
    match_close(m);
}

static void a_syn_ack_need_not_acknowledge_the_data(void **state)
{
    (void)state;
    for (uint32_t step = 0; step < 2; step++) {
        struct match *m = opened((struct match_plan){
            .seq = 1000, .flags = SEG_SYN, .len = 6, .count = 1, .step = step * 100});
        struct match_result a = came(m, PORT, SEG_SYN | SEG_ACK, 7, 1001, AT(1));
        assert_false(a.stray);
        assert_int_equal(a.kind, ANSWER_SYN_ACK);
        assert_true(came(m, PORT, SEG_SYN | SEG_ACK, 7, 1000, AT(1)).stray);
        assert_true(came(m, PORT, SEG_SYN | SEG_ACK, 7, 1007, AT(1)).stray);
        match_close(m);
    }
}

static void another_run_s_answers_are_strays(void **state)
{
    (void)state;
    struct match *m = opened(
        (struct match_plan){.seq = 1000, .flags = SEG_SYN, .len = 1, .ports = 4, .count = 4});
    assert_true(came(m, PORT - 1, SEG_SYN | SEG_ACK, 7, 1001, AT(1)).stray);
    assert_true(came(m, PORT + 4, SEG_SYN | SEG_ACK, 7, 1001, AT(1)).stray);
    assert_true(came(m, PORT - 1, SEG_RST | SEG_ACK, 0, 1001, AT(1)).stray);
    assert_true(came(m, PORT + 4, SEG_RST, 0, 0, AT(1)).stray);
    assert_true(came(m, PORT, SEG_SYN | SEG_ACK, 7, 999, AT(1)).stray);
    uint32_t seq = 4321;
    assert_true(match_icmp(m, PORT, &seq, AT(1)).stray);
    assert_true(match_icmp(m, PORT + 4, NULL, AT(1)).stray);
    assert_int_equal(match_answered(m), 0);
    match_close(m);
}

/* 4.4BSD acknowledges SEG.SEQ, and not the SYN or FIN behind it; others leave the ACK out. */
static void a_rst_of_any_number_answers_and_is_marked(void **state)
{
    static const struct {
        unsigned flags;
        uint32_t seq, ack;
    } odd[] = {{SEG_RST | SEG_ACK, 0, 1000},
               {SEG_RST | SEG_ACK, 0, 999},
               {SEG_RST | SEG_ACK, 0, 101000},
               {SEG_RST, 12345, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct match *m = opened(
            (struct match_plan){.seq = 1000, .flags = SEG_FIN, .len = 1, .ports = 2, .count = 2});
        struct match_result a = came(m, PORT + 1, odd[i].flags, odd[i].seq, odd[i].ack, AT(3));
        assert_false(a.stray);
        assert_true(a.unexpected);
        assert_int_equal(a.kind, ANSWER_RST);
        assert_int_equal(a.to, 1);
        assert_int_equal(a.rtt, AT(2));
        a = came(m, PORT + 1, SEG_RST | SEG_ACK, 0, 1001, AT(3));
        assert_false(a.unexpected);
        assert_true(a.duplicate);
        match_close(m);
    }
}

/* Of several segments on one port, the answer belongs to the one whose number is nearest to what it
 * acknowledges. */
static void a_rst_of_seg_seq_names_its_segment(void **state)
{
    (void)state;
    struct match *m = opened(
        (struct match_plan){.seq = 1000, .flags = SEG_FIN, .len = 1, .step = 10, .count = 5});
    struct match_result a = came(m, PORT, SEG_RST | SEG_ACK, 0, 1030, AT(10));
    assert_int_equal(a.to, 3);
    assert_true(a.unexpected);
    assert_int_equal(a.rtt, AT(7));
    a = came(m, PORT, SEG_RST, 7, 0, AT(10)); /* the oldest that waits, and no round trip */
    assert_int_equal(a.to, 0);
    assert_true(a.unexpected);
    assert_true(a.rtt == WAVE_NEVER);
    match_close(m);
}

static void each_port_has_its_segment(void **state)
{
    (void)state;
    struct match *m = opened(
        (struct match_plan){.seq = 1000, .flags = SEG_SYN, .len = 1, .ports = 16, .count = 16});
    for (unsigned i = 0; i < 16; i++) {
        unsigned n = i * 5 % 16;
        struct match_result a = came(m, (uint16_t)(PORT + n), SEG_RST | SEG_ACK, 0, 1001, AT(20));
        assert_int_equal(a.to, n);
        assert_int_equal(a.rtt, AT(20 - n));
    }
    assert_int_equal(match_answered(m), 16);
    match_close(m);
}

/* On every step and around both wraps of the sequence space. */
static void counting_numbers_tell_which(void **state)
{
    (void)state;
    const uint32_t steps[] = {1, 2, 3, 100, 1460, 65535};
    for (unsigned i = 0; i < 6 * 3; i++) {
        struct match_plan plan = {.seq = 0xffffff00u,
                                  .flags = SEG_PSH,
                                  .len = i % 3,
                                  .step = steps[i / 3],
                                  .ports = 3,
                                  .count = 900};
        struct match *m = opened(plan);
        plan.lport = PORT;
        for (uint64_t n = 0; n < 900; n++) {
            uint64_t k = n * 7 % 900;
            struct match_result a = came(m, match_port(&plan, k), SEG_RST | SEG_ACK, 0,
                                         match_seq(&plan, k) + plan.len, AT(1000));
            assert_false(a.stray);
            assert_false(a.duplicate);
            assert_int_equal(a.to, k);
            assert_int_equal(a.rtt, AT(1000 - k));
        }
        assert_int_equal(match_answered(m), 900);
        match_close(m);
    }
}

static void rfc6298_3_what_cannot_be_told_apart_has_no_round_trip(void **state)
{
    (void)state;
    struct match *m =
        opened((struct match_plan){.seq = 1000, .flags = SEG_SYN, .len = 1, .count = 3});
    struct match_result a = came(m, PORT, SEG_SYN | SEG_ACK, 7, 1001, AT(10));
    assert_int_equal(a.to, 0);
    assert_true(a.rtt == WAVE_NEVER);
    a = came(m, PORT, SEG_SYN | SEG_ACK, 7, 1001, AT(11));
    assert_int_equal(a.to, 1);
    assert_true(a.rtt == WAVE_NEVER);
    a = came(m, PORT, SEG_SYN | SEG_ACK, 7, 1001, AT(12));
    assert_int_equal(a.to, 2);
    assert_int_equal(a.rtt, AT(10));
    a = came(m, PORT, SEG_SYN | SEG_ACK, 7, 1001, AT(13));
    assert_true(a.duplicate);
    match_close(m);
}

static void late_double_and_overtaken_answers_are_known(void **state)
{
    (void)state;
    struct match *m = opened(
        (struct match_plan){.seq = 1000, .flags = SEG_SYN, .len = 1, .ports = 3, .count = 3});
    struct match_result a = came(m, PORT + 1, SEG_RST | SEG_ACK, 0, 1001, AT(5));
    assert_false(a.out_of_order);
    a = came(m, PORT, SEG_RST | SEG_ACK, 0, 1001, AT(6));
    assert_true(a.out_of_order);
    a = came(m, PORT, SEG_RST | SEG_ACK, 0, 1001, AT(7));
    assert_true(a.duplicate);
    assert_false(a.out_of_order);
    a = came(m, PORT + 2, SEG_RST | SEG_ACK, 0, 1001, AT(102));
    assert_false(a.late);
    m = (match_close(m),
         opened((struct match_plan){.seq = 1, .flags = SEG_SYN, .len = 1, .count = 1}));
    assert_true(came(m, PORT, SEG_RST | SEG_ACK, 0, 2, AT(101)).late);
    match_close(m);
}

static void rfc5961_5_a_bare_ack_of_other_numbers_is_marked(void **state)
{
    (void)state;
    struct match *m =
        opened((struct match_plan){.seq = 1000, .flags = SEG_SYN, .len = 1, .count = 1});
    struct match_result a = came(m, PORT, SEG_ACK, 777, 555, AT(5));
    assert_false(a.stray);
    assert_true(a.unexpected);
    assert_int_equal(a.kind, ANSWER_ACK);
    match_close(m);
}

static void an_icmp_error_quotes_its_segment(void **state)
{
    (void)state;
    struct match *m = opened(
        (struct match_plan){.seq = 1000, .flags = SEG_SYN, .len = 1, .step = 10, .count = 5});
    uint32_t seq = 1030;
    struct match_result a = match_icmp(m, PORT, &seq, AT(10));
    assert_int_equal(a.kind, ANSWER_ICMP);
    assert_int_equal(a.to, 3);
    assert_int_equal(a.rtt, AT(7));
    a = match_icmp(m, PORT, NULL, AT(10));
    assert_int_equal(a.to, 0);
    assert_true(a.rtt == WAVE_NEVER);
    match_close(m);
}

static void the_capture_s_time_is_the_better_one(void **state)
{
    (void)state;
    struct match *m =
        opened((struct match_plan){.seq = 1000, .flags = SEG_SYN, .len = 1, .count = 2});
    uint64_t i = 99;
    assert_false(match_seen(m, PORT, 999, AT(2), &i));
    assert_false(match_seen(m, PORT + 1, 1000, AT(2), &i));
    assert_true(match_seen(m, PORT, 1000, AT(2), &i));
    assert_int_equal(i, 0);
    assert_true(match_seen(m, PORT, 1000, AT(4), &i));
    assert_int_equal(i, 1);
    assert_false(match_seen(m, PORT, 1000, AT(5), &i));
    came(m, PORT, SEG_SYN | SEG_ACK, 7, 1001, AT(10));
    assert_int_equal(came(m, PORT, SEG_SYN | SEG_ACK, 7, 1001, AT(10)).rtt, AT(6));
    match_close(m);
}

static void the_unanswered_are_named_in_order_and_once(void **state)
{
    (void)state;
    struct match *m = opened(
        (struct match_plan){.seq = 1000, .flags = SEG_SYN, .len = 1, .ports = 5, .count = 5});
    uint64_t i;
    came(m, PORT + 1, SEG_RST | SEG_ACK, 0, 1001, AT(5));
    assert_int_equal(match_expiry(m), AT(100));
    assert_false(match_unanswered(m, AT(99), &i));
    assert_true(match_unanswered(m, AT(103), &i));
    assert_int_equal(i, 0);
    assert_true(match_unanswered(m, AT(103), &i));
    assert_int_equal(i, 2);
    assert_true(match_unanswered(m, AT(103), &i));
    assert_int_equal(i, 3);
    assert_false(match_unanswered(m, AT(103), &i));
    assert_int_equal(match_expiry(m), AT(104));
    came(m, PORT + 4, SEG_RST | SEG_ACK, 0, 1001, AT(103));
    assert_true(match_expiry(m) == WAVE_NEVER);
    match_close(m);
}

static void what_was_forgotten_is_a_stray_and_the_last_are_known(void **state)
{
    (void)state;
    const uint64_t count = MATCH_MEMORY + 1000;
    struct match_plan plan = {.seq = 5, .flags = SEG_SYN, .len = 1, .step = 1, .count = count};
    struct match *m = opened(plan);
    plan.lport = PORT;
    plan.ports = 1;
    assert_true(came(m, PORT, SEG_RST | SEG_ACK, 0, 5 + 999 + 1, AT(count)).stray);
    assert_int_equal(came(m, PORT, SEG_RST | SEG_ACK, 0, 5 + 1000 + 1, AT(count)).to, 1000);
    assert_int_equal(
        came(m, PORT, SEG_RST | SEG_ACK, 0, match_seq(&plan, count - 1) + 1, AT(count)).to,
        count - 1);
    match_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc9293_3_10_7_1_rst_acknowledges_what_was_sent),
        cmocka_unit_test(rfc9293_3_10_7_1_rst_has_our_ack_for_its_seq),
        cmocka_unit_test(a_syn_ack_need_not_acknowledge_the_data),
        cmocka_unit_test(another_run_s_answers_are_strays),
        cmocka_unit_test(a_rst_of_any_number_answers_and_is_marked),
        cmocka_unit_test(a_rst_of_seg_seq_names_its_segment),
        cmocka_unit_test(each_port_has_its_segment),
        cmocka_unit_test(counting_numbers_tell_which),
        cmocka_unit_test(rfc6298_3_what_cannot_be_told_apart_has_no_round_trip),
        cmocka_unit_test(late_double_and_overtaken_answers_are_known),
        cmocka_unit_test(rfc5961_5_a_bare_ack_of_other_numbers_is_marked),
        cmocka_unit_test(an_icmp_error_quotes_its_segment),
        cmocka_unit_test(the_capture_s_time_is_the_better_one),
        cmocka_unit_test(the_unanswered_are_named_in_order_and_once),
        cmocka_unit_test(what_was_forgotten_is_a_stray_and_the_last_are_known),
    };
    return cmocka_run_group_tests_name("send_match", tests, NULL, NULL);
}
