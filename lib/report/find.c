/* The sentence, the advice and the evidence of a finding. */
#include "lib/report/find.h"

#include <stdarg.h>
#include <stdio.h>

void finding_say(struct finding *f, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(f->message, sizeof f->message, format, ap);
    va_end(ap);
}

void finding_advise(struct finding *f, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(f->advice, sizeof f->advice, format, ap);
    va_end(ap);
}

void finding_cite_segment(struct finding *f, uint32_t number)
{
    if (number && f->evidences < FINDING_EVIDENCE)
        f->evidence[f->evidences++] = number;
}

void finding_cite(struct finding *f, const struct sign *s)
{
    for (uint32_t i = 0; i < s->count && i < SIGN_SEGMENTS; i++)
        finding_cite_segment(f, s->segment[i]);
}
