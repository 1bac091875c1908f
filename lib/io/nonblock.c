/*
 * Chooses for each descriptor a way to write that cannot block, and writes in that way. nonblock.h
 * explains the ways. nonblock_open() makes the choice once, from the type of the file behind the
 * descriptor; nonblock_write() then follows it without further questions.
 */
#include "lib/io/nonblock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* This is how many bytes we offer to a blocking terminal that polls as writable. The kernel
 * promises no number; it frees room in pieces of 256 bytes. */
#define TERMINAL_ASKED 256

/* Opens the same pipe or terminal a second time, which gives it an open file description of its
 * own. Returns the new descriptor, or -1. */
static int reopen(int fd, const struct stat *is)
{
    char path[40];
    struct stat st;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int reopened = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (reopened < 0)
        return -1;
    if (fstat(reopened, &st) == 0 && st.st_dev == is->st_dev && st.st_ino == is->st_ino)
        return reopened;
    close(reopened);
    return -1;
}

/* Returns whether the descriptor is the master side of a pseudo-terminal. That side cannot be
 * reopened: opening it makes a new pseudo-terminal. */
static bool is_master(int fd)
{
    unsigned number;

    return ioctl(fd, TIOCGPTN, &number) == 0;
}

void nonblock_open(struct nonblock *n, int fd, bool ours)
{
    struct stat st;
    int flags, reopened;

    *n = (struct nonblock){.fd = fd, .how = NONBLOCK_PLAIN};
    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    if (S_ISSOCK(st.st_mode)) {
        n->how = NONBLOCK_SOCKET;
        return;
    }
    n->terminal = S_ISCHR(st.st_mode) && isatty(fd);
    if (!n->terminal && !S_ISFIFO(st.st_mode))
        return;
    n->how = NONBLOCK_POLL;
    n->whole = S_ISFIFO(st.st_mode) ? PIPE_BUF : 0;
    if (ours) {
        flags = fcntl(fd, F_GETFL);
        if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
            n->how = NONBLOCK_FLAG;
        return;
    }
    reopened = n->terminal && is_master(fd) ? -1 : reopen(fd, &st);
    if (reopened >= 0) {
        n->fd = reopened;
        n->how = NONBLOCK_FLAG;
        n->opened = true;
    }
}

bool nonblock_ready(const struct nonblock *n)
{
    struct pollfd p = {.fd = n->fd, .events = POLLOUT};

    return n->how == NONBLOCK_PLAIN || poll(&p, 1, 0) > 0;
}

/* Writes to a descriptor that may block: polls it first, and offers only what it then takes. */
static ssize_t write_asked(const struct nonblock *n, const void *bytes, size_t len)
{
    const size_t max = n->terminal ? TERMINAL_ASKED : PIPE_BUF;

    if (!nonblock_ready(n)) {
        errno = EAGAIN;
        return -1;
    }
    return write(n->fd, bytes, len < max ? len : max);
}

ssize_t nonblock_write(const struct nonblock *n, const void *bytes, size_t len)
{
    ssize_t done = n->how == NONBLOCK_POLL ? write_asked(n, bytes, len)
                   : n->how == NONBLOCK_SOCKET
                       ? send(n->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                       : write(n->fd, bytes, len);

    if (done < 0 && errno == EINTR)
        errno = EAGAIN;
    return done;
}

void nonblock_close(struct nonblock *n)
{
    if (n->opened)
        close(n->fd);
    *n = (struct nonblock){.fd = -1, .how = NONBLOCK_PLAIN};
}
