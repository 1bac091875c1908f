/* Tests which peers a listener answers and what it keeps of them: addresses, both families, and SYN
 * cookies. There is one stack, and a peer whose segments are written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/err.h"
#include "lib/core/stack.h"

static struct conn_config config;
static struct stack *server;
static const wave_time now = 1000 * WAVE_S;
static const struct addr one = {{10, 0, 0, 1}}, two = {{10, 0, 0, 2}}, peer = {{10, 0, 0, 9}};

static void start(uint32_t max)
{
    assert_int_equal(stack_create(&server, &config, max, 2), 0);
}

static int make(void **state)
{
    (void)state;
    conn_config_default(&config, 1500, false);
    memcpy(config.isn_secret, "sixteen bytes...", 16);
    start(100);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    stack_destroy(server);
    return 0;
}

static struct flow flow_to(const struct addr *local, uint16_t port)
{
    return (struct flow){.local = *local, .remote = peer, .lport = 80, .rport = port};
}

static void listen_at(const struct addr *addr, uint32_t half_open, bool v6)
{
    struct stack_listener l = {.any = !addr, .port = 80, .half_open = half_open, .v6 = v6};

    l.answer_rst = true;
    if (addr)
        l.addr = *addr;
    assert_int_equal(stack_listen(server, &l), 0);
}

static uint32_t give(const struct flow *f, struct seg s)
{
    struct event e;
    const uint32_t id = stack_input(server, now, f, &s);

    while (stack_event(server, &e))
        ;
    return id;
}

static uint32_t syn(const struct flow *f)
{
    return give(f, (struct seg){.seq = seq_of(100), .flags = SEG_SYN, .wnd = 1000});
}

static bool answer(struct seg *s)
{
    static uint8_t room[CONN_ROOM];
    struct flow f;
    uint32_t id;

    return stack_output(server, now, &f, s, room, &id);
}

static void two_addresses_of_one_port_are_two_places(void **state)
{
    const struct flow to_one = flow_to(&one, 5000), to_two = flow_to(&two, 5000);
    struct seg s;

    (void)state;
    listen_at(&one, 10, false);
    assert_int_not_equal(syn(&to_one), STACK_NONE);
    assert_true(answer(&s));
    assert_int_equal(s.flags, SEG_SYN | SEG_ACK);
    assert_int_equal(syn(&to_two), STACK_NONE);
    assert_true(answer(&s));
    assert_int_equal(s.flags, SEG_RST | SEG_ACK);
    listen_at(&two, 10, false);
    assert_int_not_equal(syn(&to_two), STACK_NONE);
}

/* A listener on this very address comes before one on every address, in whatever order they were
 * added. */
static void the_nearer_listener_answers(void **state)
{
    const struct flow to_one = flow_to(&one, 5000), to_two = flow_to(&two, 5000);

    (void)state;
    for (int order = 0; order < 2; order++) {
        unmake(NULL), start(100);
        if (order)
            listen_at(&one, 10, false);
        listen_at(NULL, 0, false); /* cookies for all */
        if (!order)
            listen_at(&one, 10, false);
        assert_int_not_equal(syn(&to_one), STACK_NONE);
        assert_int_equal(stack_cookies(server), 0);
        assert_int_equal(syn(&to_two), STACK_NONE);
        assert_int_equal(stack_cookies(server), 1);
    }
}

static void a_listener_is_of_one_family(void **state)
{
    struct flow f = flow_to(&one, 5000);
    struct seg s;

    (void)state;
    listen_at(NULL, 10, true);
    assert_int_equal(syn(&f), STACK_NONE);
    assert_true(answer(&s));
    assert_true(s.flags & SEG_RST);
    f.v6 = 1;
    assert_int_not_equal(syn(&f), STACK_NONE);
}

static void after_unlisten_nobody_is_answered_and_who_is_there_goes_on(void **state)
{
    const struct flow f = flow_to(&one, 5000), other = flow_to(&one, 5001);
    struct seg s;
    uint32_t id;

    (void)state;
    listen_at(NULL, 10, false);
    id = syn(&f);
    assert_true(answer(&s));
    stack_unlisten(server);
    assert_int_equal(syn(&other), STACK_NONE);
    assert_int_equal(give(&f, (struct seg){.seq = seq_of(101),
                                           .ack = seq_add(s.seq, 1),
                                           .flags = SEG_ACK,
                                           .wnd = 1000}),
                     id);
    assert_int_equal(stack_conn(server, id)->state, STATE_ESTABLISHED);
}

static void an_id_that_is_gone_is_harmless(void **state)
{
    const struct flow f = flow_to(&one, 5000);
    uint32_t id;

    (void)state;
    listen_at(NULL, 10, false);
    id = syn(&f);
    stack_release(server, id);
    assert_null(stack_conn(server, id));
    stack_changed(server, now, id);
    stack_release(server, id);
    stack_changed(server, now, STACK_NONE);
    stack_release(server, STACK_NONE);
    assert_int_equal(stack_count(server), 0);
    assert_int_equal(stack_half_open(server), 0);
}

/*
 * Cookies.
 */

/* Returns the SYN-ACK with a cookie that answers a SYN with these options and flags. */
static struct seg cookie_for(const struct flow *f, struct opt options, unsigned flags)
{
    struct seg s;

    assert_int_equal(give(f, (struct seg){.seq = seq_of(100),
                                          .flags = (uint16_t)(SEG_SYN | flags),
                                          .wnd = 1000,
                                          .opt = options}),
                     STACK_NONE);
    assert_true(answer(&s));
    assert_true((s.flags & (SEG_SYN | SEG_ACK)) == (SEG_SYN | SEG_ACK));
    return s;
}

/* Returns the peer's answer to it, with data. */
static struct seg third(const struct seg *cookie, bool timestamps)
{
    struct seg s = {.seq = seq_of(101),
                    .ack = seq_add(cookie->seq, 1),
                    .flags = SEG_ACK,
                    .wnd = 1000,
                    .len = 5,
                    .data = (const uint8_t *)"hello"};

    if (timestamps) {
        s.opt.has = OPT_TIMESTAMP;
        s.opt.tsval = 7001;
        s.opt.tsecr = cookie->opt.tsval;
    }
    return s;
}

static const struct opt stamped = {
    .has = OPT_MSS | OPT_TIMESTAMP | OPT_SACK_PERMITTED, .mss = 1460, .tsval = 7000};

/* RFC 9293, 3.7.1: without the option a peer takes 536 bytes, and 1,220 over IPv6. */
static void rfc9293_3_7_1_a_cookie_without_mss(void **state)
{
    static const uint16_t min[] = {536, 1220};

    (void)state;
    for (uint8_t v6 = 0; v6 < 2; v6++) {
        struct flow f = flow_to(&one, 5000);
        struct seg s;
        uint32_t id;

        f.v6 = v6;
        listen_at(NULL, 0, v6);
        s = cookie_for(&f, (struct opt){0}, 0);
        id = give(&f, third(&s, false));
        assert_int_not_equal(id, STACK_NONE);
        assert_int_equal(stack_conn(server, id)->state, STATE_ESTABLISHED);
        assert_int_equal(stack_conn(server, id)->mss, min[v6]);
    }
}

/* RFC 3168, 6.1.1: what the SYN asked for and the SYN-ACK agreed to, the cookie remembers, if there
 * is a timestamp to remember it in. */
static void rfc3168_6_1_1_ecn_over_a_cookie(void **state)
{
    const struct flow f = flow_to(&one, 5000), plain = flow_to(&one, 5001);
    const struct opt unstamped = {.has = OPT_MSS, .mss = 1460};
    struct seg s;
    uint32_t id;

    (void)state;
    unmake(NULL);
    config.ecn = true;
    start(100);
    listen_at(NULL, 0, false);
    s = cookie_for(&f, stamped, SEG_ECE | SEG_CWR);
    assert_true(s.flags & SEG_ECE);
    id = give(&f, third(&s, true));
    assert_int_not_equal(id, STACK_NONE);
    assert_true(stack_conn(server, id)->flags & CONN_ECN);
    s = cookie_for(&plain, unstamped, SEG_ECE | SEG_CWR);
    assert_false(s.flags & SEG_ECE);
    id = give(&plain, third(&s, false));
    assert_int_not_equal(id, STACK_NONE);
    assert_false(stack_conn(server, id)->flags & CONN_ECN);
}

static void rfc3168_6_1_1_no_ecn_where_the_syn_did_not_ask(void **state)
{
    const struct flow f = flow_to(&one, 5000);
    struct seg s;
    uint32_t id;

    (void)state;
    unmake(NULL);
    config.ecn = true;
    start(100);
    listen_at(NULL, 0, false);
    s = cookie_for(&f, stamped, 0);
    assert_false(s.flags & SEG_ECE);
    id = give(&f, third(&s, true));
    assert_int_not_equal(id, STACK_NONE);
    assert_false(stack_conn(server, id)->flags & CONN_ECN);
}

/* RFC 4987, 3.6: if there is no room for the connection yet, the acknowledgement counts as lost,
 * not as wrong: the peer retransmits its data, with the cookie. */
static void rfc4987_3_6_without_room_the_cookie_keeps(void **state)
{
    const struct flow first = flow_to(&one, 5000), second = flow_to(&one, 5001);
    struct seg s, t, none;
    uint32_t id, other;

    (void)state;
    unmake(NULL);
    start(1);
    listen_at(NULL, 0, false);
    s = cookie_for(&first, stamped, 0);
    t = cookie_for(&second, stamped, 0);
    id = give(&first, third(&s, true));
    assert_int_not_equal(id, STACK_NONE);
    while (answer(&none)) /* its acknowledgement */
        ;
    assert_int_equal(give(&second, third(&t, true)), STACK_NONE);
    assert_false(answer(&none));
    stack_release(server, id);
    other = give(&second, third(&t, true));
    assert_int_not_equal(other, STACK_NONE);
    assert_int_equal(stack_conn(server, other)->state, STATE_ESTABLISHED);
    assert_int_equal(conn_received(stack_conn(server, other)), 5);
}

/* A SYN that has no room counts as lost as well. */
static void without_room_a_syn_is_not_answered(void **state)
{
    const struct flow first = flow_to(&one, 5000), second = flow_to(&one, 5001);
    struct seg s;
    uint32_t id;

    (void)state;
    unmake(NULL);
    start(1);
    listen_at(NULL, 10, false);
    id = syn(&first);
    assert_true(answer(&s));
    assert_int_equal(syn(&second), STACK_NONE);
    assert_false(answer(&s));
    stack_release(server, id);
    assert_int_not_equal(syn(&second), STACK_NONE);
    assert_true(answer(&s));
    assert_int_equal(s.flags, SEG_SYN | SEG_ACK);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(two_addresses_of_one_port_are_two_places),
        CASE(the_nearer_listener_answers),
        CASE(a_listener_is_of_one_family),
        CASE(after_unlisten_nobody_is_answered_and_who_is_there_goes_on),
        CASE(an_id_that_is_gone_is_harmless),
        CASE(rfc9293_3_7_1_a_cookie_without_mss),
        CASE(rfc3168_6_1_1_ecn_over_a_cookie),
        CASE(rfc3168_6_1_1_no_ecn_where_the_syn_did_not_ask),
        CASE(rfc4987_3_6_without_room_the_cookie_keeps),
        CASE(without_room_a_syn_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
