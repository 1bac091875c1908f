/* Tests which local ports may be used when the user names none: net.ipv4.ip_local_port_range
 * without net.ipv4.ip_local_reserved_ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/wire/local_ports.h"

static struct local_ports p;

static void the_range_is_both_ends_and_what_is_between(void **state)
{
    (void)state;
    local_ports_parse(&p, "40000\t40009\n", "\n");
    assert_int_equal(local_ports_count(&p), 10);
    assert_true(local_ports_usable(&p, 40000) && local_ports_usable(&p, 40009));
    assert_false(local_ports_usable(&p, 39999) || local_ports_usable(&p, 40010));
}

static void reserved_ports_are_left_out(void **state)
{
    (void)state;
    local_ports_parse(&p, "40000\t40009\n", "8080,40000,40003-40005,40009,50000-50010\n");
    assert_int_equal(local_ports_count(&p), 5);
    for (uint32_t port = 39990; port <= 50020; port++)
        assert_int_equal(local_ports_usable(&p, port),
                         port == 40001 || port == 40002 || (port >= 40006 && port <= 40008));
}

static void every_port_may_be_reserved(void **state)
{
    (void)state;
    local_ports_parse(&p, "1024\t65535\n", "0-65535\n");
    assert_int_equal(local_ports_count(&p), 0);
    assert_int_equal(local_ports_run(&p, 1024, 1), 0);
}

static void privileged_ports_are_never_taken(void **state)
{
    (void)state;
    local_ports_parse(&p, "1\t2000\n", "\n");
    assert_int_equal(p.low, 1024);
    assert_int_equal(local_ports_count(&p), 2000 - 1024 + 1);
}

static void without_a_range_it_is_the_kernels_default(void **state)
{
    static const char *const texts[] = {"", "x", "40000", "50000 40000", "1 99999", "10 20"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        local_ports_parse(&p, texts[i], "40000-");
        assert_int_equal(p.low, 32768);
        assert_int_equal(p.high, 60999);
        assert_int_equal(local_ports_count(&p), 28232);
    }
}

static void a_named_port_is_taken_though_reserved_and_the_next_is_not(void **state)
{
    (void)state;
    local_ports_parse(&p, "40000\t40009\n", "20000-20001\n");
    local_ports_from(&p, 20000);
    assert_true(local_ports_usable(&p, 20000));
    assert_false(local_ports_usable(&p, 20001));
    assert_true(local_ports_usable(&p, 20002) && local_ports_usable(&p, 65535));
    assert_int_equal(local_ports_count(&p), 65536 - 20000 - 1);
}

static void a_run_has_no_reserved_port_and_does_not_leave_the_range(void **state)
{
    (void)state;
    local_ports_parse(&p, "40000\t40019\n", "40005,40012\n"); /* 5, 6 and 7 side by side */
    assert_int_equal(local_ports_run(&p, 40000, 5), 40000);
    assert_int_equal(local_ports_run(&p, 40001, 5), 40006);
    assert_int_equal(local_ports_run(&p, 40000, 7), 40013);
    assert_int_equal(local_ports_run(&p, 40000, 8), 0);
    for (uint32_t from = 39990; from < 40030; from++)
        for (uint32_t count = 1; count <= 7; count++) {
            const uint32_t first = local_ports_run(&p, from, count);
            for (uint32_t i = 0; i < count; i++)
                assert_true(local_ports_usable(&p, first + i));
        }
}

static void a_run_is_found_behind_where_it_was_begun(void **state)
{
    (void)state;
    local_ports_parse(&p, "40000\t40019\n", "40008-40019\n");
    assert_int_equal(local_ports_run(&p, 40015, 8), 40000);
    assert_int_equal(local_ports_run(&p, 40001, 8), 40000);
    assert_int_equal(local_ports_run(&p, 40001, 7), 40001);
}

static void a_random_port_is_one_of_the_range(void **state)
{
    uint32_t seen = 0;

    (void)state;
    local_ports_parse(&p, "40000\t40003\n", "\n");
    for (int i = 0; i < 1000; i++) {
        const uint32_t port = local_ports_random(&p);
        assert_in_range(port, 40000, 40003);
        seen |= 1u << (port - 40000);
    }
    assert_int_equal(seen, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_range_is_both_ends_and_what_is_between),
        cmocka_unit_test(reserved_ports_are_left_out),
        cmocka_unit_test(every_port_may_be_reserved),
        cmocka_unit_test(privileged_ports_are_never_taken),
        cmocka_unit_test(without_a_range_it_is_the_kernels_default),
        cmocka_unit_test(a_named_port_is_taken_though_reserved_and_the_next_is_not),
        cmocka_unit_test(a_run_has_no_reserved_port_and_does_not_leave_the_range),
        cmocka_unit_test(a_run_is_found_behind_where_it_was_begun),
        cmocka_unit_test(a_random_port_is_one_of_the_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
