/*
 * Filling in a struct diag: what was tried, what happened, what to do, in one line.
 */
#ifndef TCPWAVE_WIRE_DIAG_H
#define TCPWAVE_WIRE_DIAG_H

#include "lib/core/err.h"

/* Writes the line, cut to what fits, and returns `code`, so that a function fails in one
 * statement. `d` may be NULL. */
int diag_fail(struct diag *d, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
