/* The options of keepalive. */
#ifndef TCPWAVE_CMD_KEEPALIVE_H
#define TCPWAVE_CMD_KEEPALIVE_H

#include "cmd/client_options.h"
#include "cmd/options_keep.h"

struct keepalive_options {
    struct client_options client;
    struct keep_options keep;
    wave_time length; /* --for: the run ends with success after this; 0: never */
};

#endif
