/*
 * Figures: what a command found out beside the flow itself, as a typed list. The command fills it;
 * a renderer prints it without knowing the command. A program reads the members, in groups, with
 * their types; a person reads the rows, each a label and a sentence. The list is bounded, and how
 * much it takes is decided by the command and not by its peer: what is too much is left out whole
 * and counted, so that no caller need look at a result and every group that is open can be closed.
 */
#ifndef TCPWAVE_REPORT_FIGURES_H
#define TCPWAVE_REPORT_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/histogram.h"

#define FIGURES_ITEMS 96
#define FIGURES_DEPTH 4 /* groups within groups */
#define FIGURES_ROWS 16
#define FIGURES_TEXT 416 /* bytes of a row's sentence */

enum figure_kind {
    FIGURE_COUNT,   /* u.count */
    FIGURE_REAL,    /* u.real */
    FIGURE_SECONDS, /* u.time, in nanoseconds; told in seconds, and WAVE_NEVER as unknown */
    FIGURE_BOOL,    /* u.boolean */
    FIGURE_TEXT,    /* u.text, which lives as long as the list; NULL: unknown */
    FIGURE_UNKNOWN, /* no value is known */
    FIGURE_RANGE,   /* u.range: first to last, an element of a list */
    FIGURE_GROUP,   /* the members that follow, up to FIGURE_END, belong to it */
    FIGURE_LIST,    /* the elements that follow, likewise */
    FIGURE_END
};

struct figure {
    enum figure_kind kind;
    const char *name; /* static; NULL for an element of a list and FIGURE_END */
    union {
        uint64_t count;
        double real;
        wave_time time;
        bool boolean;
        const char *text;
        struct {
            uint64_t first, last;
        } range;
    } u;
};

struct figures {
    struct figure item[FIGURES_ITEMS];
    unsigned items;
    unsigned depth;   /* groups that are open */
    unsigned skipped; /* groups that are open and were left out */
    struct figures_row {
        char label[16];
        char text[FIGURES_TEXT];
    } row[FIGURES_ROWS];
    unsigned rows;
    unsigned left_out; /* items and rows for which there was no room */
};

/* Makes the list empty, as one is that is all zeros. */
void figures_clear(struct figures *f);

/* The members; `name` is static. */
void figures_count(struct figures *f, const char *name, uint64_t n);
void figures_real(struct figures *f, const char *name, double value);
void figures_seconds(struct figures *f, const char *name, wave_time t);
void figures_bool(struct figures *f, const char *name, bool boolean);
void figures_text(struct figures *f, const char *name, const char *text);
void figures_unknown(struct figures *f, const char *name);
void figures_range(struct figures *f, uint64_t first, uint64_t last);
void figures_group(struct figures *f, const char *name);
void figures_list(struct figures *f, const char *name);
void figures_end(struct figures *f);

/* A group of min, median, p95 and max, or unknown where there were none. */
void figures_histogram(struct figures *f, const char *name, const struct histogram_summary *s);

/* The members of a group: how many connections ended with each verdict, REPORT_VERDICTS of them;
 * VERDICT_USAGE ends none. */
void figures_verdicts(struct figures *f, const uint32_t *counts);

/* The same in words, those that are not zero: "1,000 open, 12 refused". `open` is the word for
 * VERDICT_OPEN. Empty where there are none. */
const char *figures_verdicts_text(const uint32_t *counts, const char *open, char *text,
                                  size_t room);

/* A row for a person; an empty label continues the row above. */
void figures_row(struct figures *f, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
