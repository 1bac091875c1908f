#include "lib/core/rtt.h"

#include "lib/core/env.h"

static uint32_t microseconds(wave_time t)
{
    return t / WAVE_US > UINT32_MAX ? UINT32_MAX : (uint32_t)(t / WAVE_US);
}

void rtt_init(struct rtt *r, const struct conn_config *config)
{
    *r = (struct rtt){.rto = microseconds(config->rto_initial)};
}

void rtt_sample(struct rtt *r, const struct conn_config *config, wave_time took)
{
    uint32_t sample = microseconds(took);
    uint64_t rto;

    if (sample == 0)
        sample = 1;     /* zero means "nothing measured" */
    if (r->srtt == 0) { /* RFC 6298, 2.2 */
        r->srtt = sample;
        r->rttvar = sample / 2;
        r->min = sample;
    } else { /* RFC 6298, 2.3: alpha is 1/8, beta 1/4, and RTTVAR comes first */
        uint32_t delta = sample > r->srtt ? sample - r->srtt : r->srtt - sample;
        r->rttvar = (uint32_t)(((uint64_t)r->rttvar * 3 + delta) / 4);
        r->srtt = (uint32_t)(((uint64_t)r->srtt * 7 + sample) / 8);
        if (sample < r->min)
            r->min = sample;
    }
    rto = (uint64_t)r->srtt + (r->rttvar > 0 ? (uint64_t)r->rttvar * 4 : 1);
    if (rto < config->rto_min / WAVE_US)
        rto = config->rto_min / WAVE_US;
    if (rto > config->rto_max / WAVE_US)
        rto = config->rto_max / WAVE_US;
    r->rto = rto > UINT32_MAX ? UINT32_MAX : (uint32_t)rto;
}

wave_time rtt_rto(const struct rtt *r, const struct conn_config *config, unsigned backoff)
{
    wave_time t = r->rto * WAVE_US;

    while (backoff-- > 0 && t < config->rto_max)
        t *= 2;
    return time_min(t, config->rto_max);
}
