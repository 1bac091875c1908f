/* The facts about this host and its wire that the findings of every command are made from, as far
 * as the port knows them. */
#ifndef TCPWAVE_RUN_HOST_FACTS_H
#define TCPWAVE_RUN_HOST_FACTS_H

#include "lib/core/addr.h"
#include "lib/report/facts.h"
#include "lib/run/port.h"

/* Holds the texts that the facts point to. */
struct host_texts {
    char answerer[ADDR_PORT_TEXT], translated[ADDR_PORT_TEXT], source[ADDR_PORT_TEXT], other[16];
};

/* What the command knows of it. */
struct host_asks {
    uint64_t captured; /* segments for us, with a correct checksum */
    uint64_t kept; /* segments that were sent, of which the capture should have shown one by now,
                      and showed none; 0: not so, or it does not show what leaves */
    bool left_unknown; /* the command does not know whether the capture showed what leaves */
    bool many;         /* there are many connections: it is not compared how many segments of each
                          reached this host's TCP */
    bool v6;
    bool interface_named; /* the user named the interface */
};

/*
 * Fills in *h, whose texts are then in *t, and *stats. Whether a SYN-ACK from elsewhere answers our
 * SYN is for the command to say, which knows the SYN.
 *
 * The capture sees a segment before this host's TCP does. Where fewer have reached it than were
 * captured, this function waits a little, since the last ones may still be on their way.
 */
void host_facts(struct facts_host *h, struct host_texts *t, struct wire_stats *stats,
                struct port *port, const struct host_asks *asks);

#endif
