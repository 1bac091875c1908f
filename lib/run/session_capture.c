/*
 * What the capture shows: each packet goes to the engine and to the report, beside what the sent
 * log knows of ours and the hole of the peer's (sent_log.h).
 */
#include "lib/run/session_priv.h"

#include <stdio.h>

#include "lib/report/diagnose.h"

#define BULK_AFTER 256  /* segments in order, after which a transfer counts as long */
#define USUAL_TTL 64    /* unless --ttl asks for another one */
#define ICMP_REDIRECT 5 /* no error (RFC 792) */

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

void session_missed(struct session *s, const struct sent_entry *j, wave_time stamp, bool passed)
{
    struct session_conn *c = session_find(s, j->id);
    struct packet p = {.kind = PACKET_TCP, .ttl = s->config.ip.ttl, .df = true};
    struct report_seen seen = {.stamp = stamp,
                               .out = true,
                               .missed = true,
                               .passed = passed,
                               .sent_before = j->sent_before,
                               .probe = j->probe,
                               .local = (enum state)j->state,
                               .packet = &p};

    s->passed_over += passed;
    if (!c)
        return;
    p.flow = c->record->flow.flow;
    p.seg = sent_seg(j);
    show(s, c, &seen);
}

/* Returns whether this RST is our own, which a router has sent back here and this host forwards. */
static bool came_back(struct session *s, const struct session_conn *c, const struct packet *p)
{
    const struct conn *e = c && c->path.reset_sent ? session_engine(s, c) : NULL;

    const unsigned sent_with = s->config.ip.ttl ? s->config.ip.ttl : USUAL_TTL;

    return e && p->ttl < sent_with && seq_eq(p->seg.seq, conn_snd_nxt(e));
}

/* Once the answer to our SYN has led to a segment of ours, looks whether it has reached this host's
 * TCP as well. */
static void look_at_first(struct session *s)
{
    if (!s->shows || s->many || s->arrived != 1 || s->first_looked_at)
        return;
    const struct wire_stats stats = s->port->ops->stats(s->port);
    s->first_looked_at = true;
    s->first_stopped = stats.counts_reached && !stats.reached;
}

/* Handles a captured segment of ours. */
static void captured_ours(struct session *s, const struct wire_packet *p)
{
    const struct seg *seg = &p->packet.seg;
    const struct sent_entry *j;

    s->left++;
    look_at_first(s);
    while ((j = session_missed_before(s, p)) != NULL)
        session_missed(s, j, p->stamp, true);
    j = session_sent(s, p);
    struct session_conn *c = session_find(s, j ? j->id : STACK_NONE);
    struct report_seen seen = {.stamp = p->stamp,
                               .out = true,
                               .sent_before = j && j->sent_before,
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
        c = session_find_flow(s, &p->packet.flow);
    if (c && c->record) {
        seen.local = j ? (enum state)j->state : c->record->flow.local;
        /* The guard exists to prevent exactly this. */
        seen.foreign = !j && (seg->flags & SEG_RST) && !p->impaired && !came_back(s, c, &p->packet);
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
    c->unheard = first ? 0 : c->unheard;
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
    const struct session_conn *c = s->over && !s->many ? session_find_flow(s, flow) : NULL;
    const struct conn *e = c ? session_engine(s, c) : NULL;

    return e && conn_end(e) == END_CLOSED && !(seg->flags & SEG_SYN) &&
           seq_leq(seg_end(seg), conn_rcv_nxt(e));
}

/* Returns whether what the segment acknowledges must have come to the peer. It is not so where that
 * lies beyond what we sent: its numbers are others than ours. */
static bool acknowledges(struct session *s, const struct session_conn *c, const struct seg *seg)
{
    const struct conn *e = session_engine(s, c);

    return (seg->flags & SEG_ACK) && (!e || seq_leq(seg->ack, conn_snd_nxt(e)));
}

static void show_theirs(struct session *s, struct session_conn *c, const struct wire_packet *p,
                        const struct arrival *a)
{
    const struct seg *seg = &p->packet.seg;
    struct report_flow *f = &c->record->flow;
    const struct sent_entry *j;

    while (acknowledges(s, c, seg) && session_may_miss(s) &&
           (j = sent_log_missed_by_ack(&s->sent_log, c->id, seg->ack)) != NULL)
        session_missed(s, j, p->stamp, false);
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
    struct session_conn *c = s->shows || !s->many ? session_find_flow(s, &flow) : NULL;
    const struct arrival a = {.state = c ? (enum state)c->state : STATE_CLOSED};

    s->arrived++;
    if (c) {
        c->arrived++;
        c->unheard = 0;
    }
    if (c && c->record && s->shows) {
        show_theirs(s, c, p, &a);
        diagnose_live(&s->report, session_flow(c), p->stamp);
    }
    save_packet(s, p, c, c && c->record ? c->record->flow.local : STATE_CLOSED);
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

/* Handles a captured segment of the peer's. Returns true if what it causes may wait. */
static bool captured_theirs(struct session *s, const struct wire_packet *p, wave_time now)
{
    const struct impaired *i =
        p->impaired; /* then what the engine takes in is another form of it */
    const struct seg *seg = i ? &i->engine : &p->packet.seg;
    bool shown = !i || i->shown;
    struct flow flow = flow_reverse(&p->packet.flow);
    struct event told[SESSION_EVENTS];
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
    if (!c && s->shows && (seg->flags & (SEG_SYN | SEG_ACK)) != SEG_SYN)
        c = session_find_flow(s, &flow);
    if (c)
        arrived(s, c, seg, shown, &a);
    if (c && c->record && answers_our_syn(s, c, seg))
        note_syn_ack(c->record, now);
    n = session_pull_events(s, told);
    if (c && c->record && s->shows && shown)
        show_theirs(s, c, p, &a);
    f = c ? session_flow(c) : NULL;
    if (f && s->shows && !i)
        tell_refusals(s, told, n, c, seg);
    session_tell_events(s, told, n, p->stamp, c, f && shown ? f->track.number : 0);
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
    struct event told[SESSION_EVENTS];
    struct session_conn *c = session_find(s, stack_icmp(s->stack, now, e));
    struct report_flow *f = c ? session_flow(c) : NULL;
    bool fatal = false;
    unsigned n = session_pull_events(s, told);

    for (unsigned i = 0; i < n; i++)
        fatal = fatal || (told[i].kind == EVENT_ICMP && told[i].u.icmp.fatal);
    if (c && (e->flow.v6 || e->type != ICMP_REDIRECT))
        c->odd_icmp = true;
    if (f)
        report_icmp(&s->report, f, p->stamp, e, has_sent(s, c, e->seq), fatal);
    if (c && s->ops->icmp)
        s->ops->icmp(s, c, e);
    session_tell_events(s, told, n, p->stamp, NULL, 0);
    save_packet(s, p, c, f ? f->local : STATE_CLOSED);
}

bool session_take_packet(void *self, const struct wire_packet *p)
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
