/*
 * A run of many connections as a person sees it: during the run a line of progress, at the end a
 * table of its figures. The command decides what the rows say.
 */
#ifndef TCPWAVE_SHOW_FIGURES_TABLE_H
#define TCPWAVE_SHOW_FIGURES_TABLE_H

#include "lib/report/report.h"
#include "lib/show/term.h"

#define FIGURES_VALUE 12 /* the column of values, and of the verdict */

/* A report_sink; `self` is a struct term. Of the figures of progress, the first row is shown
 * without its label. */
void figures_table_event(void *self, const struct report_event *event);

#endif
