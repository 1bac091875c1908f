/*
 * Starts and ends a session: translates the options into the configurations of wire, engine and
 * session, and opens files, wire, signals, report and session in the order that privileges and the
 * sandbox need. At the end it reports the verdict to every renderer.
 */
#include "cmd/start.h"

#include "cmd/platform.h"
#include "cmd/resolve.h"
#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/io/heap.h"

#define MTU_UNKNOWN 1500
#define WINDOW (4u << 20) /* bytes of receive buffer, and so of window */
#define VERIFY_TIME_WAIT WAVE_S

/* The size in bytes of the capture's ring for a listener, to which many peers may send at the same
 * time: it holds some 20,000 frames. */
#define LISTEN_RING (32u << 20)

/* Limits the bytes that are received and not read, or sent and not acknowledged, over all
 * connections of a listener. Without it, peers that leave gaps in their data could make each
 * connection hold a whole window. */
#define LISTEN_MEMORY ((size_t)512 << 20)

/* Returns how the wire is to be opened. */
static struct wire_config wire_config_of(const struct start_config *o, const struct target *target)
{
    const bool shows = show_any(o->show);
    struct wire_config c = {.v6 = target->v6,
                            .listen = o->passive,
                            .lport = (uint16_t)o->source_port,
                            .interface = o->where->interface,
                            .scope = target->scope,
                            .has_source = o->where->has_source,
                            .source = o->where->source.addr,
                            .inbound_only = !shows && (o->bulk || o->output || o->passive),
                            .anywhere = true,
                            .follows_route = true,
                            /* There is much to send, and single segments are not shown. */
                            .l2_send = (o->bulk || o->passive) && !shows,
                            /* With many peers, room in the ring and throughput are worth more than
                             * the millisecond by which an answer may then be late. Of several
                             * interfaces at once, libpcap does not give the link-layer header. */
                            .blocks = o->passive && !o->single && !o->show->pcap,
                            .ring = o->passive ? LISTEN_RING : 0};

    if (!c.listen) {
        c.lports = (uint16_t)o->connections;
        c.remote = target->addr;
        c.rport = target->port;
        return c;
    }
    c.lport = target->port;
    if (!target->any) {
        c.has_source = true;
        c.source = target->addr;
    }
    return c;
}

/* Fills in the configuration of the engine, and a random seed. Returns WAVE_ESYS with *d filled in
 * if the kernel gives no random bytes. */
static int engine_config(struct conn_config *c, const struct start_config *o,
                         const struct port *port, bool v6, uint64_t *seed, struct diag *d)
{
    uint32_t mtu = port->info->mtu;

    conn_config_default(c, mtu ? mtu : MTU_UNKNOWN, v6);
    if (platform_random(o->show->platform, c->isn_secret, sizeof c->isn_secret) != 0 ||
        platform_random(o->show->platform, seed, sizeof *seed) != 0)
        return diag_fail(d, WAVE_ESYS,
                         "cannot choose sequence numbers: the system gives no random "
                         "bytes");
    tcp_configure(o->tcp, c);
    /* A window larger than the capture's ring can hold is offered only if the user asks for it. */
    if (o->tcp->window)
        c->rcvbuf = o->tcp->window;
    else
        c->rcvbuf = port_window(port, c->mss) < WINDOW ? port_window(port, c->mss) : WINDOW;
    c->no_third_ack = o->no_ack;
    c->unstamped_syn = !o->no_ack;
    c->time_wait = o->end->keep_time_wait;
    if (o->end->keep_time_wait)
        c->msl = o->end->time_wait / 2;
    if (o->end->keep_time_wait && o->end->time_wait != TIME_WAIT_FULL)
        c->time_wait_end = "--time-wait is over";
    if (o->probe)
        probe_configure(o->probe, c);
    preset_configure(o->preset, c);
    return 0;
}

/* Saves a captured packet in the capture file; a call of the session. */
static int save_packet(void *sink, const struct wire_packet *p, const char *comment, struct diag *d)
{
    return view_save_packet(sink, p, comment, d);
}

/* Writes out what has been reported; a call of the session. */
static int flush(void *sink, struct diag *d)
{
    return view_flush(sink, d);
}

/* Returns the time since the run's first event. */
static wave_time run_time(void *self)
{
    const struct start *st = self;
    const struct session *s = st->session;

    return s ? report_time(&s->report, session_stamp(s)) : 0;
}

/* Fills in the configuration of the session. Errors are those of engine_config(). */
static int session_config(struct start *st, const struct target *target, const struct port *port,
                          struct session_config *c, struct diag *d)
{
    const struct start_config *o = &st->config;

    *c = (struct session_config){.command = o->command->name,
                                 .v6 = target->v6,
                                 .max_connections = o->passive       ? o->max_connections
                                                    : o->connections ? o->connections
                                                                     : 1,
                                 .memory = o->passive ? LISTEN_MEMORY : 0,
                                 .many = o->passive || o->connections > 1,
                                 .shows = show_any(o->show),
                                 .impaired = st->impair != NULL,
                                 .impairments = st->impair ? impair_list : NULL,
                                 .rules = st->impair,
                                 .live = st->view.term.live && (port->paced || !port->virtual_time),
                                 .verify = o->verify,
                                 .ip = {.ttl = (uint8_t)o->tcp->ttl, .tos = (uint8_t)o->tcp->tos},
                                 .timeout = o->show->timeout,
                                 .deadline = o->deadline,
                                 .linger = o->end->linger,
                                 .signals = st->signals,
                                 .interface_named = o->where->interface != NULL,
                                 .number = o->show->connection,
                                 .save_packet = o->show->pcap ? save_packet : NULL,
                                 .flush = flush,
                                 .sink = &st->view};
    if (o->preset) {
        c->preset = o->preset->name;
        c->preset_does = o->preset->help;
    }
    if (o->names && o->names->count > 1) {
        c->addresses = o->names->count - 1 + o->names->more;
        addr_text(o->names->at[1].v6, &o->names->at[1].addr, c->address);
    }
    if (engine_config(&c->engine, o, port, target->v6, &c->seed, d) != 0)
        return WAVE_ESYS;
    if (o->verify && c->shows && !o->end->keep_time_wait) {
        c->engine.time_wait = true; /* meanwhile a probe can show whether the peer has our last ACK */
        c->engine.msl = VERIFY_TIME_WAIT / 2;
        c->engine.time_wait_end = "TIME_WAIT not kept";
    }
    return 0;
}

/* Opens the session over an open port. If this fails, the port is closed. */
static int open_session(struct start *st, const struct target *target, struct port *port,
                        const struct session_ops *ops, void *user, struct diag *d)
{
    struct session_config c;
    int error;

    error = view_open(&st->view, port->info, run_time, st, d);
    if (!error)
        error = session_config(st, target, port, &c, d);
    if (error) {
        port_close(port);
        return error;
    }
    error = session_open(&st->session, port, &c, ops, user, d);
    if (error)
        return error;
    if (st->config.show->origin)
        report_begin(&st->session->report, st->config.show->origin);
    if (st->config.connections)
        view_tabulate(&st->view, &st->session->report);
    else
        view_follow(&st->view, &st->session->report, st->config.probe && st->config.probe->on);
    view_join(&st->view, &st->session->loop);
    return 0;
}

int start_open(struct start *st, const struct start_config *c, const struct target *target,
               const struct session_ops *ops, void *user, struct diag *d)
{
    struct wire_config wc = wire_config_of(c, target);
    struct port *port;
    int error;

    *st = (struct start){.config = *c, .signals = -1};
    heap_keep();
    error = view_open_files(&st->view, c->show, d);
    if (!error) /* from here on a signal ends the run with a verdict */
        error = platform_signals(c->show->platform, &st->signals, d);
    if (!error)
        error = platform_open(c->show->platform, &port, &wc, d);
    if (!error)
        error = impair_put_on(c->impair, !show_any(c->show), &port, &st->impair, d);
    if (!error)
        error = open_session(st, target, port, ops, user, d);
    if (!error)
        platform_enter_sandbox(c->show);
    return error;
}

int start_verdict(struct start *st, const struct session_conn *c, struct outcome *outcome,
                  const struct figures *figures)
{
    struct session *s = st->session;
    struct outbuf_end end = {.signals = st->signals,
                             .deadline = platform_deadline(st->config.show->platform, s->end),
                             .hurried = s->signal != 0};
    struct findings found = {.count = 0};
    struct report_address others[TARGET_ADDRESSES];
    struct report_verdict v;

    session_diagnose(s, c, outcome, &found);
    for (unsigned i = 0; i < st->found.count; i++)
        findings_add(&found, &st->found.at[i]);
    session_verdict(s, c, outcome, figures, &found, &v);
    resolve_others(st->config.names, others, &v);
    v.left_out.bytes = st->undelivered;
    v.simulated = platform_simulated(st->config.show);
    view_drain(&st->view, &v, session_stamp(s), &end, &s->error);
    report_verdict(&s->report, session_stamp(s), &v);
    return view_end(&st->view, &v, &end);
}

void start_close(struct start *st)
{
    session_close(st->session);
    platform_signals_close(st->config.show->platform, st->signals);
    view_close(&st->view);
    impair_close(st->impair);
}
