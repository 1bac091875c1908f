/*
 * Reading the link layer's header of a captured frame: how many bytes stand before the IP packet,
 * and which IP it is. Pure; strangers' bytes, read through struct cursor.
 */
#ifndef TCPWAVE_WIRE_FRAME_H
#define TCPWAVE_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame {
    size_t offset;     /* bytes before the IP packet */
    bool v6;           /* it is IPv6 */
    uint8_t tags;      /* VLAN tags that were stepped over */
    uint32_t ifindex;  /* Linux cooked v2: the interface it was seen on; else 0 */
    bool has_outgoing; /* Linux cooked: `outgoing` is told by the frame */
    bool outgoing;     /* this host sent it */
};

/* Whether frames of libpcap's link type `dlt` (DLT_...) can be read. */
bool frame_known(int dlt);

/*
 * Reads the header of one frame. Returns 0; WAVE_ETRUNC when the frame ends within it;
 * WAVE_ENOTOURS when it carries something else than IP, or the link type is not known.
 */
int frame_parse(int dlt, const uint8_t *bytes, size_t len, struct frame *out);

#endif
