/* Cases that all states before the end of the handshake share, and the calls that every connection
 * answers alike (RFC 9293, 3.10.1, 3.10.3, 3.10.5 and 3.8.3). */
#include "tests/unit/engine.h"

static void rfc9293_3_10_1_open_fails_on_a_connection_that_exists(void **state)
{
    (void)state;
    struct entry e = entry();
    check(conn_open(&rig.c, rig.now, seq_of(9)) == WAVE_ESTATE, "conn_open() is taken");
    check(conn_listen(&rig.c, seq_of(9)) == WAVE_ESTATE, "conn_listen() is taken");
    nothing();
    expect_state(e.state);
    check(snd_una() == e.una && snd_nxt() == e.nxt && rcv_nxt() == e.rcv, "a number moved");
}

static void rfc9293_3_10_5_abort_resets_where_the_clause_says_so(void **state)
{
    (void)state;
    struct entry e = entry();
    bool told = e.state == STATE_SYN_RECEIVED || e.state == STATE_ESTABLISHED ||
                e.state == STATE_FIN_WAIT_1 || e.state == STATE_FIN_WAIT_2 ||
                e.state == STATE_CLOSE_WAIT;
    conn_abort(&rig.c, rig.now);
    expect_state(STATE_CLOSED);
    expect_end(END_ABORTED);
    if (told) {
        check(next_out(0), "no RST goes out");
        check((rig.out.flags & RST) && out_seq() == e.nxt && rig.out.len == 0,
              "the RST is not <SEQ=SND.NXT><CTL=RST>");
        check(!(rig.out.flags & ACK) || out_ack() == e.rcv, "the RST acknowledges %u", out_ack());
    }
    nothing();
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "CLOSED, and still something to wait for");
}

static void conn_vanish_says_nothing(void **state)
{
    (void)state;
    conn_vanish(&rig.c, rig.now);
    expect_closed(END_VANISHED);
    silent(WAVE_H);
}

static void rfc9293_3_10_3_receive_gives_nothing(void **state)
{
    (void)state;
    check(readable() == 0 && conn_received(&rig.c) == 0, "data is readable");
}

static void conn_probe_is_refused(void **state)
{
    (void)state;
    check(conn_ack(&rig.c) == WAVE_ESTATE, "conn_ack() is taken");
    check(conn_probe(&rig.c, false) == WAVE_ESTATE, "conn_probe() is taken");
    check(conn_probe(&rig.c, true) == WAVE_ESTATE, "conn_probe() is taken");
    nothing();
}

static void rfc9293_3_8_3_syn_is_sent_again_and_given_up(void **state)
{
    (void)state;
    struct entry e = entry();
    unsigned flags = e.state == STATE_SYN_SENT ? SYN : SYN | ACK;
    const wave_time max = rig.env.config.rto_max, from = rig.now;
    unsigned n = rig.env.config.syn_retries;
    for (unsigned i = 0; i < n; i++) {
        wave_time due = time_min(WAVE_S << i, max);
        out_between(due - WAVE_MS, due + WAVE_MS, flags, 0, 1, 0);
        nothing();
        expect_event(EVENT_RETRANSMIT);
        check(rig.out.opt.has & OPT_MSS, "the repeated SYN has lost its MSS");
    }
    silent(time_min(WAVE_S << n, max) - WAVE_S);
    expect_state(e.state);
    pass(2 * WAVE_S);
    expect_closed(END_TIMEOUT_SYN);
    check(rig.now - from >= 180 * WAVE_S, "given up before three minutes (MUST-23)");
    check(expect_event(EVENT_TIMEOUT)->u.timeout == TIMEOUT_SYN, "another kind of timeout");
}

static const struct CMUnitTest existing[] = {
    cmocka_unit_test(rfc9293_3_10_1_open_fails_on_a_connection_that_exists),
    cmocka_unit_test(rfc9293_3_10_5_abort_resets_where_the_clause_says_so),
    cmocka_unit_test(conn_vanish_says_nothing),
};

static const struct CMUnitTest unsynchronized[] = {
    cmocka_unit_test(rfc9293_3_10_3_receive_gives_nothing),
    cmocka_unit_test(conn_probe_is_refused),
};

static const struct CMUnitTest syn_outstanding[] = {
    cmocka_unit_test(rfc9293_3_8_3_syn_is_sent_again_and_given_up),
};

#define BIT(s) (1u << STATE_##s)

const struct group handshake_groups[] = {
    {~BIT(CLOSED), existing, COUNT(existing)},
    {BIT(CLOSED) | BIT(LISTEN) | BIT(SYN_SENT) | BIT(SYN_RECEIVED), unsynchronized,
     COUNT(unsynchronized)},
    {BIT(SYN_SENT) | BIT(SYN_RECEIVED), syn_outstanding, COUNT(syn_outstanding)},
    {0, NULL, 0},
};
