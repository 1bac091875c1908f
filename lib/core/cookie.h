/*
 * SYN cookies (RFC 4987, section 3.6 and appendix A). The sequence number of the SYN-ACK holds all
 * that must be remembered of a SYN, so that a flood of SYNs costs no memory. It is a keyed hash of
 * the flow, the peer's ISN and the time, with a rounded MSS in three of its bits.
 *
 * Window scale, SACK and ECN do not fit into a sequence number. They go into the low bits of our
 * timestamp, which the peer echoes; a peer without timestamps does not get them. They are not
 * hashed, because a peer that forges them harms only its own connection.
 */
#ifndef TCPWAVE_CORE_COOKIE_H
#define TCPWAVE_CORE_COOKIE_H

#include "lib/core/flow.h"
#include "lib/core/opt.h"
#include "lib/core/seq.h"
#include "lib/core/siphash.h"
#include "lib/core/time.h"

/* A cookie is valid for at least this long, and for at most twice as long. */
#define COOKIE_LIFE (64 * WAVE_S)

/* Returns the ISS of a SYN-ACK that answers a SYN with sequence number `irs` and an MSS of `mss`
 * bytes. */
struct seq cookie_make(const struct siphash_key *key, wave_time now, const struct flow *flow,
                       struct seq irs, uint16_t mss);

/* If `iss` is the cookie that we gave to this flow and `irs`, and is not too old, returns the MSS,
 * rounded down to one of eight values (at least 88). Otherwise returns 0. */
uint16_t cookie_check(const struct siphash_key *key, wave_time now, const struct flow *flow,
                      struct seq irs, struct seq iss);

/* Returns the offset that is added to the timestamp clock for this pair of hosts (RFC 7323, 5.4).
 * It can be computed again at any time, so that it need not be stored. */
uint32_t cookie_ts_offset(const struct siphash_key *key, const struct flow *flow);

/* Returns a timestamp for the SYN-ACK, at most 63 ticks behind `clock`, that stores window scale
 * and SACK from the SYN's options, and whether ECN was agreed on. */
uint32_t cookie_tsval(uint32_t clock, const struct opt *syn, bool ecn);

/* Does the reverse: adds window scale and SACK to *syn as the echoed timestamp has them, and
 * returns whether ECN was agreed on. */
bool cookie_tsecr(uint32_t tsecr, struct opt *syn);

#endif
