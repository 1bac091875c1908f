/*
 * What connect, halfclose and keepalive share: one connection that we open, the data both ways,
 * and the way from the command line to the verdict.
 */
#ifndef TCPWAVE_CMD_CLIENT_H
#define TCPWAVE_CMD_CLIENT_H

#include <stdbool.h>

#include "cmd/options.h"
#include "lib/run/exchange.h"
#include "lib/run/session.h"
#include "lib/run/verify.h"

/* A command's own state begins with this; it is the session's `user`. */
struct client {
    const struct options *options;
    struct session_conn *conn;
    struct exchange exchange;
    struct verify verify;
    struct figures figures;
    wave_time taken_at;   /* when data was last written out: the peer may have waited for that */
    wave_time starved_at; /* since when there is no memory for what is to be sent; 0: there is */
    bool closed;          /* our side was closed, one way or the other: it gives no more data */
};

/* What makes one command of it. */
struct client_ops {
    struct session_ops session;
    /* Watches the stream of events; `self` is the client. May be NULL. */
    report_sink *watch;
    /* Has the last word on what happened, and adds what only this command knows. May be NULL. */
    void (*judge)(struct session *s, struct client *x, struct outcome *o, struct figures *figures);
};

/* From the options to the exit status. `x` is zero but for the command's own part. */
int client_run(struct client *x, const struct options *o, const struct client_ops *ops);

/*
 * What every turn begins with: the wait for the handshake, the probes of --verify, data both ways
 * as long as our side is open, and the connection's end, which ends the run. True: that is all for
 * now, and *at says when to look again.
 */
bool client_turn(struct session *s, struct client *x, struct conn *e, wave_time now, wave_time *at);

/* Closes our side; CLOSE_ACTIVE is a FIN behind the last byte of ours, as is CLOSE_PASSIVE. */
void client_close(struct session *s, struct client *x, struct conn *e, enum close_how how,
                  wave_time now);

/* What is still to come after our close: the acknowledgement of our FIN, and then the peer's own,
 * or --linger of silence. Returns when to look again. */
wave_time client_await_end(struct session *s, struct client *x, const struct conn *e,
                           wave_time now);

/* For session_ops.poll: the files of the exchange. */
unsigned client_poll(struct session *s, struct pollfd *fds);

#endif
