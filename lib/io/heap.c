/* The engine's memory comes from malloc(). A block that is a multiple of a huge page is aligned to
 * one, and the kernel is asked to back it with huge pages. */
#include "lib/io/heap.h"

#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20) /* bytes; where they are larger, there are none for us */

void *heap_resize(void *ctx, void *old, size_t old_size, size_t new_size)
{
    void *p;

    (void)ctx;
    (void)old_size;
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    if (old || new_size % HUGE_PAGE != 0)
        return realloc(old, new_size);
    p = aligned_alloc(HUGE_PAGE, new_size);
#ifdef MADV_HUGEPAGE
    if (p)
        madvise(p, new_size, MADV_HUGEPAGE); /* a wish: without, the pages are small */
#endif
    return p;
}
