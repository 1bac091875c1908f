/* Tests delayed acknowledgements: RFC 9293, 3.8.6.3, RFC 5681, 4.2, RFC 1122, 4.2.3.2. */
#include "tests/unit/engine.h"

static void rfc9293_3_8_6_3_must_40_no_later_than_half_a_second(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    check(rig.env.config.delayed_ack < 500 * WAVE_MS, "half a second or more by default");
    wave_time from = rig.now;
    in(ACK, 1, 1, WND, 100);
    acknowledges(101);
    check(rig.now - from <= rig.env.config.delayed_ack, "acknowledged only after %llu us",
          (unsigned long long)((rig.now - from) / WAVE_US));
    silent(WAVE_H);
}

static void rfc9293_3_8_6_3_shld_19_second_full_segment_at_once(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    uint32_t mss = eff_mss(), acked = 1;
    for (uint32_t i = 0; i < 20; i++) { /* one outstanding at most after each */
        in(ACK, 1 + i * mss, 1, WND, mss);
        while (next_out(0))
            acked = out_ack();
        check(1 + (i + 1) * mss - acked < 2 * mss, "%u bytes are not acknowledged at once",
              1 + (i + 1) * mss - acked);
    }
    if (acked != 1 + 20 * mss)
        acknowledges(1 + 20 * mss);
    silent(WAVE_H);
}

static void rfc5681_4_2_data_beyond_a_gap_is_answered_at_once(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    for (uint32_t i = 0; i < 5; i++) { /* each one: fast retransmit counts them */
        in(ACK, 101 + 100 * i, 1, WND, 100);
        out(ACK, 1, 1, 0);
        nothing();
    }
}

static void rfc5681_4_2_data_that_fills_a_part_of_a_gap_is_answered_at_once(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 501, 1, WND, 100);
    out(ACK, 1, 1, 0);
    in(ACK, 1, 1, WND, 100);
    out(ACK, 1, 101, 0);
    in(ACK, 301, 1, WND, 100);
    out(ACK, 1, 101, 0);
    in(ACK, 101, 1, WND, 200);
    out(ACK, 1, 401, 0);
    in(ACK, 401, 1, WND, 100);
    out(ACK, 1, 601, 0);
    silent(WAVE_H);
}

static void rfc5681_4_2_duplicate_data_is_answered_at_once(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 1, 1, WND, 100);
    acknowledges(101);
    for (int i = 0; i < 5; i++) {
        in(ACK, 1, 1, WND, 100);
        out(ACK, 1, 101, 0);
        nothing();
    }
}

static void rfc9293_3_10_7_4_the_ack_rides_on_data_that_goes_out(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK | PSH, 1, 1, WND, 100);
    bool early = next_out(0); /* an engine may not delay at all */
    push(50);
    out(ACK, 1, 101, 50);
    in(ACK, 101, 51, WND, 0);
    silent(WAVE_H);
    (void)early;
}

static void rfc9293_3_8_6_3_pure_acks_are_not_acknowledged(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(100);
    burst();
    in(ACK, 1, 101, WND, 0);
    in(ACK, 1, 101, WND - 1000, 0);
    in(ACK, 1, 101, WND, 0);
    silent(WAVE_H);
}

static void conn_config_delayed_ack_zero_answers_at_once(void **state)
{
    (void)state;
    rig.env.config.delayed_ack = 0;
    drive(STATE_ESTABLISHED);
    for (uint32_t i = 0; i < 5; i++) {
        in(ACK | PSH, 1 + 10 * i, 1, WND, 10);
        out(ACK, 1, 11 + 10 * i, 0);
        nothing();
    }
}

static void rfc9293_3_10_7_4_a_fin_is_acknowledged_within_the_delay(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK | PSH, 1, 1, WND, 10);
    in(FIN | ACK, 11, 1, WND, 0);
    acknowledges(12);
    silent(WAVE_H);
}

static void rfc9293_3_8_6_3_the_delay_begins_with_the_first_segment(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    wave_time from = rig.now, delay = rig.env.config.delayed_ack;
    in(ACK, 1, 1, WND, 10);
    bool early = next_out(delay / 2);
    in(ACK, 11, 1, WND, 10);
    acknowledges(21);
    check(early || rig.now - from <= delay, "the first waited for %llu us",
          (unsigned long long)((rig.now - from) / WAVE_US));
}

/*
 * The peer's first segments
 */

/* The congestion window of a peer in slow start grows with each acknowledgement (RFC 5681, 3.1). So
 * its first segments are acknowledged immediately, however small they are: as many as an initial
 * window has (RFC 6928). */
static void rfc9293_3_8_6_3_the_first_ten_segments_are_not_kept_waiting(void **state)
{
    (void)state;
    for (int passive = 0; passive < 2; passive++) {
        rig_start(&variants[1]);
        struct conn_config config;
        conn_config_default(&config, 1500, false);
        rig.env.config.quick_acks = config.quick_acks;
        if (passive)
            establish_passive(RTT);
        else
            establish(RTT);
        for (uint32_t i = 0; i < 10; i++) {
            in(ACK | PSH, 1 + 10 * i, 1, WND, 10);
            out(ACK, 1, 11 + 10 * i, 0);
            nothing();
        }
        in(ACK | PSH, 101, 1, WND, 10);
        nothing();
        out_between(rig.env.config.delayed_ack, rig.env.config.delayed_ack, ACK, 1, 111, 0);
    }
}

/* Segments that are acknowledged immediately for another reason do not count as some of these. */
static void rfc9293_3_8_6_3_only_what_could_wait_counts_as_hurried(void **state)
{
    (void)state;
    rig.env.config.quick_acks = 1;
    drive(STATE_ESTABLISHED);
    in(ACK, 101, 1, WND, 10); /* beyond a gap */
    out(ACK, 1, 1, 0);
    in(ACK, 1, 1, WND, 100); /* fills it */
    out(ACK, 1, 111, 0);
    in(ACK, 111, 1, WND, 10);
    out(ACK, 1, 121, 0);
    in(ACK, 121, 1, WND, 10);
    nothing();
}

/* Data that the user has ready carries the acknowledgement all the same. */
static void rfc9293_3_8_6_3_a_hurried_ack_rides_on_data(void **state)
{
    (void)state;
    rig.env.config.quick_acks = 10;
    drive(STATE_ESTABLISHED);
    in(ACK | PSH, 1, 1, WND, 10);
    push(50);
    out(ACK, 1, 11, 50);
    nothing();
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_8_6_3_must_40_no_later_than_half_a_second),
        cmocka_unit_test(rfc9293_3_8_6_3_shld_19_second_full_segment_at_once),
        cmocka_unit_test(rfc5681_4_2_data_beyond_a_gap_is_answered_at_once),
        cmocka_unit_test(rfc5681_4_2_data_that_fills_a_part_of_a_gap_is_answered_at_once),
        cmocka_unit_test(rfc5681_4_2_duplicate_data_is_answered_at_once),
        cmocka_unit_test(rfc9293_3_10_7_4_the_ack_rides_on_data_that_goes_out),
        cmocka_unit_test(rfc9293_3_8_6_3_pure_acks_are_not_acknowledged),
        cmocka_unit_test(conn_config_delayed_ack_zero_answers_at_once),
        cmocka_unit_test(rfc9293_3_10_7_4_a_fin_is_acknowledged_within_the_delay),
        cmocka_unit_test(rfc9293_3_8_6_3_the_delay_begins_with_the_first_segment),
        cmocka_unit_test(rfc9293_3_8_6_3_the_first_ten_segments_are_not_kept_waiting),
        cmocka_unit_test(rfc9293_3_8_6_3_only_what_could_wait_counts_as_hurried),
        cmocka_unit_test(rfc9293_3_8_6_3_a_hurried_ack_rides_on_data),
    };
    return run_cases(cases, COUNT(cases));
}
