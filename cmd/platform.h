/*
 * Gives a command what it needs from the system for its run: a port, a route, random bytes,
 * signals, the time and the report's stream. A unit test supplies all of these itself
 * (show_options.platform). Then the whole command runs over a simulated network, in virtual time,
 * without privileges, sandbox or signals, and prints the same bytes each time.
 */
#ifndef TCPWAVE_CMD_PLATFORM_H
#define TCPWAVE_CMD_PLATFORM_H

#include <stddef.h>
#include <stdio.h>

#include "cmd/options_show.h"
#include "lib/run/port.h"
#include "lib/wire/local_ports.h"
#include "lib/wire/route.h"

/* Replaces the system in a unit test. `self` is passed to each call. */
struct platform {
    int (*open)(void *self, struct port **out, const struct wire_config *config, struct diag *d);
    int (*route)(void *self, const struct route_query *q, struct route *out, struct diag *d);
    void (*random)(void *self, void *to, size_t len);
    struct local_ports ports; /* those that may be taken when the user names none */
    wave_time now;            /* the time of both clocks before there is a port */
    FILE *report;             /* must have a descriptor; is not closed */
    int signals;              /* a descriptor for signals_next(), or -1; is not closed */
    void *self;
};

/* All of these functions use the system itself if `x` is NULL. */
/* Opens a port, as port_wire_open() does. */
int platform_open(const struct platform *x, struct port **out, const struct wire_config *config,
                  struct diag *d);

/* Find a route, and the usable local ports, as route_find() and local_ports_read() do. */
int platform_route(const struct platform *x, const struct route_query *q, struct route *out,
                   struct diag *d);
void platform_ports(const struct platform *x, struct local_ports *out);

/* Writes `len` random bytes, at most 256. Returns 0, or WAVE_ESYS if the system gives none; errno
 * says why. */
int platform_random(const struct platform *x, void *to, size_t len);

/* Read the clocks before there is a port: the engine's, and that of captured packets. */
wave_time platform_now(const struct platform *x);
wave_time platform_stamp(const struct platform *x);

/* Open and close the descriptor for signals, as signals_open() and signals_close() do. A negative
 * `fd` is allowed, and does nothing. */
int platform_signals(const struct platform *x, int *fd, struct diag *d);
void platform_signals_close(const struct platform *x, int fd);

/* Enters the sandbox as enter_sandbox() does, but not in a unit test. */
void platform_enter_sandbox(const struct show_options *o);

#endif
