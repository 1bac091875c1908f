/* How the allocator treats memory that is given back. */
#ifndef TCPWAVE_IO_HEAP_H
#define TCPWAVE_IO_HEAP_H

#include <malloc.h>

#define HEAP_KEPT (16 << 20) /* bytes */

/* Queues come and go with every batch of segments: to give their pages back to the system each time,
 * and to fault them in again, costs more than to keep them. An allocator that cannot be told so,
 * such as musl's, is left as it is. */
static inline void heap_keep(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
    mallopt(M_MMAP_THRESHOLD, HEAP_KEPT);
#endif
}

#endif
