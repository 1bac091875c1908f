/* The steps of a pass are found by multiplication alone, so that the same range gives the same
 * silences everywhere. */
#include "lib/run/idle_search.h"

#define DEATHS_SEEN 3 /* ends that were seen, after which a pass is over */
#define SAME_SHARE 10 /* ends came after the same silence if they differ by less than this part */
#define SAME_SLACK (100 * WAVE_MS) /* and this */
#define ROOT_STEPS 60 /* halvings in the search for a root: more than a double has digits */
#define ROOT_MAX 1e9  /* no range has a larger factor */

const char *idle_outcome_name(enum idle_outcome o)
{
    static const char *const name[] = {
        [IDLE_ALIVE] = "alive", [IDLE_RESET] = "reset",   [IDLE_SILENT] = "silent",
        [IDLE_ICMP] = "icmp",   [IDLE_CLOSED] = "closed", [IDLE_INCONCLUSIVE] = "inconclusive"};

    return name[o];
}

void idle_search_init(struct idle_search *s, const struct idle_search_config *config)
{
    *s = (struct idle_search){.config = *config};
}

static bool is_death(const struct idle_sample *x)
{
    return x->outcome != IDLE_ALIVE && x->outcome != IDLE_INCONCLUSIVE;
}

/* What the ends amount to that were seen in a pass. */
enum ends {
    ENDS_NONE,  /* there are none */
    ENDS_LIMIT, /* they show a limit */
    ENDS_ALONE, /* nothing confirms them so far, and nothing contradicts them */
    ENDS_EVENT  /* they were a single event */
};

static bool is_end(const struct idle_sample *x)
{
    return is_death(x) && x->seen;
}

/* Returns whether the sample shows that `silence` is survived. With `once`, a sample is alive only
 * if it lived to the end of its pass. */
static bool outlives(const struct idle_search *s, const struct idle_sample *x, wave_time silence)
{
    return x->outcome == IDLE_ALIVE && (s->config.once || x->silence >= silence);
}

static enum ends ends_of(const struct idle_search *s, unsigned pass)
{
    wave_time first = WAVE_NEVER, last = 0, slack;
    bool survived = false;

    for (unsigned i = 0; i < s->samples; i++) {
        if (s->of_pass[i] != pass || !is_end(&s->sample[i]))
            continue;
        first = time_min(first, s->sample[i].silence);
        last = s->sample[i].silence > last ? s->sample[i].silence : last;
    }
    if (!last)
        return ENDS_NONE;
    slack = first / SAME_SHARE + SAME_SLACK;
    for (unsigned i = 0; i < s->samples; i++) {
        const struct idle_sample *x = &s->sample[i];
        const bool other = s->of_pass[i] != pass;
        if (other ? is_end(x) && x->silence + slack >= first && x->silence <= last + slack
                  : outlives(s, x, first))
            return ENDS_LIMIT;
        survived |= other && outlives(s, x, last);
    }
    return survived ? ENDS_EVENT : ENDS_ALONE;
}

bool idle_search_event(const struct idle_search *s, unsigned pass)
{
    return ends_of(s, pass) == ENDS_EVENT;
}

/* Returns `t` made longer, or with a negative share shorter, by so many parts of the precision. */
static wave_time widened(wave_time t, int share)
{
    const int whole = 100 * IDLE_PERCENT;

    if (t >= WAVE_NEVER / 2) /* none, and more than a double could be turned back into */
        return t;
    return (wave_time)((double)t * (whole + share) / whole);
}

static double power(double base, unsigned n)
{
    double x = 1;

    while (n--)
        x *= base;
    return x;
}

/* Returns the factor that, applied `n` times, makes `ratio`, which is 1 or more. */
static double root(double ratio, unsigned n)
{
    double low = 1, high = ratio < ROOT_MAX ? ratio : ROOT_MAX;

    for (unsigned i = 0; i < ROOT_STEPS; i++) {
        double middle = (low + high) / 2;
        if (power(middle, n) < ratio)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* Returns a time that is short to write: in whole milliseconds, or microseconds below a second. */
static wave_time rounded(double t)
{
    const wave_time unit = t < (double)WAVE_S ? WAVE_US : WAVE_MS;

    return ((wave_time)t + unit / 2) / unit * unit;
}

/* Fills in `n` silences from `low` to `high`, both among them, each `each` times. Returns how many
 * there are. */
static unsigned spread(wave_time low, wave_time high, unsigned n, unsigned each, wave_time *silence)
{
    const double factor = n > 1 ? root((double)high / (double)low, n - 1) : 1;
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < each; k++)
            silence[count++] = i + 1 == n ? high
                               : i        ? rounded((double)low * power(factor, i))
                                          : low;
    return count;
}

/* Returns how many steps of the precision lie between the two. */
static unsigned steps_between(const struct idle_search *s, wave_time low, wave_time high)
{
    const double factor = 1 + s->config.precision / (100.0 * IDLE_PERCENT);
    double at = (double)low;
    unsigned n = 0;

    while (n < IDLE_PARALLEL && at < (double)high) {
        at *= factor;
        n++;
    }
    return n;
}

/* Divides the bracket. With few connections its ends are not tried once more. */
static unsigned narrow(const struct idle_search *s, wave_time low, wave_time high,
                       wave_time *silence)
{
    const unsigned room = s->config.parallel;
    unsigned points = steps_between(s, low, high) + 1;
    wave_time all[IDLE_PARALLEL + 2];
    unsigned n = 0;

    if (room >= 4) {
        if (points > room)
            points = room;
        return spread(low, high, points, room / points, silence);
    }
    spread(low, high, room + 2, 1, all);
    for (unsigned i = 1; i <= room; i++)
        if (all[i] > low && all[i] < high)
            silence[n++] = all[i];
    return n;
}

/* Samples the range in which death is a matter of chance, and a little beyond it. */
static unsigned sample_range(struct idle_search *s, const struct idle_answer *a, wave_time *silence)
{
    wave_time low = widened(a->died, -(int)s->config.precision);
    wave_time high = widened(a->survived, (int)s->config.precision);

    if (high > s->config.to)
        high = s->config.to;
    s->ranged = s->to_the_end = true;
    return spread(low, high > low ? high : low, s->config.parallel, 1, silence);
}

static unsigned first_pass(const struct idle_search *s, wave_time *silence)
{
    const struct idle_search_config *c = &s->config;

    if (c->once)
        return spread(c->to, c->to, 1, c->parallel, silence);
    return c->parallel == 1 ? spread(c->to, c->to, 1, 1, silence)
                            : spread(c->from, c->to, c->parallel, 1, silence);
}

/* Looks whether the ends that were seen come once more. */
static unsigned confirm(const struct idle_search *s, const struct idle_answer *a,
                        wave_time *silence)
{
    const unsigned n = s->config.parallel < DEATHS_SEEN ? s->config.parallel : DEATHS_SEEN;
    wave_time longer = a->died_last + a->died_last / SAME_SHARE + SAME_SLACK;

    if (longer > s->config.to && a->died_last < s->config.to)
        longer = s->config.to;
    return spread(longer, longer, 1, n, silence);
}

/* Returns whether nothing is left to try. */
static bool is_known(const struct idle_search *s, const struct idle_answer *a)
{
    switch (a->kind) {
    case IDLE_UNKNOWN:
        return false;
    case IDLE_LONGER:
        return a->survived >= widened(s->config.to, -(int)s->config.precision);
    case IDLE_SHORTER: /* the shortest one was not survived, unless that one said nothing */
        return a->died <= widened(s->config.from, (int)s->config.precision);
    case IDLE_BETWEEN:
        return a->died <= widened(a->survived, (int)s->config.precision);
    case IDLE_AT:
        return a->confirmed;
    case IDLE_VARIES:
        return s->ranged;
    }
    return true;
}

static unsigned next_pass(struct idle_search *s, const struct idle_answer *a, wave_time *silence)
{
    switch (a->kind) {
    case IDLE_LONGER:
        return narrow(s, a->survived, s->config.to, silence);
    case IDLE_SHORTER:
        return narrow(s, s->config.from, a->died, silence);
    case IDLE_BETWEEN:
        return narrow(s, a->survived, a->died, silence);
    case IDLE_VARIES:
        return sample_range(s, a, silence);
    case IDLE_AT:
        return confirm(s, a, silence);
    default:
        return first_pass(s, silence);
    }
}

unsigned idle_search_plan(struct idle_search *s, wave_time silence[IDLE_PARALLEL])
{
    struct idle_answer a;

    idle_search_answer(s, &a);
    s->pending = 0;
    s->to_the_end = false;
    if (s->pass && (s->config.once ? a.kind != IDLE_UNKNOWN && a.confirmed : is_known(s, &a)))
        return 0;
    if (s->pass == IDLE_PASSES)
        return 0;
    s->pass++;
    s->begins = s->samples;
    s->pending =
        s->pass == 1 || s->config.once ? first_pass(s, silence) : next_pass(s, &a, silence);
    return s->pending;
}

void idle_search_add(struct idle_search *s, const struct idle_sample *sample)
{
    if (s->samples < IDLE_SAMPLES) {
        s->of_pass[s->samples] = (uint8_t)s->pass;
        s->sample[s->samples++] = *sample;
    }
    if (s->pending)
        s->pending--;
}

bool idle_search_pass_over(const struct idle_search *s)
{
    unsigned deaths = 0, seen = 0;
    bool survived = false;

    if (!s->pending)
        return true;
    if (s->to_the_end || s->config.once)
        return false;
    for (unsigned i = 0; i < s->samples; i++) {
        const struct idle_sample *x = &s->sample[i];
        survived |= x->outcome == IDLE_ALIVE;
        deaths += i >= s->begins && is_death(x) && !x->seen;
        seen += i >= s->begins && is_death(x) && x->seen;
    }
    return seen >= DEATHS_SEEN || deaths >= (s->pass == 1 && survived ? 1 : 2);
}

/* Returns for each pass what its ends amount to. */
static void judge_ends(const struct idle_search *s, enum ends ends[IDLE_PASSES + 1],
                       struct idle_answer *a)
{
    a->confirmed = true;
    for (unsigned pass = 0; pass <= IDLE_PASSES; pass++) {
        ends[pass] = ends_of(s, pass);
        a->confirmed &= ends[pass] != ENDS_ALONE;
    }
}

static void count_event(struct idle_answer *a, const struct idle_sample *x)
{
    a->samples[IDLE_INCONCLUSIVE]++;
    if (!a->event++ || x->silence < a->event_at) {
        a->event_at = x->silence;
        a->event_is = x->outcome;
    }
}

/* Finds the ends of the bracket, and counts by outcome. */
static bool find_ends(const struct idle_search *s, const enum ends ends[IDLE_PASSES + 1],
                      struct idle_answer *a)
{
    bool seen = false;

    for (unsigned i = 0; i < s->samples; i++) {
        const struct idle_sample *x = &s->sample[i];
        if (is_end(x) && ends[s->of_pass[i]] == ENDS_EVENT) {
            count_event(a, x);
            continue;
        }
        a->samples[x->outcome]++;
        if (x->outcome == IDLE_ALIVE && x->silence > a->survived)
            a->survived = x->silence;
        if (!is_death(x))
            continue;
        if (x->seen && x->silence > a->died_last)
            a->died_last = x->silence;
        if (x->silence >= a->died)
            continue;
        a->died = x->silence;
        a->how = x->outcome;
        seen = x->seen;
    }
    return seen;
}

/* Counts the samples that bear on the answer. */
static void count_near(const struct idle_search *s, const enum ends ends[IDLE_PASSES + 1],
                       struct idle_answer *a)
{
    const int share = (int)s->config.precision;
    const bool varies = a->kind == IDLE_VARIES;
    const wave_time from = varies ? a->died : widened(a->survived, -share);
    const wave_time until = varies ? a->survived : widened(a->died, share);

    for (unsigned i = 0; i < s->samples; i++) {
        const struct idle_sample *x = &s->sample[i];
        if (x->outcome == IDLE_ALIVE)
            a->survivals += x->silence >= from;
        else if (is_death(x) && !(is_end(x) && ends[s->of_pass[i]] == ENDS_EVENT))
            a->deaths += a->kind == IDLE_AT ? x->seen : x->silence <= until;
    }
}

void idle_search_answer(const struct idle_search *s, struct idle_answer *a)
{
    enum ends ends[IDLE_PASSES + 1];

    *a = (struct idle_answer){.died = WAVE_NEVER};
    judge_ends(s, ends, a);
    const bool seen = find_ends(s, ends, a);

    if (!a->survived && a->died == WAVE_NEVER)
        return;
    if (a->died == WAVE_NEVER)
        a->kind = IDLE_LONGER;
    else if (a->survived >= a->died)
        a->kind = IDLE_VARIES;
    else if (seen)
        a->kind = IDLE_AT;
    else
        a->kind = a->survived ? IDLE_BETWEEN : IDLE_SHORTER;
    if (a->died != WAVE_NEVER)
        a->alike = a->samples[a->how] == a->samples[IDLE_RESET] + a->samples[IDLE_SILENT] +
                                             a->samples[IDLE_ICMP] + a->samples[IDLE_CLOSED];
    if (a->died != WAVE_NEVER || a->survived)
        count_near(s, ends, a);
}

wave_time idle_answer_keepalive(const struct idle_answer *a)
{
    wave_time half, unit = 1;

    if (a->kind == IDLE_BETWEEN)
        half = a->survived / 2;
    else if (a->kind == IDLE_VARIES || (a->kind == IDLE_AT && a->how != IDLE_CLOSED))
        half = a->died / 2;
    else
        return 0;
    while (half / unit >= 100)
        unit *= 10;
    return (half + unit / 2) / unit * unit;
}
