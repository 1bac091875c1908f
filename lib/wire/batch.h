/*
 * Packets on their way to the kernel: queued in order, and handed over many at a time, since a
 * system call of its own would cost each as much as its crafting.
 */
#ifndef TCPWAVE_WIRE_BATCH_H
#define TCPWAVE_WIRE_BATCH_H

#include "lib/wire/direct.h"
#include "lib/wire/wire.h"

struct batch;

/* For packets of up to `mtu` bytes, WIRE_BATCH of them, to be sent through the raw socket `fd`,
 * which stays the caller's; larger ones leave room for fewer. WAVE_ENOMEM. */
int batch_open(struct batch **out, int fd, uint32_t mtu);

/* From now on the kernel routes each packet by the source address in its header, as it does for its
 * own TCP. For a raw socket that is bound to no address: the kernel would take none for granted. */
void batch_by_source(struct batch *b);

/* From now on packets may have a link layer's header of `header` bytes (at most DIRECT_HEADER), and
 * those go through the packet socket `fd` to `to`, both of which stay the caller's (direct.h).
 * Where they allow it, several are joined. */
void batch_link(struct batch *b, int fd, const struct sockaddr_ll *to, size_t header);

/* From now on each packet goes as it stands, and is never joined with others: the kernel would mend
 * what a forged one has wrong, and would have to understand it first. */
void batch_apart(struct batch *b);

/* After direct_flood(): the same, and frames have no prefix. */
void batch_flood(struct batch *b);

/* What is queued is lost. NULL is taken. */
void batch_close(struct batch *b);

bool batch_empty(const struct batch *b);

/* Where to write a packet of `len` bytes (65535 at most), or NULL when there is no room before
 * batch_flush(). */
uint8_t *batch_room(struct batch *b, size_t len);

/* Where to write the data of the next packet, BATCH_DATA bytes at most, before its headers are
 * known; NULL likewise. */
#define BATCH_DATA 65536
uint8_t *batch_data_room(struct batch *b);

/* batch_room() for a packet of `len` bytes, of which the last `data` stand there already. */
uint8_t *batch_room_around(struct batch *b, size_t len, size_t data);

/* Queues the packet that was written there, with the link layer's `header`, of as many bytes as
 * batch_link() was told, which is copied; NULL: the kernel routes it. */
void batch_add(struct batch *b, size_t len, const struct flow *flow, struct seq seq,
               const uint8_t *header);

/* The packet that was added last, which has a link layer's header, is yet without its TCP checksum
 * (stencil_sum()): it gets one when it goes alone, and needs none when it is joined to others. */
void batch_unsummed(struct batch *b);

/*
 * Hands all of it to the kernel, never waiting. Returns how many packets it took: all, and *error
 * is 0; or fewer, and *error is the errno that the next one met, which *unsent names. That one
 * stays in its place after EAGAIN and ENOBUFS; any other error takes it out. The rest stays in any
 * case.
 */
unsigned batch_flush(struct batch *b, int *error, struct wire_unsent *unsent);

/* How many packets went past the kernel's routing so far. */
uint64_t batch_direct(const struct batch *b);

#endif
