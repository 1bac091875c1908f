/* A few lines at the end of a run: what happened, what the peer offered, what went each way, how
 * it was closed, and what the peer's state is, with the reason. */
#ifndef TCPWAVE_SHOW_SUMMARY_H
#define TCPWAVE_SHOW_SUMMARY_H

#include "lib/report/report.h"
#include "lib/show/term.h"

/* A report_sink that cares for verdicts only; `self` is a struct term. */
void summary_event(void *self, const struct report_event *event);

#endif
