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
#include "lib/sim/path.h"

enum link_end { LINK_A, LINK_B };

/* What a watcher at one place of the link sees; called when the segment leaves (`arrived` false,
 * just after the engine gave it out) or reaches its receiver (just before the engine takes it in;
 * a corrupted one never does). `number` counts what left, from 1; a duplicate arrives with the
 * number of its original. */
typedef void link_watch(void *ctx, wave_time at, enum link_end from, bool arrived, uint64_t number,
                        const struct seg *s);

/* Returns true to let the segment pass, false to lose it: for losing the very one a test names.
 * Asked once for each segment that leaves, after the watcher and before the impairment. */
typedef bool link_filter(void *ctx, wave_time at, enum link_end from, uint64_t number,
                         const struct seg *s);

struct link;

/* What stands between one end's engine and the line, and with it makes up a host that breaks the
 * rules. `out` is given what the engine sends, and gives to link_inject() what leaves for it, in
 * this call; `in` may alter a segment that has arrived and was watched, or returns false to swallow
 * it. Either may be NULL. */
struct link_hook {
    void (*out)(void *ctx, const struct seg *s);
    bool (*in)(void *ctx, struct seg *s);
    void *ctx;
};

/* The connections are the caller's, initialised over flows that are each other's reverse, and
 * live at least as long as the link. They may be initialised anew while it runs: a host that
 * crashed and came back. WAVE_EINVAL when the flows do not fit, WAVE_ENOMEM. */
int link_create(struct link **out, struct conn *a, struct conn *b, uint64_t seed);
void link_destroy(struct link *l);
void link_impair(struct link *l, enum link_end from, const struct path_impairment *m);
void link_set_watch(struct link *l, link_watch *watch, void *ctx);
void link_hook(struct link *l, enum link_end end, const struct link_hook *layer);
void link_inject(struct link *l, enum link_end from, const struct seg *s);
void link_set_filter(struct link *l, link_filter *filter, void *ctx);

/* Called after each delivery and each tick, before what it causes is sent: a user so quick that an
 * answer and its acknowledgement become one segment. */
void link_set_user(struct link *l, void (*act)(void *ctx), void *ctx);

/* Cuts or joins the link in both directions: what is on the way is lost when it is cut. */
void link_set_cut(struct link *l, bool cut);

/* Whether the host at that end answers a segment for a CLOSED connection with RST
 * (RFC 9293, 3.10.7.1), as hosts do and as is the case to begin with, or is silent, as one that a
 * firewall guards. */
void link_set_resets(struct link *l, enum link_end end, bool on);

/* Now, in virtual nanoseconds. A link begins at 1 s. */
wave_time link_now(const struct link *l);

/*
 * Lets the engines send, deliver and tick up to `until`; returns the time reached. That is
 * `until`, except when `until` is WAVE_NEVER and nothing is left to happen, or when `stop` (if any)
 * returned true: it is asked after each step, which is one delivery or one tick and the output it
 * causes, and may itself call the connections (a user's read, send and close).
 *
 * An engine that goes on for ever at one instant without either side getting on ends the
 * process with a message, since a test that hangs tells nobody why.
 */
wave_time link_run(struct link *l, wave_time until, bool (*stop)(void *ctx), void *ctx);

/* When the next thing happens by itself: a delivery or a timer. WAVE_NEVER: nothing is on the way,
 * and neither engine waits for a time. */
wave_time link_next(const struct link *l);

/* What became of the segments of both directions. */
struct path_counts link_counts(const struct link *l);

#endif
