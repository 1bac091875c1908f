/* Initial sequence numbers (RFC 9293, 3.4.1; RFC 6528). */
#ifndef TCPWAVE_CORE_ISN_H
#define TCPWAVE_CORE_ISN_H

#include "lib/core/flow.h"
#include "lib/core/seq.h"
#include "lib/core/siphash.h"
#include "lib/core/time.h"

/* ISN = M + F(local, lport, remote, rport, secret): a clock that ticks every 4 microseconds, so
 * that a flow's successive connections do not overlap, from an origin of each flow's own, so that
 * one flow's numbers tell nothing of another's. */
struct seq isn(const struct siphash_key *key, const struct flow *flow, wave_time now);

#endif
