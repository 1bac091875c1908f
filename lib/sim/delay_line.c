/*
 * A list of packets in the order of their arrival, and a binary heap of pointers to those that were
 * put in after one that arrives later. The key is the time of arrival and, for packets that arrive
 * at the same time, the order in which they were put in.
 */
#include "lib/sim/delay_line.h"

#include <stdlib.h>

#include "lib/core/err.h"

static bool earlier(const struct delay_line_slot *a, const struct delay_line_slot *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

/* Puts a packet into the heap. */
static int heap_put(struct delay_line *t, struct delayed_packet *p)
{
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        struct delay_line_slot *heap = realloc(t->heap, room * sizeof *heap);
        if (!heap)
            return WAVE_ENOMEM;
        t->heap = heap;
        t->room = room;
    }
    struct delay_line_slot slot = {p->at, p->order, p};
    size_t hole = t->count++;
    while (hole && earlier(&slot, &t->heap[(hole - 1) / 2])) {
        t->heap[hole] = t->heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    t->heap[hole] = slot;
    return 0;
}

static struct delayed_packet *heap_take(struct delay_line *t)
{
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

int delay_line_put(struct delay_line *t, wave_time at, struct delayed_packet *p)
{
    p->at = at;
    p->order = t->order++;
    p->next = NULL;
    if (t->last && at < t->last->at)
        return heap_put(t, p);
    *(t->last ? &t->last->next : &t->first) = p;
    t->last = p;
    return 0;
}

/* Returns whether the next packet is the first of the heap. */
static bool heap_is_first(const struct delay_line *t)
{
    const struct delay_line_slot list = {t->first ? t->first->at : 0,
                                         t->first ? t->first->order : 0, NULL};

    return t->count && (!t->first || earlier(&t->heap[0], &list));
}

wave_time delay_line_next(const struct delay_line *t)
{
    const wave_time listed = t->first ? t->first->at : WAVE_NEVER;

    return t->count ? time_min(listed, t->heap[0].at) : listed;
}

struct delayed_packet *delay_line_take(struct delay_line *t)
{
    struct delayed_packet *first = t->first;

    if (heap_is_first(t))
        return heap_take(t);
    if (first) {
        t->first = first->next;
        if (!t->first)
            t->last = NULL;
    }
    return first;
}

void delay_line_free(struct delay_line *t)
{
    for (struct delayed_packet *p = t->first, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    for (size_t i = 0; i < t->count; i++)
        free(t->heap[i].delayed_packet);
    free(t->heap);
    *t = (struct delay_line){0};
}
