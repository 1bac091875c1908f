/*
 * Findings are made here: one table, a row for each, in the order of what explains most. A row's
 * condition is one function over the facts; it says how certain the conclusion is, which segments
 * show it, and what to do. The manual's entry is in tcpwave-findings(7), which tests hold against
 * the table.
 *
 * Rules for a row:
 * - `proved` is never wrong. What another cause could explain as well is `likely`.
 * - A condition that holds goes on holding: a finding is never taken back.
 * - Something harmless that looks alike must not trip it, and a test shows that.
 */
#ifndef TCPWAVE_REPORT_DIAGNOSE_H
#define TCPWAVE_REPORT_DIAGNOSE_H

#include "lib/report/facts.h"
#include "lib/report/findings.h"
#include "lib/report/outcome.h"
#include "lib/report/report.h"

struct diagnosis {
    const char *code;
    enum finding_severity severity;
    enum finding_subject subject;
    bool live; /* it may be found while the run goes on; else at its end only */
    /* Whether it holds: then all of *f is filled in but code, severity and subject, which are the
     * row's; severity may be lowered or raised. */
    bool (*holds)(const struct facts *k, struct finding *f);
};

/* The rows of each file; the last one has no code. */
extern const struct diagnosis diagnoses_peer[], diagnoses_path[], diagnoses_local[];

/* All of the rows: number `i` from 0 on; NULL behind the last one. */
const struct diagnosis *diagnosis_at(unsigned i);

/* Adds every finding that holds. */
void diagnose(const struct facts *k, struct findings *list);

/* Looks for what has come to hold since the last call for this flow, and tells it. Does nothing
 * where no sign was added since. */
void diagnose_live(struct report *r, struct report_flow *f, wave_time stamp);

/* The most severe finding that explains a failure, or NULL: of equals one that is proved, and then
 * the first. */
const struct finding *diagnose_strongest(const struct findings *list);

/* Makes the verdict's sentence from the strongest finding, where one explains more than the
 * sentence does. */
void diagnose_outcome(const struct findings *list, struct outcome *o);

/* For the rows: */

/* The sentence, and the advice. */
void finding_say(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_advise(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The segments that show a sign, or the one of that number. */
void finding_cite(struct finding *f, const struct sign *s);
void finding_cite_segment(struct finding *f, uint32_t number);

#endif
