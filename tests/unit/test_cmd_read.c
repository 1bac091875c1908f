/* Tests read on capture files made here: what is listed, what is drawn, what is left out, and with
 * which status it ends. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/core/checksum.h"
#include "lib/core/ip_build.h"
#include "lib/show/term.h"
#include "tests/unit/command_rig.h"
#include "tests/unit/made_capture.h"

enum { FIN = SEG_FIN, SYN = SEG_SYN, RST = SEG_RST, ACK = SEG_ACK };

/* The flows of the capture file are those of clients of 192.0.2.80:80. A segment of the client on
 * that port, or of the server; numbers are relative. */
static void segment(uint16_t port, bool server, uint16_t flags, uint32_t seq, uint32_t ack,
                    uint32_t len)
{
    const struct flow up = {
        .local = {{192, 0, 2, 1}}, .remote = {{192, 0, 2, 80}}, .lport = port, .rport = 80};
    const struct flow f = server ? flow_reverse(&up) : up;
    const struct ip_fields fields = {.ttl = 64, .df = true, .id = ++made.id};
    static const uint8_t data[1400];
    struct seg s = {.seq = seq_of(seq + (server ? 5000 : 1000)),
                    .ack = seq_of(flags & SEG_ACK ? ack + (server ? 1000 : 5000) : 0),
                    .flags = flags,
                    .wnd = 60000,
                    .len = len,
                    .data = data};
    uint8_t packet[1500];
    const int n = seg_build(&f, &s, packet + 20, sizeof packet - 20);

    ip_build(&f, CHECKSUM_TCP, &fields, (uint32_t)n, packet);
    made_put(packet, 20 + (size_t)n);
}

#define client(...) segment(port, false, __VA_ARGS__)
#define server(...) segment(port, true, __VA_ARGS__)

static void opens(uint16_t port)
{
    client(SYN, 0, 0, 0);
    server(SYN | ACK, 0, 1, 0);
    client(ACK, 1, 1, 0);
}

static void closes(uint16_t port, uint32_t sent)
{
    client(FIN | ACK, sent + 1, 1, 0);
    server(FIN | ACK, 1, sent + 2, 0);
    client(ACK, sent + 2, 2, 0);
}

/* 40001 is refused, 40002 sends 3000 bytes and repeats some of them, 40003 sends 100. */
static void three_flows(void)
{
    uint16_t port = 40001;

    made_begin();
    client(SYN, 0, 0, 0);
    server(RST | ACK, 0, 1, 0);
    port = 40002;
    opens(port);
    for (unsigned i = 0; i < 3; i++) {
        client(ACK, 1 + 1000 * i, 1, 1000);
        made.now += WAVE_S / 2;
        client(ACK, 1 + 1000 * i, 1, 1000);
        server(ACK, 1, 1001 + 1000 * i, 0);
    }
    closes(port, 3000);
    port = 40003;
    opens(port);
    client(ACK, 1, 1, 100);
    closes(port, 100);
    fclose(made.file);
}

static void one_flow(void)
{
    const uint16_t port = 40001;

    made_begin();
    opens(port);
    client(ACK, 1, 1, 100);
    server(ACK, 1, 101, 200);
    client(FIN | ACK, 101, 201, 0);
    server(FIN | ACK, 201, 102, 0);
    client(ACK, 102, 202, 0);
    fclose(made.file);
}

/* Runs `tcpwave read OPTIONS FILE`. */
static int reads(struct command_rig *r, const char *options)
{
    char words[400];

    snprintf(words, sizeof words, "read %s%s%s", options, *options ? " " : "", made.path);
    rig_init(r, HOST_ECHO);
    r->disturbed = true;
    return rig_run(r, words);
}

static void several_flows_are_listed(void **state)
{
    struct command_rig r;

    (void)state;
    three_flows();
    assert_int_equal(reads(&r, ""), 0);
    rig_expect_printed(&r, "what became of it", 1);
    rig_expect_printed(&r, "     1 0.000000", 1);
    rig_expect_printed(&r, "192.0.2.1:40001 > 192.0.2.80:80", 1);
    rig_expect_printed(&r, "refused: a RST answered the SYN", 1);
    rig_expect_printed(&r, "closed by both, the client first", 2);
    rig_expect_printed(&r, "3,000 bytes", 1);
    rig_expect_printed(&r, "[loss]", 1);
    rig_expect_printed(&r, "2.000 ms", 2);
    rig_expect_printed(&r, "open: 3 flows in ", 1);
    rig_expect_printed(&r, "seconds client ", 0); /* no drawing */
    rig_free(&r);
    unlink(made.path);
}

/* Returns the longest of the lines before the totals, which begin behind an empty one. */
static size_t widest(const char *text)
{
    size_t most = 0;

    for (size_t n; (n = strcspn(text, "\n")) > 0; text += n + (text[n] != '\0'))
        if (n > most)
            most = n;
    return most;
}

/* Each width has all of it, and no line is longer; what fits on one line is on one. */
static void lines_fit_the_width(void **state)
{
    static const struct {
        const char *options;
        size_t least, most;
    } cases[] = {{"--width 80", 60, 80},
                 {"--width 80 --sort start", 60, 80},
                 {"--width 120", 100, 120},
                 {"--width 200", 160, 200},
                 {"", 160, 200}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command_rig r;
        three_flows();
        assert_int_equal(reads(&r, cases[i].options), 0);
        assert_in_range(widest(r.text), cases[i].least, cases[i].most);
        rig_expect_printed(&r, "what became of it", 1);
        rig_expect_printed(&r, "closed by both, the client first", 2);
        rig_expect_printed(&r, "closed by both, the client first [loss]", 1);
        rig_expect_printed(&r, "192.0.2.1:40002 > 192.0.2.80:80", 1);
        rig_expect_printed(&r, "3,000 bytes", 1);
        rig_expect_printed(&r, "2.000 ms", 2);
        rig_free(&r);
        unlink(made.path);
    }
}

/* The name of the file is whole in a pipe and in JSON, and ends behind an ellipsis where lines have
 * an edge. */
static void a_long_name_fits_the_width(void **state)
{
    static const char *const options[] = {"--summary --ascii --width 80", "--summary --width 250",
                                          "--summary", "--json --width 80"};
    char directory[200], path[240], words[400];
    struct command_rig r;

    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        three_flows();
        snprintf(directory, sizeof directory, "%s%0100d-xx", made.path, 0);
        assert_int_equal(mkdir(directory, 0700), 0);
        snprintf(path, sizeof path, "%s/7.pcap", directory);
        assert_int_equal(rename(made.path, path), 0);
        snprintf(words, sizeof words, "read %s %s", options[i], path);
        rig_init(&r, HOST_ECHO);
        r.disturbed = true;
        assert_int_equal(rig_run(&r, words), 0);
        rig_expect_printed(&r, "xx/7.pcap", 1);
        const char *line = strstr(r.text, "verdict     open: ");
        if (i == 0) {
            assert_non_null(strstr(line, " in ...0000"));
            assert_int_equal(strcspn(line, "\n"), 80);
        } else {
            rig_expect_printed(&r, path, 1);
        }
        rig_free(&r);
        unlink(path);
        rmdir(directory);
    }
    assert_string_equal(text_shortened("d\u00e9j\u00e0/vu", 7, true, path, sizeof path),
                        "d\u00e9j\u00e0/vu");
    assert_string_equal(text_shortened("d\u00e9j\u00e0/vu", 5, true, path, sizeof path),
                        "\u2026\u00e0/vu");
    assert_string_equal(text_shortened("d\u00e9j\u00e0/vu", 5, false, path, sizeof path), "...vu");
}

/* A finding and its advice take as many lines as they need. */
static void findings_fit_the_width(void **state)
{
    static const unsigned widths[] = {80, 120, 200};

    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct command_rig r;
        char options[40];
        three_flows();
        snprintf(options, sizeof options, "--findings --width %u", widths[i]);
        assert_int_equal(reads(&r, options), 0);
        assert_in_range(widest(r.text), widths[i] - 20, widths[i]);
        rig_expect_printed(&r, "loss: ", 1);
        rig_expect_printed(&r, "(likely", 1);
        rig_free(&r);
        unlink(made.path);
    }
}

static void json_has_all_that_was_measured(void **state)
{
    struct command_rig r;

    (void)state;
    three_flows();
    assert_int_equal(reads(&r, "--json"), 0);
    assert_int_equal(rig_count(&r, "flow", NULL, NULL), 3);
    assert_int_equal(rig_count(&r, "flow", "conn_state", "SF"), 2);
    assert_int_equal(rig_count(&r, "flow", "history", "Sr"), 1);
    assert_int_equal(rig_count(&r, "flow", "verdict", "refused"), 1);
    assert_int_equal(rig_count(&r, "finding", "code", "loss"), 1);
    assert_int_equal(rig_count(&r, "segment", NULL, NULL), 0);
    rig_expect_int(&r, "flow", "connection", 3);
    rig_expect_int(&r, "flow", "client.bytes", 100);
    rig_expect_int(&r, "flow", "client.port", 40003);
    rig_expect_text(&r, "flow", "server.state", "CLOSED");
    rig_expect_text(&r, "flow", "server.certainty", "assumed");
    rig_expect_text(&r, "flow", "date", "2023-11-14T22:13:21.517000000Z");
    rig_expect_time(&r, "flow", "handshake.rtt", 2 * WAVE_MS);
    rig_expect_int(&r, "verdict", "read.flows.seen", 3);
    rig_expect_int(&r, "verdict", "read.retransmissions", 3);
    rig_expect_int(&r, "verdict", "read.file.segments", 24);
    rig_free(&r);
    unlink(made.path);
}

static void one_flow_is_drawn(void **state)
{
    struct command_rig r;

    (void)state;
    one_flow();
    assert_int_equal(reads(&r, "--ascii"), 0);
    rig_expect_printed(&r, "seconds client", 1);
    rig_expect_printed(&r, " server\n", 1);
    rig_expect_printed(&r, "TIME_WAIT?", 1);
    rig_expect_printed(&r, "ESTABLISHED?", 3);
    rig_expect_printed(&r, "SYN ACK seq 0 ack 1", 1);
    rig_expect_printed(&r, "flow       closed by both, the client first", 1);
    rig_expect_printed(&r, "Zeek       SF, history ShADdFf", 1);
    rig_expect_printed(&r, "open:        1 flow in ", 1);
    rig_expect_printed(&r, "what became of it", 0);
    rig_expect_printed(&r, " we ", 0); /* both are strangers */
    rig_expect_printed(&r, " our ", 0);
    rig_expect_printed(&r, " us ", 0);
    rig_free(&r);
    assert_int_equal(reads(&r, "--summary"), 0);
    rig_expect_printed(&r, "what became of it", 1);
    rig_expect_printed(&r, "seconds client", 0);
    rig_free(&r);
    unlink(made.path);
}

static void json_of_a_ladder(void **state)
{
    struct command_rig r;

    (void)state;
    one_flow();
    assert_int_equal(reads(&r, "--json --ladder"), 0);
    assert_int_equal(rig_count(&r, "segment", NULL, NULL), 8);
    assert_int_equal(rig_count(&r, "segment", "from", "client"), 5);
    assert_int_equal(rig_count(&r, "segment", "from", "server"), 3);
    assert_int_equal(rig_count(&r, "flow", NULL, NULL), 1);
    rig_expect_states(&r, "client",
                      "UNKNOWN SYN_SENT ESTABLISHED ESTABLISHED FIN_WAIT_1 TIME_WAIT "
                      "TIME_WAIT");
    rig_expect_int(&r, "state", "connection", 1);
    rig_free(&r);
    unlink(made.path);
}

static void flows_are_chosen(void **state)
{
    static const struct {
        const char *filter;
        unsigned flows;
    } cases[] = {{"2", 1},
                 {"9", 0},
                 {":40003", 1},
                 {":80", 3},
                 {"192.0.2.1", 3},
                 {"192.0.2.80:80", 3},
                 {"192.0.2.80:40001", 0},
                 {"192.0.2.1:40002,192.0.2.80", 1},
                 {":40001,:40002", 0},
                 {"[2001:db8::1]:80", 0},
                 {"2001:db8::1", 0}};
    struct command_rig r;

    (void)state;
    three_flows();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char options[100];
        snprintf(options, sizeof options, "--json --flow %s", cases[i].filter);
        assert_int_equal(reads(&r, options), 0);
        assert_int_equal(rig_count(&r, "flow", NULL, NULL), cases[i].flows);
        rig_expect_int(&r, "verdict", "read.flows.shown", cases[i].flows);
        rig_expect_int(&r, "verdict", "read.flows.seen", 3);
        rig_free(&r);
    }
    assert_int_equal(reads(&r, "--flow 3"), 0); /* one: it is drawn */
    rig_expect_printed(&r, "192.0.2.1:40003", 1);
    rig_expect_printed(&r, "Zeek       SF, history ShADFf", 1);
    rig_free(&r);
    unlink(made.path);
}

static void lines_are_sorted(void **state)
{
    static const struct {
        const char *by;
        int order[3];
    } cases[] = {{"bytes", {2, 3, 1}},
                 {"duration", {2, 3, 1}},
                 {"retransmissions", {2, 1, 3}},
                 {"start", {1, 2, 3}}};
    struct command_rig r;

    (void)state;
    three_flows();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char options[100];
        unsigned n = 0;
        snprintf(options, sizeof options, "--json --sort %s", cases[i].by);
        assert_int_equal(reads(&r, options), 0);
        for (size_t k = 0; k < r.events; k++)
            if (strcmp(json_string_value(json_object_get(r.event[k], "event")), "flow") == 0)
                assert_int_equal(json_integer_value(json_object_get(r.event[k], "connection")),
                                 cases[i].order[n++]);
        assert_int_equal(n, 3);
        rig_free(&r);
    }
    assert_int_equal(reads(&r, "--sort bytes"), 0);
    rig_expect_printed(&r, "what became of it", 1);
    rig_free(&r);
    unlink(made.path);
}

static void what_is_met_ends_with_status_1(void **state)
{
    struct command_rig r;

    (void)state;
    three_flows();
    assert_int_equal(reads(&r, "-q --fail-on loss"), 1);
    rig_free(&r);
    assert_int_equal(reads(&r, "--fail-on silent,refused"), 1);
    rig_expect_printed(&r, "failed: --fail-on is met by flows: 1 refused", 1);
    rig_free(&r);
    assert_int_equal(reads(&r, "-q --fail-on silent,lost,window-closed"), 0);
    rig_free(&r);
    assert_int_equal(reads(&r, "-q --fail-on refused --flow 2"), 0);
    rig_free(&r);
    unlink(made.path);
}

static void findings_below_their_flow(void **state)
{
    struct command_rig r;

    (void)state;
    three_flows();
    assert_int_equal(reads(&r, "--findings"), 0);
    rig_expect_printed(&r, "loss: 3 of the client's 6 segments with data were lost", 1);
    rig_expect_printed(&r, "[loss]", 0);
    rig_free(&r);
    unlink(made.path);
}

static void a_file_that_is_cut_off(void **state)
{
    struct command_rig r;

    (void)state;
    three_flows();
    assert_int_equal(truncate(made.path, 24 + 2 * (16 + 40) + 20), 0);
    assert_int_equal(reads(&r, "--json"), 3);
    assert_int_equal(rig_count(&r, "flow", NULL, NULL), 1);
    rig_expect_text(&r, "verdict", "verdict", "local");
    rig_expect_part(&r, "verdict", "message", "is cut off at byte 156, within a record");
    rig_free(&r);
    assert_int_equal(truncate(made.path, 10), 0);
    assert_int_equal(reads(&r, "--json"), 3);
    rig_free(&r);
    unlink(made.path);
}

static void what_is_no_capture_file(void **state)
{
    struct command_rig r;

    (void)state;
    three_flows();
    made.file = fopen(made.path, "wb");
    fputs("#!/bin/sh\n", made.file);
    fclose(made.file);
    assert_int_equal(reads(&r, "--json"), 3);
    rig_expect_part(&r, "verdict", "message", "is no capture file");
    rig_free(&r);
    unlink(made.path);
    assert_int_equal(reads(&r, "--json"), 3); /* there is none */
    rig_free(&r);
}

static void an_empty_capture(void **state)
{
    struct command_rig r;

    (void)state;
    made_begin();
    fclose(made.file);
    assert_int_equal(reads(&r, ""), 0);
    rig_expect_printed(&r, "open: 0 flows in ", 1);
    rig_free(&r);
    unlink(made.path);
}

static void frames_are_filtered(void **state)
{
    struct command_rig r;

    (void)state;
    three_flows();
    rig_init(&r, HOST_ECHO);
    assert_int_equal(reads(&r, "--json --filter tcp[2:2]==40003||tcp[0:2]==40003"), 0);
    assert_int_equal(rig_count(&r, "flow", NULL, NULL), 1);
    rig_expect_int(&r, "verdict", "read.file.segments", 7);
    rig_expect_int(&r, "verdict", "read.file.filtered", 17);
    rig_free(&r);
    unlink(made.path);
}

/* What is written can be read. */
static void the_packets_of_a_flow(void **state)
{
    char path[80], options[200];
    struct command_rig r;

    (void)state;
    three_flows();
    snprintf(path, sizeof path, "%.60s.pcapng", made.path);
    snprintf(options, sizeof options, "-q --flow 2 --pcap %s", path);
    assert_int_equal(reads(&r, options), 0);
    rig_free(&r);
    unlink(made.path);
    snprintf(made.path, sizeof made.path, "%s", path);
    assert_int_equal(reads(&r, "--json"), 0);
    assert_int_equal(rig_count(&r, "flow", NULL, NULL), 1);
    rig_expect_int(&r, "flow", "client.port", 40002);
    rig_expect_int(&r, "flow", "client.retransmissions", 3);
    rig_expect_int(&r, "verdict", "read.file.frames", 15);
    rig_free(&r);
    unlink(made.path);
}

static void a_picture(void **state)
{
    char path[80], options[200];
    static char text[1 << 17];
    struct command_rig r;
    FILE *file;
    size_t n;

    (void)state;
    one_flow();
    snprintf(path, sizeof path, "%.60s.svg", made.path);
    snprintf(options, sizeof options, "-q --svg %s", path);
    assert_int_equal(reads(&r, options), 0);
    rig_free(&r);
    file = fopen(path, "rb");
    assert_non_null(file);
    n = fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    fclose(file);
    assert_non_null(strstr(text, ">client 192.0.2.1:40001<"));
    unlink(path);
    unlink(made.path);
}

/* A SYN of another connection between the same ports is another flow, and is listed as one. */
static void the_second_flow_ends_the_drawing(void **state)
{
    const uint16_t port = 40001;
    struct command_rig r;

    (void)state;
    made_begin();
    opens(port);
    closes(port, 0);
    made.now += 100 * WAVE_S; /* the first one is forgotten by then */
    client(SYN, 100000, 0, 0);
    fclose(made.file);
    assert_int_equal(reads(&r, ""), 0);
    rig_expect_printed(&r, "what became of it", 1);
    rig_expect_printed(&r, "closed by both, the client first", 1);
    rig_expect_printed(&r, "no answer to 1 SYN", 1);
    rig_free(&r);
    assert_int_equal(reads(&r, "--ladder"), 0);
    rig_expect_printed(&r, "closed by both, the client first", 1);
    rig_expect_printed(&r, "no answer to 1 SYN", 0);
    rig_free(&r);
    unlink(made.path);
}

static void usage_errors(void **state)
{
    (void)state;
    rig_expect_usage("read", "missing");
    rig_expect_usage("read a b", "takes one file");
    rig_expect_usage("read --flow 0 a", "count from 1");
    rig_expect_usage("read --flow x a", "is no flow");
    rig_expect_usage("read --flow 192.0.2.1:99999 a", "is no flow");
    rig_expect_usage("read --flow 192.0.2.1, a", "is no flow");
    rig_expect_usage("read --flow :1,:2,:3,:4,:5 a", "more parts");
    rig_expect_usage("read --fail-on loss,lossy a", "neither");
    rig_expect_usage("read --summary --ladder a", "exclude");
    rig_expect_usage("read --ladder --sort bytes a", "--sort");
    rig_expect_usage("read -q -v a", "exclude");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_flows_are_listed),
        cmocka_unit_test(lines_fit_the_width),
        cmocka_unit_test(a_long_name_fits_the_width),
        cmocka_unit_test(findings_fit_the_width),
        cmocka_unit_test(json_has_all_that_was_measured),
        cmocka_unit_test(one_flow_is_drawn),
        cmocka_unit_test(json_of_a_ladder),
        cmocka_unit_test(flows_are_chosen),
        cmocka_unit_test(lines_are_sorted),
        cmocka_unit_test(what_is_met_ends_with_status_1),
        cmocka_unit_test(findings_below_their_flow),
        cmocka_unit_test(a_file_that_is_cut_off),
        cmocka_unit_test(what_is_no_capture_file),
        cmocka_unit_test(an_empty_capture),
        cmocka_unit_test(frames_are_filtered),
        cmocka_unit_test(the_packets_of_a_flow),
        cmocka_unit_test(a_picture),
        cmocka_unit_test(the_second_flow_ends_the_drawing),
        cmocka_unit_test(usage_errors),
        cmocka_unit_test(rig_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
