/*
 * Proportional Rate Reduction: how much may be sent for each acknowledgement during fast recovery.
 */
#include "lib/core/prr.h"

void prr_start(struct prr *p, uint32_t flight)
{
    *p = (struct prr){.flight = flight > 0 ? flight : 1};
}

void prr_sent(struct prr *p, uint32_t bytes)
{
    p->out += bytes;
}

uint32_t prr_allowed(struct prr *p, uint32_t bytes, uint32_t pipe, uint32_t ssthresh, uint32_t mss,
                     bool good)
{
    uint64_t limit;

    p->delivered += bytes;
    if (pipe > ssthresh) { /* RFC 6937, section 3: in proportion, rounded up */
        limit = ((uint64_t)p->delivered * ssthresh + p->flight - 1) / p->flight;
        return limit > p->out ? (uint32_t)(limit - p->out) : 0;
    }
    /* The flight is below ssthresh, because of losses or because there was nothing more to send.
     * PRR-SSRB lets it grow by one segment more than was delivered, and PRR-CRB by no more than was
     * delivered. Whether the acknowledgement is good selects between them: the heuristic that RFC
     * 9937 added. In both, what this acknowledgement delivers may go out (RFC 9937, 6.2): the
     * retransmission that began the recovery exceeded the limit and is not held against it. */
    limit = p->delivered > p->out ? p->delivered - p->out : 0;
    limit = (limit > bytes ? limit : bytes) + (good ? (uint64_t)mss : 0);
    return limit < ssthresh - pipe ? (uint32_t)limit : ssthresh - pipe;
}
