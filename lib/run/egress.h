/*
 * The way out: takes what the engine has to send and hands it to the port, in batches that share a
 * system call. When the kernel has no room, it waits for a moment that doubles, and what is queued
 * stays queued. A segment larger than the MTU (EMSGSIZE) is told to the engine at once, as a router
 * would have told it. Any other refusal loses that one segment, and its sender is told.
 */
#ifndef TCPWAVE_RUN_EGRESS_H
#define TCPWAVE_RUN_EGRESS_H

#include "lib/core/stack.h"
#include "lib/run/port.h"

/* Segments sent before what they draw is taken in. Those of one connection are joined, as many as
 * an IP packet holds, and the more the better; those of many are not, and a peer that gets them
 * earlier begins earlier to answer. */
#define EGRESS_BATCH WIRE_QUEUE_MAX
#define EGRESS_SHARED 64

struct egress_ops {
    /* Whether the engine may be asked for more now; it is asked again in the next round. NULL: it
     * always may. */
    bool (*may_send)(void *self);
    /* A segment is about to be queued; `id` is its connection, or STACK_NONE for a reset or a SYN
     * cookie that belongs to none. *ip may be changed for this segment alone. May be NULL. */
    void (*sending)(void *self, uint32_t id, const struct flow *flow, const struct seg *s,
                    struct wire_ip *ip);
    /* The kernel refused a segment of this flow for good: it is lost. */
    void (*send_failed)(void *self, const struct flow *flow, const struct diag *d);
    /* The engine may have events: they are to be taken now, since its queue is short. */
    void (*events)(void *self);
};

struct egress {
    struct port *port;
    struct stack *stack; /* NULL: only packets that are crafted elsewhere go out */
    struct wire_ip ip;   /* fields of the IP header of every segment */
    const struct egress_ops *ops;
    void *self;
    unsigned max;              /* segments of a batch: EGRESS_BATCH or EGRESS_SHARED */
    unsigned queued;           /* segments that the port has not been told to flush */
    wave_time pause, retry_at; /* the kernel had no room: it is asked again then; or pause is 0 */
    uint8_t room[CONN_ROOM];
};

/* Hands what is queued to the kernel. False: it has no room now, and is asked again at
 * egress.retry_at. */
bool egress_flush(struct egress *e, wave_time now);

/* Queues what the engine owes, as long as a batch has room. */
void egress_pull(struct egress *e, wave_time now);

/* Sends a batch of what the engine owes. True when there may be more: the batch was whole, and the
 * kernel took it. */
bool egress_send(struct egress *e, wave_time now);

/* Whether what is queued makes a batch. */
static inline bool egress_whole(const struct egress *e)
{
    return e->queued >= e->max;
}

/* Whether the kernel has no room for what is queued. */
static inline bool egress_stuck(const struct egress *e)
{
    return e->pause != 0;
}

#endif
