/* Counts, bytes and durations in the form in which a person reads them. */
#include "lib/report/human.h"

#include <stdio.h>
#include <string.h>

#include "lib/core/icmp.h"

/* Thousands of lines may be wanted a second, and printf(3) is slow. Two digits are written at a
 * time, from the last one on. */
char *human_digits(char *to, uint64_t n, unsigned least)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    static const uint64_t tens[] = {1,
                                    10,
                                    100,
                                    1000,
                                    10000,
                                    100000,
                                    1000000,
                                    10000000,
                                    100000000,
                                    1000000000,
                                    10000000000,
                                    100000000000,
                                    1000000000000,
                                    10000000000000,
                                    100000000000000,
                                    1000000000000000,
                                    10000000000000000,
                                    100000000000000000,
                                    1000000000000000000,
                                    10000000000000000000u};
    unsigned len = least > 1 ? least : 1;
    char *at;

    while (len < sizeof tens / sizeof *tens && n >= tens[len])
        len++;
    for (at = to + len; at - to >= 2; n /= 100) {
        at -= 2;
        memcpy(at, pairs + 2 * (n % 100), 2);
    }
    if (at > to)
        *to = (char)('0' + n % 10);
    return to + len;
}

/* Writes a whole number, and a fraction of so many digits. */
static char *fixed(char *to, uint64_t whole, unsigned fraction, unsigned digits)
{
    to = human_digits(to, whole, 1);
    *to++ = '.';
    return human_digits(to, fraction, digits);
}

/* Appends a unit and its NUL, whose place is returned. */
static char *unit(char *to, const char *name, size_t len)
{
    memcpy(to, name, len + 1);
    return to + len;
}

#define UNIT(to, name) unit(to, name, sizeof(name) - 1)

static char *count_end(uint64_t n, char *to)
{
    char plain[HUMAN_TEXT];
    const size_t len = (size_t)(human_digits(plain, n, 1) - plain);

    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = plain[i];
    }
    *to = '\0';
    return to;
}

const char *human_count(uint64_t n, char text[HUMAN_TEXT])
{
    count_end(n, text);
    return text;
}

char *human_bytes_end(uint64_t n, char text[HUMAN_TEXT])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double x = (double)n / 1024;
    unsigned i = 0;

    if (n < 1000 && n != 1)
        return UNIT(human_digits(text, n, 1), " bytes");
    if (n < 10000)
        return n == 1 ? UNIT(text, "1 byte") : UNIT(count_end(n, text), " bytes");
    while (x >= 1024 && i < 3) {
        x /= 1024;
        i++;
    }
    return text + snprintf(text, HUMAN_TEXT, "%.1f %s", x, units[i]);
}

const char *human_bytes(uint64_t n, char text[HUMAN_TEXT])
{
    human_bytes_end(n, text);
    return text;
}

static char *long_duration(wave_time t, char text[HUMAN_TEXT])
{
    unsigned long total = (unsigned long)(t / WAVE_S);
    unsigned long h = total / 3600, m = total / 60 % 60, s = total % 60;

    return text + (h ? snprintf(text, HUMAN_TEXT, "%lu h %lu min %lu s", h, m, s)
                     : snprintf(text, HUMAN_TEXT, "%lu min %lu s", m, s));
}

char *human_duration_end(wave_time t, char text[HUMAN_TEXT])
{
    if (t == WAVE_NEVER)
        return UNIT(text, "for ever");
    if (t >= 2 * WAVE_MIN)
        return long_duration(t, text);
    if (t < 10 * WAVE_MS) {
        const unsigned us = (unsigned)((t + WAVE_US / 2) / WAVE_US);
        return UNIT(fixed(text, us / 1000, us % 1000, 3), " ms");
    }
    if (t + 50 * WAVE_US < WAVE_S) { /* what rounds up to a second is one */
        const unsigned tenths = (unsigned)((t + 50 * WAVE_US) / (100 * WAVE_US));
        return UNIT(fixed(text, tenths / 10, tenths % 10, 1), " ms");
    }
    const unsigned hundredths = (unsigned)((t + 5 * WAVE_MS) / (10 * WAVE_MS));
    return UNIT(fixed(text, hundredths / 100, hundredths % 100, 2), " s");
}

const char *human_duration(wave_time t, char text[HUMAN_TEXT])
{
    human_duration_end(t, text);
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

const char *human_icmp(bool v6, uint8_t type, uint8_t code, char text[HUMAN_ICMP])
{
    snprintf(text, HUMAN_ICMP, "%s (ICMP%s type %u code %u)", icmp_text(v6, type, code),
             v6 ? "v6" : "", type, code);
    return text;
}
