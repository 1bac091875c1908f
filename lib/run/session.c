/*
 * The connections of a session: how they are opened, cut off, closed in order and released, and
 * what their outcome is. What happens with packets is in session_capture.c and session_loop.c.
 */
#include "lib/run/session_priv.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/core/pool.h"
#include "lib/io/heap.h"

#define CLOSE_IN (2 * WAVE_S) /* how long the connections of a failed run may take to close */
#define SILENT_MIN 3000       /* milliseconds: fell_silent() */
#define ANSWER_AFTER (200 * WAVE_MS) /* an answer on a busy host, beyond the round trip */

/* Creates the engine. Returns 0 or WAVE_ENOMEM. */
static int open_engine(struct session *s, struct diag *d)
{
    const struct session_config *c = &s->config;

    /* Pages that are never used cost no memory. */
    s->conn = calloc(c->max_connections, sizeof *s->conn);
    if (!s->conn || stack_create(&s->stack, &c->engine, c->max_connections, c->seed) != 0)
        return diag_fail(d, WAVE_ENOMEM, "no memory for a connection");
    stack_env(s->stack)->resize = heap_resize;
    if (c->memory)
        stack_env(s->stack)->mem_max = c->memory;
    return 0;
}

int session_open(struct session **out, struct port *port, const struct session_config *config,
                 const struct session_ops *ops, void *user, struct diag *d)
{
    struct session *s = calloc(1, sizeof *s);
    int error;

    *out = NULL;
    if (!s) {
        port_close(port);
        return diag_fail(d, WAVE_ENOMEM, "no memory for the run");
    }
    s->config = *config;
    s->ops = ops;
    s->user = user;
    s->port = port;
    s->many = config->many;
    s->shows = config->shows;
    slab_init(&s->slab, ops->conn_size ? ops->conn_size : sizeof(struct session_conn));
    s->all.link = offsetof(struct session_conn, all);
    error = open_engine(s, d);
    if (error) {
        session_close(s);
        return error;
    }
    report_init(&s->report);
    session_loop_init(s);
    *out = s;
    return 0;
}

void session_close(struct session *s)
{
    if (!s)
        return;
    for (struct session_conn *c = session_first(s); c; c = session_next(s, c))
        free(c->record);
    slab_free(&s->slab);
    free(s->conn);
    stack_destroy(s->stack);
    port_close(s->port);
    free(s);
}

struct session_conn *session_first(const struct session *s)
{
    return slab_at(&s->slab, s->all.first);
}

struct session_conn *session_last(const struct session *s)
{
    return slab_at(&s->slab, s->all.last);
}

struct session_conn *session_next(const struct session *s, const struct session_conn *c)
{
    return slab_at(&s->slab, slab_next(&s->slab, &s->all, c->self));
}

struct session_conn *session_prev(const struct session *s, const struct session_conn *c)
{
    return slab_at(&s->slab, slab_prev(&s->slab, &s->all, c->self));
}

struct session_conn *session_find(struct session *s, uint32_t id)
{
    struct session_conn *c = id == STACK_NONE ? NULL : slab_at(&s->slab, s->conn[pool_index(id)]);

    return c && c->id == id ? c : NULL;
}

/* Returns whether this connection has that flow, as far as that is still known. */
static bool has_flow(struct session *s, const struct session_conn *c, const struct flow *flow)
{
    const struct conn *e;

    if (c->record)
        return flow_eq(&c->record->flow.flow, flow);
    e = session_engine(s, c);
    return e && flow_eq(conn_flow(e), flow);
}

struct session_conn *session_find_flow(struct session *s, const struct flow *flow)
{
    struct session_conn *c = session_last(s);

    while (c && !has_flow(s, c, flow))
        c = session_prev(s, c);
    return c;
}

/* Allocates the record of a connection that is shown or whose verdict is printed. Returns false
 * when memory is short. */
static bool open_record(struct session *s, struct session_conn *c, const struct flow *flow)
{
    struct session_record *r;

    if (s->many && !s->shows)
        return true;
    r = calloc(1, sizeof *r);
    if (!r)
        return false;
    r->conn = c;
    r->established_at = r->fin_acked_at = WAVE_NEVER;
    r->gaps = s->gaps;
    report_flow_init(&r->flow, flow, s->many ? s->opened + 1 : s->config.number);
    c->record = r;
    return true;
}

struct session_conn *session_add_conn(struct session *s, uint32_t id, const struct flow *flow)
{
    uint32_t self;
    struct session_conn *c = slab_take(&s->slab, &self);

    if (!c)
        return NULL;
    if (!open_record(s, c, flow)) {
        slab_give(&s->slab, self);
        return NULL;
    }
    c->id = id;
    c->self = self;
    s->opened++;
    if (id != STACK_NONE)
        s->conn[pool_index(id)] = self;
    slab_append(&s->slab, &s->all, self);
    return c;
}

int session_connect(struct session *s, uint32_t i, const struct addr *remote, uint16_t rport,
                    struct session_conn **out)
{
    const struct wire_info *info = s->port->info;
    struct flow flow = {.local = info->local,
                        .remote = *remote,
                        .lport = port_lport(s->port, i),
                        .rport = rport,
                        .v6 = s->config.v6};
    uint32_t id;
    int error = stack_connect(s->stack, s->loop.now, &flow, &id);

    if (error)
        return error;
    *out = session_add_conn(s, id, &flow);
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
    /* If a RST took the connection back to LISTEN, another one may have its slot by now. */
    if (s->conn[pool_index(c->id)] == c->self)
        s->conn[pool_index(c->id)] = SLAB_NONE;
    s->followed -= c->followed;
    slab_remove(&s->slab, &s->all, c->self);
    if (c->record)
        s->report.waiting -= c->record->flow.waiting_count;
    stack_release(s->stack, c->id);
    free(c->record);
    slab_give(&s->slab, c->self);
}

void session_await(struct session *s, const char *what, wave_time until)
{
    bool same = s->awaited == what || (s->awaited && what && strcmp(s->awaited, what) == 0);

    if (!same)
        s->awaited_since = s->loop.now;
    s->awaited = what;
    s->awaited_until = until;
}

/* Pulls events while many connections are ended together, each with an event. */
static void drain_if_busy(struct session *s)
{
    if (env_busy(stack_env(s->stack)))
        session_drain(s);
}

/* Stores what the outcome needs to know of a connection that is cut off. */
static void cut_off(struct session *s, struct session_conn *c, wave_time now)
{
    struct conn *e = session_engine(s, c);

    if (!e || conn_state(e) == STATE_CLOSED)
        return;
    c->stopped_in = (uint8_t)conn_state(e);
    if (c->record)
        c->record->cut_off_at = now;
    /* Everything up to SND.NXT, a FIN included, is outstanding until it is acknowledged. While the
     * answer to the first retransmission may be under way, the peer is not silent. */
    c->outstanding =
        conn_outstanding(e) && conn_backoff(e) > 0 && c->stalls &&
        (uint32_t)(now / WAVE_MS) - c->stalled_at >= (conn_srtt(e) + ANSWER_AFTER) / WAVE_MS;
    conn_abort(e, now);
    session_changed(s, c, now);
    drain_if_busy(s);
}

void session_end_conn(struct session *s, struct session_conn *c, enum outcome_stop why)
{
    cut_off(s, c, s->loop.now);
    c->left = true;
    c->why = (uint8_t)why;
    drain_if_busy(s);
}

void session_stop(struct session *s, enum outcome_stop why)
{
    wave_time now = s->loop.now;

    if (s->loop.done)
        return;
    s->loop.done = true;
    if (s->stop != STOP_LOCAL) /* it only ends the closing, and is not the reason */
        s->stop = why;
    for (struct session_conn *c = session_last(s); c; c = session_prev(s, c))
        cut_off(s, c, now);
}

/* Sends FIN, if the peer knows of the connection. */
static void close_in_order(struct session *s, struct session_conn *c, wave_time now)
{
    struct conn *e = session_engine(s, c);

    if (!e || conn_state(e) == STATE_CLOSED)
        return;
    conn_keepalive(e, now, false);
    conn_close(e, now);
    session_changed(s, c, now);
}

void session_fail(struct session *s, const struct diag *d)
{
    wave_time now = s->loop.now;

    if (s->stop == STOP_LOCAL)
        return;
    s->error = *d;
    s->stop = STOP_LOCAL;
    if (s->loop.done)
        return;
    s->close_until = now + CLOSE_IN;
    session_await(s, "the connection to close", s->close_until);
    stack_unlisten(s->stack);
    for (struct session_conn *c = session_last(s); c; c = session_prev(s, c))
        close_in_order(s, c, now);
}

/* Returns whether the connection is still closing. What it receives meanwhile is discarded. */
static bool still_closing(struct session *s, struct session_conn *c, wave_time now)
{
    struct conn *e = session_engine(s, c);
    const uint8_t *data;
    size_t len;

    if (!e || conn_state(e) == STATE_CLOSED || conn_state(e) == STATE_TIME_WAIT)
        return false;
    while ((len = conn_peek(e, &data)) > 0)
        conn_consume(e, now, len);
    session_changed(s, c, now);
    return true;
}

wave_time session_close_step(struct session *s, wave_time now)
{
    bool open = false;

    for (struct session_conn *c = session_last(s); c; c = session_prev(s, c))
        open = still_closing(s, c, now) || open;
    if (!open || now >= s->close_until)
        session_stop(s, STOP_LOCAL);
    return s->close_until;
}

uint32_t session_missing(struct session *s, const struct session_conn *c)
{
    const struct session_record *r = c->record;
    const struct conn *e = session_engine(s, c);

    return r && r->has_high && e && seq_gt(r->high, conn_rcv_nxt(e)) ? r->missing : 0;
}

/* Fills in the facts that the outcome's sentence needs and that only the record has. */
static void recorded_facts(struct session *s, const struct session_conn *c, struct outcome_facts *f)
{
    const struct session_record *r = c->record;

    f->state = r->flow.peer.state;
    f->all_acked = f->state == STATE_TIME_WAIT && r->flow.peer.certainty == CERTAINTY_PROVED;
    f->syn_sent = r->syn_sent;
    f->syn_acks = r->syn_acks;
    f->kept_silent = r->cut_off_at - r->syn_acked_at;
    f->probes = r->probes;
    f->icmp = c->has_icmp ? &r->icmp : NULL;
    f->missing = session_missing(s, c);
    f->made_rst = r->flow.signs.made_rst;
    f->made_fin = r->flow.signs.made_fin;
}

/* Returns whether a peer that had answered retransmissions has answered none of late: two or more,
 * for several seconds, and for half of the time or longer that they took. Both sides send more and
 * more seldom, so that shorter silences tell nothing. */
static bool fell_silent(const struct session *s, const struct session_conn *c)
{
    const uint32_t now = (uint32_t)(s->loop.now / WAVE_MS);
    const uint32_t silent =
        250u * (uint16_t)((uint16_t)(s->loop.now / (WAVE_S / 4)) - c->unheard_at);

    return c->stalls && !c->probing && c->unheard > 1 && silent >= SILENT_MIN &&
           silent >= (now - c->stalled_at) / 2;
}

void session_outcome(struct session *s, const struct session_conn *c, struct outcome *out)
{
    static const struct icmp some_icmp; /* the verdict needs only that there was one */
    const struct conn *e = session_engine(s, c);
    /* The engine knows this only for all connections together. If there are several, the others may
     * have used the memory, so it does not say why this one ended. */
    const bool starved = !s->many && stack_env(s->stack)->mem_short;
    char peer[ADDR_PORT_TEXT] = "";
    struct outcome_facts f = {
        .path = c->path,
        .end = e ? conn_end(e) : END_NONE,
        .stop = c->left        ? (enum outcome_stop)c->why
                : s->loop.done ? s->stop
                               : STOP_END,
        .signal = s->signal,
        .error = s->error.text,
        .hindered = c->unsent ? s->send_error.text
                    : starved ? "no memory for data; free some, and try again"
                              : NULL,
        .unread = !c->record,
        .peer = peer,
        .awaited = c->waits ? course_text((enum course_wait)c->waits) : s->awaited,
        .impaired = session_impaired(s, c),
        .outstanding = c->outstanding,
        .answers = (c->stalls || c->probing) && c->arrived != c->stalled && !fell_silent(s, c),
        .local = c->stopped_in != STATE_CLOSED ? (enum state)c->stopped_in : (enum state)c->state,
        .arrived = c->arrived + (s->opened > 1 ? 0 : s->port->ops->stats(s->port).bad_checksum),
        .elsewhere = s->many ? 0 : s->port->ops->stats(s->port).elsewhere,
        .odd_icmp = c->odd_icmp,
        .icmp = c->has_icmp ? &some_icmp : NULL};

    if (c->record) {
        const struct flow *flow = &c->record->flow.flow;
        addr_port_text(flow->v6, &flow->remote, flow->rport, peer);
        recorded_facts(s, c, &f);
    }
    f.waited = f.stop == STOP_LINGER ? s->config.linger : s->config.timeout;
    outcome_of(&f, out);
}

void session_verdict(struct session *s, const struct session_conn *c, const struct outcome *outcome,
                     const struct figures *figures, const struct findings *findings,
                     struct report_verdict *v)
{
    struct wire_stats stats = s->port->ops->stats(s->port);

    *v = (struct report_verdict){.command = s->config.command,
                                 .verdict = outcome->verdict,
                                 .exit = outcome->exit,
                                 .flow = c ? session_flow(c) : NULL,
                                 .by = outcome->by,
                                 .kind = outcome->kind,
                                 .figures = figures,
                                 .findings = findings,
                                 .impairments = s->many && c ? NULL : session_impairments(s),
                                 .guard = s->port->info->guard,
                                 .per_connection = s->many && c,
                                 .several = s->many && !c,
                                 .captured = stats.received,
                                 .dropped = stats.dropped,
                                 .sent = stats.sent,
                                 .no_room = stats.retried,
                                 .message = outcome->message};
}

void session_conn_verdict(struct session *s, const struct session_conn *c,
                          const struct outcome *outcome, const struct figures *figures)
{
    struct findings found = {.count = 0};
    struct outcome told = *outcome;
    struct report_verdict v;

    s->verdicts[outcome->verdict]++;
    if (!s->shows) /* the kernel is not asked for figures that are not shown, either */
        return;
    session_diagnose(s, c, &told, &found);
    session_verdict(s, c, &told, figures, &found, &v);
    report_verdict(&s->report, session_stamp(s), &v);
}
