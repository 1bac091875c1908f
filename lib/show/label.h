/* The words on a segment's arrow, as pieces between which a drawing may break the line. */
#ifndef TCPWAVE_SHOW_LABEL_H
#define TCPWAVE_SHOW_LABEL_H

#include "lib/report/report.h"
#include "lib/show/term.h"

#define LABEL_PIECES 40

struct label {
    struct label_piece {
        enum tone tone;
        char text[64];
    } piece[LABEL_PIECES];
    unsigned count;
    unsigned options; /* the first piece that is an option, or `words` */
    unsigned words; /* the first one that says what a rule did, on a line of its own, or `count` */
};

/*
 * Makes the label: flags, what is remarkable, numbers relative to each side's ISN, length, window,
 * options. With `terse`, ACK is omitted beside PSH, because the acknowledgement number implies it,
 * and so is a window that has not changed. With `verbose`, timestamps are added, and the header's
 * own values: flags, checksum and IPv4 identification in hexadecimal, absolute numbers, TTL. What a
 * rule of --impair did comes last.
 */
void label_segment(struct label *l, const struct report_segment *g, bool terse, bool verbose);

/* Inserts a remark after the flags, where label_segment() puts its own. */
void label_remark(struct label *l, enum tone tone, const char *text);

/* Returns how far the pieces from `first` on fit into `room` columns, as the index of the next
 * piece, which is at least first + 1, and in *width the columns that they take. The options stay
 * together on a line of their own, if possible. `width` may be NULL. */
unsigned label_fit(const struct label *label, unsigned first, unsigned room, unsigned *width);

/* Returns whether the segment reports that its sender has received something twice (D-SACK; RFC
 * 2883, section 4): the first SACK block lies below the acknowledgement, or within the second
 * block. */
bool label_is_dsack(const struct seg *s);

#endif
