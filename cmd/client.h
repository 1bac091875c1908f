/*
 * What connect, halfclose and keepalive share: one connection that we open, the data both ways,
 * and the way from the command line to the verdict.
 */
#ifndef TCPWAVE_CMD_CLIENT_H
#define TCPWAVE_CMD_CLIENT_H

#include <stdbool.h>

#include "cmd/client_options.h"
#include "cmd/command.h"
#include "cmd/options_probe.h"
#include "lib/run/course.h"
#include "lib/run/session.h"
#include "lib/run/transfer.h"
#include "lib/run/verify.h"

/* A command's own state begins with this; it is the session's `user`. */
struct client {
    const struct client_options *options;
    const struct probe_options *probe; /* of a command that probes, else NULL */
    bool no_ack;                     /* the third segment of the handshake is never sent */
    struct session_conn *conn;
    struct course_config plan; /* the command's */
    struct course course;
    struct transfer transfer;
    struct verify verify;
    struct figures figures;
    wave_time taken_at;   /* when data was last written out: the peer may have waited for that */
    wave_time starved_at; /* since when there is no memory for what is to be sent; 0: there is */
};

/* What makes one command of it. */
struct client_ops {
    const struct command *command;
    struct session_ops session;
    /* Watches the stream of events; `self` is the client. May be NULL. */
    report_sink *watch;
    /* Has the last word on what happened, and adds what only this command knows. May be NULL. */
    void (*judge)(struct session *s, struct client *x, struct outcome *o, struct figures *figures);
};

/* A command without memory for its own state: as view_refuse(). */
int client_no_memory(const struct client_options *o, const struct client_ops *ops);

/* From the options to the exit status. `x` is zero but for `probe`, `no_ack` and the command's own
 * part. */
int client_run(struct client *x, const struct client_options *o, const struct client_ops *ops);

/*
 * What every turn begins with: the wait for the handshake, the probes of --verify, data both ways
 * as long as our side is open, and the connection's end, which ends the run. True: that is all for
 * now, and *at says when to look again.
 */
bool client_turn(struct session *s, struct client *x, struct conn *e, wave_time now, wave_time *at);

/* The connection's course, as far as it gets now. Returns when to look again. */
wave_time client_go(struct session *s, struct client *x, struct conn *e, wave_time now);

/* Closes our side before the course would. */
void client_close(struct session *s, struct client *x, struct conn *e, wave_time now);

/* Whether our side was closed, one way or the other: it gives no more data. */
static inline bool client_closed(const struct client *x)
{
    return course_step(&x->course) >= COURSE_CLOSING;
}

/* For session_ops.poll: the files of the exchange. */
unsigned client_poll(struct session *s, struct pollfd *fds);

#endif
