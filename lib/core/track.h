/*
 * The tracker: what state each side of a flow must be in, how that is known, and by which
 * segment. It sees segments of both directions and their times, and nothing else: no engine, no
 * configuration, so that a live connection and a capture file of two strangers are the same to it.
 *
 * PROVED: the side was in that state when it sent the evidence. ASSUMED: nothing contradicts it,
 * but the segment that would bring it there may have been lost, or a firewall may have answered in
 * its place. UNKNOWN is an answer.
 *
 * How it thinks. A side's own segments prove, segments sent to it only let assume. A segment
 * proves by what its sender must have known: its ACK is exactly RCV.NXT, and the SEQ of a
 * segment without data exactly SND.NXT (RFC 9293, 3.10.7.4). What a side has learnt of its own SYN
 * or FIN being acknowledged shows once it acknowledges a byte that was never sent without that
 * acknowledgement. An assumption stands until a segment that must have been sent later speaks
 * against it: a repeated SYN-ACK or FIN, the answer to a probe.
 *
 * What follows from it, where one might expect otherwise:
 * - Data proves that the handshake is over, but not that no FIN was sent behind it and lost: it may
 *   be a repetition. It proves ESTABLISHED (CLOSE_WAIT) where it is the side's first and comes
 *   within TRACK_REPEAT_MIN of the handshake; later it leaves an earlier proof as it is, or an
 *   assumption, which the next segment without data proves.
 * - In the same way a FIN that acknowledges ours proves LAST_ACK where CLOSE_WAIT had been proved,
 *   and is LAST_ACK assumed where it is the first that acknowledges ours: it may be the repetition
 *   of one that crossed ours and was lost (CLOSING).
 * - A SYN-ACK proves SYN_RECEIVED. RFC 9293, 3.10.4 lets a user CLOSE there, and the SYN-ACK be
 *   repeated from FIN_WAIT_1 afterwards; hosts do not do it, since nobody has such a connection to
 *   close. It would be wrong only where that FIN, too, was lost before it came here.
 * - An ACK that acknowledges no more than our SYN proves nothing against SYN_RECEIVED, not even as
 *   the answer to a probe: that state answers probes as well. A probe of its own does, since that
 *   is sent from synchronized states only; on its SYN's number where it answers nothing, that is,
 *   after a second of silence of both sides: within a window that is shut, hosts answer from there
 *   in SYN_RECEIVED, too.
 * - An answer to a probe does not prove FIN_WAIT_2: the ACK in an unacceptable segment is not
 *   looked at, so that FIN_WAIT_1 would answer the same.
 * - RST: in answer to a SYN, from a side that was never heard, CLOSED is assumed, since a
 *   firewall refuses in just this way. From a side whose handshake was proved to be over, or that
 *   opened actively, and at exactly the number that is next (or that the other side acknowledged
 *   last, which is how a host without the connection resets it), it proves CLOSED: what forges
 *   that sees the connection and could forge anything. Whoever receives it is CLOSED assumed;
 *   LISTEN when it opened passively and had not gone beyond SYN_RECEIVED. An RST elsewhere in the
 *   window moves nothing (RFC 5961, section 3): if it is genuine, the challenge ACK that it
 *   draws brings an exact one.
 * - What one side sent and the other has acknowledged is true, however odd it looked: the bytes of
 *   a peer that overruns the window are followed once they are acknowledged, and so is what a
 *   capture lost once both sides speak of it. What stood proved of the side that sent them is
 *   assumed from then on. An ACK of what was never sent, or a segment beyond the window, moves
 *   nothing by itself, since anybody can forge one; a few that fit together put what is proved of
 *   their sender in doubt.
 * - A segment that crosses the other's RST proves nothing for a second, whichever it is.
 * - A FIN in the place of the SYN is none. A FIN behind what was not seen may stand where a byte
 * was acknowledged, and a SYN at or below what was seen of a flow without its beginning may be that
 *   flow's own, come late: what follows from either is assumed.
 * - Some proofs rest on what was not seen: that no ACK of a FIN went by, that no bytes went without
 *   one. Once a segment was not believed, or is known to have been missed, they are assumptions for
 *   the rest of the flow; and where one was missed, so is every state from before a FIN, since what
 *   looks like an ACK at SND.NXT may be a probe in the place of a FIN that was missed.
 * - Where a side contradicts itself about the place of its FIN, the other may have taken either:
 *   from then on nothing is proved of either side.
 * - An ACK that stops before the other's FIN, long after that FIN, as the answer to a repetition of
 *   it or for the second time, speaks against every state that comes with having that FIN.
 * - An ACK of a SYN-ACK proves ESTABLISHED of a side that had no SYN of the other before: in
 *   SYN_RECEIVED, after a SYN that crossed its own, it may answer that SYN-ACK and not take it. So
 *   it proves nothing where such a SYN was seen, or is among what was missed.
 * - A flow that is seen from the middle on stays UNKNOWN until the bytes before SND.NXT and
 *   RCV.NXT have been seen to be data, or FIN.
 * - TIME_WAIT stays TIME_WAIT: nothing on the wire shows its end.
 * - A SYN with another ISN starts anew after CLOSED or TIME_WAIT; segment numbers go on.
 */
#ifndef TCPWAVE_CORE_TRACK_H
#define TCPWAVE_CORE_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"
#include "lib/core/state.h"
#include "lib/core/time.h"

enum track_side { TRACK_A, TRACK_B, TRACK_SIDES }; /* who sent it; A is us on a live connection */

enum certainty { CERTAINTY_ASSUMED, CERTAINTY_PROVED };

/* The shortest time after which a host sends something again that nobody asked it to repeat:
 * RFC 6298, 2.4 says a second, and no common host goes below this. */
#define TRACK_REPEAT_MIN (200 * WAVE_MS)

/* What is known of one side. `evidence` is the number of a segment, counted from 1 as they were
 * given, or 0; `cause` a few static words, which call side A "we": of B "it acknowledged our FIN",
 * of A "it acknowledged the peer's FIN". An UNKNOWN state is never proved. */
struct track_view {
    enum state state;
    enum certainty certainty;
    uint32_t evidence;
    const char *cause;
};

/* How a segment looked to the watcher, for a renderer. */
enum track_note {
    TRACK_NEW = 0,
    TRACK_RETRANSMISSION = 1 << 0, /* its bytes, SYN or FIN lie below what was sent before: sent
                                      again, or overtaken on the way. Not a SYN-ACK that answers a
                                      repeated SYN: it was asked for, and none was lost */
    TRACK_OUT_OF_ORDER = 1 << 1,   /* it lies beyond a gap */
    TRACK_DUPLICATE_ACK = 1 << 2,  /* RFC 5681, section 2 */
    TRACK_PROBE = 1 << 3,          /* a keepalive probe: one below what was sent last */
    TRACK_PROBE_ANSWER = 1 << 4,   /* the acknowledgement that answers one */
    TRACK_CHALLENGE = 1 << 5,      /* an ACK that answers an unacceptable SYN or RST (RFC 5961) */
    TRACK_OUT_OF_WINDOW = 1 << 6,  /* the receiver will not take it: outside the window, an ACK of
                                      what was never sent, or no ACK at all */
    TRACK_ZERO_WINDOW = 1 << 7,
    TRACK_WINDOW_PROBE = 1 << 8 /* one byte, the first that is not acknowledged, while the
                                   receiver's window is 0 (RFC 9293, 3.8.6.1) */
};

/* The fields are visible so that a caller can hold one by value; they are track.c's own. */
struct track {
    struct track_half {
        struct seq isn;     /* of its SYN */
        struct seq next;    /* the highest sequence number it has sent, plus one */
        struct seq acked;   /* the highest number of the other side that it has acknowledged */
        struct seq fin;     /* of its FIN */
        struct seq edge;    /* right edge of the window it offered */
        struct seq before;  /* end of what it sent without acknowledging the other's SYN (or, once
                               there is one, FIN): beyond it lies what only such an ACK carried */
        struct seq overrun; /* end of what it sent beyond the window, which was not believed */
        struct seq
            unsent_ack;     /* the highest number that it acknowledged and that was not believed */
        struct seq lost;    /* behind a FIN of it that was not believed */
        struct seq probed;  /* its SND.NXT when it probed */
        uint32_t max_window; /* the largest window it offered, in bytes */
        uint32_t opened_at; /* when its SYN was seen, or earlier; once reset, when that was. Ticks
                               of 2^20 ns */
        uint32_t fin_at;    /* when its FIN was seen first, in the same ticks */
        uint32_t evidence;
        uint32_t seen; /* bits: SYN, FIN, RST, data, ... */
        uint16_t wnd;  /* as last seen, unscaled */
        uint8_t state, cause, shift;
        uint8_t certainty : 1;
        uint8_t asked : 1;     /* the other has probed it since its state was assumed */
        uint8_t fin_repeated : 1; /* it has repeated its FIN */
        uint8_t stops : 1;     /* its ACKs stop before the other's FIN */
        uint8_t misfits : 2;   /* segments in a row that fit each other, and not what was seen */
    } half[TRACK_SIDES];
    uint32_t number;  /* segments seen */
    uint16_t last_at; /* when the last one was; ticks of 2^28 ns */
    bool gaps : 1;    /* a segment was missed */
    bool missed_before_syn : 1; /* one was missed before the SYN that began the connection */
    bool doubts : 1;  /* a segment was not believed */
    bool fin_ambiguous : 1; /* where a FIN is depends on which segment arrived first */
};

_Static_assert(sizeof(struct track) <= 152, "a tracked flow is at most 152 bytes");

void track_init(struct track *t);

/* A segment that `from` sent, as seen at `at`. Numbers are counted from 1. Returns TRACK_...
 * bits. */
unsigned track_segment(struct track *t, wave_time at, enum track_side from, const struct seg *s);

/* The side has been silent although it owed an answer for long enough (the caller's
 * judgement): what was proved becomes assumed, since a silent peer may be gone, until it is heard
 * again. */
void track_silent(struct track *t, enum track_side side);

/* The watcher has missed a segment of this flow, or may have: what would rest on its having seen
 * everything is assumed from now on. To be called before the next segment is given. */
void track_gap(struct track *t);

/* The same, where it is known that `from` sent these bytes (or a FIN at the end of them), in one
 * segment or several. They count as one, whose place in the order is a guess, and prove nothing.
 * Returns TRACK_... bits. */
unsigned track_missed(struct track *t, enum track_side from, struct seq seq, uint32_t len);

/* Whether the side is taken to have sent its FIN; *end is then the number behind it. */
bool track_fin(const struct track *t, enum track_side side, struct seq *end);

/* Whether the other side has acknowledged that FIN. */
bool track_fin_acked(const struct track *t, enum track_side side);

/* What is known of a side now. */
struct track_view track_view(const struct track *t, enum track_side side);

#endif
