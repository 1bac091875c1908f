/*
 * A binary heap of pointers to packets. The key is the time of arrival and, for packets that arrive
 * at the same time, the order in which they were put in.
 */
#include "lib/sim/delay_line.h"

#include <stdlib.h>

#include "lib/core/err.h"

static bool earlier(const struct delay_line_slot *a, const struct delay_line_slot *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

int delay_line_put(struct delay_line *t, wave_time at, struct delayed_packet *p)
{
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        struct delay_line_slot *heap = realloc(t->heap, room * sizeof *heap);
        if (!heap)
            return WAVE_ENOMEM;
        t->heap = heap;
        t->room = room;
    }
    struct delay_line_slot slot = {at, t->order++, p};
    size_t hole = t->count++;
    while (hole && earlier(&slot, &t->heap[(hole - 1) / 2])) {
        t->heap[hole] = t->heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    t->heap[hole] = slot;
    return 0;
}

wave_time delay_line_next(const struct delay_line *t)
{
    return t->count ? t->heap[0].at : WAVE_NEVER;
}

struct delayed_packet *delay_line_take(struct delay_line *t)
{
    if (!t->count)
        return NULL;
    struct delayed_packet *first = t->heap[0].delayed_packet;
    struct delay_line_slot last = t->heap[--t->count];
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

void delay_line_free(struct delay_line *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->heap[i].delayed_packet);
    free(t->heap);
    *t = (struct delay_line){0};
}
