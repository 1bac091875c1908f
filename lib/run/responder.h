/*
 * What a listener does with the data of a connection: it discards it, sends it back, or sends the
 * same bytes or the same file to every client. There is one responder for all connections. For each
 * it stores only how far it has come, so that a connection costs no memory but what is in flight.
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
    const uint8_t *data; /* for RESPONDER_DATA */
    size_t data_len;
    struct file source; /* for RESPONDER_FILE */
    struct file out;    /* where received data is written, if anywhere */
    bool waits_for_out; /* the output has no room now: received bytes stay with their connections */
    bool after_fin;     /* our data is sent only after the peer's FIN */
    size_t read_bytes;  /* responder_move() takes at most so many of the peer's bytes; 0: all */
    bool reads_later;   /* nothing is taken in this turn; set by the caller */
    bool starved;       /* memory was short: no event will show when it no longer is */
    uint8_t buffer[RESPONDER_ROOM];
};

/* The state of one connection. */
struct responder_conn {
    uint64_t given;      /* bytes of ours that the engine has taken */
    uint64_t taken : 63; /* bytes of the peer's that we have taken */
    uint64_t ended : 1;  /* all of our bytes are given */
};

struct responder_config {
    enum responder_kind kind;
    const uint8_t *data; /* RESPONDER_DATA: `len` bytes, which stay the caller's */
    size_t len;
    const char *serve;  /* RESPONDER_FILE: a path */
    const char *output; /* where received data is written, or NULL */
    bool after_fin;     /* as in struct responder */
    size_t read_bytes;
};

/* Opens what the configuration names. Returns 0, or WAVE_ESYS with *d filled in. */
int responder_open(struct responder *v, const struct responder_config *config, struct diag *d);

/* Closes what was opened. Returns WAVE_ESYS with *d filled in if an error of the output appears
 * only now. */
int responder_close(struct responder *v, struct diag *d);

/* Returns what the responder does in a few words, such as "sends back what it receives". */
const char *responder_text(const struct responder *v);

/* Moves what can be moved now in both directions. Returns 1 if anything was moved, 0, or
 * WAVE_ESYS. */
int responder_move(struct responder *v, struct responder_conn *p, struct conn *c, wave_time now,
                   struct diag *d);

/*
 * Returns whether the connection has been given all its data. What is sent back has no end of its
 * own: it is complete for now when all that came has been sent back, and either something came or
 * nothing will.
 */
bool responder_given(const struct responder *v, const struct responder_conn *p,
                     const struct conn *c);

/* Fills in what to poll beside the network, up to one entry, and returns how many. */
unsigned responder_poll(const struct responder *v, struct pollfd *fds);

#endif
