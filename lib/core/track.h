/*
 * The tracker: what state each side of a flow must be in, how that is known, and by which
 * segment. It sees segments of both directions and their times, and nothing else: no engine, no
 * configuration, so that a live connection and a capture file of two strangers are the same to it.
 *
 * PROVED: the side was in that state when it sent the evidence. ASSUMED: nothing contradicts it,
 * but the segment that would bring it there may have been lost, or a firewall may have answered in
 * its place. UNKNOWN is an answer.
 */
#ifndef TCPWAVE_CORE_TRACK_H
#define TCPWAVE_CORE_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"
#include "lib/core/state.h"
#include "lib/core/time.h"

enum track_side { TRACK_A, TRACK_B, TRACK_SIDES }; /* who sent it; A is us on a live connection */

enum certainty { CERTAINTY_ASSUMED, CERTAINTY_PROVED };



/* What is known of one side. `evidence` is the number of a segment, counted from 1 as they were
 * given, or 0; `cause` a few static words such as "it acknowledged our FIN". */
struct track_view {
    enum state state;
    enum certainty certainty;
    uint32_t evidence;
    const char *cause;
};

/* How a segment looked to the watcher, for a renderer. */
enum track_note {
    TRACK_NEW = 0,
    TRACK_RETRANSMISSION = 1 << 0, /* its bytes, SYN or FIN were sent before */
    TRACK_OUT_OF_ORDER = 1 << 1,   /* it lies beyond a gap */
    TRACK_DUPLICATE_ACK = 1 << 2,
    TRACK_PROBE = 1 << 3,          /* a keepalive probe: one below what was sent last */
    TRACK_PROBE_ANSWER = 1 << 4,   /* the acknowledgement that answers one */
    TRACK_CHALLENGE = 1 << 5,      /* an ACK that answers an unacceptable SYN or RST (RFC 5961) */
    TRACK_OUT_OF_WINDOW = 1 << 6,  /* the receiver will not take it */
    TRACK_ZERO_WINDOW = 1 << 7
};

/* The fields are visible so that a caller can hold one by value; they are track.c's own. */
struct track {
    struct track_half {
        struct seq isn;   /* of its SYN */
        struct seq next;  /* the highest sequence number it has sent, plus one */
        struct seq acked; /* the highest number of the other side that it has acknowledged */
        struct seq fin;   /* of its FIN */
        struct seq edge;  /* right edge of the window it offered */
        uint32_t evidence;
        uint32_t waiting; /* number of the probe or FIN that an answer would settle */
        uint8_t state, certainty, cause, shift;
        uint16_t seen; /* bits: SYN, FIN, RST, data, ... */
        uint16_t wnd;  /* as last seen, unscaled */
    } half[TRACK_SIDES];
    uint32_t number; /* segments seen */
    wave_time last;  /* time of the last one */
};

_Static_assert(sizeof(struct track) <= 96, "a tracked flow is at most 96 bytes");

void track_init(struct track *t);

/* A segment that `from` sent, as seen at `at`. Numbers are counted from 1. Returns TRACK_...
 * bits. */
unsigned track_segment(struct track *t, wave_time at, enum track_side from, const struct seg *s);

/* The other side has been silent although it owed an answer for long enough (the caller's
 * judgement): what was proved becomes assumed, since a silent peer may be gone. */
void track_silent(struct track *t, enum track_side side);

/* What is known of a side now. */
struct track_view track_view(const struct track *t, enum track_side side);

#endif
