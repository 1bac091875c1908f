/* Tests the retransmission timer: RFC 6298, Karn's algorithm, RFC 9293, 3.8.1 and 3.8.3. */
#include "tests/unit/engine.h"

/* There are no timestamps and no SACK, so that only this timer retransmits, and every sample is
 * that of one segment. */
static void connect_plain(wave_time rtt)
{
    rig_start(&variants[0]);
    establish(rtt);
    forget();
}

static void rto_is(uint32_t us)
{
    check(rto_us() + 1 >= us && rto_us() <= us + 1, "RTO is %u us, not %u", rto_us(), us);
}

/* Sends a segment, and acknowledges it after `rtt`. */
static void sample(wave_time rtt)
{
    uint32_t next = snd_nxt();
    push(100);
    out(ACK, next, 1, 100);
    silent(rtt);
    in(ACK, 1, next + 100, WND, 0);
}

static void rfc6298_2_1_first_syn_waits_one_second(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    drive(STATE_SYN_SENT);
    silent(WAVE_S - WAVE_US);
    out_between(0, 2 * WAVE_US, SYN, 0, 0, 0);
}

static void rfc6298_5_5_syn_intervals_double(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    rig.env.config.syn_retries = 6;
    drive(STATE_SYN_SENT);
    wave_time from = rig.now;
    for (unsigned i = 1; i <= 6; i++) { /* at 1, 3, 7, 15, 31, 63 s */
        out_between(0, WAVE_MIN, SYN, 0, 0, 0);
        wave_time due = ((1u << i) - 1) * WAVE_S;
        check(rig.now - from + WAVE_MS >= due && rig.now - from <= due + WAVE_MS,
              "SYN %u is sent again after %llu us", i,
              (unsigned long long)((rig.now - from) / WAVE_US));
    }
    check(rig.c.syn_sent == 7, "syn_sent is %u", rig.c.syn_sent);
    silent(64 * WAVE_S + WAVE_MS);
    expect_closed(END_TIMEOUT_SYN);
}

static void conn_config_syn_retries_zero_sends_one_syn(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    rig.env.config.syn_retries = 0;
    drive(STATE_SYN_SENT);
    silent(2 * WAVE_S);
    expect_closed(END_TIMEOUT_SYN);
}

static void rfc6298_2_2_first_measurement(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    check(rig.c.rtt.srtt == 200000 && rig.c.rtt.rttvar == 100000, "SRTT %u, RTTVAR %u",
          rig.c.rtt.srtt, rig.c.rtt.rttvar);
    rto_is(600000);
}

static void rfc6298_2_3_next_measurement(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    sample(100 * WAVE_MS);
    /* RTTVAR = 3/4 * 100 + 1/4 * |200 - 100|, SRTT = 7/8 * 200 + 1/8 * 100 ms */
    check(rig.c.rtt.srtt == 187500 && rig.c.rtt.rttvar == 100000, "SRTT %u, RTTVAR %u",
          rig.c.rtt.srtt, rig.c.rtt.rttvar);
    rto_is(587500);
    check(rig.c.rtt.min == 100000, "the least RTT is %u us", rig.c.rtt.min);
}

static void rfc6298_2_3_steady_rtt_converges(void **state)
{
    (void)state;
    connect_plain(500 * WAVE_MS);
    for (int i = 0; i < 100; i++)
        sample(300 * WAVE_MS);
    check(rig.c.rtt.srtt > 299000 && rig.c.rtt.srtt < 301000, "SRTT is %u us", rig.c.rtt.srtt);
    check(rto_us() >= 499000 && rto_us() <= 510000, "RTO is %u us", rto_us());
}

/* 2.4 as hosts have it: the bound is of what is added to SRTT. */
static void rfc6298_2_4_rto_is_above_srtt_by_its_minimum(void **state)
{
    (void)state;
    connect_plain(WAVE_MS);
    for (int i = 0; i < 100; i++) /* as steady as can be */
        sample(WAVE_MS);
    check(rig.c.rtt.rttvar < 10, "RTTVAR is still %u us", rig.c.rtt.rttvar);
    push(100);
    out(ACK, 10001, 1, 100);
    silent(WAVE_MS + rig.env.config.rto_min - WAVE_US);
    out_between(0, 10 * WAVE_US, ACK, 10001, 1, 100);
}

static void rfc6298_2_5_rto_is_not_above_its_maximum(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    rig.env.config.rto_max = WAVE_S;
    rig.env.config.r2 = WAVE_MIN;
    establish(200 * WAVE_MS);
    push(100);
    burst();
    pass(5 * WAVE_S);
    wave_time from = rig.now;
    for (int i = 0; i < 5; i++) {
        out_between(0, WAVE_S + WAVE_MS, ACK, 1, 1, 100);
        check(i == 0 || rig.now - from + WAVE_MS >= WAVE_S, "sent again after %llu us",
              (unsigned long long)((rig.now - from) / WAVE_US));
        from = rig.now;
    }
}

static void rfc6298_5_1_timer_runs_from_the_first_segment(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(100);
    out(ACK, 1, 1, 100);
    silent(400 * WAVE_MS);
    push(100); /* does not restart it */
    out(ACK, 101, 1, 100);
    out_between(200 * WAVE_MS - WAVE_US, 200 * WAVE_MS + WAVE_US, ACK, 1, 1, ANY_LEN);
}

static void rfc6298_5_2_timer_stops_when_all_is_acknowledged(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(100);
    out(ACK, 1, 1, 100);
    in(ACK, 1, 101, WND, 0);
    check(rig.c.timer[TIMER_REXMT] == WAVE_NEVER, "the timer still runs");
    silent(WAVE_H);
}

static void rfc6298_5_3_ack_of_new_data_restarts_the_timer(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(3000);
    burst();
    silent(200 * WAVE_MS);
    in(ACK, 1, 1461, WND, 0);
    burst();
    wave_time rto = rtt_rto(&rig.c.rtt, &rig.env.config, 0);
    silent(rto - WAVE_US);
    out_between(0, 2 * WAVE_US, ACK, 1461, 1, ANY_LEN);
}

static void rfc6298_5_3_duplicate_ack_does_not_restart_the_timer(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(100);
    out(ACK, 1, 1, 100);
    silent(300 * WAVE_MS);
    in(ACK, 1, 1, WND, 0);
    out_between(300 * WAVE_MS - WAVE_US, 300 * WAVE_MS + WAVE_US, ACK, 1, 1, 100);
}

static void rfc6298_5_4_only_the_earliest_segment_goes_again(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(5 * 1460);
    check(burst() == 5 * 1460, "not all goes out");
    out_between(600 * WAVE_MS - WAVE_US, 600 * WAVE_MS + WAVE_US, ACK, 1, 1, 1460);
    nothing();
    const struct event *e = expect_event(EVENT_RETRANSMIT);
    check(e->u.retransmit.why == RETRANSMIT_RTO && e->u.retransmit.seq.v == rig.iss + 1 &&
              e->u.retransmit.len == 1460,
          "the event tells another segment");
}

static void rfc6298_5_5_intervals_double(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(100);
    out(ACK, 1, 1, 100);
    for (unsigned i = 0; i < 6; i++) { /* RTO is 600 ms */
        wave_time due = (600 * WAVE_MS) << i;
        out_between(due - WAVE_US * 10, due + WAVE_US * 10, ACK, 1, 1, 100);
    }
    check(rig.c.retransmits == 6, "retransmits is %u", rig.c.retransmits);
    in(ACK, 1, 101, WND, 0);
    expect_state(STATE_ESTABLISHED);
    silent(WAVE_H);
}

static void rfc6298_3_karn_takes_no_sample_of_what_was_sent_again(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(100);
    out(ACK, 1, 1, 100);
    out_between(0, WAVE_S, ACK, 1, 1, 100);
    silent(5 * WAVE_MS);
    in(ACK, 1, 101, WND, 0);
    check(rig.c.rtt.srtt == 200000 && rig.c.rtt.rttvar == 100000, "SRTT %u, RTTVAR %u",
          rig.c.rtt.srtt, rig.c.rtt.rttvar);
}

/* Karn's second rule (RFC 6298, section 5; RFC 1122, 4.2.3.1): the doubled RTO stands until a
 * segment that was sent once is acknowledged. */
static void rfc6298_5_backed_off_rto_stands_until_a_new_sample(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(100);
    out(ACK, 1, 1, 100);
    out_between(0, WAVE_S, ACK, 1, 1, 100);
    in(ACK, 1, 101, WND, 0);
    push(100);
    out(ACK, 101, 1, 100);
    silent(1200 * WAVE_MS - WAVE_MS);
    out_between(0, 2 * WAVE_MS, ACK, 101, 1, 100);
    in(ACK, 1, 201, WND, 0);
    sample(200 * WAVE_MS);
    check(rto_us() <= 600000, "RTO is %u us after a new sample", rto_us());
}

/* RFC 7323, 4.1: a timestamp shows which transmission was answered. */
static void rfc7323_4_timestamps_measure_what_was_sent_again(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.peer.sack = false;
    establish(200 * WAVE_MS);
    for (int i = 0; i < 20; i++) {
        uint32_t next = snd_nxt();
        push(100);
        out(ACK, next, 1, 100);
        silent(20 * WAVE_MS);
        in(ACK, 1, next + 100, WND, 0);
    }
    check(rig.c.rtt.srtt < 60000, "SRTT is %u us", rig.c.rtt.srtt);
    check(rig.c.rtt.srtt >= 18000, "SRTT is %u us", rig.c.rtt.srtt);
}

static void rfc6298_5_7_lost_syn_makes_the_first_rto_three_seconds(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    drive(STATE_SYN_SENT);
    out_between(0, 2 * WAVE_S, SYN, 0, 0, 0);
    silent(50 * WAVE_MS);
    in(SYN | ACK, 0, 1, WND, 0);
    out(ACK, 1, 1, 0);
    check(rig.c.rtt.srtt == 0, "an ambiguous SYN was measured");
    push(100);
    out(ACK, 1, 1, 100);
    silent(3 * WAVE_S - WAVE_MS);
    out_between(0, 2 * WAVE_MS, ACK, 1, 1, 100);
}

static void rfc9293_3_8_3_gives_up_after_r2_and_not_before(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    check(rig.env.config.r2 >= 100 * WAVE_S, "R2 is less than 100 s by default (SHLD-11)");
    push(100);
    out(ACK, 1, 1, 100);
    wave_time from = rig.now;
    unsigned again = 0;
    while (rig.c.state == STATE_ESTABLISHED && rig.now < from + WAVE_H)
        again += next_out(WAVE_S);
    expect_end(END_TIMEOUT);
    wave_time took = rig.now - from;
    check(took >= 100 * WAVE_S && took <= 160 * WAVE_S, "given up after %llu ms",
          (unsigned long long)(took / WAVE_MS));
    check(again >= 3, "given up after %u retransmissions (SHLD-10)", again);
    check(expect_event(EVENT_TIMEOUT)->u.timeout == TIMEOUT_RETRANSMIT, "another kind of timeout");
    check(rig.env.mem_used == 0, "%zu bytes stay queued", rig.env.mem_used);
}

static void rfc9293_3_8_3_must_21_r2_is_settable(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    rig.env.config.r2 = 5 * WAVE_S;
    push(100);
    burst();
    wave_time from = rig.now;
    while (rig.c.state == STATE_ESTABLISHED && rig.now < from + WAVE_H)
        next_out(100 * WAVE_MS);
    expect_end(END_TIMEOUT);
    check(rig.now - from >= 5 * WAVE_S && rig.now - from <= 11 * WAVE_S, "given up after %llu ms",
          (unsigned long long)((rig.now - from) / WAVE_MS));
}

/* R2 measures one segment: progress restarts it. */
static void rfc9293_3_8_3_progress_starts_r2_anew(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(40);
    burst();
    for (uint32_t i = 1; i <= 20; i++) {
        wave_time from = rig.now;
        while (rig.now < from + 50 * WAVE_S)
            next_out(from + 50 * WAVE_S - rig.now);
        expect_state(STATE_ESTABLISHED);
        in(ACK, 1, 1 + i, WND, 0);
        burst();
    }
    expect_state(STATE_ESTABLISHED);
    in(ACK, 1, 41, WND, 0);
    silent(WAVE_H);
}

static void a_retransmission_carries_the_newest_acknowledgement(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(100);
    out(ACK, 1, 1, 100);
    in(ACK, 1, 1, WND, 50);
    acknowledges(51);
    out_between(0, WAVE_S, ACK, 1, 51, 100);
}

static void a_reset_stops_the_timer(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(100);
    burst();
    in(RST, 1, 0, 0, 0);
    expect_closed(END_RESET);
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "a timer still runs");
    silent(WAVE_H);
}

/* After a timeout everything in flight is in doubt, and is retransmitted in order as
 * acknowledgements come. */
static void rfc5681_3_1_the_flight_goes_again_in_order(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(10 * 1460);
    check(burst() == 14600, "not all goes out");
    uint32_t acked = 1;
    bool seen[10] = {false};
    for (int i = 0; i < 40 && acked < 14601; i++) {
        check(next_out(5 * WAVE_S), "%u is never sent again", acked);
        seen[(out_seq() - 1) / 1460] = true;
        if (out_seq() <= acked && out_seq() + rig.out.len > acked)
            acked = out_seq() + rig.out.len;
        if (!next_out(0)) { /* the peer answers when a flight is over */
            silent(50 * WAVE_MS);
            in(ACK, 1, acked, WND, 0);
        } else {
            seen[(out_seq() - 1) / 1460] = true;
            if (out_seq() <= acked && out_seq() + rig.out.len > acked)
                acked = out_seq() + rig.out.len;
        }
    }
    for (int i = 0; i < 10; i++)
        check(seen[i], "segment %d was not sent again", i);
    in(ACK, 1, 14601, WND, 0);
    check(conn_unacked(&rig.c) == 0, "conn_unacked() is %zu", conn_unacked(&rig.c));
    silent(WAVE_H);
}

/* RFC 6298, 5.7 raises what is below three seconds, and lowers nothing. */
static void rfc6298_5_7_a_longer_first_rto_stands(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    rig.env.config.rto_initial = 5 * WAVE_S;
    drive(STATE_SYN_SENT);
    out_between(0, 6 * WAVE_S, SYN, 0, 0, 0);
    in(SYN | ACK, 0, 1, WND, 0);
    out(ACK, 1, 1, 0);
    push(100);
    out(ACK, 1, 1, 100);
    silent(5 * WAVE_S - WAVE_MS);
    out_between(0, 2 * WAVE_MS, ACK, 1, 1, 100);
}

/* 5.5 with 2.5: at its bound the RTO stays, after however many timeouts. */
static void rfc6298_5_5_the_back_off_does_not_wrap(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    rig.env.config.rto_max = 10 * WAVE_S;
    rig.env.config.r2 = 24 * WAVE_H;
    establish(200 * WAVE_MS);
    push(100);
    out(ACK, 1, 1, 100);
    pass(WAVE_MIN);
    for (int i = 0; i < 600; i++) {
        wave_time from = rig.now;
        check(next_out(WAVE_MIN), "nothing is sent again");
        check(i == 0 || rig.now - from == 10 * WAVE_S, "sent again after %llu ms",
              (unsigned long long)((rig.now - from) / WAVE_MS));
    }
    expect_state(STATE_ESTABLISHED);
}

/* Section 3, Karn: an acknowledgement that had to wait for the repair of an earlier loss measures
 * the repair, whatever else it covers. */
static void rfc6298_3_karn_takes_no_sample_of_a_repair(void **state)
{
    (void)state;
    connect_plain(200 * WAVE_MS);
    push(3 * 1460);
    check(burst() == 3 * 1460, "not all goes out");
    out_between(0, WAVE_S, ACK, 1, 1, 1460);
    silent(200 * WAVE_MS);
    in(ACK, 1, 1 + 3 * 1460, WND, 0); /* the first had been lost, the others were there */
    check(rig.c.rtt.srtt == 200000 && rig.c.rtt.rttvar == 100000, "SRTT %u, RTTVAR %u",
          rig.c.rtt.srtt, rig.c.rtt.rttvar);
    check(rig.c.backoff > 0, "the back-off ended without a sample");
    sample(200 * WAVE_MS);
    check(rig.c.backoff == 0, "the back-off stands after a sample");
}

/* The same with timestamps, whose echo is the repair's own (RFC 7323, 4.3): the sample is right. */
static void rfc7323_4_a_repair_is_measured_by_its_own_echo(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.peer.sack = false;
    establish(200 * WAVE_MS);
    push(3 * eff_mss());
    check(burst() == 3 * eff_mss(), "not all goes out");
    out_between(0, WAVE_S, ACK, 1, 1, eff_mss());
    silent(200 * WAVE_MS);
    in(ACK, 1, 1 + 3 * eff_mss(), WND, 0);
    check(rig.c.rtt.srtt >= 199000 && rig.c.rtt.srtt <= 201000, "SRTT is %u us", rig.c.rtt.srtt);
}

/* Section 3: a SYN that crossed the peer's went out twice, alone and as SYN-ACK, and which of the
 * two is acknowledged is not known. */
static void rfc6298_3_karn_takes_no_sample_of_crossed_syns(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    drive(STATE_SYN_SENT);
    silent(50 * WAVE_MS);
    simultaneous();
    silent(WAVE_MS);
    in(SYN | ACK, 0, 1, WND, 0); /* answers the SYN of 51 ms ago */
    expect_state(STATE_ESTABLISHED);
    check(rig.c.rtt.srtt == 0, "SRTT is %u us", rig.c.rtt.srtt);
}

/* rtt.h counts in 32 bits of microseconds, which last for 71 minutes: longer is as long as that. */
static void a_round_trip_of_hours_is_no_short_one(void **state)
{
    (void)state;
    struct conn_config *config = &rig.env.config;
    struct rtt r;
    config->rto_max = 100 * WAVE_H;
    rtt_init(&r, config);
    rtt_sample(&r, 3 * WAVE_H);
    check(r.srtt == UINT32_MAX, "SRTT %u", r.srtt);
    check(rtt_rto(&r, config, 0) == (UINT32_MAX + (wave_time)UINT32_MAX / 2 * 4) * WAVE_US,
          "the timeout is another");
    check(rtt_rto(&r, config, 300) == config->rto_max, "the timeout is beyond its bound");
    config->rto_initial = 3 * WAVE_H;
    rtt_init(&r, config);
    check(rtt_rto(&r, config, 0) == UINT32_MAX * WAVE_US, "the first RTO is another");
}

/* RFC 6298, 2.3, with round trips that the clock cannot see: zero would mean "nothing measured". */
static void rfc6298_2_3_a_round_trip_of_nothing_is_measured(void **state)
{
    (void)state;
    struct conn_config *config = &rig.env.config;
    struct rtt r;
    rtt_init(&r, config);
    rtt_sample(&r, 0);
    check(r.srtt > 0 && rtt_rto(&r, config, 0) == config->rto_min + WAVE_US, "SRTT %u", r.srtt);
    for (int i = 0; i < 100; i++)
        rtt_sample(&r, 0);
    check(r.srtt > 0 && r.min > 0 && rtt_rto(&r, config, 0) == config->rto_min + WAVE_US, "SRTT %u",
          r.srtt);
    rtt_sample(&r, 8 * WAVE_MS);
    check(r.srtt >= 1000 && r.srtt <= 1001, "SRTT %u", r.srtt);
}

/* Establishes a connection with SACK, over a path whose round trip is constant. */
static void connect_steady(wave_time rtt)
{
    rig_start(&variants[1]);
    establish(rtt);
    for (int i = 0; i < 50; i++)
        sample(rtt);
    forget();
}

/* Sends ten bytes each `pause` for `duration`, and nothing answers. Returns after how long the
 * first retransmission came, and how long after that the first of the oldest. */
static wave_time write_into_silence(wave_time pause, wave_time duration, wave_time *oldest)
{
    const uint32_t una = snd_una();
    const wave_time from = rig.now;
    wave_time first = 0;

    *oldest = 0;
    for (uint32_t sent = una; rig.now < from + duration && !*oldest;) {
        const wave_time next = rig.now + pause;
        push(10);
        while (next_out(next - rig.now)) {
            const bool again = out_seq() < sent;
            sent = again ? sent : out_seq() + rig.out.len;
            first = again && !first ? rig.now - from : first;
            *oldest = again && out_seq() == una && !*oldest ? rig.now - from : *oldest;
        }
    }
    return first;
}

/* 5.1 with RFC 8985, 7.2: new segments put the tail-loss probe off, but neither the RTO of the
 * oldest one nor the probe beyond that. */
static void rfc6298_5_1_new_segments_do_not_put_the_rto_off(void **state)
{
    (void)state;
    connect_steady(20 * WAVE_MS);
    const wave_time rto = rto_us() * WAVE_US;
    wave_time oldest, first = write_into_silence(30 * WAVE_MS, 10 * WAVE_S, &oldest);
    check(first >= rto - WAVE_MS && first <= rto + WAVE_MS, "sent again after %llu ms, RTO %llu",
          (unsigned long long)(first / WAVE_MS), (unsigned long long)(rto / WAVE_MS));
    check(oldest >= rto && oldest <= 2 * rto + WAVE_MS, "the oldest goes again after %llu ms",
          (unsigned long long)(oldest / WAVE_MS));
}

/* R1 and R2 count while data is written: the timer fires time and again, and gives up after R2. */
static void rfc9293_3_8_3_a_dead_path_is_noticed_while_data_is_written(void **state)
{
    (void)state;
    connect_steady(20 * WAVE_MS);
    const wave_time from = rig.now;
    unsigned fired = 0;
    while (rig.c.state == STATE_ESTABLISHED && rig.now < from + 200 * WAVE_S) {
        push(10);
        pass(30 * WAVE_MS);
        for (const struct event *e; (e = event_find(EVENT_RETRANSMIT)) != NULL;)
            fired += e->u.retransmit.why == RETRANSMIT_RTO && e->u.retransmit.n >= 1;
    }
    expect_end(END_TIMEOUT);
    check(rig.now - from >= 99 * WAVE_S && rig.now - from <= 101 * WAVE_S, "given up after %llu ms",
          (unsigned long long)((rig.now - from) / WAVE_MS));
    check(fired >= 6, "the timer fired %u times", fired);
}

/* The same while RACK's timer runs: it neither replaces the RTO nor restarts it. */
static void rfc8985_6_3_the_reordering_timer_leaves_the_rto(void **state)
{
    (void)state;
    connect_steady(100 * WAVE_MS);
    push(3 * eff_mss());
    burst();
    const wave_time due = rig.c.timer[TIMER_REXMT];
    const uint32_t una = snd_una();
    silent(105 * WAVE_MS);
    struct seg s = make(ACK, 1, una, WND, 0);
    s.opt.has |= OPT_SACK;
    s.opt.sacks = 1;
    s.opt.sack[0].first = seq_of(rig.iss + una + eff_mss());
    s.opt.sack[0].end = seq_of(rig.iss + una + 2 * eff_mss());
    feed(s);
    check(rig.c.flags & CONN_RACK, "RACK's timer does not run");
    check(rig.c.timer[TIMER_REXMT] == due, "the RTO's expiry moved");
}

/* RFC 8985, 7.2: above 100 ms of round trip a probe comes before the RTO, and at a round trip of
 * 300 ms, where two of them are beyond the RTO's expiry, at that. */
static void rfc8985_7_2_a_long_path_has_its_tail_loss_probe(void **state)
{
    static const wave_time rtts[] = {120 * WAVE_MS, 180 * WAVE_MS, 300 * WAVE_MS};
    (void)state;
    for (size_t i = 0; i < COUNT(rtts); i++) {
        connect_steady(rtts[i]);
        const wave_time rto = rto_us() * WAVE_US, pto = 2 * WAVE_US * rig.c.rtt.srtt;
        const uint32_t last = snd_nxt() + eff_mss(), cwnd = rig.c.cwnd;
        push(2 * eff_mss());
        burst();
        check(next_out(WAVE_S) && out_seq() == last, "no tail-loss probe at %llu ms",
              (unsigned long long)(rtts[i] / WAVE_MS));
        check(expect_event(EVENT_RETRANSMIT)->u.retransmit.why == RETRANSMIT_TLP, "it is no probe");
        check(rig.c.cwnd == cwnd, "cwnd went from %u to %u", cwnd, rig.c.cwnd);
        check(rig.c.timer[TIMER_REXMT] == rig.now + rto, "the RTO was not started anew (7.3)");
        check(pto < rto || i == 2, "PTO %llu is no less than RTO %llu", (unsigned long long)pto,
              (unsigned long long)rto);
    }
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc6298_5_1_new_segments_do_not_put_the_rto_off),
        cmocka_unit_test(rfc9293_3_8_3_a_dead_path_is_noticed_while_data_is_written),
        cmocka_unit_test(rfc8985_6_3_the_reordering_timer_leaves_the_rto),
        cmocka_unit_test(rfc8985_7_2_a_long_path_has_its_tail_loss_probe),
        cmocka_unit_test(rfc6298_2_1_first_syn_waits_one_second),
        cmocka_unit_test(rfc6298_5_5_syn_intervals_double),
        cmocka_unit_test(conn_config_syn_retries_zero_sends_one_syn),
        cmocka_unit_test(rfc6298_2_2_first_measurement),
        cmocka_unit_test(rfc6298_2_3_next_measurement),
        cmocka_unit_test(rfc6298_2_3_steady_rtt_converges),
        cmocka_unit_test(rfc6298_2_4_rto_is_above_srtt_by_its_minimum),
        cmocka_unit_test(rfc6298_2_5_rto_is_not_above_its_maximum),
        cmocka_unit_test(rfc6298_5_1_timer_runs_from_the_first_segment),
        cmocka_unit_test(rfc6298_5_2_timer_stops_when_all_is_acknowledged),
        cmocka_unit_test(rfc6298_5_3_ack_of_new_data_restarts_the_timer),
        cmocka_unit_test(rfc6298_5_3_duplicate_ack_does_not_restart_the_timer),
        cmocka_unit_test(rfc6298_5_4_only_the_earliest_segment_goes_again),
        cmocka_unit_test(rfc6298_5_5_intervals_double),
        cmocka_unit_test(rfc6298_3_karn_takes_no_sample_of_what_was_sent_again),
        cmocka_unit_test(rfc6298_5_backed_off_rto_stands_until_a_new_sample),
        cmocka_unit_test(rfc7323_4_timestamps_measure_what_was_sent_again),
        cmocka_unit_test(rfc6298_5_7_lost_syn_makes_the_first_rto_three_seconds),
        cmocka_unit_test(rfc9293_3_8_3_gives_up_after_r2_and_not_before),
        cmocka_unit_test(rfc9293_3_8_3_must_21_r2_is_settable),
        cmocka_unit_test(rfc9293_3_8_3_progress_starts_r2_anew),
        cmocka_unit_test(a_retransmission_carries_the_newest_acknowledgement),
        cmocka_unit_test(a_reset_stops_the_timer),
        cmocka_unit_test(rfc5681_3_1_the_flight_goes_again_in_order),
        cmocka_unit_test(rfc6298_5_7_a_longer_first_rto_stands),
        cmocka_unit_test(rfc6298_5_5_the_back_off_does_not_wrap),
        cmocka_unit_test(rfc6298_3_karn_takes_no_sample_of_a_repair),
        cmocka_unit_test(rfc7323_4_a_repair_is_measured_by_its_own_echo),
        cmocka_unit_test(rfc6298_3_karn_takes_no_sample_of_crossed_syns),
        cmocka_unit_test(a_round_trip_of_hours_is_no_short_one),
        cmocka_unit_test(rfc6298_2_3_a_round_trip_of_nothing_is_measured),
    };
    return run_cases(cases, COUNT(cases));
}
