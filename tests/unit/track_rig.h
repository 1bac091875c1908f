/*
 * Drives one tracker in a test. A is us, and B is the peer; both are judged in the same way.
 *
 *     a(SYN, 0, 0, 0);              A's segment: flags, seq, ack, bytes of data
 *     b(SYN | ACK, 0, 1, 0);        B's segment
 *     peer_is(SYN_RECEIVED, PROVED);
 *
 * Numbers are relative to each side's ISN. The ISNs are chosen so that short connections cross 2^32
 * and 2^31. A millisecond passes between two segments unless wait_ms() says more.
 */
#ifndef TCPWAVE_TESTS_UNIT_TRACK_RIG_H
#define TCPWAVE_TESTS_UNIT_TRACK_RIG_H

#include "lib/core/track.h"

enum { FIN = SEG_FIN, SYN = SEG_SYN, RST = SEG_RST, ACK = SEG_ACK, NONE = 0 };
enum { PROVED = CERTAINTY_PROVED, ASSUMED = CERTAINTY_ASSUMED };
enum { LATE = 1000 }; /* milliseconds: long enough for any segment to be a repetition */

/* Holds what a case may change: the next segments are made from this. */
struct track_rig {
    struct track t;
    wave_time now;
    uint32_t iss[TRACK_SIDES];
    uint16_t window[TRACK_SIDES];
    struct opt options; /* of a SYN */
};

extern struct track_rig watched;

/* Resets the rig: the set-up of every case. */
int fresh(void **unused);

void wait_ms(uint32_t milliseconds);

/* Shows the tracker a segment; returns its notes. */
unsigned give(enum track_side from, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len);

#define a(...) give(TRACK_A, __VA_ARGS__)
#define b(...) give(TRACK_B, __VA_ARGS__)

void side_is(enum track_side side, enum state state, unsigned certainty, int line);
void evidence_is(enum track_side side, uint32_t number, const char *cause);

#define peer_is(state, certainty) side_is(TRACK_B, STATE_##state, certainty, __LINE__)
#define we_are(state, certainty) side_is(TRACK_A, STATE_##state, certainty, __LINE__)

/* Plays an active open: A opens, B answers, A acknowledges. These are three segments. */
void open_actively(void);

/* Plays the same, and 100 bytes in each direction, acknowledged: both sides are proved ESTABLISHED.
 * These are seven segments, and then LATE passes. */
void established(void);

/* Play established(), then one side's FIN and the other's ACK of it: nine segments. */
void half_closed(void);
void half_closed_by_the_peer(void);

/* Plays half_closed(), then the peer's FIN and our ACK of it: eleven segments. */
void closed_by_us(void);

#endif
