/*
 * Runs `tcpwave load`: plans the connections, opens the wire, the engine and the report, runs the
 * loop (load_loop.c), and turns what was counted into the verdict. load.h lists the other parts.
 */
#include "cmd/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/platform.h"
#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/core/text.h"
#include "lib/io/heap.h"
#include "lib/report/human.h"

#define RECEIVE_BUFFER 65535  /* bytes for each connection: received data is discarded */
#define BLOCKS_FROM 200       /* connections at a time from which frames are captured in blocks */
#define RING (8u << 20)       /* some 50,000 frames without data in blocks, else 5,000 */
#define RING_PCAP                                                                                  \
    (32u << 20) /* with --pcap no blocks are used, and what we send is there as well */
#define RING_EACH (80u << 10) /* without blocks: room for a connection's whole window */
#define CLOSING_WAIT (250 * WAVE_MS) /* for the answer to a FIN: about the shortest RTO */
#define PORTS_PART 10         /* a tenth of --timeout may go into ports that are not needed yet */

/* The memory of one connection in bytes: the engine's, ours, and the flow table's with its spare
 * room. */
#define MEMORY_EACH (sizeof(struct conn) + sizeof(struct load_conn) + sizeof(uint32_t) + 16)

/* Returns the size of the capture's ring in bytes. */
static uint32_t ring_size(const struct load *l)
{
    if (l->options->show.pcap && l->plan.concurrency >= BLOCKS_FROM)
        return RING_PCAP;
    if (l->plan.concurrency >= BLOCKS_FROM || l->plan.concurrency * RING_EACH < RING)
        return RING;
    return l->plan.concurrency * RING_EACH;
}

/* Returns until when ports may be opened beyond those that are needed, or 0 for no limit. To guard
 * tens of thousands of ports takes a third of a second, or more if there is little CPU time; of a
 * run that is to end by time it may take a tenth. */
static wave_time ports_until(const struct load *l)
{
    const struct show_options *show = &l->options->show;

    return show->timeout ? platform_now(show->platform) + show->timeout / PORTS_PART : 0;
}

static int open_wire(struct load *l, struct diag *d)
{
    const struct load_options *o = l->options;
    const struct load_plan *p = &l->plan;
    struct wire_config c = {
        .v6 = p->v6,
        .listen = true,
        .interface = p->interface[0] ? p->interface : NULL,
        .scope = p->scope,
        .lport = (uint16_t)o->source_port,
        .free_ports = {p->ports_min, p->ports_max, ports_until(l), p->avoid, p->avoids},
        .inbound_only = !o->show.pcap,
        .anywhere = !o->where.interface,
        .l2_send = true,
        .tx_ring = p->concurrency >= BLOCKS_FROM,
        /* Of several interfaces, libpcap does not give the link's header. */
        .blocks = p->concurrency >= BLOCKS_FROM && !o->show.pcap,
        .ring = ring_size(l)};

    int error = platform_open(o->show.platform, &l->port, &c, d);

    return error ? error : impair_put_on(&o->impair, !o->show.pcap, &l->port, &l->impair, d);
}

static int open_engine(struct load *l, struct diag *d)
{
    const struct load_options *o = l->options;
    struct conn_config c;
    uint64_t seed;

    conn_config_default(&c, l->plan.mtu, l->plan.v6);
    if (platform_random(o->show.platform, c.isn_secret, sizeof c.isn_secret) != 0 ||
        platform_random(o->show.platform, &seed, sizeof seed) != 0)
        return diag_fail(d, WAVE_ESYS,
                         "cannot choose sequence numbers: the system gives no random bytes");
    tcp_configure(&o->tcp, &c);
    c.rcvbuf = RECEIVE_BUFFER;
    c.time_wait = false;
    c.unstamped_syn = true;
    if (stack_create(&l->stack, &c, l->plan.concurrency, seed) != 0)
        return diag_fail(d, WAVE_ENOMEM, "no memory for the connections");
    return 0;
}

/* Sets the course that each connection takes, and the one that it takes when the run is to end. */
static void plan_course(struct load *l)
{
    const struct load_options *o = l->options;

    l->course = (struct course_config){.close = (enum close_how)o->close.how,
                                       .answer = COURSE_ANSWER_BEGINS,
                                       .hold = o->close.hold,
                                       .linger = o->end.linger};
    l->course_at_stop = l->course;
    l->course_at_stop.answer = COURSE_ANSWER_NONE;
    l->course_at_stop.hold = 0;
    if (o->close.how == CLOSE_PASSIVE) /* then there is no time to wait for the peer's FIN */
        l->course_at_stop.close = CLOSE_ACTIVE;
}

/* Allocates what the connections need beside the engine. */
static int open_tuples(struct load *l, struct diag *d)
{
    const uint32_t n = l->plan.concurrency;

    plan_course(l);
    l->conn = calloc(n, sizeof *l->conn);
    l->retries.at = calloc(n, sizeof *l->retries.at);
    if (!l->conn || !l->retries.at ||
        load_tuples_init(&l->tuples, l->plan.pairs, port_lports(l->port), l->plan.cap) != 0)
        return diag_fail(d, WAVE_ENOMEM, "no memory for %u connections", n);
    l->queue[LOAD_Q_ANSWER].length = COURSE_BEGINS;
    l->queue[LOAD_Q_HOLD].length = l->options->close.hold;
    l->queue[LOAD_Q_CLOSING].length = CLOSING_WAIT;
    l->queue[LOAD_Q_LINGER].length = l->options->end.linger;
    return 0;
}

/* Opens everything, in the order that privileges, signals and the sandbox need. */
static int open_all(struct load *l, struct diag *d)
{
    const struct load_options *o = l->options;
    int error;

    error = view_open_files(&l->report.view, &o->show, d);
    if (!error)
        error = platform_signals(o->show.platform, &l->signals, d);
    if (!error)
        error = open_wire(l, d);
    if (!error)
        error = open_engine(l, d);
    if (!error)
        error = open_tuples(l, d);
    if (!error)
        error = load_report_open(&l->report, l->port->info, d);
    return error;
}

static void close_all(struct load *l)
{
    platform_signals_close(l->options->show.platform, l->signals);
    stack_destroy(l->stack);
    port_close(l->port);
    impair_close(l->impair);
    view_close(&l->report.view);
    free(l->conn);
    free(l->retries.at);
    load_tuples_free(&l->tuples);
    load_plan_free(&l->plan);
    free(l);
}

/* Reports what the run is going to do, before it begins. */
static void announce(struct load *l)
{
    struct report *r = &l->report.report;
    const wave_time now = port_stamp(l->port);
    const struct load_plan *p = &l->plan;
    const struct wire_info *info = l->port->info;
    const uint32_t ports = port_lports(l->port);
    char text[200], n[HUMAN_TEXT], bytes[HUMAN_TEXT], ring[HUMAN_TEXT], c[HUMAN_TEXT];

    if (p->polite) {
        snprintf(text, sizeof text,
                 "at most %s new connections a second, since a target's address is public "
                 "(--rate-limit=off lifts that)",
                 human_count(p->rate, n));
        report_note(r, NULL, now, false, text);
    }
    if (!l->options->show.verbose)
        return;
    snprintf(text, sizeof text,
             "%s at a time over %u pair%s of source and target and %u source port%s from %u on, "
             "guard %s, interface %s",
             human_count(p->concurrency, n), p->pairs, p->pairs == 1 ? "" : "s", ports,
             ports == 1 ? "" : "s", info->lport, info->guard, info->interface);
    report_note(r, NULL, now, false, text);
    snprintf(
        text, sizeof text,
        "memory: %s for %s connections, %s for the capture, and the data that waits to be sent",
        human_bytes((uint64_t)p->concurrency * MEMORY_EACH, bytes), human_count(p->concurrency, c),
        human_bytes(ring_size(l), ring));
    report_note(r, NULL, now, false, text);
}

/* Says why the run ended before its connections had, and how far it had come. */
static void say_why(const struct load *l, struct text_out *m)
{
    char n[HUMAN_TEXT];

    if (!l->signal && !l->timed_out)
        return;
    if (l->signal)
        text_add(m, "interrupted by a signal");
    else
        text_add(m, "the timeout of %s ran out", human_duration(l->options->show.timeout, n));
    if (l->opened < l->options->connections) {
        char of[HUMAN_TEXT];

        text_add(m, " when %s of %s connections had been opened", human_count(l->opened, n),
                 human_count(l->options->connections, of));
    }
    text_add(m, "; ");
}

/* Says what became of those that did not go as asked. */
static void say_ends(const struct load *l, struct text_out *m)
{
    const struct {
        enum verdict verdict;
        const char *text;
    } ends[] = {{VERDICT_REFUSED, "refused"},
                {VERDICT_DROPPED, "not answered"},
                {VERDICT_REJECTED, "rejected by ICMP errors"},
                {VERDICT_RESET, "reset"},
                {VERDICT_LOST, "lost"},
                {VERDICT_FAILED, load_endless(l) ? "still waiting for an answer" : "cut off"}};
    char n[HUMAN_TEXT];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (l->counts[ends[i].verdict])
            text_add(m, ", %s of them %s", human_count(l->counts[ends[i].verdict], n),
                     ends[i].text);
}

/* Says how the connections ended; `bad` of them did not go as asked. */
static void say_how(const struct load *l, uint32_t bad, struct text_out *m)
{
    char n[HUMAN_TEXT], of[HUMAN_TEXT];

    human_count(l->opened, of);
    if (!l->opened) {
        text_add(m, "there was no time to open a connection");
    } else if (!bad) {
        text_add(m,
                 l->opened == 1 ? "%s connection went as asked"
                                : "all of %s connections went as asked",
                 of);
    } else {
        text_add(m, "%s of %s connections did not go as asked", human_count(bad, n), of);
        say_ends(l, m);
    }
    if (l->reuse.given_up)
        text_add(
            m,
            "; %s were refused over ports whose last connection the peer may still have had in "
            "TIME_WAIT: there are %u local ports, add targets, or sources with --source",
            human_count(l->reuse.given_up, n), port_lports(l->port));
}

/* Concludes the run and returns the exit status. Verdict, status and message come from the same
 * figures. The run is `open` if every connection went as asked, at least one was opened, and as
 * many were opened as were asked for. */
static int conclude(struct load *l)
{
    const uint32_t bad = load_ended(l) - l->counts[VERDICT_OPEN];
    struct report_verdict v = {.command = load_command.name, .guard = l->port->info->guard};
    struct findings list = {.count = 0};
    struct impairments rules = {.count = 0};
    struct outcome o = {.verdict = VERDICT_OPEN};
    struct text_out m = {o.message, sizeof o.message, 0};

    impair_list(l->impair, &rules);
    if (l->failed) {
        v.verdict = VERDICT_LOCAL;
        text_add(&m, "%s", l->error.text);
    } else {
        v.verdict = bad || !l->opened || l->opened < l->options->connections ? VERDICT_FAILED
                                                                             : VERDICT_OPEN;
        say_why(l, &m);
        say_how(l, bad, &m);
    }
    o.verdict = v.verdict;
    load_diagnose(l, &rules, &o, &list);
    v.exit = l->signal ? 128 + l->signal : (int)v.verdict;
    v.message = o.message;
    v.findings = &list;
    v.impairments = &rules;
    v.simulated = platform_simulated(&l->options->show);
    return load_tell_end(l, &v);
}

static int perform(struct load *l)
{
    platform_enter_sandbox(&l->options->show);
    announce(l);
    load_loop(l);
    if (l->timed_out && stack_env(l->stack)->mem_short)
        load_fail(l, &(struct diag){"the timeout ran out, and there was no memory for data"});
    return conclude(l);
}

static int run(const void *options)
{
    const struct load_options *o = options;
    struct load *l = calloc(1, sizeof *l);
    struct diag d = {"no memory for the run"};
    struct resolve names;
    int status;

    if (!l)
        return view_refuse(&load_command, &o->show, &d);
    l->options = o;
    resolve_begin(&names, &o->show);
    l->deadline = names.deadline;
    l->signals = -1;
    heap_keep();
    if (load_plan(&l->plan, o, &names, &d) != 0 || open_all(l, &d) != 0)
        status = view_refuse_by(&load_command, &o->show, &d, names.signal);
    else
        status = perform(l);
    close_all(l);
    return status;
}

const struct command load_command = {
    .name = "load",
    .target = "HOST:PORT...",
    .summary = "many connections: rate, concurrency, latency",
    .purpose = "Opens connections by the thousand, to one target or several, and says how long "
               "handshakes, answers and closes took, and how many did not go as asked.",
    .size = sizeof(struct load_options),
    .groups = load_groups,
    .defaults = load_defaults,
    .operands = load_operands,
    .check = load_check,
    .run = run};
