/*
 * --verify: a harmless probe wherever a step left the peer's state merely assumed, and a pause
 * until it is answered. The answer proves the state, or shows another, or tells only that the peer
 * knows the connection, when it would have been the same a step earlier; which is then said. Our
 * own RST is the one step after which nothing is left to ask with.
 */
#ifndef TCPWAVE_RUN_VERIFY_H
#define TCPWAVE_RUN_VERIFY_H

#include "lib/run/session.h"

struct verify {
    uint32_t evidence;  /* of the assumption that was probed last; 0 at the start */
    uint64_t received;  /* bytes of the peer's until then: after more, the answer tells more */
    uint64_t arrived;   /* segments of the peer's until then */
    wave_time until;    /* when its answer is given up */
    uint32_t sent;      /* the sent log's count when a segment of ours was last waited for */
    wave_time patience; /* until when: the capture may have lost it */
};

/* Whether the next step should wait, and in *until when to ask again. Sends the probe when one is
 * due. To be called once a turn, before the command goes on. */
bool verify_wait(struct session *s, struct session_conn *c, struct verify *v, wave_time now,
                 wave_time *until);

#endif
