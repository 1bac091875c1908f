/* Tests load over a simulated network: what it counts, how it keeps to rate, concurrency and time,
 * and that it leaves no connection behind. A round trip takes 20 ms. */
#include <signal.h>
#include <string.h>

#include "tests/unit/command_rig.h"

#define RTT (2 * RIG_DELAY)

/* What the run counted, in the order in which its JSON has them: every connection is in exactly one
 * of the counts behind `opened`. */
static void expect_counts(const struct command_rig *r, int opened, int open, int refused,
                          int dropped, int rejected, int reset, int lost, int failed)
{
    static const char *const name[] = {"opened",   "open",  "refused", "dropped",
                                       "rejected", "reset", "lost",    "failed"};
    const int wanted[] = {opened, open, refused, dropped, rejected, reset, lost, failed};
    char path[40];

    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        snprintf(path, sizeof path, "connections.%s", name[i]);
        rig_expect_int(r, "verdict", path, wanted[i]);
    }
    rig_expect_int(r, "verdict", "connections.now", 0);
}

/* Returns how many connections are open at the same time, at most: from our SYN to our last
 * segment. */
static unsigned most_at_once(const struct command_rig *r)
{
    unsigned now = 0, max = 0;

    for (size_t i = 0; i < r->segments; i++) {
        const struct rig_segment *s = &r->segment[i];
        now += s->out && (s->seg.flags & SEG_SYN);
        now -= !s->out && (s->seg.flags & SEG_FIN);
        if (now > max)
            max = now;
    }
    return max;
}

static void each_connection_is_counted_and_timed(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_DISCARD, v6);
        rig_run(&r,
                v6 ? "load --json --rate-limit=off --connections 600 --concurrency 30 " RIG_PEER6
                   : "load --json --rate-limit=off --connections 600 --concurrency 30 " RIG_PEER);
        /* Twenty rounds of a handshake and a close each. */
        rig_expect_verdict(&r, "open", 0, 20 * 2 * RTT);
        expect_counts(&r, 600, 600, 0, 0, 0, 0, 0, 0);
        rig_expect_int(&r, "verdict", "latency.handshake.count", 600);
        rig_expect_int(&r, "verdict", "latency.close.count", 600);
        rig_expect_time(&r, "verdict", "latency.handshake.max", RTT);
        rig_expect_time(&r, "verdict", "latency.close.p50", RTT);
        rig_expect_int(&r, "verdict", "capture.dropped", 0);
        assert_int_equal(rig_segments(&r, true, SEG_SYN), 600);
        assert_int_equal(rig_segments(&r, false, SEG_FIN), 600);
        assert_int_equal(rig_segments(&r, true, SEG_RST), 0);
        assert_int_equal(most_at_once(&r), 30);
        rig_free(&r);
    }
}

static void data_and_first_bytes_are_counted(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ECHO);
    rig_run(&r, "load --json --connections 200 --concurrency 20 -d hello " RIG_PEER);
    assert_int_equal(r.status, 0);
    expect_counts(&r, 200, 200, 0, 0, 0, 0, 0, 0);
    rig_expect_int(&r, "verdict", "sent_bytes", 1000);
    rig_expect_int(&r, "verdict", "received_bytes", 1000);
    rig_expect_int(&r, "verdict", "latency.first_byte.count", 200);
    rig_expect_time(&r, "verdict", "latency.first_byte.max", RTT);
    rig_free(&r);
}

static void the_same_run_prints_the_same_bytes(void **state)
{
    (void)state;
    assert_true(rig_expect_repeatable(
                    HOST_ECHO, 1000, 7,
                    "load --json --connections 100 --concurrency 10 -d hello " RIG_PEER) > 0);
}

/* Every end that a connection can come to has its own count */

static void a_closed_port_is_refused(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_CLOSED);
    rig_run(&r, "load --json --connections 150 --concurrency 10 " RIG_PEER);
    assert_int_equal(r.status, 1);
    expect_counts(&r, 150, 0, 150, 0, 0, 0, 0, 0);
    /* A RST over a port without a past is believed: no SYN more than connections. */
    assert_int_equal(rig_segments(&r, true, SEG_SYN), 150);
    rig_expect_int(&r, "verdict", "ports.refused", 0);
    rig_free(&r);
}

static void silence_is_dropped(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_SILENT);
    rig_run(&r, "load --json --rate-limit=off --connections 10 --concurrency 10 " RIG_PEER);
    rig_expect_verdict_after(&r, 4, "failed", 1, 15 * WAVE_S);
    expect_counts(&r, 10, 0, 0, 10, 0, 0, 0, 0);
    assert_int_equal(rig_segments(&r, true, SEG_SYN), 40);
    rig_free(&r);
}

static void prohibit(struct command_rig *r)
{
    rig_icmp(r, 3, 13);
}

static void an_icmp_error_is_rejected(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_SILENT);
    for (unsigned i = 1; i <= 3; i++)
        rig_at(&r, i * 10 * WAVE_MS, prohibit);
    rig_run(&r, "load --json --connections 3 --concurrency 1 " RIG_PEER);
    rig_expect_verdict(&r, "failed", 1, 30 * WAVE_MS);
    expect_counts(&r, 3, 0, 0, 0, 3, 0, 0, 0);
    rig_free(&r);
}

static void a_reset_after_the_handshake_is_reset(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_RESETS);
    rig_run(&r, "load --json --connections 40 --concurrency 10 -d x " RIG_PEER);
    assert_int_equal(r.status, 1);
    expect_counts(&r, 40, 0, 0, 0, 0, 40, 0, 0);
    rig_free(&r);
}

static bool our_fins(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && (s->seg.flags & SEG_FIN);
}

static void silence_after_the_handshake_is_lost_at_give_up(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = our_fins;
    rig_run(
        &r,
        "load --json --rate-limit=off --connections 10 --concurrency 10 --give-up 30s " RIG_PEER);
    rig_expect_verdict_after(&r, 2, "failed", 1, RTT + 30 * WAVE_S);
    expect_counts(&r, 10, 0, 0, 0, 0, 0, 10, 0);
    rig_free(&r);
}

/* Loses the SYNs of every fourth port. The ports take turns, so that no lost connection hides
 * another. */
static bool syns_of_some(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && s->flow.lport % 4 == 0;
}

static void a_mix_is_told_apart(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = syns_of_some;
    rig_run(&r, "load --json --connections 40 --concurrency 40 --syn-retries 0 " RIG_PEER);
    assert_int_equal(r.status, 1);
    expect_counts(&r, 40, 30, 0, 10, 0, 0, 0, 0);
    rig_expect_part(&r, "verdict", "message",
                    "10 of 40 connections did not go as asked, 10 of them not answered");
    rig_free(&r);
}

static void losses_are_repaired(void **state)
{
    struct command_rig r;
    const json_t *again;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.network.forward.loss = r.network.reverse.loss = 1000;
    rig_run(
        &r,
        "load --json --connections 300 --concurrency 300 --syn-retries 8 --linger 60s " RIG_PEER);
    assert_int_equal(r.status, 0);
    expect_counts(&r, 300, 300, 0, 0, 0, 0, 0, 0);
    again = rig_get(&r, "verdict", "retransmissions");
    assert_true(json_integer_value(again) > 30);
    rig_free(&r);
}

/* How they are closed */

static void the_other_closes(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ANSWER_AND_FIN_FIRST);
    rig_run(&r, "load --json --connections 100 --concurrency 10 --close=passive " RIG_PEER);
    assert_int_equal(r.status, 0);
    expect_counts(&r, 100, 100, 0, 0, 0, 0, 0, 0);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load --json --connections 100 --concurrency 10 --close=abort " RIG_PEER);
    assert_int_equal(r.status, 0);
    expect_counts(&r, 100, 100, 0, 0, 0, 0, 0, 0);
    assert_int_equal(rig_segments(&r, true, SEG_RST), 100);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load --json --connections 10 --concurrency 10 --close=vanish " RIG_PEER);
    assert_int_equal(r.status, 0);
    expect_counts(&r, 10, 10, 0, 0, 0, 0, 0, 0);
    assert_int_equal(rig_segments(&r, true, SEG_RST) + rig_segments(&r, true, SEG_FIN), 0);
    rig_free(&r);
}

/* A peer that acknowledges our FIN and keeps its side open: --linger, and RST. */
static void linger_ends_a_peer_that_never_closes(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_NEVER_CLOSES);
    rig_run(
        &r,
        "load --json --rate-limit=off --connections 10 --concurrency 10 --linger 10m " RIG_PEER);
    assert_int_equal(rig_segments(&r, true, SEG_RST), 10);
    assert_int_equal(rig_segment(&r, true, SEG_RST, 1)->at, 2 * RTT + 600 * WAVE_S);
    rig_expect_int(&r, "verdict", "connections.opened", 10);
    rig_free(&r);
}

static void hold_keeps_them_open_for_an_hour(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r,
            "load --json --rate-limit=off --connections 20 --concurrency 20 --hold 1h " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, RTT + 3600 * WAVE_S + RTT);
    expect_counts(&r, 20, 20, 0, 0, 0, 0, 0, 0);
    rig_expect_int(&r, "progress", "connections.now", 20);
    assert_int_equal(rig_count(&r, "progress", NULL, NULL), 3600); /* once a second */
    rig_free(&r);
}

#define SILENT_FROM (10 * WAVE_S)
#define SILENT_FOR (600 * WAVE_MS)

static bool answers_for_a_while(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return !s->out && s->at >= SILENT_FROM && s->at < SILENT_FROM + SILENT_FOR;
}

/* Returns how many connections have sent a FIN by then. */
static unsigned closed_by(const struct command_rig *r, wave_time at)
{
    static bool seen[65536];
    unsigned n = 0;

    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < r->segments && r->segment[i].at <= at; i++) {
        const struct rig_segment *s = &r->segment[i];
        if (!s->out || !(s->seg.flags & SEG_FIN) || seen[s->flow.lport])
            continue;
        seen[s->flow.lport] = true;
        n++;
    }
    return n;
}

/* However many connections are to be closed at the same time, what answers that has to fit into the
 * capture's ring. So no more FINs are sent while a thousand are not answered; but those of a peer
 * that stays silent hold up the others for a quarter of a second at most. */
static void answers_set_the_pace_of_closing(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = answers_for_a_while;
    rig_run(&r, "load --json --rate-limit=off --connections 4000 --concurrency 4000 --hold 10s "
                "--source-port 10000 " RIG_PEER);
    expect_counts(&r, 4000, 4000, 0, 0, 0, 0, 0, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_in_range(closed_by(&r, SILENT_FROM + RTT + (i + 1) * 240 * WAVE_MS),
                        i ? (i + 1) * 1024 : 1000, (i + 1) * (1024 + 64));
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load --json --rate-limit=off --connections 4000 --concurrency 4000 --hold 10s "
                "--source-port 10000 " RIG_PEER);
    expect_counts(&r, 4000, 4000, 0, 0, 0, 0, 0, 0);
    rig_expect_int(&r, "verdict", "retransmissions", 0);
    assert_in_range(closed_by(&r, SILENT_FROM + 5 * RTT), 4000, 4000);
    rig_free(&r);
}

/* A thousand SYNs that are lost hold up the others until they are repeated, and no longer. */
static void silent_ones_do_not_hold_up_the_others(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = syns_of_some;
    rig_run(&r, "load --json --rate-limit=off --connections 6000 --concurrency 6000 "
                "--source-port 10000 " RIG_PEER);
    expect_counts(&r, 6000, 4500, 0, 1500, 0, 0, 0, 0);
    assert_in_range(closed_by(&r, WAVE_S), 1024, 4000);
    assert_int_equal(closed_by(&r, 2 * WAVE_S), 4500);
    rig_free(&r);
}

/* Rate and time */

static void a_rate_is_kept(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load --json --connections 101 --concurrency 50 --rate 10 " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 10 * WAVE_S + 2 * RTT);
    for (unsigned i = 0; i <= 100; i++)
        assert_int_equal(rig_segment(&r, true, SEG_SYN, i + 1)->at, i * 100 * WAVE_MS);
    rig_free(&r);

    /* To a public address no more than a thousand a second, unless that is lifted. */
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load --connections 100 --concurrency 100 " RIG_PEER);
    rig_expect_printed(&r, "at most 1,000 new connections a second", 1);
    assert_int_equal(rig_segment(&r, true, SEG_SYN, 100)->at, 99 * WAVE_MS);
    rig_free(&r);
}

/* A run that is to end by time ends then, in order: nothing is open, reset or lost. */
static void a_timeout_alone_is_how_it_was_meant_to_end(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load --json --concurrency 20 --rate 50 --timeout 1m " RIG_PEER);
    assert_int_equal(r.status, 0);
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_int(&r, "verdict", "connections.failed", 0);
    rig_expect_part(&r, "verdict", "message", "the timeout of 60.00 s ran out; all of");
    assert_true(r.segment[r.segments - 1].at <= 60 * WAVE_S);
    assert_int_equal(rig_segments(&r, true, SEG_RST), 0);
    rig_free(&r);
}

static void silent(struct command_rig *r, const char *words, const char *part)
{
    rig_init(r, HOST_SILENT);
    rig_run(r, words);
    rig_expect_verdict(r, "failed", 1, 2 * WAVE_S);
    expect_counts(r, 20, 0, 0, 0, 0, 0, 0, 20);
    rig_expect_part(r, "verdict", "message", part);
    rig_free(r);
}

static void what_waits_when_the_time_is_over_has_failed(void **state)
{
    struct command_rig r;

    (void)state;
    silent(&r, "load --json --rate-limit=off --timeout 2 --concurrency 20 " RIG_PEER,
           "20 of 20 connections did not go as asked, 20 of them still waiting for an answer");
    silent(&r,
           "load --json --rate-limit=off --timeout 2 --concurrency 20 --connections 20 " RIG_PEER,
           "20 of them cut off");

    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load --json --timeout 20 --connections 20 --concurrency 20 --hold 1h " RIG_PEER);
    rig_expect_verdict(&r, "failed", 1, 20 * WAVE_S);
    expect_counts(&r, 20, 0, 0, 0, 0, 0, 0, 20);
    rig_free(&r);

    /* Held, and no number asked for: as it was meant. */
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load --json --timeout 20 --concurrency 20 --hold 1h " RIG_PEER);
    assert_int_equal(r.status, 0);
    expect_counts(&r, 20, 20, 0, 0, 0, 0, 0, 0);
    assert_true(r.segment[r.segments - 1].at <= 20 * WAVE_S);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load --json --timeout 20 --connections 3 --close=passive " RIG_PEER);
    rig_expect_verdict(&r, "failed", 1, 20 * WAVE_S);
    expect_counts(&r, 3, 0, 0, 0, 0, 0, 0, 3);
    rig_free(&r);
}

static void fewer_than_asked_for_is_a_failure(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load --json --timeout 20 --connections 100000 --rate 50 " RIG_PEER);
    assert_int_equal(r.status, 1);
    rig_expect_text(&r, "verdict", "verdict", "failed");
    rig_expect_part(&r, "verdict", "message", "of 100,000 connections had been opened; ");
    rig_free(&r);
}

/* The first signal opens no more and closes what is open in order; the second resets that. */
static void a_signal_ends_it_in_order(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, 10 * WAVE_S, rig_interrupt);
    rig_run(&r, "load --json --concurrency 20 --rate 100 " RIG_PEER);
    assert_int_equal(r.status, 128 + SIGINT);
    rig_expect_int(&r, "verdict", "exit", 128 + SIGINT);
    rig_expect_int(&r, "verdict", "connections.reset", 0);
    /* Two had not been answered yet: their SYN-ACKs are, with RST. */
    assert_int_equal(rig_segments(&r, true, SEG_RST), 2);
    assert_int_equal(rig_segments(&r, true, SEG_FIN), rig_segments(&r, true, SEG_SYN) - 2);
    rig_free(&r);

    rig_init(&r, HOST_NEVER_CLOSES);
    rig_at(&r, 10 * WAVE_S, rig_interrupt);
    rig_at(&r, 10 * WAVE_S + 300 * WAVE_MS, rig_interrupt);
    rig_run(&r, "load --json --rate-limit=off --concurrency 20 --hold 1h " RIG_PEER);
    assert_int_equal(r.status, 128 + SIGINT);
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 20);
    assert_int_equal(rig_segments(&r, true, SEG_RST), 20);
    assert_int_equal(rig_segment(&r, true, SEG_RST, 1)->at, 10 * WAVE_S + 300 * WAVE_MS);
    rig_free(&r);

    /* A number was asked for: those that had not ended were cut off. */
    rig_init(&r, HOST_NEVER_CLOSES);
    rig_at(&r, 10 * WAVE_S, rig_interrupt);
    rig_run(&r, "load --json --rate-limit=off --connections 5 --hold 1h " RIG_PEER);
    expect_counts(&r, 5, 0, 0, 0, 0, 0, 0, 5);
    rig_expect_part(&r, "verdict", "message",
                    "5 of 5 connections did not go as asked, 5 of them cut off");
    rig_free(&r);
}

/* Ports */

/* Each connection gets a fresh port as long as there are any, and no port is used again before all
 * others have been used. */
static void ports_come_in_turn(void **state)
{
    struct command_rig r;
    bool used[200] = {false};

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load --json --connections 200 --concurrency 10 " RIG_PEER);
    rig_expect_int(&r, "verdict", "ports.local", 200);
    rig_expect_int(&r, "verdict", "ports.reused", 0);
    for (unsigned i = 1; i <= 200; i++) {
        uint16_t port = rig_segment(&r, true, SEG_SYN, i)->flow.lport;
        assert_in_range(port, RIG_LPORT, RIG_LPORT + 199);
        assert_false(used[port - RIG_LPORT]);
        used[port - RIG_LPORT] = true;
    }
    rig_free(&r);
}

static void more_at_a_time_than_ports_is_an_error(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    assert_int_equal(rig_run(&r, "load --json --concurrency 10001 " RIG_PEER), 3);
    rig_expect_text(&r, "verdict", "verdict", "local");
    rig_expect_part(&r, "verdict", "message", "10001 local ports");
    assert_int_equal(r.segments, 0);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    assert_int_equal(rig_run(&r, "load --json " RIG_PEER " " RIG_PEER), 3);
    rig_expect_part(&r, "verdict", "message", "is given twice");
    rig_free(&r);
}

/* For people */

static void a_table_at_the_end(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "load -v --connections 10 --rate-limit=off " RIG_PEER);
    rig_expect_printed(&r, "connections 10 opened ", 1);
    rig_expect_printed(&r, "10 as asked", 1);
    rig_expect_printed(&r, "p99.9", 1);
    rig_expect_printed(&r, " for 10 connections", 1);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    assert_int_equal(rig_run(&r, "load -q --connections 10 " RIG_PEER), 0);
    assert_int_equal(r.text_len, 0);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_connection_is_counted_and_timed),
        cmocka_unit_test(data_and_first_bytes_are_counted),
        cmocka_unit_test(the_same_run_prints_the_same_bytes),
        cmocka_unit_test(a_closed_port_is_refused),
        cmocka_unit_test(silence_is_dropped),
        cmocka_unit_test(an_icmp_error_is_rejected),
        cmocka_unit_test(a_reset_after_the_handshake_is_reset),
        cmocka_unit_test(silence_after_the_handshake_is_lost_at_give_up),
        cmocka_unit_test(a_mix_is_told_apart),
        cmocka_unit_test(losses_are_repaired),
        cmocka_unit_test(the_other_closes),
        cmocka_unit_test(linger_ends_a_peer_that_never_closes),
        cmocka_unit_test(hold_keeps_them_open_for_an_hour),
        cmocka_unit_test(answers_set_the_pace_of_closing),
        cmocka_unit_test(silent_ones_do_not_hold_up_the_others),
        cmocka_unit_test(a_rate_is_kept),
        cmocka_unit_test(a_timeout_alone_is_how_it_was_meant_to_end),
        cmocka_unit_test(what_waits_when_the_time_is_over_has_failed),
        cmocka_unit_test(fewer_than_asked_for_is_a_failure),
        cmocka_unit_test(a_signal_ends_it_in_order),
        cmocka_unit_test(ports_come_in_turn),
        cmocka_unit_test(more_at_a_time_than_ports_is_an_error),
        cmocka_unit_test(a_table_at_the_end),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
