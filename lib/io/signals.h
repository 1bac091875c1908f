/*
 * SIGINT, SIGTERM and SIGHUP as something poll(2) waits for. Until signals_open() they end the
 * process as ever, which is right while nothing was sent.
 */
#ifndef TCPWAVE_IO_SIGNALS_H
#define TCPWAVE_IO_SIGNALS_H

#include <poll.h>

#include "lib/core/err.h"

/* From now on the signals wait in a descriptor, which is returned; WAVE_ESYS. SIGHUP is left alone
 * where nohup(1) has it ignored. */
int signals_open(struct diag *d);

/* The signal that waits there, or 0. The exit status for it is 128 + the number. Never blocks. */
int signals_next(int fd);

/* As poll(2) with one descriptor and no end, and meanwhile the signals do what they did before
 * signals_open(): for a wait while nothing was sent. */
int signals_wait(struct pollfd *fd);

/* The signals do again what they did; the descriptor is closed. */
void signals_close(int fd);

/* A reader that goes away is an error of write(2), not the end of us. */
void signals_ignore_pipe(void);

#endif
