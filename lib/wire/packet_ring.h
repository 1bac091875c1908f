/*
 * A packet socket whose ring has slots, for captures that must read each frame as soon as it is
 * there. (capture.c uses libpcap's ring in blocks for many connections; that ring keeps a frame for
 * up to a millisecond.)
 *
 * A slot is as large as a frame of the interface's MTU, so that a ring of 8 MiB holds some 5,000 of
 * them. With segmentation offload, frames can be much longer than the MTU. The kernel writes the
 * beginning of such a frame into its slot, in the order of the others, and keeps the whole frame in
 * the socket's receive buffer. We read it from there when we reach its slot (PACKET_COPY_THRESH,
 * packet_mmap.rst). libpcap does not use this: it makes every slot as large as the longest possible
 * frame, and the same memory then holds 128 of them.
 *
 * What must not be broken: for each slot that is marked TP_STATUS_COPY, exactly one frame waits in
 * the receive buffer. It must be read even when it is not needed, or poll(2) never sleeps.
 */
#ifndef TCPWAVE_WIRE_PACKET_RING_H
#define TCPWAVE_WIRE_PACKET_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/wire/capture.h"

struct packet_ring;

/* Opens the ring with the filter in force. Returns 0, or WAVE_EPERM, WAVE_ENOMEM or WAVE_ESYS with
 * *d filled in. */
int packet_ring_open(struct packet_ring **out, const struct capture_config *config, struct diag *d);

/* Closes the capture; `s` may be NULL. */
void packet_ring_close(struct packet_ring *s);

/* All functions below do what those of the same names in capture.h do. */
int packet_ring_next(struct packet_ring *s, struct capture_frame *out, struct diag *d);

int packet_ring_fd(const struct packet_ring *s);
int packet_ring_dlt(const struct packet_ring *s);
void packet_ring_stats(struct packet_ring *s, uint64_t *received, uint64_t *dropped);

bool packet_ring_down(const struct packet_ring *s);

struct capture_room packet_ring_room(const struct packet_ring *s);

#endif
