/* The data of a connection: from the command line, a file or standard input to the peer, and from
 * the peer to a file or standard output. */
#ifndef TCPWAVE_RUN_EXCHANGE_H
#define TCPWAVE_RUN_EXCHANGE_H

#include <poll.h>
#include <stdbool.h>

#include "lib/core/conn.h"
#include "lib/io/files.h"

#define EXCHANGE_ROOM 65536

struct exchange {
    struct source source;
    struct file out;
    bool ended;            /* the source has no more */
    bool starved;          /* there was no memory for what is to be sent: try again soon */
    bool waits_for_source; /* it may have more later */
    bool waits_for_out;    /* received bytes are left with the connection meanwhile */
    uint64_t taken;        /* bytes of the peer's that we have taken */
    size_t at, have;       /* of `buffer`: what the connection had no room for */
    uint8_t buffer[EXCHANGE_ROOM];
};

struct exchange_config {
    const void *data; /* to send, `len` bytes, which stay the caller's; or NULL */
    size_t len;
    const char *file;   /* to send, a path as file_open_read() takes it; or NULL */
    const char *output; /* for what is received, likewise; or NULL: it is thrown away */
};

/* Opens what it names. WAVE_ESYS with *d filled in. */
int exchange_open(struct exchange *x, const struct exchange_config *config, struct diag *d);

/* What only closing the output brings to light is WAVE_ESYS. */
int exchange_close(struct exchange *x, struct diag *d);

/* Gives the connection as much as it takes: the number of bytes, or WAVE_ESYS. */
int exchange_feed(struct exchange *x, struct conn *c, wave_time now, struct diag *d);

/* Whether the connection has been given everything. */
bool exchange_fed(const struct exchange *x);

/* Takes what can be read from the connection: the number of bytes, or WAVE_ESYS. */
int exchange_drain(struct exchange *x, struct conn *c, wave_time now, struct diag *d);

/* What to wait for, beside the network: fills in up to two entries and returns their number. */
unsigned exchange_poll(const struct exchange *x, struct pollfd *fds);

#endif
