/* Draws flows as a table, in as many lines each as the width asks for. What a column has no room
 * for moves the rest of its line to the right: to cut an address would be worse. */
#include "lib/show/flow_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/report/human.h"

#define ONE_LINE 180  /* columns for all on one line */
#define TWO_LINES 112 /* for all but the states and what became of it on the first one */

/* Where each column begins; 0: on the next line. */
struct flow_columns {
    unsigned start, sides, lasted, sent, received, handshake, states, second_state, verdict;
};

static const struct flow_columns *columns_of(const struct flow_lines *l)
{
    static const struct flow_columns one = {7, 20, 64, 76, 88, 100, 111, 124, 138},
                                     two = {7, 18, 64, 76, 88, 100, 18, 31, 45},
                                     three = {7, 18, 64, 18, 30, 42, 54, 0, 18};

    return !l->width || l->width >= ONE_LINE ? &one : l->width >= TWO_LINES ? &two : &three;
}

void flow_totals_add(struct flow_totals *t, const struct watched *w, enum verdict verdict)
{
    const struct measure_side *a = &w->measure.side[TRACK_A], *b = &w->measure.side[TRACK_B];

    t->flows++;
    t->bytes += a->bytes + b->bytes;
    t->retransmissions += (uint64_t)a->retransmissions + b->retransmissions;
    t->verdicts[verdict]++;
}

static void next_line(struct line *line)
{
    struct term *term = line->term;

    line_end(line);
    line_start(line, term);
}

/* Goes to a column, and at least a blank behind what stands before it. */
static void cell_at(struct line *line, unsigned column)
{
    if (line->columns && line->columns >= column)
        line_to(line, line->columns + 1);
    line_to(line, column);
}

static void cell(struct line *line, unsigned column, enum tone tone, const char *text)
{
    cell_at(line, column);
    line_text(line, tone, text);
}

static void duration_cell(struct line *line, unsigned column, wave_time t)
{
    cell_at(line, column);
    line_placed(line, human_duration_end(t, line_place(line)));
}

static void bytes_cell(struct line *line, unsigned column, uint64_t n)
{
    cell_at(line, column);
    line_placed(line, human_bytes_end(n, line_place(line)));
}

void flow_headings(const struct flow_lines *l)
{
    const struct flow_columns *c = columns_of(l);
    struct line line;

    line_start(&line, l->term);
    cell(&line, 5, TONE_BOLD, "#");
    cell(&line, c->start, TONE_BOLD, "seconds");
    cell(&line, c->sides, TONE_BOLD, "client > server");
    cell(&line, c->lasted, TONE_BOLD, "lasted");
    if (c->sent < c->lasted) {
        next_line(&line);
        cell(&line, c->verdict, TONE_BOLD, "what became of it");
        next_line(&line);
    }
    cell(&line, c->sent, TONE_BOLD, "client sent");
    cell(&line, c->received, TONE_BOLD, "server sent");
    cell(&line, c->handshake, TONE_BOLD, "handshake");
    if (c->states < c->handshake)
        next_line(&line);
    cell(&line, c->states, TONE_BOLD, "client, server");
    if (c->verdict > c->states)
        cell(&line, c->verdict, TONE_BOLD, "what became of it");
    line_end(&line);
}

static void sides(struct line *line, unsigned column, const struct watched *w)
{
    const struct flow *f = &w->flow;
    char *to;

    _Static_assert(2 * ADDR_PORT_TEXT + 3 <= LINE_PLACE, "both sides fit");
    cell_at(line, column);
    to = addr_port_end(f->v6, &f->local, f->lport, line_place(line));
    *to++ = ' ';
    *to++ = w->sides_known ? '>' : '-';
    *to++ = ' ';
    line_placed(line, addr_port_end(f->v6, &f->remote, f->rport, to));
}

static void state(struct line *line, unsigned column, const struct track_view *v)
{
    const bool doubt = v->certainty != CERTAINTY_PROVED && v->state != STATE_UNKNOWN;
    const enum tone tone = doubt ? TONE_DOUBT : TONE_PLAIN;

    cell(line, column, tone, state_name(v->state));
    if (doubt)
        line_text(line, tone, "?");
}

static void numbers(struct line *line, const struct flow_columns *c, const struct watched *w)
{
    const struct measure *m = &w->measure;
    const wave_time handshake = measure_handshake(m);

    bytes_cell(line, c->sent, m->side[TRACK_A].bytes);
    bytes_cell(line, c->received, m->side[TRACK_B].bytes);
    if (handshake == WAVE_NEVER)
        cell(line, c->handshake, TONE_PLAIN, "-");
    else
        duration_cell(line, c->handshake, handshake);
}

static void states(struct line *line, const struct flow_columns *c, const struct watched *w)
{
    const struct track_view a = track_view(&w->track, TRACK_A), b = track_view(&w->track, TRACK_B);

    state(line, c->states, &a);
    state(line, c->second_state, &b);
}

/* What became of the flow, and the strongest finding; where the width is known, on as many lines as
 * that takes. */
static void ending(struct line *line, const struct flow_lines *l, unsigned column,
                   const struct flow_verdict *v, const struct findings *list)
{
    const struct finding *strongest = l->findings ? NULL : flow_strongest(list);
    const size_t code = strongest ? strlen(strongest->code) + 3 : 0;
    const char *rest = v->text;
    char part[sizeof v->room];
    size_t room = column < l->width ? l->width - column : 0;

    if (column < line->columns)
        room = line->columns < l->width ? l->width - line->columns - 1 : 0;
    while (l->width && room >= 20 && strlen(rest) + code > room && strlen(rest) < sizeof part) {
        const char *next;
        const size_t n = text_break(rest, strlen(rest) > room ? room : strlen(rest) - 1, &next);
        snprintf(part, sizeof part, "%.*s", (int)n, rest);
        cell(line, column, v->verdict == VERDICT_OPEN ? TONE_PLAIN : TONE_TROUBLE, part);
        next_line(line);
        rest = next;
        room = l->width - column;
    }
    cell(line, column, v->verdict == VERDICT_OPEN ? TONE_PLAIN : TONE_TROUBLE, rest);
    if (strongest) {
        line_text(line, TONE_PLAIN, " ");
        snprintf(part, sizeof part, "[%s]", strongest->code);
        line_text(line, strongest->severity == FINDING_INFO ? TONE_DIM : TONE_DOUBT, part);
    }
}

/* The number, behind blanks, and the seconds since the first frame. */
static void beginning(struct line *line, const struct flow_columns *c, const struct flow_lines *l,
                      const struct watched *w)
{
    const wave_time since = w->measure.first > l->origin ? w->measure.first - l->origin : 0;
    char number[16], *to;
    const unsigned digits = (unsigned)(human_digits(number, w->number, 1) - number);

    line_to(line, digits < 6 ? 6 - digits : 0);
    memcpy(line_place(line), number, sizeof number);
    line_placed(line, line_place(line) + digits);
    cell_at(line, c->start);
    to = human_digits(line_place(line), since / WAVE_S, 1);
    *to++ = '.';
    line_placed(line, human_digits(to, since % WAVE_S / WAVE_US, 6));
}

/* Adds text from a column on; where the width is known, on as many lines as that takes. */
static void wrapped(struct line *line, const struct flow_lines *l, unsigned column,
                    const char *text)
{
    char part[FINDING_ROW];

    while (l->width && column < l->width && line->columns + strlen(text) > l->width) {
        const char *next;
        const size_t room = line->columns < l->width ? l->width - line->columns : 1,
                     n = text_break(text, room, &next);
        snprintf(part, sizeof part, "%.*s", (int)n, text);
        line_text(line, TONE_PLAIN, part);
        next_line(line);
        line_to(line, column);
        text = next;
    }
    line_text(line, TONE_PLAIN, text);
}

static void finding_lines(const struct flow_lines *l, const struct findings *list)
{
    const unsigned column = columns_of(l)->sides;
    char row[FINDING_ROW], text[FINDING_ROW + FINDING_TEXT];
    struct line line;

    for (unsigned i = 0; i < list->count; i++) {
        const struct finding *f = &list->at[i];
        snprintf(text, sizeof text, "%s%s%s", finding_text(f, row), f->advice[0] ? "; " : "",
                 f->advice);
        line_start(&line, l->term);
        line_to(&line, column);
        line_text(&line, f->severity == FINDING_INFO ? TONE_DIM : TONE_DOUBT, f->code);
        line_text(&line, TONE_PLAIN, ": ");
        wrapped(&line, l, column + 2, text);
        line_end(&line);
    }
}

void flow_line(struct flow_lines *l, const struct watched *w, const struct flow_verdict *v,
               const struct findings *list)
{
    const struct flow_columns *c = columns_of(l);
    struct line line;

    if (!l->begun)
        flow_headings(l);
    l->begun = true;
    line_start(&line, l->term);
    beginning(&line, c, l, w);
    sides(&line, c->sides, w);
    duration_cell(&line, c->lasted, w->measure.last - w->measure.first);
    if (c->sent < c->lasted) {
        next_line(&line);
        ending(&line, l, c->verdict, v, list);
        next_line(&line);
    }
    numbers(&line, c, w);
    if (c->states < c->handshake)
        next_line(&line);
    states(&line, c, w);
    if (c->verdict > c->states)
        ending(&line, l, c->verdict, v, list);
    line_end(&line);
    if (l->findings)
        finding_lines(l, list);
}
