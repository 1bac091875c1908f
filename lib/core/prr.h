/*
 * Proportional Rate Reduction, RFC 6937: how much may be sent for each acknowledgement in fast
 * recovery, so that the flight comes down to ssthresh within a round trip, without a pause and
 * without a burst. All values are in bytes.
 */
#ifndef TCPWAVE_CORE_PRR_H
#define TCPWAVE_CORE_PRR_H

#include <stdbool.h>
#include <stdint.h>

/* The state of one recovery. */
struct prr {
    uint32_t delivered; /* in this recovery */
    uint32_t out;       /* sent in this recovery */
    uint32_t flight;    /* RecoverFS: what was in flight when it began */
};

/* Begins a recovery with `flight` bytes in flight. */
void prr_start(struct prr *p, uint32_t flight);

/* Records that `bytes` were sent in the recovery. */
void prr_sent(struct prr *p, uint32_t bytes);

/* Returns how many bytes may be sent now, after an acknowledgement delivered `bytes` and with
 * `pipe` bytes in flight. `good` says that it advanced SND.UNA and that no loss was found by it. */
uint32_t prr_allowed(struct prr *p, uint32_t bytes, uint32_t pipe, uint32_t ssthresh, uint32_t mss,
                     bool good);

#endif
