/* The port for a real interface. Each call is passed on to lib/wire; waiting is ppoll(2) on the
 * capture and on the loop's descriptors. */
#include "lib/run/port_wire.h"

#include <stdlib.h>
#include <time.h>

#include "lib/core/conn.h"
#include "lib/core/diag.h"
#include "lib/wire/capture_clock.h"

#define LOOK_EVERY (500 * WAVE_MS) /* between checks whether a lost interface was removed */

struct port_wire {
    struct port port;
    struct wire *wire;
};

static struct wire *wire_of(const struct port *p)
{
    return ((const struct port_wire *)p)->wire;
}

static int port_wire_send(struct port *p, const struct flow *flow, const struct seg *s,
                          const struct wire_ip *ip, struct diag *d)
{
    return wire_send(wire_of(p), flow, s, ip, d);
}

_Static_assert(CONN_ROOM <= WIRE_DATA, "the engine writes no more than the wire has room for");

static uint8_t *port_wire_room(struct port *p)
{
    return wire_room(wire_of(p));
}

static unsigned port_wire_train(struct port *p)
{
    return wire_train(wire_of(p));
}

static int port_wire_queue(struct port *p, const struct flow *flow, struct seq seq,
                           const uint8_t *ip, uint32_t len)
{
    return wire_queue(wire_of(p), flow, seq, ip, len);
}

static int port_wire_flush(struct port *p, struct wire_unsent *unsent, struct diag *d)
{
    return wire_flush(wire_of(p), unsent, d);
}

static int port_wire_next(struct port *p, struct wire_packet *out, struct diag *d)
{
    return wire_next(wire_of(p), out, d);
}

static wave_time port_wire_now(struct port *p)
{
    (void)p;
    return wire_now();
}

static wave_time port_wire_stamp(struct port *p)
{
    (void)p;
    return capture_clock_now();
}

/* Returns the time from now until `until`, but no more than LOOK_EVERY where the wire has to be
 * checked meanwhile. */
static struct timespec time_left(const struct wire *w, wave_time until)
{
    wave_time now = until ? wire_now() : 0, left = until > now ? until - now : 0;

    if (wire_down(w))
        left = time_min(left, LOOK_EVERY);
    return (struct timespec){(time_t)(left / WAVE_S), (long)(left % WAVE_S)};
}

static bool port_wire_wait(struct port *p, wave_time until, struct pollfd *fds, unsigned n)
{
    struct pollfd all[1 + PORT_FDS] = {{.fd = wire_fd(wire_of(p)), .events = POLLIN}};
    struct timespec t = time_left(wire_of(p), until);
    const bool endless = until == WAVE_NEVER && !wire_down(wire_of(p));
    int ready;

    for (unsigned i = 0; i < n; i++)
        all[1 + i] = fds[i];
    ready = ppoll(all, 1 + n, endless ? NULL : &t, NULL);
    for (unsigned i = 0; i < n; i++)
        fds[i].revents = (short)(ready > 0 ? all[1 + i].revents : 0);
    return ready > 0;
}

static struct wire_stats port_wire_stats(struct port *p)
{
    return wire_stats(wire_of(p));
}

static bool port_wire_rerouted(struct port *p, char interface[16])
{
    return wire_rerouted(wire_of(p), interface);
}

static bool port_wire_unreachable(struct port *p, struct wire_neighbour *out)
{
    return wire_unreachable(wire_of(p), out);
}

static bool port_wire_unreachable_from(struct port *p, const struct addr *local,
                                       const struct addr *remote, struct wire_neighbour *out)
{
    return wire_unreachable_from(wire_of(p), local, remote, out);
}

static bool port_wire_asks_for_itself(struct port *p)
{
    return wire_asks_for_itself(wire_of(p));
}

static uint16_t port_wire_lport(const struct port *p, uint32_t i)
{
    return wire_port(wire_of(p), i);
}

static uint32_t port_wire_lports(const struct port *p)
{
    return wire_ports(wire_of(p));
}

static uint32_t port_wire_window(const struct port *p, uint32_t mss)
{
    return wire_window(wire_of(p), mss);
}

static void port_wire_close(struct port *p)
{
    wire_close(wire_of(p));
    free(p);
}

static const struct port_ops ops = {.send = port_wire_send,
                                    .room = port_wire_room,
                                    .train = port_wire_train,
                                    .queue = port_wire_queue,
                                    .flush = port_wire_flush,
                                    .next = port_wire_next,
                                    .now = port_wire_now,
                                    .stamp = port_wire_stamp,
                                    .wait = port_wire_wait,
                                    .stats = port_wire_stats,
                                    .rerouted = port_wire_rerouted,
                                    .unreachable = port_wire_unreachable,
                                    .unreachable_from = port_wire_unreachable_from,
                                    .asks_for_itself = port_wire_asks_for_itself,
                                    .lport = port_wire_lport,
                                    .lports = port_wire_lports,
                                    .window = port_wire_window,
                                    .close = port_wire_close};

int port_wire_open(struct port **out, const struct wire_config *config, struct diag *d)
{
    struct port_wire *p = calloc(1, sizeof *p);
    int error;

    if (!p)
        return diag_fail(d, WAVE_ENOMEM, "no memory for the run");
    error = wire_open(&p->wire, config, d);
    if (error) {
        free(p);
        return error;
    }
    p->port = (struct port){.ops = &ops, .info = wire_info(p->wire)};
    *out = &p->port;
    return 0;
}
