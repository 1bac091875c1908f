/*
 * Stores items in chunks that never move. Items that are given back are linked into a list and used
 * first; the functions for lists find the links by their offset in the item.
 */
#include "lib/run/slab.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB_CHUNK = 256 }; /* items */

void slab_init(struct slab *s, size_t size)
{
    const size_t word = sizeof(uint64_t);

    *s = (struct slab){.size = (size + word - 1) / word * word};
}

void slab_free(struct slab *s)
{
    for (uint32_t i = 0; i < s->chunks; i++)
        free(s->chunk[i]);
    free(s->chunk);
    slab_init(s, s->size);
}

static bool grow(struct slab *s)
{
    if (s->chunks == s->room) {
        const uint32_t room = s->room ? 2 * s->room : 4;
        unsigned char **chunk = realloc(s->chunk, room * sizeof *chunk);
        if (!chunk)
            return false;
        s->chunk = chunk;
        s->room = room;
    }
    s->chunk[s->chunks] = malloc(SLAB_CHUNK * s->size);
    if (!s->chunk[s->chunks])
        return false;
    s->chunks++;
    return true;
}

/* Returns the item of a valid number. */
static void *item_of(const struct slab *s, uint32_t number)
{
    const uint32_t index = number - 1;

    return s->chunk[index / SLAB_CHUNK] + index % SLAB_CHUNK * s->size;
}

void *slab_at(const struct slab *s, uint32_t number)
{
    return number == SLAB_NONE ? NULL : item_of(s, number);
}

void *slab_take(struct slab *s, uint32_t *number)
{
    void *item;

    if (s->free != SLAB_NONE) { /* the item given back last is the likeliest to be in a cache */
        *number = s->free;
        item = item_of(s, *number);
        memcpy(&s->free, item, sizeof s->free);
    } else {
        if (s->made == s->chunks * SLAB_CHUNK && !grow(s))
            return NULL;
        *number = ++s->made;
        item = item_of(s, *number);
    }
    return memset(item, 0, s->size);
}

void slab_give(struct slab *s, uint32_t number)
{
    /* Free items are linked through their first bytes, which are not needed. */
    memcpy(item_of(s, number), &s->free, sizeof s->free);
    s->free = number;
}

static struct slab_link *link_of(const struct slab *s, const struct slab_list *list,
                                 uint32_t number)
{
    return (struct slab_link *)(void *)((unsigned char *)item_of(s, number) + list->link);
}

void slab_append(const struct slab *s, struct slab_list *list, uint32_t number)
{
    *link_of(s, list, number) = (struct slab_link){.prev = list->last};
    if (list->last != SLAB_NONE)
        link_of(s, list, list->last)->next = number;
    else
        list->first = number;
    list->last = number;
}

void slab_remove(const struct slab *s, struct slab_list *list, uint32_t number)
{
    struct slab_link *at = link_of(s, list, number);

    if (at->prev != SLAB_NONE)
        link_of(s, list, at->prev)->next = at->next;
    else
        list->first = at->next;
    if (at->next != SLAB_NONE)
        link_of(s, list, at->next)->prev = at->prev;
    else
        list->last = at->prev;
    *at = (struct slab_link){SLAB_NONE, SLAB_NONE};
}

uint32_t slab_next(const struct slab *s, const struct slab_list *list, uint32_t number)
{
    return link_of(s, list, number)->next;
}

uint32_t slab_prev(const struct slab *s, const struct slab_list *list, uint32_t number)
{
    return link_of(s, list, number)->prev;
}
