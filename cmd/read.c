/*
 * Runs `tcpwave read`: follows the flows of a capture file. Frames are read in large pieces, taken
 * apart where they lie (lib/wire/dissect.h), and given to the table of flows (lib/report/flows.h)
 * in small batches, so that the processor fetches what the next segments need while it works on the
 * first. A flow that is over is shown, and forgotten.
 *
 * The file is opened with the rights of the user who called. Before its first byte is read, all
 * privileges are gone and the sandbox is in force.
 */
#include "cmd/read.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/platform.h"
#include "cmd/read_ladder.h"
#include "cmd/read_sort.h"
#include "cmd/view.h"
#include "lib/core/diag.h"
#include "lib/io/files.h"
#include "lib/io/heap.h"
#include "lib/io/privilege.h"
#include "lib/io/signals.h"
#include "lib/report/flow_rows.h"
#include "lib/report/flow_verdict.h"
#include "lib/report/human.h"
#include "lib/show/figures_table.h"
#include "lib/show/flow_json.h"
#include "lib/show/flow_lines.h"
#include "lib/wire/capture_filter.h"
#include "lib/wire/dissect.h"
#include "lib/wire/wire.h"

#define BATCH 16
#define PIECE (256u << 10) /* bytes that are read at once; small enough for the processor's cache  \
                            */
#define LINES 64           /* flows that are shown before their reader is waited for */

struct read_run {
    const struct read_options *o;
    struct file file;
    struct capture_file *capture;
    struct capture_filter *filter;
    struct dissect dissect;
    struct flows *flows;
    struct report report;
    struct view view;
    struct read_ladder ladder;
    struct findings found; /* of the flow that is drawn */
    struct flow_lines lines;
    struct flow_totals totals;
    struct read_sort sort;
    struct figures figures;
    int signals, signal;
    wave_time deadline; /* of --timeout, or WAVE_NEVER */
    bool timed_out, failed, begun;
    bool broken; /* the file is; `error` says how */
    struct diag error;
    wave_time origin;         /* the first frame's stamp */
    uint64_t filtered;        /* frames that --filter left out */
    unsigned unsettled;       /* flows that were shown since the reader was waited for */
    uint32_t met[READ_CODES]; /* flows that met --fail-on */

    struct dissected packet[BATCH];
    struct flows_segment segment[BATCH];
};

static void fail(struct read_run *r, const struct diag *d)
{
    if (!r->failed)
        r->error = *d;
    r->failed = true;
}

/* Returns whether the run is to end before the file does. */
static bool stopped(struct read_run *r)
{
    struct pollfd signals = {.fd = r->signals, .events = POLLIN};

    if (!r->signal && poll(&signals, 1, 0) > 0)
        r->signal = signals_next(r->signals);
    if (r->deadline != WAVE_NEVER && platform_now(r->o->show.platform) >= r->deadline)
        r->timed_out = true;
    return r->signal || r->timed_out || r->failed;
}

/* Waits for one of the descriptors, a signal, or the end of --timeout. */
static void await(struct read_run *r, struct pollfd first, struct pollfd second)
{
    struct pollfd fds[3] = {first, second, {.fd = r->signals, .events = POLLIN}};
    int wait = -1;

    if (r->deadline != WAVE_NEVER) {
        const wave_time now = platform_now(r->o->show.platform);
        wait = r->deadline > now ? (int)((r->deadline - now) / WAVE_MS % 1000000) + 1 : 0;
    }
    if (poll(fds, 3, wait) < 0)
        return;
    if (second.fd >= 0 && fds[1].revents)
        outbuf_polled(r->view.out, fds[1].revents);
}

/* Writes what was shown, and waits for its reader: a file has time. */
static void settle(struct read_run *r)
{
    const struct pollfd none = {.fd = -1};
    struct diag d;

    r->unsettled = 0;
    for (;;) {
        struct pollfd out;
        if (view_flush(&r->view, &d)) {
            fail(r, &d);
            return;
        }
        out = outbuf_poll(r->view.out);
        if (!(out.events & POLLOUT) || stopped(r))
            return;
        await(r, none, out);
    }
}

/*
 * Showing
 */

static uint64_t sort_key(const struct read_options *o, const struct watched *w)
{
    const struct measure *m = &w->measure;
    const struct measure_side *a = &m->side[TRACK_A], *b = &m->side[TRACK_B];

    switch (o->sort) {
    case SORT_BYTES:
        return a->bytes + b->bytes;
    case SORT_DURATION:
        return m->last - m->first;
    case SORT_RETRANSMISSIONS:
        return (uint64_t)a->retransmissions + b->retransmissions;
    default:
        return WAVE_NEVER - m->first;
    }
}

/* Writes the lines of a flow. */
static void write_flow(struct read_run *r, FILE *to, const struct watched *w,
                       const struct flow_verdict *v, const struct findings *list,
                       const struct measure_room *room)
{
    if (r->o->show.json) {
        if (!flow_json(to, r->origin, w, v, list, room))
            fail(r, &(struct diag){"cannot write the report: out of memory"});
    } else if (!r->o->show.quiet) {
        struct term term = r->view.term;
        term.to = to;
        r->lines.term = &term;
        flow_line(&r->lines, w, v, list);
    }
}

/* Keeps the lines of a flow until all are known. */
static void keep_flow(struct read_run *r, const struct watched *w, const struct flow_verdict *v,
                      const struct findings *list, const struct measure_room *room)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    r->lines.begun = true; /* headings come with the first line that is shown */
    if (to) {
        write_flow(r, to, w, v, list, room);
        if (fclose(to) != 0) {
            free(text);
            text = NULL;
        }
    }
    read_sort_add(&r->sort, sort_key(r->o, w), w->number, to ? text : NULL, len);
}

static void note_failures(struct read_run *r, const struct flow_verdict *v,
                          const struct findings *list)
{
    for (unsigned i = 0; i < r->o->fail_ons; i++) {
        bool has =
            v->verdict != VERDICT_OPEN && strcmp(r->o->fail_on[i], verdict_name(v->verdict)) == 0;
        for (unsigned k = 0; k < list->count && !has; k++)
            has = strcmp(r->o->fail_on[i], list->at[k].code) == 0;
        r->met[i] += has;
    }
}

/* The flow that is drawn, or may be, is over. */
static void drawn_flow_over(struct read_run *r, const struct watched *w,
                            const struct flow_verdict *v, const struct findings *list,
                            const struct measure_room *room)
{
    r->ladder.over = true;
    r->ladder.ended = *w;
    r->found = *list;
    figures_clear(&r->figures);
    flow_rows(&r->figures, w, v, room);
    if (r->o->show.json)
        write_flow(r, r->view.term.to, w, v, list, room);
}

/* Is given each packet that could not be put together. */
static void lacks_fragment(void *self, const struct flow *flow, struct seq seq)
{
    struct read_run *r = self;

    flows_incomplete(r->flows, flow, seq);
}

/* Is given each flow that is over. */
static void flow_over(void *self, const struct watched *w, const struct measure_room *room)
{
    struct read_run *r = self;
    struct findings list;
    struct flow_verdict v;

    if (!read_select_has(&r->o->flow, w) ||
        (r->ladder.mode != READ_SUMMARY && w->number != r->ladder.number))
        return;
    list.count = list.left_out = 0;
    dissect_look(&r->dissect); /* which adds to *w what it still waited for */
    flow_verdict(w, &v);
    flow_findings(w, &list);
    flow_totals_add(&r->totals, w, v.verdict);
    note_failures(r, &v, &list);
    if (r->ladder.mode != READ_SUMMARY) {
        drawn_flow_over(r, w, &v, &list, room);
        return;
    }
    if (r->o->show.quiet && !r->o->show.json)
        return;
    if (r->o->sort != SORT_NONE) {
        keep_flow(r, w, &v, &list, room);
        return;
    }
    write_flow(r, r->view.term.to, w, &v, &list, room);
    if (++r->unsettled >= LINES)
        settle(r);
}

/* Shows what --sort has kept. */
static void show_kept(struct read_run *r)
{
    read_sort_done(&r->sort);
    r->lines.term = &r->view.term;
    if (r->sort.count && !r->o->show.json)
        flow_headings(&r->lines);
    for (size_t i = 0; i < r->sort.count && !r->failed; i++) {
        fwrite(r->sort.at[i].text, 1, r->sort.at[i].len, r->view.term.to);
        if (++r->unsettled >= LINES)
            settle(r);
    }
}

/* Writes the packet to --pcap, with the states of both sides behind it. */
static void save(struct read_run *r, const struct flows_taken *t, const struct dissected *p)
{
    const struct pcapfile_packet packet = {.stamp = p->stamp,
                                           .outgoing = t->from == TRACK_A,
                                           .ip = p->ip,
                                           .captured = p->ip_len,
                                           .length = p->packet.length > p->ip_len ? p->packet.length
                                                                                  : p->ip_len};
    struct pcapfile_packet k = packet;
    char text[160];
    struct diag d;

    const struct track_view a = track_view(&t->flow->track, TRACK_A),
                            b = track_view(&t->flow->track, TRACK_B);
    snprintf(text, sizeof text, "%" PRIu32 ": client %s%s, server %s%s", t->flow->track.number,
             state_name(a.state), a.certainty == CERTAINTY_PROVED ? "" : " (assumed)",
             state_name(b.state), b.certainty == CERTAINTY_PROVED ? "" : " (assumed)");
    k.comment = text;
    if (pcapfile_packet(r->view.pcap, &k, &d))
        fail(r, &d);
}

/*
 * Reading
 */

/* Reads the next piece of the file. Returns false when the run is to end. */
static bool fill(struct read_run *r)
{
    size_t room;
    uint8_t *to = capture_file_room(r->capture, &room);
    struct diag d;

    for (;;) {
        int n;
        settle(r);
        if (stopped(r))
            return false;
        n = file_read(&r->file, to, room < PIECE ? room : PIECE, &d);
        if (n >= 0) {
            capture_file_filled(r->capture, (size_t)n);
            return true;
        }
        if (n != WAVE_EAGAIN) {
            fail(r, &d);
            return false;
        }
        const struct pollfd in = {.fd = r->file.fd, .events = POLLIN}, none = {.fd = -1};
        await(r, in, none);
    }
}

/* Times count from the first frame. */
static void begin(struct read_run *r, wave_time stamp)
{
    r->begun = true;
    r->origin = r->lines.origin = stamp;
    report_begin(&r->report, stamp);
}

/* Takes frames apart until there is a batch of segments, or no more in memory. Returns how many
 * there are; *error is what the reader said last. */
__attribute__((noinline)) static unsigned collect(struct read_run *r, int *error)
{
    struct capture_record record;
    unsigned n = 0;

    while (n < BATCH && (*error = capture_file_next(r->capture, &record, &r->error)) == 0) {
        struct dissected *p = &r->packet[n];
        if (!r->begun)
            begin(r, record.stamp);
        if (r->filter && !capture_filter_passes(r->filter, &record)) {
            r->filtered++;
            continue;
        }
        if (dissect_frame(&r->dissect, &record, p) != 0)
            continue;
        r->segment[n] = (struct flows_segment){.at = p->stamp,
                                               .packet = &p->packet,
                                               .place = p->place,
                                               .fragments = p->fragments,
                                               .tunnel = (uint8_t)p->tunnel};
        if (p->packet.kind == PACKET_TCP) {
            r->segment[n].hash = flows_hash(r->flows, &p->packet.flow);
            flows_prefetch(r->flows, r->segment[n].hash);
        }
        n++;
        if (p->fragments) /* the next one would overwrite it */
            break;
    }
    return n;
}

/* A second flow shows that there will be lines, and no drawing: the first one may have ended. */
static void draw_lines(struct read_run *r)
{
    struct flow_verdict v;

    figures_clear(&r->figures);
    if (!r->ladder.over)
        return;
    flow_verdict(&r->ladder.ended, &v);
    write_flow(r, r->view.term.to, &r->ladder.ended, &v, &r->found, NULL);
}

/* Shows a segment where segments are shown. */
static void show_segment(struct read_run *r, const struct flows_taken *t, const struct dissected *p)
{
    if (!read_select_has(&r->o->flow, t->flow))
        return;
    if (r->ladder.mode != READ_SUMMARY && read_ladder_segment(&r->ladder, t, p))
        draw_lines(r);
    if (r->view.pcap && (r->ladder.mode == READ_SUMMARY || t->flow->number == r->ladder.number))
        save(r, t, p);
}

__attribute__((noinline)) static void take(struct read_run *r, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (r->packet[i].packet.kind == PACKET_TCP)
            flows_prefetch_more(r->flows, r->segment[i].hash);
    for (unsigned i = 0; i < n && !r->failed; i++) {
        if (r->packet[i].packet.kind == PACKET_ICMP) {
            const struct icmp *e = &r->packet[i].packet.icmp;
            const struct watched *w = flows_icmp(r->flows, e);
            if (w)
                read_ladder_icmp(&r->ladder, w, r->packet[i].stamp, e);
            continue;
        }
        const struct flows_taken t = flows_segment(r->flows, &r->segment[i]);
        if (t.flow && (r->view.pcap || r->ladder.mode != READ_SUMMARY))
            show_segment(r, &t, &r->packet[i]);
    }
}

/* Reads the file to its end, or as far as it can be read. */
static void read_file(struct read_run *r)
{
    int error;

    do {
        take(r, collect(r, &error));
        if (error == WAVE_EAGAIN && !fill(r))
            break;
    } while (error == 0 || error == WAVE_EAGAIN);
    if (error == WAVE_EMALFORMED || error == WAVE_ETRUNC) {
        struct diag d;
        diag_say(&d, "%s %s", r->file.name, r->error.text);
        r->error = d;
        r->broken = true;
    }
    flows_end(r->flows);
    read_ladder_end(&r->ladder);
    if (r->o->sort != SORT_NONE)
        show_kept(r);
}

/*
 * The end
 */

/* Returns how many packets could not be put together, since a fragment of them never came. */
static uint64_t incomplete(const struct read_run *r)
{
    const struct ip_reassembly_counts c =
        ip_reassembly_counts(r->dissect.fragments, r->dissect.now);

    return c.missing + c.nameless;
}

static void total_members(struct read_run *r)
{
    const struct flows_counts c = flows_counts(r->flows);
    const struct dissect_counts *d = &r->dissect.counts;
    struct figures *f = &r->figures;

    figures_group(f, "read");
    figures_group(f, "flows");
    figures_count(f, "seen", c.flows);
    figures_count(f, "shown", r->totals.flows - r->sort.left_out);
    figures_count(f, "at_once", c.most);
    figures_count(f, "forgotten", c.forgotten);
    figures_verdicts(f, r->totals.verdicts);
    figures_end(f);
    figures_count(f, "bytes", r->totals.bytes);
    figures_count(f, "retransmissions", r->totals.retransmissions);
    figures_group(f, "file");
    figures_count(f, "bytes", capture_file_offset(r->capture));
    figures_count(f, "frames", d->frames + r->filtered);
    figures_count(f, "segments", c.segments);
    figures_count(f, "elsewhere", c.elsewhere);
    figures_count(f, "icmp_errors", c.icmps);
    figures_count(f, "filtered", r->filtered);
    figures_count(f, "other", d->other);
    figures_count(f, "unknown_link", d->unknown);
    figures_count(f, "truncated", d->truncated);
    figures_count(f, "malformed", d->malformed);
    figures_count(f, "cut", d->cut);
    figures_count(f, "incomplete", incomplete(r));
    figures_count(f, "tunnelled", d->tunnelled);
    figures_seconds(f, "duration", r->begun ? r->dissect.now - r->origin : 0);
    figures_end(f);
    figures_end(f);
}

static void frames_row(struct read_run *r, const struct flows_counts *c)
{
    const struct dissect_counts *d = &r->dissect.counts;
    char text[300] = "", n[HUMAN_TEXT], m[HUMAN_TEXT];

    human_add(text, sizeof text, c->elsewhere, "captured at a second place as well");
    human_add(text, sizeof text, d->other, "not TCP");
    human_add(text, sizeof text, r->filtered, "left out by --filter");
    human_add(text, sizeof text, incomplete(r),
              "packets in fragments of which one or more never came");
    human_add(text, sizeof text, d->cut, "cut short by the snap length");
    human_add(text, sizeof text, d->truncated, "cut within their headers");
    human_add(text, sizeof text, d->malformed, "malformed");
    human_add(text, sizeof text, d->unknown, "of an unknown link type");
    human_add(text, sizeof text, d->tunnelled, "from inside a tunnel");
    figures_row(&r->figures, "frames", "%s in all, %s TCP segments%s%s",
                human_count(d->frames + r->filtered, n), human_count(c->segments, m),
                text[0] ? "; " : "", text);
}

static void total_rows(struct read_run *r)
{
    const struct flows_counts c = flows_counts(r->flows);
    char n[HUMAN_TEXT], bytes[HUMAN_TEXT], again[HUMAN_TEXT], took[HUMAN_TEXT], ends[200];

    figures_verdicts_text(r->totals.verdicts, "open or closed in order", ends, sizeof ends);
    figures_row(&r->figures, "flows", "%s%s%s", human_count(r->totals.flows, n),
                ends[0] ? ": " : "", ends);
    if (r->sort.left_out)
        figures_row(&r->figures, "", "%s of them are not shown: there was no room to sort them",
                    human_count(r->sort.left_out, n));
    if (c.forgotten)
        figures_row(&r->figures, "",
                    "%s were forgotten before they ended: there were too many at once",
                    human_count(c.forgotten, n));
    figures_row(&r->figures, "data", "%s, %s retransmission%s, in %s",
                human_bytes(r->totals.bytes, bytes), human_count(r->totals.retransmissions, again),
                r->totals.retransmissions == 1 ? "" : "s",
                human_duration(r->begun ? r->dissect.now - r->origin : 0, took));
    frames_row(r, &c);
}

/* Says which part of --fail-on was met. Returns whether one was. */
static bool met(const struct read_run *r, char *text, size_t room)
{
    bool any = false;

    *text = '\0';
    for (unsigned i = 0; i < r->o->fail_ons; i++) {
        any |= r->met[i] > 0;
        human_add(text, room, r->met[i], r->o->fail_on[i]);
    }
    return any;
}

/* Says how many flows there were in which file, whose name is shortened where lines have an edge.
 */
static void say_flows(const struct read_run *r, char *message, size_t room)
{
    char n[HUMAN_TEXT], name[250];
    const int used = snprintf(message, room, "%s flow%s in ", human_count(r->totals.flows, n),
                              r->totals.flows == 1 ? "" : "s");
    const size_t before = FIGURES_VALUE + strlen("open: ") + (size_t)used;

    snprintf(message + used, room - (size_t)used, "%s",
             r->lines.width && !r->o->show.json && r->ladder.mode == READ_SUMMARY
                 ? text_shortened(r->file.name, r->lines.width - before, r->view.term.unicode, name,
                                  sizeof name)
                 : r->file.name);
}

/* Concludes the run, and returns the exit status. */
static int conclude(struct read_run *r)
{
    struct report_verdict v = {.command = read_command.name, .figures = &r->figures};
    struct outbuf_end end = {
        .signals = r->signals, .deadline = r->deadline, .hurried = r->signal != 0};
    const wave_time stamp = r->dissect.now;
    char message[sizeof r->error.text + 200], n[HUMAN_TEXT], codes[300];

    v.captured = r->dissect.counts.frames + r->filtered;
    v.verdict = r->failed || r->broken                        ? VERDICT_LOCAL
                : met(r, codes, sizeof codes) || r->timed_out ? VERDICT_FAILED
                                                              : VERDICT_OPEN;
    human_count(r->totals.flows, n);
    if (r->failed)
        snprintf(message, sizeof message, "%s", r->error.text);
    else if (r->broken && v.captured == 0)
        snprintf(message, sizeof message, "%s", r->error.text);
    else if (r->broken)
        snprintf(message, sizeof message, "%s; what stands before that is shown", r->error.text);
    else if (r->timed_out)
        snprintf(message, sizeof message, "the timeout ran out; %s flow%s", n,
                 r->totals.flows == 1 ? "" : "s");
    else if (v.verdict == VERDICT_FAILED)
        snprintf(message, sizeof message, "--fail-on is met by flows: %s", codes);
    else
        say_flows(r, message, sizeof message);
    v.exit = r->signal ? 128 + r->signal : (int)v.verdict;
    v.message = message;
    if (r->ladder.mode != READ_SUMMARY) {
        v.flow = &r->ladder.flow;
        v.findings = &r->found;
    }
    total_members(r);
    if (r->ladder.mode == READ_SUMMARY)
        total_rows(r);
    settle(r);
    view_drain(&r->view, &v, stamp, &end, &r->error);
    report_verdict(&r->report, stamp, &v);
    return view_end(&r->view, &v, &end);
}

/*
 * The beginning
 */

static wave_time run_time(void *self)
{
    const struct read_run *r = self;

    return r->begun ? r->dissect.now - r->origin : 0;
}

static int open_table(struct read_run *r, struct diag *d)
{
    struct siphash_key key;
    uint8_t secret[16];

    if (platform_random(r->o->show.platform, secret, sizeof secret) != 0)
        return diag_fail(d, WAVE_ESYS, "the system gives no random bytes: %s", strerror(errno));
    key = siphash_key(secret, 1);
    r->flows = flows_create(key, heap_resize, flow_over, r);
    r->dissect.lacks = lacks_fragment;
    r->dissect.lacks_ctx = r;
    r->capture = capture_file_create();
    if (!r->flows || !r->capture)
        return diag_fail(d, WAVE_ENOMEM, "no memory for the flows");
    return 0;
}

/* Without a word in the options, one flow is drawn and several are listed. */
static enum read_mode mode_of(const struct read_options *o)
{
    const struct show_options *show = &o->show;

    if (o->ladder || show->svg)
        return READ_LADDER;
    return o->summary || o->sort != SORT_NONE || show->json || show->quiet ? READ_SUMMARY
                                                                           : READ_UNDECIDED;
}

/* Opens everything, in the order that privileges and the sandbox need. */
static int open_all(struct read_run *r, struct diag *d)
{
    static const struct wire_info file = {.interface = "file", .link = "raw"};
    const struct show_options *show = &r->o->show;
    int error = file_open_read(&r->file, r->o->file, d);

    if (!error)
        error = view_open_files(&r->view, show, d);
    if (!error && !show->platform)
        error = privilege_drop(d);
    if (!error)
        error = open_table(r, d);
    if (!error)
        error = platform_signals(show->platform, &r->signals, d);
    if (!error)
        error = view_open(&r->view, &file, run_time, r, d);
    if (error)
        return error;
    /* A file or a program that reads the list has no edge. */
    r->lines =
        (struct flow_lines){.term = &r->view.term,
                            .findings = r->o->findings,
                            .width = show->width || r->view.term.live ? r->view.term.width : 0};
    if (!read_ladder_begin(&r->ladder, mode_of(r->o), &r->view, &r->report, d))
        platform_enter_sandbox(show);
    else
        error = WAVE_ENOMEM;
    return error;
}

static void close_all(struct read_run *r)
{
    struct diag d;

    platform_signals_close(r->o->show.platform, r->signals);
    view_close(&r->view);
    flows_free(r->flows);
    capture_file_free(r->capture);
    capture_filter_close(r->filter);
    dissect_end(&r->dissect);
    read_sort_free(&r->sort);
    read_ladder_free(&r->ladder);
    if (r->file.fd >= 0)
        file_close(&r->file, &d);
    free(r);
}

static int run(const void *options)
{
    const struct read_options *o = options;
    struct read_run *r = calloc(1, sizeof *r);
    struct diag d = {"no memory for the run"};
    int status;

    if (!r)
        return view_refuse(&read_command, &o->show, &d);
    r->o = o;
    r->file = FILE_NONE;
    r->signals = -1;
    r->deadline = o->show.timeout ? platform_now(o->show.platform) + o->show.timeout : WAVE_NEVER;
    if (o->filter && (status = capture_filter_open(&r->filter, o->filter, &d)) != 0) {
        fprintf(stderr, "tcpwave: %s\n", d.text);
        status = status == WAVE_EINVAL ? VERDICT_USAGE : VERDICT_LOCAL;
    } else if (open_all(r, &d)) {
        status = view_refuse(&read_command, &o->show, &d);
    } else {
        read_file(r);
        status = conclude(r);
    }
    close_all(r);
    return status;
}

const struct command read_command = {
    .name = "read",
    .target = "FILE",
    .summary = "the connections of a capture file: what became of each",
    .purpose =
        "Follows every connection of a capture file (pcap or pcapng; - is standard input): its "
        "states, both sides' numbers, what became of it, and what went wrong.",
    .size = sizeof(struct read_options),
    .groups = read_groups,
    .defaults = read_defaults,
    .operands = read_operands,
    .check = read_check,
    .run = run};
