/* Tests opens and closes between two engines: every path through the states, each of them with
 * every single segment lost, and ends that crashed and came back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/err.h"
#include "tests/unit/sim.h"

#define ACTIVE_CLOSE "SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED"
#define PASSIVE_CLOSE "SYN_RECEIVED ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"

static struct sim *sim;

static int set_up(void **state)
{
    (void)state;
    struct conn_config c = sim_config(1500);
    sim = sim_new(1, &c, &c);
    sim_impair(sim, &(struct path_impairment){.delay = 10 * WAVE_MS});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_delete(sim);
    return 0;
}

static void both_open(void)
{
    assert_int_equal(conn_open(sim_conn(sim, LINK_A), link_now(sim->link), seq_of(1000)), 0);
    assert_int_equal(conn_open(sim_conn(sim, LINK_B), link_now(sim->link), seq_of(9000)), 0);
}

static void close_now(enum link_end e)
{
    assert_int_equal(conn_close(sim_conn(sim, e), link_now(sim->link)), 0);
    sim->end[e].closed = true;
}

/* Both users: this much to send, and when each closes. */
static void users(uint64_t total, enum sim_close a, enum sim_close b)
{
    sim->end[LINK_A].user = (struct sim_user){.total = total, .close = a};
    sim->end[LINK_B].user = (struct sim_user){.total = total, .close = b};
}

static void rfc9293_3_5_three_way_handshake(void **unused)
{
    (void)unused;
    sim_establish(sim);
    assert_string_equal(sim_log_text(sim), "A:S B:S. A:.");
    assert_string_equal(sim->end[LINK_A].path, "SYN_SENT ESTABLISHED");
    assert_string_equal(sim->end[LINK_B].path, "SYN_RECEIVED ESTABLISHED");
}

static void rfc9293_3_5_simultaneous_open(void **unused)
{
    (void)unused;
    both_open();
    sim_until_state(sim, LINK_A, STATE_ESTABLISHED, 25 * WAVE_MS);
    sim_until_state(sim, LINK_B, STATE_ESTABLISHED, 25 * WAVE_MS);
    users(5000, SIM_CLOSE_SENT, SIM_CLOSE_AFTER_PEER);
    assert_memory_equal(sim_log_text(sim), "A:S B:S B:S. A:S.", 17);
    assert_true(sim_run_for(sim, WAVE_H));
    assert_string_equal(sim->end[LINK_A].path,
                        "SYN_SENT SYN_RECEIVED ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED");
    assert_string_equal(sim->end[LINK_B].path,
                        "SYN_SENT SYN_RECEIVED ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED");
    sim_assert_complete(sim);
}

static void rfc9293_3_6_four_way_close(void **unused)
{
    (void)unused;
    sim_establish(sim);
    sim_log_clear(sim);
    users(0, SIM_CLOSE_SENT, SIM_CLOSE_AFTER_PEER);
    sim->end[LINK_B].user.close_after = 100 * WAVE_MS;
    assert_true(sim_run_for(sim, WAVE_H));
    assert_string_equal(sim_log_text(sim), "A:F. B:. B:F. A:.");
    assert_string_equal(sim->end[LINK_A].path, ACTIVE_CLOSE);
    assert_string_equal(sim->end[LINK_B].path, PASSIVE_CLOSE);
    assert_int_equal(sim_conn(sim, LINK_A)->end, END_CLOSED);
    assert_int_equal(sim_conn(sim, LINK_B)->end, END_CLOSED);
    sim_assert_complete(sim);
}

static void rfc9293_3_6_three_way_close(void **unused)
{
    (void)unused;
    sim_establish(sim);
    sim_log_clear(sim);
    sim->quick = true;
    users(0, SIM_CLOSE_SENT, SIM_CLOSE_AFTER_PEER);
    assert_true(sim_run_for(sim, WAVE_H));
    assert_string_equal(sim_log_text(sim), "A:F. B:F. A:.");
    assert_string_equal(sim->end[LINK_B].path, PASSIVE_CLOSE);
    /* FIN_WAIT_2 is passed through in one segment, or left out: RFC 9293, 3.10.7.4 has the ACK
     * handled before the FIN. */
    assert_string_equal(sim->end[LINK_A].path, ACTIVE_CLOSE);
    sim_assert_complete(sim);
}

static void rfc9293_3_6_simultaneous_close(void **unused)
{
    (void)unused;
    sim_establish(sim);
    sim_log_clear(sim);
    close_now(LINK_A);
    close_now(LINK_B);
    assert_true(sim_run_for(sim, WAVE_H));
    assert_string_equal(sim_log_text(sim), "A:F. B:F. B:. A:.");
    assert_string_equal(sim->end[LINK_A].path,
                        "SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT CLOSED");
    assert_string_equal(sim->end[LINK_B].path,
                        "SYN_RECEIVED ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT CLOSED");
    sim_assert_complete(sim);
}

static void rfc9293_3_6_simultaneous_close_with_data_on_the_way(void **unused)
{
    (void)unused;
    sim_establish(sim);
    users(100000, SIM_CLOSE_SENT, SIM_CLOSE_SENT);
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
}

static void rfc9293_3_4_2_time_wait_lasts_two_msl(void **unused)
{
    (void)unused;
    sim_establish(sim);
    users(0, SIM_CLOSE_SENT, SIM_CLOSE_AFTER_PEER);
    sim_until_state(sim, LINK_A, STATE_TIME_WAIT, WAVE_S);
    wave_time entered = sim->end[LINK_A].last[EVENT_STATE].at;
    assert_true(sim_run_for(sim, WAVE_H));
    assert_int_equal(sim->end[LINK_A].last[EVENT_STATE].at - entered, 4 * WAVE_MIN);
}

static void time_wait_is_left_at_once_when_not_wanted(void **unused)
{
    (void)unused;
    sim->end[LINK_A].env.config.time_wait = false;
    sim_establish(sim);
    users(1000, SIM_CLOSE_SENT, SIM_CLOSE_AFTER_PEER);
    assert_true(sim_run_for(sim, WAVE_S));
    assert_string_equal(sim->end[LINK_A].path, ACTIVE_CLOSE);
    sim_assert_complete(sim);
}

/* Has one end close without sending data, while the other goes on for an hour. */
static void half_close(enum link_end closer)
{
    enum link_end other = closer == LINK_A ? LINK_B : LINK_A;
    sim_establish(sim);
    sim->end[closer].user.close = SIM_CLOSE_SENT;
    sim->end[other].user = (struct sim_user){
        .total = 2000000, .write_max = 2000, .write_pause = 4 * WAVE_S, .close = SIM_CLOSE_SENT};
    sim_until_state(sim, closer, STATE_FIN_WAIT_2, WAVE_S);
    sim_run_for(sim, 30 * WAVE_MIN);
    assert_int_equal(sim_conn(sim, closer)->state, STATE_FIN_WAIT_2);
    assert_int_equal(sim_conn(sim, other)->state, STATE_CLOSE_WAIT);
    assert_in_range(sim->end[closer].received, 100000, 1999999);
    assert_true(sim_run_for(sim, 3 * WAVE_H));
    assert_int_equal(sim_conn(sim, closer)->retransmits + sim_conn(sim, other)->retransmits, 0);
    sim_assert_complete(sim);
}

static void rfc9293_3_6_half_close_by_the_active_opener(void **unused)
{
    (void)unused;
    half_close(LINK_A);
    assert_string_equal(sim->end[LINK_A].path, ACTIVE_CLOSE);
    assert_string_equal(sim->end[LINK_B].path, PASSIVE_CLOSE);
}

static void rfc9293_3_6_half_close_by_the_passive_opener(void **unused)
{
    (void)unused;
    half_close(LINK_B);
    assert_string_equal(sim->end[LINK_B].path,
                        "SYN_RECEIVED ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED");
    assert_string_equal(sim->end[LINK_A].path, "SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED");
}

static void a_half_closed_receiver_that_reads_late_loses_nothing(void **unused)
{
    (void)unused;
    sim_establish(sim);
    sim->end[LINK_A].user = (struct sim_user){.close = SIM_CLOSE_SENT,
                                              .read_from = 20 * WAVE_MIN,
                                              .read_max = 3000,
                                              .read_pause = WAVE_S};
    sim->end[LINK_B].user = (struct sim_user){.total = 200000, .close = SIM_CLOSE_SENT};
    assert_true(sim_run_for(sim, 3 * WAVE_H));
    sim_assert_complete(sim);
}

static void rfc9293_3_10_5_abort_resets_the_peer(void **unused)
{
    (void)unused;
    sim_establish(sim);
    sim_log_clear(sim);
    conn_abort(sim_conn(sim, LINK_A), link_now(sim->link));
    assert_true(sim_run_for(sim, WAVE_S));
    assert_memory_equal(sim_log_text(sim), "A:R", 3);
    assert_int_equal(sim->log.count, 1);
    assert_int_equal(sim_conn(sim, LINK_A)->end, END_ABORTED);
    assert_int_equal(sim_conn(sim, LINK_B)->end, END_RESET);
    assert_int_equal(sim->end[LINK_B].events[EVENT_RESET], 1);
}

static void a_vanished_end_says_nothing(void **unused)
{
    (void)unused;
    sim_establish(sim);
    sim_log_clear(sim);
    conn_vanish(sim_conn(sim, LINK_A), link_now(sim->link));
    sim_run_for(sim, WAVE_S);
    assert_int_equal(sim->log.count, 0);
    assert_int_equal(sim_conn(sim, LINK_A)->end, END_VANISHED);
    assert_int_equal(sim_conn(sim, LINK_B)->state, STATE_ESTABLISHED);
    conn_vanish(sim_conn(sim, LINK_B), link_now(sim->link));
}

static void rfc9293_3_10_7_1_nobody_there_refuses(void **unused)
{
    (void)unused;
    assert_int_equal(conn_open(sim_conn(sim, LINK_A), link_now(sim->link), seq_of(5)), 0);
    sim_run_for(sim, WAVE_S);
    assert_string_equal(sim_log_text(sim), "A:S B:R.");
    assert_int_equal(sim_conn(sim, LINK_A)->end, END_REFUSED);
}

static void rfc9293_3_8_3_nothing_answers_the_syn(void **unused)
{
    (void)unused;
    link_set_cut(sim->link, true);
    sim_open(sim, seq_of(5), seq_of(6));
    sim_run_for(sim, WAVE_H);
    assert_int_equal(sim_conn(sim, LINK_A)->end, END_TIMEOUT_SYN);
    assert_int_equal(sim->end[LINK_A].last[EVENT_TIMEOUT].u.timeout, TIMEOUT_SYN);
    assert_int_equal(sim->log.count, 1 + sim->end[LINK_A].env.config.syn_retries);
    /* RFC 6298: 1 s, and twice as long each time. */
    for (size_t i = 1; i < sim->log.count; i++)
        assert_int_equal(sim->log.seen[i].at - sim->log.seen[i - 1].at, WAVE_S << (i - 1));
}

/*
 * Losing segments by their number. Each script is run once without loss, to count its segments,
 * and then once for each of them, and for each two of them, that are lost. As what follows
 * a loss is a run of its own, numbers beyond the undisturbed count are lost as well.
 */

struct sim_paths_script {
    void (*play)(void);
    bool quick;
};

struct losses {
    uint64_t first, second;
};

static bool lose_two(void *ctx, wave_time at, enum link_end from, uint64_t number,
                     const struct seg *s)
{
    const struct losses *l = ctx;
    (void)at, (void)from, (void)s;
    return number != l->first && number != l->second;
}

/* Says what is lost: the nth segment, and the next one that repeats it from the same position in
 * the stream. */
struct twice {
    uint64_t number;
    enum link_end from;
    struct seq seq;
    uint16_t flags;
    int lost;
};

static bool lose_twice(void *ctx, wave_time at, enum link_end from, uint64_t number,
                       const struct seg *s)
{
    struct twice *t = ctx;
    (void)at;
    bool again = t->lost == 1 && from == t->from && seq_eq(s->seq, t->seq) &&
                 ((s->flags ^ t->flags) & (SEG_SYN | SEG_FIN)) == 0;
    if (number != t->number && !again)
        return true;
    *t = (struct twice){t->number, from, s->seq, s->flags, t->lost + 1};
    return false;
}

/* Makes one run. Returns how many segments it took. */
static uint64_t play(const struct sim_paths_script *script, link_filter *filter, void *ctx)
{
    tear_down(NULL);
    set_up(NULL);
    sim->quick = script->quick;
    /* This lets a failure say which segments were lost. */
    const struct losses *l = filter == lose_two ? ctx : NULL;
    const struct twice *t = filter == lose_twice ? ctx : NULL;
    sim->seed = l ? l->first * 1000 + l->second : t ? t->number * 1000000 : 0;
    link_set_filter(sim->link, filter, ctx);
    script->play();
    if (!sim_run_for(sim, 12 * WAVE_H))
        sim_fail(sim, "the run did not end");
    sim_assert_complete(sim);
    uint64_t sent = link_counts(sim->link).sent;
    if (filter)
        assert_true(link_counts(sim->link).lost > 0);
    return sent;
}

static void each_lost_in_turn(const struct sim_paths_script *script)
{
    uint64_t undisturbed = play(script, NULL, NULL);
    for (uint64_t n = 1; n <= undisturbed; n++) {
        struct twice t = {.number = n};
        play(script, lose_twice, &t);
        for (uint64_t m = n; m <= undisturbed + 6; m++) {
            struct losses l = {n, m};
            play(script, lose_two, &l);
        }
    }
}

static void play_ordinary(void)
{
    sim_open(sim, seq_of(0xfffffff0), seq_of(0x7ffffff0));
    users(3000, SIM_CLOSE_SENT, SIM_CLOSE_AFTER_PEER);
}

static void play_no_data(void)
{
    sim_open(sim, seq_of(0), seq_of(0xffffffff));
    users(0, SIM_CLOSE_SENT, SIM_CLOSE_AFTER_PEER);
    sim->end[LINK_B].user.close_after = 50 * WAVE_MS;
}

static void play_passive_closes(void)
{
    sim_open(sim, seq_of(100), seq_of(0xffffffff));
    users(2000, SIM_CLOSE_AFTER_PEER, SIM_CLOSE_SENT);
    sim->end[LINK_B].user.close_after = WAVE_S;
}

static void play_both_open(void)
{
    both_open();
    users(1000, SIM_CLOSE_SENT, SIM_CLOSE_AFTER_PEER);
}

static void play_both_close(void)
{
    sim_open(sim, seq_of(100), seq_of(0xfffffffe));
    users(100, SIM_CLOSE_SENT, SIM_CLOSE_SENT);
    sim->end[LINK_A].user.close_after = sim->end[LINK_B].user.close_after = WAVE_S;
}

static void play_half_close(void)
{
    sim_open(sim, seq_of(1), seq_of(2));
    users(0, SIM_CLOSE_SENT, SIM_CLOSE_SENT);
    sim->end[LINK_B].user.total = 10000;
    sim->end[LINK_B].user.write_max = 3000;
    sim->end[LINK_B].user.write_pause = WAVE_S;
}

static void rfc9293_3_5_each_segment_of_open_exchange_and_close_lost(void **unused)
{
    (void)unused;
    each_lost_in_turn(&(struct sim_paths_script){play_ordinary, false});
}

static void rfc9293_3_6_each_segment_of_a_four_way_close_lost(void **unused)
{
    (void)unused;
    each_lost_in_turn(&(struct sim_paths_script){play_no_data, false});
}

static void rfc9293_3_6_each_segment_of_a_three_way_close_lost(void **unused)
{
    (void)unused;
    each_lost_in_turn(&(struct sim_paths_script){play_ordinary, true});
}

static void rfc9293_3_6_each_segment_of_a_close_by_the_passive_opener_lost(void **unused)
{
    (void)unused;
    each_lost_in_turn(&(struct sim_paths_script){play_passive_closes, false});
}

static void rfc9293_3_5_each_segment_of_a_simultaneous_open_lost(void **unused)
{
    (void)unused;
    each_lost_in_turn(&(struct sim_paths_script){play_both_open, false});
}

static void rfc9293_3_6_each_segment_of_a_simultaneous_close_lost(void **unused)
{
    (void)unused;
    each_lost_in_turn(&(struct sim_paths_script){play_both_close, false});
}

static void rfc9293_3_6_each_segment_of_a_half_closed_exchange_lost(void **unused)
{
    (void)unused;
    each_lost_in_turn(&(struct sim_paths_script){play_half_close, false});
}

/* Plays figure 9 and the following of RFC 9293, 3.5.1: A has crashed and comes back with this ISN.
 */
static void comes_back(uint32_t iss)
{
    sim_establish(sim);
    sim_restart(sim, LINK_A);
    sim_log_clear(sim);
    assert_int_equal(conn_open(sim_conn(sim, LINK_A), link_now(sim->link), seq_of(iss)), 0);
    sim_run_for(sim, 35 * WAVE_MS);
    assert_string_equal(sim_log_text(sim), "A:S B:. A:R");
    assert_int_equal(sim_conn(sim, LINK_B)->end, END_RESET);
    assert_int_equal(sim_conn(sim, LINK_A)->state, STATE_SYN_SENT);
    /* Now the other end listens once more, and the retransmitted SYN reaches it a round trip later.
     */
    sim_restart(sim, LINK_B);
    sim_listen(sim, LINK_B, seq_of(77));
    users(5000, SIM_CLOSE_SENT, SIM_CLOSE_AFTER_PEER);
    sim_until_state(sim, LINK_A, STATE_ESTABLISHED, 40 * WAVE_MS);
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
}

static void rfc9293_3_5_1_half_open_new_isn_in_the_old_window(void **unused)
{
    (void)unused;
    comes_back(1500);
}

static void rfc9293_3_5_1_half_open_new_isn_below_the_old_window(void **unused)
{
    (void)unused;
    comes_back(900);
}

static void rfc9293_3_5_1_half_open_new_isn_far_away(void **unused)
{
    (void)unused;
    comes_back(0x90000000u);
}

static void rfc9293_3_5_1_half_open_new_isn_at_the_next_number(void **unused)
{
    (void)unused;
    comes_back(1001);
}

static void rfc9293_3_5_1_data_to_a_crashed_end_is_reset(void **unused)
{
    (void)unused;
    const uint8_t byte = 'x';
    sim_establish(sim);
    sim_restart(sim, LINK_A);
    sim_log_clear(sim);
    assert_int_equal(conn_send(sim_conn(sim, LINK_B), link_now(sim->link), &byte, 1), 1);
    sim_run_for(sim, WAVE_S);
    assert_string_equal(sim_log_text(sim), "B:.(1) A:R");
    assert_int_equal(sim_conn(sim, LINK_B)->end, END_RESET);
}

static void rfc9293_3_5_old_duplicate_syn_before_the_new_one(void **unused)
{
    (void)unused;
    /* Figure 8: B answers the old SYN, A resets that, B returns to LISTEN and accepts the new one.
     */
    sim_open(sim, seq_of(90), seq_of(300));
    sim_run_for(sim, WAVE_MS);
    sim_restart(sim, LINK_A);
    assert_int_equal(conn_open(sim_conn(sim, LINK_A), link_now(sim->link), seq_of(100)), 0);
    users(3000, SIM_CLOSE_SENT, SIM_CLOSE_AFTER_PEER);
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
    assert_int_equal(sim_conn(sim, LINK_A)->end, END_CLOSED);
}

static void rfc9293_3_5_1_old_duplicate_syn_between_two_listeners(void **unused)
{
    (void)unused;
    sim_open(sim, seq_of(90), seq_of(300));
    sim_run_for(sim, WAVE_MS);
    sim_restart(sim, LINK_A);
    sim_listen(sim, LINK_A, seq_of(100));
    sim_run_for(sim, WAVE_S);
    assert_string_equal(sim_log_text(sim), "A:S B:S. A:R");
    assert_int_equal(sim_conn(sim, LINK_A)->state, STATE_LISTEN);
    assert_int_equal(sim_conn(sim, LINK_B)->state, STATE_LISTEN);
}

static void rfc9293_3_6_1_a_lost_last_ack_is_said_again_and_starts_time_wait_anew(void **unused)
{
    (void)unused;
    struct losses l = {7, 0};
    link_set_filter(sim->link, lose_two, &l);
    sim_establish(sim);
    users(0, SIM_CLOSE_SENT, SIM_CLOSE_AFTER_PEER);
    sim->end[LINK_B].user.close_after = 10 * WAVE_MS;
    assert_true(sim_run_for(sim, WAVE_H));
    assert_string_equal(sim_log_text(sim), "A:S B:S. A:. A:F. B:. B:F. A:. B:F. A:.");
    /* 2 MSL count from the FIN's repetition, as it arrives. */
    assert_int_equal(sim->end[LINK_A].last[EVENT_STATE].at, sim->log.seen[8].at + 4 * WAVE_MIN);
    sim_assert_complete(sim);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rfc9293_3_5_three_way_handshake),
        CASE(rfc9293_3_5_simultaneous_open),
        CASE(rfc9293_3_6_four_way_close),
        CASE(rfc9293_3_6_three_way_close),
        CASE(rfc9293_3_6_simultaneous_close),
        CASE(rfc9293_3_6_simultaneous_close_with_data_on_the_way),
        CASE(rfc9293_3_4_2_time_wait_lasts_two_msl),
        CASE(time_wait_is_left_at_once_when_not_wanted),
        CASE(rfc9293_3_6_half_close_by_the_active_opener),
        CASE(rfc9293_3_6_half_close_by_the_passive_opener),
        CASE(a_half_closed_receiver_that_reads_late_loses_nothing),
        CASE(rfc9293_3_10_5_abort_resets_the_peer),
        CASE(a_vanished_end_says_nothing),
        CASE(rfc9293_3_10_7_1_nobody_there_refuses),
        CASE(rfc9293_3_8_3_nothing_answers_the_syn),
        CASE(rfc9293_3_5_each_segment_of_open_exchange_and_close_lost),
        CASE(rfc9293_3_6_each_segment_of_a_four_way_close_lost),
        CASE(rfc9293_3_6_each_segment_of_a_three_way_close_lost),
        CASE(rfc9293_3_6_each_segment_of_a_close_by_the_passive_opener_lost),
        CASE(rfc9293_3_5_each_segment_of_a_simultaneous_open_lost),
        CASE(rfc9293_3_6_each_segment_of_a_simultaneous_close_lost),
        CASE(rfc9293_3_6_each_segment_of_a_half_closed_exchange_lost),
        CASE(rfc9293_3_5_1_half_open_new_isn_in_the_old_window),
        CASE(rfc9293_3_5_1_half_open_new_isn_below_the_old_window),
        CASE(rfc9293_3_5_1_half_open_new_isn_far_away),
        CASE(rfc9293_3_5_1_half_open_new_isn_at_the_next_number),
        CASE(rfc9293_3_5_1_data_to_a_crashed_end_is_reset),
        CASE(rfc9293_3_5_old_duplicate_syn_before_the_new_one),
        CASE(rfc9293_3_5_1_old_duplicate_syn_between_two_listeners),
        CASE(rfc9293_3_6_1_a_lost_last_ack_is_said_again_and_starts_time_wait_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
