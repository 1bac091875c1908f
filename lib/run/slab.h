/*
 * Items of one size that never move, each named by a small number. They come in chunks, so that
 * neither an allocation nor its header is spent on an item, and a chunk is touched only as its
 * items are first used. A list joins items by their numbers: two words in each, where pointers
 * would be four.
 *
 * What an item contains is its user's; where the links of a list lie in it, the list knows.
 */
#ifndef TCPWAVE_RUN_SLAB_H
#define TCPWAVE_RUN_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_NONE 0u /* the number that no item has */

struct slab {
    size_t size; /* bytes of an item */
    unsigned char **chunk;
    uint32_t chunks, room; /* chunks there are, and pointers there is room for */
    uint32_t made;         /* items ever used: numbers up to this are valid */
    uint32_t free;         /* the item given back last, or SLAB_NONE */
};

/* In an item, for each list that it may be in. Zero: it is in none, or alone in it. */
struct slab_link {
    uint32_t prev, next;
};

struct slab_list {
    size_t link; /* offset of the links of this list in an item */
    uint32_t first, last;
};

/* An empty slab for items of at least four bytes, with nothing allocated. */
void slab_init(struct slab *s, size_t size);

/* Frees everything; the items are gone. */
void slab_free(struct slab *s);

/* A zeroed item, and its number in *number; or NULL when memory is short. */
void *slab_take(struct slab *s, uint32_t *number);

/* Gives an item back, which is in no list any more. */
void slab_give(struct slab *s, uint32_t number);

/* The item of that number; NULL for SLAB_NONE. */
void *slab_at(const struct slab *s, uint32_t number);

/* Adds an item that is not in the list, as its last one. */
void slab_append(const struct slab *s, struct slab_list *list, uint32_t number);

/* Takes out an item that is in the list. */
void slab_remove(const struct slab *s, struct slab_list *list, uint32_t number);

/* The item after this one, or before it, or SLAB_NONE. */
uint32_t slab_next(const struct slab *s, const struct slab_list *list, uint32_t number);
uint32_t slab_prev(const struct slab *s, const struct slab_list *list, uint32_t number);

#endif
