/*
 * The drawing of one flow of a capture file. Whether there is only one, and so a drawing, may not
 * be known before the end: until then it is drawn into memory, and thrown away when a second flow
 * comes.
 */
#ifndef TCPWAVE_CMD_READ_LADDER_H
#define TCPWAVE_CMD_READ_LADDER_H

#include <stdio.h>

#include "cmd/view.h"
#include "lib/report/flows.h"
#include "lib/wire/dissect.h"

#define READ_HELD ((size_t)4 << 20) /* bytes; a drawing that is longer is shown, whatever follows  \
                                     */

enum read_mode { READ_SUMMARY, READ_UNDECIDED, READ_LADDER };

/* Begins with all zero: READ_SUMMARY. */
struct read_ladder {
    enum read_mode mode;
    struct view *view;
    struct report *report;
    uint32_t number; /* of the flow that is drawn; 0: none yet */
    uint32_t others; /* flows that could be drawn as well */
    struct report_flow flow;
    FILE *held; /* with READ_UNDECIDED: what was drawn */
    char *text;
    size_t len;
    bool live; /* what the terminal is, once nothing is held any more */
    bool over; /* that flow has ended: */
    struct watched ended;
};

/* Begins in a mode; `view` is open, and gets its sinks here. Returns 0, or WAVE_ENOMEM with *d
 * filled in. */
int read_ladder_begin(struct read_ladder *l, enum read_mode mode, struct view *view,
                      struct report *report, struct diag *d);

/* Takes a segment of a flow that may be drawn. Returns whether that has just decided for the
 * summary, of which nothing was written yet. */
bool read_ladder_segment(struct read_ladder *l, const struct flows_taken *t,
                         const struct dissected *p);

/* Takes an ICMP error about a flow. */
void read_ladder_icmp(struct read_ladder *l, const struct watched *w, wave_time stamp,
                      const struct icmp *e);

/* At the end of the file: what was undecided is drawn. */
void read_ladder_end(struct read_ladder *l);

void read_ladder_free(struct read_ladder *l);

#endif
