/*
 * A flow as Zeek's conn.log sums it up: `history` and `conn_state`, so that a capture can be held
 * against Zeek's own log. The letters and states are those of Zeek's documentation
 * (base/protocols/conn/main.zeek); what happens in which order follows Zeek 7.
 *
 *     s h a d f r   SYN, SYN-ACK, pure ACK, data, FIN, RST
 *     t g w         retransmitted data, bytes that were acknowledged and never seen, a window of 0:
 *                   the 1st, the 10th, the 100th, ...
 *     i q           FIN and RST at once; SYN with FIN or RST
 *     ^             the sides were turned round: the responder's segment came first
 *
 * The originator's letters are upper case. Zeek's `c`, a wrong checksum, is never given, since
 * offloads leave checksums open in captures of a host's own traffic; nor is its `x`.
 */
#ifndef TCPWAVE_REPORT_ZEEK_H
#define TCPWAVE_REPORT_ZEEK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/seg.h"
#include "lib/core/track.h"

#define ZEEK_HISTORY 32 /* bytes, with the NUL */

/* Begins with all zero. Side A is the originator. */
struct zeek {
    char history[ZEEK_HISTORY];
    uint8_t length;
    uint8_t state[TRACK_SIDES], before[TRACK_SIDES]; /* of each side; the one before that */
    uint8_t letters[TRACK_SIDES];                    /* those that were given */
    uint32_t syn[TRACK_SIDES], fin[TRACK_SIDES], rst[TRACK_SIDES]; /* numbers of the last ones */
    uint32_t repeated[TRACK_SIDES], zero[TRACK_SIDES], missing[TRACK_SIDES];
    bool data[TRACK_SIDES];
};

/* The first segment came from the responder. */
void zeek_turned(struct zeek *z);

/* Takes a segment. `repeated`: all of its bytes were sent before; `missing`: it acknowledges bytes
 * that were never seen. */
void zeek_segment(struct zeek *z, enum track_side from, const struct seg *s, bool repeated,
                  bool missing);

/* Returns S0, S1, SF, REJ, S2, S3, RSTO, RSTR, RSTOS0, RSTRH, SH, SHR or OTH. */
const char *zeek_state(const struct zeek *z);

#endif
