/* Tests send over a simulated network: what answers a segment outside any connection, to which
 * segment the answer belongs, and when the run ends. A round trip takes 20 ms. */
#include <signal.h>
#include <string.h>

#include "tests/unit/command_rig.h"

#define RTT (2 * RIG_DELAY)

static void a_syn_to_an_open_port(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_DISCARD, v6);
        rig_run(&r, v6 ? "send --json " RIG_PEER6 : "send --json " RIG_PEER);
        rig_expect_verdict(&r, "open", 0, RTT);
        rig_expect_int(&r, "verdict", "send.sent", 1);
        rig_expect_int(&r, "verdict", "send.answered", 1);
        rig_expect_int(&r, "verdict", "send.answers.syn_ack", 1);
        rig_expect_time(&r, "verdict", "send.rtt.min", RTT);
        rig_expect_int(&r, "segment", "answers", 1);
        rig_expect_time(&r, "segment", "rtt", RTT);
        rig_free(&r);
    }
}

static void a_closed_port_is_refused(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_CLOSED);
    rig_run(&r, "send --json " RIG_PEER);
    rig_expect_verdict(&r, "refused", 4, RTT);
    rig_expect_int(&r, "verdict", "send.answers.rst", 1);
    rig_free(&r);
}

/* An ACK that belongs to no connection is answered with RST, its number that of our ACK (RFC 9293,
 * 3.10.7.1), whether the port is open or not. */
static void an_ack_out_of_nowhere_draws_rst(void **state)
{
    struct command_rig r;
    const struct rig_segment *rst;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "send --json --flags A --seq 1000 --ack 5000 " RIG_PEER);
    rst = rig_segment(&r, false, SEG_RST, 1);
    assert_int_equal(rst->seg.seq.v, 5000);
    assert_int_equal(rig_segment(&r, true, SEG_ACK, 1)->seg.seq.v, 1000);
    rig_expect_int(&r, "verdict", "send.answers.rst", 1);
    rig_expect_int(&r, "verdict", "send.answered", 1);
    rig_free(&r);
}

static void silence_is_waited_for_and_told(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_SILENT);
    rig_run(&r, "send --json --wait 1h " RIG_PEER);
    rig_expect_verdict(&r, "dropped", 5, 3600 * WAVE_S);
    rig_expect_int(&r, "unanswered", "number", 1);
    rig_expect_time(&r, "unanswered", "waited", 3600 * WAVE_S);
    rig_free(&r);
}

/* One a second unless it is said otherwise; each is due from when the first one went. */
static void segments_go_at_their_interval(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "send --json --count 5 " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 4 * WAVE_S + RTT);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(rig_segment(&r, true, SEG_SYN, i + 1)->at, i * WAVE_S);
    rig_expect_int(&r, "verdict", "send.ports", 5);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "send --json --count 100 --interval 10m " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 99 * 600 * WAVE_S + RTT);
    rig_expect_int(&r, "verdict", "send.answered", 100);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "send --json --count 50 --rate 500 " RIG_PEER);
    assert_int_equal(r.status, 0);
    assert_int_equal(rig_segment(&r, true, SEG_SYN, 50)->at, 98 * WAVE_MS);
    rig_free(&r);
}

static bool every_third(struct command_rig *r, const struct rig_segment *s)
{
    unsigned *n = r->user;

    return s->out && (s->seg.flags & SEG_SYN) && ++*n % 3 == 0;
}

static void each_answer_is_matched_to_its_segment(void **state)
{
    struct command_rig r;
    unsigned n = 0;
    const json_t *ranges;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = every_third;
    r.user = &n;
    rig_run(&r, "send --json --count 10 --interval 100ms --seq-step 1000 " RIG_PEER);
    rig_expect_int(&r, "verdict", "send.sent", 10);
    rig_expect_int(&r, "verdict", "send.answered", 7);
    assert_int_equal(rig_count(&r, "unanswered", NULL, NULL), 3);
    ranges = rig_get(&r, "verdict", "send.unanswered");
    assert_int_equal(json_array_size(ranges), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(json_integer_value(json_array_get(json_array_get(ranges, i), 0)),
                         3 * (i + 1));
        assert_int_equal(json_integer_value(json_array_get(json_array_get(ranges, i), 1)),
                         3 * (i + 1));
    }
    assert_int_equal(r.status, 0);
    for (unsigned i = 2; i <= 10; i++)
        assert_int_equal(rig_segment(&r, true, SEG_SYN, i)->seg.seq.v,
                         rig_segment(&r, true, SEG_SYN, i - 1)->seg.seq.v + 1000);
    rig_free(&r);
}

/* The peer repeats its SYN-ACK, which we do not acknowledge: duplicates, as long as we wait. */
static void repetitions_are_duplicates(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "send --json --wait 10s --wait-all " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 10 * WAVE_S);
    rig_expect_int(&r, "verdict", "send.answered", 1);
    rig_expect_int(&r, "verdict", "send.duplicates", 3); /* after 1, 3 and 7 seconds */
    rig_free(&r);
}

static bool late(struct command_rig *r, const struct rig_segment *s)
{
    unsigned *n = r->user;

    return !s->out && ++*n == 1; /* the first SYN-ACK, which is retransmitted after a second */
}

static void an_answer_after_the_wait_is_late(void **state)
{
    struct command_rig r;
    unsigned n = 0;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = late;
    r.user = &n;
    rig_run(&r, "send --json --count 2 --interval 5s --wait 500ms --wait-all " RIG_PEER);
    /* The SYN-ACK of the first comes after 1 and after 3 seconds. */
    rig_expect_int(&r, "verdict", "send.late", 2);
    rig_expect_int(&r, "verdict", "send.duplicates", 1);
    assert_int_equal(rig_count(&r, "unanswered", NULL, NULL), 1);
    rig_free(&r);
}

static void prohibit(struct command_rig *r)
{
    rig_icmp(r, 3, 13);
}

static void an_icmp_error_is_rejected(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_SILENT);
    rig_at(&r, RTT, prohibit);
    rig_run(&r, "send --json " RIG_PEER);
    rig_expect_verdict(&r, "rejected", 6, RTT);
    rig_expect_int(&r, "verdict", "send.answers.icmp", 1);
    rig_expect_text(&r, "icmp", "from", "192.0.2.80");
    rig_free(&r);
}

static void the_timeout_and_a_signal_end_it(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "send --json --count 1000000 --timeout 1h " RIG_PEER);
    rig_expect_time(&r, "verdict", "time", 3600 * WAVE_S);
    rig_expect_int(&r, "verdict", "send.sent", 3601);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_at(&r, 1500 * WAVE_MS, rig_interrupt);
    rig_run(&r, "send --json --count 1000000 " RIG_PEER);
    assert_int_equal(r.status, 128 + SIGINT);
    rig_expect_verdict(&r, "open", 128 + SIGINT, 1500 * WAVE_MS);
    rig_expect_int(&r, "verdict", "send.sent", 2);
    rig_free(&r);
}

static void the_same_run_prints_the_same_bytes(void **state)
{
    (void)state;
    assert_true(rig_expect_repeatable(HOST_DISCARD, 2000, 7,
                                      "send --json --count 50 --flags SA --ports 5 " RIG_PEER) > 0);
}

/* Flags, type of service and identification are compared bit by bit. Checksum and flow label are
 * the simulated network's own: tests/live/send.sh looks at them. */
static void verbose_shows_bit_fields_in_hexadecimal(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "send -v --flags SEWN --tos 0xb8 --id 0x1a2b " RIG_PEER);
    rig_expect_printed(&r, "Flags [SEWe] (0x1c2), ", 1);
    rig_expect_printed(&r, ", tos 0xb8, id 0x1a2b", 1);
    rig_free(&r);
    rig_init_family(&r, HOST_DISCARD, true);
    rig_run(&r, "send -v " RIG_PEER6);
    rig_expect_printed(&r, "Flags [S] (0x002), ", 1);
    rig_expect_printed(&r, ", cksum 0x", 1);
    rig_free(&r);
}

static void a_line_for_each_and_a_summary(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "send --count 3 " RIG_PEER);
    assert_int_equal(r.status, 0);
    rig_expect_printed(&r, RIG_PEER " answered 3 of 3 segments", 1);
    rig_expect_printed(&r, "ttl 64, rtt 20.0 ms\n", 3);
    rig_expect_printed(&r, "round trip min 20.0 ms", 1);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    assert_int_equal(rig_run(&r, "send -q --count 3 " RIG_PEER), 0);
    assert_int_equal(r.text_len, 0);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syn_to_an_open_port),
        cmocka_unit_test(a_closed_port_is_refused),
        cmocka_unit_test(an_ack_out_of_nowhere_draws_rst),
        cmocka_unit_test(silence_is_waited_for_and_told),
        cmocka_unit_test(segments_go_at_their_interval),
        cmocka_unit_test(each_answer_is_matched_to_its_segment),
        cmocka_unit_test(repetitions_are_duplicates),
        cmocka_unit_test(an_answer_after_the_wait_is_late),
        cmocka_unit_test(an_icmp_error_is_rejected),
        cmocka_unit_test(the_timeout_and_a_signal_end_it),
        cmocka_unit_test(the_same_run_prints_the_same_bytes),
        cmocka_unit_test(verbose_shows_bit_fields_in_hexadecimal),
        cmocka_unit_test(a_line_for_each_and_a_summary),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests_name("send", tests, NULL, NULL);
}
