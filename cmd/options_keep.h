/* How a silent peer is probed (RFC 1122, 4.2.3.6): --idle, --interval, --count, --garbage. */
#ifndef TCPWAVE_CMD_OPTIONS_KEEP_H
#define TCPWAVE_CMD_OPTIONS_KEEP_H

#include "cmd/options.h"
#include "lib/core/conn.h"

/* Its defaults are those of keep_check(), since any of the options turns the probes on. */
struct keep_options {
    bool on;
    wave_time idle;     /* default 7200 s */
    wave_time interval; /* default 75 s */
    uint32_t count;     /* 1 to 255, default 10 */
    bool garbage;       /* probes carry one byte */
};

extern const struct option_row keep_rows[];

/* Turns the probes on where one of the options was given, and fills in the others. */
void keep_check(struct keep_options *k);

/* What the engine is told of them. */
void keep_configure(const struct keep_options *k, struct conn_config *c);

#endif
