/* Findings of load over a simulated network: what three connections at a time show is counted, over
 * both families, and what is like it and harmless trips nothing. A round trip takes 20 ms. */
#include <string.h>

#include "tests/unit/command_rig.h"

#define LOAD "load --json --rate-limit=off --connections 3 --concurrency 3 "
#define BULK 60000 /* bytes of data */

static int v6; /* the family of the runs */

/* Runs load with these words, and with `bytes` of data where that is not 0. */
static void run_bytes(struct command_rig *r, const char *words, unsigned bytes)
{
    static char line[BULK + 300];
    int n = snprintf(line, sizeof line, LOAD "%s %s", words, bytes ? "-d " : "");

    assert_true(n > 0 && (size_t)n + bytes + 40 < sizeof line);
    memset(line + n, 'x', bytes);
    snprintf(line + n + bytes, 40, " %s", v6 ? RIG_PEER6 : RIG_PEER);
    rig_run(r, line);
}

static void run(struct command_rig *r, const char *words)
{
    run_bytes(r, words, 0);
}

/* The run has that finding, and no other one that is more than information. */
static void expect_finding(struct command_rig *r, const char *code, const char *severity,
                           const char *message)
{
    if (rig_count(r, "finding", "code", code) != 1)
        rig_expect_printed(r, "of that code", 1); /* shows all */
    for (size_t i = 0; i < r->events; i++) {
        const json_t *e = r->event[i], *is = json_object_get(e, "code");
        if (!is)
            continue;
        if (strcmp(json_string_value(is), code) == 0) {
            assert_string_equal(json_string_value(json_object_get(e, "message")), message);
            assert_string_equal(json_string_value(json_object_get(e, "severity")), severity);
        } else {
            assert_string_equal(json_string_value(json_object_get(e, "severity")), "info");
        }
    }
    rig_free(r);
}

static void expect_silence(struct command_rig *r)
{
    rig_expect_printed(r, "\"event\":\"finding\"", 0);
    rig_free(r);
}

/* What is told is the same, whether the verdict is drawn, written as JSON or not shown at all. */
static void expect_the_same_status(struct command_rig *r, const char *words)
{
    static const char *const how[] = {"--json", "--color never", "-q"};
    const struct command_rig as = *r;
    char line[300];
    int status[3];

    for (unsigned i = 0; i < 3; i++) {
        *r = as;
        snprintf(line, sizeof line, "load %s %s " RIG_PEER, how[i], words);
        status[i] = rig_run(r, line);
        if (i < 2)
            rig_expect_printed(r, "reset the connection within", i ? 2 : 3);
        rig_free(r);
    }
    assert_int_equal(status[1], status[0]);
    assert_int_equal(status[2], status[0]);
}

#define EACH_FAMILY for (v6 = 0; v6 < 2; v6++)

/* What the far end's TCP sends */

/* The far end's next segment on the flow of our last one, with the timestamp of its last one. */
static struct seg next_of_theirs(struct command_rig *r, unsigned flags)
{
    const struct rig_segment *last = rig_last(r, true);
    uint32_t stamp = last->seg.opt.tsecr;

    for (size_t i = 0; i < r->segments; i++)
        if (!r->segment[i].out && r->segment[i].flow.rport == last->flow.lport)
            stamp = r->segment[i].seg.opt.tsval;
    return (struct seg){
        .seq = last->seg.ack,
        .ack = seg_end(&last->seg),
        .flags = (uint16_t)(flags | SEG_ACK),
        .wnd = 65535,
        .opt = {.has = OPT_TIMESTAMP, .tsval = stamp, .tsecr = last->seg.opt.tsval}};
}

static void unstamped(struct command_rig *r)
{
    struct seg s = next_of_theirs(r, 0);

    s.opt.has = 0;
    rig_forge(r, &s, 0);
}

static void stamped(struct command_rig *r)
{
    struct seg s = next_of_theirs(r, 0);

    rig_forge(r, &s, 0);
}

static void of_another_clock(struct command_rig *r)
{
    struct seg s = next_of_theirs(r, 0);

    s.opt.tsval -= 1000000000;
    rig_forge(r, &s, 0);
}

static void new_data_of_an_old_clock(struct command_rig *r)
{
    struct seg s = next_of_theirs(r, SEG_PSH);

    s.data = (const uint8_t *)"hello";
    s.len = 5;
    s.opt.tsval -= 5;
    rig_forge(r, &s, 0);
}

/* An ACK that was delayed by a second. */
static void late(struct command_rig *r)
{
    struct seg s = next_of_theirs(r, 0);

    s.opt.tsval -= 1000;
    rig_forge(r, &s, 0);
}

static void echoing_the_future(struct command_rig *r)
{
    struct seg s = next_of_theirs(r, SEG_PSH);

    s.data = (const uint8_t *)"hello";
    s.len = 5;
    s.opt.tsecr += 1000000;
    rig_forge(r, &s, 0);
}

static void echoing_well(struct command_rig *r)
{
    struct seg s = next_of_theirs(r, SEG_PSH);

    s.data = (const uint8_t *)"hello";
    s.len = 5;
    rig_forge(r, &s, 0);
}

static void at(struct command_rig *r, wave_time when, void (*act)(struct command_rig *r))
{
    rig_init_family(r, HOST_DISCARD, v6);
    rig_at(r, when, act);
}

static void timestamps(void **state)
{
    struct command_rig r;

    (void)state;
    EACH_FAMILY
    {
        at(&r, 100 * WAVE_MS, unstamped);
        run(&r, "--hold 1s");
        expect_finding(&r, "timestamps-missing", "warning",
                       "on 1 of 3 connections segments of the peer's came without the timestamps "
                       "that both sides had agreed on; they were taken all the same");
        at(&r, 100 * WAVE_MS, stamped);
        run(&r, "--hold 1s");
        expect_silence(&r);
        at(&r, 100 * WAVE_MS, unstamped); /* neither side has offered any */
        run(&r, "--hold 1s --no-timestamps");
        expect_silence(&r);

        at(&r, 100 * WAVE_MS, of_another_clock);
        run(&r, "--hold 1s");
        expect_finding(&r, "timestamps-backwards", "warning",
                       "on 1 of 3 connections the timestamps of the peer's new segments go "
                       "backwards, so that they are dropped as old (PAWS)");
        at(&r, 100 * WAVE_MS, new_data_of_an_old_clock);
        run(&r, "--hold 1s");
        expect_finding(&r, "timestamps-backwards", "warning",
                       "on 1 of 3 connections the timestamps of the peer's new segments go "
                       "backwards, so that they are dropped as old (PAWS)");
        at(&r, 100 * WAVE_MS, late);
        run(&r, "--hold 1s");
        expect_silence(&r);

        at(&r, 100 * WAVE_MS, echoing_the_future);
        run(&r, "-d x");
        expect_finding(&r, "timestamp-echo-wrong", "warning",
                       "on 1 of 3 connections the peer echoes timestamps that we never sent");
        at(&r, 100 * WAVE_MS, echoing_well);
        run(&r, "-d x");
        expect_silence(&r);
    }
}

static bool stamped_syns(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && (s->seg.flags & SEG_SYN) && (s->seg.opt.has & OPT_TIMESTAMP);
}

/* The path is down for a while. */
static bool early_ones(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->at < 4 * WAVE_S;
}

static void syns_with_timestamps_are_dropped(void **state)
{
    struct command_rig r;

    (void)state;
    EACH_FAMILY
    {
        rig_init_family(&r, HOST_ECHO, v6);
        r.lose = stamped_syns;
        run(&r, "-d x");
        assert_int_equal(r.status, 0);
        expect_finding(&r, "old-timestamp-dropped", "warning",
                       "on each of 3 connections no SYN with timestamps was answered, and each "
                       "without them was: the peer or a device before it drops SYNs for their "
                       "timestamps");
        rig_init_family(&r, HOST_ECHO, v6);
        r.lose = early_ones;
        run(&r, "-d x");
        assert_int_equal(r.status, 0);
        expect_silence(&r);
    }
}

/* What its application does */

static void an_application_that_does_not_read(void **state)
{
    struct command_rig r;

    (void)state;
    EACH_FAMILY
    {
        rig_init_family(&r, HOST_NEVER_READS, v6);
        r.network.host.engine.rcvbuf = 20000;
        run_bytes(&r, "--timeout 20s", BULK);
        rig_expect_part(&r, "verdict", "message",
                        ": on each of 3 connections the peer's receive window was shut while our");
        expect_finding(&r, "window-closed", "problem",
                       "on each of 3 connections the peer's receive window was shut while our "
                       "data waited, and it answered our window probes: its host lives, and does "
                       "not take what we send");

        rig_init_family(&r, HOST_DISCARD, v6); /* it reads */
        r.network.host.engine.rcvbuf = 20000;
        run_bytes(&r, "--timeout 20s", BULK);
        expect_silence(&r);

        /* It has no need to, where nothing of ours waits. */
        rig_init_family(&r, HOST_NEVER_READS, v6);
        r.network.host.engine.rcvbuf = 20000;
        run_bytes(&r, "--timeout 20s --hold 10s", 20000);
        expect_silence(&r);
    }
}

static void far_closes(struct command_rig *r)
{
    r->disturbed = true;
    rig_far_close(r, 0);
}

static void far_closes_the_second(struct command_rig *r)
{
    rig_far_close(r, 1);
}

static void far_closes_the_third(struct command_rig *r)
{
    rig_far_close(r, 2);
}

static void far_resets(struct command_rig *r)
{
    rig_far_reset(r, 0);
}

static void an_end_at_once(void **state)
{
    struct command_rig r;

    (void)state;
    EACH_FAMILY
    {
        rig_init_family(&r, HOST_RESETS, v6);
        run(&r, "-d x");
        assert_int_equal(r.status, 1);
        expect_finding(&r, "closed-at-once", "problem",
                       "on each of 3 connections the peer reset the connection within 20.0 ms of "
                       "the handshake, before it sent any byte: a proxy or load balancer whose "
                       "backend is not there looks like this");
        at(&r, 15 * WAVE_MS, far_closes);
        run(&r, "--hold 5s");
        expect_finding(&r, "closed-at-once", "warning",
                       "on 1 of 3 connections the peer closed within 5.000 ms of the handshake, "
                       "before it sent any byte: a proxy or load balancer whose backend is not "
                       "there looks like this");
        at(&r, 15 * WAVE_MS, far_closes); /* as asked */
        rig_at(&r, 16 * WAVE_MS, far_closes_the_second);
        rig_at(&r, 17 * WAVE_MS, far_closes_the_third);
        run(&r, "--close=passive");
        assert_int_equal(r.status, 0);
        expect_silence(&r);
        at(&r, 100 * WAVE_MS, far_closes); /* that is no longer at once */
        run(&r, "--hold 5s");
        expect_silence(&r);
        rig_init_family(&r, HOST_ANSWER_AND_FIN_FIRST, v6); /* it answered */
        run(&r, "--hold 5s");
        expect_silence(&r);
        rig_init_family(&r, HOST_ANSWER, v6);
        run(&r, "-d x");
        expect_silence(&r);
    }
}

static void the_same_in_each_form(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_RESETS);
    expect_the_same_status(&r, "--connections 3 -d x");
}

static void an_end_after_a_silence(void **state)
{
    struct command_rig r;

    (void)state;
    EACH_FAMILY
    {
        at(&r, 5 * WAVE_S, far_closes);
        run(&r, "--hold 8s");
        expect_finding(&r, "closed-when-idle", "info",
                       "on 1 of 3 connections the peer's side closed after 4.99 s or more in which "
                       "neither side sent anything");
        at(&r, 5 * WAVE_S, far_resets);
        run(&r, "--hold 8s");
        assert_int_equal(r.status, 1);
        expect_finding(&r, "reset-when-idle", "problem",
                       "on 1 of 3 connections the peer's side reset the connection after 4.99 s "
                       "or more in which neither side sent anything");
        at(&r, 5 * WAVE_S, far_closes); /* we had closed by then */
        r.network.host.behaviour = HOST_NEVER_CLOSES;
        run(&r, "--hold 1s --linger 10s");
        expect_silence(&r);
    }
}

/* What it does with our FIN */

static void a_fin_that_is_answered_with_rst(void **state)
{
    struct command_rig r;

    (void)state;
    EACH_FAMILY
    {
        rig_init_family(&r, HOST_RESETS_FIN, v6);
        run(&r, "");
        expect_finding(&r, "half-close-broken", "problem",
                       "on each of 3 connections the peer answered our FIN with RST: it takes a "
                       "connection that only we have closed for one that is over, and drops what "
                       "it may still have to send; or it resets each connection at once, as a "
                       "proxy does whose backend is not there");
        rig_init_family(&r, HOST_RESETS_FIN, v6); /* it had taken data */
        run(&r, "-d x");
        expect_finding(&r, "half-close-broken", "problem",
                       "on each of 3 connections the peer answered our FIN with RST: it takes a "
                       "connection that only we have closed for one that is over, and drops what "
                       "it may still have to send");
        at(&r, 500 * WAVE_MS, far_resets); /* it had ours long before */
        r.network.host.behaviour = HOST_NEVER_CLOSES;
        run(&r, "");
        assert_int_equal(r.status, 1);
        expect_silence(&r);
    }
}

static bool our_fins(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && (s->seg.flags & SEG_FIN);
}

static void far_speaks(struct command_rig *r)
{
    rig_far_send(r, 0, "still here\n");
}

static void a_fin_that_is_ignored(void **state)
{
    struct command_rig r;

    (void)state;
    EACH_FAMILY
    {
        rig_init_family(&r, HOST_DISCARD, v6);
        r.lose = our_fins;
        for (unsigned i = 1; i < 40; i++)
            rig_at(&r, i * 250 * WAVE_MS, far_speaks);
        run(&r, "--give-up 20s");
        expect_finding(&r, "fin-ignored", "warning",
                       "on 1 of 3 connections the peer answers and does not acknowledge our FIN, "
                       "though we repeated it");
        rig_init_family(&r, HOST_DISCARD, v6); /* nothing comes at all */
        r.lose = our_fins;
        run(&r, "--give-up 20s");
        expect_silence(&r);
    }
}

static void an_early_answer(void **state)
{
    struct command_rig r;

    (void)state;
    EACH_FAMILY
    {
        at(&r, 50 * WAVE_MS, far_speaks);
        rig_at(&r, 150 * WAVE_MS, far_resets);
        r.network.host.behaviour = HOST_NEVER_READS;
        r.network.host.engine.rcvbuf = 20000;
        run_bytes(&r, "--timeout 300ms", BULK);
        expect_finding(&r, "answered-early", "warning",
                       "on 1 of 3 connections the peer answered and closed before it had all that "
                       "we sent, and did not take the rest");
        rig_init_family(&r, HOST_ANSWER, v6); /* it took the rest */
        run_bytes(&r, "", BULK);
        expect_silence(&r);
    }
}

/* What the path does with large packets */

static void large_packets_of_ours_vanish(void **state)
{
    struct command_rig r;

    (void)state;
    EACH_FAMILY
    {
        rig_init_family(&r, HOST_ECHO, v6);
        r.network.forward.mtu = 1300;
        r.network.forward.silent_mtu = true;
        run_bytes(&r, "--timeout 60s", 5000);
        assert_int_equal(r.status, 0);
        expect_finding(&r, "black-hole", "warning",
                       "on each of 3 connections large packets of ours vanish on the way there: "
                       "they were never acknowledged, however often they were sent, and smaller "
                       "ones were");
        rig_init_family(&r, HOST_ECHO, v6); /* a router says so */
        r.network.forward.mtu = 1300;
        run_bytes(&r, "--timeout 60s", 5000);
        assert_int_equal(r.status, 0);
        expect_silence(&r);
    }
}

/* A large segment of the peer's, and a small one behind it. */
static void far_answers(struct command_rig *r)
{
    static char large[1401];

    memset(large, 'x', sizeof large - 1);
    rig_far_send(r, 0, large);
}

static void far_goes_on(struct command_rig *r)
{
    rig_far_send(r, 0, "the end\n");
}

static void large_packets_of_the_peers_vanish(void **state)
{
    struct command_rig r;

    (void)state;
    EACH_FAMILY
    {
        at(&r, 100 * WAVE_MS, far_answers);
        rig_at(&r, 110 * WAVE_MS, far_goes_on);
        r.network.host.behaviour = HOST_NEVER_CLOSES;
        r.network.reverse.mtu = 500; /* what the far end's TCP tries at last is larger */
        r.network.reverse.silent_mtu = true;
        run(&r, "--hold 1s");
        expect_finding(&r, "black-hole", "warning",
                       "on 1 of 3 connections large packets vanish on the way here, or the peer "
                       "does not repeat them: bytes are missing before what did come");
        at(&r, 100 * WAVE_MS, far_answers);
        rig_at(&r, 110 * WAVE_MS, far_goes_on);
        r.network.host.behaviour = HOST_NEVER_CLOSES;
        run(&r, "--hold 1s");
        expect_silence(&r);
    }
}

/* Losses, and a path that is down for a while, are no such findings. */
static void what_networks_do_every_day_is_no_alarm(void **state)
{
    struct command_rig r;

    (void)state;
    EACH_FAMILY
    for (uint32_t loss = 0; loss <= 600; loss += 200) {
        rig_init_family(&r, loss == 200 ? HOST_ANSWER : HOST_ECHO, v6);
        r.network.forward.loss = r.network.reverse.loss = loss;
        r.network.forward.reordering = r.network.reverse.reordering = 600 - loss;
        r.network.forward.jitter = r.network.reverse.jitter = 2 * WAVE_MS;
        run_bytes(&r, "--connections 300 --concurrency 50 --syn-retries 8 --linger 60s", 4000);
        rig_expect_printed(&r, "\"severity\":\"warning\"", 0);
        rig_expect_printed(&r, "\"severity\":\"problem\"", 0);
        rig_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamps),
        cmocka_unit_test(syns_with_timestamps_are_dropped),
        cmocka_unit_test(an_application_that_does_not_read),
        cmocka_unit_test(an_end_at_once),
        cmocka_unit_test(the_same_in_each_form),
        cmocka_unit_test(an_end_after_a_silence),
        cmocka_unit_test(a_fin_that_is_answered_with_rst),
        cmocka_unit_test(a_fin_that_is_ignored),
        cmocka_unit_test(an_early_answer),
        cmocka_unit_test(large_packets_of_ours_vanish),
        cmocka_unit_test(large_packets_of_the_peers_vanish),
        cmocka_unit_test(what_networks_do_every_day_is_no_alarm),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
