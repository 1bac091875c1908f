/*
 * Connections without an engine, and how they get one and lose it. What an engine has to know of a
 * connection that it did not open is what both sides have said: the report has it of each flow that
 * it shows. So an engine can only be given at a moment at which nothing is on its way; a caller
 * that is refused tries it again later.
 */
#include "lib/core/err.h"
#include "lib/core/pool.h"
#include "lib/run/session_priv.h"

static bool has_flow(const struct session_conn *c, const struct flow *flow)
{
    return c->record && flow_eq(&c->record->flow.flow, flow);
}

int session_follow(struct session *s, uint32_t i, const struct addr *remote, uint16_t rport,
                   struct session_conn **out)
{
    const struct flow flow = {.local = s->port->info->local,
                              .remote = *remote,
                              .lport = port_lport(s->port, i),
                              .rport = rport,
                              .v6 = s->config.v6};
    struct session_conn *c;

    if (!s->shows)
        return WAVE_ESTATE;
    for (c = session_first(s); c; c = session_next(s, c))
        if (has_flow(c, &flow))
            return WAVE_EINUSE;
    c = session_add_conn(s, STACK_NONE, &flow);
    if (!c)
        return WAVE_ENOMEM;
    c->followed = true;
    s->followed++;
    *out = c;
    return 0;
}

struct session_conn *session_followed(struct session *s, const struct flow *flow,
                                      const struct seg *seg)
{
    for (struct session_conn *c = session_last(s); c; c = session_prev(s, c)) {
        if (!c->followed || !has_flow(c, flow))
            continue;
        if (seg->opt.has & OPT_TIMESTAMP)
            c->record->ts_recent = seg->opt.tsval;
        return c;
    }
    return NULL;
}

/* Returns whether all that this side has sent is acknowledged, and is no FIN. */
static bool settled(const struct report_flow *f, unsigned side)
{
    return !f->fin_seen[side] && seq_eq(f->track.half[side].next, f->track.half[1 - side].acked);
}

int session_adopt(struct session *s, struct session_conn *c)
{
    struct session_record *r = c->record;
    struct conn_numbers n;
    uint32_t id;
    int error;

    if (!c->followed || !r->flow.has_iss || !r->flow.has_irs || !settled(&r->flow, 0) ||
        !settled(&r->flow, 1))
        return WAVE_ESTATE;
    n = (struct conn_numbers){.iss = r->flow.iss,
                              .irs = r->flow.irs,
                              .snd_nxt = r->flow.track.half[0].next,
                              .rcv_nxt = r->flow.track.half[1].next,
                              .rcv_edge = r->flow.track.half[0].edge,
                              .snd_wnd = r->flow.window[1],
                              .ours = r->flow.ours,
                              .theirs = r->flow.theirs,
                              .tsval = r->flow.tsval,
                              .ts_recent = r->ts_recent,
                              .passive = !(r->flow.their_flags & SEG_ACK)};
    error = stack_adopt(s->stack, s->loop.now, &r->flow.flow, &n, &id);
    if (error)
        return error == WAVE_ENOMEM ? error : WAVE_ESTATE;
    c->id = id;
    s->conn[pool_index(id)] = c->self;
    c->followed = false;
    s->followed--;
    c->state = STATE_ESTABLISHED;
    r->flow.local = STATE_ESTABLISHED;
    c->path.established = true;
    c->quiet_since = s->loop.now;
    r->established_at = s->loop.now;
    return 0;
}

int session_give_up(struct session *s, struct session_conn *c)
{
    const struct conn *e = session_engine(s, c);

    if (c->followed || !c->record || !e || !s->shows)
        return WAVE_ESTATE;
    c->record->ts_recent = conn_ts_recent(e);
    session_drain(s); /* while the events still find their connection */
    if (s->conn[pool_index(c->id)] == c->self)
        s->conn[pool_index(c->id)] = SLAB_NONE;
    stack_release(s->stack, c->id);
    c->id = STACK_NONE;
    c->followed = true;
    s->followed++;
    return 0;
}
