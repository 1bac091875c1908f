/* Two sizes are enough: segments without data, and those that fit into an Ethernet frame. Larger
 * packets are allocated each time. */
#include "lib/sim/packet_pool.h"

#include <stdlib.h>
#include <string.h>

#define SPARES_MAX 16384 /* of each size: 38 MB together */

static const uint32_t sizes[2] = {PACKET_DATA_AT + 152, PACKET_DATA_AT + PACKET_PLACE};

/* Returns a packet of one of the sizes. */
static struct delayed_packet *take_size(struct packet_pool *p, unsigned size)
{
    struct delayed_packet *c = p->spare[size];

    if (c) {
        p->spare[size] = c->next;
        p->spares[size]--;
        return c;
    }
    c = malloc(sizeof *c + sizes[size]);
    if (c)
        c->room = sizes[size];
    return c;
}

static struct delayed_packet *take(struct packet_pool *p, size_t len)
{
    const size_t room = PACKET_DATA_AT + len;
    struct delayed_packet *c;

    for (unsigned i = 0; i < 2; i++)
        if (room <= sizes[i])
            return take_size(p, i);
    c = malloc(sizeof *c + room);
    if (c)
        c->room = (uint32_t)room;
    return c;
}

struct delayed_packet *packet_pool_take(struct packet_pool *p, unsigned from, size_t len,
                                        const uint8_t *data)
{
    struct delayed_packet *c = p->prepared;

    if (c && data == c->bytes + PACKET_DATA_AT)
        p->prepared = NULL;
    else
        c = take(p, len);
    if (!c)
        return NULL;
    const uint32_t room = c->room;
    memset(c, 0, sizeof *c);
    c->room = room;
    c->from = (uint8_t)from;
    return c;
}

uint8_t *packet_pool_place(struct packet_pool *p)
{
    if (!p->prepared)
        p->prepared = take_size(p, 1);
    return p->prepared ? p->prepared->bytes + PACKET_DATA_AT : NULL;
}

void packet_pool_give(struct packet_pool *p, struct delayed_packet *c)
{
    for (unsigned i = 0; i < 2; i++)
        if (c->room == sizes[i] && p->spares[i] < SPARES_MAX) {
            c->next = p->spare[i];
            p->spare[i] = c;
            p->spares[i]++;
            return;
        }
    free(c);
}

void packet_pool_free(struct packet_pool *p)
{
    for (unsigned i = 0; i < 2; i++)
        for (struct delayed_packet *c; (c = p->spare[i]);) {
            p->spare[i] = c->next;
            free(c);
        }
    free(p->prepared);
    *p = (struct packet_pool){.prepared = NULL};
}
