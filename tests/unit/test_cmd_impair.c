/*
 * Tests --impair in whole commands over a simulated network: what the rules do to the run, what the
 * run says of it, and that it blames neither the path nor the peer. The rig fails a case in which
 * anything but information is found, since nothing here disturbs the network.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/command_rig.h"

#include "lib/run/impair_rule.h"
#include "lib/sim/prng.h"

#define RTT (2 * RIG_DELAY)

static struct command_rig r;

/* Runs a command whose rules match `matched` segments, all in all. */
static void run(enum host_behaviour behaviour, const char *words, unsigned matched)
{
    const json_t *rules;
    json_int_t all = 0;

    rig_init(&r, behaviour);
    rig_run(&r, words);
    rules = rig_get(&r, "verdict", "impairments");
    for (size_t i = 0; i < json_array_size(rules); i++)
        all += json_integer_value(json_object_get(json_array_get(rules, i), "matched"));
    assert_int_equal(all, matched);
}

/* The segment number `n` of the run, and what was done to it. */
static const json_t *impaired(unsigned n)
{
    for (size_t i = 0; i < r.events; i++)
        if (strcmp(json_string_value(json_object_get(r.event[i], "event")), "segment") == 0 &&
            json_integer_value(json_object_get(r.event[i], "number")) == n)
            return json_object_get(r.event[i], "impaired");
    fail_msg("there is no segment %u", n);
    return NULL;
}

static void expect_impaired(unsigned n, unsigned rule, const char *act, bool on_wire)
{
    const json_t *i = impaired(n), *acts = json_object_get(i, "acts");
    bool has = false;

    assert_int_equal(json_integer_value(json_object_get(i, "rule")), rule);
    for (size_t k = 0; k < json_array_size(acts); k++)
        has = has || strcmp(json_string_value(json_array_get(acts, k)), act) == 0;
    assert_true(has);
    assert_int_equal(json_is_true(json_object_get(i, "on_wire")), on_wire);
}

static void expect_message_ends(const char *end)
{
    const char *message = json_string_value(rig_get(&r, "verdict", "message"));
    const size_t len = strlen(message), part = strlen(end);

    if (len < part || strcmp(message + len - part, end) != 0)
        fail_msg("\"%s\" does not end in \"%s\"", message, end);
}

/*
 * The handshake
 */

/* The peer repeats its SYN-ACK after a second, and our ACK of that completes the handshake. */
static void the_third_segment_is_lost(void **state)
{
    (void)state;
    run(HOST_DISCARD, "connect --json --hold 3s --impair out:.#1~drop " RIG_PEER, 1);
    rig_expect_text(&r, "verdict", "verdict", "open");
    expect_impaired(3, 1, "dropped", false);
    assert_int_equal(rig_segments(&r, true, SEG_SYN), 1);
    assert_int_equal(rig_segments(&r, false, SEG_SYN), 2);
    assert_null(impaired(4)); /* the SYN-ACK, repeated for a good reason */
    expect_message_ends("; 1 segment was impaired on purpose (--impair): 1 of ours dropped");
    assert_int_equal(rig_count(&r, "finding", "code", "impaired"), 1);
    rig_free(&r);
}

static void the_syn_ack_is_lost_here(void **state)
{
    (void)state;
    run(HOST_DISCARD, "connect --json --impair in:S.#1~drop " RIG_PEER, 1);
    rig_expect_text(&r, "verdict", "verdict", "open");
    expect_impaired(2, 1, "dropped", true);
    /* It was seen, and shows what the peer's state was. */
    for (size_t i = 0; i < r.events; i++) {
        const char *side = json_string_value(json_object_get(r.event[i], "side"));
        if (!side || strcmp(side, "peer") != 0)
            continue;
        assert_string_equal(json_string_value(json_object_get(r.event[i], "to")), "SYN_RECEIVED");
        assert_string_equal(json_string_value(json_object_get(r.event[i], "certainty")), "proved");
        assert_int_equal(json_integer_value(json_object_get(r.event[i], "evidence")), 2);
        break;
    }
    expect_message_ends("1 of the peer's dropped");
    rig_free(&r);
}

/* Nothing of ours was on the wire, so that the peer's silence is no wonder. */
static void every_syn_is_dropped(void **state)
{
    (void)state;
    run(HOST_ECHO, "connect --json --impair out:~drop " RIG_PEER, 4);
    rig_expect_text(&r, "verdict", "verdict", "dropped");
    assert_int_equal(r.segments, 0);
    rig_expect_int(&r, "verdict", "handshake.syn_sent", 0);
    rig_expect_part(&r, "verdict", "message",
                    "the handshake with 192.0.2.80:80 did not come about: we made 4 SYNs, and no "
                    "answer to them was taken in; 4 segments were impaired on purpose (--impair): "
                    "4 of ours dropped");
    rig_expect_text(&r, "verdict", "peer.state", "UNKNOWN");
    rig_free(&r);
}

/* The peer gets our data the third time, and its answers do not come to our engine. */
static void both_directions_are_dropped(void **state)
{
    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_run(&r, "connect --json -d hello --timeout 10s --impair out:data,#1-2~drop --impair "
                "in:#2-~drop " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "failed");
    rig_expect_part(&r, "verdict", "message",
                    "connected to 192.0.2.80:80, but no acknowledgement of all that we sent was "
                    "taken in within the timeout of 10s");
    rig_expect_part(&r, "verdict", "message", ": 2 of ours dropped, ");
    rig_expect_part(&r, "verdict", "message", " of the peer's dropped");
    rig_free(&r);
}

static void a_rule_answers_our_syn_with_rst(void **state)
{
    (void)state;
    run(HOST_ECHO, "connect --json --impair out:S~rst " RIG_PEER, 1);
    rig_expect_text(&r, "verdict", "verdict", "refused");
    rig_expect_text(&r, "verdict", "close.by", "local");
    rig_expect_part(&r, "verdict", "message", "a RST that a rule made answered our SYN");
    expect_impaired(1, 1, "reset", false);
    expect_impaired(2, 1, "invented", false);
    assert_int_equal(r.segments, 0);
    rig_free(&r);
}

/*
 * Data
 */

/* Rules that do something to every segment of a transfer: nothing is found but what they did. */
static void no_rule_makes_a_finding(void **state)
{
    static const char *const rules[] = {"out:data,every=5~drop",
                                        "in:data,every=5~drop",
                                        "out:p=10~drop",
                                        "in:p=10~drop",
                                        "out:every=3~dup",
                                        "in:every=3~dup",
                                        "out:every=4~delay=300ms",
                                        "in:every=4~delay=300ms",
                                        "out:every=4~reorder",
                                        "in:every=4~reorder",
                                        "out:every=5~corrupt",
                                        "in:every=5~corrupt",
                                        "out:data,#3~truncate=100",
                                        "in:data,#3~truncate=100",
                                        "out:.#3-8~win=1000",
                                        "in:.#3-8~win=1000",
                                        "in:.#3-8~win=0",
                                        "out:.#4-8~ts+=-100000",
                                        "in:.#4-8~ts+=-100000",
                                        "out:.#4-6~ack+=-1",
                                        "in:.#4-6~ack+=-1",
                                        "out:S~strip=ts",
                                        "in:S.~strip=ts",
                                        "out:S~strip=sackok",
                                        "in:S.~strip=sackok",
                                        "out:S~strip=wscale",
                                        "in:S.~strip=wscale",
                                        "out:S~mss=536",
                                        "in:S.~mss=536",
                                        "out:.#5~strip=ts",
                                        "in:.#5~strip=ts",
                                        "out:F#1~drop",
                                        "in:F#1~drop",
                                        "out:F~delay=2s",
                                        "in:F~delay=2s",
                                        "out:.#1~drop",
                                        "in:S.#1~drop",
                                        "out:S#1~drop"};
    static char words[40000];
    unsigned unused = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        for (unsigned v6 = 0; v6 < 2; v6++) {
            const char *peer = v6 ? RIG_PEER6 : RIG_PEER;
            size_t n = (size_t)snprintf(words, sizeof words,
                                        "connect --json --timeout 30s --impair %s -d ", rules[i]);
            memset(words + n, 'x', 20000);
            snprintf(words + n + 20000, sizeof words - n - 20000, " %s", peer);
            rig_init_family(&r, HOST_ECHO, v6);
            rig_run(&r, words);
            for (size_t k = 0; k < r.events; k++) {
                const char *subject = json_string_value(json_object_get(r.event[k], "subject"));
                if (subject && strcmp(subject, "local") != 0)
                    fail_msg("%s: %s", rules[i], json_dumps(r.event[k], JSON_COMPACT));
            }
            unused += rig_count(&r, "finding", "code", "impairment-unused");
            if (rig_count(&r, "finding", "code", "impaired") != 1)
                fail_msg("%s: nothing was impaired: %s", rules[i], r.text);
            rig_free(&r);
        }
    assert_int_equal(unused, 0);
}

/* One to three rules by chance, which make sense by themselves. */
static void some_rules(struct prng *prng, char *words, size_t room)
{
    static const char *const match[] = {
        "",           ".",           ".#1",     ".#2-4",  "data", "data#1", "data,every=3", "F",
        "F#1",        "S",           "S#1",     "S.",     "S.#1", "R",      "p=20",         "p=5",
        "after=30ms", "before=60ms", "every=2", "nodata", ".#3-", "P"};
    static const char *const action[] = {
        "drop",         "drop",         "dup",          "delay=5ms",  "delay=300ms", "delay=3s",
        "reorder",      "corrupt",      "corrupt=data", "rst",        "seq+=1",      "seq+=-1",
        "seq+=50000",   "ack+=1",       "ack+=-1",      "ack+=50000", "flags=F.",    "flags=R",
        "flags=S",      "flags=.",      "flags=none",   "flags=SF",   "win=0",       "win=1",
        "win=600",      "strip=ts",     "strip=all",    "strip=mss",  "strip=sack",  "strip=sackok",
        "strip=wscale", "mss=100",      "wscale=0",     "wscale=14",  "ts+=1000",    "ts+=-100000",
        "tsecr+=-7",    "tsecr+=90000", "sack+=3000",   "truncate=3", "urg=1",       "ecn=ce"};
    struct impair_rule rule;
    struct diag d;
    char text[100];
    size_t n = 0;

    words[0] = '\0';
    for (uint64_t left = 1 + prng_below(prng, 3); left;) {
        snprintf(text, sizeof text, "%s:%s %s", prng_below(prng, 2) ? "in" : "out",
                 match[prng_below(prng, sizeof match / sizeof match[0])],
                 action[prng_below(prng, sizeof action / sizeof action[0])]);
        if (impair_rule_parse(text, &rule, &d) != 0)
            continue;
        for (char *c = text; *c; c++)
            *c = *c == ' ' ? '~' : *c;
        n += (size_t)snprintf(words + n, room - n, "--impair %s ", text);
        left--;
    }
}

/* Whatever rules do, nothing is found about the path or the peer, and no sentence accuses it. */
static void rules_by_chance_blame_no_one(void **state)
{
    static const char *const command[] = {
        "connect --json --timeout 40s", "halfclose --json --timeout 40s --linger 2s",
        "keepalive --json --idle 100ms --interval 600ms --count 3 --for 3s --timeout 40s"};
    static const char *const blame[] = {
        "stopped answering", "refused the",     "reset the connection", "no acceptable",
        "does not take",     "not take all",    "did not acknowledge",  "never arrived",
        "holds its own",     "does not honour", "no longer knows",      "nothing answered"};
    static const enum host_behaviour behaviour[] = {HOST_ECHO, HOST_DISCARD, HOST_ANSWER_AFTER_FIN};
    const char *runs = getenv("TCPWAVE_TEST_RUNS");
    const unsigned count = runs ? (unsigned)strtoul(runs, NULL, 10) : 150;
    char rules[400];
    static char words[40000];
    struct prng prng = {getenv("TCPWAVE_TEST_SEED") ? strtoul(getenv("TCPWAVE_TEST_SEED"), NULL, 10)
                                                    : 17};

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        const unsigned bytes = prng_below(&prng, 2) ? 20000 : 5;
        some_rules(&prng, rules, sizeof rules);
        size_t n =
            (size_t)snprintf(words, sizeof words, "%s %s-d ", command[prng_below(&prng, 3)], rules);
        memset(words + n, 'x', bytes);
        snprintf(words + n + bytes, sizeof words - n - bytes, " " RIG_PEER);
        rig_init(&r, behaviour[prng_below(&prng, 3)]);
        r.disturbed = true; /* an unused rule is a warning */
        rig_run(&r, words);
        for (size_t k = 0; k < r.events; k++) {
            const char *subject = json_string_value(json_object_get(r.event[k], "subject"));
            if (subject && strcmp(subject, "local") != 0)
                fail_msg("run %u, %.*s: %s", i, (int)n, words,
                         json_dumps(r.event[k], JSON_COMPACT));
        }
        const char *message = json_string_value(rig_get(&r, "verdict", "message"));
        for (size_t k = 0; k < sizeof blame / sizeof blame[0]; k++)
            if (rig_count(&r, "finding", "code", "impaired") && strstr(message, blame[k]))
                fail_msg("run %u, %.*s: %s", i, (int)n, words, message);
        rig_free(&r);
    }
}

/* The same rule, seed and network: the same bytes. */
static void the_same_run_prints_the_same_bytes(void **state)
{
    (void)state;
    assert_true(rig_expect_repeatable(HOST_ECHO, 0, 3,
                                      "connect --json -vv -d some_data --impair out:p=30~drop "
                                      "--impair out:every=2~delay=30ms " RIG_PEER) > 1000);
}

/* What is counted is the same when nothing is shown. */
static void a_quiet_run_says_it_as_well(void **state)
{
    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "connect -q --json --impair out:.#1~drop --impair in:S.~win=99 " RIG_PEER);
    rig_expect_part(&r, "verdict", "message", "impaired on purpose (--impair)");
    rig_free(&r);
}

/*
 * What is printed
 */

static void the_ladder_and_the_summary_show_it(void **state)
{
    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "connect --ascii --impair out:.#1~drop --impair in:F#5~drop " RIG_PEER);
    rig_expect_printed(&r, "-X     |", 1);
    rig_expect_printed(&r, "| impaired by rule 1: dropped", 1);
    rig_expect_printed(&r, "An arrow with X: tcpwave stopped it (--impair).", 1);
    rig_expect_printed(&r, "  impaired   `out:.#1 drop` 1 of ", 1);
    rig_expect_printed(&r, "  impaired   `in:F#5 drop` 0 of ", 1);
    rig_expect_printed(&r, "the rule `in:F#5 drop` never matched", 1);
    rig_free(&r);
}

static void halfclose_does_not_judge_the_peer_by_a_rule(void **state)
{
    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_run(&r, "halfclose --json --linger 1s --impair in:F~drop -d hello " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "failed");
    rig_expect_part(&r, "verdict", "message",
                    "whether 192.0.2.80:80 honours the half-close is not "
                    "known");
    rig_free(&r);
}

/* Of each connection, the third segment and the first data are dropped: the peer repeats its
 * SYN-ACK as one does whose accept queue is full. */
static void load_says_what_its_rules_did(void **state)
{
    (void)state;
    run(HOST_ECHO,
        "load --json --connections 20 --concurrency 5 -d hello --impair "
        "out:nodata,.#1~drop --impair out:data#1-4~drop " RIG_PEER,
        20 + 80);
    rig_expect_text(&r, "verdict", "verdict", "open");
    assert_int_equal(rig_count(&r, "finding", NULL, NULL), 1);
    rig_expect_text(&r, "finding", "code", "impaired");
    expect_message_ends("; the rules of --impair were applied 100 times, on purpose");
    rig_free(&r);
}

/* What is still held back when the run ends is told, in either direction, with the rule that holds
 * it, which need not be the first that matched; what was let go in time is not. */
static void what_is_held_back_to_the_end_is_told(void **state)
{
    static const struct {
        const char *rules, *end;
        unsigned rule, held;
    } runs[] = {{"--impair out:data~delay=10s",
                 "; at the end the rule `out:data delay=10s` still held back 4 segments", 0, 4},
                {"--impair in:data~win=60000 --impair in:data#1~delay=10s",
                 "; at the end the rule `in:data#1 delay=10s` still held back 1 segment", 1, 1},
                {"--impair in:data~delay=10ms", "1 of the peer's delayed", 0, 0}};
    char words[200];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        snprintf(words, sizeof words, "connect --json --timeout 3 -d hello %s " RIG_PEER,
                 runs[i].rules);
        rig_init(&r, HOST_ECHO);
        rig_run(&r, words);
        expect_message_ends(runs[i].end);
        const json_t *rule = json_array_get(rig_get(&r, "verdict", "impairments"), runs[i].rule);
        assert_int_equal(json_integer_value(json_object_get(rule, "held")), runs[i].held);
        rig_free(&r);
    }
}

static void dial_twice(struct command_rig *at)
{
    rig_dial(at, 5000, 80);
    rig_dial(at, 5001, 80);
}

/* Each connection has the counts of its own segments, and the run those of the rules. */
static void listen_says_it_of_each_connection(void **state)
{
    unsigned of_connections = 0, of_run = 0;

    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_at(&r, WAVE_MS, dial_twice);
    rig_run(&r,
            "listen --json -d hi --connections 2 --timeout 20s --impair out:S.#1~drop " RIG_LOCAL
            ":80");
    for (size_t i = 0; i < r.events; i++) {
        const json_t *e = r.event[i];
        const char *message = json_string_value(json_object_get(e, "message"));
        if (strcmp(json_string_value(json_object_get(e, "event")), "verdict") != 0)
            continue;
        if (json_object_get(e, "connection")) {
            of_connections++;
            assert_non_null(strstr(message, "; 1 segment was impaired on purpose (--impair): 1 of "
                                            "ours dropped"));
            assert_null(json_object_get(e, "impairments"));
        } else {
            of_run++;
            assert_non_null(strstr(message, "were applied 2 times, on purpose"));
            assert_int_equal(json_array_size(json_object_get(e, "impairments")), 1);
        }
    }
    assert_int_equal(of_connections, 2);
    assert_int_equal(of_run, 1);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_third_segment_is_lost),
        cmocka_unit_test(the_syn_ack_is_lost_here),
        cmocka_unit_test(every_syn_is_dropped),
        cmocka_unit_test(both_directions_are_dropped),
        cmocka_unit_test(a_rule_answers_our_syn_with_rst),
        cmocka_unit_test(no_rule_makes_a_finding),
        cmocka_unit_test(rules_by_chance_blame_no_one),
        cmocka_unit_test(the_same_run_prints_the_same_bytes),
        cmocka_unit_test(a_quiet_run_says_it_as_well),
        cmocka_unit_test(the_ladder_and_the_summary_show_it),
        cmocka_unit_test(halfclose_does_not_judge_the_peer_by_a_rule),
        cmocka_unit_test(load_says_what_its_rules_did),
        cmocka_unit_test(what_is_held_back_to_the_end_is_told),
        cmocka_unit_test(listen_says_it_of_each_connection),
        cmocka_unit_test(rig_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
