/*
 * Writes the summary: the headline with the verdict, the findings, and rows with a name and a
 * value.
 */
#include "lib/show/summary.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "lib/report/human.h"
#include "lib/show/left_out.h"

#define COLUMN_VALUE 13

void summary_conclusions(const struct report_verdict *v, summary_row *row, void *self)
{
    char finding[FINDING_ROW], expected[EXPECT_ROW];

    for (unsigned i = 0; v->findings && i < v->findings->count; i++) {
        const struct finding *f = &v->findings->at[i];
        row(self, finding_severity_name(f->severity), finding_text(f, finding));
        if (f->advice[0])
            row(self, "", f->advice);
    }
    for (unsigned i = 0; v->expects && i < v->expects->count; i++)
        if (!v->expects->at[i].passed)
            row(self, "expected", expect_text(&v->expects->at[i], expected));
}

const char *summary_network(const char *spec, char text[SUMMARY_NETWORK])
{
    snprintf(text, SUMMARY_NETWORK, "simulated%s%s: no packet leaves this host", *spec ? ", " : "",
             spec);
    return text;
}

/* Writes a text under a name, broken at blanks where the width is used up. */
static void wrapped(struct term *t, enum tone name_tone, const char *name, enum tone tone,
                    const char *text)
{
    const char *at = text, *next;

    do {
        struct line line;
        line_start(&line, t);
        if (at == text)
            line_text(&line, name_tone, name);
        line_to(&line, COLUMN_VALUE);
        size_t take = text_break(at, t->width - line.columns, &next);
        line_printf(&line, tone, "%.*s", (int)take, at);
        line_end(&line);
        at = next;
    } while (*at);
}

/* Writes "  name       value". */
static void row(struct term *t, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void row(struct term *t, const char *name, const char *format, ...)
{
    char text[640], label[16];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    snprintf(label, sizeof label, "  %s", name);
    wrapped(t, TONE_DIM, label, TONE_PLAIN, text);
}

static void plain_row(void *self, const char *label, const char *text)
{
    row(self, label, "%s", text);
}

static void headline(struct term *t, const struct report_verdict *v)
{
    char word[16];

    snprintf(word, sizeof word, "%s:", verdict_name(v->verdict));
    wrapped(t, v->verdict == VERDICT_OPEN ? TONE_PEER : TONE_TROUBLE, word, TONE_BOLD, v->message);
}

static void handshake(struct term *t, const struct report_flow *f)
{
    const struct opt *o = &f->theirs;
    char rtt[HUMAN_TEXT], offers[160];
    int n = 0;

    if (!f->offered)
        return;
    n += snprintf(offers + n, sizeof offers - (size_t)n, "%s", "peer offers");
    if (o->has & OPT_MSS)
        n += snprintf(offers + n, sizeof offers - (size_t)n, " MSS %u,", o->mss);
    if (o->has & OPT_WSCALE)
        n += snprintf(offers + n, sizeof offers - (size_t)n, " window scale %u,", o->wscale);
    if (o->has & OPT_SACK_PERMITTED)
        n += snprintf(offers + n, sizeof offers - (size_t)n, " SACK,");
    if (o->has & OPT_TIMESTAMP)
        n += snprintf(offers + n, sizeof offers - (size_t)n, " timestamps,");
    if (f->their_flags & SEG_ECE)
        n += snprintf(offers + n, sizeof offers - (size_t)n, " ECN,");
    if (offers[n - 1] == ',')
        offers[n - 1] = '\0';
    else
        snprintf(offers + n, sizeof offers - (size_t)n, " no options");
    if (f->rtt == WAVE_NEVER)
        row(t, "handshake", "round trip not measured; %s", offers);
    else
        row(t, "handshake", "round trip %s; %s", human_duration(f->rtt, rtt), offers);
}

static void data(struct term *t, const struct report_flow *f)
{
    char sent[HUMAN_TEXT], received[HUMAN_TEXT], again[HUMAN_TEXT];

    if (f->retransmissions)
        row(t, "data", "%s sent, %s received; %s retransmission%s",
            human_bytes(f->sent_bytes, sent), human_bytes(f->received_bytes, received),
            human_count(f->retransmissions, again), f->retransmissions == 1 ? "" : "s");
    else
        row(t, "data", "%s sent, %s received", human_bytes(f->sent_bytes, sent),
            human_bytes(f->received_bytes, received));
    if (f->unstamped)
        row(t, "timestamps",
            "agreed on, but missing on %s segment%s of the peer's: accepted all the same",
            human_count(f->unstamped, again), f->unstamped == 1 ? "" : "s");
}

static void how_closed(struct term *t, const struct report_verdict *v)
{
    const char *by = !strcmp(v->by, "local")  ? "by us"
                     : !strcmp(v->by, "peer") ? "by the peer"
                     : !strcmp(v->by, "both") ? "by both at the same time"
                                              : "by neither side";

    if (v->kind)
        row(t, "close", "%s, %s", v->kind, by);
}

/* Writes the figures of the command. */
static void figures(struct term *t, const struct figures *f)
{
    for (unsigned i = 0; i < f->rows; i++)
        plain_row(t, f->row[i].label, f->row[i].text);
}

static void peer(struct term *t, const struct report_flow *f)
{
    const struct track_view *p = &f->peer;

    if (!p->evidence)
        row(t, "peer", "%s: it sent nothing that shows its state", state_name(p->state));
    else
        row(t, "peer", "%s, %s %u%s%s", state_name(p->state),
            p->certainty == CERTAINTY_PROVED ? "proved by segment" : "assumed since segment",
            p->evidence, p->cause ? ": " : "", p->cause ? p->cause : "");
}

/* Writes what the segments show of the connection, with the figures of the command in between. */
static void connection(struct term *t, const struct report_verdict *v)
{
    const bool ours = v->flow && !v->flow->strangers;

    if (ours) {
        handshake(t, v->flow);
        if (v->flow->offered)
            data(t, v->flow);
    }
    if (v->figures)
        figures(t, v->figures);
    if (ours) {
        if (v->by)
            how_closed(t, v);
        peer(t, v->flow);
    }
}

void summary_event(void *self, const struct report_event *e)
{
    struct term *t = self;
    const struct report_verdict *v = &e->u.verdict;
    char left_out[OUTBUF_GAP], network[SUMMARY_NETWORK], rule[IMPAIRMENT_ROW];

    if (e->kind != REPORT_VERDICT)
        return;
    headline(t, v);
    summary_conclusions(v, plain_row, t);
    connection(t, v);
    for (unsigned i = 0; v->impairments && i < v->impairments->count; i++)
        row(t, "impaired", "%s", impairment_text(&v->impairments->at[i], rule));
    if (v->simulated)
        row(t, "network", "%s", summary_network(v->simulated, network));
    else if (v->guard && !v->per_connection)
        row(t, "guard", "%s: this host's kernel stays out of it", v->guard);
    if (v->dropped)
        row(t, "capture",
            "%" PRIu64 " of %" PRIu64 " frames were lost: the capture's buffer was full",
            v->dropped, v->captured);
    if (v->left_out.lines || v->left_out.packets || v->left_out.bytes)
        row(t, "output", "%s", left_out_text(&v->left_out, left_out));
    if (v->no_room)
        row(t, "sending", "the kernel had no room %" PRIu64 " time%s: each time sent after a pause",
            v->no_room, v->no_room == 1 ? "" : "s");
}
