/*
 * What was sent, and what the capture has shown of it. The two are not the same, and this is the
 * only place that knows how they differ.
 *
 * A segment of ours is known at two points: when the engine outputs it, and when the capture shows
 * that it has left. Only at the second point is it in the order of the wire, among the segments of
 * the peer, so it is reported then. But only at the first point is it known what no packet says:
 * the state in which it was sent, whether its bytes were sent before, whether it is a probe. The
 * log carries these facts from the first point to the second: sent_log_add() when a segment is
 * output, sent_log_take() when it is captured. In between, three things can happen.
 *
 * The capture is behind. When the engine sends, segments of the peer's lie in the ring that it has
 * not seen, and ours is captured after them. The order of the wire is that of the capture: an ACK
 * that we sent in ESTABLISHED may stand behind the FIN that put us into CLOSE_WAIT. The log
 * supplies the state in which it was sent; the report never lets a row go back (report.c,
 * local_in_row()). As long as the log is not empty, our engine is ahead of the report.
 *
 * The capture loses segments of ours. They are certainly missing once a later segment of ours is
 * captured (sent_log_missed_before()), once the peer acknowledges them (sent_log_missed_by_ack()),
 * or when the run ends (sent_log_missed()). They are then reported from the log, in their order,
 * before the segment that showed the loss. Otherwise the tracker would find that the peer's answers
 * fit nothing.
 *
 * The capture loses segments of the peer's. The engine sees only what is captured, assumes that
 * such bytes were lost on the path, asks for them, and the peer retransmits them. That is correct,
 * and neither the path nor the peer is to blame for it: the report must not say so, and the run
 * must not wait because of it. A hole in the peer's numbers is the capture's fault if the capture
 * has reported dropped frames since the peer's last segment in order. From then on, until nothing
 * is missing, the peer's retransmissions are attributed to it (hole_see()).
 *
 * Whether a segment is a retransmission is not decided here. The tracker decides that, from what
 * was captured, for both sides alike (lib/core/track.h). That the bytes were sent before is one of
 * the facts that the log carries, for the cases in which the capture cannot show it (corrected() in
 * report.c). A run that shows nothing keeps no log, and has no retransmissions to report.
 *
 * A loss is reported with the next frame, of any connection. `gaps` counts the losses of the run,
 * and the tracker of each connection is informed before its next segment.
 *
 * Pure: no port, no engine, no clock.
 */
#ifndef TCPWAVE_RUN_SENT_LOG_H
#define TCPWAVE_RUN_SENT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"
#include "lib/core/state.h"

#define SENT_LOG_ENTRIES 4096 /* a power of two; if there are more, the oldest is discarded */

/* What was sent on one connection, as far as the next segment needs it; all zero at the
 * beginning. */
struct sent_side {
    bool any;        /* `next` is valid */
    struct seq next; /* the highest number sent, plus one */
    bool asked;      /* the peer's SYN came after our last one, so our next one answers it */
};

/* What a segment adds to that. */
struct sent_delta {
    bool sent_before; /* its bytes, SYN or FIN were, and the peer did not ask for them */
    uint32_t bytes;   /* of data that were not sent before */
};

/* Updates *c for a segment that is output, and returns what it adds. A `probe` adds nothing. */
struct sent_delta sent_update(struct sent_side *c, const struct seg *s, bool probe);

struct sent_entry {
    uint32_t id; /* of the connection, or STACK_NONE */
    struct seq seq, ack;
    uint32_t len;
    uint16_t flags, wnd;
    uint8_t state; /* enum state: ours when it was sent */
    bool sent_before; /* its bytes, SYN or FIN were */
    bool probe;       /* below SND.NXT: adds nothing */
    bool missed;      /* sent_log_missed_by_ack() has returned it */
    bool picked;      /* sent_log_pick() has returned it */
    struct opt opt;
};

struct sent_log {
    uint32_t head, tail; /* free-running; head is where the next entry goes */
    struct sent_entry entry[SENT_LOG_ENTRIES];
};

/* Return the segment as it was sent, without its data, and the entry for a segment. */
struct seg sent_seg(const struct sent_entry *e);
struct sent_entry sent_entry(uint32_t id, const struct seg *s, enum state state);

/* Adds an entry. A log that is all zero is empty. */
void sent_log_add(struct sent_log *j, const struct sent_entry *e);

/*
 * What the capture lost of our segments is known from what comes after it: a later segment of ours,
 * since ours are captured in order, or an acknowledgement of the peer's. Each call removes, or
 * marks, the oldest such entry and returns it, or returns NULL when none is left. The entry is
 * valid until the next sent_log_add().
 */
const struct sent_entry *sent_log_missed_before(struct sent_log *j, const struct seg *ours);
const struct sent_entry *sent_log_missed_by_ack(struct sent_log *j, uint32_t id, struct seq ack);

/* Returns whether one of those that were not captured is a retransmission or a keepalive probe. */
bool sent_log_repeats(const struct sent_log *j);

/* Removes and returns the oldest entry of any kind, for the end of a run. */
const struct sent_entry *sent_log_missed(struct sent_log *j);

/* Returns the oldest entry that is this segment, or NULL if we did not send it; removes it and
 * those before it. The entry is valid until the next sent_log_add(). */
const struct sent_entry *sent_log_take(struct sent_log *j, const struct seg *s);

/* Does the same, but leaves those before it: of segments that are held back on purpose, later ones
 * are captured first. */
const struct sent_entry *sent_log_pick(struct sent_log *j, const struct seg *s);

/* Returns how many entries there are. */
uint32_t sent_log_count(const struct sent_log *j);

/* Returns whether everything that was sent has been captured. */
bool sent_log_empty(const struct sent_log *j);

/* The hole in the peer's numbers on one connection; none when all zero. */
struct hole {
    bool is, was;    /* something is missing now; was missing since the connection began */
    bool has_next;   /* `next` is valid */
    struct seq end;  /* with `was`: beyond everything that the peer had sent while something was
                        missing */
    struct seq next; /* the highest number that the peer is known to have sent, plus one */
    uint32_t gaps;   /* the run's count, as of the last segment in order */
};

/* What the hole says about a segment. */
struct hole_seen {
    struct seq from; /* with `lost`: the first number that the capture did not see */
    uint32_t lost;   /* bytes that it lost just before this segment */
    bool repair;     /* the peer retransmits it because of such bytes */
};

/* Examines a segment of the peer's that lies within the window and occupies sequence numbers.
 * `gaps` counts how often in the run the capture reported a loss. */
struct hole_seen hole_see(struct hole *h, uint32_t gaps, const struct seg *s);

/* Checks, after the engine has processed the segment and waits for `next`, whether the hole is
 * filled. */
void hole_close(struct hole *h, struct seq next);

#endif
