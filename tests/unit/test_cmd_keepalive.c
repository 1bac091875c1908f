/*
 * Tests keepalive over a simulated network: hours of silence, probes, and each way in which a peer
 * can end. The times are the real defaults: two hours until the first probe, then ten probes 75 s
 * apart.
 */
#include <signal.h>
#include <string.h>

#include "tests/unit/command_rig.h"

#define RTT (2 * RIG_DELAY)
#define HOUR (3600 * WAVE_S)

/* Returns the probes that were reported, in order: '1' for one that was answered, else '0'. */
static const char *answers(const struct command_rig *r)
{
    static char text[300];
    size_t n = 0;

    for (size_t i = 0; i < r->events && n < sizeof text - 1; i++) {
        const json_t *e = r->event[i];
        if (strcmp(json_string_value(json_object_get(e, "event")), "probe") != 0)
            continue;
        text[n++] = json_is_true(json_object_get(e, "answered")) ? '1' : '0';
        assert_int_equal(json_integer_value(json_object_get(e, "n")), n);
    }
    text[n] = '\0';
    return text;
}

/* Returns the segment with probe `n`, counted from 1. It is one below SND.NXT (RFC 1122, 4.2.3.6).
 */
static const struct rig_segment *probe(const struct command_rig *r, unsigned n)
{
    uint32_t nxt = rig_segment(r, true, SEG_SYN, 1)->seg.seq.v + 1;

    for (size_t i = 0; i < r->segments; i++)
        if (r->segment[i].out && !(r->segment[i].seg.flags & SEG_SYN) &&
            r->segment[i].seg.seq.v == nxt - 1 && --n == 0)
            return &r->segment[i];
    fail();
    return NULL;
}

/* RFC 9293, 3.8.4: no probe before two hours of silence (MUST-26), and then one for each of
 * them. */
static void a_living_peer_is_probed_every_two_hours(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_DISCARD, v6);
        rig_run(&r, v6 ? "keepalive --json --for 5h " RIG_PEER6
                       : "keepalive --json --for 5h " RIG_PEER);
        rig_expect_verdict(&r, "open", 0, RTT + 5 * HOUR + RTT);
        assert_string_equal(answers(&r), "11");
        rig_expect_after(1, probe(&r, 1)->at, RTT + 2 * HOUR);
        rig_expect_after(1, probe(&r, 2)->at, probe(&r, 1)->at + RTT + 2 * HOUR);
        assert_int_equal(probe(&r, 1)->seg.len, 0);
        rig_expect_int(&r, "verdict", "keepalive.sent", 2);
        rig_expect_int(&r, "verdict", "keepalive.answered", 2);
        rig_expect_time(&r, "verdict", "keepalive.rtt.min", RTT);
        rig_expect_time(&r, "verdict", "keepalive.rtt.max", RTT);
        rig_expect_time(&r, "verdict", "keepalive.longest_silence",
                        probe(&r, 2)->at - probe(&r, 1)->at - RTT + RTT);
        rig_expect_part(&r, "verdict", "message", "is alive: 2 of 2 probes were answered");
        rig_free(&r);
    }
}

/* Ten probes, 75 s apart, and none of them answered: the peer is lost, and not a moment before. */
static void a_peer_that_falls_silent_is_lost_after_ten_probes(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.network.host.vanish_at = PORT_SIM_BEGINS + HOUR;
    rig_run(&r, "keepalive --json " RIG_PEER);
    rig_expect_verdict_after(&r, 11, "lost", 8, RTT + 2 * HOUR + 10 * 75 * WAVE_S);
    assert_string_equal(answers(&r), "0000000000");
    for (unsigned n = 2; n <= 10; n++)
        rig_expect_after(1, probe(&r, n)->at, probe(&r, n - 1)->at + 75 * WAVE_S);
    rig_expect_int(&r, "verdict", "keepalive.sent", 10);
    rig_expect_int(&r, "verdict", "keepalive.answered", 0);
    assert_true(json_is_null(rig_get(&r, "verdict", "keepalive.rtt")));
    rig_free(&r);
}

static void idle_interval_and_count_are_as_asked(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.network.host.vanish_at = PORT_SIM_BEGINS + WAVE_S;
    rig_run(&r, "keepalive --json --idle 10s --interval 3s --count 4 " RIG_PEER);
    rig_expect_verdict_after(&r, 5, "lost", 8, RTT + 10 * WAVE_S + 4 * 3 * WAVE_S);
    assert_string_equal(answers(&r), "0000");
    rig_free(&r);
}

/* Every third probe is lost. The answer to the next one resets the count. */
static bool one_in_three(struct command_rig *r, const struct rig_segment *s)
{
    unsigned *n = r->user;

    return s->out && s->at > WAVE_S && !(s->seg.flags & SEG_FIN) && s->at < 290 * WAVE_S &&
           ++*n % 3 == 0;
}

static void single_losses_do_not_end_it(void **state)
{
    struct command_rig r;
    unsigned n = 0;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = one_in_three;
    r.user = &n;
    rig_run(&r, "keepalive --json --idle 20s --interval 5s --count 2 --for 5m " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, RTT + 300 * WAVE_S + RTT);
    assert_non_null(strstr(answers(&r), "1101101101"));
    assert_null(strstr(answers(&r), "00"));
    rig_free(&r);
}

/* One byte of garbage (RFC 1122, 4.2.3.6, for old hosts) is never taken for data. */
static void garbage_is_one_byte_below(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "keepalive --json --garbage --for 3h " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, RTT + 3 * HOUR + RTT);
    assert_int_equal(probe(&r, 1)->seg.len, 1);
    assert_string_equal(answers(&r), "1");
    rig_expect_int(&r, "verdict", "sent_bytes", 0);
    rig_free(&r);
}

/* The path, or the peer, drops probes without data (RFC 1122, 4.2.3.6: some hosts do). */
static bool bare_probe(struct command_rig *r, const struct rig_segment *s)
{
    const bool *off = r->user;

    return s->out && !*off && s->at > WAVE_S && s->seg.len == 0 && s->seg.flags == SEG_ACK;
}

/* The last probe before the verdict carries a byte: a peer that answers that one lives. */
static void a_peer_that_answers_only_a_byte_lives(void **state)
{
    struct command_rig r;
    bool off = false;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_DISCARD, v6);
        r.lose = bare_probe;
        r.user = &off;
        rig_run(&r, v6 ? "keepalive --json --idle 1s --interval 1s --count 3 --for 9s " RIG_PEER6
                       : "keepalive --json --idle 1s --interval 1s --count 3 --for 9s " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", "open");
        assert_string_equal(answers(&r), "00100101" /* the last by the close */);
        assert_int_equal(probe(&r, 2)->seg.len, 0);
        assert_int_equal(probe(&r, 3)->seg.len, 1);
        assert_int_equal(rig_count(&r, "finding", "code", "deaf-to-probes"), 1);
        rig_expect_text(&r, "finding", "severity", "warning");
        rig_expect_text(&r, "finding", "message",
                        "the peer answered none of 5 keepalive probes without data, and answered "
                        "those with a byte");
        rig_expect_int(&r, "verdict", "received_bytes", 0);
        rig_free(&r);
    }
}

/* A single probe that was asked for is what it was asked to be; and no finding comes of losses. */
static void one_probe_has_no_byte(void **state)
{
    struct command_rig r;
    unsigned n = 0;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.network.host.vanish_at = PORT_SIM_BEGINS + WAVE_S;
    rig_run(&r, "keepalive --json --idle 2s --interval 1s --count 1 " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "lost");
    assert_int_equal(probe(&r, 1)->seg.len, 0);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    r.lose = one_in_three;
    r.user = &n;
    rig_run(&r, "keepalive --json --idle 20s --interval 5s --count 2 --for 5m " RIG_PEER);
    assert_int_equal(rig_count(&r, "finding", NULL, NULL), 0);
    rig_free(&r);
}

static void forget(struct command_rig *r)
{
    uint32_t id;

    rig_far(r, 0, &id);
    rig_far_forget(r, 0);
    stack_release(host_stack(port_sim_host(r->port)), id);
}

/* The peer has rebooted, and answers with RST. */
static void a_peer_that_forgot_the_connection_resets_it(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, 3 * HOUR, forget);
    rig_run(&r, "keepalive --json " RIG_PEER);
    assert_int_equal(r.status, 7);
    rig_expect_verdict(&r, "reset", 7, probe(&r, 2)->at + RTT);
    rig_expect_after(1, probe(&r, 2)->at, probe(&r, 1)->at + RTT + 2 * HOUR);
    rig_expect_part(&r, "verdict", "message",
                    "no longer knows the connection: RST answered probe 2");
    rig_free(&r);
}

static void reset_it(struct command_rig *r)
{
    rig_far_reset(r, 0);
}

static void a_reset_between_probes_ends_it(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, 3 * HOUR, reset_it);
    rig_run(&r, "keepalive --json " RIG_PEER);
    rig_expect_verdict(&r, "reset", 7, 3 * HOUR + RIG_DELAY);
    /* The hour of silence that ended so was not survived: the two before the probe were. */
    rig_expect_time(&r, "verdict", "keepalive.longest_silence",
                    probe(&r, 1)->at + RIG_DELAY + RIG_DELAY - RTT);
    rig_expect_text(&r, "finding", "code", "reset-when-idle");
    rig_expect_text(
        &r, "finding", "message",
        "the peer's side reset the connection after 2 h 59 min 59 s in which neither side sent "
        "anything but probes");
    assert_null(strstr(json_string_value(rig_get(&r, "verdict", "message")), "answered probe"));
    rig_free(&r);
}

static void close_it(struct command_rig *r)
{
    rig_far_close(r, 0);
}

static void a_peer_that_closes_ends_it_in_order(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, 3 * HOUR, close_it);
    rig_run(&r, "keepalive --json " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, 3 * HOUR + RIG_DELAY + RTT);
    rig_expect_text(&r, "verdict", "close.by", "peer");
    rig_expect_part(&r, "verdict", "message",
                    "closed the connection itself, with a FIN; until then 1 of 1 probe");
    rig_free(&r);
}

static void say(struct command_rig *r)
{
    rig_far_send(r, 0, "still here\n");
}

/* Any segment from the peer restarts the two hours. */
static void data_puts_the_probe_off(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, HOUR, say);
    rig_run(&r, "keepalive --json --for 200m " RIG_PEER);
    rig_expect_after(1, probe(&r, 1)->at, HOUR + RIG_DELAY + 2 * HOUR);
    assert_string_equal(answers(&r), "1");
    rig_expect_int(&r, "verdict", "received_bytes", 11);
    rig_free(&r);
}

/* That is how a run without --for ends: what was found stands. */
static void an_interruption_while_the_peer_lives_is_open(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, 3 * HOUR, rig_interrupt);
    rig_run(&r, "keepalive --json " RIG_PEER);
    assert_int_equal(r.status, 128 + SIGINT);
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_int(&r, "verdict", "exit", 128 + SIGINT);
    rig_expect_part(&r, "verdict", "message", "was alive until the interruption: 1 of 1 probe");
    assert_int_equal(rig_segment(&r, true, SEG_RST, 1)->at, 3 * HOUR);
    rig_free(&r);
}

static bool all_of_ours(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && s->at > WAVE_S / 2;
}

/* An ACK of the peer's for what we never sent. */
static void acknowledge_too_much(struct command_rig *r)
{
    struct seg s = rig_last(r, false)->seg;

    s.flags = SEG_ACK;
    s.seq = rig_last(r, true)->seg.ack;
    s.ack = seq_add(s.ack, 70000);
    rig_forge(r, &s, 0);
}

/* A peer is lost if it is silent. One whose answers fit nothing is not. */
static void a_peer_whose_answers_do_not_fit(void **state)
{
    struct command_rig r;

    (void)state;
    for (unsigned reply = 0; reply < 2; reply++) {
        rig_init(&r, HOST_DISCARD);
        r.lose = all_of_ours;
        if (reply) {
            rig_at(&r, 1200 * WAVE_MS, acknowledge_too_much);
            rig_at(&r, 2200 * WAVE_MS, acknowledge_too_much);
        }
        rig_run(&r, "keepalive --json --idle 1s --interval 1s --count 3 " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", reply ? "failed" : "lost");
        rig_expect_part(&r, "verdict", "message",
                        reply ? "2 segments of the peer's acknowledge bytes that we never sent"
                              : "stopped answering: 3 keepalive probes went unanswered");
        rig_free(&r);
    }
}

static bool data_of_ours(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && s->seg.len;
}

/* Where our data was never taken, it is not known that the peer lives. */
static void an_interruption_while_our_data_waits_is_none(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.lose = data_of_ours;
    rig_at(&r, 5 * WAVE_S, rig_interrupt);
    rig_run(&r, "keepalive --json --idle 1h -d hello " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "failed");
    rig_free(&r);
}

/* The peer's own probes, from after two hours of silence on, are answered and counted. */
static void the_peer_s_probes_are_answered_and_told(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.network.host.engine.keepalive = true;
    r.network.host.engine.keepalive_idle = 600 * WAVE_S;
    rig_run(&r, "keepalive --json --for 1h " RIG_PEER);
    rig_expect_verdict(&r, "open", 0, RTT + HOUR + RTT);
    rig_expect_int(&r, "verdict", "keepalive.peer.probes", 5);
    rig_expect_int(&r, "verdict", "keepalive.sent", 0);
    assert_non_null(rig_get(&r, "verdict", "keepalive.peer.after.median"));
    rig_free(&r);
}

static void an_interval_below_the_round_trip_is_a_usage_error(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "keepalive --json --interval 19ms " RIG_PEER);
    assert_int_equal(r.status, 2);
    rig_expect_int(&r, "verdict", "exit", 2);
    rig_expect_part(&r, "verdict", "message", "--interval 19ms is shorter than the round trip");
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 1); /* the connection is closed in order */
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "keepalive --json --idle 1s --interval 21ms --for 2s " RIG_PEER);
    assert_int_equal(r.status, 0);
    rig_free(&r);
}

/* A row for each probe, and one note where a Linux peer would not answer all of them. */
static void drawn_for_people(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "keepalive --width 80 --for 7h " RIG_PEER);
    rig_expect_printed(&r, " answered in 20.0 ms", 3);
    rig_expect_printed(&r, "keepalive  3 probes sent, 3 answered; longest silence survived", 1);
    rig_expect_printed(&r, "round trip min 20.0 ms", 1);
    rig_expect_printed(&r, "a Linux peer answers probes without data", 0);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "keepalive --ascii --width 80 --for 7h " RIG_PEER);
    for (const char *line = r.text, *end; (end = strchr(line, '\n')); line = end + 1)
        assert_true(end - line <= 80);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD);
    rig_run(&r, "keepalive --width 200 --idle 400ms --interval 400ms --for 2s " RIG_PEER);
    rig_expect_printed(&r, "a Linux peer answers probes without data", 1);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_living_peer_is_probed_every_two_hours),
        cmocka_unit_test(a_peer_that_falls_silent_is_lost_after_ten_probes),
        cmocka_unit_test(idle_interval_and_count_are_as_asked),
        cmocka_unit_test(single_losses_do_not_end_it),
        cmocka_unit_test(garbage_is_one_byte_below),
        cmocka_unit_test(a_peer_that_answers_only_a_byte_lives),
        cmocka_unit_test(one_probe_has_no_byte),
        cmocka_unit_test(a_peer_that_forgot_the_connection_resets_it),
        cmocka_unit_test(a_reset_between_probes_ends_it),
        cmocka_unit_test(a_peer_that_closes_ends_it_in_order),
        cmocka_unit_test(data_puts_the_probe_off),
        cmocka_unit_test(an_interruption_while_the_peer_lives_is_open),
        cmocka_unit_test(a_peer_whose_answers_do_not_fit),
        cmocka_unit_test(an_interruption_while_our_data_waits_is_none),
        cmocka_unit_test(the_peer_s_probes_are_answered_and_told),
        cmocka_unit_test(an_interval_below_the_round_trip_is_a_usage_error),
        cmocka_unit_test(drawn_for_people),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests_name("keepalive", tests, NULL, NULL);
}
