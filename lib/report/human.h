/* Writes quantities as people read them. Each function returns text, but where it says
 * something else. */
#ifndef TCPWAVE_REPORT_HUMAN_H
#define TCPWAVE_REPORT_HUMAN_H

#include <stddef.h>
#include <stdint.h>

#include <stdbool.h>

#include "lib/core/time.h"

#define HUMAN_TEXT 32

/* Writes a number with at least so many digits, and returns its end, where it puts no NUL. */
char *human_digits(char *to, uint64_t n, unsigned least);

/* "5,772" */
const char *human_count(uint64_t n, char text[HUMAN_TEXT]);

/* "1 byte", "9,999 bytes", "8.0 MiB" */
const char *human_bytes(uint64_t n, char text[HUMAN_TEXT]);

/* "0.041 ms", "310 ms", "2.50 s", "2 h 11 min 15 s". */
const char *human_duration(wave_time t, char text[HUMAN_TEXT]);

/* The last two return the end of the text, where its NUL is, for a caller who goes on there. */
char *human_bytes_end(uint64_t n, char text[HUMAN_TEXT]);
char *human_duration_end(wave_time t, char text[HUMAN_TEXT]);

/* Appends to a list in words, such as "3 late, 1,200 stray"; appends nothing if n is 0. `text` must
 * be a string before the call. */
void human_add(char *text, size_t room, uint64_t n, const char *what);

#define HUMAN_ICMP 96 /* bytes */

/* Writes what an ICMP error says, and its type and code: "no route to host (ICMP type 3 code 1)".
 * Returns `text`. */
const char *human_icmp(bool v6, uint8_t type, uint8_t code, char text[HUMAN_ICMP]);

#endif
