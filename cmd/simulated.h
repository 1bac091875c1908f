/*
 * Stands in place of the system for a target sim:PORT: the port leads to a simulated network
 * (lib/run/port_sim.h) as SPEC describes it, and everything random comes from its seed. Such a run
 * takes no privilege and opens no socket. What is known of the system beyond that stays the
 * system's: signals, the report's stream, files that the user names, and the sandbox.
 */
#ifndef TCPWAVE_CMD_SIMULATED_H
#define TCPWAVE_CMD_SIMULATED_H

#include "cmd/platform.h"
#include "cmd/target.h"
#include "lib/sim/prng.h"
#include "lib/sim/spec.h"

struct simulated {
    struct platform platform;
    struct sim_spec spec;
    struct target target; /* the peer, or where we listen */
    struct prng prng;
    char text[SIM_SPEC_TEXT];
};

/* Makes it ready. `x` stays where it is as long as its platform is used. */
void simulated_init(struct simulated *x, const struct sim_spec *spec);

#endif
