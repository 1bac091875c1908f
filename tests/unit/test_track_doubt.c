/* Tests the tracker where it could be wrong: probes, silence, segments that are old, reordered,
 * duplicated or forged, flows that are seen from the middle on, and ports that are used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/track_infer.h"
#include "tests/unit/track_rig.h"

/* Keepalive, challenges, silence. */

static void a_keepalive_probe_and_its_answer(void **unused)
{
    (void)unused;
    established();
    wait_ms(7200 * 1000);
    assert_int_equal(a(ACK, 100, 101, 0), TRACK_PROBE);
    assert_int_equal(b(ACK, 101, 101, 0), TRACK_PROBE_ANSWER);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 9, "it answered our probe");
    wait_ms(75 * 1000);
    assert_int_equal(b(ACK, 100, 101, 1), TRACK_PROBE);
    assert_int_equal(a(ACK, 101, 101, 0), TRACK_PROBE_ANSWER);
    evidence_is(TRACK_A, 11, "it answered the peer's probe");
    assert_int_equal(a(ACK, 101, 101, 0), TRACK_NEW);
}

static void a_probe_of_the_peers_proves_established_before_any_data(void **unused)
{
    (void)unused;
    open_actively();
    assert_int_equal(b(ACK, 0, 1, 0), TRACK_PROBE);
    peer_is(ESTABLISHED, ASSUMED); /* an answer within a window that was shut, maybe */
    wait_ms(2 * LATE);
    assert_int_equal(b(ACK, 0, 1, 0), TRACK_PROBE);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 5, "it probes us");
}

static void a_probe_with_a_byte_may_be_data_repeated_with_a_fin_behind_it(void **unused)
{
    (void)unused;
    open_actively();
    wait_ms(LATE);
    b(ACK, 1, 1, 1);
    a(ACK, 1, 2, 0);
    assert_int_equal(b(ACK, 1, 1, 1), TRACK_PROBE);
    peer_is(ESTABLISHED, ASSUMED);
    wait_ms(2 * LATE);
    b(ACK, 1, 1, 0);
    peer_is(ESTABLISHED, PROVED);
}

static void a_silent_peer_is_merely_assumed_until_it_speaks(void **unused)
{
    (void)unused;
    established();
    a(ACK, 100, 101, 0);
    track_silent(&watched.t, TRACK_B);
    peer_is(ESTABLISHED, ASSUMED);
    evidence_is(TRACK_B, 5, "it no longer answers");
    we_are(ESTABLISHED, PROVED);
    b(ACK, 101, 101, 0);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 9, "it answered our probe");
    track_silent(&watched.t, TRACK_B);
    b(ACK, 90000, 101, 0); /* a forgery is no sign of life */
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 101, 101, 100);
    peer_is(ESTABLISHED, PROVED);
}

static void silence_of_a_peer_that_was_never_heard_is_unknown(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    track_silent(&watched.t, TRACK_B);
    peer_is(UNKNOWN, ASSUMED);
}

static void rfc5961_4_a_syn_in_established_draws_a_challenge_and_moves_nothing(void **unused)
{
    (void)unused;
    established();
    watched.iss[TRACK_A] += 5000;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_OUT_OF_WINDOW);
    watched.iss[TRACK_A] -= 5000;
    we_are(ESTABLISHED, PROVED);
    assert_int_equal(b(ACK, 101, 101, 0), TRACK_CHALLENGE);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 5, "it acknowledged our data");
}

/* Ways to be wrong. */

static void reordered_segments_move_nothing_back(void **unused)
{
    (void)unused;
    established();
    a(ACK, 101, 101, 100);
    a(FIN | ACK, 201, 101, 0);
    b(ACK, 101, 202, 0);
    assert_int_equal(b(ACK, 101, 201, 0), TRACK_NEW); /* overtaken */
    peer_is(CLOSE_WAIT, PROVED);
    b(FIN | ACK, 201, 202, 0); /* and so is its data */
    peer_is(LAST_ACK, PROVED);
    assert_int_equal(b(ACK, 101, 202, 100), TRACK_RETRANSMISSION);
    peer_is(LAST_ACK, PROVED);
}

static void duplicates_of_each_segment_move_nothing(void **unused)
{
    (void)unused;
    established();
    b(SYN | ACK, 0, 1, 0);
    b(ACK, 1, 101, 0);
    b(ACK, 1, 101, 100);
    a(SYN, 0, 0, 0);
    a(ACK, 1, 1, 0);
    a(ACK, 1, 1, 100);
    a(ACK, 101, 101, 0);
    peer_is(ESTABLISHED, PROVED);
    we_are(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 5, "it acknowledged our data");
    evidence_is(TRACK_A, 3, "it acknowledged the peer's SYN");
}

static void a_duplicated_ack_before_the_fin_does_not_undo_fin_wait_1(void **unused)
{
    (void)unused;
    established();
    b(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 101, 0);
    peer_is(FIN_WAIT_1, PROVED);
}

static void an_ack_of_what_was_never_sent_moves_nothing(void **unused)
{
    (void)unused;
    established();
    assert_int_equal(b(ACK, 101, 102, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(FIN | ACK, 101, 5000, 0), TRACK_OUT_OF_WINDOW);
    peer_is(ESTABLISHED, PROVED);
    we_are(ESTABLISHED, PROVED);
    a(FIN | ACK, 101, 101, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
}

static void a_syn_ack_that_does_not_answer_our_syn_is_not_believed(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    assert_int_equal(b(SYN | ACK, 0, 9, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(SYN | ACK, 0, 0, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(SYN | FIN | ACK, 0, 1, 0), TRACK_OUT_OF_WINDOW);
    peer_is(UNKNOWN, ASSUMED);
    a(RST, 9, 0, 0);
    we_are(SYN_SENT, PROVED);
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
}

static void segments_outside_the_window_move_nothing(void **unused)
{
    (void)unused;
    established();
    assert_int_equal(b(FIN | ACK, 70000, 101, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(ACK, 70000, 101, 100), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(FIN | ACK, (uint32_t)-5000, 101, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(ACK, (uint32_t)-5000, 101, 100), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(ACK, 101, (uint32_t)-5, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(ACK, 101, 0, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(NONE, 101, 0, 100), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(FIN, 101, 0, 0), TRACK_OUT_OF_WINDOW);
    peer_is(ESTABLISHED, PROVED);
    we_are(ESTABLISHED, PROVED);
    assert_int_equal(b(FIN | ACK, 101, 101, 0), TRACK_NEW);
    peer_is(FIN_WAIT_1, PROVED);
}

static void rfc9293_3_10_7_4_an_old_ack_moves_una_and_leaves_the_window(void **unused)
{
    (void)unused;
    open_actively();
    b(ACK, 1, 1, 0);
    a(ACK, 1, 1, 50000);
    watched.window[TRACK_A] =
        100; /* A's old segment: B takes its ACK and keeps the 60,000 it knew */
    b(ACK, 1, 50001, 20000);
    a(ACK, 1, 20001, 1000);
    b(FIN | ACK, 75001, 50001, 0);
    peer_is(FIN_WAIT_1, PROVED);
}

static void rfc7323_a_scaled_window_reaches_further(void **unused)
{
    (void)unused;
    watched.options = (struct opt){.has = OPT_WSCALE, .wscale = 7};
    watched.window[TRACK_A] = 1000; /* 128,000 bytes, but not in a SYN */
    established();
    assert_int_equal(b(ACK, 120000, 101, 100), TRACK_OUT_OF_ORDER);
    assert_int_equal(b(ACK, 128200, 101, 100), TRACK_OUT_OF_WINDOW);
}

static void rfc7323_one_offer_of_scaling_scales_nothing(void **unused)
{
    (void)unused;
    watched.options = (struct opt){.has = OPT_WSCALE, .wscale = 7};
    watched.window[TRACK_A] = 1000;
    a(SYN, 0, 0, 0);
    watched.options = (struct opt){0};
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
    assert_int_equal(b(ACK, 1002, 1, 100), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(ACK, 900, 1, 100), TRACK_OUT_OF_ORDER);
}

/* Hosts leave options off a SYN that they must send for the third or fourth time. */
static void rfc7323_a_syn_repeated_without_scaling_scales_nothing(void **unused)
{
    (void)unused;
    watched.options = (struct opt){.has = OPT_WSCALE, .wscale = 7};
    watched.window[TRACK_A] = 1000;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    wait_ms(LATE);
    watched.options = (struct opt){0};
    a(SYN, 0, 0, 0);
    watched.options = (struct opt){.has = OPT_WSCALE, .wscale = 7};
    b(SYN | ACK, 0, 1, 0); /* a listener that keeps to the first */
    a(ACK, 1, 1, 0);
    assert_int_equal(b(ACK, 1002, 1, 100), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(ACK, 900, 1, 100), TRACK_OUT_OF_ORDER);
}

static void nothing_lies_behind_a_fin_and_it_does_not_move(void **unused)
{
    (void)unused;
    established();
    b(FIN | ACK, 101, 101, 0);
    assert_int_equal(b(ACK, 102, 101, 100), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(FIN | ACK, 90, 101, 0), TRACK_OUT_OF_WINDOW);
    peer_is(FIN_WAIT_1, PROVED);
    assert_int_equal(a(FIN | ACK, 99, 102, 0), TRACK_OUT_OF_WINDOW); /* data was seen there */
    we_are(CLOSE_WAIT, ASSUMED);
}

static void a_fin_beyond_a_gap_is_fin_wait_1_at_once(void **unused)
{
    (void)unused;
    established();
    assert_int_equal(b(FIN | ACK, 201, 101, 100), TRACK_OUT_OF_ORDER);
    peer_is(FIN_WAIT_1, PROVED);
    assert_int_equal(b(ACK, 101, 101, 100), TRACK_RETRANSMISSION);
    peer_is(FIN_WAIT_1, PROVED);
}

static void notes_of_the_stream(void **unused)
{
    (void)unused;
    established();
    assert_int_equal(a(ACK, 101, 101, 100), TRACK_NEW);
    assert_int_equal(a(ACK, 201, 101, 100), TRACK_NEW);
    assert_int_equal(b(ACK, 101, 201, 0), TRACK_NEW);
    assert_int_equal(b(ACK, 101, 201, 0), TRACK_DUPLICATE_ACK);
    watched.window[TRACK_B]++;
    assert_int_equal(b(ACK, 101, 201, 0), TRACK_NEW); /* a window update is none */
    assert_int_equal(a(ACK, 201, 101, 100), TRACK_RETRANSMISSION);
    watched.window[TRACK_B] = 0;
    assert_int_equal(b(ACK, 101, 301, 0), TRACK_ZERO_WINDOW);
    watched.window[TRACK_B] = 500;
    assert_int_equal(b(ACK, 101, 301, 0), TRACK_NEW);
}

static void a_window_probe_is_not_taken_for_keepalive(void **unused)
{
    (void)unused;
    open_actively();
    watched.window[TRACK_B] = 100;
    b(ACK, 1, 1, 0);
    watched.window[TRACK_B] = 0;
    a(ACK, 1, 1, 60000); /* the SYN-ACK's window stands: it never shrinks */
    b(ACK, 1, 60001, 0);
    assert_int_equal(a(ACK, 60001, 1, 1), TRACK_OUT_OF_WINDOW | TRACK_WINDOW_PROBE);
    assert_int_equal(b(ACK, 1, 60001, 0), TRACK_DUPLICATE_ACK | TRACK_ZERO_WINDOW);
    peer_is(ESTABLISHED, PROVED);
}

/* From the middle on. */

static void mid_stream_both_stay_unknown_until_data_went_both_ways(void **unused)
{
    (void)unused;
    a(ACK, 5000, 7000, 0);
    b(ACK, 7000, 5000, 0);
    a(ACK, 5000, 7000, 100);
    b(ACK, 7000, 5100, 0); /* 6999 may have been its FIN */
    peer_is(UNKNOWN, ASSUMED);
    b(ACK, 7000, 5100, 100);
    peer_is(UNKNOWN, ASSUMED);
    a(ACK, 5100, 7100, 0);
    we_are(ESTABLISHED, PROVED);
    b(ACK, 7100, 5100, 0);
    peer_is(ESTABLISHED, PROVED);
}

static void mid_stream_a_fin_alone_tells_too_little(void **unused)
{
    (void)unused;
    b(FIN | ACK, 7000, 5000, 0);
    peer_is(UNKNOWN, ASSUMED);
    we_are(UNKNOWN, ASSUMED);
    a(ACK, 5000, 7001, 0); /* CLOSE_WAIT, LAST_ACK, CLOSING or TIME_WAIT */
    we_are(UNKNOWN, ASSUMED);
    a(ACK, 5000, 7001, 200);
    a(ACK, 5200, 7001, 0);
    we_are(CLOSE_WAIT, ASSUMED); /* it may have a byte in the place of the FIN */
    b(ACK, 7001, 5200, 0);       /* what of ours it has heard before is not known */
    peer_is(UNKNOWN, ASSUMED);
}

static void mid_stream_a_close_is_followed_once_both_are_known(void **unused)
{
    (void)unused;
    a(ACK, 5000, 7000, 100);
    b(ACK, 7000, 5100, 100);
    a(ACK, 5100, 7100, 0);
    b(ACK, 7100, 5100, 0);
    a(FIN | ACK, 5100, 7100, 0);
    we_are(FIN_WAIT_1, PROVED);
    b(ACK, 7100, 5101, 0);
    peer_is(CLOSE_WAIT, PROVED);
    b(FIN | ACK, 7100, 5101, 0);
    peer_is(LAST_ACK, PROVED);
    a(ACK, 5101, 7101, 0);
    we_are(TIME_WAIT, ASSUMED);
    peer_is(CLOSED, ASSUMED);
}

static void mid_stream_an_ack_of_the_fin_may_have_gone_before(void **unused)
{
    (void)unused;
    a(ACK, 5000, 7000, 100);
    b(ACK, 7001, 5100, 0);
    b(FIN | ACK, 7000, 5000, 0); /* overtaken */
    b(ACK, 7001, 5100, 0);       /* FIN_WAIT_1 or FIN_WAIT_2 */
    peer_is(UNKNOWN, ASSUMED);
}

static void mid_stream_a_single_byte_may_be_a_probe(void **unused)
{
    (void)unused;
    a(ACK, 5000, 7000, 1);
    b(ACK, 7000, 5001, 100);
    a(ACK, 5001, 7100, 0);
    we_are(UNKNOWN, ASSUMED);
}

static void mid_stream_rst_ends_what_was_seen(void **unused)
{
    (void)unused;
    a(ACK, 5000, 7000, 100);
    assert_int_equal(b(RST, 9000, 0, 0), TRACK_OUT_OF_WINDOW);
    peer_is(UNKNOWN, ASSUMED);
    b(RST, 7000, 0, 0);
    peer_is(CLOSED, ASSUMED);
    we_are(CLOSED, ASSUMED);
}

static void a_syn_ack_seen_first(void **unused)
{
    (void)unused;
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
    we_are(UNKNOWN, ASSUMED);
    a(ACK, 1, 1, 100);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 1, 101, 0);
    peer_is(ESTABLISHED, PROVED);
}

/* The port is used again. */

static void a_new_syn_after_the_close_starts_anew(void **unused)
{
    (void)unused;
    closed_by_us();
    a(SYN, 0, 0, 0); /* an old duplicate */
    we_are(TIME_WAIT, PROVED);
    watched.iss[TRACK_A] += 1000000;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_NEW);
    we_are(SYN_SENT, PROVED);
    evidence_is(TRACK_A, 13, "it sent its SYN");
    peer_is(UNKNOWN, ASSUMED);
    watched.iss[TRACK_B] -= 500;
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
}

static void rfc6191_a_lower_isn_needs_timestamps_in_time_wait(void **unused)
{
    (void)unused;
    established();
    b(FIN | ACK, 101, 101, 0);
    a(FIN | ACK, 101, 102, 0);
    b(ACK, 102, 102, 0);
    watched.iss[TRACK_B] -= 1000;
    assert_int_equal(b(SYN, 0, 0, 0), TRACK_OUT_OF_WINDOW);
    peer_is(TIME_WAIT, PROVED);
    watched.iss[TRACK_B] -= 1000;
    watched.options = (struct opt){.has = OPT_TIMESTAMP};
    assert_int_equal(b(SYN, 0, 0, 0), TRACK_NEW);
    peer_is(SYN_SENT, PROVED);
}

static void a_second_attempt_has_a_later_isn(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    watched.iss[TRACK_A] -= 1000;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_OUT_OF_WINDOW); /* an old duplicate */
    watched.iss[TRACK_A] += 2000;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_NEW);
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
}

static void half_open_recovery_rfc9293_3_5_1(void **unused)
{
    (void)unused;
    established();
    /* A crashed and opens a new connection. */
    watched.iss[TRACK_A] += 5000;
    a(SYN, 0, 0, 0);
    watched.iss[TRACK_A] -= 5000;
    assert_int_equal(b(ACK, 101, 101, 0), TRACK_CHALLENGE);
    a(RST, 101, 0, 0);
    we_are(CLOSED, PROVED);
    peer_is(CLOSED, ASSUMED);
    watched.iss[TRACK_A] += 5000;
    a(SYN, 0, 0, 0);
    we_are(SYN_SENT, PROVED);
    peer_is(UNKNOWN, ASSUMED);
    watched.iss[TRACK_B] += 12345;
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
}

static void a_syn_ack_with_another_isn_replaces_one_that_was_not_taken(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    watched.iss[TRACK_B] += 77;
    assert_int_equal(b(SYN | ACK, 0, 1, 0), TRACK_NEW);
    a(ACK, 1, 1, 0);
    we_are(ESTABLISHED, PROVED);
    watched.iss[TRACK_B] += 77;
    assert_int_equal(b(SYN | ACK, 0, 1, 0), TRACK_OUT_OF_WINDOW);
    peer_is(ESTABLISHED, ASSUMED);
}

static void every_view_has_words(void **unused)
{
    (void)unused;
    for (enum track_side side = TRACK_A; side < TRACK_SIDES; side++) {
        for (unsigned cause = 0; cause < CAUSE_COUNT; cause++) {
            watched.t.half[side].cause = (uint8_t)cause;
            assert_non_null(track_view(&watched.t, side).cause);
            assert_in_range(strlen(track_view(&watched.t, side).cause), 5, 40);
        }
    }
}

static void a_fin_in_the_place_of_data_is_not_believed(void **unused)
{
    (void)unused;
    established();
    b(ACK, 101, 101, 50);
    a(ACK, 101, 151, 0);
    /* Its last byte, 150, was data, and is no FIN now. */
    assert_int_equal(b(FIN | ACK, 101, 101, 49), TRACK_OUT_OF_WINDOW);
    peer_is(ESTABLISHED, PROVED);
    assert_int_equal(b(FIN | ACK, 140, 101, 2), TRACK_OUT_OF_WINDOW);
    b(FIN | ACK, 151, 101, 0);
    peer_is(FIN_WAIT_1, PROVED);
}

/* A side whose SYN was refused may retry with any number, and so may the side that refused it. */
static void after_a_refusal_either_side_starts_anew(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(RST | ACK, 0, 1, 0);
    we_are(CLOSED, ASSUMED);
    peer_is(CLOSED, ASSUMED);
    watched.iss[TRACK_A] -= 5000;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_NEW);
    we_are(SYN_SENT, PROVED);
    peer_is(UNKNOWN, ASSUMED);
    b(RST | ACK, 0, 1, 0);
    assert_int_equal(b(SYN, 0, 0, 0), TRACK_NEW); /* it opens now, itself */
    peer_is(SYN_SENT, PROVED);
    we_are(UNKNOWN, ASSUMED);
}

/* One side is CLOSED by its own RST; the other, which the RST may not have reached, opens a new
 * connection. */
static void a_syn_to_a_closed_side_starts_anew(void **unused)
{
    (void)unused;
    established();
    a(RST, 101, 0, 0);
    we_are(CLOSED, PROVED);
    b(ACK, 101, 101, 100); /* it has not heard of it */
    watched.iss[TRACK_B] -= 70000;
    assert_int_equal(b(SYN, 0, 0, 0), TRACK_NEW);
    peer_is(SYN_SENT, PROVED);
    we_are(UNKNOWN, ASSUMED);
}

/* A SYN among segments of which the beginning was not seen: what was going on may be over. */
static void mid_stream_a_syn_starts_anew_while_nothing_is_known(void **unused)
{
    (void)unused;
    b(ACK, 7000, 5000, 10);
    a(ACK, 5000, 7010, 0);
    assert_int_equal(a(SYN, 6000, 0, 0), TRACK_NEW);
    we_are(SYN_SENT, PROVED);
    peer_is(UNKNOWN, ASSUMED);
    fresh(NULL);
    b(ACK, 7000, 5000, 10);
    a(ACK, 5000, 7010, 0);
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_NEW);
    we_are(SYN_SENT, ASSUMED); /* what was seen may have followed this very SYN, which was late */
    peer_is(UNKNOWN, ASSUMED);
    fresh(NULL);
    a(ACK, 5000, 7000, 100);
    b(ACK, 7000, 5100, 100);
    a(ACK, 5100, 7100, 0);
    we_are(ESTABLISHED, PROVED);
    peer_is(UNKNOWN, ASSUMED);
    assert_int_equal(b(SYN, 0, 0, 0),
                     TRACK_OUT_OF_WINDOW); /* it speaks of a connection that lives */
    we_are(ESTABLISHED, PROVED);
}

/* In SYN_SENT and answered, a later SYN is not the same side's second attempt: a challenge. */
static void a_later_syn_after_an_answer_is_odd(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    watched.iss[TRACK_A] += 3000;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_OUT_OF_WINDOW);
    watched.iss[TRACK_A] -= 3000;
    a(ACK, 1, 1, 0);
    we_are(ESTABLISHED, PROVED);
}

/* A RST from a third party has closed one side, as far as is known; the other opens once more. */
static void a_side_closed_by_anothers_rst_may_be_met_anew(void **unused)
{
    (void)unused;
    established();
    b(RST, 101, 0, 0);
    b(ACK, 101, 101, 50); /* it was not the peer's */
    we_are(CLOSED, ASSUMED);
    watched.iss[TRACK_B] -= 70000;
    assert_int_equal(b(SYN, 0, 0, 0), TRACK_NEW);
    peer_is(SYN_SENT, PROVED);
    we_are(UNKNOWN, ASSUMED);
}

/* The peer's SYN-ACK was not seen, what followed it was: another SYN of ours is no second attempt.
 */
static void a_later_syn_after_an_answer_half_seen_is_odd(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(ACK, 1, 1, 0);
    watched.iss[TRACK_A] += 3000;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_OUT_OF_WINDOW);
    we_are(SYN_SENT, PROVED);
}

#define CASE(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_keepalive_probe_and_its_answer),
        CASE(a_probe_of_the_peers_proves_established_before_any_data),
        CASE(a_probe_with_a_byte_may_be_data_repeated_with_a_fin_behind_it),
        CASE(a_silent_peer_is_merely_assumed_until_it_speaks),
        CASE(silence_of_a_peer_that_was_never_heard_is_unknown),
        CASE(rfc5961_4_a_syn_in_established_draws_a_challenge_and_moves_nothing),
        CASE(reordered_segments_move_nothing_back),
        CASE(duplicates_of_each_segment_move_nothing),
        CASE(a_duplicated_ack_before_the_fin_does_not_undo_fin_wait_1),
        CASE(an_ack_of_what_was_never_sent_moves_nothing),
        CASE(a_syn_ack_that_does_not_answer_our_syn_is_not_believed),
        CASE(segments_outside_the_window_move_nothing),
        CASE(rfc9293_3_10_7_4_an_old_ack_moves_una_and_leaves_the_window),
        CASE(rfc7323_a_scaled_window_reaches_further),
        CASE(rfc7323_one_offer_of_scaling_scales_nothing),
        CASE(rfc7323_a_syn_repeated_without_scaling_scales_nothing),
        CASE(nothing_lies_behind_a_fin_and_it_does_not_move),
        CASE(a_fin_beyond_a_gap_is_fin_wait_1_at_once),
        CASE(notes_of_the_stream),
        CASE(a_window_probe_is_not_taken_for_keepalive),
        CASE(mid_stream_both_stay_unknown_until_data_went_both_ways),
        CASE(mid_stream_a_fin_alone_tells_too_little),
        CASE(mid_stream_a_close_is_followed_once_both_are_known),
        CASE(mid_stream_an_ack_of_the_fin_may_have_gone_before),
        CASE(mid_stream_a_single_byte_may_be_a_probe),
        CASE(mid_stream_rst_ends_what_was_seen),
        CASE(a_syn_ack_seen_first),
        CASE(a_new_syn_after_the_close_starts_anew),
        CASE(rfc6191_a_lower_isn_needs_timestamps_in_time_wait),
        CASE(a_second_attempt_has_a_later_isn),
        CASE(half_open_recovery_rfc9293_3_5_1),
        CASE(a_syn_ack_with_another_isn_replaces_one_that_was_not_taken),
        CASE(every_view_has_words),
        CASE(a_fin_in_the_place_of_data_is_not_believed),
        CASE(after_a_refusal_either_side_starts_anew),
        CASE(a_syn_to_a_closed_side_starts_anew),
        CASE(mid_stream_a_syn_starts_anew_while_nothing_is_known),
        CASE(a_later_syn_after_an_answer_is_odd),
        CASE(a_side_closed_by_anothers_rst_may_be_met_anew),
        CASE(a_later_syn_after_an_answer_half_seen_is_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
