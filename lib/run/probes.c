/*
 * Follows the keepalive probes of one connection. probes_event() takes the engine's events (a probe
 * was sent, answered, or came from the peer); probes_watch() takes the captured segments, whose
 * stamps give the times. probes_figures() adds the results to the verdict.
 */
#include "lib/run/probes.h"

#include "lib/report/human.h"

void probes_watch(struct probes *p, const struct report_event *e)
{
    const struct report_segment *g = &e->u.segment;

    if (e->kind != REPORT_SEGMENT || g->foreign)
        return;
    if (g->out) {
        if (p->asked && p->asked_at == WAVE_NEVER && (g->notes & TRACK_PROBE))
            p->asked_at = e->at;
    } else {
        bool ends = g->packet->seg.flags & SEG_RST; /* a silence that ends with RST was not
                                                       survived */
        p->gap = p->any ? e->at - p->last_at : 0;
        if (p->heard && !ends && e->at - p->heard_at > p->silence)
            p->silence = e->at - p->heard_at;
        p->heard = true;
        p->heard_at = e->at;
    }
    p->any = true;
    p->last_at = e->at;
}

/* Reports what became of our last probe, with the time of the segment that showed it, if one
 * did. */
static void tell(struct probes *p, struct session *s, struct session_conn *c, wave_time stamp,
                 wave_time rtt, bool reset)
{
    struct report_probe probe = {
        .n = p->asked, .answered = rtt != WAVE_NEVER, .reset = reset, .rtt = rtt};

    if (p->asked)
        report_probe(&s->report, session_flow(c), stamp, &probe);
    p->asked = 0;
}

/* Returns when the answer to our last probe was due: just before the next probe or the end, which
 * follows from its absence. */
static wave_time overdue(const struct probes *p, const struct session *s)
{
    if (p->asked_at == WAVE_NEVER)
        return session_stamp(s);
    return s->report.origin + time_add(p->asked_at, s->config.engine.keepalive_interval);
}

static void answered(struct probes *p, struct session *s, struct session_conn *c,
                     const struct event *e)
{
    bool seen = p->asked_at != WAVE_NEVER && p->heard_at >= p->asked_at;
    wave_time rtt = seen ? p->heard_at - p->asked_at : e->u.probe.rtt;

    if (!p->asked)
        return;
    p->answered++;
    histogram_add(&p->rtt, rtt);
    tell(p, s, c, seen ? s->report.origin + p->heard_at : session_stamp(s), rtt, false);
}

/* Counts a probe of the peer's. What the engine answers as a probe may be a retransmitted byte; the
 * tracker knows the difference. */
static void probed(struct probes *p, const struct session *s, const struct session_conn *c)
{
    if (s->shows && !c->record->flow.probed[1])
        return;
    histogram_add(&p->after, p->gap);
    if (p->from_peer)
        histogram_add(&p->apart, p->heard_at - p->probed_at);
    p->from_peer++;
    p->probed_at = p->heard_at;
}

void probes_event(struct probes *p, struct session *s, struct session_conn *c,
                  const struct event *e)
{
    switch (e->kind) {
    case EVENT_PROBE:
        tell(p, s, c, overdue(p, s), WAVE_NEVER, false);
        p->sent++;
        p->asked = e->u.probe.n;
        p->asked_at = WAVE_NEVER;
        break;
    case EVENT_PROBE_ANSWER:
        answered(p, s, c, e);
        break;
    case EVENT_PEER_PROBE:
        probed(p, s, c);
        break;
    case EVENT_TIMEOUT:
        tell(p, s, c, overdue(p, s), WAVE_NEVER, false);
        break;
    case EVENT_RESET: /* this is an answer too, but not that of a living peer */
        tell(p, s, c, s->report.origin + p->heard_at, WAVE_NEVER, true);
        break;
    default:
        break;
    }
}

static void members(struct figures *f, const struct probes *p, const struct histogram_summary *rtt,
                    const struct histogram_summary *after, const struct histogram_summary *apart)
{
    figures_group(f, "keepalive");
    figures_count(f, "sent", p->sent);
    figures_count(f, "answered", p->answered);
    figures_histogram(f, "rtt", rtt);
    figures_seconds(f, "longest_silence", p->silence);
    figures_group(f, "peer");
    figures_count(f, "probes", p->from_peer);
    figures_histogram(f, "after", after);
    figures_histogram(f, "apart", apart);
    figures_end(f);
    figures_end(f);
}

void probes_figures(const struct probes *p, struct figures *f)
{
    const struct histogram_summary rtt = histogram_summary(&p->rtt),
                                   after = histogram_summary(&p->after),
                                   apart = histogram_summary(&p->apart);
    char sent[HUMAN_TEXT], answers[HUMAN_TEXT], a[4][HUMAN_TEXT];

    members(f, p, &rtt, &after, &apart);
    figures_row(f, "keepalive", "%s probe%s sent, %s answered; longest silence survived %s",
                human_count(p->sent, sent), p->sent == 1 ? "" : "s",
                human_count(p->answered, answers), human_duration(p->silence, a[0]));
    if (rtt.count)
        figures_row(f, "round trip", "min %s, median %s, p95 %s, max %s",
                    human_duration(rtt.min, a[0]), human_duration(rtt.median, a[1]),
                    human_duration(rtt.p95, a[2]), human_duration(rtt.max, a[3]));
    if (p->from_peer)
        figures_row(f, "its probes", "%s answered; %s after the last segment (%s to %s)",
                    human_count(p->from_peer, answers), human_duration(after.median, a[0]),
                    human_duration(after.min, a[1]), human_duration(after.max, a[2]));
    if (apart.count)
        figures_row(f, "", "%s apart (%s to %s)", human_duration(apart.median, a[0]),
                    human_duration(apart.min, a[1]), human_duration(apart.max, a[2]));
}
