/*
 * Packets on their way to the kernel. They are queued in order, and many are handed over with one
 * system call, since a call for each packet would cost as much as building the packet.
 */
#ifndef TCPWAVE_WIRE_TX_QUEUE_H
#define TCPWAVE_WIRE_TX_QUEUE_H

#include "lib/wire/l2_send.h"
#include "lib/wire/tx_ring.h"
#include "lib/wire/wire.h"

struct tx_queue;

/* Creates a queue for WIRE_QUEUE_MAX packets of up to `mtu` bytes; of larger packets fewer fit, and
 * so they do with an MTU as large as that of lo. They are sent through the raw socket `fd`, which
 * stays the caller's. Returns 0, or WAVE_ENOMEM. */
int tx_queue_open(struct tx_queue **out, int fd, uint32_t mtu);

/* From now on the kernel routes each packet by the source address in its header, as it does for its
 * own TCP. This is for a raw socket that is bound to no address: otherwise the kernel would route
 * as if there were no source address. */
void tx_queue_route_by_source(struct tx_queue *b);

/* From now on a packet may have a link-layer header of `header` bytes (at most L2_HEADER). Such
 * packets are sent through the packet socket `fd` to `to`, which both stay the caller's
 * (l2_send.h). Where their headers allow it, several are combined (gso.h). */
void tx_queue_link_layer(struct tx_queue *b, int fd, const struct sockaddr_ll *to, size_t header);

/* From now on short frames are sent through `ring`, which stays the caller's. */
void tx_queue_use_ring(struct tx_queue *b, struct tx_ring *ring);

/* From now on each packet is sent as it is, and never combined with others. With segmentation
 * offload the kernel would have to parse a crafted packet, and would correct what is wrong in it on
 * purpose. */
void tx_queue_no_gso(struct tx_queue *b);

/* Call this after l2_send_bypass_qdisc(): packets are not combined, and frames have no prefix. */
void tx_queue_bypass_qdisc(struct tx_queue *b);

/* Frees the queue; packets in it are lost. `b` may be NULL. */
void tx_queue_close(struct tx_queue *b);

/* Returns whether no packet is queued. */
bool tx_queue_empty(const struct tx_queue *b);

/* Returns where to write a packet of `len` bytes (65535 at most), or NULL when there is no room
 * before the next tx_queue_flush(). */
uint8_t *tx_queue_room(struct tx_queue *b, size_t len);

/* Returns where to write the data of the next packet, TX_QUEUE_DATA bytes at most, before its
 * headers are known; NULL when there is no room. */
#define TX_QUEUE_DATA 65536
uint8_t *tx_queue_data_room(struct tx_queue *b);

/* Returns where to write a packet of `len` bytes whose last `data` bytes are already in that
 * place. */
uint8_t *tx_queue_room_around(struct tx_queue *b, size_t len, size_t data);

/* Queues the packet that was written there. `header` is its link-layer header, of the size that was
 * given to tx_queue_link_layer(), and is copied; NULL: the kernel routes the packet. */
void tx_queue_add(struct tx_queue *b, size_t len, const struct flow *flow, struct seq seq,
                  const uint8_t *header);

/* Says that the last packet, which has a link-layer header, lacks its checksums
 * (template_checksum()). It gets them when it is sent alone, and needs none when it is combined
 * with others. */
void tx_queue_no_checksum(struct tx_queue *b);

/* Says that the last packet is a train of segments of `size` bytes (seg.train). It is sent as one
 * frame, or else as its segments; each of these counts as a packet below. */
void tx_queue_train(struct tx_queue *b, uint16_t size);

/* Returns whether a train can be sent as one frame, as far as is known. */
bool tx_queue_takes_trains(const struct tx_queue *b);

/*
 * Hands all packets to the kernel, and never waits. Returns how many it took. Either that is all of
 * them, and *error is 0. Or it is fewer; *error is then the errno for the next packet, and *unsent
 * names that packet. After EAGAIN and ENOBUFS this packet stays in the queue; any other error
 * removes it. All later packets stay in any case. What the kernel has refused with ENOBUFS for a
 * quarter of a second is given up: it is removed, counted, and not told. What is for the same
 * target is then given up as soon as it is refused.
 */
unsigned tx_queue_flush(struct tx_queue *b, int *error, struct wire_unsent *unsent);

/* Returns how many segments were given up so far. */
uint64_t tx_queue_given_up(const struct tx_queue *b);

/* Returns how many packets were sent on the link layer so far. */
uint64_t tx_queue_l2_sent(const struct tx_queue *b);

#endif
