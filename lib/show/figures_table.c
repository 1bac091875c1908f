/*
 * Draws a run of many connections: report_progress() as one line that is overwritten, and the
 * verdict as a table of the command's figures.
 */
#include "lib/show/figures_table.h"

#include "lib/report/human.h"
#include "lib/show/left_out.h"
#include "lib/show/summary.h"

#define COLUMN_OUTCOME 20
#define COLUMN_NOTE 34

static void row(void *self, const char *label, const char *text)
{
    struct line line;

    line_start(&line, self);
    line_text(&line, TONE_PLAIN, label);
    line_to(&line, FIGURES_VALUE);
    line_text(&line, TONE_PLAIN, text);
    line_end(&line);
}

/* Begins the part of that table that a pass fills. */
static void heading(struct term *t, uint32_t pass)
{
    struct line line;
    char text[24];

    line_start(&line, t);
    if (pass == 1) {
        line_text(&line, TONE_BOLD, "silence");
        line_to(&line, COLUMN_OUTCOME);
        line_text(&line, TONE_BOLD, "outcome");
        line_to(&line, COLUMN_NOTE);
        line_text(&line, TONE_BOLD, "by, and what shows it");
    } else {
        snprintf(text, sizeof text, "pass %u", pass);
        line_text(&line, TONE_BOLD, text);
    }
    line_end(&line);
}

/* Adds a row to the table that fills while connections are silent. */
static void idle(struct term *t, const struct report_idle *x)
{
    char silence[HUMAN_TEXT];
    struct line line;

    if (x->begins)
        heading(t, x->begins);
    line_start(&line, t);
    line_text(&line, TONE_PLAIN, human_duration(x->silence, silence));
    line_to(&line, COLUMN_OUTCOME);
    line_text(&line, TONE_PLAIN, x->outcome);
    if (x->by || x->note) {
        line_to(&line, COLUMN_NOTE);
        line_text(&line, TONE_PLAIN, x->by ? "by the " : "");
        line_text(&line, TONE_PLAIN, x->by ? x->by : "");
        line_text(&line, TONE_PLAIN, x->by && x->note ? ": " : "");
        line_text(&line, TONE_PLAIN, x->note ? x->note : "");
    }
    line_end(&line);
}

static void table(struct term *t, const struct report_verdict *v)
{
    char left_out[OUTBUF_GAP], word[16], network[SUMMARY_NETWORK];
    struct line line;

    line_start(&line, t);
    line_end(&line);
    for (unsigned i = 0; v->figures && i < v->figures->rows; i++)
        row(t, v->figures->row[i].label, v->figures->row[i].text);
    summary_conclusions(v, row, t);
    if (v->simulated)
        row(t, "network", summary_network(v->simulated, network));
    if (v->left_out.lines || v->left_out.packets)
        row(t, "output", left_out_text(&v->left_out, left_out));
    snprintf(word, sizeof word, "%s: ", verdict_name(v->verdict));
    line_start(&line, t);
    line_text(&line, TONE_PLAIN, "verdict");
    line_to(&line, FIGURES_VALUE);
    line_text(&line, TONE_PLAIN, word);
    line_text(&line, TONE_PLAIN, v->message ? v->message : "");
    line_end(&line);
}

void figures_table_event(void *self, const struct report_event *e)
{
    struct term *t = self;
    struct line line;

    switch (e->kind) {
    case REPORT_PROGRESS:
        if (e->u.progress->rows)
            term_transient(t, TONE_PLAIN, e->u.progress->row[0].text);
        break;
    case REPORT_NOTE:
        line_start(&line, t);
        line_text(&line, TONE_PLAIN, e->u.note.text);
        line_end(&line);
        break;
    case REPORT_IDLE:
        idle(t, &e->u.idle);
        break;
    case REPORT_VERDICT:
        table(t, &e->u.verdict);
        break;
    default:
        break;
    }
}
