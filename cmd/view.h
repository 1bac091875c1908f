/*
 * Shows a run: by the drawing or JSON Lines on the report's stream, by the capture file and by the
 * picture. All commands share this code. It opens files and streams in the order that privileges
 * and the sandbox need, adds the renderers to the stream of events as sinks, and ends all of them
 * with the verdict.
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

/* Holds what shows one run. It is closed when zeroed. */
struct view {
    const struct show_options *show;
    struct outbuf *out; /* the report's stream */
    struct term term;   /* what a drawing on it may use */
    struct ladder ladder;
    struct render_json json;
    struct pcapfile *pcap;         /* or NULL */
    struct svg *svg;               /* or NULL */
    wave_time (*time)(void *self); /* since the run's first event, for remarks about left-out lines */
    void *self;
};

/* Opens the files of --pcap and --svg, with the rights of the user who called tcpwave. To be called
 * before the privileges are dropped. Returns 0, or WAVE_ESYS or WAVE_ENOMEM with *d filled in;
 * view_close() is due in any case. */
int view_open_files(struct view *v, const struct show_options *o, struct diag *d);

/* Opens the report's stream, and begins the capture file, for packets of that interface
 * (NULL: of none).
 * `time(self)` must return the time since the run's first event. Returns 0, or WAVE_ENOMEM or
 * WAVE_ESYS with *d filled in. */
int view_open(struct view *v, const struct wire_info *info, wave_time (*time)(void *self),
              void *self, struct diag *d);

/* Adds the picture, and JSON or the drawing with its summary, to a stream of events as sinks.
 * `folds_probes`: the drawing shows a series of keepalive probes in one row. */
void view_follow(struct view *v, struct report *r, bool folds_probes);

/* Adds JSON, or a table of figures, to a stream of events; for commands that draw no segments. */
void view_tabulate(struct view *v, struct report *r);

/* Has the loop write both streams, the report and the capture file, whenever their readers have
 * room. */
void view_join(struct view *v, struct loop *l);

/* Writes a captured packet to the capture file, if there is one; `comment` may be NULL. Returns 0,
 * or the error of pcapfile_packet() with *d filled in. */
int view_save_packet(struct view *v, const struct wire_packet *p, const char *comment,
                     struct diag *d);

/* Writes out what has been reported so far, as much as the readers take. Returns 0, or WAVE_ESYS or
 * WAVE_ENOMEM with *d filled in if it cannot be written. */
int view_flush(struct view *v, struct diag *d);

/*
 * End the view, in two steps; the caller reports the verdict between them.
 *
 * view_drain() gives the readers time to take what they have not read yet, counts in *verdict what
 * had to be left out, and ends the capture file and the picture with the verdict. If one of these
 * files cannot be written the verdict becomes local, with the reason in *failure as its message. If
 * a signal ends the wait, verdict->exit becomes 128 plus its number.
 *
 * view_end() waits for the reader of the last lines, and returns the exit status.
 */
void view_drain(struct view *v, struct report_verdict *verdict, wave_time stamp,
                struct outbuf_end *end, struct diag *failure);
int view_end(struct view *v, const struct report_verdict *verdict, struct outbuf_end *end);

/* Closes and frees all of it. */
void view_close(struct view *v);

/* Says on standard error which target was taken out of a URL; silent with --quiet and --json. */
void view_note_url(const struct show_options *o, const struct target_name *name);

/* Reports that a run could not begin: with a line on standard error and, with --json, a verdict.
 * Returns the exit status. */
int view_refuse(const struct command *c, const struct show_options *o, const struct diag *d);

/* Does the same where the wire could not be opened, for that reason (WAVE_E...). With WAVE_ESELF
 * the verdict has a finding. */
int view_refuse_to_open(const struct command *c, const struct show_options *o, int error,
                        const struct diag *d);

/* Does the same. If `signal` is not 0, that signal is why: then the verdict is `failed`, and the
 * exit status 128 plus its number. */
int view_refuse_by(const struct command *c, const struct show_options *o, const struct diag *d,
                   int signal);

#endif
