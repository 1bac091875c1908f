/*
 * SYN cookies (RFC 4987, section 3.6 and appendix A): the SYN-ACK's sequence number holds all that
 * must be remembered of a SYN, so that a flood of them costs no memory. It is a keyed hash of the
 * flow, the peer's ISN and the time, with a rounded MSS in three of its bits.
 *
 * What a sequence number has no room for, window scale, SACK and ECN, goes into the low bits of
 * our timestamp, which the peer echoes; a peer without timestamps loses these. They are not
 * hashed: who forges them harms his own connection only.
 */
#ifndef TCPWAVE_CORE_COOKIE_H
#define TCPWAVE_CORE_COOKIE_H

#include "lib/core/flow.h"
#include "lib/core/opt.h"
#include "lib/core/seq.h"
#include "lib/core/siphash.h"
#include "lib/core/time.h"

/* A cookie is good for this long at least, and for twice as long at most. */
#define COOKIE_LIFE (64 * WAVE_S)

/* The ISS of a SYN-ACK that answers a SYN of sequence number `irs` that offered `mss` bytes. */
struct seq cookie_make(const struct siphash_key *key, wave_time now, const struct flow *flow,
                       struct seq irs, uint16_t mss);

/* The MSS, rounded down to one of eight values (88 at least), if `iss` is the cookie we gave to
 * this flow and `irs` not too long ago; 0 if not. */
uint16_t cookie_check(const struct siphash_key *key, wave_time now, const struct flow *flow,
                      struct seq irs, struct seq iss);

/* What is added to the clock of this pair of hosts' timestamps (RFC 7323, 5.4): known again
 * without having been kept. */
uint32_t cookie_ts_offset(const struct siphash_key *key, const struct flow *flow);

/* A timestamp for the SYN-ACK, at most 63 ticks behind `clock`, that remembers window scale and
 * SACK of the SYN's options, and whether ECN was agreed on. */
uint32_t cookie_tsval(uint32_t clock, const struct opt *syn, bool ecn);

/* The reverse: adds window scale and SACK to *syn as the echoed timestamp has them, and returns
 * whether ECN was agreed on. */
bool cookie_tsecr(uint32_t tsecr, struct opt *syn);

#endif
