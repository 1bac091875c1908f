/*
 * Allocates and frees a connection's struct loss.
 */
#include "lib/core/loss.h"

#include <string.h>

struct loss *loss_make(struct conn *c)
{
    if (!c->loss) {
        c->loss = env_realloc(c->env, NULL, 0, sizeof *c->loss);
        if (c->loss)
            memset(c->loss, 0, sizeof *c->loss);
    }
    return c->loss;
}

void loss_free(struct conn *c)
{
    if (c->loss)
        env_realloc(c->env, c->loss, sizeof *c->loss, 0);
    c->loss = NULL;
}
