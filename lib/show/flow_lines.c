/* Draws flows as a table. What a column has no room for moves the rest of its line to the right: to
 * cut an address would be worse. */
#include "lib/show/flow_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/report/human.h"

enum {
    COLUMN_START = 7,
    COLUMN_SIDES = 20,
    COLUMN_LASTED = 64,
    COLUMN_SENT = 76,
    COLUMN_RECEIVED = 88,
    COLUMN_HANDSHAKE = 100,
    COLUMN_STATES = 111,
    COLUMN_VERDICT = 138
};

void flow_totals_add(struct flow_totals *t, const struct watched *w, enum verdict verdict)
{
    const struct measure_side *a = &w->measure.side[TRACK_A], *b = &w->measure.side[TRACK_B];

    t->flows++;
    t->bytes += a->bytes + b->bytes;
    t->retransmissions += (uint64_t)a->retransmissions + b->retransmissions;
    t->verdicts[verdict]++;
}

void flow_headings(struct term *term)
{
    static const struct {
        unsigned column;
        const char *text;
    } heads[] = {{5, "#"},
                 {COLUMN_START, "seconds"},
                 {COLUMN_SIDES, "client > server"},
                 {COLUMN_LASTED, "lasted"},
                 {COLUMN_SENT, "client sent"},
                 {COLUMN_RECEIVED, "server sent"},
                 {COLUMN_HANDSHAKE, "handshake"},
                 {COLUMN_STATES, "client, server"},
                 {COLUMN_VERDICT, "what became of it"}};
    struct line line;

    line_start(&line, term);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        line_to(&line, heads[i].column);
        line_text(&line, TONE_BOLD, heads[i].text);
    }
    line_end(&line);
}

/* Adds text at a column, and at least a blank behind what stands before it. */
static void cell(struct line *line, unsigned column, enum tone tone, const char *text)
{
    if (line->columns >= column)
        line_text(line, TONE_PLAIN, " ");
    line_to(line, column);
    line_text(line, tone, text);
}

static void sides(struct line *line, const struct watched *w)
{
    char text[ADDR_PORT_TEXT];
    const struct flow *f = &w->flow;

    cell(line, COLUMN_SIDES, TONE_PLAIN, addr_port_text(f->v6, &f->local, f->lport, text));
    line_text(line, TONE_PLAIN, w->sides_known ? " > " : " - ");
    line_text(line, TONE_PLAIN, addr_port_text(f->v6, &f->remote, f->rport, text));
}

static void state(struct line *line, unsigned column, const struct track_view *v)
{
    const bool doubt = v->certainty != CERTAINTY_PROVED && v->state != STATE_UNKNOWN;
    const enum tone tone = doubt ? TONE_DOUBT : TONE_PLAIN;

    cell(line, column, tone, state_name(v->state));
    if (doubt)
        line_text(line, tone, "?");
}

static void numbers(struct line *line, const struct watched *w)
{
    const struct measure *m = &w->measure;
    const wave_time handshake = measure_handshake(m);
    char text[HUMAN_TEXT];

    cell(line, COLUMN_LASTED, TONE_PLAIN, human_duration(m->last - m->first, text));
    cell(line, COLUMN_SENT, TONE_PLAIN, human_bytes(m->side[TRACK_A].bytes, text));
    cell(line, COLUMN_RECEIVED, TONE_PLAIN, human_bytes(m->side[TRACK_B].bytes, text));
    cell(line, COLUMN_HANDSHAKE, TONE_PLAIN,
         handshake == WAVE_NEVER ? "-" : human_duration(handshake, text));
}

static void finding_lines(struct term *term, const struct findings *list)
{
    char text[FINDING_ROW];
    struct line line;

    for (unsigned i = 0; i < list->count; i++) {
        const struct finding *f = &list->at[i];
        line_start(&line, term);
        line_to(&line, COLUMN_SIDES);
        line_text(&line, f->severity == FINDING_INFO ? TONE_DIM : TONE_DOUBT, f->code);
        line_text(&line, TONE_PLAIN, ": ");
        line_text(&line, TONE_PLAIN, finding_text(f, text));
        if (f->advice[0]) {
            line_text(&line, TONE_PLAIN, "; ");
            line_text(&line, TONE_PLAIN, f->advice);
        }
        line_end(&line);
    }
}

void flow_line(struct flow_lines *l, const struct watched *w, const struct flow_verdict *v,
               const struct findings *list)
{
    const struct track_view a = track_view(&w->track, TRACK_A), b = track_view(&w->track, TRACK_B);
    const struct finding *strongest = flow_strongest(list);
    const wave_time since = w->measure.first > l->origin ? w->measure.first - l->origin : 0;
    char text[40];
    struct line line;

    if (!l->begun)
        flow_headings(l->term);
    l->begun = true;
    line_start(&line, l->term);
    snprintf(text, sizeof text, "%6" PRIu32, w->number);
    line_text(&line, TONE_PLAIN, text);
    snprintf(text, sizeof text, "%" PRIu64 ".%06" PRIu64, since / WAVE_S, since % WAVE_S / 1000);
    cell(&line, COLUMN_START, TONE_PLAIN, text);
    sides(&line, w);
    numbers(&line, w);
    state(&line, COLUMN_STATES, &a);
    state(&line, COLUMN_STATES + 13, &b);
    cell(&line, COLUMN_VERDICT, v->verdict == VERDICT_OPEN ? TONE_PLAIN : TONE_TROUBLE, v->text);
    if (strongest && !l->findings) {
        snprintf(text, sizeof text, " [%s]", strongest->code);
        line_text(&line, strongest->severity == FINDING_INFO ? TONE_DIM : TONE_DOUBT, text);
    }
    line_end(&line);
    if (l->findings)
        finding_lines(l->term, list);
}
