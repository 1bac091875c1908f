#include "cmd/session.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cmd/addr.h"
#include "cmd/command.h"
#include "cmd/confine.h"
#include "cmd/files.h"
#include "cmd/signals.h"
#include "cmd/summary.h"
#include "lib/core/pool.h"
#include "lib/wire/diag.h"
#include "lib/wire/stamp.h"

#define MTU_UNKNOWN 1500
#define WINDOW (4u << 20) /* bytes of receive buffer, and so of window */
#define VERIFY_TIME_WAIT WAVE_S
#define CLOSE_IN (2 * WAVE_S) /* a failed run's connections have so long to close */
#define KEEP_FREE (16 << 20)  /* bytes of heap */

/* Many peers send at once: some 20,000 frames. */
#define LISTEN_RING (32u << 20)

/* Of what is received and not read, or sent and not acknowledged, over all connections: peers that
 * leave gaps in what they send could otherwise make each of them hold a whole window. */
#define LISTEN_MEMORY ((size_t)512 << 20)

wave_time session_stamp(void)
{
    return stamp_now();
}

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
static int engine_config(struct conn_config *c, const struct options *o, const struct wire *w,
                         bool v6, uint64_t *seed, struct diag *d)
{
    uint32_t mtu = wire_info(w)->mtu;

    conn_config_default(c, mtu ? mtu : MTU_UNKNOWN, v6);
    if (getrandom(c->isn_secret, sizeof c->isn_secret, 0) != sizeof c->isn_secret ||
        getrandom(seed, sizeof *seed, 0) != sizeof *seed)
        return diag_fail(d, WAVE_ESYS,
                         "cannot choose sequence numbers: the system gives no random "
                         "bytes");
    if (o->mss)
        c->mss = o->mss;
    /* More than the capture can keep is offered only where the user asks for it. */
    if (o->window)
        c->rcvbuf = o->window;
    else if (wire_window(w, c->mss) < WINDOW)
        c->rcvbuf = wire_window(w, c->mss);
    else
        c->rcvbuf = WINDOW;
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
    c->keepalive = o->keepalive;
    c->keep_garbage = o->keep_garbage;
    c->keep_idle = o->keep_idle;
    c->keep_interval = o->keep_interval;
    c->keep_count = o->keep_count;
    return 0;
}

static void open_renderers(struct session *s)
{
    const struct options *o = s->options;

    report_init(&s->report);
    if (s->svg)
        report_add(&s->report, svg_event, s->svg);
    s->stream = report_stream(o);
    term_init(&s->term, s->stream, o);
    if (o->json) {
        s->json = (struct render_json){s->stream, false};
        report_add(&s->report, render_json, &s->json);
    } else if (!o->quiet) {
        ladder_init(&s->ladder, &s->term, o->verbose);
        s->ladder.rows.folds_probes = o->keepalive;
        report_add(&s->report, ladder_event, &s->ladder);
        report_add(&s->report, summary_event, &s->term);
    }
}

/* All that can fail, in the order in which privileges and signals want it. */
static int open_parts(struct session *s, const struct target *target, struct diag *d)
{
    const struct options *o = s->options;
    struct wire_config wc = wire_config_of(o, target, s->shows);
    const uint32_t most = o->target.passive ? o->max : 1;
    struct conn_config cc;
    uint64_t seed;
    int error = 0;

    if (o->pcap)
        error = pcapfile_open(&s->pcap, o->pcap, d);
    if (!error && o->svg)
        error = svg_open(&s->svg, o->svg, (enum picture_scale)o->svg_scale, d);
    if (!error)
        error = wire_open(&s->wire, &wc, d);
    if (!error)
        error = engine_config(&cc, o, s->wire, target->v6, &seed, d);
    if (!error && o->verify && s->shows && !o->keep_time_wait) {
        cc.time_wait = true; /* in which the peer can be asked whether it has our last ACK */
        cc.msl = VERIFY_TIME_WAIT / 2;
    }
    if (!error)
        /* Pages that are never used cost nothing. */
        s->conn = calloc(most, sizeof(struct session_conn *));
    if (!error && (!s->conn || stack_create(&s->stack, &cc, most, seed) != 0))
        error = diag_fail(d, WAVE_ENOMEM, "no memory for a connection");
    if (!error && o->target.passive)
        stack_env(s->stack)->mem_max = LISTEN_MEMORY;
    if (!error) {
        s->signals = signals_open(d);
        error = s->signals < 0 ? s->signals : 0;
    }
    if (!error && s->pcap)
        error = pcapfile_begin(s->pcap, wire_info(s->wire)->interface, d);
    return error;
}

int session_open(struct session **out, const struct options *o, const struct target *target,
                 const struct session_ops *ops, void *user, struct diag *d)
{
    struct session *s = calloc(1, sizeof *s);
    int error;

    *out = NULL;
    if (!s)
        return diag_fail(d, WAVE_ENOMEM, "no memory for the run");
    s->options = o;
    s->ops = ops;
    s->user = user;
    s->signals = -1;
    s->many = o->target.passive;
    s->shows = o->json || o->pcap || o->svg || !o->quiet;
    /* Queues come and go with every batch of segments: to give their pages back to the system each
     * time, and to fault them in again, costs more than to keep them. */
    mallopt(M_TRIM_THRESHOLD, KEEP_FREE);
    mallopt(M_MMAP_THRESHOLD, KEEP_FREE);
    error = open_parts(s, target, d);
    if (error) {
        session_close(s);
        return error;
    }
    open_renderers(s);
    confine(o);
    s->due = wire_now();
    s->deadline = o->timeout ? time_add(wire_now(), o->timeout) : WAVE_NEVER;
    *out = s;
    return 0;
}

void session_close(struct session *s)
{
    struct session_conn *c, *next;
    struct diag d;

    if (!s)
        return;
    for (c = LIST_FIRST(&s->all); c; c = next) {
        next = LIST_NEXT(c, all);
        free(c);
    }
    free(s->conn);
    if (s->signals >= 0)
        signals_close(s->signals);
    stack_destroy(s->stack);
    wire_close(s->wire);
    pcapfile_close(s->pcap, &d);
    svg_close(s->svg);
    free(s);
}

struct session_conn *session_find(struct session *s, uint32_t id)
{
    struct session_conn *c = id == STACK_NONE ? NULL : s->conn[pool_index(id)];

    return c && c->id == id ? c : NULL;
}

struct session_conn *session_adopt(struct session *s, uint32_t id, const struct flow *flow)
{
    struct session_conn *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->id = id;
    c->established_at = c->fin_acked_at = WAVE_NEVER;
    s->opened++;
    report_flow_init(&c->flow, flow, s->many ? s->opened : 0);
    s->conn[pool_index(id)] = c;
    LIST_INSERT_HEAD(&s->all, c, all);
    return c;
}

int session_connect(struct session *s, const struct target *target, struct session_conn **out)
{
    const struct wire_info *info = wire_info(s->wire);
    struct flow flow = {.local = info->local,
                        .remote = target->addr,
                        .lport = info->lport,
                        .rport = target->port,
                        .v6 = target->v6};
    uint32_t id;
    int error = stack_connect(s->stack, wire_now(), &flow, &id);

    if (error)
        return error;
    *out = session_adopt(s, id, &flow);
    return *out ? 0 : WAVE_ENOMEM;
}

struct conn *session_engine(struct session *s, const struct session_conn *c)
{
    return stack_conn(s->stack, c->id);
}

void session_changed(struct session *s, struct session_conn *c, wave_time now)
{
    stack_changed(s->stack, now, c->id);
}

void session_release(struct session *s, struct session_conn *c)
{
    /* Where a RST took it back to LISTEN its slot may have another one by now. */
    if (s->conn[pool_index(c->id)] == c)
        s->conn[pool_index(c->id)] = NULL;
    LIST_REMOVE(c, all);
    s->report.waiting -= c->flow.waiting_count;
    stack_release(s->stack, c->id);
    free(c);
}

void session_await(struct session *s, const char *what, wave_time until)
{
    bool same = s->awaited == what || (s->awaited && what && strcmp(s->awaited, what) == 0);

    if (!same)
        s->awaited_since = wire_now();
    s->awaited = what;
    s->awaited_until = until;
}

/* What the outcome wants to know of a connection that is cut off. */
static void cut_off(struct session *s, struct session_conn *c, wave_time now)
{
    struct conn *e = session_engine(s, c);

    if (!e || e->state == STATE_CLOSED)
        return;
    c->stopped_in = (enum state)e->state;
    /* Everything up to SND.NXT, a FIN included, is outstanding until it is acknowledged. */
    c->outstanding = !seq_eq(e->snd.una, e->snd.nxt) && e->backoff > 0;
    conn_abort(e, now);
    session_changed(s, c, now);
}

void session_leave(struct session *s, struct session_conn *c, enum outcome_stop why)
{
    cut_off(s, c, wire_now());
    c->left = true;
    c->why = why;
}

void session_stop(struct session *s, enum outcome_stop why)
{
    wave_time now = wire_now();
    struct session_conn *c;

    if (s->done)
        return;
    s->done = true;
    if (s->stop != STOP_LOCAL) /* it ends the closing, and is not the reason */
        s->stop = why;
    LIST_FOREACH(c, &s->all, all)
    {
        cut_off(s, c, now);
    }
}

/* FIN, where the peer knows of a connection. */
static void close_in_order(struct session *s, struct session_conn *c, wave_time now)
{
    struct conn *e = session_engine(s, c);

    if (!e || e->state == STATE_CLOSED)
        return;
    conn_keepalive(e, now, false);
    conn_close(e, now);
    session_changed(s, c, now);
}

void session_fail(struct session *s, const struct diag *d)
{
    wave_time now = wire_now();
    struct session_conn *c;

    if (s->stop == STOP_LOCAL)
        return;
    s->error = *d;
    s->stop = STOP_LOCAL;
    if (s->done)
        return;
    s->close_until = now + CLOSE_IN;
    session_await(s, "the connection to close", s->close_until);
    stack_unlisten(s->stack);
    LIST_FOREACH(c, &s->all, all)
    {
        close_in_order(s, c, now);
    }
}

/* Whether there is more to come of it; what it has received is read by nobody. */
static bool still_closing(struct session *s, struct session_conn *c, wave_time now)
{
    struct conn *e = session_engine(s, c);
    const uint8_t *data;
    size_t len;

    if (!e || e->state == STATE_CLOSED || e->state == STATE_TIME_WAIT)
        return false;
    while ((len = conn_peek(e, &data)) > 0)
        conn_consume(e, now, len);
    session_changed(s, c, now);
    return true;
}

wave_time session_wind_up(struct session *s, wave_time now)
{
    struct session_conn *c;
    bool open = false;

    LIST_FOREACH(c, &s->all, all)
    {
        open = still_closing(s, c, now) || open;
    }
    if (!open || now >= s->close_until)
        session_stop(s, STOP_LOCAL);
    return s->close_until;
}

void session_outcome(struct session *s, const struct session_conn *c, struct outcome *out)
{
    const struct conn *e = session_engine(s, c);
    const struct flow *flow = &c->flow.flow;
    const bool unread = s->many && !s->shows;
    /* The engine knows this of all connections together: where there are others, it is they that
     * may have filled the memory, and not what ended this one. */
    const bool starved = !s->many && stack_env(s->stack)->mem_short;
    char peer[ADDR_PORT_TEXT] = "";
    struct outcome_facts f = {.path = c->path,
                              .end = e ? (enum conn_end)e->end : END_NONE,
                              .stop = c->left   ? c->why
                                      : s->done ? s->stop
                                                : STOP_END,
                              .signal = s->signal,
                              .error = s->error.text,
                              .hindered = c->unsent ? s->send_error.text
                                          : starved ? "no memory for data; free some, and try again"
                                                    : NULL,
                              .unread = unread,
                              .peer = peer,
                              .awaited = c->awaited ? c->awaited : s->awaited,
                              .outstanding = c->outstanding,
                              .local = c->stopped_in != STATE_CLOSED ? c->stopped_in : c->state,
                              .state = c->flow.peer.state,
                              .syn_sent = c->syn_sent,
                              .syn_acks = c->syn_acks,
                              .probes = c->probes,
                              .icmp = c->has_icmp ? &c->icmp : NULL};

    if (!unread)
        addr_port_text(flow->v6, &flow->remote, flow->rport, peer);
    f.waited = f.stop == STOP_LINGER ? s->options->linger : s->options->timeout;
    outcome_of(&f, out);
}

/* One of the files that show the run could not be written: this host's failure, whatever the peer
 * did; a signal's status stands. */
static void file_failed(struct session *s, struct report_verdict *v, const struct diag *d)
{
    if (v->verdict == VERDICT_LOCAL)
        return;
    s->error = *d;
    v->verdict = VERDICT_LOCAL;
    v->message = s->error.text;
    if (v->exit < 128)
        v->exit = VERDICT_LOCAL;
}

int session_flush(struct session *s, struct diag *d)
{
    int error = stream_flush(s->stream, d);

    if (!error && s->json.failed)
        error = diag_fail(d, WAVE_ENOMEM, "cannot write the report: out of memory");
    return error;
}

static void end_files(struct session *s, struct report_verdict *v)
{
    struct diag d;

    if (s->pcap && (pcapfile_end(s->pcap, v->message, v->captured, v->dropped, &d) ||
                    pcapfile_flush(s->pcap, &d)))
        file_failed(s, v, &d);
    if (s->svg && svg_end(s->svg, v, &d))
        file_failed(s, v, &d);
}

int session_verdict(struct session *s, const struct session_conn *c, const struct outcome *outcome,
                    const struct report_findings *found)
{
    const bool per_connection = s->many && c;
    struct wire_stats stats;
    struct report_verdict v = {.command = s->options->command->name,
                               .verdict = outcome->verdict,
                               .exit = outcome->exit,
                               .flow = c ? &c->flow : NULL,
                               .by = outcome->by,
                               .kind = outcome->kind,
                               .half_close = found ? found->half_close : NULL,
                               .keepalive = found ? found->keepalive : NULL,
                               .guard = wire_info(s->wire)->guard,
                               .per_connection = per_connection,
                               .counts = s->many && !c ? s->verdicts : NULL,
                               .opened = s->opened,
                               .cookies = stack_cookies(s->stack),
                               .message = outcome->message};
    struct diag d;

    if (per_connection) {
        s->verdicts[outcome->verdict]++;
        if (!s->shows) /* nor is the kernel asked for figures that nobody sees */
            return v.exit;
    }
    stats = wire_stats(s->wire);
    v.captured = stats.received;
    v.dropped = stats.dropped;
    v.sent = stats.sent;
    v.no_room = stats.retried;
    if (!per_connection)
        end_files(s, &v);
    report_verdict(&s->report, session_stamp(), &v);
    if (per_connection)
        return v.exit;
    if (session_flush(s, &d) == 0) {
        if (s->options->quiet && v.verdict == VERDICT_LOCAL)
            fprintf(stderr, "tcpwave: %s\n", v.message);
        return v.exit;
    }
    return session_unread(v.verdict, v.exit, v.message, &d);
}

int session_unread(enum verdict verdict, int exit, const char *message, const struct diag *d)
{
    fprintf(stderr, "tcpwave: %s\n", verdict == VERDICT_LOCAL ? message : d->text);
    return exit < 128 ? VERDICT_LOCAL : exit;
}

int session_refuse(const struct options *o, const struct diag *d)
{
    struct report r;
    struct render_json j = {report_stream(o), false};
    struct report_verdict v = {.command = o->command->name,
                               .verdict = VERDICT_LOCAL,
                               .exit = VERDICT_LOCAL,
                               .message = d->text};

    fprintf(stderr, "tcpwave: %s\n", d->text);
    if (o->json) {
        report_init(&r);
        report_add(&r, render_json, &j);
        report_verdict(&r, session_stamp(), &v);
        fflush(j.to);
    }
    return VERDICT_LOCAL;
}
