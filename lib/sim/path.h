/*
 * A path between two hosts, in virtual time: loss, duplication, reordering, delay, jitter,
 * corruption, MTU and bandwidth, each direction with its own. Segments cross it as bytes, so that
 * they are encoded, checked and decoded as on a wire. What happens to a segment is drawn from a
 * seeded random source: the same seed and the same segments at the same times give the same run.
 *
 * The path has no clock of its own. Its user gives the time with every call, and asks
 * path_next() for the time of the next arrival.
 */
#ifndef TCPWAVE_SIM_PATH_H
#define TCPWAVE_SIM_PATH_H

#include "lib/core/seg.h"
#include "lib/core/time.h"
#include "lib/sim/delay_line.h"
#include "lib/sim/prng.h"

/* What one direction does to segments. Chances are in 1/10000. All zero: they arrive at once,
 * unharmed and in order. */
struct path_impairment {
    uint32_t loss, duplication;
    uint32_t reordering; /* held back by up to delay + jitter + 1 ms, so that later ones overtake */
    uint32_t corruption; /* one bit is flipped, which the checksum always finds */
    uint32_t marking;    /* CE is set where the segment is ECN-capable (RFC 3168, section 5) */
    wave_time delay;     /* one way, at least 0 */
    wave_time jitter;    /* 0 to this much is added to each segment's delay; order is kept */
    uint32_t mtu; /* bytes of an IP packet; larger ones are lost and answered with ICMP; 0: none */
    bool silent_mtu;    /* no ICMP for those: a black hole (RFC 2923) */
    uint64_t bandwidth; /* bits a second, IP header included; 0: unlimited */
    uint32_t queue;     /* bytes waiting at most when bandwidth is limited; 0: unlimited */
};

/* Segments sent, lost, duplicated, reordered and corrupted, both directions. */
struct path_counts {
    uint64_t sent; /* by the engines, or for them by link_set_resets() */
    uint64_t lost; /* by chance, filter, MTU, full queue or cut */
    uint64_t duplicated, reordered, corrupted, marked;
    uint64_t delivered, bad_checksum; /* every arrival is one of these two */
};

/* One direction, named after the end that sends. */
struct path_direction {
    struct path_impairment impairment;
    wave_time line_free;    /* when the last bit given to the line has left */
    wave_time last_arrival; /* of those that keep their order */
};

/* Both directions; [0] is from the first end to the second. Empty when zeroed but for the seed. */
struct path {
    struct path_direction direction[2];
    struct prng prng;
    struct delay_line delay_line;
    struct path_counts counts;
};

void path_init(struct path *p, uint64_t seed);

/* Frees what is on the way. */
void path_free(struct path *p);

/*
 * Sends segment `s` of `flow` (as its sender sees it) from end `from` at time `now`; `number` comes
 * out with it at the other end, and with each copy of it. A segment that the path loses counts as
 * sent. `lost` true loses it whatever the path would do. Returns WAVE_ENOMEM, or WAVE_EINVAL for a
 * segment that cannot be encoded.
 */
int path_send(struct path *p, wave_time now, unsigned from, const struct flow *flow,
              const struct seg *s, uint64_t number, bool lost);

/* When the next arrival is; WAVE_NEVER: nothing is on the way. */
wave_time path_next(const struct path *p);

/* Takes out the next arrival, which the caller frees; NULL: nothing is on the way. A packet with
 * `mtu` set goes back to its sender `from`: it is a router's ICMP error. */
struct delayed_packet *path_take(struct path *p);

/* Loses everything that is on the way. */
void path_lose_all(struct path *p);

#endif
