/* Tests timestamps where they can do harm: what may change TS.Recent (RFC 7323, 5.3), segments
 * without them (3.2), and resets with them (3.2). */
#include "tests/unit/engine.h"

#define FORGED 1000000000u /* added to a TSval: PAWS would refuse the real peer for 11 days */

/* The peer's next segment is taken as if nothing had happened. */
static void peer_is_heard(uint32_t recent)
{
    const uint32_t next = rcv_nxt();
    check(rig.c.ts_recent == recent, "TS.Recent is %u, not %u", rig.c.ts_recent, recent);
    burst();
    in(ACK | PSH, next, snd_nxt(), WND, 100);
    check(rcv_nxt() == next + 100, "the peer is not heard any more");
}

/* R2 stands before R3, and the fifth step before what the segment brings. */
static void rfc7323_5_3_r3_only_an_acceptable_segment_is_recorded(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        unsigned flags;
        uint32_t seq, ack, len;
    } table[] = {{"far to the left of the window", ACK, 0u - FORGED, 1, 0},
                 {"far to the left, with data", ACK, 0u - FORGED, 1, 100},
                 {"just left of the window, with data", ACK, 0u - 99, 1, 100},
                 {"a keepalive probe", ACK, 0, 1, 0},
                 {"a keepalive probe of what was never sent", ACK, 0, 1 + FORGED, 0},
                 {"far to the right of the window", ACK, 1 + FORGED, 1, 100},
                 {"a SYN at its old number", SYN, 0, 0, 0},
                 {"a SYN-ACK at its old number", SYN | ACK, 0, 1, 0},
                 {"a SYN in the window", SYN, 1, 0, 0},
                 {"a RST in the window", RST, 2, 0, 0},
                 {"a RST outside", RST, 1 + FORGED, 0, 0},
                 {"an ACK of what was never sent", ACK, 1, 2 + FORGED, 0},
                 {"data with one", ACK | PSH, 1, 2, 100},
                 {"an ACK too old", ACK, 1, 0u - FORGED, 0},
                 {"data with one", ACK | PSH, 1, 0u - FORGED, 100},
                 {"a FIN with an ACK of what was never sent", ACK | FIN, 1, 2, 0},
                 {"no ACK bit", PSH, 1, 0, 100},
                 {"nothing at all", 0, 1, 0, 0}};
    for (size_t i = 0; i < COUNT(table); i++) {
        rig_start(&variants[1]);
        drive(STATE_ESTABLISHED);
        const uint32_t recent = rig.c.ts_recent;
        struct seg s = make(table[i].flags, table[i].seq, table[i].ack, WND, table[i].len);
        s.opt = (struct opt){.has = OPT_TIMESTAMP, .tsval = recent + FORGED};
        feed(s);
        check(rig.c.ts_recent == recent, "TS.Recent is moved by: %s", table[i].what);
        peer_is_heard(recent);
    }
}

/* The same in every state that has a window: four blind segments, and the connection still ends
 * as it should. */
static void rfc7323_5_3_r3_holds_in_every_state(void **state)
{
    (void)state;
    for (enum state at = STATE_SYN_RECEIVED; at <= STATE_TIME_WAIT; at++) {
        rig_start(&variants[1]);
        drive(at);
        const uint32_t recent = rig.c.ts_recent, next = rcv_nxt();
        const struct seg blind[] = {
            make(ACK, next + FORGED, 1, WND, 0), make(ACK, next - FORGED, 1, WND, 100),
            make(ACK, next, FORGED, WND, 0), make(SYN, next + FORGED, 0, WND, 0)};
        /* The SYN opens a new connection in TIME_WAIT, as it should (RFC 6191). */
        for (size_t i = 0; i < COUNT(blind) - (at == STATE_TIME_WAIT); i++) {
            struct seg s = blind[i];
            s.opt = (struct opt){.has = OPT_TIMESTAMP, .tsval = recent + FORGED};
            feed(s);
            burst();
            check(rig.c.ts_recent == recent, "segment %zu moves TS.Recent in %s", i,
                  state_name(at));
        }
        if (at == STATE_TIME_WAIT)
            continue;
        in(RST, next, 0, 0, 0);
        check(rig.c.state == STATE_CLOSED || rig.c.state == STATE_LISTEN, "a RST is not taken");
    }
}

static void rfc7323_5_3_r3_what_was_taken_is_recorded(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    for (uint32_t i = 0; i < 3; i++) {
        rig.now += 100 * WAVE_MS;
        struct seg s = make(ACK | PSH, 1 + 100 * i, 1, WND, 100);
        feed(s);
        check(rig.c.ts_recent == s.opt.tsval, "TS.Recent does not follow the peer");
        acknowledges(101 + 100 * i);
    }
    rig.now += 100 * WAVE_MS;
    struct seg s = make(ACK, 301, 1, WND, 0);
    feed(s);
    check(rig.c.ts_recent == s.opt.tsval, "TS.Recent does not follow an ACK");
}

/* RFC 9293, MUST-13: the peer's SYN is retransmitted; the SYN-ACK echoes the newer timestamp. */
static void rfc7323_4_3_a_repeated_syn_is_echoed(void **state)
{
    (void)state;
    drive(STATE_SYN_RECEIVED);
    rig.now += 200 * WAVE_MS;
    struct seg s = make(SYN, 0, 0, WND, 0);
    feed(s);
    out(SYN | ACK, 0, 1, 0);
    check(rig.out.opt.tsecr == s.opt.tsval, "%u is echoed, not %u", rig.out.opt.tsecr, s.opt.tsval);
}

/* RFC 7323, 5.5: TS.Recent ages, whatever other segments came from the peer. */
static void rfc7323_5_5_probes_do_not_keep_ts_recent_young(void **state)
{
    (void)state;
    for (int stamped = 0; stamped < 2; stamped++) {
        rig_start(&variants[1]);
        drive(STATE_ESTABLISHED);
        uint32_t recent = rig.c.ts_recent;
        for (int hour = 0; hour < 25 * 24; hour += 2) {
            rig.now += 2 * WAVE_H;
            struct seg probe = make(ACK, 0, 1, WND, 0);
            if (!stamped)
                probe.opt.has = 0;
            feed(probe);
            burst();
        }
        struct seg s = make(ACK | PSH, 1, 1, WND, 100);
        check((int32_t)(s.opt.tsval - recent) < 0, "the case is not across the wrap");
        feed(s);
        check(rcv_nxt() == 101, "data is refused after 25 days of %s probes",
              stamped ? "ordinary" : "bare");
        check(rig.c.ts_recent == s.opt.tsval, "TS.Recent did not follow");
    }
}

static void rfc7323_5_5_ts_recent_holds_for_three_weeks(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    uint32_t recent = rig.c.ts_recent;
    rig.now += 23 * 24 * WAVE_H;
    struct seg s = make(ACK | PSH, 1, 1, WND, 100);
    s.opt.tsval = recent - 1;
    feed(s);
    check(rcv_nxt() == 1, "an old duplicate was taken");
}

/* PAWS discards data: each such segment is answered, since an ACK of ours cannot provoke it once
 * more. A segment without data could be an answer to our ACK, and is limited as challenges are. */
static void rfc7323_5_3_r1_refused_data_is_answered_each_time(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    for (int i = 0; i < 20; i++) {
        struct seg s = make(ACK | PSH, 1, 1, WND, 100);
        s.opt.tsval = rig.c.ts_recent - 1;
        feed(s);
        out(ACK, 1, 1, 0);
    }
    unsigned answered = 0;
    for (int i = 0; i < 20; i++) {
        struct seg s = make(ACK, 1, 1, WND, 0);
        s.opt.tsval = rig.c.ts_recent - 1;
        feed(s);
        answered += next_out(0);
    }
    check(answered == rig.env.config.challenge_limit, "%u answers to bare ACKs", answered);
}

/*
 * Segments without them
 */

static struct seg bare(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    struct seg s = make(flags, seq, ack, WND, len);
    s.opt.has &= (uint8_t)~OPT_TIMESTAMP;
    s.opt.tsval = s.opt.tsecr = 0;
    return s;
}

static void tolerated(uint64_t n)
{
    check(expect_event(EVENT_TOLERATED)->u.check == CHECK_NO_TIMESTAMP, "another check failed");
    check(rig.env.tolerated[CHECK_NO_TIMESTAMP] == n, "%llu are counted, not %llu",
          (unsigned long long)rig.env.tolerated[CHECK_NO_TIMESTAMP], (unsigned long long)n);
    check(rig.env.discarded[CHECK_NO_TIMESTAMP] == 0, "it is counted as refused");
}

/* RFC 7323, 3.2: SHOULD drop, and MUST NOT abort; here as Linux and FreeBSD have it. */
static void rfc7323_3_2_segments_without_timestamps_are_taken_and_counted(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    const uint32_t recent = rig.c.ts_recent, srtt = rig.c.rtt.srtt;
    feed(bare(ACK | PSH, 1, 1, 100));
    check(readable() == 100, "data without the timestamp was not taken");
    tolerated(1);
    acknowledges(101);
    check(rig.out.opt.tsecr == recent, "the echo is %u, not %u", rig.out.opt.tsecr, recent);
    push(3000);
    burst();
    rig.now += 10 * WAVE_MS;
    feed(bare(ACK, 101, 3001, 0));
    check(snd_una() == 3001, "an ACK without the timestamp was not taken");
    tolerated(2);
    check(rig.c.rtt.srtt != 0 && rig.c.rtt.srtt <= 2 * srtt, "the round trip is %u us",
          rig.c.rtt.srtt);
    peer_is_heard(recent);
    feed(bare(FIN | ACK, 201, 3001, 0));
    expect_state(STATE_CLOSE_WAIT);
    tolerated(3);
}

/* A retransmission that is acknowledged without an echo gives no sample (Karn). */
static void rfc6298_3_a_bare_ack_of_a_retransmission_is_not_measured(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(100);
    out(ACK, 1, 1, 100);
    out_between(WAVE_MS, WAVE_S, ACK, 1, 1, 100);
    const uint32_t srtt = rig.c.rtt.srtt;
    rig.now += 50 * WAVE_MS;
    feed(bare(ACK, 1, 101, 0));
    check(rig.c.rtt.srtt == srtt, "the round trip became %u us", rig.c.rtt.srtt);
}

static void rfc7323_3_2_the_third_segment_may_lack_it(void **state)
{
    (void)state;
    drive(STATE_SYN_RECEIVED);
    feed(bare(ACK, 1, 1, 0));
    expect_state(STATE_ESTABLISHED);
    tolerated(1);
}

static void rfc7323_3_2_a_bare_segment_outside_the_window_is_none_the_better(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    feed(bare(ACK | PSH, 1 + RCVBUF, 1, 100));
    out(ACK, 1, 1, 0);
    feed(bare(ACK | PSH, 1, 2, 100));
    out(ACK, 1, 1, 0);
    check(rcv_nxt() == 1, "it was taken");
    expect_no_event(EVENT_TOLERATED);
}

/* RFC 9293, 3.8.4: the peer's probe, of either form. */
static void rfc7323_3_2_a_bare_probe_is_answered(void **state)
{
    (void)state;
    for (uint32_t len = 0; len < 2; len++) {
        rig_start(&variants[1]);
        drive(STATE_ESTABLISHED);
        silent(100 * WAVE_S);
        feed(bare(ACK, 0, 1, len));
        check(expect_event(EVENT_PEER_PROBE)->u.peer_probe.silence == 100 * WAVE_S,
              "the silence is another one");
        tolerated(1);
        out(ACK, 1, 1, 0);
        nothing();
    }
}

/* And the answer to ours. */
static void rfc7323_3_2_a_bare_answer_to_a_probe_counts(void **state)
{
    (void)state;
    rig.env.config.keepalive = true;
    drive(STATE_ESTABLISHED);
    for (unsigned i = 1; i <= 20; i++) {
        out_between(7000 * WAVE_S, 7300 * WAVE_S, ACK, 0, 1, 0);
        feed(bare(ACK, 1, 1, 0));
        expect_event(EVENT_PROBE_ANSWER);
        tolerated(i);
    }
    expect_state(STATE_ESTABLISHED);
}

/* A forged keepalive probe counts as a sign of life only if it has the numbers of both sides. */
static void rfc5961_5_2_a_probe_with_a_wrong_ack_is_no_probe(void **state)
{
    (void)state;
    static const uint32_t wrong[] = {2, FORGED, 0u - FORGED};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        rig_start(&variants[1]);
        drive(STATE_ESTABLISHED);
        const wave_time heard = rig.c.last_in;
        silent(100 * WAVE_S);
        in(ACK, 0, wrong[i], WND, 0);
        expect_no_event(EVENT_PEER_PROBE);
        check(rig.c.last_in == heard, "the peer counts as heard");
        in(0, 0, 0, WND, 0);
        expect_no_event(EVENT_PEER_PROBE);
    }
}

/*
 * Resets
 */

static void reset_has_timestamp(uint32_t seq)
{
    out(RST, seq, 0, 0);
    check(rig.out.opt.has & OPT_TIMESTAMP, "the RST has no timestamp");
    check(rig.out.opt.tsval == (uint32_t)(rig.now / WAVE_MS) + rig.c.ts_offset, "TSval is %u",
          rig.out.opt.tsval);
    check(rig.out.opt.tsecr == 0, "without ACK there is an echo, %u", rig.out.opt.tsecr);
}

static void rfc7323_3_2_should_a_rst_carries_a_timestamp(void **state)
{
    (void)state;
    static const enum state from[] = {STATE_SYN_RECEIVED, STATE_ESTABLISHED, STATE_FIN_WAIT_1,
                                      STATE_FIN_WAIT_2, STATE_CLOSE_WAIT};
    for (size_t i = 0; i < COUNT(from); i++) {
        rig_start(&variants[1]);
        drive(from[i]);
        const uint32_t next = snd_nxt();
        conn_abort(&rig.c, rig.now);
        reset_has_timestamp(next);
        expect_closed(END_ABORTED);
    }
    for (size_t i = 0; i < COUNT(from); i++) { /* nor where they were not negotiated */
        rig_start(&variants[1]);
        rig.peer.timestamps = false;
        drive(from[i]);
        conn_abort(&rig.c, rig.now);
        out(RST, snd_nxt(), 0, 0);
        check(rig.out.opt.has == 0, "the RST has options");
    }
}

static void rfc7323_3_2_should_the_rst_after_keepalive_too(void **state)
{
    (void)state;
    rig.env.config.keepalive = true;
    rig.env.config.keepalive_count = 1;
    drive(STATE_ESTABLISHED);
    out_between(7000 * WAVE_S, 7300 * WAVE_S, ACK, 0, 1, 0);
    check(next_out(100 * WAVE_S), "nothing ends it");
    check(rig.out.flags == SEG_RST && (rig.out.opt.has & OPT_TIMESTAMP),
          "the RST has no timestamp");
}

/* <SEQ=SEG.ACK><CTL=RST>, with which SYN_RECEIVED answers an impossible ACK (RFC 9293, 3.10.7.4).
 */
static void rfc7323_3_2_should_the_rst_of_syn_received_too(void **state)
{
    (void)state;
    drive(STATE_SYN_RECEIVED);
    in(ACK, 1, 5000, WND, 0);
    reset_has_timestamp(5000);
    expect_state(STATE_SYN_RECEIVED);
}

/* In SYN_SENT nothing is negotiated yet, and CLOSED has nothing. */
static void rfc7323_3_2_no_rst_carries_what_was_not_negotiated(void **state)
{
    (void)state;
    drive(STATE_SYN_SENT);
    in(SYN | ACK, 0, 5000, WND, 0);
    out(RST, 5000, 0, 0);
    check(rig.out.opt.has == 0, "the RST has options");
    rig_start(&variants[1]);
    drive(STATE_ESTABLISHED);
    conn_vanish(&rig.c, rig.now);
    in(ACK, 1, 1, WND, 0);
    out(RST, 1, 0, 0);
    check(rig.out.opt.has == 0, "the RST has options");
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc7323_5_3_r3_only_an_acceptable_segment_is_recorded),
        cmocka_unit_test(rfc7323_5_3_r3_holds_in_every_state),
        cmocka_unit_test(rfc7323_5_3_r3_what_was_taken_is_recorded),
        cmocka_unit_test(rfc7323_4_3_a_repeated_syn_is_echoed),
        cmocka_unit_test(rfc7323_5_5_probes_do_not_keep_ts_recent_young),
        cmocka_unit_test(rfc7323_5_5_ts_recent_holds_for_three_weeks),
        cmocka_unit_test(rfc7323_5_3_r1_refused_data_is_answered_each_time),
        cmocka_unit_test(rfc7323_3_2_segments_without_timestamps_are_taken_and_counted),
        cmocka_unit_test(rfc6298_3_a_bare_ack_of_a_retransmission_is_not_measured),
        cmocka_unit_test(rfc7323_3_2_the_third_segment_may_lack_it),
        cmocka_unit_test(rfc7323_3_2_a_bare_segment_outside_the_window_is_none_the_better),
        cmocka_unit_test(rfc7323_3_2_a_bare_probe_is_answered),
        cmocka_unit_test(rfc7323_3_2_a_bare_answer_to_a_probe_counts),
        cmocka_unit_test(rfc5961_5_2_a_probe_with_a_wrong_ack_is_no_probe),
        cmocka_unit_test(rfc7323_3_2_should_a_rst_carries_a_timestamp),
        cmocka_unit_test(rfc7323_3_2_should_the_rst_after_keepalive_too),
        cmocka_unit_test(rfc7323_3_2_should_the_rst_of_syn_received_too),
        cmocka_unit_test(rfc7323_3_2_no_rst_carries_what_was_not_negotiated),
    };
    return run_cases(cases, COUNT(cases));
}
