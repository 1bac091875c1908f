/*
 * Figures: what a command found out beside the flow itself, as a typed list. The command fills the
 * list, and a renderer prints it without knowing the command. A program reads the members, which
 * have types and stand in groups; a person reads the rows, each a label and a sentence.
 *
 * The list is bounded, and the command decides how much it takes, not the peer. What does not fit
 * is left out whole and counted, so that no caller has to check a result, and every open group can
 * be closed.
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
    FIGURE_SECONDS, /* u.time, in nanoseconds; printed in seconds, WAVE_NEVER as unknown */
    FIGURE_BOOL,    /* u.boolean */
    FIGURE_TEXT,    /* u.text, which must live as long as the list; NULL: unknown */
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
    unsigned depth;   /* open groups */
    unsigned skipped; /* open groups that were left out */
    struct figures_row {
        char label[16];
        char text[FIGURES_TEXT];
    } row[FIGURES_ROWS];
    unsigned rows;
    unsigned left_out; /* items and rows that did not fit */
};

/* Makes the list empty. A list that is all zero is empty too. */
void figures_clear(struct figures *f);

/* Add a member; `name` is a static string. */
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

/* Adds a group of min, median, p95 and max, or "unknown" if nothing was measured. */
void figures_histogram(struct figures *f, const char *name, const struct histogram_summary *s);

/* Adds, as members of the open group, how many connections ended with each verdict. `counts` has
 * REPORT_VERDICTS of them; no connection ends with VERDICT_USAGE. */
void figures_verdicts(struct figures *f, const uint32_t *counts);

/* Writes the counts that are not zero in words, such as "1,000 open, 12 refused"; `open` is the
 * word for VERDICT_OPEN. Returns text, which is empty if all are zero. */
const char *figures_verdicts_text(const uint32_t *counts, const char *open, char *text,
                                  size_t room);

/* Adds a row for a person. An empty label continues the row above. */
void figures_row(struct figures *f, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
