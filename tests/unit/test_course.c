/* Tests the course of a connection step by step: what it waits for and until when, and when it
 * closes, in the configurations that the commands use. */
#include "lib/run/course.h"

#include "tests/unit/engine.h"

#define LINGER (5 * WAVE_S)

static struct course course;
static struct course_config plan;
static struct course_facts facts;

/* A fresh course of a connection in that state, over which no data was sent yet. */
static void begin_in(enum state state, struct course_config as)
{
    drive(state);
    course = (struct course){0};
    plan = as;
    if (!plan.linger)
        plan.linger = LINGER;
    facts = (struct course_facts){.fed = true, .quiet_since = rig.now};
}

static void begin(struct course_config as)
{
    begin_in(STATE_ESTABLISHED, as);
}

static struct course_turn go(void)
{
    return course_go(&course, &plan, &rig.c, &facts, rig.now);
}

/* It waits for this, until then. */
#define waits(what, at)                                                                            \
    do {                                                                                           \
        struct course_turn t_ = go();                                                              \
        check(t_.act == COURSE_WAIT, "the act is %d", t_.act);                                     \
        check(t_.waits == (what), "it waits for %s", course_text(t_.waits));                       \
        check(t_.until == (at), "until %lld ns from now", (long long)(t_.until - rig.now));        \
    } while (0)

/* It closes, and waits for this from then on. */
#define closes_and_waits(what)                                                                     \
    do {                                                                                           \
        struct course_turn t_ = go();                                                              \
        check(t_.act == COURSE_CLOSED, "it does not close");                                       \
        check(t_.waits == (what), "it waits for %s", course_text(t_.waits));                       \
    } while (0)

#define closes() check(go().act == COURSE_CLOSED, "it does not close")

/* Sends our data. The peer acknowledges it if `acknowledged` is true. */
static void give(uint32_t bytes, bool acknowledged)
{
    push(bytes);
    out(ACK | PSH, 1, 1, bytes);
    if (acknowledged)
        in(ACK, 1, 1 + bytes, WND, 0);
    facts.gave = true;
}

/* Receives data from the peer. */
static void get(uint32_t seq, uint32_t ack, uint32_t bytes)
{
    in(ACK | PSH, seq, ack, WND, bytes);
    take(bytes);
    facts.got = true;
    facts.quiet_since = rig.now;
}

/* Returns the configuration that connect uses. */
static struct course_config asking(enum close_how how, wave_time hold)
{
    return (struct course_config){
        .close = how, .answer = COURSE_ANSWER_PAUSES, .acknowledged = true, .hold = hold};
}

/* Returns the configuration that listen uses. */
static struct course_config serving(enum close_how how, wave_time hold)
{
    return (struct course_config){.close = how,
                                  .serves = true,
                                  .acknowledged = how == CLOSE_ABORT || hold,
                                  .hold_after_peer = true,
                                  .hold = hold};
}

/* Returns the configuration that load uses. */
static struct course_config loading(enum close_how how, wave_time hold)
{
    return (struct course_config){.close = how, .answer = COURSE_ANSWER_BEGINS, .hold = hold};
}

/*
 * The handshake
 */

static void a_syn_waits_for_its_answer_until_it_is_repeated(void **state)
{
    (void)state;
    begin_in(STATE_SYN_SENT, asking(CLOSE_ACTIVE, 0));
    waits(COURSE_WAITS_SYN_ACK, rig.c.timer[TIMER_REXMT]);
    check(go().engine, "the wait is the engine's to end");
    check(course_step(&course) == COURSE_HANDSHAKE, "the course has moved");
}

static void a_syn_ack_waits_for_its_acknowledgement(void **state)
{
    (void)state;
    begin_in(STATE_SYN_RECEIVED, serving(CLOSE_ACTIVE, 0));
    waits(COURSE_WAITS_SYN_ACKED, WAVE_NEVER);
}

/*
 * Data
 */

static void our_data_is_given_before_anything_else(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 0));
    facts.fed = false;
    waits(COURSE_WAITS_OUR_DATA, WAVE_NEVER);
    give(100, false);
    waits(COURSE_WAITS_DATA_ACKED, WAVE_NEVER);
}

static void a_server_whose_data_is_to_come_waits_for_the_peers(void **state)
{
    (void)state;
    begin(serving(CLOSE_ACTIVE, 0));
    facts.fed = false;
    give(100, false);
    waits(COURSE_WAITS_THEIR_DATA, WAVE_NEVER);
}

static void given_data_is_to_be_acknowledged_where_that_is_asked_for(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 0));
    give(100, false);
    waits(COURSE_WAITS_DATA_ACKED, WAVE_NEVER);
    check(course_step(&course) == COURSE_HANDSHAKE, "the hold has begun");
}

static void without_it_the_fin_rides_on_the_last_of_the_data(void **state)
{
    (void)state;
    begin((struct course_config){.close = CLOSE_ACTIVE});
    push(100);
    facts.gave = true;
    closes_and_waits(COURSE_WAITS_DATA_ACKED);
    out(FIN | ACK | PSH, 1, 1, 100);
    expect_state(STATE_FIN_WAIT_1);
}

static void without_data_the_fin_goes_at_once(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 0));
    closes_and_waits(COURSE_WAITS_FIN_ACKED);
    out(FIN | ACK, 1, 1, 0);
    check(course_step(&course) == COURSE_CLOSING, "the step is %d", course_step(&course));
}

/*
 * The answer
 */

static void an_answer_has_a_second_to_begin(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 0));
    give(100, true);
    waits(COURSE_WAITS_ANSWER, rig.now + WAVE_S);
    silent(WAVE_S - 1);
    waits(COURSE_WAITS_ANSWER, rig.now + 1);
    silent(1);
    closes();
}

static void an_answer_is_complete_when_it_pauses(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 0));
    give(100, true);
    waits(COURSE_WAITS_ANSWER, rig.now + WAVE_S);
    pass(500 * WAVE_MS);
    get(1, 101, 10);
    waits(COURSE_WAITS_ANSWER, rig.now + 250 * WAVE_MS);
    pass(100 * WAVE_MS);
    get(11, 101, 10);
    waits(COURSE_WAITS_ANSWER, rig.now + 250 * WAVE_MS);
    pass(250 * WAVE_MS);
    closes();
}

static void where_segments_were_lost_a_pause_is_as_long_as_linger(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 0));
    give(100, true);
    facts.disordered = true;
    waits(COURSE_WAITS_ANSWER, rig.now + LINGER);
}

static void a_pause_of_our_own_reader_is_none_of_the_peers(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 0));
    give(100, true);
    facts.reader_busy = true;
    waits(COURSE_WAITS_ANSWER, WAVE_NEVER);
}

static void the_peers_fin_ends_its_answer(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 0));
    give(100, true);
    in(FIN | ACK, 1, 101, WND, 0);
    closes();
}

static void to_leave_without_a_fin_is_not_to_wait_for_the_answer(void **state)
{
    (void)state;
    begin(asking(CLOSE_ABORT, 0));
    give(100, true);
    closes_and_waits(COURSE_WAITS_NOT);
}

static void without_data_of_ours_no_answer_is_awaited(void **state)
{
    (void)state;
    begin(loading(CLOSE_ACTIVE, 0));
    closes();
}

static void the_first_byte_is_answer_enough_where_no_pause_is_awaited(void **state)
{
    (void)state;
    begin(loading(CLOSE_ACTIVE, 0));
    give(100, false);
    waits(COURSE_WAITS_ANSWER, rig.now + WAVE_S);
    check(course_step(&course) == COURSE_ANSWER, "the step is %d", course_step(&course));
    pass(10 * WAVE_MS);
    get(1, 101, 10);
    closes();
}

static void an_answer_that_does_not_begin_is_given_up(void **state)
{
    (void)state;
    begin(loading(CLOSE_ACTIVE, 0));
    give(100, true);
    waits(COURSE_WAITS_ANSWER, rig.now + WAVE_S);
    silent(WAVE_S);
    closes();
}

/*
 * The hold
 */

static void the_hold_counts_from_our_data_on(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 3 * WAVE_S));
    give(100, true);
    wave_time end = rig.now + 3 * WAVE_S;
    waits(COURSE_WAITS_HOLD, end);
    silent(2900 * WAVE_MS);
    waits(COURSE_WAITS_HOLD, end);
    get(1, 101, 10); /* the answer is still to pause then */
    waits(COURSE_WAITS_ANSWER, rig.now + 250 * WAVE_MS);
}

static void after_a_first_byte_the_hold_counts_from_there(void **state)
{
    (void)state;
    begin(loading(CLOSE_ACTIVE, 3 * WAVE_S));
    give(100, true);
    waits(COURSE_WAITS_ANSWER, rig.now + WAVE_S);
    silent(WAVE_S / 2);
    get(1, 101, 10);
    waits(COURSE_WAITS_HOLD, rig.now + 3 * WAVE_S);
}

/*
 * The peer's FIN
 */

static void a_passive_close_waits_for_the_peers_fin(void **state)
{
    (void)state;
    begin(asking(CLOSE_PASSIVE, 2 * WAVE_S));
    waits(COURSE_WAITS_THEIR_FIN, WAVE_NEVER);
    silent(WAVE_S);
    in(FIN | ACK, 1, 1, WND, 0);
    out(ACK, 1, 2, 0);
    waits(COURSE_WAITS_HOLD, rig.now + WAVE_S); /* it has been held for a second already */
    silent(WAVE_S);
    closes();
    out(FIN | ACK, 1, 2, 0);
    expect_state(STATE_LAST_ACK);
}

static void a_server_holds_from_the_peers_fin_on(void **state)
{
    (void)state;
    begin(serving(CLOSE_PASSIVE, 2 * WAVE_S));
    waits(COURSE_WAITS_THEIR_FIN, WAVE_NEVER);
    silent(WAVE_S);
    in(FIN | ACK, 1, 1, WND, 0);
    out(ACK, 1, 2, 0);
    waits(COURSE_WAITS_HOLD, rig.now + 2 * WAVE_S);
}

static void an_active_close_does_not_wait_for_it(void **state)
{
    (void)state;
    begin(serving(CLOSE_ACTIVE, 0));
    closes();
}

/*
 * The close
 */

static void an_abort_is_a_rst(void **state)
{
    (void)state;
    begin(asking(CLOSE_ABORT, 0));
    closes();
    check(next_out(0) && (rig.out.flags & RST), "no RST goes out");
    check(course_step(&course) == COURSE_LEFT, "the step is %d", course_step(&course));
    check(go().act == COURSE_OVER, "it is not over");
}

static void to_vanish_is_to_say_nothing(void **state)
{
    (void)state;
    begin(asking(CLOSE_VANISH, 0));
    closes();
    nothing();
    expect_end(END_VANISHED);
    check(course_step(&course) == COURSE_LEFT, "the step is %d", course_step(&course));
}

/* RFC 9293, 3.5: the handshake is complete when the peer's SYN is acknowledged. */
static void to_leave_without_a_fin_the_handshake_is_completed_first(void **state)
{
    (void)state;
    begin_in(STATE_SYN_SENT, loading(CLOSE_ABORT, 0));
    in(SYN | ACK, 0, 1, WND, 0);
    waits(COURSE_WAITS_HOLD, rig.now);
    out(ACK, 1, 1, 0);
    closes();
    check(next_out(0) && (rig.out.flags & RST), "no RST goes out");
}

static void a_fin_may_go_with_the_acknowledgement_of_the_syn_ack(void **state)
{
    (void)state;
    begin_in(STATE_SYN_SENT, loading(CLOSE_ACTIVE, 0));
    in(SYN | ACK, 0, 1, WND, 0);
    closes();
    out(FIN | ACK, 1, 1, 0);
    nothing();
}

static void a_caller_may_close_before_its_time(void **state)
{
    (void)state;
    begin(asking(CLOSE_PASSIVE, WAVE_H));
    waits(COURSE_WAITS_THEIR_FIN, WAVE_NEVER);
    course_close(&course, plan.close, &rig.c, rig.now);
    out(FIN | ACK, 1, 1, 0);
    waits(COURSE_WAITS_FIN_ACKED, WAVE_NEVER);
}

/*
 * After the close
 */

static void a_fin_behind_data_waits_for_the_data_first(void **state)
{
    (void)state;
    begin((struct course_config){.close = CLOSE_ACTIVE});
    in(ACK, 1, 1, 0, 0); /* its window is closed */
    push(100);
    closes();
    waits(COURSE_WAITS_DATA_ACKED, WAVE_NEVER);
}

static void a_peer_that_holds_its_side_open_is_given_linger(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 0));
    closes();
    out(FIN | ACK, 1, 1, 0);
    waits(COURSE_WAITS_FIN_ACKED, WAVE_NEVER);
    in(ACK, 1, 2, WND, 0);
    facts.quiet_since = rig.now;
    waits(COURSE_WAITS_THEIR_FIN, rig.now + LINGER);
    silent(LINGER - 1);
    waits(COURSE_WAITS_THEIR_FIN, rig.now + 1);
    silent(1);
    check(go().act == COURSE_LINGERED, "its time is not up");
    expect_state(STATE_FIN_WAIT_2); /* to end it is the caller's */
}

static void what_it_still_sends_is_no_silence(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 0));
    closes();
    out(FIN | ACK, 1, 1, 0);
    in(ACK, 1, 2, WND, 0);
    pass(LINGER - 1);
    get(1, 2, 10);
    waits(COURSE_WAITS_THEIR_FIN, rig.now + LINGER);
    facts.reader_busy = true; /* nor is it while our reader has not taken it */
    pass(LINGER);
    waits(COURSE_WAITS_THEIR_FIN, rig.now + LINGER);
}

static void time_wait_is_the_engines_to_end(void **state)
{
    (void)state;
    begin(asking(CLOSE_ACTIVE, 0));
    rig.env.config.time_wait = true;
    closes();
    out(FIN | ACK, 1, 1, 0);
    in(FIN | ACK, 1, 2, WND, 0);
    out(ACK, 2, 2, 0);
    expect_state(STATE_TIME_WAIT);
    waits(COURSE_WAITS_TIME_WAIT, rig.c.timer[TIMER_TIME_WAIT]);
    check(go().engine, "the wait is the engine's to end");
}

static void a_reset_ends_the_course(void **state)
{
    (void)state;
    begin(asking(CLOSE_PASSIVE, WAVE_H));
    waits(COURSE_WAITS_THEIR_FIN, WAVE_NEVER);
    in(RST, 1, 0, 0, 0);
    check(go().act == COURSE_OVER, "it goes on");
}

/*
 * The word that it is kept in
 */

static void step_and_time_fit_a_word(void **state)
{
    const wave_time max = ((wave_time)1 << 61) - 1;

    (void)state;
    for (unsigned step = COURSE_HANDSHAKE; step <= COURSE_CUT; step++) {
        course_set(&course, (enum course_step)step, max);
        check(course_step(&course) == step && course_since(&course) == max, "step %u", step);
    }
    check(sizeof course == 8, "it takes %zu bytes", sizeof course);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_syn_waits_for_its_answer_until_it_is_repeated),
        cmocka_unit_test(a_syn_ack_waits_for_its_acknowledgement),
        cmocka_unit_test(our_data_is_given_before_anything_else),
        cmocka_unit_test(a_server_whose_data_is_to_come_waits_for_the_peers),
        cmocka_unit_test(given_data_is_to_be_acknowledged_where_that_is_asked_for),
        cmocka_unit_test(without_it_the_fin_rides_on_the_last_of_the_data),
        cmocka_unit_test(without_data_the_fin_goes_at_once),
        cmocka_unit_test(an_answer_has_a_second_to_begin),
        cmocka_unit_test(an_answer_is_complete_when_it_pauses),
        cmocka_unit_test(where_segments_were_lost_a_pause_is_as_long_as_linger),
        cmocka_unit_test(a_pause_of_our_own_reader_is_none_of_the_peers),
        cmocka_unit_test(the_peers_fin_ends_its_answer),
        cmocka_unit_test(to_leave_without_a_fin_is_not_to_wait_for_the_answer),
        cmocka_unit_test(without_data_of_ours_no_answer_is_awaited),
        cmocka_unit_test(the_first_byte_is_answer_enough_where_no_pause_is_awaited),
        cmocka_unit_test(an_answer_that_does_not_begin_is_given_up),
        cmocka_unit_test(the_hold_counts_from_our_data_on),
        cmocka_unit_test(after_a_first_byte_the_hold_counts_from_there),
        cmocka_unit_test(a_passive_close_waits_for_the_peers_fin),
        cmocka_unit_test(a_server_holds_from_the_peers_fin_on),
        cmocka_unit_test(an_active_close_does_not_wait_for_it),
        cmocka_unit_test(an_abort_is_a_rst),
        cmocka_unit_test(to_vanish_is_to_say_nothing),
        cmocka_unit_test(to_leave_without_a_fin_the_handshake_is_completed_first),
        cmocka_unit_test(a_fin_may_go_with_the_acknowledgement_of_the_syn_ack),
        cmocka_unit_test(a_caller_may_close_before_its_time),
        cmocka_unit_test(a_fin_behind_data_waits_for_the_data_first),
        cmocka_unit_test(a_peer_that_holds_its_side_open_is_given_linger),
        cmocka_unit_test(what_it_still_sends_is_no_silence),
        cmocka_unit_test(time_wait_is_the_engines_to_end),
        cmocka_unit_test(a_reset_ends_the_course),
        cmocka_unit_test(step_and_time_fit_a_word),
    };

    return run_cases(cases, COUNT(cases));
}
