/*
 * What the fuzz targets share. A target reads its input as a program. It takes numbers near to
 * those that the code under test expects, so that the code behind its checks is reached as well.
 */
#ifndef TCPWAVE_TESTS_FUZZ_H
#define TCPWAVE_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/cursor.h"
#include "lib/core/seg.h"

/* libFuzzer's entry; replay.c calls it as well. Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What must hold; unlike assert(), whatever NDEBUG says. */
#define require(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Bytes of data as both sides of a connection write them: the byte of a sequence number is always
 * the same, so that whatever is delivered can be held against it. */
#define PATTERN_PERIOD 65536u
#define PATTERN_MAX 131072u /* bytes of data that a segment may have */
extern uint8_t pattern_bytes[PATTERN_PERIOD + PATTERN_MAX];

void pattern_fill(void);

static inline const uint8_t *pattern_at(uint32_t place)
{
    return pattern_bytes + place % PATTERN_PERIOD;
}

/* A number near `base`, or anywhere. */
struct seq fuzz_near(struct cursor *in, struct seq base);

/* Options as the input has them: decoded from bytes, of which some are put right so that they mean
 * something. `bytes` is where they are kept. */
void fuzz_options(struct cursor *in, uint8_t bytes[OPT_BYTES_MAX], struct opt *out);

/* malloc's memory, until the input has it refused; all 0: always given. */
struct fuzz_memory {
    unsigned left;  /* so many requests less one are met, and then none; 0: all */
    unsigned every; /* every so many requests one is refused; 0: none */
    unsigned asked;
    bool refused; /* one was, since this was last cleared */
    size_t held;  /* bytes given out */
};

/* An allocator (env.h) over a struct fuzz_memory. */
void *fuzz_resize(void *ctx, void *old, size_t old_size, size_t new_size);

#define FUZZ_PATH 256
/* A file of this process's own, for what only writes to files; to be unlinked after each run.
 * Returns `path`. */
const char *fuzz_path(const char *ending, char path[FUZZ_PATH]);

#endif
