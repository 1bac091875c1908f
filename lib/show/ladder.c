/*
 * Draws the ladder on a terminal or in a file. At 80 columns:
 *
 *     #  seconds  our state                                              peer's state
 *     1 0.000000 SYN_SENT     | SYN seq 0 win 64240 ---------------->| UNKNOWN
 *
 * Number and time share thirteen columns, so that either may grow. What does not fit on an arrow
 * continues below it, between the lines of life. A wider terminal first makes the arrows longer,
 * and then gets a column that says how the peer's state is known.
 */
#include "lib/show/ladder.h"

#include <string.h>

#include "lib/core/addr.h"
#include "lib/report/human.h"
#include "lib/show/label.h"
#include "lib/show/summary.h"

#define COLUMN_STATE 14
#define STATE_WIDTH 12                /* SYN_RECEIVED */
#define PEER_WIDTH 12                 /* ESTABLISHED? */
#define LANE_MAX 100                  /* columns between the lines of life */
#define HEX_ROW 16                    /* bytes */
#define STRUCK 5                      /* columns that a struck arrow stays away from its goal */
#define DRAWING_PAUSE (100 * WAVE_MS) /* between two lines of progress of a long transfer */

static void draw(void *self, const struct row *row);

void ladder_init(struct ladder *l, struct term *term, unsigned verbose)
{
    unsigned spare = term->width - 80, lane;

    memset(l, 0, sizeof *l);
    l->term = term;
    l->verbose = verbose;
    l->state = COLUMN_STATE;
    l->left = l->state + STATE_WIDTH + 1;
    lane = 80 - l->left - 3 - PEER_WIDTH + (spare > 40 ? spare / 2 : spare);
    l->right = l->left + 1 + (lane > LANE_MAX ? LANE_MAX : lane);
    l->peer = l->right + 2;
    l->cause = l->peer + PEER_WIDTH + 1;
    rows_init(&l->rows, draw, l, verbose > 0);
}

/* Writes "  1 0.000123": the time has as many decimals as fit into thirteen columns. */
static void number_and_time(struct line *line, uint32_t number, uint32_t connection, wave_time at)
{
    char first[32] = "", second[32];
    int room;

    if (number && connection)
        snprintf(first, sizeof first, "%u:%u", connection, number);
    else if (number)
        snprintf(first, sizeof first, "%4u", number);
    else
        snprintf(first, sizeof first, "%4s", "");
    room = 13 - (int)strlen(first) - 1;
    for (int decimals = 6; decimals >= 0; decimals--)
        if (snprintf(second, sizeof second, "%.*f", decimals, (double)at / 1e9) <= room)
            break;
    line_text(line, TONE_DIM, first);
    line_to(line, line->columns + 1);
    if ((int)strlen(second) < room)
        line_to(line, 13 - (unsigned)strlen(second));
    line_text(line, TONE_PLAIN, second);
    line_to(line, COLUMN_STATE);
}

/* Draws a state that is concluded from segments, with a question mark if it is assumed; `tone` is
 * that of a change that is proved. Returns whether it is assumed. */
static bool concluded(struct ladder *l, struct line *line, const struct track_view *v, bool changed,
                      enum tone tone)
{
    bool assumed = v->certainty == CERTAINTY_ASSUMED && v->state != STATE_UNKNOWN;
    const char *name = state_name(v->state);

    tone = !changed ? TONE_DIM : assumed ? TONE_DOUBT : tone;
    if (assumed && v->state == STATE_SYN_RECEIVED)
        name = "SYN_RCVD"; /* the only name that leaves no room for its question mark */
    line_text(line, tone, name);
    if (assumed) {
        line_text(line, tone, "?");
        l->assumed = true;
    }
    return assumed;
}

static void client_state(struct ladder *l, struct line *line, const struct track_view *client,
                         bool changed)
{
    concluded(l, line, client, changed, TONE_OURS);
}

static void peer_state(struct ladder *l, struct line *line, const struct track_view *peer,
                       bool changed)
{
    line_to(line, l->peer);
    bool assumed = concluded(l, line, peer, changed, TONE_PEER);
    if (!changed || !peer->cause || l->cause + 40 > l->term->width)
        return;
    line_to(line, l->cause);
    if (peer->evidence)
        line_printf(line, TONE_DIM, "%s by %u: ", assumed ? "assumed" : "proved", peer->evidence);
    line_printf(line, TONE_DIM, "%.*s", (int)(l->term->width - line->columns), peer->cause);
}

/* Draws a line of life, which is dashed once its side has sent its FIN. */
static void life(struct ladder *l, struct line *line, unsigned side)
{
    line_to(line, side ? l->right : l->left);
    line_glyph(line, TONE_DIM, l->closed[side] ? GLYPH_CLOSED : GLYPH_LIFE, 1);
    l->half |= l->closed[side];
}

static void lane_end(struct ladder *l, struct line *line)
{
    life(l, line, 1);
}

static void lane_start(struct ladder *l, struct line *line)
{
    life(l, line, 0);
    line_to(line, l->left + 2);
}

/* Draws the pieces from `first` on that fit before the column `limit`. Returns the index of the
 * next one. */
static unsigned pieces(struct line *line, const struct label *label, unsigned first, unsigned limit)
{
    unsigned next = label_fit(label, first, limit - line->columns, NULL);

    for (unsigned i = first; i < next; i++) {
        line_to(line, line->columns + (i > first));
        line_text(line, label->piece[i].tone, label->piece[i].text);
    }
    return next;
}

/* Draws the mark where a rule stopped an arrow. */
static void struck_end(struct ladder *l, struct line *line)
{
    line_glyph(line, TONE_TROUBLE, GLYPH_STRUCK, 1);
    l->struck = true;
}

/* Draws an arrow of ours and what of the label fits on it: "| LABEL --->|", or "| LABEL --X    |"
 * where a rule stopped it. Returns the index of the next piece. */
static unsigned arrow_out(struct ladder *l, struct line *line, const struct report_segment *g,
                          const struct label *label, enum tone tone)
{
    const unsigned goal = g->struck ? l->right - STRUCK : l->right;
    unsigned next;

    line_to(line, l->left + 2);
    next = pieces(line, label, 0, goal - 3);
    line_to(line, line->columns + 1);
    if (line->columns < goal - 1)
        line_glyph(line, tone, GLYPH_LINE, goal - 1 - line->columns);
    if (g->struck)
        struck_end(l, line);
    else
        line_glyph(line, tone, GLYPH_RIGHT, 1);
    return next;
}

/* Draws an arrow of the peer's, with the label at its own end: "|<--- LABEL |", or "|    X-- LABEL
 * |" where a rule stopped it. A RST that a rule made for our engine comes from no peer:
 * "|<---X LABEL |". */
static unsigned arrow_in(struct ladder *l, struct line *line, const struct report_segment *g,
                         const struct label *label, enum tone tone)
{
    const bool made = g->impaired && !g->impaired->on_wire;
    const unsigned away = g->struck ? STRUCK : 0;
    unsigned lane = l->right - l->left - 1 - away, width, drawn;

    label_fit(label, 0, lane - 4, &width);
    drawn = lane > width + 3 ? lane - width - 3 : 1;
    line_to(line, line->columns + away);
    if (g->struck)
        struck_end(l, line);
    else
        line_glyph(line, tone, GLYPH_LEFT, 1);
    line_glyph(line, tone, GLYPH_LINE, made ? drawn - 1 : drawn);
    if (made)
        struck_end(l, line);
    line_to(line, line->columns + 1);
    return pieces(line, label, 0, l->right - 1);
}

/* Draws the arrow and what of the label fits on it. Returns the index of the next piece. */
static unsigned arrow(struct ladder *l, struct line *line, const struct report_segment *g,
                      const struct label *label)
{
    enum tone tone = g->packet->seg.flags & SEG_RST ? TONE_TROUBLE : g->out ? TONE_OURS : TONE_PEER;
    unsigned next;

    life(l, line, 0);
    next = g->out ? arrow_out(l, line, g, label, tone) : arrow_in(l, line, g, label, tone);
    lane_end(l, line);
    return next;
}

/* Draws what of the label did not fit on the arrow. */
static void rest_of_label(struct ladder *l, const struct label *label, unsigned next, bool out)
{
    while (next < label->count) {
        struct line line;
        unsigned width;
        label_fit(label, next, l->right - l->left - 3, &width);
        line_start(&line, l->term);
        lane_start(l, &line);
        if (!out && l->right - 1 > width)
            line_to(&line, l->right - 1 - width);
        next = pieces(&line, label, next, l->right - 1);
        lane_end(l, &line);
        line_end(&line);
    }
}

static void hex_dump(struct ladder *l, const uint8_t *bytes, uint32_t len)
{
    for (uint32_t at = 0; at < len; at += HEX_ROW) {
        struct line line;
        char text[HEX_ROW + 1] = "";
        line_start(&line, l->term);
        line_printf(&line, TONE_DIM, "      %04x ", at);
        for (uint32_t i = 0; i < HEX_ROW && at + i < len; i++) {
            uint8_t c = bytes[at + i];
            line_printf(&line, TONE_DIM, i % 2 ? "%02x" : " %02x", c);
            text[i] = (char)(c >= 0x20 && c < 0x7f ? c : '.');
        }
        line_to(&line, 53);
        line_text(&line, TONE_DIM, text);
        line_end(&line);
    }
}

/* Draws above the heading that the network is simulated. */
static void title(struct ladder *l)
{
    char text[SUMMARY_NETWORK];
    const char *at = summary_network(l->simulated, text), *next;

    l->titled = true;
    do {
        struct line line;
        size_t take = text_break(at, l->term->width - COLUMN_STATE, &next);
        line_start(&line, l->term);
        if (at == text)
            line_text(&line, TONE_DOUBT, "     network");
        line_to(&line, COLUMN_STATE);
        line_printf(&line, TONE_DOUBT, "%.*s", (int)take, at);
        line_end(&line);
        at = next;
    } while (*at);
}

/* Draws the heading, with each address above its line of life. If both addresses do not fit on one
 * line, ours gets a line of its own. */
static void begin(struct ladder *l, const struct report_event *e)
{
    const struct flow *flow = &e->flow->flow;
    char ours[ADDR_PORT_TEXT], theirs[ADDR_PORT_TEXT] = "";
    unsigned end = l->right + 1;
    struct line line;

    l->begun = true;
    addr_port_text(flow->v6, &flow->local, flow->lport, ours);
    if (!e->connection) /* otherwise each connection has a row for its peer */
        addr_port_text(flow->v6, &flow->remote, flow->rport, theirs);
    line_start(&line, l->term);
    if (l->left + strlen(ours) + 2 + strlen(theirs) > end) {
        line_to(&line, l->left);
        line_text(&line, TONE_OURS, ours);
        line_end(&line);
        line_start(&line, l->term);
        ours[0] = '\0';
    }
    line_text(&line, TONE_BOLD, e->flow->strangers ? "   #  seconds client" : "   #  seconds us");
    line_to(&line, l->left);
    line_text(&line, TONE_OURS, ours);
    line_to(&line, end > strlen(theirs) + line.columns + 1 ? end - (unsigned)strlen(theirs)
                                                           : line.columns + 1);
    line_text(&line, TONE_PEER, theirs);
    line_to(&line, line.columns < l->peer ? l->peer : line.columns + 1);
    line_text(&line, TONE_BOLD, e->flow->strangers ? "server" : "peer");
    line_end(&line);
}

/* Draws the lines of life broken, with a text between them, for rows that are not drawn or for a
 * silence. */
static void gap(struct ladder *l, const struct row *row)
{
    unsigned lane = l->right - l->left - 1, width;
    struct line line;
    char text[ROWS_TEXT];

    line_start(&line, l->term);
    line_to(&line, 4);
    line_glyph(&line, TONE_DIM, GLYPH_MORE, 1);
    line_to(&line, l->left);
    line_glyph(&line, TONE_DIM, GLYPH_MORE, 1);
    snprintf(text, sizeof text, row->kind == ROW_SILENCE ? "... %s ..." : "%s", row->text);
    width = (unsigned)strlen(text);
    line_to(&line, row->kind == ROW_SILENCE && lane > width ? l->left + 1 + (lane - width) / 2
                                                            : l->left + 2);
    line_printf(&line, row->tone, "%.*s", (int)(l->term->width - line.columns), text);
    if (line.columns < l->right) {
        line_to(&line, l->right);
        line_glyph(&line, TONE_DIM, GLYPH_MORE, 1);
    }
    line_end(&line);
}

static void segment(struct ladder *l, const struct report_event *e)
{
    const struct report_segment *g = &e->u.segment;
    struct label label;
    struct line line;
    unsigned next;

    label_segment(&label, g, l->term->width<100, l->verbose> 0);
    line_start(&line, l->term);
    number_and_time(&line, g->number, e->connection, e->at);
    if (e->flow && e->flow->strangers)
        client_state(l, &line, &g->client, g->local_changed);
    else
        line_text(&line, g->local_changed ? TONE_OURS : TONE_DIM, state_name(g->local));
    next = arrow(l, &line, g, &label);
    peer_state(l, &line, &g->peer, g->peer_changed);
    line_end(&line);
    rest_of_label(l, &label, next, g->out);
    if (l->verbose > 1)
        hex_dump(l, g->ip, g->ip_len);
}

/* Draws a row without a segment: something happened on our side, or something became known, or ICMP
 * came. */
static void remark(struct ladder *l, const struct row *row)
{
    const struct report_event *e = row->event;
    const char *at = row->text, *next;
    unsigned indent = row->kind == ROW_ICMP ? 4 : 2;

    do {
        struct line line;
        bool first = at == row->text;
        size_t take = text_break(at, l->right - l->left - 1 - indent, &next);
        line_start(&line, l->term);
        if (first) {
            number_and_time(&line, 0, e->connection, e->at);
            if (e->flow && e->flow->strangers)
                client_state(l, &line, &e->flow->client, false);
            else if (e->flow && row->kind != ROW_PEER)
                line_text(&line, TONE_DIM, state_name(e->flow->local));
        }
        life(l, &line, 0);
        if (first && row->kind == ROW_ICMP) {
            line_glyph(&line, row->tone, GLYPH_LEFT, 1);
            line_glyph(&line, row->tone, GLYPH_LINE, 1);
        }
        line_to(&line, l->left + indent);
        line_printf(&line, row->tone, "%.*s", (int)take, at);
        lane_end(l, &line);
        if (first && e->flow && row->kind != ROW_PEER)
            peer_state(l, &line, &e->flow->peer, false);
        line_end(&line);
        at = next;
    } while (*at);
}

static void countdown(struct ladder *l, const struct report_wait *w)
{
    char text[160];

    if (!w->what)
        term_clear(l->term);
    else if (w->left == WAVE_NEVER)
        snprintf(text, sizeof text, "     ... waiting for %s", w->what);
    else
        snprintf(text, sizeof text, "     ... waiting for %s: %.0f s left", w->what,
                 (double)w->left / 1e9);
    if (w->what)
        term_transient(l->term, TONE_DIM, text);
}

static void legend(struct ladder *l, const char *text)
{
    struct line line;

    line_start(&line, l->term);
    line_to(&line, COLUMN_STATE);
    line_text(&line, TONE_DIM, text);
    line_end(&line);
}

/* Explains, below the drawing, the marks that were drawn. */
static void finish(struct ladder *l, const struct how_to *words)
{
    char struck[80];

    if (!l->begun)
        return;
    if (l->assumed)
        legend(l, "A state with ? is assumed: no segment has proved it.");
    if (l->half)
        legend(l, l->term->unicode ? "A dashed line: that side has sent its FIN."
                                   : "A line of !: that side has sent its FIN.");
    if (l->struck) {
        snprintf(struck, sizeof struck, "An arrow with %s: tcpwave stopped it (%s).",
                 l->term->unicode ? "✗" : "X", how_to(words, HOW_TO_IMPAIR));
        legend(l, struck);
    }
    fputc('\n', l->term->to);
}

static void draw(void *self, const struct row *row)
{
    struct ladder *l = self;
    const struct report_flow *flow = row->event->flow;

    l->closed[0] = flow && flow->fin[0];
    l->closed[1] = flow && flow->fin[1];
    switch (row->kind) {
    case ROW_SEGMENT:
        segment(l, row->event);
        break;
    case ROW_PEER:
    case ROW_ICMP:
    case ROW_REMARK:
        remark(l, row);
        break;
    case ROW_SILENCE:
    case ROW_LEFT_OUT:
        gap(l, row);
        break;
    case ROW_END:
        finish(l, row->event->how_to);
        break;
    }
}

/* Shows from time to time how far a transfer has come whose rows are not drawn. */
static void left_out(struct ladder *l, const struct report_event *e)
{
    char text[ROWS_TEXT], line[ROWS_TEXT + 16];

    if (!l->term->live || !l->rows.left_out.segments || e->at < l->drawn + DRAWING_PAUSE)
        return;
    if (l->rows.left_out.segments > 1) {
        snprintf(line, sizeof line, "     ... %s", rows_left_out_text(&l->rows.left_out, text));
        term_transient(l->term, TONE_DIM, line);
    }
    l->drawn = e->at;
}

void ladder_event(void *self, const struct report_event *e)
{
    struct ladder *l = self;

    if (l->simulated && !l->titled && e->kind != REPORT_VERDICT)
        title(l);
    if (!l->begun && e->flow && e->kind != REPORT_VERDICT)
        begin(l, e);
    if (e->kind == REPORT_WAIT)
        countdown(l, &e->u.wait);
    else
        rows_event(&l->rows, e);
    left_out(l, e);
}
