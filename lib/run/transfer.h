/* The data of a connection: from the command line, a file or standard input to the peer, and from
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
    bool starved;          /* there was no memory for what is to be sent: try again soon */
    bool waits_for_source; /* it may have more later */
    bool waits_for_out;    /* received bytes are left with the connection meanwhile */
    uint64_t taken;        /* bytes of the peer's that we have taken */
    const uint8_t *at;     /* what the connection had no room for: `have` bytes of `buffer` */
    size_t have;
    uint8_t buffer[TRANSFER_ROOM];
};

struct transfer_config {
    const void *data; /* to send, `len` bytes, which stay the caller's; or NULL */
    size_t len;
    const char *file;   /* to send, a path as file_open_read() takes it; or NULL */
    const char *output; /* for what is received, likewise; or NULL: it is thrown away */
};

/* Opens what it names. WAVE_ESYS with *d filled in. */
int transfer_open(struct transfer *x, const struct transfer_config *config, struct diag *d);

/* What only closing the output brings to light is WAVE_ESYS. */
int transfer_close(struct transfer *x, struct diag *d);

/* Gives the connection as much as it takes: the number of bytes, or WAVE_ESYS. */
int transfer_feed(struct transfer *x, struct conn *c, wave_time now, struct diag *d);

/* Whether the connection has been given everything. */
bool transfer_fed(const struct transfer *x);

/* Takes what can be read from the connection: the number of bytes, or WAVE_ESYS. */
int transfer_drain(struct transfer *x, struct conn *c, wave_time now, struct diag *d);

/* What to wait for, beside the network: fills in up to two entries and returns their number. */
unsigned transfer_poll(const struct transfer *x, struct pollfd *fds);

#endif
