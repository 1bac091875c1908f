/* Tests `tcpwave idle` over simulated networks in virtual time, where the peer closes, resets,
 * restarts, dies, refuses or speaks itself. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/idle_rig.h"

static void a_peer_that_closes_is_told_with_its_time(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --sim peer=closes-first,think=1m sim:80");
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_text(&r, "verdict", "idle.limit", "at");
    rig_expect_text(&r, "verdict", "idle.outcome", "closed");
    rig_expect_text(&r, "verdict", "idle.by", "peer");
    assert_true(idle_number(&r, "idle.died") >= 60 && idle_number(&r, "idle.died") < 60.1);
    assert_true(json_is_null(rig_get(&r, "verdict", "idle.keepalive")));
    rig_expect_int(&r, "verdict", "idle.samples.closed", 8 + 3);
    rig_expect_int(&r, "verdict", "idle.passes", 2); /* the second one confirms the first */
    rig_expect_part(&r, "verdict", "message",
                    "without the round trip that is 60.00 s, a round time");
    rig_expect_part(&r, "verdict", "message", "keepalive probes do not prevent it");
    idle_expect_finding(&r, "code", "closed-when-idle");
    rig_free(&r);
}

/* Reset, or close, the first `n` connections that the far end has; the control connection is one.
 */
static void reset_first(struct command_rig *r, unsigned n)
{
    while (n--)
        rig_far_reset(r, n);
}

static void close_first(struct command_rig *r, unsigned n)
{
    while (n--)
        rig_far_close(r, n);
}

static void reset_nine(struct command_rig *r)
{
    reset_first(r, 9);
}

static void reset_eight(struct command_rig *r)
{
    reset_first(r, 8);
}

static void close_eight(struct command_rig *r)
{
    close_first(r, 8);
}

static void reset_four(struct command_rig *r)
{
    reset_first(r, 4);
}

static void close_four(struct command_rig *r)
{
    close_first(r, 4);
}

static void a_reset_in_the_silence_is_the_limit(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, 61 * WAVE_S, reset_nine);
    rig_at(&r, 122 * WAVE_S + 300 * WAVE_MS, reset_four); /* 61 s after the second pass began */
    rig_run(&r, "idle --json " RIG_PEER);
    rig_expect_int(&r, "verdict", "idle.passes", 2);
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_text(&r, "verdict", "idle.limit", "at");
    rig_expect_text(&r, "verdict", "idle.outcome", "reset");
    assert_true(idle_number(&r, "idle.died") > 60 && idle_number(&r, "idle.died") < 61.1);
    rig_expect_text(&r, "verdict", "idle.by", "peer");
    rig_expect_part(&r, "verdict", "message", "is reset, likely by the peer, after 60.9");
    idle_expect_finding(&r, "code", "reset-when-idle");
    idle_expect_finding(&r, "certainty", "likely");
    /* The control connection was probed, and reset all the same. */
    rig_expect_part(&r, "verdict", "message", "keepalive probes do not prevent it");
    assert_true(json_is_null(rig_get(&r, "verdict", "idle.keepalive")));
    rig_free(&r);
}

/* A service that restarts: all its connections end at once, and it is there again. */
static void expect_restart(const char *words, wave_time at, void (*act)(struct command_rig *),
                           const char *part)
{
    struct command_rig r;

    rig_init(&r, HOST_DISCARD);
    r.disturbed = true;
    rig_at(&r, at, act);
    rig_run(&r, words);
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_text(&r, "verdict", "idle.limit", "longer");
    rig_expect_part(&r, "verdict", "message", part);
    rig_expect_int(&r, "verdict", "idle.samples.reset", 0);
    rig_expect_int(&r, "verdict", "idle.samples.closed", 0);
    assert_int_equal(json_array_size(rig_get(&r, "verdict", "findings")), 0);
    rig_free(&r);
}

static void one_event_is_no_limit(void **state)
{
    static const char search[] = "idle --json --to 10m " RIG_PEER;

    (void)state;
    expect_restart(search, 61 * WAVE_S, reset_eight,
                   "within 10 min 0 s of silence, the longest that was tried; connections were "
                   "reset after 60.9");
    expect_restart(search, 61 * WAVE_S, close_eight, "; connections were closed after 60.9");
    expect_restart("idle --json --at-least 2m " RIG_PEER, 61 * WAVE_S, reset_four,
                   "survives 2 min 0 s of silence; 3 of 3 lived; connections were reset");
    expect_restart("idle --json --keepalive 20s --to 2m " RIG_PEER, 61 * WAVE_S, close_four,
                   "holds an established connection open for 2 min 0 s; 3 of 3 lived");
}

static void an_end_seen_at_one_time_only_is_said_so(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.disturbed = true;
    rig_at(&r, 61 * WAVE_S, reset_nine);
    rig_at(&r, 90 * WAVE_S, rig_interrupt);
    rig_run(&r, "idle --json " RIG_PEER);
    rig_expect_text(&r, "verdict", "idle.limit", "at");
    rig_expect_part(&r, "verdict", "message", "at one time only, so that it may be a single event");
    assert_int_equal(json_array_size(rig_get(&r, "verdict", "findings")), 0);
    rig_free(&r);
}

/* Its probes are answered, and it is reset 61 s after it was opened. */
static void an_end_in_spite_of_probes_is_told_by_its_age(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, 61 * WAVE_S, reset_four);
    rig_at(&r, 122 * WAVE_S + 300 * WAVE_MS, reset_four); /* and once more */
    rig_run(&r, "idle --json --keepalive 20s --to 5m " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "failed");
    rig_expect_part(
        &r, "verdict", "message",
        "0 of 6 lived: an established connection is reset, likely by the peer, after 6");
    assert_true(idle_number(&r, "idle.died") > 60 && idle_number(&r, "idle.died") < 61.1);
    idle_expect_finding(&r, "code", "reset-when-idle");
    rig_expect_part(&r, "finding", "message", "in spite of keepalive probes");
    rig_free(&r);
}

/* A server that closes when its client does has no timer of half-closed connections. */
static void a_fin_right_after_ours_is_no_finding(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --state half-closed --sim peer=echo sim:80");
    assert_int_equal(json_array_size(rig_get(&r, "verdict", "findings")), 0);
    rig_free(&r);
}

/* The RST that answers the control connection's probe spoils what is silent then, and the pass is
 * repeated. */
static void a_reboot_is_no_limit(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --to 20m --sim peer=reboots@5m sim:80");
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_text(&r, "verdict", "idle.limit", "longer");
    assert_true(idle_number(&r, "idle.survived") >= 1200);
    assert_true(idle_number(&r, "idle.samples.inconclusive") >= 1);
    rig_expect_int(&r, "verdict", "idle.samples.reset", 0);
    rig_free(&r);
}

/* What we send is refused as long as `user` says, after the connections of the far end have gone.
 */
static bool lose_while_down(struct command_rig *r, const struct rig_segment *s)
{
    const wave_time up = *(const wave_time *)r->user;

    return s->out && s->at > 61 * WAVE_S && s->at < up;
}

static void refuse(struct command_rig *r)
{
    const struct rig_segment *s = rig_last(r, true);
    const struct seg rst = {.ack = seq_add(s->seg.seq, 1), .flags = SEG_RST | SEG_ACK};

    if (s->seg.flags == SEG_SYN && rig_now(r) < *(const wave_time *)r->user)
        rig_forge(r, &rst, 64);
}

/* The host is there at once, and its service `up` after the beginning of the run. */
static void run_refused(struct command_rig *r, wave_time *up)
{
    rig_init(r, HOST_DISCARD);
    r->disturbed = true;
    r->user = up;
    r->lose = lose_while_down;
    rig_at(r, 61 * WAVE_S, reset_eight);
    for (unsigned i = 1; i <= 60; i++)
        rig_at(r, 61 * WAVE_S + i * 200 * WAVE_MS, refuse);
    rig_run(r, "idle --json --to 10m " RIG_PEER);
}

static void a_service_that_is_there_later_than_its_host(void **state)
{
    wave_time up = 64 * WAVE_S;
    struct command_rig r;

    (void)state;
    run_refused(&r, &up);
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_text(&r, "verdict", "idle.limit", "longer");
    rig_free(&r);
    up = WAVE_H;
    run_refused(&r, &up);
    rig_expect_text(&r, "verdict", "verdict", "failed");
    rig_expect_part(&r, "verdict", "message", "refuses new connections");
    assert_true(json_number_value(rig_get(&r, "verdict", "time")) > 68); /* half of 15 s */
    rig_free(&r);
}

static void a_dead_peer_is_lost_and_not_forgetful(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --sim peer=vanishes@5m sim:80");
    rig_expect_text(&r, "verdict", "verdict", "lost");
    assert_int_equal(r.status, 8);
    rig_expect_int(&r, "verdict", "idle.samples.silent", 0);
    rig_expect_part(&r, "verdict", "message", "until then 4 min 7 s of silence was survived");
    rig_free(&r);
}

/* It dies a second before the silence of a connection is over. Nothing answers that connection, but
 * nothing answers the control connection since, either. */
static void a_death_while_the_control_connection_is_in_doubt_is_no_sample(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --give-up 2s --sim peer=vanishes@246s sim:80");
    rig_expect_text(&r, "verdict", "verdict", "lost");
    rig_expect_int(&r, "verdict", "idle.samples.silent", 0);
    assert_int_equal(rig_count(&r, "idle", "outcome", "silent"), 0);
    rig_free(&r);
}

static void a_peer_that_cannot_be_reached(void **state)
{
    (void)state;
    idle_expect_end("idle --json --sim peer=closed sim:80", "refused", 4, "RST answered our SYN");
    idle_expect_end("idle --json --sim peer=silent sim:80", "dropped", 5,
                    "nothing answered 4 SYNs");
}

/* The far end speaks every two seconds on the first connection that is silent. */
static void speak(struct command_rig *r)
{
    rig_far_send(r, 1, "x");
}

static void a_peer_that_speaks_is_not_silent(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.disturbed = true;
    for (unsigned i = 1; i <= 4; i++)
        rig_at(&r, 2 * i * WAVE_S, speak);
    rig_run(&r, "idle --json --to 20s --parallel 2 " RIG_PEER);
    assert_int_equal(rig_count(&r, "idle", "outcome", "inconclusive"), 1);
    rig_free(&r);
}

/* The far end speaks on each connection that it has. */
static void speak_on_all(struct command_rig *r)
{
    struct stack *s = host_stack(port_sim_host(r->port));
    uint32_t cursor = 0, id;

    while ((id = stack_next(s, &cursor)) != STACK_NONE) {
        if (conn_state(stack_conn(s, id)) != STATE_ESTABLISHED)
            continue;
        conn_send(stack_conn(s, id), port_now(r->port), "x", 1);
        stack_changed(s, port_now(r->port), id);
    }
}

static void expect_hindered(const char *words, const char *part, int64_t passes)
{
    struct command_rig r;

    rig_init(&r, HOST_DISCARD);
    r.disturbed = true;
    for (unsigned i = 1; i <= 60; i++)
        rig_at(&r, i * WAVE_S, speak_on_all);
    rig_run(&r, words);
    rig_expect_text(&r, "verdict", "verdict", "failed");
    assert_int_equal(r.status, 1);
    rig_expect_part(&r, "verdict", "message", part);
    rig_expect_part(&r, "verdict", "message",
                    "; the peer itself sends at intervals of about 1.00 s, so that a longer "
                    "silence cannot be made");
    rig_expect_int(&r, "verdict", "idle.passes", passes);
    rig_free(&r);
}

static void a_peer_that_speaks_ends_the_search(void **state)
{
    (void)state;
    expect_hindered("idle --json --from 500ms --to 6s --parallel 6 " RIG_PEER,
                    "the longest that is over; the peer", 3);
    expect_hindered("idle --json --at-least 5s " RIG_PEER, "to say anything", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_closes_is_told_with_its_time),
        cmocka_unit_test(a_reset_in_the_silence_is_the_limit),
        cmocka_unit_test(one_event_is_no_limit),
        cmocka_unit_test(an_end_seen_at_one_time_only_is_said_so),
        cmocka_unit_test(an_end_in_spite_of_probes_is_told_by_its_age),
        cmocka_unit_test(a_fin_right_after_ours_is_no_finding),
        cmocka_unit_test(a_reboot_is_no_limit),
        cmocka_unit_test(a_service_that_is_there_later_than_its_host),
        cmocka_unit_test(a_dead_peer_is_lost_and_not_forgetful),
        cmocka_unit_test(a_death_while_the_control_connection_is_in_doubt_is_no_sample),
        cmocka_unit_test(a_peer_that_cannot_be_reached),
        cmocka_unit_test(a_peer_that_speaks_is_not_silent),
        cmocka_unit_test(a_peer_that_speaks_ends_the_search),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
