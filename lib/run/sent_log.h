/*
 * What was sent and what the capture has shown: the two are not the same, and this is the only
 * place that knows how they differ.
 *
 * A segment of ours is a fact twice: when the engine hands it out, and when the capture shows it to
 * have left. Only the second is in the order of the wire, among the peer's, and so only then is it
 * told; but only at the first is known what no packet says: the state it was sent in, whether its
 * bytes were sent before, whether it is a probe. The log carries that across: sent_log_add() as it
 * is handed out, sent_log_take() as it is captured. In between, three things happen.
 *
 * The capture is behind. Segments of the peer's lie in the ring that the engine has not seen when
 * it sends, and ours come after them. The order of the wire is that of the capture: an ACK that we
 * sent in ESTABLISHED may stand behind the FIN that made us CLOSE_WAIT. The log gives the state it
 * was sent in; the report never lets a row go back (report.c, local_in_row()). As long as the log
 * is not empty, what we do is ahead of what is told.
 *
 * The capture loses segments of ours. They are missing for certain once a later one of ours is
 * captured (sent_log_missed_before()), once the peer acknowledges them (sent_log_missed_by_ack()),
 * or when the run ends (sent_log_missed()). They are told from the log, in their order, before what
 * showed it; else the tracker would take the peer's answers for nonsense.
 *
 * The capture loses segments of the peer's. The engine, which hears only what is captured, takes
 * such bytes for lost on the path, asks for them, and the peer repeats them: right, and no fault of
 * the path or the peer, which the report is not to blame and the run is not to wait for. A hole in
 * the peer's numbers is the capture's where it said that it had to drop frames since the peer's
 * last segment in order. From then on until nothing is missing, what the peer repeats is taken to
 * be repeated for that reason (hole_see()).
 *
 * That something was lost is told with the next frame, of whichever connection: `gaps` counts it
 * for the run, and each connection's tracker hears of it before its next segment.
 *
 * Pure: no port, no engine, no clock.
 */
#ifndef TCPWAVE_RUN_SENT_LOG_H
#define TCPWAVE_RUN_SENT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"
#include "lib/core/state.h"

#define SENT_LOG_ENTRIES 4096 /* a power of two; the oldest is forgotten when there are more */

/* What was sent of one connection, as far as the next segment is concerned; nothing when zeroed. */
struct sent_side {
    bool any;        /* `next` is valid */
    struct seq next; /* the highest number sent, plus one */
    bool asked;      /* the peer's SYN came since we last sent one: ours answers it */
};

/* What a segment adds to that. */
struct sent_delta {
    bool retransmission; /* its bytes, SYN or FIN were sent before, and the peer did not ask for
                            them */
    uint32_t bytes; /* of data that were not */
};

/* A segment that is handed out. A `probe` says nothing new. */
struct sent_delta sent_update(struct sent_side *c, const struct seg *s, bool probe);

struct sent_entry {
    uint32_t id; /* of the connection, or STACK_NONE */
    struct seq seq, ack;
    uint32_t len;
    uint16_t flags, wnd;
    uint8_t state; /* enum state: ours when it was sent */
    bool retransmission; /* its bytes, SYN or FIN were sent before */
    bool probe;    /* below what is next: says nothing new */
    bool missed;   /* sent_log_missed_by_ack() has given it out */
    struct opt opt;
};

struct sent_log {
    uint32_t head, tail; /* count up for ever; head is where the next one goes */
    struct sent_entry entry[SENT_LOG_ENTRIES];
};

/* The segment as it was sent, without its data; and the entry of one. */
struct seg sent_seg(const struct sent_entry *e);
struct sent_entry sent_entry(uint32_t id, const struct seg *s, enum state state);

/* Empty before the first call when zeroed. */
void sent_log_add(struct sent_log *j, const struct sent_entry *e);

/*
 * What the capture lost of ours is known by what comes after it: by a later segment of ours, since
 * they are captured in order, or by an acknowledgement of the peer's. Each call takes out, or
 * marks, the oldest such entry and returns it, or NULL when there is none (left). Valid until the
 * next sent_log_add().
 */
const struct sent_entry *sent_log_missed_before(struct sent_log *j, const struct seg *ours);
const struct sent_entry *sent_log_missed_by_ack(struct sent_log *j, uint32_t id, struct seq ack);

/* The oldest entry, whatever it is; for the end of a run. */
const struct sent_entry *sent_log_missed(struct sent_log *j);

/* The oldest entry that is this segment, taken out together with those before it, or NULL: we did
 * not send it. Valid until the next sent_log_add(). */
const struct sent_entry *sent_log_take(struct sent_log *j, const struct seg *s);

/* How many there are. */
uint32_t sent_log_count(const struct sent_log *j);

/* Whether everything that was sent has been captured. */
bool sent_log_empty(const struct sent_log *j);

/* Of one connection; of none when zeroed. */
struct hole {
    bool is, was;    /* something is missing now; was since the connection began */
    bool has_next;   /* `next` is valid */
    struct seq end;  /* with `was`: beyond all that the peer had sent while something was missing */
    struct seq next; /* the highest number that the peer was seen to send, plus one */
    uint32_t gaps;   /* the run's count, as of the last segment in order */
};

/* What is known of a segment by that. */
struct hole_seen {
    struct seq from; /* with `lost`: the first number that the capture did not see */
    uint32_t lost;   /* bytes that it lost just before this segment */
    bool repair;     /* the segment is repeated for the sake of such bytes */
};

/* A segment of the peer's that lies within the window and takes up sequence numbers. `gaps` counts
 * how often in the run the capture was told to have lost something. */
struct hole_seen hole_see(struct hole *h, uint32_t gaps, const struct seg *s);

/* The engine waits for `next`: whether it has all is looked at. After the segment was taken in. */
void hole_close(struct hole *h, struct seq next);

#endif
