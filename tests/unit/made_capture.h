/*
 * A capture file that a test writes: classic pcap with nanoseconds, whose packets are bare IP.
 */
#ifndef TCPWAVE_TESTS_MADE_CAPTURE_H
#define TCPWAVE_TESTS_MADE_CAPTURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/core/time.h"

/* The file that is being written; the test closes it. */
extern struct made_capture {
    char path[80];
    FILE *file;
    wave_time now; /* of the next packet */
    uint16_t id;   /* IPv4's identification of the last one, for the test to count on */
} made;

/* Begins a new file, with a name of its own. */
void made_begin(void);

/* Adds a packet, and lets a millisecond pass. */
void made_put(const uint8_t *packet, size_t len);

#endif
