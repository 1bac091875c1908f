/*
 * What a command takes from the system for its run: a port, a route, random bytes, signals, the
 * time, the stream of the report. A unit test hands in its own (show_options.platform), so that a
 * whole command runs over a simulated network: in virtual time, without privileges, sandbox or
 * signals, and with the same bytes as output each time.
 */
#ifndef TCPWAVE_CMD_PLATFORM_H
#define TCPWAVE_CMD_PLATFORM_H

#include <stddef.h>
#include <stdio.h>

#include "cmd/options_show.h"
#include "lib/run/port.h"
#include "lib/wire/local_ports.h"
#include "lib/wire/route.h"

/* What stands in place of the system; `self` is handed to each call. */
struct platform {
    int (*open)(void *self, struct port **out, const struct wire_config *config, struct diag *d);
    int (*route)(void *self, const struct route_query *q, struct route *out, struct diag *d);
    void (*random)(void *self, void *to, size_t len);
    struct local_ports ports; /* that may be taken unasked */
    wave_time now;      /* what both clocks say before there is a port */
    FILE *report;       /* has a descriptor, and stays open */
    int signals;        /* from which signals_next() reads, or -1; stays open */
    void *self;
};

/* Each of these is the system's own where `x` is NULL. As port_wire_open(). */
int platform_open(const struct platform *x, struct port **out, const struct wire_config *config,
                  struct diag *d);

/* As route_find() and local_ports_read(). */
int platform_route(const struct platform *x, const struct route_query *q, struct route *out,
                   struct diag *d);
void platform_ports(const struct platform *x, struct local_ports *out);

/* `len` random bytes, at most 256. WAVE_ESYS: the system gives none, and errno says why. */
int platform_random(const struct platform *x, void *to, size_t len);

/* The clocks, before there is a port: the engine's, and that of captured packets. */
wave_time platform_now(const struct platform *x);
wave_time platform_stamp(const struct platform *x);

/* As signals_open() and signals_close(); a negative `fd` is taken. */
int platform_signals(const struct platform *x, int *fd, struct diag *d);
void platform_signals_close(const struct platform *x, int fd);

/* As enter_sandbox(). */
void platform_enter_sandbox(const struct show_options *o);

#endif
