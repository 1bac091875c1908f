#include "cmd/start.h"

#include <malloc.h>

#include "cmd/command.h"
#include "cmd/outside.h"
#include "lib/core/diag.h"

#define MTU_UNKNOWN 1500
#define WINDOW (4u << 20) /* bytes of receive buffer, and so of window */
#define VERIFY_TIME_WAIT WAVE_S
#define KEEP_FREE (16 << 20) /* bytes of heap */

/* Many peers send at once: some 20,000 frames. */
#define LISTEN_RING (32u << 20)

/* Of what is received and not read, or sent and not acknowledged, over all connections: peers that
 * leave gaps in what they send could otherwise make each of them hold a whole window. */
#define LISTEN_MEMORY ((size_t)512 << 20)

static struct wire_config wire_config_of(const struct options *o, const struct target *target,
                                         bool shows)
{
    struct wire_config c = {.v6 = target->v6,
                            .listen = o->target.passive,
                            .lport = (uint16_t)o->source_port,
                            .interface = o->interface,
                            .scope = target->scope,
                            .has_source = o->has_source,
                            .source = o->source.addr,
                            .inbound_only = !shows,
                            .follows_route = true,
                            /* Much is to be sent, and nobody looks on. */
                            .direct = (o->file || o->target.passive) && !shows,
                            /* For many peers, room in the ring and throughput are worth the
                             * millisecond that an answer may then be late by. */
                            .blocks = o->target.passive && o->connections != 1,
                            .ring = o->target.passive ? LISTEN_RING : 0};

    if (!c.listen) {
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

/* What the engine is told of the options. WAVE_ESYS when the kernel gives no random bytes. */
static int engine_config(struct conn_config *c, const struct options *o, const struct port *port,
                         bool v6, uint64_t *seed, struct diag *d)
{
    uint32_t mtu = port->info->mtu;

    conn_config_default(c, mtu ? mtu : MTU_UNKNOWN, v6);
    if (outside_random(o, c->isn_secret, sizeof c->isn_secret) != 0 ||
        outside_random(o, seed, sizeof *seed) != 0)
        return diag_fail(d, WAVE_ESYS,
                         "cannot choose sequence numbers: the system gives no random "
                         "bytes");
    if (o->mss)
        c->mss = o->mss;
    /* More than the capture can keep is offered only where the user asks for it. */
    if (o->window)
        c->rcvbuf = o->window;
    else
        c->rcvbuf = port_window(port, c->mss) < WINDOW ? port_window(port, c->mss) : WINDOW;
    c->wscale = !o->no_wscale;
    c->timestamps = !o->no_timestamps;
    c->sack = !o->no_sack;
    c->ecn = o->ecn;
    c->no_third_ack = o->no_ack;
    c->syn_retries = o->syn_retries;
    c->r2 = o->give_up;
    c->time_wait = o->keep_time_wait;
    if (o->keep_time_wait)
        c->msl = o->time_wait / 2;
    if (o->keep_time_wait && o->time_wait != TIME_WAIT_FULL)
        c->time_wait_end = "--time-wait is over";
    c->keepalive = o->keepalive;
    c->keep_garbage = o->keep_garbage;
    c->keep_idle = o->keep_idle;
    c->keep_interval = o->keep_interval;
    c->keep_count = o->keep_count;
    return 0;
}

static int keep(void *sink, const struct wire_packet *p, const char *comment, struct diag *d)
{
    return view_keep(sink, p, comment, d);
}

static int flush(void *sink, struct diag *d)
{
    return view_flush(sink, d);
}

/* How far the run has come. */
static wave_time run_time(void *self)
{
    const struct start *st = self;
    const struct session *s = st->session;

    return s ? report_time(&s->report, session_stamp(s)) : 0;
}

/* What the session is told of the options. */
static int session_config(struct start *st, const struct target *target, const struct port *port,
                          struct session_config *c, struct diag *d)
{
    const struct options *o = st->options;
    const bool passive = o->target.passive;

    *c = (struct session_config){.command = o->command->name,
                                 .v6 = target->v6,
                                 .most = passive ? o->max : 1,
                                 .memory = passive ? LISTEN_MEMORY : 0,
                                 .many = passive,
                                 .shows = o->json || o->pcap || o->svg || !o->quiet,
                                 .live = st->view.term.live,
                                 .verify = o->verify,
                                 .ip = {.ttl = (uint8_t)o->ttl, .tos = (uint8_t)o->tos},
                                 .timeout = o->timeout,
                                 .linger = o->linger,
                                 .signals = st->signals,
                                 .keep = o->pcap ? keep : NULL,
                                 .flush = flush,
                                 .sink = &st->view};
    if (engine_config(&c->engine, o, port, target->v6, &c->seed, d) != 0)
        return WAVE_ESYS;
    if (o->verify && c->shows && !o->keep_time_wait) {
        c->engine.time_wait = true; /* in which the peer can be asked whether it has our last ACK */
        c->engine.msl = VERIFY_TIME_WAIT / 2;
        c->engine.time_wait_end = "TIME_WAIT not kept";
    }
    return 0;
}

/* The session over an open port, which is closed where this fails. */
static int open_session(struct start *st, const struct target *target, struct port *port,
                        const struct session_ops *ops, void *user, struct diag *d)
{
    struct session_config c;
    int error;

    error = outside_signals(st->options, &st->signals, d);
    if (!error)
        error = view_open(&st->view, port->info->interface, run_time, st, d);
    if (!error)
        error = session_config(st, target, port, &c, d);
    if (error) {
        port_close(port);
        return error;
    }
    error = session_open(&st->session, port, &c, ops, user, d);
    if (error)
        return error;
    view_follow(&st->view, &st->session->report, st->options->keepalive);
    view_join(&st->view, &st->session->loop);
    return 0;
}

int start_open(struct start *st, const struct options *o, const struct target *target,
               const struct session_ops *ops, void *user, struct diag *d)
{
    const bool shows = o->json || o->pcap || o->svg || !o->quiet;
    struct wire_config wc = wire_config_of(o, target, shows);
    struct port *port;
    int error;

    *st = (struct start){.options = o, .signals = -1};
    /* Queues come and go with every batch of segments: to give their pages back to the system each
     * time, and to fault them in again, costs more than to keep them. */
    mallopt(M_TRIM_THRESHOLD, KEEP_FREE);
    mallopt(M_MMAP_THRESHOLD, KEEP_FREE);
    error = view_open_files(&st->view, o, d);
    if (!error)
        error = outside_open(o, &port, &wc, d);
    if (!error)
        error = open_session(st, target, port, ops, user, d);
    if (!error)
        outside_confine(o);
    return error;
}

int start_verdict(struct start *st, const struct session_conn *c, const struct outcome *outcome,
                  const struct report_findings *found)
{
    struct session *s = st->session;
    struct outbuf_end end = {.signals = st->signals, .deadline = s->end, .hurried = s->signal != 0};
    struct report_verdict v;

    session_verdict(s, c, outcome, found, &v);
    v.left_out.bytes = st->undelivered;
    view_settle(&st->view, &v, session_stamp(s), &end, &s->error);
    report_verdict(&s->report, session_stamp(s), &v);
    return view_end(&st->view, &v, &end);
}

void start_close(struct start *st)
{
    session_close(st->session);
    outside_signals_close(st->options, st->signals);
    view_close(&st->view);
}
