/* Declares the options of connect. */
#ifndef TCPWAVE_CMD_CONNECT_H
#define TCPWAVE_CMD_CONNECT_H

#include "cmd/client_options.h"
#include "cmd/preset.h"

struct connect_options {
    struct client_options client;
    struct close_options close;
    struct preset_options preset;
    bool no_ack;       /* never send the third segment of the handshake */
    bool each_address; /* one run for each address of the name */
};

#endif
