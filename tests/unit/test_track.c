/* Tests the tracker path by path: every way to open, to be reset and to close. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/track_rig.h"

/* Opening. */

static void nothing_is_known_before_anything_is_seen(void **unused)
{
    (void)unused;
    peer_is(UNKNOWN, ASSUMED);
    we_are(UNKNOWN, ASSUMED);
    evidence_is(TRACK_B, 0, "no segment shows it yet");
}

static void a_syn_proves_its_sender_and_says_nothing_of_the_peer(void **unused)
{
    (void)unused;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_NEW);
    we_are(SYN_SENT, PROVED);
    peer_is(UNKNOWN, ASSUMED);
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_RETRANSMISSION);
    we_are(SYN_SENT, PROVED);
    peer_is(UNKNOWN, ASSUMED);
}

static void active_open_of_ours(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
    evidence_is(TRACK_B, 2, "it sent its SYN-ACK");
    we_are(ESTABLISHED, ASSUMED);
    a(ACK, 1, 1, 0);
    we_are(ESTABLISHED, PROVED);
    peer_is(ESTABLISHED, ASSUMED);
    evidence_is(TRACK_B, 3, "we acknowledged its SYN");
    a(ACK, 1, 1, 100);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 1, 101, 0);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 5, "it acknowledged our data");
}

/* RFC 9293, 3.10.7.3: the first SYN-ACK that is acceptable opens the connection. Another one has
 * another ISN: two hosts have the address, or the peer forgot the connection in between. */
static void of_two_syn_acks_the_acknowledged_one_counts(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    assert_int_equal(b(SYN | ACK, 5000, 1, 0), TRACK_NEW);
    peer_is(SYN_RECEIVED, PROVED); /* so says its sender */
    a(ACK, 1, 1, 10);
    we_are(ESTABLISHED, PROVED);
    peer_is(ESTABLISHED, ASSUMED);
    assert_int_equal(b(SYN | ACK, 5000, 1, 0), TRACK_OUT_OF_WINDOW);
    peer_is(ESTABLISHED, ASSUMED);
    assert_int_equal(b(ACK, 1, 11, 10), TRACK_NEW);
    peer_is(ESTABLISHED, PROVED);
    b(FIN | ACK, 11, 11, 0);
    peer_is(FIN_WAIT_1, PROVED);
}

static void of_two_syn_acks_the_latter_may_count(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 5000, 1, 0);
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 1, 1, 10);
    peer_is(ESTABLISHED, PROVED);
}

/* A segment that reached no one has a number, and is as if it had never been sent. */
static void what_was_not_sent_only_counts(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    const struct track before = watched.t;
    track_unsent(&watched.t); /* our ACK */
    peer_is(SYN_RECEIVED, PROVED);
    evidence_is(TRACK_B, 2, "it sent its SYN-ACK");
    assert_int_equal(watched.t.number, 3);
    watched.t.number = before.number;
    assert_memory_equal(&watched.t, &before, sizeof before);
    watched.t.number = 3;
    a(ACK, 1, 1, 0);
    peer_is(ESTABLISHED, ASSUMED);
    evidence_is(TRACK_B, 4, "we acknowledged its SYN");
}

static void passive_open_of_ours_mirrors_it(void **unused)
{
    (void)unused;
    b(SYN, 0, 0, 0);
    peer_is(SYN_SENT, PROVED);
    we_are(UNKNOWN, ASSUMED);
    a(SYN | ACK, 0, 1, 0);
    we_are(SYN_RECEIVED, PROVED);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 1, 1, 0);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 3, "it acknowledged our SYN");
    we_are(ESTABLISHED, ASSUMED);
}

static void a_repeated_syn_ack_proves_syn_received_whatever_we_sent(void **unused)
{
    (void)unused;
    open_actively();
    a(ACK, 1, 1, 100);
    a(FIN | ACK, 101, 1, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
    assert_int_equal(b(SYN | ACK, 0, 1, 0), TRACK_RETRANSMISSION);
    peer_is(SYN_RECEIVED, PROVED);
    evidence_is(TRACK_B, 6, "it retransmits its SYN-ACK");
    a(ACK, 102, 1, 0);
    peer_is(ESTABLISHED, ASSUMED);
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
}

static void an_old_syn_ack_after_established_was_proved_moves_nothing(void **unused)
{
    (void)unused;
    established();
    assert_int_equal(b(SYN | ACK, 0, 1, 0), TRACK_RETRANSMISSION);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 5, "it acknowledged our data");
}

static void an_old_syn_ack_after_data_moves_nothing(void **unused)
{
    (void)unused;
    open_actively();
    wait_ms(LATE);
    b(ACK, 1, 1, 100);
    peer_is(ESTABLISHED, ASSUMED);
    b(SYN | ACK, 0, 1, 0);
    peer_is(ESTABLISHED, ASSUMED);
}

static void an_ack_of_no_more_than_our_syn_does_not_prove_established(void **unused)
{
    (void)unused;
    open_actively();
    b(ACK, 1, 1, 0);
    peer_is(ESTABLISHED, ASSUMED);
    /* The probe goes below SND.NXT: SYN_RECEIVED answers it as well. */
    assert_int_equal(a(ACK, 0, 1, 1), TRACK_PROBE);
    assert_int_equal(b(ACK, 1, 1, 0), TRACK_PROBE_ANSWER);
    peer_is(ESTABLISHED, ASSUMED);
}

static void a_probe_completes_no_handshake(void **unused)
{
    (void)unused;
    open_actively();
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 0, 1, 1);
    peer_is(SYN_RECEIVED, PROVED);
}

static void data_soon_after_the_handshake_proves_established(void **unused)
{
    (void)unused;
    open_actively();
    b(ACK, 1, 1, 100);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 4, "it sends data");
}

static void later_data_may_hide_a_lost_fin_until_an_ack_without_data(void **unused)
{
    (void)unused;
    open_actively();
    wait_ms(LATE);
    b(ACK, 1, 1, 100);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 101, 1, 0);
    peer_is(ESTABLISHED, PROVED);
}

static void data_that_was_asked_for_twice_may_hide_one_too(void **unused)
{
    (void)unused;
    open_actively();
    a(ACK, 1, 1, 0);
    b(ACK, 1, 1, 100);
    peer_is(ESTABLISHED, ASSUMED);
}

static void data_that_is_not_the_first_may_hide_one_too(void **unused)
{
    (void)unused;
    open_actively();
    b(ACK, 101, 1, 100);
    peer_is(ESTABLISHED, ASSUMED);
}

static void an_ack_beyond_a_gap_may_follow_a_lost_fin(void **unused)
{
    (void)unused;
    open_actively();
    a(ACK, 1, 1, 100);
    assert_int_equal(b(ACK, 2, 101, 0), TRACK_OUT_OF_ORDER);
    peer_is(ESTABLISHED, ASSUMED);
    b(FIN | ACK, 1, 101, 0);
    peer_is(FIN_WAIT_1, PROVED);
}

static void a_fin_in_syn_received_is_fin_wait_1(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    b(FIN | ACK, 1, 1, 0);
    peer_is(FIN_WAIT_1, PROVED);
}

static void simultaneous_open(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(SYN, 0, 0, 0);
    peer_is(SYN_SENT, PROVED);
    we_are(SYN_RECEIVED, ASSUMED);
    a(SYN | ACK, 0, 1, 0);
    we_are(SYN_RECEIVED, PROVED);
    peer_is(ESTABLISHED, ASSUMED);
    b(SYN | ACK, 0, 1, 0); /* it crossed ours */
    peer_is(ESTABLISHED, ASSUMED);
    we_are(ESTABLISHED, ASSUMED);
    b(SYN | ACK, 0, 1, 0); /* but if it is repeated, ours was lost */
    peer_is(SYN_RECEIVED, PROVED);
    a(ACK, 1, 1, 0);
    we_are(ESTABLISHED, ASSUMED);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 1, 1, 0);
    peer_is(ESTABLISHED, ASSUMED);
    a(ACK, 1, 1, 10);
    we_are(ESTABLISHED, ASSUMED);
    b(ACK, 1, 11, 0);
    peer_is(ESTABLISHED, PROVED);
    a(ACK, 11, 1, 0);
    we_are(ESTABLISHED, PROVED);
}

static void simultaneous_open_the_peers_syn_ack_first(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(SYN, 0, 0, 0);
    assert_int_equal(b(SYN | ACK, 0, 1, 0), TRACK_NEW);
    peer_is(SYN_RECEIVED, PROVED);
    we_are(ESTABLISHED, ASSUMED);
    a(SYN | ACK, 0, 1, 0);
    peer_is(ESTABLISHED, ASSUMED);
    we_are(ESTABLISHED, ASSUMED);
    assert_int_equal(b(SYN, 0, 0, 0), TRACK_RETRANSMISSION); /* an old duplicate */
    peer_is(ESTABLISHED, ASSUMED);
}

static void rfc7413_data_on_the_syn_makes_data_of_syn_received_possible(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 50);
    b(SYN | ACK, 0, 51, 0);
    b(ACK, 1, 51, 100);
    peer_is(SYN_RECEIVED, PROVED);
    a(ACK, 51, 101, 10);
    b(ACK, 101, 51, 100);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 201, 61, 0);
    peer_is(ESTABLISHED, PROVED);
}

/* Refusals and resets. */

static void a_refusal_is_assumed_since_a_firewall_refuses_so(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    watched.iss[TRACK_B] = 0;
    b(RST | ACK, 0, 1, 0);
    peer_is(CLOSED, ASSUMED);
    evidence_is(TRACK_B, 2, "RST answered the SYN");
    we_are(CLOSED, ASSUMED);
    /* It was a firewall's, or the port was opened since. */
    watched.iss[TRACK_B] = 0x7ffffffe;
    a(SYN, 0, 0, 0);
    we_are(SYN_SENT, PROVED);
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
}

static void rfc9293_3_10_7_3_rst_without_a_good_ack_refuses_nothing(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    assert_int_equal(b(RST, 1, 0, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(RST | ACK, 0, 2, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(RST | ACK, 0, 0, 0), TRACK_OUT_OF_WINDOW);
    peer_is(UNKNOWN, ASSUMED);
    we_are(SYN_SENT, PROVED);
}

static void rst_of_an_established_peer_proves_closed(void **unused)
{
    (void)unused;
    established();
    assert_int_equal(b(RST | ACK, 101, 101, 0), TRACK_NEW);
    peer_is(CLOSED, PROVED);
    evidence_is(TRACK_B, 8, "it sent RST");
    we_are(CLOSED, ASSUMED);
    evidence_is(TRACK_A, 8, "the peer sent RST");
    assert_int_equal(b(ACK, 1, 101, 100), TRACK_RETRANSMISSION); /* overtaken by its RST */
    peer_is(CLOSED, PROVED);
}

static void our_rst_lets_assume_closed_and_what_crosses_it_changes_nothing(void **unused)
{
    (void)unused;
    established();
    a(RST, 101, 0, 0);
    we_are(CLOSED, PROVED);
    peer_is(CLOSED, ASSUMED);
    b(ACK, 101, 101, 100);
    b(ACK, 201, 101, 0);
    peer_is(CLOSED, ASSUMED);
    wait_ms(2 * LATE);
    b(ACK, 201, 101, 0); /* our RST was lost */
    peer_is(ESTABLISHED, PROVED);
}

static void a_fin_that_crosses_our_rst_changes_nothing(void **unused)
{
    (void)unused;
    established();
    a(RST, 101, 0, 0);
    b(FIN | ACK, 101, 101, 0);
    peer_is(CLOSED, ASSUMED);
}

static void our_rst_sends_a_passive_opener_back_to_listen(void **unused)
{
    (void)unused;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    a(RST, 1, 0, 0);
    peer_is(LISTEN, ASSUMED);
    we_are(CLOSED, PROVED);
}

static void rst_of_a_passive_opener_that_may_listen_again_is_assumed(void **unused)
{
    (void)unused;
    open_actively();
    b(RST, 1, 0, 0);
    peer_is(CLOSED, ASSUMED);
    we_are(CLOSED, ASSUMED);
}

static void rst_at_what_we_acknowledged_last_is_a_host_without_the_connection(void **unused)
{
    (void)unused;
    established();
    b(ACK, 201, 101, 100); /* beyond a gap */
    a(ACK, 101, 101, 0);
    b(RST, 101, 0, 0);
    peer_is(CLOSED, PROVED);
}

static void rfc5961_3_rst_elsewhere_in_the_window_moves_nothing(void **unused)
{
    (void)unused;
    established();
    assert_int_equal(b(RST, 102, 0, 0), TRACK_NEW);
    peer_is(ESTABLISHED, PROVED);
    we_are(ESTABLISHED, PROVED);
    assert_int_equal(a(ACK, 101, 101, 0), TRACK_CHALLENGE);
    b(RST, 101, 0, 0);
    peer_is(CLOSED, PROVED);
}

static void rst_outside_the_window_moves_nothing(void **unused)
{
    (void)unused;
    established();
    assert_int_equal(b(RST, 99, 0, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(RST, 70000, 0, 0), TRACK_OUT_OF_WINDOW);
    peer_is(ESTABLISHED, PROVED);
    we_are(ESTABLISHED, PROVED);
}

static void data_beyond_a_rst_shows_that_the_rst_was_anothers(void **unused)
{
    (void)unused;
    established();
    b(RST, 101, 0, 0);
    wait_ms(2 * LATE);
    b(ACK, 101, 101, 100);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 201, 101, 0);
    peer_is(ESTABLISHED, PROVED);
    a(ACK, 101, 201, 0);
    we_are(ESTABLISHED, PROVED);
}

/* The peer closes second. */

static void our_fin_acknowledged_is_close_wait(void **unused)
{
    (void)unused;
    established();
    a(FIN | ACK, 101, 101, 0);
    we_are(FIN_WAIT_1, PROVED);
    peer_is(CLOSE_WAIT, ASSUMED);
    evidence_is(TRACK_B, 8, "we sent our FIN");
    b(ACK, 101, 102, 0);
    peer_is(CLOSE_WAIT, PROVED);
    evidence_is(TRACK_B, 9, "it acknowledged our FIN");
    we_are(FIN_WAIT_2, ASSUMED);
}

static void half_close_data_leaves_close_wait_proved(void **unused)
{
    (void)unused;
    half_closed();
    b(ACK, 101, 102, 1000);
    b(ACK, 1101, 102, 1000);
    peer_is(CLOSE_WAIT, PROVED);
    evidence_is(TRACK_B, 9, "it acknowledged our FIN");
    a(ACK, 102, 2101, 0);
    we_are(FIN_WAIT_2, PROVED);
    evidence_is(TRACK_A, 12, "it has the peer's ACK of its FIN");
    b(FIN | ACK, 2101, 102, 0);
    peer_is(LAST_ACK, PROVED);
    evidence_is(TRACK_B, 13, "its FIN acknowledges ours");
    we_are(TIME_WAIT, ASSUMED);
    a(ACK, 102, 2102, 0);
    we_are(TIME_WAIT, PROVED);
    peer_is(CLOSED, ASSUMED);
    evidence_is(TRACK_B, 14, "we acknowledged its FIN");
}

static void an_ack_of_less_than_our_fin_does_not_speak_against_close_wait(void **unused)
{
    (void)unused;
    established();
    a(ACK, 101, 101, 100);
    a(FIN | ACK, 201, 101, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
    b(ACK, 101, 201, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
    b(ACK, 101, 202, 0);
    peer_is(CLOSE_WAIT, PROVED);
}

static void data_that_acknowledges_our_fin_late_is_close_wait_assumed(void **unused)
{
    (void)unused;
    established();
    a(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 102, 100);
    peer_is(CLOSE_WAIT, ASSUMED);
    evidence_is(TRACK_B, 8, "we sent our FIN");
    a(ACK, 101, 201, 1); /* a probe on the FIN's number */
    assert_int_equal(b(ACK, 201, 102, 0), TRACK_PROBE_ANSWER);
    peer_is(CLOSE_WAIT, PROVED);
    evidence_is(TRACK_B, 11, "it answered our probe");
}

static void fin_and_ack_together_is_last_ack_at_once(void **unused)
{
    (void)unused;
    established();
    a(FIN | ACK, 101, 101, 0);
    b(FIN | ACK, 101, 102, 0); /* unless it repeats one that crossed ours and was lost */
    peer_is(LAST_ACK, ASSUMED);
    evidence_is(TRACK_B, 9, "its FIN acknowledges ours");
    we_are(TIME_WAIT, ASSUMED);
    a(ACK, 102, 102, 0);
    we_are(TIME_WAIT, PROVED);
    peer_is(CLOSED, ASSUMED);
}

static void first_data_soon_with_the_ack_of_our_fin_proves_close_wait(void **unused)
{
    (void)unused;
    open_actively();
    a(FIN | ACK, 1, 1, 100);
    b(ACK, 1, 102, 100);
    peer_is(CLOSE_WAIT, PROVED);
}

static void a_repeated_fin_speaks_against_closed(void **unused)
{
    (void)unused;
    closed_by_us();
    peer_is(CLOSED, ASSUMED);
    b(FIN | ACK, 101, 102, 0);
    peer_is(LAST_ACK, PROVED);
    a(ACK, 102, 102, 0);
    peer_is(CLOSED, ASSUMED);
}

static void a_probe_settles_closed_with_rst_or_refutes_it(void **unused)
{
    (void)unused;
    closed_by_us();
    peer_is(CLOSED, ASSUMED);
    b(ACK, 102, 102, 0); /* may have crossed our ACK */
    peer_is(CLOSED, ASSUMED);
    assert_int_equal(a(ACK, 101, 102, 1), TRACK_PROBE);
    b(ACK, 102, 102, 0);
    peer_is(LAST_ACK, PROVED);
    a(ACK, 102, 102, 0);
    a(ACK, 101, 102, 1);
    b(RST, 102, 0, 0);
    peer_is(CLOSED, PROVED);
}

static void an_answer_to_a_probe_from_before_our_ack_refutes_nothing(void **unused)
{
    (void)unused;
    half_closed();
    a(ACK, 101, 101, 0);
    b(FIN | ACK, 101, 102, 0);
    a(ACK, 102, 102, 0);
    assert_int_equal(a(ACK, 101, 102, 0), TRACK_PROBE); /* and one after it: two are on the way */
    assert_int_equal(b(ACK, 102, 102, 0), TRACK_PROBE_ANSWER);
    peer_is(CLOSED, ASSUMED);
}

/* The peer closes first. */

static void the_peers_fin_first(void **unused)
{
    (void)unused;
    established();
    b(FIN | ACK, 101, 101, 0);
    peer_is(FIN_WAIT_1, PROVED);
    we_are(CLOSE_WAIT, ASSUMED);
    a(ACK, 101, 102, 0);
    we_are(CLOSE_WAIT, PROVED);
    peer_is(FIN_WAIT_2, ASSUMED);
    evidence_is(TRACK_B, 9, "we acknowledged its FIN");
    assert_int_equal(b(FIN | ACK, 101, 101, 0), TRACK_RETRANSMISSION);
    peer_is(FIN_WAIT_1, PROVED);
    evidence_is(TRACK_B, 10, "it retransmits its FIN");
    a(ACK, 101, 102, 0);
    peer_is(FIN_WAIT_2, ASSUMED);
}

static void data_acknowledged_that_followed_our_ack_proves_fin_wait_2(void **unused)
{
    (void)unused;
    established();
    a(ACK, 101, 101, 100); /* crosses the FIN */
    b(FIN | ACK, 101, 101, 0);
    a(ACK, 201, 102, 0);
    b(ACK, 102, 201, 0);
    peer_is(FIN_WAIT_2, ASSUMED);
    a(ACK, 201, 102, 100);
    b(ACK, 102, 301, 0);
    peer_is(FIN_WAIT_2, PROVED);
    evidence_is(TRACK_B, 13, "it has our ACK of its FIN");
    b(FIN | ACK, 101, 101, 0); /* an old duplicate */
    peer_is(FIN_WAIT_2, PROVED);
}

static void an_answer_to_a_probe_does_not_prove_fin_wait_2(void **unused)
{
    (void)unused;
    half_closed_by_the_peer();
    a(ACK, 100, 102, 1);
    assert_int_equal(b(ACK, 102, 101, 0), TRACK_PROBE_ANSWER);
    peer_is(FIN_WAIT_2, ASSUMED);
}

static void our_fin_after_its_own_is_time_wait(void **unused)
{
    (void)unused;
    half_closed_by_the_peer();
    a(FIN | ACK, 101, 102, 0);
    we_are(LAST_ACK, PROVED);
    peer_is(TIME_WAIT, ASSUMED);
    evidence_is(TRACK_B, 10, "we sent our FIN");
    b(ACK, 102, 102, 0);
    peer_is(TIME_WAIT, PROVED);
    evidence_is(TRACK_B, 11, "it acknowledged our FIN");
    we_are(CLOSED, ASSUMED);
}

static void time_wait_is_proved_when_a_repeated_fin_is_acknowledged(void **unused)
{
    (void)unused;
    established();
    b(FIN | ACK, 101, 101, 0);
    a(FIN | ACK, 101, 102, 0);
    peer_is(TIME_WAIT, ASSUMED);
    assert_int_equal(a(FIN | ACK, 101, 102, 0), TRACK_RETRANSMISSION);
    b(ACK, 102, 102, 0);
    peer_is(TIME_WAIT, PROVED);
    b(RST, 102, 0, 0);
    peer_is(CLOSED, PROVED);
}

static void simultaneous_close(void **unused)
{
    (void)unused;
    established();
    a(FIN | ACK, 101, 101, 0);
    b(FIN | ACK, 101, 101, 0);
    peer_is(FIN_WAIT_1, PROVED);
    we_are(CLOSING, ASSUMED);
    evidence_is(TRACK_A, 9, "the peer's FIN crossed its own");
    b(ACK, 102, 102, 0);
    peer_is(CLOSING, PROVED);
    evidence_is(TRACK_B, 10, "it acknowledged our FIN");
    we_are(TIME_WAIT, ASSUMED);
    a(ACK, 102, 102, 0);
    peer_is(TIME_WAIT, ASSUMED);
    b(FIN | ACK, 101, 101, 0); /* an old duplicate */
    peer_is(TIME_WAIT, ASSUMED);
    b(FIN | ACK, 101, 102, 0); /* our ACK was lost */
    peer_is(CLOSING, PROVED);
}

static void an_ack_of_our_fin_after_ours_of_its_is_closing_or_time_wait(void **unused)
{
    (void)unused;
    established();
    a(FIN | ACK, 101, 101, 0);
    b(FIN | ACK, 101, 101, 0);
    a(ACK, 102, 102, 0);
    we_are(CLOSING, PROVED);
    peer_is(TIME_WAIT, ASSUMED);
    b(ACK, 102, 102, 0);
    peer_is(TIME_WAIT, ASSUMED);
    we_are(TIME_WAIT, ASSUMED);
}

#define CASE(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_known_before_anything_is_seen),
        CASE(a_syn_proves_its_sender_and_says_nothing_of_the_peer),
        CASE(active_open_of_ours),
        CASE(of_two_syn_acks_the_acknowledged_one_counts),
        CASE(of_two_syn_acks_the_latter_may_count),
        CASE(what_was_not_sent_only_counts),
        CASE(passive_open_of_ours_mirrors_it),
        CASE(a_repeated_syn_ack_proves_syn_received_whatever_we_sent),
        CASE(an_old_syn_ack_after_established_was_proved_moves_nothing),
        CASE(an_old_syn_ack_after_data_moves_nothing),
        CASE(an_ack_of_no_more_than_our_syn_does_not_prove_established),
        CASE(a_probe_completes_no_handshake),
        CASE(data_soon_after_the_handshake_proves_established),
        CASE(later_data_may_hide_a_lost_fin_until_an_ack_without_data),
        CASE(data_that_was_asked_for_twice_may_hide_one_too),
        CASE(data_that_is_not_the_first_may_hide_one_too),
        CASE(an_ack_beyond_a_gap_may_follow_a_lost_fin),
        CASE(a_fin_in_syn_received_is_fin_wait_1),
        CASE(simultaneous_open),
        CASE(simultaneous_open_the_peers_syn_ack_first),
        CASE(rfc7413_data_on_the_syn_makes_data_of_syn_received_possible),
        CASE(a_refusal_is_assumed_since_a_firewall_refuses_so),
        CASE(rfc9293_3_10_7_3_rst_without_a_good_ack_refuses_nothing),
        CASE(rst_of_an_established_peer_proves_closed),
        CASE(our_rst_lets_assume_closed_and_what_crosses_it_changes_nothing),
        CASE(a_fin_that_crosses_our_rst_changes_nothing),
        CASE(our_rst_sends_a_passive_opener_back_to_listen),
        CASE(rst_of_a_passive_opener_that_may_listen_again_is_assumed),
        CASE(rst_at_what_we_acknowledged_last_is_a_host_without_the_connection),
        CASE(rfc5961_3_rst_elsewhere_in_the_window_moves_nothing),
        CASE(rst_outside_the_window_moves_nothing),
        CASE(data_beyond_a_rst_shows_that_the_rst_was_anothers),
        CASE(our_fin_acknowledged_is_close_wait),
        CASE(half_close_data_leaves_close_wait_proved),
        CASE(an_ack_of_less_than_our_fin_does_not_speak_against_close_wait),
        CASE(data_that_acknowledges_our_fin_late_is_close_wait_assumed),
        CASE(fin_and_ack_together_is_last_ack_at_once),
        CASE(first_data_soon_with_the_ack_of_our_fin_proves_close_wait),
        CASE(a_repeated_fin_speaks_against_closed),
        CASE(a_probe_settles_closed_with_rst_or_refutes_it),
        CASE(an_answer_to_a_probe_from_before_our_ack_refutes_nothing),
        CASE(the_peers_fin_first),
        CASE(data_acknowledged_that_followed_our_ack_proves_fin_wait_2),
        CASE(an_answer_to_a_probe_does_not_prove_fin_wait_2),
        CASE(our_fin_after_its_own_is_time_wait),
        CASE(time_wait_is_proved_when_a_repeated_fin_is_acknowledged),
        CASE(simultaneous_close),
        CASE(an_ack_of_our_fin_after_ours_of_its_is_closing_or_time_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
