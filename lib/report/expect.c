/* The list of expectations: adding to it, and an expectation in words. */
#include "lib/report/expect.h"

#include <stdio.h>

void expects_add(struct expects *list, const struct expect *e)
{
    list->failed += !e->passed;
    if (list->count == EXPECTS_MAX)
        list->left_out++;
    else
        list->at[list->count++] = *e;
}

const char *expect_text(const struct expect *e, char text[EXPECT_ROW])
{
    if (e->passed)
        snprintf(text, EXPECT_ROW, "%s:%u: %s, as expected", e->script, e->line, e->expected);
    else
        snprintf(text, EXPECT_ROW, "%s:%u: expected %s, got %s", e->script, e->line, e->expected,
                 e->got ? e->got : "nothing");
    return text;
}
