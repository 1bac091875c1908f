/* Tests TIME_WAIT: both FINs are acknowledged, and the timer of 2 MSL runs (RFC 9293, 3.6.1,
 * 3.10.7.4; RFC 6191). */
#include "tests/unit/engine.h"

static void rfc9293_3_6_1_must_13_two_msl_and_not_a_moment_less(void **state)
{
    (void)state;
    check(2 * rig.env.config.msl == 4 * WAVE_MIN, "MSL is not 2 minutes by default");
    silent(2 * rig.env.config.msl - 1);
    expect_state(STATE_TIME_WAIT);
    silent(1);
    expect_closed(END_CLOSED);
    check(conn_expiry(&rig.c, rig.now) == WAVE_NEVER, "CLOSED, and still something to wait for");
}

static void rfc9293_3_10_7_4_fifth_repeated_fin_restarts_the_two_msl(void **state)
{
    (void)state;
    silent(2 * rig.env.config.msl - WAVE_S);
    in(FIN | ACK, 1, 2, WND, 0);
    out(ACK, 2, 2, 0);
    silent(2 * rig.env.config.msl - 1);
    expect_state(STATE_TIME_WAIT);
    silent(1);
    expect_closed(END_CLOSED);
}

static void rfc9293_3_10_7_4_rst_does_not_lengthen_it(void **state)
{
    (void)state;
    silent(WAVE_MIN);
    in(RST, 3, 0, 0, 0);
    out(ACK, 2, 2, 0); /* a challenge ACK */
    silent(2 * rig.env.config.msl - WAVE_MIN);
    expect_closed(END_CLOSED);
}

static void conn_config_msl_is_settable(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.env.config.msl = 5 * WAVE_S;
    drive(STATE_TIME_WAIT);
    silent(10 * WAVE_S - 1);
    expect_state(STATE_TIME_WAIT);
    silent(1);
    expect_closed(END_CLOSED);
}

/* What a change of state says of its end: 2 MSL have passed only where they were waited for. */
static void its_end_is_told_as_it_was(void **state)
{
    static const struct {
        bool kept;
        wave_time msl;
        const char *end, *cause;
    } ways[] = {{true, 2 * WAVE_MIN, NULL, "2 MSL passed"},
                {true, WAVE_S, "--time-wait is over", "--time-wait is over"},
                {true, 0, "--time-wait is over", "TIME_WAIT not kept"},
                {false, 2 * WAVE_MIN, NULL, "TIME_WAIT not kept"}};
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const char *cause = "";
        rig_start(&variants[1]);
        rig.env.config.time_wait = ways[i].kept;
        rig.env.config.msl = ways[i].msl;
        rig.env.config.time_wait_end = ways[i].end;
        drive(STATE_CLOSING); /* our ACK of the peer's FIN is out: nothing more is to be sent */
        in(ACK, 2, 2, WND, 0);
        silent(2 * ways[i].msl);
        expect_closed(END_CLOSED);
        for (size_t n = 0; n < rig.events; n++)
            if (rig.log[n].kind == EVENT_STATE && rig.log[n].u.state.to == STATE_CLOSED)
                cause = rig.log[n].u.state.cause;
        check(strcmp(cause, ways[i].cause) == 0, "its end is told as \"%s\"", cause);
    }
}

static void acknowledged_again(void)
{
    /* RFC 6191 says to drop it silently, RFC 9293's first step to acknowledge it. */
    burst();
    for (size_t i = 0; i < rig.bursts; i++)
        check(rig.seen[i].flags == ACK && rig.seen[i].seq == 2, "something but an ACK goes out");
    expect_state(STATE_TIME_WAIT);
}

/* RFC 6191, section 2: a SYN with a later timestamp opens a new connection, whatever its number. */
static void rfc6191_2_later_timestamp_opens_anew(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    drive(STATE_TIME_WAIT);
    rig.now += WAVE_S;
    struct seg s = make(SYN, 0xfff00000, 0, WND, 0);
    feed_at(HERE, s, INPUT_REUSE);
    expect_state(STATE_CLOSED);
    nothing();
    expect_end(END_CLOSED);
}

static void rfc6191_2_same_timestamp_and_later_number_opens_anew(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    drive(STATE_TIME_WAIT);
    struct seg s = make(SYN, 100000, 0, WND, 0);
    s.opt.tsval = rig.c.ts_recent;
    feed_at(HERE, s, INPUT_REUSE);
    expect_state(STATE_CLOSED);
}

static void rfc6191_2_same_timestamp_and_earlier_number_does_not(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    drive(STATE_TIME_WAIT);
    struct seg s = make(SYN, 0xfff00000, 0, WND, 0);
    s.opt.tsval = rig.c.ts_recent;
    feed(s);
    acknowledged_again();
}

static void rfc6191_2_earlier_timestamp_does_not(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    drive(STATE_TIME_WAIT);
    struct seg s = make(SYN, 100000, 0, WND, 0);
    s.opt.tsval = rig.c.ts_recent - 1000;
    feed(s);
    acknowledged_again();
}

static void rfc6191_2_without_timestamps_a_later_number_opens_anew(void **state)
{
    (void)state;
    rig_start(&variants[0]);
    drive(STATE_TIME_WAIT);
    struct seg s = make(SYN, 100000, 0, WND, 0);
    feed_at(HERE, s, INPUT_REUSE);
    expect_state(STATE_CLOSED);
}

static void rfc9293_3_6_1_old_duplicate_syn_does_not_open_anew(void **state)
{
    (void)state;
    struct seg s = make(SYN, 0, 0, WND, 0);
    feed(s);
    acknowledged_again();
    s = make(SYN, 0xfff00000, 0, WND, 0);
    s.opt.has &= ~(unsigned)OPT_TIMESTAMP;
    feed(s);
    acknowledged_again();
}

static void rfc6191_2_syn_ack_never_opens_anew(void **state)
{
    (void)state;
    rig.now += WAVE_S;
    in(SYN | ACK, 100000, 2, WND, 0);
    acknowledged_again();
}

/* RFC 7323, 5.3, R1 holds here as well: an old duplicate of a FIN does not lengthen TIME_WAIT. */
static void rfc7323_5_3_old_duplicate_fin_does_not_lengthen_it(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    drive(STATE_TIME_WAIT);
    silent(WAVE_MIN);
    struct seg s = make(FIN | ACK, 1, 2, WND, 0);
    s.opt.tsval = rig.c.ts_recent - 5000;
    feed(s);
    burst();
    silent(2 * rig.env.config.msl - WAVE_MIN);
    expect_closed(END_CLOSED);
}

/* RFC 6191, section 2: the old connection had no timestamps, and the new one would have some: this
 * opens a new connection whatever the SYN's number. */
static void rfc6191_2_timestamps_where_there_were_none_open_anew(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {100000, 0xfff00000};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        rig_start(&variants[1]);
        rig.peer.timestamps = false;
        drive(STATE_TIME_WAIT);
        rig.peer.timestamps = true;
        feed_at(HERE, make(SYN, numbers[i], 0, WND, 0), INPUT_REUSE);
        expect_end(END_CLOSED);
    }
}

/* The new one would have none either where we do not take them: then the number decides, or any old
 * duplicate of the SYN would end TIME_WAIT. */
static void rfc6191_2_timestamps_that_we_do_not_take_say_nothing(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    rig.env.config.timestamps = false;
    drive(STATE_TIME_WAIT);
    feed(make(SYN, 0, 0, WND, 0));
    acknowledged_again();
    feed(make(SYN, 0xfff00000, 0, WND, 0));
    acknowledged_again();
    feed_at(HERE, make(SYN, 100000, 0, WND, 0), INPUT_REUSE);
}

static void rfc6191_2_without_its_timestamps_the_number_decides(void **state)
{
    (void)state;
    rig_start(&variants[1]);
    drive(STATE_TIME_WAIT);
    rig.now += WAVE_S;
    struct seg s = make(SYN, 0xfff00000, 0, WND, 0);
    s.opt.has &= ~(unsigned)OPT_TIMESTAMP;
    feed(s);
    burst();
    expect_state(STATE_TIME_WAIT);
    s.seq = seq_of(rig.irs + 2); /* RCV.NXT: what the peer's last connection ended with */
    feed(s);
    burst();
    expect_state(STATE_TIME_WAIT);
    s.seq = seq_of(rig.irs + 3);
    feed_at(HERE, s, INPUT_REUSE);
}

static void rfc6191_2_only_a_bare_syn_opens_anew(void **state)
{
    (void)state;
    static const unsigned flags[] = {SYN | ACK, SYN | FIN, SYN | RST, ACK, FIN | ACK};
    for (size_t i = 0; i < COUNT(flags); i++) {
        rig_start(&variants[0]);
        drive(STATE_TIME_WAIT);
        in(flags[i], 100000, 2, WND, 0); /* far beyond the window */
        burst();
        expect_state(STATE_TIME_WAIT);
    }
}

/* 3.10.7.4, eighth step: this is the peer's FIN retransmitted, not any segment with a FIN. */
static void rfc9293_3_10_7_4_another_fin_does_not_begin_2_msl_again(void **state)
{
    (void)state;
    const wave_time until = rig.c.timer[TIMER_TIME_WAIT];
    static const uint32_t other[] = {0, 100, 0x80000000, 0xfffff000};
    silent(WAVE_S);
    for (size_t i = 0; i < COUNT(other); i++) {
        in(FIN | ACK, other[i], 2, WND, 0);
        burst();
        check(rig.c.timer[TIMER_TIME_WAIT] == until, "a FIN at %u counts", other[i]);
    }
    in(FIN | ACK, 1, 2, WND, 0);
    out(ACK, 2, 2, 0);
    check(rig.c.timer[TIMER_TIME_WAIT] == until + WAVE_S, "the peer's own does not");
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_10_7_4_another_fin_does_not_begin_2_msl_again),
        cmocka_unit_test(rfc9293_3_6_1_must_13_two_msl_and_not_a_moment_less),
        cmocka_unit_test(rfc9293_3_10_7_4_fifth_repeated_fin_restarts_the_two_msl),
        cmocka_unit_test(rfc9293_3_10_7_4_rst_does_not_lengthen_it),
        cmocka_unit_test(conn_config_msl_is_settable),
        cmocka_unit_test(its_end_is_told_as_it_was),
        cmocka_unit_test(rfc6191_2_later_timestamp_opens_anew),
        cmocka_unit_test(rfc6191_2_same_timestamp_and_later_number_opens_anew),
        cmocka_unit_test(rfc6191_2_same_timestamp_and_earlier_number_does_not),
        cmocka_unit_test(rfc6191_2_earlier_timestamp_does_not),
        cmocka_unit_test(rfc6191_2_without_timestamps_a_later_number_opens_anew),
        cmocka_unit_test(rfc9293_3_6_1_old_duplicate_syn_does_not_open_anew),
        cmocka_unit_test(rfc6191_2_syn_ack_never_opens_anew),
        cmocka_unit_test(rfc7323_5_3_old_duplicate_fin_does_not_lengthen_it),
        cmocka_unit_test(rfc6191_2_timestamps_where_there_were_none_open_anew),
        cmocka_unit_test(rfc6191_2_timestamps_that_we_do_not_take_say_nothing),
        cmocka_unit_test(rfc6191_2_without_its_timestamps_the_number_decides),
        cmocka_unit_test(rfc6191_2_only_a_bare_syn_opens_anew),
    };
    return run_state(STATE_TIME_WAIT, cases, COUNT(cases));
}
