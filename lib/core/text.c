/*
 * Parsers and formatters for what users write on the command line. They accept exactly what text.h
 * describes; a character too many makes the whole text invalid. All arithmetic is checked for
 * overflow.
 */
#include "lib/core/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/err.h"

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Parses the digits at *at and moves *at behind them. Returns false when there are none, or when
 * they exceed 64 bits. */
static bool digits(const char **at, uint64_t *out)
{
    const char *p = *at;
    uint64_t n = 0;

    if (!digit(*p))
        return false;
    for (; digit(*p); p++) {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
            return false;
    }
    *at = p;
    *out = n;
    return true;
}

static int hex(char c)
{
    if (digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Does the same as digits(), and also accepts hexadecimal digits after 0x. */
static bool number(const char **at, uint64_t *out)
{
    const char *p = *at;
    uint64_t n = 0;

    if (p[0] != '0' || p[1] != 'x')
        return digits(at, out);
    p += 2;
    if (hex(*p) < 0)
        return false;
    for (; hex(*p) >= 0; p++) {
        if (n >> 60)
            return false;
        n = n << 4 | (unsigned)hex(*p);
    }
    *at = p;
    *out = n;
    return true;
}

int text_number(const char *text, uint64_t *out)
{
    uint64_t n;

    if (!number(&text, &n) || *text)
        return WAVE_EINVAL;
    *out = n;
    return 0;
}

int text_size(const char *text, uint64_t *out)
{
    static const char suffixes[] = "kMG";
    uint64_t n;

    if (!number(&text, &n))
        return WAVE_EINVAL;
    if (*text) {
        const char *suffix = strchr(suffixes, *text == 'K' ? 'k' : *text);
        if (!suffix || text[1])
            return WAVE_EINVAL;
        uint64_t factor = (uint64_t)1 << (10 * (suffix - suffixes + 1));
        if (__builtin_mul_overflow(n, factor, &n))
            return WAVE_EINVAL;
    }
    *out = n;
    return 0;
}

/* The largest unit comes first, for the formatter. The parser compares the whole word. */
static const struct {
    const char *name;
    wave_time ns;
} units[] = {{"h", WAVE_H}, {"m", WAVE_MIN}, {"s", WAVE_S}, {"ms", WAVE_MS}, {"us", WAVE_US}};

/* Parses a fraction at *at, after its decimal point, into nanoseconds; the unit has `ns`. Digits
 * that are worth less than a nanosecond are skipped. */
static bool fraction(const char **at, wave_time ns, wave_time *out)
{
    /* A digit is worth ns * digit / 10^place. The sum is rounded down once, at the end, so that
     * 0.1us is 100 ns and not 99. An hour has 3.6e12 ns, so 13 places are enough, and 3.6e12 * 1e13
     * needs more than 64 bits. */
    unsigned __int128 numerator = 0, denominator = 1;
    const char *p = *at;

    if (!digit(*p))
        return false;
    for (; digit(*p); p++) {
        if (denominator < 10000000000000u) {
            numerator = numerator * 10 + (unsigned)(*p - '0');
            denominator *= 10;
        }
    }
    *at = p;
    *out = (wave_time)(numerator * ns / denominator);
    return true;
}

int text_duration(const char *text, wave_time *out)
{
    const char *unit = text + strspn(text, "0123456789.");
    wave_time ns = *unit ? 0 : WAVE_S;
    uint64_t whole = 0;
    wave_time rest = 0;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].name) == 0)
            ns = units[i].ns;
    }
    if (!ns || (*text != '.' && !digits(&text, &whole)))
        return WAVE_EINVAL;
    if (*text == '.') {
        text++;
        if (!fraction(&text, ns, &rest))
            return WAVE_EINVAL;
    }
    if (text != unit || __builtin_mul_overflow(whole, ns, &whole) ||
        __builtin_add_overflow(whole, rest, &whole) || whole == WAVE_NEVER)
        return WAVE_EINVAL;
    *out = whole;
    return 0;
}

const char *text_duration_format(wave_time t, char text[TEXT_DURATION])
{
    if (t == WAVE_NEVER)
        return "never";
    if (t == 0)
        return "0s";
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (t % units[i].ns == 0) {
            snprintf(text, TEXT_DURATION, "%" PRIu64 "%s", t / units[i].ns, units[i].name);
            return text;
        }
    }
    snprintf(text, TEXT_DURATION, "%" PRIu64 ".%03uus", t / WAVE_US, (unsigned)(t % WAVE_US));
    for (char *last = strchr(text, 'u') - 1; *last == '0'; last--)
        memmove(last, last + 1, strlen(last));
    return text;
}

/* Parses the escape at *at, after its backslash, and moves *at behind it. Returns the byte, or -1
 * when it is not an escape. */
static int escape(const char **at)
{
    static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";
    const char *p = *at;

    if (*p == 'x') {
        int high = hex(p[1]);
        int low = high < 0 ? -1 : hex(p[2]);
        if (low < 0)
            return -1;
        *at = p + 3;
        return high << 4 | low;
    }
    const char *name = *p ? strchr(names, *p) : NULL;
    if (!name)
        return -1;
    *at = p + 1;
    return (unsigned char)values[name - names];
}

int text_unescape(char *text, size_t *len, const char **why)
{
    const char *from = text;
    char *to = text;

    while (*from) {
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }
        const char *start = ++from;
        int byte = escape(&from);
        if (byte < 0) {
            *why = !*start         ? "ends in a single backslash (\\\\ is a backslash)"
                   : *start == 'x' ? "has a \\x without two hexadecimal digits"
                                   : "has an escape that is none of \\r \\n \\t \\0 \\xHH \\\\";
            return WAVE_EINVAL;
        }
        *to++ = (char)byte;
    }
    *len = (size_t)(to - text);
    return 0;
}

int text_hex(const char *text, uint8_t *out, size_t room, size_t *len)
{
    size_t n = strlen(text);

    if (n % 2)
        return WAVE_EINVAL;
    for (size_t i = 0; i < n; i += 2) {
        int high = hex(text[i]), low = hex(text[i + 1]);
        if (high < 0 || low < 0)
            return WAVE_EINVAL;
        if (i / 2 >= room)
            return WAVE_ENOMEM;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    *len = n / 2;
    return 0;
}

static unsigned min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Computes the optimal string alignment distance: Levenshtein's, with swapped neighbours counted as
 * one. Three rows of the matrix are held at a time. */
unsigned text_distance(const char *a, const char *b)
{
    enum { DISTANCE_MAX = 64 };
    unsigned rows[3][DISTANCE_MAX + 1];
    unsigned *above = rows[0], *row = rows[1], *before = rows[2]; /* two rows above */
    size_t a_len = strnlen(a, DISTANCE_MAX), b_len = strnlen(b, DISTANCE_MAX);

    for (size_t j = 0; j <= b_len; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = min(min(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = min(row[j], before[j - 2] + 1);
        }
        unsigned *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b_len];
}

void text_vadd(struct text_out *t, const char *format, va_list args)
{
    const size_t left = t->room - t->used;
    const int n = vsnprintf(t->text + t->used, left, format, args);

    if (n > 0)
        t->used += (size_t)n < left ? (size_t)n : left - 1;
}

void text_add(struct text_out *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_vadd(t, format, args);
    va_end(args);
}
