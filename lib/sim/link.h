/*
 * Two engines over a link with a virtual clock and a seeded will of its own: loss, duplication,
 * reordering, delay, jitter, corruption, MTU and bandwidth. Segments cross it as bytes, so that
 * what is encoded, checked and decoded is the same as on a wire.
 *
 * The same seed and settings give the same run, segment by segment.
 */
#ifndef TCPWAVE_SIM_LINK_H
#define TCPWAVE_SIM_LINK_H

#include "lib/core/conn.h"

/* One direction's manners. Chances are in 1/10000. */
struct link_manners {
    uint32_t loss, duplication, reordering, corruption;
    wave_time delay;     /* one way, at least 0 */
    wave_time jitter;    /* 0 to this much is added to each segment's delay */
    uint32_t mtu;        /* bytes of an IP packet; larger ones are lost and answered with ICMP; 0: none */
    bool silent_mtu;     /* no ICMP for those: a black hole (RFC 2923) */
    uint64_t bandwidth;  /* bits a second; 0: unlimited */
    uint32_t queue;      /* bytes waiting at most when bandwidth is limited; 0: unlimited */
};

enum link_end { LINK_A, LINK_B };

/* What a watcher at one place of the link sees; called when the segment leaves (`arrived` false)
 * or reaches its receiver. `number` counts what left, from 1. */
typedef void link_watch(void *ctx, wave_time at, enum link_end from, bool arrived,
                        uint64_t number, const struct seg *s);

/* Returns true to let the segment pass, false to lose it: for losing the very one a test names. */
typedef bool link_filter(void *ctx, wave_time at, enum link_end from, uint64_t number,
                         const struct seg *s);

struct link;

/* The connections are the caller's, initialised over flows that are each other's reverse, and
 * live at least as long as the link. */
int link_create(struct link **out, struct conn *a, struct conn *b, uint64_t seed);
void link_destroy(struct link *l);
void link_manners(struct link *l, enum link_end from, const struct link_manners *m);
void link_watcher(struct link *l, link_watch *watch, void *ctx);
void link_filterer(struct link *l, link_filter *filter, void *ctx);

/* Cuts or joins the link in both directions: what is on the way is lost when it is cut. */
void link_cut(struct link *l, bool cut);

/* Now, in virtual nanoseconds. */
wave_time link_now(const struct link *l);

/* Lets the engines send, deliver and tick up to `until`, or until nothing is left to happen.
 * Returns the time reached. Stops after the step in which `stop` (if any) returned true: a step
 * is one delivery or one tick and the output it causes. */
wave_time link_run(struct link *l, wave_time until, bool (*stop)(void *ctx), void *ctx);

/* Segments sent, lost, duplicated, reordered and corrupted, both directions. */
struct link_counts {
    uint64_t sent, lost, duplicated, reordered, corrupted, delivered, refused_checksum;
};
struct link_counts link_counts(const struct link *l);

#endif
