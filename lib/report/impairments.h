/*
 * Impairments: the rules of --impair, and how often each of them matched. Like findings.h, this is
 * only the type and the list: the command fills it from what the port counted (lib/run/impair.h),
 * and renderers print it.
 */
#ifndef TCPWAVE_REPORT_IMPAIRMENTS_H
#define TCPWAVE_REPORT_IMPAIRMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPAIRMENTS_MAX 32
#define IMPAIRMENT_ROW 300 /* bytes of impairment_text() */

struct impairment {
    const char *rule; /* as the user wrote it; it must live as long as the list */
    uint64_t matched; /* segments to which it was applied */
    uint64_t seen;    /* segments of its direction that came as far as this rule */
    uint64_t held;    /* segments that it still holds back; set after impairments_add() */
    bool optional;    /* it need not match; set after impairments_add() */
};

/* The rules in their order; empty when all zero. */
struct impairments {
    struct impairment at[IMPAIRMENTS_MAX];
    unsigned count;
};

/* Adds a rule; one beyond IMPAIRMENTS_MAX is left out. */
void impairments_add(struct impairments *list, const char *rule, uint64_t matched, uint64_t seen);

/* Returns how often the rules matched, in all; 0 if `list` is NULL. */
uint64_t impairments_matched(const struct impairments *list);

/* Returns how many segments the rules still hold back, in all. *first is the first rule that does.
 */
uint64_t impairments_held(const struct impairments *list, const struct impairment **first);

/* Writes the rule for a person, such as "`out:S. drop` 3 of 12 segments". Returns text. */
const char *impairment_text(const struct impairment *i, char text[IMPAIRMENT_ROW]);

#endif
