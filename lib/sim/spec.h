/*
 * SPEC: what the user says of a simulated network, "rtt=20ms,loss=5%,peer=echo" (tcpwave-sim(7)).
 * sim_spec_parse() and sim_spec_print() are inverse to each other: what is printed parses as the
 * same network.
 */
#ifndef TCPWAVE_SIM_SPEC_H
#define TCPWAVE_SIM_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/time.h"
#include "lib/sim/hops.h"
#include "lib/sim/host.h"

#define SIM_DIALS_MAX 1000000u
#define SIM_LOSE_MAX 8

/* Holds a network. Probabilities are in 1/10000, and what the path does it does in each
 * direction. */
struct sim_spec {
    wave_time rtt;    /* there and back, without jitter */
    wave_time jitter; /* each segment takes 0 to this much longer */
    uint32_t loss, duplication, reordering, corruption;
    uint32_t marking; /* CE on ECN-capable segments */
    uint64_t rate;    /* bits a second; 0: without limit */
    uint32_t queue;   /* bytes that may wait where the rate is limited; 0: the default for it */
    uint32_t mtu;     /* of the path, in bytes */
    bool silent_mtu;  /* what is larger vanishes without an ICMP error */
    uint32_t lose[SIM_LOSE_MAX]; /* numbers of segments that are lost, ascending, as they are sent:
                                    both directions count together from 1 */
    uint32_t loses;              /* how many there are */
    uint64_t seed;    /* of all that is random */
    uint32_t hops;    /* routers on the way, at most HOPS_MAX */
    wave_time nat;    /* a NAT before the peer forgets a connection that is silent for so long; 0:
                         there is none */
    bool nat_resets;  /* then it answers with RST; else with nothing */
    bool syn_proxy;   /* a SYN proxy before the peer answers SYNs in its place */
    bool has_peer;    /* `peer` was named */
    enum host_behaviour peer;
    wave_time think;                /* the peer's application does everything so much later */
    wave_time vanish_at, reboot_at; /* since the beginning of the run; WAVE_NEVER: never */
    uint32_t dials;                 /* connections that the peer opens where we listen */
    wave_time every;                /* between two of them */
    bool real; /* the clock runs with that on the wall; else as fast as it can */
};

/* Fills in the network that an empty SPEC means. */
void sim_spec_default(struct sim_spec *s);

/* Says where a SPEC is wrong, and what is allowed there. */
struct sim_spec_error {
    size_t at; /* characters before it */
    char allowed[200];
};

/* Parses a SPEC into *out, which holds the defaults for what it does not name. Returns 0, or
 * WAVE_EINVAL with *e filled in; *out is then unchanged. */
int sim_spec_parse(const char *text, struct sim_spec *out, struct sim_spec_error *e);

#define SIM_SPEC_TEXT 500
/* Writes the SPEC, without what is as sim_spec_default() has it; nothing at all gives "". */
const char *sim_spec_print(const struct sim_spec *s, char text[SIM_SPEC_TEXT]);

/* Returns the name of a peer, as in peer=NAME. */
const char *sim_spec_peer(enum host_behaviour peer);

#endif
