/* Hands segments from the engine to the port. egress_pull() asks the engine for segments until a
 * batch is full; egress_flush() has the port send them. Nothing here waits: if the kernel has no
 * room, egress_flush() sets egress.retry_at and returns. */
#include "lib/run/egress.h"

#define PAUSE_FIRST (100 * WAVE_US) /* before the kernel is tried once more */
#define PAUSE_MAX (10 * WAVE_MS)    /* the pause doubles up to this */

/* The packet is larger than the MTU of the outgoing interface, and the kernel knows that better
 * than the route that was read at the start. The engine is informed as a router would inform it
 * (RFC 1191, section 4), without a size. */
static void too_big(struct egress *e, const struct wire_unsent *u, wave_time now)
{
    struct icmp icmp = {.from = u->flow.local,
                        .flow = u->flow,
                        .has_seq = true,
                        .seq = u->seq,
                        .meaning = ICMP_TOO_BIG};

    stack_icmp(e->stack, now, &icmp);
    e->ops->events(e->self);
}

static const struct diag too_large = {"a segment is larger than the MTU of the outgoing interface"};

bool egress_flush(struct egress *e, wave_time now)
{
    struct wire_unsent u;
    struct diag d; /* not zeroed: most calls need none */
    int error;

    if (e->pause && now < e->retry_at)
        return false;
    while ((error = e->port->ops->flush(e->port, &u, &d)) != 0 && error != WAVE_EAGAIN) {
        if (error == WAVE_ETRUNC && e->stack)
            too_big(e, &u, now);
        else if (error == WAVE_ETRUNC)
            e->ops->send_failed(e->self, &u.flow, &too_large);
        else
            e->ops->send_failed(e->self, &u.flow, &d);
    }
    if (error) {
        e->pause = e->pause ? time_min(2 * e->pause, PAUSE_MAX) : PAUSE_FIRST;
        e->retry_at = now + e->pause;
        e->queued = e->max;
        return false;
    }
    e->pause = 0;
    e->queued = 0;
    return true;
}

/* Returns where the engine is to write the data of the next segment. In its place in the transmit
 * queue it need not be copied. */
static uint8_t *room_for(struct egress *e)
{
    uint8_t *room = e->port->ops->room ? e->port->ops->room(e->port) : NULL;

    return room ? room : e->room;
}

/* Returns how many segments the engine may give as one. */
static unsigned train_of(struct egress *e)
{
    return e->port->ops->train && !e->ip.id ? e->port->ops->train(e->port) : 1;
}

/* Has the engine's events pulled, if there are any: mostly there are none. */
static void pull_events(struct egress *e, const struct env *env)
{
    if (env->event_count)
        e->ops->events(e->self);
}

void egress_pull(struct egress *e, wave_time now)
{
    struct env *const env = stack_env(e->stack);
    struct flow flow;
    struct seg seg;
    uint32_t id;

    if (e->ops->may_send && !e->ops->may_send(e->self))
        return;
    env->train = train_of(e);
    pull_events(e, env); /* while too many events wait, the engine sends nothing */
    while (!egress_whole(e) && stack_output(e->stack, now, &flow, &seg, room_for(e), &id)) {
        struct wire_ip ip = e->ip;
        struct diag d; /* not zeroed: there is one for each segment */
        int error;

        d.text[0] = '\0';

        if (e->ops->sending)
            e->ops->sending(e->self, id, &flow, &seg, &ip);
        error = e->port->ops->send(e->port, &flow, &seg, &ip, &d);
        /* A batch holds fewer segments when they are larger than the MTU. */
        if (error == WAVE_EAGAIN && egress_flush(e, now))
            error = e->port->ops->send(e->port, &flow, &seg, &ip, &d);
        if (error == 0)
            e->queued += seg_count(&seg);
        else if (error != WAVE_EAGAIN) /* the segment is lost, and will be retransmitted */
            e->ops->send_failed(e->self, &flow, &d);
        pull_events(e, env);
    }
    pull_events(e, env);
}

bool egress_send(struct egress *e, wave_time now)
{
    bool whole;

    if (!egress_flush(e, now))
        return false;
    if (e->stack)
        egress_pull(e, now);
    whole = egress_whole(e);
    return egress_flush(e, now) && whole;
}
