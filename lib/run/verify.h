/*
 * --verify: wherever a step left the peer's state merely assumed, sends a harmless probe and pauses
 * until it is answered. The answer proves the state or shows another one. If a peer one step
 * earlier would have answered in the same way, it proves only that the peer knows the connection,
 * and a note says so. After our own RST, no probe is possible.
 */
#ifndef TCPWAVE_RUN_VERIFY_H
#define TCPWAVE_RUN_VERIFY_H

#include "lib/run/session.h"

struct verify {
    uint32_t evidence;  /* of the assumption that was probed last; 0 at the start */
    uint64_t received;  /* bytes of the peer's until then; after more of them, an answer shows
                           more */
    uint64_t arrived;   /* segments of the peer's until then */
    wave_time until;    /* until when its answer may come */
    uint32_t sent;      /* the sent log's count when a segment of ours was last waited for */
    wave_time patience; /* until when to wait for it: the capture may have lost it */
};

/* Returns whether the next step has to wait, and in *until when to call again. Sends the probe when
 * one is due. It is to be called once a turn, before the command goes on. */
bool verify_wait(struct session *s, struct session_conn *c, struct verify *v, wave_time now,
                 wave_time *until);

#endif
