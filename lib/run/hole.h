/*
 * What the capture lost of what the peer sent. The engine takes such bytes for lost on the path,
 * asks for them, and the peer repeats them: right, and no fault of the path or the peer, which the
 * report is not to blame and the run is not to wait for.
 *
 * A gap in the peer's sequence numbers is the capture's where the kernel says that it had to drop
 * frames since the peer's last segment in order. From then on until nothing is missing, what the
 * peer repeats is taken to be repeated for that reason. Pure.
 */
#ifndef TCPWAVE_RUN_HOLE_H
#define TCPWAVE_RUN_HOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"

/* Of one connection; of none when zeroed. */
struct hole {
    bool is, was;    /* something is missing now; was since the connection began */
    bool has_next;   /* `next` is valid */
    struct seq end;  /* with `was`: beyond all that the peer had sent while something was missing */
    struct seq next; /* the highest number that the peer was seen to send, plus one */
    uint32_t gaps;   /* the run's count, as of the last segment in order */
};

/* What is known of a segment by that. */
struct hole_seen {
    struct seq from; /* with `lost`: the first number that the capture did not see */
    uint32_t lost;   /* bytes that it lost just before this segment */
    bool repair;     /* the segment is repeated for the sake of such bytes */
};

/* A segment of the peer's that lies within the window and takes up sequence numbers. `gaps` counts
 * how often in the run the capture was told to have lost something. */
struct hole_seen hole_see(struct hole *h, uint32_t gaps, const struct seg *s);

/* The engine waits for `next`: whether it has all is looked at. After the segment was taken in. */
void hole_close(struct hole *h, struct seq next);

#endif
