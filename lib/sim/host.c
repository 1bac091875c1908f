/*
 * The host runs the engine of lib/core, and beside it an application. act() calls the application
 * after each event of the engine; the application then reads, writes and closes as its behaviour
 * says, immediately and without buffers of its own.
 */
#include "lib/sim/host.h"

#include <stdlib.h>

#include "lib/core/err.h"

#define HOST_CONNECTIONS (1u << 20) /* at a time; the pool grows as it is used */

/* Where so many ports in turn are in use, the next try is made after a pause: they are in
 * TIME_WAIT, and the next in turn has been there for longest. */
#define DIAL_TRIES 16
#define DIAL_PAUSE (10 * WAVE_MS)
#define FIRST_BYTES 4      /* of the answer: what HOST_BREAKS_HALF_CLOSE sends of it */

static const char answer_text[] = HOST_ANSWER_TEXT;

/* An event that the application has still to act on. */
struct thought {
    struct thought *next;
    wave_time at;
    struct event event;
};

struct host {
    struct host_config config;
    struct thought *first, *last; /* in the order of time */

    struct stack *stack;
    uint32_t dialled;  /* connections that it has opened by itself */
    wave_time dial_at; /* when it opens the next one */
    uint32_t port;     /* of its turn, from 0 */
    uint32_t due;      /* SYNs that are not sent yet, of connections that end with their SYN */
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
    h->dial_at = config->dials.count ? config->dials.begin : WAVE_NEVER;
    if (!h->config.reboot_at)
        h->config.reboot_at = WAVE_NEVER;
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
    for (struct thought *t; (t = h->first);) {
        h->first = t->next;
        free(t);
    }
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

/* Lets an application act that takes the peer's FIN for the end: its answer is cut off. */
static void serve_breaking(struct conn *c, wave_time now, const struct event *e)
{
    const uint8_t *bytes;
    size_t n;

    while ((n = conn_peek(c, &bytes)) > 0)
        conn_consume(c, now, n);
    if (e->kind == EVENT_FIN)
        conn_send(c, now, answer_text, FIRST_BYTES);
    else if ((c->flags & CONN_FIN_RCVD) && e->kind == EVENT_ACKED)
        conn_abort(c, now);
}

/* Lets the application act on one event of a connection. */
static void serve(struct host *h, struct conn *c, wave_time now, const struct event *e)
{
    enum host_behaviour behaviour = h->config.behaviour;

    if (behaviour == HOST_NEVER_READS)
        return;
    if (behaviour == HOST_BREAKS_HALF_CLOSE) {
        serve_breaking(c, now, e);
        return;
    }
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

/* Has the application act on an event later. If memory is short, it never does. */
static void think(struct host *h, wave_time now, const struct event *e)
{
    struct thought *t = malloc(sizeof *t);

    if (!t)
        return;
    *t = (struct thought){.at = time_add(now, h->config.think), .event = *e};
    *(h->first ? &h->last->next : &h->first) = t;
    h->last = t;
}

/* Has the application act on what it has thought about for long enough. */
static void act_late(struct host *h, wave_time now)
{
    for (struct thought *t; (t = h->first) && t->at <= now;) {
        struct conn *c = stack_conn(h->stack, t->event.id);
        h->first = t->next;
        if (c && state_synchronized((enum state)c->state)) {
            serve(h, c, now, &t->event);
            stack_changed(h->stack, now, t->event.id);
        }
        free(t);
    }
}

/* Returns whether an application does anything at all on this event. */
static bool matters(const struct host *h, const struct event *e)
{
    switch (e->kind) {
    case EVENT_STATE:
        return e->u.state.to == STATE_ESTABLISHED;
    case EVENT_DATA:
    case EVENT_FIN:
        return true;
    case EVENT_ACKED: /* there is room to send again */
        return h->config.behaviour == HOST_ECHO || h->config.behaviour == HOST_BREAKS_HALF_CLOSE;
    default:
        return false;
    }
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
        if (!state_synchronized((enum state)c->state) || !matters(h, &e))
            continue;
        if (h->config.think) {
            think(h, now, &e);
        } else {
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

/* Returns whether connections that the host opens are forgotten as soon as their SYN is sent. */
static bool forgets(const struct host *h)
{
    return h->config.behaviour == HOST_SILENT || h->config.behaviour == HOST_CLOSED;
}

/* Opens the next connection, over the next port that is free. */
static void dial(struct host *h, wave_time now)
{
    const struct host_dials *d = &h->config.dials;
    struct flow flow = d->flow;
    uint32_t id;
    int error = WAVE_EINUSE;

    for (uint32_t tries = 0; tries < DIAL_TRIES && error == WAVE_EINUSE; tries++) {
        flow.lport = (uint16_t)(d->flow.lport + h->port);
        h->port = h->port + 1 < d->ports ? h->port + 1 : 0;
        error = host_dial(h, now, &flow, &id);
    }
    if (!error) {
        h->dialled++;
        h->due += forgets(h);
    }
    h->dial_at = h->dialled < d->count ? time_add(now, error ? DIAL_PAUSE + d->every : d->every)
                                       : WAVE_NEVER;
}

/* Forgets all connections, as a host does that is restarted. It needs no time for that. */
static void reboot(struct host *h, wave_time now)
{
    uint32_t cursor = 0, id;
    struct event e;

    h->config.reboot_at = WAVE_NEVER;
    while ((id = stack_next(h->stack, &cursor)) != STACK_NONE) {
        conn_vanish(stack_conn(h->stack, id), now);
        stack_release(h->stack, id);
        while (stack_event(h->stack, &e))
            ;
    }
}

/* Does what is due at this time. */
static void happen(struct host *h, wave_time now)
{
    if (now >= h->config.reboot_at)
        reboot(h, now);
    while (now >= h->dial_at && now < h->config.vanish_at)
        dial(h, now);
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

/* Releases a connection that ended with the segment that has just left: with its RST, or with its
 * SYN where the host forgets it. */
static void has_left(struct host *h, wave_time now, uint32_t id)
{
    struct conn *c = stack_conn(h->stack, id);

    if (h->due) {
        conn_vanish(c, now);
        h->due--;
    }
    if (c->state == STATE_CLOSED && conn_expiry(c, now) > now)
        stack_release(h->stack, id);
}

bool host_output(struct host *h, wave_time now, struct flow *flow, struct seg *out, uint8_t *room)
{
    uint32_t id;
    bool any = (h->due || !silent(h, now)) && stack_output(h->stack, now, flow, out, room, &id);

    if (any && id != STACK_NONE)
        has_left(h, now, id);
    act(h, now);
    return any;
}

void host_tick(struct host *h, wave_time now)
{
    happen(h, now);
    if (silent(h, now))
        return;
    act_late(h, now);
    stack_tick(h->stack, now);
    act(h, now);
}

wave_time host_expiry(struct host *h, wave_time now)
{
    wave_time timers = silent(h, now) ? WAVE_NEVER : stack_expiry(h->stack, now);
    wave_time thought = h->first ? h->first->at : WAVE_NEVER;

    if (now >= h->config.vanish_at)
        return WAVE_NEVER;
    if (silent(h, now))
        return time_min(h->config.reboot_at, h->dial_at);
    return time_min(time_min(timers, thought), time_min(h->config.reboot_at, h->dial_at));
}
