/* The list of rules, and the words for one of them. */
#include "lib/report/impairments.h"

#include <stdio.h>

#include "lib/report/human.h"

void impairments_add(struct impairments *list, const char *rule, uint64_t matched, uint64_t seen)
{
    if (list->count < IMPAIRMENTS_MAX)
        list->at[list->count++] =
            (struct impairment){.rule = rule, .matched = matched, .seen = seen};
}

uint64_t impairments_matched(const struct impairments *list)
{
    uint64_t all = 0;

    for (unsigned i = 0; list && i < list->count; i++)
        all += list->at[i].matched;
    return all;
}

uint64_t impairments_held(const struct impairments *list, const struct impairment **first)
{
    uint64_t all = 0;

    *first = NULL;
    for (unsigned i = 0; list && i < list->count; i++) {
        all += list->at[i].held;
        if (list->at[i].held && !*first)
            *first = &list->at[i];
    }
    return all;
}

const char *impairment_text(const struct impairment *i, char text[IMPAIRMENT_ROW])
{
    char matched[HUMAN_TEXT], seen[HUMAN_TEXT], held[HUMAN_TEXT];

    snprintf(text, IMPAIRMENT_ROW, "`%.200s` %s of %s segment%s%s%s", i->rule,
             human_count(i->matched, matched), human_count(i->seen, seen), i->seen == 1 ? "" : "s",
             i->held ? ", still held back: " : "", i->held ? human_count(i->held, held) : "");
    return text;
}
