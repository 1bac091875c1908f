/*
 * A packet socket whose ring has slots, for captures in which each frame is to be read as soon as
 * it is there. (libpcap's ring in blocks, which capture.c has for many connections, keeps a frame
 * for a millisecond.)
 *
 * A slot is as large as a frame of the interface's MTU, so that a ring of 8 MiB holds some 5,000 of
 * them. Where segmentation offload is on, frames can be much longer than the MTU. The kernel writes
 * the beginning of such a frame into its slot, in the order of the others, and keeps the whole
 * frame in the socket's receive buffer, from which it is read when its slot's turn comes
 * (PACKET_COPY_THRESH, packet_mmap.rst). libpcap does not know this: it makes every slot as large
 * as the longest frame there can be, and the same memory then holds 128 of them.
 *
 * What must not be broken: of each slot that is marked TP_STATUS_COPY exactly one frame waits in
 * the receive buffer. It has to be read even if nothing is wanted of it, or poll(2) never sleeps.
 */
#ifndef TCPWAVE_WIRE_PACKET_RING_H
#define TCPWAVE_WIRE_PACKET_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/wire/capture.h"

struct packet_ring;

/* Opens the ring with the filter in force. WAVE_EPERM, WAVE_ENOMEM, WAVE_ESYS, each with *d filled
 * in. */
int packet_ring_open(struct packet_ring **out, const struct capture_config *config, struct diag *d);

/* NULL is taken. */
void packet_ring_close(struct packet_ring *s);

/* As capture_next(). */
int packet_ring_next(struct packet_ring *s, struct capture_frame *out, struct diag *d);

int packet_ring_fd(const struct packet_ring *s);
int packet_ring_dlt(const struct packet_ring *s);
void packet_ring_stats(struct packet_ring *s, uint64_t *received, uint64_t *dropped);

/* As capture_down(). */
bool packet_ring_down(const struct packet_ring *s);

/* As capture_room(). */
struct capture_room packet_ring_room(const struct packet_ring *s);

#endif
