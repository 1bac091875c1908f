/*
 * Receives the signals that end a run through a signalfd, so that the loop polls for them like for
 * everything else. signals_open() blocks them, and signals_close() restores the mask of before.
 */
#include "lib/io/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/core/diag.h"

static sigset_t before; /* the mask that signals_close() restores; a process has only one */

/* Returns the signals that end a run. */
static sigset_t ending(void)
{
    struct sigaction hup;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN)
        sigaddset(&set, SIGHUP);
    return set;
}

/* This relies on the kernel: a signal that is both blocked and ignored still arrives in a signalfd.
 * A shell without job control starts `tcpwave ... &` with SIGINT ignored, and kill -INT has to work
 * there as well. */
int signals_open(struct diag *d)
{
    sigset_t set = ending();
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    if (fd < 0)
        return diag_fail(d, WAVE_ESYS, "cannot wait for signals: %s", strerror(errno));
    sigprocmask(SIG_BLOCK, &set, &before);
    return fd;
}

int signals_next(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

int signals_wait(struct pollfd *fd)
{
    return ppoll(fd, 1, NULL, &before);
}

void signals_close(int fd)
{
    close(fd);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

void signals_ignore_pipe(void)
{
    signal(SIGPIPE, SIG_IGN);
}
