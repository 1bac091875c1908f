/* Tests that an engine goes on with a connection that it did not open: conn_adopt(). The connection
 * is that of the rig, which has exchanged data; another engine takes it over from its numbers. What
 * holds for every segment (numbers, windows, timestamps) is checked by the rig. */
#include "tests/unit/engine.h"

/* Returns the numbers of the rig's connection, as an observer of its segments has them. */
static struct conn_numbers seen_numbers(void)
{
    return (struct conn_numbers){.iss = rig.c.snd.iss,
                                 .irs = rig.c.rcv.irs,
                                 .snd_nxt = rig.c.snd.nxt,
                                 .rcv_nxt = rig.c.rcv.nxt,
                                 .rcv_edge = rig.c.rcv.adv,
                                 .snd_wnd = rig.c.snd.wnd,
                                 .ours = rig.our_syn,
                                 .theirs = rig.their_syn,
                                 .tsval = (uint32_t)(rig.now / WAVE_MS) + rig.c.ts_offset,
                                 .ts_recent = rig.c.ts_recent};
}

/* Brings the rig's connection to ESTABLISHED, with 300 bytes received and 200 sent, and puts
 * another engine in its place. */
static void hand_over(void)
{
    struct conn_numbers n;
    struct flow flow;

    drive(STATE_ESTABLISHED);
    in(ACK | PSH, 1, 1, WND, 300);
    acknowledges(301);
    take(300);
    push(200);
    out(ACK | PSH, 1, 301, 200);
    in(ACK, 301, 201, WND, 0);
    pass(WAVE_S);
    n = seen_numbers();
    flow = rig.c.flow;
    conn_release(&rig.c);
    conn_init(&rig.c, &rig.env, &flow, rig.c.id);
    forget();
    check(conn_adopt(&rig.c, rig.now, &n) == 0, "the connection is not taken over");
    expect_state(STATE_ESTABLISHED);
    nothing();
}

static void an_adopted_connection_exchanges_and_closes(void **state)
{
    (void)state;
    for (size_t i = 0; i < variant_count; i++) {
        rig_start(&variants[i]);
        hand_over();
        in(ACK | PSH, 301, 201, WND, 500);
        acknowledges(801);
        take(500);
        check(rig.c.snd.wnd >> 7 == WND >> 7, "the peer's window is %u", rig.c.snd.wnd);
        push(1000);
        out(ACK | PSH, 201, 801, 1000);
        in(ACK, 801, 1201, WND, 0);
        shut();
        out(FIN | ACK, 1201, 801, 0);
        in(ACK, 801, 1202, WND, 0);
        expect_state(STATE_FIN_WAIT_2);
        in(FIN | ACK, 801, 1202, WND, 0);
        acknowledges(802);
        expect_state(STATE_TIME_WAIT);
    }
}

/* RFC 6298: there is no sample of the round trip, so the first timeout comes after a second. */
static void rfc6298_2_1_an_adopted_connection_has_no_round_trip(void **state)
{
    (void)state;
    hand_over();
    push(100);
    out(ACK | PSH, 201, 301, 100);
    silent(WAVE_S - 2 * WAVE_MS);
    check(next_out(WAVE_S) && out_seq() == 201, "nothing is retransmitted");
}

/* RFC 7323, 5.4: our own clock does not go back. */
static void rfc7323_5_4_an_adopted_connection_goes_on_with_its_clock(void **state)
{
    (void)state;
    struct seg s;

    hand_over();
    s = make(ACK | PSH, 301, 201, WND, 10);
    feed(s);
    acknowledges(311);
    /* A second, and the delay of an acknowledgement. */
    check(rig.out.opt.tsval - s.opt.tsecr - 1000 <= 40, "the clock went from %u to %u", s.opt.tsecr,
          rig.out.opt.tsval);
}

/* RFC 7323, 5.3: PAWS goes on from the latest timestamp that was seen. */
static void rfc7323_5_3_an_adopted_connection_refuses_old_timestamps(void **state)
{
    (void)state;
    hand_over();
    struct seg old = make(ACK | PSH, 301, 201, WND, 10);
    old.opt.tsval -= 1500; /* the peer's last segment came a second ago */
    feed(old);
    acknowledges(301);
    check(readable() == 0, "an old segment is taken in");
}

/* RFC 9293, 3.10.7.4, and RFC 5961, 3.2: a reset is taken at RCV.NXT alone. */
static void rfc5961_3_2_an_adopted_connection_is_reset_at_rcv_nxt(void **state)
{
    (void)state;
    hand_over();
    in(RST, 302, 0, 0, 0);
    expect_state(STATE_ESTABLISHED);
    acknowledges(301);
    in(RST, 301, 0, 0, 0);
    expect_closed(END_RESET);
}

static void numbers_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    struct conn_numbers n, bad;
    struct flow flow;

    drive(STATE_ESTABLISHED);
    n = seen_numbers();
    flow = rig.c.flow;
    check(conn_adopt(&rig.c, rig.now, &n) == WAVE_ESTATE, "an open connection is taken over");
    conn_release(&rig.c);
    conn_init(&rig.c, &rig.env, &flow, rig.c.id);
    bad = n;
    bad.snd_nxt = n.iss;
    check(conn_adopt(&rig.c, rig.now, &bad) == WAVE_EINVAL, "our SYN was not sent");
    bad = n;
    bad.rcv_nxt = n.irs;
    check(conn_adopt(&rig.c, rig.now, &bad) == WAVE_EINVAL, "the peer's SYN did not come");
    bad = n;
    bad.rcv_edge = seq_sub(n.rcv_nxt, 1);
    check(conn_adopt(&rig.c, rig.now, &bad) == WAVE_EINVAL, "the window ends before its beginning");
    check(rig.c.state == STATE_CLOSED, "a refusal changed the state");
    check(conn_adopt(&rig.c, rig.now, &n) == 0, "the right numbers are refused");
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(an_adopted_connection_exchanges_and_closes),
        cmocka_unit_test(rfc6298_2_1_an_adopted_connection_has_no_round_trip),
        cmocka_unit_test(rfc7323_5_4_an_adopted_connection_goes_on_with_its_clock),
        cmocka_unit_test(rfc7323_5_3_an_adopted_connection_refuses_old_timestamps),
        cmocka_unit_test(rfc5961_3_2_an_adopted_connection_is_reset_at_rcv_nxt),
        cmocka_unit_test(numbers_that_contradict_each_other_are_refused),
    };

    return run_cases(cases, COUNT(cases));
}
