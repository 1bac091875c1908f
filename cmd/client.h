/*
 * Runs the commands that open one connection: connect, halfclose and keepalive. They share the
 * steps from the options to the verdict, and the exchange of data. Each command adds calls of its
 * own for events and turns (struct client_ops), and may have the last word on the outcome.
 */
#ifndef TCPWAVE_CMD_CLIENT_H
#define TCPWAVE_CMD_CLIENT_H

#include <stdbool.h>

#include "cmd/client_options.h"
#include "cmd/command.h"
#include "cmd/options_probe.h"
#include "cmd/preset.h"
#include "cmd/target.h"
#include "lib/run/course.h"
#include "lib/run/session.h"
#include "lib/run/transfer.h"
#include "lib/run/verify.h"

/* Holds the state of one run. A command's own state begins with this struct, which is the session's
 * `user`. */
struct client {
    const struct client_options *options;
    const struct preset *preset;       /* or NULL */
    const struct probe_options *probe; /* for a command that probes, else NULL */
    bool no_ack;                     /* the third segment of the handshake is never sent */
    struct session_conn *conn;
    struct wire_stats stats;   /* of the port, when the run has ended */
    wave_time origin;          /* the stamp of the run's first event; 0: it did not begin */
    struct course_config plan; /* the command's */
    struct course course;
    struct transfer transfer;
    struct verify verify;
    struct figures figures;
    wave_time taken_at;   /* when data was last written out, which reopens the peer's window */
    bool reader_busy;     /* data of the peer's waits for a reader of ours */
    wave_time starved_at; /* when memory for data to be sent began to lack; 0: it does not */
};

/* Says what one command does beside the shared steps. */
struct client_ops {
    const struct command *command;
    struct session_ops session;
    /* Watches the stream of events; `self` is the client. May be NULL. */
    report_sink *watch;
    /* May change the outcome when the run has ended, and adds the command's figures. May be NULL.
     */
    void (*judge)(struct session *s, struct client *x, struct outcome *o, struct figures *figures);
};

/* Reports that there was no memory for the command's own state. Returns the exit status, as
 * view_refuse() does. */
int client_no_memory(const struct client_options *o, const struct client_ops *ops);

/* Runs a command, from its options to the verdict, and returns the exit status. *x must be zero but
 * for `preset`, `probe`, `no_ack`, `plan` and the command's own part. */
int client_run(struct client *x, const struct client_options *o, const struct client_ops *ops);

/* Does the same for an address that is known, the first of the list, within `deadline` of
 * platform_now(). `untried`: the others of the list are told of, since they are not tried. */
int client_run_at(struct client *x, const struct client_options *o, const struct client_ops *ops,
                  const struct target_list *names, bool untried, wave_time deadline);

/*
 * Does what every turn begins with: waits for the handshake, sends the probes of --verify, moves
 * data both ways, and ends the run when the connection has ended. Returns true if nothing more is
 * to be done in this turn; then *at is when to come back.
 */
bool client_turn(struct session *s, struct client *x, struct conn *e, wave_time now, wave_time *at);

/* Takes the connection's course as far as it gets now. Returns when to come back. */
wave_time client_go(struct session *s, struct client *x, struct conn *e, wave_time now);

/* Closes our side before the course would. */
void client_close(struct session *s, struct client *x, struct conn *e, wave_time now);

/* Returns whether our side has been closed, in any way, so that it sends no more data. */
static inline bool client_closed(const struct client *x)
{
    return course_step(&x->course) >= COURSE_CLOSING;
}

/* Fills in the descriptors of --file and --output to wait for. It is a session_ops.poll. */
unsigned client_poll(struct session *s, struct pollfd *fds);

#endif
