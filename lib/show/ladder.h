/*
 * The drawing of a run as it happens: a line of life for each side, an arrow for each segment, and
 * the state of each side. Long transfers are drawn in part.
 */
#ifndef TCPWAVE_SHOW_LADDER_H
#define TCPWAVE_SHOW_LADDER_H

#include "lib/report/report.h"
#include "lib/show/rows.h"
#include "lib/show/term.h"

struct ladder {
    struct term *term;
    struct rows rows;
    unsigned verbose; /* 1: absolute numbers and every segment; 2: bytes */
    /* Where the columns begin. */
    unsigned state, left, right, peer, cause;
    const char *simulated; /* SPEC of the simulated network that is drawn; NULL: it is a real one */
    bool titled;
    bool begun;
    bool assumed;    /* a state was drawn with its question mark */
    bool closed[2];  /* in this row: our side, the peer's, has sent its FIN */
    bool half;       /* a dashed line of life was drawn */
    bool struck;     /* an arrow was drawn that a rule stopped */
    wave_time drawn; /* when the progress of a partly drawn transfer was last shown */
};

void ladder_init(struct ladder *l, struct term *term, unsigned verbose);

/* A report_sink; `self` is a struct ladder. */
void ladder_event(void *self, const struct report_event *event);

#endif
