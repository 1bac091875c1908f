/*
 * Says what the rules of --impair do to a segment. Segments, times and flows go in, and a
 * description of what is to happen comes out; port_impair.h makes it happen.
 *
 * The rules are applied in the order in which they were given, each to what the ones before it have
 * left. After `drop` and `rst`, no later rule sees the segment. A segment that is duplicated stays
 * one segment for the rules after that, which apply to both of them. While a segment is held back
 * by `reorder`, the next one of its direction and connection is the one that overtakes it, and is
 * not reordered itself.
 *
 * Beside the rules, this keeps for each connection what they need: when its first segment came, the
 * initial sequence numbers and window scales of both sides as they were on the wire, and one count
 * for each rule. A SYN with another sequence number than the one before begins a new connection
 * over the same flow. There is room for IMPAIR_FLOWS connections. When another one comes, the one
 * that was not used for longest makes place, and its counts begin from 0 if it comes back.
 *
 * Random decisions come from the seed alone, and each rule has a source of its own: the same
 * segments with the same seed are impaired in the same way. Pure: no port and no clock.
 */
#ifndef TCPWAVE_RUN_IMPAIR_H
#define TCPWAVE_RUN_IMPAIR_H

#include "lib/core/flow.h"
#include "lib/core/impaired.h"
#include "lib/core/seg.h"
#include "lib/core/time.h"
#include "lib/run/impair_rule.h"

#define IMPAIR_FLOWS 65536u
#define IMPAIR_DATA 65536u          /* bytes of data of a segment, at most */
#define IMPAIR_HELD (100 * WAVE_MS) /* a reordered segment is not held for longer */

struct impair;

/* Copies the rules, at most IMPAIR_RULES, but not their words. Returns 0 or WAVE_ENOMEM. */
int impair_open(struct impair **out, const struct impair_rule *rules, unsigned count,
                uint64_t seed);

/* Frees everything; NULL is allowed. */
void impair_close(struct impair *x);

/* What one rule has done so far. */
struct impair_count {
    const char *words; /* of the rule, as the user wrote it */
    uint64_t matched;  /* segments to which it was applied */
    uint64_t seen;     /* segments of its direction that came as far as this rule */
    uint64_t held;     /* segments that it holds back now */
    bool optional;     /* it need not match */
};

/* Writes the counts of all rules, in their order, and returns how many there are. `x` may be NULL:
 * there are none. */
unsigned impair_counts(const struct impair *x, struct impair_count out[IMPAIR_RULES]);

/* Counts that rule number `rule` holds back one segment more, or one less. It is `held_by` of the
 * verdict; with 0 nothing is counted. */
void impair_held(struct impair *x, unsigned rule, bool more);

/* What is to be done with a segment. */
struct impair_verdict {
    struct impaired about; /* `acts`, `rule`, `words` and `what`; the rest is all zero */
    struct seg seg;        /* as the rules left it; its data is that of the segment that was given,
                              or memory that is valid until the next call */
    bool drop;             /* it goes no further */
    bool answer;           /* and a RST answers it */
    bool twice;
    bool spoil;     /* one bit has to be changed so that the checksum is wrong: */
    uint32_t bit;   /* any number; impair_spoil() makes of it which one */
    bool hold;      /* until the next segment of this direction and flow has passed */
    wave_time wait; /* by which it is late; with `hold`, the longest time */
    unsigned held_by; /* number of the last rule that holds it back, from 1; 0: none does */
    uint8_t ttl;    /* of the IP header; 0: it stays as it is */
};

/*
 * Applies the rules to a segment of `flow` (as its sender sees it) in this direction. Returns
 * whether any of them matched; only then *out is valid. `now` is any clock that does not go back,
 * the same in every call.
 */
bool impair_segment(struct impair *x, enum impair_direction direction, const struct flow *flow,
                    const struct seg *s, wave_time now, struct impair_verdict *out);

/* Makes the checksum of a TCP segment wrong by changing one bit: of its data if it has any, else of
 * the checksum itself, so that no field of the header says anything else than before. */
void impair_spoil(uint8_t *tcp, uint32_t len, uint32_t bit);

/* Returns the RST that answers a segment as a host without that connection would (RFC 9293,
 * 3.10.7.1). */
struct seg impair_reset(const struct seg *s);

#endif
