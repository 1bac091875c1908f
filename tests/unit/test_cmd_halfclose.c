/* Tests halfclose over a simulated network: how each kind of peer reacts to our FIN, what is
 * reported of it, and when. A round trip takes 20 ms. */
#include <string.h>

#include "tests/unit/command_rig.h"

#define RTT (2 * RIG_DELAY)

/* Checks what is reported of a run in which there was a half-close to judge. */
static void expect_judged(const struct command_rig *r, bool honoured, unsigned bytes,
                          const char *part)
{
    rig_expect_bool(r, "verdict", "half_close.honoured", honoured);
    rig_expect_int(r, "verdict", "half_close.bytes", bytes);
    rig_expect_part(r, "verdict", "message", part);
}

/* The same where it is not known whether the peer honours it. */
static void expect_unknown(const struct command_rig *r, unsigned bytes, const char *part)
{
    rig_expect_null(r, "verdict", "half_close.honoured");
    rig_expect_int(r, "verdict", "half_close.bytes", bytes);
    rig_expect_part(r, "verdict", "message", part);
}

static void the_fin_rides_on_the_data(void **state)
{
    struct command_rig r;
    const struct rig_segment *s;

    (void)state;
    rig_init(&r, HOST_ANSWER_AFTER_FIN);
    rig_run(&r, "halfclose --json -d hello " RIG_PEER);
    s = rig_segment(&r, true, SEG_FIN, 1);
    assert_int_equal(s->at, RTT);
    assert_int_equal(s->seg.len, 5);
    rig_free(&r);
}

static void a_peer_that_answers_after_our_fin_honours_it(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_ANSWER_AFTER_FIN, v6);
        rig_run(&r, v6 ? "halfclose --json -d x " RIG_PEER6 : "halfclose --json -d x " RIG_PEER);
        rig_expect_verdict(&r, "open", 0, 2 * RTT);
        expect_judged(&r, true, sizeof HOST_ANSWER_TEXT - 1, "honours the half-close");
        rig_expect_int(&r, "verdict", "half_close.segments", 1);
        rig_expect_int(&r, "verdict", "sent_bytes", 1);
        rig_expect_text(&r, "verdict", "close.by", "local");
        rig_expect_text(&r, "verdict", "peer.state", "CLOSED");
        rig_free(&r);
    }
}

static void send_line(struct command_rig *r)
{
    rig_far_send(r, 0, "line 1\n");
}

static void send_and_close(struct command_rig *r)
{
    rig_far_send(r, 0, "line 2\n");
    rig_far_close(r, 0);
}

/* It may take its time, as long as each silence is shorter than --linger: two minutes here. */
static void pauses_between_answers_are_no_end(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_NEVER_CLOSES);
    for (unsigned i = 1; i <= 4; i++)
        rig_at(&r, i * 100 * WAVE_S, send_line);
    rig_at(&r, 500 * WAVE_S, send_and_close);
    rig_run(&r, "halfclose --json -d x --linger 2m " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 500 * WAVE_S + RIG_DELAY);
    expect_judged(&r, true, 35, "honours the half-close");
    rig_expect_int(&r, "verdict", "half_close.segments", 5);
    rig_expect_time(&r, "verdict", "half_close.seconds", 500 * WAVE_S + RIG_DELAY - 2 * RTT);
    rig_expect_text(&r, "verdict", "close.kind", "four-way");
    rig_free(&r);
}

static void a_peer_that_closes_at_once_had_nothing_more_to_send(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "halfclose --json -d x " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 2 * RTT);
    expect_judged(&r, true, 0, "nothing more to send");
    rig_expect_text(&r, "verdict", "close.kind", "three-way");
    rig_free(&r);
}

/* Silence counts from the acknowledgement of our FIN, or the last data after it. */
static void a_peer_that_hangs_is_left_after_linger(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_NEVER_CLOSES);
    rig_run(&r, "halfclose --json -d x " RIG_PEER);
    rig_expect_verdict(&r, "failed", 1, 2 * RTT + 5 * WAVE_S);
    expect_unknown(&r, 0,
                   "is not known: it acknowledged our FIN, and then "
                   "neither data nor a FIN came from it for 5.00 s");
    assert_int_equal(rig_segment(&r, true, SEG_RST, 1)->at, 2 * RTT + 5 * WAVE_S);
    rig_free(&r);

    rig_init(&r, HOST_NEVER_CLOSES);
    rig_at(&r, 3 * WAVE_S, send_line);
    rig_run(&r, "halfclose --json -d x " RIG_PEER);
    rig_expect_verdict(&r, "failed", 1, 8 * WAVE_S + RIG_DELAY);
    expect_unknown(&r, 7, "sent 7 bytes in 1 segment");
    rig_free(&r);
}

static void reset_it(struct command_rig *r)
{
    rig_far_reset(r, 0);
}

static void send_large(struct command_rig *r)
{
    static char text[4001];

    memset(text, 'x', sizeof text - 1);
    rig_far_send(r, 0, text);
}

static bool large(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return !s->out && s->seg.len > 1000;
}

/* Where nothing came of what the peer sent, it is not said that it sent nothing, nor that it does
 * not honour the half-close. */
static void what_vanishes_on_the_way_is_not_held_against_the_peer(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_NEVER_CLOSES, v6);
        rig_at(&r, WAVE_S, send_large);
        r.lose = large;
        r.disturbed = true;
        rig_run(&r, v6 ? "halfclose --json -d x --mss 1400 " RIG_PEER6
                       : "halfclose --json -d x --mss 1400 " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", "failed");
        rig_expect_part(&r, "verdict", "message", "honours the half-close is not known");
        rig_expect_null(&r, "verdict", "half_close.honoured");
        rig_expect_printed(&r, "does not honour", 0);
        rig_expect_printed(&r, "sent nothing", 0);
        rig_free(&r);
    }
    rig_init(&r, HOST_NEVER_CLOSES);
    rig_at(&r, WAVE_S, send_large);
    r.lose = large;
    r.disturbed = true;
    rig_run(&r, "halfclose --width 80 -d x --mss 1400 " RIG_PEER);
    rig_expect_printed(&r, "half-close not known: 0 bytes in 0 segments", 1);
    rig_free(&r);
}

/* Nor where a RST comes behind it. */
static void a_reset_before_any_data_came(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_NEVER_CLOSES);
    rig_at(&r, WAVE_S, reset_it);
    rig_run(&r, "halfclose --json -d x " RIG_PEER);
    rig_expect_verdict(&r, "failed", 1, WAVE_S + RIG_DELAY);
    expect_judged(&r, false, 0,
                  "does not honour the half-close: it acknowledged our FIN, and reset the "
                  "connection with RST before any data came");
    rig_free(&r);
}

static void a_timeout_before_linger_ends_it(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_NEVER_CLOSES);
    rig_run(&r, "halfclose --json -d x --linger 60 --timeout 30 " RIG_PEER);
    rig_expect_verdict(&r, "failed", 1, 30 * WAVE_S);
    expect_unknown(&r, 0, "the peer's FIN");
    rig_expect_part(&r, "verdict", "message", "timeout");
    rig_free(&r);
}

static void an_answer_and_then_a_reset_is_not_honoured(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_NEVER_CLOSES);
    rig_at(&r, WAVE_S, send_line);
    rig_at(&r, 2 * WAVE_S, reset_it);
    rig_run(&r, "halfclose --json -d x " RIG_PEER);
    rig_expect_verdict(&r, "failed", 1, 2 * WAVE_S + RIG_DELAY);
    expect_judged(&r, false, 7, "acknowledged our FIN, sent 7 bytes");
    rig_expect_part(&r, "verdict", "message", "reset the connection with RST");
    rig_free(&r);
}

static void rst_as_the_answer_to_our_fin_is_not_honoured(void **state)
{
    struct command_rig r;

    (void)state;
    for (int with_data = 0; with_data < 2; with_data++) {
        rig_init(&r, HOST_RESETS_FIN);
        rig_run(&r, with_data ? "halfclose --json -d x " RIG_PEER : "halfclose --json " RIG_PEER);
        rig_expect_verdict(&r, "failed", 1, 2 * RTT);
        expect_judged(&r, false, 0, "answered our FIN with RST");
        rig_free(&r);
    }
}

static bool our_fin(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && (s->seg.flags & SEG_FIN);
}

static void a_fin_that_is_never_acknowledged_is_lost(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ANSWER_AFTER_FIN);
    r.lose = our_fin;
    rig_run(&r, "halfclose --json --give-up 20s " RIG_PEER);
    rig_expect_verdict_after(&r, 1, "lost", 8, RTT + 20 * WAVE_S);
    expect_unknown(&r, 0, "never acknowledged");
    rig_free(&r);
}

/* Both FINs cross: the peer had closed before it had ours. */
static void a_peer_that_closed_first_cannot_honour_it(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ANSWER_AND_FIN_FIRST);
    rig_run(&r, "halfclose --json " RIG_PEER);
    rig_expect_verdict(&r, "failed", 1, 2 * RTT);
    expect_judged(&r, false, 0, "before it had our FIN: nothing could come after it");
    rig_expect_text(&r, "verdict", "close.kind", "simultaneous");
    rig_free(&r);

    /* And where it never takes ours, that is said, after one round trip and one repetition. */
    rig_init(&r, HOST_ANSWER_AND_FIN_FIRST);
    r.lose = our_fin;
    rig_run(&r, "halfclose --json " RIG_PEER);
    assert_int_equal(r.status, 1);
    expect_judged(&r, false, 0, "before it had our FIN, and has not acknowledged it since");
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 2);
    rig_free(&r);
}

/* Where our FIN is not sent, nothing is said of a half-close. */
static void without_a_connection_there_is_no_half_close(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_CLOSED);
    rig_run(&r, "halfclose --json " RIG_PEER);
    rig_expect_verdict(&r, "refused", 4, RTT);
    assert_null(rig_get(&r, "verdict", "half_close"));
    rig_free(&r);

    rig_init(&r, HOST_SILENT);
    rig_run(&r, "halfclose --json " RIG_PEER);
    rig_expect_verdict_after(&r, 4, "dropped", 5, 15 * WAVE_S);
    assert_null(rig_get(&r, "verdict", "half_close"));
    rig_free(&r);
}

/* A fifth of all segments is lost, and all of it ends as it would have otherwise. */
static void losses_change_nothing(void **state)
{
    struct command_rig r;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        rig_init(&r, HOST_ANSWER_AFTER_FIN);
        r.network.forward.loss = r.network.reverse.loss = 2000;
        r.network.seed = seed;
        rig_run(&r, "halfclose --json -d x --syn-retries 9 --linger 1m " RIG_PEER);
        assert_int_equal(r.status, 0);
        expect_judged(&r, true, sizeof HOST_ANSWER_TEXT - 1, "honours the half-close");
        rig_free(&r);
    }
}

static void drawn_for_people(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ANSWER_AFTER_FIN);
    rig_run(&r, "halfclose --width 80 -d x " RIG_PEER);
    rig_expect_printed(
        &r, "open:        " RIG_PEER " honours the half-close: after our FIN it sent 11", 1);
    rig_expect_printed(&r, "half-close honoured: 11 bytes in 1 segment", 1);
    rig_free(&r);

    rig_init(&r, HOST_RESETS_FIN);
    rig_run(&r, "halfclose --width 80 " RIG_PEER);
    rig_expect_printed(&r, "half-close not honoured", 1);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fin_rides_on_the_data),
        cmocka_unit_test(a_peer_that_answers_after_our_fin_honours_it),
        cmocka_unit_test(pauses_between_answers_are_no_end),
        cmocka_unit_test(a_peer_that_closes_at_once_had_nothing_more_to_send),
        cmocka_unit_test(a_peer_that_hangs_is_left_after_linger),
        cmocka_unit_test(what_vanishes_on_the_way_is_not_held_against_the_peer),
        cmocka_unit_test(a_reset_before_any_data_came),
        cmocka_unit_test(a_timeout_before_linger_ends_it),
        cmocka_unit_test(an_answer_and_then_a_reset_is_not_honoured),
        cmocka_unit_test(rst_as_the_answer_to_our_fin_is_not_honoured),
        cmocka_unit_test(a_fin_that_is_never_acknowledged_is_lost),
        cmocka_unit_test(a_peer_that_closed_first_cannot_honour_it),
        cmocka_unit_test(without_a_connection_there_is_no_half_close),
        cmocka_unit_test(losses_change_nothing),
        cmocka_unit_test(drawn_for_people),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests_name("halfclose", tests, NULL, NULL);
}
