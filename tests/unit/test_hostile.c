/* Tests peers that attack us: whatever they send, the connection ends in the right state, the data
 * stays correct, memory is bounded, and nothing goes on for ever. */
#include "tests/unit/engine.h"

#include "lib/core/queue.h"

/* Rings double and are copied while they grow; records and runs come on top. */
static void memory_is_bounded(void)
{
    const size_t max = 4 * (size_t)(rig.env.config.rcvbuf + rig.env.config.sndbuf) + 65536;

    check(rig.env.mem_used <= max, "%zu bytes are held, %zu are too many", rig.env.mem_used, max);
}

/* Checks that the connection still works. */
static void still_works(uint32_t from)
{
    in(ACK | PSH, from, snd_nxt(), WND, 10);
    acknowledges(from + 10);
    take(10);
    expect_state(STATE_ESTABLISHED);
}

static void rfc9293_3_10_7_3_storm_of_wrong_syn_acks_changes_nothing(void **state)
{
    (void)state;
    drive(STATE_SYN_SENT);
    for (uint32_t i = 0; i < 2000; i++) {
        in(SYN | ACK, 0, i % 2 ? 2 + i : 0 - i, WND, 0);
        check(next_out(0) && (rig.out.flags & RST), "a wrong acknowledgement is answered with RST");
    }
    expect_state(STATE_SYN_SENT);
    in(SYN | ACK, 0, 1, WND, 0);
    out(ACK, 1, 1, 0);
    still_works(1);
}

static void rfc5961_3_2_storm_of_rsts_outside_the_window_is_not_answered(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    for (uint32_t i = 2; i < 60000; i++) { /* all around, but for the window */
        in(RST, i * 70000, 0, 0, 0);
        nothing();
    }
    still_works(1);
    memory_is_bounded();
}

static void rfc5961_3_2_storm_of_rsts_in_the_window_is_answered_within_the_limit(void **state)
{
    unsigned answers = 0;

    (void)state;
    drive(STATE_ESTABLISHED);
    for (uint32_t seq = 2; seq < RCVBUF; seq++) {
        in(RST, seq, 0, 0, 0);
        answers += burst() == 0 ? (unsigned)rig.bursts : 0;
    }
    check(answers <= rig.env.config.challenge_limit, "%u challenges were sent", answers);
    still_works(1);
}

static void a_forged_fin_is_not_the_end(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(FIN | ACK, 1 + RCVBUF + 70000, 1, WND, 0); /* beyond the window */
    burst();
    in(FIN | ACK, 0xfffffff0u, 1, WND, 0); /* before it */
    burst();
    in(FIN | ACK, 1, 5000, WND, 0); /* with an ACK of what was never sent */
    burst();
    in(FIN, 1, 0, WND, 0); /* without any */
    burst();
    expect_state(STATE_ESTABLISHED);
    expect_no_event(EVENT_FIN);
    in(FIN | ACK, 501, 1, WND, 0); /* beyond a gap: kept until that is filled */
    burst();
    expect_state(STATE_ESTABLISHED);
    expect_no_event(EVENT_FIN);
    in(ACK, 1, 1, WND, 500);
    burst();
    take(500);
    expect_state(STATE_CLOSE_WAIT);
}

static void rfc9293_3_10_7_4_acks_of_data_never_sent_move_nothing(void **state)
{
    unsigned answers = 0;

    (void)state;
    drive(STATE_ESTABLISHED);
    push(1000);
    burst();
    for (uint32_t i = 0; i < 5000; i++) {
        in(ACK, 1, 1002 + i * 7919, WND, 0);
        burst();
        answers += (unsigned)rig.bursts;
        check(snd_una() == 1, "SND.UNA is %u", snd_una());
    }
    check(answers <= 5000, "%u segments answered 5000", answers);
    in(ACK, 1, 1001, WND, 0);
    still_works(1);
}

static void a_window_that_shrinks_for_ever_is_outlived(void **state)
{
    uint32_t wnd = 20000;

    (void)state;
    drive(STATE_ESTABLISHED);
    push(20000);
    burst();
    for (int i = 0; i < 20000; i++) {
        wnd = i % 3 ? wnd / 2 : (uint32_t)i % 300;
        in(ACK, 1, snd_una() + (i % 5 == 0 && snd_una() < snd_nxt()), wnd, 0);
        next_out(WAVE_MIN);
        memory_is_bounded();
        if (rig.c.state == STATE_CLOSED)
            break;
    }
    /* A peer that answers keeps the connection, however little it takes (RFC 9293, MUST-37). */
    expect_state(STATE_ESTABLISHED);
    for (int i = 0; i < 200 && snd_una() < 20001; i++) {
        in(ACK, 1, snd_nxt(), WND, 0);
        next_out(WAVE_MIN);
    }
    check(snd_una() == 20001, "SND.UNA is %u", snd_una());
}

/* MSS 0 and 1 are raised to what no host can be below (conn.c: CONN_MSS_MIN). */
static void an_absurd_mss_does_not_make_a_packet_a_byte(void **state)
{
    static const uint16_t mss[] = {0, 1, 5, 40};

    (void)state;
    for (size_t i = 0; i < COUNT(mss); i++) {
        uint32_t segments = 0;
        rig_start(&variants[1]);
        rig.peer.mss = mss[i];
        establish(RTT);
        rig.peer.mss = 48; /* what the rig holds us to */
        push(3000);
        while (snd_una() < 3001) {
            check(next_out(WAVE_MIN), "nothing goes out");
            check(rig.out.len > 0, "a segment has no data");
            segments++;
            check(segments < 600, "MSS %u makes %u segments of 3000 bytes", mss[i], segments);
            in(ACK, 1, out_seq() + rig.out.len, WND, 0);
        }
        still_works(1);
    }
}

/* Every kind with every length, cut off by the end of the header or not. */
static void rfc9293_must_7_options_malformed_in_every_way_are_survived(void **state)
{
    uint8_t bytes[60] = {0};

    (void)state;
    drive(STATE_ESTABLISHED);
    for (unsigned kind = 0; kind < 256; kind++) {
        for (unsigned length = 0; length < 256; length += length < 44 ? 1 : 70) {
            const unsigned room = 4 * (1 + (kind + length) % 10);
            struct seg s, good = make(ACK, 1, 1, WND, 0);
            bytes[12] = (uint8_t)((20 + room) / 4 << 4);
            bytes[13] = ACK;
            memset(bytes + 20, (int)(kind ^ length), 40);
            bytes[20 + (length & 1)] = (uint8_t)kind;
            bytes[21 + (length & 1)] = (uint8_t)length;
            check(seg_parse(bytes, 20 + room, &s) == 0, "the header was not read");
            s.seq = good.seq;
            s.ack = good.ack;
            s.wnd = good.wnd;
            feed(s);
            burst();
        }
    }
    /* An option may have been a timestamp from the future, which PAWS goes by then. */
    rig.peer_clock = rig.c.ts_recent;
    still_works(1);
    memory_is_bounded();
}

static void the_first_copy_of_a_byte_counts_whatever_contradicts_it(void **state)
{
    static const uint8_t lies[400];
    struct seg s;

    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 101, 1, WND, 100); /* beyond a gap */
    burst();
    s = make(ACK, 101, 1, WND, 100);
    s.data = lies;
    feed(s);
    burst();
    s = make(ACK, 151, 1, WND, 50);
    s.data = lies;
    feed(s);
    burst();
    in(ACK, 1, 1, WND, 150); /* closes the gap and overlaps */
    burst();
    s = make(ACK, 1, 1, WND, 200);
    s.data = lies;
    feed(s); /* all of it was there before */
    burst();
    take(200); /* held against the pattern */
    check(rcv_nxt() == 201, "RCV.NXT is %u", rcv_nxt());
}

static void one_byte_segments_with_gaps_without_end_are_bounded(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    for (unsigned round = 0; round < 20; round++)
        for (uint32_t seq = 2 + round % 2; seq < 1 + RCVBUF; seq += 2) {
            in(ACK, seq + (seq == 1), 1, WND, 1);
            burst();
            if (seq % 1000 == 0)
                memory_is_bounded();
        }
    expect_state(STATE_ESTABLISHED);
    check(rcv_nxt() == 1, "RCV.NXT is %u", rcv_nxt());
    for (uint32_t seq = 1; rcv_nxt() < 2000; seq = rcv_nxt()) {
        in(ACK, seq, 1, WND, 700);
        burst();
    }
    take(readable());
}

static void one_byte_segments_in_order_all_arrive(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    for (uint32_t seq = 1; seq <= 100000; seq++) {
        in(ACK, seq, 1, WND, 1);
        burst();
        take(1);
    }
    memory_is_bounded();
    still_works(100001);
}

static void a_peer_that_acknowledges_half_a_segment_gets_the_other_half(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(10000);
    for (int i = 0; i < 2000 && snd_una() < 10001; i++) {
        check(next_out(2 * WAVE_MIN), "nothing goes out, SND.UNA is %u", snd_una());
        if (rig.out.len == 0)
            continue;
        const uint32_t half = out_seq() + (rig.out.len + 1) / 2;
        if (out_seq() <= snd_una()) /* everything else in flight counts as lost */
            in(ACK, 1, half, WND, 0);
    }
    check(snd_una() == 10001, "SND.UNA is %u", snd_una());
    still_works(1);
}

static void a_super_segment_beyond_the_window_is_cut_to_it(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 1, 1, WND, 65535);
    burst();
    check(rcv_nxt() > 1 && rcv_nxt() <= 1 + RCVBUF, "RCV.NXT is %u", rcv_nxt());
    memory_is_bounded();
    take(readable());
    burst();
    in(ACK, rcv_nxt(), 1, WND, 65535);
    burst();
    take(readable());
    memory_is_bounded();
    expect_state(STATE_ESTABLISHED);
}

/* Should the byte behind it be lost, a peer would take a probe's garbage for data. */
static void a_probe_owed_when_data_leaves_does_not_follow_it(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    check(conn_probe(&rig.c, true) == 0, "the probe is refused");
    push(100);
    out(ACK | PSH, 1, 1, 100);
    nothing();
    rig.garbage = true;
    in(ACK, 1, 101, WND, 0);
    out(ACK, 100, 1, 1);
    nothing();
}

static void a_probe_owed_when_the_fin_leaves_does_not_stand_on_it(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    check(conn_probe(&rig.c, true) == 0, "the probe is refused");
    shut();
    out(FIN | ACK, 1, 1, 0);
    nothing();
    rig.garbage = true;
    in(ACK, 1, 2, WND, 0);
    expect_state(STATE_FIN_WAIT_2);
    out(ACK, 1, 1, 1);
}

/* The smallest segments and the largest window: as many records as queue.h allows, and no more. */
static void tiny_segments_in_a_vast_window_are_bounded(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.peer.mss = 48;
    rig.peer.shift = 14;
    establish(RTT);
    rig.c.cwnd = 64 << 20; /* as if it had grown for long */
    in(ACK, 1, 1, 64 << 20, 0);
    push(1 << 20);
    uint32_t records = 0, bytes = 0;
    while (next_out(0)) {
        records++;
        bytes += rig.out.len;
        check(records <= QUEUE_RECORDS_MAX, "%u segments are in flight", records);
    }
    check(records == QUEUE_RECORDS_MAX && bytes < 1 << 20, "%u segments of %u bytes", records,
          bytes);
    memory_is_bounded();
    /* An acknowledgement makes room for the same number once more. */
    in(ACK, 1, 1 + 36 * 100, 64 << 20, 0);
    for (records = 0; next_out(0); records++)
        ;
    check(records == 100, "%u go out for a hundred acknowledged", records);
    in(ACK, 1, snd_nxt(), 64 << 20, 0);
    while (snd_una() < 1 + (1 << 20)) {
        check(next_out(WAVE_S), "nothing goes out any more");
        while (next_out(0))
            ;
        in(ACK, 1, snd_nxt(), 64 << 20, 0);
    }
    still_works(1);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_7_3_storm_of_wrong_syn_acks_changes_nothing),
        cmocka_unit_test(rfc5961_3_2_storm_of_rsts_outside_the_window_is_not_answered),
        cmocka_unit_test(rfc5961_3_2_storm_of_rsts_in_the_window_is_answered_within_the_limit),
        cmocka_unit_test(a_forged_fin_is_not_the_end),
        cmocka_unit_test(rfc9293_3_10_7_4_acks_of_data_never_sent_move_nothing),
        cmocka_unit_test(a_window_that_shrinks_for_ever_is_outlived),
        cmocka_unit_test(an_absurd_mss_does_not_make_a_packet_a_byte),
        cmocka_unit_test(rfc9293_must_7_options_malformed_in_every_way_are_survived),
        cmocka_unit_test(the_first_copy_of_a_byte_counts_whatever_contradicts_it),
        cmocka_unit_test(one_byte_segments_with_gaps_without_end_are_bounded),
        cmocka_unit_test(one_byte_segments_in_order_all_arrive),
        cmocka_unit_test(a_peer_that_acknowledges_half_a_segment_gets_the_other_half),
        cmocka_unit_test(a_super_segment_beyond_the_window_is_cut_to_it),
        cmocka_unit_test(a_probe_owed_when_data_leaves_does_not_follow_it),
        cmocka_unit_test(a_probe_owed_when_the_fin_leaves_does_not_stand_on_it),
        cmocka_unit_test(tiny_segments_in_a_vast_window_are_bounded),
    };
    return run_cases(cases, COUNT(cases));
}
