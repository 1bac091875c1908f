/*
 * Takes from the engine what it has to send and hands it to the port, in batches that share a
 * system call. If the kernel has no room, it pauses, each time twice as long, and what is queued
 * stays queued. The engine is informed immediately of a segment that is larger than the MTU
 * (EMSGSIZE), as a router would inform it. With any other error that one segment is lost, and its
 * sender is informed.
 */
#ifndef TCPWAVE_RUN_EGRESS_H
#define TCPWAVE_RUN_EGRESS_H

#include "lib/core/stack.h"
#include "lib/run/port.h"

/* Segments sent before their answers are read. Segments of one connection are merged, as many as an
 * IP packet holds, so a large batch is best. Segments of many connections are not merged, and a
 * peer that gets them earlier begins to answer earlier. */
#define EGRESS_BATCH WIRE_QUEUE_MAX
#define EGRESS_SHARED 64

struct egress_ops {
    /* Returns whether the engine may be asked for more now; if not, it is asked in the next round.
     * NULL: it always may. */
    bool (*may_send)(void *self);
    /* Called when a segment is about to be queued. `id` is its connection, or STACK_NONE for a
     * reset or a SYN cookie that belongs to none. *ip may be changed for this segment alone, or for
     * the whole train if it is one (seg.train). May be NULL. */
    void (*sending)(void *self, uint32_t id, const struct flow *flow, const struct seg *s,
                    struct wire_ip *ip);
    /* Called when the kernel has rejected a segment of this flow for good: it is lost. */
    void (*send_failed)(void *self, const struct flow *flow, const struct diag *d);
    /* Called when the engine may have events. They must be pulled now, because its queue is
     * short. */
    void (*events)(void *self);
};

struct egress {
    struct port *port;
    struct stack *stack; /* NULL: only packets that are built elsewhere are sent */
    struct wire_ip ip;   /* fields of the IP header of every segment */
    const struct egress_ops *ops;
    void *self;
    unsigned max;              /* segments of a batch: EGRESS_BATCH or EGRESS_SHARED */
    unsigned queued;           /* segments that the port has not been asked to flush */
    wave_time pause, retry_at; /* the kernel had no room and is tried then; `pause` is 0
                                  otherwise */
    uint8_t room[CONN_ROOM];
};

/* Hands what is queued to the kernel. Returns false if the kernel has no room now; it is tried once
 * more at egress.retry_at. */
bool egress_flush(struct egress *e, wave_time now);

/* Queues what the engine has to send, as long as the batch has room. */
void egress_pull(struct egress *e, wave_time now);

/* Sends a batch of what the engine has to send. Returns true if there may be more: the batch was
 * full, and the kernel took it. */
bool egress_send(struct egress *e, wave_time now);

/* Returns whether what is queued makes a batch. */
static inline bool egress_whole(const struct egress *e)
{
    return e->queued >= e->max;
}

/* Returns whether the kernel has no room for what is queued. */
static inline bool egress_stuck(const struct egress *e)
{
    return e->pause != 0;
}

#endif
