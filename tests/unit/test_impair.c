/* Tests what the rules of --impair do to segments: which ones they match, how they count for each
 * connection, that chance follows the seed, and what every action changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/core/checksum.h"
#include "lib/run/impair.h"

#define ISN 1000
#define THEIRS 5000

static struct impair *x;
static struct impair_verdict v;
static wave_time now;
static struct flow flow; /* ours */

static const uint8_t text[] = "twelve bytes";

/* Opens the rules, up to the first NULL of three. */
static void rules_seeded(uint64_t seed, const char *a, const char *b, const char *c)
{
    const char *words[] = {a, b, c};
    struct impair_rule r[3];
    struct diag d = {""};
    unsigned n = 0;

    impair_close(x);
    x = NULL;
    for (; n < 3 && words[n]; n++)
        if (impair_rule_parse(words[n], &r[n], &d) != 0)
            fail_msg("'%s' %s", words[n], d.text);
    assert_int_equal(impair_open(&x, r, n, seed), 0);
}

static void rules(const char *a, const char *b, const char *c)
{
    rules_seeded(1, a, b, c);
}

static int setup(void **state)
{
    (void)state;
    now = WAVE_S;
    flow = (struct flow){
        .local = {{192, 0, 2, 1}}, .remote = {{192, 0, 2, 80}}, .lport = 40000, .rport = 80};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    impair_close(x);
    x = NULL;
    return 0;
}

static struct seg seg(unsigned flags, uint32_t rel)
{
    return (struct seg){.seq = seq_of(ISN + rel),
                        .ack = seq_of(flags & SEG_ACK ? THEIRS + 1 : 0),
                        .flags = (uint16_t)flags,
                        .wnd = 1000};
}

static struct seg with_data(uint32_t rel)
{
    struct seg s = seg(SEG_ACK, rel);

    s.data = text;
    s.len = 12;
    return s;
}

static bool out(struct seg s)
{
    return impair_segment(x, IMPAIR_OUT, &flow, &s, now, &v);
}

static bool in(struct seg s)
{
    const struct flow back = flow_reverse(&flow);

    return impair_segment(x, IMPAIR_IN, &back, &s, now, &v);
}

static uint64_t matched(unsigned rule)
{
    struct impair_count count[IMPAIR_RULES];

    assert_in_range(rule, 1, impair_counts(x, count));
    return count[rule - 1].matched;
}

static void test_nothing_without_rules(void **state)
{
    (void)state;
    rules(NULL, NULL, NULL);
    assert_false(out(seg(SEG_SYN, 0)));
    assert_int_equal(impair_counts(x, NULL), 0);
    assert_int_equal(impair_counts(NULL, NULL), 0);
}

static void test_directions(void **state)
{
    struct impair_count count[IMPAIR_RULES];

    (void)state;
    rules("out: drop", "in: drop", "in: dup");
    assert_true(out(seg(SEG_SYN, 0)));
    assert_int_equal(v.about.rule, 1);
    assert_string_equal(v.about.words, "out: drop");
    assert_true(in(seg(SEG_SYN | SEG_ACK, 0)));
    assert_int_equal(v.about.rule, 2);
    /* No rule sees what was dropped. */
    assert_int_equal(v.about.acts, IMPAIRED_DROPPED);
    assert_int_equal(impair_counts(x, count), 3);
    assert_int_equal(count[0].seen, 1);
    assert_int_equal(count[1].seen, 1);
    assert_int_equal(count[2].seen, 0);
    assert_int_equal(count[1].matched, 1);
    assert_string_equal(count[1].words, "in: drop");
}

/* For each text of flags: which of these segments match. */
static const uint16_t kinds[] = {SEG_SYN,
                                 SEG_SYN | SEG_ACK,
                                 SEG_ACK,
                                 SEG_ACK | SEG_PSH,
                                 SEG_ACK | SEG_FIN,
                                 SEG_RST,
                                 SEG_RST | SEG_ACK,
                                 SEG_SYN | SEG_ECE | SEG_CWR,
                                 SEG_ACK | SEG_PSH | SEG_FIN,
                                 0};

static const struct {
    const char *rule, *matches;
} flag_cases[] = {
    {"out:S drop", "x......x.."},   {"out:S. drop", ".x........"}, {"out:. drop", "..xx......"},
    {"out:F drop", "....x...x."},   {"out:F. drop", "....x...x."}, {"out:R drop", ".....xx..."},
    {"out:R. drop", "......x..."},  {"out:P drop", "...x......"},  {"out:FP drop", "........x."},
    {"out:SEW drop", ".......x.."}, {"out: drop", "xxxxxxxxxx"},   {"out:E drop", ".........."}};

static void test_flags(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof flag_cases / sizeof *flag_cases; i++) {
        rules(flag_cases[i].rule, NULL, NULL);
        for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (out(seg(kinds[k], 0)) != (flag_cases[i].matches[k] == 'x'))
                fail_msg("'%s', kind %u", flag_cases[i].rule, k);
    }
}

static void test_data(void **state)
{
    (void)state;
    rules("out:data drop", NULL, NULL);
    assert_true(out(with_data(1)));
    assert_false(out(seg(SEG_ACK, 1)));
    rules("out:nodata drop", NULL, NULL);
    assert_false(out(with_data(1)));
    assert_true(out(seg(SEG_ACK, 1)));
}

static void test_numbers_count_for_each_connection(void **state)
{
    (void)state;
    rules("out:.#2-3 drop", NULL, NULL);
    assert_false(out(seg(SEG_SYN, 0)));
    assert_false(out(seg(SEG_ACK, 1)));
    assert_true(out(seg(SEG_ACK, 1)));
    flow.lport++; /* another one begins with its first */
    assert_false(out(seg(SEG_ACK, 1)));
    assert_true(out(seg(SEG_ACK, 1)));
    flow.lport--;
    assert_true(out(seg(SEG_ACK, 1)));
    assert_false(out(seg(SEG_ACK, 1)));
    assert_int_equal(matched(1), 3);
    rules("out:#3- drop", NULL, NULL);
    for (unsigned i = 1; i < 9; i++)
        assert_int_equal(out(seg(SEG_ACK, 1)), i >= 3);
}

static void test_every(void **state)
{
    (void)state;
    rules("out:data,every=3 drop", NULL, NULL);
    for (unsigned i = 1; i <= 9; i++) {
        assert_false(out(seg(SEG_ACK, 1))); /* does not count */
        assert_int_equal(out(with_data(1)), i % 3 == 0);
    }
    rules("out:data,every=3,#4- drop", NULL, NULL);
    for (unsigned i = 1; i <= 9; i++)
        assert_int_equal(out(with_data(1)), i == 6 || i == 9);
}

static void test_a_new_syn_begins_a_new_connection(void **state)
{
    (void)state;
    rules("out:S#1 drop", NULL, NULL);
    assert_true(out(seg(SEG_SYN, 0)));
    assert_false(out(seg(SEG_SYN, 0))); /* its retransmission */
    assert_true(out(seg(SEG_SYN, 99)));
    /* A rule may have moved the number of the first SYN: it is the same connection all the same. */
    rules("out:S#1 seq+=7", NULL, NULL);
    assert_true(out(seg(SEG_SYN, 0)));
    assert_false(out(seg(SEG_SYN, 0)));
}

static void test_time(void **state)
{
    (void)state;
    rules("out:after=1s,before=2s drop", NULL, NULL);
    assert_false(out(seg(SEG_SYN, 0)));
    now += WAVE_S - 1;
    assert_false(out(seg(SEG_ACK, 1)));
    now += 1;
    assert_true(out(seg(SEG_ACK, 1)));
    now += WAVE_S - 1;
    assert_true(out(seg(SEG_ACK, 1)));
    now += 1;
    assert_false(out(seg(SEG_ACK, 1)));
    /* Another connection has its own beginning, which an arriving segment makes as well. */
    flow.lport++;
    assert_false(in(seg(SEG_SYN, 0)));
    now += WAVE_S;
    assert_true(out(seg(SEG_SYN | SEG_ACK, 0)));
}

static void test_bytes(void **state)
{
    (void)state;
    rules("out:bytes=13-14 drop", "in:bytes=1 drop", NULL);
    assert_false(out(with_data(13))); /* without a SYN, no byte has a number */
    out(seg(SEG_SYN, 0));
    assert_false(out(with_data(1))); /* 1 to 12 */
    assert_true(out(with_data(2)));
    assert_true(out(with_data(13)));
    assert_true(out(with_data(14)));
    assert_false(out(with_data(15)));
    assert_false(out(seg(SEG_ACK, 13)));
    assert_false(in(with_data(1)));
    in(seg(SEG_SYN | SEG_ACK, 0));
    assert_true(in(with_data(1)));
    assert_false(in(with_data(2)));
}

static void test_bytes_go_by_the_wire(void **state)
{
    (void)state;
    rules("out:S seq+=100", "out:bytes=1 drop", NULL);
    assert_true(out(seg(SEG_SYN, 0)));
    assert_false(out(with_data(1)));
    assert_true(out(with_data(101)));
}

/* How many of 10000 segments a rule matches, and a sum of which ones. */
static unsigned by_chance(uint64_t seed, const char *rule, uint64_t *which)
{
    unsigned n = 0;

    rules_seeded(seed, rule, NULL, NULL);
    *which = 0;
    for (unsigned i = 0; i < 10000; i++) {
        if (!out(seg(SEG_ACK, 1)))
            continue;
        n++;
        *which = *which * 31 + i;
    }
    return n;
}

static void test_chance_follows_the_seed(void **state)
{
    uint64_t first, second;
    const unsigned n = by_chance(1, "out:p=10% drop", &first);

    (void)state;
    assert_in_range(n, 900, 1100);
    assert_int_equal(by_chance(1, "out:p=10% drop", &second), n);
    assert_int_equal(first, second);
    by_chance(2, "out:p=10% drop", &second);
    assert_int_not_equal(first, second);
    assert_int_equal(by_chance(1, "out:p=100% drop", &first), 10000);
    assert_int_equal(by_chance(1, "out:p=0.000001% drop", &first), 0);
    /* # counts what chance has chosen. */
    assert_int_equal(by_chance(1, "out:p=10%#3 drop", &first), 1);
}

static void test_rules_are_independent_of_each_other(void **state)
{
    uint64_t with = 0, without = 0;

    (void)state;
    rules("out:p=50% dup", "out:p=50% drop", NULL);
    for (unsigned i = 0; i < 64; i++) {
        out(seg(SEG_ACK, 1));
        with = with << 1 | v.drop;
    }
    rules("in: dup", "out:p=50% drop", NULL);
    for (unsigned i = 0; i < 64; i++)
        without = without << 1 | out(seg(SEG_ACK, 1));
    assert_int_equal(with, without);
}

static void test_rules_go_in_order(void **state)
{
    (void)state;
    rules("out:S flags=S.", "out:S. win=7", "out:S win=8");
    assert_true(out(seg(SEG_SYN, 0)));
    assert_int_equal(v.seg.flags, SEG_SYN | SEG_ACK);
    assert_int_equal(v.seg.wnd, 7);
    assert_int_equal(v.about.rule, 1);
    assert_string_equal(v.about.what,
                        "sent with flags S. instead of S, sent with window 7 instead of 1000");
    assert_int_equal(matched(2), 1);
    assert_int_equal(matched(3), 0);
}

static void test_simple_actions(void **state)
{
    (void)state;
    rules("out:S dup", "out:S delay=200ms", "out:S corrupt");
    assert_true(out(seg(SEG_SYN, 0)));
    assert_true(v.twice && v.spoil && !v.drop && !v.hold);
    assert_int_equal(v.wait, 200 * WAVE_MS);
    assert_int_equal(v.about.acts,
                     IMPAIRED_DUPLICATED | IMPAIRED_DELAYED | IMPAIRED_CORRUPTED | IMPAIRED_BROKEN);
    rules("in: rst", NULL, NULL);
    assert_false(in(seg(SEG_RST, 0))); /* a RST is never answered with one */
    assert_true(in(seg(SEG_SYN, 0)));
    assert_true(v.drop && v.answer);
    assert_int_equal(v.about.acts, IMPAIRED_DROPPED | IMPAIRED_RESET);
}

static void test_reorder_lets_the_next_one_pass(void **state)
{
    (void)state;
    rules("out: reorder", NULL, NULL);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(out(seg(SEG_ACK, 1)));
        assert_true(v.hold);
        assert_false(out(seg(SEG_ACK, 2)));
    }
    assert_int_equal(matched(1), 3);
    assert_true(out(seg(SEG_ACK, 1)));
    now += IMPAIR_HELD; /* it was sent without one that passes it */
    assert_true(out(seg(SEG_ACK, 2)));
}

/* The field has to be N >> the scale that the peer knows of. */
static void test_window(void **state)
{
    struct seg syn = seg(SEG_SYN, 0), answer = seg(SEG_SYN | SEG_ACK, 0);

    (void)state;
    syn.opt = (struct opt){.has = OPT_WSCALE, .wscale = 7};
    answer.opt = (struct opt){.has = OPT_WSCALE, .wscale = 3};
    rules("out: win=12800", "in: win=12800", NULL);
    assert_true(out(syn));
    assert_int_equal(v.seg.wnd, 12800); /* that of a SYN is never scaled */
    assert_true(in(answer));
    assert_true(out(seg(SEG_ACK, 1)));
    assert_int_equal(v.seg.wnd, 100);
    assert_string_equal(v.about.what, "sent with window 12800 instead of 128000");
    assert_true(in(seg(SEG_ACK, 1)));
    assert_int_equal(v.seg.wnd, 1600);
    assert_string_equal(v.about.what, "taken in with window 12800 instead of 8000");
    /* Only one side scales: none does. */
    answer.opt.has = 0;
    in(answer);
    assert_true(out(seg(SEG_ACK, 1)));
    assert_int_equal(v.seg.wnd, 12800);
    rules("out: win=1073725440", NULL, NULL);
    assert_true(out(seg(SEG_ACK, 1)));
    assert_int_equal(v.seg.wnd, 65535); /* the most that the field holds */
    rules("out: win=1000", NULL, NULL);
    assert_false(out(seg(SEG_ACK, 1))); /* it is as large */
}

static void test_window_goes_by_what_the_receiver_knows(void **state)
{
    struct seg syn = seg(SEG_SYN, 0), answer = seg(SEG_SYN | SEG_ACK, 0);

    (void)state;
    syn.opt = answer.opt = (struct opt){.has = OPT_WSCALE, .wscale = 4};
    rules("out:S wscale=8", "out:. win=12800", NULL);
    out(syn);
    assert_int_equal(v.seg.opt.wscale, 8);
    in(answer);
    out(seg(SEG_ACK, 1));
    assert_int_equal(v.seg.wnd, 50);
    rules("in:S. strip=wscale", "in:. win=12800", NULL);
    out(syn);
    assert_true(in(answer));
    assert_true(in(seg(SEG_ACK, 1)));
    assert_int_equal(v.seg.wnd, 12800);
}

static void test_numbers_move(void **state)
{
    (void)state;
    rules("out: seq+=4294967295", "out: ack+=-2", NULL);
    assert_true(out(seg(SEG_ACK, 1)));
    assert_int_equal(v.seg.seq.v, ISN);
    assert_int_equal(v.seg.ack.v, THEIRS - 1);
    assert_true(out(seg(SEG_SYN, 0)));
    assert_int_equal(v.seg.ack.v, 0); /* there is none */
    assert_int_equal(matched(2), 1);
}

static struct seg with_options(unsigned flags)
{
    struct seg s = seg(flags, 1);

    s.opt =
        (struct opt){.has = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TIMESTAMP | OPT_SACK,
                     .mss = 1460,
                     .wscale = 7,
                     .tsval = 100,
                     .tsecr = 200,
                     .sacks = 2,
                     .sack = {{{10}, {20}}, {{30}, {40}}},
                     .raw = text,
                     .raw_len = 12};
    return s;
}

static void test_options(void **state)
{
    static const struct {
        const char *rule;
        unsigned gone;
    } strips[] = {{"out: strip=mss", OPT_MSS},
                  {"out: strip=wscale", OPT_WSCALE},
                  {"out: strip=sackok", OPT_SACK_PERMITTED},
                  {"out: strip=sack", OPT_SACK},
                  {"out: strip=ts", OPT_TIMESTAMP},
                  {"out: strip=all", 0xff}};

    (void)state;
    for (unsigned i = 0; i < sizeof strips / sizeof *strips; i++) {
        rules(strips[i].rule, NULL, NULL);
        assert_true(out(with_options(SEG_ACK)));
        assert_int_equal(v.seg.opt.has, with_options(0).opt.has & ~strips[i].gone);
        assert_null(v.seg.opt.raw);
        assert_false(out(seg(SEG_ACK, 1))); /* it has none */
        assert_int_equal(matched(1), 1);
    }
    rules("out: mss=536", "out: ts+=-1", "out: tsecr+=5");
    assert_true(out(with_options(SEG_ACK)));
    assert_int_equal(v.seg.opt.mss, 536);
    assert_int_equal(v.seg.opt.tsval, 99);
    assert_int_equal(v.seg.opt.tsecr, 205);
    assert_null(v.seg.opt.raw);
    rules("out: sack+=1000", NULL, NULL);
    assert_true(out(with_options(SEG_ACK)));
    assert_int_equal(v.seg.opt.sack[0].first.v, 1010);
    assert_int_equal(v.seg.opt.sack[1].end.v, 1040);
    assert_false(out(seg(SEG_ACK, 1)));
}

static void test_urgent_ttl_ecn(void **state)
{
    (void)state;
    rules("out: urg=5", "out: ttl=3", "out: ecn=ce");
    assert_true(out(seg(SEG_ACK, 1)));
    assert_int_equal(v.seg.urp, 5);
    assert_int_equal(v.seg.flags, SEG_ACK | SEG_URG);
    assert_int_equal(v.ttl, 3);
    assert_int_equal(v.seg.ecn, ECN_CE);
    rules("out: urg=0", NULL, NULL);
    assert_false(out(seg(SEG_ACK, 1)));
    struct seg s = seg(SEG_ACK | SEG_URG, 1);
    s.urp = 9;
    assert_true(out(s));
    assert_int_equal(v.seg.urp, 0);
    assert_int_equal(v.seg.flags, SEG_ACK);
}

static void test_changed_data(void **state)
{
    unsigned differ = 0;

    (void)state;
    rules("out:data corrupt=data", NULL, NULL);
    assert_true(out(with_data(1)));
    assert_int_equal(v.seg.len, 12);
    for (unsigned i = 0; i < 12; i++)
        differ += v.seg.data[i] != text[i];
    assert_int_equal(differ, 1);
    assert_memory_equal(text, "twelve bytes", 12);
    assert_false(v.spoil);
    rules("out:data truncate=5", NULL, NULL);
    struct seg s = with_data(1);
    s.flags |= SEG_FIN;
    assert_true(out(s));
    assert_int_equal(v.seg.len, 5);
    assert_int_equal(v.seg.flags, SEG_ACK);
    s.len = 5;
    assert_false(out(s)); /* nothing to cut off */
    rules("out:data truncate=0", "out:data drop", NULL);
    assert_true(out(with_data(1)));
    assert_int_equal(v.seg.len, 0);
    assert_null(v.seg.data);
    assert_false(v.drop);
}

static void test_spoil(void **state)
{
    uint8_t good[100], bad[100];

    (void)state;
    for (uint32_t bit = 0; bit < 1000; bit++) {
        struct seg s = bit & 1 ? with_data(1) : seg(SEG_ACK, 1), read;
        const int len = seg_build(&flow, &s, good, sizeof good);

        memcpy(bad, good, sizeof bad);
        impair_spoil(bad, (uint32_t)len, bit >> 1);
        assert_true(seg_checksum_ok(&flow, good, (size_t)len));
        assert_false(seg_checksum_ok(&flow, bad, (size_t)len));
        assert_int_equal(seg_parse(bad, (size_t)len, &read), 0);
        assert_int_equal(read.seq.v, s.seq.v);
        assert_int_equal(read.wnd, s.wnd);
        assert_int_equal(read.flags, s.flags);
    }
    impair_spoil(bad, 5, 0); /* too short to be a segment */
}

static void test_reset(void **state)
{
    struct seg s = with_data(1), rst = impair_reset(&s);

    (void)state;
    assert_int_equal(rst.seq.v, THEIRS + 1);
    assert_int_equal(rst.flags, SEG_RST);
    s = seg(SEG_SYN, 0);
    rst = impair_reset(&s);
    assert_int_equal(rst.seq.v, 0);
    assert_int_equal(rst.ack.v, ISN + 1);
    assert_int_equal(rst.flags, SEG_RST | SEG_ACK);
}

static void test_the_oldest_connection_makes_place(void **state)
{
    (void)state;
    rules("out:#2 drop", NULL, NULL);
    for (uint32_t i = 0; i < IMPAIR_FLOWS; i++) {
        flow.local.byte[15] = (uint8_t)(i >> 15);
        flow.lport = (uint16_t)(i & 0x7fff);
        assert_false(out(seg(SEG_ACK, 1)));
    }
    /* The first one is used, and so is not the oldest any more: the second one makes place. */
    flow.local.byte[15] = 0;
    flow.lport = 0;
    assert_true(out(seg(SEG_ACK, 1)));
    flow.lport = 0x8000;
    assert_false(out(seg(SEG_ACK, 1)));
    flow.lport = 1;
    assert_false(out(seg(SEG_ACK, 1))); /* counts from the beginning, and displaces the third */
    flow.lport = 3;
    assert_true(out(seg(SEG_ACK, 1)));
    assert_int_equal(matched(1), 2);
}

static void test_words_are_cut_to_what_fits(void **state)
{
    (void)state;
    rules("out: flags=FSRP.UEW", "out: seq+=-4294967295", "out: ack+=-4294967295");
    assert_true(out(seg(SEG_ACK, 1)));
    assert_int_equal(strlen(v.about.what), IMPAIRED_TEXT - 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_nothing_without_rules),
                                       CASE(test_directions),
                                       CASE(test_flags),
                                       CASE(test_data),
                                       CASE(test_numbers_count_for_each_connection),
                                       CASE(test_every),
                                       CASE(test_a_new_syn_begins_a_new_connection),
                                       CASE(test_time),
                                       CASE(test_bytes),
                                       CASE(test_bytes_go_by_the_wire),
                                       CASE(test_chance_follows_the_seed),
                                       CASE(test_rules_are_independent_of_each_other),
                                       CASE(test_rules_go_in_order),
                                       CASE(test_simple_actions),
                                       CASE(test_reorder_lets_the_next_one_pass),
                                       CASE(test_window),
                                       CASE(test_window_goes_by_what_the_receiver_knows),
                                       CASE(test_numbers_move),
                                       CASE(test_options),
                                       CASE(test_urgent_ttl_ecn),
                                       CASE(test_changed_data),
                                       CASE(test_spoil),
                                       CASE(test_reset),
                                       CASE(test_the_oldest_connection_makes_place),
                                       CASE(test_words_are_cut_to_what_fits)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
