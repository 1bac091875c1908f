/* Tests the rules of --impair as text: every item and every action is parsed and printed, printing
 * and parsing are inverse, and each complaint names the place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/core/seg.h"
#include "lib/run/impair_rule.h"

static struct impair_rule parse(const char *text)
{
    struct impair_rule r;
    struct diag d = {""};

    if (impair_rule_parse(text, &r, &d) != 0)
        fail_msg("'%s' %s", text, d.text);
    assert_ptr_equal(r.words, text);
    return r;
}

/* Returns whether two rules say the same. */
static bool same(const struct impair_rule *a, const struct impair_rule *b)
{
    return a->direction == b->direction && a->match == b->match && a->flags == b->flags &&
           a->first == b->first && a->last == b->last && a->every == b->every &&
           a->chance == b->chance && a->after == b->after && a->before == b->before &&
           a->byte_first == b->byte_first && a->byte_last == b->byte_last &&
           a->action == b->action && a->number == b->number && a->delay == b->delay &&
           a->set == b->set && a->options == b->options;
}

/* A text that is parsed and printed as `printed`, and that as itself. */
static void prints(const char *text, const char *printed)
{
    struct impair_rule r = parse(text), again;
    char first[IMPAIR_RULE_TEXT], second[IMPAIR_RULE_TEXT];

    assert_string_equal(impair_rule_print(&r, first), printed);
    again = parse(first);
    assert_true(same(&r, &again));
    assert_string_equal(impair_rule_print(&again, second), printed);
}

static void test_directions(void **state)
{
    (void)state;
    assert_int_equal(parse("out: drop").direction, IMPAIR_OUT);
    assert_int_equal(parse("in: drop").direction, IMPAIR_IN);
    assert_int_equal(parse("in: drop").match, 0);
    prints("out: drop", "out: drop");
    prints("in:\t  drop  ", "in: drop");
}

static void test_flags(void **state)
{
    (void)state;
    assert_int_equal(parse("out:S drop").flags, SEG_SYN);
    assert_int_equal(parse("out:S. drop").flags, SEG_SYN | SEG_ACK);
    assert_int_equal(parse("out:. drop").flags, SEG_ACK);
    assert_int_equal(parse("out:FRPUEW drop").flags,
                     SEG_FIN | SEG_RST | SEG_PSH | SEG_URG | SEG_ECE | SEG_CWR);
    prints("out:.S drop", "out:S. drop");
    prints("out:WEUP.RSF drop", "out:FSRP.UEW drop");
}

static void test_items(void **state)
{
    struct impair_rule r = parse("out:data,#3-7 every=2,p=12.5% after=1.5s before=1m "
                                 "bytes=100-200 drop");

    (void)state;
    assert_int_equal(r.match, IMPAIR_BY_DATA | IMPAIR_BY_NUMBER | IMPAIR_BY_EVERY |
                                  IMPAIR_BY_CHANCE | IMPAIR_BY_AFTER | IMPAIR_BY_BEFORE |
                                  IMPAIR_BY_BYTES);
    assert_int_equal(r.first, 3);
    assert_int_equal(r.last, 7);
    assert_int_equal(r.every, 2);
    assert_int_equal(r.chance, IMPAIR_ALWAYS / 8);
    assert_int_equal(r.after, 1500 * WAVE_MS);
    assert_int_equal(r.before, WAVE_MIN);
    assert_int_equal(r.byte_first, 100);
    assert_int_equal(r.byte_last, 200);
    prints("out:data,#3-7 every=2,p=12.5% after=1.5s before=1m bytes=100-200 drop",
           "out:data,every=2,p=12.5%,after=1500ms,before=1m,bytes=100-200#3-7 drop");
    prints("in:nodata rst", "in:nodata rst");
}

static void test_numbers(void **state)
{
    struct impair_rule r = parse("out:#0x10- drop");

    (void)state;
    assert_int_equal(r.first, 16);
    assert_int_equal(r.last, IMPAIR_LAST);
    prints("out:.#1 drop", "out:.#1 drop");
    prints("out:., #1 drop", "out:.#1 drop");
    prints("out:#5-5 drop", "out:#5 drop");
    prints("out:#5- drop", "out:#5- drop");
    prints("out:bytes=7 drop", "out:bytes=7 drop");
    prints("out:bytes=7- drop", "out:bytes=7- drop");
    prints("out:bytes=7-#2 drop", "out:bytes=7-#2 drop");
    prints("out:#4294967294 drop", "out:#4294967294 drop");
}

static void test_chance(void **state)
{
    (void)state;
    prints("out:p=10 drop", "out:p=10% drop");
    prints("out:p=100 drop", "out:p=100% drop");
    prints("out:p=0.000001 drop", "out:p=0.000001% drop");
    prints("out:p=99.999999% drop", "out:p=99.999999% drop");
    prints("out:p=0.50% drop", "out:p=0.5% drop");
    assert_int_equal(parse("out:p=0.000001 drop").chance, 1);
    assert_int_equal(parse("out:p=100.0% drop").chance, IMPAIR_ALWAYS);
}

static void test_actions(void **state)
{
    static const char *const same_text[] = {"out: drop",
                                            "out: dup",
                                            "out: delay=200ms",
                                            "in: reorder",
                                            "out: corrupt",
                                            "in:data corrupt=data",
                                            "out:data truncate=0",
                                            "out:bytes=1-9 truncate=65535",
                                            "in: win=0",
                                            "out: win=1073725440",
                                            "out: seq+=1",
                                            "out: seq+=-4294967295",
                                            "in:. ack+=4294967295",
                                            "out: ack+=-1",
                                            "out: flags=none",
                                            "in: flags=FSRP.UEW",
                                            "out:S strip=mss",
                                            "out: strip=wscale",
                                            "out:S. strip=sackok",
                                            "out:. strip=sack",
                                            "in: strip=ts",
                                            "out:. strip=all",
                                            "out:S mss=536",
                                            "in: wscale=255",
                                            "out: ts+=5",
                                            "out: tsecr+=-5",
                                            "out:. sack+=1000",
                                            "out: urg=0",
                                            "out: urg=65535",
                                            "out: ttl=1",
                                            "out: ecn=none",
                                            "in: ecn=ect1",
                                            "in: ecn=ect0",
                                            "in: ecn=ce",
                                            "in: rst",
                                            "out:S rst"};

    (void)state;
    for (unsigned i = 0; i < sizeof same_text / sizeof *same_text; i++)
        prints(same_text[i], same_text[i]);
    prints("out: delay=0.2", "out: delay=200ms");
    prints("out: ecn=3", "out: ecn=ce");
    prints("out: flags=.S", "out: flags=S.");
    prints("out: win=0xff", "out: win=255");
    assert_int_equal(parse("out: seq+=-5").number, -5);
    assert_int_equal(parse("out: delay=1h").delay, WAVE_H);
    assert_int_equal(parse("out: strip=all").options, UINT8_MAX);
    assert_int_equal(parse("in: ecn=ect0").number, ECN_ECT0);
}

/* The parts of every complaint. */
static const struct {
    const char *rule, *where, *why;
} wrong[] = {
    {"", "at its end (character 1)", "begins with 'out:' or 'in:'"},
    {"up: drop", "at character 1, 'up: drop'", "begins with 'out:' or 'in:'"},
    {"out drop", "at character 1,", "begins with"},
    {"out:", "at its end (character 5)", "a blank and an action are missing"},
    {"out:drop", "at its end (character 9)", "a blank and an action are missing"},
    {"out:   ", "at its end (character 8)", "an action is drop, dup"},
    {"out:X drop", "at character 5, 'X drop'", "an item is flags"},
    {"out:SX drop", "at character 6, 'X drop'", "a flag is one of"},
    {"out:SS drop", "at character 6, 'S drop'", "named twice"},
    {"out:S,P drop", "at character 7, 'P drop'", "such an item already"},
    {"out:#0 drop", "at character 6, '0 drop'", "# takes N, N-M or N-"},
    {"out:# drop", "at character 6, ' drop'", "# takes"},
    {"out:#3-2 drop", "at character 6, '3-2 drop'", "# takes"},
    {"out:#1#2 drop", "at character 7, '#2 drop'", "such an item already"},
    {"out:#4294967295 drop", "at character 6,", "# takes"},
    {"out:every=0 drop", "at character 11, '0 drop'", "every= takes"},
    {"out:p=0 drop", "at character 7, '0 drop'", "p= takes a percentage"},
    {"out:p=100.1 drop", "at character 7, '100.1 drop'", "p= takes"},
    {"out:p=1.0000001 drop", "at character 7,", "six decimal places"},
    {"out:p=.5 drop", "at character 7,", "p= takes"},
    {"out:p=1. drop", "at character 7,", "p= takes"},
    {"out:after=5x drop", "at character 11, '5x drop'", "after= takes a duration"},
    {"out:before=0 drop", "at character 12, '0 drop'", "before= takes a duration above 0"},
    {"out:bytes=5-4 drop", "at character 11, '5-4 drop'", "bytes= takes L-R"},
    {"out:bytes=0 drop", "at character 11,", "counted from 1"},
    {"out:data,nodata drop", "at character 10, 'nodata drop'", "no segment has data and none"},
    {"out:nodata,bytes=1 drop", "at character 12,", "no segment has data and none"},
    {"out:,S drop", "at character 5, ',S drop'", "missing before this comma"},
    {"out:S,,P drop", "at character 7, ',P drop'", "missing before this comma"},
    {"out:S, drop", "at character 8, 'drop'", "missing after the last comma"},
    {"out:after=1s,before=1s drop", "at character 24, 'drop'", "no segment comes after="},
    {"out: dropp", "at character 6, 'dropp'", "an action is drop, dup"},
    {"out: drop=1", "at character 6,", "an action is"},
    {"out: delay=", "at its end (character 12)", "delay= takes a duration above 0"},
    {"out: delay=0", "at character 12, '0'", "delay= takes"},
    {"out:data truncate=65536", "at character 19, '65536'", "truncate= takes"},
    {"out: win=1073725441", "at character 10,", "up to 1073725440"},
    {"out: seq+=0", "at character 11, '0'", "a number other than 0"},
    {"out: ack+=+1", "at character 11, '+1'", "ack+= takes"},
    {"out: ts+=4294967296", "at character 10,", "of 32 bits"},
    {"out: tsecr+=x", "at character 13, 'x'", "tsecr+= takes"},
    {"out: sack+=", "at its end (character 12)", "sack+= takes"},
    {"out: flags=", "at its end (character 12)", "flags= takes letters"},
    {"out: flags=SA", "at character 13, 'A'", "a flag is one of"},
    {"out: strip=foo", "at character 12, 'foo'", "strip= takes mss, wscale, sackok"},
    {"out: mss=65536", "at character 10,", "mss= takes"},
    {"out: wscale=256", "at character 13,", "wscale= takes"},
    {"out: urg=-1", "at character 10, '-1'", "urg= takes"},
    {"out: ttl=0", "at character 10, '0'", "from 1 to 255"},
    {"out: ecn=4", "at character 10, '4'", "ecn= takes none, ect1, ect0, ce"},
    {"in: ttl=3", "at character 5, 'ttl=3'", "does not look at the TTL"},
    {"out: truncate=5", "at character 6, 'truncate=5'", "needs 'data' in the match"},
    {"out: corrupt=data", "at character 6,", "needs 'data' in the match"},
    {"out:S strip=sack", "at character 7,", "a SYN carries no SACK blocks"},
    {"out:S. sack+=1", "at character 8,", "a SYN carries no SACK blocks"},
    {"out:. strip=mss", "at character 7,", "only a SYN or SYN-ACK"},
    {"out:F strip=wscale", "at character 7,", "only a SYN or SYN-ACK"},
    {"out:R strip=sackok", "at character 7,", "only a SYN or SYN-ACK"},
    {"out:. mss=5", "at character 7,", "only a SYN or SYN-ACK"},
    {"out:. wscale=5", "at character 7,", "only a SYN or SYN-ACK"},
    {"out:S ack+=1", "at character 7,", "acknowledges nothing"},
    {"out:S tsecr+=1", "at character 7,", "echoes no timestamp"},
    {"out:R win=5", "at character 7,", "the window of a RST"},
    {"in:R. rst", "at character 7, 'rst'", "never answered with a RST"}};

static void test_complaints(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct impair_rule r = {.number = 4711};
        struct diag d = {""};

        if (impair_rule_parse(wrong[i].rule, &r, &d) != WAVE_EINVAL)
            fail_msg("'%s' is accepted", wrong[i].rule);
        if (!strstr(d.text, wrong[i].where) || !strstr(d.text, wrong[i].why))
            fail_msg("'%s': %s", wrong[i].rule, d.text);
        assert_int_equal(r.number, 4711);
    }
}

static void test_long_texts(void **state)
{
    char text[400];
    struct impair_rule r;
    struct diag d;

    (void)state;
    snprintf(text, sizeof text, "out:%0300d drop", 0);
    assert_int_equal(impair_rule_parse(text, &r, &d), WAVE_EINVAL);
    assert_non_null(
        strstr(d.text, "at character 5, '0000000000000000000000000000000000000000...'"));
    snprintf(text, sizeof text, "out:S delay=%0300ds", 1);
    assert_int_equal(impair_rule_parse(text, &r, &d), WAVE_EINVAL);
    assert_non_null(strstr(d.text, "an action is"));
    /* The longest rule that can be printed. */
    r = parse("out:FSRP.UEW,data,every=4294967295,p=99.999999%,after=8759h,before=8760h,"
              "bytes=4294967293-4294967294#4294967293-4294967294 tsecr+=-4294967295");
    prints(r.words, r.words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directions), cmocka_unit_test(test_flags),
        cmocka_unit_test(test_items),      cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_chance),     cmocka_unit_test(test_actions),
        cmocka_unit_test(test_complaints), cmocka_unit_test(test_long_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
