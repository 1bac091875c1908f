/* Counts, bytes and durations in the form in which a person reads them. */
#include "lib/report/human.h"

#include <stdio.h>
#include <string.h>

/* Thousands of lines may be wanted a second, and printf(3) is slow. */
char *human_digits(char *to, uint64_t n, unsigned least)
{
    char reversed[20];
    unsigned len = 0;

    do {
        reversed[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n || len < least);
    while (len)
        *to++ = reversed[--len];
    return to;
}

/* Writes a number of units of 10^-decimals, and what it is of. */
static const char *fixed(uint64_t n, unsigned decimals, const char *unit, char text[HUMAN_TEXT])
{
    static const unsigned tens[] = {1, 10, 100, 1000};
    char *to = human_digits(text, n / tens[decimals], 1);

    *to++ = '.';
    to = human_digits(to, n % tens[decimals], decimals);
    memcpy(to, unit, strlen(unit) + 1);
    return text;
}

const char *human_count(uint64_t n, char text[HUMAN_TEXT])
{
    char plain[HUMAN_TEXT];
    size_t len = (size_t)(human_digits(plain, n, 1) - plain);
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

    if (n < 10000) {
        const char *word = n == 1 ? " byte" : " bytes";
        memcpy(text + strlen(human_count(n, text)), word, strlen(word) + 1);
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
    if (t == WAVE_NEVER)
        return memcpy(text, "for ever", sizeof "for ever");
    if (t >= 2 * WAVE_MIN)
        return long_duration(t, text);
    if (t < 10 * WAVE_MS)
        return fixed((t + WAVE_US / 2) / WAVE_US, 3, " ms", text);
    if (t + 50 * WAVE_US < WAVE_S) /* what rounds up to a second is one */
        return fixed((t + 50 * WAVE_US) / (100 * WAVE_US), 1, " ms", text);
    return fixed((t + 5 * WAVE_MS) / (10 * WAVE_MS), 2, " s", text);
}

void human_add(char *text, size_t room, uint64_t n, const char *what)
{
    char count[HUMAN_TEXT];
    size_t used = strlen(text);

    if (n)
        snprintf(text + used, room - used, "%s%s %s", used ? ", " : "", human_count(n, count),
                 what);
}
