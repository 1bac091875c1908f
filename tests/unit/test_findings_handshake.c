/*
 * Findings about the handshake, timestamps and windows: for each, a connection that trips it, with
 * how sure it is, the segments that show it and its words, and one that looks alike and is
 * harmless, in which it stays silent.
 */
#include "tests/unit/findings_rig.h"

/*
 * The handshake
 */

CASE(a_rst_that_acknowledges_no_syn)
{
    struct step rst = {.flags = SEG_RST | SEG_ACK, .ack = 42, .local = STATE_SYN_SENT};

    start();
    say_syn();
    say(rst);
    look(false, VERDICT_OPEN);
    assert_int_equal(must("rst-unacceptable")->severity, FINDING_WARNING);
    says(expect("rst-unacceptable", VERDICT_DROPPED, FINDING_PROVED, FINDING_PROBLEM, SHOWN(2)),
         "a RST answered our SYN without acknowledging it, so that a host ignores it");
    done();

    start(); /* it carries no ACK */
    say_syn();
    rst.flags = SEG_RST;
    say(rst);
    expect("rst-unacceptable", VERDICT_DROPPED, FINDING_PROVED, FINDING_PROBLEM, SHOWN(2));
    say(syn_ack()); /* a straggler, then */
    expect("rst-unacceptable", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, SHOWN(2));
    done();

    start();
    say_syn();
    say((struct step){.flags = SEG_RST | SEG_ACK, .ack = 1, .local = STATE_CLOSED});
    elapse(2 * WAVE_S);
    expect_peace(VERDICT_REFUSED);
    done();
}

CASE(an_ack_answers_our_syn)
{
    start();
    say_syn();
    say((struct step){
        .flags = SEG_ACK, .seq = 900000, .ack = 4000, .wnd = 9, .local = STATE_SYN_SENT});
    says(expect("ack-to-syn", VERDICT_DROPPED, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(2)),
         "the peer answers our SYN with an ACK of something else: it still holds an older "
         "connection over these ports");
    say(syn_ack());
    says(expect("ack-to-syn", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(2)),
         "the peer first answered our SYN with an ACK of something else: it still held an older "
         "connection over these ports, until our RST ended that");
    done();

    start(); /* data that has overtaken the SYN-ACK */
    say_syn();
    say((struct step){
        .flags = SEG_ACK, .seq = 1, .ack = 1, .len = 10, .wnd = 9, .local = STATE_SYN_SENT});
    say(syn_ack());
    expect_silence("ack-to-syn", VERDICT_OPEN);
    done();
}

CASE(a_syn_ack_of_another_syn)
{
    struct step s = syn_ack();

    start();
    say_syn();
    s.ack = 77;
    s.local = STATE_SYN_SENT;
    say(s);
    says(expect("syn-ack-unacceptable", VERDICT_DROPPED, FINDING_PROVED, FINDING_PROBLEM, SHOWN(2)),
         "a SYN-ACK came that acknowledges another SYN than ours");
    say(syn_ack());
    expect("syn-ack-unacceptable", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, SHOWN(2));
    done();

    shake();
    expect_silence("syn-ack-unacceptable", VERDICT_OPEN);
    done();
}

/* SYN-ACKs again after 1 and 3 seconds, while our data is repeated. `heard`: they echo it. */
static void repeat_syn_ack(unsigned times, bool heard, uint32_t len)
{
    for (unsigned i = 0; i < times; i++) {
        struct step s = syn_ack();
        elapse((1u << i) * WAVE_S);
        if (len) {
            struct step again = ours(SEG_ACK, 1, 1, len);
            again.retransmission = i > 0;
            say(again);
        }
        if (heard)
            s.opt.tsecr = 26;
        say(s);
        say_ours(SEG_ACK, 1 + len, 1, 0);
    }
}

CASE(a_full_accept_queue)
{
    shake();
    repeat_syn_ack(3, true, 5);
    says(
        expect("accept-queue-full", VERDICT_LOST, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(5, 8, 11)),
        "the peer repeated its SYN-ACK and took neither our ACK nor our data: it echoes their "
        "timestamps, so that they came to it, and its accept queue is full");
    say_theirs(SEG_ACK, 1, 6, 0);
    expect("accept-queue-full", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(5, 8, 11));
    done();

    shake(); /* without timestamps it may as well be the path */
    repeat_syn_ack(2, false, 5);
    says(expect("accept-queue-full", VERDICT_LOST, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(5, 8)),
         "the peer repeated its SYN-ACK and took neither our ACK nor our data: its accept queue is "
         "full, or what we send is lost on the way");
    done();

    shake(); /* nor our FIN, which ends a deferred accept */
    for (unsigned i = 0; i < 3; i++) {
        struct step fin = ours(SEG_FIN | SEG_ACK, 1, 1, 0);
        fin.retransmission = i > 0;
        say(fin);
        elapse((1u << i) * WAVE_S);
        say(syn_ack());
    }
    says(expect("accept-queue-full", VERDICT_FAILED, FINDING_LIKELY, FINDING_PROBLEM,
                SHOWN(5, 7, 9)),
         "the peer repeated its SYN-ACK and took neither our ACK nor our FIN: its accept queue is "
         "full, or what we send is lost on the way");
    expect_silence("deferred-accept", VERDICT_FAILED);
    done();

    shake(); /* it takes us in once we have given up */
    repeat_syn_ack(3, false, 5);
    struct step rst = ours(SEG_RST, 6, 1, 0), late = theirs(SEG_ACK, 1, 1, 0);
    rst.local = late.local = STATE_CLOSED;
    say(rst);
    say(late);
    expect("accept-queue-full", VERDICT_LOST, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(5, 8, 11));
    done();

    shake(); /* the network copies SYN-ACKs */
    say_ours(SEG_ACK, 1, 1, 5);
    for (unsigned i = 0; i < 10; i++)
        say(syn_ack());
    expect_peace(VERDICT_LOST);
    done();

    shake(); /* our ACK was lost, and our data with it */
    say_ours(SEG_ACK, 1, 1, 5);
    elapse(WAVE_S);
    say(syn_ack());
    say_ours(SEG_ACK, 6, 1, 0);
    say_theirs(SEG_ACK, 1, 6, 0);
    expect_peace(VERDICT_OPEN);
    expect_silence("deferred-accept", VERDICT_OPEN);
    done();
}

CASE(a_deferred_accept)
{
    shake();
    repeat_syn_ack(1, true, 0);
    says(expect("deferred-accept", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(4)),
         "the peer repeats its SYN-ACK after our ACK: it waits for data before it accepts "
         "(deferred accept), or its accept queue is full");
    expect_silence("accept-queue-full", VERDICT_LOST);
    done();

    shake(); /* our ACK was lost, and the next one was not */
    repeat_syn_ack(1, false, 0);
    expect_silence("deferred-accept", VERDICT_OPEN);
    done();

    shake(); /* the peer speaks, so that it has our ACK */
    repeat_syn_ack(2, false, 0);
    say_theirs(SEG_ACK, 1, 1, 9);
    expect_silence("deferred-accept", VERDICT_OPEN);
    done();
}

CASE(syn_cookies_and_a_peer_that_repeats)
{
    struct step s = syn_ack();

    s.local = STATE_SYN_SENT; /* --no-ack */
    start();
    say_syn();
    say(s);
    facts.silent_for = 5 * WAVE_S;
    says(expect("syn-cookies", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(2)),
         "the peer did not repeat its SYN-ACK within 5.00 s: it keeps nothing of the handshake "
         "(SYN cookies), or a SYN proxy answers for it");
    facts.silent_for = 3 * WAVE_S;
    expect_silence("syn-cookies", VERDICT_OPEN);
    facts.silent_for = 5 * WAVE_S;
    elapse(WAVE_S);
    say(s);
    expect_silence("syn-cookies", VERDICT_OPEN);
    done();
}

/*
 * Timestamps
 */

CASE(timestamps_that_stay_away)
{
    struct step s;

    shake();
    s = theirs(SEG_ACK, 1, 1, 7);
    s.opt.has = 0;
    say(s);
    says(expect("timestamps-missing", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, SHOWN(4)),
         "1 segment of the peer's came without the timestamps that both sides had agreed on; it "
         "was taken all the same");
    done();

    shake(); /* a RST need not have them (RFC 7323, 3.2), nor what is anybody's */
    s = theirs(SEG_ACK, 900000, 1, 7);
    s.opt.has = 0;
    say(s);
    s = theirs(SEG_RST, 1, 0, 0);
    s.opt.has = 0;
    s.local = STATE_CLOSED;
    say(s);
    expect_silence("timestamps-missing", VERDICT_RESET);
    done();

    start(); /* the peer did not agree */
    say_syn();
    s = syn_ack();
    s.opt.has &= ~(unsigned)OPT_TIMESTAMP;
    say(s);
    s = theirs(SEG_ACK, 1, 1, 7);
    s.opt.has = 0;
    say(s);
    expect_peace(VERDICT_OPEN);
    done();
}

/* PAWS refuses a segment of the peer's, of that timestamp, which is next in order or not. */
static void refused(uint32_t seq, uint32_t len, uint32_t tsval, bool fresh)
{
    struct step s = theirs(SEG_ACK, seq, 1, len);
    struct seg as = {.seq = seq_of(THEIR_ISN + seq), .flags = SEG_ACK, .len = len};

    s.opt.tsval = tsval;
    as.opt = s.opt;
    say(s);
    signs_refused(&script.flow, CHECK_PAWS, &as, fresh);
}

CASE(timestamps_of_two_clocks)
{
    shake();
    refused(1, 0, 0xfffff000u, true);
    expect_silence("timestamps-backwards", VERDICT_LOST);
    refused(1, 100, 0xfffff010u, true);
    says(expect("timestamps-backwards", VERDICT_LOST, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(4, 5)),
         "the timestamps of the peer's new segments go backwards, so that they are dropped as old "
         "(PAWS): 2 in all");
    done();

    shake(); /* the clock goes back later: what is repeated is refused each time */
    say_theirs(SEG_ACK, 1, 1, 100);
    for (unsigned i = 0; i < 3; i++) {
        elapse(WAVE_S);
        refused(101, 100, 10 + i, true);
    }
    expect("timestamps-backwards", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(6, 7));
    done();

    shake(); /* acknowledgements that were overtaken, a delayed copy of data, one of each */
    say_theirs(SEG_ACK, 1, 1, 100);
    for (unsigned i = 0; i < 5; i++)
        refused(101, 0, 20 + i, true);
    refused(1, 100, 9, false);
    refused(101, 100, 20, true);
    expect_silence("timestamps-backwards", VERDICT_OPEN);
    done();
}

CASE(an_echo_of_what_was_never_sent)
{
    struct step s;

    shake();
    s = theirs(SEG_ACK, 1, 1, 7);
    s.opt.tsecr = 4000;
    say(s);
    says(expect("timestamp-echo-wrong", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, SHOWN(4)),
         "the peer echoes timestamps that we never sent");
    done();

    shake(); /* what is old, and what an unknown sender sends beyond the window */
    s = theirs(SEG_ACK, 1, 1, 7);
    s.opt.tsecr = 0;
    say(s);
    s = theirs(SEG_ACK, 3000000, 1, 7);
    s.opt.tsecr = 4000;
    say(s);
    expect_silence("timestamp-echo-wrong", VERDICT_OPEN);
    done();

    shake(); /* our capture has lost what it may echo */
    s = theirs(SEG_ACK, 1, 1, 7);
    s.gap = true;
    s.opt.tsecr = 4000;
    say(s);
    expect_silence("timestamp-echo-wrong", VERDICT_OPEN);
    done();
}

/*
 * Windows
 */

static void shut_window(void)
{
    struct step s;

    shake();
    say_ours(SEG_ACK, 1, 1, 1000);
    s = theirs(SEG_ACK, 1, 1001, 0);
    s.wnd = 0;
    say(s);
}

/* One byte that asks, and the answer that it is still shut, or of that window. */
static void probe_window(uint16_t wnd)
{
    struct step s = ours(SEG_ACK, 1001, 1, 1);

    say(s);
    elapse(20 * WAVE_MS);
    s = theirs(SEG_ACK, 1, 1001, 0);
    s.wnd = wnd;
    say(s);
}

CASE(a_window_that_stays_shut)
{
    shut_window();
    elapse(WAVE_S);
    probe_window(0);
    look(false, VERDICT_OPEN);
    assert_int_equal(must("window-closed")->severity, FINDING_WARNING);
    elapse(2 * WAVE_S - 20200 * WAVE_US);
    says(expect("window-closed", VERDICT_FAILED, FINDING_PROVED, FINDING_PROBLEM, SHOWN(5)),
         "the peer's receive window has been shut for 3.00 s, and it answered our window probes: "
         "its host lives, and does not take what we send");
    probe_window(500);
    says(expect("window-closed", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, SHOWN(5)),
         "the peer's receive window was shut for 3.02 s, and it answered our window probes: its "
         "host lives, and does not take what we send");
    done();

    shut_window(); /* the peer has gone since */
    elapse(WAVE_S);
    probe_window(0);
    elapse(WAVE_S);
    probe_window(0);
    elapse(30 * WAVE_S);
    says(expect("window-closed", VERDICT_LOST, FINDING_PROVED, FINDING_WARNING, SHOWN(5)),
         "the peer's receive window had been shut for 2.04 s when it was heard last; since then it "
         "has answered no window probe either");
    done();

    shut_window(); /* for less than a second */
    elapse(400 * WAVE_MS);
    probe_window(500);
    elapse(10 * WAVE_S);
    expect_peace(VERDICT_OPEN);
    done();

    shut_window(); /* nothing of ours waits for it */
    elapse(100 * WAVE_S);
    expect_peace(VERDICT_OPEN);
    done();
}

/* Our FIN is all that waits for the window: it is acknowledged, or not. */
CASE(a_fin_before_a_shut_window)
{
    for (uint32_t taken = 0; taken < 2; taken++) {
        struct step s;
        shut_window();
        for (unsigned i = 0; i < 2; i++) {
            elapse(WAVE_S);
            s = ours(SEG_FIN | SEG_ACK, 1001, 1, 0);
            s.retransmission = i > 0;
            say(s);
            s = theirs(SEG_ACK, 1, 1001 + taken, 0);
            s.wnd = 0;
            say(s);
            if (taken)
                break;
        }
        elapse(30 * WAVE_S);
        if (taken)
            expect_silence("window-closed", VERDICT_OPEN);
        else
            expect("window-closed", VERDICT_FAILED, FINDING_PROVED, FINDING_PROBLEM, SHOWN(5));
        done();
    }
}

CASE(a_probe_of_a_shut_window_is_no_retransmission)
{
    shut_window();
    for (unsigned i = 0; i < 3; i++) {
        elapse(WAVE_S);
        probe_window(0);
    }
    assert_int_equal(script.flow.retransmissions, 0);
    assert_int_equal(signs_count(&script.flow.signs, SIGN_WINDOW_PROBED), 3);
    assert_int_equal(signs_count(&script.flow.signs, SIGN_SHUT_ANSWER), 3);
    done();
}

CASE(data_beyond_our_window)
{
    shake(); /* 502 << 7 is offered, up to 64257 */
    say_theirs(SEG_ACK, 1, 1, 60000);
    say_theirs(SEG_ACK, 60001, 1, 5000);
    says(expect("window-overrun", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, SHOWN(5)),
         "the peer sent data beyond the window that we had offered");
    done();

    shake(); /* up to the edge, a FIN behind it, a probe of a full window, another's segment */
    say_theirs(SEG_ACK, 1, 1, 60000);
    say_theirs(SEG_ACK, 60001, 1, 4256);
    say_theirs(SEG_ACK, 64257, 1, 1);
    say_theirs(SEG_ACK | SEG_FIN, 64257, 1, 0);
    say_theirs(SEG_ACK, 1000000, 1, 1000);
    expect_silence("window-overrun", VERDICT_OPEN);
    done();

    shake(); /* what we repeat acknowledges more: by SND.WL1, the peer moves the old window with it
              */
    say_ours(SEG_ACK, 1, 1, 100);
    say_theirs(SEG_ACK, 1, 1, 1000);
    struct step again = ours(SEG_ACK, 1, 1001, 100);
    again.wnd = 400;
    say(again);
    say_theirs(SEG_ACK, 1001, 101, 60000);
    say_theirs(SEG_ACK, 61001, 101, 4256);
    expect_silence("window-overrun", VERDICT_OPEN);
    say_theirs(SEG_ACK, 65257, 101, 1448);
    expect("window-overrun", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, SHOWN(9));
    done();

    shake(); /* our capture may have lost what offered more */
    struct step s = theirs(SEG_ACK, 1, 1, 60000);
    s.gap = true;
    say(s);
    say_theirs(SEG_ACK, 60001, 1, 5000);
    expect_silence("window-overrun", VERDICT_OPEN);
    done();
}

CASE(a_window_that_was_scaled_otherwise)
{
    struct step s;

    start();
    say_syn();
    s = syn_ack();
    s.opt.wscale = 0;
    say(s);
    say_ours(SEG_ACK, 1, 1, 0);
    say_theirs(SEG_ACK, 1, 1, 5); /* a window of 509 */
    says(expect("window-scale-rewritten", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(2, 4)),
         "the peer's SYN-ACK offered a window of 65,160 bytes and its next segment takes most of "
         "that back: a device on the way has lowered the window scale");
    done();

    start(); /* our data does not fit into what is left of it */
    say_syn();
    s = syn_ack();
    s.opt.has &= ~(unsigned)OPT_WSCALE;
    say(s);
    say_ours(SEG_ACK, 1, 1, 0);
    s = theirs(SEG_ACK, 1, 1, 0);
    s.wnd = 63;
    say(s);
    say_ours(SEG_ACK | SEG_PSH, 1, 1, 63);
    elapse(5 * WAVE_S);
    says(expect("window-scale-rewritten", VERDICT_FAILED, FINDING_LIKELY, FINDING_PROBLEM,
                SHOWN(2, 4)),
         "the peer's SYN-ACK offered a window of 65,160 bytes and its next segment takes most of "
         "that back: a device on the way has removed the window scale");
    expect_silence("window-closed", VERDICT_FAILED); /* the peer takes more than that */
    done();

    shake(); /* 509 << 7 */
    say_theirs(SEG_ACK, 1, 1, 5);
    expect_silence("window-scale-rewritten", VERDICT_LOST);
    done();

    shut_window(); /* it has been filled, or is shut */
    expect_silence("window-scale-rewritten", VERDICT_LOST);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rst_that_acknowledges_no_syn),
        cmocka_unit_test(an_ack_answers_our_syn),
        cmocka_unit_test(a_syn_ack_of_another_syn),
        cmocka_unit_test(a_full_accept_queue),
        cmocka_unit_test(a_deferred_accept),
        cmocka_unit_test(syn_cookies_and_a_peer_that_repeats),
        cmocka_unit_test(timestamps_that_stay_away),
        cmocka_unit_test(timestamps_of_two_clocks),
        cmocka_unit_test(an_echo_of_what_was_never_sent),
        cmocka_unit_test(a_window_that_stays_shut),
        cmocka_unit_test(a_fin_before_a_shut_window),
        cmocka_unit_test(a_probe_of_a_shut_window_is_no_retransmission),
        cmocka_unit_test(data_beyond_our_window),
        cmocka_unit_test(a_window_that_was_scaled_otherwise),
    };

    return cmocka_run_group_tests_name("findings_handshake", tests, NULL, NULL);
}
