#include "cmd/load_plan.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/rate_limit.h"
#include "cmd/target.h"
#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/core/pool.h"
#include "lib/wire/guards.h"
#include "lib/wire/route.h"

/* One target from one source, or from the one that the route prefers. */
static int add_pair(struct load_plan *p, const struct options *o, const struct target *t,
                    const struct addr *source, struct diag *d)
{
    struct route_query q = {.v6 = t->v6,
                            .remote = t->addr,
                            .has_source = source != NULL,
                            .interface = o->interface,
                            .scope = t->scope};
    struct route r;
    int error;

    if (source)
        q.source = *source;
    error = route_find(&q, &r, d);
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
    p->pair[p->pairs++] = (struct load_pair){r.source, t->addr, t->port};
    return 0;
}

static int add_target(struct load_plan *p, const struct options *o, const struct target_name *name,
                      struct diag *d)
{
    const struct load_options *l = &o->load;
    struct target t;
    int error = target_resolve(name, options_family(o), &t, d);

    if (error)
        return error;
    if (p->pairs && t.v6 != p->v6)
        return diag_fail(d, WAVE_EINVAL,
                         "%s is of another family than the target before it; choose one with -4 or "
                         "-6",
                         name->host);
    p->v6 = t.v6;
    if (!l->limit && !rate_limit_exempt(t.v6, &t.addr) && (p->rate == 0 || p->rate > RATE_LIMIT)) {
        p->rate = RATE_LIMIT;
        p->polite = true;
    }
    if (l->sources == 0)
        return add_pair(p, o, &t, NULL, d);
    for (unsigned i = 0; i < l->sources && !error; i++)
        error = add_pair(p, o, &t, &l->source[i], d);
    return error;
}

/* Two names for one place would make the same flow twice. */
static int check_pairs(const struct load_plan *p, struct diag *d)
{
    char text[ADDR_PORT_TEXT];

    for (uint32_t i = 0; i < p->pairs; i++)
        for (uint32_t k = 0; k < i; k++)
            if (memcmp(&p->pair[i], &p->pair[k], sizeof p->pair[i]) == 0)
                return diag_fail(d, WAVE_EINVAL, "the target %s stands there twice",
                                 addr_port_text(p->v6, &p->pair[i].remote, p->pair[i].rport, text));
    return 0;
}

/* Room for a flow to rest before it is used again, as far as ports allow. */
static uint32_t places(uint32_t concurrency, uint32_t connections, uint32_t pairs)
{
    uint64_t n = concurrency + concurrency / 8 + 64, most = (uint64_t)pairs * GUARDS_MOST;

    if (n > most)
        n = most > concurrency ? most : concurrency;
    if (n > POOL_MAX)
        n = POOL_MAX;
    return connections && connections < n ? connections : (uint32_t)n;
}

static int fill(struct load_plan *p, const struct options *o, struct diag *d)
{
    const struct load_options *l = &o->load;
    int error = add_target(p, o, &o->target, d);

    for (unsigned i = 0; i < l->more_count && !error; i++)
        error = add_target(p, o, &l->more[i], d);
    if (!error)
        error = check_pairs(p, d);
    if (error)
        return error;
    p->concurrency = l->concurrency;
    if (o->connections && o->connections < p->concurrency)
        p->concurrency = o->connections;
    p->places = places(p->concurrency, o->connections, p->pairs);
    p->ports = (p->places + p->pairs - 1) / p->pairs;
    if (p->ports > GUARDS_MOST)
        return diag_fail(d, WAVE_EINVAL,
                         "%u connections at a time take %u local ports for each pair of source and "
                         "target, and there are %u; add targets, or sources with --source",
                         p->concurrency, p->ports, GUARDS_MOST);
    return 0;
}

int load_plan(struct load_plan *p, const struct options *o, struct diag *d)
{
    const struct load_options *l = &o->load;
    uint32_t most = (l->more_count + 1) * (l->sources ? l->sources : 1);
    int error;

    *p = (struct load_plan){.rate = l->rate};
    p->pair = calloc(most, sizeof *p->pair);
    if (!p->pair)
        return diag_fail(d, WAVE_ENOMEM, "no memory for the run");
    error = fill(p, o, d);
    if (error)
        load_plan_free(p);
    return error;
}

void load_plan_free(struct load_plan *p)
{
    free(p->pair);
    p->pair = NULL;
}
