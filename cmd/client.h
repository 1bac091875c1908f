/*
 * What connect, halfclose and keepalive share: one connection that we open, the data both ways,
 * and the way from the command line to the verdict.
 */
#ifndef TCPWAVE_CMD_CLIENT_H
#define TCPWAVE_CMD_CLIENT_H

#include <stdbool.h>

#include "cmd/exchange.h"
#include "cmd/session.h"
#include "cmd/verify.h"

/* A command's own state begins with this; it is the session's `user`. */
struct client {
    const struct options *options;
    struct session_conn *conn;
    struct exchange exchange;
    struct verify verify;
    bool closed; /* our side was closed, one way or the other: it gives no more data */
};

/* What makes one command of it. */
struct client_ops {
    struct session_ops session;
    /* Watches the stream of events; `self` is the client. May be NULL. */
    report_sink *watch;
    /* Has the last word on what happened, and adds what only this command knows. May be NULL. */
    void (*judge)(struct session *s, struct client *x, struct outcome *o,
                  struct report_findings *found);
};

/* From the options to the exit status. `x` is zero but for the command's own part. */
int client_run(struct client *x, const struct options *o, const struct client_ops *ops);

/* Before the handshake is done; returns when to look again. */
wave_time client_await_handshake(struct session *s, const struct conn *e);

/* Gives the peer our data as long as our side is open, and takes what it sent. */
void client_move_data(struct session *s, struct client *x, struct conn *e, wave_time now);

/* CLOSE: our FIN goes behind the last byte of ours. */
void client_close(struct session *s, struct client *x, struct conn *e, wave_time now);

/* What is still to come after our close: the acknowledgement of our FIN, and then the peer's own,
 * or --linger of silence. Returns when to look again. */
wave_time client_await_end(struct session *s, struct client *x, const struct conn *e,
                           wave_time now);

/* For session_ops.poll: the files of the exchange. */
unsigned client_poll(struct session *s, struct pollfd *fds);

#endif
