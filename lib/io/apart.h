/*
 * Does a piece of work in a process of its own: a call that blocks for as long as it likes, such as
 * the look-up of a name, or a run that gives up its privileges. Its result comes back through a
 * pipe, and meanwhile we notice signals and the end of our time. The process never outlives ours.
 */
#ifndef TCPWAVE_IO_APART_H
#define TCPWAVE_IO_APART_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/core/err.h"
#include "lib/core/time.h"

/* Holds a process that works. */
struct apart {
    pid_t pid;
    int result;  /* the end of the pipe that we read */
    size_t have; /* bytes of the result that have come */
};

/* Says what is to be done. */
struct apart_work {
    /* Works, and fills in *result, which is zero at first. */
    void (*work)(void *self, void *result);
    void *self;
    size_t size; /* of the result */
    int with_us; /* the signal that ends the process if ours ends before it */
};

/* Starts it. What the process changes in memory is its own. Returns 0, and apart_end() is due; or
 * WAVE_ESYS with *d filled in. */
int apart_start(struct apart *a, const struct apart_work *w, struct diag *d);

/*
 * Waits for the result, until `until` by apart_now(), or WAVE_NEVER. `signals` is a descriptor of
 * signals.h, or -1. Returns 0 with the result in *result; WAVE_EAGAIN if the time is over, or if a
 * signal came, whose number is in *signal then; or WAVE_ESYS if the process ended without one.
 * After WAVE_EAGAIN it may be called again, with the same `result`.
 */
int apart_wait(struct apart *a, const struct apart_work *w, wave_time until, int signals,
               void *result, int *signal);

/* Sends it a signal. */
void apart_signal(const struct apart *a, int signal);

/* Ends the process, if it has not ended, and frees what belongs to it. */
void apart_end(struct apart *a);

/* The kernel forgets `with_us` when a process changes its user: to be called after that. Does
 * nothing in a process that apart_start() did not make. */
void apart_follow(void);

/* Returns the time that `until` is of. */
wave_time apart_now(void);

#endif
