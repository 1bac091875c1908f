/* Tests SPEC, the text that describes a simulated network: what it means, that printing and parsing
 * are inverse, and that a mistake is named with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/err.h"
#include "lib/sim/prng.h"
#include "lib/sim/spec.h"

static struct sim_spec parsed(const char *text)
{
    struct sim_spec s;
    struct sim_spec_error e = {.allowed = ""};

    if (sim_spec_parse(text, &s, &e) != 0) {
        print_error("%s: at %zu there may be %s\n", text, e.at, e.allowed);
        fail();
    }
    return s;
}

static void expect_printed(const char *text, const char *wanted)
{
    struct sim_spec s = parsed(text);
    char printed[SIM_SPEC_TEXT];

    assert_string_equal(sim_spec_print(&s, printed), wanted);
}

/* The text is wrong at that place, and what may stand there has `part` in it. */
static void expect_wrong(const char *text, size_t at, const char *part)
{
    struct sim_spec s = {.seed = 99};
    struct sim_spec_error e;

    if (sim_spec_parse(text, &s, &e) != WAVE_EINVAL) {
        print_error("%s was understood\n", text);
        fail();
    }
    if (e.at != at || !strstr(e.allowed, part)) {
        print_error("%s: at %zu there may be %s\n", text, e.at, e.allowed);
        fail();
    }
    assert_int_equal(s.seed, 99);
}

static void every_property_is_understood(void **state)
{
    struct sim_spec s = parsed("rtt=30ms,jitter=2ms,loss=5%,dup=1%,reorder=0.25%,corrupt=2,ce=7.5%,"
                               "rate=10mbit,queue=64k,mtu=1400/silent,hops=4,nat=5m/rst,syn-proxy,"
                               "dials=3,every=1s,seed=0x10,speed=real,peer=answer");

    (void)state;
    assert_int_equal(s.rtt, 30 * WAVE_MS);
    assert_int_equal(s.jitter, 2 * WAVE_MS);
    assert_int_equal(s.loss, 500);
    assert_int_equal(s.duplication, 100);
    assert_int_equal(s.reordering, 25);
    assert_int_equal(s.corruption, 200);
    assert_int_equal(s.marking, 750);
    assert_int_equal(s.rate, 10000000);
    assert_int_equal(s.queue, 65536);
    assert_int_equal(s.mtu, 1400);
    assert_true(s.silent_mtu);
    assert_int_equal(s.hops, 4);
    assert_int_equal(s.nat, 5 * WAVE_MIN);
    assert_true(s.nat_resets);
    assert_true(s.syn_proxy);
    assert_int_equal(s.dials, 3);
    assert_int_equal(s.every, WAVE_S);
    assert_int_equal(s.seed, 16);
    assert_true(s.real);
    assert_true(s.has_peer);
    assert_int_equal(s.peer, HOST_ANSWER);
}

static void what_is_not_named_has_its_default(void **state)
{
    struct sim_spec s = parsed("loss=1%"), usual;

    (void)state;
    sim_spec_default(&usual);
    assert_int_equal(usual.rtt, 20 * WAVE_MS);
    assert_int_equal(usual.peer, HOST_ECHO);
    assert_int_equal(usual.vanish_at, WAVE_NEVER);
    assert_int_equal(s.loss, 100);
    s.loss = 0;
    assert_memory_equal(&s, &usual, sizeof s);
}

static void peers(void **state)
{
    static const struct {
        const char *text;
        enum host_behaviour peer;
    } all[] = {{"peer=echo", HOST_ECHO},
               {"peer=discard", HOST_DISCARD},
               {"peer=answer", HOST_ANSWER},
               {"peer=answers-after-fin", HOST_ANSWER_AFTER_FIN},
               {"peer=speaks-first", HOST_ANSWER_FIRST},
               {"peer=closes-first", HOST_ANSWER_AND_FIN_FIRST},
               {"peer=never-closes", HOST_NEVER_CLOSES},
               {"peer=half-close-breaks", HOST_BREAKS_HALF_CLOSE},
               {"peer=never-reads", HOST_NEVER_READS},
               {"peer=resets", HOST_RESETS},
               {"peer=resets-fin", HOST_RESETS_FIN},
               {"peer=closed", HOST_CLOSED},
               {"peer=silent", HOST_SILENT}};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(parsed(all[i].text).peer, all[i].peer);
        expect_printed(all[i].text, all[i].text);
    }
    assert_int_equal(parsed("peer=vanishes@1h").vanish_at, WAVE_H);
    assert_int_equal(parsed("peer=reboots@90s").reboot_at, 90 * WAVE_S);
    assert_int_equal(parsed("peer=reboots@90s").peer, HOST_ECHO);
}

static void printed_short_and_in_one_order(void **state)
{
    (void)state;
    expect_printed("rtt=20ms", "");
    expect_printed("loss=5,rtt=0.03", "rtt=30ms,loss=5%");
    expect_printed("seed=1,mtu=1500,speed=virtual,dials=1", "");
    expect_printed("rate=1500kbit,loss=0.5%,dup=0.05%", "loss=0.5%,dup=0.05%,rate=1500kbit");
    expect_printed("rate=2000000kbit", "rate=2gbit");
    expect_printed("mtu=1500/silent", "mtu=1500/silent");
    expect_printed("lose=2+0x10,think=0.005", "think=5ms,lose=2+16");
    expect_printed("peer=vanishes@3600s,nat=300s", "peer=vanishes@1h,nat=5m");
}

/* Of random networks the text parses as the same network, and is printed as the same text. */
static void printing_and_parsing_are_inverse(void **state)
{
    struct prng r = {1};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct sim_spec s, again;
        char text[SIM_SPEC_TEXT], twice[SIM_SPEC_TEXT];

        sim_spec_default(&s);
        s.rtt = prng_below(&r, WAVE_H);
        s.jitter = prng_below(&r, 2) * prng_below(&r, WAVE_H);
        s.loss = (uint32_t)prng_below(&r, 10001);
        s.duplication = (uint32_t)prng_below(&r, 3) * 50;
        s.reordering = (uint32_t)prng_below(&r, 10001);
        s.corruption = (uint32_t)prng_below(&r, 3);
        s.rate = prng_below(&r, 2) * (1000 + prng_below(&r, 1000000000));
        s.queue = s.rate ? (uint32_t)prng_below(&r, 100000) : 0;
        s.mtu = 68 + (uint32_t)prng_below(&r, 65000);
        s.silent_mtu = prng_below(&r, 2);
        s.think = prng_below(&r, 2) * prng_below(&r, WAVE_S);
        s.loses = (uint32_t)prng_below(&r, SIM_LOSE_MAX + 1);
        for (uint32_t k = 0; k < s.loses; k++)
            s.lose[k] = (k ? s.lose[k - 1] : 0) + 1 + (uint32_t)prng_below(&r, 100000000);
        s.seed = prng_next(&r);
        s.hops = (uint32_t)prng_below(&r, HOPS_MAX + 1);
        s.nat = prng_below(&r, 2) * (1000 + prng_below(&r, WAVE_H));
        s.nat_resets = s.nat && prng_below(&r, 2);
        s.syn_proxy = prng_below(&r, 2);
        s.dials = 1 + (uint32_t)prng_below(&r, SIM_DIALS_MAX);
        s.every = prng_below(&r, WAVE_H);
        s.real = prng_below(&r, 2);
        s.has_peer = prng_below(&r, 2);
        if (s.has_peer && prng_below(&r, 2))
            s.reboot_at = prng_below(&r, WAVE_H);
        else if (s.has_peer)
            s.peer = (enum host_behaviour)prng_below(&r, HOST_SILENT + 1);
        sim_spec_print(&s, text);
        assert_true(strlen(text) < SIM_SPEC_TEXT - 1);
        if (!*text)
            continue;
        again = parsed(text);
        assert_memory_equal(&again, &s, sizeof s);
        assert_string_equal(sim_spec_print(&again, twice), text);
    }
}

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    expect_wrong("", 0, "one of peer, think, rtt, jitter");
    expect_wrong("rtt=20ms,", 9, "one of peer, think, jitter");
    expect_wrong("lost=5%", 0, "one of peer");
    expect_wrong("rtt=1ms,rtt=2ms", 8, "one of peer, think, jitter");
    expect_wrong("rtt", 3, "= and a value of rtt");
    expect_wrong("rtt=", 4, "a duration");
    expect_wrong("rtt=2h", 4, "from 0s to 1h");
    expect_wrong("seed=1,rtt=20q", 11, "a duration");
    expect_wrong("loss=101%", 5, "a percentage");
    expect_wrong("loss=0.123%", 5, "a percentage");
    expect_wrong("loss=-1%", 5, "a percentage");
    expect_wrong("loss=5%%", 5, "a percentage");
    expect_wrong("rate=10", 5, "a rate");
    expect_wrong("rate=10mb", 5, "a rate");
    expect_wrong("rate=999bit", 5, "a rate");
    expect_wrong("rate=99999999999999999999gbit", 5, "a rate");
    expect_wrong("mtu=67", 4, "from 68 to 65535");
    expect_wrong("mtu=1500/loud", 4, "/silent");
    expect_wrong("hops=61", 5, "from 0 to 60");
    expect_wrong("nat=0s", 4, "longer than 0s");
    expect_wrong("nat=5m/fin", 4, "/rst");
    expect_wrong("syn-proxy=yes", 9, "takes no value");
    expect_wrong("dials=0", 6, "from 1");
    expect_wrong("peer=ech", 5, "echo, discard");
    expect_wrong("peer=vanishes", 5, "vanishes@TIME");
    expect_wrong("peer=vanishes@", 14, "when the peer vanishes");
    expect_wrong("peer=reboots@soon", 13, "when the peer reboots");
    expect_wrong("peer=explodes@1h", 5, "reboots@TIME");
    expect_wrong("lose=", 5, "ascending");
    expect_wrong("lose=0", 5, "ascending");
    expect_wrong("lose=2+", 5, "ascending");
    expect_wrong("lose=+2", 5, "ascending");
    expect_wrong("lose=3+2", 5, "ascending");
    expect_wrong("lose=1+2+3+4+5+6+7+8+9", 5, "up to 8");
    expect_wrong("speed=fast", 6, "virtual or real");
    expect_wrong("queue=64k", 9, "rate");
    expect_wrong("rtt="
                 "000000000000000000000000000000000000000000000000000000000000000000000000000000000"
                 "000000000000000000000000000001ms",
                 4, "a duration");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_property_is_understood),
        cmocka_unit_test(what_is_not_named_has_its_default),
        cmocka_unit_test(peers),
        cmocka_unit_test(printed_short_and_in_one_order),
        cmocka_unit_test(printing_and_parsing_are_inverse),
        cmocka_unit_test(mistakes_are_named_with_their_place),
    };

    return cmocka_run_group_tests_name("sim_spec", tests, NULL, NULL);
}
