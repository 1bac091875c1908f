/* Tests the findings about what comes and does not fit the connection: RSTs, acknowledgements and
 * SYN-ACKs of others, ICMP errors, windows that nothing fits into. */
#include "tests/unit/findings_rig.h"

/* The peer's segment, which the engine discarded for that reason. */
static void refused(enum check why, unsigned flags, uint32_t seq, uint32_t ack)
{
    const struct seg s = {
        .flags = (uint16_t)flags, .seq = seq_of(THEIR_ISN + seq), .ack = seq_of(OUR_ISN + ack)};

    say_theirs(flags, seq, ack, 0);
    signs_refused(&script.flow, why, &s, false);
}

/* RFC 5961, 3.2. */
CASE(rsts_outside_of_the_window)
{
    shake();
    say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
    refused(CHECK_SEQUENCE, SEG_RST | SEG_ACK, 0x20000000, 1);
    facts.outstanding = true;
    expect_silence("rst-unacceptable", VERDICT_LOST); /* one may be anyone's */
    elapse(WAVE_S);
    refused(CHECK_SEQUENCE, SEG_RST | SEG_ACK, 0x20000000, 1);
    says(expect("rst-unacceptable", VERDICT_FAILED, FINDING_PROVED, FINDING_PROBLEM, SHOWN(5, 6)),
         "2 RSTs came whose sequence numbers are outside of our window, so that a host ignores "
         "them");
    facts.outstanding = false;
    expect("rst-unacceptable", VERDICT_FAILED, FINDING_PROVED, FINDING_WARNING, SHOWN(5, 6));
    expect_silence("rst-unacceptable", VERDICT_OPEN);
    done();
}

CASE(acknowledgements_of_what_was_never_sent)
{
    shake();
    say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
    refused(CHECK_ACK_UNSENT, SEG_ACK, 1, 5000);
    expect_silence("sequence-rewritten", VERDICT_FAILED);
    refused(CHECK_ACK_UNSENT, SEG_ACK, 1, 5000);
    says(expect("sequence-rewritten", VERDICT_FAILED, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(5, 6)),
         "2 segments of the peer's acknowledge bytes that we never sent, so that a host ignores "
         "them: a device on the way rewrites numbers in one direction only");
    expect("sequence-rewritten", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(5, 6));
    done();
}

/* What is repeated lies beyond what we ask for; or what is missing comes. */
CASE(data_that_begins_elsewhere)
{
    for (unsigned filled = 0; filled < 2; filled++) {
        shake();
        say_theirs(SEG_ACK, 1001, 1, 1000);
        for (unsigned i = 0; i < 3; i++) {
            struct step again = theirs(SEG_ACK, 1001, 1, 1000);
            say_ours(SEG_ACK, 1, 1, 0);
            elapse(WAVE_S << i);
            again.opt.tsval += 1000u << i;
            say(again);
        }
        facts.missing = filled ? 0 : 1000;
        if (filled)
            expect_silence("sequence-rewritten", VERDICT_FAILED);
        else
            says(expect("sequence-rewritten", VERDICT_FAILED, FINDING_LIKELY, FINDING_PROBLEM,
                        SHOWN(6, 8, 10)),
                 "the peer's data begins 1,000 bytes beyond its SYN-ACK, and is repeated from "
                 "there: a device on the way rewrites sequence numbers in one direction only");
        expect_silence("sequence-rewritten", VERDICT_OPEN);
        done();
    }
}

/* One host refuses, and another one accepts; or a server has come up in between. */
CASE(a_refusal_beside_a_syn_ack)
{
    for (unsigned syns = 1; syns <= 2; syns++) {
        struct step rst = theirs(SEG_RST | SEG_ACK, 0, 1, 0), late = syn_ack();
        start();
        for (unsigned i = 0; i < syns; i++)
            say_syn();
        rst.local = late.local = STATE_CLOSED;
        say(rst);
        facts.host = &(struct facts_host){.on_link = true};
        expect_silence("two-hosts", VERDICT_REFUSED);
        say(late);
        if (syns == 1)
            says(expect("two-hosts", VERDICT_REFUSED, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(2, 3)),
                 "a SYN-ACK and a RST answered our one SYN: two hosts have the peer's address, or "
                 "a device on the way answers as well");
        else
            expect_silence("two-hosts", VERDICT_REFUSED);
        done();
    }
}

/* One SYN was sent. Where it was repeated, a host that keeps nothing answers each one by itself. */
CASE(two_answers_to_one_syn)
{
    struct step other = syn_ack();

    shake();
    other.seq = 5000;
    say(other);
    say_ours(SEG_ACK, 1, 1, 0);
    facts.host = &(struct facts_host){.on_link = true};
    says(expect("two-hosts", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(2, 4)),
         "two SYN-ACKs with different sequence numbers answered our one SYN: two hosts have the "
         "peer's address, or the network copied our SYN");
    done();

    shake(); /* and the other host resets what ours goes on with */
    say(other);
    say_ours(SEG_ACK, 1, 1, 0);
    facts.host = &(struct facts_host){.on_link = true};
    expect("two-hosts", VERDICT_RESET, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(2, 4));
    done();

    shake();
    say(syn_ack());
    facts.host = &(struct facts_host){.on_link = true};
    expect_silence("two-hosts", VERDICT_OPEN);
    done();

    start();
    say_syn();
    say_syn();
    say(syn_ack());
    say_ours(SEG_ACK, 1, 1, 0);
    say(other);
    facts.host = &(struct facts_host){.on_link = true};
    expect_silence("two-hosts", VERDICT_OPEN);
    done();
}

static void rst(uint32_t seq, uint32_t ack, uint32_t len)
{
    struct step s = theirs(SEG_RST | SEG_ACK, seq, ack, len);

    s.local = STATE_CLOSED;
    say(s);
}

/* A TCP that sends a RST sends nothing new. What it sent before may come later. */
CASE(data_behind_a_rst)
{
    struct step s;

    for (unsigned overtaken = 0; overtaken < 2; overtaken++) {
        shake();
        say_theirs(SEG_ACK, 1, 1, 100);
        say_theirs(SEG_ACK, 101, 1, 100);
        rst(201, 1, 0);
        s = theirs(SEG_ACK, overtaken ? 101 : 201, 1, 100);
        s.local = STATE_CLOSED;
        say(s);
        if (overtaken)
            expect_silence("rst-by-middlebox", VERDICT_RESET);
        else
            says(expect("rst-by-middlebox", VERDICT_RESET, FINDING_PROVED, FINDING_PROBLEM,
                        SHOWN(6, 7)),
                 "the peer went on sending new data after a RST that came in its name: another "
                 "device sent that RST");
        done();
    }
}

/* The text in a RST explains it (RFC 9293, 3.5.2), and is no answer of the application's. */
CASE(text_in_a_rst)
{
    shake();
    say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
    elapse(10 * WAVE_MS);
    rst(1, 11, 7);
    expect_silence("answered-early", VERDICT_RESET);
    expect("closed-at-once", VERDICT_RESET, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(5));
    done();
}

/* A RST that acknowledges less than our FIN was sent before it came. */
CASE(a_rst_that_crosses_our_fin)
{
    for (unsigned has = 0; has < 2; has++) {
        shake();
        say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
        say_theirs(SEG_ACK, 1, 11, 10);
        say_ours(SEG_FIN | SEG_ACK, 11, 11, 0);
        elapse(10 * WAVE_MS);
        rst(11, has ? 12 : 11, 0);
        if (has)
            expect("half-close-broken", VERDICT_RESET, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(7));
        else
            expect_silence("half-close-broken", VERDICT_RESET);
        assert_int_equal(script.flow.signs.rst.before_fin, !has);
        done();
    }
}

/* The peer has all that we had sent when its FIN came, and takes nothing of what follows. */
CASE(an_answer_before_all_was_sent)
{
    shake();
    say_ours(SEG_ACK, 1, 1, 1000);
    say_theirs(SEG_ACK | SEG_PSH, 1, 1001, 50);
    fin_of_theirs(51, 1001, 0);
    expect_silence("answered-early", VERDICT_FAILED);
    say_ours(SEG_ACK, 1001, 52, 1000);
    says(expect("answered-early", VERDICT_FAILED, FINDING_PROVED, FINDING_WARNING, SHOWN(6)),
         "the peer answered and closed before it had all that we sent, and did not take the rest");
    script.flow.our_flags |= SEG_ACK; /* it is a client of ours, which has asked */
    expect_silence("answered-early", VERDICT_FAILED);
    script.flow.our_flags &= ~SEG_ACK & 0xffff;
    say_theirs(SEG_ACK, 52, 2001, 0);
    expect("answered-early", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, SHOWN(6));
    done();
}

static void icmp_came(unsigned type, enum icmp_meaning meaning)
{
    const struct icmp e = {.from = {{10, 0, 0, 254}},
                           .type = (uint8_t)type,
                           .code = 1,
                           .flow = script.flow.flow,
                           .has_seq = true,
                           .seq = seq_of(OUR_ISN + 1),
                           .meaning = meaning};

    report_icmp(&script.report, &script.flow, script.at, &e, true, false);
}

/* Errors about what was sent after the handshake, and nothing of the peer's since. */
CASE(icmp_errors_and_silence)
{
    shake();
    say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
    expect_silence("icmp-error", VERDICT_LOST);
    icmp_came(3, ICMP_TOO_BIG);
    icmp_came(4, ICMP_NO_ERROR);
    expect_silence("icmp-error", VERDICT_LOST);
    icmp_came(3, ICMP_SOFT);
    icmp_came(3, ICMP_HARD);
    look(true, VERDICT_LOST);
    assert_non_null(
        strstr(must("icmp-error")->message, "answered 2 of our segments with an ICMP "));
    expect("icmp-error", VERDICT_LOST, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN);
    expect_silence("icmp-error", VERDICT_OPEN);
    say_theirs(SEG_ACK, 1, 11, 0); /* the peer is reached all the same */
    expect_silence("icmp-error", VERDICT_FAILED);
    icmp_came(3, ICMP_SOFT);
    expect("icmp-error", VERDICT_LOST, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN);
    rst_of_theirs(1, 64); /* and so it is here: its host has lost the connection */
    expect_silence("icmp-error", VERDICT_RESET);
    done();

    shake(); /* we give up, and its host answers our RST */
    say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
    icmp_came(3, ICMP_SOFT);
    struct step left = ours(SEG_RST, 11, 1, 0), late = theirs(SEG_ACK, 1, 1, 0);
    left.local = late.local = STATE_CLOSED;
    say(left);
    say(late);
    expect("icmp-error", VERDICT_LOST, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN);
    done();
}

/* This host's own kernel says so of what we send; a neighbour that is silent says why. */
CASE(icmp_errors_of_our_own)
{
    struct facts_host host = {.interface = "eth0"};
    struct icmp e = {
        .type = 3, .code = 1, .has_seq = true, .seq = seq_of(OUR_ISN + 1), .meaning = ICMP_SOFT};

    shake();
    say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
    e.flow = script.flow.flow;
    e.from = e.flow.local;
    report_icmp(&script.report, &script.flow, script.at, &e, true, false);
    facts.host = &host;
    expect("icmp-error", VERDICT_LOST, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN);
    assert_int_equal(must("icmp-error")->subject, FINDING_LOCAL);
    assert_non_null(strstr(must("icmp-error")->message, "this host itself answered 1 of our"));
    host.unreachable = "10.0.0.1";
    expect_silence("icmp-error", VERDICT_LOST);
    expect("no-neighbour", VERDICT_LOST, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN);
    done();
}

/* What would have hindered an application is not why the peer refused. */
CASE(a_refusal_keeps_its_reason)
{
    struct facts_host host = {.counts_reached = true, .captured = 1};
    struct outcome o = {.verdict = VERDICT_REFUSED,
                        .message = "10.0.0.2:80 refused the connection: RST answered our SYN"};

    start();
    say_syn();
    facts.host = &host;
    look(true, VERDICT_REFUSED);
    diagnose_outcome(&found, &o);
    assert_non_null(strstr(o.message, "RST answered our SYN; but this host's own rules stopped"));
    done();
}

/* A host whose accept queue is full is silent: one that answers with RSTs is something else. */
CASE(repeated_syn_acks_and_rsts)
{
    const struct seg rst_seg = {.flags = SEG_RST, .seq = seq_of(THEIR_ISN + 5)};

    for (unsigned rsts = 0; rsts < 2; rsts++) {
        shake();
        say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
        for (unsigned i = 0; i < 2; i++) {
            if (rsts) {
                say_theirs(SEG_RST, 5, 0, 0);
                signs_refused(&script.flow, CHECK_RST_SEQUENCE, &rst_seg, true);
            }
            elapse(WAVE_S << i);
            say(syn_ack());
            say_ours(SEG_ACK, 11, 1, 0);
        }
        look(true, VERDICT_LOST);
        assert_int_equal(get("accept-queue-full") == NULL, rsts);
        done();
    }
}

/* Data of ours fills a window of a few bytes, for a second and longer; or it needs no more. */
CASE(a_window_that_little_fits_into)
{
    for (unsigned filled = 0; filled < 2; filled++) {
        struct step narrow = theirs(SEG_ACK, 1, 1, 0);
        shake();
        say_theirs(SEG_ACK, 1, 1, 0);
        narrow.wnd = 1;
        say(narrow);
        say_ours(SEG_ACK | SEG_PSH, 1, 1, filled ? 128 : 5);
        elapse(2 * WAVE_S);
        look(true, VERDICT_FAILED);
        assert_int_equal(get("window-closed") != NULL, filled);
        expect_silence("window-closed", VERDICT_OPEN);
        if (filled)
            says(expect("window-closed", VERDICT_FAILED, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN),
                 "the peer's receive window has been 128 bytes or less for 2.00 s, so that our "
                 "data waits");
        done();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsts_outside_of_the_window),
        cmocka_unit_test(acknowledgements_of_what_was_never_sent),
        cmocka_unit_test(data_that_begins_elsewhere),
        cmocka_unit_test(two_answers_to_one_syn),
        cmocka_unit_test(a_refusal_beside_a_syn_ack),
        cmocka_unit_test(data_behind_a_rst),
        cmocka_unit_test(text_in_a_rst),
        cmocka_unit_test(a_rst_that_crosses_our_fin),
        cmocka_unit_test(an_answer_before_all_was_sent),
        cmocka_unit_test(icmp_errors_and_silence),
        cmocka_unit_test(icmp_errors_of_our_own),
        cmocka_unit_test(a_refusal_keeps_its_reason),
        cmocka_unit_test(repeated_syn_acks_and_rsts),
        cmocka_unit_test(a_window_that_little_fits_into),
    };

    return cmocka_run_group_tests_name("findings_answers", tests, NULL, NULL);
}
