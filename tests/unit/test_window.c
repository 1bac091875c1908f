/* Tests flow control: RFC 9293, 3.8.6, and RFC 1122, 4.2.2.16, 4.2.2.17, 4.2.3.3 and 4.2.3.4. */
#include "tests/unit/engine.h"

/* Connected, and the peer's window is `wnd`. */
static void connect_with(uint32_t wnd)
{
    rig_start(&variants[1]);
    establish(RTT);
    in(ACK, 1, 1, wnd, 0);
    nothing();
    check(rig.c.snd.wnd == wnd, "SND.WND is %u", rig.c.snd.wnd);
    forget();
}

/*
 * The sender.
 */

static void rfc9293_3_8_6_nothing_is_sent_beyond_the_window(void **state)
{
    (void)state;
    connect_with(5000);
    push(50000);
    check(burst() <= 5000, "the window of 5000 was exceeded");
    while (snd_nxt() < 50001) {
        uint32_t before = snd_nxt(), edge = before + 5000;
        in(ACK, 1, before, 5000, 0);
        burst();
        check((int32_t)(snd_nxt() - edge) <= 0, "SND.NXT %u is beyond the edge %u", snd_nxt(),
              edge);
        check(snd_nxt() > before, "nothing goes out into an open window");
    }
}

static void rfc9293_3_8_6_1_first_probe_after_the_retransmission_timeout(void **state)
{
    (void)state;
    connect_with(0);
    wave_time rto = rtt_rto(&rig.c.rtt, &rig.env.config, 0);
    push(3000);
    silent(rto - WAVE_MS); /* SHLD-29 */
    check(next_out(2 * WAVE_MS), "no probe of the zero window (MUST-36)");
    check(out_seq() == 1 && rig.out.len >= 1, "the probe has no new byte");
}

/* Each side has taken the byte with which the other probed its window, and does not know yet that
 * its own was taken: its acknowledgements are one below what is expected. Answering them alone
 * would never end (RFC 9293, A.2, and draft-gont-tcpm-tcp-seq-validation). */
static void rfc9293_a_2_window_probes_that_crossed_are_acknowledged(void **state)
{
    (void)state;
    connect_with(0);
    push(3000);
    check(next_out(WAVE_S) && out_seq() == 1 && rig.out.len == 1, "no probe goes out");
    in(ACK, 1, 1, 0, 1);
    check(next_out(100 * WAVE_MS) && out_seq() == 1, "the peer's byte is not acknowledged");
    in(ACK, 1, 2, 3000, 0);
    check(rig.c.snd.una.v == rig.c.snd.nxt.v && snd_nxt() == 2, "our byte was not acknowledged");
    check(next_out(WAVE_MS) && out_seq() == 2, "the answer is one that the peer cannot accept");
    burst();
    check(snd_nxt() == 3001, "nothing goes out into the opened window");
}

static void rfc9293_3_8_6_1_intervals_between_probes_double(void **state)
{
    (void)state;
    connect_with(0);
    push(3000);
    check(next_out(WAVE_S), "no probe goes out");
    wave_time last = rig.now, interval = 0;
    for (int i = 0; i < 7; i++) {
        in(ACK, 1, 1, 0, 0);
        check(next_out(WAVE_MIN), "no further probe goes out");
        check(out_seq() == 1, "the probe stands at %u", out_seq());
        if (interval)
            check(rig.now - last >= 2 * interval - interval / 10 &&
                      rig.now - last <= 2 * interval + interval / 10,
                  "%llu us after %llu us is no doubling (SHLD-30)",
                  (unsigned long long)((rig.now - last) / WAVE_US),
                  (unsigned long long)(interval / WAVE_US));
        interval = rig.now - last;
        last = rig.now;
    }
}

static void rfc9293_3_8_6_1_must_37_answered_probes_keep_it_open_for_ever(void **state)
{
    (void)state;
    connect_with(0);
    push(3000);
    wave_time until = rig.now + 24 * WAVE_H, longest = 0;
    while (rig.now < until) {
        wave_time from = rig.now;
        check(next_out(10 * WAVE_MIN), "the probes have ceased");
        if (rig.now - from > longest)
            longest = rig.now - from;
        in(ACK, 1, 1, 0, 0);
        expect_state(STATE_ESTABLISHED);
    }
    check(longest <= rig.env.config.rto_max + WAVE_S, "%llu s between probes",
          (unsigned long long)(longest / WAVE_S));
    in(ACK, 1, 1, WND, 0);
    check(burst() + rig.c.snd.una.v - rig.iss >= 3000, "the window opened and not all goes out");
}

static void rfc9293_3_8_6_1_probe_byte_that_is_taken_counts(void **state)
{
    (void)state;
    connect_with(0);
    push(3000);
    check(next_out(WAVE_S), "no probe goes out");
    uint32_t len = rig.out.len;
    in(ACK, 1, 1 + len, 0, 0);
    check(snd_una() == 1 + len, "SND.UNA is %u", snd_una());
    check(next_out(10 * WAVE_S), "no probe goes out");
    check(out_seq() == 1 + len, "the next probe stands at %u", out_seq());
    in(ACK, 1, 1 + len, WND, 0);
    burst();
    in(ACK, 1, 3001, WND, 0);
    check(conn_unacked(&rig.c) == 0, "conn_unacked() is %zu", conn_unacked(&rig.c));
    silent(WAVE_H);
}

static void rfc9293_3_8_6_opened_window_is_used_at_once(void **state)
{
    (void)state;
    connect_with(0);
    push(3000);
    check(next_out(WAVE_S), "no probe goes out");
    in(ACK, 1, 1, WND, 0);
    uint32_t last = 0;
    check(burst() > 0, "the window opened and nothing goes out");
    for (size_t i = 0; i < rig.bursts; i++)
        if (rig.seen[i].seq + rig.seen[i].len > last)
            last = rig.seen[i].seq + rig.seen[i].len;
    check(last == 3001, "the window opened and only %u bytes went out", last - 1);
}

static void rfc9293_3_8_6_1_fin_is_probed_for_too(void **state)
{
    (void)state;
    connect_with(0);
    push(10);
    shut();
    check(next_out(WAVE_S), "no probe goes out");
    in(ACK, 1, 1, WND, 0);
    pass(5 * WAVE_S);
    in(ACK, 1, 12, WND, 0);
    expect_state(STATE_FIN_WAIT_2);
}

static void rfc9293_3_8_6_must_34_shrunk_window_is_survived(void **state)
{
    (void)state;
    connect_with(WND);
    push(20000);
    uint32_t sent = burst();
    in(ACK, 1, 1449, 2000, 0); /* the right edge moves far to the left */
    burst();
    for (size_t i = 0; i < rig.bursts; i++)
        check(rig.seen[i].seq < 1 + sent, "new data beyond a shrunk window (SHLD-15)");
    do /* MAY-7: data beyond the window may be retransmitted as well; SHLD-16: the first data must
        */
        check(next_out(10 * WAVE_S), "what stands first is not sent again");
    while (out_seq() != 1449);
    in(ACK, 1, 1 + sent, WND, 0);
    check(burst() > 0, "the window opened and nothing goes out");
    expect_state(STATE_ESTABLISHED);
}

static void rfc9293_3_8_6_must_35_window_shrunk_to_zero_is_probed(void **state)
{
    (void)state;
    connect_with(WND);
    push(2000);
    burst();
    in(ACK, 1, 1449, 0, 0);
    wave_time until = rig.now + 20 * WAVE_MIN;
    unsigned probes = 0;
    while (rig.now < until) {
        if (!next_out(until - rig.now))
            break;
        probes++;
        in(ACK, 1, 1449, 0, 0);
        expect_state(STATE_ESTABLISHED);
    }
    check(probes >= 5, "only %u probes in 20 minutes", probes);
}

/* RFC 9293, 3.8.6.2.1. */

static void rfc9293_3_8_6_2_1_small_window_is_not_filled_by_small_segments(void **state)
{
    (void)state;
    connect_with(WND);
    push(eff_mss());
    check(burst() == eff_mss(), "a full segment does not go out");
    in(ACK, 1, 1 + eff_mss(), 100, 0); /* U = 100, D = 5000 */
    push(5000);
    wave_time from = rig.now;
    check(!next_out(90 * WAVE_MS), "%u bytes fill a window of 100 at once", rig.out.len);
    check(next_out(5 * WAVE_S), "the override timeout never comes");
    check(rig.now - from >= 100 * WAVE_MS && rig.out.len <= 100, "%u bytes after %llu ms",
          rig.out.len, (unsigned long long)((rig.now - from) / WAVE_MS));
}

static void rfc9293_3_8_6_2_1_all_that_is_queued_may_go(void **state)
{
    (void)state;
    connect_with(WND);
    in(ACK, 1, 1, 100, 0);
    push(50);
    out(ACK, 1, 1, 50);
}

static void rfc9293_3_8_6_2_1_half_of_the_largest_window_may_go(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    drive(STATE_SYN_SENT);
    in(SYN | ACK, 0, 1, 1000, 0); /* a small receiver: never more than 1000 */
    out(ACK, 1, 1, 0);
    in(ACK, 1, 1, 600, 0);
    push(5000);
    check(next_out(0), "600 of at most 1000 wait for more");
    check(rig.out.len == 600, "%u bytes go out", rig.out.len);
}

static void conn_config_nagle_off_sends_small_segments_at_once(void **state)
{
    (void)state;
    connect_with(WND);
    for (uint32_t i = 0; i < 5; i++) {
        push(10);
        out(ACK, 1 + 10 * i, 1, 10);
    }
}

static void rfc9293_3_7_4_nagle_waits_while_data_is_outstanding(void **state)
{
    (void)state;
    connect_with(WND);
    rig.env.config.nagle = true;
    push(10);
    out(ACK, 1, 1, 10);
    push(10);
    push(10);
    nothing();
    in(ACK, 1, 11, WND, 0);
    out(ACK, 11, 1, 20);
    push(eff_mss());
    out(ACK, 31, 1, eff_mss()); /* a full segment goes */
    push(10);
    nothing();
    shut(); /* whether a FIN lets the last bytes go is open */
    uint32_t early = burst();
    in(ACK, 1, 31 + eff_mss() + early, WND, 0);
    check(early + burst() == 10, "the last bytes do not go out");
    expect_state(STATE_FIN_WAIT_1);
}

/*
 * The receiver.
 */

static void rfc9293_3_8_6_the_window_is_what_the_buffer_has_room_for(void **state)
{
    (void)state;
    connect_with(WND);
    for (uint32_t got = 0; got < RCVBUF;) {
        uint32_t n = RCVBUF - got < 1448 ? RCVBUF - got : 1448;
        in(ACK, 1 + got, 1, WND, n);
        got += n;
        if (next_out(0))
            check(out_ack() + out_window() <= 1 + RCVBUF, "more is offered than there is room for");
    }
    acknowledges(1 + RCVBUF);
    check(out_window() == 0, "the window is %u", out_window());
}

static void rfc9293_3_8_6_2_2_small_reads_do_not_open_the_window(void **state)
{
    (void)state;
    connect_with(WND);
    in(ACK, 1, 1, WND, RCVBUF);
    acknowledges(1 + RCVBUF);
    check(out_window() == 0, "the window is %u", out_window());
    for (int i = 0; i < 10; i++) {
        take(100);
        nothing();
    }
    take(500); /* 1500 bytes in all, more than a segment */
    out(ACK, 1, 1 + RCVBUF, 0);
    check(out_window() >= 1448, "the window opened by %u bytes only", out_window());
    nothing();
}

static void rfc9293_3_8_6_2_2_small_reads_do_not_advance_the_edge_in_an_ack(void **state)
{
    (void)state;
    connect_with(WND);
    in(ACK, 1, 1, WND, RCVBUF);
    acknowledges(1 + RCVBUF);
    take(100);
    in(ACK, 1 + RCVBUF, 1, WND, 1); /* a probe */
    out(ACK, 1, 1 + RCVBUF, 0);
    check(out_window() == 0, "a window of %u is offered: silly", out_window());
}

static void rfc9293_3_8_6_2_2_half_a_small_buffer_opens_it(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.env.config.rcvbuf = 1000;
    establish(RTT);
    in(ACK, 1, 1, WND, 1000);
    acknowledges(1001);
    take(400);
    nothing();
    take(100);
    out(ACK, 1, 1001, 0);
    check(out_window() == 500, "the window is %u", out_window());
}

static void rfc9293_3_8_6_a_read_before_the_window_fills_needs_no_update(void **state)
{
    (void)state;
    connect_with(WND);
    in(ACK | PSH, 1, 1, WND, 100);
    acknowledges(101);
    take(100);
    silent(WAVE_H);
}

static void rfc9293_3_8_6_zero_window_answers_each_probe(void **state)
{
    (void)state;
    connect_with(WND);
    in(ACK, 1, 1, WND, RCVBUF);
    acknowledges(1 + RCVBUF);
    for (int i = 0; i < 20; i++) {
        in(ACK, 1 + RCVBUF, 1, WND, 1);
        out(ACK, 1, 1 + RCVBUF, 0);
        check(out_window() == 0, "the window is %u", out_window());
        silent(WAVE_S);
    }
    check(readable() == RCVBUF, "%u bytes are readable", readable());
}

/* A FIN alone takes no room: it is taken at RCV.NXT of a shut window, as Linux does it, and neither
 * beside it nor behind data. There are peers that send it there, and no probe. */
static void rfc9293_3_8_6_a_fin_alone_is_taken_at_a_shut_window(void **state)
{
    (void)state;
    const uint32_t next = 1 + RCVBUF;
    connect_with(WND);
    in(ACK, 1, 1, WND, RCVBUF);
    acknowledges(next);
    check(out_window() == 0, "the window is %u", out_window());
    in(FIN | ACK, next, 1, WND, 1);
    out(ACK, 1, next, 0);
    in(FIN | ACK, next + 1, 1, WND, 0);
    out(ACK, 1, next, 0);
    in(FIN | ACK, next - 1, 1, WND, 0);
    out(ACK, 1, next, 0);
    in(FIN | ACK, next, 2, WND, 0); /* an ACK of what was never sent */
    out(ACK, 1, next, 0);
    expect_state(STATE_ESTABLISHED);
    in(FIN | ACK, next, 1, WND, 0);
    expect_event(EVENT_FIN);
    expect_state(STATE_CLOSE_WAIT);
    out(ACK, 1, next + 1, 0);
    check(out_window() == 0, "the window is %u", out_window());
    in(FIN | ACK, next, 1, WND, 0); /* once more: our ACK was lost */
    out(ACK, 1, next + 1, 0);
    take(RCVBUF);
    nothing();
    shut();
    out(FIN | ACK, 1, next + 1, 0);
    in(ACK, next + 1, 2, WND, 0);
    expect_closed(END_CLOSED);
}

static void rfc9293_3_8_6_right_edge_never_moves_left(void **state)
{
    (void)state;
    connect_with(WND); /* the rig watches the edge of every segment */
    uint32_t next = 1, random = 1;
    for (int i = 0; i < 2000; i++) {
        random = random * 1103515245 + 12345;
        uint32_t n = (random >> 16) % 1448 + 1;
        if (next + n <= rig.edge) {
            in(ACK, next, 1, WND, n);
            next += n;
        }
        if (random & 0x8000)
            pass(10 * WAVE_MS);
        uint32_t some = readable();
        if (some > 0 && random & 0x4000)
            take(1 + (random >> 8) % some);
        burst();
    }
    take(readable());
    check(conn_received(&rig.c) == next - 1, "conn_received() is %u of %u", conn_received(&rig.c),
          next - 1);
}

static void rfc9293_3_8_6_data_beyond_a_gap_takes_no_window_away(void **state)
{
    (void)state;
    connect_with(WND);
    uint32_t edge = rig.edge;
    in(ACK, 2001, 1, WND, 5000);
    out(ACK, 1, 1, 0);
    check(out_ack() + out_window() == edge, "the edge moved to %u", out_ack() + out_window());
}

/* RFC 9293, appendix A.2: both windows are zero, and both sides probe. The probe is not taken, yet
 * its acknowledgement and window must be, or neither side would ever learn of an open window. */
static void rfc9293_a_2_simultaneous_window_probes(void **state)
{
    (void)state;
    connect_with(0);
    in(ACK, 1, 1, 0, RCVBUF);
    acknowledges(1 + RCVBUF);
    push(3000);
    check(next_out(WAVE_S), "no probe goes out");
    uint32_t probed = out_seq() + rig.out.len;
    /* The peer took our byte and offers a window; what says so is its own probe. */
    in(ACK, 1 + RCVBUF, probed, WND, 1);
    check(snd_una() == probed || snd_una() == 1, "SND.UNA is %u", snd_una());
    burst();
    in(ACK, 1 + RCVBUF, probed, WND, 0);
    burst();
    check(snd_nxt() == 3001, "the window is open, and only %u bytes went out", snd_nxt() - 1);
}

/* Memory is bounded over all connections (env.h): what does not fit is not taken, and nothing that
 * was acknowledged is lost. */
static void env_mem_max_refuses_and_loses_nothing(void **state)
{
    (void)state;
    connect_with(WND);
    rig.env.mem_max = rig.env.mem_used;
    check(conn_send(&rig.c, rig.now, "x", 1) == 0, "conn_send() takes a byte without memory");
    in(ACK | PSH, 1, 1, WND, 100);
    pass(400 * WAVE_MS);
    check(rcv_nxt() == 1 + readable(), "RCV.NXT is %u with %u bytes readable", rcv_nxt(),
          readable());
    uint32_t got = readable();
    in(ACK, 5001, 1, WND, 100);
    burst();
    check(rig.env.mem_used <= rig.env.mem_max, "the bound was exceeded");
    rig.env.mem_max = SIZE_MAX;
    in(ACK | PSH, 1 + got, 1, WND, 100 - got);
    acknowledges(101);
    take(100);
    push(100);
    out(ACK, 1, 101, 100);
    expect_state(STATE_ESTABLISHED);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_8_6_nothing_is_sent_beyond_the_window),
        cmocka_unit_test(rfc9293_3_8_6_1_first_probe_after_the_retransmission_timeout),
        cmocka_unit_test(rfc9293_a_2_window_probes_that_crossed_are_acknowledged),
        cmocka_unit_test(rfc9293_3_8_6_1_intervals_between_probes_double),
        cmocka_unit_test(rfc9293_3_8_6_1_must_37_answered_probes_keep_it_open_for_ever),
        cmocka_unit_test(rfc9293_3_8_6_1_probe_byte_that_is_taken_counts),
        cmocka_unit_test(rfc9293_3_8_6_opened_window_is_used_at_once),
        cmocka_unit_test(rfc9293_3_8_6_1_fin_is_probed_for_too),
        cmocka_unit_test(rfc9293_3_8_6_must_34_shrunk_window_is_survived),
        cmocka_unit_test(rfc9293_3_8_6_must_35_window_shrunk_to_zero_is_probed),
        cmocka_unit_test(rfc9293_3_8_6_2_1_small_window_is_not_filled_by_small_segments),
        cmocka_unit_test(rfc9293_3_8_6_2_1_all_that_is_queued_may_go),
        cmocka_unit_test(rfc9293_3_8_6_2_1_half_of_the_largest_window_may_go),
        cmocka_unit_test(conn_config_nagle_off_sends_small_segments_at_once),
        cmocka_unit_test(rfc9293_3_7_4_nagle_waits_while_data_is_outstanding),
        cmocka_unit_test(rfc9293_3_8_6_the_window_is_what_the_buffer_has_room_for),
        cmocka_unit_test(rfc9293_3_8_6_2_2_small_reads_do_not_open_the_window),
        cmocka_unit_test(rfc9293_3_8_6_2_2_small_reads_do_not_advance_the_edge_in_an_ack),
        cmocka_unit_test(rfc9293_3_8_6_2_2_half_a_small_buffer_opens_it),
        cmocka_unit_test(rfc9293_3_8_6_a_read_before_the_window_fills_needs_no_update),
        cmocka_unit_test(rfc9293_3_8_6_zero_window_answers_each_probe),
        cmocka_unit_test(rfc9293_3_8_6_a_fin_alone_is_taken_at_a_shut_window),
        cmocka_unit_test(rfc9293_3_8_6_right_edge_never_moves_left),
        cmocka_unit_test(rfc9293_3_8_6_data_beyond_a_gap_takes_no_window_away),
        cmocka_unit_test(rfc9293_a_2_simultaneous_window_probes),
        cmocka_unit_test(env_mem_max_refuses_and_loses_nothing),
    };
    return run_cases(cases, COUNT(cases));
}
