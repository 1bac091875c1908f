/* Tests how the verdict follows from the way in which a connection ended and the reason for which a
 * run stopped: one row for each way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/report/outcome.h"

static struct outcome_facts facts(enum conn_end end, enum outcome_stop stop, bool established)
{
    return (struct outcome_facts){.end = end,
                                  .stop = stop,
                                  .peer = "192.0.2.2:80",
                                  .awaited = "the peer's FIN",
                                  .path.established = established,
                                  .local = STATE_ESTABLISHED,
                                  .syn_sent = 3,
                                  .waited = 2 * WAVE_S};
}

static void assert_outcome(const struct outcome_facts *f, enum verdict verdict, const char *by,
                           const char *kind, const char *word)
{
    struct outcome o;

    outcome_of(f, &o);
    assert_string_equal(verdict_name(o.verdict), verdict_name(verdict));
    assert_int_equal(o.exit, verdict);
    assert_string_equal(o.by, by);
    if (kind)
        assert_string_equal(o.kind, kind);
    else
        assert_null(o.kind);
    if (!strstr(o.message, word))
        fail_msg("\"%s\" does not say \"%s\"", o.message, word);
}

static void rst_answers_the_syn(void **state)
{
    struct outcome_facts f = facts(END_REFUSED, STOP_END, false);
    (void)state;
    assert_outcome(&f, VERDICT_REFUSED, "peer", "reset", "refused");
}

static void silence_answers_the_syn(void **state)
{
    struct outcome_facts f = facts(END_TIMEOUT_SYN, STOP_END, false);
    (void)state;
    assert_outcome(&f, VERDICT_DROPPED, "none", NULL, "3 SYNs");
    f.end = END_ABORTED;
    f.stop = STOP_TIMEOUT;
    f.syn_sent = 1;
    assert_outcome(&f, VERDICT_DROPPED, "none", NULL, "1 SYN to");
    f.arrived = 2; /* a RST without ACK, say: something came, and must not end the handshake */
    assert_outcome(&f, VERDICT_DROPPED, "none", NULL, "none of the 2 segments that came");
}

static void an_icmp_error_answers_the_syn(void **state)
{
    struct outcome_facts f = facts(END_ICMP, STOP_END, false);
    struct icmp e = {.type = 3, .code = 13, .from = addr_v4(192, 0, 2, 254)};
    (void)state;
    f.icmp = &e;
    assert_outcome(&f, VERDICT_REJECTED, "none", NULL, "192.0.2.254");
    assert_outcome(&f, VERDICT_REJECTED, "none", NULL, "type 3 code 13");
    /* A soft one decides when nothing else has answered by the end. */
    f.end = END_TIMEOUT_SYN;
    assert_outcome(&f, VERDICT_REJECTED, "none", NULL, "192.0.2.254");
    f.end = END_ABORTED;
    f.stop = STOP_TIMEOUT;
    assert_outcome(&f, VERDICT_REJECTED, "none", NULL, "192.0.2.254");
}

static void an_answer_with_a_gap_is_failed_or_local(void **state)
{
    struct outcome_facts f = facts(END_ABORTED, STOP_LINGER, true);
    (void)state;
    f.path.reset_sent = true;
    assert_outcome(&f, VERDICT_OPEN, "local", "abandoned", "CLOSE_WAIT");
    f.missing = 4000;
    assert_outcome(&f, VERDICT_FAILED, "local", "abandoned",
                   "4,000 bytes of what it sent never arrived");
    f.hindered = "no memory for data";
    assert_outcome(&f, VERDICT_LOCAL, "local", "abandoned", "no memory for data");
}

static void a_peer_that_answers_is_not_lost(void **state)
{
    struct outcome_facts f = facts(END_TIMEOUT, STOP_END, true);
    (void)state;
    assert_outcome(&f, VERDICT_LOST, "none", NULL, "stopped answering");
    f.answers = true;
    assert_outcome(&f, VERDICT_FAILED, "none", NULL, "does not take what we sent");
    f.end = END_ABORTED;
    f.stop = STOP_TIMEOUT;
    f.outstanding = true;
    f.path.reset_sent = true;
    assert_outcome(&f, VERDICT_FAILED, "local", "reset", "did not take all that we sent");
}

static void rst_after_the_handshake(void **state)
{
    struct outcome_facts f = facts(END_RESET, STOP_END, true);
    (void)state;
    assert_outcome(&f, VERDICT_RESET, "peer", "reset", "ESTABLISHED");
}

static void the_peer_stops_answering(void **state)
{
    struct outcome_facts f = facts(END_TIMEOUT, STOP_END, true);
    (void)state;
    assert_outcome(&f, VERDICT_LOST, "none", NULL, "stopped answering");
    f.end = END_KEEPALIVE;
    f.probes = 10;
    assert_outcome(&f, VERDICT_LOST, "none", NULL, "10 keepalive probes");
    outcome_sent(&f.path, STATE_CLOSED, SEG_RST); /* RFC 9293, 3.8.4: we end it */
    assert_outcome(&f, VERDICT_LOST, "local", "reset", "10 keepalive probes");
}

static void timeout_after_the_handshake(void **state)
{
    struct outcome_facts f = facts(END_ABORTED, STOP_TIMEOUT, true);
    (void)state;
    outcome_sent(&f.path, STATE_CLOSED, SEG_RST);
    assert_outcome(&f, VERDICT_FAILED, "local", "reset", "the peer's FIN");
    f.outstanding = true;
    assert_outcome(&f, VERDICT_LOST, "local", "reset", "did not acknowledge");
}

/* RFC 9293, 3.10.5: CLOSING and LAST_ACK are left without one. */
static void no_reset_is_told_where_none_was_sent(void **state)
{
    struct outcome_facts f = facts(END_ABORTED, STOP_TIMEOUT, true);
    struct outcome o;
    (void)state;
    f.local = STATE_CLOSING;
    outcome_sent(&f.path, STATE_CLOSING, SEG_ACK);
    assert_outcome(&f, VERDICT_FAILED, "local", "abandoned", "the peer's FIN");
    f.outstanding = true;
    assert_outcome(&f, VERDICT_LOST, "local", "abandoned", "did not acknowledge");
    f.stop = STOP_SIGNAL;
    outcome_of(&f, &o);
    assert_string_equal(o.kind, "abandoned");
    f.stop = STOP_LOCAL;
    assert_outcome(&f, VERDICT_LOCAL, "local", "abandoned", "this host failed");
}

static void what_was_asked_for(void **state)
{
    struct outcome_facts f = facts(END_ABORTED, STOP_ASKED, true);
    (void)state;
    outcome_sent(&f.path, STATE_CLOSED, SEG_RST);
    assert_outcome(&f, VERDICT_OPEN, "local", "reset", "RST, as asked");
    f.end = END_VANISHED;
    assert_outcome(&f, VERDICT_OPEN, "none", "abandoned", "vanished without closing");
}

static void a_peer_that_keeps_its_side_open(void **state)
{
    struct outcome_facts f = facts(END_ABORTED, STOP_LINGER, true);
    (void)state;
    assert_outcome(&f, VERDICT_OPEN, "local", "abandoned", "CLOSE_WAIT");
}

static void no_ack_needs_a_syn_ack(void **state)
{
    struct outcome_facts f = facts(END_ABORTED, STOP_NO_ACK, false);
    (void)state;
    assert_outcome(&f, VERDICT_DROPPED, "none", NULL, "nothing answered");
    f.odd_icmp = true;
    assert_outcome(&f, VERDICT_DROPPED, "none", NULL,
                   "the ICMP error that came is one that a host");
    f.elsewhere = 1;
    assert_outcome(&f, VERDICT_DROPPED, "none", NULL, "itself did not answer");
    f.syn_acks = 4;
    f.kept_silent = 12500 * WAVE_MS;
    assert_outcome(&f, VERDICT_OPEN, "none", "abandoned", "4 times");
    assert_outcome(&f, VERDICT_OPEN, "none", "abandoned", "silent for 12.50 s");
    f.stop = STOP_TIMEOUT;
    assert_outcome(&f, VERDICT_OPEN, "none", "abandoned", "4 times");
}

static void a_signal_is_the_exit_status(void **state)
{
    struct outcome_facts f = facts(END_ABORTED, STOP_SIGNAL, true);
    struct outcome o;
    (void)state;
    f.signal = 15;
    outcome_of(&f, &o);
    assert_int_equal(o.exit, 143);
    assert_int_equal(o.verdict, VERDICT_FAILED);
    f.path.established = false;
    f.signal = 2;
    outcome_of(&f, &o);
    assert_int_equal(o.exit, 130);
    assert_null(o.kind);
}

static void time_wait_cut_short_is_closed_all_the_same(void **state)
{
    struct outcome_facts f = facts(END_ABORTED, STOP_TIMEOUT, true);
    struct outcome o;
    (void)state;
    f.local = STATE_TIME_WAIT;
    f.path.local_first = f.path.separate = true;
    assert_outcome(&f, VERDICT_OPEN, "local", "four-way", "closed by both sides");
    f.stop = STOP_SIGNAL;
    f.signal = 2;
    outcome_of(&f, &o);
    assert_int_equal(o.exit, 130);
    assert_string_equal(o.kind, "four-way");
}

/* The signal came between the capture of the peer's last ACK and the engine's turn. */
static void a_last_ack_that_was_captured_is_the_end(void **state)
{
    struct outcome_facts f = facts(END_ABORTED, STOP_TIMEOUT, true);
    struct outcome o;
    (void)state;
    f.local = STATE_LAST_ACK;
    f.path.peer_first = f.path.separate = true;
    assert_outcome(&f, VERDICT_FAILED, "local", "abandoned", "the timeout");
    f.all_acked = true;
    assert_outcome(&f, VERDICT_OPEN, "peer", "four-way", "closed by both sides");
    f.stop = STOP_SIGNAL;
    f.signal = 15;
    outcome_of(&f, &o);
    assert_int_equal(o.exit, 143);
    f.local = STATE_ESTABLISHED;
    outcome_of(&f, &o);
    assert_int_equal(o.verdict, VERDICT_FAILED);
}

static void a_local_error_is_told(void **state)
{
    struct outcome_facts f = facts(END_ABORTED, STOP_LOCAL, true);
    (void)state;
    f.error = "cannot write to /dev/full: No space left on device";
    outcome_sent(&f.path, STATE_CLOSED, SEG_RST);
    assert_outcome(&f, VERDICT_LOCAL, "local", "reset", "No space left");
    /* Closed in order for it, or found out only while closing the file, when all was long over. */
    f.end = END_CLOSED;
    f.path.local_first = f.path.separate = true;
    assert_outcome(&f, VERDICT_LOCAL, "local", "four-way", "No space left");
    f.end = END_ABORTED;
    f.local = STATE_TIME_WAIT;
    assert_outcome(&f, VERDICT_LOCAL, "local", "four-way", "No space left");
    f.end = END_RESET;
    assert_outcome(&f, VERDICT_LOCAL, "peer", "reset", "No space left");
}

static void a_signal_keeps_its_status_when_this_host_fails_too(void **state)
{
    struct outcome_facts f = facts(END_ABORTED, STOP_LOCAL, true);
    struct outcome o;
    (void)state;
    f.error = "cannot write to /dev/full: No space left on device";
    outcome_of(&f, &o);
    assert_int_equal(o.exit, VERDICT_LOCAL);
    f.signal = 2;
    outcome_of(&f, &o);
    assert_int_equal(o.verdict, VERDICT_LOCAL);
    assert_int_equal(o.exit, 130);
    assert_non_null(strstr(o.message, "No space left"));
}

/* What looks like a silent peer is our own failure. */
static void a_host_that_cannot_send_is_told(void **state)
{
    struct outcome_facts f = facts(END_TIMEOUT, STOP_END, true);
    (void)state;
    f.hindered = "cannot send to 192.0.2.1: Network is unreachable";
    assert_outcome(&f, VERDICT_LOCAL, "none", NULL, "could not go on: cannot send");
    f.end = END_KEEPALIVE;
    assert_outcome(&f, VERDICT_LOCAL, "none", NULL, "could not go on: cannot send");
    f = facts(END_ABORTED, STOP_TIMEOUT, true);
    outcome_sent(&f.path, STATE_CLOSED, SEG_RST);
    f.hindered = "cannot send to 192.0.2.1: Network is unreachable";
    assert_outcome(&f, VERDICT_LOCAL, "local", "reset", "ran out: cannot send");
}

/* The paths through the states, ended by STATE_COUNT. A state that is repeated stands for an ACK
 * that is sent in it. */
static struct outcome_facts closed_by(const enum state *way, bool together)
{
    struct outcome_facts f = facts(END_CLOSED, STOP_END, false);
    for (uint64_t segment = 1; way[1] != STATE_COUNT; way++, segment += !together) {
        if (way[0] == STATE_CLOSE_WAIT && way[1] == STATE_CLOSE_WAIT)
            outcome_sent(&f.path, STATE_CLOSE_WAIT, SEG_ACK);
        else
            outcome_moved(&f.path, way[0], way[1], segment);
    }
    return f;
}

static void closes_by_name(void **state)
{
    static const struct {
        enum state way[10];
        const char *by, *kind;
        bool together; /* all moves were for one segment */
    } ways[] = {
        {{STATE_SYN_SENT, STATE_ESTABLISHED, STATE_FIN_WAIT_1, STATE_FIN_WAIT_2, STATE_TIME_WAIT,
          STATE_CLOSED, STATE_COUNT},
         "local",
         "three-way",
         true},
        {{STATE_SYN_SENT, STATE_ESTABLISHED, STATE_FIN_WAIT_1, STATE_FIN_WAIT_2, STATE_TIME_WAIT,
          STATE_CLOSED, STATE_COUNT},
         "local",
         "four-way",
         false},
        {{STATE_SYN_SENT, STATE_ESTABLISHED, STATE_FIN_WAIT_1, STATE_TIME_WAIT, STATE_CLOSED,
          STATE_COUNT},
         "local",
         "three-way",
         false},
        {{STATE_SYN_SENT, STATE_ESTABLISHED, STATE_FIN_WAIT_1, STATE_CLOSING, STATE_TIME_WAIT,
          STATE_CLOSED, STATE_COUNT},
         "both",
         "simultaneous",
         false},
        {{STATE_SYN_SENT, STATE_ESTABLISHED, STATE_CLOSE_WAIT, STATE_CLOSE_WAIT, STATE_LAST_ACK,
          STATE_CLOSED, STATE_COUNT},
         "peer",
         "four-way",
         false},
        {{STATE_SYN_SENT, STATE_ESTABLISHED, STATE_CLOSE_WAIT, STATE_LAST_ACK, STATE_CLOSED,
          STATE_COUNT},
         "peer",
         "three-way",
         false},
        {{STATE_SYN_RECEIVED, STATE_CLOSE_WAIT, STATE_LAST_ACK, STATE_CLOSED, STATE_COUNT},
         "peer",
         "three-way",
         false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct outcome_facts f = closed_by(ways[i].way, ways[i].together);
        assert_true(f.path.established);
        assert_outcome(&f, VERDICT_OPEN, ways[i].by, ways[i].kind, "connected to 192.0.2.2:80");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rst_answers_the_syn),
        cmocka_unit_test(silence_answers_the_syn),
        cmocka_unit_test(an_icmp_error_answers_the_syn),
        cmocka_unit_test(rst_after_the_handshake),
        cmocka_unit_test(an_answer_with_a_gap_is_failed_or_local),
        cmocka_unit_test(a_peer_that_answers_is_not_lost),
        cmocka_unit_test(the_peer_stops_answering),
        cmocka_unit_test(timeout_after_the_handshake),
        cmocka_unit_test(no_reset_is_told_where_none_was_sent),
        cmocka_unit_test(what_was_asked_for),
        cmocka_unit_test(a_peer_that_keeps_its_side_open),
        cmocka_unit_test(no_ack_needs_a_syn_ack),
        cmocka_unit_test(a_signal_is_the_exit_status),
        cmocka_unit_test(time_wait_cut_short_is_closed_all_the_same),
        cmocka_unit_test(a_last_ack_that_was_captured_is_the_end),
        cmocka_unit_test(a_local_error_is_told),
        cmocka_unit_test(a_signal_keeps_its_status_when_this_host_fails_too),
        cmocka_unit_test(a_host_that_cannot_send_is_told),
        cmocka_unit_test(closes_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
