/*
 * Segmentation offload for what we send. Consecutive segments of one flow that differ only in what
 * advances from one to the next are handed to the kernel as one large segment, with the size at
 * which to cut it (<linux/virtio_net.h>). The kernel, or the network card, then makes exactly these
 * segments out of it, as it does for its own TCP. This file is pure: it makes no system call.
 */
#ifndef TCPWAVE_WIRE_GSO_H
#define TCPWAVE_WIRE_GSO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "lib/core/ip.h"
#include "lib/core/seg.h"
#include "lib/wire/l2_send.h"

#define GSO_PREFIX 10 /* bytes of struct virtio_net_hdr before each frame */
#define GSO_HEAD_MAX (GSO_PREFIX + L2_HEADER + IPV6_HEADER + SEG_HEADER_MAX)

/* Returns whether the IP packet, made by builder.h, has data, without which nothing can be combined
 * with it. */
bool gso_has_data(const struct iovec *packet);

/* Returns how many of the `n` IP packets (at least 1, made by builder.h) can be sent as one
 * segment, counted from the first. */
unsigned gso_count(const struct iovec *packets, unsigned n);

/*
 * Writes what stands before the data of the first `n` packets when they are sent as one frame: the
 * kernel's prefix, the link-layer header of `link_len` bytes (at most L2_HEADER), and the headers
 * of IP and TCP. Returns its length in bytes. *skip is the number of bytes at the start of each
 * packet that it replaces. With `train`, n is 1 and the packet is a train of segments of that size
 * (seg.train); otherwise n is at least 2, since a packet alone is sent as it is.
 */
size_t gso_head(const struct iovec *packets, unsigned n, size_t train, const uint8_t *link,
                size_t link_len, uint8_t head[GSO_HEAD_MAX], size_t *skip);

/* Returns how many segments a train has. */
unsigned gso_segments(const struct iovec *packet, size_t train);

/* Writes the headers of the first segment of a train, complete with checksums, to `head`, which has
 * room for GSO_HEAD_MAX bytes. Returns their length; as many bytes of the packet are skipped. */
size_t gso_first(const struct iovec *packet, size_t train, uint8_t *head);

/* Cuts the first segment off the train, once it has been sent: the packet begins with the second
 * one then. Returns whether that is still a train. */
bool gso_cut(struct iovec *packet, size_t train);

#endif
