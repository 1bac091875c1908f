/* Tests connect over a simulated network: every verdict, and each of its waits to the nanosecond. A
 * round trip takes 20 ms, and the handshake takes one of them. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/command_rig.h"

#define RTT (2 * RIG_DELAY)
#define PAUSES (250 * WAVE_MS) /* of the peer's, after which its answer is taken for complete */

/* Losses */

static bool our_data(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && (s->seg.len || (s->seg.flags & SEG_FIN));
}

static bool our_fin(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && (s->seg.flags & SEG_FIN);
}

static bool first_syn(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && s->at == 0;
}

/* The verdicts */

static void an_echo_is_open(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_run(&r, "connect --json -d hello " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 2 * RTT + PAUSES + RTT);
    rig_expect_int(&r, "verdict", "sent_bytes", 5);
    rig_expect_int(&r, "verdict", "received_bytes", 5);
    rig_expect_int(&r, "verdict", "handshake.syn_sent", 1);
    rig_expect_time(&r, "verdict", "handshake.rtt", RTT);
    rig_expect_text(&r, "verdict", "local.addr", RIG_LOCAL);
    rig_expect_int(&r, "verdict", "peer.port", 80);
    rig_expect_text(&r, "verdict", "close.by", "local");
    rig_expect_text(&r, "verdict", "close.kind", "three-way");
    rig_expect_states(&r, "local",
                      "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED");
    assert_int_equal(rig_segments(&r, true, SEG_RST), 0);
    rig_free(&r);
}

static void the_same_run_prints_the_same_bytes(void **state)
{
    (void)state;
    assert_true(rig_expect_repeatable(HOST_ECHO, 2000, 3,
                                      "connect --json -vv -d some\\x20data " RIG_PEER) > 1000);
}

static void a_closed_port_is_refused(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_CLOSED);
    rig_run(&r, "connect --json " RIG_PEER);
    rig_expect_verdict(&r, "refused", 4, RTT);
    assert_int_equal(r.segments, 2);
    rig_free(&r);
}

/* RFC 6298, 2.1 and 5.5: SYNs after 1, 2 and 4 seconds more, and 8 until the last is given up. */
static void a_silent_peer_is_dropped_after_four_syns(void **state)
{
    static const wave_time at[] = {0, 1, 3, 7};
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_SILENT);
    rig_run(&r, "connect --json " RIG_PEER);
    rig_expect_verdict_after(&r, 4, "dropped", 5, 15 * WAVE_S);
    assert_int_equal(rig_segments(&r, true, SEG_SYN), 4);
    for (unsigned i = 0; i < 4; i++)
        rig_expect_after(i, rig_segment(&r, true, SEG_SYN, i + 1)->at, at[i] * WAVE_S);
    rig_expect_int(&r, "verdict", "handshake.syn_sent", 4);
    rig_free(&r);
}

static void the_timeout_ends_the_wait_for_an_answer(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_SILENT);
    rig_run(&r, "connect --json --timeout 1500ms " RIG_PEER);
    rig_expect_verdict(&r, "dropped", 5, 1500 * WAVE_MS);
    rig_free(&r);
}

static void a_lost_syn_costs_a_second(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = first_syn;
    rig_run(&r, "connect --json " RIG_PEER);
    rig_expect_verdict_after(&r, 1, "open", 0, WAVE_S + 2 * RTT);
    rig_expect_int(&r, "verdict", "handshake.syn_sent", 2);
    rig_expect_int(&r, "verdict", "retransmissions", 1);
    rig_free(&r);
}

static void prohibit(struct command_rig *r)
{
    rig_icmp(r, 3, 13);
}

static void a_hard_icmp_error_is_rejected(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_SILENT);
    rig_at(&r, RTT, prohibit);
    rig_run(&r, "connect --json " RIG_PEER);
    rig_expect_verdict(&r, "rejected", 6, RTT);
    rig_expect_int(&r, "icmp", "type", 3);
    rig_expect_int(&r, "icmp", "code", 13);
    rig_expect_text(&r, "icmp", "from", "192.0.2.80");
    rig_expect_bool(&r, "icmp", "fatal", true);
    rig_free(&r);
}

static void quench(struct command_rig *r)
{
    rig_icmp(r, 4, 0);
}

/* RFC 6633, section 3: a source quench is discarded. But something came. */
static void an_icmp_error_that_a_host_ignores_is_named(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_SILENT);
    rig_at(&r, RTT, quench);
    rig_run(&r, "connect --json --timeout 5s " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "dropped");
    rig_expect_part(&r, "verdict", "message",
                    "the ICMP error that came is one that a host ignores");
    rig_free(&r);
}

static void a_reset_after_data_is_reset(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_RESETS);
    rig_run(&r, "connect --json -d x " RIG_PEER);
    rig_expect_verdict(&r, "reset", 7, 2 * RTT);
    rig_expect_text(&r, "verdict", "close.by", "peer");
    rig_free(&r);
}

/* RFC 9293, 3.8.3: R2, counted from when the data was first sent. */
static void data_without_acknowledgement_is_lost_at_give_up(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ECHO);
    r.lose = our_data;
    rig_run(&r, "connect --json -d x --give-up 10s " RIG_PEER);
    rig_expect_verdict_after(&r, 1, "lost", 8, RTT + 10 * WAVE_S);
    rig_free(&r);
}

/* Loses our data, and answers our RST with an ACK, as a host does that takes it for a forged one
 * (RFC 5961, 3.2). */
static bool our_rst_is_challenged(struct command_rig *r, const struct rig_segment *s)
{
    struct seg ack = {.flags = SEG_ACK};

    if (!r->disturbed && s->out && (s->seg.flags & SEG_RST)) {
        const struct seg *last = &rig_last(r, false)->seg;
        ack.seq = seg_end(last);
        ack.ack = last->ack;
        ack.wnd = last->wnd;
        ack.opt = last->opt;
        rig_forge(r, &ack, 0);
    }
    return our_data(r, s);
}

/* What answers our last RST is no answer to what we sent before: the status is the same whether the
 * run is shown or not, and whether that came before the run's end or after it. */
static void an_answer_to_our_last_rst_changes_nothing(void **state)
{
    static const char *const how[] = {"connect --json", "connect -q", "connect"};
    char words[100];
    struct command_rig r;

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        rig_init(&r, HOST_ECHO);
        r.lose = i % 2 ? our_rst_is_challenged : our_data;
        snprintf(words, sizeof words, "%s -d x --timeout 10s " RIG_PEER, how[i / 2]);
        rig_run(&r, words);
        assert_int_equal(r.status, 8);
        assert_int_equal(r.disturbed, i % 2);
        rig_free(&r);
    }
}

/* The default of R2, 100 s (RFC 9293, MUST-23), holds for our FIN as well. */
static void a_fin_without_acknowledgement_is_lost_after_100_seconds(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = our_fin;
    rig_run(&r, "connect --json " RIG_PEER);
    rig_expect_verdict_after(&r, 1, "lost", 8, RTT + 100 * WAVE_S);
    rig_free(&r);
}

/* How it is closed */

static void the_peer_s_fin_is_awaited_until_linger(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_NEVER_CLOSES);
    rig_run(&r, "connect --json " RIG_PEER);
    /* The default, 5 s from the acknowledgement of our FIN, and then RST. */
    rig_expect_verdict(&r, "open", 0, 2 * RTT + 5 * WAVE_S);
    assert_int_equal(rig_segment(&r, true, SEG_RST, 1)->at, 2 * RTT + 5 * WAVE_S);
    rig_free(&r);

    rig_init(&r, HOST_NEVER_CLOSES);
    rig_run(&r, "connect --json --linger 1h " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 2 * RTT + 3600 * WAVE_S);
    rig_free(&r);
}

static void say_more(struct command_rig *r)
{
    rig_far_send(r, 0, "more");
}

/* A segment from the peer after our FIN restarts the wait. */
static void data_puts_linger_off(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_NEVER_CLOSES);
    rig_at(&r, 4 * WAVE_S, say_more);
    rig_run(&r, "connect --json " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 9 * WAVE_S + RIG_DELAY);
    rig_expect_int(&r, "verdict", "received_bytes", 4);
    rig_free(&r);
}

/* RFC 9293, 3.6.1: 2 MSL of 2 minutes each. */
static void time_wait_is_kept_for_four_minutes(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "connect --json --time-wait=full " RIG_PEER);
    rig_expect_verdict_after(&r, 1, "open", 0, 2 * RTT + 240 * WAVE_S);
    rig_expect_text(&r, "state", "from", "TIME_WAIT");
    rig_free(&r);
}

static void time_wait_may_be_shorter(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "connect --json --time-wait=10s " RIG_PEER);
    rig_expect_verdict_after(&r, 1, "open", 0, 2 * RTT + 10 * WAVE_S);
    rig_expect_text(&r, "state", "cause", "--time-wait is over");
    rig_free(&r);
}

static void hold_keeps_the_connection_for_an_hour(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "connect --json --hold 1h " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, RTT + 3600 * WAVE_S + RTT);
    assert_int_equal(rig_segment(&r, true, SEG_FIN, 1)->at, RTT + 3600 * WAVE_S);
    rig_free(&r);
}

static void close_after_a_minute(struct command_rig *r)
{
    rig_far_close(r, 0);
}

static void passive_waits_for_the_peer_s_fin(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, 60 * WAVE_S, close_after_a_minute);
    rig_run(&r, "connect --json --close=passive " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 60 * WAVE_S + RIG_DELAY + RTT);
    rig_expect_states(&r, "local", "CLOSED SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED");
    rig_expect_text(&r, "verdict", "close.by", "peer");
    rig_free(&r);
}

static void abort_sends_rst(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_run(&r, "connect --json --close=abort -d x " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 2 * RTT);
    assert_int_equal(rig_segment(&r, true, SEG_RST, 1)->at, 2 * RTT);
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 0);
    rig_free(&r);
}

static void vanish_says_nothing(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_run(&r, "connect --json --close=vanish -d x " RIG_PEER);
    assert_int_equal(r.status, 0);
    assert_int_equal(rig_segments(&r, true, SEG_RST) + rig_segments(&r, true, SEG_FIN), 0);
    rig_free(&r);
}

/* The answer */

/* The peer says nothing for a second: then our FIN. */
static void a_silent_application_is_given_a_second(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "connect --json -d x " RIG_PEER);
    assert_int_equal(rig_segment(&r, true, SEG_FIN, 1)->at,
                     rig_segment(&r, false, SEG_ACK, 2)->at + RIG_DELAY + WAVE_S);
    assert_int_equal(r.status, 0);
    rig_free(&r);
}

static void a_peer_that_closes_behind_its_answer_is_first(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ANSWER);
    rig_run(&r, "connect --json -d x " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 3 * RTT);
    rig_expect_int(&r, "verdict", "received_bytes", sizeof HOST_ANSWER_TEXT - 1);
    rig_expect_text(&r, "verdict", "close.by", "peer");
    rig_free(&r);
}

/* The third segment of the handshake is never sent. The peer retransmits its SYN-ACK after 1, 2, 4,
 * 8 seconds and so on; when more than twice the last pause has passed without one, it has given up.
 */
static void without_the_third_segment_syn_acks_are_counted(void **state)
{
    struct command_rig r;
    wave_time last;
    unsigned n;

    (void)state;
    rig_init(&r, HOST_ECHO);
    r.network.host.engine.syn_retries = 3;
    rig_run(&r, "connect --json --no-ack " RIG_PEER);
    n = rig_segments(&r, false, SEG_SYN | SEG_ACK);
    assert_int_equal(n, 4);
    last = rig_segment(&r, false, SEG_SYN | SEG_ACK, n)->at;
    rig_expect_after(3, last, RIG_DELAY + 7 * WAVE_S);
    rig_expect_verdict_after(&r, 1, "open", 0, last + RIG_DELAY + 2 * 4 * WAVE_S + 3 * WAVE_S);
    assert_int_equal(rig_segments(&r, true, SEG_ACK) - rig_segments(&r, true, SEG_RST), 0);
    rig_free(&r);
}

static bool second_probe(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && s->seg.len == 1 && s->at > RTT;
}

/* What is assumed of the peer is asked with a probe: once the handshake is done, when an answer
 * proves nothing since SYN_RECEIVED would give it as well, and once our last ACK is out. */
static void verify_asks_and_says_what_the_answer_proves(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "connect --json --verify " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 4 * RTT);
    rig_expect_part(&r, "note", "text", "answered, but a peer not yet in ESTABLISHED");
    rig_expect_text(&r, "verdict", "peer.state", "CLOSED");
    rig_expect_text(&r, "verdict", "peer.certainty", "proved");
    rig_free(&r);

    /* Without an answer within a second it stays an assumption. */
    rig_init(&r, HOST_DISCARD);
    r.lose = second_probe;
    rig_run(&r, "connect --json --verify " RIG_PEER);
    rig_expect_verdict_after(&r, 1, "open", 0, 3 * RTT + WAVE_S);
    rig_expect_part(&r, "note", "text", "the probe was not answered");
    rig_expect_text(&r, "verdict", "peer.certainty", "assumed");
    rig_free(&r);
}

/* The timeout */

static void the_timeout_ends_an_open_connection_with_rst(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_run(&r, "connect --json --hold 1h --timeout 2m " RIG_PEER);
    assert_int_equal(rig_segment(&r, true, SEG_RST, 1)->at, 120 * WAVE_S);
    rig_expect_verdict(&r, "failed", 1, 120 * WAVE_S);
    rig_free(&r);
}

static void a_signal_resets_the_connection(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_at(&r, 30 * WAVE_S, rig_interrupt);
    rig_run(&r, "connect --json --hold 1h " RIG_PEER);
    assert_int_equal(r.status, 128 + SIGINT);
    rig_expect_int(&r, "verdict", "exit", 128 + SIGINT);
    assert_int_equal(rig_segment(&r, true, SEG_RST, 1)->at, 30 * WAVE_S);
    rig_free(&r);

    rig_init(&r, HOST_ECHO);
    rig_at(&r, 30 * WAVE_S, rig_terminate);
    rig_run(&r, "connect --json --hold 1h " RIG_PEER);
    assert_int_equal(r.status, 128 + SIGTERM);
    rig_free(&r);
}

/* For people */

static void a_row_for_each_segment_and_a_summary(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_run(&r, "connect --ascii --width 80 -d hello " RIG_PEER);
    assert_int_equal(r.status, 0);
    rig_expect_printed(&r, "open:        connected to " RIG_PEER, 1);
    rig_expect_printed(&r, "round trip 20.0 ms", 1);
    rig_expect_printed(&r, "   1 0.000000 SYN_SENT", 1);
    rig_expect_printed(&r, "   9 0.310000 ", 1);
    rig_expect_printed(&r, "  10 ", 0);
    for (const char *line = r.text, *end; (end = strchr(line, '\n')); line = end + 1)
        assert_true(end - line <= 80);
    rig_free(&r);
}

static void quiet_prints_nothing(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_run(&r, "connect -q -d hello " RIG_PEER);
    assert_int_equal(r.status, 0);
    assert_int_equal(r.text_len, 0);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_echo_is_open),
        cmocka_unit_test(the_same_run_prints_the_same_bytes),
        cmocka_unit_test(a_closed_port_is_refused),
        cmocka_unit_test(a_silent_peer_is_dropped_after_four_syns),
        cmocka_unit_test(the_timeout_ends_the_wait_for_an_answer),
        cmocka_unit_test(a_lost_syn_costs_a_second),
        cmocka_unit_test(a_hard_icmp_error_is_rejected),
        cmocka_unit_test(an_icmp_error_that_a_host_ignores_is_named),
        cmocka_unit_test(a_reset_after_data_is_reset),
        cmocka_unit_test(data_without_acknowledgement_is_lost_at_give_up),
        cmocka_unit_test(an_answer_to_our_last_rst_changes_nothing),
        cmocka_unit_test(a_fin_without_acknowledgement_is_lost_after_100_seconds),
        cmocka_unit_test(the_peer_s_fin_is_awaited_until_linger),
        cmocka_unit_test(data_puts_linger_off),
        cmocka_unit_test(time_wait_is_kept_for_four_minutes),
        cmocka_unit_test(time_wait_may_be_shorter),
        cmocka_unit_test(hold_keeps_the_connection_for_an_hour),
        cmocka_unit_test(passive_waits_for_the_peer_s_fin),
        cmocka_unit_test(abort_sends_rst),
        cmocka_unit_test(vanish_says_nothing),
        cmocka_unit_test(a_silent_application_is_given_a_second),
        cmocka_unit_test(a_peer_that_closes_behind_its_answer_is_first),
        cmocka_unit_test(without_the_third_segment_syn_acks_are_counted),
        cmocka_unit_test(verify_asks_and_says_what_the_answer_proves),
        cmocka_unit_test(the_timeout_ends_an_open_connection_with_rst),
        cmocka_unit_test(a_signal_resets_the_connection),
        cmocka_unit_test(a_row_for_each_segment_and_a_summary),
        cmocka_unit_test(quiet_prints_nothing),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests_name("connect", tests, NULL, NULL);
}
