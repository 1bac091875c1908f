/*
 * A transmit ring: memory that is shared with the kernel, in which short frames are handed over
 * (packet(7), PACKET_TX_RING). Many frames go with one system call, as they do with sendmmsg(2),
 * but the kernel need not fetch an address, a list of parts and a header for each of them from our
 * memory. That makes a frame without data a quarter cheaper, which is what a load consists of.
 *
 * The ring has a socket of its own, because the kernel then takes from this socket nothing but the
 * ring. Each frame is copied when it is sent, and not lent to the kernel: so a slot is free again
 * as soon as the frame has left the socket's buffer.
 */
#ifndef TCPWAVE_WIRE_TX_RING_H
#define TCPWAVE_WIRE_TX_RING_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TX_RING_FRAME 200 /* bytes of a frame at most, with its link-layer header */

struct tx_ring;

/* Opens a ring for frames to `to`. Returns NULL where the kernel has none for us: frames are then
 * sent without it. The privilege to open packet sockets is needed. */
struct tx_ring *tx_ring_open(const struct sockaddr_ll *to);

/* Closes the ring; `r` may be NULL. */
void tx_ring_close(struct tx_ring *r);

/* Puts a frame into the next slot: `header` bytes of link-layer header, and an IP packet of `len`
 * bytes. Returns false when that slot is still in use. */
bool tx_ring_put(struct tx_ring *r, const uint8_t *link, size_t header, const uint8_t *packet,
                 size_t len);

/* Hands the frames that were put to the kernel, and never waits. Returns how many it took, the
 * first ones. If it is none, errno says why, and it is EAGAIN if none was put. The others are no
 * longer in the ring, and have to be put once more. */
int tx_ring_send(struct tx_ring *r);

#endif
