/* Tests the log of what was sent: captured segments of ours find their entry, and others do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/run/sent_log.h"

static struct sent_log j;

static struct seg segment(uint32_t seq)
{
    return (struct seg){
        .seq = seq_of(seq), .ack = seq_of(7), .flags = SEG_ACK, .wnd = 100, .len = 10};
}

static void send_one(uint32_t seq, bool sent_before)
{
    struct seg s = segment(seq);
    sent_log_add(&j, &(struct sent_entry){.id = 1,
                                          .seq = s.seq,
                                          .ack = s.ack,
                                          .len = s.len,
                                          .flags = s.flags,
                                          .wnd = s.wnd,
                                          .state = STATE_ESTABLISHED,
                                          .sent_before = sent_before});
}

static const struct sent_entry *take(uint32_t seq)
{
    struct seg s = segment(seq);
    return sent_log_take(&j, &s);
}

static int reset(void **state)
{
    (void)state;
    memset(&j, 0, sizeof j);
    return 0;
}

static void entries_are_found_in_order(void **state)
{
    (void)state;
    assert_true(sent_log_empty(&j));
    send_one(1, false);
    send_one(1, true);
    assert_false(take(1)->sent_before);
    assert_true(take(1)->sent_before);
    assert_true(sent_log_empty(&j));
}

static void what_the_capture_lost_is_stepped_over(void **state)
{
    (void)state;
    send_one(1, false);
    send_one(2, false);
    send_one(3, false);
    assert_non_null(take(2));
    assert_null(take(1));
    assert_non_null(take(3));
}

/* What was sent before a timer's segment would have been captured by the time of that. */
static void a_probe_shows_that_time_has_passed(void **state)
{
    struct seg s = segment(1);

    (void)state;
    send_one(1, false);
    send_one(2, false);
    assert_false(sent_log_repeats(&j));
    sent_log_add(&j, &(struct sent_entry){.id = 1, .seq = s.seq, .flags = SEG_ACK, .probe = true});
    assert_true(sent_log_repeats(&j));
    assert_non_null(sent_log_missed(&j));
    assert_non_null(sent_log_missed(&j));
    assert_true(sent_log_missed(&j)->probe);
    assert_false(sent_log_repeats(&j));
}

static const struct sent_entry *pick(uint32_t seq)
{
    struct seg s = segment(seq);
    return sent_log_pick(&j, &s);
}

static void what_is_held_back_stays_when_a_later_one_is_picked(void **state)
{
    (void)state;
    send_one(1, false);
    send_one(2, false);
    send_one(3, false);
    send_one(3, true);
    assert_non_null(pick(2));
    assert_null(pick(2));
    assert_false(pick(3)->sent_before);
    assert_true(pick(3)->sent_before);
    assert_false(sent_log_empty(&j));
    /* Nor are those that were picked ever missed. */
    assert_null(sent_log_missed_by_ack(&j, 2, seq_of(100)));
    assert_int_equal(sent_log_missed_by_ack(&j, 1, seq_of(100))->seq.v, 1);
    assert_null(sent_log_missed_by_ack(&j, 1, seq_of(100)));
    assert_non_null(pick(1));
    assert_true(sent_log_empty(&j));
    send_one(4, false);
    send_one(5, false);
    assert_non_null(pick(4));
    assert_int_equal(sent_log_missed(&j)->seq.v, 5);
    assert_null(sent_log_missed(&j));
    assert_null(pick(6));
}

static void a_segment_that_we_did_not_send_has_no_entry(void **state)
{
    struct seg s = segment(1);
    (void)state;
    send_one(1, false);
    s.flags = SEG_RST;
    assert_null(sent_log_take(&j, &s));
    s = segment(1);
    s.wnd++;
    assert_null(sent_log_take(&j, &s));
    assert_non_null(take(1));
}

static void the_oldest_is_forgotten_when_it_is_full(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= SENT_LOG_ENTRIES; i++)
        send_one(i, false);
    assert_null(take(0));
    for (uint32_t i = 1; i <= SENT_LOG_ENTRIES; i++)
        assert_int_equal(take(i)->seq.v, i);
    assert_true(sent_log_empty(&j));
}

static void what_the_capture_lost_is_known_by_a_later_segment_of_ours(void **state)
{
    struct seg later = segment(21), never = segment(99);
    (void)state;
    send_one(1, false);
    send_one(11, false);
    send_one(21, false);
    assert_null(sent_log_missed_before(&j, &never));
    assert_int_equal(sent_log_missed_before(&j, &later)->seq.v, 1);
    assert_int_equal(sent_log_missed_before(&j, &later)->seq.v, 11);
    assert_null(sent_log_missed_before(&j, &later));
    assert_non_null(take(21));
}

static void what_the_capture_lost_is_known_by_the_peers_acknowledgement(void **state)
{
    struct seg later = segment(21);
    (void)state;
    send_one(1, false);
    send_one(11, true); /* may have left after the acknowledgement was captured */
    send_one(21, false);
    assert_null(sent_log_missed_by_ack(&j, 2, seq_of(31))); /* another connection's */
    assert_null(sent_log_missed_by_ack(&j, 1, seq_of(10)));
    assert_int_equal(sent_log_missed_by_ack(&j, 1, seq_of(20))->seq.v, 1);
    assert_null(sent_log_missed_by_ack(&j, 1, seq_of(20)));
    assert_int_equal(sent_log_missed_before(&j, &later)->seq.v, 11); /* and 1 is not reported a second time */
    assert_null(sent_log_missed_before(&j, &later));
    assert_int_equal(sent_log_missed(&j)->seq.v, 21);
    assert_null(sent_log_missed(&j));
    assert_true(sent_log_empty(&j));
}

/* What is sent, and whether it was before. */
static struct sent_side side;

static struct sent_delta note(uint16_t flags, uint32_t seq, uint32_t len)
{
    struct seg s = {.seq = seq_of(seq), .flags = flags, .len = len};
    return sent_update(&side, &s, false);
}

static void bytes_are_news_once(void **state)
{
    (void)state;
    side = (struct sent_side){.any = false};
    assert_int_equal(note(SEG_SYN, UINT32_MAX, 0).bytes, 0);
    assert_int_equal(note(SEG_ACK, 0, 10).bytes, 10);
    assert_false(note(SEG_ACK, 10, 0).sent_before);
    struct sent_delta news = note(SEG_ACK, 0, 10);
    assert_true(news.sent_before);
    assert_int_equal(news.bytes, 0);
    news = note(SEG_ACK | SEG_FIN, 5, 10); /* some of it was sent before */
    assert_true(news.sent_before);
    assert_int_equal(news.bytes, 5);
    assert_true(note(SEG_FIN | SEG_ACK, 15, 0).sent_before);
    assert_false(note(SEG_RST, 0, 0).sent_before);
}

static void a_probe_says_nothing_new(void **state)
{
    struct seg probe = {.seq = seq_of(9), .flags = SEG_ACK, .len = 1};
    (void)state;
    side = (struct sent_side){.any = false};
    note(SEG_ACK, 0, 10);
    assert_false(sent_update(&side, &probe, true).sent_before);
    assert_true(sent_update(&side, &probe, false).sent_before);
}

static void a_syn_ack_that_answers_a_syn_was_asked_for(void **state)
{
    (void)state;
    side = (struct sent_side){.any = false};
    side.asked = true;
    assert_false(note(SEG_SYN | SEG_ACK, 0, 0).sent_before);
    side.asked = true;
    assert_false(note(SEG_SYN | SEG_ACK, 0, 0).sent_before);
    assert_true(note(SEG_SYN | SEG_ACK, 0, 0).sent_before);
}

static void an_entry_gives_its_segment_back(void **state)
{
    struct seg s = segment(5);
    (void)state;
    s.opt = (struct opt){.has = OPT_MSS, .mss = 1460};
    struct sent_entry e = sent_entry(3, &s, STATE_CLOSE_WAIT);
    struct seg back = sent_seg(&e);
    assert_int_equal(e.id, 3);
    assert_int_equal(e.state, STATE_CLOSE_WAIT);
    assert_true(seq_eq(back.seq, s.seq) && seq_eq(back.ack, s.ack));
    assert_int_equal(back.len, s.len);
    assert_int_equal(back.flags, s.flags);
    assert_int_equal(back.wnd, s.wnd);
    assert_int_equal(back.opt.mss, 1460);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(entries_are_found_in_order, reset),
        cmocka_unit_test_setup(what_the_capture_lost_is_stepped_over, reset),
        cmocka_unit_test_setup(a_probe_shows_that_time_has_passed, reset),
        cmocka_unit_test_setup(what_the_capture_lost_is_known_by_a_later_segment_of_ours, reset),
        cmocka_unit_test_setup(what_the_capture_lost_is_known_by_the_peers_acknowledgement, reset),
        cmocka_unit_test_setup(what_is_held_back_stays_when_a_later_one_is_picked, reset),
        cmocka_unit_test_setup(a_segment_that_we_did_not_send_has_no_entry, reset),
        cmocka_unit_test_setup(the_oldest_is_forgotten_when_it_is_full, reset),
        cmocka_unit_test(bytes_are_news_once),
        cmocka_unit_test(a_probe_says_nothing_new),
        cmocka_unit_test(a_syn_ack_that_answers_a_syn_was_asked_for),
        cmocka_unit_test(an_entry_gives_its_segment_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
