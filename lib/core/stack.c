/*
 * A connection has a slot in the pool from stack_connect() or from its SYN until stack_release().
 * While it is not CLOSED, the table finds it by its flow. After anything that happened to it,
 * reschedule() asks it once when it wants to be called: if that is now, it goes into the ready
 * list, which stack_output() serves in turn; if it is later, it goes into the timing wheel, which
 * stack_tick() empties. So no call ever examines a connection that has nothing to do.
 */
#include "lib/core/stack.h"

#include <stdlib.h>

#include "lib/core/cookie.h"
#include "lib/core/err.h"
#include "lib/core/flow_table.h"
#include "lib/core/isn.h"
#include "lib/core/pool.h"
#include "lib/core/ready.h"
#include "lib/core/reply_queue.h"
#include "lib/core/wheel.h"

/* The bits of conn.hook.marks. */
enum {
    MARK_ACCEPTED = 1 << 0,  /* a listener accepted it */
    MARK_HALF_OPEN = 1 << 1, /* it is counted in `half_open` */
    MARK_TABLE = 1 << 2,     /* it is in the table */
    MARK_READY = 1 << 3      /* it is in the ready list */
};

/* The purpose of each key that is derived from the secret. */
enum { PURPOSE_ISN = 1, PURPOSE_COOKIE, PURPOSE_TABLE };

struct stack {
    struct env env;
    struct pool pool;
    struct flow_table table;
    struct wheel wheel;
    struct ready ready;
    struct reply_queue reply_queue;
    struct siphash_key isn_key, cookie_key;
    struct stack_listener *listener;
    uint32_t listeners;
    uint32_t half_open;
    uint64_t cookies;
    wave_time cookie_last; /* when the last cookie was sent */
};

int stack_create(struct stack **out, const struct conn_config *config, uint32_t max, uint64_t seed)
{
    struct stack *s;

    if (max < 1 || max > POOL_MAX)
        return WAVE_EINVAL;
    s = calloc(1, sizeof *s);
    if (!s)
        return WAVE_ENOMEM;
    env_init(&s->env, config, seed);
    pool_init(&s->pool, &s->env, max);
    flow_table_init(&s->table, &s->env, siphash_key(config->isn_secret, PURPOSE_TABLE));
    wheel_init(&s->wheel, &s->pool);
    ready_init(&s->ready, &s->pool);
    s->isn_key = siphash_key(config->isn_secret, PURPOSE_ISN);
    s->cookie_key = siphash_key(config->isn_secret, PURPOSE_COOKIE);
    *out = s;
    return 0;
}

void stack_destroy(struct stack *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->pool.made; i++)
        if (pool_at(&s->pool, i)->id != STACK_NONE)
            conn_release(pool_at(&s->pool, i));
    stack_unlisten(s);
    flow_table_free(&s->table);
    pool_free(&s->pool);
    free(s);
}

struct env *stack_env(struct stack *s)
{
    return &s->env;
}

/*
 * A connection's place in pool, table, wheel and ready list.
 */

/* Removes a connection from the table, so that its flow can be used again. */
static void forget_flow(struct stack *s, struct conn *c)
{
    if (c->hook.marks & MARK_TABLE)
        flow_table_remove(&s->table, flow_table_hash(&s->table, &c->flow), c->id);
    c->hook.marks &= (uint8_t)~MARK_TABLE;
}

/* Keeps `half_open` up to date: `is` says whether the connection counts now. */
static void count_half_open(struct stack *s, struct conn *c, bool is)
{
    const bool was = c->hook.marks & MARK_HALF_OPEN;

    if (is && !was)
        s->half_open++;
    if (was && !is)
        s->half_open--;
    c->hook.marks = (uint8_t)((c->hook.marks & ~MARK_HALF_OPEN) | (is ? MARK_HALF_OPEN : 0));
}

static void not_ready(struct stack *s, struct conn *c)
{
    if (c->hook.marks & MARK_READY)
        ready_remove(&s->ready, c);
    c->hook.marks &= (uint8_t)~MARK_READY;
}

/* Takes a slot for a flow that is not in the table, and returns its closed connection, or NULL when
 * memory is short. */
static struct conn *take(struct stack *s, const struct flow *flow, uint32_t hash)
{
    struct conn *c = pool_take(&s->pool, flow);

    if (!c)
        return NULL;
    if (flow_table_add(&s->table, hash, c->id) != 0) {
        pool_give(&s->pool, c);
        return NULL;
    }
    c->hook.marks = MARK_TABLE;
    /* A flow's next connection continues the timestamps of the one before, so that a peer still in
     * TIME_WAIT accepts its SYN (RFC 6191, section 2; RFC 7323, 5.4). */
    c->ts_offset = cookie_ts_offset(&s->cookie_key, flow);
    return c;
}

/* Removes a connection from everything, and frees its slot. */
static void give(struct stack *s, struct conn *c)
{
    count_half_open(s, c, false);
    forget_flow(s, c);
    not_ready(s, c);
    wheel_disarm(&s->wheel, c);
    conn_release(c);
    pool_give(&s->pool, c);
}

/* Makes sure that the connection is called at `when`. */
static void schedule(struct stack *s, wave_time now, struct conn *c, wave_time when)
{
    if (when > now) {
        not_ready(s, c);
        if (when != WAVE_NEVER)
            wheel_arm(&s->wheel, c, when);
    } else if (!(c->hook.marks & MARK_READY)) {
        ready_put(&s->ready, c);
        c->hook.marks |= MARK_READY;
    }
}

/* Returns whether a connection that has sent this segment has more data queued behind it, which the
 * missing PSH says (RFC 9293, 3.9.1.2). The next call finds out whether it may send that now. */
static bool has_more(const struct seg *sent)
{
    return sent->len > 0 && !(sent->flags & (SEG_PSH | SEG_FIN));
}

/* Updates the connection's place after anything happened to it. Returns false when the connection
 * is gone. */
static bool reschedule(struct stack *s, wave_time now, struct conn *c)
{
    const bool accepted = c->hook.marks & MARK_ACCEPTED;

    /* RFC 9293, 3.10.7.4: an RST returns a passive open to LISTEN. Here the listener is what
     * listens, so the connection that it accepted is removed. */
    if (accepted && c->state == STATE_LISTEN) {
        give(s, c);
        return false;
    }
    count_half_open(s, c, accepted && c->state == STATE_SYN_RECEIVED);
    if (c->state == STATE_CLOSED)
        forget_flow(s, c);
    schedule(s, now, c, conn_expiry(c, now));
    return true;
}

/*
 * The user's calls.
 */

/* Takes a slot for a flow that has none. Returns 0, WAVE_EINUSE or WAVE_ENOMEM. */
static int take_new(struct stack *s, const struct flow *flow, struct conn **out)
{
    const uint32_t hash = flow_table_hash(&s->table, flow);

    if (flow_table_find(&s->table, &s->pool, flow, hash))
        return WAVE_EINUSE;
    *out = take(s, flow, hash);
    return *out ? 0 : WAVE_ENOMEM;
}

/* Ends what take_new() began: with the connection's first call, which returned `r`. */
static int taken(struct stack *s, wave_time now, struct conn *c, int r, uint32_t *id)
{
    if (r != 0) {
        give(s, c);
        return r;
    }
    *id = c->id;
    reschedule(s, now, c);
    return 0;
}

int stack_connect(struct stack *s, wave_time now, const struct flow *flow, uint32_t *id)
{
    struct conn *c;
    int r = take_new(s, flow, &c);

    return r ? r : taken(s, now, c, conn_open(c, now, isn(&s->isn_key, flow, now)), id);
}

int stack_adopt(struct stack *s, wave_time now, const struct flow *flow,
                const struct conn_numbers *n, uint32_t *id)
{
    struct conn *c;
    int r = take_new(s, flow, &c);

    return r ? r : taken(s, now, c, conn_adopt(c, now, n), id);
}

static bool same_place(const struct stack_listener *a, const struct stack_listener *b)
{
    return a->v6 == b->v6 && a->port == b->port && a->any == b->any &&
           (a->any || addr_eq(&a->addr, &b->addr));
}

int stack_listen(struct stack *s, const struct stack_listener *l)
{
    struct stack_listener *grown;

    for (uint32_t i = 0; i < s->listeners; i++)
        if (same_place(&s->listener[i], l))
            return WAVE_EINUSE;
    grown = env_realloc(&s->env, s->listener, s->listeners * sizeof *grown,
                        (s->listeners + 1) * sizeof *grown);
    if (!grown)
        return WAVE_ENOMEM;
    s->listener = grown;
    s->listener[s->listeners++] = *l;
    return 0;
}

void stack_unlisten(struct stack *s)
{
    if (s->listener)
        env_realloc(&s->env, s->listener, s->listeners * sizeof *s->listener, 0);
    s->listener = NULL;
    s->listeners = 0;
}

struct conn *stack_conn(struct stack *s, uint32_t id)
{
    return pool_conn(&s->pool, id);
}

void stack_changed(struct stack *s, wave_time now, uint32_t id)
{
    struct conn *c = pool_conn(&s->pool, id);

    if (c)
        reschedule(s, now, c);
}

void stack_release(struct stack *s, uint32_t id)
{
    struct conn *c = pool_conn(&s->pool, id);

    if (c)
        give(s, c);
}

uint32_t stack_count(const struct stack *s)
{
    return s->pool.used;
}

uint32_t stack_next(struct stack *s, uint32_t *cursor)
{
    while (*cursor < s->pool.made) {
        const uint32_t id = pool_at(&s->pool, (*cursor)++)->id;

        if (id != STACK_NONE)
            return id;
    }
    return STACK_NONE;
}

uint32_t stack_half_open(const struct stack *s)
{
    return s->half_open;
}

uint64_t stack_cookies(const struct stack *s)
{
    return s->cookies;
}

uint64_t stack_replies_lost(const struct stack *s)
{
    return s->reply_queue.lost;
}

/*
 * Segments of flows that have no connection.
 */

/* Returns the listener for this end. A listener with exactly this address comes before one for any
 * address. */
static const struct stack_listener *listener_of(const struct stack *s, const struct flow *flow)
{
    const struct stack_listener *found = NULL;

    for (uint32_t i = 0; i < s->listeners; i++) {
        const struct stack_listener *l = &s->listener[i];

        if (l->port != flow->lport || l->v6 != (flow->v6 != 0))
            continue;
        if (!l->any && addr_eq(&l->addr, &flow->local))
            return l;
        if (l->any)
            found = l;
    }
    return found;
}

/* Queues the RST that answers `seg`. `c` is the flow's connection, or NULL. */
static void queue_reset(struct stack *s, wave_time now, const struct conn *c,
                        const struct flow *flow, const struct seg *seg)
{
    struct seg reset;

    if (conn_reset_for(c, now, seg, &reset))
        reply_queue_put(&s->reply_queue, flow, &reset);
}

/* Answers a SYN with a cookie (RFC 4987, 3.6). A temporary connection builds the SYN-ACK, so that
 * it offers exactly what conn_rebuild() will restore. */
static void queue_cookie(struct stack *s, wave_time now, const struct flow *flow,
                         const struct seg *seg)
{
    const uint16_t mss = seg->opt.has & OPT_MSS ? seg->opt.mss : flow->v6 ? 1220 : 536;
    struct seg syn = *seg, out;
    struct conn c;

    /* Data and FIN cannot be kept without memory; the peer will retransmit them. */
    syn.flags &= (uint16_t)~SEG_FIN;
    syn.len = 0;
    syn.data = NULL;
    if (!s->env.config.timestamps || !(syn.opt.has & OPT_TIMESTAMP)) {
        syn.opt.has &= (uint8_t) ~(OPT_WSCALE | OPT_SACK_PERMITTED);
        syn.flags &= (uint16_t) ~(SEG_ECE | SEG_CWR);
    }
    conn_init(&c, &s->env, flow, STACK_NONE);
    if (conn_listen(&c, cookie_make(&s->cookie_key, now, flow, syn.seq, mss)) == 0) {
        conn_input(&c, now, &syn);
        c.ts_offset = cookie_ts_offset(&s->cookie_key, flow);
        /* A SYN-ACK carries no data, so no room for data is needed. */
        if (c.state == STATE_SYN_RECEIVED && conn_output(&c, now, &out, NULL)) {
            if (out.opt.has & OPT_TIMESTAMP)
                out.opt.tsval = cookie_tsval(out.opt.tsval, &syn.opt, out.flags & SEG_ECE);
            reply_queue_put(&s->reply_queue, flow, &out);
            s->cookies++;
            s->cookie_last = now;
        }
    }
    conn_release(&c);
}

/* Returns whether an acknowledgement can be that of a cookie. While no cookie is outstanding,
 * checking could only succeed for a guess. */
static bool cookies_out(const struct stack *s, wave_time now)
{
    return s->cookies > 0 && now - s->cookie_last <= 2 * COOKIE_LIFE;
}

/* Handles the acknowledgement of a cookie; returns false when it is not one. *id is set to the new
 * connection. It is not set when memory is short: the peer's data will bring the cookie once
 * more. */
static bool accept_cookie(struct stack *s, wave_time now, const struct flow *flow, uint32_t hash,
                          const struct seg *seg, uint32_t *id)
{
    const struct seq irs = seq_sub(seg->seq, 1), iss = seq_sub(seg->ack, 1);
    struct seg syn = {.seq = irs, .flags = SEG_SYN, .wnd = seg->wnd, .opt.has = OPT_MSS};
    struct conn *c;

    syn.opt.mss = cookie_check(&s->cookie_key, now, flow, irs, iss);
    if (syn.opt.mss == 0)
        return false;
    if (s->env.config.timestamps && (seg->opt.has & OPT_TIMESTAMP)) {
        syn.opt.has |= OPT_TIMESTAMP;
        syn.opt.tsval = seg->opt.tsval;
        if (cookie_tsecr(seg->opt.tsecr, &syn.opt))
            syn.flags |= SEG_ECE | SEG_CWR;
    }
    c = take(s, flow, hash);
    if (!c)
        return true;
    c->hook.marks |= MARK_ACCEPTED;
    if (conn_rebuild(c, now, &syn, iss) != 0) {
        give(s, c);
        return true;
    }
    if (conn_input(c, now, seg) == INPUT_RESET)
        queue_reset(s, now, c, flow, seg);
    if (reschedule(s, now, c))
        *id = c->id;
    return true;
}

/* Makes a connection from a SYN. Its ISS lies beyond `above`, the last sequence number of the
 * flow's previous incarnation, if there was one (RFC 9293, 3.6.1). Without memory the SYN is
 * treated as lost: the peer will retransmit it. */
static uint32_t accept_syn(struct stack *s, wave_time now, const struct flow *flow, uint32_t hash,
                           const struct seg *syn, const struct seq *above)
{
    const bool crosses = s->env.config.simultaneous_open; /* DEVIATES, as the user asked */
    struct seq iss = isn(&s->isn_key, flow, now);
    struct conn *c = take(s, flow, hash);

    if (!c)
        return STACK_NONE;
    /* 65,535 beyond, which is further than anything in flight in an unscaled window. */
    if (above && !seq_gt(iss, *above))
        iss = seq_add(*above, 65536);
    c->hook.marks |= MARK_ACCEPTED;
    if ((crosses ? conn_open(c, now, iss) : conn_listen(c, iss)) != 0) {
        give(s, c);
        return STACK_NONE;
    }
    if (!crosses)
        conn_input(c, now, syn);
    return reschedule(s, now, c) ? c->id : STACK_NONE;
}

/* Handles a segment that belongs to no connection. */
static uint32_t input_without_connection(struct stack *s, wave_time now, const struct flow *flow,
                                         uint32_t hash, const struct seg *seg,
                                         const struct seq *above)
{
    const struct stack_listener *l = listener_of(s, flow);
    const unsigned kind = seg->flags & (SEG_SYN | SEG_ACK | SEG_RST);
    uint32_t id = STACK_NONE;

    if (!l) { /* RFC 9293, 3.10.7.1 */
        queue_reset(s, now, NULL, flow, seg);
    } else if (kind == SEG_SYN) {
        if (s->half_open < l->half_open)
            return accept_syn(s, now, flow, hash, seg, above);
        queue_cookie(s, now, flow, seg);
    } else if (kind != SEG_ACK || !cookies_out(s, now) ||
               !accept_cookie(s, now, flow, hash, seg, &id)) {
        /* RFC 9293, 3.10.7.2: an ACK is answered with an RST, and anything else is dropped. */
        if (l->answer_rst && (seg->flags & SEG_ACK))
            queue_reset(s, now, NULL, flow, seg);
    }
    return id;
}

/*
 * The network's side.
 */

uint32_t stack_input(struct stack *s, wave_time now, const struct flow *flow, const struct seg *seg)
{
    const uint32_t hash = flow_table_hash(&s->table, flow);
    struct conn *c = flow_table_find(&s->table, &s->pool, flow, hash);
    uint32_t id;

    if (!c)
        return input_without_connection(s, now, flow, hash, seg, NULL);
    id = c->id;
    switch (conn_input(c, now, seg)) {
    case INPUT_REUSE: {
        /* The old connection is CLOSED now, and reschedule() removes it from the table. Its user
         * still has to release it. */
        const struct seq above = c->snd.nxt;

        reschedule(s, now, c);
        return input_without_connection(s, now, flow, hash, seg, &above);
    }
    case INPUT_RESET:
        queue_reset(s, now, c, flow, seg);
        break;
    case INPUT_DONE:
        break;
    }
    reschedule(s, now, c);
    return id;
}

uint32_t stack_icmp(struct stack *s, wave_time now, const struct icmp *e)
{
    struct conn *c =
        flow_table_find(&s->table, &s->pool, &e->flow, flow_table_hash(&s->table, &e->flow));
    uint32_t id;

    if (!c)
        return STACK_NONE;
    id = c->id;
    conn_icmp(c, now, e);
    reschedule(s, now, c);
    return id;
}

bool stack_output(struct stack *s, wave_time now, struct flow *flow, struct seg *out, uint8_t *room,
                  uint32_t *id)
{
    struct conn *c;

    if (reply_queue_take(&s->reply_queue, flow, out)) {
        *id = STACK_NONE;
        return true;
    }
    while (!env_busy(&s->env) && (c = ready_first(&s->ready))) {
        bool sent;

        not_ready(s, c); /* reschedule() appends it again if it has more to send */
        sent = conn_output(c, now, out, room);
        if (!sent) { /* then a timer is due */
            conn_tick(c, now);
            sent = conn_output(c, now, out, room);
        }
        if (sent) {
            *flow = c->flow;
            *id = c->id;
        }
        if (sent && has_more(out)) {
            schedule(s, now, c, now);
            return true;
        }
        if (reschedule(s, now, c) && !sent && (c->hook.marks & MARK_READY)) {
            /* It wants to send but has no memory to do so. It must wait, or this loop would never
             * end. */
            schedule(s, now, c, now + 1);
        }
        if (sent)
            return true;
    }
    return false;
}

bool stack_event(struct stack *s, struct event *out)
{
    struct event e;

    while (env_event(&s->env, &e))
        if (e.id != STACK_NONE) { /* events of connections that only built a cookie are dropped */
            *out = e;
            return true;
        }
    return false;
}

void stack_tick(struct stack *s, wave_time now)
{
    struct conn *c;

    /* Runs as many timers as the event queue has room for. The others stay due, and stack_expiry()
     * says so. */
    while (!env_busy(&s->env)) {
        c = wheel_pop(&s->wheel, now);
        if (!c)
            return;
        conn_tick(c, now);
        reschedule(s, now, c);
    }
}

wave_time stack_expiry(struct stack *s, wave_time now)
{
    if (s->reply_queue.count > 0 || ready_first(&s->ready))
        return now;
    return wheel_next(&s->wheel);
}
