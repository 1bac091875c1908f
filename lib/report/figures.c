/*
 * Fills the typed list of figures.h: members for programs, rows for people. What does not fit is
 * left out whole, and the groups around it stay balanced.
 */
#include "lib/report/figures.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/core/verdict.h"
#include "lib/report/human.h"
#include "lib/report/report.h"

void figures_clear(struct figures *f)
{
    f->items = f->depth = f->skipped = f->rows = f->left_out = 0;
}

static void add(struct figures *f, struct figure item)
{
    const bool opens = item.kind == FIGURE_GROUP || item.kind == FIGURE_LIST;

    /* For each open group, room for its end is reserved. */
    if (f->skipped || f->items + 1 + f->depth + opens > FIGURES_ITEMS ||
        (opens && f->depth == FIGURES_DEPTH)) {
        f->skipped += opens;
        f->left_out++;
        return;
    }
    f->depth += opens;
    f->item[f->items++] = item;
}

void figures_count(struct figures *f, const char *name, uint64_t n)
{
    add(f, (struct figure){FIGURE_COUNT, name, {.count = n}});
}

void figures_real(struct figures *f, const char *name, double value)
{
    add(f, (struct figure){FIGURE_REAL, name, {.real = value}});
}

void figures_seconds(struct figures *f, const char *name, wave_time t)
{
    add(f, (struct figure){FIGURE_SECONDS, name, {.time = t}});
}

void figures_bool(struct figures *f, const char *name, bool boolean)
{
    add(f, (struct figure){FIGURE_BOOL, name, {.boolean = boolean}});
}

void figures_text(struct figures *f, const char *name, const char *text)
{
    add(f, (struct figure){FIGURE_TEXT, name, {.text = text}});
}

void figures_unknown(struct figures *f, const char *name)
{
    add(f, (struct figure){FIGURE_UNKNOWN, name, {0}});
}

void figures_range(struct figures *f, uint64_t first, uint64_t last)
{
    add(f, (struct figure){FIGURE_RANGE, NULL, {.range = {first, last}}});
}

void figures_group(struct figures *f, const char *name)
{
    add(f, (struct figure){FIGURE_GROUP, name, {0}});
}

void figures_list(struct figures *f, const char *name)
{
    add(f, (struct figure){FIGURE_LIST, name, {0}});
}

void figures_end(struct figures *f)
{
    if (f->skipped) {
        f->skipped--;
    } else if (f->depth) {
        f->depth--;
        f->item[f->items++] = (struct figure){FIGURE_END, NULL, {0}};
    }
}

void figures_histogram(struct figures *f, const char *name, const struct histogram_summary *s)
{
    if (!s->count) {
        figures_unknown(f, name);
        return;
    }
    figures_group(f, name);
    figures_seconds(f, "min", s->min);
    figures_seconds(f, "median", s->median);
    figures_seconds(f, "p95", s->p95);
    figures_seconds(f, "max", s->max);
    figures_end(f);
}

void figures_verdicts(struct figures *f, const uint32_t *counts)
{
    for (int v = 0; v < REPORT_VERDICTS; v++)
        if (v != VERDICT_USAGE)
            figures_count(f, verdict_name((enum verdict)v), counts[v]);
}

const char *figures_verdicts_text(const uint32_t *counts, const char *open, char *text, size_t room)
{
    text[0] = '\0';
    for (int v = 0; v < REPORT_VERDICTS; v++)
        human_add(text, room, counts[v], v == VERDICT_OPEN ? open : verdict_name((enum verdict)v));
    return text;
}

void figures_row(struct figures *f, const char *label, const char *format, ...)
{
    struct figures_row *row = &f->row[f->rows];
    va_list ap;

    if (f->rows == FIGURES_ROWS) {
        f->left_out++;
        return;
    }
    f->rows++;
    snprintf(row->label, sizeof row->label, "%s", label);
    va_start(ap, format);
    vsnprintf(row->text, sizeof row->text, format, ap);
    va_end(ap);
}
