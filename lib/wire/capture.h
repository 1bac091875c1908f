/*
 * Captures frames through a non-blocking handle; poll(2) waits on its descriptor. For many
 * connections the handle is libpcap's, whose ring keeps frames in blocks. For a few connections,
 * which want each frame immediately, it is packet_ring.h's. Only one handle is opened, once: the
 * kernel needs some 12 ms to make its ring, and as much to remove it.
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

/* Says what to capture. */
struct capture_config {
    const char *device;         /* name, or "any" */
    struct filter_query filter; /* capture_open() sets its `tags` and `any_device` */
    bool loopback;              /* the device is lo */
    bool blocks;                /* ring in blocks of up to 1 ms; else each frame immediately */
    uint32_t ring;              /* bytes; 0: CAPTURE_RING */
    uint32_t mtu;               /* of the interface, bytes of an IP packet; 0: not known */
};

/* Bytes of the ring. It holds some 4,000 frames of 1,500 bytes in blocks, and some 5,000
 * otherwise. */
#define CAPTURE_RING (8u << 20)

/* Opens the capture with its filter in force. Returns 0, or WAVE_EPERM, WAVE_ENOMEM or WAVE_ESYS
 * with *d filled in. */
int capture_open(struct capture **out, const struct capture_config *config, struct diag *d);

/* Closes the capture; `c` may be NULL. */
void capture_close(struct capture *c);

/* Describes a captured frame. */
struct capture_frame {
    wave_time stamp;      /* CLOCK_REALTIME in nanoseconds */
    const uint8_t *bytes; /* valid until the next call */
    uint32_t caplen, len; /* bytes captured, and bytes that the frame had */
    const uint8_t *link;  /* an Ethernet header that is not part of `bytes`; NULL: there is none */
    uint32_t link_len;
    bool gap;             /* frames just before this one may have been lost for lack of room */
};

/* Gives the next frame. Returns 1 and *out; 0 when none waits; WAVE_ESYS with *d filled in (for
 * example, the interface was removed). Never blocks. */
int capture_next(struct capture *c, struct capture_frame *out, struct diag *d);

/* Begins or ends the capture of our own SYNs (filter_query.own_syns). Since Linux 4.20 what we send
 * costs nothing while they are not captured; before, they always are. */
void capture_own_syns(struct capture *c, bool wanted);

/* Returns whether the interface went down and nothing has come since. Only capture_next() notices
 * that an interface was removed, and no descriptor becomes readable for it; so call that now and
 * then. */
bool capture_down(const struct capture *c);

/* Return the descriptor to poll, and the link type of the frames (DLT_...). */
int capture_fd(const struct capture *c);
int capture_dlt(const struct capture *c);

/* Says how much can wait without a loss until it is read: so many frames of the MTU or less, and so
 * many bytes of longer ones, which segmentation offload makes. */
struct capture_room {
    uint32_t frames, bytes;
};
struct capture_room capture_room(const struct capture *c);

/* Counts the frames that passed the filter, and those lost for lack of room in the ring. */
void capture_stats(struct capture *c, uint64_t *received, uint64_t *dropped);

#endif
