/* Tests urgent data that is received: RFC 9293, 3.8.5 and the sixth step of 3.10.7.4. */
#include "tests/unit/engine.h"

static void urgent(uint32_t seq, uint32_t len, uint16_t pointer)
{
    struct seg s = make(ACK | URG | PSH, seq, 1, WND, len);
    s.urp = pointer;
    feed(s);
}

static void urgent_ends_before(uint32_t end)
{
    const struct event *e = expect_event(EVENT_URGENT);
    uint32_t got = e->u.seq.v - rig.irs;
    check(got == end, "urgent data ends before %u, not %u", got, end);
}

static void rfc9293_3_8_5_must_32_the_user_is_told(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    urgent(1, 100, 50);
    urgent_ends_before(51); /* MUST-62: the pointer is behind the last urgent byte */
    acknowledges(101);
    take(100);
}

static void rfc9293_3_8_5_pointer_beyond_the_segment(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    urgent(1, 10, 5000); /* MUST-31: of any length */
    urgent_ends_before(5001);
    acknowledges(11);
}

static void rfc9293_3_8_5_pointer_without_data(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    urgent(1, 0, 30);
    urgent_ends_before(31);
    expect_state(STATE_ESTABLISHED);
}

static void rfc9293_3_8_5_an_advancing_pointer_is_told_again(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    urgent(1, 10, 100);
    urgent_ends_before(101);
    urgent(11, 10, 200);
    urgent_ends_before(211);
}

static void rfc9293_3_8_5_the_same_pointer_is_told_once(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    urgent(1, 10, 100);
    urgent_ends_before(101);
    urgent(11, 10, 90);
    urgent(21, 10, 80);
    expect_no_event(EVENT_URGENT);
}

static void rfc9293_3_8_5_the_pointer_does_not_recede(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    urgent(1, 10, 500);
    urgent_ends_before(501);
    urgent(11, 10, 20);
    expect_no_event(EVENT_URGENT);
    acknowledges(21);
    take(20);
}

static void rfc9293_3_8_5_pointer_to_what_was_read_is_no_news(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK | PSH, 1, 1, WND, 100);
    acknowledges(101);
    take(100);
    urgent(101, 10, 0); /* points at 101: nothing is urgent */
    expect_no_event(EVENT_URGENT);
    acknowledges(111);
}

static void rfc9293_3_10_7_4_sixth_in_fin_wait_1_and_2(void **state)
{
    (void)state;
    const enum state states[] = {STATE_FIN_WAIT_1, STATE_FIN_WAIT_2};
    for (size_t i = 0; i < COUNT(states); i++) {
        rig_start(&variants[2]);
        drive(states[i]);
        urgent(1, 10, 10);
        urgent_ends_before(11);
    }
}

static void rfc9293_3_10_7_4_sixth_unacceptable_segment_tells_nothing(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    urgent(rig.edge, 10, 10);
    expect_no_event(EVENT_URGENT);
    out(ACK, 1, 1, 0);
}

static void without_urg_the_pointer_means_nothing(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    struct seg s = make(ACK | PSH, 1, 1, WND, 10);
    s.urp = 5;
    feed(s);
    expect_no_event(EVENT_URGENT);
    acknowledges(11);
}

/* RFC 9293, 3.8.6: the window at zero, "special allowance ... to accept valid ACKs, URGs". */
static void rfc9293_3_10_7_4_first_urg_is_taken_with_the_window_at_zero(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 1, 1, WND, RCVBUF);
    acknowledges(1 + RCVBUF);
    urgent(1 + RCVBUF, 0, 1);
    urgent_ends_before(RCVBUF + 2);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_8_5_must_32_the_user_is_told),
        cmocka_unit_test(rfc9293_3_8_5_pointer_beyond_the_segment),
        cmocka_unit_test(rfc9293_3_8_5_pointer_without_data),
        cmocka_unit_test(rfc9293_3_8_5_an_advancing_pointer_is_told_again),
        cmocka_unit_test(rfc9293_3_8_5_the_same_pointer_is_told_once),
        cmocka_unit_test(rfc9293_3_8_5_the_pointer_does_not_recede),
        cmocka_unit_test(rfc9293_3_8_5_pointer_to_what_was_read_is_no_news),
        cmocka_unit_test(rfc9293_3_10_7_4_sixth_in_fin_wait_1_and_2),
        cmocka_unit_test(rfc9293_3_10_7_4_sixth_unacceptable_segment_tells_nothing),
        cmocka_unit_test(without_urg_the_pointer_means_nothing),
        cmocka_unit_test(rfc9293_3_10_7_4_first_urg_is_taken_with_the_window_at_zero),
    };
    return run_cases(cases, COUNT(cases));
}
