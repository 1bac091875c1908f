/* Tests loss detection by time, RFC 8985, sections 5 and 6, through rack.h alone: on a queue whose
 * records the cases send, deliver and lose by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/core/rack.h"

enum { LEN = 1000 };
#define RTT (40 * WAVE_MS)
#define START (100 * WAVE_S)

static struct env env;
static struct queue *q;
static struct rack r;
static struct seq round_end;

static int make(void **state)
{
    static const uint8_t bytes[20 * LEN];
    struct conn_config config;

    (void)state;
    conn_config_default(&config, 1500, false);
    env_init(&env, &config, 1);
    q = NULL;
    r = (struct rack){.reo_mult = 1};
    assert_int_equal(queue_append(&q, &env, seq_of(0xfffff000), bytes, sizeof bytes, UINT32_MAX),
                     sizeof bytes);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    queue_free(&q, &env);
    return 0;
}

static void send_at(wave_time at)
{
    assert_true(queue_can_send(q, &env));
    queue_sent(q, seq_add(q->base, q->out), LEN, at);
}

/* Record i arrives there, and its SACK here, at `now`. */
static void sacked_at(uint32_t i, wave_time now, wave_time min_rtt)
{
    rack_delivered(&r, q, queue_at(q, i), now, min_rtt, WAVE_NEVER);
    queue_mark_sacked(q, i);
}

static struct rack_result detect(wave_time now)
{
    return rack_detect(&r, q, now, RTT, RTT, false);
}

static void rfc8985_6_2_nothing_delivered_nothing_lost(void **state)
{
    struct rack_result got;

    (void)state;
    send_at(START);
    got = detect(START + WAVE_H);
    assert_int_equal(got.lost, 0);
    assert_true(got.recheck_at == WAVE_NEVER);
}

/* Step 5: lost when RACK.rtt and the reordering window, here min_RTT / 4, have passed since it was
 * sent, and something sent later was delivered; before that, a timer for just then. */
static void rfc8985_6_2_5_lost_a_quarter_round_trip_after_a_later_one_came(void **state)
{
    struct rack_result got;

    (void)state;
    send_at(START);
    send_at(START + WAVE_MS);
    sacked_at(1, START + WAVE_MS + RTT, RTT);
    got = detect(START + WAVE_MS + RTT);
    assert_int_equal(got.lost, 0);
    assert_in_range(got.recheck_at, START + RTT + RTT / 4 - 1, START + RTT + RTT / 4 + 1);
    got = detect(got.recheck_at - 1);
    assert_int_equal(got.lost, 0);
    got = detect(got.recheck_at);
    assert_int_equal(got.lost, LEN);
    assert_true(got.recheck_at == WAVE_NEVER);
    assert_true(queue_at(q, 0)->flags & QUEUE_LOST);
    assert_int_equal(detect(START + WAVE_H).lost, 0); /* once */
}

static void rfc8985_6_2_5_what_was_sent_after_the_delivered_one_is_not_judged(void **state)
{
    struct rack_result got;

    (void)state;
    for (int i = 0; i < 4; i++)
        send_at(START + (wave_time)i * WAVE_MS);
    sacked_at(1, START + WAVE_MS + RTT, RTT);
    got = detect(START + WAVE_H);
    assert_int_equal(got.lost, LEN);
    assert_true(got.recheck_at == WAVE_NEVER);
    assert_false((queue_at(q, 2)->flags | queue_at(q, 3)->flags) & QUEUE_LOST);
}

/* Step 4: without reordering ever seen, three SACKed segments or a recovery need no window. */
static void rfc8985_6_2_4_three_sacked_need_no_window(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        send_at(START + (wave_time)i);
    sacked_at(1, START + RTT, RTT);
    sacked_at(2, START + RTT, RTT);
    assert_int_equal(detect(START + RTT + 10).lost, 0);
    sacked_at(3, START + RTT + 10, RTT);
    assert_int_equal(detect(START + RTT + 10).lost, LEN);
}

static void rfc8985_6_2_4_in_recovery_there_is_no_window(void **state)
{
    (void)state;
    send_at(START);
    send_at(START + WAVE_MS);
    sacked_at(1, START + WAVE_MS + RTT, RTT);
    assert_int_equal(rack_detect(&r, q, START + WAVE_MS + RTT, RTT, RTT, true).lost, LEN);
}

/* Step 3: a segment that was never retransmitted and arrives below one that has arrived was
 * reordered. From then on the reordering window is used even with three SACKed segments and in
 * recovery. */
static void rfc8985_6_2_3_reordering_once_seen_keeps_the_window(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        send_at(START + (wave_time)i);
    sacked_at(1, START + RTT, RTT);
    sacked_at(0, START + RTT, RTT);
    for (uint32_t i = 3; i < 7; i++)
        sacked_at(i, START + RTT, RTT);
    assert_int_equal(rack_detect(&r, q, START + RTT + 10, RTT, RTT, true).lost, 0);
    assert_int_equal(rack_detect(&r, q, START + RTT + RTT / 4 + 10, RTT, RTT, true).lost, LEN);
}

static void rfc8985_6_2_3_a_retransmission_below_is_no_reordering(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++)
        send_at(START + (wave_time)i);
    queue_retransmitted(q, 0, START + WAVE_MS);
    sacked_at(1, START + WAVE_MS + RTT, RTT);
    sacked_at(0, START + WAVE_MS + RTT, RTT);
    for (uint32_t i = 3; i < 7; i++)
        sacked_at(i, START + WAVE_MS + RTT, RTT);
    assert_int_equal(detect(START + WAVE_MS + RTT).lost, LEN); /* no window: record 2 immediately */
}

/* Step 2: an answer to a retransmission that is faster than any round trip so far was for the
 * original, and says nothing of when the retransmission was delivered. */
static void rfc8985_6_2_2_too_fast_an_answer_is_the_originals(void **state)
{
    (void)state;
    send_at(START);
    send_at(START + WAVE_MS);
    queue_retransmitted(q, 0, START + 30 * WAVE_MS);
    sacked_at(0, START + 30 * WAVE_MS + RTT - 1, RTT);
    assert_false(q->rack.any);
    assert_int_equal(detect(START + WAVE_H).lost, 0);
}

/* The same by what it echoes, however long it took. */
static void rfc8985_6_2_2_an_answer_that_echoes_an_earlier_stamp_is_the_originals(void **state)
{
    (void)state;
    send_at(START);
    send_at(START + WAVE_MS);
    queue_retransmitted(q, 0, START + 30 * WAVE_MS);
    rack_delivered(&r, q, queue_at(q, 0), START + 300 * WAVE_MS, RTT, START + WAVE_MS);
    assert_false(q->rack.any);
    rack_delivered(&r, q, queue_at(q, 0), START + 300 * WAVE_MS, RTT, START + 31 * WAVE_MS);
    assert_true(q->rack.any);
}

/* A retransmission that is lost, too, is found by what was sent after it. */
static void rfc8985_3_a_lost_retransmission_is_found(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++)
        send_at(START + (wave_time)i);
    for (uint32_t i = 1; i < 4; i++)
        sacked_at(i, START + RTT, RTT);
    assert_int_equal(detect(START + RTT).lost, LEN);
    queue_retransmitted(q, 0, START + RTT);
    send_at(START + RTT + WAVE_MS);
    sacked_at(6, START + 2 * RTT + WAVE_MS, RTT);
    assert_true(rack_detect(&r, q, START + 2 * RTT + WAVE_MS, RTT, RTT, true).lost >= LEN);
    assert_true(queue_at(q, 0)->flags & QUEUE_LOST);
}

/* Step 4: each round that sees a D-SACK makes the window wider by a quarter, up to SRTT. */
static void rfc8985_6_2_4_the_window_grows_once_a_round(void **state)
{
    (void)state;
    send_at(START);
    send_at(START + 1);
    sacked_at(1, START + 1 + RTT, RTT);
    for (uint32_t round = 1; round < 40; round++) {
        const wave_time window = round < 4 ? RTT / 4 * round : RTT;
        assert_in_range(detect(START + RTT).recheck_at, START + RTT + window,
                        START + RTT + window + 1);
        rack_dsack(&r, &round_end, seq_of(1000 * round), seq_of(1000 * (round + 1)));
        rack_dsack(&r, &round_end, seq_of(1000 * round + 500),
                   seq_of(1000 * (round + 1) + 500)); /* the same */
    }
}

/* Step 4: sixteen recoveries without a D-SACK bring it back to a quarter; one resets the count. */
static void rfc8985_6_2_4_sixteen_recoveries_without_duplicates_narrow_it_again(void **state)
{
    (void)state;
    rack_dsack(&r, &round_end, seq_of(1000), seq_of(2000));
    rack_dsack(&r, &round_end, seq_of(2000), seq_of(3000));
    assert_int_equal(r.reo_mult, 3);
    for (int i = 0; i < 15; i++)
        rack_recovered(&r);
    assert_int_equal(r.reo_mult, 3);
    rack_dsack(&r, &round_end, seq_of(3000), seq_of(4000));
    for (int i = 0; i < 15; i++)
        rack_recovered(&r);
    assert_int_equal(r.reo_mult, 4);
    rack_recovered(&r);
    assert_int_equal(r.reo_mult, 1);
    rack_recovered(&r);
    assert_int_equal(r.reo_mult, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rfc8985_6_2_nothing_delivered_nothing_lost),
        CASE(rfc8985_6_2_5_lost_a_quarter_round_trip_after_a_later_one_came),
        CASE(rfc8985_6_2_5_what_was_sent_after_the_delivered_one_is_not_judged),
        CASE(rfc8985_6_2_4_three_sacked_need_no_window),
        CASE(rfc8985_6_2_4_in_recovery_there_is_no_window),
        CASE(rfc8985_6_2_3_reordering_once_seen_keeps_the_window),
        CASE(rfc8985_6_2_3_a_retransmission_below_is_no_reordering),
        CASE(rfc8985_6_2_2_too_fast_an_answer_is_the_originals),
        CASE(rfc8985_6_2_2_an_answer_that_echoes_an_earlier_stamp_is_the_originals),
        CASE(rfc8985_3_a_lost_retransmission_is_found),
        CASE(rfc8985_6_2_4_the_window_grows_once_a_round),
        CASE(rfc8985_6_2_4_sixteen_recoveries_without_duplicates_narrow_it_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
