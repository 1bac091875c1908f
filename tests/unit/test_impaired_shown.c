/* Tests how it is shown what a rule of --impair did to a segment: in the ladder, in the picture, in
 * JSON and in the summary, and what the report makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/report_rig.h"

#include "lib/show/json.h"
#include "lib/show/ladder.h"
#include "lib/show/summary.h"
#include "lib/show/svg.h"

static const struct impaired dropped = {
    .acts = IMPAIRED_DROPPED, .rule = 1, .words = "out:.#1 drop", .shown = true, .what = "dropped"};
static const struct impaired dropped_here = {.acts = IMPAIRED_DROPPED,
                                             .rule = 2,
                                             .words = "in:S. drop",
                                             .on_wire = true,
                                             .shown = true,
                                             .what = "dropped"};
static const struct impaired shut = {.acts = IMPAIRED_REWRITTEN,
                                     .rule = 3,
                                     .words = "out:data win=0",
                                     .on_wire = true,
                                     .shown = true,
                                     .what = "sent with window 0 instead of 65535"};
static const struct impaired made = {.acts = IMPAIRED_INVENTED,
                                     .rule = 1,
                                     .words = "out:data rst",
                                     .shown = true,
                                     .taken = true,
                                     .engine = {.flags = SEG_RST},
                                     .what = "a RST that this rule made for our own TCP"};
static const struct impaired copy = {.acts = IMPAIRED_DUPLICATED,
                                     .rule = 1,
                                     .words = "out:data dup",
                                     .on_wire = true,
                                     .shown = true,
                                     .copy = true,
                                     .what = "sent twice"};
static const struct impaired broken = {.acts = IMPAIRED_CORRUPTED | IMPAIRED_BROKEN,
                                       .rule = 1,
                                       .words = "out:data corrupt",
                                       .on_wire = true,
                                       .shown = true,
                                       .what = "one bit changed"};

static struct script t;

static void say(struct step s)
{
    script_say(&t, &s);
}

static struct step ours(unsigned flags, uint32_t len)
{
    return (struct step){.out = true,
                         .flags = flags,
                         .seq = flags & SEG_SYN ? 0 : 1,
                         .ack = 1,
                         .len = len,
                         .wnd = 502,
                         .local = flags & SEG_SYN ? STATE_SYN_SENT : STATE_ESTABLISHED,
                         .opt = flags & SEG_SYN ? script_syn : (struct opt){.has = 0}};
}

static struct step theirs(unsigned flags, uint32_t len)
{
    return (struct step){.flags = flags,
                         .seq = flags & SEG_SYN ? 0 : 1,
                         .ack = 1,
                         .len = len,
                         .wnd = 509,
                         .local = STATE_ESTABLISHED,
                         .opt = flags & SEG_SYN ? script_syn : (struct opt){.has = 0}};
}

static struct step by(const struct impaired *rule, struct step s)
{
    s.impaired = rule;
    return s;
}

/* A run in which the first SYN-ACK and the third segment of the handshake are dropped. */
static void lossy_handshake(void)
{
    struct step s = by(&dropped_here, theirs(SEG_SYN | SEG_ACK, 0));

    s.local = STATE_SYN_SENT;
    say(ours(SEG_SYN, 0));
    say(s);
    say(theirs(SEG_SYN | SEG_ACK, 0));
    say(by(&dropped, ours(SEG_ACK, 0)));
}

/*
 * The ladder
 */

static struct ladder ladder;
static struct term term;

static void start_ladder(bool unicode)
{
    script_start(&t, &script_v4);
    term = (struct term){.to = t.to, .width = 80, .unicode = unicode};
    ladder_init(&ladder, &term, 0);
    report_add(&t.report, ladder_event, &ladder);
}

static void end_ladder(void)
{
    struct report_verdict v = {.command = "connect", .flow = &t.flow, .message = ""};

    report_verdict(&t.report, t.at, &v);
    fflush(t.to);
}

static void assert_drawn(const char *text)
{
    if (!strstr(t.text, text))
        fail_msg("\"%s\" is not in\n%s", text, t.text);
}

static void the_ladder_strikes_what_a_rule_stopped(void **state)
{
    (void)state;
    start_ladder(false);
    lossy_handshake();
    end_ladder();
    assert_drawn("|     X--- SYN ACK seq 0 ack 1 win 509 |");
    assert_drawn("| ACK seq 1 ack 1 win 64256 -----X     |");
    assert_drawn("An arrow with X: tcpwave stopped it (--impair).");
    script_finish(&t);
    start_ladder(true);
    lossy_handshake();
    end_ladder();
    assert_drawn("─✗     │");
    assert_drawn("│     ✗───");
    script_finish(&t);
}

static void a_segment_that_was_changed_has_a_whole_arrow_and_words(void **state)
{
    (void)state;
    start_ladder(false);
    script_handshake(&t);
    say(by(&shut, ours(SEG_ACK | SEG_PSH, 10)));
    end_ladder();
    assert_drawn("| impaired by rule 3: sent with ");
    assert_drawn("65535 ");
    assert_null(strstr(t.text, "X"));
    script_finish(&t);
}

static void a_rst_that_a_rule_made_comes_from_no_peer(void **state)
{
    struct step s = by(&made, theirs(SEG_RST, 0));
    (void)state;

    s.local = STATE_CLOSED;
    start_ladder(false);
    script_handshake(&t);
    say(by(&dropped, ours(SEG_ACK | SEG_PSH, 10)));
    say(s);
    end_ladder();
    assert_drawn("|<");
    assert_drawn("X RST ");
    assert_int_equal(t.flow.peer.state, STATE_ESTABLISHED); /* the wire had no RST */
    script_finish(&t);
}

/* Every row of them would bury the rest. */
static void not_every_impaired_segment_has_a_row(void **state)
{
    struct step s = by(&shut, ours(SEG_ACK | SEG_PSH, 10));
    unsigned rows = 0;
    (void)state;

    start_ladder(false);
    script_handshake(&t);
    for (unsigned i = 0; i < 1000; i++, s.seq += 10)
        say(s);
    end_ladder();
    for (const char *at = t.text; (at = strstr(at, "rule 3")); at++)
        rows++;
    assert_int_equal(rows, ROWS_PLAIN);
    assert_drawn("976 impaired");
    script_finish(&t);
}

/*
 * The report
 */

static void what_reached_no_one_moves_nothing_but_the_count(void **state)
{
    struct step fin = by(&dropped, ours(SEG_FIN | SEG_ACK, 0));
    (void)state;

    script_start(&t, &script_v4);
    lossy_handshake();
    assert_int_equal(t.flow.track.number, 4);
    assert_int_equal(t.flow.segments[0], 1);
    assert_int_equal(t.flow.segments[1], 2);
    assert_int_equal(t.flow.peer.state, STATE_SYN_RECEIVED);
    assert_int_equal(t.flow.peer.certainty, CERTAINTY_PROVED);
    say(ours(SEG_ACK, 0));
    say(theirs(SEG_ACK, 10));
    assert_int_equal(t.flow.peer.state, STATE_ESTABLISHED);
    fin.local = STATE_FIN_WAIT_1;
    fin.ack = 11;
    say(fin);
    assert_int_equal(t.flow.peer.state, STATE_ESTABLISHED);
    assert_int_equal(t.flow.fin[0], 0);
    fin.impaired = NULL;
    say(fin);
    assert_int_equal(t.flow.peer.state, STATE_CLOSE_WAIT);
    assert_int_equal(t.flow.peer.certainty, CERTAINTY_ASSUMED);
    assert_int_equal(t.flow.fin[0], t.flow.track.number);
    script_finish(&t);
}

static void what_has_a_wrong_checksum_reaches_no_one_either(void **state)
{
    struct step s = by(&broken, ours(SEG_FIN | SEG_ACK, 0));
    (void)state;

    script_start(&t, &script_v4);
    script_handshake(&t);
    s.local = STATE_FIN_WAIT_1;
    say(s);
    assert_int_equal(t.flow.peer.state, STATE_ESTABLISHED);
    assert_int_equal(t.flow.fin[0], 0);
    script_finish(&t);
}

static void what_arrived_proves_what_it_proves_whoever_took_it(void **state)
{
    struct step s = by(&dropped_here, theirs(SEG_FIN | SEG_ACK, 0));
    (void)state;

    script_start(&t, &script_v4);
    script_handshake(&t);
    say(s);
    assert_int_equal(t.flow.peer.state, STATE_FIN_WAIT_1);
    assert_int_equal(t.flow.peer.certainty, CERTAINTY_PROVED);
    script_finish(&t);
}

static struct report_segment last;

static void keep(void *self, const struct report_event *e)
{
    (void)self;
    if (e->kind == REPORT_SEGMENT)
        last = e->u.segment;
}

static void what_is_sent_once_more_is_a_retransmission_of_what_was_dropped(void **state)
{
    struct step s = ours(SEG_ACK | SEG_PSH, 10);
    (void)state;

    script_start(&t, &script_v4);
    report_add(&t.report, keep, NULL);
    script_handshake(&t);
    say(by(&dropped, s));
    assert_false(last.retransmission);
    assert_true(last.struck);
    s.retransmission = true; /* the sent log has it */
    say(s);
    assert_true(last.retransmission);
    assert_int_equal(last.repeats, 4);
    assert_int_equal(t.flow.retransmissions, 1);
    /* A copy that a rule made is none. */
    s.retransmission = false;
    say(by(&copy, s));
    assert_false(last.retransmission);
    assert_int_equal(t.flow.retransmissions, 1);
    script_finish(&t);
}

static void what_was_held_back_is_no_retransmission(void **state)
{
    static const struct impaired held = {.acts = IMPAIRED_REORDERED,
                                         .rule = 1,
                                         .words = "out:data#1 reorder",
                                         .on_wire = true,
                                         .shown = true,
                                         .what = "held back"};
    struct step later = ours(SEG_ACK | SEG_PSH, 10), first = ours(SEG_ACK | SEG_PSH, 10);
    (void)state;

    later.seq = 11;
    script_start(&t, &script_v4);
    report_add(&t.report, keep, NULL);
    script_handshake(&t);
    say(later);
    say(by(&held, first));
    assert_false(last.retransmission);
    assert_int_equal(t.flow.retransmissions, 0);
    script_finish(&t);
}

/* The round trip is that of the SYN that was on the wire. */
static void a_syn_that_was_dropped_does_not_count_as_sent(void **state)
{
    struct step s = ours(SEG_SYN, 0);
    (void)state;

    script_start(&t, &script_v4);
    say(by(&dropped, s));
    assert_false(t.flow.has_iss);
    assert_int_equal(t.flow.syn_sent, 0);
    t.at += WAVE_S;
    s.retransmission = true;
    say(s);
    say(theirs(SEG_SYN | SEG_ACK, 0));
    assert_int_equal(t.flow.syn_sent, 1);
    assert_int_equal(t.flow.retransmissions, 1);
    assert_int_equal(t.flow.rtt, 100 * WAVE_US);
    script_finish(&t);
}

/*
 * JSON, the summary and the picture
 */

static void json_says_what_was_done(void **state)
{
    struct render_json j = {NULL, false};
    struct impairments rules = {.count = 0};
    struct report_verdict v = {.command = "connect", .message = "", .impairments = &rules};
    const char *line;
    (void)state;

    script_start(&t, &script_v4);
    j.to = t.to;
    report_add(&t.report, render_json, &j);
    say(ours(SEG_SYN, 0));
    say(by(&shut, ours(SEG_SYN, 0)));
    impairments_add(&rules, "out:S win=0", 1, 2);
    impairments_add(&rules, "in: drop", 0, 0);
    report_verdict(&t.report, t.at, &v);
    fflush(t.to);
    line = strchr(t.text, '\n');
    assert_null(memmem(t.text, (size_t)(line - t.text), "impaired", 8));
    assert_non_null(strstr(line, "\"impaired\":{\"rule\":3,\"words\":\"out:data win=0\","
                                 "\"acts\":[\"rewritten\"],"
                                 "\"what\":\"sent with window 0 instead of 65535\","
                                 "\"on_wire\":true}"));
    assert_non_null(strstr(line, "\"impairments\":[{\"rule\":\"out:S win=0\",\"matched\":1,"
                                 "\"seen\":2,\"held\":0},{\"rule\":\"in: drop\",\"matched\":0,"
                                 "\"seen\":0,\"held\":0}]"));
    script_finish(&t);
}

static void the_summary_has_a_line_per_rule(void **state)
{
    struct impairments rules = {.count = 0};
    struct report_verdict v = {.command = "connect", .message = "x", .impairments = &rules};
    (void)state;

    script_start(&t, &script_v4);
    term = (struct term){.to = t.to, .width = 80};
    report_add(&t.report, summary_event, &term);
    impairments_add(&rules, "out:S. drop", 3, 12);
    impairments_add(&rules, "in: dup", 1, 1);
    report_verdict(&t.report, t.at, &v);
    fflush(t.to);
    assert_drawn("  impaired   `out:S. drop` 3 of 12 segments\n");
    assert_drawn("  impaired   `in: dup` 1 of 1 segment\n");
    script_finish(&t);
}

static void the_list_of_rules_is_bounded(void **state)
{
    struct impairments rules = {.count = 0};
    (void)state;

    assert_int_equal(impairments_matched(NULL), 0);
    for (unsigned i = 0; i < IMPAIRMENTS_MAX + 3; i++)
        impairments_add(&rules, "in: drop", 2, 3);
    assert_int_equal(rules.count, IMPAIRMENTS_MAX);
    assert_int_equal(impairments_matched(&rules), 2 * IMPAIRMENTS_MAX);
}

static void the_picture_strikes_it_and_says_so(void **state)
{
    struct outbuf_end end = {.signals = -1, .deadline = WAVE_NEVER};
    struct report_verdict v = {.command = "connect", .message = "x"};
    char path[] = "/tmp/tcpwave-impaired.XXXXXX", text[60000];
    struct step again = ours(SEG_ACK | SEG_PSH, 10);
    struct step rst = by(&made, theirs(SEG_RST, 0));
    struct svg *s = NULL;
    struct diag d = {""};
    FILE *from;
    (void)state;

    close(mkstemp(path));
    script_start(&t, &script_v4);
    assert_int_equal(svg_open(&s, path, PICTURE_EVENT, &d), 0);
    report_add(&t.report, svg_event, s);
    lossy_handshake();
    say(by(&dropped, again));
    again.retransmission = true;
    say(again);
    rst.local = STATE_CLOSED;
    say(rst);
    v.flow = &t.flow;
    assert_int_equal(svg_end(s, &v, &end, &d), 0);
    svg_close(s);
    script_finish(&t);
    from = fopen(path, "r");
    text[fread(text, 1, sizeof text - 1, from)] = '\0';
    fclose(from);
    unlink(path);
    assert_non_null(
        strstr(text, "<g><title>impaired on purpose by rule 1, out:.#1 drop: dropped</title>"));
    assert_non_null(
        strstr(text, "<g><title>impaired on purpose by rule 2, in:S. drop: dropped</title>"));
    assert_non_null(strstr(text, ": tcpwave stopped the segment there"));
    /* Neither what it stopped nor what repeats it was lost by the network. */
    assert_null(strstr(text, "lost?"));
    assert_null(strstr(text, "class=\"rest\""));
    const char *cross = text;
    for (unsigned i = 0; i < 4; i++) {
        cross = strstr(cross, "<path class=\"cross\"");
        assert_non_null(cross);
        cross++;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ladder_strikes_what_a_rule_stopped),
        cmocka_unit_test(a_segment_that_was_changed_has_a_whole_arrow_and_words),
        cmocka_unit_test(a_rst_that_a_rule_made_comes_from_no_peer),
        cmocka_unit_test(not_every_impaired_segment_has_a_row),
        cmocka_unit_test(what_reached_no_one_moves_nothing_but_the_count),
        cmocka_unit_test(what_has_a_wrong_checksum_reaches_no_one_either),
        cmocka_unit_test(what_arrived_proves_what_it_proves_whoever_took_it),
        cmocka_unit_test(what_is_sent_once_more_is_a_retransmission_of_what_was_dropped),
        cmocka_unit_test(what_was_held_back_is_no_retransmission),
        cmocka_unit_test(a_syn_that_was_dropped_does_not_count_as_sent),
        cmocka_unit_test(json_says_what_was_done),
        cmocka_unit_test(the_summary_has_a_line_per_rule),
        cmocka_unit_test(the_list_of_rules_is_bounded),
        cmocka_unit_test(the_picture_strikes_it_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
