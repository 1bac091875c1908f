/*
 * The containers of many connections, compared with plain lists: the pool that numbers them, the
 * table that finds them by their flow, and the wheel that wakes them. The input makes hashes
 * collide and memory run out.
 */
#include "lib/core/err.h"
#include "lib/core/flow_table.h"
#include "lib/core/pool.h"
#include "lib/core/wheel.h"
#include "tests/fuzz/fuzz.h"

enum { FLOWS = 640, MOST = 600, EARLY_MAX = WHEEL_LEVELS };

/* A connection as the lists know it. */
struct tables_entry {
    uint32_t id;    /* 0: there is none over this flow */
    uint32_t stale; /* an id that an earlier connection over it had, or 0 */
    bool listed;    /* in the table */
    bool armed;
    uint64_t due;   /* the tick by which it comes out of the wheel */
    unsigned early; /* how often it came out before that, since it was armed for it */
};

struct tables_world {
    struct env env;
    struct pool pool;
    struct flow_table table;
    struct wheel wheel;
    struct cursor in;
    wave_time now;
    struct fuzz_memory memory;
    uint8_t shift; /* of hashes: the more, the more collide */
    struct tables_entry entry[FLOWS];
    uint32_t count;
};

static struct flow flow_of(uint32_t i)
{
    return (struct flow){.local = addr_v4(192, 0, 2, 1),
                         .remote = addr_v4(198, 51, 100, (uint8_t)i),
                         .lport = 80,
                         .rport = (uint16_t)(i / 256)};
}

/* Few bits at one end or the other: neighbours in the table, and the same place in it. */
static uint32_t hash_of(const struct tables_world *w, uint32_t i)
{
    const uint32_t hash = i * 0x9e3779b1u;

    return w->shift & 32 ? hash << (w->shift & 31) : hash >> (w->shift & 31);
}

static struct conn *conn_of(const struct tables_world *w, uint32_t i)
{
    return pool_conn(&w->pool, w->entry[i].id);
}

static uint64_t tick_of(wave_time when)
{
    const uint64_t tick = when / WHEEL_TICK + (when % WHEEL_TICK != 0);

    return tick < WAVE_NEVER / WHEEL_TICK ? tick : WAVE_NEVER / WHEEL_TICK;
}

static void take(struct tables_world *w, uint32_t i)
{
    struct tables_entry *e = &w->entry[i];
    const struct flow flow = flow_of(i);
    struct conn *c;

    if (e->id)
        return;
    w->memory.refused = false;
    c = pool_take(&w->pool, &flow);
    if (!c) {
        require(w->memory.refused || w->count == MOST);
        return;
    }
    require(w->count < MOST && c->id != 0 && flow_eq(&c->flow, &flow));
    for (uint32_t j = 0; j < FLOWS; j++)
        require(w->entry[j].id != c->id);
    e->id = c->id;
    e->armed = e->listed = false;
    w->count++;
    if (flow_table_add(&w->table, hash_of(w, i), c->id) == 0)
        e->listed = true;
    else
        require(w->memory.refused);
}

static void give(struct tables_world *w, uint32_t i)
{
    struct tables_entry *e = &w->entry[i];
    struct conn *c = conn_of(w, i);

    if (!c)
        return;
    wheel_disarm(&w->wheel, c);
    flow_table_remove(&w->table, hash_of(w, i), e->id); /* nothing happens where it is not */
    pool_give(&w->pool, c);
    require(!pool_conn(&w->pool, e->id));
    e->stale = e->id;
    e->id = 0;
    w->count--;
}

static void arm(struct tables_world *w, uint32_t i, wave_time when)
{
    struct tables_entry *e = &w->entry[i];
    struct conn *c = conn_of(w, i);
    const uint64_t turned = w->wheel.tick;
    uint64_t tick = tick_of(when);

    if (!c || when == WAVE_NEVER)
        return;
    wheel_arm(&w->wheel, c, when);
    if (tick < turned) /* it has passed */
        tick = turned;
    if (!e->armed || tick < e->due) {
        e->due = tick;
        e->early = 0;
    }
    e->armed = true;
}

static uint32_t flow_index(const struct conn *c)
{
    return c->flow.rport * 256u + c->flow.remote.byte[3];
}

/* Everything that is due comes out, and each is armed again for its own time where that is still to
 * come: a few times at most, since each time it gets to a finer level. */
static void turn(struct tables_world *w)
{
    const uint64_t tick = w->now / WHEEL_TICK;
    struct conn *c;

    while ((c = wheel_pop(&w->wheel, w->now))) {
        struct tables_entry *e = &w->entry[flow_index(c)];

        require(e->armed && e->id == c->id);
        e->armed = false;
        if (e->due > tick) {
            const unsigned early = e->early + 1;
            const uint64_t due = e->due;

            require(early <= EARLY_MAX);
            arm(w, flow_index(c), e->due << WHEEL_TICK_BITS);
            e->due = due;
            e->early = early;
        }
    }
    require(w->wheel.tick == tick);
    for (uint32_t i = 0; i < FLOWS; i++)
        require(!w->entry[i].id || !w->entry[i].armed || w->entry[i].due > tick);
    require(wheel_next(&w->wheel) > w->now);
}

static void hold(const struct tables_world *w)
{
    const wave_time next = wheel_next(&w->wheel);
    uint32_t count = 0, listed = 0;
    uint64_t first = UINT64_MAX;

    for (uint32_t i = 0; i < FLOWS; i++) {
        const struct tables_entry *e = &w->entry[i];
        const struct flow flow = flow_of(i);
        struct conn *c = conn_of(w, i);

        require(!c == !e->id);
        require(!e->stale || e->stale == e->id || !pool_conn(&w->pool, e->stale));
        require(flow_table_find(&w->table, &w->pool, &flow, hash_of(w, i)) ==
                (e->id && e->listed ? c : NULL));
        if (!e->id)
            continue;
        count++;
        listed += e->listed;
        require((c->hook.wheel_slot != 0) == e->armed);
        if (e->armed && e->due < first)
            first = e->due;
    }
    require(w->pool.used == count && w->count == count && w->table.used == listed);
    if (first == UINT64_MAX)
        require(next == WAVE_NEVER);
    else
        require(next >> WHEEL_TICK_BITS <= first);
}

static wave_time some_time(struct tables_world *w)
{
    const uint8_t how = cursor_u8(&w->in);
    const wave_time far = (wave_time)cursor_u8(&w->in) << (how & 63);

    return how & 64 ? w->now - (far < w->now ? far : w->now) : time_add(w->now, far);
}

static void step(struct tables_world *w, uint8_t what)
{
    const uint32_t i = (what & 7) << 8 | cursor_u8(&w->in);
    const uint32_t flow = i % FLOWS;

    if (what < 60) {
        take(w, flow);
    } else if (what < 80) { /* many at once, which is what makes tables grow */
        for (uint32_t n = 0; n < 64; n++)
            take(w, (flow + n) % FLOWS);
    } else if (what < 120) {
        give(w, flow);
    } else if (what < 130) {
        for (uint32_t n = 0; n < 64; n++)
            give(w, (flow + n) % FLOWS);
    } else if (what < 190) {
        arm(w, flow, some_time(w));
    } else if (what < 200) {
        const wave_time when = some_time(w);
        for (uint32_t n = 0; n < 64; n++)
            arm(w, (flow + n) % FLOWS, time_add(when, n * WHEEL_TICK));
    } else if (what < 205) {
        struct conn *c = conn_of(w, flow);
        if (c) {
            wheel_disarm(&w->wheel, c);
            w->entry[flow].armed = false;
        }
    } else if (what < 225) {
        const wave_time next = wheel_next(&w->wheel);
        w->now = next != WAVE_NEVER && next > w->now ? next : w->now;
        turn(w);
    } else if (what < 250) {
        const wave_time to = some_time(w);
        w->now = to > w->now && to != WAVE_NEVER ? to : w->now;
        turn(w);
    } else {
        w->memory.every = i % 4;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t secret[16] = "of the fuzzer's";
    static struct tables_world w;
    struct conn_config config;

    memset(&w, 0, sizeof w);
    conn_config_default(&config, 1500, false);
    env_init(&w.env, &config, 1);
    w.env.resize = fuzz_resize;
    w.env.resize_ctx = &w.memory;
    pool_init(&w.pool, &w.env, MOST);
    flow_table_init(&w.table, &w.env, siphash_key(secret, 1));
    wheel_init(&w.wheel, &w.pool);
    w.in = cursor_of(bytes, size);
    w.shift = cursor_u8(&w.in) & 63;
    w.now = (wave_time)cursor_u8(&w.in) << (w.shift & 31);
    turn(&w);
    while (w.in.left > 0) {
        const uint8_t what = cursor_u8(&w.in);

        step(&w, what);
        if (what & 1 || w.in.left == 0)
            hold(&w);
    }
    for (uint32_t i = 0; i < FLOWS; i++)
        give(&w, i);
    hold(&w);
    flow_table_free(&w.table);
    pool_free(&w.pool);
    require(w.env.mem_used == 0);
    return 0;
}
