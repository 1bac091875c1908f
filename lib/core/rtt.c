/*
 * Estimates the round-trip time and computes the retransmission timeout from it (RFC 6298).
 */
#include "lib/core/rtt.h"

#include "lib/core/env.h"

#define SYN_LOST_US 3000000u /* RFC 6298, 5.7 */

static uint32_t microseconds(wave_time t)
{
    return t / WAVE_US > UINT32_MAX ? UINT32_MAX : (uint32_t)(t / WAVE_US);
}

void rtt_init(struct rtt *r, const struct conn_config *config)
{
    *r = (struct rtt){.rttvar = microseconds(config->rto_initial)};
}

void rtt_syn_lost(struct rtt *r)
{
    if (r->srtt == 0 && r->rttvar < SYN_LOST_US)
        r->rttvar = SYN_LOST_US;
}

void rtt_sample(struct rtt *r, wave_time took)
{
    uint32_t sample = microseconds(took);

    if (sample == 0)
        sample = 1;     /* zero means "not measured" */
    if (r->srtt == 0) { /* RFC 6298, 2.2 */
        r->srtt = sample;
        r->rttvar = sample / 2;
        r->min = sample;
    } else { /* RFC 6298, 2.3: alpha is 1/8, beta is 1/4, RTTVAR is updated first */
        uint32_t delta = sample > r->srtt ? sample - r->srtt : r->srtt - sample;
        r->rttvar = (uint32_t)(((uint64_t)r->rttvar * 3 + delta) / 4);
        r->srtt = (uint32_t)(((uint64_t)r->srtt * 7 + sample) / 8);
        if (sample < r->min)
            r->min = sample;
    }
}

wave_time rtt_rto(const struct rtt *r, const struct conn_config *config, unsigned backoff)
{
    wave_time t = r->rttvar * WAVE_US;

    /* DEVIATES: RFC 6298, 2.4 has a minimum RTO of one second. Hosts bound 4*RTTVAR from below
     * instead, and so does this: on a steady path RTTVAR goes to zero, and a bound on the sum would
     * let the RTO come close to the RTT. */
    if (r->srtt > 0) {
        t *= 4;
        t = r->srtt * WAVE_US + (t > config->rto_min ? t : config->rto_min);
    }
    while (backoff-- > 0 && t < config->rto_max)
        t *= 2;
    return time_min(t, config->rto_max);
}
