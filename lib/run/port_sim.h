/*
 * The port that leads to a simulated network: one path, and one host at its far end, in virtual
 * time. It asks nothing of the system but memory: no privilege, no packet, no socket, no clock. The
 * same configuration gives the same run, to the nanosecond.
 *
 * Our own segments are captured as they leave, as on a real interface. The clock stands still but
 * in wait(), which moves it to the next thing that happens.
 */
#ifndef TCPWAVE_RUN_PORT_SIM_H
#define TCPWAVE_RUN_PORT_SIM_H

#include "lib/run/port.h"
#include "lib/sim/host.h"
#include "lib/sim/path.h"

#define PORT_SIM_BEGINS WAVE_S /* what both clocks say when the port is opened */

struct port_sim_config {
    struct host_config host;         /* the far end */
    struct addr local;               /* our own address */
    uint16_t lport;                  /* our port, as wire_info.lport gives it */
    uint32_t lports;                 /* consecutive ports from lport on; 0: 1 */
    uint32_t window;                 /* what port_window() says; 0: any number of bytes */
    uint32_t mtu;                    /* of our interface, in bytes; 0: 1500 */
    struct path_impairment forward, reverse; /* what the path does in each direction */
    uint64_t seed;                   /* of the path */
    bool inbound_only;               /* our own segments are not captured */
};

/* WAVE_ENOMEM, with *d filled in. */
int port_sim_open(struct port **out, const struct port_sim_config *config, struct diag *d);

/* The far end; and the path, whose ways may be changed while the run goes on. */
struct host *port_sim_host(struct port *p);
struct path *port_sim_path(struct port *p);

/* Loses the next segments that leave (there) or come (back) for which `lose` says true; NULL: none.
 * `number` counts what was sent, both ways, from 1; `flow` is as its sender sees it. */
typedef bool port_sim_lose(void *ctx, wave_time at, bool outgoing, uint64_t number,
                           const struct flow *flow, const struct seg *s);
void port_sim_filter(struct port *p, port_sim_lose *lose, void *ctx);

/* An ICMP error comes to the near end now, as from a router or the far end. */
void port_sim_icmp(struct port *p, const struct icmp *e);

/* A segment arrives at the near end now, whoever sent it; `flow` is as its sender would see it, and
 * `ttl` is what is left of it, 0: as of the far end's. */
void port_sim_deliver(struct port *p, const struct flow *flow, const struct seg *seg, uint8_t ttl);

/* Something that happens at a given time, in the far end or on the path: `act` is called once the
 * clock has come to `at`, and returns when it wants to be called next. */
void port_sim_at(struct port *p, wave_time at, wave_time (*act)(void *ctx, wave_time now),
                 void *ctx);

#endif
