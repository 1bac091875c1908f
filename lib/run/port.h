/*
 * A port is all that the loop knows of the outside: segments are sent through it, captured packets
 * come from it, and it has the clocks. What is behind it can be replaced: the kernel (port_wire.h),
 * or a simulated network in virtual time (port_sim.h). A port may also stand in front of another
 * one, and change or record what passes.
 *
 * The calls and the structs are exactly those of lib/wire/wire.h, so that the usual port costs no
 * more than a call through a pointer. What differs between ports is the time: now() is the engine's
 * clock, stamp() the clock of captured packets, and wait() lets the time pass.
 */
#ifndef TCPWAVE_RUN_PORT_H
#define TCPWAVE_RUN_PORT_H

#include <poll.h>
#include <stdbool.h>

#include "lib/wire/wire.h"

#define PORT_FDS 8 /* the most descriptors that the loop may give wait() */

struct port;

struct port_ops {
    /* Queues one segment, as wire_send() does. */
    int (*send)(struct port *p, const struct flow *flow, const struct seg *s,
                const struct wire_ip *ip, struct diag *d);
    /* Returns room in the queue for the next segment's data, CONN_ROOM bytes, as wire_room() does.
     * May be NULL, and may return NULL: send() then copies the data. */
    uint8_t *(*room)(struct port *p);
    /* Returns how many segments send() takes as one now (seg.train). NULL: one. */
    unsigned (*train)(struct port *p);
    /* Queues an IP packet unchanged, as wire_queue() does. */
    int (*queue)(struct port *p, const struct flow *flow, struct seq seq, const uint8_t *ip,
                 uint32_t len);
    /* Sends what is queued, as wire_flush() does. */
    int (*flush)(struct port *p, struct wire_unsent *unsent, struct diag *d);
    /* Reads the next captured packet, as wire_next() does. */
    int (*next)(struct port *p, struct wire_packet *out, struct diag *d);
    /* Return the engine's clock and the clock of captured packets, in nanoseconds. */
    wave_time (*now)(struct port *p);
    wave_time (*stamp)(struct port *p);
    /*
     * Waits until `until` (WAVE_NEVER: without end), until a packet may have come, or until one of
     * the `n` descriptors is ready. There may be PORT_FDS descriptors, of which the first is that of
     * signals; their revents are filled in.
     * With `until` in the past it only polls. Returns true if something was ready before `until`.
     */
    bool (*wait)(struct port *p, wave_time until, struct pollfd *fds, unsigned n);
    struct wire_stats (*stats)(struct port *p);
    /* As wire_rerouted(). */
    bool (*rerouted)(struct port *p, char interface[16]);
    /* As wire_unreachable(). NULL: it cannot be known. */
    bool (*unreachable)(struct port *p, struct wire_neighbour *out);
    /* As wire_unreachable_from(); NULL: it cannot be told. */
    bool (*unreachable_from)(struct port *p, const struct addr *local, const struct addr *remote,
                             struct wire_neighbour *out);
    /* As wire_asks_for_itself(); NULL: it cannot be known. */
    bool (*asks_for_itself)(struct port *p);
    /* Return number `i` of the local ports that wire_config.free_ports asked for, and how many
     * there are, as wire_port() and wire_ports() do. NULL: there is one, port.info->lport. */
    uint16_t (*lport)(const struct port *p, uint32_t i);
    uint32_t (*lports)(const struct port *p);
    /* Returns how many bytes of receive window the capture can buffer, as wire_window() does. NULL:
     * any number. */
    uint32_t (*window)(const struct port *p, uint32_t mss);
    void (*close)(struct port *p);
};

struct port {
    const struct port_ops *ops;
    const struct wire_info *info; /* what was found and what is in use; valid as long as the port */
    bool virtual_time;            /* the clocks move only in wait() */
    bool paced;                   /* they move as fast as that on the wall */
};

static inline wave_time port_now(struct port *p)
{
    return p->ops->now(p);
}

static inline wave_time port_stamp(struct port *p)
{
    return p->ops->stamp(p);
}

static inline uint16_t port_lport(const struct port *p, uint32_t i)
{
    return p->ops->lport ? p->ops->lport(p, i) : p->info->lport;
}

static inline uint32_t port_lports(const struct port *p)
{
    return p->ops->lports ? p->ops->lports(p) : 1;
}

static inline uint32_t port_window(const struct port *p, uint32_t mss)
{
    return p->ops->window ? p->ops->window(p, mss) : UINT32_MAX;
}

/* Closes and frees the port, and the one behind it. NULL is allowed. */
static inline void port_close(struct port *p)
{
    if (p)
        p->ops->close(p);
}

#endif
