/*
 * The drawing of an exchange as it happens: a line of life for each side, an arrow for each
 * segment, and what state each side is in. Long transfers are drawn in part.
 */
#ifndef TCPWAVE_CMD_LADDER_H
#define TCPWAVE_CMD_LADDER_H

#include "cmd/report.h"
#include "cmd/term.h"

#define LADDER_ROWS 24 /* of plain data between two changes of state, before rows are left out */

struct ladder {
    struct term term;
    unsigned verbose; /* 1: absolute numbers and every segment; 2: bytes */
    /* Where the columns begin. */
    unsigned state, left, right, peer, cause;
    bool folds_probes; /* a row says what became of a probe: its segments are not drawn */
    bool begun;
    bool assumed;   /* a state was drawn with its mark */
    bool transient; /* a line that the next one is to be drawn over stands there */
    enum state local, peer_state;
    unsigned plain; /* rows of data since the last change of state */
    struct {
        uint64_t segments, bytes, retransmissions, out_of_order;
        wave_time first, last;
    } left_out;
    wave_time drawn; /* when the transient line was last drawn */
};

void ladder_init(struct ladder *l, const struct term *term, unsigned verbose);

/* A report_sink; `self` is a struct ladder. */
void ladder_event(void *self, const struct report_event *event);

#endif
