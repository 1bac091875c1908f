/* What a duplicate acknowledgement says after a timeout and at a shut window, and what a window
 * that opens lets out: RFC 5681, 6582 and 9293, 3.8.6.1, mostly for a peer without SACK. */
#include "tests/unit/engine.h"

#define MSS 1460u

/* Plain, so that segments are 1460 bytes and a duplicate ACK is RFC 5681's. */
static void connect_plain(bool sack)
{
    rig_start(&variants[sack ? 1 : 0]);
    rig.peer.timestamps = false;
    rig.env.config.congestion = CONGESTION_RENO;
    establish(100 * WAVE_MS);
    in(ACK, 1, 1, 65535, 0);
    forget();
}

/* Ten segments are lost, or seem so; F-RTO (RFC 5682) has found that they are. */
static void time_out(void)
{
    check(burst() == 10 * MSS, "ten segments do not go out");
    check(next_out(5 * WAVE_S) && out_seq() == 1, "the timer does not fire");
    in(ACK, 1, 1, 65535, 0);
    nothing();
}

/* 3.1: cwnd is the loss window, one segment, however much of the flight arrives late. */
static void rfc5681_3_1_duplicates_after_a_timeout_let_nothing_out(void **state)
{
    (void)state;
    connect_plain(false);
    push(40 * MSS);
    time_out();
    for (unsigned i = 0; i < 8; i++)
        in(ACK, 1, 1, 65535, 0);
    check(burst() == 0, "%zu segments go out for duplicates after a timeout", rig.bursts);
}

/* 3.2, step 2: a recovery begins where the ACK covers more than what was out at the timeout, and
 * not where segments that went twice have only drawn duplicates. */
static void rfc6582_3_2_duplicates_of_what_went_twice_are_no_loss(void **state)
{
    (void)state;
    connect_plain(false);
    push(60 * MSS);
    time_out();
    for (uint32_t i = 1; i <= 3; i++) {
        in(ACK, 1, 1 + i * MSS, 65535, 0);
        check(burst() > 0, "the flight does not go again");
    }
    in(ACK, 1, 1 + 10 * MSS, 65535, 0); /* the rest had arrived at first */
    check(burst() > 0, "no new data goes out");
    const uint32_t ssthresh = rig.c.ssthresh;
    for (unsigned i = 0; i < 4; i++)
        in(ACK, 1, 1 + 10 * MSS, 65535, 0);
    check(burst() == 0, "%u goes out for duplicates", rig.seen[0].seq);
    check(rig.c.ssthresh == ssthresh, "ssthresh went from %u to %u", ssthresh, rig.c.ssthresh);
    /* What is lost after that is found as ever. */
    in(ACK, 1, 1 + 11 * MSS, 65535, 0);
    burst();
    for (unsigned i = 0; i < 3; i++)
        in(ACK, 1, 1 + 11 * MSS, 65535, 0);
    check(next_out(0) && out_seq() == 1 + 11 * MSS, "the third duplicate sends nothing again");
}

/* Forty segments, so that cwnd has grown; the last acknowledgement shuts the window. */
static void grow_and_shut(bool sack)
{
    connect_plain(sack);
    push(40 * MSS);
    burst();
    for (uint32_t acked = 1 + MSS; acked <= 1 + 40 * MSS; acked += MSS) {
        rig.now += 10 * WAVE_MS;
        in(ACK, 1, acked, acked == 1 + 40 * MSS ? 0 : 65535, 0);
        burst();
    }
    check(rig.c.cwnd > 20 * MSS, "cwnd only grew to %u", rig.c.cwnd);
    push(60000);
}

static void rfc9293_3_8_6_1_answers_to_probes_are_no_duplicates(void **state)
{
    (void)state;
    grow_and_shut(false);
    const uint32_t cwnd = rig.c.cwnd, ssthresh = rig.c.ssthresh;
    for (unsigned i = 0; i < 5; i++) {
        check(next_out(10 * WAVE_S) && out_seq() == 1 + 40 * MSS, "no probe goes out");
        in(ACK, 1, 1 + 40 * MSS, 0, 0);
        nothing();
    }
    check(rig.c.cwnd == cwnd && rig.c.ssthresh == ssthresh, "cwnd went from %u to %u", cwnd,
          rig.c.cwnd);
}

/* 4.1: no data has left for more than an RTO, for whichever reason. */
static void rfc5681_4_1_a_window_that_was_shut_restarts(void **state)
{
    (void)state;
    for (int sack = 0; sack <= 1; sack++) {
        grow_and_shut(sack);
        for (unsigned i = 0; i < 3; i++) {
            check(next_out(10 * WAVE_S), "no probe goes out");
            in(ACK, 1, 1 + 40 * MSS, 0, 0);
        }
        silent(500 * WAVE_MS);
        in(ACK, 1, 1 + 40 * MSS, 65535, 0);
        check(burst() > 0 && rig.bursts <= 11, "%zu segments go out at once", rig.bursts);
    }
}

/* A window that was shut for less than an RTO, so that no probe went, leaves it. */
static void rfc5681_4_1_a_window_shut_for_a_moment_does_not_restart(void **state)
{
    (void)state;
    grow_and_shut(false);
    rig.now += 50 * WAVE_MS;
    in(ACK, 1, 1 + 40 * MSS, 65535, 0);
    check(burst() > 20 * MSS, "only %zu segments go out", rig.bursts);
}

/* RFC 5961, 3.2: a peer whose window is shut takes a RST at RCV.NXT alone, which an unanswered
 * probe leaves one below SND.NXT. */
static void rfc9293_3_10_5_a_rst_stands_where_a_shut_window_takes_it(void **state)
{
    (void)state;
    grow_and_shut(false);
    check(next_out(10 * WAVE_S) && rig.out.len == 1, "no probe goes out");
    in(ACK, 1, 1 + 40 * MSS, 0, 0);
    conn_abort(&rig.c, rig.now);
    out(RST, 1 + 40 * MSS, 0, 0);
    expect_closed(END_ABORTED);
}

/* <SEQ=SND.NXT><ACK=RCV.NXT>: the window of a SYN does not count from our own SYN. */
static void rfc9293_3_10_7_4_a_syn_without_a_window_is_challenged_at_snd_nxt(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    drive(STATE_LISTEN);
    in(SYN, 0, 0, 0, 0);
    out(SYN | ACK, 0, 1, 0);
    in(RST, 100, 0, 0, 0);
    out(ACK, 1, 1, 0);
    conn_abort(&rig.c, rig.now);
    out(RST, 1, 0, 0);
}

/* RFC 8985, 7.2: a receiver's longest delay of an ACK beyond two round trips, where the
 * retransmission timer would come later still, as after a first measurement. */
static void rfc8985_7_2_one_segment_has_its_probe_before_the_timer(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    establish(400 * WAVE_MS);
    const uint32_t cwnd = rig.c.cwnd;
    check(rto_us() == 1200000, "the RTO is %u us", rto_us());
    push(100);
    out(ACK, 1, 1, 100);
    out_between(1000 * WAVE_MS, 1000 * WAVE_MS, ACK, 1, 1, 100);
    check(rig.c.cwnd == cwnd, "the probe reduces cwnd to %u", rig.c.cwnd);
    /* RFC 8985, 7.3: the timer counts from the probe. */
    out_between(1200 * WAVE_MS, 1200 * WAVE_MS, ACK, 1, 1, 100);
    check(rig.c.cwnd < cwnd, "the timer leaves cwnd at %u", rig.c.cwnd);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc5681_3_1_duplicates_after_a_timeout_let_nothing_out),
        cmocka_unit_test(rfc6582_3_2_duplicates_of_what_went_twice_are_no_loss),
        cmocka_unit_test(rfc9293_3_8_6_1_answers_to_probes_are_no_duplicates),
        cmocka_unit_test(rfc5681_4_1_a_window_that_was_shut_restarts),
        cmocka_unit_test(rfc5681_4_1_a_window_shut_for_a_moment_does_not_restart),
        cmocka_unit_test(rfc9293_3_10_5_a_rst_stands_where_a_shut_window_takes_it),
        cmocka_unit_test(rfc9293_3_10_7_4_a_syn_without_a_window_is_challenged_at_snd_nxt),
        cmocka_unit_test(rfc8985_7_2_one_segment_has_its_probe_before_the_timer),
    };
    return run_cases(cases, COUNT(cases));
}
