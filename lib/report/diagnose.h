/*
 * Findings are made here, from one table with a row for each, in the order of what explains most.
 * The condition of a row is one function over the facts. It says how certain the conclusion is,
 * which segments show it, and what to do. The manual's entry is in tcpwave-findings(7), which a
 * test compares with the table.
 *
 * Rules for a row:
 * - `proved` is never wrong. What could have another cause as well is `likely`.
 * - A condition that holds goes on holding: a finding is never taken back.
 * - Something harmless that looks alike must not cause it, and a test shows that.
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
    bool live; /* it may be found during the run; otherwise only at its end */
    /* Returns whether the finding holds. If so, *f is filled in, except code, severity and subject,
     * which are the row's; it may change the severity. */
    bool (*holds)(const struct facts *k, struct finding *f);
};

/* The rows of each file; the last one has no code. */
extern const struct diagnosis diagnoses_peer[], diagnoses_path[], diagnoses_local[];

/* Returns row number `i` of all rows, counted from 0; NULL behind the last one. */
const struct diagnosis *diagnosis_at(unsigned i);

/* Adds every finding that holds to the list. */
void diagnose(const struct facts *k, struct findings *list);

/* Reports the findings that hold now and did not at the last call for this flow. Does nothing if no
 * sign was added since. */
void diagnose_live(struct report *r, struct report_flow *f, wave_time stamp);

/* Returns the most severe finding that explains a failure, or NULL. Of equally severe ones it is
 * the first that is proved, or else the first. */
const struct finding *diagnose_strongest(const struct findings *list);

/* Rewrites the verdict's sentence from the strongest finding, if that explains more than the
 * sentence does, and adds what rules of --impair did. */
void diagnose_outcome(const struct findings *list, struct outcome *o);

#endif
