/*
 * A ring of fixed size, in which the oldest segment makes way for the newest.
 */
#include "lib/core/reply_queue.h"

void reply_queue_put(struct reply_queue *o, const struct flow *flow, const struct seg *seg)
{
    uint32_t at;

    if (o->count == REPLY_QUEUE_MAX) {
        o->first = (o->first + 1) % REPLY_QUEUE_MAX;
        o->count--;
        o->lost++;
    }
    at = (o->first + o->count++) % REPLY_QUEUE_MAX;
    o->item[at].flow = *flow;
    o->item[at].seg = *seg;
}

bool reply_queue_take(struct reply_queue *o, struct flow *flow, struct seg *seg)
{
    if (o->count == 0)
        return false;
    *flow = o->item[o->first].flow;
    *seg = o->item[o->first].seg;
    o->first = (o->first + 1) % REPLY_QUEUE_MAX;
    o->count--;
    return true;
}
