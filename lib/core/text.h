/*
 * Small texts of the command line: numbers, sizes, durations, escapes. Strict: what is not wholly
 * understood is refused. Errors are WAVE_EINVAL; the text functions say in a few words what is
 * wrong, for the caller to put its option's name before.
 */
#ifndef TCPWAVE_CORE_TEXT_H
#define TCPWAVE_CORE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/time.h"

/* Decimal digits, or 0x and hexadecimal ones, and nothing else. */
int text_number(const char *text, uint64_t *out);

/* Such a number of bytes, with k, M or G for 1024, 1024^2, 1024^3 behind it. */
int text_size(const char *text, uint64_t *out);

/*
 * A decimal number, which may have a fraction, with us, ms, s, m or h behind it; seconds without.
 * No sign, exponent, blank or "inf". Below a nanosecond is cut off. Refused beyond 2^64-2 ns (584
 * years).
 */
int text_duration(const char *text, wave_time *out);

#define TEXT_DURATION 24
/* The shortest text that text_duration() reads as `t`, to the nanosecond: "75s", "1.5ms", "2h";
 * WAVE_NEVER is "never". */
const char *text_duration_format(wave_time t, char text[TEXT_DURATION]);

/*
 * Decodes C escapes in place: \r \n \t \0 \xHH \\ and no other. `\xHH` has exactly two digits.
 * *len is the number of bytes, NULs among them counted. On failure *why is a few static words,
 * and `text` is spoilt only up to the escape at fault.
 */
int text_unescape(char *text, size_t *len, const char **why);

/* Pairs of hexadecimal digits, up to `room` bytes of them, which may be written over the text
 * itself; no digit at all is 0 bytes. WAVE_ENOMEM when there are more. */
int text_hex(const char *text, uint8_t *out, size_t room, size_t *len);

/* How many single letters must be inserted, deleted, changed or swapped with their neighbour to
 * make `b` of `a`; at most 64 letters of each are looked at. */
unsigned text_distance(const char *a, const char *b);

#endif
