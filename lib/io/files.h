/*
 * Files that the command line names: where data to send comes from, where received bytes go.
 * Opened as the person who called: under sudo, or in a set-user-ID binary, that is not root.
 * Streamed: nothing is held here. Open them before wire_open(), which drops the privileges
 * that a root shell may need to reach them; nothing is read before the first file_read().
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

/* A file, a terminal or a pipe, for reading or for writing. */
struct file {
    int fd;           /* -1: none */
    bool regular;     /* never makes us wait */
    const char *name; /* for messages: the path, "standard input", "standard output" */
    struct nonblock to; /* how it is written to */
};

#define FILE_NONE ((struct file){.fd = -1, .name = "", .to = {.fd = -1}})

/* Opens `path` for reading, "-" is standard input. WAVE_ESYS with *d filled in. */
int file_open_read(struct file *out, const char *path, struct diag *d);

/*
 * Creates or empties `path`, "-" is standard output. In a directory where anyone may create files
 * and only owners remove them (/tmp), neither a symbolic link nor somebody else's file is written
 * to, whatever the kernel's fs.protected_... say. WAVE_ESYS with *d filled in.
 */
int file_open_write(struct file *out, const char *path, struct diag *d);

/* Up to `room` bytes: their number, 0 at the end, WAVE_EAGAIN when there are none now (poll
 * file.fd for POLLIN), WAVE_ESYS. Never waits. */
int file_read(const struct file *f, void *to, size_t room, struct diag *d);

/* Takes up to `len` bytes (1 to 2^30): how many, WAVE_EAGAIN when it has no room now (poll
 * file.to.fd for POLLOUT; leave the bytes with the connection, whose window then closes),
 * WAVE_ESYS. Waits for a disk, never for a reader. */
int file_write(const struct file *f, const void *from, size_t len, struct diag *d);

/* Closes; what the system only now says about what was written is WAVE_ESYS. Standard input and
 * output stay open. */
int file_close(struct file *f, struct diag *d);

/* What is to be sent: --data, --file or nothing, as one stream. */
struct source {
    const uint8_t *at; /* of --data */
    size_t left;
    struct file file;
};

/* `len` bytes of `data`, which stay the caller's; or the file at `path`, unless that is NULL.
 * WAVE_ESYS with *d filled in. */
int source_open(struct source *out, const void *data, size_t len, const char *path, struct diag *d);

/* As file_read(). */
int source_read(struct source *s, void *to, size_t room, struct diag *d);

/* The descriptor to poll for POLLIN after WAVE_EAGAIN, or -1. */
int source_fd(const struct source *s);

void source_close(struct source *s);

/* Writes out what the stream, standard output or standard error, holds, and waits for its reader:
 * for help and the like. WAVE_ESYS with *d filled in when that fails, or failed before. */
int stream_flush(FILE *to, struct diag *d);

#endif
