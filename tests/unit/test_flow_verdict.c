/* Tests what is said of a flow between two strangers: its verdict, and its findings. */
#include "tests/unit/flows_rig.h"

#include <string.h>

static void is(enum verdict verdict, const char *by, const char *text)
{
    const struct watched *w = over();
    const struct flow_verdict *v = verdict_of(w);

    assert_int_equal(v->verdict, verdict);
    assert_string_equal(v->by, by);
    if (!strstr(v->text, text))
        fail_msg("\"%s\" does not say \"%s\"", v->text, text);
    flows_done(NULL);
    flows_fresh(NULL);
}

static void connections_that_do_not_come_about(void **state)
{
    (void)state;
    a(SYN, 0, 0, 0);
    is(VERDICT_DROPPED, "none", "no answer to 1 SYN");
    a(SYN, 0, 0, 0);
    after_ms(1000);
    a(SYN, 0, 0, 0);
    is(VERDICT_DROPPED, "none", "no answer to 2 SYNs");
    a(SYN, 0, 0, 0);
    b(ACK, 5000, 7000, 0);
    is(VERDICT_DROPPED, "none", "the server sent no SYN-ACK");
    a(SYN, 0, 0, 0);
    b(RST | ACK, 0, 1, 0);
    is(VERDICT_REFUSED, "server", "refused");
    a(SYN, 0, 0, 0);
    a(RST, 1, 0, 0);
    is(VERDICT_DROPPED, "none", "the client reset it");
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    is(VERDICT_LOST, "none", "half open");
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    a(RST, 1, 0, 0);
    is(VERDICT_RESET, "client", "answered the SYN-ACK with a RST");
}

/* RFC 9293, 3.10.7.3: what does not acknowledge the SYN is ignored; an ACK or SYN-ACK of something
 * else is answered with a RST, and the SYN goes on. */
static void answers_to_a_syn_that_do_not_count(void **state)
{
    static const struct {
        unsigned flags;
        const char *code, *text;
    } answer[] = {
        {RST | ACK, "rst-unacceptable", "a RST came for the SYNs and did not acknowledge them"},
        {SYN | ACK, "syn-ack-unacceptable", "the server's SYN-ACK acknowledges another SYN"},
        {ACK, "ack-to-syn", "not opened: 2 SYNs, and the server sent no SYN-ACK"}};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned n = 0; n < 2; n++) {
            a(SYN, 0, 0, 0);
            b(answer[i].flags, 4000, 7000, 0);
            if (!(answer[i].flags & RST))
                a(RST, 7000, 0, 0);
            after_ms(1000);
        }
        const struct watched *w = over();
        struct findings list = {.count = 0};
        flow_findings(w, &list);
        assert_int_equal(list.count, 1);
        assert_string_equal(list.at[0].code, answer[i].code);
        is(VERDICT_DROPPED, "none", answer[i].text);
    }
    /* The client's RST ended the peer's older connection, and the next SYN opens a new one. */
    a(SYN, 0, 0, 0);
    b(ACK, 4000, 7000, 0);
    a(RST, 7000, 0, 0);
    after_ms(1000);
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
    a(ACK, 1, 1, 10);
    const struct watched *w = over();
    assert_false(has_finding(w, "rst-by-middlebox"));
    assert_true(has_finding(w, "ack-to-syn"));
    is(VERDICT_OPEN, "none", "open at the end");
}

static void which_side_closed(void **state)
{
    (void)state;
    shake_hands();
    is(VERDICT_OPEN, "none", "open at the end of the capture");
    a(ACK, 1, 1, 10);
    b(ACK, 1, 11, 0);
    is(VERDICT_OPEN, "none", "beginning was not captured");
    shake_hands();
    a(FIN | ACK, 1, 1, 0);
    is(VERDICT_OPEN, "client", "half closed");
    shake_hands();
    b(FIN | ACK, 1, 1, 0);
    a(FIN | ACK, 1, 2, 0);
    b(ACK, 2, 2, 0);
    is(VERDICT_OPEN, "both", "the server first");
    /* A FIN beyond the window, behind bytes that were not captured, is one once it is acknowledged.
     */
    shake_hands();
    b(ACK, 1, 1, 1000);
    b(FIN | ACK, 900001, 1, 1000);
    a(FIN | ACK, 1, 901002, 0);
    b(ACK, 901002, 2, 0);
    is(VERDICT_OPEN, "both", "closed by both");
}

static void which_side_reset(void **state)
{
    (void)state;
    shake_hands();
    a(RST | ACK, 1, 1, 0);
    is(VERDICT_RESET, "client", "reset by the client");
    shake_hands();
    a(FIN | ACK, 1, 1, 0);
    b(RST | ACK, 1, 2, 0);
    is(VERDICT_RESET, "server", "after the other side's FIN");
    /* Behind both FINs a RST changes nothing. */
    shake_hands();
    a(FIN | ACK, 1, 1, 0);
    b(FIN | ACK, 1, 2, 0);
    a(RST, 2, 0, 0);
    is(VERDICT_OPEN, "both", "the client first");
    /* A RST that its receiver ignores ends nothing. */
    shake_hands();
    b(RST, 100, 0, 0); /* within the window, and not at its edge (RFC 5961, section 3) */
    b(RST, 700000000, 0, 0);
    a(ACK, 1, 1, 10);
    b(ACK, 1, 11, 0);
    is(VERDICT_OPEN, "none", "open");
}

static void was_it_really_the_server(void **state)
{
    (void)state;
    shake_hands();
    b(ACK, 1, 1, 10);
    watching.ttl[TRACK_B] = 47;
    b(RST | ACK, 11, 1, 0);
    const struct watched *w = over();
    assert_true(has_finding(w, "rst-by-middlebox"));
    is(VERDICT_RESET, "server", "TTL 47, and 64 on its other segments");

    shake_hands();
    b(RST | ACK, 1, 1, 0);
    b(ACK, 1, 1, 10);
    w = over();
    assert_true(has_finding(w, "rst-by-middlebox"));
    is(VERDICT_RESET, "server", "it was not its own");

    shake_hands();
    b(ACK, 1, 1, 10);
    b(RST | ACK, 11, 1, 0);
    w = over();
    assert_false(has_finding(w, "rst-by-middlebox"));
    is(VERDICT_RESET, "server", "reset by the server");

    /* What was sent before the RST and is overtaken by it does not come after it. */
    shake_hands();
    b(ACK, 1, 1, 10);
    b(ACK, 11, 1, 10);
    b(RST | ACK, 21, 1, 0);
    b(ACK, 11, 1, 10);
    b(ACK, 21, 1, 0);
    w = over();
    assert_false(has_finding(w, "rst-by-middlebox"));
    is(VERDICT_RESET, "server", "reset by the server");

    /* Some hosts send their RSTs with the TTL of another system's, from as far away. */
    shake_hands();
    b(ACK, 1, 1, 10);
    watching.ttl[TRACK_B] = 128;
    b(RST | ACK, 11, 1, 0);
    w = over();
    assert_false(has_finding(w, "rst-by-middlebox"));
    watching.ttl[TRACK_B] = 64;
}

static void a_side_that_falls_silent(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 10);
    for (unsigned i = 0; i < 3; i++) {
        after_ms(300 << i);
        a(ACK, 1, 1, 10);
    }
    const struct watched *w = over();
    assert_true(has_finding(w, "silent"));
    is(VERDICT_LOST, "none", "the server fell silent: 3 segments of the client's");
    /* It answers in the end. */
    shake_hands();
    a(ACK, 1, 1, 10);
    for (unsigned i = 0; i < 3; i++) {
        after_ms(300 << i);
        a(ACK, 1, 1, 10);
    }
    b(ACK, 1, 11, 0);
    w = over();
    assert_false(has_finding(w, "silent"));
    is(VERDICT_OPEN, "none", "open");
}

static void loss_is_more_than_a_retransmission(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    after_ms(300);
    a(ACK, 1, 1, 100);
    b(ACK, 1, 101, 0);
    assert_false(has_finding(over(), "loss"));
    flows_done(state);
    flows_fresh(state);
    shake_hands();
    for (uint32_t i = 0; i < 4; i++) {
        a(ACK, 1 + 100 * i, 1, 100);
        after_ms(300);
        a(ACK, 1 + 100 * i, 1, 100);
        b(ACK, 1, 101 + 100 * i, 0);
    }
    assert_true(has_finding(over(), "loss"));
    flows_done(state);
    flows_fresh(state);
    /* The ACKs were late: the other side has each segment twice, and says so. */
    shake_hands();
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t from = watching.iss[TRACK_A] + 1 + 100 * i;
        a(ACK, 1 + 100 * i, 1, 100);
        after_ms(300);
        a(ACK, 1 + 100 * i, 1, 100);
        b(ACK, 1, 101 + 100 * i, 0);
        watching.opt[TRACK_B] =
            (struct opt){.has = OPT_SACK, .sacks = 1, .sack = {{seq_of(from), seq_of(from + 100)}}};
        b(ACK, 1, 101 + 100 * i, 0);
        watching.opt[TRACK_B] = (struct opt){0};
    }
    assert_false(has_finding(over(), "loss"));
    flows_done(state);
    flows_fresh(state);
    /* The other side is gone, or what we send is lost: nothing tells which. */
    shake_hands();
    a(ACK, 1, 1, 100);
    for (unsigned i = 0; i < 4; i++) {
        after_ms(300 << i);
        a(ACK, 1, 1, 100);
    }
    assert_false(has_finding(over(), "loss"));
    assert_true(has_finding(over(), "silent"));
    flows_done(state);
    flows_fresh(state);
    /* SYNs and FINs are no segments with data. */
    a(SYN, 0, 0, 0);
    for (unsigned i = 0; i < 4; i++) {
        after_ms(1000 << i);
        a(SYN, 0, 0, 0);
    }
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
    a(FIN | ACK, 1, 1, 0);
    for (unsigned i = 0; i < 4; i++) {
        after_ms(300 << i);
        a(FIN | ACK, 1, 1, 0);
    }
    b(ACK, 1, 2, 0);
    assert_false(has_finding(over(), "loss"));
}

/* Gives side B's segments a timestamp and a D-SACK, or one of the two. */
static void b_tells(bool stamped, uint32_t echo, bool dsack, uint32_t first, uint32_t end)
{
    watching.opt[TRACK_B] = (struct opt){
        .has = (stamped ? OPT_TIMESTAMP : 0) | (dsack ? OPT_SACK : 0),
        .tsval = 7000 + echo,
        .tsecr = echo,
        .sacks = dsack,
        .sack = {{seq_of(watching.iss[TRACK_A] + first), seq_of(watching.iss[TRACK_A] + end)}}};
}

static void a_stamps(uint32_t tsval)
{
    watching.opt[TRACK_A] = (struct opt){.has = OPT_TIMESTAMP, .tsval = tsval};
}

/* The receiver was stopped for a while: what a timer has repeated had come, as its D-SACKs say, or
 * the timestamp that it echoes. */
static void what_had_come_was_not_lost(void **state)
{
    static const struct {
        bool stamped, dsacks, late, lost;
    } with[] = {{true, true, true, false},
                {true, false, true, false},
                {false, true, true, false},
                {true, false, false, true},
                {false, false, false, true}};
    (void)state;
    for (unsigned k = 0; k < sizeof with / sizeof *with; k++) {
        shake_hands();
        for (unsigned i = 0; i <= 4; i++) {
            if (with[k].stamped)
                a_stamps(1000 + i);
            a(ACK, 1, 1, 100);
            after_ms(200 << i);
        }
        b_tells(with[k].stamped, with[k].late ? 1000 : 1004, false, 0, 0);
        b(ACK, 1, 101, 0);
        for (unsigned i = 0; with[k].late && i < 4; i++) {
            b_tells(with[k].stamped, 1000, with[k].dsacks, 1, 101);
            b(ACK, 1, 101, 0);
        }
        if (has_finding(over(), "loss") != with[k].lost)
            fail_msg("case %u", k);
        flows_done(state);
        flows_fresh(state);
    }
}

/* Some were lost, and some were not. */
static void only_what_was_lost_is_counted(void **state)
{
    (void)state;
    shake_hands();
    for (uint32_t i = 0; i < 7; i++) {
        a(ACK, 1 + 100 * i, 1, 100);
        after_ms(300);
        a(ACK, 1 + 100 * i, 1, 100);
        b_tells(false, 0, false, 0, 0);
        b(ACK, 1, 101 + 100 * i, 0);
        if (i >= 4) {
            b_tells(false, 0, true, 1 + 100 * i, 101 + 100 * i);
            b(ACK, 1, 101 + 100 * i, 0);
        }
    }
    struct findings list = {.count = 0};
    flow_findings(over(), &list);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.at[0].code, "loss");
    assert_string_equal(list.at[0].message,
                        "4 of the client's 14 segments with data were lost and sent once more");
}

/* The network reorders; one D-SACK covers all that was sent in vain. */
static void a_dsack_speaks_of_several_segments(void **state)
{
    (void)state;
    shake_hands();
    for (unsigned twice = 0; twice < 2; twice++)
        for (uint32_t i = 0; i < 5; i++) {
            a(ACK, 1 + 100 * i, 1, 100);
            after_ms(i == 4 ? 300 : 0);
        }
    b(ACK, 1, 501, 0);
    b_tells(false, 0, true, 1, 501);
    b(ACK, 1, 501, 0);
    assert_false(has_finding(over(), "loss"));
}

/* Path MTU discovery (RFC 1191): the first flight is too big for a link, and is sent once more in
 * smaller segments. What is lost later on counts. */
static void what_was_too_big_was_not_lost(void **state)
{
    struct icmp e = {.type = 3, .code = 4, .mtu = 576, .meaning = ICMP_TOO_BIG};
    (void)state;
    for (unsigned k = 0; k < 3; k++) {
        shake_hands();
        for (uint32_t i = 0; i < 4; i++)
            a(ACK, 1 + 1000 * i, 1, 1000);
        if (k) {
            e.flow = watching.flow;
            assert_non_null(flows_icmp(watching.flows, &e));
        }
        for (uint32_t i = 0; i < 8; i++)
            a(ACK, 1 + 500 * i, 1, 500);
        b(ACK, 1, 4001, 0);
        for (uint32_t i = 0; k == 2 && i < 3; i++) {
            a(ACK, 4001 + 500 * i, 1, 500);
            after_ms(300);
            a(ACK, 4001 + 500 * i, 1, 500);
            b(ACK, 1, 4501 + 500 * i, 0);
        }
        if (has_finding(over(), "loss") != (k != 1))
            fail_msg("case %u", k);
        flows_done(state);
        flows_fresh(state);
    }
}

/* Full segments get no answer, small ones do; or no segment does. */
static void a_path_that_takes_no_full_segment(void **state)
{
    (void)state;
    for (unsigned small = 0; small < 2; small++) {
        shake_hands();
        a(ACK, 1, 1, 100);
        b(ACK, 1, 101, 0);
        if (!small)
            a(ACK, 101, 1, 1400);
        for (unsigned i = 0; i < 4; i++) {
            after_ms(300 << i);
            a(ACK, 101, 1, small ? 200 : 1400);
        }
        assert_int_equal(has_finding(over(), "black-hole"), !small);
        flows_done(state);
        flows_fresh(state);
    }
    /* One as large was acknowledged before: the other side is gone. */
    shake_hands();
    a(ACK, 1, 1, 1400);
    b(ACK, 1, 1401, 0);
    for (unsigned i = 0; i < 5; i++) {
        a(ACK, 1401, 1, 1400);
        after_ms(300 << i);
    }
    const struct watched *w = over();
    assert_false(has_finding(w, "black-hole"));
    assert_true(has_finding(w, "silent"));
}

static void a_server_that_accepts_nothing(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 10);
    after_ms(300);
    a(ACK, 1, 1, 10);
    after_ms(700);
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 11, 1, 0);
    after_ms(2000);
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 11, 1, 0);
    assert_true(has_finding(over(), "accept-queue-full"));
    flows_done(state);
    flows_fresh(state);
    shake_hands(); /* our ACKs were lost on the way, and in the end one was not */
    for (unsigned i = 0; i < 3; i++) {
        a(ACK, 1, 1, 10);
        after_ms(1000);
        b(SYN | ACK, 0, 1, 0);
    }
    b(ACK, 1, 11, 0);
    assert_false(has_finding(over(), "accept-queue-full"));
    flows_done(state);
    flows_fresh(state);
    /* The client's ACK was lost: it is sent, and the server goes on. */
    a(SYN, 0, 0, 0);
    for (unsigned i = 0; i < 3; i++) {
        after_ms(1000 << i);
        b(SYN | ACK, 0, 1, 0);
    }
    a(ACK, 1, 1, 10);
    b(ACK, 1, 11, 10);
    assert_false(has_finding(over(), "accept-queue-full"));
}

static void a_window_that_limits(void **state)
{
    (void)state;
    uint32_t at = 1;
    watching.window[TRACK_B] = 1000;
    shake_hands();
    for (unsigned i = 0; i < 12; i++, at += 1000) {
        a(ACK, at, 1, 500);
        a(ACK, at + 500, 1, 500);
        b(ACK, 1, at + 1000, 0);
    }
    assert_true(has_finding(over(), "window-limited"));
}

/* A small buffer is full for a moment each time, or an application does not read: for as long in
 * all. */
static void a_window_that_is_shut_for_long(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        const unsigned times = k ? 2 : 600;
        uint32_t at = 1;
        watching.window[TRACK_B] = 1000;
        shake_hands();
        for (unsigned i = 0; i < times; i++, at += 1000) {
            a(ACK, at, 1, 1000);
            watching.window[TRACK_B] = 0;
            b(ACK, 1, at + 1000, 0);
            after_ms(k ? 300 : 1);
            watching.window[TRACK_B] = 1000;
            b(ACK, 1, at + 1000, 0);
        }
        if (has_finding(over(), "window-closed") != (k == 1))
            fail_msg("%u times", times);
        flows_done(state);
        flows_fresh(state);
    }
}

/* An ordinary connection has no finding at all. */
static void nothing_to_find(void **state)
{
    (void)state;
    struct findings list;
    shake_hands();
    a(ACK, 1, 1, 100);
    b(ACK, 1, 101, 500);
    a(FIN | ACK, 101, 501, 0);
    b(FIN | ACK, 501, 102, 0);
    a(ACK, 102, 502, 0);
    all_findings(over(), &list);
    assert_int_equal(list.count, 0);
    assert_null(flow_strongest(&list));
}

/* Of what can be counted of a connection, each row is asked that has something to say: here
 * every counter of either side is set, one at a time. */
static void each_counter_is_looked_at(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 3, 10, 100};
    const size_t first = offsetof(struct measure_side, duplicates),
                 behind = offsetof(struct measure_side, rtt);
    struct findings list;
    unsigned found = 0;

    shake_hands();
    a(ACK, 1, 1, 100);
    b(ACK, 1, 101, 500);
    const struct watched ordinary = *over();
    for (unsigned side = 0; side < TRACK_SIDES; side++)
        for (size_t at = first; at < behind; at += sizeof(uint32_t))
            for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
                struct watched w = ordinary;
                memcpy((char *)&w.measure.side[side] + at, &counts[i], sizeof counts[i]);
                all_findings(&w, &list);
                found += list.count > 0;
            }
    assert_in_range(found, 20, 200);
    for (unsigned side = 0; side < TRACK_SIDES; side++) {
        struct watched w = ordinary;
        w.measure.side[side].unanswered = FLOW_LOST;
        w.measure.side[side].asked_len = 1460;
        all_findings(&w, &list);
        assert_int_equal(list.count, 2); /* silent, black-hole */
    }
}

static void the_strongest_finding(void **state)
{
    (void)state;
    struct findings list = {.count = 0};
    struct finding f = {.code = "x", .severity = FINDING_INFO};
    findings_add(&list, &f);
    f.code = "y";
    f.severity = FINDING_WARNING;
    findings_add(&list, &f);
    f.code = "z";
    findings_add(&list, &f);
    assert_string_equal(flow_strongest(&list)->code, "y");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, flows_fresh, flows_done)
    const struct CMUnitTest tests[] = {
        CASE(connections_that_do_not_come_about),
        CASE(answers_to_a_syn_that_do_not_count),
        CASE(which_side_closed),
        CASE(which_side_reset),
        CASE(was_it_really_the_server),
        CASE(a_side_that_falls_silent),
        CASE(loss_is_more_than_a_retransmission),
        CASE(what_had_come_was_not_lost),
        CASE(only_what_was_lost_is_counted),
        CASE(a_dsack_speaks_of_several_segments),
        CASE(what_was_too_big_was_not_lost),
        CASE(a_path_that_takes_no_full_segment),
        CASE(a_server_that_accepts_nothing),
        CASE(a_window_that_limits),
        CASE(a_window_that_is_shut_for_long),
        CASE(nothing_to_find),
        CASE(each_counter_is_looked_at),
        CASE(the_strongest_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
