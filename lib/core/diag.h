/*
 * Filling in a struct diag: what was tried, what happened, what to do, in one line.
 */
#ifndef TCPWAVE_CORE_DIAG_H
#define TCPWAVE_CORE_DIAG_H

#include "lib/core/err.h"

/* Writes the line, cut to what fits. `d` may be NULL. */
void diag_say(struct diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline int diag_code(int code)
{
    return code;
}

/* The same, and is `code`, so that a function fails in one statement. A macro, so that compilers
 * and analysers see in each caller that what failed is not 0. */
#define diag_fail(d, code, ...) (diag_say(d, __VA_ARGS__), diag_code(code))

#endif
