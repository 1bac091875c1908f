/* Tests CUBIC (RFC 9438) through cubic.h, and by what an engine does with it. */
#include "lib/core/cubic.h"
#include "lib/core/loss.h"
#include "tests/unit/engine.h"

enum { MSS = 1000, RTT_MS = 100 };

/* A window of that many segments meets a loss at 0; one of round trip after round trip until `ms`,
 * every one of them acknowledged segment by segment. Returns the window then, in bytes. */
static uint32_t grown(struct cubic *q, uint32_t cwnd, uint32_t ms)
{
    for (uint32_t now = RTT_MS; now <= ms; now += RTT_MS)
        for (uint32_t acked = 0, window = cwnd; acked + MSS <= window; acked += MSS)
            cwnd = cubic_grown(q, cwnd, MSS, MSS, now, RTT_MS);
    return cwnd;
}

static void rfc9438_4_6_seven_tenths_are_left(void **state)
{
    (void)state;
    check(cubic_reduced(1000000) == 700000, "%u of a million are left", cubic_reduced(1000000));
    check(cubic_reduced(UINT32_MAX) == (uint64_t)UINT32_MAX * 7 / 10, "it wraps");
}

/* 4.2, equation 2: with W_max 1000 segments and 700 of them left K is (300 / 0.4)^(1/3) s, 9.086 s.
 * The window is about W_max there, flat around it, and beyond it as far above as it was below. */
static void rfc9438_4_2_the_curve_is_flat_about_w_max(void **state)
{
    struct cubic q = {0};
    (void)state;
    cubic_lost(&q, 1000 * MSS);
    uint32_t at = grown(&q, 700 * MSS, RTT_MS);
    check(q.k >= 9080 && q.k <= 9090, "K is %u ms", q.k);
    check(at > 700 * MSS && at < 725 * MSS, "%u after a round trip", at);
    q.running = false;
    at = grown(&q, 700 * MSS, 9100);
    check(at >= 990 * MSS && at <= 1010 * MSS, "%u at K", at);
    q.running = false;
    uint32_t before = grown(&q, 700 * MSS, 8100);
    check(before >= 985 * MSS, "%u a second before K", before);
    q.running = false;
    uint32_t after = grown(&q, 700 * MSS, 18200);
    check(after >= 1200 * MSS && after <= 1310 * MSS, "%u at twice K", after);
}

/* 4.3: on a short round trip Reno grows faster, and CUBIC no slower than it: alpha is 9/17 until
 * W_max is reached, then 1. */
static void rfc9438_4_3_no_slower_than_reno(void **state)
{
    struct cubic q = {0};
    uint32_t cwnd = 14 * MSS, now = 0;
    (void)state;
    cubic_lost(&q, 20 * MSS);
    for (int round = 0; round < 60; round++) {
        now += 5;
        for (uint32_t acked = 0, window = cwnd; acked + MSS <= window; acked += MSS)
            cwnd = cubic_grown(&q, cwnd, MSS, MSS, now, 5);
        if (round == 9)
            check(cwnd >= 18 * MSS && cwnd <= 20 * MSS, "%u after ten round trips", cwnd);
    }
    /* About 11 round trips up to 20 segments, then one each. */
    check(cwnd >= 60 * MSS && cwnd <= 72 * MSS, "%u after sixty", cwnd);
}

static void rfc9438_4_4_no_more_than_half_as_much_again_in_a_round_trip(void **state)
{
    struct cubic q = {0};
    (void)state;
    cubic_lost(&q, 100 * MSS);
    cubic_grown(&q, 70 * MSS, MSS, MSS, 1000, RTT_MS); /* the epoch starts */
    uint32_t cwnd = 70 * MSS;
    for (int i = 0; i < 70; i++)
        cwnd = cubic_grown(&q, cwnd, MSS, MSS, 1000000, RTT_MS);
    check(cwnd > 70 * MSS && cwnd <= 117 * MSS, "%u after a round trip", cwnd);
    check(cubic_grown(&q, 70 * MSS, MSS, UINT32_MAX, 1000000, RTT_MS) <= UINT32_MAX, "it wraps");
}

static void rfc9438_4_7_fast_convergence_makes_room(void **state)
{
    struct cubic q = {0};
    (void)state;
    cubic_lost(&q, 1000 * MSS);
    check(q.w_max == 1000 * MSS, "W_max is %u", q.w_max);
    cubic_lost(&q, 800 * MSS); /* the one before was not reached */
    check(q.w_max == 680 * MSS && q.cwnd_prior == 800 * MSS, "W_max is %u", q.w_max);
    cubic_lost(&q, 700 * MSS); /* this was */
    check(q.w_max == 700 * MSS, "W_max is %u", q.w_max);
}

/* 4.8: after a timeout K is 0, and the curve begins where congestion avoidance does. */
static void rfc9438_4_8_a_timeout_forgets_w_max(void **state)
{
    struct cubic q = {0};
    (void)state;
    cubic_lost(&q, 1000 * MSS);
    cubic_timeout(&q);
    cubic_grown(&q, 500 * MSS, MSS, MSS, 1000, RTT_MS);
    check(q.k == 0 && q.origin == 500 * MSS, "K %u, origin %u", q.k, q.origin);
}

/* 5.8: what is not used does not grow with time. */
static void rfc9438_5_8_idle_time_does_not_count(void **state)
{
    struct cubic q = {0};
    (void)state;
    cubic_lost(&q, 100 * MSS);
    uint32_t cwnd = grown(&q, 70 * MSS, 1000);
    cubic_pause(&q);
    uint32_t next = cwnd;
    for (uint32_t i = 0; i < cwnd / MSS; i++)
        next = cubic_grown(&q, next, MSS, MSS, 3600000, RTT_MS);
    check(next < cwnd + cwnd / 4, "from %u to %u after an hour", cwnd, next);
}

/* The engine: seven tenths of ten segments after a fast retransmission, and the curve's growth. */
static void rfc9438_4_6_a_loss_leaves_seven_tenths_of_the_flight(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    establish(100 * WAVE_MS);
    push(10 * 1460);
    check(burst() == 14600, "ten segments do not go out");
    silent(100 * WAVE_MS);
    for (int i = 0; i < 3; i++)
        in(ACK, 1, 1, WND, 0);
    out(ACK, 1, 1, 1460);
    check(rig.c.ssthresh == 7 * 1460, "ssthresh is %u", rig.c.ssthresh);
    check(rig.c.loss && rig.c.loss->cubic.w_max == 14600, "W_max is not ten segments");
    in(ACK, 1, 14601, WND, 0);
    check(rig.c.cwnd == 7 * 1460, "cwnd is %u", rig.c.cwnd);
}

static void memory_that_is_short_leaves_reno(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    establish(100 * WAVE_MS);
    push(10 * 1460);
    check(burst() == 14600, "ten segments do not go out");
    rig.env.mem_max = rig.env.mem_used;
    for (int i = 0; i < 3; i++)
        in(ACK, 1, 1, WND, 0);
    out(ACK, 1, 1, 1460);
    check(rig.c.loss == NULL && rig.c.ssthresh == 5 * 1460, "ssthresh is %u", rig.c.ssthresh);
    rig.env.mem_max = SIZE_MAX;
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9438_4_6_seven_tenths_are_left),
        cmocka_unit_test(rfc9438_4_2_the_curve_is_flat_about_w_max),
        cmocka_unit_test(rfc9438_4_3_no_slower_than_reno),
        cmocka_unit_test(rfc9438_4_4_no_more_than_half_as_much_again_in_a_round_trip),
        cmocka_unit_test(rfc9438_4_7_fast_convergence_makes_room),
        cmocka_unit_test(rfc9438_4_8_a_timeout_forgets_w_max),
        cmocka_unit_test(rfc9438_5_8_idle_time_does_not_count),
        cmocka_unit_test(rfc9438_4_6_a_loss_leaves_seven_tenths_of_the_flight),
        cmocka_unit_test(memory_that_is_short_leaves_reno),
    };
    return run_cases(cases, COUNT(cases));
}
