/*
 * Proportional Rate Reduction, RFC 6937: what may be sent for each acknowledgement in fast
 * recovery, so that the flight comes down to ssthresh over a round trip without a pause and without
 * a burst. Bytes.
 */
#ifndef TCPWAVE_CORE_PRR_H
#define TCPWAVE_CORE_PRR_H

#include <stdbool.h>
#include <stdint.h>

struct prr {
    uint32_t delivered; /* in this recovery */
    uint32_t out;       /* sent in it */
    uint32_t flight;    /* RecoverFS: what was to be delivered when it began */
};

void prr_start(struct prr *p, uint32_t flight);

/* `bytes` went out in the recovery. */
void prr_sent(struct prr *p, uint32_t bytes);

/* An acknowledgement delivered `bytes`, and `pipe` are in flight: how many may be sent now. `good`:
 * it advanced SND.UNA, and no loss was found by it. */
uint32_t prr_allowed(struct prr *p, uint32_t bytes, uint32_t pipe, uint32_t ssthresh, uint32_t mss,
                     bool good);

#endif
