/*
 * Opens one guard for each of many local ports. guards_open() determines the range of candidates
 * and raises the limit of descriptors. fill() then goes once round the range, and takes each port
 * that can be guarded, until it has enough.
 */
#include "lib/wire/guards.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/core/diag.h"
#include "lib/wire/wire.h"

#define DESCRIPTORS_ELSE 64 /* descriptors for all other purposes */

struct guards {
    uint32_t count;
    uint16_t lowest, highest;
    uint64_t held[LOCAL_PORTS_ALL / 64]; /* a bit for each port */
    struct {
        struct guard guard;
        uint16_t port;
    } at[];
};

/* Raises the limit of descriptors to what `max` ports need. Where that is not allowed, it raises
 * the limit as far as possible and lowers *max, as long as it suffices for `min`. Only a privileged
 * process may exceed its hard limit, and no process may exceed fs.nr_open. */
static int raise_descriptors(uint32_t min, uint32_t *max, struct diag *d)
{
    const rlim_t need = (rlim_t)*max + DESCRIPTORS_ELSE;
    struct rlimit now, more;
    if (getrlimit(RLIMIT_NOFILE, &now) < 0 || now.rlim_cur >= need)
        return 0;
    more = now;
    more.rlim_cur = need;
    if (more.rlim_max < need)
        more.rlim_max = need;
    if (setrlimit(RLIMIT_NOFILE, &more) == 0)
        return 0;
    more = now;
    more.rlim_cur = now.rlim_max < need ? now.rlim_max : need;
    if (setrlimit(RLIMIT_NOFILE, &more) < 0)
        more.rlim_cur = now.rlim_cur;
    if (more.rlim_cur < (rlim_t)min + DESCRIPTORS_ELSE)
        return diag_fail(d, WAVE_ESYS,
                         "that takes %u local ports, each guarded by a descriptor, and this "
                         "process may have %llu; raise the limit (ulimit -Hn), ask for less at a "
                         "time, or add targets or sources",
                         min, (unsigned long long)now.rlim_max);
    if (more.rlim_cur < need)
        *max = (uint32_t)(more.rlim_cur - DESCRIPTORS_ELSE);
    return 0;
}

/* Adds a guard to the set. */
static void take(struct guards *g, struct guard guard, uint16_t port)
{
    g->at[g->count].guard = guard;
    g->at[g->count].port = port;
    g->count++;
    g->held[port / 64] |= (uint64_t)1 << port % 64;
    if (port < g->lowest)
        g->lowest = port;
    if (port > g->highest)
        g->highest = port;
}

/* Goes once round the range, beginning at `from`. Once there are enough ports, a failure of the
 * system (no memory for one more) only means that there will be no more. */
static int fill(struct guards *g, const struct local_ports *p, uint32_t from,
                const struct guards_wanted *wanted, const struct guard_query *q, struct diag *d)
{
    const uint32_t span = p->high - p->low + 1;
    struct guard_query one = *q;
    one.skip_owner = true;
    for (uint32_t i = 0; i < span && g->count < wanted->max; i++) {
        uint32_t port = p->low + (from - p->low + i) % span;
        struct guard guard;
        uint16_t got;
        if (!local_ports_usable(p, port))
            continue;
        if (wanted->until && g->count >= wanted->min && wire_now() >= wanted->until)
            break;
        one.flow.lport = (uint16_t)port;
        int error = guard_open(&guard, &one, &got, d);
        if (error == 0)
            take(g, guard, got);
        else if (error != WAVE_EINUSE)
            return g->count >= wanted->min ? 0 : error;
    }
    return 0;
}

static void empty(struct guards *g)
{
    while (g->count > 0)
        guard_close(&g->at[--g->count].guard);
    memset(g->held, 0, sizeof g->held);
}

/* Fails because fewer than `min` ports are free. */
static int too_few(const struct local_ports *p, uint32_t min, uint32_t free, bool named,
                   struct diag *d)
{
    if (named)
        return diag_fail(d, WAVE_EINUSE,
                         "that takes %u local ports, and only %u from %u on are free; ask for "
                         "less at a time, or add targets or sources",
                         min, free, p->low);
    return diag_fail(d, WAVE_EINUSE,
                     "that takes %u local ports, and only %u are free from %u to %u "
                     "(net.ipv4.ip_local_port_range, without the reserved ones); widen the range, "
                     "name the first port, ask for less at a time, or add targets or sources",
                     min, free, p->low, p->high);
}

int guards_open(struct guards **out, const struct guards_wanted *wanted,
                const struct guard_query *q, struct diag *d)
{
    const bool named = q->flow.lport != 0;
    struct guards_wanted want = *wanted;
    struct local_ports p;
    local_ports_read(&p);
    if (named)
        local_ports_from(&p, q->flow.lport);
    for (uint32_t i = 0; i < want.avoids; i++)
        local_ports_avoid(&p, want.avoid[i]);
    const uint32_t there = local_ports_count(&p);
    if (there < want.min)
        return too_few(&p, want.min, there, named, d);
    if (want.max > there)
        want.max = there;
    int error = raise_descriptors(want.min, &want.max, d);
    if (error)
        return error;
    struct guards *g = calloc(1, sizeof *g + want.max * sizeof g->at[0]);
    if (!g)
        return diag_fail(d, WAVE_ENOMEM, "out of memory");

    g->lowest = UINT16_MAX;
    error = fill(g, &p, named ? p.low : local_ports_random(&p), &want, q, d);
    if (error == 0 && g->count < want.min)
        error = too_few(&p, want.min, g->count, named, d);
    if (error) {
        guards_close(g);
        return error;
    }
    *out = g;
    return 0;
}

void guards_close(struct guards *g)
{
    if (g)
        empty(g);
    free(g);
}

uint32_t guards_count(const struct guards *g)
{
    return g->count;
}

uint16_t guards_lowest(const struct guards *g)
{
    return g->lowest;
}

uint16_t guards_highest(const struct guards *g)
{
    return g->highest;
}

uint16_t guards_port(const struct guards *g, uint32_t i)
{
    return g->at[i].port;
}

bool guards_hold(const struct guards *g, uint16_t port)
{
    return g->held[port / 64] >> port % 64 & 1;
}

bool guards_reached(const struct guards *g, uint64_t *n)
{
    bool counts = false;

    for (uint32_t i = 0; i < g->count && !*n; i++)
        counts = guard_reached(&g->at[i].guard, n) || counts;
    return counts;
}

unsigned guards_kind(const struct guards *g)
{
    return g->at[0].guard.kind;
}
