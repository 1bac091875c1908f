/*
 * A packet is known by a digest of its IP and TCP headers, without the fields that a hop on this
 * host may change (TTL, and with it IPv4's checksum; the traffic class). The last few dozen are
 * kept and looked through from the newest on.
 */
#include "lib/wire/copies.h"

#include <string.h>

#define COPIES_WITHIN (20 * WAVE_MS)

#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

/* FNV-1a, eight bytes at a time. */
static uint64_t mix(uint64_t digest, const uint8_t *bytes, uint32_t len)
{
    while (len > 0) {
        uint64_t word = 0;
        uint32_t n = len < 8 ? len : 8;
        memcpy(&word, bytes, n);
        digest = (digest ^ word) * FNV_PRIME;
        digest ^= digest >> 29;
        bytes += n;
        len -= n;
    }
    return digest;
}

static uint64_t digest_of(const uint8_t *ip, uint32_t len)
{
    uint64_t digest = FNV_OFFSET ^ len;

    if (len < 40)
        return mix(digest, ip, len);
    if (ip[0] >> 4 == 4) {
        digest = mix(digest, ip + 2, 6); /* length, identification, fragment */
        return mix(digest, ip + 12, (len < 64 ? len : 64) - 12);
    }
    digest = mix(digest, ip + 4, 3); /* length, next header */
    return mix(digest, ip + 8, (len < 84 ? len : 84) - 8);
}

bool copies_seen(struct copies *c, const uint8_t *ip, uint32_t len, int ifindex, wave_time stamp,
                 int *first)
{
    const uint64_t digest = digest_of(ip, len);

    for (uint32_t i = 1; i <= COPIES_KEPT && i <= c->next; i++) {
        uint32_t at = (c->next - i) % COPIES_KEPT;
        if (stamp > c->at[at].stamp + COPIES_WITHIN)
            break;
        if (c->at[at].digest == digest && c->at[at].ifindex != ifindex) {
            *first = c->at[at].ifindex;
            return true;
        }
    }
    c->at[c->next % COPIES_KEPT].digest = digest;
    c->at[c->next % COPIES_KEPT].stamp = stamp;
    c->at[c->next % COPIES_KEPT].ifindex = ifindex;
    c->next++;
    return false;
}
