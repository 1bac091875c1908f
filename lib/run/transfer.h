/* The data of one connection: from the command line, a file or standard input to the peer, and from
 * the peer to a file or standard output. */
#ifndef TCPWAVE_RUN_TRANSFER_H
#define TCPWAVE_RUN_TRANSFER_H

#include <poll.h>
#include <stdbool.h>

#include "lib/core/conn.h"
#include "lib/io/files.h"

#define TRANSFER_ROOM 65536

struct transfer {
    struct source source;
    struct file out;
    bool ended;            /* the source has no more */
    bool starved;          /* there was no memory for data to send: try again soon */
    bool waits_for_source; /* the source has nothing now and may have more later */
    bool waits_for_out;    /* the output has no room now: received bytes stay with the connection */
    uint64_t taken;        /* bytes of the peer's that we have taken */
    size_t read_bytes;     /* transfer_drain() takes at most so many at a time; 0: all */
    const uint8_t *at;     /* what the connection had no room for: `have` bytes of `buffer` */
    size_t have;
    uint8_t buffer[TRANSFER_ROOM];
};

struct transfer_config {
    const void *data; /* to send, `len` bytes, which stay the caller's; or NULL */
    size_t len;
    const char *file;   /* to send, a path as file_open_read() takes it; or NULL */
    const char *output; /* where received data is written, likewise; or NULL: it is discarded */
    size_t read_bytes;  /* as in struct transfer */
};

/* Opens what the configuration names. Returns 0, or WAVE_ESYS with *d filled in. */
int transfer_open(struct transfer *x, const struct transfer_config *config, struct diag *d);

/* Closes what was opened. Returns WAVE_ESYS with *d filled in if an error of the output appears
 * only now. */
int transfer_close(struct transfer *x, struct diag *d);

/* Gives the engine as much data as it takes. Returns the number of bytes, or WAVE_ESYS. */
int transfer_feed(struct transfer *x, struct conn *c, wave_time now, struct diag *d);

/* Returns whether the engine has been given everything. */
bool transfer_fed(const struct transfer *x);

/* Takes what the engine has received. Returns the number of bytes, or WAVE_ESYS. */
int transfer_drain(struct transfer *x, struct conn *c, wave_time now, struct diag *d);

/* Fills in what to poll beside the network, up to two entries, and returns how many. */
unsigned transfer_poll(const struct transfer *x, struct pollfd *fds);

#endif
