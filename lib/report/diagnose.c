/*
 * Joins the rows of find_local.c, find_peer.c and find_path.c to one table, and examines them:
 * during the run only when a sign was added (lib/report/signs.h), and once more at its end.
 */
#include "lib/report/find.h"

#include <stdio.h>
#include <string.h>

static const struct diagnosis *const tables[] = {diagnoses_local, diagnoses_peer, diagnoses_path};

const struct diagnosis *diagnosis_at(unsigned i)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct diagnosis *d = tables[t]; d->code; d++)
            if (i-- == 0)
                return d;
    return NULL;
}

static bool holds(const struct diagnosis *d, const struct facts *k, struct finding *f)
{
    f->evidences = 0;
    f->message[0] = f->advice[0] = '\0';
    f->code = d->code;
    f->severity = d->severity;
    f->subject = d->subject;
    f->certainty = FINDING_LIKELY;
    return d->holds(k, f);
}

void diagnose(const struct facts *k, struct findings *list)
{
    const struct diagnosis *d;
    struct finding f;

    for (unsigned i = 0; (d = diagnosis_at(i)) != NULL; i++)
        if (holds(d, k, &f))
            findings_add(list, &f);
}

static bool told(const struct report_flow *f, const char *code)
{
    for (unsigned i = 0; i < f->founds; i++)
        if (strcmp(f->found[i], code) == 0)
            return true;
    return false;
}

void diagnose_live(struct report *r, struct report_flow *flow, wave_time stamp)
{
    const struct facts k = {.flow = flow, .how_to = r->how_to, .now = stamp};
    const struct diagnosis *d;
    struct finding f;

    if (!flow->signs.changed)
        return;
    flow->signs.changed = false;
    for (unsigned i = 0; (d = diagnosis_at(i)) != NULL; i++)
        if (d->live && !told(flow, d->code) && holds(d, &k, &f))
            report_finding(r, flow, stamp, &f);
}

const struct finding *diagnose_strongest(const struct findings *list)
{
    const struct finding *best = NULL;

    for (unsigned i = 0; i < list->count; i++) {
        const struct finding *f = &list->at[i];
        if (f->severity < FINDING_WARNING)
            continue;
        if (!best || f->severity > best->severity ||
            (f->severity == best->severity && f->certainty < best->certainty))
            best = f;
    }
    return best;
}

/* Adds what was done on purpose, so that no one takes it for the doing of the path or the peer. */
static void tell_impaired(const struct findings *list, struct outcome *o)
{
    const size_t at = strlen(o->message);

    /* A preset comes before the rules that it consists of. */
    for (unsigned i = 0; i < list->count; i++)
        if (strcmp(list->at[i].code, "own-preset") == 0 ||
            strcmp(list->at[i].code, "impaired") == 0) {
            snprintf(o->message + at, sizeof o->message - at, "; %s", list->at[i].message);
            return;
        }
}

/* Adds the reason of a failure. */
static void tell_reason(const struct findings *list, struct outcome *o)
{
    const struct finding *f = diagnose_strongest(list);
    const char *reason = strstr(o->message, ": ");
    size_t at;

    if (!f || f->severity != FINDING_PROBLEM)
        return;
    /* What an ICMP error said stays in the sentence; what was concluded from silence is
     * replaced. */
    at = reason && o->verdict != VERDICT_OPEN && o->verdict != VERDICT_REJECTED
             ? (size_t)(reason - o->message)
             : strlen(o->message);
    snprintf(o->message + at, sizeof o->message - at, "%s%s%s",
             o->verdict == VERDICT_OPEN ? "; but " : ": ",
             f->certainty == FINDING_LIKELY ? "probably, " : "", f->message);
}

void diagnose_outcome(const struct findings *list, struct outcome *o)
{
    if (!o->message[0])
        return;
    tell_reason(list, o);
    tell_impaired(list, o);
}
