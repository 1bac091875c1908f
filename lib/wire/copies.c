/*
 * A packet is known by a digest of its IP and TCP headers, without the fields that a hop on this
 * host may change (TTL, and with it IPv4's checksum; the traffic class). The last few dozen are
 * kept and looked through from the newest on. A count for each group of digests says beforehand
 * that a packet cannot be among them: of a busy capture, nearly all packets are seen once.
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

static uint8_t *group_of(struct copies *c, uint64_t digest)
{
    return &c->kept[(digest ^ digest >> 32) % COPIES_GROUPS];
}

/* Keeps the packet in the place of the oldest one. */
static void keep(struct copies *c, uint64_t digest, int ifindex, wave_time stamp)
{
    const uint32_t at = c->next % COPIES_KEPT;

    if (c->next >= COPIES_KEPT)
        --*group_of(c, c->at[at].digest);
    c->at[at].digest = digest;
    c->at[at].stamp = stamp;
    c->at[at].ifindex = ifindex;
    ++*group_of(c, digest);
    c->next = c->next + 1 ? c->next + 1 : COPIES_KEPT;
}

bool copies_seen(struct copies *c, const uint8_t *ip, uint32_t len, int ifindex, wave_time stamp,
                 int *first)
{
    const uint64_t digest = digest_of(ip, len);
    const uint32_t kept = !*group_of(c, digest) ? 0 : c->next < COPIES_KEPT ? c->next : COPIES_KEPT;

    for (uint32_t i = 1; i <= kept; i++) {
        uint32_t at = (c->next - i) % COPIES_KEPT;
        if (stamp > c->at[at].stamp + COPIES_WITHIN)
            break;
        if (c->at[at].digest == digest && c->at[at].ifindex != ifindex) {
            *first = c->at[at].ifindex;
            return true;
        }
    }
    keep(c, digest, ifindex, stamp);
    return false;
}

void copies_way_seen(struct copies_way *w, int route, int here, bool copy, int first)
{
    if (copy && here == route && first != here) {
        w->other--;
        w->paired++;
    } else if (!copy && here != route) {
        w->other++;
        w->ifindex = here;
    }
}

uint64_t copies_way_other(const struct copies_way *w)
{
    return w->other > w->paired ? w->other : 0;
}
