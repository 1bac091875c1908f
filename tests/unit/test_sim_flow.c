/* Tests windows, timers and paths between two engines: zero windows, silly windows, delayed
 * acknowledgements, path MTU and congestion marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/err.h"
#include "tests/unit/sim.h"

static struct sim *sim;

/* Both ends with these settings, established over such a link, nothing logged yet. */
static void begin_over(const struct path_impairment *m, const struct conn_config *a,
                       const struct conn_config *b)
{
    sim = sim_new(1, a, b);
    sim_impair(sim, m);
    sim_establish(sim);
    sim_log_clear(sim);
}

/* Does the same, with a delay of 10 ms in each direction and no other impairment. */
static void begin(const struct conn_config *a, const struct conn_config *b)
{
    begin_over(&(struct path_impairment){.delay = 10 * WAVE_MS}, a, b);
}

static void begin_plain(void)
{
    struct conn_config c = sim_config(1500);
    begin(&c, &c);
}

static int tear_down(void **state)
{
    (void)state;
    sim_delete(sim);
    return 0;
}

static void send_bytes(enum link_end e, uint64_t n)
{
    sim->end[e].user.total = sim->end[e].sent + n;
    sim_run_for(sim, 0);
}

/* Returns the right edge that a segment of B offers; for unscaled windows only. */
static struct seq edge_of(const struct sim_seen *s)
{
    return seq_add(s->seg.ack, s->seg.wnd);
}

static struct conn_config small_buffer(void)
{
    struct conn_config c = sim_config(1500);
    c.rcvbuf = 10000;
    c.wscale = false;
    return c;
}

static void rfc9293_3_8_6_1_a_zero_window_is_probed_for_ever_while_it_is_answered(void **unused)
{
    (void)unused;
    struct conn_config a = sim_config(1500), b = small_buffer();
    begin(&a, &b);
    sim->end[LINK_B].user.never_reads = true;
    send_bytes(LINK_A, 50000);
    sim_run_for(sim, WAVE_MIN);
    /* The window is used to its last byte, and closed. */
    assert_int_equal(conn_received(sim_conn(sim, LINK_B)), 10000);
    assert_int_equal(sim_conn(sim, LINK_A)->snd.wnd, 0);
    sim_log_clear(sim);
    sim_run_for(sim, 6 * WAVE_H);
    assert_int_equal(sim_conn(sim, LINK_A)->state, STATE_ESTABLISHED);
    /* RFC 1122, 4.2.2.17: exponentially longer intervals; here up to rto_max, 120 s. */
    wave_time last = 0, interval = 0;
    size_t probes = 0;
    for (size_t i = 0; i < sim->log.count; i++) {
        if (sim->log.seen[i].from != LINK_A)
            continue;
        assert_true(sim->log.seen[i].seg.len <= 1);
        wave_time apart = last ? sim->log.seen[i].at - last : 0;
        assert_true(apart >= interval || probes == 0);
        assert_true(apart <= 125 * WAVE_S);
        interval = apart;
        last = sim->log.seen[i].at;
        probes++;
    }
    assert_in_range(probes, 170, 200);
    assert_true(interval >= 115 * WAVE_S);
    sim->end[LINK_B].user.never_reads = false;
    sim->end[LINK_A].user.close = SIM_CLOSE_SENT;
    sim->end[LINK_B].user.close = SIM_CLOSE_AFTER_PEER;
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
}

static void rfc9293_3_8_6_1_a_zero_window_probe_unanswered_is_given_up(void **unused)
{
    (void)unused;
    struct conn_config a = sim_config(1500), b = small_buffer();
    begin(&a, &b);
    sim->end[LINK_B].user.never_reads = true;
    send_bytes(LINK_A, 50000);
    sim_run_for(sim, WAVE_MIN);
    link_set_cut(sim->link, true);
    sim_run_for(sim, WAVE_H);
    assert_int_equal(sim_conn(sim, LINK_A)->end, END_TIMEOUT);
    conn_vanish(sim_conn(sim, LINK_B), link_now(sim->link));
}

static void rfc9293_3_10_7_4_a_window_update_of_the_same_numbers_is_taken_at_once(void **unused)
{
    (void)unused;
    struct conn_config a = sim_config(1500), b = small_buffer();
    begin(&a, &b);
    sim->end[LINK_B].user.never_reads = true;
    send_bytes(LINK_A, 30000);
    sim_run_for(sim, 10 * WAVE_MIN);
    sim->end[LINK_B].user.never_reads = false;
    /* There and back, long before the next probe. */
    sim_run_for(sim, 25 * WAVE_MS);
    assert_in_range(conn_received(sim_conn(sim, LINK_B)), 11448, 20000);
}

/* Loses each segment of B that offers a window, as long as it is asked to. */
struct updates {
    int to_lose, lost;
};

static bool lose_window_updates(void *ctx, wave_time at, enum link_end from, uint64_t number,
                                const struct seg *s)
{
    struct updates *u = ctx;
    (void)at, (void)number;
    if (from != LINK_B || !s->wnd || u->lost == u->to_lose)
        return true;
    u->lost++;
    return false;
}

static void rfc9293_3_8_6_1_a_lost_window_update_is_found_by_the_persist_timer(void **unused)
{
    (void)unused;
    struct conn_config a = sim_config(1500), b = small_buffer();
    a.r2 = WAVE_H; /* the answers to several probes in a row are lost */
    for (int n = 1; n <= 4; n++) {
        struct updates u = {.to_lose = n};
        begin(&a, &b);
        sim->end[LINK_B].user.never_reads = true;
        send_bytes(LINK_A, 30000);
        sim_run_for(sim, 10 * WAVE_S);
        assert_int_equal(sim_conn(sim, LINK_A)->snd.wnd, 0);
        link_set_filter(sim->link, lose_window_updates, &u);
        sim->end[LINK_B].user.never_reads = false;
        sim->end[LINK_A].user.close = SIM_CLOSE_SENT;
        sim->end[LINK_B].user.close = SIM_CLOSE_AFTER_PEER;
        assert_true(sim_run_for(sim, WAVE_H));
        assert_int_equal(u.lost, n);
        sim_assert_complete(sim);
        if (n < 4)
            tear_down(NULL);
    }
}

static void rfc9293_3_8_6_2_2_a_receiver_offers_no_silly_window(void **unused)
{
    (void)unused;
    struct conn_config a = sim_config(1500), b = small_buffer();
    begin(&a, &b);
    sim->end[LINK_B].user =
        (struct sim_user){.read_max = 40, .read_pause = 2 * WAVE_MS, .close = SIM_CLOSE_AFTER_PEER};
    sim->end[LINK_A].user.close = SIM_CLOSE_SENT;
    send_bytes(LINK_A, 100000);
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
    const struct sim_seen *before = NULL;
    size_t moved = 0;
    assert_in_range(sim->log.count, 1, SIM_LOG);
    for (size_t i = 0; i < sim->log.count; i++) {
        const struct sim_seen *now = &sim->log.seen[i];
        if (now->from != LINK_B || seq_diff(now->seg.ack, seq_of(1001 + 99000)) > 0)
            continue;
        if (before && !seq_eq(edge_of(now), edge_of(before))) {
            int32_t by = seq_diff(edge_of(now), edge_of(before));
            /* The lesser of half the buffer and a full segment; never to the left. */
            assert_in_range(by, 1448, 10000);
            moved++;
        }
        before = now;
    }
    assert_in_range(moved, 30, 70);
}

static void rfc9293_3_8_6_2_1_a_sender_waits_for_a_window_worth_using(void **unused)
{
    (void)unused;
    struct conn_config a = sim_config(1500), b = small_buffer();
    begin(&a, &b);
    sim->end[LINK_B].user = (struct sim_user){
        .read_max = 100, .read_pause = 4 * WAVE_MS, .close = SIM_CLOSE_AFTER_PEER};
    sim->end[LINK_A].user.close = SIM_CLOSE_SENT;
    send_bytes(LINK_A, 60000);
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
    /* Without this the run takes hundreds of small segments. Those that fill the end of a
     * window or of the data may be short. */
    size_t small = 0, all = 0;
    for (size_t i = 0; i < sim->log.count; i++)
        if (sim->log.seen[i].from == LINK_A && sim->log.seen[i].seg.len) {
            all++;
            small += sim->log.seen[i].seg.len < 1000;
        }
    assert_in_range(all, 41, 70);
    assert_in_range(small, 0, 15);
}

static void rfc9293_3_7_4_nagle_keeps_one_small_segment_in_flight(void **unused)
{
    (void)unused;
    struct conn_config c = sim_config(1500);
    c.nagle = true;
    begin(&c, &c);
    sim->end[LINK_A].user = (struct sim_user){
        .total = 200, .write_max = 1, .write_pause = WAVE_MS, .close = SIM_CLOSE_NEVER};
    sim_run_for(sim, 5 * WAVE_S);
    /* Each leaves only when the one before it was acknowledged, a round trip later at least. */
    const struct sim_seen *before = NULL;
    for (size_t i = 0; i < sim->log.count; i++) {
        const struct sim_seen *now = &sim->log.seen[i];
        if (now->from != LINK_A || !now->seg.len)
            continue;
        if (before)
            assert_true(now->at - before->at >= 20 * WAVE_MS);
        before = now;
    }
    assert_in_range(sim->log.count, 4, 30);
    assert_int_equal(sim->end[LINK_B].received, 200);
}

static void rfc9293_3_7_4_without_nagle_each_write_leaves_at_once(void **unused)
{
    (void)unused;
    begin_plain();
    for (int i = 0; i < 10; i++)
        send_bytes(LINK_A, 1);
    size_t left = 0;
    link_run(sim->link, link_now(sim->link), NULL, NULL);
    for (size_t i = 0; i < sim->log.count; i++)
        left += sim->log.seen[i].from == LINK_A && sim->log.seen[i].seg.len == 1;
    assert_int_equal(left, 10);
}

static void rfc9293_3_8_6_3_one_segment_is_acknowledged_within_the_delay(void **unused)
{
    (void)unused;
    begin_plain();
    sim_conn(sim, LINK_B)->quick_acks = 0;
    /* Warmed up, so that no quick acknowledgement of a connection's start is in it. */
    sim->end[LINK_A].user.write_max = 1000;
    send_bytes(LINK_A, 100000);
    sim_run_for(sim, 10 * WAVE_S);
    sim_log_clear(sim);
    send_bytes(LINK_A, 100);
    sim_run_for(sim, WAVE_S);
    assert_string_equal(sim_log_text(sim), "A:.(100) B:.");
    assert_int_equal(sim->log.seen[1].at - sim->log.seen[0].at,
                     10 * WAVE_MS + sim->end[LINK_B].env.config.delayed_ack);
}

static void rfc9293_3_8_6_3_every_second_full_segment_is_acknowledged_at_once(void **unused)
{
    (void)unused;
    begin_plain();
    sim_conn(sim, LINK_B)->quick_acks = 0;
    sim->end[LINK_A].user.close = SIM_CLOSE_SENT;
    sim->end[LINK_B].user.close = SIM_CLOSE_AFTER_PEER;
    send_bytes(LINK_A, 1000000);
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
    size_t data = 0, acks = 0;
    for (size_t i = 0; i < sim->log.count; i++) {
        data += sim->log.seen[i].seg.len > 0;
        acks += sim->log.seen[i].from == LINK_B;
    }
    /* A stretch ACK is as wrong as one for each segment. */
    assert_in_range(data, 1000000 / 1460, 1000000 / 1440);
    assert_in_range(acks, data / 2 - 5, data / 2 + 40);
}

static void rfc9293_3_8_6_3_an_answer_carries_the_acknowledgement(void **unused)
{
    (void)unused;
    begin_plain();
    sim_conn(sim, LINK_B)->quick_acks = 0;
    sim->quick = true;
    /* The first data is answered with a wider window than a SYN can announce. */
    send_bytes(LINK_A, 100);
    sim_run_for(sim, WAVE_S);
    sim_log_clear(sim);
    send_bytes(LINK_A, 100);
    sim_run_for(sim, 12 * WAVE_MS);
    send_bytes(LINK_B, 200);
    sim_run_for(sim, WAVE_S);
    assert_string_equal(sim_log_text(sim), "A:.(100) B:.(200) A:.");
}

/* Returns the size of A's largest segment that was sent at that time or later, in bytes of an IP
 * packet. */
static uint32_t largest_since(wave_time from)
{
    uint32_t max = 0;
    for (size_t i = 0; i < sim->log.count && i < SIM_LOG; i++) {
        const struct seg *s = &sim->log.seen[i].seg;
        uint32_t size = 40 + (uint32_t)opt_size(&s->opt) + s->len;
        if (sim->log.seen[i].from == LINK_A && sim->log.seen[i].at >= from && size > max)
            max = size;
    }
    return max;
}

static void narrow_path(uint32_t mtu, bool silent, wave_time within)
{
    begin_plain();
    struct path_impairment m = {.delay = 10 * WAVE_MS, .mtu = mtu, .silent_mtu = silent};
    link_impair(sim->link, LINK_A, &m);
    sim->end[LINK_A].user.close = SIM_CLOSE_SENT;
    sim->end[LINK_B].user.close = SIM_CLOSE_AFTER_PEER;
    send_bytes(LINK_A, 300000);
    wave_time began = link_now(sim->link);
    sim_until_state(sim, LINK_B, STATE_CLOSED, WAVE_H);
    assert_true(link_now(sim->link) - began < within);
    assert_int_equal(sim_conn(sim, LINK_A)->flags & CONN_BLACKHOLE, silent ? CONN_BLACKHOLE : 0);
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
    assert_true(sim_conn(sim, LINK_A)->mss <= mtu - 40);
    assert_in_range(sim->end[LINK_A].events[EVENT_MSS], 1, 10);
}

static void rfc1191_a_too_big_segment_is_sent_again_smaller_at_once(void **unused)
{
    (void)unused;
    narrow_path(1300, false, 2 * WAVE_S);
    assert_int_equal(sim_conn(sim, LINK_A)->mss, 1260);
    /* The word is back after 10 ms; after that nothing is larger than the path, and it is filled.
     */
    assert_in_range(largest_since(sim->end[LINK_A].last[EVENT_MSS].at + 1), 1290, 1300);
}

static void rfc1191_a_path_that_grows_ever_narrower(void **unused)
{
    (void)unused;
    begin_plain();
    sim->end[LINK_A].user = (struct sim_user){.total = 2000000,
                                              .write_max = 20000,
                                              .write_pause = 100 * WAVE_MS,
                                              .close = SIM_CLOSE_SENT};
    sim->end[LINK_B].user.close = SIM_CLOSE_AFTER_PEER;
    for (uint32_t mtu = 1400; mtu >= 600; mtu -= 200) {
        link_impair(sim->link, LINK_A,
                    &(struct path_impairment){.delay = 10 * WAVE_MS, .mtu = mtu});
        sim_run_for(sim, WAVE_S);
        assert_int_equal(sim_conn(sim, LINK_A)->mss, mtu - 40);
    }
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
}

static void rfc4821_a_black_hole_is_passed_by_smaller_segments(void **unused)
{
    (void)unused;
    narrow_path(1300, true, 2 * WAVE_MIN);
}

static void rfc3168_marks_slow_the_sender_and_lose_nothing(void **unused)
{
    (void)unused;
    struct conn_config c = sim_config(1500);
    c.ecn = true;
    begin(&c, &c);
    assert_true(sim_conn(sim, LINK_A)->flags & CONN_ECN);
    assert_true(sim_conn(sim, LINK_B)->flags & CONN_ECN);
    struct path_impairment m = {.delay = 10 * WAVE_MS, .marking = 300};
    link_impair(sim->link, LINK_A, &m);
    sim->end[LINK_A].user.close = SIM_CLOSE_SENT;
    sim->end[LINK_B].user.close = SIM_CLOSE_AFTER_PEER;
    send_bytes(LINK_A, 2000000);
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
    size_t echoes = 0, answers = 0, capable = 0;
    for (size_t i = 0; i < sim->log.count && i < SIM_LOG; i++) {
        const struct sim_seen *s = &sim->log.seen[i];
        echoes += s->from == LINK_B && (s->seg.flags & SEG_ECE);
        answers += s->from == LINK_A && (s->seg.flags & SEG_CWR);
        capable += s->from == LINK_A && s->seg.len && s->seg.ecn == ECN_ECT0;
        /* RFC 3168, 6.1.4: acknowledgements are not ECN-capable. */
        assert_true(s->seg.len || s->seg.ecn == ECN_NOT);
    }
    assert_true(link_counts(sim->link).marked > 5);
    assert_true(echoes >= 3);
    assert_true(answers >= 3);
    assert_true(capable > 1000);
    assert_int_equal(sim_conn(sim, LINK_A)->retransmits, 0);
}

static bool lose_data_5_to_7(void *ctx, wave_time at, enum link_end from, uint64_t number,
                             const struct seg *s)
{
    uint32_t *n = ctx;
    (void)at, (void)number;
    if (from != LINK_A || !s->len)
        return true;
    ++*n;
    return *n < 5 || *n > 7;
}

static void lost_segments_are_recovered_without_a_timeout(bool sack)
{
    struct conn_config c = sim_config(1500);
    c.sack = sack;
    begin(&c, &c);
    uint32_t n = 0;
    link_set_filter(sim->link, lose_data_5_to_7, &n);
    sim->end[LINK_A].user.close = SIM_CLOSE_SENT;
    sim->end[LINK_B].user.close = SIM_CLOSE_AFTER_PEER;
    send_bytes(LINK_A, 100000);
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
    assert_int_equal(sim->end[LINK_A].last[EVENT_RETRANSMIT].u.retransmit.why, RETRANSMIT_FAST);
    assert_int_equal(sim->end[LINK_A].events[EVENT_RETRANSMIT], 3);
}

static void rfc6675_three_lost_segments_are_sent_again_once_each(void **unused)
{
    (void)unused;
    lost_segments_are_recovered_without_a_timeout(true);
}

static void rfc6582_three_lost_segments_without_sack_need_no_timeout(void **unused)
{
    (void)unused;
    lost_segments_are_recovered_without_a_timeout(false);
}

static void rfc7323_a_long_fat_path_is_filled(void **unused)
{
    (void)unused;
    /* 200 ms and 100 Mbit/s: 2.5 MB in flight, well beyond what 16 bits of window hold. */
    struct path_impairment m = {.delay = 100 * WAVE_MS, .bandwidth = 100000000, .queue = 4000000};
    struct conn_config c = sim_config(1500);
    begin_over(&m, &c, &c);
    sim->end[LINK_A].user.close = SIM_CLOSE_SENT;
    sim->end[LINK_B].user.close = SIM_CLOSE_AFTER_PEER;
    wave_time began = link_now(sim->link);
    send_bytes(LINK_A, 50000000);
    sim_until_state(sim, LINK_B, STATE_CLOSED, WAVE_H);
    /* 4.1 s at the line's rate, and the slow start's ten round trips. */
    assert_true(link_now(sim->link) - began < 8 * WAVE_S);
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
}

#define CASE(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rfc9293_3_8_6_1_a_zero_window_is_probed_for_ever_while_it_is_answered),
        CASE(rfc9293_3_8_6_1_a_zero_window_probe_unanswered_is_given_up),
        CASE(rfc9293_3_10_7_4_a_window_update_of_the_same_numbers_is_taken_at_once),
        CASE(rfc9293_3_8_6_1_a_lost_window_update_is_found_by_the_persist_timer),
        CASE(rfc9293_3_8_6_2_2_a_receiver_offers_no_silly_window),
        CASE(rfc9293_3_8_6_2_1_a_sender_waits_for_a_window_worth_using),
        CASE(rfc9293_3_7_4_nagle_keeps_one_small_segment_in_flight),
        CASE(rfc9293_3_7_4_without_nagle_each_write_leaves_at_once),
        CASE(rfc9293_3_8_6_3_one_segment_is_acknowledged_within_the_delay),
        CASE(rfc9293_3_8_6_3_every_second_full_segment_is_acknowledged_at_once),
        CASE(rfc9293_3_8_6_3_an_answer_carries_the_acknowledgement),
        CASE(rfc1191_a_too_big_segment_is_sent_again_smaller_at_once),
        CASE(rfc1191_a_path_that_grows_ever_narrower),
        CASE(rfc4821_a_black_hole_is_passed_by_smaller_segments),
        CASE(rfc3168_marks_slow_the_sender_and_lose_nothing),
        CASE(rfc6675_three_lost_segments_are_sent_again_once_each),
        CASE(rfc6582_three_lost_segments_without_sack_need_no_timeout),
        CASE(rfc7323_a_long_fat_path_is_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
