/*
 * The capture's filter in libpcap's language: our own segments, and ICMP errors that may be about
 * them. It keeps the rest of the traffic away. What it lets through is examined exactly later.
 */
#ifndef TCPWAVE_WIRE_FILTER_H
#define TCPWAVE_WIRE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/core/flow.h"

/* Says what the filter lets through. */
struct filter_query {
    struct flow flow;
    uint16_t lports;   /* consecutive local ports from flow.lport on; 0 is 1 */
    bool any_remote;   /* the remote end is not looked at: what comes to our port is ours */
    bool listen;       /* any remote: only local and lport count, and a local of all zero is any */
    bool inbound_only; /* leave out what we send */
    bool own_syns;     /* but for SYNs */
    bool any_device;   /* frames come from every interface (link type SLL2), where those of lo
                          come twice, leaving and arriving; the leaving ones are left out */
    bool tags;         /* the filter can ask for VLAN tags on this link: look behind up to two */
};

#define FILTER_TEXT 4096

/* Writes the filter into `text`, and returns `text`. */
const char *filter_text(const struct filter_query *q, char text[FILTER_TEXT]);

#endif
