/*
 * What a listener does with the data of a connection: drop it, send it back, or send the same
 * bytes or the same file to everyone. One service for all connections; of each it keeps no more
 * than how far it has come, so that nothing is held a connection but what is in flight.
 */
#ifndef TCPWAVE_RUN_SERVICE_H
#define TCPWAVE_RUN_SERVICE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/core/conn.h"
#include "lib/io/files.h"

#define SERVICE_ROOM 65536

enum service_kind { SERVICE_DISCARD, SERVICE_ECHO, SERVICE_DATA, SERVICE_FILE };

struct service {
    enum service_kind kind;
    const uint8_t *data; /* of SERVICE_DATA */
    size_t data_len;
    struct file source; /* of SERVICE_FILE */
    struct file out;    /* for what is received, or none */
    bool waits_for_out; /* it has no room now: received bytes are left with their connections */
    bool starved;       /* memory was short: nothing will tell when it no longer is */
    uint8_t buffer[SERVICE_ROOM];
};

/* Of one connection. */
struct service_place {
    uint64_t given;      /* bytes of ours that the connection has taken */
    uint64_t taken : 63; /* bytes of the peer's that we have taken */
    uint64_t ended : 1;  /* ours are given: there are no more */
};

struct service_config {
    enum service_kind kind;
    const uint8_t *data; /* SERVICE_DATA: `len` bytes, which stay the caller's */
    size_t len;
    const char *serve;  /* SERVICE_FILE: a path */
    const char *output; /* for what is received, or NULL */
};

/* Opens what it names. WAVE_ESYS with *d filled in. */
int service_open(struct service *v, const struct service_config *config, struct diag *d);

/* What only closing the output brings to light is WAVE_ESYS. */
int service_close(struct service *v, struct diag *d);

/* In a few words, for who watches: "sends back what it gets". */
const char *service_text(const struct service *v);

/* Moves what can be moved both ways now. 1 when anything was, 0, or WAVE_ESYS. */
int service_move(struct service *v, struct service_place *p, struct conn *c, wave_time now,
                 struct diag *d);

/*
 * Whether the connection has been given all that there is for it. What is sent back has no end of
 * its own: it is whole for now when all that came has been sent back, and something came, or will
 * not.
 */
bool service_given(const struct service *v, const struct service_place *p, const struct conn *c);

/* What to wait for, beside the network: fills in up to one entry and returns their number. */
unsigned service_poll(const struct service *v, struct pollfd *fds);

#endif
