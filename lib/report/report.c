/*
 * Turns what the session captured and what the engine did into events. report_segment() gives each
 * segment to the tracker, corrects the tracker's notes where the session knows more, numbers the
 * segment, and reports it with the changes of state that it caused. Changes of our own state wait
 * until the segment that shows them is captured (report_local()).
 */
#include "lib/report/report.h"

#include <string.h>

enum { OURS, THEIRS };

void report_init(struct report *r)
{
    memset(r, 0, sizeof *r);
}

void report_add(struct report *r, report_sink *event, void *self)
{
    if (r->sinks < REPORT_SINKS) {
        r->sink[r->sinks].event = event;
        r->sink[r->sinks].self = self;
        r->sinks++;
    }
}

void report_flow_init(struct report_flow *f, const struct flow *flow, uint32_t connection)
{
    memset(f, 0, sizeof *f);
    f->connection = connection;
    f->flow = *flow;
    f->rtt = WAVE_NEVER;
    f->local = STATE_CLOSED;
    track_init(&f->track);
    f->peer = track_view(&f->track, TRACK_B);
}

void report_flow_strangers(struct report_flow *f, const struct flow *flow, uint32_t connection)
{
    report_flow_init(f, flow, connection);
    f->strangers = true;
    f->local = STATE_UNKNOWN;
    f->client = track_view_stranger(&f->track, TRACK_A);
}

void report_begin(struct report *r, wave_time stamp)
{
    r->started = true;
    r->origin = stamp;
}

wave_time report_time(const struct report *r, wave_time stamp)
{
    return r->started && stamp > r->origin ? stamp - r->origin : 0;
}

/* Makes an event of this kind with this stamp. Stamps of the capture and our own readings of the
 * clock are not strictly in order, so no event is allowed to come before the first. */
static struct report_event event_of(struct report *r, const struct report_flow *f,
                                    enum report_kind kind, wave_time stamp)
{
    struct report_event e;

    if (!r->started) {
        r->started = true;
        r->origin = stamp;
    }
    memset(&e, 0, sizeof e);
    e.kind = kind;
    e.at = report_time(r, stamp);
    e.flow = f;
    e.how_to = r->how_to;
    e.connection = f ? f->connection : 0;
    return e;
}

static void tell(struct report *r, const struct report_event *e)
{
    for (unsigned i = 0; i < r->sinks; i++)
        r->sink[i].event(r->sink[i].self, e);
}

/* Stores what a SYN offers, and when ours was sent. */
static void learn_syn(struct report_flow *f, const struct report_seen *seen)
{
    const struct seg *s = &seen->packet->seg;
    struct opt *opt = seen->out ? &f->ours : &f->theirs;

    *opt = s->opt;
    opt->raw = NULL; /* it points into the packet, which is freed soon */
    opt->raw_len = 0;
    if (seen->out) {
        f->has_iss = true;
        f->iss = s->seq;
        f->our_flags = s->flags;
        f->syn = (struct report_syn){seen->stamp, (s->opt.has & OPT_TIMESTAMP) != 0, s->opt.tsval};
        f->syn_sent++;
    } else {
        f->has_irs = true;
        f->irs = s->seq;
        f->their_flags = s->flags;
        f->offered = true;
    }
}

/*
 * Measures the RTT of the handshake from the segment that acknowledges our SYN. If several SYNs
 * were sent, only an echoed timestamp shows which one is answered (RFC 7323, 4.1), and only the
 * last one's is used: an answer to an earlier one that comes so late is probably a retransmission
 * whose first copy was lost. Otherwise there is no measurement (Karn: RFC 6298, section 3).
 */
static void measure(struct report_flow *f, const struct report_seen *seen)
{
    const struct seg *s = &seen->packet->seg;
    const struct report_syn *syn = &f->syn;

    if (seen->out || f->rtt != WAVE_NEVER || !f->syn_sent || !(s->flags & SEG_ACK) ||
        (s->flags & SEG_RST) || !seq_eq(s->ack, seq_add(f->iss, 1)) || f->answered)
        return;
    f->answered = true; /* what comes later has another cause */
    bool echoed = syn->has_timestamp && (s->opt.has & OPT_TIMESTAMP) && s->opt.tsecr == syn->tsval;
    if ((echoed || f->syn_sent == 1) && seen->stamp >= syn->stamp)
        f->rtt = seen->stamp - syn->stamp;
}

/* Returns a number relative to its side's ISN, or, for a flow that was met in the middle, to the
 * first number seen of that side. */
static uint32_t relative(struct report_flow *f, unsigned side, struct seq number)
{
    bool known = side == OURS ? f->has_iss : f->has_irs;
    struct seq isn = side == OURS ? f->iss : f->irs;

    if (known)
        return number.v - isn.v;
    if (!f->has_base[side]) {
        f->has_base[side] = true;
        f->base[side] = number;
    }
    return number.v - f->base[side].v;
}

/* RFC 7323, 2.2 and 2.3: both sides must have offered scaling, and the window of a SYN is never
 * scaled. */
static uint32_t window(const struct report_flow *f, bool out, const struct seg *s)
{
    const struct opt *opt = out ? &f->ours : &f->theirs;
    bool both =
        f->has_iss && f->has_irs && (f->ours.has & OPT_WSCALE) && (f->theirs.has & OPT_WSCALE);

    if (!both || (s->flags & SEG_SYN))
        return s->wnd;
    return (uint32_t)s->wnd << (opt->wscale > 14 ? 14 : opt->wscale);
}

static void tell_local(struct report *r, struct report_flow *f, wave_time stamp,
                       const struct report_change *change, uint32_t evidence)
{
    struct report_event e = event_of(r, f, REPORT_STATE, stamp);

    e.u.state = (struct report_state){
        .from = change->from, .to = change->to, .evidence = evidence, .cause = change->cause};
    f->local = change->to;
    tell(r, &e);
}

static void tell_peer(struct report *r, struct report_flow *f, wave_time stamp,
                      const struct track_view *now)
{
    struct report_event e = event_of(r, f, REPORT_STATE, stamp);

    e.u.state = (struct report_state){.peer = true,
                                      .from = f->peer.state,
                                      .to = now->state,
                                      .certainty = now->certainty,
                                      .evidence = now->evidence,
                                      .cause = now->cause};
    f->peer = *now;
    tell(r, &e);
}

static bool peer_moved(const struct report_flow *f, const struct track_view *now)
{
    return now->state != f->peer.state || now->certainty != f->peer.certainty;
}

/* Returns how many of the waiting changes are shown by a segment with this state of ours: all up to
 * the one that led to that state, or none if the segment was sent before all of them. */
static unsigned changes_up_to(const struct report_flow *f, enum state local)
{
    for (unsigned i = f->waiting_count; i > 0; i--)
        if (f->waiting[i - 1].to == local)
            return i;
    return 0;
}

static void tell_waiting(struct report *r, struct report_flow *f, wave_time stamp, unsigned count,
                         uint32_t evidence)
{
    for (unsigned i = 0; i < count; i++)
        tell_local(r, f, stamp, &f->waiting[i], evidence);
    f->waiting_count -= count;
    r->waiting -= count;
    memmove(f->waiting, f->waiting + count, f->waiting_count * sizeof f->waiting[0]);
}

/*
 * Returns our state for the row of a segment. A segment of ours has the state in which it was sent,
 * unless it was captured after what has been reported since. If segments are captured faster than
 * they are read, an acknowledgement that we sent in ESTABLISHED may stand in the capture after the
 * peer's FIN, which put us into CLOSE_WAIT before we read our own segment. A row never goes back.
 */
static enum state local_in_row(const struct report_flow *f, const struct report_seen *seen,
                               unsigned changes)
{
    return seen->out && !changes ? f->local : seen->local;
}

/* Records which segments carry the FINs. For the peer's the tracker decides whether they count: any
 * host can send a segment that looks like one, and a FIN beyond the window counts once it is
 * acknowledged. */
static void count_fins(struct report_flow *f, const struct report_seen *seen)
{
    unsigned side = seen->out ? OURS : THEIRS;
    struct seq end;

    if ((seen->packet->seg.flags & SEG_FIN) && !f->fin_seen[side])
        f->fin_seen[side] = f->track.number;
    if (!seen->foreign)
        f->fin[OURS] = f->fin_seen[OURS];
    if (!f->fin[THEIRS] && track_fin(&f->track, TRACK_B, &end))
        f->fin[THEIRS] = f->fin_seen[THEIRS] ? f->fin_seen[THEIRS] : f->track.number;
}

/* Updates the counters and facts of the flow with the segment's header. */
static void count(struct report_flow *f, const struct report_seen *seen)
{
    const struct seg *s = &seen->packet->seg;
    unsigned side = seen->out ? OURS : THEIRS;

    if (f->track.number == 1)
        f->first = seen->stamp;
    f->last = seen->stamp;
    if (!report_counts(seen))
        return;
    f->segments[side]++;
    if (s->flags & SEG_SYN)
        learn_syn(f, seen);
    if (seen->missed && (s->flags & SEG_SYN))
        f->answered = true; /* it is not known when our SYN left */
    measure(f, seen);
    count_fins(f, seen);
}

/* Returns whether this is the acknowledgement of the other side's FIN by a side that stays open
 * (RFC 9293, 3.6: a half-closed connection). */
static bool half_closes(struct report_flow *f, const struct report_seen *seen)
{
    unsigned side = seen->out ? OURS : THEIRS, other = seen->out ? THEIRS : OURS;

    if (f->fin_acked[other] || !track_fin_acked(&f->track, seen->out ? TRACK_B : TRACK_A))
        return false;
    f->fin_acked[other] = true;
    return !f->fin[side];
}

/* Returns the number of the segment that this one retransmits, or 0, and records this one. */
static uint32_t repeats(struct report *r, const struct report_flow *f,
                        const struct report_segment *g)
{
    const struct seg *s = &g->packet->seg;
    struct recent_segment e = {f->connection, g->number, g->out, s->seq, seg_end(s)};
    uint32_t of = 0;

    if (!seg_len(s) || (g->notes & TRACK_PROBE) || (s->flags & SEG_RST))
        return 0;
    if (g->retransmission)
        of = recent_segments_find(&r->recent, f->connection, g->out, s->seq);
    recent_segments_add(&r->recent, &e);
    return of;
}

/* Records the highest number that we acknowledged, and when we first did. */
static void learn_latest_ack(struct report_flow *f, const struct seg *s)
{
    bool stamped = s->opt.has & OPT_TIMESTAMP;

    if ((s->flags & SEG_ACK) && (!f->latest_ack.is || seq_gt(s->ack, f->latest_ack.ack)))
        /* If an earlier segment had the same value, an echo does not show which one it belongs
         * to. */
        f->latest_ack =
            (struct report_latest_ack){.is = true,
                                       .has_timestamp = stamped && s->opt.tsval != f->tsval,
                                       .ack = s->ack,
                                       .tsval = s->opt.tsval};
    if (stamped)
        f->tsval = s->opt.tsval;
}

/*
 * Returns whether what looks like a probe of the peer's is its last byte, retransmitted because our
 * acknowledgement was lost. A probe with garbage looks the same (RFC 9293, 3.8.4) if that byte was
 * a segment of its own, unless it echoes a timestamp of that acknowledgement or of a later segment:
 * a side that has received it retransmits nothing.
 */
static bool repeats_byte(const struct report *r, const struct report_flow *f, const struct seg *s)
{
    bool heard = (s->opt.has & OPT_TIMESTAMP) && f->latest_ack.has_timestamp &&
                 seq_geq(f->latest_ack.ack, seg_end(s)) &&
                 (int32_t)(s->opt.tsecr - f->latest_ack.tsval) >= 0;

    struct seq fin_end;

    return s->len && !heard &&
           recent_segments_has(&r->recent, f->connection, false, s->seq, seg_end(s)) &&
           !(track_fin(&f->track, TRACK_B, &fin_end) && seq_leq(fin_end, seg_end(s)));
}

/*
 * Returns the tracker's notes, corrected where more is known than the segments show. This is the
 * only place that corrects them: the tracker decides for both sides whether a segment is a
 * retransmission.
 *
 * - A probe of ours lies below what is unacknowledged, which a retransmission never does; the
 *   segments alone do not show it if an acknowledgement of the peer's was captured and not taken.
 *   A probe is not a retransmission, and what looks like a probe and is none is one.
 * - What the tracker did not accept from us, because the capture has lost what would explain it, is
 *   a retransmission if the sent log has its bytes already.
 * - A probe of a zero window is not a retransmission either, however often it is sent.
 * - A retransmission of what only our capture has lost says nothing about the path.
 * - What we send once more because a rule dropped it before is a retransmission for us, though the
 *   wire has it for the first time. The copy that a rule made is none, though the wire had it
 *   before, nor is what a rule held back until something later had passed.
 * - Only a probe has an answer, and a RST that ends the connection can be one.
 */
static unsigned corrected(const struct report *r, struct report_flow *f,
                          const struct report_seen *seen, unsigned notes)
{
    const struct seg *s = &seen->packet->seg;
    unsigned side = seen->out ? OURS : THEIRS, other = seen->out ? THEIRS : OURS;
    bool ends = !seen->out && (s->flags & SEG_RST) && f->local != STATE_CLOSED &&
                seen->local == STATE_CLOSED;
    const unsigned held = IMPAIRED_DUPLICATED | IMPAIRED_DELAYED | IMPAIRED_REORDERED;
    bool probe = seen->out ? seen->probe : (notes & TRACK_PROBE) && !repeats_byte(r, f, s);

    if (f->strangers)
        return notes;
    if (seen->repair)
        notes &= ~(unsigned)(TRACK_RETRANSMISSION | TRACK_OUT_OF_ORDER);
    if (seen->foreign)
        return notes;
    if ((notes & TRACK_WINDOW_PROBE) && !probe) /* it asks, and is repeated whether lost or not */
        notes &= ~(unsigned)(TRACK_PROBE | TRACK_RETRANSMISSION | TRACK_OUT_OF_WINDOW);
    if ((notes & TRACK_PROBE) && !probe)
        notes |= TRACK_RETRANSMISSION;
    if (seen->sent_before && !(notes & TRACK_WINDOW_PROBE) &&
        ((notes & TRACK_OUT_OF_WINDOW) || f->signs.impaired))
        notes |= TRACK_RETRANSMISSION;
    if (seen->out && seen->impaired && !seen->sent_before && (seen->impaired->acts & held))
        notes &= ~(unsigned)TRACK_RETRANSMISSION;
    if (!report_counts(seen)) /* no one was asked, and no one answers */
        return notes;
    if (!f->probed[other])
        notes &= ~(unsigned)TRACK_PROBE_ANSWER;
    else if (ends)
        notes |= TRACK_PROBE_ANSWER;
    if (notes & TRACK_PROBE_ANSWER)
        f->probed[other] = false;
    f->probed[side] = probe || (f->probed[side] && !seg_len(s));
    if (!probe)
        return notes & ~(unsigned)TRACK_PROBE;
    return (notes | TRACK_PROBE) & ~(unsigned)TRACK_RETRANSMISSION;
}

/* Gives the segment to the tracker. If the capture has lost one segment, it may have lost others.
 * Those of ours are all known; of the peer's it is only known that they were sent. */
static unsigned track(struct report_flow *f, const struct report_seen *seen)
{
    const struct seg *s = &seen->packet->seg;

    if (!report_counts(seen)) {
        track_unsent(&f->track);
        return TRACK_NEW;
    }
    if (seen->gap || seen->missed)
        track_gap(&f->track);
    if (seen->missed && !seen->out)
        return track_missed(&f->track, TRACK_B, s->seq, seg_len(s));
    return track_segment(&f->track, seen->stamp, seen->out ? TRACK_A : TRACK_B, s);
}

bool report_counts(const struct report_seen *seen)
{
    const struct impaired *i = seen->impaired;

    return !i || (i->on_wire && !(seen->out && (i->acts & IMPAIRED_BROKEN)));
}

/* Returns whether a rule kept the segment from getting across. */
static bool struck(const struct report_seen *seen)
{
    const struct impaired *i = seen->impaired;

    return i && ((i->acts & (IMPAIRED_DROPPED | IMPAIRED_RESET)) ||
                 (!seen->out && (i->acts & IMPAIRED_BROKEN)));
}

/* Reports that the state of a stranger's client has changed. */
static void tell_client(struct report *r, struct report_flow *f, wave_time stamp)
{
    const struct track_view now = track_view_stranger(&f->track, TRACK_A);
    struct report_event e = event_of(r, f, REPORT_STATE, stamp);

    if (now.state == f->client.state && now.certainty == f->client.certainty) {
        f->client = now;
        return;
    }
    e.u.state = (struct report_state){.from = f->client.state,
                                      .to = now.state,
                                      .certainty = now.certainty,
                                      .evidence = now.evidence,
                                      .cause = now.cause};
    f->client = now;
    f->local = now.state;
    tell(r, &e);
}

/* Returns what is known of the side in the peer's place. */
static struct track_view peer_view(const struct report_flow *f)
{
    return f->strangers ? track_view_stranger(&f->track, TRACK_B) : track_view(&f->track, TRACK_B);
}

/* Completes the row of a segment between strangers: what we know of ourselves elsewhere is
 * concluded for the client, too. */
static void client_row(const struct report_flow *f, struct report_segment *g)
{
    g->client = track_view_stranger(&f->track, TRACK_A);
    g->local = g->client.state;
    g->local_changed =
        g->client.state != f->client.state || g->client.certainty != f->client.certainty;
}

void report_segment(struct report *r, struct report_flow *f, const struct report_seen *seen)
{
    const struct seg *s = &seen->packet->seg;
    unsigned notes = corrected(r, f, seen, track(f, seen));
    struct track_view peer = peer_view(f);
    unsigned changes = seen->out && !seen->foreign ? changes_up_to(f, seen->local) : 0;
    bool retransmission = notes & TRACK_RETRANSMISSION;

    if (seen->out && report_counts(seen))
        learn_latest_ack(f, s);
    count(f, seen);
    f->retransmissions += seen->out && retransmission;
    uint32_t offered = window(f, seen->out, s), *before = &f->window[seen->out ? OURS : THEIRS];
    struct report_event e = event_of(r, f, REPORT_SEGMENT, seen->stamp);
    e.u.segment = (struct report_segment){
        .out = seen->out,
        .foreign = seen->foreign,
        .missed = seen->missed,
        .repair = seen->repair,
        .struck = struck(seen),
        .number = f->track.number,
        .rel_seq = relative(f, seen->out ? OURS : THEIRS, s->seq),
        .rel_ack = s->flags & SEG_ACK ? relative(f, seen->out ? THEIRS : OURS, s->ack) : 0,
        .window = offered,
        .window_changed = offered != *before,
        .retransmission = retransmission,
        .half_closed = half_closes(f, seen),
        .notes = notes,
        .local = local_in_row(f, seen, changes),
        /* One of ours may be captured after a segment that it was sent before; it then says nothing
         * about our state. */
        .local_changed = seen->out ? changes > 0 : seen->local != f->local,
        .peer = peer,
        .peer_changed = peer_moved(f, &peer),
        .packet = seen->packet,
        .ip = seen->ip,
        .ip_len = seen->ip_len,
        .fragments = seen->fragments,
        .mac = seen->mac && signs_other_mac(&f->signs, seen) ? seen->mac : NULL,
        .impaired = seen->impaired};
    e.u.segment.repeats = repeats(r, f, &e.u.segment);
    if (report_counts(seen))
        *before = offered;
    if (f->strangers)
        client_row(f, &e.u.segment);
    else
        signs_segment(f, seen, &e.u.segment);
    tell(r, &e);
    tell_waiting(r, f, seen->stamp, changes, f->track.number);
    if (f->strangers)
        tell_client(r, f, seen->stamp);
    if (peer_moved(f, &peer))
        tell_peer(r, f, seen->stamp, &peer);
    f->peer = peer; /* newer evidence for the same state is no event */
}

void report_local(struct report *r, struct report_flow *f, wave_time stamp,
                  const struct report_change *change, uint32_t evidence)
{
    if (evidence) {
        report_flush(r, f, stamp);
        tell_local(r, f, stamp, change, evidence);
        return;
    }
    if (f->waiting_count == REPORT_STATES)
        report_flush(r, f, stamp);
    f->waiting[f->waiting_count++] = *change;
    r->waiting++;
}

void report_flush(struct report *r, struct report_flow *f, wave_time stamp)
{
    tell_waiting(r, f, stamp, f->waiting_count, 0);
}

void report_silent(struct report *r, struct report_flow *f, wave_time stamp)
{
    track_silent(&f->track, TRACK_B);
    struct track_view peer = track_view(&f->track, TRACK_B);
    if (peer_moved(f, &peer))
        tell_peer(r, f, stamp, &peer);
}

void report_icmp(struct report *r, struct report_flow *f, wave_time stamp, const struct icmp *error,
                 bool sent, bool fatal)
{
    struct report_event e = event_of(r, f, REPORT_ICMP, stamp);
    if (error->has_seq && !sent)
        signs_quoted(f, error->seq);
    e.u.icmp = (struct report_icmp){.error = *error, .fatal = fatal};
    tell(r, &e);
}

void report_probe(struct report *r, struct report_flow *f, wave_time stamp,
                  const struct report_probe *probe)
{
    struct report_event e = event_of(r, f, REPORT_PROBE, stamp);
    e.u.probe = *probe;
    tell(r, &e);
}

void report_note(struct report *r, struct report_flow *f, wave_time stamp, bool trouble,
                 const char *text)
{
    struct report_event e = event_of(r, f, REPORT_NOTE, stamp);
    e.u.note = (struct report_note){trouble, text};
    tell(r, &e);
}

void report_wait(struct report *r, struct report_flow *f, wave_time stamp, const char *what,
                 wave_time left)
{
    struct report_event e = event_of(r, f, REPORT_WAIT, stamp);
    e.u.wait = (struct report_wait){what, left};
    tell(r, &e);
}

void report_tell(struct report *r, wave_time stamp, struct report_event *e)
{
    struct report_event timed = event_of(r, NULL, e->kind, stamp);

    e->at = timed.at;
    e->how_to = r->how_to;
    tell(r, e);
}

void report_progress(struct report *r, wave_time stamp, const struct figures *figures)
{
    struct report_event e = event_of(r, NULL, REPORT_PROGRESS, stamp);

    e.u.progress = figures;
    tell(r, &e);
}

void report_expect(struct report *r, struct report_flow *f, wave_time stamp,
                   const struct expect *expect)
{
    struct report_event e = event_of(r, f, REPORT_EXPECT, stamp);

    e.u.expect = expect;
    tell(r, &e);
}

void report_finding(struct report *r, struct report_flow *f, wave_time stamp,
                    const struct finding *finding)
{
    struct report_event e = event_of(r, f, REPORT_FINDING, stamp);

    for (unsigned i = 0; f && i < f->founds; i++)
        if (strcmp(f->found[i], finding->code) == 0)
            return;
    if (f && f->founds < FINDINGS_MAX)
        f->found[f->founds++] = finding->code;
    e.u.found = (struct report_found){finding, r->ending};
    tell(r, &e);
}

void report_verdict(struct report *r, wave_time stamp, const struct report_verdict *verdict)
{
    r->ending = true;
    for (unsigned i = 0; verdict->findings && i < verdict->findings->count; i++)
        report_finding(r, verdict->flow, stamp, &verdict->findings->at[i]);
    r->ending = false;
    struct report_event e = event_of(r, verdict->flow, REPORT_VERDICT, stamp);
    if (!verdict->per_connection && verdict->several)
        e.connection = 0;
    e.u.verdict = *verdict;
    tell(r, &e);
}
