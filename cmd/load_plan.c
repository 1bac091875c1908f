/*
 * Plans a load. Each target is paired with each source, or with the address that its route prefers;
 * a limit of the rate is put in force if a target's address is public (rate_limit.h). Then the
 * number of local ports is chosen, from the concurrency, the rate and the duration of TIME_WAIT.
 */
#include "cmd/load_plan.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/load_tuples.h"
#include "cmd/platform.h"
#include "cmd/rate_limit.h"
#include "cmd/view.h"
#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/core/pool.h"

/* The most ports of each pair: a few more than the kernel's own range has by default. Each port
 * costs a listening socket, which takes about 6 kB of the kernel's memory. */
#define CYCLE_MAX 32768

/* Adds the pair of a target and a source, or the address that the route prefers if `source` is
 * NULL. */
static int add_pair(struct load_plan *p, const struct load_options *o, const struct target *t,
                    const struct addr *source, struct diag *d)
{
    struct route_query q = {.v6 = t->v6,
                            .remote = t->addr,
                            .rport = t->port,
                            .has_source = source != NULL,
                            .interface = o->where.interface,
                            .scope = t->scope};
    struct route r;
    int error;

    if (source)
        q.source = *source;
    error = platform_route(o->show.platform, &q, &r, d);
    if (error)
        return error;
    if (p->pairs == 0)
        memcpy(p->interface, r.interface, sizeof p->interface);
    else if (strcmp(p->interface, r.interface) != 0)
        p->interface[0] = '\0';
    if (p->pairs == 0 || r.mtu < p->mtu)
        p->mtu = r.mtu;
    if (t->scope)
        p->scope = t->scope;
    if (r.loopback)
        p->avoid[p->avoids++] = t->port;
    p->pair[p->pairs++] = (struct load_pair){r.source, t->addr, t->port};
    return 0;
}

/* Takes note of the addresses that are not tried. */
static void note_others(struct load_plan *p, const struct target_list *list)
{
    p->others = list->count - 1 + list->more;
    if (list->count > 1)
        addr_text(list->at[1].v6, &list->at[1].addr, p->other);
}

/* Resolves a target, and adds its pairs. */
static int add_target(struct load_plan *p, const struct load_options *o, struct resolve *names,
                      const struct target_name *name, struct diag *d)
{
    struct target_list list;
    struct target t;
    int error;

    view_note_url(&o->show, name);
    error = resolve_all(names, name, where_family(&o->where), &list, d);
    if (error)
        return error;
    t = list.at[0];
    if (o->targets == 1)
        note_others(p, &list);
    if (p->pairs && t.v6 != p->v6)
        return diag_fail(d, WAVE_EINVAL,
                         "%s is of another family than the target before it; choose one with -4 or "
                         "-6",
                         name->host);
    p->v6 = t.v6;
    if (!o->limit && !name->sim && !rate_limit_exempt(t.v6, &t.addr) &&
        (p->rate == 0 || p->rate > RATE_LIMIT)) {
        p->rate = RATE_LIMIT;
        p->polite = true;
    }
    if (o->sources == 0)
        return add_pair(p, o, &t, NULL, d);
    for (unsigned i = 0; i < o->sources && !error; i++)
        error = add_pair(p, o, &t, &o->source[i], d);
    return error;
}

/* Checks that no pair is there twice, as two names for one address would make it: both would use
 * the same flows. */
static int check_pairs(const struct load_plan *p, struct diag *d)
{
    char text[ADDR_PORT_TEXT];

    for (uint32_t i = 0; i < p->pairs; i++)
        for (uint32_t k = 0; k < i; k++)
            if (memcmp(&p->pair[i], &p->pair[k], sizeof p->pair[i]) == 0)
                return diag_fail(d, WAVE_EINVAL, "the target %s is given twice",
                                 addr_port_text(p->v6, &p->pair[i].remote, p->pair[i].rport, text));
    return 0;
}

/* Returns how many ports each pair may have in use at a time: its share of the connections and some
 * more. So a pair whose connections last longer neither holds the others back nor takes all. */
static uint32_t share(uint32_t concurrency, uint32_t pairs)
{
    const uint32_t n = concurrency + concurrency / 8 + 64;

    return n / pairs + (n % pairs != 0);
}

/* Estimates how many connections can end while a port is in TIME_WAIT. */
static uint64_t to_come(const struct load_options *o, const struct load_plan *p)
{
    const wave_time rest = o->show.timeout && o->show.timeout < LOAD_TIME_WAIT
                               ? o->show.timeout + WAVE_S
                               : LOAD_TIME_WAIT;
    uint64_t n = p->rate ? p->concurrency + p->rate * (rest / WAVE_S + 1) : UINT32_MAX;

    return o->connections && o->connections < n ? o->connections : n;
}

void load_plan_ports(struct load_plan *p, const struct load_options *o, uint32_t usable)
{
    const uint32_t min = (p->concurrency + p->pairs - 1) / p->pairs;
    uint64_t max = (to_come(o, p) + p->pairs - 1) / p->pairs;

    p->cap = share(p->concurrency, p->pairs);
    if (max > CYCLE_MAX)
        max = CYCLE_MAX;
    if (max < p->cap && (!o->connections || o->connections > p->concurrency))
        max = p->cap;
    if (max > usable)
        max = usable;
    if (max > POOL_MAX / p->pairs)
        max = POOL_MAX / p->pairs;
    if (o->connections && max > o->connections)
        max = o->connections;
    p->ports_min = min;
    p->ports_max = max < min ? min : (uint32_t)max;
}

/* Chooses how many ports to use. It is an error to ask for more connections at a time than the
 * range has ports for: ports outside it may not be taken. */
static int choose_ports(struct load_plan *p, const struct load_options *o, struct diag *d)
{
    struct local_ports range;
    uint32_t usable;

    platform_ports(o->show.platform, &range);
    if (o->source_port)
        local_ports_from(&range, (uint16_t)o->source_port);
    for (uint32_t i = 0; i < p->avoids; i++)
        local_ports_avoid(&range, p->avoid[i]);
    usable = local_ports_count(&range);
    load_plan_ports(p, o, usable);
    if (p->ports_min <= usable)
        return 0;
    return diag_fail(
        d, WAVE_EINVAL,
        "%u connections at a time take %u local ports for each pair of source and "
        "target, and there are %u from %u to %u%s; add targets, or sources with "
        "--source, or %s",
        p->concurrency, p->ports_min, usable, range.low, range.high,
        o->source_port ? "" : " (net.ipv4.ip_local_port_range, without the reserved ones)",
        o->source_port ? "begin at a lower --source-port"
                       : "widen that range, or name the first port with --source-port");
}

static int fill(struct load_plan *p, const struct load_options *o, struct resolve *names,
                struct diag *d)
{
    int error = 0;

    for (unsigned i = 0; i < o->targets && !error; i++)
        error = add_target(p, o, names, &o->target[i], d);
    if (!error)
        error = check_pairs(p, d);
    if (error)
        return error;
    p->concurrency = o->concurrency;
    if (o->connections && o->connections < p->concurrency)
        p->concurrency = o->connections;
    return choose_ports(p, o, d);
}

int load_plan(struct load_plan *p, const struct load_options *o, struct resolve *names,
              struct diag *d)
{
    uint32_t max = o->targets * (o->sources ? o->sources : 1);
    int error;

    *p = (struct load_plan){.rate = o->rate};
    p->pair = calloc(max, sizeof *p->pair);
    p->avoid = calloc(max, sizeof *p->avoid);
    if (!p->pair || !p->avoid) {
        load_plan_free(p);
        return diag_fail(d, WAVE_ENOMEM, "no memory for the run");
    }
    error = fill(p, o, names, d);
    if (error)
        load_plan_free(p);
    return error;
}

void load_plan_free(struct load_plan *p)
{
    free(p->pair);
    free(p->avoid);
    p->pair = NULL;
    p->avoid = NULL;
}
