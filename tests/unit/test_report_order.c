/* Tests how the report deals with the order of the wire, which differs from the order in which we
 * act: our state, gaps in the capture, and retransmissions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/report_rig.h"

#include "lib/report/report.h"

/* Our state in the rows so far. */
struct column {
    enum state state[16];
    bool changed[16];
    unsigned rows;
};

static void note_column(void *self, const struct report_event *e)
{
    struct column *c = self;

    if (e->kind != REPORT_SEGMENT)
        return;
    assert_true(c->rows < 16);
    c->changed[c->rows] = e->u.segment.local_changed;
    c->state[c->rows++] = e->u.segment.local;
}

/* The peer's data and FIN lie in the capture before we have looked at either; our acknowledgement
 * of the data, sent in ESTABLISHED, comes behind them. */
static void our_state_never_goes_back_when_we_take_in_slower_than_is_captured(void **state)
{
    struct step data = {.flags = SEG_ACK, .seq = 1, .ack = 1, .len = 5, .wnd = 502},
                fin = {.flags = SEG_ACK | SEG_FIN, .seq = 6, .ack = 1, .wnd = 502},
                ack = {.out = true, .flags = SEG_ACK, .seq = 1, .ack = 6, .wnd = 502};
    struct column c = {.rows = 0};
    struct script t;
    (void)state;

    script_start(&t, &script_v4);
    script_handshake(&t);
    report_add(&t.report, note_column, &c);
    data.local = ack.local = STATE_ESTABLISHED;
    fin.local = STATE_CLOSE_WAIT;
    script_say(&t, &data);
    script_say(&t, &fin);
    script_moved(&t, STATE_ESTABLISHED, STATE_CLOSE_WAIT, 5);
    script_say(&t, &ack);
    ack.ack = 7;
    ack.local = STATE_CLOSE_WAIT;
    script_say(&t, &ack);
    static const enum state expected[] = {STATE_ESTABLISHED, STATE_CLOSE_WAIT, STATE_CLOSE_WAIT,
                                          STATE_CLOSE_WAIT};
    assert_int_equal(c.rows, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(c.state[i], expected[i]);
        assert_int_equal(c.changed[i], i == 1);
    }
    script_finish(&t);
}

/* We have sent our FIN, and the peer's, which crossed it, is captured before ours. */
static void our_fin_captured_behind_the_one_that_it_met_is_in_closing(void **state)
{
    struct step fin = {.flags = SEG_ACK | SEG_FIN, .seq = 1, .ack = 1, .wnd = 502};
    struct column c = {.rows = 0};
    struct script t;
    (void)state;

    script_start(&t, &script_v4);
    script_handshake(&t);
    report_add(&t.report, note_column, &c);
    script_moved(&t, STATE_ESTABLISHED, STATE_FIN_WAIT_1, 0);
    fin.local = STATE_CLOSING;
    script_say(&t, &fin);
    script_moved(&t, STATE_FIN_WAIT_1, STATE_CLOSING, 4);
    fin.out = true;
    fin.local = STATE_FIN_WAIT_1;
    script_say(&t, &fin);
    assert_int_equal(c.rows, 2);
    assert_int_equal(c.state[0], STATE_CLOSING);
    assert_int_equal(c.state[1], STATE_CLOSING);
    assert_false(c.changed[1]);
    script_finish(&t);
}

/* The peer's first data proves ESTABLISHED, but not where the capture has lost something, of this
 * connection or of another: its FIN may lie behind. */
static void a_gap_in_the_capture_reaches_the_tracker_before_the_next_segment(void **state)
{
    (void)state;
    for (int gap = 0; gap < 2; gap++) {
        struct step data = {.flags = SEG_ACK,
                            .seq = 1,
                            .ack = 1,
                            .len = 5,
                            .wnd = 502,
                            .gap = gap,
                            .local = STATE_ESTABLISHED};
        struct script t;
        script_start(&t, &script_v4);
        script_handshake(&t);
        script_say(&t, &data);
        assert_int_equal(t.flow.peer.state, STATE_ESTABLISHED);
        assert_int_equal(t.flow.peer.certainty, gap ? CERTAINTY_ASSUMED : CERTAINTY_PROVED);
        script_finish(&t);
    }
}

/* Of what the capture lost of the peer's, no more is known than that there were bytes: it may have
 * been a FIN, and what it acknowledged is not known. */
static void what_was_lost_of_the_peers_is_no_evidence(void **state)
{
    struct step lost = {.flags = SEG_ACK,
                        .seq = 1,
                        .ack = 1,
                        .len = 100,
                        .wnd = 502,
                        .missed = true,
                        .local = STATE_ESTABLISHED},
                more = {.flags = SEG_ACK, .seq = 101, .ack = 1, .len = 5, .wnd = 502};
    struct script t;
    (void)state;

    more.local = STATE_ESTABLISHED;
    script_start(&t, &script_v4);
    script_handshake(&t);
    script_say(&t, &lost);
    assert_int_equal(t.flow.track.number, 4);
    assert_int_equal(t.flow.peer.certainty, CERTAINTY_ASSUMED);
    script_say(&t, &more);
    assert_int_equal(t.flow.track.number, 5);
    assert_int_equal(t.flow.peer.certainty, CERTAINTY_ASSUMED);
    script_finish(&t);
}

/* Records what the stream says of the script's segment. */
static void note_segment(void *self, const struct report_event *e)
{
    if (e->kind == REPORT_SEGMENT)
        *(struct report_segment *)self = e->u.segment;
}

/* One rule for both sides: bytes that were seen before. The sent log knows the same of ours. */
static void the_tracker_decides_what_is_a_retransmission_for_both_sides(void **state)
{
    (void)state;
    for (int out = 0; out < 2; out++) {
        struct step data = {.out = out,
                            .flags = SEG_ACK,
                            .seq = 1,
                            .ack = 1,
                            .len = 5,
                            .wnd = 502,
                            .local = STATE_ESTABLISHED};
        struct report_segment last = {.number = 0};
        struct script t;
        script_start(&t, &script_v4);
        script_handshake(&t);
        report_add(&t.report, note_segment, &last);
        script_say(&t, &data);
        assert_false(last.retransmission);
        script_say(&t, &data);
        assert_true(last.retransmission);
        assert_int_equal(last.repeats, 4);
        assert_int_equal(t.flow.retransmissions, out);
        data.seq = 6;
        data.retransmission =
            out; /* it was lost between us and the capture, and is news on the wire */
        script_say(&t, &data);
        assert_false(last.retransmission);
        script_finish(&t);
    }
}

/* What is known of our own segments beside what they show. */
static void the_sent_log_knows_our_probes_and_what_the_tracker_cannot_follow(void **state)
{
    struct step data = {.out = true,
                        .flags = SEG_ACK,
                        .seq = 1,
                        .ack = 1,
                        .len = 5,
                        .wnd = 502,
                        .local = STATE_ESTABLISHED};
    struct report_segment last = {.number = 0};
    struct script t;
    (void)state;

    script_start(&t, &script_v4);
    script_handshake(&t);
    report_add(&t.report, note_segment, &last);
    script_say(&t, &data);
    /* The acknowledgement of the five bytes was captured, but not seen by the tracker. */
    data.seq = 5;
    data.len = 1;
    data.probe = true;
    script_say(&t, &data);
    assert_false(last.retransmission);
    assert_true(last.notes & TRACK_PROBE);
    /* What we acknowledge here the capture has lost. */
    data.seq = 1;
    data.len = 5;
    data.probe = false;
    data.retransmission = true;
    data.ack = 40001;
    script_say(&t, &data);
    assert_true(last.notes & TRACK_OUT_OF_WINDOW);
    assert_true(last.retransmission);
    script_finish(&t);
}

static void a_syn_ack_that_was_asked_for_is_no_retransmission(void **state)
{
    struct step syn = {.flags = SEG_SYN, .wnd = 502, .local = STATE_SYN_RECEIVED},
                answer = {.out = true, .flags = SEG_SYN | SEG_ACK, .ack = 1, .wnd = 502};
    struct report_segment last = {.number = 0};
    struct script t;
    (void)state;

    answer.local = STATE_SYN_RECEIVED;
    script_start(&t, &script_v4);
    report_add(&t.report, note_segment, &last);
    script_say(&t, &syn);
    script_say(&t, &answer);
    script_say(&t, &syn);
    assert_true(last.retransmission);
    script_say(&t, &answer);
    assert_false(last.retransmission);
    script_say(&t, &answer);
    assert_true(last.retransmission);
    assert_int_equal(t.flow.retransmissions, 1);
    script_finish(&t);
}

/* Whether the connection is half closed is the tracker's to say as well. */
static void a_fin_that_is_not_believed_closes_nothing_until_it_is_acknowledged(void **state)
{
    struct step fin = {.flags = SEG_FIN | SEG_ACK, .seq = 1, .ack = 90001, .wnd = 502},
                ack = {.out = true, .flags = SEG_ACK, .seq = 1, .ack = 1, .wnd = 502};
    struct report_segment last = {.number = 0};
    struct script t;
    (void)state;

    fin.local = ack.local = STATE_ESTABLISHED;
    script_start(&t, &script_v4);
    script_handshake(&t);
    report_add(&t.report, note_segment, &last);
    script_say(&t, &fin); /* with an ACK of what we have never sent */
    assert_int_equal(t.flow.fin[1], 0);
    script_say(&t, &ack);
    assert_false(last.half_closed);
    ack.ack = 2;
    script_say(&t, &ack);
    assert_true(last.half_closed);
    assert_int_equal(t.flow.fin[1], 4);
    script_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_state_never_goes_back_when_we_take_in_slower_than_is_captured),
        cmocka_unit_test(our_fin_captured_behind_the_one_that_it_met_is_in_closing),
        cmocka_unit_test(a_gap_in_the_capture_reaches_the_tracker_before_the_next_segment),
        cmocka_unit_test(what_was_lost_of_the_peers_is_no_evidence),
        cmocka_unit_test(the_tracker_decides_what_is_a_retransmission_for_both_sides),
        cmocka_unit_test(the_sent_log_knows_our_probes_and_what_the_tracker_cannot_follow),
        cmocka_unit_test(a_syn_ack_that_was_asked_for_is_no_retransmission),
        cmocka_unit_test(a_fin_that_is_not_believed_closes_nothing_until_it_is_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
