/*
 * Writing to a descriptor without ever waiting for its reader.
 *
 * O_NONBLOCK belongs to the open file description and not to the descriptor. Standard output and
 * standard error are shared with the shell, and with the other commands of a pipeline: if we set
 * the flag there, `tcpwave ... | less` would make the shell's own terminal non-blocking. So each
 * kind of descriptor has its own way:
 *
 *     a file, /dev/null         is written to as it is: it makes us wait for a disk, for no reader
 *     a pipe, a terminal        is opened a second time, through /proc/self/fd: the new description
 *                               is ours alone, and non-blocking
 *     a socket                  takes MSG_DONTWAIT with each call, and needs no flag
 *     a pipe or terminal that   is asked with poll(2) before each write, and is given no more than
 *     cannot be opened again    it takes then: PIPE_BUF bytes of a pipe that polls as writable
 *     (another user's, or no    (pipe(7)), and few of a terminal. Only where another process fills
 *     /proc)                    the same pipe between the two calls can that still wait
 *
 * A descriptor that we opened ourselves from a path has a description of its own already, and gets
 * the flag. A thread that writes would need no flag either, but a lock on each line, more calls in
 * the sandbox, and an end to the rule that one thread runs all of tcpwave.
 */
#ifndef TCPWAVE_IO_NONBLOCK_H
#define TCPWAVE_IO_NONBLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum nonblock_how {
    NONBLOCK_POLL, /* zero: right for any descriptor */
    NONBLOCK_PLAIN,
    NONBLOCK_FLAG, /* its description is ours, and has O_NONBLOCK */
    NONBLOCK_SOCKET
};

struct nonblock {
    int fd;
    enum nonblock_how how;
    bool opened;   /* here, a second time: nonblock_close() closes it */
    bool terminal; /* a person may be watching */
    /* A write of no more than this is carried out as a whole or not at all. 0: writes may be cut
     * anywhere. */
    size_t whole;
};

/* Finds the way for `fd`; `ours` says that we opened it from a path. To be called before the
 * sandbox is entered. Cannot fail. */
void nonblock_open(struct nonblock *n, int fd, bool ours);

/* As write(2): the number of bytes taken, or -1 and errno, which is EAGAIN when there is no room
 * now (poll n->fd for POLLOUT). */
ssize_t nonblock_write(const struct nonblock *n, const void *bytes, size_t len);

/* Closes what nonblock_open() opened. */
void nonblock_close(struct nonblock *n);

/* Whether any more can be written now; asks the system. */
bool nonblock_ready(const struct nonblock *n);

#endif
