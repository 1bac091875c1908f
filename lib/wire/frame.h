/*
 * Reads the link-layer header of a captured frame: how many bytes stand before the IP packet, and
 * which version of IP it is. This file is pure. The bytes come from the network and may be
 * malformed, so they are read through struct cursor.
 */
#ifndef TCPWAVE_WIRE_FRAME_H
#define TCPWAVE_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_ADDRESS 6 /* bytes of a link-layer address */

/* Holds what the header says. */
struct frame {
    size_t offset;     /* bytes before the IP packet */
    bool v6;           /* the packet is IPv6 */
    uint8_t tags;      /* VLAN tags that were skipped */
    uint32_t ifindex;  /* Linux cooked v2: the interface that captured the frame; else 0 */
    bool has_outgoing; /* Linux cooked: the frame says `outgoing` itself */
    bool outgoing;     /* this host sent it */
    const uint8_t *source; /* FRAME_ADDRESS bytes of the frame: the link-layer address that it
                              comes from, where there is one; else NULL */
};

/* Returns whether frames of libpcap's link type `dlt` (DLT_...) can be read. */
bool frame_known(int dlt);

/*
 * Reads the header of one frame of `len` bytes. Returns 0 and *out; WAVE_ETRUNC when the frame ends
 * within the header; WAVE_ENOTOURS when it carries something other than IP, or the link type is not
 * known.
 */
int frame_parse(int dlt, const uint8_t *bytes, size_t len, struct frame *out);

#endif
