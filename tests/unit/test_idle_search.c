/* Tests the search for the silence that a connection survives, without a network: a model of the
 * path says what becomes of each silence, and the search says which to try. */
#include "lib/run/idle_search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DEFAULTS                                                                                   \
    {                                                                                              \
        .from = 10 * WAVE_S, .to = WAVE_H, .precision = 5 * IDLE_PERCENT, .parallel = 12           \
    }

/* What a path does. */
struct model {
    wave_time limit;        /* WAVE_NEVER: none */
    enum idle_outcome dies; /* how */
    bool seen;              /* at the limit, whether it is probed or not */
    wave_time varies;       /* every second connection has a limit longer by this */
};

static struct idle_search search;
static unsigned passes, opened;
static wave_time took; /* all passes together */

static struct idle_sample become(const struct model *m, wave_time silence, unsigned n)
{
    const wave_time limit = time_add(m->limit, n % 2 ? m->varies : 0);

    if (silence < limit)
        return (struct idle_sample){silence, IDLE_ALIVE, false};
    return (struct idle_sample){m->seen ? limit : silence, m->dies, m->seen};
}

/* Runs one pass, in the order of time. Returns false if none is left to run. */
static bool run_pass(const struct model *m)
{
    wave_time silence[IDLE_PARALLEL], last = 0;
    const unsigned n = idle_search_plan(&search, silence);

    if (!n)
        return false;
    assert_in_range(n, 1, search.config.parallel);
    passes++;
    opened += n;
    for (unsigned i = 0; i < n && !idle_search_pass_over(&search); i++) {
        struct idle_sample x = become(m, silence[i], i);
        assert_true(silence[i] >= last);
        last = silence[i];
        idle_search_add(&search, &x);
        if (idle_search_pass_over(&search) || i + 1 == n)
            took += x.silence;
    }
    return true;
}

static struct idle_answer run(const struct model *m, struct idle_search_config c)
{
    struct idle_answer a;

    passes = opened = 0;
    took = 0;
    idle_search_init(&search, &c);
    while (run_pass(m))
        assert_in_range(passes, 1, IDLE_PASSES);
    idle_search_answer(&search, &a);
    return a;
}

static void two_passes_narrow_any_limit_to_the_precision(void **state)
{
    (void)state;
    for (wave_time limit = 11 * WAVE_S; limit < 3500 * WAVE_S; limit += 7777 * WAVE_MS) {
        const struct model m = {.limit = limit, .dies = IDLE_SILENT};
        const struct idle_answer a = run(&m, (struct idle_search_config)DEFAULTS);

        assert_int_equal(a.kind, IDLE_BETWEEN);
        assert_true(a.survived < limit && a.died >= limit);
        assert_true(a.died <= a.survived / 100 * 105 + WAVE_MS);
        assert_in_range(passes, 1, 2);
        assert_true(took < 4 * limit); /* a step of pass one is a factor of 1.71 */
        assert_int_equal(a.how, IDLE_SILENT);
        assert_true(a.alike);
        assert_true(a.survivals >= 1);
        assert_true(a.deaths >= 2);
    }
}

static void nothing_that_forgets_takes_one_pass(void **state)
{
    const struct model m = {.limit = WAVE_NEVER};
    const struct idle_answer a = run(&m, (struct idle_search_config)DEFAULTS);

    (void)state;
    assert_int_equal(a.kind, IDLE_LONGER);
    assert_int_equal(a.survived, WAVE_H);
    assert_int_equal(passes, 1);
    assert_int_equal(took, WAVE_H);
    assert_int_equal(a.samples[IDLE_ALIVE], 12);
    assert_int_equal(idle_answer_keepalive(&a), 0);
}

static void a_limit_below_the_shortest_silence_is_told_soon(void **state)
{
    const struct model m = {.limit = WAVE_S, .dies = IDLE_RESET};
    const struct idle_answer a = run(&m, (struct idle_search_config)DEFAULTS);

    (void)state;
    assert_int_equal(a.kind, IDLE_SHORTER);
    assert_int_equal(a.died, 10 * WAVE_S);
    assert_int_equal(a.samples[IDLE_RESET], 2);
    assert_true(took < 20 * WAVE_S);
}

/* The peer closes after a minute, whether it is probed or not. */
static void an_end_that_is_seen_is_the_limit(void **state)
{
    const struct model m = {.limit = WAVE_MIN, .dies = IDLE_CLOSED, .seen = true};
    const struct idle_answer a = run(&m, (struct idle_search_config)DEFAULTS);

    (void)state;
    assert_int_equal(a.kind, IDLE_AT);
    assert_int_equal(a.died, WAVE_MIN);
    assert_int_equal(a.died_last, WAVE_MIN);
    assert_int_equal(a.how, IDLE_CLOSED);
    assert_int_equal(a.deaths, 6);
    assert_true(a.confirmed);
    assert_int_equal(passes, 2);
    assert_int_equal(idle_answer_keepalive(&a), 0); /* no probe stops the peer's own timer */
}

/* All connections that are silent are closed after `at`, in pass `in`, and in that one alone. */
static struct idle_answer with_event(const struct model *m, unsigned in, wave_time at)
{
    const struct model ends = {.limit = at, .dies = IDLE_CLOSED, .seen = true};
    const struct idle_search_config c = DEFAULTS;
    struct idle_answer a;

    passes = 0;
    took = 0;
    idle_search_init(&search, &c);
    while (run_pass(passes + 1 == in ? &ends : m))
        ;
    idle_search_answer(&search, &a);
    assert_true(idle_search_event(&search, in));
    return a;
}

static void an_end_that_does_not_come_again_is_no_limit(void **state)
{
    const struct model nothing = {.limit = WAVE_NEVER};
    const struct model forgets = {.limit = 300 * WAVE_S, .dies = IDLE_SILENT};
    struct idle_answer a = with_event(&nothing, 1, 61 * WAVE_S);

    (void)state;
    assert_int_equal(a.kind, IDLE_LONGER);
    assert_int_equal(a.survived, WAVE_H);
    assert_int_equal(a.event, 3);
    assert_int_equal(a.event_at, 61 * WAVE_S);
    assert_int_equal(a.samples[IDLE_CLOSED], 0);
    for (unsigned in = 1; in <= 2; in++) {
        a = with_event(&forgets, in, 61 * WAVE_S);
        assert_int_equal(a.kind, IDLE_BETWEEN);
        assert_true(a.survived < 300 * WAVE_S && a.died >= 300 * WAVE_S);
        assert_true(a.alike);
        assert_int_equal(a.how, IDLE_SILENT);
    }
}

/* Two events, each after another silence, are no limit either. */
static void an_end_after_another_silence_confirms_nothing(void **state)
{
    const struct model first = {.limit = 61 * WAVE_S, .dies = IDLE_CLOSED, .seen = true};
    const struct model then = {.limit = 20 * WAVE_S, .dies = IDLE_CLOSED, .seen = true};
    const struct model nothing = {.limit = WAVE_NEVER};
    const struct idle_search_config c = DEFAULTS;
    struct idle_answer a;

    (void)state;
    idle_search_init(&search, &c);
    assert_true(run_pass(&first));
    assert_true(run_pass(&then));
    idle_search_answer(&search, &a);
    assert_false(a.confirmed);
    while (run_pass(&nothing))
        ;
    idle_search_answer(&search, &a);
    assert_int_equal(a.kind, IDLE_LONGER);
    assert_int_equal(a.event, 6);
}

/* Every second connection lives a third longer. */
static void a_limit_that_varies_is_told_as_a_range(void **state)
{
    const struct model m = {.limit = 300 * WAVE_S, .dies = IDLE_SILENT, .varies = 100 * WAVE_S};
    const struct idle_answer a = run(&m, (struct idle_search_config)DEFAULTS);

    (void)state;
    assert_int_equal(a.kind, IDLE_VARIES);
    assert_in_range(a.died, 300 * WAVE_S, 400 * WAVE_S);
    assert_in_range(a.survived, a.died, 400 * WAVE_S);
    assert_true(a.survivals >= 1 && a.deaths >= 1);
    assert_true(idle_answer_keepalive(&a) <= a.died / 2 + WAVE_S);
}

/* A death by chance in pass one, far below the limit, is contradicted by pass two. */
static void a_chance_death_is_contradicted(void **state)
{
    const struct model m = {.limit = 300 * WAVE_S, .dies = IDLE_SILENT};
    const struct idle_sample chance = {17 * WAVE_S, IDLE_SILENT, false};
    const struct idle_search_config c = DEFAULTS;
    wave_time silence[IDLE_PARALLEL];
    struct idle_answer a;

    (void)state;
    idle_search_init(&search, &c);
    assert_int_equal(idle_search_plan(&search, silence), 12);
    idle_search_add(&search, &(struct idle_sample){silence[0], IDLE_ALIVE, false});
    assert_false(idle_search_pass_over(&search));
    idle_search_add(&search, &chance);
    assert_true(idle_search_pass_over(&search));
    while (run_pass(&m))
        ;
    idle_search_answer(&search, &a);
    assert_int_equal(a.kind, IDLE_VARIES);
    assert_int_equal(a.died, 17 * WAVE_S);
    assert_int_equal(a.deaths, 1);
    assert_true(a.survivals >= 2);
}

static void what_says_nothing_is_repeated(void **state)
{
    const struct idle_search_config c = {
        .from = WAVE_S, .to = 4 * WAVE_S, .precision = 5 * IDLE_PERCENT, .parallel = 3};
    const struct model m = {.limit = WAVE_NEVER};
    wave_time silence[IDLE_PARALLEL];
    struct idle_answer a;
    unsigned n;

    (void)state;
    idle_search_init(&search, &c);
    n = idle_search_plan(&search, silence);
    assert_int_equal(n, 3);
    assert_int_equal(silence[0], WAVE_S);
    assert_in_range(silence[1], 2 * WAVE_S - WAVE_MS, 2 * WAVE_S + WAVE_MS);
    assert_int_equal(silence[2], 4 * WAVE_S);
    for (unsigned i = 0; i < n; i++)
        idle_search_add(&search, &(struct idle_sample){silence[i], IDLE_INCONCLUSIVE, false});
    idle_search_answer(&search, &a);
    assert_int_equal(a.kind, IDLE_UNKNOWN);
    assert_true(run_pass(&m));
    idle_search_answer(&search, &a);
    assert_int_equal(a.kind, IDLE_LONGER);
    assert_int_equal(a.survived, 4 * WAVE_S);
    assert_int_equal(a.samples[IDLE_INCONCLUSIVE], 3);
    assert_false(run_pass(&m));
}

static void a_run_in_which_nothing_is_known_ends(void **state)
{
    const struct model m = {.limit = 0, .dies = IDLE_INCONCLUSIVE};
    const struct idle_answer a = run(&m, (struct idle_search_config)DEFAULTS);

    (void)state;
    assert_int_equal(passes, IDLE_PASSES);
    assert_int_equal(a.kind, IDLE_UNKNOWN);
}

/* Two at a time bisect, in more passes. */
static void few_connections_need_more_passes(void **state)
{
    for (uint32_t parallel = 1; parallel <= 4; parallel++) {
        const struct model m = {.limit = 47 * WAVE_S, .dies = IDLE_RESET};
        const struct idle_search_config c = {.from = 40 * WAVE_S,
                                             .to = 80 * WAVE_S,
                                             .precision = 10 * IDLE_PERCENT,
                                             .parallel = parallel};
        const struct idle_answer a = run(&m, c);

        (void)state;
        assert_int_equal(a.kind, IDLE_BETWEEN);
        assert_true(a.survived < m.limit && a.died >= m.limit);
        assert_true(a.died <= a.survived / 100 * 110 + WAVE_MS);
    }
}

/* With many connections, each silence of the last pass is tried several times. */
static void many_connections_give_more_evidence(void **state)
{
    const struct model m = {.limit = 300 * WAVE_S, .dies = IDLE_SILENT};
    struct idle_search_config c = DEFAULTS;
    struct idle_answer a;

    (void)state;
    c.parallel = 64;
    a = run(&m, c);
    assert_int_equal(a.kind, IDLE_BETWEEN);
    assert_true(a.survivals >= 4);
    assert_true(opened <= 2 * 64);
}

static void a_test_tries_one_silence(void **state)
{
    const struct model kept = {.limit = 61 * WAVE_S, .dies = IDLE_SILENT};
    const struct model forgot = {.limit = 59 * WAVE_S, .dies = IDLE_SILENT};
    const struct idle_search_config c = {.from = WAVE_MIN,
                                         .to = WAVE_MIN,
                                         .precision = 5 * IDLE_PERCENT,
                                         .parallel = 3,
                                         .once = true};
    struct idle_answer a = run(&kept, c);

    (void)state;
    assert_int_equal(a.kind, IDLE_LONGER);
    assert_int_equal(a.samples[IDLE_ALIVE], 3);
    assert_int_equal(passes, 1);
    a = run(&forgot, c);
    assert_int_equal(a.kind, IDLE_SHORTER);
    assert_int_equal(a.deaths, 3);
    assert_int_equal(passes, 1);
}

static void the_interval_has_two_digits(void **state)
{
    struct idle_answer a = {
        .kind = IDLE_BETWEEN, .survived = 298700 * WAVE_MS, .died = 301 * WAVE_S};

    (void)state;
    assert_int_equal(idle_answer_keepalive(&a), 150 * WAVE_S);
    a.kind = IDLE_VARIES;
    a.died = 90 * WAVE_S;
    assert_int_equal(idle_answer_keepalive(&a), 45 * WAVE_S);
    a.kind = IDLE_SHORTER;
    assert_int_equal(idle_answer_keepalive(&a), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_passes_narrow_any_limit_to_the_precision),
        cmocka_unit_test(nothing_that_forgets_takes_one_pass),
        cmocka_unit_test(a_limit_below_the_shortest_silence_is_told_soon),
        cmocka_unit_test(an_end_that_is_seen_is_the_limit),
        cmocka_unit_test(an_end_that_does_not_come_again_is_no_limit),
        cmocka_unit_test(an_end_after_another_silence_confirms_nothing),
        cmocka_unit_test(a_limit_that_varies_is_told_as_a_range),
        cmocka_unit_test(a_chance_death_is_contradicted),
        cmocka_unit_test(what_says_nothing_is_repeated),
        cmocka_unit_test(a_run_in_which_nothing_is_known_ends),
        cmocka_unit_test(few_connections_need_more_passes),
        cmocka_unit_test(many_connections_give_more_evidence),
        cmocka_unit_test(a_test_tries_one_silence),
        cmocka_unit_test(the_interval_has_two_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
