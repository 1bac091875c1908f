/*
 * The receive buffer: data from its arrival until the user reads it. It is one ring, in which data
 * that came early is already at its place, and a list of the runs beyond the first gap. It exists
 * only while it holds something.
 */
#ifndef TCPWAVE_CORE_REASM_H
#define TCPWAVE_CORE_REASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/env.h"
#include "lib/core/opt.h"
#include "lib/core/ring.h"
#include "lib/core/seq.h"

#define REASM_RUNS_MAX 512 /* data that makes more gaps is discarded; it will be retransmitted */

/* Contiguous data beyond a gap: first <= byte < end. */
struct reasm_run {
    struct seq first, end;
    uint32_t stamp; /* of the last segment that touched it: SACK reports the latest one first */
};

/* The receive buffer of a connection. */
struct reasm {
    struct ring ring;      /* begins with the first unread byte */
    uint32_t ready;        /* bytes that can be read in order; RCV.NXT comes after them */
    struct reasm_run *run; /* beyond a gap, ascending, not touching each other */
    uint32_t runs, run_capacity;
    uint32_t stamp;
    bool has_fin; /* a FIN came early, at `fin` */
    struct seq fin;
};

/* What happened to a segment's data. */
struct reasm_result {
    uint32_t advanced; /* bytes by which RCV.NXT advances */
    bool out_of_order; /* some data lies beyond a gap */
    bool filled;       /* it filled a gap, at least partly */
    bool discarded;    /* no memory, or too many gaps: the same as if it had been lost */
    bool duplicate;    /* some of it was already here: `dup` is the first such block */
    struct sack_block dup;
};

/*
 * Stores `len` bytes at sequence number `first`, all of them inside the receive window and none
 * below `next` (RCV.NXT). *r is allocated when it is NULL. `limit` bounds the ring in bytes.
 */
struct reasm_result reasm_insert(struct reasm **r, struct env *e, struct seq next, struct seq first,
                                 const uint8_t *data, uint32_t len, uint32_t limit);

/* Stores the position of a FIN beyond a gap, and allocates *r if necessary. Returns false when
 * memory is short. */
bool reasm_fin(struct reasm **r, struct env *e, struct seq fin);

/* Points *data to the bytes that can be read, as one run, and returns how many (NULL and 0 for
 * none). `r` may be NULL. */
uint32_t reasm_peek(const struct reasm *r, const uint8_t **data);

/* Returns how many bytes can be read in all. `r` may be NULL. */
uint32_t reasm_ready(const struct reasm *r);

/* Removes `n` readable bytes, and frees *r when nothing is left in it. */
void reasm_consume(struct reasm **r, struct env *e, uint32_t n);

/* Removes what lies beyond gaps: nothing will come to fill them. */
void reasm_drop_gaps(struct reasm **r, struct env *e);

/* Writes SACK blocks, the most recent first (RFC 2018, section 4). Returns how many, at most
 * `max`. */
unsigned reasm_sack(const struct reasm *r, struct sack_block *block, unsigned max);

/* Frees *r, if it exists. */
void reasm_free(struct reasm **r, struct env *e);

#endif
