/*
 * The inference behind track.h, in two halves: what a segment proves of its sender, and what it
 * lets assume of its receiver. Only track.c calls these; the numbers are its part.
 */
#ifndef TCPWAVE_CORE_TRACK_INFER_H
#define TCPWAVE_CORE_TRACK_INFER_H

#include "lib/core/track.h"

/* Bits of track_half.seen: what is certain about a side, and what is expected of the other. */
enum {
    SEEN_ANY = 1 << 0,           /* a segment of it: `next` is valid */
    SEEN_SYN = 1 << 1,           /* `isn` is valid */
    SEEN_ACK = 1 << 2,           /* `acked`, `edge` and `wnd` are valid */
    SEEN_FIN = 1 << 3,           /* `fin` is valid */
    SEEN_BARE_SYN = 1 << 4,      /* a SYN without ACK: it opened actively */
    SEEN_OPEN = 1 << 5,          /* it knows that its SYN was acknowledged, or has sent a FIN */
    SEEN_LAST_NOT_FIN = 1 << 6,  /* the number before `next` is known to be a SYN or data, no FIN */
    SEEN_FIN_FIRST = 1 << 7,     /* it sent its FIN before it had the other's */
    SEEN_FIN_LAST = 1 << 8,      /* it had the other's FIN before it sent its own */
    SEEN_FIN_ACKED = 1 << 9,     /* it knows that its FIN was acknowledged */
    SEEN_RST = 1 << 10,          /* its RST: it is gone */
    SEEN_RST_SENT_TO = 1 << 11,  /* the other's RST was on its way to it at `opened_at` */
    SEEN_SILENT = 1 << 12,       /* track_silent() */
    SEEN_PROBE = 1 << 13,        /* its probe waits for an answer */
    SEEN_UNACCEPTABLE = 1 << 14, /* its SYN or RST was unacceptable and may draw a challenge ACK */
    SEEN_WSCALE = 1 << 15,       /* `shift` is valid */
    SEEN_OVERRUN = 1 << 16,      /* `overrun` is valid */
    SEEN_OVERRUN_FIN = 1 << 17,  /* there is a FIN before `overrun` */
    SEEN_UNSENT_ACK = 1 << 18,   /* `unsent_ack` is valid */
    SEEN_UNCERTAIN_FIN = 1 << 19, /* what lies before `fin` was not seen: the number before may have
                                 been its FIN, too, and `fin` a byte */
    SEEN_OVERRUN_DATA = 1 << 20,  /* there is a byte of data before `overrun` */
    SEEN_WINDOW_CLOSED = 1 << 21, /* a window it offered was 0, or has shrunk */
    SEEN_WINDOW_SHRUNK = 1 << 22, /* a window it offered has shrunk */
    SEEN_LOST_FIN = 1 << 23,      /* `lost` is valid */
    SEEN_LOST_FINS = 1 << 24,     /* there was more than one */
    SEEN_BYTE = 1 << 25, /* one byte, of a probe or of the stream, was seen before `next` */
    SEEN_SYN_UNANSWERED = 1 << 26 /* its SYN, and no SYN-ACK of the other since */
};

/* Whether any of these bits is set. */
static inline bool seen(const struct track_half *h, uint32_t bits)
{
    return (h->seen & bits) != 0;
}

/* Why a side is taken to be in its state: an index into the words of track_view.cause. */
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

/* TRACK_REPEAT_MIN in ticks of 2^20 ns, less one since both ends of an interval are cut off. */
#define REPEAT_TICKS ((uint32_t)(TRACK_REPEAT_MIN >> 20) - 1)

/* What is seen this long after a segment did not cross it on the way: a second, in ticks. */
#define CROSSING_TICKS (1u << 10)

/* A segment under judgement, after its numbers were entered into `x`. */
struct inference {
    struct track *t;
    struct track_half *x, *y; /* who sent it, and to whom */
    const struct seg *s;
    uint32_t number, now; /* now: ticks of 2^20 ns */
    unsigned notes;       /* TRACK_... */
    bool idle;            /* for a second before it, neither side was seen to send anything */
    bool newer;           /* it acknowledges more than any segment of x before it */
};

/* The sender was in `state` when it sent this. An earlier proof of the same state is left to stand
 * unless it had been put in doubt; one of a later state always. */
void infer_proved(const struct inference *l, enum state state, enum cause cause);

/* Nothing speaks against `h` being in `state` from this segment on. */
void infer_assumed(struct track_half *h, uint32_t number, enum state state, enum cause cause);

/* Whether the flow was seen from its beginning on, so that what was not seen was not sent (or was
 * lost before it came here). */
bool infer_whole(const struct inference *l);

/* x acknowledged, up to there, bytes of y that were not believed or not seen. */
void infer_followed(const struct inference *l, bool fin);

/* x has acknowledged y's FIN, which proves nothing here: but no state from before that stands. */
void infer_got_fin(const struct inference *l);

/* x sent what does not fit what is known of the flow, and may be right. */
void infer_misfit(const struct inference *l);

/* y can have taken one FIN of x or another: what was proved of either is assumed. */
void infer_fin_ambiguous(const struct inference *l);

/* What an acceptable segment without SYN and RST proves of its sender. */
void infer_sender(const struct inference *l);

/* What a segment without RST lets assume of its receiver. */
void infer_receiver(const struct inference *l);

#endif
