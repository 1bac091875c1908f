/* A scripted exchange of segments, for the tests of what the report makes of the event stream. The
 * segments belong to one connection, have numbers relative to both ISNs, and are a tenth of a
 * millisecond apart. */
#ifndef TCPWAVE_TESTS_REPORT_RIG_H
#define TCPWAVE_TESTS_REPORT_RIG_H

#include <stdio.h>

#include "lib/report/report.h"

#define ORIGIN (1000 * WAVE_S)
#define OUR_ISN 0xfffffff0u /* so that the numbers wrap during the exchange */
#define THEIR_ISN 7000u

/* Holds a stream of events, and what was printed of it. */
struct script {
    struct report report;
    struct report_flow flow;
    wave_time at; /* of the next segment */
    char *text;   /* what was written to `to`, once it is flushed */
    size_t size;
    FILE *to;
};

extern const struct flow script_v4;

/* The options of a present-day SYN. */
extern const struct opt script_syn;

void script_start(struct script *t, const struct flow *flow);
void script_finish(struct script *t);

/* Describes a segment of the script. Its numbers are relative to the ISNs. */
struct step {
    bool out;
    unsigned flags;
    uint32_t seq, ack, len;
    uint16_t wnd;
    bool retransmission, probe, gap, missed, passed, foreign;
    enum state local;
    uint8_t ttl; /* 0: 64 */
    const uint8_t *tcp; /* SEG_HEADER bytes, for the checksum, or NULL */
    uint16_t id; /* IPv4 identification */
    uint8_t ecn; /* ECN_... */
    uint32_t fragments; /* it arrived in so many */
    const uint8_t *mac; /* where it came from */
    const struct impaired *impaired; /* what a rule did to it */
    struct opt opt;
};

void script_say(struct script *t, const struct step *s);

/* Reports a change of our state, caused by the captured segment `evidence`, or by none. */
void script_moved(struct script *t, enum state from, enum state to, uint32_t evidence);

/* Plays the three segments of a handshake, with us as the active side. */
void script_handshake(struct script *t);

#endif
