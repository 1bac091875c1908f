/* Declares the options that say how a silent peer is probed (RFC 1122, 4.2.3.6), which are --idle,
 * --interval, --count and --garbage. */
#ifndef TCPWAVE_CMD_OPTIONS_PROBE_H
#define TCPWAVE_CMD_OPTIONS_PROBE_H

#include "cmd/options.h"
#include "lib/core/conn.h"

/* Holds their values. It is all zero at first: probe_check() fills in the defaults, since it must
 * see which options were given. */
struct probe_options {
    bool on;
    wave_time idle;     /* silence before the first probe; default 7200 s */
    wave_time interval; /* between probes; default 75 s */
    uint32_t count;     /* unanswered probes after which the peer is lost: 1 to 255, default 10 */
    bool garbage;       /* probes carry one byte */
};

extern const struct option_row probe_rows[];

/* Turns the probes on if one of the options was given, and fills in the defaults of the others. */
void probe_check(struct probe_options *k);

/* Writes the options into the engine's configuration. */
void probe_configure(const struct probe_options *k, struct conn_config *c);

#endif
