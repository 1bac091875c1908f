/* Chooses initial sequence numbers (RFC 9293, 3.4.1; RFC 6528). */
#ifndef TCPWAVE_CORE_ISN_H
#define TCPWAVE_CORE_ISN_H

#include "lib/core/flow.h"
#include "lib/core/seq.h"
#include "lib/core/siphash.h"
#include "lib/core/time.h"

/* Returns ISN = M + F(local, lport, remote, rport, secret). M is a clock that ticks every 4
 * microseconds, so that successive connections of one flow do not overlap. F gives each flow its
 * own origin, so that the numbers of one flow reveal nothing about those of another. */
struct seq isn(const struct siphash_key *key, const struct flow *flow, wave_time now);

#endif
