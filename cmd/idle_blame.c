/* Who forgot, by all samples of `tcpwave idle`, and what would have kept the connections open. */
#include "cmd/idle.h"

struct idle_blame idle_blame(const struct idle *x)
{
    struct idle_blame sum = {0, 0, 0, 0, 0};

    for (unsigned pass = 0; pass <= IDLE_PASSES; pass++) {
        const struct idle_blame *b = &x->blame[pass];
        if (idle_search_event(&x->search, pass))
            continue;
        sum.path += b->path;
        sum.had += b->had;
        sum.peer += b->peer;
        sum.unknown += b->unknown;
        sum.control += b->control;
    }
    return sum;
}

wave_time idle_keepalive(const struct idle *x, const struct idle_answer *a)
{
    if (x->options->state == IDLE_SYN_RECEIVED || (a->kind == IDLE_AT && idle_blame(x).control))
        return 0; /* nothing keeps a connection in SYN_RECEIVED */
    return idle_answer_keepalive(a);
}

/* Ends that were seen as FIN are the peer's. What the deaths show must agree. */
const char *idle_by(const struct idle *x, const struct idle_answer *a)
{
    const struct idle_blame blame = idle_blame(x);

    if (a->died == WAVE_NEVER || !a->alike)
        return NULL;
    if (a->how == IDLE_CLOSED)
        return "peer";
    if (blame.unknown || (blame.path && blame.peer))
        return NULL;
    return blame.path ? "path" : blame.peer ? "peer" : NULL;
}

bool idle_by_proved(const struct idle *x, const struct idle_answer *a)
{
    return a->how == IDLE_CLOSED || idle_blame(x).had;
}
