/* Tests that a reduction of the window which proves to be spurious is undone: Eifel (RFC 3522, RFC
 * 4015), F-RTO (RFC 5682), D-SACK (RFC 3708); and that a justified one stays. */
#include "lib/core/loss.h"
#include "lib/core/queue.h"
#include "tests/unit/engine.h"

/* With timestamps and SACK, with SACK alone, or with neither. */
static void connect_with(bool timestamps, bool with_sack)
{
    rig_start(&variants[1]);
    rig.peer.timestamps = timestamps;
    rig.peer.sack = with_sack;
    establish(100 * WAVE_MS);
    forget();
}

static uint32_t at_segment(uint32_t i)
{
    return 1 + i * eff_mss();
}

/* Gives the engine an acknowledgement that echoes `echo`, with one block unless its end is 0. */
static void ack_with(uint32_t ack, uint32_t echo, uint32_t first, uint32_t end)
{
    struct seg s = make(ACK, 1, ack, WND, 0);
    s.opt.tsecr = echo;
    if (end) {
        s.opt.has |= OPT_SACK;
        s.opt.sacks = 1;
        s.opt.sack[0].first = seq_of(rig.iss + first);
        s.opt.sack[0].end = seq_of(rig.iss + end);
    }
    feed(s);
}

/* Sends so many segments, has `more` wait, and lets the timer fire. */
static void time_out(uint32_t segments, uint32_t more)
{
    push((segments + more) * eff_mss());
    burst();
    check(rig.bursts >= segments, "only %zu segments go out", rig.bursts);
    while (rig.c.backoff == 0)
        check(next_out(5 * WAVE_S), "the timer does not fire");
    check(out_seq() == snd_una(), "what stands first does not go again");
    check(rig.c.cwnd <= rig.c.mss, "cwnd is %u after a timeout", rig.c.cwnd);
}

static void is_taken_back(uint32_t cwnd, uint32_t ssthresh)
{
    check(rig.c.cwnd >= cwnd && rig.c.ssthresh == ssthresh,
          "cwnd is %u and was %u, ssthresh %u and was %u", rig.c.cwnd, cwnd, rig.c.ssthresh,
          ssthresh);
    check(!(rig.c.flags & CONN_RECOVERY) && rig.c.backoff == 0, "the recovery goes on");
    check(!rig.c.queue || rig.c.queue->lost == 0, "something is still taken for lost");
}

static void rfc3522_3_an_ack_of_the_original_takes_a_timeout_back(void **state)
{
    (void)state;
    connect_with(true, true);
    const uint32_t cwnd = rig.c.cwnd, ssthresh = rig.c.ssthresh, n = eff_mss();
    push(10 * n);
    burst();
    const uint32_t original = rig.echo;
    while (rig.c.backoff == 0)
        check(next_out(5 * WAVE_S), "the timer does not fire");
    silent(5 * WAVE_MS);
    ack_with(at_segment(1), original, 0, 0);
    is_taken_back(cwnd, ssthresh);
    nothing(); /* and nothing more is retransmitted */
    ack_with(at_segment(10), original, 0, 0);
    silent(WAVE_H);
}

static void rfc3522_3_an_ack_of_the_retransmission_does_not(void **state)
{
    (void)state;
    connect_with(true, true);
    const uint32_t cwnd = rig.c.cwnd;
    time_out(10, 0);
    silent(100 * WAVE_MS);
    ack_with(at_segment(1), rig.echo, 0, 0);
    check(rig.c.cwnd < cwnd && rig.c.queue->after_timeout, "it is taken back");
    check(next_out(0) && out_seq() == at_segment(1), "the flight does not go again");
    /* Only the first acknowledgement is asked. */
    ack_with(at_segment(2), rig.echo - 1000, 0, 0);
    check(rig.c.queue->after_timeout, "a later one takes it back");
}

/* However late it comes: RACK, too, must take it for the original's, or it would hold the rest of
 * the flight for lost (RFC 8985, 6.2, step 2). */
static void rfc3522_3_a_very_late_ack_of_the_original_does_as_well(void **state)
{
    (void)state;
    connect_with(true, true);
    const uint32_t cwnd = rig.c.cwnd, ssthresh = rig.c.ssthresh;
    push(10 * eff_mss());
    burst();
    const uint32_t original = rig.echo;
    while (rig.c.backoff == 0)
        check(next_out(5 * WAVE_S), "the timer does not fire");
    silent(200 * WAVE_MS); /* twice the round trip */
    ack_with(at_segment(1), original, 0, 0);
    is_taken_back(cwnd, ssthresh);
    ack_with(1, original, at_segment(5), at_segment(6));
    ack_with(at_segment(10), original, 0, 0);
    silent(WAVE_H);
}

/* RFC 4015 is for fast retransmissions as well: the first was only late by more than RACK allows
 * where no reordering is known, and from then on it is known. */
static void rfc3522_3_reordering_takes_a_fast_retransmission_back(void **state)
{
    (void)state;
    connect_with(true, true);
    const uint32_t cwnd = rig.c.cwnd, ssthresh = rig.c.ssthresh;
    push(10 * eff_mss());
    burst();
    const uint32_t original = rig.echo;
    silent(100 * WAVE_MS);
    for (uint32_t i = 2; i <= 5; i++)
        ack_with(1, original, at_segment(1), at_segment(i));
    check(next_out(0) && out_seq() == 1, "no fast retransmission");
    check(rig.c.flags & CONN_RECOVERY, "no recovery");
    silent(2 * WAVE_MS);
    ack_with(at_segment(5), original, 0, 0);
    is_taken_back(cwnd, ssthresh);
    check(rig.c.rack.reordered, "RACK has learnt nothing");
}

static void rfc4015_a_mark_of_congestion_keeps_the_reduction(void **state)
{
    (void)state;
    connect_with(true, true);
    rig.c.flags |= CONN_ECN;
    const uint32_t cwnd = rig.c.cwnd;
    push(10 * eff_mss());
    burst();
    const uint32_t original = rig.echo;
    while (rig.c.backoff == 0)
        check(next_out(5 * WAVE_S), "the timer does not fire");
    struct seg s = make(ACK | ECE, 1, at_segment(1), WND, 0);
    s.opt.tsecr = original;
    feed(s);
    check(rig.c.cwnd < cwnd && rig.c.queue->after_timeout, "it is taken back");
}

/* RFC 5682, 2.1: the ACK of the first segment, two new segments, and then the ACK of one that was
 * sent only once. */
static void rfc5682_2_1_new_data_and_then_an_ack_of_what_went_once(bool with_sack)
{
    connect_with(false, with_sack);
    const uint32_t cwnd = rig.c.cwnd, ssthresh = rig.c.ssthresh;
    time_out(10, 10);
    in(ACK, 1, at_segment(1), WND, 0);
    check(burst() == 2 * eff_mss() && rig.bursts == 2, "%zu segments go out", rig.bursts);
    check(rig.seen[0].seq >= at_segment(10), "what was sent goes again before new data");
    in(ACK, 1, at_segment(2), WND, 0);
    is_taken_back(cwnd, ssthresh);
}

static void rfc5682_2_1_a_late_flight_takes_the_timeout_back(void **state)
{
    (void)state;
    rfc5682_2_1_new_data_and_then_an_ack_of_what_went_once(false);
}

static void rfc5682_3_1_the_same_with_sack(void **state)
{
    (void)state;
    rfc5682_2_1_new_data_and_then_an_ack_of_what_went_once(true);
}

/* 2.1, step 3a: a duplicate after the new data means that there is a hole. */
static void rfc5682_2_1_a_duplicate_goes_on_with_the_recovery(void **state)
{
    (void)state;
    connect_with(false, false);
    const uint32_t cwnd = rig.c.cwnd;
    time_out(10, 10);
    in(ACK, 1, at_segment(1), WND, 0);
    check(burst() == 2 * eff_mss(), "no new data goes out");
    in(ACK, 1, at_segment(1), WND, 0);
    check(rig.c.cwnd < cwnd && (rig.c.flags & CONN_RECOVERY), "it is taken back");
    check(next_out(0) && out_seq() == at_segment(1), "the next does not go again");
}

/* 2.1, step 2a: nothing new to send, or all acknowledged together: nothing is known. */
static void rfc5682_2_1_without_new_data_the_flight_goes_again(void **state)
{
    (void)state;
    connect_with(false, true);
    time_out(10, 0);
    in(ACK, 1, at_segment(1), WND, 0);
    check(next_out(0) && out_seq() == at_segment(1), "the flight does not go again");
    connect_with(false, true);
    const uint32_t cwnd = rig.c.cwnd;
    time_out(10, 10);
    in(ACK, 1, snd_nxt(), WND, 0);
    burst();
    in(ACK, 1, snd_nxt(), WND, 0);
    check(rig.c.ssthresh < cwnd, "ssthresh is %u", rig.c.ssthresh);
}

/* 2.1, step 1: a second timeout of the same segment is no test. */
static void rfc5682_2_1_a_timeout_in_a_row_is_not_judged(void **state)
{
    (void)state;
    connect_with(false, true);
    time_out(10, 10);
    while (rig.c.backoff == 1)
        check(next_out(5 * WAVE_S), "the timer does not fire again");
    in(ACK, 1, at_segment(1), WND, 0);
    check(next_out(0) && out_seq() < at_segment(10), "new data goes out first");
}

/* RFC 3708: a duplicate is reported for everything that was retransmitted; here after nothing is
 * left, not even the queue. */
static void rfc3708_all_retransmissions_doubled_take_it_back(void **state)
{
    (void)state;
    connect_with(false, true);
    const uint32_t cwnd = rig.c.cwnd, ssthresh = rig.c.ssthresh;
    time_out(1, 0);
    in(ACK, 1, at_segment(1), WND, 0);
    check(rig.c.queue == NULL && rig.c.cwnd < cwnd, "cwnd is %u", rig.c.cwnd);
    ack_with(at_segment(1), 0, at_segment(0), at_segment(1));
    is_taken_back(cwnd, ssthresh);
}

static void rfc3708_some_of_them_do_not(void **state)
{
    (void)state;
    connect_with(false, true);
    const uint32_t cwnd = rig.c.cwnd;
    time_out(4, 0);
    in(ACK, 1, at_segment(1), WND, 0);
    check(burst() >= eff_mss(), "nothing goes again");
    in(ACK, 1, at_segment(4), WND, 0);
    ack_with(at_segment(4), 0, at_segment(0), at_segment(1));
    check(rig.c.cwnd < cwnd, "cwnd is %u", rig.c.cwnd);
    /* A duplicate of a segment that was never retransmitted, as a path can make one, does not
     * count. */
    ack_with(at_segment(4), 0, 0xfffff000, 1);
    check(rig.c.cwnd < cwnd, "cwnd is %u", rig.c.cwnd);
}

/* RFC 8985, 6.2: what RACK has learnt outlasts the queue, and a D-SACK counts without one. */
static void rfc8985_6_2_rack_remembers_without_a_queue(void **state)
{
    (void)state;
    connect_with(true, true);
    push(3 * eff_mss());
    burst();
    silent(100 * WAVE_MS);
    ack_with(1, rig.echo, at_segment(1), at_segment(2));
    ack_with(at_segment(2), rig.echo, 0, 0); /* the first was late */
    ack_with(at_segment(3), rig.echo, 0, 0);
    check(rig.c.queue == NULL && rig.c.rack.reordered, "the reordering is forgotten");
    ack_with(at_segment(3), rig.echo, at_segment(0), at_segment(1));
    check(rig.c.rack.reo_mult == 2, "the window is %u quarters", rig.c.rack.reo_mult);
    push(eff_mss());
    burst();
    check(rig.c.rack.reordered && rig.c.rack.reo_mult == 2, "the next flight knows nothing of it");
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc3522_3_an_ack_of_the_original_takes_a_timeout_back),
        cmocka_unit_test(rfc3522_3_a_very_late_ack_of_the_original_does_as_well),
        cmocka_unit_test(rfc3522_3_an_ack_of_the_retransmission_does_not),
        cmocka_unit_test(rfc3522_3_reordering_takes_a_fast_retransmission_back),
        cmocka_unit_test(rfc4015_a_mark_of_congestion_keeps_the_reduction),
        cmocka_unit_test(rfc5682_2_1_a_late_flight_takes_the_timeout_back),
        cmocka_unit_test(rfc5682_3_1_the_same_with_sack),
        cmocka_unit_test(rfc5682_2_1_a_duplicate_goes_on_with_the_recovery),
        cmocka_unit_test(rfc5682_2_1_without_new_data_the_flight_goes_again),
        cmocka_unit_test(rfc5682_2_1_a_timeout_in_a_row_is_not_judged),
        cmocka_unit_test(rfc3708_all_retransmissions_doubled_take_it_back),
        cmocka_unit_test(rfc3708_some_of_them_do_not),
        cmocka_unit_test(rfc8985_6_2_rack_remembers_without_a_queue),
    };
    return run_cases(cases, COUNT(cases));
}
