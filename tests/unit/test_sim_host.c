/* Tests the far end of a simulated network by itself: the host that dials, restarts and thinks, the
 * delay line's order, and the pool of packets. Segments are handed over directly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/err.h"
#include "lib/sim/delay_line.h"
#include "lib/sim/host.h"
#include "lib/sim/prng.h"

#define BEGIN WAVE_S
#define NEVER_VANISHES .vanish_at = WAVE_NEVER

static uint8_t room[CONN_ROOM];

/* The host as its peer sees it: a segment of ours, and what comes back. */
struct exchange {
    struct host *host;
    struct flow flow; /* as the host sees it */
    struct seq next, ack;
};

static struct host *make(struct host_config c)
{
    struct host *h;

    conn_config_default(&c.engine, 1500, false);
    c.addr = addr_v4(192, 0, 2, 80);
    c.half_open = 16;
    c.seed = 1;
    assert_int_equal(host_create(&h, &c), 0);
    return h;
}

static struct host_dials dials_of(uint32_t count, wave_time every, uint16_t ports)
{
    return (struct host_dials){.count = count,
                               .begin = BEGIN,
                               .every = every,
                               .flow = {.local = addr_v4(192, 0, 2, 80),
                                        .remote = addr_v4(192, 0, 2, 1),
                                        .lport = 50000,
                                        .rport = 80},
                               .ports = ports};
}

/* Takes the next segment that the host sends; false: there is none. */
static bool sends(struct host *h, wave_time now, struct flow *flow, struct seg *s)
{
    return host_output(h, now, flow, s, room);
}

static void sends_nothing(struct host *h, wave_time now)
{
    struct flow flow;
    struct seg s;

    assert_false(sends(h, now, &flow, &s));
}

static void gets(struct exchange *x, wave_time now, unsigned flags, const char *text)
{
    struct seg s = {.seq = x->next,
                    .ack = x->ack,
                    .flags = (uint16_t)flags,
                    .wnd = 60000,
                    .len = (uint32_t)strlen(text),
                    .data = (const uint8_t *)text};

    x->next = seg_end(&s);
    host_input(x->host, now, &x->flow, &s);
}

/* Expects a segment with exactly these flags and this much data, and acknowledges it from now on.
 */
static void expect(struct exchange *x, wave_time now, unsigned flags, uint32_t len)
{
    struct flow flow;
    struct seg s;

    assert_true(sends(x->host, now, &flow, &s));
    assert_int_equal(s.flags & ~SEG_PSH, flags);
    assert_int_equal(s.len, len);
    x->ack = seg_end(&s);
}

/* Opens a connection to the host. */
static struct exchange opened(struct host *h, wave_time now)
{
    struct exchange x = {.host = h,
                         .flow = {.local = addr_v4(192, 0, 2, 80),
                                  .remote = addr_v4(192, 0, 2, 1),
                                  .lport = 80,
                                  .rport = 5000},
                         .next = {100}};

    gets(&x, now, SEG_SYN, "");
    expect(&x, now, SEG_SYN | SEG_ACK, 0);
    gets(&x, now, SEG_ACK, "");
    return x;
}

/*
 * Dialling
 */

static void it_dials_at_its_times_over_one_port_after_the_other(void **state)
{
    struct host *h = make((struct host_config){
        .behaviour = HOST_ECHO, NEVER_VANISHES, .dials = dials_of(3, WAVE_MS, 2)});
    struct flow flow;
    struct seg s;

    (void)state;
    assert_int_equal(host_expiry(h, 0), BEGIN);
    for (unsigned i = 0; i < 2; i++) {
        const wave_time now = BEGIN + i * WAVE_MS;
        host_tick(h, now);
        assert_true(sends(h, now, &flow, &s));
        assert_int_equal(s.flags, SEG_SYN);
        assert_int_equal(flow.lport, 50000 + i);
        assert_int_equal(flow.rport, 80);
    }
    /* Both ports are in use: the third connection waits until one is free. */
    host_tick(h, BEGIN + 2 * WAVE_MS);
    assert_int_equal(stack_count(host_stack(h)), 2);
    assert_true(host_expiry(h, BEGIN + 2 * WAVE_MS) > BEGIN + 2 * WAVE_MS);
    host_destroy(h);
}

static void a_silent_one_sends_its_syn_and_nothing_more(void **state)
{
    struct host *h = make((struct host_config){
        .behaviour = HOST_SILENT, NEVER_VANISHES, .dials = dials_of(1, 0, 10)});
    struct exchange x = {.host = h, .next = {500}};
    struct seg s;

    (void)state;
    host_tick(h, BEGIN);
    assert_true(sends(h, BEGIN, &x.flow, &s));
    assert_int_equal(s.flags, SEG_SYN);
    x.ack = seg_end(&s);
    assert_int_equal(stack_count(host_stack(h)), 0);
    gets(&x, BEGIN, SEG_SYN | SEG_ACK, "");
    sends_nothing(h, BEGIN);
    assert_int_equal(host_expiry(h, BEGIN), WAVE_NEVER);
    host_destroy(h);
}

/* An old SYN, as far as its receiver can tell. */
static void a_closed_one_answers_with_rst_what_answers_its_syn(void **state)
{
    struct host *h = make((struct host_config){
        .behaviour = HOST_CLOSED, NEVER_VANISHES, .dials = dials_of(1, 0, 10)});
    struct exchange x = {.host = h, .next = {500}};
    struct seg s;

    (void)state;
    host_tick(h, BEGIN);
    assert_true(sends(h, BEGIN, &x.flow, &s));
    x.ack = seg_end(&s);
    gets(&x, BEGIN, SEG_SYN | SEG_ACK, "");
    expect(&x, BEGIN, SEG_RST, 0);
    host_destroy(h);
}

/*
 * What happens to a connection
 */

static void a_restarted_one_knows_no_connection(void **state)
{
    struct host *h = make((struct host_config){
        .behaviour = HOST_ECHO, NEVER_VANISHES, .port = 80, .reboot_at = BEGIN + WAVE_H});
    struct exchange x = opened(h, BEGIN);

    (void)state;
    assert_int_equal(stack_count(host_stack(h)), 1);
    assert_true(host_expiry(h, BEGIN) <= BEGIN + WAVE_H);
    host_tick(h, BEGIN + WAVE_H);
    assert_int_equal(stack_count(host_stack(h)), 0);
    sends_nothing(h, BEGIN + WAVE_H);
    gets(&x, BEGIN + WAVE_H, SEG_ACK, "x");
    expect(&x, BEGIN + WAVE_H, SEG_RST, 0);
    opened(h, BEGIN + 2 * WAVE_H); /* it serves new ones */
    host_destroy(h);
}

/* Its host acknowledges the FIN before the application closes. */
static void an_application_takes_its_time(void **state)
{
    struct host *h = make(
        (struct host_config){.behaviour = HOST_ECHO, NEVER_VANISHES, .port = 80, .think = WAVE_MS});
    struct exchange x = opened(h, BEGIN);

    (void)state;
    host_tick(h, BEGIN + WAVE_MS); /* it has seen that the connection is open */
    gets(&x, BEGIN + WAVE_S, SEG_FIN | SEG_ACK, "");
    expect(&x, BEGIN + WAVE_S, SEG_ACK, 0);
    sends_nothing(h, BEGIN + WAVE_S);
    assert_true(host_expiry(h, BEGIN + WAVE_S) <= BEGIN + WAVE_S + WAVE_MS);
    host_tick(h, BEGIN + WAVE_S + WAVE_MS - 1);
    sends_nothing(h, BEGIN + WAVE_S + WAVE_MS - 1);
    host_tick(h, BEGIN + WAVE_S + WAVE_MS);
    expect(&x, BEGIN + WAVE_S + WAVE_MS, SEG_FIN | SEG_ACK, 0);
    host_destroy(h);
}

static void a_broken_half_close_cuts_the_answer_off(void **state)
{
    struct host *h =
        make((struct host_config){.behaviour = HOST_BREAKS_HALF_CLOSE, NEVER_VANISHES, .port = 80});
    struct exchange x = opened(h, BEGIN);

    (void)state;
    gets(&x, BEGIN, SEG_FIN | SEG_ACK, "x");
    expect(&x, BEGIN, SEG_ACK, 4);
    sends_nothing(h, BEGIN);
    gets(&x, BEGIN, SEG_ACK, "");
    expect(&x, BEGIN, SEG_RST, 0);
    assert_int_equal(stack_count(host_stack(h)), 0);
    host_destroy(h);
}

/* However many connections it resets, none stays. */
static void what_it_resets_is_released(void **state)
{
    struct host *h =
        make((struct host_config){.behaviour = HOST_RESETS, NEVER_VANISHES, .port = 80});

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        struct exchange x = opened(h, BEGIN + i * WAVE_S);
        gets(&x, BEGIN + i * WAVE_S, SEG_ACK, "x");
        expect(&x, BEGIN + i * WAVE_S, SEG_RST, 0);
        assert_int_equal(stack_count(host_stack(h)), 0);
    }
    host_destroy(h);
}

/*
 * Packets on their way
 */

/* In the order of their arrival, and for the same time in that in which they were put in. */
static void packets_come_out_in_the_order_of_arrival(void **state)
{
    struct delay_line t = {.count = 0};
    struct packet_pool pool = {.prepared = NULL};
    struct prng r = {3};
    wave_time now = 0;
    uint64_t put = 0, taken = 0;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        if (prng_below(&r, 2) && put - taken < 1000) {
            struct delayed_packet *p = packet_pool_take(&pool, 0, 0, NULL);
            assert_non_null(p);
            p->number = ++put;
            assert_int_equal(delay_line_put(&t, now + 100 + prng_below(&r, 4) * 50, p), 0);
        } else if (put > taken) {
            const wave_time at = delay_line_next(&t);
            struct delayed_packet *p = delay_line_take(&t);

            assert_true(at >= now);
            assert_int_equal(p->at, at);
            now = at;
            taken++;
            packet_pool_give(&pool, p);
        }
    }
    for (struct delayed_packet *p; (p = delay_line_take(&t)); taken++) {
        assert_true(p->at >= now);
        now = p->at;
        packet_pool_give(&pool, p);
    }
    assert_int_equal(taken, put);
    delay_line_free(&t);
    packet_pool_free(&pool);
}

static void of_one_time_the_first_put_in_comes_first(void **state)
{
    static const wave_time at[] = {20, 30, 20, 10, 30, 20, 10};
    static const uint64_t wanted[] = {4, 7, 1, 3, 6, 2, 5};
    struct delay_line t = {.count = 0};
    struct packet_pool pool = {.prepared = NULL};

    (void)state;
    for (unsigned i = 0; i < 7; i++) {
        struct delayed_packet *p = packet_pool_take(&pool, 0, 0, NULL);
        p->number = i + 1;
        assert_int_equal(delay_line_put(&t, at[i], p), 0);
    }
    for (unsigned i = 0; i < 7; i++) {
        struct delayed_packet *p = delay_line_take(&t);
        assert_int_equal(p->number, wanted[i]);
        packet_pool_give(&pool, p);
    }
    packet_pool_free(&pool);
}

static void a_packet_is_made_where_its_data_were_written(void **state)
{
    struct packet_pool pool = {.prepared = NULL};
    uint8_t *place = packet_pool_place(&pool);
    struct delayed_packet *p, *q;

    (void)state;
    assert_non_null(place);
    assert_ptr_equal(packet_pool_place(&pool), place);
    place[0] = 'x';
    q = packet_pool_take(&pool, 0, 10, NULL); /* data from elsewhere: another packet */
    assert_ptr_not_equal(q->bytes + PACKET_DATA_AT, place);
    p = packet_pool_take(&pool, 1, 10, place);
    assert_ptr_equal(p->bytes + PACKET_DATA_AT, place);
    assert_int_equal(*place, 'x');
    assert_int_equal(p->from, 1);
    assert_ptr_not_equal(packet_pool_place(&pool), place);
    packet_pool_give(&pool, p);
    packet_pool_give(&pool, q);
    q = packet_pool_take(&pool, 0, 60000, NULL);
    assert_true(q->room >= 60000);
    packet_pool_give(&pool, q);
    packet_pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_dials_at_its_times_over_one_port_after_the_other),
        cmocka_unit_test(a_silent_one_sends_its_syn_and_nothing_more),
        cmocka_unit_test(a_closed_one_answers_with_rst_what_answers_its_syn),
        cmocka_unit_test(a_restarted_one_knows_no_connection),
        cmocka_unit_test(an_application_takes_its_time),
        cmocka_unit_test(a_broken_half_close_cuts_the_answer_off),
        cmocka_unit_test(what_it_resets_is_released),
        cmocka_unit_test(packets_come_out_in_the_order_of_arrival),
        cmocka_unit_test(of_one_time_the_first_put_in_comes_first),
        cmocka_unit_test(a_packet_is_made_where_its_data_were_written),
    };

    return cmocka_run_group_tests_name("sim_host", tests, NULL, NULL);
}
