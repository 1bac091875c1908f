/* The time of the last segment stands beside the map, at the number of the flow. */
#include "lib/sim/nat.h"

#include <stdlib.h>

#include "lib/core/err.h"

int nat_init(struct nat *n, wave_time idle, bool resets, uint64_t seed)
{
    *n = (struct nat){.idle = idle, .resets = resets};
    n->last = calloc(FLOW_MAP_MAX, sizeof *n->last);
    if (n->last && flow_map_init(&n->map, seed) == 0)
        return 0;
    nat_free(n);
    return WAVE_ENOMEM;
}

void nat_free(struct nat *n)
{
    free(n->last);
    n->last = NULL;
    flow_map_free(&n->map);
}

enum nat_does nat_pass(struct nat *n, wave_time now, const struct flow *flow, const struct seg *s)
{
    uint32_t number = flow_map_find(&n->map, flow);
    const bool opens = (s->flags & (SEG_SYN | SEG_ACK)) == SEG_SYN;
    bool fresh;

    if (number != FLOW_MAP_NONE && now - n->last[number] >= n->idle) {
        flow_map_remove(&n->map, number);
        number = FLOW_MAP_NONE;
    }
    if (number == FLOW_MAP_NONE && !opens)
        return n->resets && !(s->flags & SEG_RST) ? NAT_RESETS : NAT_DROPS;
    number = flow_map_use(&n->map, flow, &fresh);
    n->last[number] = now;
    return NAT_PASSES;
}

void nat_reset(const struct seg *s, struct seg *rst)
{
    const bool acks = s->flags & SEG_ACK;

    *rst = (struct seg){.seq = acks ? s->ack : seq_of(0),
                        .ack = acks ? seq_of(0) : seg_end(s),
                        .flags = acks ? SEG_RST : SEG_RST | SEG_ACK};
}
