#include "tests/unit/network.h"

struct port_sim_config network_with(enum host_behaviour behaviour)
{
    struct port_sim_config network = {.host = {.behaviour = behaviour,
                                               .addr = addr_v4(192, 0, 2, 80),
                                               .port = 80,
                                               .half_open = 256,
                                               .vanish_at = WAVE_NEVER,
                                               .seed = 1},
                                      .local = addr_v4(192, 0, 2, 1),
                                      .lport = NETWORK_LPORT,
                                      .seed = 7};

    network.forward.delay = network.reverse.delay = NETWORK_DELAY;
    conn_config_default(&network.host.engine, 1500, false);
    network.host.engine.time_wait = false;
    return network;
}
