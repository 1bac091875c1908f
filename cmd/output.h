/* Chooses where the report goes, and which colours and characters it may use, from the options. */
#ifndef TCPWAVE_CMD_OUTPUT_H
#define TCPWAVE_CMD_OUTPUT_H

#include <stdio.h>

#include "cmd/options_show.h"
#include "lib/io/outbuf.h"
#include "lib/show/term.h"

/* Returns the stream for drawing, summary and JSON: standard output, or standard error if received
 * bytes, capture or picture go to standard output. */
FILE *report_stream(const struct show_options *o);

/* Opens that stream for a run, as a buffer that never waits for its reader. Returns 0 or
 * WAVE_ENOMEM with *d filled in; outbuf_close() closes it. */
int report_open(struct outbuf **out, const struct show_options *o, struct diag *d);

/* Sets *t to what a drawing on the stream may use. `to` writes to the buffer that report_open() has
 * opened. */
void output_term(struct term *t, FILE *to, const struct show_options *o);

#endif
