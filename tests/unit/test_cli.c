/* Tests the command line: where options may stand, what they set, and which message each mistake
 * gets. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/cli.h"
#include "cmd/connect.h"
#include "cmd/help.h"
#include "cmd/keepalive.h"
#include "cmd/listen_options.h"
#include "cmd/load_options.h"
#include "cmd/send_options.h"
#include "lib/show/term.h"

/* A listen that has more to say against its options. */
static struct command picky;

static const char *no_vanishing(void *options)
{
    const struct listen_options *o = options;
    const char *wrong = listen_command.check(options);

    return !wrong && o->close.how == CLOSE_VANISH ? "not today" : wrong;
}

/* This table replaces the program's own. */
const struct command *const commands[] = {&connect_command,
                                          &halfclose_command,
                                          &keepalive_command,
                                          &picky,
                                          &send_command,
                                          &load_command,
                                          NULL};

#define WORDS 16

/* Holds a command line whose words may be written to, as those of argv may. It is valid until the
 * next one. */
struct words {
    char text[1024];
    char *argv[WORDS + 1];
    int argc;
};

static struct words line;

/* Parses `words`, which end with NULL; the program's name is not among them. */
static int run(struct command_line *out, struct diag *d, const char *const *words)
{
    size_t used = 0;

    line.argc = 0;
    line.argv[line.argc++] = line.text;
    for (strcpy(line.text, "tcpwave"); *words; words++) {
        used += strlen(line.text + used) + 1;
        assert_true(used + strlen(*words) < sizeof line.text && line.argc < WORDS);
        strcpy(line.text + used, *words);
        line.argv[line.argc++] = line.text + used;
    }
    line.argv[line.argc] = NULL;
    return cli_parse(line.argc, line.argv, out, d);
}

#define GOOD(o, ...) good(o, sizeof *(o), (const char *const[]){__VA_ARGS__, NULL})
#define SHOWN(l, ...) shown(l, (const char *const[]){__VA_ARGS__, NULL})
#define BAD(words, ...) bad(words, (const char *const[]){__VA_ARGS__, NULL})

/* Checks that the command line is accepted, and copies the command's options. */
static void good(void *o, size_t size, const char *const *words)
{
    struct command_line l;
    struct diag d = {""};

    if (run(&l, &d, words))
        fail_msg("%s", d.text);
    assert_false(l.help || l.version);
    assert_string_equal(l.command->name, words[0]);
    assert_int_equal(l.command->size, size);
    memcpy(o, l.options, size);
    cli_free(&l);
}

/* Checks that the command line is accepted, and that no command is to be run. */
static void shown(struct command_line *l, const char *const *words)
{
    struct diag d = {""};

    if (run(l, &d, words))
        fail_msg("%s", d.text);
    assert_true(l->help || l->version);
    assert_null(l->options);
}

/* Checks that the command line is rejected, in one line that says what is expected. */
static void bad(const char *expected, const char *const *words)
{
    struct command_line l;
    struct diag d = {""};

    assert_int_equal(run(&l, &d, words), WAVE_EINVAL);
    if (!strstr(d.text, expected))
        fail_msg("\"%s\" does not say \"%s\"", d.text, expected);
    assert_null(strchr(d.text, '\n'));
    assert_null(l.options);
}

static void options_stand_before_or_after_the_target(void **state)
{
    struct connect_options o;

    (void)state;
    GOOD(&o, "connect", "--json", "h:1", "-q");
    assert_true(o.client.show.json && o.client.show.quiet);
    assert_string_equal(o.client.target.host, "h");
    GOOD(&o, "connect", "h:1", "--json", "-q");
    assert_true(o.client.show.json && o.client.show.quiet);
}

static void presets_are_found_by_their_names(void **state)
{
    struct connect_options c;
    struct listen_options l;

    (void)state;
    GOOD(&l, "listen", "80", "--preset", "never-ack");
    assert_string_equal(l.preset.preset->name, "never-ack");
    assert_int_equal(l.impair.count, 1);
    assert_string_equal(l.impair.rule[0].words, "in:data drop");
    assert_true(l.impair.rule[0].optional);
    GOOD(&l, "listen", "80", "--preset=TIME-WAIT-reuse");
    assert_int_equal(l.close.how, CLOSE_ACTIVE);
    assert_true(l.end.keep_time_wait && l.end.time_wait == 4 * WAVE_MIN);
    GOOD(&c, "connect", "h:1", "--preset=time-wait-reuse", "-p", "5000");
    assert_int_equal(c.close.how, CLOSE_PASSIVE);
    GOOD(&c, "connect", "h:1", "--preset", "vanish", "--preset", "lose-fin"); /* the last counts */
    assert_string_equal(c.preset.preset->name, "lose-fin");
    BAD("is no preset; \"--preset help\" lists them", "listen", "80", "--preset", "nice");
    BAD("is a preset of listen only", "connect", "h:1", "--preset", "backlog-full");
    BAD("give both the same --source-port", "connect", "h:1", "--preset", "time-wait-reuse");
    BAD("no option --preset", "load", "h:1", "--preset", "vanish");
}

/* What the user gives counts more, and rules come after those of the preset. */
static void a_preset_fills_in_what_was_not_given(void **state)
{
    struct connect_options c;
    struct listen_options l;

    (void)state;
    GOOD(&l, "listen", "80", "--preset", "slow-reader");
    assert_int_equal(l.tcp.window, 65536);
    assert_int_equal(l.close.how, CLOSE_PASSIVE);
    GOOD(&l, "listen", "80", "--window", "1M", "--preset", "slow-reader", "--close", "abort");
    assert_int_equal(l.tcp.window, 1 << 20);
    assert_int_equal(l.close.how, CLOSE_ABORT);
    GOOD(&l, "listen", "80", "--preset", "urgent");
    assert_true(l.data.len > 14000);
    GOOD(&l, "listen", "80", "--preset", "urgent", "-d", "hello");
    assert_int_equal(l.data.len, 5);
    GOOD(&l, "listen", "80", "--preset", "urgent", "--echo");
    assert_null(l.data.at);
    GOOD(&c, "connect", "h:1", "--impair", "out:F dup", "--preset", "lose-fin");
    assert_int_equal(c.client.impair.count, 2);
    assert_string_equal(c.client.impair.rule[0].words, "out:F#1 drop");
    assert_false(c.client.impair.rule[1].optional);
    GOOD(&c, "connect", "h:1");
    assert_null(c.preset.preset);
    assert_int_equal(c.client.impair.count, 0);
}

static void defaults_are_a_present_day_hosts(void **state)
{
    struct connect_options o;

    (void)state;
    GOOD(&o, "connect", "h:1");
    assert_int_equal(o.client.tcp.syn_retries, 3);
    assert_int_equal(o.client.tcp.window, 0); /* as large as the capture allows, 4 MiB at most */
    assert_int_equal(o.client.tcp.ttl, 64);
    assert_int_equal(o.close.how, CLOSE_ACTIVE);
    assert_int_equal(o.client.show.color, TERM_COLOR_AUTO);
    assert_true(o.client.end.linger == 5 * WAVE_S && o.client.tcp.give_up == 100 * WAVE_S &&
                o.client.show.timeout == 0);
    assert_false(o.client.end.keep_time_wait || o.client.where.has_source || o.no_ack ||
                 o.client.verify);
    assert_null(o.client.data.text.at);
    assert_null(o.client.data.file);
}

static void values_stand_behind_an_equals_sign_or_alone(void **state)
{
    struct connect_options o;

    (void)state;
    GOOD(&o, "connect", "h:1", "--hold=2s", "--timeout", "1.5m", "--close=abort", "--window=64k");
    assert_true(o.close.hold == 2 * WAVE_S && o.client.show.timeout == 90 * WAVE_S);
    assert_int_equal(o.close.how, CLOSE_ABORT);
    assert_int_equal(o.client.tcp.window, 65536);
    GOOD(&o, "connect", "--data=a=b", "h:1");
    assert_int_equal(o.client.data.text.len, 3);
    GOOD(&o, "connect", "--data=", "h:1");
    assert_non_null(o.client.data.text.at);
    assert_int_equal(o.client.data.text.len, 0);
    /* The next argument is the value, even if it looks like an option. */
    GOOD(&o, "connect", "--data", "--json", "h:1");
    assert_memory_equal(o.client.data.text.at, "--json", o.client.data.text.len);
    assert_false(o.client.show.json);
}

static void letters_are_bundled_until_one_takes_a_value(void **state)
{
    struct connect_options o;

    (void)state;
    GOOD(&o, "connect", "-vv4p8080", "h:1");
    assert_int_equal(o.client.show.verbose, 2);
    assert_true(o.client.where.ipv4);
    assert_int_equal(o.client.source_port, 8080);
    GOOD(&o, "connect", "-4vp", "99", "h:1", "-f-", "-o", "-");
    assert_int_equal(o.client.source_port, 99);
    assert_string_equal(o.client.data.file, "-");
    assert_true(o.client.show.stdout_taken);
    BAD("unknown option -z", "connect", "-vz", "h:1");
    BAD("-p", "connect", "h:1", "-p");
}

static void two_dashes_end_the_options(void **state)
{
    struct connect_options o;

    (void)state;
    GOOD(&o, "connect", "-q", "--", "h:1");
    assert_true(o.client.show.quiet);
    BAD("cannot be a host", "connect", "--", "-q:1");
    BAD("here are two", "connect", "h:1", "--", "--json");
}

static void one_target_is_wanted(void **state)
{
    (void)state;
    BAD("a target is missing: tcpwave connect [options] HOST:PORT", "connect");
    BAD("a target is missing: tcpwave listen [options] [ADDR:]PORT", "listen", "--echo");
    BAD("did you mean \"h:80\"", "connect", "h", "80");
    BAD("here are two", "connect", "h:80", "i:80");
    BAD("no port", "connect", "h");
}

static void load_takes_several_targets(void **state)
{
    struct load_options o;
    char *argv[LOAD_TARGETS + 4] = {(char[]){"tcpwave"}, (char[]){"load"}};
    struct command_line l;
    struct diag d;

    (void)state;
    GOOD(&o, "load", "h:1", "-q", "i:2", "--", "[::1]:3");
    assert_int_equal(o.targets, 3);
    assert_string_equal(o.target[0].host, "h");
    assert_string_equal(o.target[1].host, "i");
    assert_string_equal(o.target[2].host, "::1");
    assert_int_equal(o.target[2].port, 3);
    assert_true(o.show.quiet);
    BAD("no port", "load", "h:1", "i");
    for (int i = 0; i <= LOAD_TARGETS; i++)
        argv[i + 2] = (char[]){"h:1"};
    assert_int_equal(cli_parse(LOAD_TARGETS + 3, argv, &l, &d), WAVE_EINVAL);
    assert_string_equal(d.text, "64 targets are the most");
}

/* Help is shown even if the command line has mistakes. */
static void help_is_shown_whatever_stands_before_it(void **state)
{
    struct command_line l;

    (void)state;
    SHOWN(&l, "connect", "h", "i", "-q", "--help");
    SHOWN(&l, "load", "h", "i", "-h");
}

static void unknown_commands_are_told_the_nearest(void **state)
{
    (void)state;
    BAD("did you mean \"connect\"", "conect", "h:1");
    BAD("did you mean \"connect\"", "con", "h:1");
    BAD("did you mean \"listen\"", "lisetn");
    BAD("did you mean \"keepalive\"", "keep-alive");
    BAD("\"tcpwave --help\" lists them", "frobnicate");
    BAD("\"tcpwave connect h:80\"", "h:80");
    BAD("the command comes before", "--json", "connect", "h:80");
    BAD("unknown command \"x\"", "help", "x");
    BAD("unknown command \"\"", "");
}

static void unknown_options_are_told_the_nearest(void **state)
{
    (void)state;
    BAD("unknown option --jsn; did you mean --json?", "connect", "h:1", "--jsn");
    BAD("did you mean --timeout?", "connect", "--tiemout=5", "h:1");
    BAD("did you mean --verbose?", "connect", "--verb", "h:1");
    BAD("\"tcpwave connect --help\"", "connect", "--frobnicate", "h:1");
    BAD("connect has no option --echo; it belongs to listen", "connect", "--echo", "h:1");
    BAD("connect has no option --hex; it belongs to send", "connect", "--hex", "h:1");
    BAD("unknown option --", "connect",
        "--a-name-that-is-longer-than-any-option-could-ever-hope-to-be", "h:1");
}

static void flags_take_no_value_and_others_need_one(void **state)
{
    (void)state;
    BAD("--json takes no value", "connect", "--json=yes", "h:1");
    BAD("--hold needs a value: DURATION", "connect", "h:1", "--hold");
    BAD("--file: \"\" is empty", "connect", "h:1", "--file=");
    BAD("--interface: \"an-interface-that-is-long\" is too long", "connect", "h:1", "-i",
        "an-interface-that-is-long");
}

static void numbers_have_a_range(void **state)
{
    struct connect_options o;

    (void)state;
    BAD("--source-port: \"0\" is not a number from 1 to 65535", "connect", "-p0", "h:1");
    BAD("from 1 to 65535", "connect", "-p", "65536", "h:1");
    BAD("from 1 to 65535", "connect", "-p", "-1", "h:1");
    BAD("from 1 to 255", "connect", "--ttl", "0", "h:1");
    BAD("from 1 to 1073725440", "connect", "--window", "1G", "h:1");
    BAD("multiple of 4", "connect", "--tos", "3", "h:1");
    GOOD(&o, "connect", "--syn-retries=0", "--tos=184", "--mss=536", "h:1");
    assert_int_equal(o.client.tcp.syn_retries, 0);
    assert_int_equal(o.client.tcp.tos, 184);
    assert_int_equal(o.client.tcp.mss, 536);
}

static void a_number_may_be_hexadecimal(void **state)
{
    struct connect_options o;
    struct send_options send;
    struct load_options load;

    (void)state;
    GOOD(&o, "connect", "h:1", "--tos", "0x1c", "-p0x1f90", "--mss=0x218", "--window=0x10k");
    assert_int_equal(o.client.tcp.tos, 28);
    assert_int_equal(o.client.source_port, 8080);
    assert_int_equal(o.client.tcp.mss, 536);
    assert_int_equal(o.client.tcp.window, 16384);
    GOOD(&send, "send", "h:1", "--tos", "0x12", "--seq", "0xdeadbeef", "--ack=0xFFFFFFFF",
         "--checksum", "0xbeef", "--mss=0x5b4", "--wscale", "0xe", "--timestamp", "0x10:0x20",
         "--rate=0x10");
    assert_int_equal(send.tos, 18);
    assert_true(send.has_seq && send.seq == 0xdeadbeef);
    assert_true(send.has_ack && send.ack == 0xffffffff);
    assert_int_equal(send.checksum, 0xbeef);
    assert_int_equal(send.rate, 16);
    assert_int_equal(send.options_len, 4 + 3 + 10);
    assert_memory_equal(send.options,
                        "\2\4\5\264"
                        "\3\3\16"
                        "\10\12\0\0\0\20\0\0\0\40",
                        4 + 3 + 10);
    GOOD(&load, "load", "h:1", "--connections=0x64", "-p", "0x8000");
    assert_int_equal(load.connections, 100);
    assert_int_equal(load.source_port, 0x8000);
    BAD("\"0x12\" is not", "connect", "--hold=0x12", "h:1"); /* a DURATION is decimal */
    BAD("multiple of 4", "connect", "--tos", "0x12", "h:1");
    BAD("\"0x\" is not a number", "connect", "--tos", "0x", "h:1");
    BAD("\"0x100\" is not a number from 0 to 255", "connect", "--tos", "0x100", "h:1");
    BAD("\"12h\" is not a number", "connect", "--tos", "12h", "h:1");
    BAD("\"0x100000000\" is not a number", "send", "--seq", "0x100000000", "h:1");
}

/* A number that the option takes; the last bits are ECN's in --tos. */
static uint64_t one_for(const struct option_row *row)
{
    const uint64_t n = row->min > 24 ? row->min : 24;

    return n < row->max ? n : row->max;
}

static void takes_hexadecimal(const struct command *c, const struct option_group *g,
                              const struct option_row *row)
{
    const bool listens = c->groups == picky.groups;
    const uint64_t n = one_for(row);
    char text[64];
    uint32_t value;
    struct command_line l;
    struct diag d = {""};

    snprintf(text, sizeof text, "--%s=0x%" PRIX64, row->name, n);
    if (run(&l, &d, (const char *const[]){c->name, text, listens ? "1" : "h:1", NULL}))
        fail_msg("%s: %s", c->name, d.text);
    memcpy(&value, (const char *)l.options + g->offset + row->field, sizeof value);
    assert_int_equal(value, n);
    cli_free(&l);
}

static void every_numeric_option_takes_hexadecimal(void **state)
{
    unsigned n = 0;

    (void)state;
    for (const struct command *const *c = commands; *c; c++) {
        for (const struct option_group *g = (*c)->groups; g->rows; g++) {
            for (const struct option_row *row = g->rows; row->kind; row++) {
                if (row->kind == KIND_NUMBER || row->kind == KIND_SIZE) {
                    takes_hexadecimal(*c, g, row);
                    n++;
                }
            }
        }
    }
    assert_true(n > 30);
}

static void a_number_in_a_list_may_be_hexadecimal(void **state)
{
    struct send_options send;

    (void)state;
    GOOD(&send, "send", "h:0x50", "--sack", "0xa:0xB,3:0x4", "--user-timeout=0x10s",
         "--option=0xfd:be", "--option", "0x1");
    assert_int_equal(send.target.port, 80);
    assert_int_equal(send.options_len, 2 + 16 + 4 + 3 + 1);
    assert_memory_equal(send.options,
                        "\5\22\0\0\0\12\0\0\0\13\0\0\0\3\0\0\0\4"
                        "\34\4\0\20"
                        "\375\3\276"
                        "\1",
                        2 + 16 + 4 + 3 + 1);
}

static void durations_are_strict_and_have_a_range(void **state)
{
    (void)state;
    BAD("--hold: \"nan\" is not a duration", "connect", "--hold=nan", "h:1");
    BAD("\"-5\" is not a duration", "connect", "--timeout", "-5", "h:1");
    BAD("\"5d\" is not a duration", "connect", "--timeout=5d", "h:1");
    BAD("must be longer than zero", "connect", "--timeout=0", "h:1");
    BAD("is not from", "connect", "--timeout=9000h", "h:1");
    BAD("neither \"full\" nor a duration", "connect", "--time-wait=fully", "h:1");
    BAD("neither \"full\" nor a duration", "connect", "--time-wait=25h", "h:1");
}

static void time_wait_is_left_at_once_or_kept(void **state)
{
    struct connect_options o;

    (void)state;
    GOOD(&o, "connect", "--time-wait=full", "h:1");
    assert_true(o.client.end.keep_time_wait && o.client.end.time_wait == 240 * WAVE_S);
    GOOD(&o, "connect", "--time-wait=250ms", "h:1");
    assert_true(o.client.end.keep_time_wait && o.client.end.time_wait == 250 * WAVE_MS);
}

static void words_are_one_of_those_that_help_shows(void **state)
{
    static const char *const how[] = {"active", "passive", "abort", "vanish"};
    static const char *const color[] = {"auto", "always", "never"};
    struct connect_options o;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        GOOD(&o, "connect", "h:1", "--close", how[i]);
        assert_int_equal(o.close.how, i);
    }
    for (unsigned i = 0; i < 3; i++) {
        GOOD(&o, "connect", "h:1", "--color", color[i]);
        assert_int_equal(o.client.show.color, i);
    }
    BAD("\"act\" is none of active|passive|abort|vanish", "connect", "--close=act", "h:1");
    BAD("is none of", "connect", "--close=", "h:1");
    BAD("is none of", "connect", "--close=active|passive", "h:1");
}

static void data_has_escapes(void **state)
{
    struct connect_options o;

    (void)state;
    GOOD(&o, "connect", "h:1", "-d", "a\\0\\xff\\n");
    assert_int_equal(o.client.data.text.len, 4);
    assert_memory_equal(o.client.data.text.at, "a\0\377\n", 4);
    BAD("--data: the text has an escape that is none of", "connect", "h:1", "-d", "\\q");
    BAD("standard input can be read only once", "connect", "h:1", "--each-address", "-f", "-");
    BAD("name a file for --svg", "connect", "h:1", "--each-address", "--svg=-");
    BAD("--data and --file exclude each other", "connect", "h:1", "-d", "a", "-f", "b");
}

static void families_do_not_contradict_each_other(void **state)
{
    struct connect_options o;

    (void)state;
    BAD("-4 and -6", "connect", "-46", "h:1");
    BAD("-4 was given, but the target is an IPv6 address", "connect", "-4", "[::1]:1");
    BAD("-6 was given, but the target is an IPv4 address", "connect", "-6", "127.0.0.1:1");
    BAD("-4 was given, but --source is an IPv6", "connect", "-4", "-s", "::1", "h:1");
    BAD("-6 was given, but --source is an IPv4", "connect", "-6", "-s", "127.0.0.1", "h:1");
    BAD("different families", "connect", "-s", "::1", "127.0.0.1:1");
    BAD("--source: \"h\" is not an IPv4 or IPv6 address", "connect", "-s", "h", "h:1");
    GOOD(&o, "connect", "-s", "::1", "h:1");
    assert_int_equal(where_family(&o.client.where), TARGET_IPV6);
    GOOD(&o, "connect", "-s", "127.0.0.1", "h:1");
    assert_int_equal(where_family(&o.client.where), TARGET_IPV4);
    GOOD(&o, "connect", "-6", "h:1");
    assert_int_equal(where_family(&o.client.where), TARGET_IPV6);
    GOOD(&o, "connect", "h:1");
    assert_int_equal(where_family(&o.client.where), TARGET_ANY);
}

static void rfc1122_4_2_3_6_keepalive_has_its_defaults_and_bounds(void **state)
{
    struct keepalive_options o;

    (void)state;
    GOOD(&o, "keepalive", "h:1");
    assert_true(o.probe.on && o.probe.idle == 7200 * WAVE_S && o.probe.interval == 75 * WAVE_S);
    assert_int_equal(o.probe.count, 10);
    GOOD(&o, "keepalive", "h:1", "--idle=1us", "--interval", "48h", "--count=255", "--garbage",
         "--for=3");
    assert_true(o.probe.idle == WAVE_US && o.probe.interval == 48 * WAVE_H && o.probe.garbage);
    assert_true(o.length == 3 * WAVE_S);
    assert_int_equal(o.probe.count, 255);
    BAD("from 1 to 255", "keepalive", "h:1", "--count=0");
    BAD("from 1 to 255", "keepalive", "h:1", "--count=256");
    BAD("from 1 to 255", "keepalive", "h:1", "--count=-1");
    BAD("must be longer than zero", "keepalive", "h:1", "--interval=0");
    BAD("must be longer than zero", "keepalive", "h:1", "--for=0s");
    BAD("is not from 1us to 1000h", "keepalive", "h:1", "--idle=1001h");
    BAD("is not a duration", "keepalive", "h:1", "--idle=-1");
}

static void listen_probes_when_it_is_told_how(void **state)
{
    struct listen_options o;

    (void)state;
    GOOD(&o, "listen", "80");
    assert_false(o.probe.on);
    GOOD(&o, "listen", "80", "--keepalive");
    assert_true(o.probe.on && o.probe.idle == 7200 * WAVE_S);
    GOOD(&o, "listen", "80", "--idle=5");
    assert_true(o.probe.on && o.probe.idle == 5 * WAVE_S && o.probe.interval == 75 * WAVE_S);
    BAD("exclude each other", "listen", "80", "--echo", "--discard");
    BAD("it needs --connections", "listen", "80", "--served");
    BAD("exclude each other", "listen", "80", "--serve=f", "-d", "x");
}

static void a_command_checks_what_only_it_knows(void **state)
{
    struct connect_options o;

    (void)state;
    BAD("not today", "listen", "80", "--close=vanish");
    GOOD(&o, "connect", "h:80", "--close=vanish");
}

static void outputs_do_not_share_standard_output(void **state)
{
    struct connect_options o;

    (void)state;
    BAD("cannot both be standard output", "connect", "h:1", "-o-", "--pcap=-");
    BAD("--quiet and --verbose", "connect", "h:1", "-qv");
    GOOD(&o, "connect", "h:1", "--pcap=-");
    assert_true(o.client.show.stdout_taken);
    GOOD(&o, "connect", "h:1", "--pcap=a", "-o", "-b");
    assert_false(o.client.show.stdout_taken);
}

static void help_and_version_need_nothing_else(void **state)
{
    static const char *const help[] = {"--help", "-h", "help"};
    struct command_line l;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        SHOWN(&l, help[i]);
        assert_true(l.help);
        assert_null(l.command);
    }
    assert_true(l.manual);
    SHOWN(&l, "--version");
    assert_true(l.version);
    SHOWN(&l, "help", "listen");
    assert_true(l.help && l.manual);
    assert_string_equal(l.command->name, "listen");
    SHOWN(&l, "listen", "--help");
    assert_true(l.help);
    assert_false(l.manual);
    SHOWN(&l, "listen", "-vh");
    assert_true(l.help);
    BAD("a command is missing", NULL);
}

static bool takes_value(const struct option_row *row)
{
    return row->kind != KIND_FLAG && row->kind != KIND_REPEAT;
}

/* Returns the size of a row's field. For KIND_CUSTOM the size is not known. */
static size_t size_of(enum option_kind kind)
{
    switch (kind) {
    case KIND_FLAG:
        return sizeof(bool);
    case KIND_REPEAT:
        return sizeof(uint8_t);
    case KIND_NUMBER:
    case KIND_SIZE:
    case KIND_WORD:
        return sizeof(uint32_t);
    case KIND_DURATION:
        return sizeof(wave_time);
    case KIND_TEXT:
        return sizeof(const char *);
    case KIND_DATA:
    case KIND_HEX:
        return sizeof(struct bytes);
    case KIND_END:
    case KIND_CUSTOM:
        break;
    }
    return 1;
}

static void the_row_is_sound(const struct command *c, const struct option_group *g,
                             const struct option_row *row)
{
    const size_t size = size_of(row->kind);

    assert_true(row->name || row->letter);
    assert_true(row->letter != 'h' && row->help);
    if (row->kind != KIND_CUSTOM) { /* with a parse() that needs none */
        assert_int_equal(row->value != NULL, takes_value(row));
        assert_int_equal((g->offset + row->field) % (size < 8 ? size : 8), 0);
    }
    assert_int_equal(row->kind == KIND_CUSTOM, row->parse != NULL);
    assert_true(g->offset + row->field + size <= c->size);
    assert_true(row->min <= row->max || !row->max);
    if (row->kind == KIND_NUMBER || row->kind == KIND_SIZE)
        assert_true(row->max && row->max <= UINT32_MAX);
}

/* Checks that no two options of a command have the same name, and that no two write to the same
 * field. */
static void the_rows_differ(const struct option_group *g, const struct option_row *row,
                            const struct option_group *h, const struct option_row *other)
{
    assert_false(row->letter && row->letter == other->letter);
    assert_false(row->name && other->name && strcmp(row->name, other->name) == 0);
    if (row->kind != KIND_CUSTOM && other->kind != KIND_CUSTOM)
        assert_true(g->offset + row->field >= h->offset + other->field + size_of(other->kind) ||
                    h->offset + other->field >= g->offset + row->field + size_of(row->kind));
}

static void the_table_of_each_command_is_sound(void **state)
{
    unsigned rows = 0;

    (void)state;
    for (const struct command *const *at = commands; *at; at++) {
        const struct command *c = *at;

        assert_non_null(c->groups[0].heading);
        for (const struct option_group *g = c->groups; g->rows; g++) {
            for (const struct option_row *row = g->rows; row->kind; row++) {
                rows++;
                the_row_is_sound(c, g, row);
                for (const struct option_group *h = g; h->rows; h++)
                    for (const struct option_row *r = h == g ? row + 1 : h->rows; r->kind; r++)
                        the_rows_differ(g, row, h, r);
            }
        }
    }
    assert_in_range(rows, 200, 1000);
}

/* Returns what `show` prints. The caller frees it. */
static char *printed(void (*show)(FILE *, const struct command *), const struct command *c)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    assert_non_null(to);
    show(to, c);
    fclose(to);
    return text;
}

static void overview(FILE *to, const struct command *c)
{
    (void)c;
    help_overview(to);
}

static void fits_80_columns(const char *text)
{
    for (; *text; text += strcspn(text, "\n") + 1) {
        if (strcspn(text, "\n") > 80)
            fail_msg("too wide: %.100s", text);
    }
}

static void help_names_every_option_and_fits_the_screen(void **state)
{
    char *text = printed(overview, NULL);
    unsigned lines = 0;

    (void)state;
    fits_80_columns(text);
    for (const char *p = text; (p = strchr(p, '\n')); p++)
        lines++;
    assert_true(lines < 30);
    for (const struct command *const *c = commands; *c; c++)
        assert_non_null(strstr(text, (*c)->name));
    free(text);
    for (const struct command *const *c = commands; *c; c++) {
        text = printed(help_command, *c);
        fits_80_columns(text);
        for (const struct option_group *g = (*c)->groups; g->rows; g++) {
            for (const struct option_row *row = g->rows; row->kind; row++) {
                if (row->name)
                    assert_non_null(strstr(text, row->name));
            }
        }
        assert_null(strstr(text, *c == &picky ? "--no-ack" : "--echo"));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_before_or_after_the_target),
        cmocka_unit_test(presets_are_found_by_their_names),
        cmocka_unit_test(a_preset_fills_in_what_was_not_given),
        cmocka_unit_test(defaults_are_a_present_day_hosts),
        cmocka_unit_test(values_stand_behind_an_equals_sign_or_alone),
        cmocka_unit_test(letters_are_bundled_until_one_takes_a_value),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(one_target_is_wanted),
        cmocka_unit_test(load_takes_several_targets),
        cmocka_unit_test(help_is_shown_whatever_stands_before_it),
        cmocka_unit_test(unknown_commands_are_told_the_nearest),
        cmocka_unit_test(unknown_options_are_told_the_nearest),
        cmocka_unit_test(flags_take_no_value_and_others_need_one),
        cmocka_unit_test(numbers_have_a_range),
        cmocka_unit_test(a_number_may_be_hexadecimal),
        cmocka_unit_test(every_numeric_option_takes_hexadecimal),
        cmocka_unit_test(a_number_in_a_list_may_be_hexadecimal),
        cmocka_unit_test(durations_are_strict_and_have_a_range),
        cmocka_unit_test(time_wait_is_left_at_once_or_kept),
        cmocka_unit_test(words_are_one_of_those_that_help_shows),
        cmocka_unit_test(data_has_escapes),
        cmocka_unit_test(families_do_not_contradict_each_other),
        cmocka_unit_test(rfc1122_4_2_3_6_keepalive_has_its_defaults_and_bounds),
        cmocka_unit_test(listen_probes_when_it_is_told_how),
        cmocka_unit_test(a_command_checks_what_only_it_knows),
        cmocka_unit_test(outputs_do_not_share_standard_output),
        cmocka_unit_test(help_and_version_need_nothing_else),
        cmocka_unit_test(the_table_of_each_command_is_sound),
        cmocka_unit_test(help_names_every_option_and_fits_the_screen),
    };
    picky = listen_command;
    picky.check = no_vanishing;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
