/*
 * A path between two hosts in virtual time: loss, duplication, reordering, delay, jitter,
 * corruption, MTU and bandwidth, separately for each direction. Segments cross it as bytes, so that
 * they are encoded, checked and decoded as on a real wire. A seeded random source decides what
 * happens to each segment: the same seed, and the same segments at the same times, give the same
 * run.
 *
 * The path has no clock of its own. Its user passes the time with every call, and learns the time
 * of the next arrival from path_next().
 */
#ifndef TCPWAVE_SIM_PATH_H
#define TCPWAVE_SIM_PATH_H

#include "lib/core/icmp.h"
#include "lib/core/seg.h"
#include "lib/core/time.h"
#include "lib/sim/delay_line.h"
#include "lib/sim/prng.h"

/* Says what one direction does to segments. Probabilities are in 1/10000. All zero: segments arrive
 * immediately, undamaged and in order. */
struct path_impairment {
    uint32_t loss, duplication;
    uint32_t reordering; /* delayed by up to delay + jitter + 1 ms more: later ones overtake */
    uint32_t corruption; /* one bit is flipped, which the checksum always finds */
    uint32_t marking;    /* CE is set where the segment is ECN-capable (RFC 3168, section 5) */
    wave_time delay;     /* in one direction */
    wave_time jitter;    /* adds 0 to this much to each segment's delay; the order stays */
    uint32_t mtu; /* bytes of an IP packet; larger ones are lost and answered with ICMP; 0: none */
    bool silent_mtu;    /* no ICMP error for them: a black hole (RFC 2923) */
    uint64_t bandwidth; /* bits a second, IP header included; 0: unlimited */
    uint32_t queue;     /* bytes that may wait when the bandwidth is limited; 0: unlimited */
};

/* Counts segments, both directions together. */
struct path_counts {
    uint64_t sent; /* by the engines, and RSTs by the hosts (link_set_resets()) */
    uint64_t lost; /* by chance, filter, MTU, full queue or cut */
    uint64_t duplicated, reordered, corrupted, marked;
    uint64_t delivered, bad_checksum; /* every arrival is one of these two */
};

/* Holds the state of one direction, which is named after the end that sends. */
struct path_direction {
    struct path_impairment impairment;
    wave_time line_free;    /* when the last bit that was put on the line has left */
    wave_time last_arrival; /* of the segments that keep their order */
};

/* Holds both directions; [0] is from the first end to the second. */
struct path {
    struct path_direction direction[2];
    struct addr router[2]; /* that reports an MTU: its address of IPv4, and of IPv6 */
    struct prng prng;
    struct delay_line delay_line;
    struct packet_pool pool;
    struct path_counts counts;
};

/* Initialises an empty path without impairments. */
void path_init(struct path *p, uint64_t seed);

/* Frees the packets that are on their way. */
void path_free(struct path *p);

/*
 * Sends segment `s` of `flow`, as its sender sees it, from end `from` at time `now`. `number` comes
 * out with the segment at the other end, and with each copy of it. A segment that the path loses
 * counts as sent. If `lost` is true, the path loses the segment in any case. Returns 0;
 * WAVE_ENOMEM; WAVE_EINVAL for a segment that cannot be encoded. Data that stand where
 * packet_pool_place() said are not copied, and no longer the caller's.
 */
int path_send(struct path *p, wave_time now, unsigned from, const struct flow *flow,
              const struct seg *s, uint64_t number, bool lost);

/* Sends an ICMP error, which reaches end `to` at that time. Nothing happens to it on the way.
 * Returns 0 or WAVE_ENOMEM. */
int path_error(struct path *p, wave_time at, unsigned to, const struct icmp *e);

/* Returns the time of the next arrival; WAVE_NEVER when nothing is on its way. */
wave_time path_next(const struct path *p);

/* Takes out the next packet to arrive, which the caller gives back to the pool; NULL when
 * nothing is on its way. A packet with `icmp` set goes back to its sender `from`: path_error_of()
 * returns what it says. */
struct delayed_packet *path_take(struct path *p);
const struct icmp *path_error_of(const struct delayed_packet *c);

/* Loses all packets that are on their way. */
void path_lose_all(struct path *p);

#endif
