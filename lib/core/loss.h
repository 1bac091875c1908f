/*
 * The state that a connection needs from its first loss on. Most connections never have one, and
 * need no memory for it.
 */
#ifndef TCPWAVE_CORE_LOSS_H
#define TCPWAVE_CORE_LOSS_H

#include "lib/core/conn.h"
#include "lib/core/cubic.h"
#include "lib/core/prr.h"
#include "lib/core/undo.h"

/* The three mechanisms' state. */
struct loss {
    struct cubic cubic;
    struct prr prr;
    struct undo undo;
};

/* Allocates c->loss, zeroed, unless it exists, and returns it. Returns NULL when memory is short:
 * the connection then halves its window as Reno does, and no reduction is undone. */
struct loss *loss_make(struct conn *c);

/* Frees c->loss, if it exists. */
void loss_free(struct conn *c);

#endif
