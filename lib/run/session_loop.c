/*
 * What a session does in the loop. Captured packets go to the engine and to the report, segments
 * that are sent go into the sent log, and events of the engine are reported. The loop itself is
 * lib/run/loop.c.
 */
#include "lib/run/session.h"

#include <stdio.h>
#include <string.h>

#include "lib/io/files.h"
#include "lib/report/diagnose.h"

#define AHEAD 1024            /* segments sent, at most, that the capture has not yet shown */
#define BULK_AFTER 256        /* segments in order, after which a transfer counts as long */
#define CAPTURE_DELAY WAVE_MS /* how long a segment may take from sending to capture */
#define LAST_CAPTURE_DELAY (20 * WAVE_MS) /* the same for the last segments of the run */
#define TELL_AFTER (2 * WAVE_S)           /* a wait longer than this is shown */
#define TELL_EVERY WAVE_S

#define EVENTS ENV_EVENTS

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
        session_record_event(c->record, e);
}

/* Pulls the engine's events. Our states are those after them. Returns how many there are. */
static unsigned pull_events(struct session *s, struct event events[EVENTS])
{
    unsigned n = 0;

    while (n < EVENTS && stack_event(s->stack, &events[n])) {
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

/* Reports the events. `evidence` is the captured segment of connection `of` that caused them, or
 * 0. */
static void tell_events(struct session *s, const struct event *events, unsigned n, wave_time stamp,
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
        } else if (e->kind == EVENT_RETRANSMIT) {
            s->repeats = true;
        } else if (e->kind == EVENT_TOLERATED && c->record) {
            tell_unstamped(s, c, stamp);
        }
        if (s->ops->event)
            s->ops->event(s, c, e);
    }
}

/* Adds what the engine discarded to the signs. */
static void tell_refusals(struct session *s, const struct event *events, unsigned n,
                          struct session_conn *c, const struct seg *seg)
{
    const struct conn *e = session_engine(s, c);
    struct report_flow *f = session_flow(c);

    for (unsigned i = 0; i < n; i++) {
        if (events[i].kind != EVENT_DISCARDED || session_find(s, events[i].id) != c)
            continue;
        signs_refused(f, events[i].u.check, seg, e && seq_geq(seg->seq, conn_rcv_nxt(e)));
    }
}

void session_drain(struct session *s)
{
    const bool waited = s->report.waiting;
    struct event told[EVENTS];
    unsigned n;

    /* There is an event for nearly every segment, so the clock is read only if the time is
     * shown. */
    while ((n = pull_events(s, told)) > 0)
        tell_events(s, told, n, s->shows ? session_stamp(s) : 0, NULL, 0);
    if (!waited && s->report.waiting)
        s->change_waits_since = s->loop.now;
}

/* Adds to the log what no packet says. A SYN, FIN or RST belongs to the state that it brings about,
 * any other segment to the state in which it was sent. */
static void log_sent(struct session *s, struct session_record *r, const struct seg *seg)
{
    const struct session_conn *c = r->conn;
    const struct conn *e = session_engine(s, c);
    bool moves = seg->flags & (SEG_SYN | SEG_FIN | SEG_RST);
    /* One byte below SND.NXT with nothing outstanding is a probe, not a retransmission. */
    bool probe = e && !conn_outstanding(e) && seq_eq(seg->seq, seq_sub(conn_snd_nxt(e), 1));
    /* Nor is one byte that asks whether a window of 0 has opened. */
    bool asks = e && seg->len == 1 && conn_snd_wnd(e) == 0 && seq_eq(seg->seq, conn_snd_una(e));
    struct sent_delta news = sent_update(&r->sent, seg, probe);

    if (!s->shows) /* otherwise the tracker decides it */
        r->flow.retransmissions += news.retransmission && !asks;
    r->flow.sent_bytes += news.bytes;
    r->syn_sent += (seg->flags & SEG_SYN) != 0;
    if (s->shows) {
        struct sent_entry j =
            sent_entry(c->id, seg, moves && e ? conn_state(e) : (enum state)c->state);
        j.probe = probe;
        j.retransmission = news.retransmission;
        sent_log_add(&s->sent_log, &j);
    }
}

/* Returns whether this connection has that flow, as far as that is still known. */
static bool has_flow(struct session *s, const struct session_conn *c, const struct flow *flow)
{
    const struct conn *e;

    if (c->record)
        return flow_eq(&c->record->flow.flow, flow);
    e = session_engine(s, c);
    return e && flow_eq(conn_flow(e), flow);
}

/* Returns the connection with a flow for which the stack has none, or none any more. Called
 * rarely. */
static struct session_conn *find_flow(struct session *s, const struct flow *flow)
{
    struct session_conn *c = session_last(s);

    while (c && !has_flow(s, c, flow))
        c = session_prev(s, c);
    return c;
}

/* Adds to the log a reset or a SYN cookie, which belongs to no connection, so that it is
 * recognised as ours when it is captured. If the run has a single connection, its state is
 * logged as the one in which the segment was sent; a reset that ends the peer's former
 * connection does not change it. */
static void log_stray(struct session *s, const struct flow *flow, const struct seg *seg)
{
    const struct session_conn *c = s->many ? NULL : find_flow(s, flow);
    struct sent_entry j = sent_entry(STACK_NONE, seg, c ? c->state : STATE_CLOSED);

    if (s->shows)
        sent_log_add(&s->sent_log, &j);
}

/* The kernel has rejected a segment for good. Before the handshake is complete that ends the run,
 * because nothing can be learnt about the peer. Later it is one more lost segment, which will be
 * retransmitted. */
static void send_failed(void *self, const struct flow *flow, const struct diag *d)
{
    struct session *s = self;
    struct session_conn *c = find_flow(s, flow);

    if (!c)
        return;
    if (!c->path.established) {
        session_fail(s, d);
        return;
    }
    if (strcmp(s->send_error.text, d->text) != 0)
        report_note(&s->report, session_flow(c), session_stamp(s), true, d->text);
    s->send_error = *d;
    c->unsent = true;
}

/* Called when a segment of ours is about to be sent. */
static void sending(void *self, uint32_t id, const struct flow *flow, const struct seg *seg,
                    struct wire_ip *ip)
{
    struct session *s = self;
    struct session_conn *c = session_find(s, id);

    (void)ip;
    if (!c) {
        log_stray(s, flow, seg);
        return;
    }
    c->unsent = false; /* until the kernel rejects another one */
    outcome_sent(&c->path, (enum state)c->state, seg->flags);
    if (c->record)
        log_sent(s, c->record, seg);
}

/* Our own segments come back through the capture. They would fill it if we sent faster than we
 * process each of them for the outputs. Once the capture is empty, those that have not come back
 * were lost. */
static bool may_send(void *self)
{
    const struct session *s = self;

    return !loop_behind(&s->loop) || sent_log_count(&s->sent_log) < AHEAD;
}

/* Writes the packet to --pcap, with its number as in the other outputs and with what was known
 * after it; `local` is our state at that time. */
static void save_packet(struct session *s, const struct wire_packet *p,
                        const struct session_conn *c, enum state local)
{
    char connection[16] = "";
    char comment[128] = "";
    struct diag d;

    if (!s->config.save_packet)
        return;
    if (c && c->record && p->packet.kind == PACKET_TCP) {
        const struct report_flow *f = session_flow(c);
        const struct track_view *peer = &f->peer;
        if (f->connection)
            snprintf(connection, sizeof connection, "%u:", f->connection);
        snprintf(comment, sizeof comment, "%s%u: we %s, peer %s%s", connection, f->track.number,
                 state_name(local), state_name(peer->state),
                 peer->state == STATE_UNKNOWN          ? ""
                 : peer->certainty == CERTAINTY_PROVED ? " (proved)"
                                                       : " (assumed)");
    }
    if (s->config.save_packet(s->config.sink, p, comment, &d) != 0)
        session_fail(s, &d);
}

/* Reports a segment of the connection. The capture says only that it has lost something, which may
 * have belonged to any connection. */
static void show(struct session *s, struct session_conn *c, struct report_seen *seen)
{
    struct session_record *r = c->record;

    seen->gap = r->gaps != s->gaps;
    r->gaps = s->gaps;
    report_segment(&s->report, &r->flow, seen);
}

/* Reports a segment of ours that the capture lost. Without it, the tracker would find that the
 * peer's answers fit nothing. `passed`: the capture shows a later one of ours. */
static void missed(struct session *s, const struct sent_entry *j, wave_time stamp, bool passed)
{
    struct session_conn *c = session_find(s, j->id);
    struct packet p = {.kind = PACKET_TCP, .ttl = s->config.ip.ttl, .df = true};
    struct report_seen seen = {.stamp = stamp,
                               .out = true,
                               .missed = true,
                               .passed = passed,
                               .retransmission = j->retransmission,
                               .probe = j->probe,
                               .local = (enum state)j->state,
                               .packet = &p};

    if (!c)
        return;
    p.flow = c->record->flow.flow;
    p.seg = sent_seg(j);
    show(s, c, &seen);
}

/* Handles a captured segment of ours. */
static void captured_ours(struct session *s, const struct wire_packet *p)
{
    const struct seg *seg = &p->packet.seg;
    const struct sent_entry *j;

    s->left++;
    while ((j = session_missed_before(s, p)) != NULL)
        missed(s, j, p->stamp, true);
    j = session_sent(s, p);
    struct session_conn *c = session_find(s, j ? j->id : STACK_NONE);
    struct report_seen seen = {.stamp = p->stamp,
                               .out = true,
                               /* The guard exists to prevent exactly this. */
                               .foreign = !j && (seg->flags & SEG_RST) && !p->impaired,
                               .retransmission = j && j->retransmission,
                               .probe = j && j->probe,
                               .packet = &p->packet,
                               .ip = p->ip,
                               .ip_len = p->ip_len,
                               .impaired = p->impaired};

    if (!s->shows) { /* no log is kept of what we sent */
        save_packet(s, p, c, STATE_CLOSED);
        return;
    }
    if (!c && !(j && (seg->flags & SEG_SYN))) /* the flow of a SYN cookie belongs to no
                                                 connection */
        c = find_flow(s, &p->packet.flow);
    if (c && c->record) {
        seen.local = j ? (enum state)j->state : c->record->flow.local;
        show(s, c, &seen);
        diagnose_live(&s->report, &c->record->flow, p->stamp);
    }
    save_packet(s, p, c, c && c->record ? c->record->flow.local : STATE_CLOSED);
}

/* What the report needs to know about a segment of the peer's beside its content. */
struct arrival {
    struct hole_seen hole;
    enum state state; /* ours, before the segment came */
};

/* Finds what the capture lost before this segment, which the engine has already processed, and
 * counts the segment if it arrives now for the `first` time. */
static void arrived(struct session *s, struct session_conn *c, const struct seg *seg, bool first,
                    struct arrival *a)
{
    const struct conn *e = session_engine(s, c);
    bool lies_within =
        e && seg_len(seg) && !(seg->flags & SEG_RST) && seq_leq(seg_end(seg), conn_rcv_edge(e));

    a->state = (enum state)c->state;
    c->arrived += first;
    /* What comes after our RST answers that, and was not waited for: it does not count as an answer
     * to what we retransmitted. */
    c->stalled += first && c->path.reset_sent;
    if (c->record && e && state_synchronized(conn_state(e)) && !(seg->flags & SEG_RST) &&
        seq_gt(seg_end(seg), conn_rcv_nxt(e)) && seq_leq(seg_end(seg), conn_rcv_edge(e))) {
        if (!c->record->has_high || seq_gt(seg_end(seg), c->record->high))
            c->record->high = seg_end(seg);
        c->record->has_high = true;
    }
    if (c->record && c->record->has_high && e && state_synchronized(conn_state(e)))
        c->record->missing = conn_missing(e, c->record->high);
    if (e && c->record && (seg->flags & (SEG_SYN | SEG_ACK | SEG_RST)) == SEG_SYN &&
        seq_eq(seg->seq, conn_irs(e)))
        c->record->sent.asked = true;
    if (lies_within)
        a->hole = hole_see(&c->hole, s->gaps, seg);
    /* Data that was next in order ends exactly where the engine now waits for more. Data that is
     * out of order only because our capture lost something says nothing about the path. */
    if (e && seg->len && !seq_eq(seg_end(seg), conn_rcv_nxt(e)) && !c->hole.is && !a->hole.repair)
        c->disordered_at = c->arrived;
    if (e)
        hole_close(&c->hole, conn_rcv_nxt(e));
}

/* Reports what the peer sent and the capture lost. The engine misses it, and the peer will
 * retransmit it. In the report it has its place, so that what follows is not out of order. */
static void missed_theirs(struct session *s, struct session_conn *c, const struct wire_packet *p,
                          const struct arrival *a)
{
    const struct conn *e = session_engine(s, c);

    if (!e)
        return;
    /* It acknowledged at least what had been acknowledged by then. */
    struct packet lost = {.kind = PACKET_TCP,
                          .flow = p->packet.flow,
                          .ttl = p->packet.ttl,
                          .seg = {.seq = a->hole.from,
                                  .ack = conn_snd_una(e),
                                  .len = a->hole.lost,
                                  .flags = SEG_ACK,
                                  .wnd = p->packet.seg.wnd}};
    struct report_seen seen = {
        .stamp = p->stamp, .missed = true, .local = c->record->flow.local, .packet = &lost};
    show(s, c, &seen);
}

/*
 * Returns whether what this segment causes may wait for the next segment that is already captured.
 * After a bare acknowledgement it may: it only allows us to send data, which then goes out in
 * larger batches. After data in order it may during a long transfer, when it is an acknowledgement
 * that the next one would replace. Hosts do the same when they receive faster than they read. RFC
 * 9293, 3.8.6.3 wants an acknowledgement for every second segment of a stream (SHLD-18); DEVIATES:
 * not while it is this busy.
 */
static bool may_wait(struct session *s, const struct session_conn *c, const struct seg *seg)
{
    const struct conn *e = c ? session_engine(s, c) : NULL;

    if (!e)
        return false;
    if (!seg->len)
        return seg->flags == SEG_ACK && !conn_ack_due(e) && !conn_reset_due(e);
    return !(seg->flags & (SEG_SYN | SEG_FIN | SEG_RST | SEG_URG)) &&
           seq_eq(seg_end(seg), conn_rcv_nxt(e)) && !conn_unacked(e) &&
           c->arrived - c->disordered_at > BULK_AFTER;
}

/* Returns whether this is a SYN-ACK that acknowledges our SYN. Any other SYN-ACK shows only that
 * some host sends. */
static bool answers_our_syn(struct session *s, const struct session_conn *c, const struct seg *seg)
{
    const struct conn *e = session_engine(s, c);

    return e && (seg->flags & (SEG_SYN | SEG_ACK)) == (SEG_SYN | SEG_ACK) &&
           seq_eq(seg->ack, seq_add(conn_iss(e), 1));
}

/*
 * Returns whether this is a retransmission of what the peer sent before both sides had closed;
 * usually it is its FIN, when our acknowledgement was late. We left TIME_WAIT immediately, and in
 * CLOSED the segment would be answered with RST. Nothing calls for that: our last acknowledgement
 * has been sent.
 */
static bool is_late_retransmission(struct session *s, const struct flow *flow,
                                   const struct seg *seg)
{
    const struct session_conn *c = s->over && !s->many ? find_flow(s, flow) : NULL;
    const struct conn *e = c ? session_engine(s, c) : NULL;

    return e && conn_end(e) == END_CLOSED && !(seg->flags & SEG_SYN) &&
           seq_leq(seg_end(seg), conn_rcv_nxt(e));
}

static void show_theirs(struct session *s, struct session_conn *c, const struct wire_packet *p,
                        const struct arrival *a)
{
    const struct seg *seg = &p->packet.seg;
    struct report_flow *f = &c->record->flow;
    const struct sent_entry *j;

    while ((seg->flags & SEG_ACK) && session_may_miss(s) &&
           (j = sent_log_missed_by_ack(&s->sent_log, c->id, seg->ack)) != NULL)
        missed(s, j, p->stamp, false);
    if (a->hole.lost)
        missed_theirs(s, c, p, a);
    /* What we do while segments wait in the ring comes after them in the order of the wire. Our
     * state moves with our own segment, when that is captured. */
    if (sent_log_empty(&s->sent_log))
        report_flush(&s->report, f, p->stamp);
    bool ahead = f->waiting_count && c->state == a->state;
    struct report_seen seen = {.stamp = p->stamp,
                               .repair = a->hole.repair,
                               .local = ahead ? f->local : (enum state)c->state,
                               .packet = &p->packet,
                               .ip = p->ip,
                               .ip_len = p->ip_len,
                               .fragments = p->fragments,
                               .mac = p->mac,
                               .impaired = p->impaired};
    show(s, c, &seen);
}

/* Records a SYN-ACK that acknowledges our SYN. */
static void note_syn_ack(struct session_record *r, wave_time now)
{
    if (!r->syn_acks++)
        r->syn_acked_at = now;
    r->syn_ack_at[0] = r->syn_ack_at[1];
    r->syn_ack_at[1] = now;
}

/* Handles a captured segment of the peer's that the engine does not take in now, because a rule
 * has dropped it or holds it back. */
static void not_taken(struct session *s, const struct wire_packet *p)
{
    const struct flow flow = flow_reverse(&p->packet.flow);
    struct session_conn *c = s->shows || !s->many ? find_flow(s, &flow) : NULL;
    const struct arrival a = {.state = c ? (enum state)c->state : STATE_CLOSED};

    s->arrived++;
    if (c)
        c->arrived++;
    if (c && c->record && s->shows) {
        show_theirs(s, c, p, &a);
        diagnose_live(&s->report, session_flow(c), p->stamp);
    }
    save_packet(s, p, c, c && c->record ? c->record->flow.local : STATE_CLOSED);
}

/* Handles a captured segment of the peer's. Returns true if what it causes may wait. */
static bool captured_theirs(struct session *s, const struct wire_packet *p, wave_time now)
{
    const struct impaired *i =
        p->impaired; /* then what the engine takes in is another form of it */
    const struct seg *seg = i ? &i->engine : &p->packet.seg;
    bool shown = !i || i->shown;
    struct flow flow = flow_reverse(&p->packet.flow);
    struct event told[EVENTS];
    struct session_conn *c = s->followed ? session_followed(s, &flow, seg) : NULL;
    uint32_t id = c || is_late_retransmission(s, &flow, seg)
                      ? STACK_NONE
                      : stack_input(s->stack, now, &flow, seg);
    struct arrival a = {.state = STATE_CLOSED};
    struct report_flow *f;
    unsigned n;

    s->arrived += shown;
    if (!c)
        c = session_find(s, id);
    if (id != STACK_NONE && !c) {
        shown = true; /* when it arrived there was no connection yet to show it with */
        c = session_add_conn(s, id, &flow);
        if (c && s->ops->opened)
            s->ops->opened(s, c);
        if (!c) /* no memory: for the peer, its SYN was lost */
            stack_release(s->stack, id);
    }
    /* The flow of a SYN that was answered with a cookie belongs to no connection. If nothing is
     * shown, a segment without a connection is not worth a search through all of them. */
    if (!c && s->shows && !(seg->flags & SEG_SYN))
        c = find_flow(s, &flow);
    if (c)
        arrived(s, c, seg, shown, &a);
    if (c && c->record && answers_our_syn(s, c, seg))
        note_syn_ack(c->record, now);
    n = pull_events(s, told);
    if (c && c->record && s->shows && shown)
        show_theirs(s, c, p, &a);
    f = c ? session_flow(c) : NULL;
    if (f && s->shows && !i)
        tell_refusals(s, told, n, c, seg);
    tell_events(s, told, n, p->stamp, c, f && shown ? f->track.number : 0);
    if (f && s->shows && shown)
        diagnose_live(&s->report, f, p->stamp);
    if (shown)
        save_packet(s, p, c, f ? f->local : STATE_CLOSED);
    return may_wait(s, c, seg);
}

/* Returns whether our engine has sent a segment from there. */
static bool has_sent(struct session *s, const struct session_conn *c, struct seq seq)
{
    const struct conn *e = c ? session_engine(s, c) : NULL;

    return e && seq_geq(seq, conn_iss(e)) && seq_leq(seq, conn_snd_nxt(e));
}

static void captured_icmp(struct session *s, const struct wire_packet *p, wave_time now)
{
    const struct icmp *e = &p->packet.icmp;
    struct event told[EVENTS];
    struct session_conn *c = session_find(s, stack_icmp(s->stack, now, e));
    struct report_flow *f = c ? session_flow(c) : NULL;
    bool fatal = false;
    unsigned n = pull_events(s, told);

    for (unsigned i = 0; i < n; i++)
        fatal = fatal || (told[i].kind == EVENT_ICMP && told[i].u.icmp.fatal);
    if (c)
        c->odd_icmp = true;
    if (f)
        report_icmp(&s->report, f, p->stamp, e, has_sent(s, c, e->seq), fatal);
    if (c && s->ops->icmp)
        s->ops->icmp(s, c, e);
    tell_events(s, told, n, p->stamp, NULL, 0);
    save_packet(s, p, c, f ? f->local : STATE_CLOSED);
}

/* Handles a captured packet. Returns true if what it causes may wait. */
static bool take_packet(void *self, const struct wire_packet *p)
{
    struct session *s = self;

    s->gaps += p->gap;
    if (p->packet.kind == PACKET_ICMP)
        captured_icmp(s, p, s->loop.now);
    else if (p->outgoing)
        captured_ours(s, p);
    else if (p->impaired && !p->impaired->taken)
        not_taken(s, p);
    else
        return captured_theirs(s, p, s->loop.now);
    return false;
}

/* Gives up waiting for the segments of state changes, because nothing has been captured for a
 * while. */
static void flush_changes(struct session *s)
{
    if (!s->report.waiting)
        return;
    for (struct session_conn *c = session_last(s); c; c = session_prev(s, c))
        if (c->record && c->record->flow.waiting_count)
            report_flush(&s->report, session_flow(c), session_stamp(s));
}

/* Shows on a terminal what we wait for. Returns when to show it next. */
static wave_time tell_wait(struct session *s, wave_time now)
{
    wave_time left = s->awaited_until == WAVE_NEVER ? WAVE_NEVER
                     : s->awaited_until > now       ? s->awaited_until - now
                                                    : 0;
    wave_time waited = now > s->awaited_since ? now - s->awaited_since : 0;
    bool worth = left == WAVE_NEVER
                     ? waited >= TELL_AFTER
                     : left >= WAVE_S / 2 && s->awaited_until - s->awaited_since > TELL_AFTER;

    if (!s->config.live || !s->awaited)
        return WAVE_NEVER;
    if (worth && now - s->awaited_told >= TELL_EVERY - WAVE_MS) {
        report_wait(&s->report, NULL, session_stamp(s), s->awaited, left);
        s->awaited_told = now;
    }
    return now + TELL_EVERY;
}

/* Writes out what has been reported so far, for a reader that follows the run. */
static void flush_output(void *self)
{
    struct session *s = self;
    struct diag d;

    if (s->config.flush && s->config.flush(s->config.sink, &d) != 0)
        session_fail(s, &d);
}

/* Returns when to check next whether the segment that shows a change of our state has been
 * captured. If nothing has been captured for a while, it never will be. */
static wave_time wait_for_capture(struct session *s, wave_time now)
{
    wave_time from = s->change_waits_since > s->loop.heard ? s->change_waits_since : s->loop.heard;

    if (!s->report.waiting)
        return WAVE_NEVER;
    if (now < from + CAPTURE_DELAY)
        return from + CAPTURE_DELAY;
    flush_changes(s);
    return WAVE_NEVER;
}

static wave_time turn(void *self)
{
    struct session *s = self;
    wave_time now = s->loop.now, until;

    session_look_at_route(s, now);
    wave_time look = session_look_at_neighbour(s, now);
    until = s->stop == STOP_LOCAL ? session_close_step(s, now) : s->ops->turn(s, now);
    until = time_min(time_min(until, look), tell_wait(s, now));
    return time_min(until, wait_for_capture(s, now));
}

static unsigned descriptors(void *self, struct pollfd *fds)
{
    struct session *s = self;

    /* After a failure the command has no more turns. */
    return s->ops->poll && s->stop != STOP_LOCAL ? s->ops->poll(s, fds) : 0;
}

static void signalled(void *self, int sig)
{
    struct session *s = self;

    s->signal = sig;
    session_stop(s, STOP_SIGNAL);
}

static void timed_out(void *self)
{
    session_stop(self, STOP_TIMEOUT);
}

/* Without a capture, connections cannot be closed in order. */
static void failed(void *self, const struct diag *d, bool deaf)
{
    session_fail(self, d);
    if (deaf)
        session_stop(self, STOP_LOCAL);
}

/* Returns whether everything that was sent has been captured, and so reported. */
static bool all_captured(void *self)
{
    const struct session *s = self;

    return !s->shows || sent_log_empty(&s->sent_log);
}

static void events(void *self)
{
    session_drain(self);
}

static const struct loop_ops loop_ops = {.egress = {.may_send = may_send,
                                                    .sending = sending,
                                                    .send_failed = send_failed,
                                                    .events = events},
                                         .packet = take_packet,
                                         .turn = turn,
                                         .poll = descriptors,
                                         .idle = flush_output,
                                         .signalled = signalled,
                                         .timed_out = timed_out,
                                         .failed = failed,
                                         .all_captured = all_captured};

void session_loop_init(struct session *s)
{
    const struct session_config *c = &s->config;
    struct loop *l = &s->loop;

    loop_init(l, s->port, s->stack, &loop_ops, s);
    l->signals = c->signals;
    if (s->many)
        loop_share(l);
    l->deadline = s->end = !c->timeout   ? WAVE_NEVER
                           : c->deadline ? c->deadline
                                         : time_add(l->now, c->timeout);
    l->egress.ip = c->ip;
}

void session_wake_by(struct session *s, wave_time at)
{
    loop_wake_by(&s->loop, at);
}

/* Reports what was sent and never captured, too. What was sent once more after it, by a timer,
 * would have been captured by then. */
static void finish_capture(struct session *s)
{
    loop_drain(&s->loop, LAST_CAPTURE_DELAY, LAST_CAPTURE_DELAY);
    for (const struct sent_entry *j;
         session_may_miss(s) && (j = sent_log_missed(&s->sent_log)) != NULL;)
        missed(s, j, session_stamp(s), sent_log_repeats(&s->sent_log));
    flush_changes(s);
    report_wait(&s->report, NULL, session_stamp(s), NULL, 0);
}

void session_run(struct session *s)
{
    loop_run(&s->loop);
    finish_capture(s);
}
