/*
 * The capture's filter, in libpcap's language: what is ours, and what may be an ICMP error about
 * it. It spares us the rest of the traffic; what it lets through is looked at exactly later.
 */
#ifndef TCPWAVE_WIRE_FILTER_H
#define TCPWAVE_WIRE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/core/flow.h"

struct filter_query {
    struct flow flow;
    uint16_t lports;   /* consecutive ports of ours from flow.lport on; 0 is 1 */
    bool any_remote;   /* the remote end is not looked at: what comes to our port is ours */
    bool listen;       /* any remote: only local and lport count, local all zero is any */
    bool inbound_only; /* not what we send */
    bool any_device;   /* frames of every interface (link type SLL2): lo's are met twice, leaving
                          and arriving, of which the leaving are left out */
    bool tags;         /* VLAN tags can be asked for on this link: look behind up to two */
};

#define FILTER_TEXT 4096

/* Writes the filter. Returns `text`. */
const char *filter_text(const struct filter_query *q, char text[FILTER_TEXT]);

#endif
