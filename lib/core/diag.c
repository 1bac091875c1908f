/*
 * Formats one line into a struct diag.
 */
#include "lib/core/diag.h"

#include <stdarg.h>
#include <stdio.h>

void diag_say(struct diag *d, const char *format, ...)
{
    va_list ap;

    if (!d)
        return;
    va_start(ap, format);
    vsnprintf(d->text, sizeof d->text, format, ap);
    va_end(ap);
}
