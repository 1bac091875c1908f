/* Controls whether the allocator returns freed memory to the system, and puts large blocks in huge
 * pages. */
#ifndef TCPWAVE_IO_HEAP_H
#define TCPWAVE_IO_HEAP_H

#include <malloc.h>
#include <stddef.h>

#define HEAP_KEPT (16 << 20) /* bytes */

/* Keeps up to HEAP_KEPT freed bytes in the process. Queues are allocated and freed with every batch
 * of segments. To return their pages to the system each time, and to take the page faults once
 * more, costs more than to keep them. An allocator without this setting, such as musl's, is left as
 * it is. */
static inline void heap_keep(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
    mallopt(M_MMAP_THRESHOLD, HEAP_KEPT);
#endif
}

/* An engine's env_resize: realloc() and free(), but that a large block lies in huge pages, where
 * the system has them. A long transfer passes through all of its queue again and again, and with
 * pages of 4 KiB each one's address would have to be looked up each time. */
void *heap_resize(void *ctx, void *old, size_t old_size, size_t new_size);

#endif
