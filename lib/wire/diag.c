#include "lib/wire/diag.h"

#include <stdarg.h>
#include <stdio.h>

int diag_fail(struct diag *d, int code, const char *format, ...)
{
    if (d) {
        va_list ap;
        va_start(ap, format);
        vsnprintf(d->text, sizeof d->text, format, ap);
        va_end(ap);
    }
    return code;
}
