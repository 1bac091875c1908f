/*
 * Which of our segments an answer answers. The segments of a run differ in their source port and
 * sequence number only, both fixed or counting up, so that the numbers of each follow from its
 * place in the run: an answer is looked up by arithmetic and not by search. Pure.
 *
 * An answer belongs to the segment that it acknowledges: one with ACK by SEG.ACK, a RST without ACK
 * by its SEQ, which is our SEG.ACK (RFC 9293, 3.10.7.1). Where several unanswered segments have the
 * same numbers the oldest is taken, and there is no round trip to speak of (Karn: RFC 6298, section
 * 3). What has other numbers answers nothing of ours, with two exceptions, which are marked. A bare
 * ACK: a connection that was met by what it did not expect tells its own (RFC 5961, sections 3 to
 * 5). And a RST, which says that the port is closed with any number: some hosts acknowledge too
 * little in it, or leave the ACK out.
 */
#ifndef TCPWAVE_CMD_SEND_MATCH_H
#define TCPWAVE_CMD_SEND_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"
#include "lib/core/time.h"

/* What all segments of the run have in common, and how they differ. */
struct match_plan {
    uint32_t seq, ack; /* of the first */
    uint16_t flags;
    uint32_t len;   /* SEG.LEN: data, SYN and FIN */
    uint32_t step;  /* from one sequence number to the next; 0: fixed. At most MATCH_STEP */
    uint16_t lport; /* the first source port */
    uint16_t ports; /* how many, from there on, are used in turn */
    wave_time wait; /* an answer that takes longer is late */
    uint64_t count; /* of segments in the run, as far as known: no more memory is taken for it */
};

#define MATCH_STEP 65535u
#define MATCH_MEMORY (1u << 20) /* segments remembered at most: the last ones */

enum answer_kind {
    ANSWER_SYN_ACK,
    ANSWER_RST,
    ANSWER_ACK,
    ANSWER_OTHER, /* data, FIN, a SYN without ACK, no flag at all, ... */
    ANSWER_ICMP,
    ANSWER_KINDS
};

struct match_result {
    enum answer_kind kind;
    bool stray;        /* it answers no segment of ours, or one long forgotten; no more is valid */
    uint64_t to;       /* the segment, from 0 */
    wave_time rtt;     /* WAVE_NEVER: not known */
    bool duplicate;    /* the segment had an answer already */
    bool late;         /* it took longer than `wait` */
    bool out_of_order; /* a segment sent after it was answered before it */
    bool unexpected;   /* a bare ACK, or a RST, of other numbers than were to be expected */
};

struct match;

/* WAVE_ENOMEM. */
int match_open(struct match **out, const struct match_plan *plan);

/* NULL is taken. */
void match_close(struct match *m);

/* Source port and sequence number of segment `i`, from 0. */
uint16_t match_port(const struct match_plan *p, uint64_t i);
uint32_t match_seq(const struct match_plan *p, uint64_t i);

/* The next segment went out, at this time as far as its sender knows. */
void match_sent(struct match *m, wave_time stamp);

/* The capture saw a segment of ours with these numbers: its time is the better one. True and *i,
 * or false when it is none that waits for that. */
bool match_seen(struct match *m, uint16_t lport, uint32_t seq, wave_time stamp, uint64_t *i);

/* A segment came to our port `lport`. */
struct match_result match_answer(struct match *m, uint16_t lport, const struct seg *s,
                                 wave_time stamp);

/* An ICMP error about a segment of ours came; `seq` is NULL where it quotes too little. */
struct match_result match_icmp(struct match *m, uint16_t lport, const uint32_t *seq,
                               wave_time stamp);

/*
 * The next segment, in order, that was sent before `stamp` - wait, and has no answer: true and *i.
 * To be called until it is false.
 */
bool match_unanswered(struct match *m, wave_time stamp, uint64_t *i);

/* When the oldest one without an answer will have waited long enough; WAVE_NEVER: there is none. */
wave_time match_expiry(struct match *m);

uint64_t match_count(const struct match *m);    /* segments sent */
uint64_t match_answered(const struct match *m); /* of them with an answer */

#endif
