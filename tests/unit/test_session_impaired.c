/*
 * Tests whole commands with rules of --impair over a simulated network: the engine goes by what the
 * rules left, every segment is shown once, in the order of the wire, and the same run prints the
 * same bytes. (A tab stands for the blank of a rule, since the rig divides words at blanks.)
 */
#include <string.h>

#include "tests/unit/command_rig.h"

/* How many segments of one side were shown. */
static unsigned shown(const struct command_rig *r, const char *from)
{
    return rig_count(r, "segment", "dir", from);
}

static void run(struct command_rig *r, enum host_behaviour behaviour, int status, const char *words)
{
    rig_init(r, behaviour);
    assert_int_equal(rig_run(r, words), status);
}

static void what_is_dropped_is_on_no_wire(void **state)
{
    struct command_rig r;

    (void)state;
    run(&r, HOST_ECHO, 0, "connect --json -d hello --impair out:data#1\tdrop " RIG_PEER);
    rig_expect_int(&r, "verdict", "received_bytes", 5);
    /* The first data and its retransmission: one was dropped. */
    assert_int_equal(rig_segments(&r, true, SEG_PSH), 1);
    assert_int_equal(shown(&r, "out"), rig_segments(&r, true, 0) + 1);
    assert_int_equal(shown(&r, "in"), rig_segments(&r, false, 0));
    rig_free(&r);
}

static void what_is_held_back_is_shown_once(void **state)
{
    struct command_rig r;

    (void)state;
    run(&r, HOST_ECHO, 0, "connect --json -d hello --impair out:data#1\tdelay=50ms " RIG_PEER);
    assert_int_equal(shown(&r, "out"), rig_segments(&r, true, 0));
    assert_int_equal(rig_segment(&r, true, SEG_PSH, 1)->at,
                     rig_segment(&r, true, SEG_ACK, 1)->at + 50 * WAVE_MS);
    rig_expect_int(&r, "verdict", "retransmissions", 0);
    rig_free(&r);
    /* The FIN is overtaken by nothing, and ours come in another order than the engine's. */
    run(&r, HOST_ECHO, 0, "connect --json -d hello --impair out:.#1\treorder " RIG_PEER);
    assert_int_equal(shown(&r, "out"), rig_segments(&r, true, 0));
    assert_int_equal(rig_segment(&r, true, SEG_ACK, 1)->seg.len, 5);
    assert_int_equal(rig_segment(&r, true, SEG_ACK, 2)->seg.len, 0);
    rig_expect_int(&r, "verdict", "received_bytes", 5);
    rig_free(&r);
}

/* Neither is taken for one that was sent and that the capture lost. */
static void what_is_held_back_long_is_not_missed(void **state)
{
    struct command_rig r;

    (void)state;
    /* Its retransmission is acknowledged first. */
    run(&r, HOST_ECHO, 0,
        "connect --json -d hello --impair out:data#1\tdelay=600ms --hold 1s " RIG_PEER);
    assert_int_equal(rig_segments(&r, true, SEG_PSH), 2);
    assert_int_equal(shown(&r, "out"), rig_segments(&r, true, 0));
    rig_free(&r);
    /* The run is over before its time comes. */
    run(&r, HOST_ECHO, 0, "connect --json --close=abort --impair out:R\tdelay=10s " RIG_PEER);
    assert_int_equal(rig_segments(&r, true, SEG_RST), 0);
    assert_int_equal(shown(&r, "out"), rig_segments(&r, true, 0));
    rig_free(&r);
}

static void what_arrives_is_taken_when_a_rule_says_so(void **state)
{
    struct command_rig r;

    (void)state;
    run(&r, HOST_ECHO, 0, "connect --json --impair in:S.\tdelay=100ms " RIG_PEER);
    assert_int_equal(shown(&r, "in"), rig_segments(&r, false, 0));
    assert_int_equal(rig_segment(&r, true, SEG_ACK, 1)->at, 2 * RIG_DELAY + 100 * WAVE_MS);
    rig_free(&r);
    run(&r, HOST_ECHO, 0, "connect --json -d hello --impair in:\tdup " RIG_PEER);
    rig_expect_int(&r, "verdict", "received_bytes", 5);
    assert_int_equal(shown(&r, "in"), rig_segments(&r, false, 0));
    rig_free(&r);
    run(&r, HOST_ECHO, 0, "connect --json -d hello --impair in:data#1\tdrop " RIG_PEER);
    rig_expect_int(&r, "verdict", "received_bytes", 5);
    assert_int_equal(rig_segments(&r, false, SEG_PSH), 2);
    assert_int_equal(shown(&r, "in"), rig_segments(&r, false, 0));
    rig_free(&r);
}

/* The engine takes the smaller window, and the report shows the one of the wire. */
static void a_window_is_the_engine_s_or_the_wire_s(void **state)
{
    struct command_rig r;

    (void)state;
    run(&r, HOST_ECHO, 0,
        "connect --json -d hello --impair in:S.#1\twin=2 --impair out:F\twin=0 " RIG_PEER);
    assert_int_equal(rig_segment(&r, true, SEG_ACK, 2)->seg.len, 2);
    assert_int_equal(rig_segment(&r, true, SEG_FIN, 1)->seg.wnd, 0);
    rig_expect_int(&r, "verdict", "received_bytes", 5);
    rig_free(&r);
}

static wave_time dialled_at;

static void dial(struct command_rig *r)
{
    dialled_at = rig_now(r);
    rig_dial(r, 5000, 80);
}

static void close_far(struct command_rig *r)
{
    rig_far_close(r, 0);
}

/* When the SYN arrives, there is no connection yet to show it with. */
static void a_delayed_syn_is_shown_with_its_connection(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_at(&r, WAVE_MS, dial);
    rig_at(&r, WAVE_S, close_far);
    assert_int_equal(rig_run(&r, "listen --json --discard --connections 1 --impair "
                                 "in:S\tdelay=100ms " RIG_LOCAL ":80"),
                     0);
    assert_int_equal(rig_segment(&r, true, SEG_SYN, 1)->at, dialled_at + RIG_DELAY + 100 * WAVE_MS);
    assert_int_equal(shown(&r, "in"), rig_segments(&r, false, 0));
    assert_int_equal(shown(&r, "out"), rig_segments(&r, true, 0));
    rig_free(&r);
}

static void a_run_that_shows_nothing_goes_the_same_way(void **state)
{
    static const char *const words[] = {
        "connect -q -d hello --impair out:data#1\tdrop --impair in:data#1\tdelay=20ms " RIG_PEER,
        "connect --json -d hello --impair out:data#1\tdrop --impair "
        "in:data#1\tdelay=20ms " RIG_PEER};
    struct command_rig r[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++)
        run(&r[i], HOST_ECHO, 0, words[i]);
    assert_int_equal(r[0].segments, r[1].segments);
    for (size_t i = 0; i < r[0].segments; i++)
        assert_int_equal(r[0].segment[i].at, r[1].segment[i].at);
    rig_free(&r[0]);
    rig_free(&r[1]);
}

static void load_is_impaired_as_well(void **state)
{
    struct command_rig r;

    (void)state;
    run(&r, HOST_ECHO, 0,
        "load --json --connections 5 -d x --impair out:S#1\tdrop "
        "--impair in:data#1\tdelay=30ms --impair in:F\tdup " RIG_PEER);
    rig_expect_int(&r, "verdict", "connections.open", 5);
    rig_expect_int(&r, "verdict", "retransmissions", 5);
    assert_int_equal(rig_segments(&r, true, SEG_SYN), 5);
    rig_free(&r);
}

static void the_same_seed_prints_the_same(void **state)
{
    (void)state;
    rig_expect_repeatable(HOST_ECHO, 0, 1,
                          "connect --json -d hello --impair out:p=30%\tdrop "
                          "--impair in:p=30%\treorder --impair-seed 9 " RIG_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_dropped_is_on_no_wire),
        cmocka_unit_test(what_is_held_back_is_shown_once),
        cmocka_unit_test(what_is_held_back_long_is_not_missed),
        cmocka_unit_test(what_arrives_is_taken_when_a_rule_says_so),
        cmocka_unit_test(a_window_is_the_engine_s_or_the_wire_s),
        cmocka_unit_test(a_delayed_syn_is_shown_with_its_connection),
        cmocka_unit_test(a_run_that_shows_nothing_goes_the_same_way),
        cmocka_unit_test(load_is_impaired_as_well),
        cmocka_unit_test(the_same_seed_prints_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
