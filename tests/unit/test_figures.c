/* Tests figures, findings and expectations: a list that a command fills, and what each renderer
 * makes of any such list without knowing the command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/report_rig.h"

#include "cmd/send_report.h"
#include "lib/report/human.h"
#include "lib/report/report.h"
#include "lib/run/probes.h"
#include "lib/show/figures_table.h"
#include "lib/show/json.h"
#include "lib/show/ladder.h"
#include "lib/show/summary.h"

#define VERDICT_HEAD                                                                               \
    "{\"event\":\"verdict\",\"time\":0.0,\"command\":\"any\",\"verdict\":\"open\",\"exit\":0,"
#define VERDICT_TAIL                                                                               \
    "\"guard\":null,\"capture\":{\"received\":0,\"dropped\":0},\"outgoing\":{\"segments\":0,"      \
    "\"no_room\":0},\"findings\":[],\"message\":\"\"}\n"

static struct figures list;

/* The verdict of a command that found out what the list has. */
static void tell_verdict(struct script *t, const struct figures *f)
{
    struct report_verdict v = {.command = "any", .verdict = VERDICT_OPEN, .figures = f};

    v.message = "";
    report_verdict(&t->report, t->at, &v);
    fflush(t->to);
}

/* Checks that the line of JSON for such a verdict has `members` between what every verdict has. */
static void assert_members(const struct figures *f, const char *members)
{
    struct script t;
    char want[2048];

    script_start(&t, &script_v4);
    struct render_json j = {t.to, false};
    report_add(&t.report, render_json, &j);
    tell_verdict(&t, f);
    snprintf(want, sizeof want, "%s%s%s", VERDICT_HEAD, members, VERDICT_TAIL);
    assert_string_equal(t.text, want);
    assert_false(j.failed);
    script_finish(&t);
}

/* Checks what the summary writes between headline and guard. */
static void assert_rows(const struct figures *f, const char *rows)
{
    struct script t;
    struct term term = {.width = 80};

    script_start(&t, &script_v4);
    term.to = t.to;
    report_add(&t.report, summary_event, &term);
    tell_verdict(&t, f);
    assert_string_equal(strchr(t.text, '\n') + 1, rows);
    script_finish(&t);
}

static void json_prints_every_kind_in_its_group(void **state)
{
    (void)state;
    figures_clear(&list);
    figures_group(&list, "group");
    figures_count(&list, "count", 18014398509481984u);
    figures_real(&list, "real", 0.5);
    figures_group(&list, "inner");
    figures_seconds(&list, "seconds", 1500 * WAVE_MS);
    figures_seconds(&list, "never", WAVE_NEVER);
    figures_end(&list);
    figures_bool(&list, "yes", true);
    figures_bool(&list, "no", false);
    figures_end(&list);
    figures_text(&list, "text", "a \"word\"");
    figures_text(&list, "none", NULL);
    figures_unknown(&list, "unknown");
    figures_list(&list, "ranges");
    figures_range(&list, 1, 3);
    figures_range(&list, 7, 7);
    figures_end(&list);
    figures_list(&list, "empty");
    figures_end(&list);
    assert_int_equal(list.left_out, 0);
    assert_members(&list, "\"group\":{\"count\":18014398509481984,\"real\":0.5,\"inner\":{"
                          "\"seconds\":1.5,\"never\":null},\"yes\":true,\"no\":false},"
                          "\"text\":\"a \\\"word\\\"\",\"none\":null,\"unknown\":null,"
                          "\"ranges\":[[1,3],[7,7]],\"empty\":[],");
}

/* The name of a file can be any bytes; JSON takes UTF-8, and numbers that are finite. */
static void what_json_cannot_say_is_said_otherwise(void **state)
{
    (void)state;
    figures_clear(&list);
    figures_text(&list, "utf8", "caf\xc3\xa9");
    figures_text(&list, "latin1", "caf\xe9.pcap");
    figures_real(&list, "infinite", (double)INFINITY);
    assert_members(&list, "\"utf8\":\"caf\xc3\xa9\",\"latin1\":\"caf?.pcap\",\"infinite\":null,");
}

static void a_list_that_was_not_filled_prints_nothing(void **state)
{
    (void)state;
    figures_clear(&list);
    assert_members(NULL, "");
    assert_members(&list, "");
    assert_rows(&list, "");
}

/* What there is no room for is left out whole: the group that it belongs to still ends. */
static void a_full_list_closes_its_groups(void **state)
{
    static const char *const name[] = {"a", "b"};
    json_t *line;
    struct script t;
    (void)state;

    figures_clear(&list);
    figures_group(&list, "outer");
    figures_list(&list, "inner");
    for (unsigned i = 0; i < 200; i++)
        figures_range(&list, i, i);
    figures_end(&list);
    figures_group(&list, "late");
    figures_count(&list, name[0], 1);
    figures_end(&list);
    figures_end(&list);
    figures_count(&list, name[1], 2);
    assert_int_equal(list.items, FIGURES_ITEMS);
    assert_int_equal(list.left_out, 200 - (FIGURES_ITEMS - 4) + 2 + 1);
    assert_int_equal(list.depth, 0);
    assert_int_equal(list.skipped, 0);

    script_start(&t, &script_v4);
    struct render_json j = {t.to, false};
    report_add(&t.report, render_json, &j);
    tell_verdict(&t, &list);
    line = json_loads(t.text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    assert_int_equal(json_object_size(json_object_get(line, "outer")), 1);
    assert_int_equal(json_array_size(json_object_get(json_object_get(line, "outer"), "inner")),
                     FIGURES_ITEMS - 4);
    assert_null(json_object_get(line, "b"));
    assert_string_equal(json_string_value(json_object_get(line, "message")), "");
    json_decref(line);
    script_finish(&t);
}

static void a_group_that_lies_too_deep_is_left_out_with_its_members(void **state)
{
    (void)state;
    figures_clear(&list);
    for (unsigned i = 0; i < FIGURES_DEPTH + 2; i++)
        figures_group(&list, "in");
    figures_count(&list, "lost", 1);
    for (unsigned i = 0; i < FIGURES_DEPTH + 2; i++)
        figures_end(&list);
    figures_end(&list); /* one too many */
    figures_count(&list, "behind", 2);
    assert_int_equal(list.left_out, 3);
    assert_members(&list, "\"in\":{\"in\":{\"in\":{\"in\":{}}}},\"behind\":2,");
}

static void a_spread_of_nothing_is_unknown(void **state)
{
    static struct histogram s;
    struct histogram_summary figures;
    (void)state;

    memset(&s, 0, sizeof s);
    figures_clear(&list);
    figures = histogram_summary(&s);
    figures_histogram(&list, "none", &figures);
    histogram_add(&s, 500 * WAVE_MS);
    figures = histogram_summary(&s);
    figures_histogram(&list, "one", &figures);
    assert_members(&list, "\"none\":null,\"one\":{\"min\":0.5,\"median\":0.5,\"p95\":0.5,"
                          "\"max\":0.5},");
}

static void verdicts_are_counted_by_name_and_in_words(void **state)
{
    uint32_t counts[REPORT_VERDICTS] = {0};
    char text[120];
    (void)state;

    assert_string_equal(figures_verdicts_text(counts, "open", text, sizeof text), "");
    counts[VERDICT_OPEN] = 1234;
    counts[VERDICT_RESET] = 2;
    assert_string_equal(figures_verdicts_text(counts, "as asked", text, sizeof text),
                        "1,234 as asked, 2 reset");
    assert_string_equal(figures_verdicts_text(counts, "open", text, 12), "1,234 open,");
    figures_clear(&list);
    figures_verdicts(&list, counts);
    assert_members(&list, "\"open\":1234,\"failed\":0,\"local\":0,\"refused\":0,\"dropped\":0,"
                          "\"rejected\":0,\"reset\":2,\"lost\":0,");
}

/* Rows stand between what went each way and how it was closed; they are broken at the width. */
static void the_summary_has_the_rows_in_their_place(void **state)
{
    struct script t;
    struct term term = {.width = 80};
    struct report_verdict v = {.command = "any",
                               .by = "local",
                               .kind = "four-way",
                               .guard = "socket filter",
                               .figures = &list,
                               .message = "a sentence"};
    (void)state;

    script_start(&t, &script_v4);
    script_handshake(&t);
    term.to = t.to;
    report_add(&t.report, summary_event, &term);
    figures_clear(&list);
    figures_row(&list, "label",
                "%u words that go on and on, until the width of the terminal is "
                "used up and there is a second line",
                18u);
    figures_row(&list, "", "and a row that continues it");
    v.flow = &t.flow;
    report_verdict(&t.report, t.at, &v);
    fflush(t.to);
    assert_string_equal(
        t.text, "open:        a sentence\n"
                "  handshake  round trip 0.100 ms; peer offers MSS 1460, window scale 7, SACK,\n"
                "             timestamps\n"
                "  data       0 bytes sent, 0 bytes received\n"
                "  label      18 words that go on and on, until the width of the terminal is used\n"
                "             up and there is a second line\n"
                "             and a row that continues it\n"
                "  close      four-way, by us\n"
                "  peer       ESTABLISHED, assumed since segment 3: we acknowledged its SYN\n"
                "  guard      socket filter: this host's kernel stays out of it\n");
    script_finish(&t);
}

static void rows_beyond_the_last_are_counted(void **state)
{
    (void)state;
    figures_clear(&list);
    for (unsigned i = 0; i < FIGURES_ROWS + 2; i++)
        figures_row(&list, "a label that is too long", "%u", i);
    assert_int_equal(list.rows, FIGURES_ROWS);
    assert_int_equal(list.left_out, 2);
    assert_string_equal(list.row[0].label, "a label that is");
    figures_clear(&list);
    assert_int_equal(list.rows + list.items + list.left_out, 0);
}

/*
 * The lists of the commands, word for word.
 */

static void probes_tell_both_sides(void **state)
{
    static struct probes p;
    (void)state;

    memset(&p, 0, sizeof p);
    figures_clear(&list);
    probes_figures(&p, &list);
    assert_members(&list, "\"keepalive\":{\"sent\":0,\"answered\":0,\"rtt\":null,"
                          "\"longest_silence\":0.0,\"peer\":{\"probes\":0,\"after\":null,"
                          "\"apart\":null}},");
    assert_rows(&list,
                "  keepalive  0 probes sent, 0 answered; longest silence survived 0.000 ms\n");

    p.sent = 2000;
    p.answered = 1;
    p.silence = 75 * WAVE_S;
    p.from_peer = 2;
    histogram_add(&p.rtt, 500 * WAVE_MS);
    histogram_add(&p.after, 2 * WAVE_S);
    histogram_add(&p.apart, WAVE_S);
    figures_clear(&list);
    probes_figures(&p, &list);
    assert_int_equal(list.left_out, 0);
    assert_members(&list,
                   "\"keepalive\":{\"sent\":2000,\"answered\":1,\"rtt\":{\"min\":0.5,\"median\":"
                   "0.5,\"p95\":0.5,\"max\":0.5},\"longest_silence\":75.0,\"peer\":{"
                   "\"probes\":2,\"after\":{\"min\":2.0,\"median\":2.0,\"p95\":2.0,\"max\":2.0},"
                   "\"apart\":{\"min\":1.0,\"median\":1.0,\"p95\":1.0,\"max\":1.0}}},");
    assert_rows(&list,
                "  keepalive  2,000 probes sent, 1 answered; longest silence survived 75.00 s\n"
                "  round trip min 500.0 ms, median 500.0 ms, p95 500.0 ms, max 500.0 ms\n"
                "  its probes 2 answered; 2.00 s after the last segment (2.00 s to 2.00 s)\n"
                "             1.00 s apart (1.00 s to 1.00 s)\n");
}

static void send_tells_its_answers(void **state)
{
    static struct tally t;
    struct tally_run run = {
        .flow = &script_v4, .ports = 3, .sent = 5000, .answered = 2, .reached = 1234.5};
    struct match_result a = {.kind = ANSWER_SYN_ACK, .rtt = 500 * WAVE_MS};
    (void)state;

    memset(&t, 0, sizeof t);
    tally_answer(&t, &a, NULL);
    a.kind = ANSWER_RST;
    a.late = true;
    tally_answer(&t, &a, NULL);
    tally_answer(&t, &(struct match_result){.stray = true}, NULL);
    tally_unanswered(&t, 2);
    tally_unanswered(&t, 3);
    for (uint64_t i = 5; i < 30; i += 2)
        tally_unanswered(&t, i);
    figures_clear(&list);
    tally_figures(&t, &run, &list);
    assert_int_equal(list.left_out, 0);
    assert_members(
        &list,
        "\"local\":{\"addr\":\"192.0.2.1\",\"port\":40000},\"peer\":{\"addr\":\"192.0.2.2\","
        "\"port\":80},\"send\":{\"sent\":5000,\"answered\":2,\"unanswered\":[[3,4],[6,6],[8,8],"
        "[10,10],[12,12],[14,14],[16,16],[18,18]],\"unanswered_more\":6,\"answers\":{\"syn_ack\":1,"
        "\"rst\":1,\"ack\":0,\"other\":0,\"icmp\":0},\"duplicates\":0,\"late\":1,"
        "\"out_of_order\":0,\"strays\":1,\"malformed\":0,\"ports\":3,\"rtt\":{\"min\":0.5,"
        "\"median\":0.5,\"p95\":0.5,\"max\":0.5},\"rtt_stddev\":0.0,\"rate\":null,"
        "\"rate_reached\":1234.5},");
    assert_rows(&list,
                "  segments   5,000 sent, 2 answered, 100.0 % loss\n"
                "  answers    1 SYN-ACK, 1 RST\n"
                "  of note    1 late, 1 stray\n"
                "  unanswered 3-4, 6, 8, 10, 12, 14, 16, 18 and 6 more\n"
                "  round trip min 500.0 ms, median 500.0 ms, p95 500.0 ms, max 500.0 ms, stddev\n"
                "             0.000 ms\n"
                "  rate       1,234 segments/s\n");
    run.sent = 1;
    run.answered = 0;
    run.rate = 10;
    memset(&t, 0, sizeof t);
    figures_clear(&list);
    tally_figures(&t, &run, &list);
    assert_members(
        &list,
        "\"local\":{\"addr\":\"192.0.2.1\",\"port\":40000},\"peer\":{\"addr\":\"192.0.2.2\","
        "\"port\":80},\"send\":{\"sent\":1,\"answered\":0,\"unanswered\":[],\"unanswered_more\":0,"
        "\"answers\":{\"syn_ack\":0,\"rst\":0,\"ack\":0,\"other\":0,\"icmp\":0},\"duplicates\":0,"
        "\"late\":0,\"out_of_order\":0,\"strays\":0,\"malformed\":0,\"ports\":3,\"rtt\":null,"
        "\"rtt_stddev\":null,\"rate\":10.0,\"rate_reached\":null},");
    assert_rows(&list, "  segments   1 sent, 0 answered, 100.0 % loss\n");
}

/*
 * Progress, the table, and the line that the next one takes the place of
 */

static void progress_is_an_event_with_the_figures_so_far(void **state)
{
    struct script t;
    (void)state;

    script_start(&t, &script_v4);
    struct render_json j = {t.to, false};
    report_add(&t.report, render_json, &j);
    report_note(&t.report, NULL, t.at, false, "first");
    report_begin(&t.report, t.at + WAVE_S);
    report_note(&t.report, NULL, t.at, false, "before the run");
    figures_clear(&list);
    figures_count(&list, "opened", 5);
    report_progress(&t.report, t.at + 2 * WAVE_S, &list);
    fflush(t.to);
    assert_string_equal(t.text, "{\"event\":\"note\",\"time\":0.0,\"text\":\"first\"}\n"
                                "{\"event\":\"note\",\"time\":0.0,\"text\":\"before the run\"}\n"
                                "{\"event\":\"progress\",\"time\":1.0,\"opened\":5}\n");
    script_finish(&t);
}

static void play_table(struct script *t, struct term *term)
{
    struct report_verdict v = {.command = "any",
                               .verdict = VERDICT_FAILED,
                               .left_out = {.packets = 2},
                               .message = "a sentence"};

    script_start(t, &script_v4);
    term->to = t->to;
    report_add(&t->report, figures_table_event, term);
    figures_clear(&list);
    figures_row(&list, "not shown", "1.00 s  so far");
    report_progress(&t->report, t->at, &list);
    report_progress(&t->report, t->at, &list);
    report_note(&t->report, NULL, t->at, true, "something happened");
    report_progress(&t->report, t->at, &list);
    figures_clear(&list);
    figures_row(&list, "connections", "%s", "5 opened");
    figures_row(&list, "  handshake", "%13s%13s", "0.1 ms", "0.2 ms");
    v.figures = &list;
    report_verdict(&t->report, t->at, &v);
    fflush(t->to);
}

#define TABLE                                                                                      \
    "\nconnections 5 opened\n"                                                                     \
    "  handshake        0.1 ms       0.2 ms\n"                                                     \
    "output      2 packets of the capture left out, since the reader did not keep up\n"            \
    "verdict     failed: a sentence\n"

static void the_table_shows_rows_and_no_progress_where_nobody_watches(void **state)
{
    struct script t;
    struct term term = {.width = 80};
    (void)state;

    play_table(&t, &term);
    assert_string_equal(t.text, "something happened\n" TABLE);
    script_finish(&t);
}

static void progress_is_one_line_that_the_next_one_replaces(void **state)
{
    struct script t;
    struct term term = {.width = 80, .live = true};
    (void)state;

    play_table(&t, &term);
    assert_string_equal(t.text, "\r\033[K1.00 s  so far\r\033[K1.00 s  so far"
                                "\r\033[Ksomething happened\n"
                                "\r\033[K1.00 s  so far"
                                "\r\033[K" TABLE);
    assert_false(term.transient);
    script_finish(&t);
}

/* A line that is wider than the terminal would leave its first part behind. */
static void a_transient_line_is_cut_at_the_width(void **state)
{
    struct script t;
    struct term term = {.width = 80, .live = true, .color = true};
    char text[200];
    (void)state;

    script_start(&t, &script_v4);
    term.to = t.to;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    term_transient(&term, TONE_DIM, text);
    term_clear(&term);
    term_clear(&term);
    fflush(t.to);
    assert_int_equal(strlen(t.text), strlen("\r\033[K\033[2m") + 79 + strlen("\033[0m\r\033[K"));
    script_finish(&t);
}

/* Drawing, countdown and summary go to one terminal: each row takes the countdown away, also that
 * of a verdict, which is one of several. */
static void the_summary_takes_the_place_of_a_countdown(void **state)
{
    struct script t;
    struct ladder l;
    struct term term = {.width = 80, .live = true};
    struct report_verdict v = {.command = "any", .per_connection = true, .message = "a sentence"};
    (void)state;

    script_start(&t, &script_v4);
    term.to = t.to;
    ladder_init(&l, &term, 0);
    report_add(&t.report, ladder_event, &l);
    report_add(&t.report, summary_event, &term);
    report_wait(&t.report, NULL, t.at, "connections", WAVE_NEVER);
    report_verdict(&t.report, t.at, &v);
    fflush(t.to);
    assert_string_equal(t.text, "\r\033[K     ... waiting for connections"
                                "\r\033[Kopen:        a sentence\n");
    script_finish(&t);
}

/*
 * Findings and expectations
 */

static const struct finding ignored = {.code = "half-close-ignored",
                                       .severity = FINDING_PROBLEM,
                                       .certainty = FINDING_LIKELY,
                                       .subject = FINDING_PATH,
                                       .evidence = {3, 5},
                                       .evidences = 2,
                                       .message = "a firewall drops what comes after our FIN",
                                       .advice = "ask for its idle timeout"};
static const struct finding slow = {.code = "slow",
                                    .severity = FINDING_INFO,
                                    .certainty = FINDING_PROVED,
                                    .subject = FINDING_LOCAL,
                                    .evidence = {7},
                                    .evidences = 1,
                                    .message = "this host was late"};

static void findings_are_told_before_the_verdict_in_every_form(void **state)
{
    static struct findings found;
    struct script t, people;
    struct term term = {.width = 80};
    struct report_verdict v = {.command = "any", .message = "", .findings = &found};
    (void)state;

    memset(&found, 0, sizeof found);
    findings_add(&found, &ignored);
    findings_add(&found, &slow);
    script_start(&t, &script_v4);
    script_start(&people, &script_v4);
    struct render_json j = {t.to, false};
    term.to = people.to;
    report_add(&t.report, render_json, &j);
    report_add(&t.report, summary_event, &term);
    report_add(&t.report, figures_table_event, &term);
    report_verdict(&t.report, t.at, &v);
    fflush(t.to);
    fflush(people.to);
    assert_string_equal(
        t.text,
        "{\"event\":\"finding\",\"time\":0.0,\"code\":\"half-close-ignored\",\"severity\":"
        "\"problem\",\"certainty\":\"likely\",\"subject\":\"path\",\"evidence\":[3,5],\"message\":"
        "\"a firewall drops what comes after our FIN\",\"advice\":\"ask for its idle timeout\"}\n"
        "{\"event\":\"finding\",\"time\":0.0,\"code\":\"slow\",\"severity\":\"info\",\"certainty\":"
        "\"proved\",\"subject\":\"local\",\"evidence\":[7],\"message\":\"this host was late\","
        "\"advice\":null}\n" VERDICT_HEAD
        "\"guard\":null,\"capture\":{\"received\":0,\"dropped\":0},\"outgoing\":{\"segments\":0,"
        "\"no_room\":0},\"findings\":[{\"code\":\"half-close-ignored\",\"severity\":\"problem\","
        "\"certainty\":\"likely\",\"subject\":\"path\",\"evidence\":[3,5],\"message\":\"a firewall "
        "drops what comes after our FIN\",\"advice\":\"ask for its idle "
        "timeout\"},{\"code\":\"slow\","
        "\"severity\":\"info\",\"certainty\":\"proved\",\"subject\":\"local\",\"evidence\":[7],"
        "\"message\":\"this host was late\",\"advice\":null}],\"message\":\"\"}\n");
    assert_string_equal(
        people.text,
        "open:\n"
        "  problem    a firewall drops what comes after our FIN (likely; segments 3, 5)\n"
        "             ask for its idle timeout\n"
        "  info       this host was late (proved; segment 7)\n"
        "\n"
        "problem     a firewall drops what comes after our FIN (likely; segments 3, 5)\n"
        "            ask for its idle timeout\n"
        "info        this host was late (proved; segment 7)\n"
        "verdict     open:\n");
    script_finish(&t);
    script_finish(&people);
}

static void findings_beyond_the_last_are_counted(void **state)
{
    static struct findings found;
    (void)state;

    memset(&found, 0, sizeof found);
    for (unsigned i = 0; i < FINDINGS_MAX + 3; i++)
        findings_add(&found, &slow);
    assert_int_equal(found.count, FINDINGS_MAX);
    assert_int_equal(found.left_out, 3);
}

static void expectations_are_told_as_they_are_met_or_not(void **state)
{
    static const struct expect met = {"a.lua", 3, true, "SYN ACK", "SYN ACK"};
    static const struct expect unmet = {"a.lua", 4, false, "FIN", NULL};
    static struct expects all;
    struct script t, people;
    struct ladder l;
    struct term term = {.width = 80};
    struct report_verdict v = {.command = "any", .message = "", .expects = &all};
    (void)state;

    memset(&all, 0, sizeof all);
    script_start(&t, &script_v4);
    script_start(&people, &script_v4);
    struct render_json j = {t.to, false};
    term.to = people.to;
    ladder_init(&l, &term, 0);
    report_add(&t.report, render_json, &j);
    report_add(&t.report, ladder_event, &l);
    report_add(&t.report, summary_event, &term);
    expects_add(&all, &met);
    report_expect(&t.report, NULL, t.at, &met);
    expects_add(&all, &unmet);
    report_expect(&t.report, NULL, t.at, &unmet);
    report_verdict(&t.report, t.at, &v);
    fflush(t.to);
    fflush(people.to);
    assert_int_equal(all.count, 2);
    assert_int_equal(all.failed, 1);
    assert_string_equal(
        t.text,
        "{\"event\":\"expect\",\"time\":0.0,\"script\":\"a.lua\",\"line\":3,\"passed\":true,"
        "\"expected\":\"SYN ACK\",\"got\":\"SYN ACK\"}\n"
        "{\"event\":\"expect\",\"time\":0.0,\"script\":\"a.lua\",\"line\":4,\"passed\":false,"
        "\"expected\":\"FIN\",\"got\":null}\n" VERDICT_HEAD VERDICT_TAIL);
    assert_non_null(strstr(people.text, "a.lua:3: SYN ACK, as expected"));
    assert_non_null(strstr(people.text, "a.lua:4: expected FIN, got nothing"));
    assert_string_equal(strstr(people.text, "open:"),
                        "open:\n  expected   a.lua:4: expected FIN, got nothing\n");
    for (unsigned i = 0; i < EXPECTS_MAX; i++)
        expects_add(&all, &unmet);
    assert_int_equal(all.left_out, 2);
    assert_int_equal(all.failed, 1 + EXPECTS_MAX);
    script_finish(&t);
    script_finish(&people);
}

/*
 * Memory that runs out
 */

static unsigned long allocations, failing; /* so far, and the one that fails; 0: none does */

static void *allocate(size_t size)
{
    return ++allocations == failing ? NULL : malloc(size);
}

/* Reports an event of every kind, with everything that it may contain. */
static void tell_everything(struct script *t)
{
    static const uint8_t raw[] = {34, 4, 0xab, 0xcd};
    struct opt opt = {.has = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_SACK | OPT_TIMESTAMP |
                             OPT_OTHER,
                      .sacks = 2,
                      .raw = raw,
                      .raw_len = sizeof raw};
    struct icmp e = {.type = 3, .code = 4, .meaning = ICMP_TOO_BIG, .flow = script_v4};
    struct report_answer answer = {.duplicate = true};
    struct report_event crafted = {.kind = REPORT_ICMP, .u.icmp = {.error = e, .answer = &answer}};
    struct report_probe probe = {.n = 1, .answered = true};
    struct findings found = {.at = {ignored}, .count = 1};
    struct expect expect = {"a.lua", 3, true, "SYN ACK", "SYN ACK"};
    struct report_verdict v = {.command = "any",
                               .flow = &t->flow,
                               .by = "local",
                               .kind = "four-way",
                               .figures = &list,
                               .findings = &found,
                               .left_out = {.lines = 1},
                               .message = "a sentence"};

    script_handshake(t);
    script_say(t,
               &(struct step){.flags = SEG_ACK, .ack = 1, .local = STATE_ESTABLISHED, .opt = opt});
    report_icmp(&t->report, &t->flow, t->at, &e, false, false);
    report_tell(&t->report, t->at, &crafted);
    report_probe(&t->report, &t->flow, t->at, &probe);
    report_expect(&t->report, NULL, t->at, &expect);
    report_progress(&t->report, t->at, &list);
    report_verdict(&t->report, t->at, &v);
}

/* Whichever allocation fails, no line with a part missing passes for a whole one. The renderer of
 * another run is not affected. */
static void each_allocation_that_fails_is_noticed(void **state)
{
    json_malloc_t malloc_before;
    json_free_t free_before;
    unsigned long all;
    (void)state;

    figures_clear(&list);
    figures_group(&list, "group");
    figures_count(&list, "count", 1);
    figures_real(&list, "real", 0.5);
    figures_text(&list, "text", "text");
    figures_list(&list, "list");
    figures_range(&list, 1, 2);
    figures_end(&list);
    figures_end(&list);
    json_get_alloc_funcs(&malloc_before, &free_before);
    json_set_alloc_funcs(allocate, free);
    for (failing = 0, all = 1; failing <= all; failing++) {
        struct script t, other;
        allocations = 0;
        script_start(&t, &script_v4);
        script_start(&other, &script_v4);
        struct render_json j = {t.to, false}, k = {other.to, false};
        report_add(&t.report, render_json, &j);
        report_add(&other.report, render_json, &k);
        tell_everything(&t);
        if (!failing)
            all = allocations;
        report_note(&other.report, NULL, t.at, false, "another run");
        assert_int_equal(j.failed, failing > 0);
        assert_false(k.failed);
        script_finish(&t);
        script_finish(&other);
    }
    json_set_alloc_funcs(malloc_before, free_before);
    assert_true(all > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_prints_every_kind_in_its_group),
        cmocka_unit_test(what_json_cannot_say_is_said_otherwise),
        cmocka_unit_test(a_list_that_was_not_filled_prints_nothing),
        cmocka_unit_test(a_full_list_closes_its_groups),
        cmocka_unit_test(a_group_that_lies_too_deep_is_left_out_with_its_members),
        cmocka_unit_test(a_spread_of_nothing_is_unknown),
        cmocka_unit_test(verdicts_are_counted_by_name_and_in_words),
        cmocka_unit_test(the_summary_has_the_rows_in_their_place),
        cmocka_unit_test(rows_beyond_the_last_are_counted),
        cmocka_unit_test(probes_tell_both_sides),
        cmocka_unit_test(send_tells_its_answers),
        cmocka_unit_test(progress_is_an_event_with_the_figures_so_far),
        cmocka_unit_test(the_table_shows_rows_and_no_progress_where_nobody_watches),
        cmocka_unit_test(progress_is_one_line_that_the_next_one_replaces),
        cmocka_unit_test(a_transient_line_is_cut_at_the_width),
        cmocka_unit_test(the_summary_takes_the_place_of_a_countdown),
        cmocka_unit_test(findings_are_told_before_the_verdict_in_every_form),
        cmocka_unit_test(findings_beyond_the_last_are_counted),
        cmocka_unit_test(expectations_are_told_as_they_are_met_or_not),
        cmocka_unit_test(each_allocation_that_fails_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
