/*
 * The rows of a drawing, made from the stream of events. The ladder on a terminal and the picture
 * draw the same rows with the same words. What deserves a row, what of a long transfer is left out,
 * and where a silence is named instead of drawn, is decided here.
 */
#ifndef TCPWAVE_SHOW_ROWS_H
#define TCPWAVE_SHOW_ROWS_H

#include "lib/report/report.h"
#include "lib/show/term.h"

#define ROWS_PLAIN                                                                                 \
    24 /* rows of plain data between two changes of state, at most, and as many                    \
          of such to which rules of --impair did something */
#define ROWS_AFTER_SILENCE 8 /* how many of them may follow a silence */
#define ROWS_UNFIT 8         /* rows of challenge ACKs and of RSTs that change nothing, at most */
#define ROWS_UNFIT_PAUSE (10 * WAVE_S) /* after a pause of this length, as many may follow */
#define ROWS_SILENCE (500 * WAVE_MS)   /* without a row: gets a row of its own */
#define ROWS_TEXT 400

enum row_kind {
    ROW_PEER,     /* one of several connections begins: its peer */
    ROW_SEGMENT,  /* an arrow; event->u.segment */
    ROW_ICMP,     /* an arrow from the peer or a router, with `text` on it */
    ROW_REMARK,   /* something happened on our side, or something became known */
    ROW_SILENCE,  /* nothing happened for as long as `text` says */
    ROW_LEFT_OUT, /* `text` says what was not drawn */
    ROW_END       /* no more rows */
};

struct row {
    enum row_kind kind;
    wave_time at;     /* since the run's first event */
    wave_time since;  /* of ROW_SILENCE and ROW_LEFT_OUT: when it began; otherwise the same as
                         `at` */
    enum tone tone;   /* of `text` */
    const char *text; /* or NULL; valid during the call */
    const struct report_event *event; /* the event of this row, or the one that follows it */
};

typedef void row_sink(void *self, const struct row *row);

/* Segments that have no row, counted since the last row. */
struct rows_left_out {
    uint64_t segments, bytes, retransmissions, out_of_order, resets, impaired;
    wave_time first, last;
};

struct rows {
    row_sink *draw;
    void *self;
    bool all;            /* nothing is left out */
    bool folds_probes;   /* unless `all`: our probes have a row only for their result, the peer's
                            only for the probe */
    bool begun;          /* `last` is valid */
    wave_time last;      /* of the latest event that was drawn or counted */
    unsigned plain;      /* rows of data since the last change of state */
    unsigned impaired;   /* of what rules did something to, likewise */
    unsigned unfit;      /* rows of RSTs that change nothing and of challenge ACKs, in a row */
    wave_time unfit_at;  /* the last one */
    uint32_t connection; /* of the last segment, and the peer as its row showed it */
    struct track_view peer;
    struct rows_left_out left_out;
};

/* Begins. `draw` is called for each row, with `self`. */
void rows_init(struct rows *r, row_sink *draw, void *self, bool all);

/* Draws the rows of an event: none, one, or several. */
void rows_event(struct rows *r, const struct report_event *event);

/* Writes "68 segments, 103.7 KiB in 211.6 ms, 13 retransmissions". Returns text. */
const char *rows_left_out_text(const struct rows_left_out *l, char text[ROWS_TEXT]);

#endif
