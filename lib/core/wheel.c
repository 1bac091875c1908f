/*
 * A hierarchical timing wheel. A time is a number of ticks with nine digits to the base 64, and
 * each level of the wheel is for one digit. A connection waits on the level of the highest digit in
 * which its time differs from the wheel's own. wheel_pop() turns the wheel from one used slot
 * directly to the next, which a bit mask for each level finds.
 */
#include "lib/core/wheel.h"

enum { SLOT_BITS = 6, NO_SLOT = WHEEL_LEVELS * WHEEL_SLOTS };

_Static_assert(WHEEL_LEVELS *SLOT_BITS + WHEEL_TICK_BITS >= 64, "every time has a place");

void wheel_init(struct wheel *w, const struct pool *pool)
{
    *w = (struct wheel){.pool = pool};
}

/* Returns the slot for a tick that is not in the past. Its level is that of the highest base-64
 * digit in which it differs from the wheel's own tick, so that the slot lies ahead on that level,
 * too. */
static unsigned slot_for(const struct wheel *w, uint64_t tick)
{
    const uint64_t differs = tick ^ w->tick;
    const unsigned level = differs ? (63 - (unsigned)__builtin_clzll(differs)) / SLOT_BITS : 0;

    return level * WHEEL_SLOTS + (tick >> level * SLOT_BITS) % WHEEL_SLOTS;
}

/* Returns the tick at which a slot begins. */
static uint64_t slot_begin(const struct wheel *w, unsigned slot)
{
    const unsigned shift = slot / WHEEL_SLOTS * SLOT_BITS;

    return (w->tick >> shift >> SLOT_BITS << SLOT_BITS | slot % WHEEL_SLOTS) << shift;
}

static struct conn *node(const struct wheel *w, uint32_t link)
{
    return link ? pool_at(w->pool, link - 1) : NULL;
}

void wheel_disarm(struct wheel *w, struct conn *c)
{
    const unsigned slot = c->hook.wheel_slot - 1u;
    struct conn *next = node(w, c->hook.wheel_next), *prev = node(w, c->hook.wheel_prev);

    if (c->hook.wheel_slot == 0)
        return;
    if (next)
        next->hook.wheel_prev = c->hook.wheel_prev;
    if (prev)
        prev->hook.wheel_next = c->hook.wheel_next;
    else
        w->slot[slot] = c->hook.wheel_next;
    if (w->slot[slot] == 0)
        w->busy[slot / WHEEL_SLOTS] &= ~((uint64_t)1 << slot % WHEEL_SLOTS);
    c->hook.wheel_next = c->hook.wheel_prev = 0;
    c->hook.wheel_slot = 0;
}

static void insert(struct wheel *w, struct conn *c, unsigned slot)
{
    struct conn *next = node(w, w->slot[slot]);
    const uint32_t link = pool_index(c->id) + 1;

    c->hook.wheel_next = w->slot[slot];
    c->hook.wheel_prev = 0;
    c->hook.wheel_slot = (uint16_t)(slot + 1);
    if (next)
        next->hook.wheel_prev = link;
    w->slot[slot] = link;
    w->busy[slot / WHEEL_SLOTS] |= (uint64_t)1 << slot % WHEEL_SLOTS;
}

void wheel_arm(struct wheel *w, struct conn *c, wave_time when)
{
    /* The tick is rounded up, so that a node is never early on the finest level. */
    uint64_t tick = when / WHEEL_TICK + (when % WHEEL_TICK != 0);

    if (tick < w->tick)
        tick = w->tick;
    if (tick > WAVE_NEVER / WHEEL_TICK) /* the last tick that begins before time ends */
        tick = WAVE_NEVER / WHEEL_TICK;
    if (c->hook.wheel_slot && slot_begin(w, c->hook.wheel_slot - 1u) <= tick)
        return;
    wheel_disarm(w, c);
    insert(w, c, slot_for(w, tick));
}

/* Returns the slot that begins first, or NO_SLOT when all are empty. It is on the finest level in
 * use, or it is the slot that is being emptied, which began at the wheel's own tick, on any
 * level. */
static unsigned first_slot(const struct wheel *w)
{
    unsigned first = NO_SLOT;

    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned slot;

        if (!w->busy[level])
            continue;
        slot = level * WHEEL_SLOTS + (unsigned)__builtin_ctzll(w->busy[level]);
        if (first == NO_SLOT || slot_begin(w, slot) < slot_begin(w, first))
            first = slot;
    }
    return first;
}

wave_time wheel_next(const struct wheel *w)
{
    const unsigned slot = first_slot(w);

    return slot == NO_SLOT ? WAVE_NEVER : slot_begin(w, slot) << WHEEL_TICK_BITS;
}

struct conn *wheel_pop(struct wheel *w, wave_time now)
{
    const uint64_t tick = now / WHEEL_TICK;
    const unsigned slot = first_slot(w);
    struct conn *c;

    if (slot == NO_SLOT || slot_begin(w, slot) > tick) {
        if (w->tick < tick)
            w->tick = tick;
        return NULL;
    }
    /* The wheel turns slot by slot, and stays at a slot until it is empty. */
    w->tick = slot_begin(w, slot);
    c = node(w, w->slot[slot]);
    wheel_disarm(w, c);
    return c;
}
