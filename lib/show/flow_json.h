/* Writes a flow of a capture as a JSON line: the event `flow` of tcpwave-json(5). */
#ifndef TCPWAVE_SHOW_FLOW_JSON_H
#define TCPWAVE_SHOW_FLOW_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/report/flow_verdict.h"
#include "lib/report/flows.h"

/* Writes the flow, and its findings as events of their own. `origin` is the stamp that times count
 * from. Returns false when memory was out, or the stream took nothing. */
bool flow_json(FILE *to, wave_time origin, const struct watched *w, const struct flow_verdict *v,
               const struct findings *list, const struct measure_room *room);

#endif
