/*
 * From the options of a command that makes connections to a session that runs, and from its end to
 * the exit status: what connect, halfclose, keepalive and listen share.
 */
#ifndef TCPWAVE_CMD_START_H
#define TCPWAVE_CMD_START_H

#include "cmd/command.h"
#include "cmd/options_close.h"
#include "cmd/options_probe.h"
#include "cmd/options_show.h"
#include "cmd/options_tcp.h"
#include "cmd/options_where.h"
#include "cmd/view.h"
#include "lib/run/session.h"

/* What a command hands over of its options. */
struct start_config {
    const struct command *command;
    const struct where_options *where;
    const struct tcp_options *tcp;
    const struct end_options *end;
    const struct probe_options *probe; /* NULL: it never probes */
    const struct show_options *show;
    uint32_t source_port; /* 0: chosen by the kernel */
    bool no_ack;          /* the third segment of the handshake is never sent */
    bool verify;          /* probes after each step that left something assumed */
    bool bulk;            /* much is to be sent */

    /* Of a command that listens. */
    bool passive;
    bool single;   /* it ends after one connection */
    uint32_t max_connections; /* connections at a time */
};

struct start {
    struct start_config config;
    struct view view;
    struct session *session;
    int signals;
    uint64_t undelivered; /* bytes received, and not written to --output when the run ended */
};

/* Opens files, wire, engine and renderers, in the order in which privileges, signals and the
 * sandbox want it; `target` is where to, or where to listen. Privileges are gone afterwards.
 * Errors with *d filled in; start_close() is due in any case. */
int start_open(struct start *st, const struct start_config *c, const struct target *target,
               const struct session_ops *ops, void *user, struct diag *d);

/* The verdict, to every renderer; returns the exit status. As session_verdict(). */
int start_verdict(struct start *st, const struct session_conn *c, const struct outcome *outcome,
                  const struct figures *figures);

/* Closes and frees all of it. */
void start_close(struct start *st);

#endif
