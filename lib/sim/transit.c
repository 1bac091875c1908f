#include "lib/sim/transit.h"

#include <stdlib.h>

#include "lib/core/err.h"

static bool earlier(const struct transit_slot *a, const struct transit_slot *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

int transit_post(struct transit *t, wave_time at, struct parcel *p)
{
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        struct transit_slot *heap = realloc(t->heap, room * sizeof *heap);
        if (!heap)
            return WAVE_ENOMEM;
        t->heap = heap;
        t->room = room;
    }
    struct transit_slot slot = {at, t->order++, p};
    size_t hole = t->count++;
    while (hole && earlier(&slot, &t->heap[(hole - 1) / 2])) {
        t->heap[hole] = t->heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    t->heap[hole] = slot;
    return 0;
}

wave_time transit_next(const struct transit *t)
{
    return t->count ? t->heap[0].at : WAVE_NEVER;
}

struct parcel *transit_take(struct transit *t)
{
    if (!t->count)
        return NULL;
    struct parcel *first = t->heap[0].parcel;
    struct transit_slot last = t->heap[--t->count];
    size_t hole = 0;
    for (;;) {
        size_t child = 2 * hole + 1;
        if (child >= t->count)
            break;
        if (child + 1 < t->count && earlier(&t->heap[child + 1], &t->heap[child]))
            child++;
        if (!earlier(&t->heap[child], &last))
            break;
        t->heap[hole] = t->heap[child];
        hole = child;
    }
    t->heap[hole] = last;
    return first;
}

void transit_free(struct transit *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->heap[i].parcel);
    free(t->heap);
    *t = (struct transit){0};
}
