/* What stands on a segment's arrow, as pieces that a drawing may break between. */
#ifndef TCPWAVE_SHOW_LABEL_H
#define TCPWAVE_SHOW_LABEL_H

#include "lib/report/report.h"
#include "lib/show/term.h"

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

/* Puts a remark behind the flags, as label_segment() does with what it knows itself. */
void label_remark(struct label *l, enum tone tone, const char *text);

/* How many pieces from `first` on fit into `room` columns, at least one: the next one, and in
 * *width what they take. The options stay together, if they can, on a line of their own. `width`
 * may be NULL. */
unsigned label_fit(const struct label *label, unsigned first, unsigned room, unsigned *width);

/* Whether the segment tells that its sender had something twice (D-SACK; RFC 2883, section 4): the
 * first block lies below the acknowledgement, or within the second block. */
bool label_is_dsack(const struct seg *s);

#endif
