/*
 * Findings about how a connection ends, what is lost and repeated on it, and its keepalive probes:
 * for each, a connection that trips it, with how sure it is, the segments that show it and its
 * words, and one that looks alike and is harmless, in which it stays silent.
 */
#include "tests/unit/findings_rig.h"

/*
 * The end
 */

CASE(a_peer_that_closes_at_once)
{
    shake();
    elapse(10 * WAVE_MS - 100 * WAVE_US);
    fin_of_theirs(1, 1, 0);
    says(expect("closed-at-once", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(4)),
         "the peer closed 10.1 ms after the handshake, before it sent any byte: a proxy or load "
         "balancer whose backend is not there looks like this");
    done();

    shake();
    say_ours(SEG_ACK, 1, 1, 5);
    rst_of_theirs(1, 64);
    expect("closed-at-once", VERDICT_RESET, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(5));
    done();

    start(); /* a device between has reset it */
    say_syn();
    struct step s = syn_ack();
    s.ttl = 60;
    say(s);
    say_ours(SEG_ACK, 1, 1, 5);
    rst_of_theirs(1, 63);
    expect_silence("closed-at-once", VERDICT_RESET);
    done();
}

/* Its TCP has acknowledged all, and its application has not read all. */
CASE(an_answer_and_a_rst)
{
    for (unsigned idle = 0; idle < 2; idle++) {
        shake();
        say_ours(SEG_ACK, 1, 1, 5);
        say_theirs(SEG_ACK, 1, 6, 10);
        if (idle)
            elapse(2 * WAVE_S);
        rst_of_theirs(11, 64);
        if (idle)
            expect_silence("answered-early", VERDICT_RESET);
        else
            says(expect("answered-early", VERDICT_RESET, FINDING_LIKELY, FINDING_WARNING, SHOWN(6)),
                 "the peer answered, and then reset the connection, though it had acknowledged all "
                 "that we sent: its application closed and had not read all of it");
        done();
    }
}

CASE(closes_that_are_not_at_once)
{
    shake(); /* it has answered */
    say_theirs(SEG_ACK, 1, 1, 5);
    fin_of_theirs(6, 1, 0);
    expect_peace(VERDICT_OPEN);
    done();

    shake(); /* its answer was lost, and the FIN behind it was not */
    fin_of_theirs(6, 1, 0);
    expect_silence("closed-at-once", VERDICT_OPEN);
    done();

    shake(); /* it has read what we sent */
    say_ours(SEG_ACK, 1, 1, 5);
    fin_of_theirs(1, 6, 0);
    expect_peace(VERDICT_OPEN);
    says(expect("closed-at-once", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(5)),
         "the peer took what we sent, and closed 0.300 ms after the handshake without a byte of "
         "its own");
    done();

    shake(); /* half a second later */
    say_ours(SEG_ACK, 1, 1, 5);
    elapse(WAVE_S / 2);
    fin_of_theirs(1, 6, 0);
    expect_silence("closed-at-once", VERDICT_OPEN);
    done();

    shake(); /* what we send then is answered with RST */
    fin_of_theirs(1, 1, 0);
    say_ours(SEG_ACK, 1, 2, 5);
    rst_of_theirs(2, 64);
    expect("closed-at-once", VERDICT_RESET, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(4));
    done();

    shake(); /* we were first */
    say_ours(SEG_FIN | SEG_ACK, 1, 1, 0);
    fin_of_theirs(1, 2, 0);
    expect_peace(VERDICT_OPEN);
    done();

    shake(); /* half a second later */
    elapse(WAVE_S / 2);
    fin_of_theirs(1, 1, 0);
    expect_peace(VERDICT_OPEN);
    done();

    start(); /* a caller that only looks whether we live */
    say((struct step){
        .flags = SEG_SYN, .wnd = 64240, .local = STATE_SYN_RECEIVED, .opt = script_syn});
    say((struct step){.out = true,
                      .flags = SEG_SYN | SEG_ACK,
                      .ack = 1,
                      .wnd = 64240,
                      .local = STATE_SYN_RECEIVED,
                      .opt = script_syn});
    say_theirs(SEG_ACK, 1, 1, 0);
    fin_of_theirs(1, 1, 0);
    expect_peace(VERDICT_OPEN);
    done();
}

CASE(an_answer_before_all_was_sent)
{
    shake();
    for (unsigned i = 0; i < 4; i++)
        say_ours(SEG_ACK, 1 + 1000 * i, 1, 1000);
    say_theirs(SEG_ACK, 1, 2001, 30);
    fin_of_theirs(31, 2001, 0);
    says(expect("answered-early", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, SHOWN(9)),
         "the peer answered and closed before it had all that we sent, and did not take the rest");
    say_theirs(SEG_ACK, 32, 4001, 0); /* it did */
    says(expect("answered-early", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, SHOWN(9)),
         "the peer answered and closed before it had all that we sent");
    done();

    shake(); /* an answer, and a close in order */
    say_ours(SEG_ACK, 1, 1, 1000);
    say_theirs(SEG_ACK, 1, 1001, 30);
    fin_of_theirs(31, 1001, 0);
    say_ours(SEG_FIN | SEG_ACK, 1001, 32, 0);
    expect_silence("answered-early", VERDICT_OPEN);
    done();
}

CASE(the_end_of_a_silence)
{
    shake();
    elapse(4 * WAVE_S - 100 * WAVE_US);
    rst_of_theirs(1, 64);
    says(expect("reset-when-idle", VERDICT_RESET, FINDING_PROVED, FINDING_PROBLEM, SHOWN(4)),
         "the peer's side reset the connection after 4.00 s in which neither side sent anything");
    done();

    shake();
    elapse(4 * WAVE_S - 100 * WAVE_US);
    fin_of_theirs(1, 1, 0);
    says(expect("closed-when-idle", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, SHOWN(4)),
         "the peer's side closed after 4.00 s in which neither side sent anything");
    done();

    shake(); /* with a probe in it */
    elapse(3 * WAVE_S);
    struct step probe = ours(SEG_ACK, 0, 1, 0);
    probe.probe = true;
    say(probe);
    say_theirs(SEG_ACK, 1, 1, 0);
    elapse(WAVE_S - 300 * WAVE_US);
    rst_of_theirs(1, 64);
    says(expect("reset-when-idle", VERDICT_RESET, FINDING_PROVED, FINDING_PROBLEM, SHOWN(6)),
         "the peer's side reset the connection after 4.00 s in which neither side sent anything "
         "but probes");
    done();

    shake(); /* the probe itself is answered so */
    elapse(3 * WAVE_S);
    say(probe);
    rst_of_theirs(1, 64);
    expect_silence("reset-when-idle", VERDICT_RESET);
    done();

    shake(); /* in answer to data */
    elapse(3 * WAVE_S);
    say_ours(SEG_ACK, 1, 1, 5);
    rst_of_theirs(1, 64);
    expect_silence("reset-when-idle", VERDICT_RESET);
    done();

    start(); /* a refusal that takes its time */
    say_syn();
    elapse(3 * WAVE_S);
    say((struct step){.flags = SEG_RST | SEG_ACK, .ack = 1, .local = STATE_CLOSED});
    expect_peace(VERDICT_REFUSED);
    done();
}

/* Our FIN, again and again, after 1, 2, 4 seconds; the peer's ACK comes at that time after each. */
static void repeat_fin(unsigned times, wave_time after, uint32_t ack)
{
    for (unsigned i = 0; i < times; i++) {
        struct step fin = ours(SEG_FIN | SEG_ACK, 1, 1, 0);
        fin.retransmission = i > 0;
        fin.local = STATE_FIN_WAIT_1;
        say(fin);
        elapse(after);
        say_theirs(SEG_ACK, 1, ack, 0);
        elapse((1u << i) * WAVE_S - after);
    }
}

CASE(a_fin_that_is_ignored)
{
    shake();
    repeat_fin(3, 500 * WAVE_MS, 1);
    says(expect("fin-ignored", VERDICT_LOST, FINDING_PROVED, FINDING_PROBLEM, SHOWN(5, 7, 9)),
         "the peer answers and does not acknowledge our FIN, though we repeated it");
    done();

    shake(); /* it answers each at once, with the number before it */
    repeat_fin(5, 20 * WAVE_MS, 1);
    expect("fin-ignored", VERDICT_LOST, FINDING_PROVED, FINDING_PROBLEM, SHOWN(7, 9, 11, 13));
    done();

    shake(); /* it streams, through a queue of seconds */
    for (uint32_t i = 0, at = 1; i < 5; i++) {
        struct step fin = ours(SEG_FIN | SEG_ACK, 1, at, 0);
        fin.retransmission = i > 0;
        say(fin);
        for (unsigned k = 0; k < 10; k++, at += 1000) {
            elapse(100 * WAVE_MS);
            say_theirs(SEG_ACK, at, 1, 1000);
            say_ours(SEG_ACK, 2, at + 1000, 0);
        }
    }
    expect_silence("fin-ignored", VERDICT_OPEN);
    done();

    shake(); /* it streams on, beyond what we had offered when we sent it */
    for (uint32_t i = 0, at = 1; i < 4; i++) {
        struct step fin = ours(SEG_FIN | SEG_ACK, 1, at, 0);
        fin.retransmission = i > 0;
        say(fin);
        for (unsigned k = 0; k < 80; k++, at += 1000) {
            elapse(10 * WAVE_MS);
            say_theirs(SEG_ACK, at, 1, 1000);
            say_ours(SEG_ACK, 2, at + 1000, 0);
        }
    }
    look(true, VERDICT_LOST);
    must("fin-ignored");
    done();

    shake(); /* lost twice */
    repeat_fin(2, 500 * WAVE_MS, 1);
    say_theirs(SEG_ACK, 1, 2, 0);
    expect_silence("fin-ignored", VERDICT_OPEN);
    done();

    shake(); /* it has not accepted the connection, and repeats its SYN-ACK */
    for (unsigned i = 0; i < 5; i++) {
        struct step fin = ours(SEG_FIN | SEG_ACK, 1, 1, 0);
        fin.retransmission = i > 0;
        say(fin);
        elapse(WAVE_S << i);
        say(syn_ack());
    }
    expect_silence("fin-ignored", VERDICT_LOST);
    done();

    shake(); /* data before the FIN is what is missing */
    say_ours(SEG_ACK, 1, 1, 100);
    for (unsigned i = 0; i < 5; i++) {
        say_ours(SEG_FIN | SEG_ACK, 101, 1, 0);
        elapse(WAVE_S);
        say_theirs(SEG_ACK, 1, 1, 0);
    }
    expect_silence("fin-ignored", VERDICT_LOST);
    done();
}

CASE(a_rst_answers_our_fin)
{
    shake();
    say_ours(SEG_ACK, 1, 1, 5);
    say_theirs(SEG_ACK, 1, 6, 0);
    elapse(50 * WAVE_MS);
    say_ours(SEG_FIN | SEG_ACK, 6, 1, 0);
    elapse(20 * WAVE_MS);
    rst_of_theirs(1, 64);
    says(expect("half-close-broken", VERDICT_RESET, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(7)),
         "the peer answered our FIN with RST: it takes a connection that only we have closed for "
         "one that is over, and drops what it may still have to send");
    done();

    shake(); /* a proxy whose backend is not there would have sent the same without our FIN */
    say_ours(SEG_FIN | SEG_ACK, 1, 1, 5);
    rst_of_theirs(1, 64);
    says(expect("half-close-broken", VERDICT_RESET, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(5)),
         "the peer answered our FIN with RST: it takes a connection that only we have closed for "
         "one that is over, and drops what it may still have to send; or it resets each connection "
         "at once, as a proxy does whose backend is not there");
    done();

    shake(); /* a device between answers it */
    say_ours(SEG_ACK, 1, 1, 5);
    struct step s = theirs(SEG_ACK, 1, 6, 0);
    s.ttl = 60;
    say(s);
    say_ours(SEG_FIN | SEG_ACK, 6, 1, 0);
    rst_of_theirs(1, 63);
    expect_silence("half-close-broken", VERDICT_RESET);
    done();

    shake(); /* it has answered */
    say_ours(SEG_FIN | SEG_ACK, 1, 1, 0);
    say_theirs(SEG_ACK, 1, 2, 9);
    rst_of_theirs(10, 64);
    expect_silence("half-close-broken", VERDICT_RESET);
    done();

    shake(); /* long after it */
    say_ours(SEG_FIN | SEG_ACK, 1, 1, 0);
    say_theirs(SEG_ACK, 1, 2, 0);
    elapse(WAVE_S);
    rst_of_theirs(1, 64);
    expect_silence("half-close-broken", VERDICT_RESET);
    done();

    shake(); /* it had closed as well */
    fin_of_theirs(1, 1, 0);
    say_ours(SEG_FIN | SEG_ACK, 1, 2, 0);
    rst_of_theirs(2, 64);
    expect_silence("half-close-broken", VERDICT_RESET);
    done();
}

/*
 * Loss and repetition
 */

/* The first 100 bytes are missing; we ask for them, and the peer speaks, for that long. */
static void leave_gap(uint32_t len, unsigned seconds)
{
    uint32_t at = 101;

    shake();
    say_theirs(SEG_ACK, at, 1, len);
    at += len;
    for (unsigned i = 0; i < seconds; i++) {
        say(with_sack(ours(SEG_ACK, 1, 1, 0), 101, at));
        elapse(WAVE_S);
        say_theirs(SEG_ACK, at, 1, 50);
        at += 50;
    }
    facts.missing = 100;
}

CASE(a_gap_that_is_never_filled)
{
    leave_gap(1200, 6);
    says(expect("never-retransmits", VERDICT_FAILED, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(4)),
         "the peer did not repeat 100 bytes that never came, though we asked for them and it went "
         "on speaking for 6.00 s");
    expect_silence("black-hole", VERDICT_FAILED); /* large ones come */
    done();

    leave_gap(50, 3); /* all that comes is small */
    says(expect("black-hole", VERDICT_FAILED, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(4)),
         "large packets vanish on the way here, or the peer does not repeat them: 100 bytes are "
         "missing before what did come");
    expect_silence("never-retransmits", VERDICT_FAILED);
    done();

    leave_gap(1200, 1); /* it has had no time to repeat them */
    expect_silence("never-retransmits", VERDICT_FAILED);
    expect_silence("black-hole", VERDICT_FAILED);
    done();

    leave_gap(1200, 9); /* it did */
    say_theirs(SEG_ACK, 1, 1, 100);
    say_ours(SEG_ACK, 1, 1751, 0);
    facts.missing = 0;
    expect_peace(VERDICT_OPEN);
    done();
}

CASE(what_was_overtaken_and_what_was_lost)
{
    struct step late;

    shake();
    late = theirs(SEG_ACK, 1, 1, 100);
    elapse(WAVE_MS);
    say_theirs(SEG_ACK, 101, 1, 100);
    say(late);
    say_ours(SEG_ACK, 1, 201, 0);
    says(expect("reordered", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(5)),
         "1 segment of the peer's was overtaken on the way here");
    expect_peace(VERDICT_OPEN);
    done();

    shake(); /* repeated after a round trip, with a timestamp of its own */
    say_theirs(SEG_ACK, 101, 1, 100);
    say_ours(SEG_ACK, 1, 1, 0);
    elapse(20 * WAVE_MS);
    say_theirs(SEG_ACK, 1, 1, 100);
    say_ours(SEG_ACK, 1, 201, 0);
    expect_silence("reordered", VERDICT_OPEN);
    assert_int_equal(signs_count(&script.flow.signs, SIGN_FILLED), 1);
    done();
}

/* Both sides send 100 segments; of ours every tenth is sent again, as lost or as the peer says that
 * it had it. */
static void exchange(bool dsack, bool peer_loses)
{
    shake();
    for (uint32_t i = 0; i < 100; i++) {
        const uint32_t at = 1 + 100 * i;
        say_ours(SEG_ACK, at, at, 100);
        if (i % 10 == 9) {
            struct step again = ours(SEG_ACK, at, at, 100);
            elapse(250 * WAVE_MS);
            again.retransmission = true;
            say(again);
        }
        elapse(20 * WAVE_MS);
        if (i % 10 == 9 && dsack)
            say(with_sack(theirs(SEG_ACK, at, at + 100, 0), at, at + 100));
        if (i == 50 && peer_loses) {
            say_theirs(SEG_ACK, at + 50, at + 100, 50);
            elapse(30 * WAVE_MS);
            say_theirs(SEG_ACK, at, at + 100, 50);
        } else {
            say_theirs(SEG_ACK, at, at + 100, 100);
        }
    }
}

CASE(loss_in_one_direction)
{
    exchange(false, false);
    says(
        expect("asymmetric-loss", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, UNSHOWN),
        "the path loses segments in one direction only: of what we sent it lost 10 of 110, of what "
        "came back none of 100");
    done();

    exchange(false, true); /* in both */
    expect_silence("asymmetric-loss", VERDICT_OPEN);
    done();

    exchange(true, false); /* it was the acknowledgement that came late */
    expect_silence("asymmetric-loss", VERDICT_OPEN);
    done();
}

CASE(what_is_repeated_without_need)
{
    shake();
    say_theirs(SEG_ACK, 1, 1, 100);
    say_ours(SEG_ACK, 1, 101, 0);
    for (unsigned i = 0; i < 3; i++) {
        elapse(WAVE_S);
        say_theirs(SEG_ACK, 1, 1, 100);
        say_ours(SEG_ACK, 1, 101, 0);
    }
    says(expect("retransmits-needlessly", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO,
                SHOWN(6, 8, 10)),
         "the peer repeated 3 segments long after we had acknowledged them");
    done();

    shake(); /* our ACK was lost once */
    say_theirs(SEG_ACK, 1, 1, 100);
    say_ours(SEG_ACK, 1, 101, 0);
    elapse(WAVE_S);
    say_theirs(SEG_ACK, 1, 1, 100);
    say_ours(SEG_ACK, 1, 101, 0);
    expect_silence("retransmits-needlessly", VERDICT_OPEN);
    done();

    shake(); /* it keeps the connection alive with a byte */
    say_theirs(SEG_ACK, 1, 1, 100);
    say_ours(SEG_ACK, 1, 101, 0);
    for (unsigned i = 0; i < 5; i++) {
        elapse(10 * WAVE_S);
        say_theirs(SEG_ACK, 100, 1, 1);
        say_ours(SEG_ACK, 1, 101, 0);
    }
    expect_peace(VERDICT_OPEN);
    expect_silence("retransmits-needlessly", VERDICT_OPEN);
    done();
}

static struct step numbered(uint32_t seq, uint16_t id)
{
    struct step s = theirs(SEG_ACK, seq, 1, 100);

    s.id = over_v6 ? 0 : id;
    return s;
}

CASE(packets_that_come_twice)
{
    struct step s;

    shake();
    say(numbered(1, 17));
    s = numbered(101, 18);
    say(s);
    say(s);
    says(expect("duplicated", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(6)),
         "1 packet of the peer's arrived twice, not sent twice");
    done();

    shake(); /* a train as a whole */
    struct step train[4];
    for (uint32_t i = 0; i < 4; i++)
        train[i] = numbered(1 + 100 * i, (uint16_t)(17 + i));
    for (unsigned i = 0; i < 8; i++)
        say(train[i % 4]);
    expect("duplicated", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(8, 9, 10, 11));
    done();

    shake(); /* we asked for it in between */
    say(numbered(1, 17));
    say(numbered(201, 19));
    say_ours(SEG_ACK, 1, 101, 0);
    say(numbered(101, 20));
    s = numbered(201, 21);
    say(s);
    expect_silence("duplicated", VERDICT_OPEN);
    done();

    shake(); /* sent once more within a tick of the peer's clock, which has heard from us meanwhile */
    say_ours(SEG_ACK, 1, 1, 5);
    say(numbered(1, 17));
    say(numbered(101, 18));
    s = theirs(SEG_ACK, 101, 6, 100);
    s.id = over_v6 ? 0 : 19;
    say(s);
    expect_silence("duplicated", VERDICT_OPEN);
    done();

    shake(); /* a repetition; and a host that numbers nothing */
    say(numbered(1, 17));
    say(numbered(101, 18));
    elapse(WAVE_S);
    say(numbered(101, 19));
    expect_silence("duplicated", VERDICT_OPEN);
    done();

    shake();
    for (unsigned i = 0; i < 3; i++) {
        say(numbered(1, 1));
        elapse(WAVE_S);
    }
    expect_silence("duplicated", VERDICT_OPEN);
    done();
}

/*
 * Probes
 */

static void keep_alive(uint32_t len, bool answered)
{
    struct step s = ours(SEG_ACK, 0, 1, len);

    s.probe = true;
    say(s);
    elapse(20 * WAVE_MS);
    if (answered)
        say_theirs(SEG_ACK, 1, 1, 0);
    elapse(WAVE_S);
}

CASE(a_peer_that_is_deaf_to_probes)
{
    shake();
    keep_alive(0, false);
    keep_alive(0, false);
    expect_silence("deaf-to-probes", VERDICT_OPEN);
    keep_alive(1, true);
    says(expect("deaf-to-probes", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(7)),
         "the peer answered none of 2 keepalive probes without data, and answered those with a "
         "byte");
    done();

    shake(); /* they were lost */
    keep_alive(0, true);
    keep_alive(0, false);
    keep_alive(0, false);
    keep_alive(1, true);
    expect_silence("deaf-to-probes", VERDICT_OPEN);
    done();

    shake(); /* --garbage */
    for (unsigned i = 0; i < 5; i++)
        keep_alive(1, true);
    expect_silence("deaf-to-probes", VERDICT_OPEN);
    done();

    shake(); /* sent faster than Linux answers them */
    facts.probed_fast = true;
    keep_alive(0, false);
    keep_alive(0, false);
    keep_alive(1, true);
    expect_silence("deaf-to-probes", VERDICT_OPEN);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_closes_at_once),
        cmocka_unit_test(an_answer_and_a_rst),
        cmocka_unit_test(closes_that_are_not_at_once),
        cmocka_unit_test(an_answer_before_all_was_sent),
        cmocka_unit_test(the_end_of_a_silence),
        cmocka_unit_test(a_fin_that_is_ignored),
        cmocka_unit_test(a_rst_answers_our_fin),
        cmocka_unit_test(a_gap_that_is_never_filled),
        cmocka_unit_test(what_was_overtaken_and_what_was_lost),
        cmocka_unit_test(loss_in_one_direction),
        cmocka_unit_test(what_is_repeated_without_need),
        cmocka_unit_test(packets_that_come_twice),
        cmocka_unit_test(a_peer_that_is_deaf_to_probes),
    };

    return cmocka_run_group_tests_name("findings_peer", tests, NULL, NULL);
}
