/* Counts, bytes and durations in the form in which a person reads them. */
#include "lib/report/human.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *human_count(uint64_t n, char text[HUMAN_TEXT])
{
    char plain[HUMAN_TEXT];
    size_t len = (size_t)snprintf(plain, sizeof plain, "%" PRIu64, n);
    char *to = text;

    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = plain[i];
    }
    *to = '\0';
    return text;
}

const char *human_bytes(uint64_t n, char text[HUMAN_TEXT])
{
    static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB"};
    double x = (double)n / 1024;
    unsigned i = 0;
    char whole[HUMAN_TEXT];

    if (n < 10000) {
        snprintf(text, HUMAN_TEXT, "%.20s byte%s", human_count(n, whole), n == 1 ? "" : "s");
        return text;
    }
    while (x >= 1024 && i < 3) {
        x /= 1024;
        i++;
    }
    snprintf(text, HUMAN_TEXT, "%.1f %s", x, unit[i]);
    return text;
}

static const char *long_duration(wave_time t, char text[HUMAN_TEXT])
{
    unsigned long total = (unsigned long)(t / WAVE_S);
    unsigned long h = total / 3600, m = total / 60 % 60, s = total % 60;

    if (h)
        snprintf(text, HUMAN_TEXT, "%lu h %lu min %lu s", h, m, s);
    else
        snprintf(text, HUMAN_TEXT, "%lu min %lu s", m, s);
    return text;
}

const char *human_duration(wave_time t, char text[HUMAN_TEXT])
{
    double ms = (double)t / 1e6;

    if (t == WAVE_NEVER)
        return memcpy(text, "for ever", sizeof "for ever");
    if (t >= 2 * WAVE_MIN)
        return long_duration(t, text);
    if (ms < 10)
        snprintf(text, HUMAN_TEXT, "%.3f ms", ms);
    else if (ms < 1000)
        snprintf(text, HUMAN_TEXT, "%.1f ms", ms);
    else
        snprintf(text, HUMAN_TEXT, "%.2f s", ms / 1e3);
    return text;
}

void human_add(char *text, size_t room, uint64_t n, const char *what)
{
    char count[HUMAN_TEXT];
    size_t used = strlen(text);

    if (n)
        snprintf(text + used, room - used, "%s%s %s", used ? ", " : "", human_count(n, count),
                 what);
}
