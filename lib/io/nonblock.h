/*
 * Writing to a descriptor without ever waiting for its reader.
 *
 * O_NONBLOCK belongs to the open file description and not to the descriptor. We share standard
 * output and standard error with the shell and with the other commands of a pipeline. If we set the
 * flag there, `tcpwave ... | less` would make the shell's own terminal non-blocking. So each kind
 * of descriptor is written to in its own way:
 *
 *     a file, /dev/null         is written to as it is: it makes us wait for a disk, never for a
 *                               reader
 *     a pipe, a terminal        is opened a second time through /proc/self/fd; the new description
 *                               belongs to us alone, and is non-blocking
 *     a socket                  takes MSG_DONTWAIT with each call, and needs no flag
 *     a pipe or terminal that   is polled before each write, and is offered no more than it takes
 *     cannot be reopened        then: PIPE_BUF bytes for a pipe that polls as writable (pipe(7)),
 *     (another user's, or no    and fewer for a terminal. Such a write can still wait, but only
 *     /proc)                    when another process fills the same pipe between the two calls
 *
 * A descriptor that we opened ourselves from a path has its own description already, and gets the
 * flag. A writer thread would need no flag either. But it would need a lock for each line and more
 * system calls in the sandbox, and it would break the rule that one thread runs all of tcpwave.
 */
#ifndef TCPWAVE_IO_NONBLOCK_H
#define TCPWAVE_IO_NONBLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Says how a descriptor is written to. */
enum nonblock_how {
    NONBLOCK_POLL, /* poll before each write: right for any descriptor, and so zero */
    NONBLOCK_PLAIN,
    NONBLOCK_FLAG, /* its description belongs to us and has O_NONBLOCK */
    NONBLOCK_SOCKET
};

/* Holds a descriptor and the way in which it is written to. */
struct nonblock {
    int fd;
    enum nonblock_how how;
    bool opened;   /* nonblock_open() opened `fd`, and nonblock_close() closes it */
    bool terminal; /* a person may be watching */
    /* A write of at most this many bytes is carried out as a whole or not at all. 0: any write may
     * be cut short. */
    size_t whole;
};

/* Chooses the way for `fd`; `ours` says that we opened it from a path ourselves. Call it before the
 * sandbox is entered, since it may open the file a second time. It cannot fail. */
void nonblock_open(struct nonblock *n, int fd, bool ours);

/* Writes like write(2): returns the number of bytes taken, or -1 with errno set. errno is EAGAIN
 * when there is no room now (poll n->fd for POLLOUT). */
ssize_t nonblock_write(const struct nonblock *n, const void *bytes, size_t len);

/* Closes what nonblock_open() opened. */
void nonblock_close(struct nonblock *n);

/* Returns whether more can be written now. It asks the system each time. */
bool nonblock_ready(const struct nonblock *n);

#endif
