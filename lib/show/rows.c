/*
 * Turns events into rows. A segment that belongs to a long transfer is counted instead of drawn;
 * before the next row, the count and a silence get rows of their own. Everything else is a remark
 * with a text.
 */
#include "lib/show/rows.h"

#include <stdio.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/report/human.h"

void rows_init(struct rows *r, row_sink *draw, void *self, bool all)
{
    memset(r, 0, sizeof *r);
    r->draw = draw;
    r->self = self;
    r->all = all;
}

static void draw(struct rows *r, enum row_kind kind, const struct report_event *e, wave_time since,
                 enum tone tone, const char *text)
{
    struct row row = {
        .kind = kind, .at = e->at, .since = since, .tone = tone, .text = text, .event = e};

    r->draw(r->self, &row);
}

const char *rows_left_out_text(const struct rows_left_out *l, char text[ROWS_TEXT])
{
    char number[HUMAN_TEXT], bytes[HUMAN_TEXT], duration[HUMAN_TEXT];
    size_t n = (size_t)snprintf(text, ROWS_TEXT, "%s segment%s, %s in %s",
                                human_count(l->segments, number), l->segments == 1 ? "" : "s",
                                human_bytes(l->bytes, bytes),
                                human_duration(l->last - l->first, duration));

    if (l->retransmissions)
        n += (size_t)snprintf(text + n, ROWS_TEXT - n, ", %s retransmission%s",
                              human_count(l->retransmissions, number),
                              l->retransmissions == 1 ? "" : "s");
    if (l->out_of_order)
        n += (size_t)snprintf(text + n, ROWS_TEXT - n, ", %s out of order",
                              human_count(l->out_of_order, number));
    if (l->resets)
        n += (size_t)snprintf(text + n, ROWS_TEXT - n, ", %s RST that changed nothing",
                              human_count(l->resets, number));
    if (l->impaired)
        snprintf(text + n, ROWS_TEXT - n, ", %s impaired", human_count(l->impaired, number));
    return text;
}

/* Draws one row for all the segments that were not drawn. */
static void tell_left_out(struct rows *r, const struct report_event *e)
{
    char text[ROWS_TEXT];

    if (!r->left_out.segments)
        return;
    draw(r, ROW_LEFT_OUT, e, r->left_out.first, TONE_BOLD, rows_left_out_text(&r->left_out, text));
    memset(&r->left_out, 0, sizeof r->left_out);
}

/* Draws what comes before a row: what was left out, and the silence since then. */
static void before(struct rows *r, const struct report_event *e)
{
    char length[HUMAN_TEXT];

    tell_left_out(r, e);
    if (r->begun && e->at >= r->last + ROWS_SILENCE)
        draw(r, ROW_SILENCE, e, r->last, TONE_DIM, human_duration(e->at - r->last, length));
    if (!r->begun || e->at > r->last)
        r->last = e->at;
    r->begun = true;
}

/* Returns whether the segment is data or an acknowledgement, of which there may be thousands. */
static bool is_plain(const struct report_segment *g)
{
    const unsigned keep = TRACK_PROBE | TRACK_PROBE_ANSWER | TRACK_CHALLENGE;

    return !(g->packet->seg.flags & (SEG_SYN | SEG_FIN | SEG_RST)) && !g->local_changed &&
           !g->peer_changed && !(g->notes & keep) && !g->foreign;
}

/* Returns whether the segment is half of a probe and its answer, which get one row together. */
static bool is_folded(const struct rows *r, const struct report_segment *g)
{
    unsigned half = g->out ? TRACK_PROBE | TRACK_PROBE_ANSWER : TRACK_PROBE_ANSWER;

    return r->folds_probes && !r->all && (g->notes & half) && !g->foreign && !g->impaired &&
           !g->local_changed && !(g->packet->seg.flags & (SEG_SYN | SEG_FIN | SEG_RST));
}

/* Returns whether the segment may be part of a storm: a RST or SYN that changes nothing, or the
 * challenge ACK that answers one (RFC 5961). */
static bool is_unfit(const struct report_segment *g)
{
    const unsigned flags = g->packet->seg.flags;
    const bool odd = (flags & SEG_RST) || (flags & (SEG_SYN | SEG_ACK)) == SEG_SYN;

    return !g->local_changed && !g->peer_changed && !g->foreign &&
           ((g->notes & TRACK_CHALLENGE) || (!g->out && odd && state_synchronized(g->local)));
}

/* Returns whether there have been so many of them that this one has no row. */
static bool is_storm(struct rows *r, const struct report_event *e)
{
    const struct report_segment *g = &e->u.segment;

    if (!is_unfit(g)) {
        r->unfit = is_plain(g) ? r->unfit : 0;
        return false;
    }
    if (e->at > r->unfit_at + ROWS_UNFIT_PAUSE)
        r->unfit = 0;
    r->unfit_at = e->at;
    return !r->all && ++r->unfit > ROWS_UNFIT;
}

static void leave_out(struct rows *r, const struct report_event *e)
{
    const struct report_segment *g = &e->u.segment;
    struct rows_left_out *l = &r->left_out;

    if (!l->segments++)
        l->first = e->at;
    l->last = r->last = e->at;
    l->bytes += g->packet->seg.len;
    l->retransmissions += g->retransmission;
    l->out_of_order += (g->notes & TRACK_OUT_OF_ORDER) != 0;
    l->impaired += g->impaired != NULL;
    l->resets += (g->packet->seg.flags & SEG_RST) != 0;
}

static void segment(struct rows *r, const struct report_event *e)
{
    const struct report_segment *g = &e->u.segment;
    char peer[ADDR_PORT_TEXT], text[ROWS_TEXT];

    r->connection = e->connection;
    r->peer = g->peer;
    if (is_folded(r, g))
        return;
    if (is_storm(r, e)) {
        leave_out(r, e);
        return;
    }
    if (r->begun && e->at >= r->last + ROWS_SILENCE && r->plain > ROWS_PLAIN - ROWS_AFTER_SILENCE)
        r->plain = ROWS_PLAIN - ROWS_AFTER_SILENCE;
    if (!is_plain(g)) {
        r->plain = r->impaired = 0;
    } else if (!r->all && ++*(g->impaired ? &r->impaired : &r->plain) > ROWS_PLAIN) {
        leave_out(r, e);
        return;
    }
    before(r, e);
    if (e->connection && g->number == 1) {
        const struct flow *flow = &e->flow->flow;
        snprintf(text, sizeof text, "connection %u: %s", e->connection,
                 addr_port_text(flow->v6, &flow->remote, flow->rport, peer));
        draw(r, ROW_PEER, e, e->at, TONE_PEER, text);
    }
    draw(r, ROW_SEGMENT, e, e->at, TONE_PLAIN, NULL);
}

static void remark(struct rows *r, const struct report_event *e, enum row_kind kind, enum tone tone,
                   const char *text)
{
    before(r, e);
    r->plain = 0;
    draw(r, kind, e, e->at, tone, text);
}

/* Most changes of state are shown on the row of the segment that caused them. */
static void state(struct rows *r, const struct report_event *e)
{
    const struct report_state *s = &e->u.state;
    char text[ROWS_TEXT];

    if (!s->peer) {
        if (!s->evidence)
            remark(r, e, ROW_REMARK, TONE_DIM, s->cause ? s->cause : "");
        return;
    }
    if (e->connection == r->connection && s->to == r->peer.state &&
        s->certainty == r->peer.certainty)
        return;
    snprintf(text, sizeof text, "%s %s %s: %s", e->flow && e->flow->strangers ? "server" : "peer",
             s->certainty == CERTAINTY_PROVED ? "is" : "may be", state_name(s->to),
             s->cause ? s->cause : "");
    remark(r, e, ROW_REMARK, TONE_DOUBT, text);
}

static void icmp(struct rows *r, const struct report_event *e)
{
    const struct icmp *i = &e->u.icmp.error;
    char from[ADDR_TEXT], text[ROWS_TEXT];

    snprintf(text, sizeof text, "ICMP%s %u/%u %s, from %s", i->flow.v6 ? "v6" : "", i->type,
             i->code, icmp_text(i->flow.v6, i->type, i->code),
             addr_text(i->flow.v6, &i->from, from));
    remark(r, e, ROW_ICMP, TONE_TROUBLE, text);
}

static void probe(struct rows *r, const struct report_event *e)
{
    const struct report_probe *p = &e->u.probe;
    char text[ROWS_TEXT], rtt[HUMAN_TEXT];

    if (p->reset) /* the row of that RST shows it */
        return;
    if (p->answered && p->rtt != WAVE_NEVER)
        snprintf(text, sizeof text, "probe %u answered in %s", p->n, human_duration(p->rtt, rtt));
    else
        snprintf(text, sizeof text, "probe %u %sanswered", p->n, p->answered ? "" : "not ");
    remark(r, e, ROW_REMARK, p->answered ? TONE_PLAIN : TONE_TROUBLE, text);
}

static void expect(struct rows *r, const struct report_event *e)
{
    char text[EXPECT_ROW];

    remark(r, e, ROW_REMARK, e->u.expect->passed ? TONE_PLAIN : TONE_TROUBLE,
           expect_text(e->u.expect, text));
}

/* A finding that is made during the run is drawn where it was made; the summary has all of them. */
static void found(struct rows *r, const struct report_event *e)
{
    static const enum tone tone[] = {[FINDING_INFO] = TONE_DIM,
                                     [FINDING_WARNING] = TONE_DOUBT,
                                     [FINDING_PROBLEM] = TONE_TROUBLE};
    const struct finding *f = e->u.found.finding;
    char text[ROWS_TEXT];

    if (e->u.found.at_end)
        return;
    snprintf(text, sizeof text, "%s%s: %s", f->code,
             f->certainty == FINDING_PROVED ? "" : " (likely)", f->message);
    remark(r, e, ROW_REMARK, tone[f->severity], text);
}

void rows_event(struct rows *r, const struct report_event *e)
{
    switch (e->kind) {
    case REPORT_SEGMENT:
        segment(r, e);
        break;
    case REPORT_STATE:
        state(r, e);
        break;
    case REPORT_ICMP:
        icmp(r, e);
        break;
    case REPORT_PROBE:
        probe(r, e);
        break;
    case REPORT_NOTE:
        remark(r, e, ROW_REMARK, e->u.note.trouble ? TONE_TROUBLE : TONE_BOLD, e->u.note.text);
        break;
    case REPORT_FINDING:
        found(r, e);
        break;
    case REPORT_EXPECT:
        expect(r, e);
        break;
    case REPORT_IDLE:
    case REPORT_WAIT:
    case REPORT_UNANSWERED:
    case REPORT_PROGRESS:
        break;
    case REPORT_VERDICT:
        tell_left_out(r, e);
        if (!e->u.verdict.per_connection)
            draw(r, ROW_END, e, e->at, TONE_PLAIN, NULL);
        break;
    }
}
