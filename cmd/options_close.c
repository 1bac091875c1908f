/* Defines the rows of --close, --hold, --linger and --time-wait. */
#include "cmd/options_close.h"

#include <string.h>

#include "lib/core/text.h"

/* Parses --time-wait. "full" is 2 MSL, with an MSL of two minutes (RFC 9293, 3.4.2). */
static const char *parse_time_wait(void *group, const char *value)
{
    struct end_options *o = group;

    o->keep_time_wait = true;
    if (strcmp(value, "full") == 0) {
        o->time_wait = TIME_WAIT_FULL;
        return NULL;
    }
    if (text_duration(value, &o->time_wait) || o->time_wait > 24 * WAVE_H)
        return "is neither \"full\" nor a duration up to 24h, such as 500ms, 30s or 2m";
    return NULL;
}

/* clang-format off */
#define HOLD_ROW                                                                                   \
    {KIND_DURATION, 0, "hold", "DURATION", "stay this long before closing",                        \
     offsetof(struct close_options, hold), 0, OPTION_YEAR, NULL}
#define LINGER_ROW                                                                                 \
    {KIND_DURATION, 0, "linger", "DURATION",                                                       \
     "how long to wait for a peer that acknowledged our FIN and sends nothing (default 5s)",       \
     offsetof(struct end_options, linger), 0, OPTION_YEAR, NULL}

const struct option_row close_rows[] = {
    {KIND_WORD, 0, "close", CLOSE_WORDS,
     "our FIN first (the default); the peer's first; RST; nothing at all",
     offsetof(struct close_options, how), 0, 0, NULL},
    HOLD_ROW,
    OPTION_END};

const struct option_row close_hold_row[] = {
    HOLD_ROW,
    OPTION_END};

const struct option_row end_rows[] = {
    LINGER_ROW,
    {KIND_CUSTOM, 0, "time-wait", "DURATION|full",
     "how long to stay in TIME_WAIT; full is 2 MSL, 4m (default: leave it immediately)",
     0, 0, 0, parse_time_wait},
    OPTION_END};

const struct option_row end_linger_row[] = {
    LINGER_ROW,
    OPTION_END};
/* clang-format on */
