/*
 * Packets on their way to the kernel: queued in order, and handed over many at a time, since a
 * system call of its own would cost each as much as its crafting.
 */
#ifndef TCPWAVE_WIRE_TX_QUEUE_H
#define TCPWAVE_WIRE_TX_QUEUE_H

#include "lib/wire/l2_send.h"
#include "lib/wire/wire.h"

struct tx_queue;

/* For packets of up to `mtu` bytes, WIRE_QUEUE_MAX of them, to be sent through the raw socket `fd`,
 * which stays the caller's; larger ones leave room for fewer. WAVE_ENOMEM. */
int tx_queue_open(struct tx_queue **out, int fd, uint32_t mtu);

/* From now on the kernel routes each packet by the source address in its header, as it does for its
 * own TCP. For a raw socket that is bound to no address: the kernel would take none for granted. */
void tx_queue_route_by_source(struct tx_queue *b);

/* From now on packets may have a link layer's header of `header` bytes (at most L2_HEADER), and
 * those go through the packet socket `fd` to `to`, both of which stay the caller's (l2_send.h).
 * Where they allow it, several are joined. */
void tx_queue_link_layer(struct tx_queue *b, int fd, const struct sockaddr_ll *to, size_t header);

/* From now on each packet goes as it stands, and is never joined with others: the kernel would mend
 * what a forged one has wrong, and would have to understand it first. */
void tx_queue_no_gso(struct tx_queue *b);

/* After l2_send_bypass_qdisc(): the same, and frames have no prefix. */
void tx_queue_bypass_qdisc(struct tx_queue *b);

/* What is queued is lost. NULL is taken. */
void tx_queue_close(struct tx_queue *b);

bool tx_queue_empty(const struct tx_queue *b);

/* Where to write a packet of `len` bytes (65535 at most), or NULL when there is no room before
 * tx_queue_flush(). */
uint8_t *tx_queue_room(struct tx_queue *b, size_t len);

/* Where to write the data of the next packet, TX_QUEUE_DATA bytes at most, before its headers are
 * known; NULL likewise. */
#define TX_QUEUE_DATA 65536
uint8_t *tx_queue_data_room(struct tx_queue *b);

/* tx_queue_room() for a packet of `len` bytes, of which the last `data` stand there already. */
uint8_t *tx_queue_room_around(struct tx_queue *b, size_t len, size_t data);

/* Queues the packet that was written there, with the link layer's `header`, of as many bytes as
 * tx_queue_link_layer() was told, which is copied; NULL: the kernel routes it. */
void tx_queue_add(struct tx_queue *b, size_t len, const struct flow *flow, struct seq seq,
                  const uint8_t *header);

/* The packet that was added last, which has a link layer's header, is yet without its TCP checksum
 * (template_checksum()): it gets one when it goes alone, and needs none when it is joined to
 * others. */
void tx_queue_no_checksum(struct tx_queue *b);

/*
 * Hands all of it to the kernel, never waiting. Returns how many packets it took: all, and *error
 * is 0; or fewer, and *error is the errno that the next one met, which *unsent names. That one
 * stays in its place after EAGAIN and ENOBUFS; any other error takes it out. The rest stays in any
 * case.
 */
unsigned tx_queue_flush(struct tx_queue *b, int *error, struct wire_unsent *unsent);

/* How many packets went past the kernel's routing so far. */
uint64_t tx_queue_l2_sent(const struct tx_queue *b);

#endif
