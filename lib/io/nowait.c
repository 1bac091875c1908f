#include "lib/io/nowait.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a terminal that polls as writable takes of a blocking write; the kernel promises no number,
 * and frees room in pieces of 256 bytes. */
#define TERMINAL_ASKED 256

/* The same pipe or terminal under a description of its own, or -1. */
static int open_again(int fd, const struct stat *is)
{
    char path[40];
    struct stat st;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (again < 0)
        return -1;
    if (fstat(again, &st) == 0 && st.st_dev == is->st_dev && st.st_ino == is->st_ino)
        return again;
    close(again);
    return -1;
}

/* Opening the master's side of a pseudo-terminal makes a new pseudo-terminal. */
static bool is_master(int fd)
{
    unsigned number;

    return ioctl(fd, TIOCGPTN, &number) == 0;
}

void nowait_open(struct nowait *n, int fd, bool ours)
{
    struct stat st;
    int flags, again;

    *n = (struct nowait){.fd = fd, .how = NOWAIT_PLAIN};
    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    if (S_ISSOCK(st.st_mode)) {
        n->how = NOWAIT_SOCKET;
        return;
    }
    n->terminal = S_ISCHR(st.st_mode) && isatty(fd);
    if (!n->terminal && !S_ISFIFO(st.st_mode))
        return;
    n->how = NOWAIT_ASK;
    n->whole = S_ISFIFO(st.st_mode) ? PIPE_BUF : 0;
    if (ours) {
        flags = fcntl(fd, F_GETFL);
        if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
            n->how = NOWAIT_FLAG;
        return;
    }
    again = n->terminal && is_master(fd) ? -1 : open_again(fd, &st);
    if (again >= 0) {
        n->fd = again;
        n->how = NOWAIT_FLAG;
        n->opened = true;
    }
}

bool nowait_ready(const struct nowait *n)
{
    struct pollfd p = {.fd = n->fd, .events = POLLOUT};

    return n->how == NOWAIT_PLAIN || poll(&p, 1, 0) > 0;
}

static ssize_t write_asked(const struct nowait *n, const void *bytes, size_t len)
{
    const size_t max = n->terminal ? TERMINAL_ASKED : PIPE_BUF;

    if (!nowait_ready(n)) {
        errno = EAGAIN;
        return -1;
    }
    return write(n->fd, bytes, len < max ? len : max);
}

ssize_t nowait_write(const struct nowait *n, const void *bytes, size_t len)
{
    ssize_t done = n->how == NOWAIT_ASK      ? write_asked(n, bytes, len)
                   : n->how == NOWAIT_SOCKET ? send(n->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                                             : write(n->fd, bytes, len);

    if (done < 0 && errno == EINTR)
        errno = EAGAIN;
    return done;
}

void nowait_close(struct nowait *n)
{
    if (n->opened)
        close(n->fd);
    *n = (struct nowait){.fd = -1, .how = NOWAIT_PLAIN};
}
