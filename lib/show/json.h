/*
 * JSON Lines: one object an event, as the manual words them. A wait is for people and writes
 * nothing.
 */
#ifndef TCPWAVE_SHOW_JSON_H
#define TCPWAVE_SHOW_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/report/report.h"

struct render_json {
    FILE *to;
    bool failed; /* memory ran out, or the stream took no more */
};

/*
 * A line of JSON is put together between the two. The second writes it and frees it: false when the
 * stream took no more, or memory was short for any part of it since the first.
 */
void render_json_begin(void);
bool render_json_end(json_t *line, size_t flags, FILE *to);

/* A report_sink; `self` is a struct render_json. The stream is the caller's to flush when the run
 * goes idle. */
void render_json(void *self, const struct report_event *event);

#endif
