/* Defines the row of --sim, and puts the simulated network in place of the system. */
#include "cmd/options_sim.h"

#include <stdio.h>
#include <string.h>

/* Nothing more may ever happen on a simulated network, while a command waits for its peer. The
 * end of such a run costs nothing in virtual time. */
#define TIMEOUT (168 * WAVE_H)

#define IPV6_MTU 1280 /* RFC 8200, section 5 */

static const char *parse_spec(void *group, const char *value)
{
    struct sim_options *o = group;
    struct sim_spec_error e;

    o->given = true;
    if (sim_spec_parse(value, &o->spec, &e) == 0)
        return NULL;
    snprintf(o->wrong, sizeof o->wrong, "is wrong at character %zu, \"%.20s\": there may be %s",
             e.at + 1, value + e.at, e.allowed);
    return o->wrong;
}

/* clang-format off */
const struct option_row sim_rows[] = {
    {KIND_CUSTOM, 0, "sim", "SPEC", "the network and the peer of a target sim:PORT, such as "
     "rtt=20ms,loss=5%,peer=echo", 0, 0, 0, parse_spec},
    OPTION_END};
/* clang-format on */

/* Returns what is wrong with the network for this target. */
static const char *check_spec(const struct sim_spec *s, bool passive, bool v6)
{
    struct sim_spec usual;

    sim_spec_default(&usual);
    if (v6 && s->mtu < IPV6_MTU)
        return "--sim: an mtu below 1280 is too small for IPv6";
    if (passive && s->syn_proxy)
        return "--sim: a syn-proxy stands before a peer that listens, and here the peer dials";
    if (!passive && (s->dials != usual.dials || s->every != usual.every))
        return "--sim: dials and every are for listen, where the peer opens the connections";
    return NULL;
}

const char *sim_check(struct sim_options *o, const struct target_name *target,
                      const struct where_options *where, struct show_options *show)
{
    const char *wrong;

    if (!target->sim && o->given) {
        snprintf(o->wrong, sizeof o->wrong,
                 "--sim describes the network of a target sim:PORT, and the target is %.100s",
                 target->host[0] ? target->host : "this host");
        return o->wrong;
    }
    if (!target->sim)
        return NULL;
    if (where->interface || where->has_source)
        return "--interface and --source are of this host, and have no meaning for sim:PORT";
    if (!o->given)
        sim_spec_default(&o->spec);
    wrong = check_spec(&o->spec, target->passive, where->ipv6);
    if (wrong)
        return wrong;
    simulated_init(&o->system, &o->spec);
    show->platform = &o->system.platform;
    if (!show->timeout && !o->spec.real)
        show->timeout = TIMEOUT;
    return NULL;
}
