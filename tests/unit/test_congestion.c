/*
 * Tests congestion control: RFC 5681, RFC 6582, RFC 6928, and the response to ECN (RFC 3168). The
 * cases look at what is sent, and at the bounds that the RFCs set for cwnd and ssthresh. They test
 * Reno; CUBIC is in test_cubic.c.
 */
#include "tests/unit/engine.h"

#include "lib/core/cc.h"

#define MSS 1460u

/* Plain, so that segments are 1460 bytes and a duplicate ACK is RFC 5681's. */
static void connect_plain(void)
{
    rig_start(&variants[0]);
    rig.env.config.congestion = CONGESTION_RENO;
    establish(100 * WAVE_MS);
    in(ACK, 1, 1, 65535, 0);
    forget();
}

static void rfc6928_2_initial_window_is_ten_segments(void **state)
{
    (void)state;
    connect_plain();
    push(100000);
    check(burst() == 10 * MSS && rig.bursts == 10, "%zu segments go out", rig.bursts);
    silent(WAVE_MS);
}

static void rfc6928_2_initial_window_with_small_segments(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    rig.peer.mss = 536;
    establish(100 * WAVE_MS);
    push(100000);
    check(burst() == 5360, "not ten segments go out");
}

/* min(10*MSS, max(2*MSS, 14600)): with larger segments they are fewer. */
static void rfc6928_2_initial_window_with_jumbo_frames(void **state)
{
    static const struct {
        uint16_t mss;
        unsigned segments;
    } of[] = {{1460, 10}, {2000, 7}, {8960, 2}, {4000, 3}};
    (void)state;
    for (size_t i = 0; i < COUNT(of); i++) {
        rig_start(&variants[0]);
        rig.env.config.mss = rig.peer.mss = of[i].mss;
        establish(100 * WAVE_MS);
        check(rig.c.cwnd == (of[i].mss * 10u < 14600  ? of[i].mss * 10u
                             : of[i].mss * 2u > 14600 ? of[i].mss * 2u
                                                      : 14600u),
              "cwnd is %u with an MSS of %u", rig.c.cwnd, of[i].mss);
        push(60000);
        burst();
        check(rig.bursts == of[i].segments, "%zu segments of %u go out", rig.bursts, of[i].mss);
    }
}

/* RFC 5681, 3.1 makes it one segment after any lost SYN, RFC 6928, section 2 only after more than
 * one: a single repeated SYN leaves either. */
static void rfc6928_2_syn_lost_more_than_once_makes_the_initial_window_one_segment(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    drive(STATE_SYN_SENT);
    out_between(0, 2 * WAVE_S, SYN, 0, 0, 0);
    out_between(0, 3 * WAVE_S, SYN, 0, 0, 0);
    silent(10 * WAVE_MS);
    in(SYN | ACK, 0, 1, WND, 0);
    out(ACK, 1, 1, 0);
    push(100000);
    check(burst() == MSS, "%zu segments go out after two lost SYNs", rig.bursts);
}

static void rfc5681_3_1_slow_start_grows_by_a_segment_an_ack(void **state)
{
    (void)state;
    connect_plain();
    push(100000);
    burst();
    silent(100 * WAVE_MS);
    for (uint32_t i = 1; i <= 10; i++) {
        uint32_t before = rig.c.cwnd;
        in(ACK, 1, 1 + i * MSS, 65535, 0);
        check(rig.c.cwnd > before && rig.c.cwnd <= before + MSS, "cwnd went from %u to %u", before,
              rig.c.cwnd);
        check(burst() == 2 * MSS, "%zu segments go out for one acknowledged", rig.bursts);
    }
}

/* RFC 9406 counts what is acknowledged, up to eight segments an ACK. */
static void rfc9406_4_2_one_ack_of_many_grows_by_what_it_acknowledges(void **state)
{
    (void)state;
    connect_plain();
    push(100000);
    burst();
    silent(100 * WAVE_MS);
    uint32_t before = rig.c.cwnd;
    in(ACK, 1, 1 + 2 * MSS, 65535, 0);
    check(rig.c.cwnd > before && rig.c.cwnd <= before + 2 * MSS, "cwnd went from %u to %u", before,
          rig.c.cwnd);
    check(burst() <= 4 * MSS, "%zu segments go out for two acknowledged", rig.bursts);
    before = rig.c.cwnd;
    in(ACK, 1, snd_nxt(), 65535, 0);
    check(rig.c.cwnd <= before + 8 * MSS, "cwnd went from %u to %u", before, rig.c.cwnd);
}

/* ACK division: many ACKs of parts of a segment may not count for more than it. */
static void rfc5681_3_1_divided_acks_gain_nothing(void **state)
{
    (void)state;
    connect_plain();
    push(100000);
    burst();
    silent(100 * WAVE_MS);
    uint32_t before = rig.c.cwnd;
    for (uint32_t i = 1; i <= 100; i++) {
        in(ACK, 1, 1 + i * 14, 65535, 0);
        burst();
    }
    check(rig.c.cwnd <= before + MSS, "cwnd went from %u to %u for 1400 bytes", before, rig.c.cwnd);
}

static void rfc5681_3_1_window_does_not_grow_when_it_is_not_used(void **state)
{
    (void)state;
    connect_plain();
    for (uint32_t i = 0; i < 200; i++) {
        push(10);
        out(ACK, 1 + 10 * i, 1, 10);
        rig.now += 10 * WAVE_MS;
        in(ACK, 1, 11 + 10 * i, 65535, 0);
    }
    check(rig.c.cwnd <= 40 * MSS, "cwnd grew to %u while 10 bytes were in flight", rig.c.cwnd);
}

/* Puts ten segments in flight, the first of which is lost, and no more are queued. */
static void three_duplicates(void)
{
    connect_plain();
    push(10 * MSS);
    check(burst() == 10 * MSS, "ten segments do not go out");
    silent(100 * WAVE_MS);
    in(ACK, 1, 1, 65535, 0);
    in(ACK, 1, 1, 65535, 0);
    nothing(); /* two are no loss */
    in(ACK, 1, 1, 65535, 0);
}

static void rfc5681_3_2_third_duplicate_sends_the_first_segment_again(void **state)
{
    (void)state;
    three_duplicates();
    out(ACK, 1, 1, MSS);
    nothing();
    check(expect_event(EVENT_RETRANSMIT)->u.retransmit.why == RETRANSMIT_FAST,
          "it was no fast retransmission");
}

static void rfc5681_3_2_fast_retransmit_halves(void **state)
{
    (void)state;
    three_duplicates();
    out(ACK, 1, 1, MSS);
    check(rig.c.ssthresh >= 2 * MSS && rig.c.ssthresh <= 5 * MSS, "ssthresh is %u", rig.c.ssthresh);
    in(ACK, 1, 1 + 10 * MSS, 65535, 0);
    check(rig.c.cwnd <= rig.c.ssthresh + MSS, "cwnd is %u after recovery, ssthresh %u", rig.c.cwnd,
          rig.c.ssthresh);
    push(50000);
    check(burst() <= 6 * MSS, "%zu segments go out after recovery", rig.bursts);
}

static void rfc5681_2_what_is_no_duplicate_ack_does_not_count(void **state)
{
    (void)state;
    connect_plain();
    push(10 * MSS);
    burst();
    for (uint32_t i = 0; i < 5; i++) { /* a new window each, and data */
        in(ACK, 1, 1, 60000 - 1000 * i, 0);
        in(ACK | PSH, 1 + 10 * i, 1, 60000 - 1000 * i, 10);
    }
    burst();
    for (size_t i = 0; i < rig.bursts; i++)
        check(rig.seen[i].len == 0, "something is sent again without three duplicate ACKs");
    check(rig.c.retransmits == 0, "%u segments went again", rig.c.retransmits);
}

static void rfc5681_2_duplicates_without_anything_outstanding_mean_nothing(void **state)
{
    (void)state;
    connect_plain();
    uint32_t cwnd = rig.c.cwnd;
    for (int i = 0; i < 5; i++)
        in(ACK, 1, 1, 65535, 0);
    nothing();
    check(rig.c.cwnd == cwnd, "cwnd went from %u to %u", cwnd, rig.c.cwnd);
}

static void rfc6582_3_2_partial_ack_sends_the_next_hole_at_once(void **state)
{
    (void)state;
    three_duplicates();
    out(ACK, 1, 1, MSS);
    in(ACK, 1, 1 + 4 * MSS, 65535, 0); /* the fifth is lost as well */
    out(ACK, 1 + 4 * MSS, 1, MSS);
    in(ACK, 1, 1 + 10 * MSS, 65535, 0);
    silent(WAVE_H);
}

/* RFC 6582: duplicates below the recovery point do not begin another recovery. */
static void rfc6582_3_2_window_is_halved_once_a_flight(void **state)
{
    (void)state;
    three_duplicates();
    out(ACK, 1, 1, MSS);
    uint32_t ssthresh = rig.c.ssthresh;
    in(ACK, 1, 1 + 4 * MSS, 65535, 0);
    for (int i = 0; i < 4; i++)
        in(ACK, 1, 1 + 4 * MSS, 65535, 0);
    burst();
    check(rig.c.ssthresh == ssthresh, "ssthresh went from %u to %u", ssthresh, rig.c.ssthresh);
}

static void rfc5681_3_1_timeout_leaves_one_segment(void **state)
{
    (void)state;
    connect_plain();
    push(10 * MSS);
    burst();
    out_between(1, WAVE_S, ACK, 1, 1, MSS);
    nothing();
    check(rig.c.cwnd <= MSS, "cwnd is %u after a timeout", rig.c.cwnd);
    check(rig.c.ssthresh >= 2 * MSS && rig.c.ssthresh <= 5 * MSS, "ssthresh is %u", rig.c.ssthresh);
}

static void rfc5681_3_1_slow_start_after_a_timeout(void **state)
{
    (void)state;
    connect_plain();
    push(10 * MSS);
    burst();
    out_between(1, WAVE_S, ACK, 1, 1, MSS);
    in(ACK, 1, 1 + MSS, 65535, 0);
    check(burst() <= 2 * MSS && rig.bursts > 0, "%zu segments go out", rig.bursts);
    check(rig.seen[0].seq == 1 + MSS, "not the next that is missing goes out");
}

/* RFC 5681, equation 4: the flight, not the window, and once for one loss. */
static void rfc5681_3_1_second_timeout_of_a_segment_keeps_ssthresh(void **state)
{
    (void)state;
    connect_plain();
    push(10 * MSS);
    burst();
    out_between(1, WAVE_S, ACK, 1, 1, MSS);
    uint32_t ssthresh = rig.c.ssthresh;
    out_between(1, 2 * WAVE_S, ACK, 1, 1, ANY_LEN); /* smaller, if a black hole is suspected */
    check(rig.c.ssthresh == ssthresh, "ssthresh went from %u to %u", ssthresh, rig.c.ssthresh);
    check(rig.c.cwnd <= MSS, "cwnd is %u after a timeout", rig.c.cwnd);
}

static void rfc5681_3_1_congestion_avoidance_grows_by_a_segment_a_round_trip(void **state)
{
    (void)state;
    three_duplicates();
    burst();
    in(ACK, 1, 1 + 10 * MSS, 65535, 0);
    push(400000);
    uint32_t acked = 1 + 10 * MSS;
    burst();
    for (int round = 0; round < 8; round++) {
        uint32_t before = rig.c.cwnd, until = snd_nxt();
        rig.now += 100 * WAVE_MS;
        while (acked < until) {
            acked = acked + MSS < until ? acked + MSS : until;
            in(ACK, 1, acked, 65535, 0);
            burst();
        }
        check(rig.c.cwnd <= before + MSS + MSS / 2, "cwnd went from %u to %u in a round trip",
              before, rig.c.cwnd);
        check(round == 0 || rig.c.cwnd > before, "cwnd stays at %u", before);
    }
}

static void rfc5681_4_1_window_restarts_after_idling(void **state)
{
    (void)state;
    connect_plain();
    push(40 * MSS);
    uint32_t acked = 1;
    burst();
    while (acked < 1 + 40 * MSS) {
        rig.now += 10 * WAVE_MS;
        acked += MSS;
        in(ACK, 1, acked, 65535, 0);
        burst();
    }
    check(rig.c.cwnd > 20 * MSS, "cwnd only grew to %u", rig.c.cwnd);
    silent(WAVE_MIN);
    push(60000);
    check(burst() <= 10 * MSS, "%zu segments go out after a minute's silence", rig.bursts);
}

/* What counts is when we sent last: after a while in which we only received, we know as little of
 * the path as after a pause. */
static void rfc5681_4_1_what_is_received_meanwhile_does_not_count(void **state)
{
    (void)state;
    connect_plain();
    push(40 * MSS);
    burst();
    for (uint32_t acked = 1; acked < 1 + 40 * MSS;) {
        rig.now += 10 * WAVE_MS;
        acked += MSS;
        in(ACK, 1, acked, 65535, 0);
        burst();
    }
    check(rig.c.cwnd > 20 * MSS, "cwnd only grew to %u", rig.c.cwnd);
    for (uint32_t i = 0; i < 50; i++) {
        rig.now += 100 * WAVE_MS;
        in(ACK, 1 + 100 * i, 1 + 40 * MSS, 65535, 100);
        burst();
    }
    push(60000);
    check(burst() <= 10 * MSS, "%zu segments go out after 5 s of receiving", rig.bursts);
}

static void rfc5681_4_1_a_short_pause_keeps_the_window(void **state)
{
    (void)state;
    connect_plain();
    push(40 * MSS);
    burst();
    for (uint32_t acked = 1; acked < 1 + 40 * MSS;) {
        rig.now += 10 * WAVE_MS;
        acked += MSS;
        in(ACK, 1, acked, 65535, 0);
        burst();
    }
    push(100);
    burst();
    rig.now += 10 * WAVE_MS;
    in(ACK, 1, 101 + 40 * MSS, 65535, 0);
    const uint32_t cwnd = rig.c.cwnd;
    silent(rto_us() * WAVE_US - 20 * WAVE_MS); /* and ten before */
    push(60000);
    check(rig.c.cwnd == cwnd, "cwnd went from %u to %u", cwnd, rig.c.cwnd);
}

/* 3.2, step 2: "additional data sent in limited transmit MUST NOT be included". */
static void rfc5681_3_2_ssthresh_does_not_count_limited_transmit(void **state)
{
    (void)state;
    connect_plain();
    push(30 * MSS);
    check(burst() == 10 * MSS, "ten segments do not go out");
    silent(100 * WAVE_MS);
    in(ACK, 1, 1, 65535, 0);
    in(ACK, 1, 1, 65535, 0);
    check(burst() == 2 * MSS, "limited transmit sends %zu", rig.bursts);
    in(ACK, 1, 1, 65535, 0);
    check(rig.c.ssthresh == 5 * MSS, "ssthresh is %u, not half of ten segments", rig.c.ssthresh);
}

static void rfc3042_limited_transmit_sends_new_data_at_most(void **state)
{
    (void)state;
    connect_plain();
    push(30 * MSS);
    check(burst() == 10 * MSS, "ten segments do not go out");
    silent(100 * WAVE_MS);
    in(ACK, 1, 1, 65535, 0);
    in(ACK, 1, 1, 65535, 0);
    uint32_t bytes = burst();
    check(bytes <= 2 * MSS, "%u bytes go out for two duplicate ACKs", bytes);
    for (size_t i = 0; i < rig.bursts; i++)
        check(rig.seen[i].seq >= 1 + 10 * MSS, "old data goes out for two duplicate ACKs");
    in(ACK, 1, 1, 65535, 0);
    check(next_out(0) && out_seq() == 1, "the third does not send the first segment again");
}

/*
 * ECN: RFC 3168, section 6.1.
 */

static void connect_ecn(void)
{
    rig_start(&variants[0]);
    rig.env.config.congestion = CONGESTION_RENO;
    rig.env.config.ecn = true;
    renew();
    check(conn_open(&rig.c, rig.now, seq_of(rig.iss)) == 0, "conn_open() refuses");
    out(SYN | ECE | CWR, 0, 0, 0);
    check(rig.out.ecn == ECN_NOT, "the SYN is ECN-capable"); /* 6.1.1 */
    silent(100 * WAVE_MS);
    in(SYN | ACK | ECE, 0, 1, WND, 0);
    out(ACK, 1, 1, 0);
    check(rig.out.ecn == ECN_NOT, "a pure ACK is ECN-capable"); /* 6.1.4 */
    check(rig.c.flags & CONN_ECN, "ECN is not in force");
    forget();
}

static void rfc3168_6_1_1_negotiated_by_the_opener(void **state)
{
    (void)state;
    connect_ecn();
    push(100);
    out(ACK, 1, 1, 100);
    check(rig.out.ecn == ECN_ECT0, "data goes out with ECN %u", rig.out.ecn);
    out_between(1, 2 * WAVE_S, ACK, 1, 1, 100);
    check(rig.out.ecn == ECN_NOT, "a retransmission is ECN-capable"); /* 6.1.5 */
}

static void rfc3168_6_1_1_negotiated_by_the_listener(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    rig.env.config.ecn = true;
    drive(STATE_LISTEN);
    in(SYN | ECE | CWR, 0, 0, WND, 0);
    out(SYN | ACK | ECE, 0, 1, 0);
    check(rig.out.ecn == ECN_NOT, "the SYN-ACK is ECN-capable");
    in(ACK, 1, 1, WND, 0);
    push(100);
    out(ACK, 1, 1, 100);
    check(rig.out.ecn == ECN_ECT0, "data goes out with ECN %u", rig.out.ecn);
}

static void rfc3168_6_1_1_not_negotiated_unless_both_want_it(void **state)
{
    (void)state;
    static const unsigned answers[] = {SYN | ACK, SYN | ACK | ECE | CWR, SYN | ACK | CWR};
    for (size_t i = 0; i < COUNT(answers); i++) {
        rig_start(&variants[0]);
        rig.env.config.ecn = true;
        renew();
        check(conn_open(&rig.c, rig.now, seq_of(rig.iss)) == 0, "conn_open() refuses");
        out(SYN | ECE | CWR, 0, 0, 0);
        in(answers[i], 0, 1, WND, 0);
        out(ACK, 1, 1, 0);
        push(100);
        out(ACK, 1, 1, 100);
        check(rig.out.ecn == ECN_NOT, "data is ECN-capable after %x", answers[i]);
    }
    rig_start(&variants[0]); /* the default is not to ask, and not to agree */
    drive(STATE_LISTEN);
    in(SYN | ECE | CWR, 0, 0, WND, 0);
    out(SYN | ACK, 0, 1, 0);
}

static void rfc3168_6_1_2_echo_halves_once_a_round_trip_and_sets_cwr(void **state)
{
    (void)state;
    connect_ecn();
    push(60000);
    check(burst() == 10 * MSS, "ten segments do not go out");
    silent(100 * WAVE_MS);
    uint32_t cwnd = rig.c.cwnd;
    in(ACK | ECE, 1, 1 + MSS, WND, 0);
    burst();
    uint32_t halved = rig.c.cwnd;
    check(halved >= 2 * MSS && halved <= cwnd / 2 + MSS, "cwnd went from %u to %u", cwnd, halved);
    bool cwr = false;
    for (uint32_t i = 2; i <= 10; i++) {
        in(ACK | ECE, 1, 1 + i * MSS, WND, 0);
        burst();
        for (size_t j = 0; j < rig.bursts; j++)
            cwr |= rig.seen[j].len > 0 && (rig.seen[j].flags & CWR);
    }
    check(rig.c.cwnd + MSS >= halved && rig.c.cwnd <= halved + 2 * MSS,
          "cwnd went from %u to %u within the round trip", halved, rig.c.cwnd);
    check(cwr, "no new data carries CWR");
}

static void rfc3168_6_1_3_ce_is_echoed_until_cwr(void **state)
{
    (void)state;
    connect_ecn();
    struct seg s = make(ACK | PSH, 1, 1, WND, 100);
    s.ecn = ECN_CE;
    feed(s);
    check(next_out(400 * WAVE_MS), "no acknowledgement");
    check(rig.out.flags == (ACK | ECE) && out_ack() == 101, "CE is not echoed");
    s = make(ACK | PSH, 101, 1, WND, 100);
    s.ecn = ECN_ECT0;
    feed(s);
    check(next_out(400 * WAVE_MS), "no acknowledgement");
    check(rig.out.flags == (ACK | ECE) && out_ack() == 201, "the echo ceased before CWR");
    s = make(ACK | PSH | CWR, 201, 1, WND, 100);
    s.ecn = ECN_ECT0;
    feed(s);
    check(next_out(400 * WAVE_MS), "no acknowledgement");
    check(rig.out.flags == ACK && out_ack() == 301, "the echo goes on after CWR");
}

/* A router that marks all that passes marks our pure ACKs, too: an ACK of an ACK would be marked,
 * and so on for ever. */
static void rfc3168_6_1_3_a_mark_on_a_pure_ack_draws_nothing(void **state)
{
    (void)state;
    connect_ecn();
    struct seg s = make(ACK, 1, 1, WND, 0);
    s.ecn = ECN_CE;
    for (int i = 0; i < 3; i++) {
        feed(s);
        nothing();
    }
    check(!(rig.c.flags & CONN_ECE), "it is echoed");
}

static void rfc3168_6_1_3_ce_means_nothing_without_negotiation(void **state)
{
    (void)state;
    connect_plain();
    struct seg s = make(ACK | PSH, 1, 1, 65535, 100);
    s.ecn = ECN_CE;
    feed(s);
    acknowledges(101);
    check(rig.out.flags == ACK, "flags %x go out", rig.out.flags);
    uint32_t cwnd = rig.c.cwnd;
    push(100);
    burst();
    in(ACK | ECE, 101, 101, 65535, 0);
    check(rig.c.cwnd >= cwnd, "cwnd went from %u to %u", cwnd, rig.c.cwnd);
}

static void rfc3168_6_1_3_each_mark_is_echoed_once_more(void **state)
{
    (void)state;
    connect_ecn();
    struct seg s =
        make(ACK | PSH | CWR, 1, 1, WND, 100); /* CWR for an earlier mark, and a new one */
    s.ecn = ECN_CE;
    feed(s);
    check(next_out(400 * WAVE_MS) && rig.out.flags == (ACK | ECE), "CE beside CWR is not echoed");
    s = make(ACK | PSH | CWR, 101, 1, WND, 100);
    s.ecn = ECN_ECT1;
    feed(s);
    check(next_out(400 * WAVE_MS) && rig.out.flags == ACK, "the echo goes on after CWR");
}

/* 6.1.2: "for any reason": CWR also announces the reduction of a fast retransmission or a timeout.
 */
static void rfc3168_6_1_2_a_timeout_is_announced_by_cwr(void **state)
{
    (void)state;
    connect_ecn();
    push(2 * MSS);
    check(burst() == 2 * MSS, "not all goes out");
    out_between(1, 2 * WAVE_S, ACK, 1, 1, MSS);
    check(!(rig.out.flags & CWR), "a retransmission carries CWR"); /* new data only */
    in(ACK, 1, 1 + 2 * MSS, WND, 0);
    push(2 * MSS);
    check(next_out(0) && out_seq() == 1 + 2 * MSS, "no new data goes out");
    check(rig.out.flags & CWR, "new data after a timeout has no CWR");
    in(ACK, 1, 1 + 3 * MSS, WND, 0);
    check(next_out(0) && !(rig.out.flags & CWR), "CWR goes out twice");
}

static void rfc3168_6_1_2_a_fast_retransmission_is_announced_by_cwr(void **state)
{
    (void)state;
    connect_ecn();
    push(30 * MSS);
    check(burst() == 10 * MSS, "ten segments do not go out");
    silent(100 * WAVE_MS);
    for (int i = 0; i < 3; i++)
        in(ACK, 1, 1, WND, 0);
    check(next_out(0) && out_seq() == 1 && !(rig.out.flags & CWR), "a retransmission carries CWR");
    burst();
    in(ACK, 1, 1 + 10 * MSS, WND, 0);
    unsigned cwr = 0;
    for (uint32_t i = 11; i < 16; i++) {
        burst();
        for (size_t j = 0; j < rig.bursts; j++)
            cwr += (rig.seen[j].flags & CWR) != 0;
        in(ACK, 1, 1 + i * MSS, WND, 0);
    }
    check(cwr == 1, "%u segments carry CWR", cwr);
}

/* 6.1.6: a probe of a shut window is neither ECN-capable nor does it carry CWR. */
static void rfc3168_6_1_6_a_window_probe_is_not_ecn_capable(void **state)
{
    (void)state;
    connect_ecn();
    push(2 * MSS);
    burst();
    in(ACK | ECE, 1, 1 + MSS, WND, 0); /* CWR is due on new data */
    in(ACK, 1, 1 + 2 * MSS, 0, 0);
    push(100);
    check(next_out(WAVE_MIN) && out_seq() == 1 + 2 * MSS, "no probe goes out");
    check(rig.out.ecn == ECN_NOT, "the probe is ECN-capable");
    check(!(rig.out.flags & CWR), "the probe carries CWR");
    check(next_out(WAVE_MIN) && rig.out.ecn == ECN_NOT, "the second one is ECN-capable");
    in(ACK, 1, 1 + 2 * MSS + rig.out.len, WND, 0);
    check(next_out(0) && rig.out.len > 0, "no data goes out");
    check(rig.out.ecn == ECN_ECT0 && (rig.out.flags & CWR), "CWR was lost with the probe");
}

/* 6.1.2: the window is halved once for all the echoes of a round trip, and once more in the next.
 */
static void rfc3168_6_1_2_a_second_round_trip_halves_again(void **state)
{
    (void)state;
    connect_ecn();
    push(60 * MSS);
    check(burst() == 10 * MSS, "ten segments do not go out");
    in(ACK | ECE, 1, 1 + MSS, WND, 0);
    const uint32_t first = rig.c.cwnd;
    in(ACK | ECE, 1, 1 + 10 * MSS, WND, 0);
    check(rig.c.cwnd >= first, "cwnd went from %u to %u in a round trip", first, rig.c.cwnd);
    check(burst() > 0, "nothing goes out");
    const uint32_t out = snd_nxt();
    in(ACK | ECE, 1, 1 + 11 * MSS, WND, 0); /* of what was sent after the reduction */
    check(rig.c.cwnd < first, "cwnd is still %u", rig.c.cwnd);
    check(rig.c.cwnd >= 2 * MSS, "cwnd is %u", rig.c.cwnd);
    in(ACK, 1, out, WND, 0);
}

/* 6.1.1: a host that has received a SYN without ECN should not send ECN-capable packets. The
 * retransmitted SYN of a peer whose first one a firewall dropped is such a SYN (6.1.1.1). */
static void rfc3168_6_1_1_a_repeated_syn_without_it_ends_it(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    rig.env.config.ecn = true;
    drive(STATE_LISTEN);
    in(SYN | ECE | CWR, 0, 0, WND, 0);
    out(SYN | ACK | ECE, 0, 1, 0);
    in(SYN, 0, 0, WND, 0);
    out(SYN | ACK, 0, 1, 0);
    in(ACK, 1, 1, WND, 0);
    push(100);
    out(ACK, 1, 1, 100);
    check(rig.out.ecn == ECN_NOT, "data is ECN-capable");
}

static void rfc3168_6_1_1_1_only_the_first_syn_asks(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    rig.env.config.ecn = true;
    renew();
    check(conn_open(&rig.c, rig.now, seq_of(rig.iss)) == 0, "conn_open() refuses");
    out(SYN | ECE | CWR, 0, 0, 0);
    out_between(WAVE_S, WAVE_S, SYN, 0, 0, 0);
    out_between(2 * WAVE_S, 2 * WAVE_S, SYN, 0, 0, 0);
}

/* 6.1.1: a host that has sent a SYN without ECN must not send ECN-capable packets, though the
 * SYN-ACK may answer the SYN before it; what the peer marks is echoed all the same. */
static void rfc3168_6_1_1_after_a_syn_without_it_no_data_is_ecn_capable(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    rig.env.config.ecn = true;
    renew();
    check(conn_open(&rig.c, rig.now, seq_of(rig.iss)) == 0, "conn_open() refuses");
    out(SYN | ECE | CWR, 0, 0, 0);
    out_between(WAVE_S, WAVE_S, SYN, 0, 0, 0);
    in(SYN | ACK | ECE, 0, 1, WND, 0);
    out(ACK, 1, 1, 0);
    push(100);
    out(ACK, 1, 1, 100);
    check(rig.out.ecn == ECN_NOT, "data is ECN-capable");
    struct seg s = make(ACK, 1, 101, WND, 100);
    s.ecn = ECN_CE;
    feed(s);
    out(ACK | ECE, 101, 101, 0);
}

/* 6.1.1: nor should a host that has received one: a SYN-ACK that was repeated without ECN since the
 * one with it seemed lost, or a repeated SYN that was delayed. */
static void rfc3168_6_1_1_a_late_syn_without_it_ends_ecn_capable_data(void **state)
{
    (void)state;
    for (int passive = 0; passive <= 1; passive++) {
        rig_start(&variants[0]);
        rig.env.config.ecn = true;
        if (passive) {
            drive(STATE_LISTEN);
            in(SYN | ECE | CWR, 0, 0, WND, 0);
            out(SYN | ACK | ECE, 0, 1, 0);
            in(ACK, 1, 1, WND, 0);
        } else {
            connect_ecn();
        }
        push(100);
        out(ACK, 1, 1, 100);
        check(rig.out.ecn == ECN_ECT0, "data is not ECN-capable");
        in(passive ? SYN : SYN | ACK, 0, passive ? 0 : 1, WND, 0);
        out(ACK, 101, 1, 0);
        push(100);
        out(ACK, 101, 1, 100);
        check(rig.out.ecn == ECN_NOT, "data is ECN-capable");
    }
}

/* The congestion window is limited to a quarter of the sequence space, so that no sum with it
 * wraps, however much is acknowledged. */
static void a_congestion_window_does_not_wrap(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    rig.c.cwnd = UINT32_MAX / 4;
    rig.c.ssthresh = UINT32_MAX;
    for (int i = 0; i < 1000; i++) {
        cc_acked(&rig.c, rig.now, UINT32_MAX / 4, 0);
        check(rig.c.cwnd == UINT32_MAX / 4, "cwnd is %u", rig.c.cwnd);
    }
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc6928_2_initial_window_with_jumbo_frames),
        cmocka_unit_test(rfc5681_4_1_what_is_received_meanwhile_does_not_count),
        cmocka_unit_test(rfc5681_4_1_a_short_pause_keeps_the_window),
        cmocka_unit_test(rfc5681_3_2_ssthresh_does_not_count_limited_transmit),
        cmocka_unit_test(rfc6928_2_initial_window_is_ten_segments),
        cmocka_unit_test(rfc6928_2_initial_window_with_small_segments),
        cmocka_unit_test(rfc6928_2_syn_lost_more_than_once_makes_the_initial_window_one_segment),
        cmocka_unit_test(rfc5681_3_1_slow_start_grows_by_a_segment_an_ack),
        cmocka_unit_test(rfc9406_4_2_one_ack_of_many_grows_by_what_it_acknowledges),
        cmocka_unit_test(rfc5681_3_1_divided_acks_gain_nothing),
        cmocka_unit_test(rfc5681_3_1_window_does_not_grow_when_it_is_not_used),
        cmocka_unit_test(rfc5681_3_2_third_duplicate_sends_the_first_segment_again),
        cmocka_unit_test(rfc5681_3_2_fast_retransmit_halves),
        cmocka_unit_test(rfc5681_2_what_is_no_duplicate_ack_does_not_count),
        cmocka_unit_test(rfc5681_2_duplicates_without_anything_outstanding_mean_nothing),
        cmocka_unit_test(rfc6582_3_2_partial_ack_sends_the_next_hole_at_once),
        cmocka_unit_test(rfc6582_3_2_window_is_halved_once_a_flight),
        cmocka_unit_test(rfc5681_3_1_timeout_leaves_one_segment),
        cmocka_unit_test(rfc5681_3_1_slow_start_after_a_timeout),
        cmocka_unit_test(rfc5681_3_1_second_timeout_of_a_segment_keeps_ssthresh),
        cmocka_unit_test(rfc5681_3_1_congestion_avoidance_grows_by_a_segment_a_round_trip),
        cmocka_unit_test(rfc5681_4_1_window_restarts_after_idling),
        cmocka_unit_test(rfc3042_limited_transmit_sends_new_data_at_most),
        cmocka_unit_test(rfc3168_6_1_1_negotiated_by_the_opener),
        cmocka_unit_test(rfc3168_6_1_1_negotiated_by_the_listener),
        cmocka_unit_test(rfc3168_6_1_1_not_negotiated_unless_both_want_it),
        cmocka_unit_test(rfc3168_6_1_2_echo_halves_once_a_round_trip_and_sets_cwr),
        cmocka_unit_test(rfc3168_6_1_3_ce_is_echoed_until_cwr),
        cmocka_unit_test(rfc3168_6_1_3_a_mark_on_a_pure_ack_draws_nothing),
        cmocka_unit_test(rfc3168_6_1_3_ce_means_nothing_without_negotiation),
        cmocka_unit_test(rfc3168_6_1_3_each_mark_is_echoed_once_more),
        cmocka_unit_test(rfc3168_6_1_2_a_timeout_is_announced_by_cwr),
        cmocka_unit_test(rfc3168_6_1_2_a_fast_retransmission_is_announced_by_cwr),
        cmocka_unit_test(rfc3168_6_1_6_a_window_probe_is_not_ecn_capable),
        cmocka_unit_test(rfc3168_6_1_2_a_second_round_trip_halves_again),
        cmocka_unit_test(rfc3168_6_1_1_a_repeated_syn_without_it_ends_it),
        cmocka_unit_test(rfc3168_6_1_1_1_only_the_first_syn_asks),
        cmocka_unit_test(rfc3168_6_1_1_after_a_syn_without_it_no_data_is_ecn_capable),
        cmocka_unit_test(rfc3168_6_1_1_a_late_syn_without_it_ends_ecn_capable_data),
        cmocka_unit_test(a_congestion_window_does_not_wrap),
    };
    return run_cases(cases, COUNT(cases));
}
