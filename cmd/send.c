/*
 * Runs `tcpwave send`: sends crafted segments outside any connection, and reports what answers
 * them. It has no engine. One segment is built with all fields as the options say
 * (lib/wire/crafted.h); for each one that is due, its port and sequence number are changed and it
 * is queued. What the capture shows is matched to the segments by its numbers (send_match.h),
 * counted, and printed (send_report.h).
 *
 * A run at more than 1,000 segments a second is `bulk`: then speed matters more than a line for
 * each segment, and our own segments are captured only for --pcap.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/platform.h"
#include "cmd/rate_limit.h"
#include "cmd/resolve.h"
#include "cmd/send_findings.h"
#include "cmd/send_match.h"
#include "cmd/send_options.h"
#include "cmd/send_report.h"
#include "cmd/view.h"
#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/io/files.h"
#include "lib/io/signals.h"
#include "lib/run/loop.h"
#include "lib/run/port.h"
#include "lib/run/session.h"
#include "lib/show/summary.h"
#include "lib/wire/crafted.h"
#include "lib/wire/wire.h"

#define PORTS_DEFAULT 256     /* source ports that take turns, at most, if --ports is not given */
#define BULK_INTERVAL WAVE_MS /* below it the run is bulk */
#define BURST EGRESS_SHARED   /* segments sent before the answers to them are handled */
#define BATCH 256             /* packets handled before the next turn */
#define SPIN (60 * WAVE_US)   /* a shorter sleep would take longer than asked for */
#define DATA_MAX UINT16_MAX
#define BULK_RING (32u << 20)

/* Holds the state of one run. */
struct send {
    const struct send_options *options;
    struct target target;
    struct target_list list; /* the target's addresses; `target` is the first one */
    struct resolve names;
    bool bulk;

    struct port *port;
    struct loop loop;
    struct crafted *crafted;
    struct crafted_segment segment; /* the fields of the next segment */
    struct match_plan plan;
    struct match *match;
    struct tally tally;
    struct send_seen seen;
    struct figures figures;
    uint32_t arrived;  /* segments received */
    uint32_t piece;    /* the first fragment of the next segment that is not queued yet */
    bool captured_too; /* the capture shows our segments in a form that can be parsed */

    struct report report;
    struct view view;
    struct send_lines lines;
    int signals;

    wave_time started, first, last; /* when the run began; when the first and last segment left */
    wave_time end;                  /* of --timeout, or WAVE_NEVER */
    int signal;
    bool failed;
    struct diag error;
    uint8_t data[DATA_MAX];
};

/* Takes note of a failure of this host. The first one is reported. */
static void fail(struct send *s, const struct diag *d)
{
    if (!s->failed)
        s->error = *d;
    s->failed = true;
}

/*
 * The segment
 */

/* Reads all data that is to be sent. It has to fit into one packet. */
static int read_data(struct send *s, struct source *source, struct diag *d)
{
    uint32_t room = crafted_room(s->target.v6, s->options->options_len);
    int n = 1;

    if (s->options->hex.at) {
        memcpy(s->data, s->options->hex.at, s->options->hex.len);
        s->segment.len = (uint32_t)s->options->hex.len;
    }
    while (n != 0 && !s->options->hex.at) {
        struct pollfd fd = {.fd = source_fd(source), .events = POLLIN};
        n = source_read(source, s->data + s->segment.len, room + 1 - s->segment.len, d);
        if (n == WAVE_EAGAIN) {
            signals_wait(&fd);
            continue;
        }
        if (n < 0)
            return n;
        s->segment.len += (uint32_t)n;
        if (s->segment.len > room)
            return diag_fail(d, WAVE_ESYS,
                             "%s has more than %u bytes, which is what one segment can carry",
                             s->options->data.file ? s->options->data.file : "the data", room);
    }
    s->segment.data = s->data;
    return 0;
}

/* Chooses the numbers: random ones where the user gave none, so that no other run has the same. */
static int choose_numbers(struct send *s, struct diag *d)
{
    const struct send_options *o = s->options;
    uint32_t random[3];

    if (platform_random(s->options->show.platform, random, sizeof random) != 0)
        return diag_fail(d, WAVE_ESYS, "the system gives no random bytes: %s", strerror(errno));
    s->segment.seq = o->has_seq ? o->seq : random[0];
    s->segment.ack = o->has_ack ? o->ack : o->flags & SEG_ACK ? random[1] : 0;
    s->segment.id = o->id != SEND_UNSET ? o->id : random[2] >> (s->target.v6 ? 0 : 16);
    return 0;
}

static void fill_segment(struct send *s)
{
    const struct send_options *o = s->options;
    const struct wire_info *info = s->port->info;
    struct crafted_segment *f = &s->segment;

    f->flow = (struct flow){.local = info->local,
                            .remote = s->target.addr,
                            .lport = info->lport,
                            .rport = s->target.port,
                            .v6 = s->target.v6};
    f->flags = (uint16_t)o->flags;
    f->wnd = (uint16_t)o->window;
    f->urp = (uint16_t)o->urgent;
    f->reserved = (uint8_t)o->reserved;
    f->has_offset = o->offset != SEND_UNSET;
    f->offset = f->has_offset ? (uint8_t)o->offset : 0;
    f->checksum_how = o->bad_checksum             ? CRAFTED_WRONG
                      : o->checksum != SEND_UNSET ? CRAFTED_GIVEN
                                                  : CRAFTED_RIGHT;
    f->checksum = (uint16_t)o->checksum;
    f->options_len = o->options_len;
    memcpy(f->options, o->options, o->options_len);
    f->ttl = (uint8_t)o->ttl;
    f->tos = (uint8_t)o->tos;
    f->df = o->df;
    f->flow_label = o->flow_label != SEND_UNSET ? o->flow_label : 0;
    f->fragment = o->fragment;
}

/* Returns whether our own segments can be parsed when they are captured: not if they are fragments,
 * nor if the header claims to be longer than the segment. */
static bool readable(const struct crafted_segment *f)
{
    uint32_t len = SEG_HEADER + ((f->options_len + 3u) & ~3u) + f->len;

    return !f->fragment && (!f->has_offset || (f->offset >= 5 && f->offset * 4u <= len));
}

/* Prepares the run before anything is sent: reads the data, chooses the numbers, and builds the
 * first segment to see whether it can be built. */
static int plan(struct send *s, struct source *source, struct diag *d)
{
    const struct send_options *o = s->options;
    uint32_t mtu = s->port->info->mtu, len;
    int error = read_data(s, source, d);

    if (!error)
        error = choose_numbers(s, d);
    if (error)
        return error;
    fill_segment(s);
    if ((error = crafted_open(&s->crafted, d)) ||
        (error = crafted_build(s->crafted, &s->segment, d)))
        return error;
    crafted_fragment(s->crafted, 0, &len);
    if (mtu && len > mtu)
        return diag_fail(d, WAVE_ESYS,
                         "an IP packet of %u bytes is larger than the MTU of %s, %u; --fragment N "
                         "sends it in pieces",
                         len, s->port->info->interface, mtu);
    s->captured_too = !s->bulk && readable(&s->segment);
    s->plan = (struct match_plan){.seq = s->segment.seq,
                                  .ack = s->segment.ack,
                                  .flags = s->segment.flags,
                                  .len = s->segment.len + !!(s->segment.flags & SEG_SYN) +
                                         !!(s->segment.flags & SEG_FIN),
                                  .step = o->seq_step,
                                  .lport = s->port->info->lport,
                                  .ports = s->plan.ports,
                                  .wait = o->wait,
                                  .count = o->count};
    return match_open(&s->match, &s->plan) ? diag_fail(d, WAVE_ENOMEM, "out of memory") : 0;
}

/*
 * Sending
 */

/* Returns when segment `i` is due. */
static wave_time due(const struct send *s, uint64_t i)
{
    const struct send_options *o = s->options;

    if (i == 0 || o->rate == SEND_RATE_MAX)
        return s->started;
    if (o->rate)
        return s->started + (wave_time)((unsigned __int128)i * WAVE_S / o->rate);
    return s->started + i * send_interval(o);
}

/* Reports segment `i` of ours, whose fields are in `p`. */
static void report_sent(struct send *s, uint64_t i, wave_time stamp, const struct packet *p)
{
    struct report_event e = {.kind = REPORT_SEGMENT};

    e.u.segment = (struct report_segment){.out = true,
                                          .number = (uint32_t)(i + 1),
                                          .rel_seq = p->seg.seq.v - s->plan.seq,
                                          .rel_ack = p->seg.ack.v - s->plan.ack,
                                          .window = p->seg.wnd,
                                          .packet = p};
    report_tell(&s->report, stamp, &e);
}

/* Reports segment `i` of ours as it was built, if the capture does not show it. */
static void report_built(struct send *s, uint64_t i, wave_time stamp)
{
    const struct crafted_segment *f = &s->segment;
    struct packet p = {.kind = PACKET_TCP,
                       .flow = f->flow,
                       .ttl = f->ttl,
                       .tos = f->tos,
                       .df = f->df || f->flow.v6,
                       .id = f->flow.v6 ? 0 : (uint16_t)f->id,
                       .flow_label = f->flow_label,
                       .seg = {.seq = seq_of(f->seq),
                               .ack = seq_of(f->ack),
                               .flags = f->flags,
                               .wnd = f->wnd,
                               .urp = f->urp,
                               .ecn = f->tos & 3,
                               .reserved = f->reserved,
                               .len = f->len,
                               .data = f->data}};

    opt_parse(f->options, f->options_len, &p.seg.opt);
    report_sent(s, i, stamp, &p);
}

/* Queues the next segment in all its fragments. Returns false if the kernel had no room for all of
 * them; the next call begins with the first that is left. */
static bool queue_one(struct send *s, wave_time now)
{
    uint64_t i = match_count(s->match);
    struct crafted_segment *f = &s->segment;

    f->flow.lport = match_port(&s->plan, i);
    f->seq = match_seq(&s->plan, i);
    crafted_renumber(s->crafted, f->flow.lport, f->seq, f->id);
    for (; s->piece < crafted_fragments(s->crafted); s->piece++) {
        uint32_t len;
        const uint8_t *ip = crafted_fragment(s->crafted, s->piece, &len);
        while (s->port->ops->queue(s->port, &f->flow, seq_of(f->seq), ip, len) != 0)
            if (!egress_flush(&s->loop.egress, now))
                return false;
        s->loop.egress.queued++;
    }
    s->piece = 0;
    return true;
}

/* Takes note that the next segment has been sent. */
static void sent(struct send *s, wave_time now, wave_time stamp)
{
    uint64_t i = match_count(s->match);

    if (i == 0)
        s->started = s->first = now; /* the other segments are due from this time on */
    s->last = now;
    match_sent(s->match, stamp);
    if (!s->captured_too && !s->bulk)
        report_built(s, i, stamp);
    /* Skip ID 0: the kernel would replace it with one of its own. */
    if (s->options->id == SEND_UNSET) {
        s->segment.id = s->target.v6 ? s->segment.id + 1 : (s->segment.id + 1) & 0xffff;
        s->segment.id += !s->segment.id;
    }
}

static bool all_sent(const struct send *s)
{
    return match_count(s->match) >= s->options->count;
}

/* Sends the segments that are due, and returns when the next one is. */
static wave_time send_due(struct send *s, wave_time now)
{
    wave_time stamp = port_stamp(s->port), at = WAVE_NEVER;

    if (!egress_flush(&s->loop.egress, now))
        return WAVE_NEVER; /* the loop retries when the kernel has room */
    for (int n = 0; n < BURST && !all_sent(s); n++) {
        at = due(s, match_count(s->match));
        if (at > now)
            break;
        if (!queue_one(s, now))
            return WAVE_NEVER;
        sent(s, now, stamp);
    }
    return all_sent(s) && egress_flush(&s->loop.egress, now) ? WAVE_NEVER : at;
}

/*
 * Receiving
 */

/* Converts the result of matching for the report, in which segments count from 1. */
static struct report_answer to_report_answer(const struct match_result *a)
{
    return (struct report_answer){.stray = a->stray,
                                  .to = a->to + 1,
                                  .rtt = a->rtt,
                                  .duplicate = a->duplicate,
                                  .late = a->late,
                                  .out_of_order = a->out_of_order,
                                  .unexpected = a->unexpected};
}

static void handle_icmp(struct send *s, const struct wire_packet *p)
{
    const struct icmp *error = &p->packet.icmp;
    struct match_result a =
        match_icmp(s->match, error->flow.lport, error->has_seq ? &error->seq.v : NULL, p->stamp);
    struct report_answer answer = to_report_answer(&a);
    struct report_event e = {.kind = REPORT_ICMP};

    tally_answer(&s->tally, &a, error);
    send_seen_icmp(&s->seen, s->port, error);
    e.u.icmp = (struct report_icmp){.error = *error, .answer = &answer};
    report_tell(&s->report, p->stamp, &e);
}

/* Reports a RST from our port that we did not send. It comes from this host's kernel, which happens
 * if there is no guard. */
static void report_foreign(struct send *s, const struct wire_packet *p)
{
    struct report_event e = {.kind = REPORT_SEGMENT};

    if (!(p->packet.seg.flags & SEG_RST) || (s->plan.flags & SEG_RST))
        return;
    e.u.segment = (struct report_segment){.out = true,
                                          .foreign = true,
                                          .number = (uint32_t)match_count(s->match),
                                          .rel_seq = p->packet.seg.seq.v - s->plan.seq,
                                          .window = p->packet.seg.wnd,
                                          .packet = &p->packet};
    report_tell(&s->report, p->stamp, &e);
}

static void handle_own(struct send *s, const struct wire_packet *p)
{
    uint64_t i;

    if (!match_seen(s->match, p->packet.flow.lport, p->packet.seg.seq.v, p->stamp, &i))
        report_foreign(s, p);
    else if (s->captured_too)
        report_sent(s, i, p->stamp, &p->packet);
}

/* Reports a segment whose header cannot be parsed: only its source and destination are known. */
static void handle_malformed(struct send *s, const struct wire_packet *p)
{
    char from[ADDR_PORT_TEXT], text[160];
    const struct flow *f = &p->packet.flow;
    struct report_event e = {.kind = REPORT_NOTE};

    snprintf(text, sizeof text, "a malformed segment came from %s to port %u, in %u bytes",
             addr_port_text(f->v6, &f->local, f->lport, from), f->rport, p->ip_len);
    s->tally.malformed++;
    s->tally.came = true;
    e.u.note = (struct report_note){true, text};
    report_tell(&s->report, p->stamp, &e);
}

static void handle_answer(struct send *s, const struct wire_packet *p)
{
    const struct seg *seg = &p->packet.seg;
    struct report_answer answer = {.stray = true, .rtt = WAVE_NEVER, .bad_checksum = true};
    struct report_event e = {.kind = REPORT_SEGMENT};

    s->tally.came = true;
    if (p->broken) {
        s->tally.malformed++; /* its numbers cannot be trusted, so it is not matched */
        send_seen_segment(&s->seen, &s->plan, s->arrived + 1, NULL);
    } else {
        struct match_result a = match_answer(s->match, p->packet.flow.rport, seg, p->stamp);
        tally_answer(&s->tally, &a, NULL);
        /* A RST without ACK names nothing; outside any connection it is taken for an answer, which
         * one that acknowledges something else is not. */
        if (send_seen_segment(&s->seen, &s->plan, s->arrived + 1, &a) && (seg->flags & SEG_ACK))
            s->tally.odd_rst += !a.duplicate;
        s->tally.malformed += (seg->opt.has & OPT_MALFORMED) != 0;
        answer = to_report_answer(&a);
    }
    e.u.segment =
        (struct report_segment){.number = ++s->arrived,
                                .rel_seq = s->plan.flags & SEG_ACK ? seg->seq.v - s->plan.ack : 0,
                                .rel_ack = seg->flags & SEG_ACK ? seg->ack.v - s->plan.seq : 0,
                                .window = seg->wnd,
                                .packet = &p->packet,
                                .ip = p->ip,
                                .ip_len = p->ip_len,
                                .fragments = p->fragments,
                                .answer = &answer};
    report_tell(&s->report, p->stamp, &e);
}

static void save_packet(struct send *s, const struct wire_packet *p)
{
    struct diag d;

    if (view_save_packet(&s->view, p, NULL, &d) != 0)
        fail(s, &d);
}

static bool take_packet(void *self, const struct wire_packet *p)
{
    struct send *s = self;

    if (p->packet.kind == PACKET_ICMP)
        handle_icmp(s, p);
    else if (p->outgoing)
        handle_own(s, p);
    else if (p->broken == WAVE_EMALFORMED)
        handle_malformed(s, p);
    else
        handle_answer(s, p);
    save_packet(s, p);
    return false;
}

/*
 * The run
 */

/* Counts and reports the segments that got no answer in time. */
static void expire(struct send *s, wave_time stamp)
{
    struct report_event e = {.kind = REPORT_UNANSWERED};
    uint64_t i;

    while (match_unanswered(s->match, stamp, &i)) {
        tally_unanswered(&s->tally, i);
        e.u.unanswered = (struct report_unanswered){i + 1, s->plan.wait};
        if (!s->bulk)
            report_tell(&s->report, stamp, &e);
    }
}

/* Returns whether the run is over: everything has been sent, and either every segment has its
 * answer or the wait for answers is over. */
static bool finished(const struct send *s, wave_time stamp)
{
    bool answered = match_answered(s->match) == match_count(s->match);

    return all_sent(s) && !egress_stuck(&s->loop.egress) &&
           ((answered && !s->options->wait_all) || stamp >= match_over(s->match));
}

static void flush_output(void *self)
{
    struct send *s = self;
    struct diag d;

    if (view_flush(&s->view, &d) != 0)
        fail(s, &d);
}

/* Looks whether there is anyone to send to, while nothing has come; returns when to look next. The
 * run ends where there is not. */
static wave_time look_at_neighbour(struct send *s, bool over)
{
    wave_time next = WAVE_NEVER;
    struct diag d;

    if (match_count(s->match))
        next = send_look_at_neighbour(&s->seen, s->port, s->target.v6, s->loop.now, s->first, over);
    if (s->seen.unreachable) {
        send_unreachable_text(&s->seen, s->port, s->target.v6, &d);
        fail(s, &d);
    }
    return next;
}

/* Sends what is due, and gives up on segments that have waited long enough. It does not give up
 * while there are captured packets that have not been handled: the answer may be among them.
 * Returns when to come back. */
static wave_time turn(void *self)
{
    struct send *s = self;
    wave_time until = send_due(s, s->loop.now), stamp = port_stamp(s->port), expiry;

    if (loop_behind(&s->loop))
        return s->loop.now;
    expire(s, stamp);
    const bool over = finished(s, stamp);
    const wave_time look = look_at_neighbour(s, over);
    if (s->failed || (over && look == WAVE_NEVER)) {
        s->loop.done = true;
        return WAVE_NEVER;
    }
    if (over)
        return look;
    until = time_min(until, look);
    expiry = all_sent(s) ? match_over(s->match) : match_expiry(s->match);
    if (expiry != WAVE_NEVER)
        until = time_min(until, s->loop.now + (expiry > stamp ? expiry - stamp : 0));
    return until;
}

static void send_failed(void *self, const struct flow *flow, const struct diag *d)
{
    struct send *s = self;

    (void)flow;
    fail(s, d);
    s->loop.done = true;
}

static void no_events(void *self)
{
    (void)self;
}

static void signalled(void *self, int sig)
{
    struct send *s = self;

    s->signal = sig;
    s->loop.done = true;
}

static void timed_out(void *self)
{
    ((struct send *)self)->loop.done = true;
}

static void failed(void *self, const struct diag *d, bool deaf)
{
    struct send *s = self;

    (void)deaf;
    fail(s, d);
    s->loop.done = true;
}

static const struct loop_ops loop_ops = {
    .egress = {.send_failed = send_failed, .events = no_events},
    .packet = take_packet,
    .turn = turn,
    .idle = flush_output,
    .signalled = signalled,
    .timed_out = timed_out,
    .failed = failed};

static void perform(struct send *s)
{
    struct loop *l = &s->loop;

    loop_init(l, s->port, NULL, &loop_ops, s);
    l->signals = s->signals;
    view_join(&s->view, l);
    l->batch = BATCH;
    l->shortest = SPIN;
    l->deadline = s->end = s->names.deadline;
    s->started = l->now;
    loop_run(l);
}

/*
 * From the options to the verdict
 */

/* Returns the time since the run began. */
static wave_time run_time(void *self)
{
    const struct send *s = self;

    return report_time(&s->report, port_stamp(s->port));
}

static void open_report(struct send *s)
{
    const struct send_options *o = s->options;

    report_init(&s->report);
    if (o->show.json) {
        view_follow(&s->view, &s->report, false);
        return;
    }
    s->lines = (struct send_lines){&s->view.term, o->show.verbose > 0};
    if (!o->show.quiet && (!s->bulk || o->show.verbose))
        report_add(&s->report, send_line, &s->lines);
    if (!o->show.quiet)
        report_add(&s->report, summary_event, &s->view.term);
}

/* Returns how the wire is to be opened. A port that the user names may be in use on purpose, and
 * then there is no guard. This is allowed unless a SYN is sent: the kernel would reset the SYN-ACK
 * that answers it. */
static struct wire_config wire_config(struct send *s)
{
    const struct send_options *o = s->options;
    uint32_t ports = o->ports                   ? o->ports
                     : o->source_port           ? 1
                     : o->count < PORTS_DEFAULT ? o->count
                                                : PORTS_DEFAULT;

    s->plan.ports = (uint16_t)ports;
    return (struct wire_config){.v6 = s->target.v6,
                                .remote = s->target.addr,
                                .rport = s->target.port,
                                .has_source = o->where.has_source,
                                .source = o->where.source.addr,
                                .lport = (uint16_t)o->source_port,
                                .lports = (uint16_t)ports,
                                .interface = o->where.interface,
                                .scope = s->target.scope,
                                .no_guard = o->source_port && !(o->flags & SEG_SYN),
                                .broken = true,
                                .anywhere = !s->bulk,
                                .follows_route = true,
                                .l2_send = s->bulk,
                                .bypass_qdisc = o->rate == SEND_RATE_MAX && !o->show.pcap,
                                .inbound_only = s->bulk && !o->show.pcap,
                                .blocks = s->bulk,
                                .ring = s->bulk ? BULK_RING : 0};
}

/* Opens everything, in the order that privileges, signals and the sandbox need. close_parts() is
 * due in any case. */
static int open_parts(struct send *s, struct diag *d)
{
    const struct send_options *o = s->options;
    struct wire_config wc = wire_config(s);
    struct source source;
    int error = source_open(&source, o->data.text.at, o->data.text.len, o->data.file, d);

    if (error)
        return error;
    error = view_open_files(&s->view, &o->show, d);
    if (!error)
        error = platform_signals(o->show.platform, &s->signals, d);
    if (!error)
        error = platform_open(o->show.platform, &s->port, &wc, d);
    if (!error)
        error = view_open(&s->view, s->port->info, run_time, s, d);
    if (!error) {
        open_report(s);
        platform_enter_sandbox(&o->show);
        error = plan(s, &source, d);
    }
    source_close(&source);
    return error;
}

static void close_parts(struct send *s)
{
    platform_signals_close(s->options->show.platform, s->signals);
    match_close(s->match);
    crafted_close(s->crafted);
    port_close(s->port);
    view_close(&s->view);
}

/* Reports the verdict, and returns the exit status. */
static int conclude(struct send *s)
{
    struct wire_stats stats = s->port->ops->stats(s->port);
    struct flow flow = s->segment.flow;
    const uint64_t count = match_count(s->match);
    wave_time took = s->last - s->first;
    struct outcome outcome;
    struct findings list = {.count = 0};
    struct report_address others[TARGET_ADDRESSES];
    const struct send_run r = {s->port,  &s->plan,     s->captured_too ? s->match : NULL,
                               &s->list, s->target.v6, s->options->where.interface != NULL};
    char message[TALLY_MESSAGE], peer[ADDR_PORT_TEXT];
    struct outbuf_end end = {.signals = s->signals,
                             .deadline = platform_deadline(s->options->show.platform, s->end),
                             .hurried = s->signal != 0};
    struct tally_run found = {
        .flow = &flow, .ports = s->plan.ports, .sent = count, .answered = match_answered(s->match)};
    struct report_verdict v = {.command = send_command.name,
                               .figures = &s->figures,
                               .guard = s->port->info->guard,
                               .captured = stats.received,
                               .dropped = stats.dropped,
                               .sent = stats.sent,
                               .no_room = stats.retried};

    flow.lport = s->plan.lport;
    found.rate = s->options->rate == SEND_RATE_MAX ? 0
                 : s->options->rate                ? s->options->rate
                                                   : 1e9 / (double)send_interval(s->options);
    found.reached = took ? (double)(count - 1) * 1e9 / (double)took : 0;
    s->tally.elsewhere = stats.elsewhere > 0;
    tally_figures(&s->tally, &found, &s->figures);
    tally_message(&s->tally, count, found.answered,
                  addr_port_text(flow.v6, &flow.remote, flow.rport, peer), message);
    outcome.verdict = s->failed ? VERDICT_LOCAL : tally_verdict(&s->tally);
    snprintf(outcome.message, sizeof outcome.message, "%s", s->failed ? s->error.text : message);
    send_diagnose(&s->seen, &r, &outcome, &list);
    v.verdict = outcome.verdict;
    v.exit = s->signal ? 128 + s->signal : (int)v.verdict;
    v.message = outcome.message;
    v.findings = &list;
    resolve_others(&s->list, others, &v);
    view_drain(&s->view, &v, port_stamp(s->port), &end, &s->error);
    report_verdict(&s->report, port_stamp(s->port), &v);
    return view_end(&s->view, &v, &end);
}

/* Prints a usage error, and returns the exit status. */
static int usage(const char *text)
{
    fprintf(stderr, "tcpwave: %s\n", text);
    return VERDICT_USAGE;
}

/* Runs with the target's address, and returns the exit status. */
static int run_to(struct send *s, const struct target *target)
{
    const struct send_options *o = s->options;
    const wave_time interval = send_interval(o);
    const char *wrong = send_check_family(o, target->v6);
    struct diag d;
    int error;

    s->target = *target;
    if (wrong)
        return usage(wrong);
    if (s->bulk && !o->limit &&
        rate_limit_check(target->v6, &target->addr, interval ? 1e9 / (double)interval : 1e9, &d))
        return usage(d.text);
    error = open_parts(s, &d);
    if (error)
        return view_refuse_to_open(&send_command, &o->show, error, &d);
    perform(s);
    return conclude(s);
}

static int run(const void *options)
{
    const struct send_options *o = options;
    struct send *s = calloc(1, sizeof *s);
    struct diag d;
    int status;

    if (!s)
        return view_refuse(&send_command, &o->show, &(struct diag){"no memory for the run"});
    s->options = o;
    s->signals = -1;
    s->bulk = o->count > 1 && send_interval(o) < BULK_INTERVAL;
    view_note_url(&o->show, &o->target);
    resolve_begin(&s->names, &o->show);
    if (resolve_all(&s->names, &o->target, where_family(&o->where), &s->list, &d))
        status = view_refuse_by(&send_command, &o->show, &d, s->names.signal);
    else
        status = run_to(s, &s->list.at[0]);
    close_parts(s);
    free(s);
    return status;
}
const struct command send_command = {
    .name = "send",
    .target = "HOST:PORT",
    .summary = "any segment, field by field, and what answers it",
    .purpose = "Builds segments outside any connection, every field as it is given, and reports "
               "what answers: each answer is matched to the segment that it answers.",
    .size = sizeof(struct send_options),
    .groups = send_groups,
    .defaults = send_defaults,
    .operands = send_operands,
    .check = send_check,
    .run = run};
