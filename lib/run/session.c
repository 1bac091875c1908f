/*
 * A session's connections: taken notice of, cut off, closed in order, given up; and what became of
 * each. What happens with packets is session_loop.c.
 */
#include "lib/run/session.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/core/pool.h"

#define CLOSE_IN (2 * WAVE_S) /* a failed run's connections have so long to close */

/* The engine. WAVE_ENOMEM. */
static int open_engine(struct session *s, struct diag *d)
{
    const struct session_config *c = &s->config;

    /* Pages that are never used cost nothing. */
    s->conn = calloc(c->most, sizeof(struct session_conn *));
    if (!s->conn || stack_create(&s->stack, &c->engine, c->most, c->seed) != 0)
        return diag_fail(d, WAVE_ENOMEM, "no memory for a connection");
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
    struct session_conn *c, *next;

    if (!s)
        return;
    for (c = LIST_FIRST(&s->all); c; c = next) {
        next = LIST_NEXT(c, all);
        free(c);
    }
    free(s->conn);
    stack_destroy(s->stack);
    port_close(s->port);
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
    c->gaps = s->gaps;
    s->opened++;
    report_flow_init(&c->flow, flow, s->many ? s->opened : 0);
    s->conn[pool_index(id)] = c;
    LIST_INSERT_HEAD(&s->all, c, all);
    return c;
}

int session_connect(struct session *s, const struct addr *remote, uint16_t rport,
                    struct session_conn **out)
{
    const struct wire_info *info = s->port->info;
    struct flow flow = {.local = info->local,
                        .remote = *remote,
                        .lport = info->lport,
                        .rport = rport,
                        .v6 = s->config.v6};
    uint32_t id;
    int error = stack_connect(s->stack, s->loop.now, &flow, &id);

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
        s->awaited_since = s->loop.now;
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
    c->cut_off_at = now;
    /* Everything up to SND.NXT, a FIN included, is outstanding until it is acknowledged. */
    c->outstanding = !seq_eq(e->snd.una, e->snd.nxt) && e->backoff > 0;
    conn_abort(e, now);
    session_changed(s, c, now);
    if (env_busy(stack_env(s->stack))) /* many may be cut off at once, each with an event */
        session_drain(s);
}

void session_leave(struct session *s, struct session_conn *c, enum outcome_stop why)
{
    cut_off(s, c, s->loop.now);
    c->left = true;
    c->why = why;
}

void session_stop(struct session *s, enum outcome_stop why)
{
    wave_time now = s->loop.now;
    struct session_conn *c;

    if (s->loop.done)
        return;
    s->loop.done = true;
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
    wave_time now = s->loop.now;
    struct session_conn *c;

    if (s->stop == STOP_LOCAL)
        return;
    s->error = *d;
    s->stop = STOP_LOCAL;
    if (s->loop.done)
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
                              .stop = c->left        ? c->why
                                      : s->loop.done ? s->stop
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
                              .arrived = c->arrived,
                              .syn_acks = c->syn_acks,
                              .kept_silent = c->cut_off_at - c->syn_acked_at,
                              .probes = c->probes,
                              .icmp = c->has_icmp ? &c->icmp : NULL};

    if (!unread)
        addr_port_text(flow->v6, &flow->remote, flow->rport, peer);
    f.waited = f.stop == STOP_LINGER ? s->config.linger : s->config.timeout;
    outcome_of(&f, out);
}

void session_verdict(struct session *s, const struct session_conn *c, const struct outcome *outcome,
                     const struct report_findings *found, struct report_verdict *v)
{
    struct wire_stats stats = s->port->ops->stats(s->port);

    *v = (struct report_verdict){.command = s->config.command,
                                 .verdict = outcome->verdict,
                                 .exit = outcome->exit,
                                 .flow = c ? &c->flow : NULL,
                                 .by = outcome->by,
                                 .kind = outcome->kind,
                                 .half_close = found ? found->half_close : NULL,
                                 .keepalive = found ? found->keepalive : NULL,
                                 .guard = s->port->info->guard,
                                 .per_connection = s->many && c,
                                 .counts = s->many && !c ? s->verdicts : NULL,
                                 .opened = s->opened,
                                 .cookies = stack_cookies(s->stack),
                                 .captured = stats.received,
                                 .dropped = stats.dropped,
                                 .sent = stats.sent,
                                 .no_room = stats.retried,
                                 .message = outcome->message};
}

void session_conn_verdict(struct session *s, const struct session_conn *c,
                          const struct outcome *outcome, const struct report_findings *found)
{
    struct report_verdict v;

    s->verdicts[outcome->verdict]++;
    if (!s->shows) /* nor is the kernel asked for figures that nobody sees */
        return;
    session_verdict(s, c, outcome, found, &v);
    report_verdict(&s->report, session_stamp(s), &v);
}
