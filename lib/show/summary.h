/* A few lines at the end of a run: what happened, what the peer offered, what was sent and
 * received, how the connection was closed, and the peer's state with the reason. */
#ifndef TCPWAVE_SHOW_SUMMARY_H
#define TCPWAVE_SHOW_SUMMARY_H

#include "lib/report/report.h"
#include "lib/show/term.h"

/* A report_sink that handles only verdicts; `self` is a struct term. */
void summary_event(void *self, const struct report_event *event);

/* Writes what is said of a simulated network, whose SPEC this is, wherever it is shown. */
#define SUMMARY_NETWORK 580
const char *summary_network(const char *spec, char text[SUMMARY_NETWORK]);

/* Calls a function with a row for each finding of the verdict, with its advice, and for each
 * expectation that was not met. For every renderer that has rows. */
typedef void summary_row(void *self, const char *label, const char *text);
void summary_conclusions(const struct report_verdict *v, summary_row *row, void *self);

#endif
