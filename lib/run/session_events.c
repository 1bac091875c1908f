/*
 * What the engine did: its events are pulled, entered into the session's connections and their
 * records, and reported.
 */
#include "lib/run/session_priv.h"

/* Stores in the record what it needs of an event. */
static void record_event(struct session_record *r, const struct event *e)
{
    switch (e->kind) {
    case EVENT_STATE:
        if (e->u.state.to == STATE_ESTABLISHED)
            r->established_at = e->at;
        if (e->u.state.to == STATE_FIN_WAIT_2)
            r->fin_acked_at = e->at;
        break;
    case EVENT_DATA:
        r->flow.received_bytes += e->u.bytes;
        break;
    case EVENT_ICMP:
        if (!r->conn->path.established && e->u.icmp.meaning != ICMP_TOO_BIG)
            r->icmp = (struct icmp){.from = e->u.icmp.from,
                                    .type = e->u.icmp.type,
                                    .code = e->u.icmp.code,
                                    .meaning = e->u.icmp.meaning,
                                    .flow = r->flow.flow};
        break;
    case EVENT_PROBE:
        r->probes++;
        break;
    case EVENT_PROBE_ANSWER:
        r->probes = 0;
        break;
    case EVENT_TOLERATED:
        r->flow.unstamped++;
        break;
    default:
        break;
    }
}

/* Updates the session's own connection with an event. */
static void apply_event(struct session_conn *c, const struct event *e)
{
    switch (e->kind) {
    case EVENT_STATE:
        outcome_moved(&c->path, e->u.state.from, e->u.state.to, c->arrived);
        c->state = (uint8_t)e->u.state.to;
        if (c->state == STATE_CLOSED)
            c->stopped_in = (uint8_t)e->u.state.from;
        if (c->state == STATE_ESTABLISHED || c->state == STATE_FIN_WAIT_2)
            c->quiet_since = e->at;
        break;
    case EVENT_DATA:
    case EVENT_FIN:
        c->quiet_since = e->at;
        break;
    case EVENT_ACKED:
        c->stalls = false;
        break;
    case EVENT_RETRANSMIT:
    case EVENT_PROBE:
        if (!c->stalls && !c->probing)
            c->stalled = c->arrived;
        if (!c->stalls && e->kind == EVENT_RETRANSMIT)
            c->stalled_at = (uint32_t)(e->at / WAVE_MS);
        if (!c->unheard && e->kind == EVENT_RETRANSMIT)
            c->unheard_at = (uint16_t)(e->at / (WAVE_S / 4));
        c->unheard += e->kind == EVENT_RETRANSMIT && c->unheard < 2;
        c->stalls |= e->kind == EVENT_RETRANSMIT;
        c->probing |= e->kind == EVENT_PROBE;
        break;
    case EVENT_PROBE_ANSWER:
        c->probing = false;
        break;
    case EVENT_ICMP:
        c->has_icmp |= !c->path.established && e->u.icmp.meaning != ICMP_TOO_BIG;
        break;
    default:
        break;
    }
    if (c->record)
        record_event(c->record, e);
}

unsigned session_pull_events(struct session *s, struct event events[SESSION_EVENTS])
{
    unsigned n = 0;

    while (n < SESSION_EVENTS && stack_event(s->stack, &events[n])) {
        struct session_conn *c = session_find(s, events[n].id);
        if (c) {
            apply_event(c, &events[n]);
            s->over |= c->state == STATE_CLOSED;
        }
        n++;
    }
    return n;
}

/* Reports missing timestamps once a connection. The verdict says how many there were. */
static void tell_unstamped(struct session *s, struct session_conn *c, wave_time stamp)
{
    if (s->shows && !c->record->unstamped_told)
        report_note(&s->report, session_flow(c), stamp, true,
                    "the peer agreed on timestamps and leaves them out: what it sends is accepted "
                    "all the same");
    c->record->unstamped_told = true;
}

void session_tell_events(struct session *s, const struct event *events, unsigned n, wave_time stamp,
                         const struct session_conn *of, uint32_t evidence)
{
    for (unsigned i = 0; i < n; i++) {
        const struct event *e = &events[i];
        struct session_conn *c = session_find(s, e->id);
        if (!c)
            continue;
        if (e->kind == EVENT_STATE) {
            struct report_change change = {e->u.state.from, e->u.state.to, e->u.state.cause};
            if (s->shows)
                report_local(&s->report, session_flow(c), stamp, &change, c == of ? evidence : 0);
        } else if (e->kind == EVENT_TIMEOUT && c->record) {
            report_silent(&s->report, session_flow(c), stamp);
        } else if (e->kind == EVENT_RETRANSMIT || e->kind == EVENT_PROBE) {
            s->repeats = true;
        } else if (e->kind == EVENT_TOLERATED && c->record) {
            tell_unstamped(s, c, stamp);
        }
        if (s->ops->event)
            s->ops->event(s, c, e);
    }
}

void session_drain(struct session *s)
{
    const bool waited = s->report.waiting;
    struct event told[SESSION_EVENTS];
    unsigned n;

    /* There is an event for nearly every segment, so the clock is read only if the time is
     * shown. */
    while ((n = session_pull_events(s, told)) > 0)
        session_tell_events(s, told, n, s->shows ? session_stamp(s) : 0, NULL, 0);
    if (!waited && s->report.waiting)
        s->change_waits_since = s->loop.now;
}
