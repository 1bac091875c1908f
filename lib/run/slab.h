/*
 * Items of one size that never move. Each has a small number. They are allocated in chunks, so that
 * no allocation and no header is spent on a single item, and a chunk is touched only when its items
 * are first used. A list links items by their numbers, which takes two words in each item where
 * pointers would take four.
 *
 * The user decides what an item contains; the list knows where its links are in it.
 */
#ifndef TCPWAVE_RUN_SLAB_H
#define TCPWAVE_RUN_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_NONE 0u /* a number that no item has */

struct slab {
    size_t size; /* bytes of an item */
    unsigned char **chunk;
    uint32_t chunks, room; /* chunks allocated, and pointers for which there is room */
    uint32_t made;         /* items ever used: numbers up to this one are valid */
    uint32_t free;         /* the item given back last, or SLAB_NONE */
};

/* In an item, for each list that it may be in. All zero: it is in no list, or alone in it. */
struct slab_link {
    uint32_t prev, next;
};

struct slab_list {
    size_t link; /* offset of the links of this list in an item */
    uint32_t first, last;
};

/* Makes an empty slab for items of at least four bytes. Allocates nothing. */
void slab_init(struct slab *s, size_t size);

/* Frees everything, items included. */
void slab_free(struct slab *s);

/* Returns a zeroed item and its number in *number, or NULL when memory is short. */
void *slab_take(struct slab *s, uint32_t *number);

/* Gives back an item that is in no list any more. */
void slab_give(struct slab *s, uint32_t number);

/* Returns the item of that number; NULL for SLAB_NONE. */
void *slab_at(const struct slab *s, uint32_t number);

/* Appends an item that is not in the list. */
void slab_append(const struct slab *s, struct slab_list *list, uint32_t number);

/* Removes an item that is in the list. */
void slab_remove(const struct slab *s, struct slab_list *list, uint32_t number);

/* Return the number of the item after this one, or before it, or SLAB_NONE. */
uint32_t slab_next(const struct slab *s, const struct slab_list *list, uint32_t number);
uint32_t slab_prev(const struct slab *s, const struct slab_list *list, uint32_t number);

#endif
