/*
 * What became of a flow between two strangers, as its watcher can say it: which side opened it,
 * whether it came about, which side closed or reset it, and what was still missing at the end. The
 * verdict's word is that of any connection (lib/core/verdict.h); the sentence names the sides
 * client and server.
 */
#ifndef TCPWAVE_REPORT_FLOW_VERDICT_H
#define TCPWAVE_REPORT_FLOW_VERDICT_H

#include "lib/core/verdict.h"
#include "lib/report/findings.h"
#include "lib/report/flows.h"

#define FLOW_LOST                                                                                  \
    3 /* so often in a row something had no answer before its receiver counts as lost */
#define FLOW_VERDICT_TEXT 240

struct flow_verdict {
    enum verdict verdict; /* VERDICT_OPEN also where the flow went on at the end of the capture */
    const char *by;       /* which side closed: "client", "server", "both", "none" */
    const char *kind;     /* "fin", "rst", or NULL */
    const char *text;     /* the sentence: static, or in: */
    char room[FLOW_VERDICT_TEXT];
};

/* Returns "client" or "server". */
const char *flow_side_name(enum track_side side);

void flow_verdict(const struct watched *w, struct flow_verdict *v);

/* Returns whether the RST of that side may have been sent by a device on the way, since its TTL is
 * not that of the side's other segments, or the side went on as if it had sent none. */
bool flow_rst_doubtful(const struct watched *w, enum track_side side);

/* Adds every finding that holds, the one that explains most first. */
void flow_findings(const struct watched *w, struct findings *list);

/* Does the same, and asks every row even where nothing happened that one of them asks for: the
 * tests hold one against the other. */
void flow_findings_in_full(const struct watched *w, struct findings *list);

/* Returns the most severe of them, or NULL. Of equally severe ones it is the first. */
const struct finding *flow_strongest(const struct findings *list);

/* Returns the code of row `i` of the table of findings, from 0; NULL behind the last one. */
const char *flow_finding_code(unsigned i);

#endif
