/*
 * The port that leads to a simulated network: one path with one host at its far end, in virtual
 * time. It needs nothing from the system but memory: no privilege, no packet, no socket, no clock.
 * The same configuration gives the same run, to the nanosecond. On the path there may be routers,
 * and before the host a NAT and a SYN proxy, in this order.
 *
 * Our own segments are captured as they leave, as on a real interface. The clock moves only in
 * wait(), to the next thing that happens; with `real`, once as much time has passed on the wall.
 */
#ifndef TCPWAVE_RUN_PORT_SIM_H
#define TCPWAVE_RUN_PORT_SIM_H

#include "lib/run/port.h"
#include "lib/sim/host.h"
#include "lib/sim/path.h"

#define PORT_SIM_BEGINS WAVE_S /* both clocks when the port is opened */

#define PORT_SIM_LOSE 8

struct port_sim_config {
    struct host_config host;         /* the far end */
    struct addr local;               /* our own address */
    uint16_t lport;                  /* our port, as wire_info.lport gives it */
    uint32_t lports;                 /* consecutive ports from lport on; 0: 1 */
    uint32_t window;                 /* what port_window() returns; 0: any number of bytes */
    uint32_t mtu;                    /* of our interface, in bytes; 0: 1500 */
    struct path_impairment forward, reverse; /* what the path does in each direction */
    uint64_t seed;                           /* for the path's random decisions */
    bool inbound_only;               /* our own segments are not captured */
    uint32_t lose[PORT_SIM_LOSE];    /* numbers of segments that are lost, ascending; then 0 */
    uint32_t hops;                   /* routers on the path, at most HOPS_MAX */
    wave_time nat;                   /* idle time of the NAT; 0: there is none */
    bool nat_resets;                 /* it answers what it does not know with RST */
    bool syn_proxy;
    bool real;    /* the clock does not run ahead of that on the wall */
    bool patient; /* the clock stands while a reader or writer that the loop polls for is not ready,
                     so that the run does not depend on its pace; without `real` */
};

/* Opens the port. WAVE_ENOMEM, with *d filled in. */
int port_sim_open(struct port **out, const struct port_sim_config *config, struct diag *d);

/* Return the far end, and the path, whose properties may be changed during the run. */
struct host *port_sim_host(struct port *p);
struct path *port_sim_path(struct port *p);

/* Sets a function that loses those of the next segments for which it returns true; `outgoing` says
 * whether a segment is ours. NULL: none. `number` counts the segments of both directions from 1;
 * `flow` is as its sender sees it. */
typedef bool port_sim_lose(void *ctx, wave_time at, bool outgoing, uint64_t number,
                           const struct flow *flow, const struct seg *s);
void port_sim_filter(struct port *p, port_sim_lose *lose, void *ctx);

/* Delivers an ICMP error to the near end now, as from a router or the far end. */
void port_sim_icmp(struct port *p, const struct icmp *e);

/* Delivers a segment to the near end now, from any sender. `flow` is as its sender would see it,
 * and `ttl` is the TTL with which it arrives; 0: that of the far end's segments. */
void port_sim_deliver(struct port *p, const struct flow *flow, const struct seg *seg, uint8_t ttl);

/* Schedules a change of the far end or the path: `act` is called when the clock has reached `at`,
 * and returns when it wants to be called next. */
void port_sim_at(struct port *p, wave_time at, wave_time (*act)(void *ctx, wave_time now),
                 void *ctx);

#endif
