/*
 * JSON Lines: one object for each event, as tcpwave-json(5) describes them. A wait is meant for
 * people and is not written.
 */
#ifndef TCPWAVE_SHOW_JSON_H
#define TCPWAVE_SHOW_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/report/report.h"

struct render_json {
    FILE *to;
    bool failed; /* memory ran out, or the stream rejected a line */
};

/* A report_sink; `self` is a struct render_json. The caller flushes the stream when the run is
 * idle. */
void render_json(void *self, const struct report_event *event);

#endif
