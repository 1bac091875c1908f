/*
 * What a drawing shows of the stream of events, one row after the other: the ladder on a terminal
 * and the picture draw the same rows with the same words. Here is decided what is worth a row,
 * what of a long transfer is left out, and where a silence is told instead of shown.
 */
#ifndef TCPWAVE_SHOW_ROWS_H
#define TCPWAVE_SHOW_ROWS_H

#include "lib/report/report.h"
#include "lib/show/term.h"

#define ROWS_PLAIN 24        /* of plain data between two changes of state; more are left out */
#define ROWS_AFTER_SILENCE 8 /* of them there is room again after a silence */
#define ROWS_UNFIT 8         /* RSTs that change nothing, and challenge ACKs; more are left out */
#define ROWS_UNFIT_PAUSE (10 * WAVE_S) /* behind which there is room for as many again */
#define ROWS_SILENCE (500 * WAVE_MS) /* without a row: worth one of its own */
#define ROWS_TEXT 400

enum row_kind {
    ROW_PEER,     /* a connection begins, one of several: who it is from */
    ROW_SEGMENT,  /* an arrow; event->u.segment */
    ROW_ICMP,     /* an arrow of somebody's, with `text` on it */
    ROW_REMARK,   /* something happened on our side, or to what is known */
    ROW_SILENCE,  /* nothing for as long as `text` says */
    ROW_LEFT_OUT, /* `text` tells what was not drawn */
    ROW_END       /* no more rows */
};

struct row {
    enum row_kind kind;
    wave_time at;     /* since the run's first event */
    wave_time since;  /* of ROW_SILENCE and ROW_LEFT_OUT: when it began; else as `at` */
    enum tone tone;   /* of `text` */
    const char *text; /* or NULL; valid during the call */
    const struct report_event *event; /* what the row is about, or comes before */
};

typedef void row_sink(void *self, const struct row *row);

/* Segments that have no row of their own, so far. */
struct rows_left_out {
    uint64_t segments, bytes, retransmissions, out_of_order, resets;
    wave_time first, last;
};

struct rows {
    row_sink *draw;
    void *self;
    bool all;            /* nothing is left out */
    bool folds_probes;   /* unless `all`: of our probes only what became of them has a row, of the
                            peer's only the probe */
    bool begun;          /* `last` is valid */
    wave_time last;      /* of the latest event that was drawn or counted */
    unsigned plain;      /* rows of data since the last change of state */
    unsigned unfit;      /* rows of RSTs that change nothing and of challenge ACKs, in a row */
    wave_time unfit_at;  /* the last one */
    uint32_t connection; /* of the last segment, and the peer as its row showed it */
    struct track_view peer;
    struct rows_left_out left_out;
};

/* `draw` is called for each row, with `self`. */
void rows_init(struct rows *r, row_sink *draw, void *self, bool all);

/* Draws what the event is worth: no row, one, or several. */
void rows_event(struct rows *r, const struct report_event *event);

/* "68 segments, 103.7 KiB in 211.6 ms, 13 again" */
const char *rows_left_out_text(const struct rows_left_out *l, char text[ROWS_TEXT]);

#endif
