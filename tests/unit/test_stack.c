/* Tests many connections: with two stacks face to face without a wire between them, or with one
 * stack and segments written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/cookie.h"
#include "lib/core/err.h"
#include "lib/core/stack.h"

static struct conn_config config;
static struct stack *client, *server;
static wave_time now;
static uint8_t room[CONN_ROOM];
static const struct addr here = {{10, 0, 0, 1}}, there = {{10, 0, 0, 2}};

static struct flow flow_of(uint32_t n)
{
    return (struct flow){.local = here,
                         .remote = there,
                         .lport = (uint16_t)(1024 + n % 60000),
                         .rport = (uint16_t)(80 + n / 60000)};
}

static void listen_on(uint32_t half_open)
{
    const struct stack_listener l = {
        .any = true, .port = 80, .half_open = half_open, .answer_rst = true};

    assert_int_equal(stack_listen(server, &l), 0);
}

static int make(void **state)
{
    (void)state;
    conn_config_default(&config, 1500, false);
    memcpy(config.isn_secret, "sixteen bytes...", 16);
    now = 1000 * WAVE_S;
    assert_int_equal(stack_create(&client, &config, 5000, 1), 0);
    assert_int_equal(stack_create(&server, &config, 5000, 2), 0);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    stack_destroy(client);
    stack_destroy(server);
    return 0;
}

static void drop_events(struct stack *s)
{
    struct event e;

    while (stack_event(s, &e))
        assert_int_not_equal(e.id, STACK_NONE);
    assert_int_equal(stack_env(s)->events_lost, 0);
}

/* Delivers what one stack has to send to the other; the number of segments. */
static unsigned deliver(struct stack *from, struct stack *to)
{
    unsigned n = 0;
    struct flow f, back;
    struct seg s;
    uint32_t id;

    while (stack_output(from, now, &f, &s, room, &id)) {
        back = flow_reverse(&f);
        stack_input(to, now, &back, &s);
        drop_events(to), drop_events(from);
        assert_true(++n < 1000000);
    }
    return n;
}

static void talk(void)
{
    while (deliver(client, server) + deliver(server, client))
        ;
}

static uint32_t connect_to(uint32_t n)
{
    const struct flow f = flow_of(n);
    uint32_t id = STACK_NONE;

    assert_int_equal(stack_connect(client, now, &f, &id), 0);
    assert_int_not_equal(id, STACK_NONE);
    return id;
}

static enum state state_of(struct stack *s, uint32_t id)
{
    assert_non_null(stack_conn(s, id));
    return (enum state)stack_conn(s, id)->state;
}

/* Returns the only connection of a stack that has one. */
static uint32_t only(struct stack *s)
{
    uint32_t cursor = 0;

    assert_int_equal(stack_count(s), 1);
    return stack_next(s, &cursor);
}

/* The flow of segments that are written by hand: to the server, from port 5000. */
static const struct flow by_hand = {
    .local = {{10, 0, 0, 2}}, .remote = {{10, 0, 0, 1}}, .lport = 80, .rport = 5000};

static uint32_t hand(unsigned flags, uint32_t seq, uint32_t ack)
{
    const struct seg s = {
        .seq = seq_of(seq), .ack = seq_of(ack), .flags = (uint16_t)flags, .wnd = 1000};
    uint32_t id = stack_input(server, now, &by_hand, &s);

    drop_events(server);
    return id;
}

static bool answer(struct seg *s)
{
    struct flow f;
    uint32_t id;

    return stack_output(server, now, &f, s, room, &id);
}

static void arguments_out_of_range_are_refused(void **state)
{
    struct stack *s = NULL;

    (void)state;
    assert_int_equal(stack_create(&s, &config, 0, 1), WAVE_EINVAL);
    assert_int_equal(stack_create(&s, &config, (1u << 24) + 1, 1), WAVE_EINVAL);
    assert_null(s);
    stack_destroy(NULL);
}

static void a_connection_from_open_to_close(void **state)
{
    uint32_t a, b;
    const uint8_t *data;

    (void)state;
    listen_on(10);
    a = connect_to(0);
    talk();
    b = only(server);
    assert_int_equal(state_of(client, a), STATE_ESTABLISHED);
    assert_int_equal(state_of(server, b), STATE_ESTABLISHED);
    assert_int_equal(stack_half_open(server), 0);
    assert_int_equal(conn_send(stack_conn(client, a), now, "hello", 5), 5);
    stack_changed(client, now, a);
    talk();
    assert_int_equal(conn_peek(stack_conn(server, b), &data), 5);
    assert_memory_equal(data, "hello", 5);
    conn_consume(stack_conn(server, b), now, 5);
    assert_int_equal(conn_close(stack_conn(client, a), now), 0);
    stack_changed(client, now, a);
    talk();
    assert_int_equal(state_of(server, b), STATE_CLOSE_WAIT);
    assert_int_equal(conn_close(stack_conn(server, b), now), 0);
    stack_changed(server, now, b);
    talk();
    assert_int_equal(state_of(server, b), STATE_CLOSED);
    assert_int_equal(state_of(client, a), STATE_TIME_WAIT);
    now += 2 * config.msl + WAVE_MS;
    stack_tick(client, now);
    talk();
    assert_int_equal(state_of(client, a), STATE_CLOSED);
    assert_true(stack_expiry(client, now) > now);
    stack_release(client, a);
    stack_release(server, b);
    assert_null(stack_conn(client, a));
    assert_int_equal(stack_count(client) + stack_count(server), 0);
}

static void a_flow_in_use_is_refused_and_free_once_it_is_closed(void **state)
{
    const struct flow f = flow_of(0);
    uint32_t a = connect_to(0), again = 77;

    (void)state;
    assert_int_equal(stack_connect(client, now, &f, &again), WAVE_EINUSE);
    assert_int_equal(again, 77);
    conn_vanish(stack_conn(client, a), now);
    stack_changed(client, now, a);
    assert_int_equal(stack_connect(client, now, &f, &again), 0);
    assert_int_not_equal(again, a);
    /* The closed one is there until released, and its release does not touch the new one. */
    assert_int_equal(state_of(client, a), STATE_CLOSED);
    stack_release(client, a);
    assert_null(stack_conn(client, a));
    assert_int_equal(state_of(client, again), STATE_SYN_SENT);
    assert_int_equal(stack_connect(client, now, &f, &a), WAVE_EINUSE);
}

static void no_more_than_max_connections(void **state)
{
    struct stack *s;
    uint32_t id = 77, first;

    (void)state;
    assert_int_equal(stack_create(&s, &config, 2, 1), 0);
    assert_int_equal(stack_connect(s, now, &(struct flow){.lport = 1}, &first), 0);
    assert_int_equal(stack_connect(s, now, &(struct flow){.lport = 2}, &id), 0);
    id = 77;
    assert_int_equal(stack_connect(s, now, &(struct flow){.lport = 3}, &id), WAVE_ENOMEM);
    assert_int_equal(id, 77);
    stack_release(s, first);
    assert_int_equal(stack_connect(s, now, &(struct flow){.lport = 3}, &id), 0);
    stack_destroy(s);
}

static void a_second_listener_in_the_same_place_is_refused(void **state)
{
    struct stack_listener l = {.any = true, .port = 80, .half_open = 1};

    (void)state;
    listen_on(1);
    assert_int_equal(stack_listen(server, &l), WAVE_EINUSE);
    l.port = 81;
    assert_int_equal(stack_listen(server, &l), 0);
    l.v6 = true;
    assert_int_equal(stack_listen(server, &l), 0);
    l.v6 = false, l.any = false, l.addr = there;
    assert_int_equal(stack_listen(server, &l), 0);
    assert_int_equal(stack_listen(server, &l), WAVE_EINUSE);
    stack_unlisten(server);
    assert_int_equal(stack_listen(server, &l), 0);
}

static void rfc9293_3_10_7_4_rst_in_syn_received_leaves_nothing_of_a_passive_open(void **state)
{
    struct seg s;
    uint32_t id;

    (void)state;
    listen_on(10);
    id = hand(SEG_SYN, 100, 0);
    assert_int_equal(state_of(server, id), STATE_SYN_RECEIVED);
    assert_int_equal(stack_half_open(server), 1);
    assert_true(answer(&s));
    assert_int_equal(hand(SEG_RST, 101, 0), id);
    assert_null(stack_conn(server, id));
    assert_int_equal(stack_half_open(server), 0);
    assert_int_equal(stack_count(server), 0);
    /* And the flow is free for the next. */
    assert_int_not_equal(hand(SEG_SYN, 200, 0), STACK_NONE);
    assert_int_equal(stack_half_open(server), 1);
}

static void half_open_connections_given_up_or_released_are_counted_off(void **state)
{
    uint32_t a, b;
    const struct seg syn = {.seq = seq_of(1), .flags = SEG_SYN, .wnd = 1};
    struct flow f = by_hand;

    (void)state;
    listen_on(10);
    a = hand(SEG_SYN, 100, 0);
    f.rport++;
    b = stack_input(server, now, &f, &syn);
    assert_int_equal(stack_half_open(server), 2);
    stack_release(server, a);
    assert_int_equal(stack_half_open(server), 1);
    conn_abort(stack_conn(server, b), now);
    stack_changed(server, now, b);
    assert_int_equal(stack_half_open(server), 0);
}

static void rfc4987_3_6_beyond_the_bound_syns_cost_no_memory(void **state)
{
    size_t used;
    struct seg s;

    (void)state;
    listen_on(16);
    for (uint32_t n = 0; n < 16; n++) {
        const struct seg syn = {.seq = seq_of(n), .flags = SEG_SYN, .wnd = 1000};
        const struct flow f = flow_of(n), back = flow_reverse(&f);

        assert_int_not_equal(stack_input(server, now, &back, &syn), STACK_NONE);
        assert_true(answer(&s));
        drop_events(server);
    }
    used = stack_env(server)->mem_used;
    for (uint32_t n = 16; n < 20000; n++) {
        const struct seg syn = {.seq = seq_of(n), .flags = SEG_SYN, .wnd = 1000};
        const struct flow f = flow_of(n), back = flow_reverse(&f);

        if (back.lport != 80)
            break;
        assert_int_equal(stack_input(server, now, &back, &syn), STACK_NONE);
        drop_events(server);
        assert_true(answer(&s));
        assert_int_equal(s.flags, SEG_SYN | SEG_ACK);
        assert_int_equal(s.ack.v, n + 1);
    }
    assert_int_equal(stack_cookies(server), 20000 - 16);
    assert_int_equal(stack_count(server), 16);
    assert_int_equal(stack_half_open(server), 16);
    assert_int_equal(stack_env(server)->mem_used, used);
}

/* Connects two stacks by a SYN cookie. `timestamps`: the client offers them. */
static void over_a_cookie(bool timestamps)
{
    const uint32_t options = CONN_WSCALE | CONN_SACK;
    const uint8_t *data;
    struct conn *b;
    uint32_t a;

    listen_on(0);
    stack_env(client)->config.timestamps = timestamps;
    a = connect_to(0);
    talk();
    assert_int_equal(stack_cookies(server), 1);
    assert_int_equal(state_of(client, a), STATE_ESTABLISHED);
    b = stack_conn(server, only(server));
    assert_int_equal(b->state, STATE_ESTABLISHED);
    assert_int_equal(stack_half_open(server), 0);
    assert_int_equal(b->mss, 1460);
    assert_int_equal(b->flags & (options | CONN_TIMESTAMPS),
                     timestamps ? options | CONN_TIMESTAMPS : 0);
    /* Both ends must agree, or windows and PAWS will not. */
    assert_int_equal(stack_conn(client, a)->flags & (options | CONN_TIMESTAMPS),
                     b->flags & (options | CONN_TIMESTAMPS));
    assert_int_equal(b->snd_shift, stack_conn(client, a)->rcv_shift * timestamps);
    assert_int_equal(stack_conn(client, a)->snd_shift, b->rcv_shift * timestamps);
    /* Data goes both ways at the same time: no timestamp of ours may be older than the SYN-ACK's.
     */
    assert_int_equal(conn_send(b, now, "world", 5), 5);
    stack_changed(server, now, b->id);
    assert_int_equal(conn_send(stack_conn(client, a), now, "hello", 5), 5);
    stack_changed(client, now, a);
    talk();
    assert_int_equal(conn_peek(b, &data), 5);
    assert_int_equal(conn_peek(stack_conn(client, a), &data), 5);
    assert_memory_equal(data, "world", 5);
    assert_int_equal(stack_env(client)->discarded[CHECK_PAWS], 0);
}

static void rfc4987_3_6_a_cookies_connection_has_all_options_with_timestamps(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 64; i++) { /* at each phase of the bits in the timestamp */
        unmake(NULL), make(NULL);
        now += i * WAVE_MS;
        over_a_cookie(true);
    }
}

static void rfc4987_3_6_a_cookies_connection_has_the_mss_alone_without(void **state)
{
    (void)state;
    over_a_cookie(false);
}

static void an_acknowledgement_that_is_no_cookie_is_answered_with_rst(void **state)
{
    struct seg s;
    uint32_t iss;

    (void)state;
    listen_on(0);
    hand(SEG_SYN, 100, 0);
    assert_true(answer(&s));
    iss = s.seq.v;
    assert_int_equal(hand(SEG_ACK, 101, iss + 2), STACK_NONE);
    assert_true(answer(&s));
    assert_int_equal(s.flags, SEG_RST);
    assert_int_equal(s.seq.v, iss + 2);
    assert_int_equal(stack_count(server), 0);
    now += 2 * COOKIE_LIFE + 1; /* too late */
    assert_int_equal(hand(SEG_ACK, 101, iss + 1), STACK_NONE);
    assert_true(answer(&s));
    assert_int_equal(s.flags, SEG_RST);
    now -= 2 * COOKIE_LIFE + 1;
    assert_int_not_equal(hand(SEG_ACK, 101, iss + 1), STACK_NONE);
    assert_int_equal(state_of(server, only(server)), STATE_ESTABLISHED);
}

static void rfc9293_3_10_7_1_what_belongs_to_nobody_is_reset(void **state)
{
    struct flow elsewhere = by_hand;
    struct seg s = {.seq = seq_of(5), .flags = SEG_SYN};

    (void)state;
    listen_on(10);
    elsewhere.lport = 99;
    assert_int_equal(stack_input(server, now, &elsewhere, &s), STACK_NONE);
    assert_true(stack_expiry(server, now) <= now);
    assert_true(answer(&s));
    assert_int_equal(s.flags, SEG_RST | SEG_ACK);
    assert_int_equal(s.ack.v, 6);
    assert_false(answer(&s));
    hand(SEG_ACK, 1, 7777); /* to the listener, but of nothing it ever sent */
    assert_true(answer(&s));
    assert_int_equal(s.flags, SEG_RST);
    assert_int_equal(s.seq.v, 7777);
    hand(SEG_RST, 1, 0);
    hand(SEG_RST | SEG_ACK, 1, 1);
    hand(SEG_FIN, 1, 0); /* 3.10.7.2: without an ACK it is dropped */
    assert_false(answer(&s));
    assert_true(stack_expiry(server, now) == WAVE_NEVER);
}

static void a_listener_told_to_be_silent_is(void **state)
{
    const struct stack_listener l = {.any = true, .port = 80, .half_open = 5};
    struct seg s;

    (void)state;
    assert_int_equal(stack_listen(server, &l), 0);
    hand(SEG_ACK, 1, 7777);
    assert_false(answer(&s));
}

static void answers_nobody_asks_for_are_bounded_and_counted(void **state)
{
    struct seg s;
    unsigned n = 0;
    uint32_t first = 0;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        hand(SEG_ACK, 1, i);
    while (answer(&s))
        if (n++ == 0)
            first = s.seq.v;
    assert_int_equal(n + stack_replies_lost(server), 1000);
    assert_int_equal(first, 1000 - n); /* the oldest are the ones given up */
    assert_in_range(n, 16, 1024);
}

static void rfc9293_3_6_1_a_new_syn_takes_the_place_of_time_wait(void **state)
{
    struct seg s;
    uint32_t old, id, iss, irs = 1000, end;

    (void)state;
    listen_on(10);
    old = hand(SEG_SYN, irs, 0);
    assert_true(answer(&s));
    iss = s.seq.v;
    hand(SEG_ACK, irs + 1, iss + 1);
    conn_close(stack_conn(server, old), now);
    stack_changed(server, now, old);
    assert_true(answer(&s));
    assert_true(s.flags & SEG_FIN);
    end = s.seq.v + 1;
    hand(SEG_FIN | SEG_ACK, irs + 1, end);
    while (answer(&s))
        ;
    assert_int_equal(state_of(server, old), STATE_TIME_WAIT);
    id = hand(SEG_SYN, irs + 5000, 0);
    assert_int_not_equal(id, STACK_NONE);
    assert_int_not_equal(id, old);
    assert_int_equal(state_of(server, old), STATE_CLOSED);
    assert_int_equal(state_of(server, id), STATE_SYN_RECEIVED);
    assert_true(answer(&s));
    assert_true(seq_gt(s.seq, seq_of(end)));
    stack_release(server, old);
    assert_int_equal(hand(SEG_ACK, irs + 5001, s.seq.v + 1), id);
    assert_int_equal(state_of(server, id), STATE_ESTABLISHED);
}

static void connections_with_much_to_send_take_turns(void **state)
{
    static uint8_t much[8000];
    uint32_t id[3], who, last[3] = {0};
    struct flow f;
    struct seg s;

    (void)state;
    listen_on(10);
    for (uint32_t i = 0; i < 3; i++)
        id[i] = connect_to(i);
    talk();
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(conn_send(stack_conn(client, id[i]), now, much, sizeof much), sizeof much);
        stack_changed(client, now, id[i]);
    }
    for (uint32_t turn = 1; turn <= 12; turn++) {
        assert_true(stack_output(client, now, &f, &s, room, &who));
        for (int i = 0; i < 3; i++)
            if (who == id[i])
                assert_int_equal(last[i]++, (turn - 1) / 3);
    }
    assert_int_equal(last[0] + last[1] + last[2], 12);
}

static void rfc9293_3_8_3_a_syn_unanswered_goes_again_and_is_given_up(void **state)
{
    uint32_t a = connect_to(0), who;
    unsigned syns = 0, calls = 0;
    wave_time start = now, second = 0;
    struct flow f;
    struct seg s;

    (void)state;
    while (state_of(client, a) != STATE_CLOSED) {
        const wave_time next = stack_expiry(client, now);

        assert_true(next != WAVE_NEVER && ++calls < 1000);
        now = next > now ? next : now;
        stack_tick(client, now);
        while (stack_output(client, now, &f, &s, room, &who))
            if (++syns == 2)
                second = now;
        drop_events(client);
    }
    assert_int_equal(syns, 1 + config.syn_retries);
    assert_in_range(second - start, config.rto_initial, config.rto_initial + 17 * WAVE_US);
    assert_int_equal(stack_conn(client, a)->end, END_TIMEOUT_SYN);
    assert_true(stack_expiry(client, now) == WAVE_NEVER);
}

static void rfc5461_2_2_a_hard_icmp_error_finds_its_connection(void **state)
{
    uint32_t a = connect_to(0), b = connect_to(1), who;
    struct icmp e = {.type = 3, .code = 3, .meaning = ICMP_HARD, .has_seq = true};
    struct flow f;
    struct seg s;

    (void)state;
    while (stack_output(client, now, &f, &s, room, &who))
        ;
    e.flow = flow_of(0);
    e.seq = stack_conn(client, a)->snd.iss;
    assert_int_equal(stack_icmp(client, now, &e), a);
    assert_int_equal(state_of(client, a), STATE_CLOSED);
    assert_int_equal(stack_conn(client, a)->end, END_ICMP);
    assert_int_equal(state_of(client, b), STATE_SYN_SENT);
    e.flow = flow_of(2);
    assert_int_equal(stack_icmp(client, now, &e), STACK_NONE);
}

static void all_are_met_once_by_the_cursor(void **state)
{
    uint32_t id[50], cursor = 0, n = 0;

    (void)state;
    for (uint32_t i = 0; i < 50; i++)
        id[i] = connect_to(i);
    for (uint32_t i = 0; i < 50; i += 3)
        stack_release(client, id[i]);
    for (uint32_t found; (found = stack_next(client, &cursor)) != STACK_NONE; n++)
        assert_non_null(stack_conn(client, found));
    assert_int_equal(n, 33);
    assert_int_equal(stack_count(client), 33);
}

/* Opens 3,000 connections at the same time, exchanges data and closes them. They are released while
 * they are in the ready list, in the wheel or in the table, as it happens. */
static void three_thousand_connections_come_and_go(void **state)
{
    enum { N = 3000 };
    static uint32_t id[N];
    uint32_t cursor = 0, b;
    size_t before;

    (void)state;
    listen_on(N);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < N; i++) {
            id[i] = connect_to(i);
            drop_events(client);
        }
        talk();
        assert_int_equal(stack_count(server), N);
        for (uint32_t i = 0; i < N; i++) {
            assert_int_equal(state_of(client, id[i]), STATE_ESTABLISHED);
            if (i % 7 != 0) {
                conn_send(stack_conn(client, id[i]), now, &i, sizeof i);
                conn_close(stack_conn(client, id[i]), now);
                stack_changed(client, now, id[i]);
            }
            if (i % 7 == 0 || i % 7 == 1)
                stack_release(client, id[i]);
            drop_events(client);
        }
        talk();
        for (cursor = 0; (b = stack_next(server, &cursor)) != STACK_NONE;) {
            assert_null(conn_check(stack_conn(server, b)));
            conn_abort(stack_conn(server, b), now);
            stack_changed(server, now, b);
            drop_events(server);
        }
        talk();
        for (cursor = 0; (b = stack_next(server, &cursor)) != STACK_NONE;)
            stack_release(server, b);
        for (cursor = 0; (b = stack_next(client, &cursor)) != STACK_NONE;)
            stack_release(client, b);
        assert_int_equal(stack_count(client) + stack_count(server), 0);
        assert_true(stack_expiry(client, now) == WAVE_NEVER);
        assert_true(stack_expiry(server, now) == WAVE_NEVER);
        if (round == 0)
            before = stack_env(server)->mem_used;
        assert_int_equal(stack_env(server)->mem_used, before);
        now += WAVE_S;
    }
}

/* So many timers fire at the same time that the queue cannot hold their events: none may be lost.
 */
static void a_tick_stops_while_there_is_room_for_its_events(void **state)
{
    unsigned retransmissions = 0, calls = 0;
    struct event e;
    struct flow f;
    struct seg s;
    uint32_t who;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        connect_to(i);
        drop_events(client);
    }
    while (stack_output(client, now, &f, &s, room, &who))
        ;
    for (uint32_t i = 0; i < 1 + config.syn_retries; i++) {
        now += config.rto_max;
        do {
            stack_tick(client, now);
            do
                while (stack_event(client, &e))
                    retransmissions += e.kind == EVENT_RETRANSMIT;
            while (stack_output(client, now, &f, &s, room, &who));
            assert_true(++calls < 100000);
        } while (stack_expiry(client, now) <= now);
    }
    assert_int_equal(stack_env(client)->events_lost, 0);
    assert_int_equal(retransmissions, 1000 * config.syn_retries);
}

/* The same where stack_output() runs the timers: connections that leave without a segment. */
static void output_stops_while_there_is_room_for_its_events(void **state)
{
    unsigned closed = 0, calls = 0;
    struct event e;
    struct flow f;
    struct seg s;
    uint32_t who;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        connect_to(i);
        drop_events(client);
    }
    while (stack_output(client, now, &f, &s, room, &who))
        ;
    for (uint32_t i = 0, cursor = 0; i < 1000; i++) {
        const uint32_t id = stack_next(client, &cursor);
        struct conn *c = stack_conn(client, id);

        c->syn_sent = 127; /* the next timeout is the last */
        c->timer[TIMER_REXMT] = now + WAVE_S;
        stack_changed(client, now + WAVE_S, id); /* due immediately: into the ready list */
    }
    now += WAVE_S;
    do {
        assert_false(stack_output(client, now, &f, &s, room, &who));
        while (stack_event(client, &e))
            closed += e.kind == EVENT_STATE && e.u.state.to == STATE_CLOSED;
        assert_true(++calls < 1000);
    } while (closed < 1000);
    assert_int_equal(stack_env(client)->events_lost, 0);
}

/* Lets allocation number `*left` fail and, with `dry`, all after it. */
static int left_now;
static bool dry;
static void *failing(void *ctx, void *old, size_t old_size, size_t new_size)
{
    (void)ctx, (void)old_size;
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    if (left_now-- == 0 || (dry && left_now < 0))
        return NULL;
    return realloc(old, new_size);
}

static void each_allocation_may_fail(void **state)
{
    bool all = false;

    (void)state;
    for (int fail = 0; !all; fail++) {
        const struct stack_listener l = {.any = true, .port = 80, .half_open = 1};
        uint32_t cursor, id;

        assert_true(fail < 5000);
        unmake(NULL), make(NULL);
        left_now = fail / 2;
        dry = fail % 2;
        stack_env(client)->resize = stack_env(server)->resize = failing;
        stack_listen(server, &l);
        for (uint32_t i = 0; i < 60; i++) {
            const struct flow f = flow_of(i);

            if (stack_connect(client, now, &f, &id) == 0) {
                conn_send(stack_conn(client, id), now, &i, sizeof i);
                stack_changed(client, now, id);
            }
            drop_events(client);
        }
        talk();
        now += 5 * WAVE_S;
        for (int i = 0; i < 100 && stack_expiry(client, now) <= now; i++)
            stack_tick(client, now), drop_events(client), talk();
        for (cursor = 0; (id = stack_next(client, &cursor)) != STACK_NONE;)
            assert_null(conn_check(stack_conn(client, id)));
        for (cursor = 0; (id = stack_next(server, &cursor)) != STACK_NONE;) {
            assert_null(conn_check(stack_conn(server, id)));
            stack_release(server, id);
        }
        all = left_now >= 0; /* no allocation failed any more */
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(arguments_out_of_range_are_refused),
        CASE(a_connection_from_open_to_close),
        CASE(a_flow_in_use_is_refused_and_free_once_it_is_closed),
        CASE(no_more_than_max_connections),
        CASE(a_second_listener_in_the_same_place_is_refused),
        CASE(rfc9293_3_10_7_4_rst_in_syn_received_leaves_nothing_of_a_passive_open),
        CASE(half_open_connections_given_up_or_released_are_counted_off),
        CASE(rfc4987_3_6_beyond_the_bound_syns_cost_no_memory),
        CASE(rfc4987_3_6_a_cookies_connection_has_all_options_with_timestamps),
        CASE(rfc4987_3_6_a_cookies_connection_has_the_mss_alone_without),
        CASE(an_acknowledgement_that_is_no_cookie_is_answered_with_rst),
        CASE(rfc9293_3_10_7_1_what_belongs_to_nobody_is_reset),
        CASE(a_listener_told_to_be_silent_is),
        CASE(answers_nobody_asks_for_are_bounded_and_counted),
        CASE(rfc9293_3_6_1_a_new_syn_takes_the_place_of_time_wait),
        CASE(connections_with_much_to_send_take_turns),
        CASE(rfc9293_3_8_3_a_syn_unanswered_goes_again_and_is_given_up),
        CASE(rfc5461_2_2_a_hard_icmp_error_finds_its_connection),
        CASE(all_are_met_once_by_the_cursor),
        CASE(three_thousand_connections_come_and_go),
        CASE(a_tick_stops_while_there_is_room_for_its_events),
        CASE(output_stops_while_there_is_room_for_its_events),
        CASE(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
