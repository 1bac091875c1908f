#include "lib/core/owed.h"

void owed_put(struct owed *o, const struct flow *flow, const struct seg *seg)
{
    uint32_t at;

    if (o->count == OWED_ROOM) {
        o->first = (o->first + 1) % OWED_ROOM;
        o->count--;
        o->lost++;
    }
    at = (o->first + o->count++) % OWED_ROOM;
    o->item[at].flow = *flow;
    o->item[at].seg = *seg;
}

bool owed_take(struct owed *o, struct flow *flow, struct seg *seg)
{
    if (o->count == 0)
        return false;
    *flow = o->item[o->first].flow;
    *seg = o->item[o->first].seg;
    o->first = (o->first + 1) % OWED_ROOM;
    o->count--;
    return true;
}
