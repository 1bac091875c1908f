/*
 * SIGINT, SIGTERM and SIGHUP as something that poll(2) waits for. Before signals_open() they end
 * the process in the usual way, which is right as long as no segment was sent.
 */
#ifndef TCPWAVE_IO_SIGNALS_H
#define TCPWAVE_IO_SIGNALS_H

#include <poll.h>

#include "lib/core/err.h"

/* Blocks the signals, and returns a descriptor in which they wait, or WAVE_ESYS with *d filled in.
 * SIGHUP is left alone where it is ignored, as under nohup(1). */
int signals_open(struct diag *d);

/* Returns the number of a signal that waits there, or 0. The exit status for it is 128 + the
 * number. Never blocks. */
int signals_next(int fd);

/* Waits like poll(2) for one descriptor, without a timeout. During the wait the signals have the
 * effect that they had before signals_open(). It is for a wait while no segment was sent. */
int signals_wait(struct pollfd *fd);

/* Gives the signals their former effect, and closes the descriptor. */
void signals_close(int fd);

/* Ignores SIGPIPE, so that a reader that goes away makes write(2) fail and does not end the
 * process. */
void signals_ignore_pipe(void);

#endif
