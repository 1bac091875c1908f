/*
 * Segments joined: consecutive ones of one flow, which differ in nothing but what counts on from
 * one to the next, are handed to the kernel as one large segment with the length at which to cut it
 * again (<linux/virtio_net.h>). The kernel, or the network card, then makes the very same segments
 * of it, as it does for its own TCP. Pure.
 */
#ifndef TCPWAVE_WIRE_GSO_H
#define TCPWAVE_WIRE_GSO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "lib/wire/l2_send.h"

#define GSO_PREFIX 10 /* bytes of struct virtio_net_hdr before each frame */
#define GSO_HEAD_MAX (GSO_PREFIX + L2_HEADER + 40 + 60)

/* How many of the `n` IP packets (at least 1, made by builder.h) can go as one, from the first on.
 */
unsigned gso_count(const struct iovec *packets, unsigned n);

/*
 * Writes what stands before the data of the first `n` packets as one frame: the kernel's prefix,
 * the link layer's header of `link_len` bytes (at most L2_HEADER), and IP's and TCP's. Returns
 * its bytes; *skip is how many bytes at the start of each packet it stands for: 0 when n is 1, and
 * that packet goes as it is.
 */
size_t gso_head(const struct iovec *packets, unsigned n, const uint8_t *link, size_t link_len,
                uint8_t head[GSO_HEAD_MAX], size_t *skip);

#endif
