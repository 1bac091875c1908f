/*
 * At 80 columns:
 *
 *     #  seconds  our state                                              peer's state
 *     1 0.000000 SYN_SENT     | SYN seq 0 win 64240 ---------------->| UNKNOWN
 *
 * Number and time share thirteen columns, so that either may grow. What does not fit on an arrow
 * goes on below it, between the lines of life. More room goes to the arrows first, then to a
 * column that says how the peer's state is known.
 */
#include "cmd/ladder.h"

#include <string.h>

#include "cmd/addr.h"
#include "cmd/human.h"
#include "cmd/label.h"

#define COLUMN_STATE 14
#define STATE_WIDTH 12                /* SYN_RECEIVED */
#define PEER_WIDTH 12                 /* ESTABLISHED? */
#define LANE_MOST 100                 /* columns between the lines of life */
#define HEX_ROW 16                    /* bytes */
#define DRAWING_PAUSE (100 * WAVE_MS) /* between two drawings of how far a transfer has come */

void ladder_init(struct ladder *l, const struct term *term, unsigned verbose)
{
    unsigned spare = term->width - 80, lane;

    memset(l, 0, sizeof *l);
    l->term = *term;
    l->verbose = verbose;
    l->state = COLUMN_STATE;
    l->left = l->state + STATE_WIDTH + 1;
    lane = 80 - l->left - 3 - PEER_WIDTH + (spare > 40 ? spare / 2 : spare);
    l->right = l->left + 1 + (lane > LANE_MOST ? LANE_MOST : lane);
    l->peer = l->right + 2;
    l->cause = l->peer + PEER_WIDTH + 1;
    l->local = STATE_CLOSED;
    l->peer_state = STATE_UNKNOWN;
}

/* Takes the line away that was meant to be drawn over. */
static void clear(struct ladder *l)
{
    if (l->transient)
        fputs("\r\033[K", l->term.to);
    l->transient = false;
}

/* A line that the next one takes the place of; only for somebody who watches. */
static void transient(struct ladder *l, const char *text)
{
    if (!l->term.live)
        return;
    fprintf(l->term.to, "\r\033[K%s%.*s%s", l->term.color ? "\033[2m" : "", (int)l->term.width - 1,
            text, l->term.color ? "\033[0m" : "");
    fflush(l->term.to);
    l->transient = true;
}

/* "  1 0.000123": the time with as many decimals as thirteen columns leave. */
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

static void peer_state(struct ladder *l, struct line *line, const struct track_view *peer,
                       bool changed)
{
    bool assumed = peer->certainty == CERTAINTY_ASSUMED && peer->state != STATE_UNKNOWN;
    enum tone tone = !changed ? TONE_DIM : assumed ? TONE_DOUBT : TONE_PEER;
    const char *name = state_name(peer->state);

    line_to(line, l->peer);
    if (assumed && peer->state == STATE_SYN_RECEIVED)
        name = "SYN_RCVD"; /* the one name that leaves no room for its mark */
    line_text(line, tone, name);
    if (assumed) {
        line_text(line, tone, "?");
        l->assumed = true;
    }
    if (!changed || !peer->cause || l->cause + 40 > l->term.width)
        return;
    line_to(line, l->cause);
    if (peer->evidence)
        line_printf(line, TONE_DIM, "%s by %u: ", assumed ? "assumed" : "proved", peer->evidence);
    line_printf(line, TONE_DIM, "%.*s", (int)(l->term.width - line->columns), peer->cause);
}

/* The lines of life alone, up to the right one. */
static void lane_end(const struct ladder *l, struct line *line)
{
    line_to(line, l->right);
    line_glyph(line, TONE_DIM, GLYPH_LIFE, 1);
}

static void lane_start(const struct ladder *l, struct line *line)
{
    line_to(line, l->left);
    line_glyph(line, TONE_DIM, GLYPH_LIFE, 1);
    line_to(line, l->left + 2);
}

/* How many pieces from `first` on fit into `room` columns, at least one: the next one, and in
 * *width what they take. The options stay together, if they can, on a line of their own. */
static unsigned fit(const struct label *label, unsigned first, unsigned room, unsigned *width)
{
    unsigned i, used = 0, before = 0;

    for (i = first; i < label->count; i++) {
        unsigned more = (unsigned)strlen(label->piece[i].text) + (i > first);
        if (i == label->options)
            before = used;
        if (i > first && used + more > room)
            break;
        used += more;
    }
    if (i < label->count && first < label->options && i > label->options) {
        i = label->options;
        used = before;
    }
    if (width)
        *width = used;
    return i;
}

/* As many pieces from `first` on as fit before the column `limit`. Returns the next. */
static unsigned pieces(struct line *line, const struct label *label, unsigned first, unsigned limit)
{
    unsigned next = fit(label, first, limit - line->columns, NULL);

    for (unsigned i = first; i < next; i++) {
        line_to(line, line->columns + (i > first));
        line_text(line, label->piece[i].tone, label->piece[i].text);
    }
    return next;
}

/* The arrow and what of the label fits on it. Ours: "| LABEL --->|"; the peer's has its label at
 * its own end: "|<--- LABEL |". */
static unsigned arrow(const struct ladder *l, struct line *line, const struct report_segment *g,
                      const struct label *label)
{
    enum tone tone = g->packet->seg.flags & SEG_RST ? TONE_TROUBLE : g->out ? TONE_OURS : TONE_PEER;
    unsigned lane = l->right - l->left - 1, next;

    line_to(line, l->left);
    line_glyph(line, TONE_DIM, GLYPH_LIFE, 1);
    if (g->out) {
        line_to(line, l->left + 2);
        next = pieces(line, label, 0, l->right - 3);
        line_to(line, line->columns + 1);
        if (line->columns < l->right - 1)
            line_glyph(line, tone, GLYPH_LINE, l->right - 1 - line->columns);
        line_glyph(line, tone, GLYPH_RIGHT, 1);
    } else {
        unsigned width;
        fit(label, 0, lane - 4, &width);
        line_glyph(line, tone, GLYPH_LEFT, 1);
        line_glyph(line, tone, GLYPH_LINE, lane > width + 3 ? lane - width - 3 : 1);
        line_to(line, line->columns + 1);
        next = pieces(line, label, 0, l->right - 1);
    }
    lane_end(l, line);
    return next;
}

/* What did not fit on the arrow. */
static void rest_of_label(struct ladder *l, const struct label *label, unsigned next, bool out)
{
    while (next < label->count) {
        struct line line;
        unsigned width;
        fit(label, next, l->right - l->left - 3, &width);
        line_start(&line, &l->term);
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
        line_start(&line, &l->term);
        line_printf(&line, TONE_DIM, "      %04x ", at);
        for (uint32_t i = 0; i < HEX_ROW && at + i < len; i++) {
            uint8_t c = bytes[at + i];
            line_printf(&line, TONE_DIM, i % 2 ? "%02x" : " %02x", c);
            text[i] = c >= 0x20 && c < 0x7f ? (char)c : '.';
        }
        line_to(&line, 53);
        line_text(&line, TONE_DIM, text);
        line_end(&line);
    }
}

/* The names of the columns, the two ends, and what the mark means. */
static void begin(struct ladder *l, const struct flow *flow)
{
    char ours[ADDR_PORT_TEXT], theirs[ADDR_PORT_TEXT];
    unsigned lane = l->right - l->left - 1;
    struct line line;
    bool together;

    l->begun = true;
    addr_port_text(flow->v6, &flow->local, flow->lport, ours);
    addr_port_text(flow->v6, &flow->remote, flow->rport, theirs);
    together = strlen(ours) + strlen(theirs) + 2 <= lane;
    if (!together) {
        line_start(&line, &l->term);
        line_to(&line, l->left);
        line_text(&line, TONE_OURS, ours);
        line_end(&line);
    }
    line_start(&line, &l->term);
    line_text(&line, TONE_BOLD, "   #  seconds us");
    line_to(&line, l->left);
    if (together)
        line_text(&line, TONE_OURS, ours);
    if (strlen(theirs) < lane)
        line_to(&line, l->right + 1 - (unsigned)strlen(theirs));
    line_text(&line, TONE_PEER, theirs);
    line_to(&line, l->peer);
    line_text(&line, TONE_BOLD, "peer");
    line_end(&line);
}

static bool plain(const struct ladder *l, const struct report_segment *g)
{
    const unsigned keep = TRACK_PROBE | TRACK_PROBE_ANSWER | TRACK_CHALLENGE;

    return !(g->packet->seg.flags & (SEG_SYN | SEG_FIN | SEG_RST)) && !g->peer_changed &&
           !(g->notes & keep) && !g->foreign && g->local == l->local;
}

static void tell_left_out(const struct ladder *l, char *text, size_t room)
{
    char segments[HUMAN_TEXT], bytes[HUMAN_TEXT], duration[HUMAN_TEXT];
    int n =
        snprintf(text, room, "%s segments, %s in %s", human_count(l->left_out.segments, segments),
                 human_bytes(l->left_out.bytes, bytes),
                 human_duration(l->left_out.last - l->left_out.first, duration));

    if (l->left_out.retransmissions && n > 0 && (size_t)n < room)
        n += snprintf(text + n, room - (size_t)n, ", %s again",
                      human_count(l->left_out.retransmissions, segments));
    if (l->left_out.out_of_order && n > 0 && (size_t)n < room)
        snprintf(text + n, room - (size_t)n, ", %s out of order",
                 human_count(l->left_out.out_of_order, segments));
}

/* One row for all the rows that were not drawn. */
static void tell_gap(struct ladder *l)
{
    struct line line;
    char text[160];

    clear(l);
    if (!l->left_out.segments)
        return;
    tell_left_out(l, text, sizeof text);
    line_start(&line, &l->term);
    line_to(&line, 4);
    line_glyph(&line, TONE_DIM, GLYPH_MORE, 1);
    line_to(&line, l->left);
    line_glyph(&line, TONE_DIM, GLYPH_MORE, 1);
    line_to(&line, l->left + 2);
    line_text(&line, TONE_BOLD, text);
    line_to(&line, l->right);
    if (line.columns == l->right)
        line_glyph(&line, TONE_DIM, GLYPH_MORE, 1);
    line_end(&line);
    memset(&l->left_out, 0, sizeof l->left_out);
}

/* Counts a row that is not drawn, and now and then says how far it has come. */
static void leave_out(struct ladder *l, const struct report_event *e)
{
    const struct report_segment *g = &e->u.segment;
    char text[200] = "     ... ";

    if (!l->left_out.segments++)
        l->left_out.first = l->drawn = e->at;
    l->left_out.last = e->at;
    l->left_out.bytes += g->packet->seg.len;
    l->left_out.retransmissions += g->retransmission;
    l->left_out.out_of_order += (g->notes & TRACK_OUT_OF_ORDER) != 0;
    if (!l->term.live || e->at < l->drawn + DRAWING_PAUSE)
        return;
    l->drawn = e->at;
    tell_left_out(l, text + strlen(text), sizeof text - strlen(text));
    transient(l, text);
}

/* Of our own probes the row of their outcome is drawn, of the peer's only the probe. */
static bool folded(const struct ladder *l, const struct report_segment *g)
{
    unsigned ours = g->out ? TRACK_PROBE_ANSWER | TRACK_PROBE : TRACK_PROBE_ANSWER;

    return l->folds_probes && !l->verbose && (g->notes & ours) && !g->foreign &&
           g->local == l->local && !(g->packet->seg.flags & (SEG_SYN | SEG_FIN | SEG_RST));
}

static void segment(struct ladder *l, const struct report_event *e)
{
    const struct report_segment *g = &e->u.segment;
    bool is_plain = plain(l, g);
    struct label label;
    struct line line;
    unsigned next;

    if (folded(l, g))
        return;
    if (is_plain && !l->verbose && ++l->plain > LADDER_ROWS) {
        leave_out(l, e);
        return;
    }
    tell_gap(l);
    if (!is_plain)
        l->plain = 0;
    label_segment(&label, g, l->term.width<100, l->verbose> 0);
    line_start(&line, &l->term);
    number_and_time(&line, g->number, e->connection, e->at);
    line_text(&line, g->local != l->local ? TONE_OURS : TONE_DIM, state_name(g->local));
    next = arrow(l, &line, g, &label);
    peer_state(l, &line, &g->peer, g->peer_changed);
    line_end(&line);
    rest_of_label(l, &label, next, g->out);
    if (l->verbose > 1)
        hex_dump(l, g->ip, g->ip_len);
    l->local = g->local;
    l->peer_state = g->peer.state;
}

/* A row without an arrow: something happened on our side, or to what is known. */
static void remark(struct ladder *l, const struct report_event *e, enum tone tone, const char *text)
{
    const char *at = text, *next;

    tell_gap(l);
    l->plain = 0;
    do {
        struct line line;
        size_t take = text_break(at, l->right - l->left - 3, &next);
        line_start(&line, &l->term);
        if (at == text) {
            number_and_time(&line, 0, e->connection, e->at);
            if (e->flow)
                line_text(&line, TONE_DIM, state_name(l->local));
        }
        lane_start(l, &line);
        line_printf(&line, tone, "%.*s", (int)take, at);
        lane_end(l, &line);
        if (at == text && e->flow)
            peer_state(l, &line, &e->flow->peer, false);
        line_end(&line);
        at = next;
    } while (*at);
}

/* Most changes of state stand on a segment's row already. */
static void state(struct ladder *l, const struct report_event *e)
{
    const struct report_state *s = &e->u.state;
    char text[160];

    if (s->peer) {
        if (s->to == l->peer_state)
            return;
        l->peer_state = s->to;
        snprintf(text, sizeof text, "peer %s %s: %s",
                 s->certainty == CERTAINTY_PROVED ? "is" : "may be", state_name(s->to),
                 s->cause ? s->cause : "");
        remark(l, e, TONE_DOUBT, text);
        return;
    }
    if (s->to == l->local || s->evidence) {
        l->local = s->to;
        return;
    }
    l->local = s->to;
    remark(l, e, TONE_DIM, s->cause ? s->cause : "");
}

static void icmp(struct ladder *l, const struct report_event *e)
{
    const struct icmp *i = &e->u.icmp.error;
    char from[ADDR_TEXT], text[200];

    snprintf(text, sizeof text, "ICMP%s %u/%u %s, from %s", i->flow.v6 ? "v6" : "", i->type,
             i->code, icmp_text(i->flow.v6, i->type, i->code),
             addr_text(i->flow.v6, &i->from, from));
    remark(l, e, TONE_TROUBLE, text);
}

static void probe(struct ladder *l, const struct report_event *e)
{
    const struct report_probe *p = &e->u.probe;
    char text[80], rtt[HUMAN_TEXT];

    if (p->answered && p->rtt != WAVE_NEVER)
        snprintf(text, sizeof text, "probe %u answered in %s", p->n, human_duration(p->rtt, rtt));
    else
        snprintf(text, sizeof text, "probe %u %sanswered", p->n, p->answered ? "" : "not ");
    remark(l, e, p->answered ? TONE_PLAIN : TONE_TROUBLE, text);
}

static void countdown(struct ladder *l, const struct report_wait *w)
{
    char text[160];

    if (!w->what)
        clear(l);
    else if (w->left == WAVE_NEVER)
        snprintf(text, sizeof text, "     ... waiting for %s", w->what);
    else
        snprintf(text, sizeof text, "     ... waiting for %s: %.0f s left", w->what,
                 (double)w->left / 1e9);
    if (w->what)
        transient(l, text);
}

/* What the mark means is said once, below, where it was drawn. */
static void finish(struct ladder *l)
{
    struct line line;

    tell_gap(l);
    if (!l->begun)
        return;
    line_start(&line, &l->term);
    if (l->assumed) {
        line_to(&line, COLUMN_STATE);
        line_text(&line, TONE_DIM, "A state with ? is assumed: no segment has proved it.");
        line_end(&line);
        line_start(&line, &l->term);
    }
    line_end(&line);
}

void ladder_event(void *self, const struct report_event *e)
{
    struct ladder *l = self;

    if (!l->begun && e->flow && e->kind != REPORT_VERDICT)
        begin(l, &e->flow->flow);
    switch (e->kind) {
    case REPORT_SEGMENT:
        segment(l, e);
        break;
    case REPORT_STATE:
        state(l, e);
        break;
    case REPORT_ICMP:
        icmp(l, e);
        break;
    case REPORT_PROBE:
        probe(l, e);
        break;
    case REPORT_NOTE:
        remark(l, e, e->u.note.trouble ? TONE_TROUBLE : TONE_BOLD, e->u.note.text);
        break;
    case REPORT_WAIT:
        countdown(l, &e->u.wait);
        break;
    case REPORT_VERDICT:
        if (!e->u.verdict.per_connection)
            finish(l);
        break;
    }
}
