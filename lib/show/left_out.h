/*
 * What is said about output whose reader did not take it in time: in the stream where lines were
 * left out, and on standard error instead of a verdict that could not be written. The same for all
 * commands.
 */
#ifndef TCPWAVE_SHOW_LEFT_OUT_H
#define TCPWAVE_SHOW_LEFT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/verdict.h"
#include "lib/io/outbuf.h"
#include "lib/report/report.h"

/* Writes the line that stands where lines were left out, `left_out` of them so far: an event of
 * JSON Lines, or a line of text. An outbuf_gap function; returns the length. */
size_t left_out_line(bool json, wave_time at, uint64_t left_out, char text[OUTBUF_GAP]);

/* Writes what was left out, in words and without a newline: "12 lines left out, since ...". Returns
 * text. */
const char *left_out_text(const struct report_left_out *l, char text[OUTBUF_GAP]);

/* What the last lines of the report say, in case they cannot be written. */
struct left_out_verdict {
    enum verdict verdict;
    int exit;
    const char *message;
    bool quiet; /* the report does not mention failures of this host */
};

/* Called after the last line: waits for the reader of the report as outbuf_finish() does. `d` is
 * why the report cannot be written, or NULL. What the report could not say is written to standard
 * error. Returns the exit status. */
int left_out_tell(struct outbuf *o, const struct diag *d, const struct left_out_verdict *t,
                  struct outbuf_end *end);

#endif
