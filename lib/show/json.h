/*
 * JSON Lines: one object an event, as the manual words them. A wait is for people and writes
 * nothing.
 */
#ifndef TCPWAVE_SHOW_JSON_H
#define TCPWAVE_SHOW_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/report/report.h"

struct render_json {
    FILE *to;
    bool failed; /* memory ran out, or the stream took no more */
};

/* A report_sink; `self` is a struct render_json. The stream is the caller's to flush when the run
 * goes idle. */
void render_json(void *self, const struct report_event *event);

#endif
