/*
 * SYN cookies. cookie_make() and cookie_check() compute the same keyed hash; a cookie is valid if
 * it has the hash of the current time slot or of the one before. The three lowest bits hold an
 * index into a table of MSS values. The timestamp of the SYN-ACK carries the other options.
 */
#include "lib/core/cookie.h"

/* MSS values that peers announce: the smallest possible, the default of RFC 9293, 3.7.1, tunnels,
 * PPPoE, Ethernet with IPv6 and with IPv4, and jumbo frames. */
static const uint16_t mss_table[8] = {88, 536, 1220, 1300, 1400, 1440, 1460, 8940};

enum { MSS_MASK = 7 };

/* The bits of the timestamp. */
enum { TS_WSCALE = 15, TS_NO_WSCALE = 15, TS_SACK = 16, TS_ECN = 32, TS_MASK = 63 };

/* Returns the cookie for one time slot. The peer's ISN is added to the hash, so that our ISNs
 * advance with time for a peer whose ISNs do (RFC 4987, appendix A). */
static struct seq cookie_of(const struct siphash_key *key, uint64_t slot, const struct flow *flow,
                            struct seq irs, uint32_t mss_index)
{
    const struct {
        struct flow flow;
        uint64_t slot;
        uint32_t irs, mss_index;
    } in = {*flow, slot, irs.v, mss_index};
    const uint32_t hash = (uint32_t)siphash24(key, &in, sizeof in);

    return seq_add(irs, (hash & ~(uint32_t)MSS_MASK) | mss_index);
}

struct seq cookie_make(const struct siphash_key *key, wave_time now, const struct flow *flow,
                       struct seq irs, uint16_t mss)
{
    uint32_t i = MSS_MASK;

    while (i > 0 && mss_table[i] > mss)
        i--;
    return cookie_of(key, now / COOKIE_LIFE, flow, irs, i);
}

uint16_t cookie_check(const struct siphash_key *key, wave_time now, const struct flow *flow,
                      struct seq irs, struct seq iss)
{
    const uint32_t i = (iss.v - irs.v) & MSS_MASK;
    const uint64_t slot = now / COOKIE_LIFE;

    if (seq_eq(cookie_of(key, slot, flow, irs, i), iss) ||
        (slot > 0 && seq_eq(cookie_of(key, slot - 1, flow, irs, i), iss)))
        return mss_table[i];
    return 0;
}

uint32_t cookie_ts_offset(const struct siphash_key *key, const struct flow *flow)
{
    uint8_t packed[FLOW_PACKED_V6];

    return (uint32_t)siphash24(key, packed, flow_pack(flow, packed) - FLOW_PACKED_PORTS);
}

uint32_t cookie_tsval(uint32_t clock, const struct opt *syn, bool ecn)
{
    uint32_t bits = TS_NO_WSCALE, tsval;

    if (syn->has & OPT_WSCALE)
        bits = syn->wscale < 14 ? syn->wscale : 14; /* RFC 7323, 2.3: more counts as 14 */
    if (syn->has & OPT_SACK_PERMITTED)
        bits |= TS_SACK;
    if (ecn)
        bits |= TS_ECN;
    /* The timestamp must not be ahead of the clock, or the peer's PAWS would take the segments
     * after it for old ones. */
    tsval = (clock & ~(uint32_t)TS_MASK) | bits;
    return (int32_t)(tsval - clock) > 0 ? tsval - (TS_MASK + 1) : tsval;
}

bool cookie_tsecr(uint32_t tsecr, struct opt *syn)
{
    if ((tsecr & TS_WSCALE) != TS_NO_WSCALE) {
        syn->has |= OPT_WSCALE;
        syn->wscale = tsecr & TS_WSCALE;
    }
    if (tsecr & TS_SACK)
        syn->has |= OPT_SACK_PERMITTED;
    return tsecr & TS_ECN;
}
