/* Tests whole commands on a target sim:PORT, from their words to what they print: the network and
 * the peer are those of --sim, and the same words give the same bytes. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/command_rig.h"

#define RTT (20 * WAVE_MS)

/* Runs the words over the network that they name. `disturbed`: findings are expected. */
static void run_sim(struct command_rig *r, bool disturbed, const char *words)
{
    rig_init(r, HOST_ECHO);
    r->disturbed = disturbed;
    rig_run(r, words);
}

/* Checks verdict and status of a run. */
static void expect_end(const char *words, bool disturbed, const char *verdict, int status,
                       const char *part)
{
    struct command_rig r;

    run_sim(&r, disturbed, words);
    rig_expect_text(&r, "verdict", "verdict", verdict);
    rig_expect_int(&r, "verdict", "exit", status);
    rig_expect_part(&r, "verdict", "message", part);
    assert_non_null(rig_get(&r, "verdict", "simulated"));
    rig_free(&r);
}

static void a_run_by_default(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, false, "connect --json -d hello sim:7");
    rig_expect_verdict(&r, "open", 0, 2 * RTT + 250 * WAVE_MS + RTT);
    rig_expect_int(&r, "verdict", "received_bytes", 5);
    rig_expect_text(&r, "verdict", "simulated", "");
    rig_expect_text(&r, "verdict", "peer.addr", "192.0.2.80");
    rig_expect_int(&r, "verdict", "peer.port", 7);
    rig_expect_text(&r, "verdict", "local.addr", "192.0.2.1");
    rig_free(&r);
}

static void either_family(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, false, "connect -6 --json sim:7");
    rig_expect_text(&r, "verdict", "peer.addr", "2001:db8::80");
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_free(&r);
    run_sim(&r, false, "connect -4 --json SIM:7");
    rig_expect_text(&r, "verdict", "peer.addr", "192.0.2.80");
    rig_free(&r);
}

static void each_peer_does_what_its_name_says(void **state)
{
    (void)state;
    expect_end("connect --json --sim peer=closed sim:7", true, "refused", 4, "");
    expect_end("connect --json --sim peer=silent sim:7", true, "dropped", 5, "");
    expect_end("connect --json --sim peer=resets -d x sim:7", true, "reset", 7, "");
    expect_end("connect --json --sim peer=answer -d x sim:7", false, "open", 0, "");
    expect_end("connect --json --sim peer=closes-first --close=passive sim:7", false, "open", 0,
               "");
    expect_end("halfclose --json --sim peer=answers-after-fin -d x sim:7", false, "open", 0,
               "honours the half-close");
    expect_end("halfclose --json --sim peer=half-close-breaks -d x sim:7", true, "failed", 1,
               "sent 4 bytes in 1 segment");
    expect_end("halfclose --json --sim peer=resets-fin sim:7", true, "failed", 1,
               "does not honour the half-close");
    expect_end("halfclose --json --sim peer=never-closes sim:7", true, "failed", 1,
               "honours the half-close is not known");
    expect_end("keepalive --json --sim peer=vanishes@1h sim:7", true, "lost", 8,
               "10 keepalive probes went unanswered");
    expect_end("keepalive --json --sim peer=reboots@1h sim:7", true, "reset", 7,
               "no longer knows the connection");
}

/* RFC 1122, 4.2.3.6: two hours of silence, and ten probes 75 seconds apart. */
static void hours_take_no_time(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, true, "keepalive --json --sim peer=vanishes@1s sim:7");
    rig_expect_verdict_after(&r, 12, "lost", 8, RTT + 7200 * WAVE_S + 750 * WAVE_S);
    rig_free(&r);
}

/* The network loses the segments with these numbers, of both directions together. */
static void chosen_segments_are_lost(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, true, "connect --json --sim lose=2 sim:7"); /* the SYN-ACK */
    rig_expect_text(&r, "verdict", "verdict", "open");
    assert_int_equal(rig_count(&r, "segment", "flags", "S"), 2);
    assert_int_equal(rig_count(&r, "segment", "flags", "S."), 2);
    rig_free(&r);
    run_sim(&r, true, "connect --json --sim lose=1+2 sim:7");
    assert_int_equal(rig_count(&r, "segment", "flags", "S"), 3);
    rig_free(&r);
}

/* An application that takes its time closes with a FIN of its own, after our FIN was acknowledged.
 */
static void a_peer_that_thinks_closes_in_four_segments(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, false, "connect --json --sim think=1s sim:7");
    rig_expect_text(&r, "verdict", "close.kind", "four-way");
    rig_free(&r);
    run_sim(&r, false, "connect --json sim:7");
    rig_expect_text(&r, "verdict", "close.kind", "three-way");
    rig_free(&r);
}

/* A command that would wait for ever ends after a simulated week. */
static void a_wait_for_ever_ends(void **state)
{
    expect_end("connect --json --close=passive sim:7", true, "failed", 1, "168");
    (void)state;
}

static char *printed(const char *words)
{
    struct command_rig r;
    char *text;

    run_sim(&r, true, words);
    text = strdup(r.text);
    assert_non_null(text);
    rig_free(&r);
    return text;
}

static void the_same_words_print_the_same_bytes(void **state)
{
    static const char lossy[] = "connect --json --sim loss=20%,dup=5%,jitter=5ms,seed=3 -d hello "
                                "sim:7";
    char *once = printed(lossy), *twice = printed(lossy);
    char *other = printed("connect --json --sim loss=20%,dup=5%,jitter=5ms,seed=4 -d hello sim:7");

    (void)state;
    assert_string_equal(once, twice);
    assert_string_not_equal(once, other);
    free(once);
    free(twice);
    free(other);
}

static void the_drawing_says_that_it_is_simulated(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, true, "connect --width 80 --sim loss=1% sim:7");
    rig_expect_printed(&r, "simulated, loss=1%: no packet leaves this host", 2);
    rig_expect_printed(&r, "this host's kernel", 0);
    rig_free(&r);
}

/*
 * The peer dials
 */

static void the_peer_dials_where_we_listen(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, false, "listen --json --sim dials=3,every=1s sim:80");
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_int(&r, "verdict", "connections.opened", 3);
    rig_expect_int(&r, "verdict", "connections.open", 3);
    assert_int_equal(rig_count(&r, "verdict", "close.by", "peer"), 3);
    rig_free(&r);
    run_sim(&r, false, "listen -6 --json --echo --sim peer=answer,dials=1 --timeout 5 sim:80");
    assert_int_equal(rig_count(&r, "verdict", "verdict", "failed"), 1); /* each waits for data */
    rig_free(&r);
}

/* Each dialled connection ends as the peer's name says. */
static void clients_of_every_kind(void **state)
{
    static const struct {
        const char *words, *verdict;
    } all[] = {{"listen --json --sim peer=closes-first sim:80", "open"},
               {"listen --json -d bye --sim peer=echo sim:80", "open"},
               {"listen --json -d bye --sim peer=discard sim:80", "open"},
               {"listen --json -d bye --sim peer=resets sim:80", "reset"},
               {"listen --json -d bye --sim peer=silent sim:80", "dropped"},
               {"listen --json -d bye --sim peer=closed sim:80", "refused"},
               {"listen --json --keepalive --sim peer=vanishes@1m sim:80", "lost"},
               {"listen --json --keepalive --sim peer=reboots@1m sim:80", "reset"}};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct command_rig r;

        run_sim(&r, true, all[i].words);
        if (rig_count(&r, "verdict", "verdict", all[i].verdict) < 1) {
            print_error("%s: no verdict %s in\n%s", all[i].words, all[i].verdict, r.text);
            fail();
        }
        rig_free(&r);
    }
}

/* Thousands of them take the ports of the dynamic range in turn. */
static void many_dials(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, false, "listen -q --sim dials=20000,every=1ms sim:80");
    assert_int_equal(r.status, 0);
    rig_free(&r);
}

static void load_on_a_simulated_network(void **state)
{
    struct command_rig r;

    (void)state;
    run_sim(&r, false, "load --json --connections 5000 --concurrency 100 -d x sim:80");
    rig_expect_text(&r, "verdict", "verdict", "open");
    rig_expect_int(&r, "verdict", "connections.opened", 5000);
    rig_expect_text(&r, "verdict", "simulated", "");
    rig_free(&r);
    run_sim(&r, true, "load --json --connections 500 --sim peer=closed sim:80");
    rig_expect_text(&r, "verdict", "verdict", "failed");
    rig_free(&r);
}

static void usage_errors(void **state)
{
    (void)state;
    rig_expect_usage("connect --sim rtt=1ms 192.0.2.1:7", "and the target is 192.0.2.1");
    rig_expect_usage("connect --sim rtt=1ms sim.:7", "and the target is sim.");
    rig_expect_usage("connect --sim rtt=1q sim:7", "is wrong at character 5, \"1q\"");
    rig_expect_usage("connect -i lo sim:7", "have no meaning for sim:PORT");
    rig_expect_usage("connect -s 192.0.2.1 sim:7", "have no meaning for sim:PORT");
    rig_expect_usage("connect -6 --sim mtu=1000 sim:7", "too small for IPv6");
    rig_expect_usage("connect --each-address sim:7", "sim:PORT has one");
    rig_expect_usage("connect --sim dials=2 sim:7", "are for listen");
    rig_expect_usage("listen --sim syn-proxy sim:7", "the peer dials");
    rig_expect_usage("load sim:7 sim:8", "the only target");
    rig_expect_usage("load 192.0.2.1:7 sim:8", "the only target");
    rig_expect_usage("send sim:7", "sim.:PORT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_by_default),
        cmocka_unit_test(either_family),
        cmocka_unit_test(each_peer_does_what_its_name_says),
        cmocka_unit_test(hours_take_no_time),
        cmocka_unit_test(chosen_segments_are_lost),
        cmocka_unit_test(a_peer_that_thinks_closes_in_four_segments),
        cmocka_unit_test(a_wait_for_ever_ends),
        cmocka_unit_test(the_same_words_print_the_same_bytes),
        cmocka_unit_test(the_drawing_says_that_it_is_simulated),
        cmocka_unit_test(the_peer_dials_where_we_listen),
        cmocka_unit_test(clients_of_every_kind),
        cmocka_unit_test(many_dials),
        cmocka_unit_test(load_on_a_simulated_network),
        cmocka_unit_test(usage_errors),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
