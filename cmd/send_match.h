/*
 * Finds the segment of ours that an answer belongs to. The segments of a run differ only in source
 * port and sequence number, and both are fixed or count up. So the numbers of each segment follow
 * from its index in the run, and an answer is found by arithmetic, without a search. Pure.
 *
 * An answer belongs to the segment that it acknowledges: with the ACK flag by its SEG.ACK, a RST
 * without ACK by its SEG.SEQ, which is our SEG.ACK (RFC 9293, 3.10.7.1). If several unanswered
 * segments have the same numbers, the oldest is taken, and no round trip is measured (Karn's
 * algorithm: RFC 6298, section 3). A segment with other numbers is a stray, with two exceptions,
 * which are marked as unexpected:
 *
 *   - a bare ACK: this is how a connection answers a segment that it did not expect, with numbers
 *     of its own (RFC 5961, sections 3 to 5);
 *   - a RST: it says that the port is closed, with any numbers, and some hosts acknowledge too
 *     little in it, or leave out the ACK.
 */
#ifndef TCPWAVE_CMD_SEND_MATCH_H
#define TCPWAVE_CMD_SEND_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"
#include "lib/core/time.h"

/* Says what all segments of the run have in common, and how they differ. */
struct match_plan {
    uint32_t seq, ack; /* of the first segment */
    uint16_t flags;
    uint32_t len;   /* SEG.LEN: data, SYN and FIN */
    uint32_t step;  /* from one sequence number to the next, at most MATCH_STEP; 0: fixed */
    uint16_t lport; /* the first source port */
    uint16_t ports; /* the number of ports, from `lport` on, that are used in turn */
    wave_time wait; /* an answer that takes longer is late */
    uint64_t count; /* segments in the run; memory is allocated for no more than these */
};

#define MATCH_STEP 65535u
#define MATCH_MEMORY (1u << 20) /* segments that are remembered at most: the last ones */

/* Classifies answers. */
enum answer_kind {
    ANSWER_SYN_ACK,
    ANSWER_RST,
    ANSWER_ACK,
    ANSWER_OTHER, /* data, FIN, a SYN without ACK, no flag at all, ... */
    ANSWER_ICMP,
    ANSWER_KINDS
};

/* Says what an answer was found to be. */
struct match_result {
    enum answer_kind kind;
    bool stray;        /* answers no segment of ours, or one that is no longer remembered; then the
                          fields below are not valid */
    uint64_t to;       /* the segment that it answers, from 0 */
    wave_time rtt;     /* WAVE_NEVER: not known */
    bool duplicate;    /* the segment has been answered before */
    bool late;         /* it took longer than `wait` */
    bool out_of_order; /* a segment that was sent later has been answered before it */
    bool unexpected;   /* a bare ACK or a RST whose numbers do not follow from the segment's */
};

/* Remembers the segments that were sent. */
struct match;

/* Creates *out for a run. Returns 0, and match_close() frees it, or WAVE_ENOMEM. */
int match_open(struct match **out, const struct match_plan *plan);

/* Frees `m`, which may be NULL. */
void match_close(struct match *m);

/* Return the source port and the sequence number of segment `i`, counted from 0. */
uint16_t match_port(const struct match_plan *p, uint64_t i);
uint32_t match_seq(const struct match_plan *p, uint64_t i);

/* Records that the next segment has been sent, at this time as far as the sender knows. */
void match_sent(struct match *m, wave_time stamp);

/* Records that the capture has shown a segment of ours with these numbers. Its time replaces the
 * sender's, since it is more exact. Returns true and the segment in *i, or false if no segment that
 * was sent and not yet captured has these numbers. */
bool match_seen(struct match *m, uint16_t lport, uint32_t seq, wave_time stamp, uint64_t *i);

/* Finds what a segment that came to our port `lport` answers, and records the answer. */
struct match_result match_answer(struct match *m, uint16_t lport, const struct seg *s,
                                 wave_time stamp);

/* Does the same for an ICMP error. `seq` is the sequence number that it quotes, or NULL if it
 * quotes too little. */
struct match_result match_icmp(struct match *m, uint16_t lport, const uint32_t *seq,
                               wave_time stamp);

/*
 * Finds the next segment, in the order of sending, that was sent before `stamp` - wait and has no
 * answer. Returns true and the segment in *i. To be called until it returns false.
 */
bool match_unanswered(struct match *m, wave_time stamp, uint64_t *i);

/* Returns when the oldest segment without an answer will have waited for `wait`, or WAVE_NEVER if
 * every segment has an answer. */
wave_time match_expiry(struct match *m);

/* Returns when the segment that was sent last will have waited for `wait`; WAVE_NEVER: there is
 * none. */
wave_time match_over(const struct match *m);

bool match_left(const struct match *m);         /* whether the capture has shown one of them */
uint64_t match_count(const struct match *m);    /* returns the number of segments sent */
uint64_t match_answered(const struct match *m); /* returns how many of them have an answer */

#endif
