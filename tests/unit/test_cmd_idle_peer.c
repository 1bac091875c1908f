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
    rig_at(&r, IDLE_PROOF + 61 * WAVE_S, reset_nine);
    rig_at(&r, 2 * IDLE_PROOF + 122 * WAVE_S + 300 * WAVE_MS,
           reset_four); /* 61 s after the second pass began */
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
    rig_at(&r, IDLE_PROOF + at, act);
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
    rig_at(&r, IDLE_PROOF + 61 * WAVE_S, reset_nine);
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
    rig_at(&r, IDLE_PROOF + 61 * WAVE_S, reset_four);
    rig_at(&r, 2 * IDLE_PROOF + 122 * WAVE_S + 300 * WAVE_MS, reset_four); /* and once more */
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

/* Nothing passes while the host is away. */
static bool lose_while_away(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->at > 50 * WAVE_S && s->at < 75 * WAVE_S;
}

static void forget_eight(struct command_rig *r)
{
    for (unsigned n = 8; n--;)
        rig_far_forget(r, n);
}

/* It is away for so long that the data of a connection is given up, and then a new control
 * connection is opened. That one tells nothing of what was silent before. */
static void a_host_that_was_away_is_no_limit(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.disturbed = true;
    r.lose = lose_while_away;
    rig_at(&r, 60 * WAVE_S, forget_eight);
    rig_run(&r, "idle --json --to 10m " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_text(&r, "verdict", "idle.limit", "longer");
    rig_expect_int(&r, "verdict", "idle.samples.silent", 0);
    assert_true(idle_number(&r, "idle.samples.inconclusive") >= 1);
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
        rig_at(&r, 2 * IDLE_PROOF + 2 * i * WAVE_S, speak);
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

/*
 * A peer with a full accept queue. It has answered the SYN when it drops the third segment.
 */

/* What it drops. */
struct accepts {
    wave_time until;
    unsigned of;  /* of so many connections it holds the first: 1 all, 0 none but the control
                     connection, which comes first */
    bool control; /* it does not hold that one either */
    bool cookies; /* it forgets the connection; else it stays in SYN_RECEIVED */
};

/* Returns which of our SYNs opened the connection of that segment, from 0. */
static unsigned number_of(const struct command_rig *r, const struct rig_segment *s,
                          const struct rig_segment **syn)
{
    unsigned n = 0, found = 0;

    for (const struct rig_segment *t = r->segment; t < s; t++)
        if (t->out && (t->seg.flags & SEG_SYN)) {
            if (t->flow.lport == s->flow.lport) {
                found = n;
                *syn = t;
            }
            n++;
        }
    return found;
}

/* Our acknowledgements are dropped, and not our probes, which are one number older. */
static bool drop_third(struct command_rig *r, const struct rig_segment *s)
{
    const struct accepts *q = r->user;
    const struct rig_segment *syn = NULL;
    unsigned n;

    if (!s->out || (s->seg.flags & (SEG_SYN | SEG_RST)) || s->at >= q->until)
        return false;
    n = number_of(r, s, &syn);
    return (n ? !q->of || n % q->of : q->control) && s->seg.seq.v != syn->seg.seq.v;
}

static void run_queue(struct command_rig *r, enum host_behaviour peer, const struct accepts *q,
                      const char *words)
{
    rig_init(r, peer);
    r->network.host.half_open = q->cookies ? 0 : 256;
    r->disturbed = true;
    r->user = (void *)(uintptr_t)q;
    r->lose = drop_third;
    rig_run(r, words);
    assert_int_equal(rig_count(r, "idle", "outcome", "reset"), 0);
    assert_int_equal(rig_count(r, "idle", "outcome", "silent"), 0);
    rig_expect_int(r, "verdict", "idle.samples.reset", 0);
    assert_int_equal(json_array_size(rig_get(r, "verdict", "findings")), 0);
}

/* There is room again after a while, and each connection is held then. */
static void a_connection_that_the_peer_did_not_hold_is_opened_again(void **state)
{
    static const struct {
        enum host_behaviour peer;
        const char *words;
        int64_t alive;
    } of[] = {
        {HOST_DISCARD, "idle --json --to 2m " RIG_PEER, 12},
        {HOST_NEVER_CLOSES, "idle --json --state half-closed --to 2m " RIG_PEER, 12},
        {HOST_DISCARD, "idle --json --at-least 1m --parallel 6 " RIG_PEER, 6},
        {HOST_DISCARD, "idle --json --keepalive 20s --to 1m --parallel 6 " RIG_PEER, 6},
    };

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof of / sizeof *of; i++) {
        const struct accepts q = {.until = 5 * WAVE_S, .of = 3, .cookies = i % 2};
        struct command_rig r;

        run_queue(&r, of[i / 2].peer, &q, of[i / 2].words);
        rig_expect_text(&r, "verdict", "verdict", "open");
        assert_int_equal(r.status, 0);
        rig_expect_text(&r, "verdict", "idle.limit", "longer");
        rig_expect_int(&r, "verdict", "idle.samples.alive", of[i / 2].alive);
        rig_expect_int(&r, "verdict", "idle.samples.inconclusive", 0);
        assert_true(idle_number(&r, "idle.not_held") >= 3);
        rig_free(&r);
    }
}

/* The limit of the path is found all the same. */
static void a_full_queue_hides_no_limit(void **state)
{
    const struct accepts q = {.until = 5 * WAVE_S, .of = 3, .cookies = true};
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.network.host.half_open = 0;
    r.network.nat = 40 * WAVE_S;
    r.network.nat_resets = true;
    r.disturbed = true;
    r.user = (void *)(uintptr_t)&q;
    r.lose = drop_third;
    rig_run(&r, "idle --json " RIG_PEER);
    rig_expect_text(&r, "verdict", "idle.limit", "between");
    assert_true(idle_number(&r, "idle.survived") < 40 && idle_number(&r, "idle.died") >= 40);
    assert_true(idle_number(&r, "idle.not_held") >= 3);
    rig_free(&r);
}

/* Nothing is accepted any more: the run ends soon, and says why. */
static void a_queue_that_stays_full_is_told(void **state)
{
    struct command_rig r;

    (void)state;
    for (unsigned cookies = 0; cookies < 2; cookies++) {
        const struct accepts q = {.until = WAVE_NEVER, .cookies = cookies};

        run_queue(&r, HOST_DISCARD, &q, "idle --json --at-least 50s " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", "failed");
        assert_int_equal(r.status, 1);
        rig_expect_text(&r, "verdict", "idle.limit", "unknown");
        rig_expect_int(&r, "verdict", "idle.samples.inconclusive", 6);
        rig_expect_int(&r, "verdict", "idle.passes", 2);
        rig_expect_part(&r, "verdict", "message",
                        "; 6 connections are left out, since the peer did not take them, or did "
                        "not hold them after the handshake: its accept queue is likely full: try "
                        "fewer at a time (--parallel)");
        assert_int_equal(rig_count(&r, "idle", "note",
                                   cookies ? "not held by the peer: a RST answered its first probe"
                                           : "not held by the peer, which repeats its SYN-ACK"),
                         6);
        assert_true(json_number_value(rig_get(&r, "verdict", "time")) < (cookies ? 30 : 60));
        rig_free(&r);
    }
}

static void a_control_connection_that_is_not_held_ends_the_run(void **state)
{
    const struct accepts q = {.until = WAVE_NEVER, .control = true, .cookies = true};
    struct command_rig r;

    (void)state;
    run_queue(&r, HOST_DISCARD, &q, "idle --json " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "failed");
    rig_expect_part(&r, "verdict", "message",
                    "completes handshakes and does not hold the connections");
    assert_true(json_number_value(rig_get(&r, "verdict", "time")) < 30);
    rig_free(&r);
}

/* On a long path our SYN and the peer's SYN-ACK are repeated before the other side's answer comes.
 */
static void segments_that_cross_are_no_sign_of_a_full_queue(void **state)
{
    static const char *const words[] = {"idle --json --to 2m --sim rtt=1500ms sim:80",
                                        "idle --json --to 2m --sim rtt=3s sim:80",
                                        "idle --json --to 2m --sim rtt=0 sim:80"};
    struct command_rig r;

    (void)state;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        idle_run(&r, words[i]);
        rig_expect_text(&r, "verdict", "verdict", "open");
        rig_expect_int(&r, "verdict", "idle.samples.alive", 12);
        rig_expect_int(&r, "verdict", "idle.not_held", 0);
        rig_free(&r);
    }
}

static void the_table_tells_what_was_not_held(void **state)
{
    const struct accepts q = {.until = IDLE_PROOF + 500 * WAVE_MS, .of = 6, .cookies = true};
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.network.host.half_open = 0;
    r.disturbed = true;
    r.user = (void *)(uintptr_t)&q;
    r.lose = drop_third;
    rig_run(&r, "idle --to 1m --parallel 6 " RIG_PEER);
    rig_expect_printed(&r, "alive         the peer did not hold it at first\n", 5);
    rig_expect_printed(&r, "\nnot held    5 times: a RST answered the first probe\n", 1);
    rig_expect_printed(&r, "so does a peer whose accept queue is full", 1);
    rig_expect_printed(&r, "left out", 0);
    rig_free(&r);
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
        cmocka_unit_test(a_host_that_was_away_is_no_limit),
        cmocka_unit_test(a_service_that_is_there_later_than_its_host),
        cmocka_unit_test(a_dead_peer_is_lost_and_not_forgetful),
        cmocka_unit_test(a_death_while_the_control_connection_is_in_doubt_is_no_sample),
        cmocka_unit_test(a_peer_that_cannot_be_reached),
        cmocka_unit_test(a_peer_that_speaks_is_not_silent),
        cmocka_unit_test(a_peer_that_speaks_ends_the_search),
        cmocka_unit_test(a_connection_that_the_peer_did_not_hold_is_opened_again),
        cmocka_unit_test(a_full_queue_hides_no_limit),
        cmocka_unit_test(a_queue_that_stays_full_is_told),
        cmocka_unit_test(a_control_connection_that_is_not_held_ends_the_run),
        cmocka_unit_test(segments_that_cross_are_no_sign_of_a_full_queue),
        cmocka_unit_test(the_table_tells_what_was_not_held),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
