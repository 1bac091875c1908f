/*
 * One round: run the timers, take in what was captured, let the command do its part, send what is
 * owed, and sleep until something comes. Every segment taken in is followed by what it makes us
 * send, so that no two acknowledgements are merged into one.
 */
#include "cmd/session.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/files.h"
#include "cmd/signals.h"

#define BURST WIRE_BATCH /* segments sent before what they draw is taken in */
#define BATCH 64         /* packets taken in before the command has its turn */
#define AHEAD 1024       /* segments sent, at most, while the capture has them still unread */
#define ACK_EVERY 32     /* segments of a long transfer, at most, before one goes out */
#define BULK_AFTER 256   /* segments in order, before a transfer is called long */
#define PAUSE_FIRST                                                                                \
    (100 * WAVE_US) /* before a segment is offered again that the kernel refused                   \
                     */
#define PAUSE_MOST (10 * WAVE_MS)
#define SETTLE WAVE_MS          /* how long a segment may take from send to capture */
#define FAREWELL (20 * WAVE_MS) /* the same, for the last ones of the run */
#define TELL_AFTER (2 * WAVE_S) /* a wait of this length is worth a line */
#define TELL_EVERY WAVE_S

#define EVENTS ENV_EVENTS

/* What the session itself makes of an event. */
static void notice(struct session_conn *c, const struct event *e)
{
    switch (e->kind) {
    case EVENT_STATE:
        outcome_moved(&c->path, e->u.state.from, e->u.state.to, c->arrived);
        c->state = e->u.state.to;
        if (c->state == STATE_CLOSED)
            c->stopped_in = e->u.state.from;
        if (c->state == STATE_ESTABLISHED)
            c->established_at = c->data_at = e->at;
        if (c->state == STATE_FIN_WAIT_2)
            c->fin_acked_at = e->at;
        break;
    case EVENT_DATA:
        c->flow.received_bytes += e->u.bytes;
        c->data_at = e->at;
        break;
    case EVENT_FIN:
        c->data_at = e->at;
        break;
    case EVENT_ICMP:
        if (!c->path.established && e->u.icmp.meaning != ICMP_TOO_BIG) {
            c->has_icmp = true;
            c->icmp = (struct icmp){.from = e->u.icmp.from,
                                    .type = e->u.icmp.type,
                                    .code = e->u.icmp.code,
                                    .meaning = e->u.icmp.meaning,
                                    .flow = c->flow.flow};
        }
        break;
    case EVENT_PROBE:
        c->probes++;
        break;
    case EVENT_PROBE_ANSWER:
        c->probes = 0;
        break;
    default:
        break;
    }
}

/* Pulls what the engine has to tell; our states are those after it. Returns how many. */
static unsigned pull_events(struct session *s, struct event events[EVENTS])
{
    unsigned n = 0;

    while (n < EVENTS && stack_event(s->stack, &events[n])) {
        struct session_conn *c = session_find(s, events[n].id);
        if (c) {
            notice(c, &events[n]);
            s->over |= c->state == STATE_CLOSED;
        }
        n++;
    }
    return n;
}

/* Tells them on. `evidence` is the captured segment of connection `of` that caused them, or 0. */
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
                report_local(&s->report, &c->flow, stamp, &change, c == of ? evidence : 0);
        } else if (e->kind == EVENT_TIMEOUT) {
            report_silent(&s->report, &c->flow, stamp);
        } else if (e->kind == EVENT_RETRANSMIT) {
            s->repeats = true;
        }
        if (s->ops->event)
            s->ops->event(s, c, e);
    }
}

/* Events that no captured segment caused. */
static void drain_events(struct session *s)
{
    struct event events[EVENTS];
    unsigned n;

    /* The clock is asked only for who looks at it: there is an event for nearly every segment. */
    while ((n = pull_events(s, events)) > 0)
        tell_events(s, events, n, s->shows ? session_stamp() : 0, NULL, 0);
}

/* Puts on record what no packet tells. A SYN, FIN or RST belongs to the state it brings about,
 * any other segment to the one it was sent in. */
static void record(struct session *s, struct session_conn *c, const struct seg *seg)
{
    const struct conn *e = session_engine(s, c);
    bool moves = seg->flags & (SEG_SYN | SEG_FIN | SEG_RST);
    struct seq end = seg_end(seg);
    /* One byte below SND.NXT with nothing outstanding is a probe, not a retransmission. */
    bool probe = e && seq_eq(e->snd.una, e->snd.nxt) && seq_eq(seg->seq, seq_sub(e->snd.nxt, 1));
    struct journal_entry j = {.id = c->id,
                              .seq = seg->seq,
                              .ack = seg->ack,
                              .len = seg->len,
                              .flags = seg->flags,
                              .wnd = seg->wnd,
                              .state = (uint8_t)(moves && e ? e->state : c->state),
                              .probe = probe,
                              .opt = seg->opt};

    if (seg_len(seg) && !(seg->flags & SEG_RST)) {
        j.again = c->has_sent && !probe && seq_lt(seg->seq, c->sent);
        c->flow.retransmissions += j.again;
        if (!c->has_sent || seq_gt(end, c->sent)) {
            uint32_t more = c->has_sent ? end.v - c->sent.v : seg_len(seg);
            uint32_t control = seg_len(seg) - seg->len;
            c->flow.sent_bytes += more > control ? more - control : 0;
            c->sent = end;
            c->has_sent = true;
        }
    }
    c->unsent = false; /* until the kernel says so again */
    c->syn_sent += (seg->flags & SEG_SYN) != 0;
    outcome_sent(&c->path, c->state, seg->flags);
    if (s->shows)
        journal_add(&s->journal, &j);
}

/* The connection of a flow that the stack has no connection for (any more). Rare. */
static struct session_conn *find_flow(struct session *s, const struct flow *flow)
{
    struct session_conn *c;

    LIST_FOREACH(c, &s->all, all)
    {
        if (flow_eq(&c->flow.flow, flow))
            break;
    }
    return c;
}

/* A reset or a SYN cookie, which belongs to no connection: it is put on record to be known for ours
 * when it is captured. Of a single connection it tells the state it was sent in, which a reset that
 * ends the peer's former connection does not change. */
static void record_stray(struct session *s, const struct flow *flow, const struct seg *seg)
{
    const struct session_conn *c = s->many ? NULL : find_flow(s, flow);
    struct journal_entry j = {.id = STACK_NONE,
                              .seq = seg->seq,
                              .ack = seg->ack,
                              .len = seg->len,
                              .flags = seg->flags,
                              .wnd = seg->wnd,
                              .state = (uint8_t)(c ? c->state : STATE_CLOSED)};

    if (s->shows)
        journal_add(&s->journal, &j);
}

/* The kernel refused a segment for good. Before the handshake is done that is the end of it:
 * nothing can be learnt of the peer. Later it is one more lost segment, which is sent again. */
static void send_failed(struct session *s, struct session_conn *c, const struct diag *d)
{
    if (!c)
        return;
    if (!c->path.established) {
        session_fail(s, d);
        return;
    }
    if (strcmp(s->send_error.text, d->text) != 0)
        report_note(&s->report, &c->flow, session_stamp(), true, d->text);
    s->send_error = *d;
    c->unsent = true;
}

/* Beyond the MTU of the way out (the kernel knows better than the route at the start did): told
 * to the engine as a router would have told it, without a number. */
static void too_big(struct session *s, const struct wire_unsent *u, wave_time now)
{
    struct icmp e = {.from = u->flow.local,
                     .flow = u->flow,
                     .has_seq = true,
                     .seq = u->seq,
                     .meaning = ICMP_TOO_BIG};

    stack_icmp(s->stack, now, &e);
}

/* Whether the way is free: hands what is queued to the kernel, and when that has no room, tries
 * again after a pause. */
static bool send_queued(struct session *s, wave_time now)
{
    struct wire_unsent u;
    struct diag d = {""};
    int error;

    if (s->stuck.is && now < s->stuck.again_at)
        return false;
    while ((error = wire_flush(s->wire, &u, &d)) != 0 && error != WAVE_EAGAIN) {
        if (error == WAVE_ETRUNC) {
            too_big(s, &u, now);
            drain_events(s);
        } else {
            send_failed(s, find_flow(s, &u.flow), &d);
        }
    }
    if (error) {
        s->stuck.pause = s->stuck.is ? time_min(2 * s->stuck.pause, PAUSE_MOST) : PAUSE_FIRST;
        s->stuck.again_at = now + s->stuck.pause;
    }
    s->stuck.is = error != 0;
    s->queued = error ? BURST : 0;
    return !error;
}

/* Queues what is owed, up to a burst: a window's worth at a time would outrun its acknowledgements.
 */
static void queue_owed(struct session *s, wave_time now)
{
    struct wire_ip ip = {.ttl = (uint8_t)s->options->ttl, .tos = (uint8_t)s->options->tos};
    struct flow flow;
    struct seg seg;
    uint32_t id;

    for (; s->queued < BURST && stack_output(s->stack, now, &flow, &seg, s->room, &id);
         s->queued++) {
        struct session_conn *c = session_find(s, id);
        struct diag d = {""};
        if (c)
            record(s, c, &seg);
        else
            record_stray(s, &flow, &seg);
        if (wire_send(s->wire, &flow, &seg, &ip, &d) != 0)
            send_failed(s, c, &d);
        drain_events(s);
    }
    drain_events(s);
}

/* Our own segments come back through the capture, and would fill it where we send faster than we
 * write of each what is asked for. Once the capture is empty, what has not come back was lost. */
static bool capture_is_behind(const struct session *s)
{
    return s->unread && journal_count(&s->journal) >= AHEAD;
}

/* Sends what is owed. True when there may be more, since it was a whole burst, and the kernel took
 * it. */
static bool output(struct session *s, wave_time now)
{
    bool whole;

    if (!send_queued(s, now) || capture_is_behind(s))
        return false;
    queue_owed(s, now);
    whole = s->queued == BURST;
    return send_queued(s, now) && whole;
}

/* What a segment makes us send. Many connections share the system call that sends it: it goes with
 * what the others of the batch owe. */
static void answer(struct session *s, wave_time now)
{
    if (s->many && !s->stuck.is && s->queued < BURST && !capture_is_behind(s))
        queue_owed(s, now);
    else
        output(s, now);
}

/* Writes the packet to --pcap, with its number as the other outputs have it and what was known
 * after it; `local` is our state then. */
static void keep_packet(struct session *s, const struct wire_packet *p,
                        const struct session_conn *c, enum state local)
{
    char connection[16] = "";
    char comment[128] = "";
    struct diag d;
    struct pcapfile_packet k = {.stamp = p->stamp,
                                .outgoing = p->outgoing,
                                .ip = p->ip,
                                .captured = p->ip_len,
                                .length =
                                    p->packet.length > p->ip_len ? p->packet.length : p->ip_len};

    if (!s->pcap)
        return;
    if (c && p->packet.kind == PACKET_TCP) {
        const struct track_view *peer = &c->flow.peer;
        if (c->flow.connection)
            snprintf(connection, sizeof connection, "%u:", c->flow.connection);
        snprintf(comment, sizeof comment, "%s%u: we %s, peer %s%s", connection,
                 c->flow.track.number, state_name(local), state_name(peer->state),
                 peer->state == STATE_UNKNOWN          ? ""
                 : peer->certainty == CERTAINTY_PROVED ? " (proved)"
                                                       : " (assumed)");
        k.comment = comment;
    }
    if (pcapfile_packet(s->pcap, &k, &d) != 0)
        session_fail(s, &d);
}

/* A segment of ours that the capture lost: without it the tracker would take the peer's answers to
 * it for nonsense. */
static void missed(struct session *s, const struct journal_entry *j, wave_time stamp)
{
    struct session_conn *c = session_find(s, j->id);
    struct packet p = {.kind = PACKET_TCP, .ttl = (uint8_t)s->options->ttl, .df = true};
    struct report_seen seen = {.stamp = stamp,
                               .out = true,
                               .missed = true,
                               .retransmission = j->again,
                               .local = (enum state)j->state,
                               .packet = &p};

    if (!c)
        return;
    p.flow = c->flow.flow;
    p.seg = (struct seg){.seq = j->seq,
                         .ack = j->ack,
                         .len = j->len,
                         .flags = j->flags,
                         .wnd = j->wnd,
                         .opt = j->opt};
    report_segment(&s->report, &c->flow, &seen);
}

/* A segment of ours, on its way out. */
static void captured_ours(struct session *s, const struct wire_packet *p)
{
    const struct seg *seg = &p->packet.seg;
    const struct journal_entry *j;

    while ((j = journal_missed_before(&s->journal, seg)) != NULL)
        missed(s, j, p->stamp);
    j = journal_take(&s->journal, seg);
    struct session_conn *c = session_find(s, j ? j->id : STACK_NONE);
    struct report_seen seen = {.stamp = p->stamp,
                               .out = true,
                               /* The guard is there to keep exactly this from happening. */
                               .foreign = !j && (seg->flags & SEG_RST),
                               .retransmission = j && j->again,
                               .packet = &p->packet,
                               .ip = p->ip,
                               .ip_len = p->ip_len};

    if (!c && !(j && (seg->flags & SEG_SYN))) /* the flow of a SYN cookie is nobody's */
        c = find_flow(s, &p->packet.flow);
    if (c) {
        seen.local = j ? (enum state)j->state : c->state;
        report_segment(&s->report, &c->flow, &seen);
    }
    keep_packet(s, p, c, seen.local);
}

/* What the report has to know of a segment of the peer's beside what it says. */
struct arrival {
    struct hole_seen hole;
    enum state state; /* ours, before it came */
};

/* Looks for what the capture lost before this segment, which the engine has taken in, and counts
 * the segment. */
static void arrived(struct session *s, struct session_conn *c, const struct seg *seg,
                    struct arrival *a)
{
    const struct conn *e = session_engine(s, c);
    bool lies_within =
        e && seg_len(seg) && !(seg->flags & SEG_RST) && seq_leq(seg_end(seg), e->rcv.adv);

    a->state = c->state;
    c->arrived++;
    if (lies_within)
        a->hole = hole_see(&c->hole, s->gaps, seg);
    /* Data that was next in order ends exactly where the engine now waits for more. What is out of
     * order only since our capture lost something says nothing about the path. */
    if (e && seg->len && !seq_eq(seg_end(seg), e->rcv.nxt) && !c->hole.is && !a->hole.repair)
        c->uneven_at = c->arrived;
    if (e)
        hole_close(&c->hole, e->rcv.nxt);
}

/* What the peer sent and the capture lost: to the engine it is missing, and the peer will repeat
 * it. In the report it has its place, so that what follows is not out of order. */
static void missed_theirs(struct session *s, struct session_conn *c, const struct wire_packet *p,
                          const struct arrival *a)
{
    const struct conn *e = session_engine(s, c);

    if (!e)
        return;
    /* At the least it acknowledged what was acknowledged by the time. */
    struct packet lost = {.kind = PACKET_TCP,
                          .flow = p->packet.flow,
                          .ttl = p->packet.ttl,
                          .seg = {.seq = a->hole.from,
                                  .ack = e->snd.una,
                                  .len = a->hole.lost,
                                  .flags = SEG_ACK,
                                  .wnd = p->packet.seg.wnd}};
    struct report_seen seen = {
        .stamp = p->stamp, .missed = true, .local = c->flow.local, .packet = &lost};
    report_segment(&s->report, &c->flow, &seen);
}

/*
 * Whether what this segment makes us send may wait for the next one that was captured already. For
 * a bare acknowledgement it may: all that it makes us send is data, which goes in larger batches
 * then. For data in order it may in the middle of a long transfer, where it is an acknowledgement
 * that the next one would replace. Hosts do the same when they receive faster than they read; RFC
 * 9293, 3.8.6.3 wants one for every second segment (SHLD-18) of a stream, DEVIATES: for as long as
 * it is this busy.
 */
static bool may_wait(struct session *s, const struct session_conn *c, const struct seg *seg)
{
    const struct conn *e = c ? session_engine(s, c) : NULL;

    if (!e)
        return false;
    if (!seg->len)
        return seg->flags == SEG_ACK && !(e->flags & (CONN_ACK_NOW | CONN_RST_OWED));
    return !(seg->flags & (SEG_SYN | SEG_FIN | SEG_RST | SEG_URG)) &&
           seq_eq(seg_end(seg), e->rcv.nxt) && !conn_unacked(e) &&
           c->arrived - c->uneven_at > BULK_AFTER;
}

/* Whether this is a SYN-ACK of our very SYN: another one shows no more than that somebody sends. */
static bool answers_our_syn(struct session *s, const struct session_conn *c, const struct seg *seg)
{
    const struct conn *e = session_engine(s, c);

    return e && (seg->flags & (SEG_SYN | SEG_ACK)) == (SEG_SYN | SEG_ACK) &&
           seq_eq(seg->ack, seq_add(e->snd.iss, 1));
}

/*
 * Whether this is a copy of what the peer sent before both sides were done: of its FIN, above all,
 * where we were late to acknowledge it. TIME_WAIT was left at once, and to CLOSED it would be worth
 * a RST, which nothing calls for: our last acknowledgement is out.
 */
static bool is_afterthought(struct session *s, const struct flow *flow, const struct seg *seg)
{
    const struct session_conn *c = s->over && !s->many ? find_flow(s, flow) : NULL;
    const struct conn *e = c ? session_engine(s, c) : NULL;

    return e && e->end == END_CLOSED && !(seg->flags & SEG_SYN) &&
           seq_leq(seg_end(seg), e->rcv.nxt);
}

static void show_theirs(struct session *s, struct session_conn *c, const struct wire_packet *p,
                        const struct arrival *a)
{
    const struct seg *seg = &p->packet.seg;
    const struct journal_entry *j;

    while ((seg->flags & SEG_ACK) &&
           (j = journal_missed_by_ack(&s->journal, c->id, seg->ack)) != NULL)
        missed(s, j, p->stamp);
    if (a->hole.lost)
        missed_theirs(s, c, p, a);
    /* What we do while segments wait in the ring comes behind them in the order of the wire:
     * our state moves with our own segment, once that is captured. */
    if (journal_empty(&s->journal))
        report_flush(&s->report, &c->flow, p->stamp);
    bool ahead = c->flow.waiting_count && c->state == a->state;
    struct report_seen seen = {.stamp = p->stamp,
                               .repair = a->hole.repair,
                               .local = ahead ? c->flow.local : c->state,
                               .packet = &p->packet,
                               .ip = p->ip,
                               .ip_len = p->ip_len};
    report_segment(&s->report, &c->flow, &seen);
}

/* A segment of the peer's. */
static void captured_theirs(struct session *s, const struct wire_packet *p, wave_time now)
{
    const struct seg *seg = &p->packet.seg;
    struct flow flow = flow_reverse(&p->packet.flow);
    struct event events[EVENTS];
    uint32_t id =
        is_afterthought(s, &flow, seg) ? STACK_NONE : stack_input(s->stack, now, &flow, seg);
    struct session_conn *c = session_find(s, id);
    struct arrival a = {.state = STATE_CLOSED};
    unsigned n;

    if (id != STACK_NONE && !c) {
        c = session_adopt(s, id, &flow);
        if (c && s->ops->opened)
            s->ops->opened(s, c);
        if (!c) /* no memory for it: to the peer its SYN was lost */
            stack_release(s->stack, id);
    }
    /* The flow of a SYN that drew a cookie is nobody's; and where nothing is shown, strangers'
     * segments are not worth a search through all connections each. */
    if (!c && s->shows && !(seg->flags & SEG_SYN))
        c = find_flow(s, &flow);
    if (c)
        arrived(s, c, seg, &a);
    if (c && answers_our_syn(s, c, seg)) {
        c->syn_acks++;
        c->syn_ack_at[0] = c->syn_ack_at[1];
        c->syn_ack_at[1] = now;
    }
    n = pull_events(s, events);
    if (c && s->shows)
        show_theirs(s, c, p, &a);
    tell_events(s, events, n, p->stamp, c, c ? c->flow.track.number : 0);
    keep_packet(s, p, c, c ? c->flow.local : STATE_CLOSED);
    if (may_wait(s, c, seg) && ++s->owed < ACK_EVERY)
        return;
    s->owed = 0;
    answer(s, now);
}

static void captured_icmp(struct session *s, const struct wire_packet *p, wave_time now)
{
    const struct icmp *e = &p->packet.icmp;
    struct event events[EVENTS];
    struct session_conn *c = session_find(s, stack_icmp(s->stack, now, e));
    bool fatal = false;
    unsigned n = pull_events(s, events);

    for (unsigned i = 0; i < n; i++)
        fatal = fatal || (events[i].kind == EVENT_ICMP && events[i].u.icmp.fatal);
    if (c)
        report_icmp(&s->report, &c->flow, p->stamp, e, fatal);
    tell_events(s, events, n, p->stamp, NULL, 0);
    keep_packet(s, p, c, c ? c->flow.local : STATE_CLOSED);
    output(s, now);
}

/* Takes in what was captured, up to a batch; true when there may be more. */
static bool receive(struct session *s)
{
    bool more = true;

    for (unsigned i = 0; i < BATCH && more; i++) {
        struct wire_packet p;
        struct diag d = {""};
        int n = wire_next(s->wire, &p, &d);
        if (n < 0) { /* deaf, there is no closing in order */
            session_fail(s, &d);
            session_stop(s, STOP_LOCAL);
        }
        more = n > 0;
        if (!more)
            break;
        s->gaps += p.gap;
        if (p.packet.kind == PACKET_ICMP)
            captured_icmp(s, &p, wire_now());
        else if (p.outgoing)
            captured_ours(s, &p);
        else
            captured_theirs(s, &p, wire_now());
    }
    s->unread = more;
    if (s->owed || s->queued) {
        s->owed = 0;
        output(s, wire_now());
    }
    return more;
}

/* Where segments have to be sent again, the route may have come to lead elsewhere. */
static void look_at_route(struct session *s, wave_time now)
{
    char text[200], interface[sizeof s->route] = "";

    if (!s->repeats || now < s->route_at)
        return;
    s->repeats = false;
    s->route_at = now + WAVE_S;
    if (!wire_rerouted(s->wire, interface) || strcmp(interface, s->route) == 0)
        return;
    memcpy(s->route, interface, sizeof interface);
    snprintf(text, sizeof text,
             "the route has changed: it leads through %s now, and answers that come in there are "
             "not seen, since %s is what is captured; if it stays so, start another run",
             interface, wire_info(s->wire)->interface);
    report_note(&s->report, NULL, session_stamp(), true, text);
}

/* Nothing was captured for a while: what waits for its segment waits in vain. */
static void flush_changes(struct session *s)
{
    struct session_conn *c;

    LIST_FOREACH(c, &s->all, all)
    {
        if (c->flow.waiting_count)
            report_flush(&s->report, &c->flow, session_stamp());
    }
}

/* Tells who watches what we wait for; returns when to tell it again. */
static wave_time tell_wait(struct session *s, wave_time now)
{
    wave_time left = s->awaited_until == WAVE_NEVER ? WAVE_NEVER
                     : s->awaited_until > now       ? s->awaited_until - now
                                                    : 0;
    wave_time waited = now > s->awaited_since ? now - s->awaited_since : 0;
    bool worth = left == WAVE_NEVER
                     ? waited >= TELL_AFTER
                     : left >= WAVE_S / 2 && s->awaited_until - s->awaited_since > TELL_AFTER;

    if (!s->term.live || !s->awaited)
        return WAVE_NEVER;
    if (worth && now - s->awaited_told >= TELL_EVERY - WAVE_MS) {
        report_wait(&s->report, NULL, session_stamp(), s->awaited, left);
        s->awaited_told = now;
    }
    return now + TELL_EVERY;
}

/* Writes out what was told so far, for whoever follows. */
static void flush_output(struct session *s)
{
    struct diag d;

    if (session_flush(s, &d) != 0)
        session_fail(s, &d);
    if (s->pcap && pcapfile_flush(s->pcap, &d) != 0)
        session_fail(s, &d);
}

/* Sleeps until `until`, or something is there to be done. */
static bool sleep_until(struct session *s, wave_time now, wave_time until)
{
    /* Whoever reads the report, if anybody does: a pipe whose reader has gone is an error. */
    bool read = (!s->options->quiet || s->options->json) && s->stop != STOP_LOCAL;
    struct pollfd fds[3 + SESSION_FDS] = {{.fd = wire_fd(s->wire), .events = POLLIN},
                                          {.fd = s->signals, .events = POLLIN},
                                          {.fd = read ? fileno(s->stream) : -1}};
    nfds_t n = 3;
    wave_time left = until > now ? until - now : 0;
    struct timespec t = {(time_t)(left / WAVE_S), (long)(left % WAVE_S)};
    int ready;

    if (s->ops->poll && s->stop != STOP_LOCAL) /* then the command has no more turns */
        n += s->ops->poll(s, fds + 3);
    if (left)
        flush_output(s);
    ready = ppoll(fds, n, until == WAVE_NEVER ? NULL : &t, NULL);
    if (ready > 0 && (fds[1].revents & POLLIN) && (s->signal = signals_next(s->signals)) != 0)
        session_stop(s, STOP_SIGNAL);
    if (ready > 0 && (fds[2].revents & READER_GONE))
        session_fail(s, &(struct diag){"cannot write the report: its reader is gone"});
    return ready > 0;
}

/* We come late where the machine is busy, or were stopped or suspended: what was captured meanwhile
 * is taken in before the timers run, which would else take an answer that is here for missing. */
static void catch_up(struct session *s)
{
    if (wire_now() < time_add(s->due, SESSION_LATE))
        return;
    for (unsigned i = 0; i < SESSION_LATE_BATCHES && !s->done && receive(s); i++)
        ;
}

/* The last segments are shown, too, and what was refused for want of room gets its chance. */
static void farewell(struct session *s)
{
    wave_time end = wire_now() + FAREWELL;

    for (wave_time now = wire_now(); now < end; now = wire_now()) {
        struct pollfd fd = {.fd = wire_fd(s->wire), .events = POLLIN};
        bool more = output(s, now);
        while (receive(s))
            ;
        if (more) { /* each of many connections is owed its RST */
            end = now + FAREWELL;
            continue;
        }
        if (!s->stuck.is && (!s->shows || journal_empty(&s->journal)))
            break;
        poll(&fd, 1, 1);
    }
    for (const struct journal_entry *j; (j = journal_missed(&s->journal)) != NULL;)
        missed(s, j, session_stamp());
    flush_changes(s);
    report_wait(&s->report, NULL, session_stamp(), NULL, 0);
}

void session_again(struct session *s, wave_time at)
{
    s->again_at = time_min(s->again_at, at);
}

void session_run(struct session *s)
{
    while (!s->done) {
        wave_time now, until;
        bool more;

        catch_up(s);
        now = wire_now();
        stack_tick(s->stack, now);
        drain_events(s);
        output(s, now);
        more = receive(s);
        now = wire_now();
        look_at_route(s, now);
        s->again_at = WAVE_NEVER;
        until = s->done                 ? now
                : s->stop == STOP_LOCAL ? session_wind_up(s, now)
                                        : s->ops->turn(s, now);
        output(s, now);
        if (!s->done && now >= s->deadline)
            session_stop(s, STOP_TIMEOUT);
        if (s->done)
            break;
        until = time_min(until, s->again_at);
        until = time_min(until, time_min(s->deadline, stack_expiry(s->stack, now)));
        if (s->stuck.is)
            until = s->stuck.again_at;
        until = time_min(until, tell_wait(s, now));
        bool settling = s->report.waiting > 0;
        if (settling)
            until = time_min(until, now + SETTLE);
        s->due = more ? now : until;
        if (!sleep_until(s, now, s->due) && settling && !more)
            flush_changes(s);
    }
    farewell(s);
}
