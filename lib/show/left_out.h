/*
 * What is told of output that found no reader in time: in the stream where lines were left out, and
 * in place of a verdict that the stream did not take. One place for all commands.
 */
#ifndef TCPWAVE_SHOW_LEFT_OUT_H
#define TCPWAVE_SHOW_LEFT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/verdict.h"
#include "lib/io/outbuf.h"
#include "lib/report/report.h"

/* The line that stands where lines were left out, `left_out` of them so far: an event of JSON
 * Lines, or a line of text. As outbuf_gap. */
size_t left_out_line(bool json, wave_time at, uint64_t left_out, char text[OUTBUF_GAP]);

/* What was not written, in words and without a line's end: "12 lines left out, since ...". */
const char *left_out_text(const struct report_left_out *l, char text[OUTBUF_GAP]);

/* What the report's last lines say, for when they cannot be written. */
struct left_out_verdict {
    enum verdict verdict;
    int exit;
    const char *message;
    bool quiet; /* the report says nothing of what this host could not */
};

/* After the last line: waits for the report's reader as outbuf_finish() does. `d` is why the report
 * cannot be written, or NULL. What the report could not tell is told on standard error. Returns the
 * exit status. */
int left_out_tell(struct outbuf *o, const struct diag *d, const struct left_out_verdict *t,
                  struct outbuf_end *end);

#endif
