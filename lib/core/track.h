/*
 * The tracker says what state each side of a flow must be in, how this is known, and which segment
 * shows it. Its input is the segments of both directions and their times, and nothing else: no
 * engine and no configuration. So a live connection and a capture file of two strangers are the
 * same to it.
 *
 * PROVED means that the side was in that state when it sent the evidence. ASSUMED means that
 * nothing contradicts the state, but the segment that would bring the side there may have been
 * lost, or a firewall may have answered for it. UNKNOWN is a valid answer.
 *
 * How it infers: a side's own segments prove something about it; segments sent to it only allow
 * assumptions. A segment proves something by what its sender must have known: its ACK is exactly
 * RCV.NXT, and the SEQ of a segment without data is exactly SND.NXT (RFC 9293, 3.10.7.4). A side
 * has learnt that its SYN or FIN was acknowledged once it acknowledges a byte that was never sent
 * without that acknowledgement. An assumption stands until a segment that must have been sent later
 * contradicts it: a repeated SYN-ACK or FIN, or the answer to a probe.
 *
 * These consequences may be unexpected:
 * - Data proves that the handshake is over. It does not prove that no FIN was sent behind it and
 *   lost, since the data may be a retransmission. It proves ESTABLISHED (CLOSE_WAIT) where it is
 *   the side's first data and comes within TRACK_REPEAT_MIN of the handshake. Later data leaves an
 *   earlier proof as it is, or gives an assumption, which the next segment without data proves.
 * - In the same way, a FIN that acknowledges ours proves LAST_ACK where CLOSE_WAIT had been proved.
 *   Where it is the first segment that acknowledges ours, LAST_ACK is assumed: it may be the
 *   retransmission of a FIN that crossed ours and was lost (CLOSING).
 * - A SYN-ACK proves SYN_RECEIVED. RFC 9293, 3.10.4 lets a user CLOSE in that state, and the
 *   SYN-ACK be retransmitted from FIN_WAIT_1 afterwards. Hosts do not do that, since no application
 *   has such a connection to close. The proof would be wrong only if that FIN was lost, too, before
 *   it came here.
 * - An ACK of no more than our SYN does not exclude SYN_RECEIVED, not even as the answer to a
 *   probe, because that state answers probes as well. A probe that the side itself sends does
 *   exclude it, since probes are sent only from synchronized states. If the probe has its SYN's
 *   number, this holds only where it answers nothing, that is, after both sides were silent for a
 *   second: within a closed window, hosts in SYN_RECEIVED send answers with that number, too.
 * - An answer to a probe does not prove FIN_WAIT_2: the ACK in an unacceptable segment is ignored,
 *   so FIN_WAIT_1 would answer the same.
 * - An RST that answers a SYN, from a side that has sent nothing else, lets CLOSED be assumed,
 *   since a firewall can send the same. An RST proves CLOSED if its sender's handshake was proved
 *   to be over, or if its sender opened actively, and if it has exactly the next sequence number
 *   (or the number that the other side acknowledged last, with which a host without the connection
 *   resets it): an attacker who can forge this sees the connection and could forge anything. The
 *   receiver of the RST is assumed to be CLOSED; or LISTEN, if it opened passively and had not
 *   gone beyond SYN_RECEIVED. An RST elsewhere in the window changes no state (RFC 5961, section
 *   3): if it is genuine, the challenge ACK that it causes brings an exact one.
 * - What one side sent and the other has acknowledged is true, however unlikely it looked. Data
 *   beyond the window is followed once it is acknowledged; so is what a capture lost, once both
 *   sides refer to it. What was proved about its sender is then only assumed. An ACK of something
 *   never sent, or a segment beyond the window, changes nothing by itself, since anybody can forge
 *   one. A few of them that fit together put what is proved about their sender in doubt.
 * - For a second after an RST, no segment of its receiver proves anything: it may have crossed the
 *   RST.
 * - A FIN in the place of the SYN is not a FIN. A FIN behind bytes that were not seen may stand
 *   where a byte was acknowledged. In a flow whose beginning was not seen, a SYN at or below the
 *   numbers seen may be the flow's own SYN, come late. What follows from any of these is assumed.
 * - Some proofs depend on what was not seen: that there was no ACK of a FIN, or that no bytes were
 *   sent without one. Once a segment was not believed, or is known to have been missed, they are
 *   assumptions for the rest of the flow. Where one was missed, so is every state from before a
 *   FIN, since what looks like an ACK at SND.NXT may be a probe in the place of a missed FIN.
 * - Where a side contradicts itself about the place of its FIN, the other side may have accepted
 *   either one. From then on nothing is proved about either side.
 * - An ACK that stops before the other side's FIN contradicts every state that includes having that
 *   FIN, if it comes long after that FIN, or answers a retransmission of it, or comes for the
 *   second time.
 * - An ACK of a SYN-ACK proves ESTABLISHED for a side that had received no SYN of the other side
 *   before. In SYN_RECEIVED, after a SYN that crossed its own, it may answer the SYN-ACK without
 *   accepting it. So the ACK proves nothing where such a SYN was seen, or may be among what was
 *   missed.
 * - A flow that was not seen from its beginning stays UNKNOWN until the bytes before SND.NXT and
 *   RCV.NXT have been seen to be data, or a FIN.
 * - TIME_WAIT stays TIME_WAIT: nothing on the wire shows its end.
 * - A SYN with another ISN after CLOSED or TIME_WAIT begins a new connection. Segment numbers
 *   continue.
 */
#ifndef TCPWAVE_CORE_TRACK_H
#define TCPWAVE_CORE_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"
#include "lib/core/state.h"
#include "lib/core/time.h"

/* The sender of a segment. On a live connection, A is us. */
enum track_side { TRACK_A, TRACK_B, TRACK_SIDES };

/* How a state is known; see above. */
enum certainty { CERTAINTY_ASSUMED, CERTAINTY_PROVED };

/* The shortest time after which a host repeats something without being asked: RFC 6298, 2.4 says
 * one second, and no common host does it sooner than this. */
#define TRACK_REPEAT_MIN (200 * WAVE_MS)

/* What is known about one side. `evidence` is the number of a segment, counted from 1 in the order
 * in which they were given, or 0. `cause` is a few words, a static string, in which A is "we":
 * about B "it acknowledged our FIN", about A "it acknowledged the peer's FIN". An UNKNOWN state is
 * never proved. */
struct track_view {
    enum state state;
    enum certainty certainty;
    uint32_t evidence;
    const char *cause;
};

/* How a segment looks to an observer, for renderers. */
enum track_note {
    TRACK_NEW = 0,
    TRACK_RETRANSMISSION = 1 << 0, /* its bytes, SYN or FIN lie below what was sent before: it was
                                      retransmitted, or overtaken on the way. A SYN-ACK that answers
                                      a repeated SYN is not one, since it was asked for and none was
                                      lost */
    TRACK_OUT_OF_ORDER = 1 << 1,   /* it lies beyond a gap */
    TRACK_DUPLICATE_ACK = 1 << 2,  /* RFC 5681, section 2 */
    TRACK_PROBE = 1 << 3,          /* a keepalive probe: its number is one below SND.NXT */
    TRACK_PROBE_ANSWER = 1 << 4,   /* the acknowledgement that answers a probe */
    TRACK_CHALLENGE = 1 << 5,      /* an ACK that answers an unacceptable SYN or RST (RFC 5961) */
    TRACK_OUT_OF_WINDOW = 1 << 6,  /* the receiver will not accept it: it is outside the window,
                                      acknowledges something never sent, or has no ACK */
    TRACK_ZERO_WINDOW = 1 << 7,
    TRACK_WINDOW_PROBE = 1 << 8 /* one byte, the first that is not acknowledged, while the
                                   receiver's window is 0 (RFC 9293, 3.8.6.1) */
};

#define TRACK_SEEN_ANY 1u /* of track_half.seen: a segment of it was seen, and `next` is valid */

/* The state of the tracker. The fields are visible so that a caller can hold one by value, but only
 * the tracker's own files use them. */
struct track {
    struct track_half {
        struct seq isn;        /* of its SYN */
        struct seq next;       /* the highest sequence number that it has sent, plus one */
        struct seq acked;      /* the highest number of the other side that it has acknowledged */
        struct seq fin;        /* of its FIN */
        struct seq edge;       /* right edge of the window it offered */
        struct seq before;     /* end of what it sent without acknowledging the other's SYN (or
                                  FIN, once there is one): bytes beyond it always had that ACK */
        struct seq overrun;    /* end of what it sent beyond the window and was not believed */
        struct seq
            unsent_ack; /* the highest number that it acknowledged and was not believed */
        struct seq lost;       /* end of a FIN of it that was not believed */
        struct seq probed;     /* its SND.NXT when it probed */
        uint32_t max_window;   /* the largest window it offered, in bytes */
        uint32_t opened_at; /* when its SYN was seen, or earlier; after an RST to it, when that was
                               seen. Ticks of 2^20 ns */
        uint32_t fin_at;    /* when its FIN was first seen, in the same ticks */
        uint32_t evidence;
        uint32_t seen; /* SEEN_... bits (track_infer.h) */
        uint16_t wnd;  /* as last seen, unscaled */
        uint8_t state, cause, shift;
        uint8_t certainty : 1;
        uint8_t asked : 1;        /* the other side has probed it since its state was assumed */
        uint8_t fin_repeated : 1; /* it has repeated its FIN */
        uint8_t stops : 1;        /* its ACKs stop before the other side's FIN */
        uint8_t misfits : 2;      /* segments in a row that fit each other but not what was seen */
    } half[TRACK_SIDES];
    uint32_t number;            /* segments seen */
    uint16_t last_at;           /* when the last one was seen; ticks of 2^28 ns */
    bool gaps : 1;              /* a segment was missed */
    bool missed_before_syn : 1; /* one was missed before the SYN that began the connection */
    bool doubts : 1;            /* a segment was not believed */
    bool fin_ambiguous : 1;     /* where a FIN is depends on which segment arrived first */
    bool two_syn_acks : 1;      /* SYN-ACKs with two ISNs answer one SYN... */
    struct seq earlier_isn;     /* ...and this is that of the former */
};

_Static_assert(sizeof(struct track) <= 152, "a tracked flow is at most 152 bytes");

/* Starts a flow of which nothing is known. */
void track_init(struct track *t);

/* Processes a segment that `from` sent and that was seen at `at`. Segments are numbered from 1.
 * Returns TRACK_... bits. */
unsigned track_segment(struct track *t, wave_time at, enum track_side from, const struct seg *s);

/* Records that the side did not answer for long enough (which the caller decides) although an
 * answer was due. Since the peer may be gone, what was proved about it is assumed until its next
 * segment. */
void track_silent(struct track *t, enum track_side side);

/* Records that the observer missed a segment of this flow, or may have: what depends on having seen
 * everything is assumed from now on. Call it before the next segment is given. */
void track_gap(struct track *t);

/* Does the same where it is known that `from` sent these bytes (or a FIN at their end), in one
 * segment or several. They count as one segment, whose place in the order is a guess, and prove
 * nothing. Returns TRACK_... bits. */
unsigned track_missed(struct track *t, enum track_side from, struct seq seq, uint32_t len);

/* Returns whether the side is believed to have sent anything; *next is then the number after the
 * highest that it has sent, whether that was seen or only acknowledged. */
static inline bool track_next(const struct track *t, enum track_side side, struct seq *next)
{
    const struct track_half *h = &t->half[side];

    *next = h->next;
    return (h->seen & TRACK_SEEN_ANY) != 0;
}

/* Gives a number to a segment that reached no one, since it was dropped before it left its host, or
 * left it with a wrong checksum on purpose. It shows nothing about either side, and changes nothing
 * else. */
void track_unsent(struct track *t);

/* Returns whether the side is believed to have sent its FIN; *end is then the number after it. */
bool track_fin(const struct track *t, enum track_side side, struct seq *end);

/* Returns whether the other side has acknowledged that FIN. */
bool track_fin_acked(const struct track *t, enum track_side side);

/* Returns the side's state alone. */
static inline enum state track_state(const struct track *t, enum track_side side)
{
    return (enum state)t->half[side].state;
}

/* Returns what is known about a side now. */
struct track_view track_view(const struct track *t, enum track_side side);

/* Does the same for a flow of two strangers: in the cause each side calls the other one "the peer".
 */
struct track_view track_view_stranger(const struct track *t, enum track_side side);

#endif
