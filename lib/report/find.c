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

const char *on_some(const struct facts *k, uint32_t n, char text[ON_SOME])
{
    char some[HUMAN_TEXT], all[HUMAN_TEXT];

    text[0] = '\0';
    if (!n || !k->many || k->many->connections < 2)
        return text;
    human_count(k->many->connections, all);
    if (n == k->many->connections)
        snprintf(text, ON_SOME, "on each of %s connections ", all);
    else
        snprintf(text, ON_SOME, "on %s of %s connections ", human_count(n, some), all);
    return text;
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
