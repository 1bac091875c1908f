/*
 * Does work in a process of its own. The process is a copy of ours, so that nothing has to be
 * handed over, and it ends by _exit(2): what our standard streams hold is written once, by us.
 */
#include "lib/io/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/core/diag.h"
#include "lib/io/signals.h"

static int with_parent; /* in a process that was made here: the signal for the parent's end */

wave_time apart_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (wave_time)t.tv_sec * WAVE_S + (wave_time)t.tv_nsec;
}

void apart_follow(void)
{
    if (with_parent)
        prctl(PR_SET_PDEATHSIG, with_parent);
}

static void write_all(int fd, const uint8_t *from, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, from, len);
        if (n < 0 && errno != EINTR)
            return;
        from += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

/* What the process does. */
static void work(const struct apart_work *w, pid_t parent, int to)
{
    void *result = calloc(1, w->size);

    with_parent = w->with_us;
    apart_follow();
    if (!result || getppid() != parent) /* ours ended before the kernel knew */
        _exit(EXIT_FAILURE);
    w->work(w->self, result);
    write_all(to, result, w->size);
    _exit(EXIT_SUCCESS);
}

int apart_start(struct apart *a, const struct apart_work *w, struct diag *d)
{
    const pid_t us = getpid();
    int end[2];
    pid_t pid;

    if (pipe2(end, O_CLOEXEC) != 0)
        return diag_fail(d, WAVE_ESYS, "cannot make a pipe: %s", strerror(errno));
    pid = fork();
    if (pid == 0)
        work(w, us, end[1]);
    close(end[1]);
    if (pid < 0) {
        close(end[0]);
        return diag_fail(d, WAVE_ESYS, "cannot start a process: %s", strerror(errno));
    }
    *a = (struct apart){.pid = pid, .result = end[0]};
    return 0;
}

/* Returns the milliseconds until that time for poll(2), rounded up; -1: it never comes. */
static int milliseconds_until(wave_time until)
{
    const wave_time now = apart_now();

    if (until == WAVE_NEVER)
        return -1;
    if (until <= now)
        return 0;
    return until - now > WAVE_H ? (int)(WAVE_H / WAVE_MS)
                                : (int)((until - now + WAVE_MS - 1) / WAVE_MS);
}

/* Reads more of the result. WAVE_EAGAIN: it is not complete. */
static int more(struct apart *a, const struct apart_work *w, uint8_t *result)
{
    ssize_t n = read(a->result, result + a->have, w->size - a->have);

    if (n < 0 && errno == EINTR)
        return WAVE_EAGAIN;
    if (n <= 0)
        return WAVE_ESYS;
    a->have += (size_t)n;
    return a->have == w->size ? 0 : WAVE_EAGAIN;
}

int apart_wait(struct apart *a, const struct apart_work *w, wave_time until, int signals,
               void *result, int *signal)
{
    struct pollfd fds[2] = {{.fd = a->result, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    int rc = WAVE_EAGAIN;

    *signal = 0;
    while (rc == WAVE_EAGAIN) {
        int n = poll(fds, 2, milliseconds_until(until));
        if (n < 0 && errno != EINTR)
            return WAVE_ESYS;
        if (n > 0 && fds[0].revents)
            rc = more(a, w, result);
        else if (n > 0 && (*signal = signals_next(signals)) != 0)
            return WAVE_EAGAIN;
        else if (until != WAVE_NEVER && apart_now() >= until)
            return WAVE_EAGAIN;
    }
    return rc;
}

void apart_signal(const struct apart *a, int signal)
{
    kill(a->pid, signal);
}

void apart_end(struct apart *a)
{
    pid_t pid;

    kill(a->pid, SIGKILL); /* it is still ours to wait for, so that the number is no other's */
    do
        pid = waitpid(a->pid, NULL, 0);
    while (pid < 0 && errno == EINTR);
    close(a->result);
}
