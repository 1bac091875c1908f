/*
 * Received bytes until the user reads them: one ring, in which what came early already lies at
 * its place, and the list of the runs that lie beyond a gap. Exists only while it holds something.
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

#define REASM_RUNS_MAX 512 /* gaps beyond these are refused, and sent again by the peer */

struct reasm_run {
    struct seq first, end;
    uint32_t stamp; /* of the last segment that touched it: SACK reports the latest first */
};

struct reasm {
    struct ring ring;      /* from the first unread byte on */
    uint32_t ready;        /* bytes readable in order; the next one is RCV.NXT */
    struct reasm_run *run; /* beyond a gap, ascending and apart from each other */
    uint32_t runs, run_capacity;
    uint32_t stamp;
    bool has_fin; /* a FIN came early, at `fin` */
    struct seq fin;
};

/* What became of a segment's bytes. */
struct reasm_result {
    uint32_t advanced; /* bytes by which RCV.NXT moves */
    bool out_of_order; /* some of it lies beyond a gap */
    bool filled;       /* it filled a gap, at least in part */
    bool discarded;    /* no memory, or too many gaps: as if it had been lost */
    bool duplicate;    /* some of it was here already: `dup` names the first such block */
    struct sack_block dup;
};

/*
 * Takes `len` bytes at sequence number `first`, all of them inside the receive window and none
 * below `next` (RCV.NXT). *r is made when it is NULL. `limit` bounds the ring in bytes.
 */
struct reasm_result reasm_insert(struct reasm **r, struct env *e, struct seq next, struct seq first,
                                 const uint8_t *data, uint32_t len, uint32_t limit);

/* Remembers a FIN beyond a gap; makes *r when it must. False when memory is short. */
bool reasm_fin(struct reasm **r, struct env *e, struct seq fin);

/* Bytes readable, as one run (NULL and 0 for none). `r` may be NULL. */
uint32_t reasm_peek(const struct reasm *r, const uint8_t **data);

/* Bytes readable altogether. `r` may be NULL. */
uint32_t reasm_ready(const struct reasm *r);

/* Gives back `n` readable bytes; frees *r when nothing is left in it. */
void reasm_consume(struct reasm **r, struct env *e, uint32_t n);

/* Drops what lies beyond gaps: nothing more will come to fill them. */
void reasm_drop_gaps(struct reasm **r, struct env *e);

/* SACK blocks, most recent first (RFC 2018, section 4); returns how many, at most `max`. */
unsigned reasm_sack(const struct reasm *r, struct sack_block *block, unsigned max);

void reasm_free(struct reasm **r, struct env *e);

#endif
