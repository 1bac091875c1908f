/* Declares the options of keepalive. */
#ifndef TCPWAVE_CMD_KEEPALIVE_H
#define TCPWAVE_CMD_KEEPALIVE_H

#include "cmd/client_options.h"
#include "cmd/options_probe.h"

struct keepalive_options {
    struct client_options client;
    struct probe_options probe;
    wave_time length; /* --for: the run ends with success after this; 0: never */
};

#endif
