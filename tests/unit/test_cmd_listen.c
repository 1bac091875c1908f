/*
 * Tests listen over a simulated network whose far end opens the connections: queues, SYN cookies,
 * closes, waits and ends, in virtual time. A round trip takes 20 ms; clients use the ports from
 * 50000 on.
 */
#include <signal.h>
#include <string.h>

#include "tests/unit/command_rig.h"

#define RTT (2 * RIG_DELAY)
#define SETTLE (20 * WAVE_MS) /* what a closed connection waits for its last segments' capture */
#define PORT 8000

static void dial(struct command_rig *r)
{
    rig_dial(r, (uint16_t)(50000 + r->dials), PORT);
}

static void dial_many(struct command_rig *r)
{
    for (unsigned i = 0; i < 300; i++)
        dial(r);
}

/* The verdict of the connection of that number. */
static const json_t *verdict_of(const struct command_rig *r, int connection)
{
    for (size_t i = 0; i < r->events; i++)
        if (strcmp(json_string_value(json_object_get(r->event[i], "event")), "verdict") == 0 &&
            json_integer_value(json_object_get(r->event[i], "connection")) == connection)
            return r->event[i];
    return NULL;
}

static const char *word_of(const struct command_rig *r, int connection)
{
    const json_t *v = verdict_of(r, connection);

    assert_non_null(v);
    return json_string_value(json_object_get(v, "verdict"));
}

/* Checks that each connection has one verdict, that the verdicts add up to those of the run, and
 * that the segments of each connection are counted by themselves. */
static void expect_contract(const struct command_rig *r, int opened)
{
    static const char *const words[] = {"open",    "failed",   "local", "refused",
                                        "dropped", "rejected", "reset", "lost"};
    unsigned each = 0;
    char path[32];

    rig_expect_int(r, "verdict", "connections.opened", opened);
    assert_null(rig_get(r, "verdict", "connection")); /* the run's is the last */
    for (int n = 1; n <= opened; n++)
        assert_non_null(verdict_of(r, n));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        unsigned counted = rig_count(r, "verdict", "verdict", words[i]);
        const json_t *last = rig_get(r, "verdict", "verdict");
        counted -= strcmp(json_string_value(last), words[i]) == 0; /* the run's own */
        snprintf(path, sizeof path, "connections.%s", words[i]);
        rig_expect_int(r, "verdict", path, counted);
        each += counted;
    }
    assert_int_equal(each, opened);
    for (int n = 1; n <= opened; n++) {
        json_int_t number = 0;
        for (size_t i = 0; i < r->events; i++)
            if (strcmp(json_string_value(json_object_get(r->event[i], "event")), "segment") == 0 &&
                json_integer_value(json_object_get(r->event[i], "connection")) == n)
                assert_int_equal(json_integer_value(json_object_get(r->event[i], "number")),
                                 ++number);
    }
}

static void data_goes_to_everyone_and_connections_end_it(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_DISCARD, v6);
        for (unsigned i = 0; i < 5; i++)
            rig_at(&r, (i + 1) * WAVE_S, dial);
        rig_run(&r, v6 ? "listen --json [::]:8000 -d hello --connections 5"
                       : "listen --json 8000 -d hello --connections 5");
        /* Two round trips after the last SYN came, all is closed. */
        rig_expect_verdict(&r, "open", 0, 5 * WAVE_S + RIG_DELAY + 2 * RTT + SETTLE);
        rig_expect_int(&r, "verdict", "connections.open", 5);
        expect_contract(&r, 5);
        rig_expect_printed(&r, "\"sent_bytes\":5,", 5);
        rig_free(&r);
    }
}

static void what_is_sent_comes_back(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ANSWER_FIRST); /* "the answer", and then it waits for our FIN */
    rig_at(&r, WAVE_S, dial);
    rig_at(&r, 2 * WAVE_S, dial);
    rig_at(&r, 10 * WAVE_S, rig_interrupt);
    rig_run(&r, "listen --json 8000 --echo");
    assert_int_equal(r.status, 128 + SIGINT);
    rig_expect_int(&r, "verdict", "connections.opened", 2);
    rig_expect_printed(&r, "\"sent_bytes\":11,\"received_bytes\":11", 2);
    rig_free(&r);
}

static void first_closes(struct command_rig *r)
{
    rig_far_close(r, 0);
}

static void first_resets(struct command_rig *r)
{
    rig_far_reset(r, 0);
}

static void second_speaks(struct command_rig *r)
{
    rig_far_send(r, 1, "hello");
}

/* With --served, checks that connect and leave in whichever way do not count, and one that is
 * silent when the last one speaks is ended. */
static void who_sends_nothing_does_not_count(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_NEVER_CLOSES, v6);
        rig_at(&r, WAVE_S, dial);
        rig_at(&r, WAVE_S + 2 * RTT, first_closes);
        rig_at(&r, 2 * WAVE_S, dial);
        rig_at(&r, 2 * WAVE_S + 2 * RTT, first_resets);
        rig_at(&r, 3 * WAVE_S, dial);
        rig_at(&r, 4 * WAVE_S, dial);
        rig_at(&r, 5 * WAVE_S, second_speaks);
        rig_at(&r, 6 * WAVE_S, first_closes);
        rig_at(&r, 20 * WAVE_S, rig_interrupt);
        rig_run(&r, v6 ? "listen --json [::]:8000 --connections 1 --served"
                       : "listen --json 8000 --connections 1 --served");
        assert_int_equal(r.status, 0);
        assert_string_equal(word_of(&r, 1), "open");
        assert_string_equal(word_of(&r, 2), "reset");
        assert_string_equal(word_of(&r, 3), "failed");
        assert_string_equal(word_of(&r, 4), "open");
        expect_contract(&r, 4);
        rig_expect_part(&r, "verdict", "message", "; 2 sent nothing and do not count");
        rig_free(&r);
    }
}

/* Without it the first one is the only one; with it, time runs out. */
static void the_time_runs_out_before_somebody_speaks(void **state)
{
    struct command_rig r;

    (void)state;
    for (int served = 0; served < 2; served++) {
        rig_init(&r, HOST_NEVER_CLOSES);
        rig_at(&r, WAVE_S, dial);
        rig_at(&r, WAVE_S + 2 * RTT, first_closes);
        rig_run(&r, served ? "listen --json 8000 --connections 1 --served --timeout 9"
                           : "listen --json 8000 --connections 1 --timeout 9");
        assert_int_equal(r.status, served);
        if (served)
            rig_expect_part(&r, "verdict", "message", "when 0 of 1 connections had been served");
        rig_free(&r);
    }
}

/* Fifty clients connect at the same time, and one segment in ten is lost: all of them are served.
 */
static void losses_change_nothing(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.network.forward.loss = r.network.reverse.loss = 1000;
    for (unsigned i = 0; i < 50; i++)
        rig_at(&r, WAVE_S, dial);
    rig_run(&r, "listen --json 8000 -d hello --connections 50");
    assert_int_equal(r.status, 0);
    rig_expect_int(&r, "verdict", "connections.open", 50);
    expect_contract(&r, 50);
    rig_free(&r);
}

/* How it is closed */

static void active_and_passive(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, WAVE_S, dial);
    rig_run(&r, "listen --json 8000 -d hello --close=active --connections 1");
    assert_int_equal(r.status, 0);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(verdict_of(&r, 1), "close"), "by")),
        "local");
    rig_free(&r);

    rig_init(&r, HOST_ANSWER_AND_FIN_FIRST);
    rig_at(&r, WAVE_S, dial);
    rig_run(&r, "listen --json 8000 -d hello --close=passive --connections 1");
    assert_int_equal(r.status, 0);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(verdict_of(&r, 1), "close"), "by")),
        "peer");
    rig_free(&r);
}

static void abort_resets_once_the_data_is_acknowledged(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, WAVE_S, dial);
    rig_run(&r, "listen --json 8000 -d hello --close=abort --connections 1");
    assert_int_equal(r.status, 0);
    assert_string_equal(word_of(&r, 1), "open");
    assert_true(rig_segment(&r, true, SEG_RST, 1)->at >= WAVE_S + RIG_DELAY + 2 * RTT);
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 0);
    rig_free(&r);
}

/* From then on the client's segments get no answer, and no RST either. */
static void vanish_says_nothing(void **state)
{
    struct command_rig r;
    wave_time vanished;

    (void)state;
    rig_init(&r, HOST_ANSWER_FIRST);
    rig_at(&r, WAVE_S, dial);
    rig_at(&r, 100 * WAVE_S, rig_interrupt);
    rig_run(&r, "listen --json 8000 --close=vanish -d hello");
    assert_int_equal(r.status, 128 + SIGINT);
    assert_int_equal(rig_segments(&r, true, SEG_RST), 0);
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 0);
    vanished = (wave_time)(json_number_value(json_object_get(verdict_of(&r, 1), "time")) * 1e9);
    assert_true(vanished < 2 * WAVE_S);
    rig_free(&r);
}

static void hold_delays_our_fin(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, WAVE_S, dial);
    rig_run(&r, "listen --json 8000 -d hello --hold 1h --connections 1");
    assert_int_equal(r.status, 0);
    /* From when our data was acknowledged. */
    assert_int_equal(rig_segment(&r, true, SEG_FIN, 1)->at,
                     WAVE_S + RIG_DELAY + 2 * RTT + 3600 * WAVE_S);
    rig_free(&r);
}

static void linger_ends_a_client_that_never_closes(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_NEVER_CLOSES);
    rig_at(&r, WAVE_S, dial);
    rig_run(&r, "listen --json 8000 -d hello --linger 10m --connections 1");
    assert_int_equal(r.status, 0);
    assert_int_equal(rig_segment(&r, true, SEG_RST, 1)->at,
                     WAVE_S + RIG_DELAY + 2 * RTT + 600 * WAVE_S);
    rig_free(&r);
}

/* TIME_WAIT of 2 MSL is kept for each of them, and another client is served meanwhile. */
static void time_wait_is_kept_for_four_minutes(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, WAVE_S, dial);
    rig_at(&r, 60 * WAVE_S, dial);
    rig_run(&r, "listen --json 8000 -d hello --time-wait=full --connections 2");
    rig_expect_verdict_after(&r, 2, "open", 0,
                             60 * WAVE_S + RIG_DELAY + 2 * RTT + 240 * WAVE_S + SETTLE);
    expect_contract(&r, 2);
    rig_free(&r);
}

/* Clients that do otherwise */

static void reset_it(struct command_rig *r)
{
    rig_far_reset(r, 0);
}

static void a_client_that_resets_is_counted_and_no_failure(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, WAVE_S, dial);
    rig_at(&r, 2 * WAVE_S, reset_it);
    rig_run(&r, "listen --json 8000 --connections 1");
    rig_expect_verdict(&r, "open", 0, 2 * WAVE_S + RIG_DELAY + SETTLE);
    rig_expect_int(&r, "verdict", "connections.reset", 1);
    expect_contract(&r, 1);
    rig_free(&r);
}

static bool third_segments(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return !s->out && !(s->seg.flags & SEG_SYN);
}

/* The client never completes its handshake: dropped, after the SYN-ACKs that it was sent. */
static void a_handshake_without_end_is_dropped(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = third_segments;
    rig_at(&r, WAVE_S, dial);
    rig_at(&r, 60 * WAVE_S, rig_interrupt);
    rig_run(&r, "listen --json 8000");
    assert_string_equal(word_of(&r, 1), "dropped");
    rig_expect_printed(&r, "never acknowledged our SYN-ACK, sent 4 times", 1);
    assert_int_equal(rig_segments(&r, true, SEG_SYN), 4);
    rig_expect_int(&r, "verdict", "connections.dropped", 1);
    rig_free(&r);
}

/* The client is gone: exactly --count probes, --interval apart, after --idle of silence. */
static void a_client_that_falls_silent_is_lost(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.network.host.vanish_at = PORT_SIM_BEGINS + 100 * WAVE_S;
    rig_at(&r, WAVE_S, dial);
    rig_run(&r, "listen --json 8000 --idle 2h --interval 75s --count 3 --connections 1");
    rig_expect_verdict_after(&r, 4, "open", 0,
                             WAVE_S + RIG_DELAY + RTT + 7200 * WAVE_S + 3 * 75 * WAVE_S + SETTLE);
    rig_expect_int(&r, "verdict", "connections.lost", 1);
    assert_int_equal(rig_count(&r, "probe", NULL, NULL), 3);
    rig_expect_printed(&r, "\"answered\":true", 0);
    expect_contract(&r, 1);
    rig_free(&r);
}

static void a_living_client_is_kept(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.network.host.engine.keepalive = true;
    r.network.host.engine.keepalive_idle = 1000 * WAVE_S;
    rig_at(&r, WAVE_S, dial);
    rig_at(&r, 3600 * WAVE_S, rig_interrupt);
    rig_run(&r, "listen --json 8000 --idle 900s --interval 75s --count 3");
    rig_expect_printed(&r, "\"event\":\"probe\",", 3);
    rig_expect_printed(&r, "\"answered\":true", 3);
    rig_free(&r);

    /* And its own probes are answered where we have none. */
    rig_init(&r, HOST_DISCARD);
    r.network.host.engine.keepalive = true;
    r.network.host.engine.keepalive_idle = 1000 * WAVE_S;
    rig_at(&r, WAVE_S, dial);
    rig_at(&r, 3600 * WAVE_S, rig_interrupt);
    rig_run(&r, "listen --json 8000");
    assert_int_equal(
        json_integer_value(json_object_get(
            json_object_get(json_object_get(verdict_of(&r, 1), "keepalive"), "peer"), "probes")),
        3);
    rig_free(&r);
}

/* Queues */

/* RFC 4987, 3.6: beyond --half-open, SYNs are answered with cookies, which take no memory. A client
 * that returns one is served like any other. */
static void syn_cookies_serve_whoever_comes_back(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ANSWER_FIRST);
    rig_at(&r, WAVE_S, dial_many);
    rig_at(&r, 20 * WAVE_S, rig_interrupt);
    rig_run(&r, "listen --json 8000 --half-open 64 --close=active --discard");
    assert_int_equal(r.status, 128 + SIGINT);
    rig_expect_int(&r, "verdict", "connections.syn_cookies", 300 - 64);
    rig_expect_int(&r, "verdict", "connections.opened", 300);
    rig_free(&r);
}

static bool flood(struct command_rig *r, const struct rig_segment *s)
{
    (void)r; /* SYNs from ports up to 50299 are a flood: nothing that answers them arrives */
    return s->out && s->flow.rport < 50300;
}

static void after_a_flood_real_clients_are_served(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = flood;
    r.network.host.engine.syn_retries = 0;
    rig_at(&r, WAVE_S, dial_many);
    for (unsigned i = 0; i < 5; i++)
        rig_at(&r, WAVE_S + 100 * WAVE_MS, dial);
    rig_at(&r, 60 * WAVE_S, rig_interrupt);
    rig_run(&r, "listen --json 8000 --half-open 64 -d hello");
    /* The five, too, come while the queue is full. */
    rig_expect_int(&r, "verdict", "connections.syn_cookies", 300 - 64 + 5);
    rig_expect_int(&r, "verdict", "connections.open", 5);
    rig_expect_int(&r, "verdict", "connections.dropped", 64);
    rig_free(&r);
}

/* --max: no more at a time, and the rest is not answered with RST. */
static void no_more_at_a_time_than_max(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, WAVE_S, dial_many);
    rig_at(&r, 2 * WAVE_S, rig_interrupt);
    rig_run(&r, "listen --json 8000 --max 100 --close=passive");
    rig_expect_int(&r, "verdict", "connections.opened", 100);
    rig_free(&r);
}

/* More connections end at the same time than fit into one batch of segments: each gets its RST, and
 * each is reported. */
static void a_signal_resets_every_one_of_300(void **state)
{
    struct command_rig r;
    unsigned resets;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, WAVE_S, dial_many);
    rig_at(&r, 10 * WAVE_S, rig_interrupt);
    rig_run(&r, "listen --json 8000 --close=passive");
    assert_int_equal(r.status, 128 + SIGINT);
    resets = rig_segments(&r, true, SEG_RST);
    assert_int_equal(resets, 300);
    rig_expect_int(&r, "verdict", "connections.opened", 300);
    rig_expect_printed(&r, "\"side\":\"local\",\"from\":\"ESTABLISHED\",\"to\":\"CLOSED\"", 300);
    expect_contract(&r, 300);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_at(&r, WAVE_S, dial_many);
    rig_at(&r, 10 * WAVE_S, rig_interrupt);
    rig_run(&r, "listen -q 8000 --close=passive");
    assert_int_equal(rig_segments(&r, true, SEG_RST), 300);
    rig_free(&r);
}

/* Once as many have come as were asked for, the port is closed: the next one gets RST. */
static void the_one_after_the_last_is_refused(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, WAVE_S, dial);
    rig_at(&r, 2 * WAVE_S, dial);
    rig_run(&r, "listen --json 8000 -d x --hold 10s --connections 1");
    assert_int_equal(r.status, 0);
    rig_expect_int(&r, "verdict", "connections.opened", 1);
    assert_int_equal(rig_segment(&r, true, SEG_RST, 1)->flow.rport, 50001);
    assert_int_equal(rig_segment(&r, true, SEG_RST, 1)->at, 2 * WAVE_S + RIG_DELAY);
    rig_free(&r);
}

/* Ends */

static void the_timeout_is_no_failure_unless_more_were_asked_for(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "listen --json 8000 --timeout 1h");
    rig_expect_verdict(&r, "open", 0, 3600 * WAVE_S);
    rig_expect_int(&r, "verdict", "connections.opened", 0);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_at(&r, WAVE_S, dial);
    rig_run(&r, "listen --json 8000 -d x --timeout 1h --connections 2");
    rig_expect_verdict(&r, "failed", 1, 3600 * WAVE_S);
    rig_expect_part(&r, "verdict", "message", "1 of 2 connections had been served");
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_goes_to_everyone_and_connections_end_it),
        cmocka_unit_test(who_sends_nothing_does_not_count),
        cmocka_unit_test(the_time_runs_out_before_somebody_speaks),
        cmocka_unit_test(what_is_sent_comes_back),
        cmocka_unit_test(losses_change_nothing),
        cmocka_unit_test(active_and_passive),
        cmocka_unit_test(abort_resets_once_the_data_is_acknowledged),
        cmocka_unit_test(vanish_says_nothing),
        cmocka_unit_test(hold_delays_our_fin),
        cmocka_unit_test(linger_ends_a_client_that_never_closes),
        cmocka_unit_test(time_wait_is_kept_for_four_minutes),
        cmocka_unit_test(a_client_that_resets_is_counted_and_no_failure),
        cmocka_unit_test(a_handshake_without_end_is_dropped),
        cmocka_unit_test(a_client_that_falls_silent_is_lost),
        cmocka_unit_test(a_living_client_is_kept),
        cmocka_unit_test(syn_cookies_serve_whoever_comes_back),
        cmocka_unit_test(after_a_flood_real_clients_are_served),
        cmocka_unit_test(no_more_at_a_time_than_max),
        cmocka_unit_test(a_signal_resets_every_one_of_300),
        cmocka_unit_test(the_one_after_the_last_is_refused),
        cmocka_unit_test(the_timeout_is_no_failure_unless_more_were_asked_for),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
