/* The command line: where options may stand, what they become, and what each mistake is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/cli.h"
#include "cmd/help.h"
#include "lib/show/term.h"

static const char *no_vanishing(const struct options *o)
{
    return o->close == CLOSE_VANISH ? "not today" : NULL;
}

/* In place of the program's own table, so that every command's options can be tried. */
const struct command commands[] = {
    {"connect", CONNECT, "HOST:PORT", "summary", "purpose", NULL, NULL},
    {"halfclose", HALFCLOSE, "HOST:PORT", "summary", "purpose", NULL, NULL},
    {"keepalive", KEEPALIVE, "HOST:PORT", "summary", "purpose", NULL, NULL},
    {"listen", LISTEN, "[ADDR:]PORT", "summary", "purpose", NULL, no_vanishing},
    {NULL, 0, NULL, NULL, NULL, NULL, NULL}};

#define WORDS 16

/* A command line of words that may be written to, as argv's may, until the next one. */
struct words {
    char text[1024];
    char *argv[WORDS + 1];
    int argc;
};

static struct words line;

/* `words` ends in NULL; the program's name is not among them. */
static int run(struct options *o, struct diag *d, const char *const *words)
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
    return cli_parse(line.argc, line.argv, o, d);
}

#define GOOD(o, ...) good(o, (const char *const[]){__VA_ARGS__, NULL})
#define BAD(words, ...) bad(words, (const char *const[]){__VA_ARGS__, NULL})

static void good(struct options *o, const char *const *words)
{
    struct diag d = {""};
    if (run(o, &d, words))
        fail_msg("%s", d.text);
}

/* Refused, in one line that says what is expected. */
static void bad(const char *expected, const char *const *words)
{
    struct options o;
    struct diag d = {""};

    assert_int_equal(run(&o, &d, words), WAVE_EINVAL);
    if (!strstr(d.text, expected))
        fail_msg("\"%s\" does not say \"%s\"", d.text, expected);
    assert_null(strchr(d.text, '\n'));
}

static void options_stand_before_or_after_the_target(void **state)
{
    struct options o;

    (void)state;
    GOOD(&o, "connect", "--json", "h:1", "-q");
    assert_true(o.json && o.quiet);
    assert_string_equal(o.target.host, "h");
    GOOD(&o, "connect", "h:1", "--json", "-q");
    assert_true(o.json && o.quiet);
    assert_string_equal(o.command->name, "connect");
}

static void defaults_are_a_present_day_hosts(void **state)
{
    struct options o;

    (void)state;
    GOOD(&o, "connect", "h:1");
    assert_int_equal(o.syn_retries, 3);
    assert_int_equal(o.window, 0); /* as large as the capture allows, 4 MiB at most */
    assert_int_equal(o.ttl, 64);
    assert_int_equal(o.close, CLOSE_ACTIVE);
    assert_int_equal(o.color, TERM_COLOR_AUTO);
    assert_true(o.linger == 5 * WAVE_S && o.give_up == 100 * WAVE_S && o.timeout == 0);
    assert_false(o.keep_time_wait || o.keepalive || o.has_source || o.no_ack || o.verify);
    assert_null(o.data.at);
    assert_null(o.file);
}

static void values_stand_behind_an_equals_sign_or_alone(void **state)
{
    struct options o;

    (void)state;
    GOOD(&o, "connect", "h:1", "--hold=2s", "--timeout", "1.5m", "--close=abort", "--window=64k");
    assert_true(o.hold == 2 * WAVE_S && o.timeout == 90 * WAVE_S);
    assert_int_equal(o.close, CLOSE_ABORT);
    assert_int_equal(o.window, 65536);
    GOOD(&o, "connect", "--data=a=b", "h:1");
    assert_int_equal(o.data.len, 3);
    GOOD(&o, "connect", "--data=", "h:1");
    assert_non_null(o.data.at);
    assert_int_equal(o.data.len, 0);
    /* Whatever comes next is the value. */
    GOOD(&o, "connect", "--data", "--json", "h:1");
    assert_memory_equal(o.data.at, "--json", o.data.len);
    assert_false(o.json);
}

static void letters_are_bundled_until_one_takes_a_value(void **state)
{
    struct options o;

    (void)state;
    GOOD(&o, "connect", "-vv4p8080", "h:1");
    assert_int_equal(o.verbose, 2);
    assert_true(o.ipv4);
    assert_int_equal(o.source_port, 8080);
    GOOD(&o, "connect", "-4vp", "99", "h:1", "-f-", "-o", "-");
    assert_int_equal(o.source_port, 99);
    assert_string_equal(o.file, "-");
    assert_true(options_stdout_taken(&o));
    BAD("unknown option -z", "connect", "-vz", "h:1");
    BAD("-p", "connect", "h:1", "-p");
}

static void two_dashes_end_the_options(void **state)
{
    struct options o;

    (void)state;
    GOOD(&o, "connect", "-q", "--", "h:1");
    assert_true(o.quiet);
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
    struct options o;

    (void)state;
    BAD("--source-port: \"0\" is not a number from 1 to 65535", "connect", "-p0", "h:1");
    BAD("from 1 to 65535", "connect", "-p", "65536", "h:1");
    BAD("from 1 to 65535", "connect", "-p", "-1", "h:1");
    BAD("from 1 to 255", "connect", "--ttl", "0", "h:1");
    BAD("from 1 to 1073725440", "connect", "--window", "1G", "h:1");
    BAD("multiple of 4", "connect", "--tos", "3", "h:1");
    GOOD(&o, "connect", "--syn-retries=0", "--tos=184", "--mss=536", "h:1");
    assert_int_equal(o.syn_retries, 0);
    assert_int_equal(o.tos, 184);
    assert_int_equal(o.mss, 536);
}

static void durations_are_strict_and_have_a_range(void **state)
{
    (void)state;
    BAD("--hold: \"nan\" is not a duration", "connect", "--hold=nan", "h:1");
    BAD("\"-5\" is not a duration", "connect", "--timeout", "-5", "h:1");
    BAD("\"5d\" is not a duration", "connect", "--timeout=5d", "h:1");
    BAD("is no time at all", "connect", "--timeout=0", "h:1");
    BAD("is not from", "connect", "--timeout=9000h", "h:1");
    BAD("neither \"full\" nor a duration", "connect", "--time-wait=fully", "h:1");
    BAD("neither \"full\" nor a duration", "connect", "--time-wait=25h", "h:1");
}

static void time_wait_is_left_at_once_or_kept(void **state)
{
    struct options o;

    (void)state;
    GOOD(&o, "connect", "--time-wait=full", "h:1");
    assert_true(o.keep_time_wait && o.time_wait == 240 * WAVE_S);
    GOOD(&o, "connect", "--time-wait=250ms", "h:1");
    assert_true(o.keep_time_wait && o.time_wait == 250 * WAVE_MS);
}

static void words_are_one_of_those_that_help_shows(void **state)
{
    static const char *const how[] = {"active", "passive", "abort", "vanish"};
    static const char *const color[] = {"auto", "always", "never"};
    struct options o;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        GOOD(&o, "connect", "h:1", "--close", how[i]);
        assert_int_equal(o.close, i);
    }
    for (unsigned i = 0; i < 3; i++) {
        GOOD(&o, "connect", "h:1", "--color", color[i]);
        assert_int_equal(o.color, i);
    }
    BAD("\"act\" is none of active|passive|abort|vanish", "connect", "--close=act", "h:1");
    BAD("is none of", "connect", "--close=", "h:1");
    BAD("is none of", "connect", "--close=active|passive", "h:1");
}

static void data_has_escapes(void **state)
{
    struct options o;

    (void)state;
    GOOD(&o, "connect", "h:1", "-d", "a\\0\\xff\\n");
    assert_int_equal(o.data.len, 4);
    assert_memory_equal(o.data.at, "a\0\377\n", 4);
    BAD("--data: the text has an escape that is none of", "connect", "h:1", "-d", "\\q");
    BAD("--data and --file exclude each other", "connect", "h:1", "-d", "a", "-f", "b");
}

static void families_do_not_contradict_each_other(void **state)
{
    struct options o;

    (void)state;
    BAD("-4 and -6", "connect", "-46", "h:1");
    BAD("-4 was given, but the target is an IPv6 address", "connect", "-4", "[::1]:1");
    BAD("-6 was given, but the target is an IPv4 address", "connect", "-6", "127.0.0.1:1");
    BAD("-4 was given, but --source is an IPv6", "connect", "-4", "-s", "::1", "h:1");
    BAD("-6 was given, but --source is an IPv4", "connect", "-6", "-s", "127.0.0.1", "h:1");
    BAD("different families", "connect", "-s", "::1", "127.0.0.1:1");
    BAD("--source: \"h\" is not an IPv4 or IPv6 address", "connect", "-s", "h", "h:1");
    GOOD(&o, "connect", "-s", "::1", "h:1");
    assert_int_equal(options_family(&o), TARGET_IPV6);
    GOOD(&o, "connect", "-s", "127.0.0.1", "h:1");
    assert_int_equal(options_family(&o), TARGET_IPV4);
    GOOD(&o, "connect", "-6", "h:1");
    assert_int_equal(options_family(&o), TARGET_IPV6);
    GOOD(&o, "connect", "h:1");
    assert_int_equal(options_family(&o), TARGET_ANY);
}

static void rfc1122_4_2_3_6_keepalive_has_its_defaults_and_bounds(void **state)
{
    struct options o;

    (void)state;
    GOOD(&o, "keepalive", "h:1");
    assert_true(o.keepalive && o.keep_idle == 7200 * WAVE_S && o.keep_interval == 75 * WAVE_S);
    assert_int_equal(o.keep_count, 10);
    GOOD(&o, "keepalive", "h:1", "--idle=1us", "--interval", "48h", "--count=255", "--garbage",
         "--for=3");
    assert_true(o.keep_idle == WAVE_US && o.keep_interval == 48 * WAVE_H && o.keep_garbage);
    assert_true(o.keep_for == 3 * WAVE_S);
    assert_int_equal(o.keep_count, 255);
    BAD("from 1 to 255", "keepalive", "h:1", "--count=0");
    BAD("from 1 to 255", "keepalive", "h:1", "--count=256");
    BAD("from 1 to 255", "keepalive", "h:1", "--count=-1");
    BAD("is no time at all", "keepalive", "h:1", "--interval=0");
    BAD("is no time at all", "keepalive", "h:1", "--for=0s");
    BAD("is not from 1us to 1000h", "keepalive", "h:1", "--idle=1001h");
    BAD("is not a duration", "keepalive", "h:1", "--idle=-1");
}

static void listen_probes_when_it_is_told_how(void **state)
{
    struct options o;

    (void)state;
    GOOD(&o, "listen", "80");
    assert_false(o.keepalive);
    GOOD(&o, "listen", "80", "--keepalive");
    assert_true(o.keepalive && o.keep_idle == 7200 * WAVE_S);
    GOOD(&o, "listen", "80", "--idle=5");
    assert_true(o.keepalive && o.keep_idle == 5 * WAVE_S && o.keep_interval == 75 * WAVE_S);
    BAD("exclude each other", "listen", "80", "--echo", "--discard");
    BAD("exclude each other", "listen", "80", "--serve=f", "-d", "x");
}

static void a_command_checks_what_only_it_knows(void **state)
{
    struct options o;

    (void)state;
    BAD("not today", "listen", "80", "--close=vanish");
    GOOD(&o, "connect", "h:80", "--close=vanish");
}

static void outputs_do_not_share_standard_output(void **state)
{
    struct options o;

    (void)state;
    BAD("cannot both be standard output", "connect", "h:1", "-o-", "--pcap=-");
    BAD("--quiet and --verbose", "connect", "h:1", "-qv");
    GOOD(&o, "connect", "h:1", "--pcap=-");
    assert_true(options_stdout_taken(&o));
    GOOD(&o, "connect", "h:1", "--pcap=a", "-o", "-b");
    assert_false(options_stdout_taken(&o));
}

static void help_and_version_need_nothing_else(void **state)
{
    static const char *const help[] = {"--help", "-h", "help"};
    struct options o;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        GOOD(&o, help[i]);
        assert_true(o.help);
        assert_null(o.command);
    }
    assert_true(o.manual);
    GOOD(&o, "--version");
    assert_true(o.version);
    GOOD(&o, "help", "listen");
    assert_true(o.help && o.manual);
    assert_string_equal(o.command->name, "listen");
    GOOD(&o, "listen", "--help");
    assert_true(o.help);
    assert_false(o.manual);
    GOOD(&o, "listen", "-vh");
    assert_true(o.help);
    BAD("a command is missing", NULL);
}

static bool takes_value(const struct option_row *row)
{
    return row->kind != KIND_FLAG && row->kind != KIND_REPEAT;
}

static void the_table_is_sound(void **state)
{
    (void)state;
    for (const struct option_row *row = option_table; row->kind; row++) {
        if (row->kind == KIND_HEADING)
            continue;
        assert_true(row->name || row->letter);
        assert_true(row->letter != 'h' && row->help && row->commands);
        if (row->kind != KIND_CUSTOM) /* whose parse() may do without */
            assert_int_equal(row->value != NULL, takes_value(row));
        assert_int_equal(row->kind == KIND_CUSTOM, row->parse != NULL);
        assert_true(row->field < sizeof(struct options));
        assert_true(row->least <= row->most || !row->most);
        if (row->kind == KIND_NUMBER || row->kind == KIND_SIZE)
            assert_true(row->most && row->most <= UINT32_MAX);
        for (const struct option_row *other = row + 1; other->kind; other++) {
            if (!(row->commands & other->commands) || other->kind == KIND_HEADING)
                continue;
            assert_false(row->letter && row->letter == other->letter);
            assert_false(row->name && other->name && strcmp(row->name, other->name) == 0);
        }
    }
}

/* What `show` prints, to be freed. */
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
    for (const struct command *c = commands; c->name; c++)
        assert_non_null(strstr(text, c->name));
    free(text);
    for (const struct command *c = commands; c->name; c++) {
        text = printed(help_command, c);
        fits_80_columns(text);
        for (const struct option_row *row = option_table; row->kind; row++) {
            if (row->kind != KIND_HEADING && row->name && row->commands & c->bit)
                assert_non_null(strstr(text, row->name));
        }
        assert_null(strstr(text, c->bit == LISTEN ? "--no-ack" : "--echo"));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_before_or_after_the_target),
        cmocka_unit_test(defaults_are_a_present_day_hosts),
        cmocka_unit_test(values_stand_behind_an_equals_sign_or_alone),
        cmocka_unit_test(letters_are_bundled_until_one_takes_a_value),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(one_target_is_wanted),
        cmocka_unit_test(unknown_commands_are_told_the_nearest),
        cmocka_unit_test(unknown_options_are_told_the_nearest),
        cmocka_unit_test(flags_take_no_value_and_others_need_one),
        cmocka_unit_test(numbers_have_a_range),
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
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(help_names_every_option_and_fits_the_screen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
