/*
 * Findings: conclusions about the connection, the path or this host that a person would otherwise
 * have to work out. This is only the type and the list: a command fills it, and renderers print it
 * without knowing the command.
 */
#ifndef TCPWAVE_REPORT_FINDINGS_H
#define TCPWAVE_REPORT_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FINDINGS_MAX 16
#define FINDING_EVIDENCE 8 /* segments */
#define FINDING_TEXT 320   /* bytes of a sentence */
#define FINDING_ROW 480    /* bytes of finding_text() */

enum finding_severity { FINDING_INFO, FINDING_WARNING, FINDING_PROBLEM };
enum finding_certainty { FINDING_PROVED, FINDING_LIKELY };
enum finding_subject { FINDING_PEER, FINDING_PATH, FINDING_LOCAL };

struct finding {
    const char *code; /* static; the name that scripts use */
    enum finding_severity severity;
    enum finding_certainty certainty;
    enum finding_subject subject;
    uint32_t evidence[FINDING_EVIDENCE]; /* numbers of segments */
    unsigned evidences;
    char message[FINDING_TEXT];
    char advice[FINDING_TEXT]; /* empty: there is none */
};

/* A list of findings; empty when all zero. */
struct findings {
    struct finding at[FINDINGS_MAX];
    unsigned count;
    unsigned left_out; /* that did not fit */
};

void findings_add(struct findings *list, const struct finding *f);

/* Returns "info", "warning" or "problem". */
const char *finding_severity_name(enum finding_severity severity);

/* Returns "proved" or "likely". */
const char *finding_certainty_name(enum finding_certainty certainty);

/* Returns "peer", "path" or "local". */
const char *finding_subject_name(enum finding_subject subject);

/* Writes the finding for a person, such as "the peer ignores our FIN (likely; segments 3, 5)",
 * without the advice. Returns text. */
const char *finding_text(const struct finding *f, char text[FINDING_ROW]);

#endif
