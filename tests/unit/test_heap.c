/* The engine's memory, heap.h: what is large lies on a huge page's bound, and nothing is lost where
 * a block grows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/io/heap.h"

#define HUGE ((size_t)2 << 20)

static void a_large_block_begins_a_huge_page(void **state)
{
    (void)state;
    for (size_t size = HUGE; size <= 2 * HUGE; size *= 2) {
        uint8_t *p = heap_resize(NULL, NULL, 0, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % HUGE, 0);
        memset(p, 1, size);
        assert_null(heap_resize(NULL, p, size, 0));
    }
}

static void a_block_that_grows_keeps_its_bytes(void **state)
{
    uint8_t *p = heap_resize(NULL, NULL, 0, 1000);

    (void)state;
    assert_non_null(p);
    memset(p, 7, 1000);
    p = heap_resize(NULL, p, 1000, HUGE);
    assert_non_null(p);
    p = heap_resize(NULL, p, HUGE, 2 * HUGE);
    assert_non_null(p);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p[i], 7);
    assert_null(heap_resize(NULL, p, 2 * HUGE, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_block_begins_a_huge_page),
        cmocka_unit_test(a_block_that_grows_keeps_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
