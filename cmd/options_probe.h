/* How a silent peer is probed (RFC 1122, 4.2.3.6): --idle, --interval, --count, --garbage. */
#ifndef TCPWAVE_CMD_OPTIONS_PROBE_H
#define TCPWAVE_CMD_OPTIONS_PROBE_H

#include "cmd/options.h"
#include "lib/core/conn.h"

/* Its defaults are those of probe_check(), since any of the options turns the probes on. */
struct probe_options {
    bool on;
    wave_time idle;     /* default 7200 s */
    wave_time interval; /* default 75 s */
    uint32_t count;     /* 1 to 255, default 10 */
    bool garbage;       /* probes carry one byte */
};

extern const struct option_row probe_rows[];

/* Turns the probes on where one of the options was given, and fills in the others. */
void probe_check(struct probe_options *k);

/* What the engine is told of them. */
void probe_configure(const struct probe_options *k, struct conn_config *c);

#endif
