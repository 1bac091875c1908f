/*
 * Reading and writing the files that the command line names: the data to send, and the place for
 * received bytes.
 *
 * Files are opened with the rights of the user who called; under sudo, or in a set-user-ID binary,
 * that user is not root. Contents are streamed, and nothing is kept in memory here. Open the files
 * before wire_open(), because wire_open() drops the privileges that a root shell may need to reach
 * them. Nothing is read before the first file_read().
 */
#ifndef TCPWAVE_IO_FILES_H
#define TCPWAVE_IO_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/core/err.h"
#include "lib/io/nonblock.h"
#include "lib/io/outbuf.h"

/* Describes a file, a terminal or a pipe that is open for reading or for writing. */
struct file {
    int fd;           /* -1: none */
    bool regular;     /* reading and writing it never waits for another process */
    const char *name; /* for messages: the path, "standard input", "standard output" */
    struct nonblock to; /* how we write to it */
};

#define FILE_NONE ((struct file){.fd = -1, .name = "", .to = {.fd = -1}})

/* Opens `path` for reading; "-" is standard input. Returns 0, or WAVE_ESYS with *d filled in. */
int file_open_read(struct file *out, const char *path, struct diag *d);

/*
 * Creates or empties `path`; "-" is standard output. In a directory where all users may create
 * files and only owners may remove them (/tmp), it opens neither a symbolic link nor a file of
 * another user, independently of the kernel's fs.protected_... settings. Returns 0, or WAVE_ESYS
 * with *d filled in.
 */
int file_open_write(struct file *out, const char *path, struct diag *d);

/* Reads up to `room` bytes and returns their number; 0 at the end of the file; WAVE_EAGAIN when
 * there are none now (poll file.fd for POLLIN); WAVE_ESYS with *d filled in. Never waits. */
int file_read(const struct file *f, void *to, size_t room, struct diag *d);

/* Writes up to `len` bytes (1 to 2^30) and returns how many were taken; WAVE_EAGAIN when there is
 * no room now (poll file.to.fd for POLLOUT, and leave the bytes with the connection, whose receive
 * window then closes); WAVE_ESYS with *d filled in. May wait for a disk, but never for a reader. */
int file_write(const struct file *f, const void *from, size_t len, struct diag *d);

/* Closes the file; standard input and output stay open. Returns 0, or WAVE_ESYS with *d filled in
 * when the system reports only now that earlier writes have failed. */
int file_close(struct file *f, struct diag *d);

/* Provides the data to send as one stream: from --data, from --file, or nothing. */
struct source {
    const uint8_t *at; /* the bytes of --data that are still to be sent */
    size_t left;
    struct file file;
};

/* Opens a stream over `len` bytes of `data`, which stay the caller's, or over the file at `path` if
 * that is not NULL. Returns 0, or WAVE_ESYS with *d filled in. */
int source_open(struct source *out, const void *data, size_t len, const char *path, struct diag *d);

/* Reads from the stream; returns what file_read() returns. */
int source_read(struct source *s, void *to, size_t room, struct diag *d);

/* Returns the descriptor to poll for POLLIN after WAVE_EAGAIN, or -1 when reading never waits. */
int source_fd(const struct source *s);

/* Closes the file, if there is one. */
void source_close(struct source *s);

/* Flushes the stream, which is standard output or standard error, and waits for its reader; this is
 * for help and similar text. Returns 0, or WAVE_ESYS with *d filled in when this or an earlier
 * write failed. */
int stream_flush(FILE *to, struct diag *d);

#endif
