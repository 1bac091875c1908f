/*
 * The port that reads a capture file (pcap or pcapng, through libpcap): packets come in, nothing
 * goes out, and time is that of the packets. Both ends of every flow are strangers, so that no
 * packet is "outgoing". What was captured in IP fragments is given as a whole. Strangers' bytes:
 * every length is checked before it is used.
 */
#ifndef TCPWAVE_RUN_PORT_FILE_H
#define TCPWAVE_RUN_PORT_FILE_H

#include <stdio.h>

#include "lib/run/port.h"

struct port_file_counts {
    uint64_t frames;    /* read */
    uint64_t truncated; /* of them: cut off before the end of the TCP header */
    uint64_t malformed,
        other; /* lengths that contradict each other; no TCP and no error about it */
};

/* Reads from `file`, which is the port's from then on; `name` is for messages and stays the
 * caller's. WAVE_ESYS where it is no capture file, or of a link type that is not known,
 * WAVE_ENOMEM, each with *d filled in; the file is closed then, too. */
int port_file_open(struct port **out, FILE *file, const char *name, struct diag *d);

/* Whether all of it has been read. A file that is cut off, or corrupt further on, gives an error
 * from next() first, and has then ended. */
bool port_file_ended(const struct port *p);

struct port_file_counts port_file_counts(const struct port *p);

#endif
