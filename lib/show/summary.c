#include "lib/show/summary.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "lib/report/human.h"
#include "lib/show/ending.h"

#define COLUMN_VALUE 13

/* A text under a name, broken at blanks where the width is used up. */
static void wrapped(const struct term *t, enum tone name_tone, const char *name, enum tone tone,
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

/* "  name       value" */
static void row(const struct term *t, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void row(const struct term *t, const char *name, const char *format, ...)
{
    char text[512], label[16];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    snprintf(label, sizeof label, "  %s", name);
    wrapped(t, TONE_DIM, label, TONE_PLAIN, text);
}

static void headline(const struct term *t, const struct report_verdict *v)
{
    char word[16];

    snprintf(word, sizeof word, "%s:", verdict_name(v->verdict));
    wrapped(t, v->verdict == VERDICT_OPEN ? TONE_PEER : TONE_TROUBLE, word, TONE_BOLD, v->message);
}

static void handshake(const struct term *t, const struct report_flow *f)
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

static void data(const struct term *t, const struct report_flow *f)
{
    char sent[HUMAN_TEXT], received[HUMAN_TEXT], again[HUMAN_TEXT];

    if (f->retransmissions)
        row(t, "data", "%s sent, %s received; %s segment%s sent again",
            human_bytes(f->sent_bytes, sent), human_bytes(f->received_bytes, received),
            human_count(f->retransmissions, again), f->retransmissions == 1 ? "" : "s");
    else
        row(t, "data", "%s sent, %s received", human_bytes(f->sent_bytes, sent),
            human_bytes(f->received_bytes, received));
    if (f->unstamped)
        row(t, "timestamps",
            "agreed on, and missing on %s segment%s of the peer's, taken all the same",
            human_count(f->unstamped, again), f->unstamped == 1 ? "" : "s");
}

static void how_closed(const struct term *t, const struct report_verdict *v)
{
    const char *by = !strcmp(v->by, "local")  ? "by us"
                     : !strcmp(v->by, "peer") ? "by the peer"
                     : !strcmp(v->by, "both") ? "by both at once"
                                              : "by nobody";

    if (v->kind)
        row(t, "close", "%s, %s", v->kind, by);
}

static void half_close(const struct term *t, const struct report_half_close *h)
{
    char bytes[HUMAN_TEXT], duration[HUMAN_TEXT];

    if (!h->fin_acked) {
        row(t, "half-close", "not honoured: %s",
            h->fin_came ? "the peer's FIN came before it had acknowledged ours"
                        : "our FIN was never acknowledged");
        return;
    }
    row(t, "half-close", "%s: %s in %u segment%s over %s after our FIN was acknowledged",
        h->honoured ? "honoured" : "not honoured", human_bytes(h->bytes, bytes), h->segments,
        h->segments == 1 ? "" : "s", human_duration(h->duration, duration));
}

static void keepalive(const struct term *t, const struct report_keepalive *k)
{
    char sent[HUMAN_TEXT], answered[HUMAN_TEXT], a[4][HUMAN_TEXT];

    row(t, "keepalive", "%s probe%s sent, %s answered; longest silence survived %s",
        human_count(k->sent, sent), k->sent == 1 ? "" : "s", human_count(k->answered, answered),
        human_duration(k->silence, a[0]));
    if (k->rtt.count)
        row(t, "round trip", "min %s, median %s, p95 %s, max %s",
            human_duration(k->rtt.least, a[0]), human_duration(k->rtt.median, a[1]),
            human_duration(k->rtt.p95, a[2]), human_duration(k->rtt.most, a[3]));
    if (k->peer_probes)
        row(t, "its probes", "%s answered; %s after the last segment (%s to %s)",
            human_count(k->peer_probes, answered), human_duration(k->peer_after.median, a[0]),
            human_duration(k->peer_after.least, a[1]), human_duration(k->peer_after.most, a[2]));
    if (k->peer_apart.count)
        row(t, "", "%s apart (%s to %s)", human_duration(k->peer_apart.median, a[0]),
            human_duration(k->peer_apart.least, a[1]), human_duration(k->peer_apart.most, a[2]));
}

/* ", 3 late" and so on, for what there was of it. */
static void add_count(char *text, size_t room, uint64_t n, const char *what)
{
    char count[HUMAN_TEXT];
    size_t used = strlen(text);

    if (n)
        snprintf(text + used, room - used, "%s%s %s", used ? ", " : "", human_count(n, count),
                 what);
}

static void unanswered(const struct term *t, const struct report_send *s)
{
    char text[400] = "", more[HUMAN_TEXT];
    size_t used = 0;

    for (unsigned i = 0; i < s->ranges; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 s->unanswered[i].first == s->unanswered[i].last ? "%s%" PRIu64
                                                                                 : "%s%" PRIu64
                                                                                   "-%" PRIu64,
                                 i ? ", " : "", s->unanswered[i].first, s->unanswered[i].last);
    if (s->ranges && s->more)
        row(t, "unanswered", "%s and %s more", text, human_count(s->more, more));
    else if (s->ranges)
        row(t, "unanswered", "%s", text);
}

/* What `send` found out. */
static void crafted(const struct term *t, const struct report_send *s)
{
    char sent[HUMAN_TEXT], answered[HUMAN_TEXT], text[160] = "", a[5][HUMAN_TEXT];

    row(t, "segments", "%s sent, %s answered, %.1f %% loss", human_count(s->sent, sent),
        human_count(s->answered, answered),
        s->sent ? 100.0 * (double)(s->sent - s->answered) / (double)s->sent : 0.0);
    add_count(text, sizeof text, s->syn_ack, "SYN-ACK");
    add_count(text, sizeof text, s->rst, "RST");
    add_count(text, sizeof text, s->ack, "ACK");
    add_count(text, sizeof text, s->other, "other");
    add_count(text, sizeof text, s->icmp, "ICMP");
    if (text[0])
        row(t, "answers", "%s", text);
    text[0] = '\0';
    add_count(text, sizeof text, s->duplicates, "twice");
    add_count(text, sizeof text, s->late, "late");
    add_count(text, sizeof text, s->out_of_order, "out of order");
    add_count(text, sizeof text, s->malformed, "malformed");
    add_count(text, sizeof text, s->strays, "to none of ours");
    if (text[0])
        row(t, "of note", "%s", text);
    unanswered(t, s);
    if (s->rtt.count)
        row(t, "round trip", "min %s, median %s, p95 %s, max %s, stddev %s",
            human_duration(s->rtt.least, a[0]), human_duration(s->rtt.median, a[1]),
            human_duration(s->rtt.p95, a[2]), human_duration(s->rtt.most, a[3]),
            human_duration(s->rtt_stddev, a[4]));
    if (s->sent > 1 && s->rate > 0)
        row(t, "rate", "%.6g segments/s, of %.6g/s asked", s->reached, s->rate);
    else if (s->sent > 1)
        row(t, "rate", "%s segments/s", human_count((uint64_t)s->reached, sent));
}

static void peer(const struct term *t, const struct report_flow *f)
{
    const struct track_view *p = &f->peer;

    if (!p->evidence)
        row(t, "peer", "%s: it sent nothing that would tell", state_name(p->state));
    else
        row(t, "peer", "%s, %s %u%s%s", state_name(p->state),
            p->certainty == CERTAINTY_PROVED ? "proved by segment" : "assumed since segment",
            p->evidence, p->cause ? ": " : "", p->cause ? p->cause : "");
}

void summary_event(void *self, const struct report_event *e)
{
    const struct term *t = self;
    const struct report_verdict *v = &e->u.verdict;
    char left_out[OUTBUF_GAP];

    if (e->kind != REPORT_VERDICT)
        return;
    headline(t, v);
    if (v->flow) {
        handshake(t, v->flow);
        if (v->flow->offered)
            data(t, v->flow);
        if (v->half_close)
            half_close(t, v->half_close);
        if (v->keepalive)
            keepalive(t, v->keepalive);
        if (v->by)
            how_closed(t, v);
        peer(t, v->flow);
    }
    if (v->send)
        crafted(t, v->send);
    if (v->guard && !v->per_connection)
        row(t, "guard", "%s: this host's kernel stays out of it", v->guard);
    if (v->dropped)
        row(t, "capture", "%" PRIu64 " of %" PRIu64 " frames were lost for want of room",
            v->dropped, v->captured);
    if (v->left_out.lines || v->left_out.packets || v->left_out.bytes)
        row(t, "output", "%s", ending_text(&v->left_out, left_out));
    if (v->no_room)
        row(t, "sending", "the kernel had no room %" PRIu64 " time%s: each time sent after a pause",
            v->no_room, v->no_room == 1 ? "" : "s");
}
