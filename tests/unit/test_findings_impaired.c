/*
 * Tests that no finding blames the path or the peer for what a rule of --impair did. Each case
 * plays what follows from a rule, as it is on the wire, with the marks that the rule leaves, and
 * what is found must be about this host alone. Without the marks, the same segments do show a
 * fault: that is checked as well, since a finding that never comes would pass any test.
 */
#include "tests/unit/findings_rig.h"

#include "lib/report/outcome.h"

/* What the rules of a case leave on the segments; NULL where the same is played without rules. */
static bool marked;

static const struct impaired *mark(unsigned acts)
{
    static struct impaired made[8];
    static unsigned next;
    struct impaired *i = &made[next++ % 8];

    *i = (struct impaired){.acts = acts,
                           .rule = 1,
                           .words = "a rule",
                           .on_wire = true,
                           .shown = true,
                           .taken = true,
                           .what = "something"};
    return marked ? i : NULL;
}

/* The segment with what a rule did to it. One of ours that was dropped is played in runs with rules
 * only, since the wire has nothing of it. */
static struct step by(unsigned acts, struct step s)
{
    s.impaired = mark(acts);
    return s;
}

static void say_dropped(struct step s)
{
    static struct impaired dropped = {.acts = IMPAIRED_DROPPED,
                                      .rule = 1,
                                      .words = "out: drop",
                                      .shown = true,
                                      .what = "dropped"};

    s.impaired = &dropped;
    if (marked)
        say(s);
}

/* A rule did something to a segment of the named side before; otherwise nothing is played. */
static void a_rule_did(unsigned acts, bool out)
{
    struct step s = out ? ours(SEG_ACK, 1, 1, 0) : theirs(SEG_ACK, 1, 1, 0);

    if (!marked)
        return;
    s.impaired = mark(acts);
    say(s);
}

/*
 * The cases
 */

/* Our ACK of the handshake is dropped each time: the peer rightly repeats its SYN-ACK. */
static void play_third_segment_dropped(void)
{
    start();
    say_syn();
    say(syn_ack());
    for (unsigned i = 0; i < 4; i++) {
        if (marked)
            say_dropped(ours(SEG_ACK, 1, 1, 0));
        else
            say_ours(SEG_ACK, 1, 1, 0);
        elapse(WAVE_S << i);
        say(syn_ack());
    }
}

/* The same with data. */
static void play_data_dropped(void)
{
    start();
    say_syn();
    say(syn_ack());
    for (unsigned i = 0; i < 4; i++) {
        if (marked)
            say_dropped(ours(SEG_ACK | SEG_PSH, 1, 1, 100));
        else
            say_ours(SEG_ACK | SEG_PSH, 1, 1, 100);
        elapse(WAVE_S << i);
        say(syn_ack());
    }
}

/* Our ACKs are dropped: the peer repeats what it sent, which is not needless. */
static void play_acks_dropped(void)
{
    shake();
    for (uint32_t i = 0; i < 6; i++) {
        const uint32_t at = 1 + 100 * i;
        elapse(20 * WAVE_MS);
        say_theirs(SEG_ACK | SEG_PSH, at, 1, 100);
        if (marked)
            say_dropped(ours(SEG_ACK, 1, at + 100, 0));
        else
            say_ours(SEG_ACK, 1, at + 100, 0);
        elapse(2 * WAVE_S);
        say_theirs(SEG_ACK | SEG_PSH, at, 1, 100);
        say_ours(SEG_ACK, 1, at + 100, 0);
    }
}

/* We changed timestamps, so that the peer ignores our ACKs (PAWS) and repeats. */
static void play_acks_rewritten(void)
{
    shake();
    for (uint32_t i = 0; i < 6; i++) {
        elapse(20 * WAVE_MS);
        say_theirs(SEG_ACK | SEG_PSH, 1 + 100 * i, 1, 100);
        say(by(IMPAIRED_REWRITTEN, ours(SEG_ACK, 1, 101 + 100 * i, 0)));
        elapse(2 * WAVE_S);
        say_theirs(SEG_ACK | SEG_PSH, 1 + 100 * i, 1, 100);
    }
}

/* What arrives is dropped before our engine has it, or held back: we ask late, and what was lost on
 * the wire besides is not told from it. */
static void play_arrivals_lost(unsigned acts)
{
    shake();
    for (uint32_t i = 0; i < 10; i++) {
        const uint32_t at = 1 + 200 * i;
        elapse(20 * WAVE_MS);
        say(by(acts, theirs(SEG_ACK | SEG_PSH, at + 100, at, 100)));
        say_ours(SEG_ACK, 1, at, 0);
        say_ours(SEG_ACK | SEG_PSH, at, at, 100);
        say_ours(SEG_ACK | SEG_PSH, at + 100, at, 100);
        elapse(300 * WAVE_MS);
        say_theirs(SEG_ACK | SEG_PSH, at, at + 200, 100);
        say_ours(SEG_ACK, at + 200, at + 200, 0);
    }
}

static void play_arrivals_dropped(void)
{
    play_arrivals_lost(IMPAIRED_DROPPED);
}

static void play_arrivals_delayed(void)
{
    play_arrivals_lost(IMPAIRED_DELAYED);
}

static void play_arrivals_reordered(void)
{
    play_arrivals_lost(IMPAIRED_REORDERED);
}

static void play_arrivals_corrupted(void)
{
    play_arrivals_lost(IMPAIRED_CORRUPTED | IMPAIRED_BROKEN);
}

/* Data of ours is lost by rule and repeated, and the peer's is not. */
static void play_our_data_dropped(void)
{
    shake();
    for (uint32_t i = 0; i < 10; i++) {
        const uint32_t at = 1 + 100 * i, back = 1 + 200 * i;
        struct step again = ours(SEG_ACK | SEG_PSH, at, back, 100);
        if (marked)
            say_dropped(again);
        else
            say(again);
        elapse(300 * WAVE_MS);
        again.retransmission = true;
        say(again);
        elapse(20 * WAVE_MS);
        say_theirs(SEG_ACK | SEG_PSH, back, at + 100, 100);
        say_theirs(SEG_ACK | SEG_PSH, back + 100, at + 100, 100);
        say_ours(SEG_ACK, at + 100, back + 200, 0);
    }
}

/* The peer waits for what a rule keeps from it, and gives up. */
static void play_idle_end(bool reset)
{
    shake();
    say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
    elapse(20 * WAVE_MS);
    say_theirs(SEG_ACK, 1, 11, 0);
    say_dropped(ours(SEG_ACK | SEG_PSH, 11, 1, 10));
    elapse(60 * WAVE_S);
    if (reset)
        rst_of_theirs(1, 64);
    else
        fin_of_theirs(1, 11, 0);
}

static void play_reset_when_idle(void)
{
    play_idle_end(true);
}

static void play_closed_when_idle(void)
{
    play_idle_end(false);
}

/* The peer closes at once: it was given what no client sends. */
static void play_closed_at_once(void)
{
    start();
    say_syn();
    say(by(IMPAIRED_DELAYED, syn_ack()));
    say_ours(SEG_ACK, 1, 1, 0);
    elapse(20 * WAVE_MS);
    fin_of_theirs(1, 1, 0);
}

/* A rule broke our FIN, and the peer resets. */
static void play_half_close_broken(void)
{
    struct step fin = by(IMPAIRED_REWRITTEN, ours(SEG_FIN | SEG_ACK, 11, 1, 0));

    shake();
    say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
    elapse(20 * WAVE_MS);
    say_theirs(SEG_ACK, 1, 11, 0);
    fin.local = STATE_FIN_WAIT_1;
    fin.opt = ours(SEG_ACK, 11, 1, 0).opt;
    say(fin);
    elapse(20 * WAVE_MS);
    rst_of_theirs(1, 64);
}

/* Our FIN was rewritten each time, so that the peer does not take it. */
static void play_fin_ignored(void)
{
    shake();
    for (unsigned i = 0; i < 5; i++) {
        struct step fin = by(IMPAIRED_REWRITTEN, ours(SEG_FIN | SEG_ACK, 1, 1, 0));
        fin.local = STATE_FIN_WAIT_1;
        fin.retransmission = i > 0;
        say(fin);
        elapse(2 * WAVE_S);
        say_theirs(SEG_ACK, 1, 1, 0);
    }
}

/* A rule changed numbers of ours: the peer SACKs what it was sent, echoes what it was sent. */
static void play_astray(void)
{
    struct step s;

    shake();
    a_rule_did(IMPAIRED_REWRITTEN, true);
    say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
    elapse(20 * WAVE_MS);
    s = with_sack(theirs(SEG_ACK, 1, 1, 0), 5000, 6000);
    s.opt.tsecr += 100000;
    say(s);
    say(s);
}

/* Rules made our engine refuse the peer's segments. */
static void play_refused(void)
{
    shake();
    for (uint32_t i = 0; i < 12; i++) {
        struct step s = by(IMPAIRED_REWRITTEN, theirs(SEG_ACK | SEG_PSH, 1, 1, 100));
        struct seg seg = {.seq = seq_of(THEIR_ISN + 1), .len = 100, .opt = s.opt};
        say(s);
        signs_refused(&script.flow, CHECK_PAWS, &seg, true);
        signs_refused(&script.flow, CHECK_RST_SEQUENCE, &seg, true);
        elapse(WAVE_S);
    }
}

/* Probes with changed numbers are ignored. */
static void play_deaf(void)
{
    shake();
    for (unsigned i = 0; i < 4; i++) {
        struct step probe = by(IMPAIRED_REWRITTEN, ours(SEG_ACK, 0, 1, 0));
        probe.probe = true;
        elapse(2 * WAVE_S);
        say(probe);
    }
    struct step probe = ours(SEG_ACK, 0, 1, 1);
    probe.probe = true;
    elapse(2 * WAVE_S);
    say(probe);
    elapse(20 * WAVE_MS);
    say_theirs(SEG_ACK, 1, 1, 0);
}

/* What a rule stopped here is missing, and the peer goes on. */
static void play_missing(uint32_t larger)
{
    shake();
    say(by(IMPAIRED_DROPPED, theirs(SEG_ACK | SEG_PSH, 101, 1, larger)));
    for (unsigned i = 0; i < 8; i++) {
        say_ours(SEG_ACK, 1, 1, 0);
        elapse(WAVE_S);
        say_theirs(SEG_ACK | SEG_PSH, 101 + larger + i, 1, 1);
    }
    facts.missing = 100;
}

static void play_never_retransmits(void)
{
    play_missing(1200);
}

static void play_black_hole(void)
{
    play_missing(50);
}

static const struct {
    void (*play)(void);
    const char *code; /* what the same segments show without a rule */
    enum verdict verdict;
} cases[] = {{play_third_segment_dropped, "deferred-accept", VERDICT_FAILED},
             {play_data_dropped, "accept-queue-full", VERDICT_FAILED},
             {play_acks_dropped, "retransmits-needlessly", VERDICT_OPEN},
             {play_acks_rewritten, "retransmits-needlessly", VERDICT_OPEN},
             {play_arrivals_dropped, "asymmetric-loss", VERDICT_OPEN},
             {play_arrivals_delayed, "asymmetric-loss", VERDICT_OPEN},
             {play_arrivals_reordered, "asymmetric-loss", VERDICT_OPEN},
             {play_arrivals_corrupted, "asymmetric-loss", VERDICT_OPEN},
             {play_our_data_dropped, "asymmetric-loss", VERDICT_OPEN},
             {play_reset_when_idle, "reset-when-idle", VERDICT_RESET},
             {play_closed_when_idle, "closed-when-idle", VERDICT_OPEN},
             {play_closed_at_once, "closed-at-once", VERDICT_OPEN},
             {play_half_close_broken, "half-close-broken", VERDICT_RESET},
             {play_fin_ignored, "fin-ignored", VERDICT_FAILED},
             {play_astray, "sack-rewritten", VERDICT_OPEN},
             {play_astray, "timestamp-echo-wrong", VERDICT_OPEN},
             {play_refused, "timestamps-backwards", VERDICT_FAILED},
             {play_refused, "challenge-storm", VERDICT_FAILED},
             {play_deaf, "deaf-to-probes", VERDICT_LOST},
             {play_never_retransmits, "never-retransmits", VERDICT_FAILED},
             {play_black_hole, "black-hole", VERDICT_FAILED}};

static void blames_no_one(const char *code)
{
    for (unsigned i = 0; i < found.count; i++)
        if (found.at[i].subject != FINDING_LOCAL) {
            print_error("%s: with the rule, %s was found: %s\n", code, found.at[i].code,
                        found.at[i].message);
            fail();
        }
}

CASE(no_rule_makes_path_or_peer_guilty)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        marked = false;
        cases[i].play();
        look(true, cases[i].verdict);
        must(cases[i].code);
        done();

        marked = true;
        cases[i].play();
        look(false, VERDICT_OPEN);
        blames_no_one(cases[i].code);
        look(true, cases[i].verdict);
        blames_no_one(cases[i].code);
        must("impaired");
        done();
    }
}

/* Where no segment is on record, as in a quiet run or a load, the rules' own counts tell. */
CASE(the_counts_of_a_run_are_enough)
{
    struct facts_host host = {.queue_full = 40, .bad_checksums = 1};
    struct impairments rules = {.count = 0};
    const struct finding *f;

    start();
    facts.host = &host;
    look(true, VERDICT_FAILED);
    assert_int_equal(must("accept-queue-full")->severity, FINDING_PROBLEM);
    assert_int_equal(must("bad-checksum")->severity, FINDING_PROBLEM);
    impairments_add(&rules, "out:. drop", 7, 90);
    impairments_add(&rules, "in:R drop", 0, 55);
    facts.impairments = &rules;
    look(true, VERDICT_FAILED);
    assert_null(get("accept-queue-full"));
    assert_int_equal(must("bad-checksum")->severity, FINDING_WARNING);
    f = must("impaired");
    assert_int_equal(f->severity, FINDING_INFO);
    assert_int_equal(f->subject, FINDING_LOCAL);
    says(f, "the rules of --impair were applied 7 times, on purpose");
    f = must("impairment-unused");
    assert_int_equal(f->severity, FINDING_WARNING);
    says(f, "the rule `in:R drop` never matched");
    impairments_add(&rules, "in:F drop", 0, 55);
    look(true, VERDICT_FAILED);
    says(must("impairment-unused"), "the rule `in:R drop` and 1 other never matched");
    done();
}

CASE(what_was_done_is_named_with_its_segments)
{
    marked = true;
    shake();
    a_rule_did(IMPAIRED_REWRITTEN, true);
    a_rule_did(IMPAIRED_DELAYED, false);
    say_dropped(ours(SEG_ACK, 1, 1, 0));
    say_dropped(ours(SEG_ACK, 1, 1, 0));
    says(expect("impaired", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, SHOWN(4, 5, 6, 7)),
         "4 segments were impaired on purpose (--impair): 2 of ours dropped, 1 of ours rewritten, "
         "1 of the peer's delayed");
    done();
}

CASE(a_run_without_rules_has_neither_finding)
{
    struct impairments rules = {.count = 0};

    shake();
    expect_silence("impaired", VERDICT_OPEN);
    facts.impairments = &rules;
    expect_silence("impaired", VERDICT_OPEN);
    expect_silence("impairment-unused", VERDICT_OPEN);
    done();
}

/*
 * The verdict's sentence
 */

static void the_sentence_says_what_was_done_on_purpose(void **state)
{
    struct findings list = {.count = 0};
    struct finding problem = {.code = "own-firewall",
                              .severity = FINDING_PROBLEM,
                              .message = "this host's own rules stopped it"},
                   info = {.code = "impaired",
                           .message = "3 segments were impaired on purpose (--impair): 3 of ours "
                                      "dropped"};
    struct outcome o = {.verdict = VERDICT_DROPPED, .message = "nothing came: it was silent"};
    (void)state;

    findings_add(&list, &problem);
    findings_add(&list, &info);
    diagnose_outcome(&list, &o);
    assert_string_equal(o.message,
                        "nothing came: this host's own rules stopped it; 3 segments were impaired "
                        "on purpose (--impair): 3 of ours dropped");
    o = (struct outcome){.verdict = VERDICT_DROPPED};
    diagnose_outcome(&list, &o);
    assert_string_equal(o.message, "");
}

/* Words that say what the peer did or did not do, where a rule may have done it. */
static const char *const blame[] = {
    "stopped answering", "refused",         "reset the connection", "never arrived",
    "no acceptable",     "does not take",   "did not acknowledge",  "holds its own side",
    "the peer first",    "nothing answered"};

static void no_sentence_blames_the_peer(void **state)
{
    static const struct outcome_facts facts_of[] = {
        {.end = END_TIMEOUT_SYN, .syn_sent = 3},
        {.end = END_TIMEOUT_SYN, .syn_sent = 1, .arrived = 2},
        {.end = END_REFUSED, .made_rst = true},
        {.end = END_RESET, .made_rst = true, .local = STATE_ESTABLISHED},
        {.end = END_REFUSED},
        {.end = END_RESET, .local = STATE_ESTABLISHED},
        {.end = END_TIMEOUT},
        {.end = END_TIMEOUT, .answers = true},
        {.end = END_KEEPALIVE, .probes = 3},
        {.end = END_CLOSED, .made_fin = true, .path = {.peer_first = true}},
        {.stop = STOP_TIMEOUT},
        {.stop = STOP_TIMEOUT, .path = {.established = true}, .outstanding = true},
        {.stop = STOP_TIMEOUT, .path = {.established = true}, .outstanding = true, .answers = true},
        {.stop = STOP_LINGER, .path = {.established = true}},
        {.stop = STOP_LINGER, .path = {.established = true}, .missing = 100},
        {.stop = STOP_NO_ACK}};
    (void)state;

    for (size_t i = 0; i < sizeof facts_of / sizeof facts_of[0]; i++) {
        struct outcome_facts f = facts_of[i];
        struct outcome without, with;

        f.peer = "192.0.2.1:80";
        f.waited = 5 * WAVE_S;
        f.impaired = true;
        outcome_of(&f, &with);
        assert_true(with.message[0] != '\0');
        for (size_t k = 0; k < sizeof blame / sizeof blame[0]; k++)
            if (strstr(with.message, blame[k]))
                fail_msg("\"%s\" has \"%s\"", with.message, blame[k]);
        assert_true(!(f.made_rst || f.made_fin) || strcmp(with.by, "local") == 0);
        /* The exit status is that of the same run without rules. */
        f.impaired = f.made_rst = f.made_fin = false;
        outcome_of(&f, &without);
        assert_int_equal(with.verdict, without.verdict);
        assert_string_not_equal(with.message, without.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_rule_makes_path_or_peer_guilty),
        cmocka_unit_test(the_counts_of_a_run_are_enough),
        cmocka_unit_test(what_was_done_is_named_with_its_segments),
        cmocka_unit_test(a_run_without_rules_has_neither_finding),
        cmocka_unit_test(the_sentence_says_what_was_done_on_purpose),
        cmocka_unit_test(no_sentence_blames_the_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
