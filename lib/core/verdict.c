/*
 * The words for the verdicts.
 */
#include "lib/core/verdict.h"

#include <stddef.h>

const char *verdict_name(enum verdict v)
{
    static const char *const name[] = {
        [VERDICT_OPEN] = "open",         [VERDICT_FAILED] = "failed",
        [VERDICT_USAGE] = "usage",       [VERDICT_LOCAL] = "local",
        [VERDICT_REFUSED] = "refused",   [VERDICT_DROPPED] = "dropped",
        [VERDICT_REJECTED] = "rejected", [VERDICT_RESET] = "reset",
        [VERDICT_LOST] = "lost",
    };

    return (size_t)v < sizeof name / sizeof *name ? name[v] : "unknown";
}
