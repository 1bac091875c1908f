/* Tests the switches with which the engine misbehaves on request (struct conn_config), and that it
 * does not without them. */
#include "lib/core/stack.h"
#include "tests/unit/engine.h"

static void probe_is_answered(bool deaf)
{
    rig.env.config.deaf_to_keepalive = deaf;
    drive(STATE_ESTABLISHED);
    in(ACK, 1, 1, WND, 10);
    acknowledges(11);
    in(ACK, 10, 1, WND, 0); /* one below what is expected, without data */
    if (deaf)
        nothing();
    else
        out(ACK, 1, 11, 0);
    expect_state(STATE_ESTABLISHED);
    in(ACK, 11, 1, WND, 10);
    acknowledges(21);
}

static void rfc9293_3_8_4_a_probe_is_answered(void **state)
{
    (void)state;
    probe_is_answered(false);
}

static void deaf_to_keepalive_takes_data_and_answers_no_probe(void **state)
{
    (void)state;
    probe_is_answered(true);
}

/* 101 to 300 come first, and are reported; then 1 to 100. */
static void gap_is_filled(bool reneges, uint32_t acked)
{
    rig.env.config.reneges = reneges;
    drive(STATE_ESTABLISHED);
    in(ACK, 101, 1, WND, 200);
    out(ACK, 1, 1, 0);
    check(rig.out.opt.sacks == 1, "it is not reported");
    in(ACK, 1, 1, WND, 100);
    out(ACK, 1, acked, 0);
    check(!(rig.out.opt.has & OPT_SACK), "something is reported");
}

static void rfc2018_8_what_was_reported_is_kept(void **state)
{
    (void)state;
    gap_is_filled(false, 301);
    take(300);
}

static void reneges_forgets_what_was_reported(void **state)
{
    (void)state;
    gap_is_filled(true, 101);
    take(100);
    check(readable() == 0, "it was kept");
    in(ACK, 101, 1, WND, 200); /* the peer retransmits it, and nothing is wrong any more */
    acknowledges(301);
    take(200);
    check(!conn_check(&rig.c), "%s", conn_check(&rig.c));
}

/* A FIN beyond the gap is forgotten with the rest, and taken when it comes again. */
static void reneges_forgets_a_fin(void **state)
{
    (void)state;
    rig.env.config.reneges = true;
    drive(STATE_ESTABLISHED);
    in(FIN | ACK, 101, 1, WND, 100);
    burst();
    in(ACK, 1, 1, WND, 100);
    out(ACK, 1, 101, 0);
    expect_state(STATE_ESTABLISHED);
    in(FIN | ACK, 101, 1, WND, 100);
    expect_state(STATE_CLOSE_WAIT);
    out(ACK, 1, 202, 0);
    take(200);
}

/* What a listener on port 80 answers to a SYN; returns its flags, and `stack_input()` of the peer's
 * next segment moves the connection to *state. */
static unsigned listener_answers(bool crosses, const struct seg *next, enum state *state)
{
    const struct flow flow = {.local = addr_v4(192, 0, 2, 1),
                              .remote = addr_v4(192, 0, 2, 2),
                              .lport = 80,
                              .rport = 5000};
    const struct stack_listener at = {.any = true, .port = 80, .half_open = 8};
    const struct seg syn = {.flags = SYN, .seq = seq_of(1000), .wnd = 60000};
    static uint8_t room[CONN_ROOM];
    struct conn_config config;
    struct stack *s;
    struct flow to;
    struct seg answer, second = *next;
    uint32_t id;

    conn_config_default(&config, 1500, false);
    config.simultaneous_open = crosses;
    assert_int_equal(stack_create(&s, &config, 8, 1), 0);
    assert_int_equal(stack_listen(s, &at), 0);
    id = stack_input(s, WAVE_S, &flow, &syn);
    assert_int_not_equal(id, STACK_NONE);
    assert_true(stack_output(s, WAVE_S, &to, &answer, room, &id));
    second.ack = seq_add(answer.seq, 1);
    stack_input(s, WAVE_S, &flow, &second);
    *state = conn_state(stack_conn(s, id));
    assert_null(conn_check(stack_conn(s, id)));
    stack_destroy(s);
    return answer.flags;
}

static void simultaneous_open_answers_a_syn_with_a_syn(void **state)
{
    const struct seg ack = {.flags = ACK, .seq = seq_of(1001), .wnd = 60000};
    const struct seg syn_ack = {.flags = SYN | ACK, .seq = seq_of(1000), .wnd = 60000};
    enum state then;

    (void)state;
    check(listener_answers(false, &ack, &then) == (SYN | ACK), "it is no SYN-ACK");
    check(then == STATE_ESTABLISHED, "the handshake is not done");
    check(listener_answers(true, &syn_ack, &then) == SYN, "it is no SYN");
    check(then == STATE_ESTABLISHED, "the handshake is not done");
}

static void all_is_off_by_default(void **state)
{
    struct conn_config c;

    (void)state;
    conn_config_default(&c, 1500, false);
    check(!c.deaf_to_keepalive && !c.reneges && !c.simultaneous_open, "a switch is on");
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(all_is_off_by_default),
        cmocka_unit_test(rfc9293_3_8_4_a_probe_is_answered),
        cmocka_unit_test(deaf_to_keepalive_takes_data_and_answers_no_probe),
        cmocka_unit_test(rfc2018_8_what_was_reported_is_kept),
        cmocka_unit_test(reneges_forgets_what_was_reported),
        cmocka_unit_test(reneges_forgets_a_fin),
        cmocka_unit_test(simultaneous_open_answers_a_syn_with_a_syn),
    };
    return run_cases(cases, COUNT(cases));
}
