/* Tests `tcpwave idle` over simulated networks in virtual time: paths and peers that forget, close
 * or lose, and what it says of each. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/idle_rig.h"

/* The verdict says that the limit lies between two silences around `limit` seconds that differ by
 * `percent` at most. */
static void expect_between(const struct command_rig *r, double limit, double percent)
{
    const double low = idle_number(r, "idle.survived"), high = idle_number(r, "idle.died");

    rig_expect_text(r, "verdict", "idle.limit", "between");
    if (low >= limit || high < limit || high > low * (100 + percent) / 100 + 0.001) {
        print_error("%f to %f, and not around %f\n", low, high, limit);
        fail();
    }
}

static void expect_limit(const char *words, const char *how, double limit, double percent)
{
    struct command_rig r;

    idle_run(&r, words);
    rig_expect_text(&r, "verdict", "verdict", "open");
    assert_int_equal(r.status, 0);
    expect_between(&r, limit, percent);
    rig_expect_text(&r, "verdict", "idle.outcome", how);
    rig_expect_text(&r, "verdict", "idle.by", "path");
    rig_expect_part(&r, "verdict", "message", "the path forgets an established connection");
    assert_true(idle_number(&r, "idle.keepalive") <= limit / 2);
    assert_true(idle_number(&r, "idle.keepalive") >= limit / 2.3);
    idle_expect_finding(&r, "code", "forgotten-when-idle");
    idle_expect_finding(&r, "certainty", "proved");
    idle_expect_finding(&r, "subject", "path");
    rig_free(&r);
}

/*
 * The path
 */

static void a_path_that_forgets_is_found(void **state)
{
    (void)state;
    expect_limit("idle --json --sim nat=5m sim:80", "silent", 300, 5);
    expect_limit("idle --json --sim nat=5m/rst sim:80", "reset", 300, 5);
    expect_limit("idle --json -6 --sim nat=5m sim:80", "silent", 300, 5);
    expect_limit("idle --json -6 --sim nat=5m/rst sim:80", "reset", 300, 5);
    expect_limit("idle --json --from 1s --to 10s --sim nat=4s sim:80", "silent", 4, 5);
}

static void long_limits_to_a_percent(void **state)
{
    (void)state;
    expect_limit("idle --json --precision 1 --sim nat=5m sim:80", "silent", 300, 1);
    expect_limit("idle --json --precision 1 --to 4h --sim nat=124m sim:80", "silent", 7440, 1);
    expect_limit("idle --json --precision 1 --from 1h --to 48h --sim nat=24h sim:80", "silent",
                 86400, 1);
}

static void lost_segments_are_not_forgotten_connections(void **state)
{
    char words[100];
    unsigned retransmitted = 0;

    (void)state;
    for (unsigned seed = 1; seed <= 100; seed++) {
        struct command_rig r;

        snprintf(words, sizeof words, "idle --json %s --sim nat=5m%s,loss=10%%,seed=%u sim:80",
                 seed % 2 ? "-4" : "-6", seed % 4 < 2 ? "" : "/rst", seed);
        idle_run(&r, words);
        retransmitted += rig_count(&r, "idle", "note", "answered after a retransmission");
        rig_expect_text(&r, "verdict", "verdict", "open");
        expect_between(&r, 300, 5);
        rig_free(&r);
    }
    assert_true(retransmitted > 100);
}

static void sixty_four_at_a_time_on_a_bad_path(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --parallel 64 --to 24h --sim nat=2h,loss=30% sim:80");
    rig_expect_text(&r, "verdict", "verdict", "open");
    expect_between(&r, 7200, 5);
    rig_free(&r);
}

static void nothing_that_forgets_is_said_so(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --sim peer=discard sim:80");
    rig_expect_text(&r, "verdict", "verdict", "open");
    assert_int_equal(r.status, 0);
    rig_expect_text(&r, "verdict", "idle.limit", "longer");
    assert_true(idle_number(&r, "idle.survived") >= 3600 &&
                idle_number(&r, "idle.survived") < 3601);
    rig_expect_int(&r, "verdict", "idle.samples.alive", 12);
    assert_int_equal(json_array_size(rig_get(&r, "verdict", "findings")), 0);
    rig_expect_part(&r, "verdict", "message",
                    "within 1 h 0 min 0 s of silence, the longest that was tried");
    assert_int_equal(rig_count(&r, "idle", "outcome", "alive"), 12);
    assert_true(rig_count(&r, "progress", NULL, NULL) >= 60);
    rig_free(&r);
}

/* The control connection is forgotten as well, and then probed more often. */
static void a_limit_below_the_range_is_said_so(void **state)
{
    (void)state;
    idle_expect_end("idle --json --sim nat=3s sim:80", "open", 0,
                    "within 10.00 s of silence, the shortest that was tried, the path forgets");
    idle_expect_end("idle --json --sim nat=3s/rst sim:80", "open", 0, "give a shorter --from");
}

/* Five minutes, two hours and four minutes, a day. */
static void limits_to_the_second(void **state)
{
    static const struct {
        const char *words;
        double limit;
    } of[] = {
        {"idle --json --precision 0.3 --sim nat=5m sim:80", 300},
        {"idle --json --precision 0.013% --to 4h --sim nat=124m sim:80", 7440},
        {"idle --json --precision 0.001 --from 1h --to 48h --sim nat=24h sim:80", 86400},
        {"idle --json -6 --precision 0.3 --sim nat=299s sim:80", 299},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof of / sizeof *of; i++) {
        struct command_rig r;

        idle_run(&r, of[i].words);
        expect_between(&r, of[i].limit, 0.3);
        assert_true(idle_number(&r, "idle.died") - idle_number(&r, "idle.survived") <= 1);
        assert_true(idle_number(&r, "idle.passes") <= 6);
        rig_free(&r);
    }
}

static void the_sentence_encloses_the_limit(void **state)
{
    (void)state;
    idle_expect_end("idle --json --precision 0.3 --sim nat=5m sim:80", "open", 0,
                    "between 4 min 59 s and 5 min 1 s of silence the path forgets");
    idle_expect_end("idle --json --precision 0.01 --from 10s --to 20s --sim nat=15s sim:80", "open",
                    0, "between 14.999 s and 15.000 s of silence the path forgets");
}

/*
 * Questions
 */

static void at_least_is_a_test(void **state)
{
    (void)state;
    idle_expect_end("idle --json --at-least 4m --sim nat=5m sim:80", "open", 0,
                    "survives 4 min 0 s of silence; 3 of 3 lived");
    idle_expect_end("idle --json --at-least 6m --sim nat=5m sim:80", "failed", 1,
                    "does not survive 6 min 0 s of silence; 0 of 3 lived");
    idle_expect_end("idle --json --at-least 6m --sim nat=5m/rst sim:80", "failed", 1,
                    "a RST answers");
}

/* That all of one silence died does not tell after which part of it. */
static void a_test_that_fails_tells_no_time(void **state)
{
    static const char *const words[] = {"idle --json --at-least 10m --sim nat=5m sim:80",
                                        "idle --json --keepalive 10m --to 1h --sim nat=5m sim:80",
                                        "idle --json --from 10m --sim nat=5m sim:80"};

    (void)state;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        struct command_rig r;

        idle_run(&r, words[i]);
        rig_expect_part(&r, "finding", "message",
                        "something on the path forgets connections within 10 min 0 s of silence");
        rig_free(&r);
    }
}

static void an_interval_of_keepalive_holds_or_does_not(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --keepalive 4m --to 30m --sim nat=5m sim:80");
    assert_int_equal(r.status, 0);
    rig_expect_part(&r, "verdict", "message",
                    "a probe every 4 min 0 s holds an established connection open for 30 min 0 s");
    assert_true(json_number_value(rig_get(&r, "verdict", "time")) >= 1800);
    rig_free(&r);
    idle_expect_end("idle --json --keepalive 6m --to 30m --sim nat=5m sim:80", "failed", 1,
                    "does not hold");
}

static void half_closed_connections_have_a_limit_of_their_own(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --state half-closed --sim nat=5m,peer=never-closes sim:80");
    expect_between(&r, 300, 5);
    rig_expect_part(&r, "verdict", "message", "the path forgets a half-closed connection silently");
    rig_expect_text(&r, "verdict", "idle.by", "path");
    rig_free(&r);
    idle_expect_end("idle --json --state half-closed --sim peer=echo sim:80", "open", 0,
                    "the peer sends its own FIN ");
}

/* The simulated peer repeats its SYN-ACK after 1, 3, 7, 15 and 31 s, which the NAT counts, and so
 * on to 127 s; it gives up after 255 s. */
static void half_open_connections_have_a_limit_of_their_own(void **state)
{
    static const char *const family[] = {"-4", "-6"};
    struct command_rig r;
    char words[100];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        snprintf(words, sizeof words, "idle --json %s --state syn-received --sim nat=30s sim:80",
                 family[i]);
        idle_run(&r, words);
        expect_between(&r, 61, 5);
        rig_expect_part(&r, "verdict", "message",
                        "the path forgets a half-open connection silently");
        rig_expect_text(&r, "verdict", "idle.by", "path");
        assert_true(json_is_null(rig_get(&r, "verdict", "idle.keepalive")));
        idle_expect_finding(&r, "code", "forgotten-when-idle");
        rig_free(&r);
    }
    idle_run(&r, "idle --json --state syn-received --precision 1 --sim peer=echo sim:80");
    expect_between(&r, 247, 4);
    rig_expect_text(&r, "verdict", "idle.outcome", "reset");
    rig_expect_text(&r, "verdict", "idle.by", "peer");
    rig_expect_part(&r, "verdict", "message", "likely the peer forgets a half-open connection");
    idle_expect_finding(&r, "certainty", "likely");
    rig_free(&r);
}

/* On a short path the RST that answers the third segment comes before the probe leaves. It is no
 * end that was seen in the silence. */
static void a_rst_for_the_third_segment_ends_no_silence(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --state syn-received --sim nat=30s/rst,rtt=100us sim:80");
    expect_between(&r, 61, 5);
    rig_expect_text(&r, "verdict", "idle.outcome", "reset");
    rig_free(&r);
}

/* Nothing of ours leaves but the SYN until the silence is over, and then the third segment before
 * the probe. */
static void a_half_open_connection_is_silent(void **state)
{
    struct command_rig r;
    const struct rig_segment *of[4] = {NULL};
    unsigned n = 0;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.disturbed = true;
    rig_run(&r, "idle --json --state syn-received --at-least 20s --parallel 1 " RIG_PEER);
    assert_int_equal(r.status, 0);
    for (size_t i = 0; i < r.segments && n < 4; i++)
        if (r.segment[i].out && r.segment[i].flow.lport != r.segment[0].flow.lport)
            of[n++] = &r.segment[i];
    assert_int_equal(of[0]->seg.flags, SEG_SYN);
    assert_int_equal(of[1]->seg.flags, SEG_ACK);
    assert_true(of[1]->at - of[0]->at >= 20 * WAVE_S);
    assert_int_equal(of[1]->seg.seq.v, of[0]->seg.seq.v + 1);
    assert_int_equal(of[2]->seg.seq.v, of[0]->seg.seq.v); /* the probe */
    rig_free(&r);
}

/*
 * Who it was
 */

/* Our segments are lost from a time on, except those of the control connection and SYNs. */
static bool lose_ours(struct command_rig *r, const struct rig_segment *s)
{
    return s->out && s->at > 25 * WAVE_S && !(s->seg.flags & SEG_SYN) &&
           s->flow.lport != r->segment[0].flow.lport;
}

static void err(struct command_rig *r)
{
    rig_icmp(r, 3, 13);
}

static void an_icmp_error_is_told_with_its_sender(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.disturbed = true;
    r.lose = lose_ours;
    for (unsigned i = 0; i < 20; i++) /* the last segment is not always one of the data */
        rig_at(&r, 2 * IDLE_PROOF + 36500 * WAVE_MS + i * 97 * WAVE_MS, err);
    rig_run(&r, "idle --json --at-least 30s --parallel 1 " RIG_PEER);
    assert_int_equal(r.status, 1);
    rig_expect_text(&r, "verdict", "idle.outcome", "icmp");
    rig_expect_int(&r, "verdict", "idle.samples.icmp", 1);
    rig_expect_text(&r, "verdict", "idle.by", "path");
    rig_expect_part(&r, "verdict", "message", "an ICMP error answers what comes later");
    rig_free(&r);
}

/* One that quotes another number than that of our probe. */
static void forged_err(struct command_rig *r)
{
    struct rig_segment *s = (struct rig_segment *)(uintptr_t)rig_last(r, true);

    s->seg.seq = seq_add(s->seg.seq, 1000);
    rig_icmp(r, 3, 13);
    s->seg.seq = seq_sub(s->seg.seq, 1000);
}

/* In half-closed nothing is in flight, so that only an error for the very probe counts. */
static void an_icmp_error_for_a_probe_while_half_closed(void **state)
{
    struct command_rig r;

    (void)state;
    for (unsigned forged = 0; forged < 2; forged++) {
        rig_init(&r, HOST_NEVER_CLOSES);
        r.disturbed = true;
        r.lose = lose_ours;
        for (unsigned i = 0; i < 60;
             i++) /* the last segment is not always one of this connection */
            rig_at(&r, 2 * IDLE_PROOF + 30500 * WAVE_MS + i * 97 * WAVE_MS,
                   forged ? forged_err : err);
        rig_run(&r, "idle --json --state half-closed --at-least 30s --parallel 1 " RIG_PEER);
        assert_int_equal(r.status, 1);
        assert_true(rig_count(&r, "icmp", NULL, NULL) > 0);
        rig_expect_text(&r, "verdict", "idle.outcome", forged ? "silent" : "icmp");
        rig_free(&r);
    }
}

static void say_something(struct command_rig *r)
{
    rig_far_send(r, 1, "x");
}

/* The far end goes on sending: it still has the connection, and only our segments are dropped. */
static void data_of_the_peer_show_that_it_has_the_connection(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.disturbed = true;
    r.lose = lose_ours;
    rig_at(&r, 2 * IDLE_PROOF + 33 * WAVE_S, say_something);
    rig_at(&r, 2 * IDLE_PROOF + 39 * WAVE_S, say_something);
    rig_run(&r, "idle --json --at-least 30s --parallel 1 " RIG_PEER);
    assert_int_equal(r.status, 1);
    rig_expect_text(&r, "idle", "outcome", "silent");
    rig_expect_text(&r, "idle", "by", "path");
    rig_expect_text(&r, "verdict", "idle.by", "path");
    idle_expect_finding(&r, "certainty", "proved");
    rig_free(&r);
}

/* A device sends RST to both ends: ours has the device's TTL. */
static void reset_both(struct command_rig *r)
{
    const struct rig_segment *s = rig_last(r, true); /* the third segment of the connection */
    const struct seg rst = {.seq = s->seg.ack, .flags = SEG_RST};

    rig_far_forget(r, 1);
    rig_forge(r, &rst, 61);
}

static void the_ttl_of_a_rst_tells_who_sent_it(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, IDLE_PROOF + 1700 * WAVE_MS, reset_both);
    rig_at(&r, IDLE_PROOF + 3420 * WAVE_MS, reset_both); /* so long into the second pass */
    rig_run(&r, "idle --json --at-least 10s --parallel 1 " RIG_PEER);
    rig_expect_text(&r, "verdict", "idle.outcome", "reset");
    rig_expect_text(&r, "verdict", "idle.by", "path");
    rig_expect_text(&r, "idle", "note", "the RST has another TTL than the peer's segments");
    idle_expect_finding(&r, "certainty", "likely");
    rig_free(&r);
}

/* The probes of the silent connections are answered with RST before that of the control connection
 * is, which shows that it was no silence that killed them. */
static void a_reboot_fails_no_test(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --at-least 9s --sim peer=reboots@5s sim:80");
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_int(&r, "verdict", "idle.samples.reset", 0);
    rig_expect_int(&r, "verdict", "idle.samples.inconclusive", 3);
    rig_free(&r);
}

/* What the inquest provokes is no finding of its own. */
static void no_finding_but_its_own(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --json --sim nat=5m sim:80");
    assert_int_equal(rig_count(&r, "finding", NULL, NULL), 1);
    rig_free(&r);
    idle_run(&r, "idle --json --sim nat=5m/rst sim:80");
    assert_int_equal(rig_count(&r, "finding", NULL, NULL), 1);
    rig_free(&r);
}

/*
 * A run that ends early, and this host
 */

static void an_interruption_tells_what_is_known(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    rig_at(&r, 100 * WAVE_S, rig_interrupt);
    rig_run(&r, "idle --json " RIG_PEER);
    assert_int_equal(r.status, 128 + SIGINT);
    rig_expect_part(&r, "verdict", "message", "interrupted by a signal; so far: nothing forgets");
    rig_expect_part(&r, "verdict", "message",
                    "within 85.03 s of silence, the longest that is over");
    rig_free(&r);
    idle_expect_end("idle --json --timeout 200 --sim nat=5m sim:80", "failed", 1,
                    "the timeout of 3 min 20 s ran out; so far: nothing forgets");
}

static void suspend(struct command_rig *r)
{
    r->platform.asleep += WAVE_H;
}

static void a_silence_in_which_the_host_slept_says_nothing(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.disturbed = true;
    rig_at(&r, 2 * IDLE_PROOF + 20 * WAVE_S, suspend);
    rig_run(&r, "idle --to 1m --parallel 4 " RIG_PEER);
    rig_expect_printed(&r, "22.13 s             inconclusive  this host was suspended meanwhile",
                       2);
    rig_expect_printed(&r, "2 say nothing: this host was suspended meanwhile", 1);
    rig_expect_printed(&r, "within 60.00 s of silence, the longest that was tried", 1);
    assert_int_equal(r.status, 0);
    rig_free(&r);
}

static void let_the_clocks_differ(struct command_rig *r)
{
    r->platform.asleep += 40 * WAVE_MS;
}

/* The two clocks are read one after the other. */
static void clocks_that_differ_a_little_are_no_suspension(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    r.disturbed = true;
    rig_at(&r, 2 * IDLE_PROOF + 20 * WAVE_S, let_the_clocks_differ);
    rig_run(&r, "idle --to 1m --parallel 4 " RIG_PEER);
    rig_expect_printed(&r, "samples     4 in 1 pass: 4 alive", 1);
    rig_expect_printed(&r, "suspended", 0);
    assert_int_equal(r.status, 0);
    rig_free(&r);
}

/* The clock of captured packets runs ahead of the engine's, and is set while connections are
 * silent: lib/wire/capture_clock.h keeps that from a run, which must not depend on it either. */
static const struct port_ops *set_ops;
static wave_time set_ahead;

static wave_time set_stamp(struct port *p)
{
    return set_ops->stamp(p) + set_ahead;
}

static int set_next(struct port *p, struct wire_packet *out, struct diag *d)
{
    const int n = set_ops->next(p, out, d);

    out->stamp += set_ahead;
    return n;
}

static void set_clock(struct command_rig *r)
{
    static struct port_ops ops;

    set_ahead += 1000 * WAVE_H;
    if (r->port->ops == &ops)
        return;
    set_ops = r->port->ops;
    ops = *set_ops;
    ops.stamp = set_stamp;
    ops.next = set_next;
    r->port->ops = &ops;
}

static void a_clock_that_is_set_changes_no_silence(void **state)
{
    json_t *of[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct command_rig r;

        rig_init(&r, HOST_DISCARD);
        r.network.nat = 40 * WAVE_S;
        r.disturbed = true;
        set_ahead = 0;
        if (i) {
            rig_at(&r, 0, set_clock);
            rig_at(&r, 20 * WAVE_S, set_clock);
            rig_at(&r, 100 * WAVE_S, set_clock);
        }
        rig_run(&r, "idle --json " RIG_PEER);
        rig_expect_text(&r, "verdict", "idle.limit", "between");
        rig_expect_text(&r, "verdict", "idle.by", "path");
        of[i] = json_deep_copy(rig_get(&r, "verdict", "idle"));
        rig_free(&r);
    }
    assert_true(set_ahead == 3000 * WAVE_H);
    assert_true(json_equal(of[0], of[1]));
    json_decref(of[0]);
    json_decref(of[1]);
}

/*
 * What is shown
 */

static void the_table_says_who_forgot(void **state)
{
    struct command_rig r;

    (void)state;
    idle_run(&r, "idle --sim nat=5m sim:80");
    rig_expect_printed(&r, "by the path: the peer still had the connection", 3);
    rig_expect_printed(&r, "silence             outcome       by, and what shows it\n10.00 s", 1);
    rig_expect_printed(&r, "\npass 1\n", 0);
    rig_expect_printed(&r, "\npass 2\n", 1);
    rig_expect_printed(&r, "samples     14 in 2 passes: 11 alive, 3 silent", 1);
    rig_expect_printed(&r, "suggested keepalive: 2 min 20 s", 1);
    rig_free(&r);
    idle_run(&r, "idle -q --at-least 6m --sim nat=5m sim:80");
    assert_int_equal(r.status, 1);
    assert_int_equal(r.text_len, 0);
    rig_free(&r);
}

/* Each sample has the number of the connection that was silent, also after an inquest. */
static void a_sample_has_the_number_of_its_connection(void **state)
{
    struct command_rig r;
    unsigned samples = 0;

    (void)state;
    idle_run(&r, "idle --json --at-least 6m --sim nat=5m sim:80");
    for (size_t i = 0; i < r.events; i++) {
        const char *kind = json_string_value(json_object_get(r.event[i], "event"));
        if (strcmp(kind, "idle") != 0)
            continue;
        samples++;
        assert_in_range(json_integer_value(json_object_get(r.event[i], "connection")), 2, 4);
    }
    assert_int_equal(samples, 3);
    rig_free(&r);
}

static void the_same_run_prints_the_same_bytes(void **state)
{
    (void)state;
    assert_true(rig_expect_repeatable(HOST_DISCARD, 1000, 7, "idle --json --to 2m " RIG_PEER) > 0);
}

static void options_that_contradict_each_other(void **state)
{
    (void)state;
    rig_expect_usage("idle --from 1h --to 1m sim:80", "--from has to be shorter than --to");
    rig_expect_usage("idle --keepalive 1m --at-least 1m sim:80", "give one of them");
    rig_expect_usage("idle --keepalive 2h sim:80", "--keepalive has to be shorter than --to");
    rig_expect_usage("idle --parallel 65 sim:80", "from 1 to 64");
    rig_expect_usage("idle --state syn-sent sim:80", "established|half-closed|syn-received");
    rig_expect_usage("idle --state syn-received --keepalive 1m sim:80", "no probe holds that open");
    rig_expect_usage("idle --precision 0 sim:80", "from 0.001 to 100");
    rig_expect_usage("idle --precision 100.001 sim:80", "from 0.001 to 100");
    rig_expect_usage("idle --precision 1.0001 sim:80", "from 0.001 to 100");
    rig_expect_usage("idle --precision 5s sim:80", "from 0.001 to 100");
    rig_expect_usage("idle --source-port 65497 sim:80", "twice as many as --parallel and 16 more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_that_forgets_is_found),
        cmocka_unit_test(long_limits_to_a_percent),
        cmocka_unit_test(lost_segments_are_not_forgotten_connections),
        cmocka_unit_test(sixty_four_at_a_time_on_a_bad_path),
        cmocka_unit_test(nothing_that_forgets_is_said_so),
        cmocka_unit_test(a_limit_below_the_range_is_said_so),
        cmocka_unit_test(limits_to_the_second),
        cmocka_unit_test(the_sentence_encloses_the_limit),
        cmocka_unit_test(half_open_connections_have_a_limit_of_their_own),
        cmocka_unit_test(a_rst_for_the_third_segment_ends_no_silence),
        cmocka_unit_test(a_half_open_connection_is_silent),
        cmocka_unit_test(an_icmp_error_is_told_with_its_sender),
        cmocka_unit_test(an_icmp_error_for_a_probe_while_half_closed),
        cmocka_unit_test(data_of_the_peer_show_that_it_has_the_connection),
        cmocka_unit_test(the_ttl_of_a_rst_tells_who_sent_it),
        cmocka_unit_test(a_reboot_fails_no_test),
        cmocka_unit_test(no_finding_but_its_own),
        cmocka_unit_test(at_least_is_a_test),
        cmocka_unit_test(a_test_that_fails_tells_no_time),
        cmocka_unit_test(an_interval_of_keepalive_holds_or_does_not),
        cmocka_unit_test(half_closed_connections_have_a_limit_of_their_own),
        cmocka_unit_test(an_interruption_tells_what_is_known),
        cmocka_unit_test(a_silence_in_which_the_host_slept_says_nothing),
        cmocka_unit_test(clocks_that_differ_a_little_are_no_suspension),
        cmocka_unit_test(a_clock_that_is_set_changes_no_silence),
        cmocka_unit_test(the_table_says_who_forgot),
        cmocka_unit_test(a_sample_has_the_number_of_its_connection),
        cmocka_unit_test(the_same_run_prints_the_same_bytes),
        cmocka_unit_test(options_that_contradict_each_other),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
