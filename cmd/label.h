/* What stands on a segment's arrow, as pieces that a drawing may break between. */
#ifndef TCPWAVE_CMD_LABEL_H
#define TCPWAVE_CMD_LABEL_H

#include "cmd/report.h"
#include "cmd/term.h"

#define LABEL_PIECES 24

struct label {
    struct label_piece {
        enum tone tone;
        char text[64];
    } piece[LABEL_PIECES];
    unsigned count;
    unsigned options; /* the first piece that is an option, or `count` */
};

/*
 * Flags, what is remarkable, numbers relative to each side's ISN, length, window, options. With
 * `terse`, ACK is left unsaid beside PSH: the acknowledgement's number says it; and so is a window
 * that has not changed. With `verbose`, absolute numbers, TTL and timestamps as well.
 */
void label_segment(struct label *l, const struct report_segment *g, bool terse, bool verbose);

#endif
