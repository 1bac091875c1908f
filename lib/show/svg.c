/*
 * Collects the rows of a run for the picture. While it runs, rows are copied, because the events
 * are valid only during the call; retransmissions and D-SACK mark which segments were lost.
 * svg_end() lays everything out and writes it.
 */
#include "lib/show/svg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/io/files.h"
#include "lib/show/summary.h"

#define SUMMARY_WIDTH 118 /* columns */
#define ROWS_FIRST 32
#define SVG_MAX ((size_t)64 << 20) /* bytes of a picture: more than the rows can make */

struct collect {
    struct svg *svg;
    struct rows rows;
    unsigned room;  /* for rows in the flow's `row` */
    bool has_acked; /* the peer acknowledged something: */
    struct seq acked;
    bool ended; /* by RST or ICMP, after which nothing is unanswered */
};

struct svg {
    struct file file;
    struct outbuf *out;
    enum picture_scale scale;
    unsigned flows, rows;
    uint32_t more;
    wave_time last;
    const struct how_to *how_to; /* the report's */
    bool failed;                 /* no memory */
    struct picture_flow flow[SVG_FLOWS];
    struct collect collect[SVG_FLOWS];
};

int svg_open(struct svg **out, const char *path, enum picture_scale scale, struct diag *d)
{
    struct svg *s = calloc(1, sizeof *s);
    int rc = s ? file_open_write(&s->file, path, d)
               : diag_fail(d, WAVE_ENOMEM, "no memory to write to %s", path);

    if (rc == 0) {
        s->scale = scale;
        rc = outbuf_open(&s->out, &s->file.to, s->file.name, SVG_MAX, d);
        if (!rc && !outbuf_stream(s->out))
            rc = diag_fail(d, WAVE_ENOMEM, "no memory to write to %s", path);
    }
    if (rc) {
        if (s)
            svg_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

/*
 * Collecting rows
 */

static char *copy(struct svg *s, const char *text)
{
    char *to = text ? strdup(text) : NULL;

    s->failed |= text && !to;
    return to;
}

/* Returns room for another row, or NULL if the bound is reached or memory is short. */
static struct picture_row *another(struct svg *s, unsigned n)
{
    struct picture_flow *f = &s->flow[n];
    struct collect *c = &s->collect[n];

    if (s->rows == SVG_ROWS) {
        f->left_out++;
        return NULL;
    }
    if (f->rows == c->room) {
        unsigned room = c->room ? 2 * c->room : ROWS_FIRST;
        struct picture_row *row = realloc(f->row, room * sizeof *row);
        s->failed |= !row;
        if (!row)
            return NULL;
        f->row = row;
        c->room = room;
    }
    s->rows++;
    memset(&f->row[f->rows], 0, sizeof f->row[0]);
    return &f->row[f->rows++];
}

/* Marks the row that this segment retransmits as lost, which it seems to be: unless the peer has
 * acknowledged it, as when a rule kept that from our engine, or a rule changed either of them. */
static void mark_lost(const struct collect *c, struct picture_flow *f,
                      const struct report_segment *g)
{
    for (unsigned i = f->rows; g->out && g->repeats && !g->impaired && i > 0; i--) {
        struct picture_row *row = &f->row[i - 1];
        if (row->kind == ROW_SEGMENT && row->number == g->repeats)
            row->lost = !row->words && !(c->has_acked && seq_geq(c->acked, row->end));
    }
}

/* Removes that mark, because the peer reports that it received both copies (RFC 2883). */
static void unmark_lost(struct picture_flow *f, const struct seg *s)
{
    const struct sack_block *b = &s->opt.sack[0];

    if (!label_is_dsack(s))
        return;
    for (unsigned i = 0; i < f->rows; i++)
        if (f->row[i].lost && seq_lt(f->row[i].seq, b->end) && seq_lt(b->first, f->row[i].end))
            f->row[i].lost = false;
}

static void watch_peer(struct collect *c, struct picture_flow *f, const struct seg *s)
{
    unmark_lost(f, s);
    c->ended |= (s->flags & SEG_RST) != 0;
    if ((s->flags & SEG_ACK) && (!c->has_acked || seq_gt(s->ack, c->acked))) {
        c->has_acked = true;
        c->acked = s->ack;
    }
}

/* Returns what a rule did, for the title of the arrow. */
static char *impaired_words(struct svg *s, const struct impaired *i)
{
    char text[2 * IMPAIRED_TEXT + 200];

    snprintf(text, sizeof text, "impaired on purpose by rule %u, %.180s: %s", i->rule,
             i->words ? i->words : "", i->what);
    return copy(s, text);
}

static bool assumed(const struct track_view *v)
{
    return v->certainty == CERTAINTY_ASSUMED && v->state != STATE_UNKNOWN;
}

static void segment_row(struct svg *s, struct picture_row *row, const struct report_segment *g,
                        bool strangers)
{
    const struct seg *seg = &g->packet->seg;
    row->number = g->number;
    row->out = g->out;
    row->rst = seg->flags & SEG_RST;
    row->probe = g->notes & (TRACK_PROBE | TRACK_PROBE_ANSWER);
    row->seq = seg->seq;
    row->end = seg_end(seg);
    row->peer = g->peer;
    row->struck = g->struck;
    row->made = g->impaired && !g->impaired->on_wire && !g->struck;
    if (g->impaired)
        row->words = impaired_words(s, g->impaired);
    if (g->local_changed) {
        row->local = g->local;
        row->local_assumed = strangers && assumed(&g->client);
    }
    row->label = malloc(sizeof *row->label);
    s->failed |= !row->label;
    if (row->label)
        label_segment(row->label, g, false, false);
}

/* Gives the row the states that both sides had before. */
static void as_before(struct svg *s, unsigned n, struct picture_row *row)
{
    const struct picture_row *before = s->flow[n].rows > 1 ? row - 1 : NULL;

    row->peer.state = STATE_UNKNOWN;
    if (!before)
        return;
    row->local = before->local;
    row->local_assumed = before->local_assumed;
    row->peer = before->peer;
    memcpy(row->closed, before->closed, sizeof row->closed);
}

/* A row_sink; `self` is a struct collect. */
static void draw(void *self, const struct row *from)
{
    struct collect *c = self;
    struct svg *s = c->svg;
    unsigned n = (unsigned)(c - s->collect);
    const struct report_event *e = from->event;
    struct picture_row *row;

    if (from->kind == ROW_END || from->kind == ROW_PEER || !(row = another(s, n)))
        return;
    row->kind = from->kind;
    row->at = from->at;
    row->since = from->since;
    row->tone = from->tone;
    row->text = copy(s, from->text);
    if (from->kind == ROW_SILENCE || from->kind == ROW_LEFT_OUT) { /* before `e` */
        row->at = from->since;
        as_before(s, n, row);
        return;
    }
    row->local = e->flow->local;
    row->local_assumed = assumed(&e->flow->client) && e->flow->strangers;
    row->peer = e->flow->peer;
    row->closed[0] = e->flow->fin[0];
    row->closed[1] = e->flow->fin[1];
    if (from->kind == ROW_ICMP)
        row->router = !addr_eq(&e->u.icmp.error.from, &e->flow->flow.remote);
    if (from->kind == ROW_SEGMENT)
        segment_row(s, row, &e->u.segment, e->flow->strangers);
}

/* Returns the index of the event's connection among those that are drawn, or SVG_FLOWS. */
static unsigned place(struct svg *s, const struct report_event *e)
{
    unsigned i;

    for (i = 0; i < s->flows; i++)
        if (s->flow[i].connection == e->connection)
            return i;
    if (s->flows == SVG_FLOWS) {
        s->more += e->kind == REPORT_VERDICT;
        return SVG_FLOWS;
    }
    s->flow[i].connection = e->connection;
    s->flow[i].flow = e->flow->flow;
    s->flow[i].strangers = e->flow->strangers;
    s->collect[i].svg = s;
    rows_init(&s->collect[i].rows, draw, &s->collect[i], false);
    s->flows++;
    return i;
}

void svg_event(void *self, const struct report_event *e)
{
    struct svg *s = self;
    unsigned n;

    s->last = e->at > s->last ? e->at : s->last;
    s->how_to = e->how_to;
    if (!e->flow || (e->kind == REPORT_VERDICT && !e->u.verdict.per_connection))
        return;
    n = place(s, e);
    if (n == SVG_FLOWS)
        return;
    if (e->kind == REPORT_SEGMENT) {
        mark_lost(&s->collect[n], &s->flow[n], &e->u.segment);
        if (!e->u.segment.out)
            watch_peer(&s->collect[n], &s->flow[n], &e->u.segment.packet->seg);
    }
    if (e->kind == REPORT_ICMP)
        s->collect[n].ended |= e->u.icmp.fatal;
    if (e->kind == REPORT_VERDICT) {
        s->flow[n].verdict = e->u.verdict.verdict;
        free(s->flow[n].message);
        s->flow[n].message = copy(s, e->u.verdict.message);
    }
    rows_event(&s->collect[n].rows, e);
}

/*
 * Writing
 */

/* Writes on the arrows what became of the segments. */
static void tell_fate(const struct collect *c, struct picture_flow *f)
{
    for (unsigned i = 0; i < f->rows; i++) {
        struct picture_row *row = &f->row[i];
        bool asks =
            row->kind == ROW_SEGMENT && row->out && !row->rst && !seq_eq(row->seq, row->end);
        row->unanswered = asks && !c->ended && !row->lost && !row->struck &&
                          (!c->has_acked || seq_gt(row->end, c->acked));
        if (row->label && (row->lost || row->unanswered))
            label_remark(row->label, TONE_DOUBT, row->lost ? "lost?" : "unanswered");
    }
}

/* Draws what was still left out; what was never answered is known now. */
static void finish(struct svg *s, const struct report_verdict *v)
{
    for (unsigned i = 0; i < s->flows; i++) {
        struct report_event e = {.kind = REPORT_VERDICT, .at = s->last, .flow = v->flow};
        e.u.verdict.per_connection = true;
        if (v->flow)
            rows_event(&s->collect[i].rows, &e);
        tell_fate(&s->collect[i], &s->flow[i]);
    }
}

/* Returns the lines of the summary as a terminal would show them. */
static char *summary(struct svg *s, const struct report_verdict *v)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    struct term term = {.to = to, .width = SUMMARY_WIDTH};
    struct report_event e = {.kind = REPORT_VERDICT, .at = s->last, .flow = v->flow};

    if (to) {
        e.u.verdict = *v;
        summary_event(&term, &e);
        fclose(to);
    }
    s->failed |= !text;
    return text;
}

static void title_of(const struct svg *s, const struct report_verdict *v, char *text, size_t room)
{
    const struct picture_flow *f = &s->flow[0];
    char name[ADDR_PORT_TEXT] = "";

    if (s->flows && v->several)
        addr_port_text(f->flow.v6, &f->flow.local, f->flow.lport, name);
    else if (s->flows)
        addr_port_text(f->flow.v6, &f->flow.remote, f->flow.rport, name);
    snprintf(text, room, "tcpwave %s %s%s", v->command, name, v->simulated ? " (simulated)" : "");
}

int svg_end(struct svg *s, const struct report_verdict *v, struct outbuf_end *end, struct diag *d)
{
    char title[100], *text = summary(s, v);
    struct picture p = {.scale = s->scale,
                        .title = title,
                        .summary = text ? text : "",
                        .flow = s->flow,
                        .more = s->more,
                        .how_to = s->how_to};

    finish(s, v);
    p.flows = s->flows;
    title_of(s, v, title, sizeof title);
    picture_write(&p, outbuf_stream(s->out));
    free(text);
    if (outbuf_flush(s->out, d) != 0)
        return WAVE_ESYS;
    if (outbuf_finish(s->out, end) != 0)
        return diag_fail(d, WAVE_ESYS, "cannot write to %s: its reader does not read",
                         s->file.name);
    if (s->failed || outbuf_left_out(s->out))
        return diag_fail(d, WAVE_ENOMEM, "no memory for the whole picture in %s", s->file.name);
    return 0;
}

void svg_close(struct svg *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->flows; i++) {
        for (unsigned k = 0; k < s->flow[i].rows; k++) {
            free(s->flow[i].row[k].text);
            free(s->flow[i].row[k].words);
            free(s->flow[i].row[k].label);
        }
        free(s->flow[i].row);
        free(s->flow[i].message);
    }
    outbuf_close(s->out);
    s->file.to.opened = false; /* closed with the file */
    file_close(&s->file, NULL);
    free(s);
}
