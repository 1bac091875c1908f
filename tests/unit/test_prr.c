/* Tests Proportional Rate Reduction (RFC 6937) through prr.h, and by what is sent during a
 * recovery. */
#include "lib/core/loss.h"
#include "lib/core/prr.h"
#include "lib/core/queue.h"
#include "tests/unit/engine.h"

enum { MSS = 1000 };

/* Twenty segments, one of them lost, down to fourteen: for the nineteen that are delivered, and
 * with the retransmission, fourteen go out, evenly. */
static void rfc6937_3_what_is_sent_is_in_proportion_to_what_is_delivered(void **state)
{
    struct prr p;
    uint32_t pipe = 20 * MSS, sent = MSS, max = 0, pause = 0, paused = 0;
    (void)state;
    prr_start(&p, 20 * MSS);
    prr_sent(&p, MSS);
    for (int i = 1; i < 20; i++) {
        uint32_t now = 0;
        pipe -= MSS;
        uint32_t may = prr_allowed(&p, MSS, pipe, 14 * MSS, MSS, false);
        for (; may >= MSS; may -= MSS, now += MSS) {
            prr_sent(&p, MSS);
            pipe += MSS;
        }
        sent += now;
        max = now > max ? now : max;
        paused = now ? 0 : paused + 1;
        pause = paused > pause ? paused : pause;
    }
    check(sent >= 13 * MSS && sent <= 14 * MSS, "%u bytes were sent", sent);
    check(max == MSS, "%u bytes were sent in a burst", max);
    check(pause <= 2, "nothing was sent for %u acknowledgements", pause);
}

/* PRR-CRB: below ssthresh no more goes out than was delivered, where losses are still found. */
static void rfc6937_3_below_ssthresh_packets_are_conserved(void **state)
{
    struct prr p;
    (void)state;
    prr_start(&p, 20 * MSS);
    check(prr_allowed(&p, 2 * MSS, 4 * MSS, 10 * MSS, MSS, false) == 2 * MSS, "not two segments");
    prr_sent(&p, 2 * MSS);
    check(prr_allowed(&p, 0, 4 * MSS, 10 * MSS, MSS, false) == 0, "more than was delivered");
}

/* PRR-SSRB: a segment more than that, as in slow start, and never beyond ssthresh. */
static void rfc6937_3_below_ssthresh_the_flight_grows_as_in_slow_start(void **state)
{
    struct prr p;
    (void)state;
    prr_start(&p, 20 * MSS);
    check(prr_allowed(&p, MSS, 4 * MSS, 10 * MSS, MSS, true) == 2 * MSS, "not two segments");
    prr_sent(&p, 2 * MSS);
    check(prr_allowed(&p, MSS, 9500, 10 * MSS, MSS, true) == 500, "beyond ssthresh");
    check(prr_allowed(&p, MSS, 10 * MSS, 10 * MSS, MSS, true) == 0, "beyond ssthresh");
}

/* What went beyond the limit, as the first retransmission does, is not held against what is
 * delivered after it. */
static void rfc9937_6_2_what_an_ack_delivers_may_go_out(void **state)
{
    struct prr p;
    (void)state;
    prr_start(&p, 20 * MSS);
    prr_sent(&p, 2 * MSS);
    check(prr_allowed(&p, MSS, 4 * MSS, 10 * MSS, MSS, false) == MSS, "not one segment");
    prr_sent(&p, MSS);
    check(prr_allowed(&p, MSS, 4 * MSS, 10 * MSS, MSS, true) == 2 * MSS, "not two segments");
}

static void rfc6937_3_nothing_delivered_divides_nothing_by_nothing(void **state)
{
    struct prr p;
    (void)state;
    prr_start(&p, 0);
    check(prr_allowed(&p, 0, 10, 5, MSS, false) == 0, "something may be sent");
    check(prr_allowed(&p, UINT32_MAX, 10, 5, MSS, false) > 0, "it wraps");
}

static void sack(uint32_t ack, uint32_t first, uint32_t end)
{
    struct seg s = make(ACK, 1, ack, WND, 0);
    s.opt.has |= OPT_SACK;
    s.opt.sacks = 1;
    s.opt.sack[0].first = seq_of(rig.iss + first);
    s.opt.sack[0].end = seq_of(rig.iss + end);
    feed(s);
}

/* The engine: twenty in flight of which the first is lost. The rest of the flight clocks out new
 * data without a pause, and the window is ssthresh at the end. */
static void rfc6937_3_a_recovery_sends_without_a_pause(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.env.config.initial_window = 20;
    establish(100 * WAVE_MS);
    const uint32_t n = eff_mss();
    push(60 * n);
    burst();
    const uint32_t flight = rig.bursts, una = snd_una();
    check(flight == 20, "%u segments go out", flight);
    silent(100 * WAVE_MS);
    unsigned segments = 0, pause = 0, longest = 0;
    for (uint32_t i = 2; i <= flight; i++) {
        sack(una, una + n, una + i * n);
        burst();
        if (rig.c.flags & CONN_RECOVERY) {
            check(rig.bursts <= 2, "%zu segments go out for one delivered", rig.bursts);
            segments += (unsigned)rig.bursts;
            pause = rig.bursts ? 0 : pause + 1;
            longest = pause > longest ? pause : longest;
        }
    }
    check(rig.c.flags & CONN_RECOVERY, "no recovery");
    check(longest <= 3, "nothing goes out for %u acknowledgements", longest);
    check(segments >= 11 && segments <= 15, "%u segments go out in the recovery", segments);
    silent(100 * WAVE_MS);
    in(ACK, 1, snd_nxt(), WND, 0);
    check(!(rig.c.flags & CONN_RECOVERY), "the recovery goes on");
    check(rig.c.cwnd == rig.c.ssthresh, "cwnd is %u, ssthresh %u", rig.c.cwnd, rig.c.ssthresh);
    check(rig.c.cwnd >= 14 * n - n && rig.c.cwnd <= 14 * n + n, "cwnd is %u after it", rig.c.cwnd);
}

/* The first of three is lost, which RACK's timer finds; the peer's own data comes between what it
 * reports and what there is to send. */
static void rfc9937_6_2_an_ack_that_delivers_nothing_takes_nothing_back(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    establish(100 * WAVE_MS);
    const uint32_t n = eff_mss();
    push(3 * n);
    check(burst() == 3 * n, "three segments do not go out");
    silent(100 * WAVE_MS);
    sack(1, 1 + n, 1 + 2 * n);
    check(next_out(100 * WAVE_MS) && out_seq() == 1, "the first segment does not go again");
    sack(1, 1 + n, 1 + 3 * n);
    check(rig.c.flags & CONN_RECOVERY && rig.c.cwnd == 2 * n, "cwnd is %u", rig.c.cwnd);
    in(ACK, 1, 1, WND, 100);
    push(n);
    check(burst() == n, "what was allowed does not go out");
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc6937_3_what_is_sent_is_in_proportion_to_what_is_delivered),
        cmocka_unit_test(rfc6937_3_below_ssthresh_packets_are_conserved),
        cmocka_unit_test(rfc6937_3_below_ssthresh_the_flight_grows_as_in_slow_start),
        cmocka_unit_test(rfc9937_6_2_what_an_ack_delivers_may_go_out),
        cmocka_unit_test(rfc9937_6_2_an_ack_that_delivers_nothing_takes_nothing_back),
        cmocka_unit_test(rfc6937_3_nothing_delivered_divides_nothing_by_nothing),
        cmocka_unit_test(rfc6937_3_a_recovery_sends_without_a_pause),
    };
    return run_cases(cases, COUNT(cases));
}
