/*
 * What a listener does with the data of a connection: drop it, send it back, or send the same
 * bytes or the same file to everyone. One service for all connections; of each it keeps no more
 * than how far it has come, so that nothing is held a connection but what is in flight.
 */
#ifndef TCPWAVE_RUN_RESPONDER_H
#define TCPWAVE_RUN_RESPONDER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/core/conn.h"
#include "lib/io/files.h"

#define RESPONDER_ROOM 65536

enum responder_kind { RESPONDER_DISCARD, RESPONDER_ECHO, RESPONDER_DATA, RESPONDER_FILE };

struct responder {
    enum responder_kind kind;
    const uint8_t *data; /* of RESPONDER_DATA */
    size_t data_len;
    struct file source; /* of RESPONDER_FILE */
    struct file out;    /* for what is received, or none */
    bool waits_for_out; /* it has no room now: received bytes are left with their connections */
    bool starved;       /* memory was short: nothing will tell when it no longer is */
    uint8_t buffer[RESPONDER_ROOM];
};

/* Of one connection. */
struct responder_conn {
    uint64_t given;      /* bytes of ours that the connection has taken */
    uint64_t taken : 63; /* bytes of the peer's that we have taken */
    uint64_t ended : 1;  /* ours are given: there are no more */
};

struct responder_config {
    enum responder_kind kind;
    const uint8_t *data; /* RESPONDER_DATA: `len` bytes, which stay the caller's */
    size_t len;
    const char *serve;  /* RESPONDER_FILE: a path */
    const char *output; /* for what is received, or NULL */
};

/* Opens what it names. WAVE_ESYS with *d filled in. */
int responder_open(struct responder *v, const struct responder_config *config, struct diag *d);

/* What only closing the output brings to light is WAVE_ESYS. */
int responder_close(struct responder *v, struct diag *d);

/* In a few words, for who watches: "sends back what it gets". */
const char *responder_text(const struct responder *v);

/* Moves what can be moved both ways now. 1 when anything was, 0, or WAVE_ESYS. */
int responder_move(struct responder *v, struct responder_conn *p, struct conn *c, wave_time now,
                   struct diag *d);

/*
 * Whether the connection has been given all that there is for it. What is sent back has no end of
 * its own: it is whole for now when all that came has been sent back, and something came, or will
 * not.
 */
bool responder_given(const struct responder *v, const struct responder_conn *p,
                     const struct conn *c);

/* What to wait for, beside the network: fills in up to one entry and returns their number. */
unsigned responder_poll(const struct responder *v, struct pollfd *fds);

#endif
