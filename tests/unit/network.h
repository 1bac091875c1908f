/*
 * The simulated network that commands and the loop are tested over: 10 ms away, at 192.0.2.80, port
 * 80, a host of some manner (host.h); we are 192.0.2.1, port 40000. Nothing is lost on the path.
 */
#ifndef TCPWAVE_TESTS_UNIT_NETWORK_H
#define TCPWAVE_TESTS_UNIT_NETWORK_H

#include "lib/run/port_sim.h"

#define NETWORK_DELAY (10 * WAVE_MS) /* each way */
#define NETWORK_LPORT 40000

struct port_sim_config network_with(enum host_behaviour behaviour);

#endif
