/*
 * Starts and ends the session of a command that makes connections: connect, halfclose, keepalive
 * and listen. start_open() turns the options into a session that runs, start_verdict() its end into
 * the exit status.
 */
#ifndef TCPWAVE_CMD_START_H
#define TCPWAVE_CMD_START_H

#include "cmd/command.h"
#include "cmd/options_close.h"
#include "cmd/options_impair.h"
#include "cmd/options_probe.h"
#include "cmd/options_show.h"
#include "cmd/options_tcp.h"
#include "cmd/options_where.h"
#include "cmd/preset.h"
#include "cmd/target.h"
#include "cmd/view.h"
#include "lib/run/session.h"

/* Holds the options that a command hands over. */
struct start_config {
    const struct command *command;
    const struct where_options *where;
    const struct tcp_options *tcp;
    const struct end_options *end;
    const struct probe_options *probe; /* NULL: the command never probes */
    const struct impair_options *impair;
    const struct show_options *show;
    uint32_t source_port; /* 0: the kernel chooses one */
    const struct preset *preset; /* NULL: none */
    bool no_ack;          /* never send the third segment of the handshake */
    bool verify;          /* probe after each step that left the peer's state assumed */
    bool bulk;            /* there is much data to send */
    bool output;          /* what is received is kept, and may be much */
    const struct target_list *names; /* the peer's, of which the first is tried; NULL: not known */
    wave_time deadline;   /* the end of --timeout, by platform_now(); WAVE_NEVER: none */

    uint32_t connections; /* that we open, each from a port of its own, one after the other or at
                             the same time: figures are shown, and no segments; 0: one */

    /* For a command that listens. */
    bool passive;
    bool single;              /* the run ends after one connection */
    uint32_t max_connections; /* at a time */
};

/* Holds what start_open() has opened. */
struct start {
    struct start_config config;
    struct view view;
    struct session *session;
    struct impair *impair; /* the rules of --impair; NULL: there are none */
    int signals;
    struct findings found; /* the command's own, about the run; it may add some before the verdict */
    uint64_t undelivered; /* bytes received but not written to --output when the run ended */
};

/* Opens files, wire, engine and renderers, in the order that privileges, signals and the sandbox
 * need. `target` is the peer, or the address to listen on. Afterwards the privileges are gone.
 * Returns 0 or an error with *d filled in; start_close() is due in any case. */
int start_open(struct start *st, const struct start_config *c, const struct target *target,
               const struct session_ops *ops, void *user, struct diag *d);

/* Reports the verdict, which session_verdict() makes of these arguments, to every renderer. Returns
 * the exit status. */
int start_verdict(struct start *st, const struct session_conn *c, struct outcome *outcome,
                  const struct figures *figures);

/* Closes and frees everything that start_open() has opened. */
void start_close(struct start *st);

#endif
