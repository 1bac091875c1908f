/*
 * The host runs the engine of lib/core, and beside it an application. act() calls the application
 * after each event of the engine; the application then reads, writes and closes as its behaviour
 * says, immediately and without buffers of its own.
 */
#include "lib/sim/host.h"

#include <stdlib.h>

#include "lib/core/err.h"

#define HOST_CONNECTIONS (1u << 20) /* at a time; the pool grows as it is used */

static const char answer_text[] = HOST_ANSWER_TEXT;

struct host {
    struct host_config config;
    struct stack *stack;
};

int host_create(struct host **out, const struct host_config *config)
{
    struct host *h = calloc(1, sizeof *h);
    struct stack_listener at = {.v6 = config->v6,
                                .addr = config->addr,
                                .port = config->port,
                                .half_open = config->half_open,
                                .answer_rst = true};

    if (!h)
        return WAVE_ENOMEM;
    h->config = *config;
    if (stack_create(&h->stack, &config->engine, HOST_CONNECTIONS, config->seed) != 0 ||
        (config->port && config->behaviour != HOST_CLOSED && stack_listen(h->stack, &at) != 0)) {
        host_destroy(h);
        return WAVE_ENOMEM;
    }
    *out = h;
    return 0;
}

void host_destroy(struct host *h)
{
    if (!h)
        return;
    stack_destroy(h->stack);
    free(h);
}

struct stack *host_stack(struct host *h)
{
    return h->stack;
}

/* Returns whether the host ignores all that arrives and sends nothing. */
static bool silent(const struct host *h, wave_time now)
{
    return h->config.behaviour == HOST_SILENT || now >= h->config.vanish_at;
}

/* Reads all received data, and sends it back when the host echoes. */
static void read_all(struct host *h, struct conn *c, wave_time now)
{
    const uint8_t *bytes;
    size_t n;

    while ((n = conn_peek(c, &bytes)) > 0) {
        if (h->config.behaviour == HOST_ECHO && !(c->flags & CONN_FIN_QUEUED)) {
            int sent = conn_send(c, now, bytes, n);
            if (sent <= 0)
                return; /* we read the rest when the peer has acknowledged what we sent */
            n = (size_t)sent;
        }
        conn_consume(c, now, n);
    }
}

/* Returns whether the application sends its answer now. */
static bool answers_now(enum host_behaviour behaviour, const struct conn *c, const struct event *e)
{
    bool opened = e->kind == EVENT_STATE && e->u.state.to == STATE_ESTABLISHED;

    return (behaviour == HOST_ANSWER && e->kind == EVENT_DATA) ||
           (behaviour == HOST_ANSWER_AFTER_FIN && (c->flags & CONN_FIN_RCVD)) ||
           ((behaviour == HOST_ANSWER_AND_FIN_FIRST || behaviour == HOST_ANSWER_FIRST) && opened);
}

/* Lets the application act on one event of a connection. */
static void serve(struct host *h, struct conn *c, wave_time now, const struct event *e)
{
    enum host_behaviour behaviour = h->config.behaviour;

    if (behaviour == HOST_NEVER_READS)
        return;
    if ((e->kind == EVENT_DATA && behaviour == HOST_RESETS) ||
        ((c->flags & CONN_FIN_RCVD) && behaviour == HOST_RESETS_FIN)) {
        conn_abort(c, now);
        return;
    }
    read_all(h, c, now);
    if (!(c->flags & CONN_FIN_QUEUED) && answers_now(behaviour, c, e)) {
        conn_send(c, now, answer_text, sizeof answer_text - 1);
        if (behaviour != HOST_ANSWER_FIRST)
            conn_close(c, now);
    }
    if ((c->flags & CONN_FIN_RCVD) && !(c->flags & CONN_FIN_QUEUED) &&
        behaviour != HOST_NEVER_CLOSES && conn_peek(c, &(const uint8_t *){NULL}) == 0)
        conn_close(c, now);
}

/* Hands all events of the engine to the application, and releases connections that are over. */
static void act(struct host *h, wave_time now)
{
    struct event e;

    while (stack_event(h->stack, &e)) {
        struct conn *c = stack_conn(h->stack, e.id);
        if (!c)
            continue;
        if (c->state == STATE_CLOSED) {
            if (e.kind == EVENT_STATE && conn_expiry(c, now) > now)
                stack_release(h->stack, e.id);
            continue;
        }
        if (state_synchronized((enum state)c->state)) {
            serve(h, c, now, &e);
            stack_changed(h->stack, now, e.id);
        }
    }
}

int host_dial(struct host *h, wave_time now, const struct flow *flow, uint32_t *id)
{
    int error = stack_connect(h->stack, now, flow, id);

    act(h, now);
    return error;
}

void host_input(struct host *h, wave_time now, const struct flow *flow, const struct seg *s)
{
    if (silent(h, now))
        return;
    stack_input(h->stack, now, flow, s);
    act(h, now);
}

void host_icmp(struct host *h, wave_time now, const struct icmp *e)
{
    if (silent(h, now))
        return;
    stack_icmp(h->stack, now, e);
    act(h, now);
}

bool host_output(struct host *h, wave_time now, struct flow *flow, struct seg *out, uint8_t *room)
{
    uint32_t id;
    bool any = !silent(h, now) && stack_output(h->stack, now, flow, out, room, &id);

    act(h, now);
    return any;
}

void host_tick(struct host *h, wave_time now)
{
    if (silent(h, now))
        return;
    stack_tick(h->stack, now);
    act(h, now);
}

wave_time host_expiry(struct host *h, wave_time now)
{
    return silent(h, now) ? WAVE_NEVER : stack_expiry(h->stack, now);
}
