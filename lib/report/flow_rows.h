/* What was measured of a flow, in rows for a person. */
#ifndef TCPWAVE_REPORT_FLOW_ROWS_H
#define TCPWAVE_REPORT_FLOW_ROWS_H

#include "lib/report/figures.h"
#include "lib/report/flow_verdict.h"

/* Adds the rows. */
void flow_rows(struct figures *to, const struct watched *w, const struct flow_verdict *v,
               const struct measure_room *room);

#endif
