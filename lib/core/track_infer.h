/*
 * The inference behind track.h, in two parts: what a segment proves about its sender, and what it
 * lets one assume about its receiver. Only track.c calls these functions; it handles the sequence
 * numbers.
 */
#ifndef TCPWAVE_CORE_TRACK_INFER_H
#define TCPWAVE_CORE_TRACK_INFER_H

#include "lib/core/track.h"

/* The bits of track_half.seen: what is certain about a side, and what is expected of the other
 * side. */
enum {
    SEEN_ANY = TRACK_SEEN_ANY,   /* a segment of it was seen: `next` is valid */
    SEEN_SYN = 1 << 1,           /* `isn` is valid */
    SEEN_ACK = 1 << 2,           /* `acked`, `edge` and `wnd` are valid */
    SEEN_FIN = 1 << 3,           /* `fin` is valid */
    SEEN_BARE_SYN = 1 << 4,      /* it sent a SYN without ACK: it opened actively */
    SEEN_OPEN = 1 << 5,          /* it knows that its SYN was acknowledged, or has sent a FIN */
    SEEN_LAST_NOT_FIN = 1 << 6,  /* the number before `next` is known to be SYN or data, not FIN */
    SEEN_FIN_FIRST = 1 << 7,     /* it sent its FIN before it had the other side's */
    SEEN_FIN_LAST = 1 << 8,      /* it had the other side's FIN before it sent its own */
    SEEN_FIN_ACKED = 1 << 9,     /* it knows that its FIN was acknowledged */
    SEEN_RST = 1 << 10,          /* it sent an RST: it is gone */
    SEEN_RST_SENT_TO = 1 << 11,  /* the other side's RST was on its way to it at `opened_at` */
    SEEN_SILENT = 1 << 12,       /* track_silent() was called */
    SEEN_PROBE = 1 << 13,        /* its probe waits for an answer */
    SEEN_UNACCEPTABLE = 1 << 14, /* its SYN or RST was unacceptable and may cause a challenge ACK */
    SEEN_WSCALE = 1 << 15,       /* `shift` is valid */
    SEEN_OVERRUN = 1 << 16,      /* `overrun` is valid */
    SEEN_OVERRUN_FIN = 1 << 17,  /* there is a FIN before `overrun` */
    SEEN_UNSENT_ACK = 1 << 18,   /* `unsent_ack` is valid */
    SEEN_UNCERTAIN_FIN = 1 << 19, /* what lies before `fin` was not seen: the number before may have
                                     been its FIN, too, and `fin` a byte */
    SEEN_OVERRUN_DATA = 1 << 20,  /* there is a byte of data before `overrun` */
    SEEN_WINDOW_CLOSED = 1 << 21, /* it offered a window of 0, or shrank its window */
    SEEN_WINDOW_SHRUNK = 1 << 22, /* it shrank its window */
    SEEN_LOST_FIN = 1 << 23,      /* `lost` is valid */
    SEEN_LOST_FINS = 1 << 24,     /* there was more than one such FIN */
    SEEN_BYTE = 1 << 25,          /* one byte before `next` was seen, of a probe or of the stream */
    SEEN_SYN_UNANSWERED = 1 << 26 /* it sent a SYN, and no SYN-ACK of the other side came since */
};

/* Returns whether any of these bits is set. */
static inline bool seen(const struct track_half *h, uint32_t bits)
{
    return (h->seen & bits) != 0;
}

/* Says why a side is believed to be in its state: an index into the texts of track_view.cause. */
enum cause {
    CAUSE_NONE,
    CAUSE_SYN,
    CAUSE_SYN_REPEATED,
    CAUSE_SYN_ACK,
    CAUSE_SYN_ACK_REPEATED,
    CAUSE_SYN_CROSSED,
    CAUSE_SYN_ACK_SENT,
    CAUSE_HANDSHAKE_SENT,
    CAUSE_ACKED_SYN,
    CAUSE_ACKED_DATA,
    CAUSE_DATA,
    CAUSE_ACK,
    CAUSE_ANSWER,
    CAUSE_PROBE,
    CAUSE_FIN_SENT,
    CAUSE_ACKED_FIN,
    CAUSE_FIN,
    CAUSE_FIN_REPEATED,
    CAUSE_FIN_AND_ACK,
    CAUSE_FIN_CROSSED,
    CAUSE_FIN_ACK_SENT,
    CAUSE_ACKED_AFTER_FIN,
    CAUSE_REFUSED,
    CAUSE_RST,
    CAUSE_RST_SENT,
    CAUSE_FOLLOWED,
    CAUSE_MISFITS,
    CAUSE_STOPS,
    CAUSE_COUNT
};

/* TRACK_REPEAT_MIN in ticks of 2^20 ns, less one, since both ends of an interval are rounded
 * down. */
#define REPEAT_TICKS ((uint32_t)(TRACK_REPEAT_MIN >> 20) - 1)

/* A segment seen this long after another one has not crossed it on the way: a second, in ticks. */
#define CROSSING_TICKS (1u << 10)

#define TRACK_MISFITS 2 /* segments that do not fit: so many fit together by more than chance */

/* The segment being examined, after its numbers were entered into `x`. */
struct inference {
    struct track *t;
    struct track_half *x, *y; /* its sender and its receiver */
    const struct seg *s;
    uint32_t number, now; /* now is in ticks of 2^20 ns */
    unsigned notes;       /* TRACK_... */
    bool idle;            /* neither side was seen to send anything for a second before it */
    bool newer;           /* it acknowledges more than any earlier segment of x */
};

/* Concludes that the sender was in `state` when it sent this. An earlier proof of the same state
 * stays, unless it was put in doubt; a proof of a later state always stays. */
void infer_proved(const struct inference *l, enum state state, enum cause cause);

/* Assumes, since nothing contradicts it, that `h` is in `state` from this segment on. */
void infer_assumed(struct track_half *h, uint32_t number, enum state state, enum cause cause);

/* Returns whether the flow was seen from its beginning, so that what was not seen was not sent (or
 * was lost before it came here). */
bool infer_whole(const struct inference *l);

/* Called when x acknowledged bytes of y that were not believed or not seen; `fin` says that a FIN
 * is among them. */
void infer_followed(const struct inference *l, bool fin);

/* Called when x has acknowledged y's FIN. This proves nothing here, but no state from before the
 * FIN can stand. */
void infer_got_fin(const struct inference *l);

/* After two different SYN-ACKs: where x's first ACK acknowledges the former, that one opened the
 * connection (RFC 9293, 3.10.7.3). The other's sender may be another host, or y, which forgot the
 * former. */
void infer_syn_ack(const struct inference *l);

/* Called when x sent something that does not fit what is known about the flow, and may be right. */
void infer_misfit(const struct inference *l);

/* Called when the place of x's FIN is ambiguous, and y can have accepted one or the other: what was
 * proved about either side is assumed. */
void infer_fin_ambiguous(const struct inference *l);

/* Concludes what an acceptable segment without SYN and RST proves about its sender. */
void infer_sender(const struct inference *l);

/* Concludes what a segment without RST lets one assume about its receiver. */
void infer_receiver(const struct inference *l);

/* Does what track_segment() does, without its shortcut for plain segments: the tests hold one
 * against the other. */
unsigned track_segment_in_full(struct track *t, wave_time at, enum track_side from,
                               const struct seg *s);

#endif
