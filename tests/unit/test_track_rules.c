/* Tests the tracker against peers that break the rules, and with captures that miss segments: what
 * both sides have acknowledged is true, and no state called proved may contradict it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/track_rig.h"

/* There is no window scaling, so that the peer may send 65,535 bytes at most, and it sends 120
 * segments of 1,460 bytes and its FIN without a pause. */
static void overrun(void)
{
    watched.window[TRACK_A] = 65535;
    open_actively();
    a(ACK, 1, 1, 1);
    b(ACK, 1, 2, 0);
    for (uint32_t i = 0; i < 120; i++)
        b(ACK, 1 + i * 1460, 2, 1460);
    b(FIN | ACK, 175201, 2, 0);
}

static void bytes_beyond_the_window_are_true_once_they_are_acknowledged(void **unused)
{
    (void)unused;
    overrun();
    assert_int_equal(a(ACK, 2, 29201, 0), TRACK_NEW);
    assert_int_equal(a(ACK, 2, 146001, 0), TRACK_NEW);
    assert_int_equal(a(ACK, 2, 175202, 0), TRACK_NEW);
    peer_is(FIN_WAIT_2, ASSUMED);
    assert_int_equal(a(FIN | ACK, 2, 175202, 0), TRACK_NEW);
    assert_int_equal(b(ACK, 175202, 3, 0), TRACK_NEW);
    peer_is(TIME_WAIT, ASSUMED);
    we_are(CLOSED, ASSUMED);
}

static void a_proof_from_before_the_overrun_does_not_stand_against_it(void **unused)
{
    (void)unused;
    overrun();
    a(ACK, 2, 146001, 0);
    peer_is(ESTABLISHED, ASSUMED);
    evidence_is(TRACK_B, 127, "we acknowledged later segments");
}

static void bytes_beyond_the_window_move_nothing_by_themselves(void **unused)
{
    (void)unused;
    established();
    assert_int_equal(b(ACK, 90000, 101, 1460), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(FIN | ACK, 91460, 101, 0), TRACK_OUT_OF_WINDOW);
    peer_is(ESTABLISHED, PROVED);
    we_are(ESTABLISHED, PROVED);
    assert_int_equal(b(ACK, 101, 101, 100), TRACK_NEW);
    assert_int_equal(a(ACK, 101, 201, 0), TRACK_NEW);
    we_are(ESTABLISHED, PROVED);
}

static void a_few_segments_that_fit_together_put_a_proof_in_doubt(void **unused)
{
    (void)unused;
    established();
    b(ACK, 90000, 101, 1000);
    b(ACK, 91000, 101, 1000);
    peer_is(ESTABLISHED, PROVED);
    b(ACK, 92000, 101, 1000);
    peer_is(ESTABLISHED, ASSUMED);
    evidence_is(TRACK_B, 5, "it contradicts what was seen");
    b(ACK, 101, 101, 0);
    peer_is(ESTABLISHED, PROVED);
}

static void acks_of_what_was_never_sent_put_a_proof_in_doubt_when_they_go_on(void **unused)
{
    (void)unused;
    established();
    for (uint32_t i = 1; i <= 3; i++)
        assert_int_equal(b(ACK, 101, 101 + 1000 * i, 0), TRACK_OUT_OF_WINDOW);
    peer_is(ESTABLISHED, ASSUMED);
    we_are(ESTABLISHED, PROVED);
}

/* The capture lost a burst of ours and the acknowledgements of most of it. */
static void what_a_capture_missed_is_followed_when_both_sides_speak_of_it(void **unused)
{
    (void)unused;
    established();
    track_gap(&watched.t);
    assert_int_equal(b(ACK, 101, 200101, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(a(ACK, 250101, 101, 1000), TRACK_OUT_OF_ORDER);
    assert_int_equal(b(ACK, 101, 251101, 0), TRACK_NEW);
    a(FIN | ACK, 251101, 101, 0);
    b(ACK, 101, 251102, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
    we_are(FIN_WAIT_2, ASSUMED);
}

static void a_fin_that_was_missed_is_not_denied_by_a_probe_in_its_place(void **unused)
{
    (void)unused;
    established();
    track_gap(&watched.t);
    /* b(FIN | ACK, 101, 101, 0) and our ACK of it were missed. */
    a(ACK, 101, 101, 50);
    b(ACK, 101, 151, 0);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 5, "it acknowledged our data"); /* from before */
    a(ACK, 151, 102, 0);                                 /* but this was not */
    b(ACK, 101, 151, 0);
    we_are(ESTABLISHED, ASSUMED);
    evidence_is(TRACK_A, 10, "it contradicts what was seen");
}

/* B's ACK of A's FIN was missed: what was not captured does not show whether A has received it. */
static void an_ack_of_a_fin_that_was_missed_leaves_fin_wait_1_assumed(void **unused)
{
    (void)unused;
    established();
    track_gap(&watched.t);
    a(FIN | ACK, 101, 101, 0);
    we_are(FIN_WAIT_1, PROVED);
    b(FIN | ACK, 101, 101, 0);
    a(ACK, 102, 102, 0); /* CLOSING, or TIME_WAIT */
    we_are(CLOSING, ASSUMED);
}

static void a_fin_in_two_places_leaves_nothing_proved(void **unused)
{
    (void)unused;
    established();
    b(ACK, 101, 101, 100);
    b(FIN | ACK, 151, 101, 0); /* in the middle of what we may not have got yet */
    a(ACK, 101, 152, 0);       /* so that we have taken its FIN, or the data */
    we_are(ESTABLISHED, ASSUMED);
    peer_is(ESTABLISHED, ASSUMED);
    a(ACK, 101, 152, 0);
    we_are(ESTABLISHED, ASSUMED);
}

static void a_byte_in_the_place_of_a_fin_leaves_nothing_proved(void **unused)
{
    (void)unused;
    established();
    b(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 101, 1);
    a(ACK, 101, 102, 0);
    we_are(CLOSE_WAIT, ASSUMED);
    peer_is(FIN_WAIT_2, ASSUMED);
}

/* Both open, and A sends a FIN in the place of its SYN before B was heard. */
static void rfc9293_3_10_7_4_an_ack_of_the_syn_is_none_of_a_fin_in_its_place(void **unused)
{
    (void)unused;
    watched.iss[TRACK_A] = 0x90000000;
    a(SYN, 0, 0, 0);
    assert_int_equal(a(FIN | ACK, 0, 0, 0), TRACK_OUT_OF_WINDOW);
    b(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
    b(ACK, 1, 1, 0); /* SYN_RECEIVED answers what it does not take */
    peer_is(SYN_RECEIVED, PROVED);
    fresh(NULL);
    open_actively();
    assert_int_equal(a(FIN | ACK, 0, 1, 0), TRACK_OUT_OF_WINDOW);
    b(ACK, 1, 1, 0);
    we_are(ESTABLISHED, PROVED);
    peer_is(ESTABLISHED, ASSUMED);
}

/* B's SYN crosses A's, which contradicts itself about its FIN before B can have heard anything. */
static void a_syn_that_crosses_does_not_settle_where_a_fin_is(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    a(FIN | ACK, 51, 0, 0);
    a(FIN | ACK, 1, 0, 0);
    b(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, ASSUMED);
    b(ACK, 1, 2, 0); /* of a byte, or of a FIN */
    peer_is(ESTABLISHED, ASSUMED);
}

/* A is reset in SYN_RECEIVED, as far as is seen; what it has sent by then is still on its way. */
static void a_syn_ack_that_crosses_a_rst_proves_no_more_than_another_segment(void **unused)
{
    (void)unused;
    b(SYN, 0, 0, 0);
    a(SYN | ACK, 0, 1, 0);
    b(ACK, 1, 1, 1);
    b(FIN | ACK, 2, 1, 0);
    b(RST, 3, 0, 0);
    peer_is(CLOSED, PROVED);
    assert_int_equal(a(SYN | ACK, 0, 1, 0), TRACK_RETRANSMISSION);
    we_are(CLOSED, ASSUMED);
    a(ACK, 1, 3, 0);
    we_are(CLOSED, ASSUMED);
}

/* A FIN with an ACK that is not to be believed, and data behind it: we may have taken either. */
static void a_fin_that_was_not_believed_and_does_not_come_last_leaves_nothing_proved(void **unused)
{
    (void)unused;
    established();
    b(FIN | ACK, 601, 40000, 0);
    b(ACK, 101, 101, 100);
    b(ACK, 901, 101, 0);
    a(ACK, 101, 201, 0);
    b(ACK, 201, 101, 500);
    a(ACK, 101, 701, 0);
    we_are(ESTABLISHED, ASSUMED);
    peer_is(ESTABLISHED, ASSUMED);
}

/* With gaps, what is not believed may be true: no proof stands against it. */
static void what_does_not_fit_a_capture_with_gaps_puts_a_proof_in_doubt(void **unused)
{
    (void)unused;
    established();
    track_gap(&watched.t);
    assert_int_equal(a(FIN | ACK, 101, 5000, 0), TRACK_OUT_OF_WINDOW);
    we_are(ESTABLISHED, ASSUMED);
    evidence_is(TRACK_A, 8, "it contradicts what was seen");
    peer_is(ESTABLISHED, PROVED);
}

/* A's RST was another's, and what A sends is taken for older than that RST. */
static void an_ack_that_was_passed_over_for_a_rst_leaves_fin_wait_1_assumed(void **unused)
{
    (void)unused;
    established();
    a(RST, 101, 0, 0);
    wait_ms(2 * LATE);
    b(FIN | ACK, 101, 101, 0);
    a(ACK, 101, 102, 0);
    b(ACK, 102, 101, 0); /* FIN_WAIT_2, in truth */
    peer_is(FIN_WAIT_1, PROVED);
    evidence_is(TRACK_B, 9, "it sent its FIN");
    a(ACK, 100, 102, 0);
    assert_int_equal(b(ACK, 102, 101, 0) & TRACK_OUT_OF_WINDOW, 0);
    evidence_is(TRACK_B, 9, "it sent its FIN");
}

/* A's ACK of what B has never sent was missed, and SYN_RECEIVED answers it. */
static void rst_of_an_active_opener_may_answer_an_ack_that_was_missed(void **unused)
{
    (void)unused;
    b(SYN, 0, 0, 0);
    a(SYN, 0, 0, 0);
    track_gap(&watched.t);
    b(RST, 1, 0, 0);
    peer_is(CLOSED, ASSUMED);
}

/* B's SYN was missed. A has had it, and what PAWS or the window keeps out of SYN_RECEIVED is
 * answered all the same. */
static void rfc9293_3_10_7_4_an_ack_of_a_syn_ack_may_come_from_syn_received(void **unused)
{
    (void)unused;
    track_gap(&watched.t); /* b(SYN, 0, 0, 0) was missed */
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0); /* its SYN-ACK comes behind this, or was lost */
    we_are(ESTABLISHED, ASSUMED);
    a(SYN | ACK, 0, 1, 0);
    b(ACK, 1, 1, 100);
    a(ACK, 1, 101, 0); /* which only a synchronized state takes */
    we_are(ESTABLISHED, PROVED);
    fresh(NULL);
    track_gap(&watched.t);
    a(SYN, 0, 0, 0);
    watched.iss[TRACK_A] += 1000; /* A begins once more, and B's SYN is still on its way */
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
    we_are(ESTABLISHED, ASSUMED);
}

/* What was missed before one connection says nothing of the next one on the same ports. */
static void an_ack_of_a_syn_ack_proves_established_where_no_syn_was_missed(void **unused)
{
    (void)unused;
    track_gap(&watched.t);
    for (int i = 0; i < 2; i++) {
        open_actively();
        we_are(ESTABLISHED, i == 0 ? ASSUMED : PROVED);
        a(RST, 1, 0, 0);
        wait_ms(2 * LATE);
        watched.iss[TRACK_A] += 100000;
        watched.iss[TRACK_B] += 100000;
    }
    fresh(NULL);
    open_actively();
    we_are(ESTABLISHED, PROVED);
}

/* B has a byte of A's that was not seen, and A sends a FIN in its place. */
static void an_ack_of_a_fin_behind_what_was_not_seen_may_be_that_of_a_byte(void **unused)
{
    (void)unused;
    established();
    track_gap(&watched.t);
    /* a(ACK, 101, 101, 1) was missed. */
    b(ACK, 101, 101, 0);
    a(FIN | ACK, 102, 101, 0); /* not where what was seen ends */
    b(ACK, 101, 103, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
    fresh(NULL);
    a(FIN | ACK, 102, 101, 0);
    b(ACK, 101, 103, 100);
    b(ACK, 201, 103, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
}

/* B sends an ACK in SYN_RECEIVED, and in ESTABLISHED a byte, which comes here first. */
static void an_ack_that_a_byte_has_overtaken_is_no_probe_that_proves_anything(void **unused)
{
    (void)unused;
    open_actively();
    a(ACK, 1, 1, 100);
    wait_ms(LATE);
    b(ACK, 1, 1, 1);
    a(ACK, 101, 2, 0);
    b(ACK, 1, 1, 0);
    peer_is(ESTABLISHED, ASSUMED);
    wait_ms(2 * LATE);
    b(ACK, 1, 1, 0); /* no segment is on its way for so long */
    peer_is(ESTABLISHED, PROVED);
}

/* The bytes before B's FIN were missed: FIN_WAIT_2 does not stand against our ACK of it. */
static void an_ack_of_a_fin_behind_what_was_not_seen_takes_a_proof_with_it(void **unused)
{
    (void)unused;
    established();
    a(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 102, 0);
    b(ACK, 101, 102, 100);
    a(ACK, 102, 201, 0);
    we_are(FIN_WAIT_2, PROVED);
    track_gap(&watched.t);
    b(FIN | ACK, 60201, 102, 0); /* at the edge of the window, as far as was seen */
    we_are(FIN_WAIT_2, PROVED);
    a(ACK, 102, 60202, 0);
    we_are(TIME_WAIT, ASSUMED);
}

/* All of B's was missed: A has acknowledged something that only synchronized states take. */
static void a_newer_ack_than_that_of_the_syn_ack_speaks_against_syn_received(void **unused)
{
    (void)unused;
    track_gap(&watched.t);
    a(SYN | ACK, 0, 1, 0);
    we_are(SYN_RECEIVED, PROVED);
    a(ACK, 1, 3, 0); /* of a byte, and a FIN */
    we_are(ESTABLISHED, ASSUMED);
}

/* B's window is overrun by B itself: the segment does not count, but for its ACK of our FIN. */
static void no_proof_stands_against_an_ack_of_a_fin_beyond_the_window(void **unused)
{
    (void)unused;
    established();
    a(FIN | ACK, 101, 101, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
    b(ACK, 101, 101, 0);
    wait_ms(LATE);
    a(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 101, 0);
    peer_is(ESTABLISHED, PROVED);
    assert_int_equal(b(ACK, 90000, 102, 0), TRACK_OUT_OF_WINDOW);
    peer_is(CLOSE_WAIT, ASSUMED);
    evidence_is(TRACK_B, 12, "it acknowledged our FIN");
}

/* A's FIN was missed, and A then contradicts it by a higher number. */
static void a_number_beyond_says_nothing_of_a_fin_that_was_missed(void **unused)
{
    (void)unused;
    established();
    track_gap(&watched.t);
    /* a(FIN | ACK, 101, 101, 0) and b(ACK, 101, 102, 0) were missed. */
    a(ACK, 5000, 101, 100);
    b(FIN | ACK, 101, 102, 0); /* LAST_ACK, in truth */
    peer_is(FIN_WAIT_1, ASSUMED);
    fresh(NULL);
    b(ACK, 7000, 102, 100); /* the same, seen from the middle on */
    a(ACK, 5000, 7100, 0);
    b(FIN | ACK, 7100, 102, 0);
    peer_is(UNKNOWN, ASSUMED);
}

static void an_ack_at_the_edge_of_a_window_that_shrank_is_not_snd_nxt(void **unused)
{
    (void)unused;
    established();
    b(ACK, 101, 101, 100);
    wait_ms(LATE);
    watched.window[TRACK_A] = 100; /* it was 60,000 */
    a(ACK, 101, 101, 0);
    fresh(NULL);
    watched.window[TRACK_A] = 60000;
    open_actively();
    wait_ms(LATE);
    watched.window[TRACK_A] = 100;
    a(ACK, 1, 1, 0);
    b(ACK, 1, 1, 100);
    b(ACK, 101, 1, 0); /* a FIN may have gone before, and was lost */
    peer_is(ESTABLISHED, ASSUMED);
}

static void rst_in_syn_sent_answers_an_ack_and_ends_nothing(void **unused)
{
    (void)unused;
    b(ACK, 5000, 77, 0);
    watched.iss[TRACK_A] -= 1000000;
    a(SYN, 0, 0, 0);
    watched.iss[TRACK_A] += 1000000;
    a(RST, 77, 0, 0);
    we_are(SYN_SENT, PROVED);
}

/* Answers to probes. */

static void rfc9293_3_8_4_an_answer_acknowledges_what_was_sent_before_the_probe(void **unused)
{
    (void)unused;
    established();
    assert_int_equal(a(ACK, 100, 101, 0), TRACK_PROBE);
    a(ACK, 101, 101, 50);
    assert_int_equal(b(ACK, 101, 151, 0), TRACK_NEW); /* of the data */
    evidence_is(TRACK_B, 5, "it acknowledged our data");
    assert_int_equal(b(ACK, 101, 151, 0), TRACK_NEW); /* nothing waits for an answer now */
}

static void an_ack_of_our_fin_answers_no_probe(void **unused)
{
    (void)unused;
    established();
    assert_int_equal(a(ACK, 100, 101, 0), TRACK_PROBE);
    a(FIN | ACK, 101, 101, 0);
    assert_int_equal(b(ACK, 101, 102, 0), TRACK_NEW);
    peer_is(CLOSE_WAIT, PROVED);
    evidence_is(TRACK_B, 10, "it acknowledged our FIN");
}

static void an_answer_that_crossed_later_data_is_one(void **unused)
{
    (void)unused;
    established();
    a(ACK, 100, 101, 0);
    a(ACK, 101, 101, 50);
    assert_int_equal(b(ACK, 101, 101, 0), TRACK_PROBE_ANSWER);
    assert_int_equal(b(ACK, 101, 151, 0), TRACK_NEW);
}

static void an_answer_that_brings_data_is_no_answer_of_a_probe(void **unused)
{
    (void)unused;
    established();
    a(ACK, 100, 101, 0);
    assert_int_equal(b(ACK, 101, 101, 10), TRACK_NEW);
    assert_int_equal(b(ACK, 111, 101, 0), TRACK_PROBE_ANSWER);
}

/* FINs that cross, and a peer that never takes ours. */

static void fins_cross(void)
{
    established();
    a(FIN | ACK, 101, 101, 0);
    b(FIN | ACK, 101, 101, 0);
    a(ACK, 102, 102, 0);
    peer_is(TIME_WAIT, ASSUMED);
}

static void acks_below_our_fin_contradict_time_wait_after_its_repetition(void **unused)
{
    (void)unused;
    fins_cross();
    a(FIN | ACK, 101, 102, 0);
    b(ACK, 102, 101, 0);
    peer_is(FIN_WAIT_2, ASSUMED);
    evidence_is(TRACK_B, 12, "its ACKs stop before our FIN");
    for (int i = 0; i < 3; i++) {
        wait_ms(LATE);
        a(FIN | ACK, 101, 102, 0);
        peer_is(FIN_WAIT_2, ASSUMED); /* as long as it does not take it */
        b(ACK, 102, 101, 0);
    }
    peer_is(FIN_WAIT_2, ASSUMED);
    b(ACK, 102, 102, 0);
    peer_is(TIME_WAIT, ASSUMED);
}

static void an_ack_below_our_fin_contradicts_time_wait_when_it_is_repeated_or_late(void **unused)
{
    (void)unused;
    fins_cross();
    b(ACK, 102, 101, 0); /* the second of its kind: the FIN itself was the first */
    peer_is(FIN_WAIT_2, ASSUMED);
    fresh(NULL);
    fins_cross();
    watched.window[TRACK_B] += 100; /* a window update may have crossed our FIN */
    b(ACK, 102, 101, 0);
    peer_is(TIME_WAIT, ASSUMED);
    wait_ms(2 * LATE);
    watched.window[TRACK_B] += 100;
    b(ACK, 102, 101, 0);
    peer_is(FIN_WAIT_2, ASSUMED);
}

static void acks_below_our_fin_contradict_close_wait_in_the_same_way(void **unused)
{
    (void)unused;
    established();
    a(FIN | ACK, 101, 101, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
    wait_ms(LATE);
    a(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 101, 0);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 10, "it sends ACKs, and has sent no FIN");
    b(ACK, 101, 102, 0);
    peer_is(CLOSE_WAIT, PROVED);
}

static void both_sides_are_judged_alike_when_fins_cross(void **unused)
{
    (void)unused;
    established();
    b(FIN | ACK, 101, 101, 0);
    a(FIN | ACK, 101, 101, 0);
    b(ACK, 102, 102, 0);
    we_are(TIME_WAIT, ASSUMED);
    b(FIN | ACK, 101, 102, 0);
    a(ACK, 102, 101, 0);
    we_are(FIN_WAIT_2, ASSUMED);
    evidence_is(TRACK_A, 12, "its ACKs stop before the peer's FIN");
}

#define CASE(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(bytes_beyond_the_window_are_true_once_they_are_acknowledged),
        CASE(a_proof_from_before_the_overrun_does_not_stand_against_it),
        CASE(bytes_beyond_the_window_move_nothing_by_themselves),
        CASE(a_few_segments_that_fit_together_put_a_proof_in_doubt),
        CASE(acks_of_what_was_never_sent_put_a_proof_in_doubt_when_they_go_on),
        CASE(what_a_capture_missed_is_followed_when_both_sides_speak_of_it),
        CASE(a_fin_that_was_missed_is_not_denied_by_a_probe_in_its_place),
        CASE(an_ack_of_a_fin_that_was_missed_leaves_fin_wait_1_assumed),
        CASE(a_fin_in_two_places_leaves_nothing_proved),
        CASE(a_byte_in_the_place_of_a_fin_leaves_nothing_proved),
        CASE(rfc9293_3_10_7_4_an_ack_of_the_syn_is_none_of_a_fin_in_its_place),
        CASE(a_syn_that_crosses_does_not_settle_where_a_fin_is),
        CASE(a_syn_ack_that_crosses_a_rst_proves_no_more_than_another_segment),
        CASE(a_fin_that_was_not_believed_and_does_not_come_last_leaves_nothing_proved),
        CASE(a_newer_ack_than_that_of_the_syn_ack_speaks_against_syn_received),
        CASE(what_does_not_fit_a_capture_with_gaps_puts_a_proof_in_doubt),
        CASE(an_ack_that_was_passed_over_for_a_rst_leaves_fin_wait_1_assumed),
        CASE(rst_of_an_active_opener_may_answer_an_ack_that_was_missed),
        CASE(rfc9293_3_10_7_4_an_ack_of_a_syn_ack_may_come_from_syn_received),
        CASE(an_ack_of_a_syn_ack_proves_established_where_no_syn_was_missed),
        CASE(an_ack_of_a_fin_behind_what_was_not_seen_may_be_that_of_a_byte),
        CASE(an_ack_that_a_byte_has_overtaken_is_no_probe_that_proves_anything),
        CASE(an_ack_of_a_fin_behind_what_was_not_seen_takes_a_proof_with_it),
        CASE(no_proof_stands_against_an_ack_of_a_fin_beyond_the_window),
        CASE(a_number_beyond_says_nothing_of_a_fin_that_was_missed),
        CASE(an_ack_at_the_edge_of_a_window_that_shrank_is_not_snd_nxt),
        CASE(rst_in_syn_sent_answers_an_ack_and_ends_nothing),
        CASE(rfc9293_3_8_4_an_answer_acknowledges_what_was_sent_before_the_probe),
        CASE(an_ack_of_our_fin_answers_no_probe),
        CASE(an_answer_that_crossed_later_data_is_one),
        CASE(an_answer_that_brings_data_is_no_answer_of_a_probe),
        CASE(acks_below_our_fin_contradict_time_wait_after_its_repetition),
        CASE(an_ack_below_our_fin_contradicts_time_wait_when_it_is_repeated_or_late),
        CASE(acks_below_our_fin_contradict_close_wait_in_the_same_way),
        CASE(both_sides_are_judged_alike_when_fins_cross),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
