/* Tests how the engine responds to ICMP: RFC 9293, 3.9.2.2, RFC 5461 (soft and hard errors), RFC
 * 5927 (forged errors), RFC 1191 (path MTU). */
#include "tests/unit/engine.h"

static struct icmp error_about(uint32_t seq, uint8_t type, uint8_t code)
{
    return (struct icmp){.from = addr_v4(198, 51, 100, 9),
                         .type = type,
                         .code = code,
                         .flow = rig.c.flow,
                         .has_seq = true,
                         .seq = seq_of(rig.iss + seq),
                         .meaning = icmp_meaning(false, type, code)};
}

static void icmp(uint32_t seq, uint8_t type, uint8_t code)
{
    struct icmp e = error_about(seq, type, code);
    conn_icmp(&rig.c, rig.now, &e);
}

static void too_big(uint32_t seq, uint32_t mtu)
{
    struct icmp e = error_about(seq, 3, 4);
    e.mtu = mtu;
    conn_icmp(&rig.c, rig.now, &e);
}

static void rfc5461_2_2_hard_error_ends_a_handshake(void **state)
{
    (void)state;
    static const uint8_t codes[] = {2, 3, 13}; /* protocol, port, prohibited */
    for (size_t i = 0; i < COUNT(codes); i++) {
        rig_start(&variants[1]);
        drive(STATE_SYN_SENT);
        icmp(0, 3, codes[i]);
        expect_closed(END_ICMP);
        const struct event *e = expect_event(EVENT_ICMP);
        check(e->u.icmp.fatal && e->u.icmp.type == 3 && e->u.icmp.code == codes[i] &&
                  e->u.icmp.meaning == ICMP_HARD && !e->u.icmp.v6,
              "the event tells another error");
        const struct addr router = addr_v4(198, 51, 100, 9);
        check(addr_eq(&e->u.icmp.from, &router), "the event names another sender");
        silent(WAVE_H);
    }
}

static void rfc9293_3_9_2_2_must_56_soft_error_ends_nothing(void **state)
{
    (void)state;
    static const uint8_t soft[][2] = {{3, 0}, {3, 1}, {3, 5}, {11, 0}, {11, 1}};
    for (size_t i = 0; i < COUNT(soft); i++) {
        rig_start(&variants[1]);
        drive(STATE_SYN_SENT);
        icmp(0, soft[i][0], soft[i][1]);
        expect_state(STATE_SYN_SENT);
        check(!expect_event(EVENT_ICMP)->u.icmp.fatal,
              "a soft error is called fatal"); /* SHLD-25 */
        out_between(1, 2 * WAVE_S, SYN, 0, 0, 0);
        in(SYN | ACK, 0, 1, WND, 0);
        expect_state(STATE_ESTABLISHED);
    }
}

static void rfc5461_hard_error_after_the_handshake_is_noted_only(void **state)
{
    (void)state;
    static const enum state states[] = {STATE_ESTABLISHED, STATE_CLOSE_WAIT};
    static const uint8_t codes[] = {2, 3, 10, 13};
    for (size_t i = 0; i < COUNT(states); i++)
        for (size_t j = 0; j < COUNT(codes); j++) {
            rig_start(&variants[1]);
            drive(states[i]);
            push(100);
            burst();
            icmp(1, 3, codes[j]);
            expect_state(states[i]);
            check(!expect_event(EVENT_ICMP)->u.icmp.fatal, "a hard error ended a connection");
            out_between(1, 2 * WAVE_S, ACK, 1, rcv_nxt(), 100);
            in(ACK, rcv_nxt(), 101, WND, 0);
            check(conn_unacked(&rig.c) == 0, "conn_unacked() is %zu", conn_unacked(&rig.c));
        }
}

static void rfc5927_4_1_quoted_number_must_be_in_flight(void **state)
{
    (void)state;
    static const uint32_t wrong[] = {1, 2, 0xffffffff, 0x80000000, 1000};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        rig_start(&variants[1]);
        drive(STATE_SYN_SENT);
        icmp(wrong[i], 3, 3);
        expect_state(STATE_SYN_SENT);
    }
    icmp(0, 3, 3);
    expect_closed(END_ICMP);
}

static void rfc5927_4_1_forged_too_big_is_ignored(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(3000);
    burst();
    in(ACK, 1, 1449, WND, 0);
    too_big(1, 600); /* acknowledged already: RFC 5927 wants SND.UNA =< SEQ < SND.NXT */
    too_big(3001, 600);
    too_big(0x40000000, 600);
    expect_no_event(EVENT_MSS);
    in(ACK, 1, 3001, WND, 0);
    push(2000);
    out(ACK, 3001, 1, 1448);
}

static void rfc1191_3_too_big_lowers_the_segment_and_sends_it_again(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(3000);
    burst();
    too_big(1, 1000);
    const struct event *e = expect_event(EVENT_MSS);
    check(e->u.bytes <= 960 && e->u.bytes >= 900, "%u bytes a segment from now on", e->u.bytes);
    expect_state(STATE_ESTABLISHED);
    check(next_out(2 * WAVE_S), "what was too big is not sent again");
    check(out_seq() == 1, "not the first segment is sent again");
    uint32_t acked = 1;
    for (int i = 0; i < 20 && acked < 3001; i++) {
        check(rig.out.len + opt_size(&rig.out.opt) + 40 <= 1000,
              "%u bytes of data in an MTU of 1000", rig.out.len);
        if (out_seq() <= acked && out_seq() + rig.out.len > acked)
            acked = out_seq() + rig.out.len;
        in(ACK, 1, acked, WND, 0);
        if (acked < 3001)
            check(next_out(5 * WAVE_S), "what was too big is not sent again");
    }
    check(acked == 3001, "only %u bytes arrived", acked - 1);
}

/* RFC 1191, 5 and 6.3: a loss for its size says nothing of congestion. */
static void rfc1191_5_too_big_is_no_congestion(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(3000);
    burst();
    uint32_t cwnd = rig.c.cwnd;
    too_big(1, 1400);
    check(rig.c.cwnd * 2 > cwnd, "cwnd went from %u to %u", cwnd, rig.c.cwnd);
}

static void rfc1191_3_mtu_of_an_old_router_is_guessed(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(3000);
    burst();
    too_big(1, 0); /* RFC 1191, 5: fall to a plateau */
    check(next_out(2 * WAVE_S), "what was too big is not sent again");
    check(out_seq() == 1 && rig.out.len < 1448 && rig.out.len >= 200, "%u bytes go out",
          rig.out.len);
}

static void rfc1191_3_mtu_never_grows_by_an_error(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(3000);
    burst();
    too_big(1, 9000);
    in(ACK, 1, 3001, WND, 0);
    push(9000);
    check(next_out(0) && rig.out.len <= 1448, "%u bytes go out", rig.out.len);
}

static void rfc5927_7_tiny_mtu_is_bounded(void **state)
{
    (void)state;
    static const uint32_t mtus[] = {1, 20, 40, 41, 68};
    for (size_t i = 0; i < COUNT(mtus); i++) {
        rig_start(&variants[1]);
        drive(STATE_ESTABLISHED);
        push(3000);
        burst();
        too_big(1, mtus[i]);
        check(next_out(5 * WAVE_S), "an MTU of %u: nothing goes out any more", mtus[i]);
        check(rig.out.len >= 8, "an MTU of %u: segments of %u bytes", mtus[i], rig.out.len);
    }
}

static void rfc4821_black_hole_is_found_by_smaller_segments(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(3000);
    burst();
    wave_time until = rig.now + 90 * WAVE_S;
    while (next_out(until - rig.now))
        if (rig.out.len + 12 + 40 <= 1280 && rig.out.len > 0) {
            expect_state(STATE_ESTABLISHED);
            return; /* small segments pass, full ones vanish without a word */
        }
    check(false, "only full segments went out until the connection was given up");
}

static void rfc9293_3_9_2_2_must_55_source_quench_is_ignored(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(3000);
    burst();
    uint32_t cwnd = rig.c.cwnd;
    icmp(1, 4, 0);
    expect_state(STATE_ESTABLISHED);
    check(rig.c.cwnd == cwnd, "cwnd went from %u to %u", cwnd, rig.c.cwnd);
}

static void hard_error_returns_a_passive_handshake(void **state)
{
    (void)state;
    drive(STATE_SYN_RECEIVED);
    icmp(0, 3, 3);
    check(rig.c.state == STATE_CLOSED || rig.c.state == STATE_LISTEN, "the state is %s",
          state_name(rig.c.state));
    silent(WAVE_H);
}

static void rfc5927_4_1_without_a_quoted_number_it_is_ignored(void **state)
{
    (void)state;
    drive(STATE_SYN_SENT);
    struct icmp e = error_about(0, 3, 3);
    e.has_seq = false;
    conn_icmp(&rig.c, rig.now, &e);
    expect_state(STATE_SYN_SENT);
}

static void rfc1191_3_every_segment_in_flight_may_be_quoted(void **state)
{
    (void)state;
    static const uint32_t quoted[] = {1, 1449, 2897, 3000};
    for (size_t i = 0; i < COUNT(quoted); i++) {
        rig_start(&variants[1]);
        drive(STATE_ESTABLISHED);
        push(3000);
        check(burst() == 3000, "not all goes out");
        too_big(quoted[i], 1000);
        check(expect_event(EVENT_MSS)->u.bytes <= 960, "%u was not believed", quoted[i]);
    }
}

/* An error about a segment that has been acknowledged meanwhile is about nothing. */
static void rfc5461_nothing_in_flight_nothing_to_note(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    icmp(0, 3, 3);
    icmp(1, 3, 3);
    expect_state(STATE_ESTABLISHED);
    too_big(1, 600);
    expect_no_event(EVENT_MSS);
    push(2000);
    out(ACK, 1, 1, 1448);
}

static void rfc9293_3_9_2_2_errors_end_with_silence_as_a_timeout(void **state)
{
    (void)state;
    drive(STATE_SYN_SENT);
    icmp(0, 3, 1);
    while (rig.c.state == STATE_SYN_SENT && next_out(10 * WAVE_MIN))
        icmp(0, 3, 1); /* soft, however often it comes */
    expect_closed(END_TIMEOUT_SYN);
}

/* Starts an engine over IPv6, with the MSS for `mtu`. */
static void establish_v6(uint32_t mtu)
{
    rig_start(&variants[1]);
    rig.c.flow.v6 = 1;
    rig.env.config.mss = rig.peer.mss = (uint16_t)(mtu - 60);
    establish(RTT);
}

static void too_big_v6(uint32_t seq, uint32_t mtu)
{
    struct icmp e = error_about(seq, 2, 0);
    e.flow = rig.c.flow;
    e.meaning = icmp_meaning(true, 2, 0);
    e.mtu = mtu;
    conn_icmp(&rig.c, rig.now, &e);
}

static void rfc8201_4_packet_too_big_lowers_the_segment(void **state)
{
    (void)state;
    establish_v6(1500);
    push(3000);
    burst();
    too_big_v6(1, 1400);
    check(expect_event(EVENT_MSS)->u.bytes == 1340, "another size is told");
    check(next_out(2 * WAVE_S) && out_seq() == 1, "what was too big is not sent again");
    check(rig.out.len == 1340 - 12, "%u bytes go out", rig.out.len);
}

/* RFC 8200, section 5: every link carries 1,280 bytes. What claims less is taken for that. */
static void rfc8201_4_no_path_is_narrower_than_1280(void **state)
{
    (void)state;
    static const uint32_t mtus[] = {0, 1, 68, 576, 1279};
    for (size_t i = 0; i < COUNT(mtus); i++) {
        establish_v6(1500);
        push(3000);
        burst();
        too_big_v6(1, mtus[i]);
        check(rig.c.mss >= 1220, "an MTU of %u: segments of %u bytes", mtus[i], rig.c.mss);
    }
    too_big_v6(1, 1280);
    check(rig.c.mss == 1220, "segments of %u bytes", rig.c.mss);
    check(expect_event(EVENT_MSS)->u.bytes == 1220, "another size is told");
    too_big_v6(1, 600);
    expect_no_event(EVENT_MSS);
}

/* A router that does not say, on a path that is as narrow as any: nothing is left to guess. */
static void rfc1191_7_1_below_the_last_plateau_nothing_changes(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    rig.env.config.mss = 28; /* an MTU of 68 */
    establish(RTT);
    push(100);
    burst();
    too_big(1, 0);
    expect_no_event(EVENT_MSS);
    check(rig.c.mss == 28, "segments of %u bytes", rig.c.mss);
}

/* RFC 5927, 7.2: a SYN is smaller than the MTU of any path. An error that says otherwise is forged.
 * It would have no lasting effect either, since the peer's MSS is still to come. */
static void rfc5927_7_2_a_syn_is_never_too_big(void **state)
{
    (void)state;
    drive(STATE_SYN_SENT);
    too_big(0, 576);
    expect_no_event(EVENT_MSS);
    expect_state(STATE_SYN_SENT);
    in(SYN | ACK, 0, 1, WND, 0);
    push(2000);
    out(ACK, 1, 1, 1448);
}

/* A FIN alone in flight holds no data that could be cut. */
static void rfc1191_3_error_about_our_fin_is_for_what_comes(void **state)
{
    (void)state;
    drive(STATE_FIN_WAIT_1);
    too_big(1, 1000);
    check(expect_event(EVENT_MSS)->u.bytes == 960, "another size is told");
    out_between(1, 2 * WAVE_S, FIN | ACK, 1, 1, 0);
    in(ACK, 1, 2, WND, 0);
    expect_state(STATE_FIN_WAIT_2);
}

/* Only segments that are too large for the path are retransmitted, immediately and in smaller
 * parts; those that fit may still arrive. */
static void rfc1191_6_4_what_fits_is_not_sent_again(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(500);
    out(ACK, 1, 1, 500);
    push(1448);
    out(ACK, 501, 1, 1448);
    push(300);
    out(ACK, 1949, 1, 300);
    too_big(501, 1000);
    check(burst() == 1448, "not just what was too big goes again");
    for (size_t i = 0; i < rig.bursts; i++)
        check(rig.seen[i].seq >= 501 && rig.seen[i].seq + rig.seen[i].len <= 1949 &&
                  rig.seen[i].len <= 948,
              "%u bytes at %u go again", rig.seen[i].len, rig.seen[i].seq);
}

/* RFC 4821, 7.6.1, over IPv6: the first smaller size to try is that of 1,280 bytes. */
static void rfc4821_black_hole_of_ipv6(void **state)
{
    (void)state;
    establish_v6(1500);
    push(3000);
    burst();
    wave_time until = rig.now + 90 * WAVE_S;
    do /* the tail, too, may be tried */
        check(next_out(until - rig.now), "only full segments go out");
    while (out_seq() > 1 || rig.out.len > 1220 - 12);
    check(rig.out.len == 1220 - 12, "%u bytes go out", rig.out.len);
    in(ACK, 1, 1 + rig.out.len, WND, 0);
    for (int i = 0; i < 10 && snd_una() < 3001; i++) {
        check(next_out(WAVE_MIN) && rig.out.len <= 1220 - 12, "%u bytes go out", rig.out.len);
        in(ACK, 1, out_seq() + rig.out.len, WND, 0);
    }
    check(snd_una() == 3001, "SND.UNA is %u", snd_una());
}

/* Some tunnels carry less than RFC 8200, section 5 has every link carry. */
static void rfc8200_5_a_link_of_ipv6_that_carries_less(void **state)
{
    bool tried = false;

    (void)state;
    establish_v6(1500);
    push(3000);
    burst();
    wave_time until = rig.now + 90 * WAVE_S;
    do {
        check(next_out(until - rig.now), "no smaller segments go out");
        tried |= rig.out.len == 1220 - 12;
    } while (out_seq() > 1 || rig.out.len > 536 - 12);
    check(tried, "1,280 bytes are tried first");
    check(rig.out.len == 536 - 12, "%u bytes go out", rig.out.len);
}

/* Lost segments that are small anyhow say nothing of the path's size. */
static void rfc4821_small_segments_that_vanish_find_no_black_hole(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(400);
    burst();
    pass(60 * WAVE_S);
    expect_state(STATE_ESTABLISHED);
    check(!(rig.c.flags & CONN_BLACKHOLE) && rig.c.mss == 1460, "segments of %u bytes", rig.c.mss);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc5461_2_2_hard_error_ends_a_handshake),
        cmocka_unit_test(rfc9293_3_9_2_2_must_56_soft_error_ends_nothing),
        cmocka_unit_test(rfc5461_hard_error_after_the_handshake_is_noted_only),
        cmocka_unit_test(rfc5927_4_1_quoted_number_must_be_in_flight),
        cmocka_unit_test(rfc5927_4_1_forged_too_big_is_ignored),
        cmocka_unit_test(rfc1191_3_too_big_lowers_the_segment_and_sends_it_again),
        cmocka_unit_test(rfc1191_5_too_big_is_no_congestion),
        cmocka_unit_test(rfc1191_3_mtu_of_an_old_router_is_guessed),
        cmocka_unit_test(rfc1191_3_mtu_never_grows_by_an_error),
        cmocka_unit_test(rfc5927_7_tiny_mtu_is_bounded),
        cmocka_unit_test(rfc4821_black_hole_is_found_by_smaller_segments),
        cmocka_unit_test(rfc9293_3_9_2_2_must_55_source_quench_is_ignored),
        cmocka_unit_test(hard_error_returns_a_passive_handshake),
        cmocka_unit_test(rfc5927_4_1_without_a_quoted_number_it_is_ignored),
        cmocka_unit_test(rfc1191_3_every_segment_in_flight_may_be_quoted),
        cmocka_unit_test(rfc5461_nothing_in_flight_nothing_to_note),
        cmocka_unit_test(rfc9293_3_9_2_2_errors_end_with_silence_as_a_timeout),
        cmocka_unit_test(rfc8201_4_packet_too_big_lowers_the_segment),
        cmocka_unit_test(rfc8201_4_no_path_is_narrower_than_1280),
        cmocka_unit_test(rfc1191_7_1_below_the_last_plateau_nothing_changes),
        cmocka_unit_test(rfc5927_7_2_a_syn_is_never_too_big),
        cmocka_unit_test(rfc1191_3_error_about_our_fin_is_for_what_comes),
        cmocka_unit_test(rfc1191_6_4_what_fits_is_not_sent_again),
        cmocka_unit_test(rfc4821_black_hole_of_ipv6),
        cmocka_unit_test(rfc8200_5_a_link_of_ipv6_that_carries_less),
        cmocka_unit_test(rfc4821_small_segments_that_vanish_find_no_black_hole),
    };
    return run_cases(cases, COUNT(cases));
}
