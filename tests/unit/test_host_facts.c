/* What findings are made from and the port counts: read again where a segment may still be on its
 * way to this host's TCP, and only there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/report/diagnose.h"
#include "lib/run/host_facts.h"

static struct {
    unsigned asked;
    unsigned reaches_at; /* the guard has counted the segment when it is asked so often */
    bool counts;
} guard;

static struct wire_stats stats(struct port *p)
{
    (void)p;
    guard.asked++;
    return (struct wire_stats){.counts_reached = guard.counts,
                               .reached = guard.asked >= guard.reaches_at};
}

/* Returns whether this host's firewall is blamed in a run in which so many segments came. */
static bool blamed(unsigned reaches_at, bool counts, bool virtual_time, uint64_t captured)
{
    static const struct report_flow none;
    static const struct wire_info info = {.interface = "eth0", .ifindex = 2};
    static const struct port_ops ops = {.stats = stats};
    struct port port = {.ops = &ops, .info = &info, .virtual_time = virtual_time};
    struct wire_stats s;
    struct host_texts texts;
    struct facts_host host;
    const struct facts k = {.flow = &none, .host = &host, .over = true, .verdict = VERDICT_REFUSED};
    struct findings found = {.count = 0};

    guard.asked = 0;
    guard.reaches_at = reaches_at;
    guard.counts = counts;
    host_facts(&host, &texts, &s, &port, &(struct host_asks){.captured = captured});
    assert_true(s.reached == host.reached && host.captured == captured);
    diagnose(&k, &found);
    for (unsigned i = 0; i < found.count; i++)
        if (strcmp(found.at[i].code, "own-firewall") == 0)
            return true;
    return false;
}

static void a_segment_that_is_on_its_way_blames_no_firewall(void **state)
{
    (void)state;
    assert_false(blamed(1, true, false, 1));
    assert_int_equal(guard.asked, 1); /* nothing is waited for */
    assert_false(blamed(2, true, false, 1));
    assert_int_equal(guard.asked, 2);
    assert_false(blamed(20, true, false, 1));
    assert_true(blamed(UINT32_MAX, true, false, 1));
    assert_in_range(guard.asked, 10, 100);
}

static void nothing_is_waited_for_that_cannot_come(void **state)
{
    (void)state;
    assert_false(blamed(UINT32_MAX, true, false, 0));
    assert_int_equal(guard.asked, 1);
    assert_false(blamed(UINT32_MAX, false, false, 1));
    assert_int_equal(guard.asked, 1);
    blamed(UINT32_MAX, true, true, 1);
    assert_int_equal(guard.asked, 1);
}

static struct wire_stats lossy_stats(struct port *p)
{
    (void)p;
    return (struct wire_stats){
        .malformed = 5, .bad_checksum = 5, .bad_whole = 3, .dropped = guard.asked++};
}

/* Fragments of two packets were put together, since the capture had lost the others. */
static void a_lossy_capture_damages_packets_in_fragments(void **state)
{
    static const struct wire_info info = {.interface = "eth0", .ifindex = 2};
    static const struct port_ops ops = {.stats = lossy_stats};
    struct port port = {.ops = &ops, .info = &info};
    struct wire_stats s;
    struct host_texts texts;
    struct facts_host host;

    (void)state;
    guard.asked = 0;
    host_facts(&host, &texts, &s, &port, &(struct host_asks){.captured = 0});
    assert_int_equal(host.bad_checksums, 5);
    host_facts(&host, &texts, &s, &port, &(struct host_asks){.captured = 0});
    assert_int_equal(host.bad_checksums, 2);
    assert_int_equal(s.bad_checksum, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_that_is_on_its_way_blames_no_firewall),
        cmocka_unit_test(nothing_is_waited_for_that_cannot_come),
        cmocka_unit_test(a_lossy_capture_damages_packets_in_fragments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
