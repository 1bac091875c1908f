/*
 * Functions that fill in a struct diag: in one line, what was tried, what happened, and what to do
 * about it.
 */
#ifndef TCPWAVE_CORE_DIAG_H
#define TCPWAVE_CORE_DIAG_H

#include "lib/core/err.h"

/* Writes the line and cuts it to what fits. `d` may be NULL. */
void diag_say(struct diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns `code`, for diag_fail(). */
static inline int diag_code(int code)
{
    return code;
}

/* Does the same and evaluates to `code`, so that a function can fail in one statement. It is a
 * macro, so that compilers and analysers see in each caller that the result is not 0. */
#define diag_fail(d, code, ...) (diag_say(d, __VA_ARGS__), diag_code(code))

#endif
