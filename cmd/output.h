/* Where the report goes, and what it may look like, as the options say. */
#ifndef TCPWAVE_CMD_OUTPUT_H
#define TCPWAVE_CMD_OUTPUT_H

#include <stdio.h>

#include "cmd/options_show.h"
#include "lib/io/outbuf.h"
#include "lib/show/term.h"

/* The stream that reports, JSON and drawings go to: standard output, or standard error when
 * received bytes, capture or picture have taken that. */
FILE *report_stream(const struct show_options *o);

/* The same, for a run: never waits for its reader. WAVE_ENOMEM. */
int report_open(struct outbuf **out, const struct show_options *o, struct diag *d);

/* What a drawing on the stream may use; `to` writes to what report_open() has opened. */
void output_term(struct term *t, FILE *to, const struct show_options *o);

#endif
