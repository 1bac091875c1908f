/* What the report makes of the order of the wire, which is not that of what we do: our state, gaps
 * in the capture, segments that are sent again. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_state_never_goes_back_when_we_take_in_slower_than_is_captured),
        cmocka_unit_test(our_fin_captured_behind_the_one_that_it_met_is_in_closing),
        cmocka_unit_test(a_gap_in_the_capture_reaches_the_tracker_before_the_next_segment),
        cmocka_unit_test(what_was_lost_of_the_peers_is_no_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
