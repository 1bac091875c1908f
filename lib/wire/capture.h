/*
 * Capturing: a non-blocking handle whose descriptor poll(2) waits on. For many connections it is
 * libpcap's, whose ring keeps frames in blocks; for a few, in which each frame is wanted at once,
 * packet_ring.h's. One handle is opened once: the kernel's ring costs some 12 ms to make and as
 * much to take down.
 */
#ifndef TCPWAVE_WIRE_CAPTURE_H
#define TCPWAVE_WIRE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/time.h"
#include "lib/wire/filter.h"

struct capture;

struct capture_config {
    const char *device;         /* name, or "any" */
    struct filter_query filter; /* `tags` and `any_device` are for capture_open() to set */
    bool loopback;              /* the device is lo */
    bool blocks;                /* ring in blocks of up to 1 ms; else each frame at once */
    uint32_t ring;              /* bytes; 0: CAPTURE_RING */
    uint32_t mtu;               /* of the interface, bytes of an IP packet; 0: not known */
};

/* Holds some 4,000 frames of 1,500 bytes in blocks; not in blocks, 5,000. */
#define CAPTURE_RING (8u << 20)

/* Opens it with the filter in force. WAVE_EPERM, WAVE_ENOMEM, WAVE_ESYS, each with *d filled in. */
int capture_open(struct capture **out, const struct capture_config *config, struct diag *d);

/* NULL is taken. */
void capture_close(struct capture *c);

struct capture_frame {
    wave_time stamp;      /* CLOCK_REALTIME in nanoseconds */
    const uint8_t *bytes; /* valid until the next call */
    uint32_t caplen, len; /* bytes there, and bytes there were on the wire */
    bool gap;             /* frames just before this one may have been lost for want of room */
};

/* The next frame: 1 and *out, 0 when none waits, WAVE_ESYS with *d filled in (the interface is
 * gone, for one). Never blocks. */
int capture_next(struct capture *c, struct capture_frame *out, struct diag *d);

/* Whether the interface went down and nothing has come since. That it was removed shows in
 * capture_next() alone, and no descriptor tells of it: call that now and then. */
bool capture_down(const struct capture *c);

int capture_fd(const struct capture *c);
int capture_dlt(const struct capture *c);

/* What can wait to be read without a loss: so many frames of the MTU or less, and so many bytes of
 * longer ones, which segmentation offload makes. */
struct capture_room {
    uint32_t frames, bytes;
};
struct capture_room capture_room(const struct capture *c);

/* Frames that passed the filter, and those lost for want of room in the ring. */
void capture_stats(struct capture *c, uint64_t *received, uint64_t *dropped);

#endif
