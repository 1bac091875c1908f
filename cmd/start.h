/*
 * From the options of a command that makes connections to a session that runs, and from its end to
 * the exit status: what connect, halfclose, keepalive and listen share.
 */
#ifndef TCPWAVE_CMD_START_H
#define TCPWAVE_CMD_START_H

#include "cmd/options.h"
#include "cmd/view.h"
#include "lib/run/session.h"

struct start {
    const struct options *options;
    struct view view;
    struct session *session;
    int signals;
    uint64_t undelivered; /* bytes received, and not written to --output when the run ended */
};

/* Opens files, wire, engine and renderers, in the order in which privileges, signals and the
 * sandbox want it; `target` is where to, or where to listen. Privileges are gone afterwards.
 * Errors with *d filled in; start_close() is due in any case. */
int start_open(struct start *st, const struct options *o, const struct target *target,
               const struct session_ops *ops, void *user, struct diag *d);

/* The verdict, to every renderer; returns the exit status. As session_verdict(). */
int start_verdict(struct start *st, const struct session_conn *c, const struct outcome *outcome,
                  const struct figures *figures);

/* Closes and frees all of it. */
void start_close(struct start *st);

#endif
