/*
 * The tracker, path by path. A is us, B the peer; both are judged the same way.
 *
 *     a(SYN, 0, 0, 0);              A's segment: flags, seq, ack, bytes of data
 *     b(SYN | ACK, 0, 1, 0);        B's
 *     peer_is(SYN_RECEIVED, PROVED);
 *
 * Numbers are relative to each side's ISN, which lie so that short connections cross 2^32 and 2^31.
 * A millisecond passes between two segments unless pass() says more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/track_infer.h"

enum { FIN = SEG_FIN, SYN = SEG_SYN, RST = SEG_RST, ACK = SEG_ACK, NONE = 0 };
enum { PROVED = CERTAINTY_PROVED, ASSUMED = CERTAINTY_ASSUMED };
enum { LATE = 1000 }; /* milliseconds: long enough for any segment to be a repetition */

static struct track t;
static wave_time now;
static uint32_t iss[TRACK_SIDES];
static uint16_t window[TRACK_SIDES];
static struct opt options;

static int fresh(void **state)
{
    (void)state;
    track_init(&t);
    now = 7 * WAVE_S;
    iss[TRACK_A] = 0xffffffff;
    iss[TRACK_B] = 0x7ffffffe;
    window[TRACK_A] = window[TRACK_B] = 60000;
    options = (struct opt){0};
    return 0;
}

static void pass(uint32_t milliseconds)
{
    now += milliseconds * WAVE_MS;
}

static unsigned give(enum track_side from, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    static const uint8_t data[70000];
    struct seg s = {.seq = seq_of(iss[from] + seq),
                    .flags = flags,
                    .wnd = window[from],
                    .len = len,
                    .data = len ? data : NULL};
    if (flags & ACK)
        s.ack = seq_of(iss[!from] + ack);
    if (flags & SYN)
        s.opt = options;
    pass(1);
    return track_segment(&t, now, from, &s);
}

#define a(...) give(TRACK_A, __VA_ARGS__)
#define b(...) give(TRACK_B, __VA_ARGS__)

static void side_is(enum track_side side, enum state state, unsigned certainty, int line)
{
    struct track_view v = track_view(&t, side);
    if (v.state != state || v.certainty != certainty)
        fail_msg("line %d: %s is %s %s (segment %u: %s), not %s %s", line,
                 side == TRACK_A ? "A" : "B", state_name(v.state),
                 v.certainty == CERTAINTY_PROVED ? "proved" : "assumed", v.evidence, v.cause,
                 state_name(state), certainty == CERTAINTY_PROVED ? "proved" : "assumed");
}

#define peer_is(state, certainty) side_is(TRACK_B, STATE_##state, certainty, __LINE__)
#define we_are(state, certainty) side_is(TRACK_A, STATE_##state, certainty, __LINE__)

static void evidence_is(enum track_side side, uint32_t number, const char *cause)
{
    struct track_view v = track_view(&t, side);
    assert_int_equal(v.evidence, number);
    assert_string_equal(v.cause, cause);
}

/* A opens, B answers, A acknowledges: three segments. */
static void open_actively(void)
{
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
}

/* The same, and 100 bytes each way, acknowledged: both proved ESTABLISHED. Seven segments. */
static void established(void)
{
    open_actively();
    a(ACK, 1, 1, 100);
    b(ACK, 1, 101, 0);
    b(ACK, 1, 101, 100);
    a(ACK, 101, 101, 0);
    peer_is(ESTABLISHED, PROVED);
    we_are(ESTABLISHED, PROVED);
    pass(LATE);
}

/* Opening. */

static void nothing_is_known_before_anything_is_seen(void **state)
{
    (void)state;
    peer_is(UNKNOWN, ASSUMED);
    we_are(UNKNOWN, ASSUMED);
    evidence_is(TRACK_B, 0, "nothing shows it yet");
}

static void a_syn_proves_its_sender_and_says_nothing_of_the_peer(void **state)
{
    (void)state;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_NEW);
    we_are(SYN_SENT, PROVED);
    peer_is(UNKNOWN, ASSUMED);
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_RETRANSMISSION);
    we_are(SYN_SENT, PROVED);
    peer_is(UNKNOWN, ASSUMED);
}

static void active_open_of_ours(void **state)
{
    (void)state;
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

static void passive_open_of_ours_mirrors_it(void **state)
{
    (void)state;
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

static void a_repeated_syn_ack_proves_syn_received_whatever_we_sent(void **state)
{
    (void)state;
    open_actively();
    a(ACK, 1, 1, 100);
    a(FIN | ACK, 101, 1, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
    assert_int_equal(b(SYN | ACK, 0, 1, 0), TRACK_RETRANSMISSION);
    peer_is(SYN_RECEIVED, PROVED);
    evidence_is(TRACK_B, 6, "it repeats its SYN-ACK");
    a(ACK, 102, 1, 0);
    peer_is(ESTABLISHED, ASSUMED);
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
}

static void an_old_syn_ack_after_established_was_proved_moves_nothing(void **state)
{
    (void)state;
    established();
    assert_int_equal(b(SYN | ACK, 0, 1, 0), TRACK_RETRANSMISSION);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 5, "it acknowledged our data");
}

static void an_old_syn_ack_after_data_moves_nothing(void **state)
{
    (void)state;
    open_actively();
    pass(LATE);
    b(ACK, 1, 1, 100);
    peer_is(ESTABLISHED, ASSUMED);
    b(SYN | ACK, 0, 1, 0);
    peer_is(ESTABLISHED, ASSUMED);
}

static void an_ack_of_no_more_than_our_syn_does_not_prove_established(void **state)
{
    (void)state;
    open_actively();
    b(ACK, 1, 1, 0);
    peer_is(ESTABLISHED, ASSUMED);
    /* The probe goes below SND.NXT: SYN_RECEIVED answers it as well. */
    assert_int_equal(a(ACK, 0, 1, 1), TRACK_PROBE);
    assert_int_equal(b(ACK, 1, 1, 0), TRACK_PROBE_ANSWER);
    peer_is(ESTABLISHED, ASSUMED);
}

static void a_probe_completes_no_handshake(void **state)
{
    (void)state;
    open_actively();
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 0, 1, 1);
    peer_is(SYN_RECEIVED, PROVED);
}

static void data_soon_after_the_handshake_proves_established(void **state)
{
    (void)state;
    open_actively();
    b(ACK, 1, 1, 100);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 4, "it sends data");
}

static void later_data_may_hide_a_lost_fin_until_an_ack_without_data(void **state)
{
    (void)state;
    open_actively();
    pass(LATE);
    b(ACK, 1, 1, 100);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 101, 1, 0);
    peer_is(ESTABLISHED, PROVED);
}

static void data_that_was_asked_for_twice_may_hide_one_too(void **state)
{
    (void)state;
    open_actively();
    a(ACK, 1, 1, 0);
    b(ACK, 1, 1, 100);
    peer_is(ESTABLISHED, ASSUMED);
}

static void data_that_is_not_the_first_may_hide_one_too(void **state)
{
    (void)state;
    open_actively();
    b(ACK, 101, 1, 100);
    peer_is(ESTABLISHED, ASSUMED);
}

static void an_ack_beyond_a_gap_may_follow_a_lost_fin(void **state)
{
    (void)state;
    open_actively();
    a(ACK, 1, 1, 100);
    assert_int_equal(b(ACK, 2, 101, 0), TRACK_OUT_OF_ORDER);
    peer_is(ESTABLISHED, ASSUMED);
    b(FIN | ACK, 1, 101, 0);
    peer_is(FIN_WAIT_1, PROVED);
}

static void a_fin_in_syn_received_is_fin_wait_1(void **state)
{
    (void)state;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    b(FIN | ACK, 1, 1, 0);
    peer_is(FIN_WAIT_1, PROVED);
}

static void simultaneous_open(void **state)
{
    (void)state;
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

static void simultaneous_open_the_peers_syn_ack_first(void **state)
{
    (void)state;
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

static void rfc7413_data_on_the_syn_makes_data_of_syn_received_possible(void **state)
{
    (void)state;
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

static void a_refusal_is_assumed_since_a_firewall_refuses_so(void **state)
{
    (void)state;
    a(SYN, 0, 0, 0);
    iss[TRACK_B] = 0;
    b(RST | ACK, 0, 1, 0);
    peer_is(CLOSED, ASSUMED);
    evidence_is(TRACK_B, 2, "RST answered the SYN");
    we_are(CLOSED, ASSUMED);
    /* It was a firewall's, or the port was opened since. */
    iss[TRACK_B] = 0x7ffffffe;
    a(SYN, 0, 0, 0);
    we_are(SYN_SENT, PROVED);
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
}

static void rfc9293_3_10_7_3_rst_without_a_good_ack_refuses_nothing(void **state)
{
    (void)state;
    a(SYN, 0, 0, 0);
    assert_int_equal(b(RST, 1, 0, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(RST | ACK, 0, 2, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(RST | ACK, 0, 0, 0), TRACK_OUT_OF_WINDOW);
    peer_is(UNKNOWN, ASSUMED);
    we_are(SYN_SENT, PROVED);
}

static void rst_of_an_established_peer_proves_closed(void **state)
{
    (void)state;
    established();
    assert_int_equal(b(RST | ACK, 101, 101, 0), TRACK_NEW);
    peer_is(CLOSED, PROVED);
    evidence_is(TRACK_B, 8, "it sent RST");
    we_are(CLOSED, ASSUMED);
    evidence_is(TRACK_A, 8, "the peer sent RST");
    assert_int_equal(b(ACK, 1, 101, 100), TRACK_RETRANSMISSION); /* overtaken by its RST */
    peer_is(CLOSED, PROVED);
}

static void our_rst_lets_assume_closed_and_what_crosses_it_changes_nothing(void **state)
{
    (void)state;
    established();
    a(RST, 101, 0, 0);
    we_are(CLOSED, PROVED);
    peer_is(CLOSED, ASSUMED);
    b(ACK, 101, 101, 100);
    b(ACK, 201, 101, 0);
    peer_is(CLOSED, ASSUMED);
    pass(2 * LATE);
    b(ACK, 201, 101, 0); /* our RST was lost */
    peer_is(ESTABLISHED, PROVED);
}

static void a_fin_that_crosses_our_rst_changes_nothing(void **state)
{
    (void)state;
    established();
    a(RST, 101, 0, 0);
    b(FIN | ACK, 101, 101, 0);
    peer_is(CLOSED, ASSUMED);
}

static void our_rst_sends_a_passive_opener_back_to_listen(void **state)
{
    (void)state;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    a(RST, 1, 0, 0);
    peer_is(LISTEN, ASSUMED);
    we_are(CLOSED, PROVED);
}

static void rst_of_a_passive_opener_that_may_listen_again_is_assumed(void **state)
{
    (void)state;
    open_actively();
    b(RST, 1, 0, 0);
    peer_is(CLOSED, ASSUMED);
    we_are(CLOSED, ASSUMED);
}

static void rst_at_what_we_acknowledged_last_is_a_host_without_the_connection(void **state)
{
    (void)state;
    established();
    b(ACK, 201, 101, 100); /* beyond a gap */
    a(ACK, 101, 101, 0);
    b(RST, 101, 0, 0);
    peer_is(CLOSED, PROVED);
}

static void rfc5961_3_rst_elsewhere_in_the_window_moves_nothing(void **state)
{
    (void)state;
    established();
    assert_int_equal(b(RST, 102, 0, 0), TRACK_NEW);
    peer_is(ESTABLISHED, PROVED);
    we_are(ESTABLISHED, PROVED);
    assert_int_equal(a(ACK, 101, 101, 0), TRACK_CHALLENGE);
    b(RST, 101, 0, 0);
    peer_is(CLOSED, PROVED);
}

static void rst_outside_the_window_moves_nothing(void **state)
{
    (void)state;
    established();
    assert_int_equal(b(RST, 99, 0, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(RST, 70000, 0, 0), TRACK_OUT_OF_WINDOW);
    peer_is(ESTABLISHED, PROVED);
    we_are(ESTABLISHED, PROVED);
}

static void data_beyond_a_rst_shows_that_the_rst_was_anothers(void **state)
{
    (void)state;
    established();
    b(RST, 101, 0, 0);
    pass(2 * LATE);
    b(ACK, 101, 101, 100);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 201, 101, 0);
    peer_is(ESTABLISHED, PROVED);
    a(ACK, 101, 201, 0);
    we_are(ESTABLISHED, PROVED);
}

/* The peer closes second. */

static void our_fin_acknowledged_is_close_wait(void **state)
{
    (void)state;
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

static void half_close_data_leaves_close_wait_proved(void **state)
{
    (void)state;
    established();
    a(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 102, 0);
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

static void an_ack_of_less_than_our_fin_does_not_speak_against_close_wait(void **state)
{
    (void)state;
    established();
    a(ACK, 101, 101, 100);
    a(FIN | ACK, 201, 101, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
    b(ACK, 101, 201, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
    b(ACK, 101, 202, 0);
    peer_is(CLOSE_WAIT, PROVED);
}

static void data_that_acknowledges_our_fin_late_is_close_wait_assumed(void **state)
{
    (void)state;
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

static void fin_and_ack_together_is_last_ack_at_once(void **state)
{
    (void)state;
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

static void first_data_soon_with_the_ack_of_our_fin_proves_close_wait(void **state)
{
    (void)state;
    open_actively();
    a(FIN | ACK, 1, 1, 100);
    b(ACK, 1, 102, 100);
    peer_is(CLOSE_WAIT, PROVED);
}

static void a_repeated_fin_speaks_against_closed(void **state)
{
    (void)state;
    established();
    a(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 102, 0);
    b(FIN | ACK, 101, 102, 0);
    a(ACK, 102, 102, 0);
    peer_is(CLOSED, ASSUMED);
    b(FIN | ACK, 101, 102, 0);
    peer_is(LAST_ACK, PROVED);
    a(ACK, 102, 102, 0);
    peer_is(CLOSED, ASSUMED);
}

static void a_probe_settles_closed_with_rst_or_refutes_it(void **state)
{
    (void)state;
    established();
    a(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 102, 0);
    b(FIN | ACK, 101, 102, 0);
    a(ACK, 102, 102, 0);
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

static void an_answer_to_a_probe_from_before_our_ack_refutes_nothing(void **state)
{
    (void)state;
    established();
    a(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 102, 0);
    a(ACK, 101, 101, 0);
    b(FIN | ACK, 101, 102, 0);
    a(ACK, 102, 102, 0);
    assert_int_equal(a(ACK, 101, 102, 0), TRACK_PROBE); /* and one after it: two are on the way */
    assert_int_equal(b(ACK, 102, 102, 0), TRACK_PROBE_ANSWER);
    peer_is(CLOSED, ASSUMED);
}

/* The peer closes first. */

static void the_peers_fin_first(void **state)
{
    (void)state;
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
    evidence_is(TRACK_B, 10, "it repeats its FIN");
    a(ACK, 101, 102, 0);
    peer_is(FIN_WAIT_2, ASSUMED);
}

static void data_acknowledged_that_followed_our_ack_proves_fin_wait_2(void **state)
{
    (void)state;
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

static void an_answer_to_a_probe_does_not_prove_fin_wait_2(void **state)
{
    (void)state;
    established();
    b(FIN | ACK, 101, 101, 0);
    a(ACK, 101, 102, 0);
    a(ACK, 100, 102, 1);
    assert_int_equal(b(ACK, 102, 101, 0), TRACK_PROBE_ANSWER);
    peer_is(FIN_WAIT_2, ASSUMED);
}

static void our_fin_after_its_own_is_time_wait(void **state)
{
    (void)state;
    established();
    b(FIN | ACK, 101, 101, 0);
    a(ACK, 101, 102, 0);
    a(FIN | ACK, 101, 102, 0);
    we_are(LAST_ACK, PROVED);
    peer_is(TIME_WAIT, ASSUMED);
    evidence_is(TRACK_B, 10, "we sent our FIN");
    b(ACK, 102, 102, 0);
    peer_is(TIME_WAIT, PROVED);
    evidence_is(TRACK_B, 11, "it acknowledged our FIN");
    we_are(CLOSED, ASSUMED);
}

static void time_wait_is_proved_when_a_repeated_fin_is_acknowledged(void **state)
{
    (void)state;
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

static void simultaneous_close(void **state)
{
    (void)state;
    established();
    a(FIN | ACK, 101, 101, 0);
    b(FIN | ACK, 101, 101, 0);
    peer_is(FIN_WAIT_1, PROVED);
    we_are(CLOSING, ASSUMED);
    evidence_is(TRACK_A, 9, "the peer's FIN met its own");
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

static void an_ack_of_our_fin_after_ours_of_its_is_closing_or_time_wait(void **state)
{
    (void)state;
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

/* Keepalive, challenges, silence. */

static void a_keepalive_probe_and_its_answer(void **state)
{
    (void)state;
    established();
    pass(7200 * 1000);
    assert_int_equal(a(ACK, 100, 101, 0), TRACK_PROBE);
    assert_int_equal(b(ACK, 101, 101, 0), TRACK_PROBE_ANSWER);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 9, "it answered our probe");
    pass(75 * 1000);
    assert_int_equal(b(ACK, 100, 101, 1), TRACK_PROBE);
    assert_int_equal(a(ACK, 101, 101, 0), TRACK_PROBE_ANSWER);
    evidence_is(TRACK_A, 11, "it answered the peer's probe");
    assert_int_equal(a(ACK, 101, 101, 0), TRACK_NEW);
}

static void a_probe_of_the_peers_proves_established_before_any_data(void **state)
{
    (void)state;
    open_actively();
    pass(LATE);
    assert_int_equal(b(ACK, 0, 1, 0), TRACK_PROBE);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 4, "it probes us");
}

static void a_probe_with_a_byte_may_be_data_repeated_with_a_fin_behind_it(void **state)
{
    (void)state;
    open_actively();
    pass(LATE);
    b(ACK, 1, 1, 1);
    a(ACK, 1, 2, 0);
    assert_int_equal(b(ACK, 1, 1, 1), TRACK_PROBE);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 1, 1, 0);
    peer_is(ESTABLISHED, PROVED);
}

static void a_silent_peer_is_merely_assumed_until_it_speaks(void **state)
{
    (void)state;
    established();
    a(ACK, 100, 101, 0);
    track_silent(&t, TRACK_B);
    peer_is(ESTABLISHED, ASSUMED);
    evidence_is(TRACK_B, 5, "it no longer answers");
    we_are(ESTABLISHED, PROVED);
    b(ACK, 101, 101, 0);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 9, "it answered our probe");
    track_silent(&t, TRACK_B);
    b(ACK, 90000, 101, 0); /* a forgery is no sign of life */
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 101, 101, 100);
    peer_is(ESTABLISHED, PROVED);
}

static void silence_of_a_peer_that_was_never_heard_is_unknown(void **state)
{
    (void)state;
    a(SYN, 0, 0, 0);
    track_silent(&t, TRACK_B);
    peer_is(UNKNOWN, ASSUMED);
}

static void rfc5961_4_a_syn_in_established_draws_a_challenge_and_moves_nothing(void **state)
{
    (void)state;
    established();
    iss[TRACK_A] += 5000;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_OUT_OF_WINDOW);
    iss[TRACK_A] -= 5000;
    we_are(ESTABLISHED, PROVED);
    assert_int_equal(b(ACK, 101, 101, 0), TRACK_CHALLENGE);
    peer_is(ESTABLISHED, PROVED);
    evidence_is(TRACK_B, 5, "it acknowledged our data");
}

/* Ways to be wrong. */

static void reordered_segments_move_nothing_back(void **state)
{
    (void)state;
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

static void duplicates_of_each_segment_move_nothing(void **state)
{
    (void)state;
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

static void a_duplicated_ack_before_the_fin_does_not_undo_fin_wait_1(void **state)
{
    (void)state;
    established();
    b(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 101, 0);
    peer_is(FIN_WAIT_1, PROVED);
}

static void an_ack_of_what_was_never_sent_moves_nothing(void **state)
{
    (void)state;
    established();
    assert_int_equal(b(ACK, 101, 102, 0), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(FIN | ACK, 101, 5000, 0), TRACK_OUT_OF_WINDOW);
    peer_is(ESTABLISHED, PROVED);
    we_are(ESTABLISHED, PROVED);
    a(FIN | ACK, 101, 101, 0);
    peer_is(CLOSE_WAIT, ASSUMED);
}

static void a_syn_ack_that_does_not_answer_our_syn_is_not_believed(void **state)
{
    (void)state;
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

static void segments_outside_the_window_move_nothing(void **state)
{
    (void)state;
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

static void rfc9293_3_10_7_4_an_old_ack_moves_una_and_leaves_the_window(void **state)
{
    (void)state;
    open_actively();
    b(ACK, 1, 1, 0);
    a(ACK, 1, 1, 50000);
    window[TRACK_A] = 100; /* A's old segment: B takes its ACK and keeps the 60,000 it knew */
    b(ACK, 1, 50001, 20000);
    a(ACK, 1, 20001, 1000);
    b(FIN | ACK, 75001, 50001, 0);
    peer_is(FIN_WAIT_1, PROVED);
}

static void rfc7323_a_scaled_window_reaches_further(void **state)
{
    (void)state;
    options = (struct opt){.has = OPT_WSCALE, .wscale = 7};
    window[TRACK_A] = 1000; /* 128,000 bytes, but not in a SYN */
    established();
    assert_int_equal(b(ACK, 120000, 101, 100), TRACK_OUT_OF_ORDER);
    assert_int_equal(b(ACK, 128200, 101, 100), TRACK_OUT_OF_WINDOW);
}

static void rfc7323_one_offer_of_scaling_scales_nothing(void **state)
{
    (void)state;
    options = (struct opt){.has = OPT_WSCALE, .wscale = 7};
    window[TRACK_A] = 1000;
    a(SYN, 0, 0, 0);
    options = (struct opt){0};
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
    assert_int_equal(b(ACK, 1002, 1, 100), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(ACK, 900, 1, 100), TRACK_OUT_OF_ORDER);
}

static void nothing_lies_behind_a_fin_and_it_does_not_move(void **state)
{
    (void)state;
    established();
    b(FIN | ACK, 101, 101, 0);
    assert_int_equal(b(ACK, 102, 101, 100), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(FIN | ACK, 90, 101, 0), TRACK_OUT_OF_WINDOW);
    peer_is(FIN_WAIT_1, PROVED);
    assert_int_equal(a(FIN | ACK, 99, 102, 0), TRACK_OUT_OF_WINDOW); /* data was seen there */
    we_are(CLOSE_WAIT, ASSUMED);
}

static void a_fin_beyond_a_gap_is_fin_wait_1_at_once(void **state)
{
    (void)state;
    established();
    assert_int_equal(b(FIN | ACK, 201, 101, 100), TRACK_OUT_OF_ORDER);
    peer_is(FIN_WAIT_1, PROVED);
    assert_int_equal(b(ACK, 101, 101, 100), TRACK_RETRANSMISSION);
    peer_is(FIN_WAIT_1, PROVED);
}

static void notes_of_the_stream(void **state)
{
    (void)state;
    established();
    assert_int_equal(a(ACK, 101, 101, 100), TRACK_NEW);
    assert_int_equal(a(ACK, 201, 101, 100), TRACK_NEW);
    assert_int_equal(b(ACK, 101, 201, 0), TRACK_NEW);
    assert_int_equal(b(ACK, 101, 201, 0), TRACK_DUPLICATE_ACK);
    window[TRACK_B]++;
    assert_int_equal(b(ACK, 101, 201, 0), TRACK_NEW); /* a window update is none */
    assert_int_equal(a(ACK, 201, 101, 100), TRACK_RETRANSMISSION);
    window[TRACK_B] = 0;
    assert_int_equal(b(ACK, 101, 301, 0), TRACK_ZERO_WINDOW);
    window[TRACK_B] = 500;
    assert_int_equal(b(ACK, 101, 301, 0), TRACK_NEW);
}

static void a_window_probe_is_not_taken_for_keepalive(void **state)
{
    (void)state;
    open_actively();
    window[TRACK_B] = 100;
    b(ACK, 1, 1, 0);
    window[TRACK_B] = 0;
    a(ACK, 1, 1, 60000); /* the SYN-ACK's window stands: it never shrinks */
    b(ACK, 1, 60001, 0);
    assert_int_equal(a(ACK, 60001, 1, 1), TRACK_OUT_OF_WINDOW);
    assert_int_equal(b(ACK, 1, 60001, 0), TRACK_DUPLICATE_ACK | TRACK_ZERO_WINDOW);
    peer_is(ESTABLISHED, PROVED);
}

/* From the middle on. */

static void mid_stream_both_stay_unknown_until_data_went_both_ways(void **state)
{
    (void)state;
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

static void mid_stream_a_fin_alone_tells_too_little(void **state)
{
    (void)state;
    b(FIN | ACK, 7000, 5000, 0);
    peer_is(UNKNOWN, ASSUMED);
    we_are(UNKNOWN, ASSUMED);
    a(ACK, 5000, 7001, 0); /* CLOSE_WAIT, LAST_ACK, CLOSING or TIME_WAIT */
    we_are(UNKNOWN, ASSUMED);
    a(ACK, 5000, 7001, 200);
    a(ACK, 5200, 7001, 0);
    we_are(CLOSE_WAIT, PROVED);
    b(ACK, 7001, 5200, 0); /* what of ours it has heard before is not known */
    peer_is(UNKNOWN, ASSUMED);
}

static void mid_stream_a_close_is_followed_once_both_are_known(void **state)
{
    (void)state;
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

static void mid_stream_an_ack_of_the_fin_may_have_gone_before(void **state)
{
    (void)state;
    a(ACK, 5000, 7000, 100);
    b(ACK, 7001, 5100, 0);
    b(FIN | ACK, 7000, 5000, 0); /* overtaken */
    b(ACK, 7001, 5100, 0);       /* FIN_WAIT_1 or FIN_WAIT_2 */
    peer_is(UNKNOWN, ASSUMED);
}

static void mid_stream_a_single_byte_may_be_a_probe(void **state)
{
    (void)state;
    a(ACK, 5000, 7000, 1);
    b(ACK, 7000, 5001, 100);
    a(ACK, 5001, 7100, 0);
    we_are(UNKNOWN, ASSUMED);
}

static void mid_stream_rst_ends_what_was_seen(void **state)
{
    (void)state;
    a(ACK, 5000, 7000, 100);
    assert_int_equal(b(RST, 9000, 0, 0), TRACK_OUT_OF_WINDOW);
    peer_is(UNKNOWN, ASSUMED);
    b(RST, 7000, 0, 0);
    peer_is(CLOSED, ASSUMED);
    we_are(CLOSED, ASSUMED);
}

static void a_syn_ack_seen_first(void **state)
{
    (void)state;
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
    we_are(UNKNOWN, ASSUMED);
    a(ACK, 1, 1, 100);
    peer_is(ESTABLISHED, ASSUMED);
    b(ACK, 1, 101, 0);
    peer_is(ESTABLISHED, PROVED);
}

/* The port again. */

static void a_new_syn_after_the_close_starts_anew(void **state)
{
    (void)state;
    established();
    a(FIN | ACK, 101, 101, 0);
    b(ACK, 101, 102, 0);
    b(FIN | ACK, 101, 102, 0);
    a(ACK, 102, 102, 0);
    a(SYN, 0, 0, 0); /* an old duplicate */
    we_are(TIME_WAIT, PROVED);
    iss[TRACK_A] += 1000000;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_NEW);
    we_are(SYN_SENT, PROVED);
    evidence_is(TRACK_A, 13, "it sent its SYN");
    peer_is(UNKNOWN, ASSUMED);
    iss[TRACK_B] -= 500;
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
}

static void rfc6191_a_lower_isn_needs_timestamps_in_time_wait(void **state)
{
    (void)state;
    established();
    b(FIN | ACK, 101, 101, 0);
    a(FIN | ACK, 101, 102, 0);
    b(ACK, 102, 102, 0);
    iss[TRACK_B] -= 1000;
    assert_int_equal(b(SYN, 0, 0, 0), TRACK_OUT_OF_WINDOW);
    peer_is(TIME_WAIT, PROVED);
    iss[TRACK_B] -= 1000;
    options = (struct opt){.has = OPT_TIMESTAMP};
    assert_int_equal(b(SYN, 0, 0, 0), TRACK_NEW);
    peer_is(SYN_SENT, PROVED);
}

static void a_second_attempt_has_a_later_isn(void **state)
{
    (void)state;
    a(SYN, 0, 0, 0);
    iss[TRACK_A] -= 1000;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_OUT_OF_WINDOW); /* an old duplicate */
    iss[TRACK_A] += 2000;
    assert_int_equal(a(SYN, 0, 0, 0), TRACK_NEW);
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
}

static void half_open_recovery_rfc9293_3_5_1(void **state)
{
    (void)state;
    established();
    /* A crashed and opens anew. */
    iss[TRACK_A] += 5000;
    a(SYN, 0, 0, 0);
    iss[TRACK_A] -= 5000;
    assert_int_equal(b(ACK, 101, 101, 0), TRACK_CHALLENGE);
    a(RST, 101, 0, 0);
    we_are(CLOSED, PROVED);
    peer_is(CLOSED, ASSUMED);
    iss[TRACK_A] += 5000;
    a(SYN, 0, 0, 0);
    we_are(SYN_SENT, PROVED);
    peer_is(UNKNOWN, ASSUMED);
    iss[TRACK_B] += 12345;
    b(SYN | ACK, 0, 1, 0);
    peer_is(SYN_RECEIVED, PROVED);
}

static void a_syn_ack_with_another_isn_replaces_one_that_was_not_taken(void **state)
{
    (void)state;
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    iss[TRACK_B] += 77;
    assert_int_equal(b(SYN | ACK, 0, 1, 0), TRACK_NEW);
    a(ACK, 1, 1, 0);
    we_are(ESTABLISHED, PROVED);
    iss[TRACK_B] += 77;
    assert_int_equal(b(SYN | ACK, 0, 1, 0), TRACK_OUT_OF_WINDOW);
    peer_is(ESTABLISHED, ASSUMED);
}

static void every_view_has_words(void **state)
{
    (void)state;
    for (enum track_side side = TRACK_A; side < TRACK_SIDES; side++) {
        for (unsigned cause = 0; cause < CAUSE_COUNT; cause++) {
            t.half[side].cause = (uint8_t)cause;
            assert_non_null(track_view(&t, side).cause);
            assert_in_range(strlen(track_view(&t, side).cause), 5, 40);
        }
    }
}

#define CASE(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_known_before_anything_is_seen),
        CASE(a_syn_proves_its_sender_and_says_nothing_of_the_peer),
        CASE(active_open_of_ours),
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
