/*
 * Runs `tcpwave send`: sends crafted segments outside any connection, and reports what answers
 * them. It has no engine. One segment is built with all fields as the options say
 * (send_segment.c, lib/wire/crafted.h); for each one that is due, its port and sequence number are
 * changed and it is queued (send_loop.c). What the capture shows is matched to the segments by its
 * numbers (send_match.h), counted (send_arrival.c), and printed (send_report.h).
 *
 * A run at more than 1,000 segments a second is `bulk`: then speed matters more than a line for
 * each segment, and our own segments are captured only for --pcap.
 */
#include "cmd/send.h"

#include <stdlib.h>

#include "cmd/command.h"
#include "cmd/platform.h"
#include "cmd/rate_limit.h"
#include "lib/core/addr.h"
#include "lib/show/summary.h"
#include "lib/wire/wire.h"

#define PORTS_DEFAULT 256     /* source ports that take turns, at most, if --ports is not given */
#define BULK_INTERVAL WAVE_MS /* below it the run is bulk */
#define BULK_RING (32u << 20)

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
        error = send_plan(s, &source, d);
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
    send_perform(s);
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
