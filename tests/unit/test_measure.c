/* Tests what is measured of a flow between two strangers, number by number: each case plays what a
 * watcher sees, and says what has to be counted. */
#include "tests/unit/flows_rig.h"

static const struct measure_side *side(const struct watched *w, enum track_side s)
{
    return &w->measure.side[s];
}

#define A(field) (int)side(w, TRACK_A)->field
#define B(field) (int)side(w, TRACK_B)->field

static void each_byte_counts_once(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    a(ACK, 101, 1, 100);
    a(ACK, 1, 1, 100);   /* all of it was sent before */
    a(ACK, 151, 1, 100); /* half of it was */
    b(ACK, 1, 251, 0);
    const struct watched *w = over();
    assert_int_equal(A(bytes), 250);
    assert_int_equal(A(data_bytes), 400);
    assert_int_equal(A(data_segments), 4);
    assert_int_equal(A(segments), 6);
    assert_int_equal(A(ip_bytes), 6 * 40 + 400);
    assert_int_equal(A(retransmissions), 2);
    assert_int_equal(A(retransmitted_bytes), 200);
    assert_int_equal(A(largest), 100);
    assert_int_equal(measure_missing(side(w, TRACK_A)), 0);
}

static void a_gap_and_what_fills_it(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    a(ACK, 301, 1, 100); /* 200 bytes are missing */
    b(ACK, 1, 101, 0);
    b(ACK, 1, 101, 0);
    after_ms(20);
    a(ACK, 101, 1, 100); /* half of them */
    const struct watched *w = over();
    assert_int_equal(A(bytes), 300);
    assert_int_equal(A(gaps), 1);
    assert_int_equal(measure_missing(side(w, TRACK_A)), 100);
    assert_int_equal(A(retransmissions), 1);
    assert_int_equal(A(out_of_order), 0);
    assert_int_equal(B(duplicate_acks), 1); /* the first one acknowledges something new */
}

/* By the timestamp, by the identification, or by the time. */
static void overtaken_is_not_retransmitted(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    watching.id[TRACK_A]++;
    a(ACK, 201, 1, 100);
    watching.id[TRACK_A] -= 2;
    after_ms(500); /* however late */
    a(ACK, 101, 1, 100);
    const struct watched *w = over();
    assert_int_equal(A(out_of_order), 1);
    assert_int_equal(A(retransmissions), 0);
    assert_int_equal(A(bytes), 300);

    flows_done(state);
    flows_fresh(state);
    watching.id[TRACK_A] = watching.id[TRACK_B] = 0;
    watching.opt[TRACK_A] = watching.opt[TRACK_B] =
        (struct opt){.has = OPT_TIMESTAMP, .tsval = 1000};
    shake_hands();
    watching.opt[TRACK_A].tsval = 1010;
    a(ACK, 101, 1, 100);
    watching.opt[TRACK_A].tsval = 1009;
    after_ms(500);
    a(ACK, 1, 1, 100);
    watching.opt[TRACK_A].tsval = 1012;
    a(ACK, 301, 1, 100);
    watching.opt[TRACK_A].tsval = 1013;
    a(ACK, 201, 1, 100); /* it came soon, and was sent later all the same */
    w = over();
    assert_int_equal(A(out_of_order), 1);
    assert_int_equal(A(retransmissions), 1);

    flows_done(state);
    flows_fresh(state);
    watching.id[TRACK_A] = watching.id[TRACK_B] = 0;
    shake_hands(); /* a round trip of 2 ms */
    a(ACK, 101, 1, 100);
    watching.now -= WAVE_MS / 2;
    a(ACK, 1, 1, 100); /* half a millisecond later */
    a(ACK, 301, 1, 100);
    after_ms(5);
    a(ACK, 201, 1, 100);
    w = over();
    assert_int_equal(A(out_of_order), 1);
    assert_int_equal(A(retransmissions), 1);
}

static void a_copy_of_the_network_is_no_retransmission(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    watching.id[TRACK_A]--;
    a(ACK, 1, 1, 100);
    b(ACK, 1, 101, 0);
    watching.id[TRACK_B]--;
    b(ACK, 1, 101, 0);
    const struct watched *w = over();
    assert_int_equal(A(duplicates), 1);
    assert_int_equal(B(duplicates), 1);
    assert_int_equal(A(retransmissions), 0);
    assert_int_equal(A(bytes), 100);
    assert_int_equal(A(segments), 4);
}

static void the_kinds_of_retransmissions(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    a(ACK, 101, 1, 100);
    a(ACK, 201, 1, 100);
    a(ACK, 301, 1, 100);
    b(ACK, 1, 101, 0);
    b(ACK, 1, 101, 0);
    b(ACK, 1, 101, 0);
    a(ACK, 101, 1, 100); /* two duplicates ask for it */
    b(ACK, 1, 401, 0);
    a(ACK, 201, 1, 100); /* it was acknowledged */
    a(ACK, 401, 1, 100);
    after_ms(250);
    a(ACK, 401, 1, 100); /* a timer */
    const struct watched *w = over();
    assert_int_equal(A(retransmissions), 3);
    assert_int_equal(A(fast), 1);
    assert_int_equal(A(spurious), 1);
    assert_int_equal(A(timeouts), 1);
    assert_int_equal(B(duplicate_acks), 2);
    assert_int_equal(A(in_flight), 400);
}

/* SACK asks without any duplicate; after a pause it was the timer all the same. */
static void sack_asks_too(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        shake_hands();
        a(ACK, 1, 1, 100);
        a(ACK, 101, 1, 100);
        watching.opt[TRACK_B] = (struct opt){
            .has = OPT_SACK,
            .sacks = 1,
            .sack = {{seq_of(watching.iss[TRACK_A] + 101), seq_of(watching.iss[TRACK_A] + 201)}}};
        b(ACK, 1, 1, 0);
        if (late)
            after_ms(300);
        a(ACK, 1, 1, 100);
        const struct watched *w = over();
        assert_int_equal(A(fast), !late);
        assert_int_equal(A(timeouts), late);
        flows_done(state);
        flows_fresh(state);
    }
}

static void rfc2883_dsack(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    b(ACK, 1, 101, 0);
    a(ACK, 1, 1, 100);
    watching.opt[TRACK_B] = (struct opt){
        .has = OPT_SACK,
        .sacks = 1,
        .sack = {{seq_of(watching.iss[TRACK_A] + 1), seq_of(watching.iss[TRACK_A] + 101)}}};
    b(ACK, 1, 101, 0);
    const struct watched *w = over();
    assert_int_equal(B(dsacks), 1);
    assert_int_equal(A(spurious), 1);
}

static void round_trips(void **state)
{
    (void)state;
    shake_hands(); /* the SYN's is 1 ms, and so is the SYN-ACK's */
    a(ACK, 1, 1, 100);
    after_ms(9); /* 10 ms */
    b(ACK, 1, 101, 0);
    a(ACK, 101, 1, 100);
    a(ACK, 201, 1, 100); /* this one's is 20 ms; that of the one before is not taken */
    after_ms(19);
    b(ACK, 1, 301, 0);
    const struct watched *w = over();
    assert_int_equal(A(rtt.count), 3);
    assert_int_equal(watching.rtt[0][TRACK_A][0], WAVE_MS);
    assert_in_range(watching.rtt[0][TRACK_A][1], 10 * WAVE_MS - 64, 10 * WAVE_MS + 64);
    assert_in_range(watching.rtt[0][TRACK_A][2], 20 * WAVE_MS - 64, 20 * WAVE_MS + 64);
    assert_int_equal(B(rtt.count), 1);
    assert_int_equal(measure_handshake(&w->measure), 2 * WAVE_MS);
    assert_int_equal(w->measure.to_server, WAVE_MS);
}

static void karn_takes_no_ambiguous_round_trip(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    after_ms(300);
    a(ACK, 1, 1, 100);
    b(ACK, 1, 101, 0); /* of which of the two? */
    a(ACK, 101, 1, 100);
    b(ACK, 1, 201, 0);
    const struct watched *w = over();
    assert_int_equal(A(rtt.count), 2); /* the SYN's and the last one's */

    flows_done(state);
    flows_fresh(state);
    a(SYN, 0, 0, 0);
    after_ms(1000);
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
    w = over();
    assert_true(measure_handshake(&w->measure) == WAVE_NEVER);
    assert_int_equal(A(syns), 2);
    assert_int_equal(A(timeouts), 1);
}

/* Of many, percentiles come from a histogram; and of more than one flow, each has its own. */
static void many_round_trips(void **state)
{
    (void)state;
    shake_hands();
    uint32_t at = 1;
    for (unsigned i = 1; i <= 1000; i++) {
        a(ACK, at, 1, 100);
        at += 100;
        after_ms(i);
        b(ACK, 1, at, 0);
    }
    const struct watched *w = over();
    assert_int_equal(A(rtt.count), 1001);
    assert_int_equal(watching.rtt[0][TRACK_A][0], WAVE_MS);
    assert_in_range(watching.rtt[0][TRACK_A][1], 485 * WAVE_MS, 516 * WAVE_MS);
    assert_in_range(watching.rtt[0][TRACK_A][2], 921 * WAVE_MS, 980 * WAVE_MS);
}

/* Where many segments are on their way, those that are marked lie all over them. */
static void a_window_full_of_segments(void **state)
{
    (void)state;
    uint32_t sent = 1, acked = 1;
    shake_hands();
    for (unsigned i = 0; i < 2000; i++) {
        a(ACK, sent, 1, 100);
        sent += 100;
        if (i >= 100 && i % 2) { /* a hundred segments in flight, every second one acknowledged */
            acked += 200;
            b(ACK, 1, acked, 0);
        }
    }
    const struct watched *w = over();
    assert_in_range(A(rtt.count), 30, 2000);
    assert_in_range(watching.rtt[0][TRACK_A][1], 140 * WAVE_MS, 160 * WAVE_MS);
}

static void zero_windows_and_for_how_long(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    watching.window[TRACK_B] = 0;
    b(ACK, 1, 101, 0);
    after_ms(99);
    b(ACK, 1, 101, 0);
    after_ms(399);
    watching.window[TRACK_B] = 60000;
    b(ACK, 1, 101, 0);
    after_ms(1000);
    watching.window[TRACK_B] = 0;
    b(FIN | ACK, 1, 101, 0); /* a FIN's does not matter */
    const struct watched *w = over();
    assert_int_equal(B(zero_windows), 2);
    assert_int_equal(measure_zero_for(side(w, TRACK_B), w->measure.last), 500 * WAVE_MS);
    assert_false(has_finding(w, "window-closed")); /* nothing waited for it */

    flows_done(state);
    flows_fresh(state);
    shake_hands();
    a(ACK, 1, 1, 100);
    watching.window[TRACK_B] = 0;
    b(ACK, 1, 101, 0);
    after_ms(300);
    a(ACK, 101, 1, 1);
    b(ACK, 1, 101, 0);
    after_ms(400);
    watching.window[TRACK_B] = 60000;
    b(ACK, 1, 102, 0);
    assert_true(has_finding(over(), "window-closed"));
}

/* Where the stamps of a capture go back, nothing is measured. */
static void stamps_that_go_back(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    watching.now -= 2 * WAVE_MS;
    b(ACK, 1, 101, 0);
    const struct watched *w = over();
    assert_int_equal(A(rtt.count), 1); /* that of the handshake */
    assert_int_equal(B(rtt.count), 1);

    flows_done(state);
    flows_fresh(state);
    a(SYN, 0, 0, 0);
    watching.now -= 2 * WAVE_MS;
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
    w = over();
    assert_true(w->measure.to_server == WAVE_NEVER);
    assert_true(measure_handshake(&w->measure) == WAVE_NEVER);
}

static void window_full_and_window_probe(void **state)
{
    (void)state;
    watching.window[TRACK_B] = 300;
    shake_hands();
    a(ACK, 1, 1, 200);
    a(ACK, 201, 1, 100); /* fills it */
    watching.window[TRACK_B] = 0;
    b(ACK, 1, 301, 0);
    after_ms(500);
    for (unsigned i = 0; i < 3; i++) { /* the same byte each time, which is lost by nothing */
        a(ACK, 301, 1, 1);
        b(ACK, 1, 301, 0);
        after_ms(500);
    }
    const struct watched *w = over();
    assert_int_equal(A(window_full), 1);
    assert_int_equal(A(window_probes), 3);
    assert_int_equal(A(retransmissions), 0);
    assert_false(has_finding(w, "loss"));
    assert_int_equal(B(zero_windows), 4);
    assert_int_equal(B(duplicate_acks), 0);
    assert_int_equal(B(window_max), 300);
}

static void rfc7323_windows_are_scaled_where_both_offer_it(void **state)
{
    (void)state;
    watching.opt[TRACK_A] = (struct opt){.has = OPT_WSCALE, .wscale = 3};
    watching.opt[TRACK_B] = (struct opt){.has = OPT_WSCALE, .wscale = 2};
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    watching.opt[TRACK_A] = watching.opt[TRACK_B] = (struct opt){0};
    a(ACK, 1, 1, 0);
    b(ACK, 1, 1, 0);
    const struct watched *w = over();
    assert_int_equal(A(window_max), 480000);
    assert_int_equal(B(window_max), 240000);
}

static void initial_window_and_keepalives_and_idle(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 1000);
    a(ACK, 1001, 1, 1000);
    b(ACK, 1, 1001, 0);
    a(ACK, 2001, 1, 1000);
    b(ACK, 1, 3001, 0);
    after_ms(40000);
    a(ACK, 3000, 1, 0);
    b(ACK, 1, 3001, 0);
    const struct watched *w = over();
    assert_int_equal(A(initial_window), 2000);
    assert_int_equal(A(keepalives), 1);
    assert_int_equal(A(retransmissions), 0);
    assert_int_equal(w->measure.idle, 40001 * WAVE_MS);
    assert_true(has_finding(w, "idle"));
}

static void rates(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 1000);
    after_ms(998);
    a(ACK, 1, 1, 1000);
    a(ACK, 1001, 1, 1000);
    const struct watched *w = over();
    assert_float_equal(measure_throughput(side(w, TRACK_A)), 3000, 0.01);
    assert_float_equal(measure_goodput(side(w, TRACK_A)), 2000, 0.01);
    assert_float_equal(measure_goodput(side(w, TRACK_B)), 0, 0.01);
}

/* What is acknowledged and was never seen is what the capture has lost. */
static void a_capture_that_loses(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    b(ACK, 1, 301, 0); /* 200 bytes that were not captured */
    a(ACK, 301, 1, 100);
    b(ACK, 1, 401, 0);
    const struct watched *w = over();
    assert_int_equal(A(not_captured), 200);
    assert_int_equal(A(bytes), 200);
    assert_int_equal(A(gaps), 1);
    assert_int_equal(measure_missing(side(w, TRACK_A)), 0);
    assert_true(has_finding(w, "capture-loss"));
    assert_non_null(strchr(w->zeek.history, 'G'));
}

/* A FIN that comes behind a segment beyond it closes the gap that this has shown. */
static void a_fin_that_was_overtaken(void **state)
{
    (void)state;
    shake_hands();
    a(FIN | ACK, 1, 1, 0);
    b(ACK, 2, 2, 0);
    b(FIN | ACK, 1, 1, 0);
    a(ACK, 2, 2, 0);
    const struct watched *w = over();
    assert_int_equal(B(gaps), 1);
    assert_int_equal(B(not_captured), 0);
    assert_int_equal(measure_missing(side(w, TRACK_B)), 0);
    assert_int_equal(B(bytes), 0);
}

static void one_direction_only(void **state)
{
    (void)state;
    b(ACK, 1, 1, 0);
    b(ACK, 1, 1001, 0);
    b(ACK, 1, 2001, 0);
    b(ACK, 1, 3001, 0);
    const struct watched *w = over();
    assert_int_equal(A(segments), 0);
    assert_int_equal(B(segments), 4);
    assert_true(has_finding(w, "one-direction"));
    assert_false(has_finding(w, "capture-loss"));
}

/* Segments that no receiver takes are counted, and change no number. */
static void unacceptable_segments(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    a(ACK, 0x60000000, 1, 100);
    b(ACK, 1, 101, 0);
    const struct watched *w = over();
    assert_int_equal(A(unacceptable), 1);
    assert_int_equal(A(bytes), 100);
    assert_int_equal(A(in_flight), 100);
}

/* More holes than are followed: the oldest is forgotten, and nothing else goes wrong. */
static void more_holes_than_are_kept(void **state)
{
    (void)state;
    shake_hands();
    for (uint32_t i = 0; i < 20; i++)
        a(ACK, 101 + 200 * i, 1, 100);
    for (uint32_t i = 0; i < 20; i++) {
        after_ms(10);
        a(ACK, 1 + 200 * i, 1, 100);
    }
    const struct watched *w = over();
    assert_int_equal(A(gaps), 20);
    assert_int_equal(A(bytes), 2000 + 100 * MEASURE_HOLES);
    assert_int_equal(A(retransmissions), 20);
    assert_int_equal(measure_missing(side(w, TRACK_A)), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, flows_fresh, flows_done)
    const struct CMUnitTest tests[] = {
        CASE(each_byte_counts_once),
        CASE(a_gap_and_what_fills_it),
        CASE(overtaken_is_not_retransmitted),
        CASE(a_copy_of_the_network_is_no_retransmission),
        CASE(the_kinds_of_retransmissions),
        CASE(sack_asks_too),
        CASE(rfc2883_dsack),
        CASE(round_trips),
        CASE(karn_takes_no_ambiguous_round_trip),
        CASE(many_round_trips),
        CASE(a_window_full_of_segments),
        CASE(zero_windows_and_for_how_long),
        CASE(stamps_that_go_back),
        CASE(window_full_and_window_probe),
        CASE(rfc7323_windows_are_scaled_where_both_offer_it),
        CASE(initial_window_and_keepalives_and_idle),
        CASE(rates),
        CASE(a_capture_that_loses),
        CASE(a_fin_that_was_overtaken),
        CASE(one_direction_only),
        CASE(unacceptable_segments),
        CASE(more_holes_than_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
