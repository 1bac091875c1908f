/* What the port passes on, and when it has something to do. The head of port_impair_priv.h says how
 * the parts work together. */
#include <stdlib.h>

#include "lib/core/diag.h"
#include "lib/run/port_impair_priv.h"

/*
 * Time
 */

static wave_time port_impair_now(struct port *p)
{
    return port_now(impair_of(p)->behind);
}

static wave_time port_impair_stamp(struct port *p)
{
    return port_stamp(impair_of(p)->behind);
}

/* Returns when next() or flush() has something to do without the port behind; 0: now. */
static wave_time due(const struct port_impair *x)
{
    wave_time at = WAVE_NEVER;
    const struct sent *own = x->own_count ? x->sent : NULL;

    if (x->has_pending || (own && own->own))
        return 0;
    while (own && !own->own)
        own = own->next;
    if (own)
        at = time_add(own->since, PORT_IMPAIR_PATIENCE);
    if (x->in)
        at = time_min(at, x->in->due);
    if (x->out && !x->stuck) /* otherwise the loop knows when to try once more */
        at = time_min(at, x->out->due);
    return at;
}

static bool port_impair_wait(struct port *p, wave_time until, struct pollfd *fds, unsigned n)
{
    struct port_impair *x = impair_of(p);
    const wave_time at = due(x);
    bool ready = x->behind->ops->wait(x->behind, time_min(at, until), fds, n);

    return ready || at == 0 || (at < until && port_now(x->behind) >= at);
}

/*
 * What is only passed on
 */

/* A packet that was built elsewhere belongs to no connection of ours: no rule is about it. */
static int port_impair_queue(struct port *p, const struct flow *flow, struct seq seq,
                             const uint8_t *ip, uint32_t len)
{
    struct port_impair *x = impair_of(p);

    return x->behind->ops->queue(x->behind, flow, seq, ip, len);
}

static struct wire_stats port_impair_stats(struct port *p)
{
    struct port *behind = impair_of(p)->behind;

    return behind->ops->stats(behind);
}

static bool port_impair_rerouted(struct port *p, char interface[16])
{
    struct port *behind = impair_of(p)->behind;

    return behind->ops->rerouted(behind, interface);
}

static bool port_impair_unreachable(struct port *p, struct wire_neighbour *out)
{
    struct port *behind = impair_of(p)->behind;

    return behind->ops->unreachable(behind, out);
}

static bool port_impair_unreachable_from(struct port *p, const struct addr *local,
                                         const struct addr *remote, struct wire_neighbour *out)
{
    struct port *behind = impair_of(p)->behind;

    return behind->ops->unreachable_from(behind, local, remote, out);
}

static bool port_impair_asks_for_itself(struct port *p)
{
    struct port *behind = impair_of(p)->behind;

    return behind->ops->asks_for_itself(behind);
}

static uint16_t port_impair_lport(const struct port *p, uint32_t i)
{
    return port_lport(impair_of(p)->behind, i);
}

static uint32_t port_impair_lports(const struct port *p)
{
    return port_lports(impair_of(p)->behind);
}

static uint32_t port_impair_window(const struct port *p, uint32_t mss)
{
    return port_window(impair_of(p)->behind, mss);
}

static void port_impair_close(struct port *p)
{
    struct port_impair *x = impair_of(p);
    struct parcel *parcel;
    struct arrival *a;

    port_impair_forget(x);
    while (x->sent)
        free(port_impair_sent_take(x));
    while ((parcel = x->out)) {
        x->out = parcel->next;
        free(parcel);
    }
    while ((a = x->in)) {
        x->in = a->next;
        free(a);
    }
    port_close(x->behind);
    free(x);
}

static const struct port_ops all = {.send = port_impair_send,
                                    /* no room(): what is sent need not be what the engine wrote */
                                    .queue = port_impair_queue,
                                    .flush = port_impair_flush,
                                    .next = port_impair_next,
                                    .now = port_impair_now,
                                    .stamp = port_impair_stamp,
                                    .wait = port_impair_wait,
                                    .stats = port_impair_stats,
                                    .rerouted = port_impair_rerouted,
                                    .unreachable = port_impair_unreachable,
                                    .unreachable_from = port_impair_unreachable_from,
                                    .asks_for_itself = port_impair_asks_for_itself,
                                    .lport = port_impair_lport,
                                    .lports = port_impair_lports,
                                    .window = port_impair_window,
                                    .close = port_impair_close};

int port_impair_open(struct port **out, struct port *behind, struct impair *rules, bool quiet,
                     struct diag *d)
{
    struct port_impair *x = calloc(1, sizeof *x);

    if (!x) {
        port_close(behind);
        return diag_fail(d, WAVE_ENOMEM, "no memory for the rules of --impair");
    }
    x->ops = all;
    if (!behind->ops->unreachable) /* what it cannot tell, this port cannot tell either */
        x->ops.unreachable = NULL;
    if (!behind->ops->unreachable_from)
        x->ops.unreachable_from = NULL;
    if (!behind->ops->asks_for_itself)
        x->ops.asks_for_itself = NULL;
    x->behind = behind;
    x->rules = rules;
    x->quiet = quiet;
    x->sent_end = &x->sent;
    x->port = (struct port){.ops = &x->ops,
                            .info = behind->info,
                            .virtual_time = behind->virtual_time,
                            .paced = behind->paced};
    *out = &x->port;
    return 0;
}
