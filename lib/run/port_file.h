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

/* Reads from `file`, which belongs to the port from then on. `name` is for messages and stays the
 * caller's. Returns WAVE_ESYS if it is not a capture file, or if its link type is unknown, and
 * WAVE_ENOMEM, each with *d filled in; the file is then closed as well. */
int port_file_open(struct port **out, FILE *file, const char *name, struct diag *d);

/* Returns whether all of the file has been read. If it is cut off or becomes corrupt, next() first
 * returns an error, and the file has then ended. */
bool port_file_ended(const struct port *p);

#endif
