/*
 * Short texts of the command line: numbers, sizes, durations, escapes. The parsers are strict: a
 * text that is not understood entirely is rejected. They return 0 or WAVE_EINVAL; text_unescape()
 * also says in a few words what is wrong, and the caller puts the option's name before it.
 */
#ifndef TCPWAVE_CORE_TEXT_H
#define TCPWAVE_CORE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/time.h"

/* Parses decimal digits, or 0x and hexadecimal digits, and nothing else. */
int text_number(const char *text, uint64_t *out);

/* Parses such a number of bytes, with an optional k, M or G for 1024, 1024^2 or 1024^3. */
int text_size(const char *text, uint64_t *out);

/*
 * Parses a decimal number, optionally with a fraction, and the unit us, ms, s, m or h; without a
 * unit it is seconds. A sign, an exponent, a blank or "inf" is not accepted. Fractions of a
 * nanosecond are cut off. Values beyond 2^64-2 ns (584 years) are rejected.
 */
int text_duration(const char *text, wave_time *out);

#define TEXT_DURATION 24
/* Returns the shortest text that text_duration() parses as exactly `t`: "75s", "1.5ms", "2h".
 * WAVE_NEVER gives "never". */
const char *text_duration_format(wave_time t, char text[TEXT_DURATION]);

/*
 * Decodes C escapes in place: \r \n \t \0 \xHH \\ and no others. `\xHH` has exactly two digits.
 * *len is the number of bytes, including NULs. On failure *why is a few words, a static string, and
 * `text` is changed only up to the faulty escape.
 */
int text_unescape(char *text, size_t *len, const char **why);

/* Parses pairs of hexadecimal digits into at most `room` bytes, which may overwrite the text
 * itself. No digits give 0 bytes. Returns WAVE_ENOMEM when there are more bytes. */
int text_hex(const char *text, uint8_t *out, size_t room, size_t *len);

/* A text that grows as far as there is room: `room` bytes, the NUL among them. */
struct text_out {
    char *text;
    size_t room, used;
};

/* Append in the manner of printf(3) and vprintf(3), and cut off what does not fit. */
__attribute__((format(printf, 2, 3))) void text_add(struct text_out *t, const char *format, ...);
__attribute__((format(printf, 2, 0))) void text_vadd(struct text_out *t, const char *format,
                                                     va_list args);

/* Returns how many single letters must be inserted, deleted, changed or swapped with a neighbour to
 * turn `a` into `b`. Only the first 64 letters of each are compared. */
unsigned text_distance(const char *a, const char *b);

#endif
