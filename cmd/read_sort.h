/* Keeps the lines of flows until all of them are known, in bounded memory, for --sort. Where there
 * are more than fit, those are kept that would stand first. */
#ifndef TCPWAVE_CMD_READ_SORT_H
#define TCPWAVE_CMD_READ_SORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define READ_SORT_BYTES ((size_t)64 << 20) /* of lines that are kept */

/* Empty when zeroed. */
struct read_sort {
    struct read_kept {
        uint64_t key;    /* the largest one stands first */
        uint32_t number; /* of the flow; of equal keys the smallest one stands first */
        size_t len;
        char *text;
    } * at; /* a heap: the one that would stand last is at its root */
    size_t count, room;
    size_t bytes;
    uint64_t left_out;
};

/* Takes the lines of a flow; `text` is from malloc(), and is freed later. NULL: memory was out, and
 * they are left out. */
void read_sort_add(struct read_sort *s, uint64_t key, uint32_t number, char *text, size_t len);

/* Brings the lines into their order. */
void read_sort_done(struct read_sort *s);

void read_sort_free(struct read_sort *s);

#endif
