/* Defines the rows of --impair and --impair-seed, and opens the port that the rules are for. */
#include "cmd/options_impair.h"

#include <stdio.h>

#include "lib/core/diag.h"
#include "lib/run/port_impair.h"

/* Parses --impair, which may be given several times. */
static const char *parse_rule(void *group, const char *value)
{
    struct impair_options *o = group;
    struct diag d;

    if (o->count == IMPAIR_RULES)
        return "is one too many: 32 rules are the most";
    if (impair_rule_parse(value, &o->rule[o->count], &d) != 0) {
        snprintf(o->wrong, sizeof o->wrong, "is wrong %.*s", (int)sizeof o->wrong - 16, d.text);
        return o->wrong;
    }
    o->count++;
    return NULL;
}

_Static_assert(IMPAIR_RULES == 32, "the message names the number");

#define FIELD(name) offsetof(struct impair_options, name)

/* clang-format off */
const struct option_row impair_rows[] = {
    {KIND_CUSTOM, 0, "impair", "RULE",
     "impair segments on purpose, as 'out:.#1 drop'; may be given several times",
     0, 0, 0, parse_rule},
    {KIND_NUMBER, 0, "impair-seed", "N", "for rules that go by chance (default 1)",
     FIELD(seed), 1, UINT32_MAX, NULL},
    OPTION_END};
/* clang-format on */

int impair_put_on(const struct impair_options *o, bool quiet, struct port **port,
                  struct impair **rules, struct diag *d)
{
    *rules = NULL;
    if (!o->count)
        return 0;
    if (impair_open(rules, o->rule, o->count, o->seed ? o->seed : 1) != 0) {
        port_close(*port);
        *port = NULL;
        return diag_fail(d, WAVE_ENOMEM, "no memory for the rules of --impair");
    }
    return port_impair_open(port, *port, *rules, quiet, d);
}

void impair_list(const void *rules, struct impairments *list)
{
    struct impair_count counts[IMPAIR_RULES];
    const unsigned n = impair_counts(rules, counts);

    for (unsigned i = 0; i < n; i++) {
        impairments_add(list, counts[i].words, counts[i].matched, counts[i].seen);
        list->at[i].held = counts[i].held;
        list->at[i].optional = counts[i].optional;
    }
}

_Static_assert(IMPAIRMENTS_MAX == IMPAIR_RULES, "every rule is listed");
