/* Tests the stream of events and what the renderers make of it: a scripted exchange goes in, and
 * lines come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/report_rig.h"

#include "lib/report/report.h"
#include "lib/show/json.h"
#include "lib/show/ladder.h"
#include "lib/show/summary.h"

/* The lines of JSON as an array. */
static json_t *lines_of(struct script *t)
{
    json_t *all = json_array();

    fflush(t->to);
    for (char *at = t->text; *at;) {
        char *end = strchr(at, '\n');
        json_error_t error;
        assert_non_null(end);
        json_t *line = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, &error);
        assert_non_null(line);
        json_array_append_new(all, line);
        at = end + 1;
    }
    return all;
}

static void assert_line(const json_t *all, size_t at, const char *expected)
{
    json_error_t error;
    json_t *want = json_loads(expected, 0, &error);
    const json_t *have = json_array_get(all, at);

    if (!want)
        fail_msg("the expectation is no JSON: %s", error.text);
    if (!json_equal(want, have)) {
        char *text = json_dumps(have, JSON_COMPACT);
        fail_msg("line %zu is %s", at, text ? text : "missing");
    }
    json_decref(want);
}

static void json_lines_tell_the_handshake_word_for_word(void **state)
{
    struct script t;
    json_t *all;
    (void)state;

    script_start(&t, &script_v4);
    struct render_json j = {t.to, false};
    report_add(&t.report, render_json, &j);
    script_handshake(&t);
    all = lines_of(&t);
    assert_line(
        all, 0,
        "{\"event\":\"segment\",\"time\":0.0,\"number\":1,\"dir\":\"out\",\"seq\":4294967280,"
        "\"ack\":null,\"rel_seq\":0,\"rel_ack\":null,\"flags\":\"S\",\"window\":64240,"
        "\"window_bytes\":64240,\"length\":0,\"ttl\":64,\"options\":{\"mss\":1460,"
        "\"wscale\":7,\"sack_permitted\":true,\"timestamp\":{\"val\":5,\"ecr\":0}},"
        "\"retransmission\":false,\"notes\":[]}");
    assert_line(
        all, 1,
        "{\"event\":\"state\",\"time\":0.0,\"side\":\"local\",\"from\":\"CLOSED\","
        "\"to\":\"SYN_SENT\",\"certainty\":\"known\",\"evidence\":1,\"cause\":\"a cause\"}");
    assert_line(all, 2,
                "{\"event\":\"segment\",\"time\":0.0001,\"number\":2,\"dir\":\"in\",\"seq\":7000,"
                "\"ack\":4294967281,\"rel_seq\":0,\"rel_ack\":1,\"flags\":\"S.\",\"window\":65160,"
                "\"window_bytes\":65160,\"length\":0,\"ttl\":64,\"options\":{\"mss\":1460,"
                "\"wscale\":7,\"sack_permitted\":true,\"timestamp\":{\"val\":9,\"ecr\":5}},"
                "\"retransmission\":false,\"notes\":[]}");
    /* The peer's state comes right behind its evidence; its cause is the tracker's to word. */
    const json_t *peer = json_array_get(all, 3);
    assert_string_equal(json_string_value(json_object_get(peer, "event")), "state");
    assert_string_equal(json_string_value(json_object_get(peer, "side")), "peer");
    assert_string_equal(json_string_value(json_object_get(peer, "to")), "SYN_RECEIVED");
    assert_string_equal(json_string_value(json_object_get(peer, "certainty")), "proved");
    assert_int_equal(json_integer_value(json_object_get(peer, "evidence")), 2);
    assert_line(all, 4,
                "{\"event\":\"state\",\"time\":0.0002,\"side\":\"local\",\"from\":\"SYN_SENT\","
                "\"to\":\"ESTABLISHED\",\"certainty\":\"known\",\"evidence\":2,\"cause\":\"a "
                "cause\"}");
    assert_line(all, 5,
                "{\"event\":\"segment\",\"time\":0.0002,\"number\":3,\"dir\":\"out\","
                "\"seq\":4294967281,\"ack\":7001,\"rel_seq\":1,\"rel_ack\":1,\"flags\":\".\","
                "\"window\":502,\"window_bytes\":64256,\"length\":0,\"ttl\":64,\"options\":{},"
                "\"retransmission\":false,\"notes\":[]}");
    assert_false(j.failed);
    json_decref(all);
    script_finish(&t);
}

static void relative_numbers_go_on_across_the_wrap(void **state)
{
    struct script t;
    json_t *all;
    (void)state;

    script_start(&t, &script_v4);
    script_handshake(&t);
    struct render_json j = {t.to, false};
    report_add(&t.report, render_json, &j);
    script_say(&t, &(struct step){.out = true,
                                  .flags = SEG_ACK | SEG_PSH,
                                  .seq = 21,
                                  .ack = 1,
                                  .len = 5,
                                  .wnd = 502,
                                  .local = STATE_ESTABLISHED});
    all = lines_of(&t);
    const json_t *line = json_array_get(all, 0);
    assert_int_equal(json_integer_value(json_object_get(line, "seq")), 5);
    assert_int_equal(json_integer_value(json_object_get(line, "rel_seq")), 21);
    json_decref(all);
    script_finish(&t);
}

static void a_change_waits_for_the_segment_it_sends(void **state)
{
    struct script t;
    json_t *all;
    (void)state;

    script_start(&t, &script_v4);
    script_handshake(&t);
    struct render_json j = {t.to, false};
    report_add(&t.report, render_json, &j);
    script_moved(&t, STATE_ESTABLISHED, STATE_FIN_WAIT_1, 0);
    /* Sent before the change, captured after it: not the evidence. */
    script_say(&t, &(struct step){.out = true,
                                  .flags = SEG_ACK,
                                  .seq = 1,
                                  .ack = 1,
                                  .wnd = 502,
                                  .local = STATE_ESTABLISHED});
    script_say(&t, &(struct step){.out = true,
                                  .flags = SEG_ACK | SEG_FIN,
                                  .seq = 1,
                                  .ack = 1,
                                  .wnd = 502,
                                  .local = STATE_FIN_WAIT_1});
    all = lines_of(&t);
    const json_t *change = json_array_get(all, 2);
    assert_string_equal(json_string_value(json_object_get(change, "event")), "state");
    assert_string_equal(json_string_value(json_object_get(change, "to")), "FIN_WAIT_1");
    assert_int_equal(json_integer_value(json_object_get(change, "evidence")), 5);
    json_decref(all);
    script_finish(&t);
}

static void a_change_that_no_segment_follows_has_no_evidence(void **state)
{
    struct script t;
    json_t *all;
    (void)state;

    script_start(&t, &script_v4);
    script_handshake(&t);
    struct render_json j = {t.to, false};
    report_add(&t.report, render_json, &j);
    script_moved(&t, STATE_ESTABLISHED, STATE_CLOSED, 0);
    report_flush(&t.report, &t.flow, t.at);
    all = lines_of(&t);
    assert_int_equal(json_array_size(all), 1);
    assert_true(json_is_null(json_object_get(json_array_get(all, 0), "evidence")));
    assert_int_equal(t.flow.local, STATE_CLOSED);
    json_decref(all);
    script_finish(&t);
}

static void handshake_rtt_is_between_two_stamps(void **state)
{
    struct script t;
    (void)state;

    script_start(&t, &script_v4);
    script_handshake(&t);
    assert_int_equal(t.flow.rtt, 100 * WAVE_US);
    script_finish(&t);
}

/* RFC 7323, 4.1: the echoed timestamp says which SYN was answered. Without it this is not known
 * (RFC 6298, section 3): an answer to the first SYN that comes after the second may be a
 * retransmission. */
static void rtt_of_a_repeated_syn_needs_its_timestamp(void **state)
{
    static const struct {
        bool timestamps;
        uint32_t echo;
        wave_time rtt;
    } cases[] = {{true, 1005, 100 * WAVE_US}, {true, 5, WAVE_NEVER}, {false, 0, WAVE_NEVER}};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct script t;
        struct opt first = script_syn, second = script_syn, answer = script_syn;
        script_start(&t, &script_v4);
        second.tsval = 1005;
        answer.tsecr = cases[i].echo;
        if (!cases[i].timestamps)
            first.has = second.has = answer.has = OPT_MSS;
        script_say(&t, &(struct step){
                           .out = true, .flags = SEG_SYN, .local = STATE_SYN_SENT, .opt = first});
        script_say(&t, &(struct step){.out = true,
                                      .flags = SEG_SYN,
                                      .retransmission = true,
                                      .local = STATE_SYN_SENT,
                                      .opt = second});
        script_say(&t, &(struct step){.flags = SEG_SYN | SEG_ACK,
                                      .ack = 1,
                                      .local = STATE_ESTABLISHED,
                                      .opt = answer});
        assert_int_equal(t.flow.rtt, cases[i].rtt);
        assert_int_equal(t.flow.syn_sent, 2);
        script_finish(&t);
    }
}

/* RFC 7323, 2.2: scaling is in force only when both offered it. */
static void window_is_scaled_only_when_both_offered(void **state)
{
    struct script t;
    json_t *all;
    (void)state;

    script_start(&t, &script_v4);
    script_say(&t, &(struct step){
                       .out = true, .flags = SEG_SYN, .local = STATE_SYN_SENT, .opt = script_syn});
    script_say(&t,
               &(struct step){.flags = SEG_SYN | SEG_ACK, .ack = 1, .local = STATE_ESTABLISHED});
    struct render_json j = {t.to, false};
    report_add(&t.report, render_json, &j);
    script_say(&t, &(struct step){.out = true,
                                  .flags = SEG_ACK,
                                  .seq = 1,
                                  .ack = 1,
                                  .wnd = 502,
                                  .local = STATE_ESTABLISHED});
    all = lines_of(&t);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 0), "window_bytes")),
                     502);
    json_decref(all);
    script_finish(&t);
}

static void verdict_says_what_the_contract_names(void **state)
{
    struct script t;
    json_t *all;
    (void)state;

    script_start(&t, &script_v4);
    script_handshake(&t);
    struct render_json j = {t.to, false};
    report_add(&t.report, render_json, &j);
    t.flow.sent_bytes = 78;
    t.flow.received_bytes = 5000000000u;
    struct report_verdict v = {.command = "connect",
                               .verdict = VERDICT_OPEN,
                               .flow = &t.flow,
                               .by = "local",
                               .kind = "four-way",
                               .guard = "socket filter",
                               .captured = 9,
                               .message = "a sentence"};
    report_verdict(&t.report, t.at, &v);
    all = lines_of(&t);
    assert_line(
        all, 0,
        "{\"event\":\"verdict\",\"time\":0.0003,\"command\":\"connect\",\"verdict\":\"open\","
        "\"exit\":0,\"local\":{\"addr\":\"192.0.2.1\",\"port\":40000,\"state\":"
        "\"ESTABLISHED\"},\"peer\":{\"addr\":\"192.0.2.2\",\"port\":80,\"state\":"
        "\"ESTABLISHED\",\"certainty\":\"assumed\"},\"handshake\":{\"rtt\":0.0001,"
        "\"syn_sent\":1,\"mss\":1460,\"wscale\":7,\"sack\":true,\"timestamps\":true,"
        "\"ecn\":false},\"sent_bytes\":78,\"received_bytes\":5000000000,"
        "\"retransmissions\":0,\"close\":{\"by\":\"local\",\"kind\":\"four-way\"},\"guard\":"
        "\"socket filter\",\"capture\":{\"received\":9,\"dropped\":0},\"outgoing\":{"
        "\"segments\":0,\"no_room\":0},\"ignored\":{},\"findings\":[],\"message\":\"a sentence\"}");
    json_decref(all);
    script_finish(&t);
}

/* Returns how many columns a line takes: every character that is drawn is one column wide. */
static unsigned columns(const char *at, const char *end)
{
    unsigned n = 0;
    for (; at < end; at++)
        n += ((unsigned char)*at & 0xc0) != 0x80;
    return n;
}

static unsigned widest(const char *text)
{
    unsigned max = 0;
    while (*text) {
        const char *end = strchr(text, '\n');
        unsigned n;
        assert_non_null(end);
        n = columns(text, end);
        max = n > max ? n : max;
        text = end + 1;
    }
    return max;
}

static bool only_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text > 0x7e)
            return false;
    return true;
}

/* Plays a script in which everything is as long as it can be: addresses, numbers, options, states
 * and remarks. */
static void crowded(struct script *t)
{
    struct opt sacks = {.has = OPT_SACK | OPT_TIMESTAMP | OPT_OTHER, .sacks = 4};
    struct icmp e = {.type = 1, .code = 1, .flow = t->flow.flow, .from = t->flow.flow.remote};

    script_handshake(t);
    for (unsigned i = 0; i < 4; i++)
        sacks.sack[i] = (struct sack_block){seq_of(OUR_ISN + 4000000000u + 100 * i),
                                            seq_of(OUR_ISN + 4000000000u + 100 * i + 50)};
    t->at += 100000 * WAVE_S;
    script_say(t, &(struct step){.flags = SEG_ACK | SEG_PSH | SEG_URG | SEG_ECE | SEG_CWR | SEG_FIN,
                                 .seq = 4000000001u,
                                 .ack = 3999999999u,
                                 .len = 65000,
                                 .wnd = 65535,
                                 .local = STATE_SYN_RECEIVED,
                                 .opt = sacks});
    script_say(t, &(struct step){.out = true,
                                 .flags = SEG_ACK | SEG_PSH,
                                 .seq = 3999999999u,
                                 .ack = 4000000001u,
                                 .len = 65000,
                                 .wnd = 65535,
                                 .retransmission = true,
                                 .local = STATE_SYN_RECEIVED,
                                 .opt = sacks});
    report_icmp(&t->report, &t->flow, t->at, &e, false, true);
    report_note(&t->report, &t->flow, t->at, true,
                "a note that is a good deal longer than there is room for between two lines of "
                "life, so that it has to be broken somewhere, more than once at that");
    script_moved(t, STATE_SYN_RECEIVED, STATE_CLOSED, 0);
    report_flush(&t->report, &t->flow, t->at);
}

static void assert_drawn(const struct flow *flow, unsigned width, bool unicode, unsigned verbose)
{
    struct script t;
    struct ladder l;
    struct term term = {.width = width, .unicode = unicode};
    struct report_verdict v = {.command = "connect",
                               .verdict = VERDICT_OPEN,
                               .by = "local",
                               .kind = "four-way",
                               .guard = "socket filter",
                               .message = "a sentence that goes on and on until it can no longer "
                                          "stand in one line of the eighty columns there are"};

    script_start(&t, flow);
    term.to = t.to;
    ladder_init(&l, &term, verbose);
    report_add(&t.report, ladder_event, &l);
    report_add(&t.report, summary_event, &term);
    crowded(&t);
    v.flow = &t.flow;
    report_verdict(&t.report, t.at, &v);
    fflush(t.to);
    assert_true(widest(t.text) <= width);
    assert_true(widest(t.text) >= 70);
    assert_int_equal(only_ascii(t.text), !unicode);
    assert_null(strchr(t.text, '\033'));
    assert_non_null(strstr(t.text, "SYN ACK"));
    assert_non_null(strstr(t.text, "ESTABLISHED?"));
    assert_non_null(strstr(t.text, "is assumed"));
    script_finish(&t);
}

static const struct flow v6 = {.local = {{0x20, 1, 0xd, 0xb8, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33,
                                          0x44, 0x44, 0x55, 0x55, 0x66, 0x66}},
                               .remote = {{0x20, 1, 0xd, 0xb8, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33,
                                           0x44, 0x44, 0x55, 0x55, 0x77, 0x77}},
                               .lport = 40000,
                               .rport = 65535,
                               .v6 = 1};

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    for (unsigned verbose = 0; verbose < 3; verbose++)
        for (unsigned width = 80; width <= 200; width += 8) {
            assert_drawn(&script_v4, width, false, verbose);
            assert_drawn(&script_v4, width, true, verbose);
            assert_drawn(&v6, width, true, verbose);
        }
}

static void a_long_transfer_is_drawn_in_part(void **state)
{
    struct script t;
    struct ladder l;
    struct term term = {.width = 80};
    unsigned rows = 0;
    (void)state;

    script_start(&t, &script_v4);
    term.to = t.to;
    ladder_init(&l, &term, 0);
    report_add(&t.report, ladder_event, &l);
    script_handshake(&t);
    for (uint32_t i = 0; i < 5000; i++)
        script_say(&t, &(struct step){.flags = SEG_ACK,
                                      .seq = 1 + 1000 * i,
                                      .ack = 1,
                                      .len = 1000,
                                      .wnd = 509,
                                      .local = STATE_ESTABLISHED});
    script_say(&t, &(struct step){.flags = SEG_ACK | SEG_FIN,
                                  .seq = 5000001,
                                  .ack = 1,
                                  .wnd = 509,
                                  .local = STATE_CLOSE_WAIT});
    fflush(t.to);
    for (const char *at = t.text; (at = strchr(at, '\n')); at++)
        rows++;
    assert_true(rows < 100); /* it overruns our window half way, which begins another stretch */
    assert_non_null(strstr(t.text, "segments, 4.7 MiB in 49"));
    assert_non_null(strstr(t.text, "FIN ACK"));
    script_finish(&t);
}

/* Starts a script whose ladder is drawn at `width`. */
static void start_ladder(struct script *t, struct ladder *l, unsigned width)
{
    static struct term term;

    script_start(t, &script_v4);
    term = (struct term){.to = t->to, .width = width};
    ladder_init(l, &term, 0);
    report_add(&t->report, ladder_event, l);
    script_handshake(t);
}

static void assert_tells(struct script *t, const char *text)
{
    fflush(t->to);
    if (!strstr(t->text, text))
        fail_msg("\"%s\" is not told by\n%s", text, t->text);
}

static const struct step our_data = {.out = true,
                                     .flags = SEG_ACK | SEG_PSH,
                                     .seq = 1,
                                     .ack = 1,
                                     .len = 100,
                                     .wnd = 502,
                                     .local = STATE_ESTABLISHED};

static void a_segment_sent_again_names_the_one_it_repeats(void **state)
{
    struct script t;
    struct ladder l;
    struct step s = our_data;
    (void)state;

    start_ladder(&t, &l, 80);
    script_say(&t, &s);
    s.retransmission = true;
    script_say(&t, &s);
    script_say(&t, &s);
    assert_tells(&t, "PSH retransmission of 4");
    assert_tells(&t, "PSH retransmission of 5");
    script_finish(&t);
}

/* What people compare with other tools is in hexadecimal: flags, checksum, IP identification. */
static void verbose_shows_the_headers_fields(void **state)
{
    static const uint8_t tcp[SEG_HEADER] = {[16] = 0x0b, 0xad};
    static struct term term;
    struct script t;
    struct ladder l;
    struct step s = our_data;
    (void)state;

    script_start(&t, &script_v4);
    term = (struct term){.to = t.to, .width = 120};
    ladder_init(&l, &term, 1);
    report_add(&t.report, ladder_event, &l);
    script_handshake(&t);
    assert_tells(&t, "[S.] flags=0x012");
    assert_null(strstr(t.text, "cksum"));
    s.tcp = tcp;
    s.id = 0x1f;
    script_say(&t, &s);
    assert_tells(&t, "flags=0x018");
    assert_tells(&t, "cksum=0x0bad");
    assert_tells(&t, "id=0x001f");
    script_finish(&t);
}

/* Theirs was here, and so it was no loss of theirs; what was never here before fills a gap. */
static void the_peers_repetition_is_told_from_what_fills_a_gap(void **state)
{
    struct script t;
    struct ladder l;
    struct step s = {.flags = SEG_ACK, .ack = 1, .len = 10, .wnd = 509, .local = STATE_ESTABLISHED};
    (void)state;

    start_ladder(&t, &l, 80);
    s.seq = 11;
    script_say(&t, &s); /* 4 */
    assert_tells(&t, "ACK out of order");
    s.seq = 1;
    script_say(&t, &s); /* 5 */
    assert_tells(&t, "ACK fills gap");
    script_say(&t, &s);
    assert_tells(&t, "ACK retransmission of 5 ");
    assert_null(strstr(t.text, "lost"));
    script_finish(&t);
}

static void a_silence_is_told_by_its_length(void **state)
{
    struct script t;
    struct ladder l;
    (void)state;

    start_ladder(&t, &l, 80);
    t.at += ROWS_SILENCE - 200 * WAVE_US;
    script_say(&t, &our_data);
    fflush(t.to);
    assert_null(strstr(t.text, "..."));
    t.at += 75 * WAVE_S;
    script_say(&t, &our_data);
    assert_tells(&t, "... 75.00 s ...");
    script_finish(&t);
}

/* RFC 9293, 3.6: the first FIN is acknowledged by a side that stays open. */
static void a_half_close_is_marked(void **state)
{
    struct script t;
    struct ladder l;
    struct step fin = {.out = true,
                       .flags = SEG_ACK | SEG_FIN,
                       .seq = 1,
                       .ack = 1,
                       .wnd = 502,
                       .local = STATE_FIN_WAIT_1};
    struct step ack = {.flags = SEG_ACK, .seq = 1, .ack = 2, .wnd = 509, .local = STATE_FIN_WAIT_2};
    (void)state;

    start_ladder(&t, &l, 80);
    script_moved(&t, STATE_ESTABLISHED, STATE_FIN_WAIT_1, 0);
    script_say(&t, &fin);
    script_say(&t, &ack);
    assert_tells(&t, "ACK half-close seq 1 ack 2");
    assert_tells(&t, "! FIN ACK");
    script_say(&t, &ack);
    assert_null(strstr(strstr(t.text, "half-close") + 1, "half-close"));
    script_finish(&t);
}

/* RFC 2883, 4: the first SACK block below the acknowledgement. */
static void a_d_sack_is_told_as_such(void **state)
{
    struct script t;
    struct ladder l;
    struct step ack = {.flags = SEG_ACK, .seq = 1, .ack = 101, .local = STATE_ESTABLISHED};
    (void)state;

    start_ladder(&t, &l, 80);
    script_say(&t, &our_data);
    ack.opt = (struct opt){.has = OPT_SACK, .sacks = 1};
    ack.opt.sack[0] = (struct sack_block){seq_of(OUR_ISN + 1), seq_of(OUR_ISN + 101)};
    script_say(&t, &ack);
    assert_tells(&t, "D-SACK 1:101");
    ack.opt.sack[0] = (struct sack_block){seq_of(OUR_ISN + 201), seq_of(OUR_ISN + 301)};
    script_say(&t, &ack);
    assert_tells(&t, "sack 201:301");
    script_finish(&t);
}

/* Returns the notes of the last segment in the JSON lines, as in "probe,probe_answer". */
static const char *last_notes(struct script *t, char *text, size_t room)
{
    json_t *all = lines_of(t);
    const json_t *notes = NULL, *note;
    size_t i, used = 0;

    for (i = 0; i < json_array_size(all); i++)
        if (json_object_get(json_array_get(all, i), "notes"))
            notes = json_object_get(json_array_get(all, i), "notes");
    text[0] = '\0';
    json_array_foreach(notes, i, note) used += (size_t)snprintf(
        text + used, room - used, "%s%s", used ? "," : "", json_string_value(note));
    json_decref(all);
    return text;
}

static const struct step our_byte = {.out = true,
                                     .flags = SEG_ACK | SEG_PSH,
                                     .seq = 1,
                                     .ack = 1,
                                     .len = 1,
                                     .wnd = 502,
                                     .local = STATE_ESTABLISHED};
static const struct step their_byte = {.flags = SEG_ACK | SEG_PSH,
                                       .seq = 1,
                                       .ack = 1,
                                       .len = 1,
                                       .wnd = 502,
                                       .local = STATE_ESTABLISHED};

/* RFC 9293, 3.8.4: a probe is below SND.UNA. If an acknowledgement was captured but not accepted
 * (PAWS, RFC 7323, 5), the retransmission of the one byte is at SND.UNA. */
static void our_byte_sent_again_is_no_probe(void **state)
{
    struct script t;
    char text[80];
    struct step ack = {
        .flags = SEG_ACK, .seq = 1, .ack = 2, .wnd = 502, .local = STATE_ESTABLISHED};
    struct step retransmission = our_byte;
    (void)state;

    for (int probe = 0; probe < 2; probe++) {
        script_start(&t, &script_v4);
        script_handshake(&t);
        struct render_json j = {t.to, false};
        report_add(&t.report, render_json, &j);
        script_say(&t, &our_byte);
        script_say(&t, &ack);
        retransmission.retransmission = !probe;
        retransmission.probe = probe;
        script_say(&t, &retransmission);
        assert_string_equal(last_notes(&t, text, sizeof text), probe ? "probe" : "");
        script_say(&t, &ack);
        assert_string_equal(last_notes(&t, text, sizeof text), probe ? "probe_answer" : "");
        script_finish(&t);
    }
}

/* When the peer's one byte comes a second time, its retransmission timer sent it, unless the
 * segment shows that the peer has our acknowledgement, or unless the byte was never a segment by
 * itself. */
static void the_peers_byte_sent_again_is_no_probe(void **state)
{
    static const struct {
        uint32_t len, echo; /* of what came first; of the acknowledgement, 0: it echoes nothing */
        bool garbage;
        const char *note, *answer;
    } ways[] = {{1, 0, true, "", ""},
                {1, 5, true, "", ""},
                {1, 60, true, "probe", "probe_answer"},
                {1, 0, false, "probe", "probe_answer"},
                {7, 0, true, "probe", "probe_answer"}};
    (void)state;

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const uint32_t end = 1 + ways[i].len;
        const struct opt stamped = {.has = OPT_TIMESTAMP, .tsval = 60, .tsecr = 9};
        struct step first = their_byte, retransmission = their_byte;
        struct step ack = {.out = true,
                           .flags = SEG_ACK,
                           .seq = 1,
                           .ack = end,
                           .wnd = 502,
                           .local = STATE_ESTABLISHED,
                           .opt = stamped};
        struct script t;
        char text[80];
        script_start(&t, &script_v4);
        script_handshake(&t);
        struct render_json j = {t.to, false};
        report_add(&t.report, render_json, &j);
        first.len = ways[i].len;
        script_say(&t, &first);
        script_say(&t, &ack);
        retransmission.seq = end - 1;
        retransmission.len = ways[i].garbage;
        retransmission.opt = (struct opt){
            .has = ways[i].echo ? OPT_TIMESTAMP : 0, .tsval = 10, .tsecr = ways[i].echo};
        script_say(&t, &retransmission);
        assert_string_equal(last_notes(&t, text, sizeof text), ways[i].note);
        script_say(&t, &ack);
        assert_string_equal(last_notes(&t, text, sizeof text), ways[i].answer);
        script_finish(&t);
    }
}

/* One row, with the state it leaves us in; what became of the probe needs none of its own. */
static void a_rst_that_answers_a_probe_is_one_row(void **state)
{
    struct script t;
    struct ladder l;
    struct report_probe told = {.n = 1, .reset = true, .rtt = WAVE_NEVER};
    struct step probe = our_byte, rst = {.flags = SEG_RST, .seq = 1, .local = STATE_CLOSED};
    (void)state;

    start_ladder(&t, &l, 100);
    l.rows.folds_probes = true;
    probe.seq = probe.len = 0;
    probe.probe = true;
    script_say(&t, &probe);
    script_say(&t, &rst);
    report_probe(&t.report, &t.flow, t.at, &told);
    script_moved(&t, STATE_ESTABLISHED, STATE_CLOSED, t.flow.track.number);
    assert_tells(&t, "RST answers probe seq 1");
    fflush(t.to);
    assert_null(strstr(t.text, "not answered"));
    assert_null(strstr(strstr(t.text, "RST answers"), "ESTABLISHED"));
    script_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lines_tell_the_handshake_word_for_word),
        cmocka_unit_test(relative_numbers_go_on_across_the_wrap),
        cmocka_unit_test(a_change_waits_for_the_segment_it_sends),
        cmocka_unit_test(a_change_that_no_segment_follows_has_no_evidence),
        cmocka_unit_test(handshake_rtt_is_between_two_stamps),
        cmocka_unit_test(rtt_of_a_repeated_syn_needs_its_timestamp),
        cmocka_unit_test(window_is_scaled_only_when_both_offered),
        cmocka_unit_test(verdict_says_what_the_contract_names),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(a_long_transfer_is_drawn_in_part),
        cmocka_unit_test(a_segment_sent_again_names_the_one_it_repeats),
        cmocka_unit_test(verbose_shows_the_headers_fields),
        cmocka_unit_test(the_peers_repetition_is_told_from_what_fills_a_gap),
        cmocka_unit_test(a_silence_is_told_by_its_length),
        cmocka_unit_test(a_half_close_is_marked),
        cmocka_unit_test(a_d_sack_is_told_as_such),
        cmocka_unit_test(our_byte_sent_again_is_no_probe),
        cmocka_unit_test(the_peers_byte_sent_again_is_no_probe),
        cmocka_unit_test(a_rst_that_answers_a_probe_is_one_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
