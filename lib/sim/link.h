/*
 * Two engines, joined by a link with a virtual clock and random impairments: loss, duplication,
 * reordering, delay, jitter, corruption, MTU and bandwidth. Segments cross the link as bytes, so
 * that they are encoded, checked and decoded as on a real wire.
 *
 * The same seed and settings give the same run, segment by segment.
 */
#ifndef TCPWAVE_SIM_LINK_H
#define TCPWAVE_SIM_LINK_H

#include "lib/core/conn.h"
#include "lib/sim/path.h"

/* Names the two ends of the link. */
enum link_end { LINK_A, LINK_B };

/* Watches the segments on the link. It is called when a segment leaves (`arrived` is false; just
 * after the engine gave it out) and when a segment reaches its receiver (just before the engine
 * takes it in; a corrupted one never arrives). `number` counts the segments that left, from 1; a
 * duplicate arrives with the number of its original. */
typedef void link_watch(void *ctx, wave_time at, enum link_end from, bool arrived, uint64_t number,
                        const struct seg *s);

/* Decides about each segment that leaves: returns true to let it pass, false to lose it. This is
 * for tests that lose one particular segment. It is called once for each segment, after the watcher
 * and before the impairments. */
typedef bool link_filter(void *ctx, wave_time at, enum link_end from, uint64_t number,
                         const struct seg *s);

struct link;

/* Describes a layer between one end's engine and the link. With it a test makes a host that breaks
 * the rules. `out` is given each segment that the engine sends, and calls link_inject() within this
 * call for each segment that leaves. `in` may change a segment that has arrived and was watched, or
 * return false to discard it. Either may be NULL. */
struct link_hook {
    void (*out)(void *ctx, const struct seg *s);
    bool (*in)(void *ctx, struct seg *s);
    void *ctx;
};

/* Creates a link between two connections. The connections stay the caller's; they are initialised
 * over flows that are each other's reverse, and live at least as long as the link. A test may
 * initialise one of them once more while the link runs: this is a host that crashed and came back.
 * Returns 0; WAVE_EINVAL when the flows do not fit; WAVE_ENOMEM. */
int link_create(struct link **out, struct conn *a, struct conn *b, uint64_t seed);
/* Frees the link and the segments on it; `l` may be NULL. */
void link_destroy(struct link *l);
/* Sets the impairments of the direction that `from` sends in. */
void link_impair(struct link *l, enum link_end from, const struct path_impairment *m);
/* Sets the watcher; NULL: none. */
void link_set_watch(struct link *l, link_watch *watch, void *ctx);
/* Puts a layer between an end's engine and the link. */
void link_hook(struct link *l, enum link_end end, const struct link_hook *layer);
/* Sends a segment from an end as if its engine had sent it. */
void link_inject(struct link *l, enum link_end from, const struct seg *s);
/* Sets the filter; NULL: none. */
void link_set_filter(struct link *l, link_filter *filter, void *ctx);

/* Sets a function that is called after each delivery and each tick, before the segments that these
 * cause are sent. It plays a user that reacts so quickly that its answer and the acknowledgement
 * become one segment. */
void link_set_user(struct link *l, void (*act)(void *ctx), void *ctx);

/* Cuts the link in both directions, or restores it. Segments on their way are lost when it is
 * cut. */
void link_set_cut(struct link *l, bool cut);

/* Sets whether the host at that end answers a segment for a CLOSED connection with RST (RFC 9293,
 * 3.10.7.1). Hosts do, and this is how a link begins; a host behind a firewall is silent. */
void link_set_resets(struct link *l, enum link_end end, bool on);

/* Returns the current virtual time in nanoseconds. A link begins at 1 s. */
wave_time link_now(const struct link *l);

/*
 * Lets the engines send, deliver and tick up to `until`, and returns the time reached. That is
 * `until`, with two exceptions: `until` is WAVE_NEVER and nothing is left to do, or `stop` returned
 * true. `stop` may be NULL. It is called after each step, which is one delivery or one tick and the
 * output that this causes; it may itself call the connections (a user's read, send and close).
 *
 * When an engine continues for ever at one instant and neither side makes progress, the link ends
 * the process with a message, because a test that hangs does not show the reason.
 */
wave_time link_run(struct link *l, wave_time until, bool (*stop)(void *ctx), void *ctx);

/* Returns when the next thing happens by itself: a delivery or a timer. WAVE_NEVER: nothing is on
 * its way, and neither engine waits for a time. */
wave_time link_next(const struct link *l);

/* Returns what became of the segments of both directions. */
struct path_counts link_counts(const struct link *l);

#endif
