/* Translates a SPEC and the configuration of a wire into that of a simulated network. */
#include "cmd/simulated.h"

#include <string.h>

#include "lib/core/diag.h"
#include "lib/io/privilege.h"
#include "lib/run/port_sim.h"

#define PORTS "10000 65535"   /* that load may use */
#define EPHEMERAL_FIRST 49152 /* of the ports that are chosen otherwise (RFC 6335, section 6) */
#define EPHEMERAL 16384
#define INTERFACE_MTU 1500
#define PEER_MSL (30 * WAVE_S) /* its TIME_WAIT lasts a minute, as on most hosts */
#define PEER_HALF_OPEN 65536   /* so many wait for their third segment before it sends SYN cookies \
                                */

/* A queue whose size is not given holds what the line sends in this time, at least QUEUE_MIN. */
#define QUEUE_TIME (200 * WAVE_MS)
#define QUEUE_MIN 65536

static uint16_t ephemeral(struct simulated *x)
{
    return (uint16_t)(EPHEMERAL_FIRST + prng_below(&x->prng, EPHEMERAL));
}

static uint32_t interface_mtu(const struct sim_spec *s)
{
    return s->mtu > INTERFACE_MTU ? s->mtu : INTERFACE_MTU;
}

static struct path_impairment impairment(const struct sim_spec *s)
{
    const uint64_t queue = s->rate / 8 * QUEUE_TIME / WAVE_S;

    return (struct path_impairment){.loss = s->loss,
                                    .duplication = s->duplication,
                                    .reordering = s->reordering,
                                    .corruption = s->corruption,
                                    .marking = s->marking,
                                    .delay = s->rtt / 2,
                                    .jitter = s->jitter,
                                    .mtu = s->mtu,
                                    .silent_mtu = s->silent_mtu,
                                    .bandwidth = s->rate,
                                    .queue = s->queue            ? s->queue
                                             : queue > QUEUE_MIN ? (uint32_t)queue
                                                                 : QUEUE_MIN};
}

/* Returns a time of the run as the network's clock shows it. */
static wave_time at(wave_time since_begin)
{
    return time_add(PORT_SIM_BEGINS, since_begin);
}

static struct host_config host(struct simulated *x, bool listens, uint16_t lport)
{
    const struct sim_spec *s = &x->spec;
    const bool v6 = x->target.v6;
    struct host_config h = {.behaviour = s->peer,
                            .v6 = v6,
                            .addr = target_simulated(v6, false),
                            .port = listens ? 0 : x->target.port,
                            .half_open = PEER_HALF_OPEN,
                            .think = s->think,
                            .vanish_at = at(s->vanish_at),
                            .reboot_at = at(s->reboot_at)};

    conn_config_default(&h.engine, interface_mtu(s), v6);
    h.engine.time_wait = true;
    h.engine.msl = PEER_MSL;
    h.seed = prng_next(&x->prng);
    for (size_t i = 0; i < sizeof h.engine.isn_secret; i++)
        h.engine.isn_secret[i] = (uint8_t)prng_next(&x->prng);
    if (listens)
        h.dials = (struct host_dials){.count = s->dials,
                                      .begin = PORT_SIM_BEGINS,
                                      .every = s->every,
                                      .flow = {.local = h.addr,
                                               .remote = target_simulated(v6, true),
                                               .lport = EPHEMERAL_FIRST,
                                               .rport = lport,
                                               .v6 = v6},
                                      .ports = EPHEMERAL};
    if (listens && !s->has_peer) /* by itself, a client ends what it has begun */
        h.behaviour = HOST_ANSWER_AND_FIN_FIRST;
    return h;
}

static int open_port(void *self, struct port **out, const struct wire_config *c, struct diag *d)
{
    struct simulated *x = self;
    const struct sim_spec *s = &x->spec;
    const bool many = c->free_ports.max != 0, listens = c->listen && !many;
    const uint16_t first = x->platform.ports.low > UINT16_MAX ? 0 : (uint16_t)x->platform.ports.low;
    struct port_sim_config n = {.local = target_simulated(x->target.v6, true),
                                .mtu = interface_mtu(s),
                                .seed = prng_next(&x->prng),
                                .inbound_only = c->inbound_only,
                                .hops = s->hops,
                                .nat = s->nat,
                                .nat_resets = s->nat_resets,
                                .syn_proxy = s->syn_proxy,
                                .real = s->real,
                                .patient = true};

    if (x->platform.confines && privilege_drop(d) != 0)
        return WAVE_ESYS;
    memcpy(n.lose, s->lose, sizeof n.lose);
    n.forward = n.reverse = impairment(s);
    n.lport = c->lport ? c->lport : many ? first : ephemeral(x);
    n.lports = many ? c->free_ports.max : c->lports ? c->lports : 1;
    n.host = host(x, listens, n.lport);
    return port_sim_open(out, &n, d);
}

static int route(void *self, const struct route_query *q, struct route *out, struct diag *d)
{
    const struct simulated *x = self;

    (void)d;
    *out = (struct route){.ifindex = 1,
                          .interface = "sim",
                          .mtu = interface_mtu(&x->spec),
                          .source = target_simulated(q->v6, true)};
    return 0;
}

static void random_bytes(void *self, void *to, size_t len)
{
    struct simulated *x = self;
    uint8_t *byte = to;

    for (size_t i = 0; i < len; i++)
        byte[i] = (uint8_t)prng_next(&x->prng);
}

static void resolved(void *self, const struct target *t)
{
    struct simulated *x = self;

    x->target = *t;
}

void simulated_init(struct simulated *x, const struct sim_spec *spec)
{
    struct sim_spec shown = *spec;

    *x = (struct simulated){.spec = *spec,
                            .prng = {spec->seed},
                            .platform = {.open = open_port,
                                         .route = route,
                                         .random = random_bytes,
                                         .resolved = resolved,
                                         .now = PORT_SIM_BEGINS,
                                         .signals = -1,
                                         .confines = true,
                                         .simulated = x->text,
                                         .self = x}};
    shown.real = false; /* it changes nothing of what is shown */
    sim_spec_print(&shown, x->text);
    local_ports_parse(&x->platform.ports, PORTS, "");
}
