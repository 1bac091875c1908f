/*
 * What all connections of a stack share: the default settings, the allocator with its bound, the
 * random source, and the queue of events, a ring of fixed size. When the ring is full, the events
 * that a caller can reconstruct are dropped first.
 */
#include "lib/core/env.h"

#include <stdlib.h>
#include <string.h>

void conn_config_default(struct conn_config *c, uint32_t mtu, bool v6)
{
    const uint32_t fixed = v6 ? 60 : 40; /* RFC 6691: fixed headers only, options never deducted */
    uint32_t mss = mtu > fixed + 8 ? mtu - fixed : 8;

    *c = (struct conn_config){
        .rcvbuf = 4u << 20,
        .sndbuf = 4u << 20,
        .mss = mss > 65535 - 40 ? 65535 - 40 : mss, /* an IP packet has at most 65,535 bytes */
        .initial_window = 10,
        .wscale = true,
        .timestamps = true,
        .sack = true,
        .msl = 2 * WAVE_MIN,
        .time_wait = true,
        .rto_initial = 1 * WAVE_S,
        .rto_min = 200 * WAVE_MS,
        .rto_max = 120 * WAVE_S,
        .syn_retries = 7,
        .r2 = 100 * WAVE_S,
        .delayed_ack = 40 * WAVE_MS,
        .keepalive_idle = 7200 * WAVE_S,
        .keepalive_interval = 75 * WAVE_S,
        .keepalive_count = 10,
        .challenge_limit = 3,
        .quick_acks = 10,
    };
}

static void *resize_malloc(void *ctx, void *old, size_t old_size, size_t new_size)
{
    (void)ctx;
    (void)old_size;
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_size);
}

void env_init(struct env *e, const struct conn_config *config, uint64_t seed)
{
    memset(e, 0, sizeof *e);
    e->config = *config;
    e->resize = resize_malloc;
    e->mem_max = SIZE_MAX;
    e->random = seed;
}

void *env_realloc(struct env *e, void *old, size_t old_size, size_t new_size)
{
    void *p;

    if (new_size > old_size && new_size - old_size > e->mem_max - e->mem_used) {
        e->mem_short = true;
        return NULL;
    }
    p = e->resize(e->resize_ctx, old, old_size, new_size);
    if (new_size > old_size)
        e->mem_short = !p;
    if (!p && new_size > 0)
        return NULL;
    e->mem_used = e->mem_used - old_size + new_size;
    return p;
}

/* Implements SplitMix64: any seed, even zero, gives the full period. */
uint32_t env_random(struct env *e)
{
    uint64_t z = e->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) >> 32);
}

bool env_event(struct env *e, struct event *out)
{
    if (e->event_count == 0)
        return false;
    *out = e->event[e->event_head];
    e->event_head = (e->event_head + 1) % ENV_EVENTS;
    e->event_count--;
    return true;
}

/* Returns whether a caller cannot do without the event. What the other events report can be counted
 * from the connection. */
static bool is_vital(const struct event *event)
{
    return event->kind == EVENT_STATE || event->kind == EVENT_FIN || event->kind == EVENT_RESET ||
           event->kind == EVENT_TIMEOUT;
}

/* Makes room in a full queue. The events before the dropped one move up by one place. */
static void drop_one_event(struct env *e)
{
    uint32_t n = 0;

    while (n < ENV_EVENTS && is_vital(&e->event[(e->event_head + n) % ENV_EVENTS]))
        n++;
    if (n == ENV_EVENTS)
        n = 0;
    for (; n > 0; n--)
        e->event[(e->event_head + n) % ENV_EVENTS] = e->event[(e->event_head + n - 1) % ENV_EVENTS];
    e->event_head = (e->event_head + 1) % ENV_EVENTS;
    e->event_count--;
    e->events_lost++;
}

void env_emit(struct env *e, const struct event *event)
{
    if (e->event_count == ENV_EVENTS)
        drop_one_event(e);
    e->event[(e->event_head + e->event_count) % ENV_EVENTS] = *event;
    e->event_count++;
}
