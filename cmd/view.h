/*
 * What a run is shown by: the drawing or JSON Lines on the report's stream, the capture file, the
 * picture. One set for every command: opened in the order that privileges and the sandbox want,
 * handed to the run as sinks, and ended under its verdict.
 */
#ifndef TCPWAVE_CMD_VIEW_H
#define TCPWAVE_CMD_VIEW_H

#include "cmd/command.h"
#include "cmd/options_show.h"
#include "cmd/target.h"
#include "lib/io/outbuf.h"
#include "lib/report/report.h"
#include "lib/run/loop.h"
#include "lib/show/json.h"
#include "lib/show/ladder.h"
#include "lib/show/pcapng.h"
#include "lib/show/svg.h"
#include "lib/show/term.h"

struct view {
    const struct show_options *show;
    struct outbuf *out; /* the report's stream */
    struct term term;   /* what may be drawn on it */
    struct ladder ladder;
    struct render_json json;
    struct pcapfile *pcap;         /* or NULL */
    struct svg *svg;               /* or NULL */
    wave_time (*time)(void *self); /* since the run's first event, for a remark on a gap */
    void *self;
};

/* Opens the files of --pcap and --svg, as the person who called. To be called before the privileges
 * are dropped. WAVE_ESYS or WAVE_ENOMEM, with *d filled in; view_close() is due in any case. */
int view_open_files(struct view *v, const struct show_options *o, struct diag *d);

/* Opens the report's stream; `time` says how far the run has come. WAVE_ENOMEM and WAVE_ESYS. */
int view_open(struct view *v, const char *interface, wave_time (*time)(void *self), void *self,
              struct diag *d);

/* Adds the picture, and JSON or the drawing with its summary, to a stream of events. */
void view_follow(struct view *v, struct report *r, bool folds_probes);

/* Likewise, but with a table in place of the drawing and its summary. */
void view_tabulate(struct view *v, struct report *r);

/* The loop is to wait for the readers of both streams. */
void view_join(struct view *v, struct loop *l);

/* Writes a captured packet to the capture file, if there is one; `comment` may be NULL. */
int view_save_packet(struct view *v, const struct wire_packet *p, const char *comment,
                     struct diag *d);

/* Writes out what was told so far, as much as its readers take. WAVE_ESYS or WAVE_ENOMEM, with *d
 * filled in, when it cannot be written. */
int view_flush(struct view *v, struct diag *d);

/*
 * The end, in two steps, with the verdict's events between them. The first gives those that read
 * along time to take what they have not taken yet, tells in *v what they left, and ends capture
 * file and picture under the verdict; a failure makes the verdict local, whose message then is
 * *failure's. The second waits for the reader of the last lines, and returns the exit status.
 */
void view_drain(struct view *v, struct report_verdict *verdict, wave_time stamp,
                struct outbuf_end *end, struct diag *failure);
int view_end(struct view *v, const struct report_verdict *verdict, struct outbuf_end *end);

/* Closes and frees all of it. */
void view_close(struct view *v);

/* Says on standard error which target was taken out of a URL; silent with --quiet and --json. */
void view_note_url(const struct show_options *o, const struct target_name *name);

/* A run that could not begin: the line for a person and, where asked for, the JSON verdict.
 * Returns the exit status. */
int view_refuse(const struct command *c, const struct show_options *o, const struct diag *d);

#endif
