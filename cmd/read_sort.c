/* A binary heap in an array. */
#include "cmd/read_sort.h"

#include <stdlib.h>

/* Returns whether `a` stands behind `b`. */
static int behind(const struct read_kept *a, const struct read_kept *b)
{
    return a->key != b->key ? a->key < b->key : a->number > b->number;
}

static void swap(struct read_sort *s, size_t i, size_t k)
{
    const struct read_kept x = s->at[i];

    s->at[i] = s->at[k];
    s->at[k] = x;
}

/* Restores the heap of the first `n` below `i`. */
static void sift(struct read_sort *s, size_t i, size_t n)
{
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && behind(&s->at[child + 1], &s->at[child]))
            child++;
        if (!behind(&s->at[child], &s->at[i]))
            return;
        swap(s, i, child);
    }
}

static void drop_last(struct read_sort *s)
{
    s->left_out++;
    s->bytes -= s->at[0].len + sizeof s->at[0];
    free(s->at[0].text);
    s->at[0] = s->at[--s->count];
    sift(s, 0, s->count);
}

void read_sort_add(struct read_sort *s, uint64_t key, uint32_t number, char *text, size_t len)
{
    if (text && s->count == s->room) {
        const size_t room = s->room ? 2 * s->room : 256;
        struct read_kept *at = realloc(s->at, room * sizeof *at);
        if (!at) {
            free(text);
            text = NULL;
        } else {
            s->at = at;
            s->room = room;
        }
    }
    if (!text) {
        s->left_out++;
        return;
    }
    size_t i = s->count++;
    s->at[i] = (struct read_kept){key, number, len, text};
    s->bytes += len + sizeof s->at[0];
    for (; i > 0 && behind(&s->at[i], &s->at[(i - 1) / 2]); i = (i - 1) / 2)
        swap(s, i, (i - 1) / 2);
    while (s->bytes > READ_SORT_BYTES)
        drop_last(s);
}

void read_sort_done(struct read_sort *s)
{
    for (size_t n = s->count; n > 1; n--) {
        swap(s, 0, n - 1);
        sift(s, 0, n - 1);
    }
}

void read_sort_free(struct read_sort *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->at[i].text);
    free(s->at);
    *s = (struct read_sort){0};
}
