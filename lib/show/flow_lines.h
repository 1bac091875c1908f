/* Shows the flows of a capture, one a line where there is room, and their totals at the end. */
#ifndef TCPWAVE_SHOW_FLOW_LINES_H
#define TCPWAVE_SHOW_FLOW_LINES_H

#include "lib/report/flow_verdict.h"
#include "lib/report/flows.h"
#include "lib/report/report.h"
#include "lib/show/term.h"

/* What the lines have been of. */
struct flow_totals {
    uint64_t flows, bytes, retransmissions;
    uint32_t verdicts[REPORT_VERDICTS];
};

/* Adds a flow. */
void flow_totals_add(struct flow_totals *t, const struct watched *w, enum verdict verdict);

struct flow_lines {
    struct term *term;
    wave_time origin; /* times count from this stamp */
    bool findings;    /* each finding has a line below its flow */
    unsigned width;   /* columns; 0: as many as it takes */
    bool begun;       /* the headings were drawn */
};

/* Draws the headings of the columns. */
void flow_headings(const struct flow_lines *l);

/* Draws a flow, and before the first one the headings; `list` has its findings. */
void flow_line(struct flow_lines *l, const struct watched *w, const struct flow_verdict *v,
               const struct findings *list);

#endif
