/*
 * Gives a command what it needs from the system for its run: a port, a route, random bytes,
 * signals, the time and the report's stream. For a target sim:PORT the simulation supplies them
 * (cmd/simulated.h), and for any target a unit test can (show_options.platform). Then the whole
 * command runs over a simulated network, in virtual time, without privileges, and prints the same
 * bytes each time.
 */
#ifndef TCPWAVE_CMD_PLATFORM_H
#define TCPWAVE_CMD_PLATFORM_H

#include <stddef.h>
#include <stdio.h>

#include "cmd/options_show.h"
#include "cmd/target.h"
#include "lib/run/port.h"
#include "lib/wire/local_ports.h"
#include "lib/wire/route.h"

/* Replaces the system. `self` is passed to each call. */
struct platform {
    int (*open)(void *self, struct port **out, const struct wire_config *config, struct diag *d);
    int (*route)(void *self, const struct route_query *q, struct route *out, struct diag *d);
    void (*random)(void *self, void *to, size_t len);
    /* Is told of each target sim:PORT, as it is resolved. May be NULL. */
    void (*resolved)(void *self, const struct target *t);
    struct local_ports ports; /* those that may be taken when the user names none */
    wave_time now;            /* the time of both clocks before there is a port */
    wave_time asleep;         /* for how long this host has been suspended until now */
    FILE *report;             /* must have a descriptor, and is not closed; NULL: the usual one */
    int signals;           /* a descriptor for signals_next(), which is not closed; -1: none; with
                              `confines`, that of the system */
    bool confines;         /* the process is tcpwave's own: it takes signals, gives up privileges
                              and enters the sandbox */
    const char *simulated; /* the SPEC of the simulated network, "" for the default; NULL: nothing
                              is said of it */
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

/* Returns for how long this host has been suspended since it was started. The clocks of a run stand
 * meanwhile, and the rest of the world goes on. */
wave_time platform_asleep(const struct platform *x);

/* Open and close the descriptor for signals, as signals_open() and signals_close() do. A negative
 * `fd` is allowed, and does nothing. */
int platform_signals(const struct platform *x, int *fd, struct diag *d);
void platform_signals_close(const struct platform *x, int fd);

/* Tells the simulation which target was resolved. */
void platform_resolved(const struct platform *x, const struct target *t);

/* Returns the end of --timeout as CLOCK_MONOTONIC shows it, WAVE_NEVER in virtual time: readers are
 * then waited for, since the clock of the run stands. */
wave_time platform_deadline(const struct platform *x, wave_time deadline);

/* Enters the sandbox as enter_sandbox() does, but not in a unit test. */
void platform_enter_sandbox(const struct show_options *o);

/* Returns the SPEC of the simulated network, or NULL. */
const char *platform_simulated(const struct show_options *o);

#endif
