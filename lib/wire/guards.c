#include "lib/wire/guards.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "lib/core/diag.h"

#define DESCRIPTORS_ELSE 64 /* for everything but guards */
#define PORTS (UINT16_MAX + 1)

struct guards {
    uint32_t count;
    uint64_t held[PORTS / 64]; /* a bit for each port */
    struct {
        struct guard guard;
        uint16_t port;
    } at[];
};

/* Up to what is needed. Only a privileged process gets beyond its hard limit, and none beyond
 * fs.nr_open. */
static int raise_descriptors(rlim_t need, struct diag *d)
{
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
    if (setrlimit(RLIMIT_NOFILE, &more) == 0 && more.rlim_cur >= need)
        return 0;
    return diag_fail(d, WAVE_ESYS,
                     "that takes %llu local ports, each guarded by a descriptor, and this process "
                     "may have %llu; raise the limit (ulimit -Hn), ask for less at a time, or add "
                     "targets or sources",
                     (unsigned long long)need - DESCRIPTORS_ELSE, (unsigned long long)now.rlim_max);
}

/* Where to begin: a place of which `count` ports of the kernel's own choice lie ahead, or the first
 * there is when they are fewer. */
static uint32_t first_port(uint32_t count)
{
    unsigned low = 0, high = 0;
    uint32_t n = 0;
    FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (f) {
        /* NOLINTNEXTLINE(cert-err34-c): the kernel writes no number that does not fit */
        if (fscanf(f, "%u %u", &low, &high) != 2)
            low = high = 0;
        fclose(f);
    }
    /* Twice as many, since some are taken. */
    if (low < GUARDS_FIRST || high > UINT16_MAX || low > high || high - low < 2 * count)
        return GUARDS_FIRST;
    if (getrandom(&n, sizeof n, 0) != sizeof n)
        n = 0;
    return low + n % (high - low - 2 * count + 1);
}

static void take(struct guards *g, struct guard guard, uint16_t port)
{
    g->at[g->count].guard = guard;
    g->at[g->count].port = port;
    g->count++;
    g->held[port / 64] |= (uint64_t)1 << port % 64;
}

/* From `from` to the last port. */
static int fill(struct guards *g, uint32_t count, const struct guard_query *q, uint32_t from,
                struct diag *d)
{
    struct guard_query one = *q;
    one.passing = true;
    for (uint32_t port = from; port <= UINT16_MAX && g->count < count; port++) {
        struct guard guard;
        uint16_t got;
        one.flow.lport = (uint16_t)port;
        int error = guard_open(&guard, &one, &got, d);
        if (error == 0)
            take(g, guard, got);
        else if (error != WAVE_EINUSE)
            return error;
    }
    return 0;
}

static void empty(struct guards *g)
{
    while (g->count > 0)
        guard_close(&g->at[--g->count].guard);
    memset(g->held, 0, sizeof g->held);
}

int guards_open(struct guards **out, uint32_t count, const struct guard_query *q, struct diag *d)
{
    if (count < 1 || count > GUARDS_MOST)
        return diag_fail(d, WAVE_EINVAL, "there are no %u ports to choose from", count);
    int error = raise_descriptors((rlim_t)count + DESCRIPTORS_ELSE, d);
    if (error)
        return error;
    struct guards *g = calloc(1, sizeof *g + count * sizeof g->at[0]);
    if (!g)
        return diag_fail(d, WAVE_ENOMEM, "out of memory");

    uint32_t from = q->flow.lport ? q->flow.lport : first_port(count);
    error = fill(g, count, q, from, d);
    if (error == 0 && g->count < count && !q->flow.lport && from > GUARDS_FIRST) {
        empty(g);
        error = fill(g, count, q, GUARDS_FIRST, d);
    }
    if (error == 0 && g->count < count)
        error = diag_fail(d, WAVE_EINUSE,
                          "that takes %u local ports, and only %u from %u on are free; ask for "
                          "less at a time, or add targets or sources",
                          count, g->count, q->flow.lport ? q->flow.lport : GUARDS_FIRST);
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

uint16_t guards_port(const struct guards *g, uint32_t i)
{
    return g->at[i].port;
}

bool guards_hold(const struct guards *g, uint16_t port)
{
    return g->held[port / 64] >> port % 64 & 1;
}

unsigned guards_kind(const struct guards *g)
{
    return g->at[0].guard.kind;
}
