/*
 * Declares what the parts of `tcpwave send` share.
 *
 *     send.c           opens everything, runs, and returns the exit status
 *     send_options.c   the options
 *     send_segment.c   the segment: its data, its numbers, and all its fields
 *     send_loop.c      sends what is due, and ends the run
 *     send_arrival.c   takes what the capture shows
 *     send_match.c     finds the segment that an answer belongs to
 *     send_findings.c  why there is no answer, or none that counts
 *     send_report.c    counts the answers, and prints them
 */
#ifndef TCPWAVE_CMD_SEND_H
#define TCPWAVE_CMD_SEND_H

#include "cmd/resolve.h"
#include "cmd/send_findings.h"
#include "cmd/send_match.h"
#include "cmd/send_options.h"
#include "cmd/send_report.h"
#include "cmd/view.h"
#include "lib/core/diag.h"
#include "lib/io/files.h"
#include "lib/run/loop.h"
#include "lib/run/port.h"
#include "lib/wire/crafted.h"

#define SEND_DATA_MAX UINT16_MAX

/* Holds the state of one run. */
struct send {
    const struct send_options *options;
    struct target target;
    struct target_list list; /* the target's addresses; `target` is the first one */
    struct resolve names;
    bool bulk;

    struct port *port;
    struct loop loop;
    struct crafted *crafted;
    struct crafted_segment segment; /* the fields of the next segment */
    struct match_plan plan;
    struct match *match;
    struct tally tally;
    struct send_seen seen;
    struct figures figures;
    uint32_t arrived;  /* segments received */
    uint32_t piece;    /* the first fragment of the next segment that is not queued yet */
    bool captured_too; /* the capture shows our segments in a form that can be parsed */

    struct report report;
    struct view view;
    struct send_lines lines;
    int signals;

    wave_time started, first, last; /* when the run began; when the first and last segment left */
    wave_time end;                  /* of --timeout, or WAVE_NEVER */
    int signal;
    bool failed;
    struct diag error;
    uint8_t data[SEND_DATA_MAX];
};

/* Takes note of a failure of this host. The first one is reported. */
static inline void send_fail(struct send *s, const struct diag *d)
{
    if (!s->failed)
        s->error = *d;
    s->failed = true;
}

/* Prepares the run before anything is sent: reads the data, chooses the numbers, and builds the
 * first segment to see whether it can be built. */
int send_plan(struct send *s, struct source *source, struct diag *d);

/* Sends the segments, and handles what comes, until the run is over. */
void send_perform(struct send *s);

/* Handles a captured packet, as struct loop_ops has it; `self` is the run. */
bool send_take_packet(void *self, const struct wire_packet *p);

/* Reports segment `i` of ours, whose fields are in `p`. */
void send_report_ours(struct send *s, uint64_t i, wave_time stamp, const struct packet *p);

#endif
