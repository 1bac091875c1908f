/*
 * What a connection keeps from its first loss on: most never have one, and need no room for it.
 */
#ifndef TCPWAVE_CORE_LOSS_H
#define TCPWAVE_CORE_LOSS_H

#include "lib/core/conn.h"
#include "lib/core/cubic.h"
#include "lib/core/prr.h"
#include "lib/core/undo.h"

struct loss {
    struct cubic cubic;
    struct prr prr;
    struct undo undo;
};

/* Makes c->loss unless it is there. NULL when memory is short: the connection then halves its
 * window as Reno does, and takes nothing back. */
struct loss *loss_make(struct conn *c);

/* Frees it, if it is there. */
void loss_free(struct conn *c);

#endif
