/* Finds a preset by its name, lists them, and hands their switches to options, engine and course.
 */
#include "cmd/preset.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "lib/core/diag.h"

#define NAME_COLUMN 24 /* at which a preset's description begins */

#define LINE(n) "line " n " of a preset's data, which fills a segment or more: 0123456789abc\n"
#define LINES(n)                                                                                   \
    LINE(n "0")                                                                                    \
    LINE(n "1")                                                                                    \
    LINE(n "2") LINE(n "3") LINE(n "4") LINE(n "5") LINE(n "6") LINE(n "7") LINE(n "8") LINE(n "9")

static const char lines[] = LINES("00") LINES("01") LINES("02") LINES("03") LINES("04") LINES("05")
    LINES("06") LINES("07") LINES("08") LINES("09") LINES("10") LINES("11") LINES("12") LINES("13")
        LINES("14") LINES("15") LINES("16") LINES("17") LINES("18") LINES("19");

struct bytes preset_bytes(void)
{
    return (struct bytes){(uint8_t *)(uintptr_t)lines, sizeof lines - 1};
}

/* Parses --preset for that command. Names are compared without regard to case. */
static const char *parse(struct preset_options *o, const char *value, unsigned command)
{
    if (strcmp(value, "help") == 0) {
        o->help = true;
        return NULL;
    }
    o->preset = NULL;
    for (const struct preset *p = presets; p->name; p++) {
        if (strcasecmp(p->name, value) != 0)
            continue;
        o->preset = p;
        if (p->commands & command)
            return NULL;
    }
    if (!o->preset)
        return "is no preset; \"--preset help\" lists them";
    return command == PRESET_LISTEN
               ? "is a preset of connect only; \"--preset help\" lists those of listen"
               : "is a preset of listen only; \"--preset help\" lists those of connect";
}

static const char *parse_listen(void *group, const char *value)
{
    return parse(group, value, PRESET_LISTEN);
}

static const char *parse_connect(void *group, const char *value)
{
    return parse(group, value, PRESET_CONNECT);
}

/* clang-format off */
#define PRESET_ROW(parse)                                                                          \
    {KIND_CUSTOM, 0, "preset", "NAME",                                                             \
     "misbehave in this way; help lists the names", 0, 0, 0, parse}

const struct option_row preset_listen_row[] = {
    PRESET_ROW(parse_listen),
    OPTION_END};

const struct option_row preset_connect_row[] = {
    PRESET_ROW(parse_connect),
    OPTION_END};
/* clang-format on */

void preset_list(FILE *to, unsigned command)
{
    for (const struct preset *p = presets; p->name; p++)
        if (p->commands & command)
            fprintf(to, "%-*s%s\n", NAME_COLUMN, p->name, p->help);
}

/* Appends the rules of the table, which are ended by NULL. */
static void add_rules(const char *const *rules, struct impair_options *to)
{
    struct diag d;

    for (unsigned n = 0; n < PRESET_RULES && rules[n]; n++)
        if (impair_rule_parse(rules[n], &to->rule[to->count], &d) == 0)
            to->rule[to->count++].optional = true;
}

const char *preset_impair(const struct preset *p, unsigned command, struct impair_options *o)
{
    struct impair_options all = {.seed = o->seed};

    if (!p)
        return NULL;
    add_rules(p->rules, &all);
    add_rules(command == PRESET_LISTEN ? p->listen_rules : p->connect_rules, &all);
    if (all.count + o->count > IMPAIR_RULES)
        return "the rules of --preset and --impair together are more than 32";
    for (unsigned i = 0; i < o->count; i++)
        all.rule[all.count++] = o->rule[i];
    *o = all;
    return NULL;
}

void preset_fill(const struct preset *p, struct close_options *close, struct end_options *end,
                 struct tcp_options *tcp)
{
    if (!p)
        return;
    if (p->set.closes && close->how == CLOSE_DEFAULT)
        close->how = p->set.close;
    if (!close->hold)
        close->hold = p->set.hold;
    if (!tcp->window)
        tcp->window = p->set.window;
    tcp->ecn |= p->set.ecn;
    tcp->no_sack |= p->set.no_sack;
    tcp->no_wscale |= p->set.no_wscale;
    if (p->set.time_wait && !end->keep_time_wait) {
        end->keep_time_wait = true;
        end->time_wait = p->set.time_wait;
    }
}

void preset_configure(const struct preset *p, struct conn_config *c)
{
    if (!p)
        return;
    c->deaf_to_keepalive = p->set.deaf_to_keepalive;
    c->reneges = p->set.reneges;
    c->simultaneous_open = p->set.simultaneous_open;
}

void preset_plan(const struct preset *p, struct course_config *plan)
{
    if (!p)
        return;
    plan->resets_data = p->set.resets_data;
    plan->hold_after_peer |= p->set.holds_after_peer;
    if (p->set.fin_on_data) {
        plan->answer = COURSE_ANSWER_NONE;
        plan->acknowledged = false;
    }
}

void preset_figures(const struct preset *p, struct figures *f)
{
    if (!p)
        return;
    figures_text(f, "preset", p->name);
}
