/* Tests keepalive between two engines: RFC 1122, 4.2.3.6 and RFC 9293, 3.8.4. Hours pass in virtual
 * time, and every probe and verdict is checked to the nanosecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/err.h"
#include "tests/unit/sim.h"

#define DELAY (10 * WAVE_MS)

static struct sim *sim;

/* Established, with A's keepalive on, and everything said that opening has to say. */
static void begin(const struct conn_config *a, const struct conn_config *b)
{
    sim = sim_new(1, a, b);
    sim_impair(sim, &(struct path_impairment){.delay = DELAY});
    sim_establish(sim);
    sim_log_clear(sim);
}

static struct conn_config keeping(void)
{
    struct conn_config c = sim_config(1500);
    c.keepalive = true;
    return c;
}

static void begin_with(wave_time idle, wave_time interval, uint32_t count, bool garbage)
{
    struct conn_config a = keeping(), b = sim_config(1500);
    if (idle) {
        a.keepalive_idle = idle;
        a.keepalive_interval = interval;
        a.keepalive_count = count;
    }
    a.keepalive_garbage = garbage;
    begin(&a, &b);
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        conn_vanish(&sim->end[i].conn, link_now(sim->link));
    sim_delete(sim);
    return 0;
}

static struct sim_end *end_a(void)
{
    return &sim->end[LINK_A];
}

/* Checks the schedule when the peer is gone from now on: probes are sent at sim->heard[LINK_A] +
 * idle and then each interval, and the verdict comes one interval after the last probe, which has
 * its time for an answer as well. */
static void assert_schedule_to_the_verdict(wave_time idle, wave_time interval, uint32_t count)
{
    wave_time word = sim->heard[LINK_A];
    sim_log_clear(sim);
    link_set_cut(sim->link, true);
    sim_run(sim, word + idle + (count + 5) * interval);
    assert_int_equal(sim->log.count, count + 1);
    for (uint32_t n = 0; n < count; n++) {
        const struct sim_seen *p = &sim->log.seen[n];
        assert_int_equal(p->at, word + idle + n * interval);
        assert_int_equal(p->from, LINK_A);
        assert_int_equal(p->seg.flags & ~SEG_PSH, SEG_ACK);
        assert_int_equal(p->seg.seq.v, end_a()->conn.snd.nxt.v - 1);
        assert_int_equal(p->seg.len, end_a()->env.config.keepalive_garbage ? 1 : 0);
    }
    assert_int_equal(sim->log.seen[count].seg.flags & SEG_RST, SEG_RST);
    assert_int_equal(sim->log.seen[count].at, word + idle + count * interval);
    assert_int_equal(end_a()->conn.end, END_KEEPALIVE);
    assert_int_equal(end_a()->last[EVENT_TIMEOUT].u.timeout, TIMEOUT_KEEPALIVE);
    assert_int_equal(end_a()->last[EVENT_TIMEOUT].at, word + idle + count * interval);
    assert_int_equal(end_a()->events[EVENT_PROBE], count);
    assert_int_equal(end_a()->events[EVENT_PROBE_ANSWER], 0);
}

static void rfc1122_4_2_3_6_the_default_schedule_to_the_verdict(void **unused)
{
    (void)unused;
    begin_with(0, 0, 0, false);
    assert_schedule_to_the_verdict(7200 * WAVE_S, 75 * WAVE_S, 10);
}

static void rfc1122_4_2_3_6_the_default_schedule_with_garbage(void **unused)
{
    (void)unused;
    begin_with(0, 0, 0, true);
    assert_schedule_to_the_verdict(7200 * WAVE_S, 75 * WAVE_S, 10);
}

static void settings_of_microseconds(void **unused)
{
    (void)unused;
    begin_with(50 * WAVE_MS, 7 * WAVE_US, 3, false);
    assert_schedule_to_the_verdict(50 * WAVE_MS, 7 * WAVE_US, 3);
}

static void settings_of_days(void **unused)
{
    (void)unused;
    begin_with(400 * 24 * WAVE_H, 30 * 24 * WAVE_H, 255, false);
    assert_schedule_to_the_verdict(400 * 24 * WAVE_H, 30 * 24 * WAVE_H, 255);
}

static void a_single_probe_decides_when_told_so(void **unused)
{
    (void)unused;
    begin_with(WAVE_S, WAVE_S, 1, false);
    assert_schedule_to_the_verdict(WAVE_S, WAVE_S, 1);
}

static void off_by_default_and_silent_for_days(void **unused)
{
    (void)unused;
    struct conn_config c = sim_config(1500);
    begin(&c, &c);
    sim_run_for(sim, 240 * WAVE_H);
    assert_int_equal(sim->log.count, 0);
    assert_int_equal(end_a()->conn.state, STATE_ESTABLISHED);
}

static void a_living_peer_is_asked_again_only_after_another_idle_time(bool garbage)
{
    begin_with(0, 0, 0, garbage);
    wave_time word = sim->heard[LINK_A];
    sim_run(sim, word + 10 * 7200 * WAVE_S);
    /* Each answer is a word of the peer's, and comes 20 ms after the probe. */
    assert_int_equal(end_a()->events[EVENT_PROBE], 9);
    assert_int_equal(end_a()->events[EVENT_PROBE_ANSWER], 9);
    assert_int_equal(sim->log.count, 18);
    for (size_t n = 0; n < 18; n += 2) {
        assert_int_equal(sim->log.seen[n].from, LINK_A);
        assert_int_equal(sim->log.seen[n].at,
                         word + (n / 2 + 1) * 7200 * WAVE_S + n / 2 * 2 * DELAY);
        assert_int_equal(sim->log.seen[n + 1].from, LINK_B);
        assert_int_equal(sim->log.seen[n + 1].at, sim->log.seen[n].at + DELAY);
        assert_int_equal(sim->log.seen[n + 1].seg.flags, SEG_ACK);
        assert_int_equal(sim->log.seen[n + 1].seg.ack.v, end_a()->conn.snd.nxt.v);
    }
    assert_int_equal(end_a()->last[EVENT_PROBE_ANSWER].u.probe.n, 9);
    assert_int_equal(end_a()->last[EVENT_PROBE_ANSWER].u.probe.rtt, 2 * DELAY);
    assert_int_equal(sim->end[LINK_B].events[EVENT_PEER_PROBE], 9);
    assert_int_equal(sim->end[LINK_B].last[EVENT_PEER_PROBE].u.peer_probe.silence,
                     7200 * WAVE_S + 2 * DELAY);
    assert_int_equal(end_a()->conn.state, STATE_ESTABLISHED);
}

static void rfc1122_4_2_3_6_an_answer_starts_the_idle_time_again(void **unused)
{
    (void)unused;
    a_living_peer_is_asked_again_only_after_another_idle_time(false);
}

static void rfc1122_4_2_3_6_an_answer_to_garbage_starts_the_idle_time_again(void **unused)
{
    (void)unused;
    a_living_peer_is_asked_again_only_after_another_idle_time(true);
}

static void rfc9293_3_8_4_any_segment_of_the_peers_starts_the_timer_again(void **unused)
{
    (void)unused;
    begin_with(10 * WAVE_S, WAVE_S, 3, false);
    /* Data each 9 s, in either direction, is reason enough never to probe. */
    for (enum link_end e = LINK_A; e <= LINK_B; e++) {
        for (int i = 0; i < 100; i++) {
            sim->end[e].user.total++;
            sim_run_for(sim, 9 * WAVE_S);
        }
        assert_int_equal(end_a()->events[EVENT_PROBE], 0);
    }
    assert_schedule_to_the_verdict(10 * WAVE_S, WAVE_S, 3);
}

static bool lose_probes(void *ctx, wave_time at, enum link_end from, uint64_t number,
                        const struct seg *s)
{
    uint32_t *n = ctx;
    (void)at, (void)s, (void)number;
    if (from != LINK_A)
        return true;
    ++*n;
    return *n % 10 == 0;
}

static void rfc9293_3_8_4_lost_probes_end_nothing_while_one_is_answered(void **unused)
{
    (void)unused;
    uint32_t n = 0;
    begin_with(0, 0, 0, false);
    link_set_filter(sim->link, lose_probes, &n);
    sim_run_for(sim, 100 * WAVE_H);
    assert_int_equal(end_a()->conn.state, STATE_ESTABLISHED);
    assert_true(end_a()->events[EVENT_PROBE] > 400);
    assert_int_equal(end_a()->events[EVENT_PROBE_ANSWER], end_a()->events[EVENT_PROBE] / 10);
}

static void a_peer_that_was_rebooted_answers_with_rst(void **unused)
{
    (void)unused;
    begin_with(0, 0, 0, false);
    sim_restart(sim, LINK_B);
    sim_run_for(sim, 7201 * WAVE_S);
    assert_int_equal(end_a()->conn.end, END_RESET);
    assert_int_equal(end_a()->events[EVENT_PROBE], 1);
    assert_int_equal(end_a()->last[EVENT_RESET].at, sim->heard[LINK_A]);
}

static void rfc1122_4_2_3_6_no_probe_while_data_is_outstanding(void **unused)
{
    (void)unused;
    begin_with(WAVE_S, WAVE_S, 3, false);
    link_set_cut(sim->link, true);
    end_a()->user.total = 100;
    sim_run_for(sim, WAVE_H);
    /* Retransmission judges, in its own time: 3 s of probes would have been over much earlier. */
    assert_int_equal(end_a()->conn.end, END_TIMEOUT);
    assert_int_equal(end_a()->events[EVENT_PROBE], 0);
    assert_true(end_a()->last[EVENT_TIMEOUT].at - sim->log.seen[0].at >= 100 * WAVE_S);
}

static void rfc9293_3_8_4_probing_goes_on_after_an_outage_of_data(void **unused)
{
    (void)unused;
    begin_with(WAVE_S, WAVE_S, 3, false);
    link_set_cut(sim->link, true);
    end_a()->user.total = 100;
    sim_run_for(sim, 20 * WAVE_S);
    link_set_cut(sim->link, false);
    sim_run_for(sim, 60 * WAVE_S + WAVE_S / 2);
    assert_int_equal(sim->end[LINK_B].received, 100);
    assert_int_equal(end_a()->conn.state, STATE_ESTABLISHED);
    assert_true(end_a()->events[EVENT_PROBE_ANSWER] > 10);
    sim_run(sim, sim->heard[LINK_A] + WAVE_MS);
    end_a()->events[EVENT_PROBE] = end_a()->events[EVENT_PROBE_ANSWER] = 0;
    assert_schedule_to_the_verdict(WAVE_S, WAVE_S, 3);
}

/* The peer's window is shut for hours; it answers window probes, and needs no others. */
static void rfc9293_3_8_4_persist_and_keepalive_leave_each_other_alone(void **unused)
{
    (void)unused;
    struct conn_config a = keeping(), b = keeping();
    a.keepalive_idle = b.keepalive_idle = 30 * WAVE_S;
    a.keepalive_interval = b.keepalive_interval = 5 * WAVE_S;
    a.keepalive_count = b.keepalive_count = 2;
    b.rcvbuf = 5000;
    begin(&a, &b);
    sim->end[LINK_B].user.never_reads = true;
    end_a()->user = (struct sim_user){.total = 20000, .close = SIM_CLOSE_SENT};
    sim_run_for(sim, 5 * WAVE_H);
    assert_int_equal(end_a()->conn.snd.wnd, 0);
    assert_int_equal(end_a()->conn.state, STATE_ESTABLISHED);
    assert_int_equal(end_a()->events[EVENT_PROBE], 0);
    /* B has nothing outstanding and hears from A each 120 s only: it asks in between. */
    assert_int_equal(sim->end[LINK_B].conn.state, STATE_ESTABLISHED);
    assert_true(sim->end[LINK_B].events[EVENT_PROBE] > 100);
    assert_int_equal(sim->end[LINK_B].events[EVENT_PROBE],
                     sim->end[LINK_B].events[EVENT_PROBE_ANSWER]);
    sim->end[LINK_B].user.never_reads = false;
    sim->end[LINK_B].user.close = SIM_CLOSE_AFTER_PEER;
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
}

static void rfc9293_3_8_4_both_ends_may_probe(void **unused)
{
    (void)unused;
    struct conn_config c = keeping();
    c.keepalive_idle = 10 * WAVE_S;
    begin(&c, &c);
    sim_run_for(sim, WAVE_H);
    assert_int_equal(end_a()->conn.state, STATE_ESTABLISHED);
    assert_int_equal(sim->end[LINK_B].conn.state, STATE_ESTABLISHED);
    uint32_t probes = end_a()->events[EVENT_PROBE] + sim->end[LINK_B].events[EVENT_PROBE];
    uint32_t answers =
        end_a()->events[EVENT_PROBE_ANSWER] + sim->end[LINK_B].events[EVENT_PROBE_ANSWER];
    assert_int_equal(probes, answers);
    assert_in_range(probes, 300, 720);
}

/* Half-closed, both ways: a probe stays below what the FIN used up, and is answered. */
static void keepalive_holds_a_half_closed_connection(void **unused)
{
    (void)unused;
    struct conn_config c = keeping();
    c.keepalive_idle = 60 * WAVE_S;
    begin(&c, &c);
    end_a()->user.close = SIM_CLOSE_SENT;
    sim_run_for(sim, 2 * WAVE_H);
    assert_int_equal(end_a()->conn.state, STATE_FIN_WAIT_2);
    assert_int_equal(sim->end[LINK_B].conn.state, STATE_CLOSE_WAIT);
    assert_true(end_a()->events[EVENT_PROBE_ANSWER] + sim->end[LINK_B].events[EVENT_PROBE_ANSWER] >
                100);
    sim->end[LINK_B].user.close = SIM_CLOSE_SENT;
    assert_true(sim_run_for(sim, WAVE_H));
    sim_assert_complete(sim);
}

static void turned_on_late_it_counts_from_the_last_word(void **unused)
{
    (void)unused;
    struct conn_config c = sim_config(1500);
    begin(&c, &c);
    sim_run_for(sim, 100 * WAVE_S);
    conn_keepalive(&end_a()->conn, link_now(sim->link), true);
    assert_schedule_to_the_verdict(7200 * WAVE_S, 75 * WAVE_S, 10);
}

static void turned_off_it_is_silent(void **unused)
{
    (void)unused;
    begin_with(0, 0, 0, false);
    sim_run_for(sim, 7000 * WAVE_S);
    conn_keepalive(&end_a()->conn, link_now(sim->link), false);
    sim_run_for(sim, 100 * WAVE_H);
    assert_int_equal(sim->log.count, 0);
    assert_int_equal(conn_expiry(&end_a()->conn, link_now(sim->link)), WAVE_NEVER);
}

#define CASE(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rfc1122_4_2_3_6_the_default_schedule_to_the_verdict),
        CASE(rfc1122_4_2_3_6_the_default_schedule_with_garbage),
        CASE(settings_of_microseconds),
        CASE(settings_of_days),
        CASE(a_single_probe_decides_when_told_so),
        CASE(off_by_default_and_silent_for_days),
        CASE(rfc1122_4_2_3_6_an_answer_starts_the_idle_time_again),
        CASE(rfc1122_4_2_3_6_an_answer_to_garbage_starts_the_idle_time_again),
        CASE(rfc9293_3_8_4_any_segment_of_the_peers_starts_the_timer_again),
        CASE(rfc9293_3_8_4_lost_probes_end_nothing_while_one_is_answered),
        CASE(a_peer_that_was_rebooted_answers_with_rst),
        CASE(rfc1122_4_2_3_6_no_probe_while_data_is_outstanding),
        CASE(rfc9293_3_8_4_probing_goes_on_after_an_outage_of_data),
        CASE(rfc9293_3_8_4_persist_and_keepalive_leave_each_other_alone),
        CASE(rfc9293_3_8_4_both_ends_may_probe),
        CASE(keepalive_holds_a_half_closed_connection),
        CASE(turned_on_late_it_counts_from_the_last_word),
        CASE(turned_off_it_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
