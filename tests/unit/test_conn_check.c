/*
 * Tests conn_check(), on which the other tests and the fuzz targets rely: each invariant that it
 * checks is broken by hand once, and has to be reported. Also tests the user's calls at the limits
 * of what conn.h allows.
 */
#include "tests/unit/engine.h"

#include "lib/core/queue.h"
#include "lib/core/reasm.h"

/* Three segments in flight, one reported, one lost, and more waiting; a run beyond a gap. */
static void busy(void)
{
    rig_start(&variants[1]);
    rig.env.config.initial_window = 3;
    establish(RTT);
    push(20000);
    check(burst() == 3 * eff_mss(), "not three segments go out");
    queue_mark_sacked(rig.c.queue, 1);
    queue_mark_lost(rig.c.queue, 0);
    in(ACK, 101, 1, WND, 100);
    check(conn_check(&rig.c) == NULL, "broken to begin with: %s", conn_check(&rig.c));
}

static void notices(const char *what)
{
    const char *said = conn_check(&rig.c);

    check(said != NULL, "%s: not noticed", what);
    check(strlen(said) > 5, "%s: no words for it", what);
}

/* `change` breaks what `what` says, and `undo` mends it. */
#define broken(what, change, undo)                                                                 \
    do {                                                                                           \
        change;                                                                                    \
        notices(what);                                                                             \
        undo;                                                                                      \
        check(conn_check(&rig.c) == NULL, "%s is not mended", what);                               \
    } while (0)

static void a_state_that_does_not_exist_is_noticed(void **state)
{
    (void)state;
    busy();
    broken("no such state", rig.c.state = STATE_TIME_WAIT + 1, rig.c.state = STATE_ESTABLISHED);
}

static void a_queue_without_a_connection_is_noticed(void **state)
{
    (void)state;
    busy();
    broken("CLOSED with a queue", rig.c.state = STATE_CLOSED, rig.c.state = STATE_ESTABLISHED);
    broken("LISTEN with a queue", rig.c.state = STATE_LISTEN, rig.c.state = STATE_ESTABLISHED);
}

static void numbers_out_of_order_are_noticed(void **state)
{
    (void)state;
    busy();
    const struct conn good = rig.c;
    broken("SND.UNA beyond SND.NXT", rig.c.snd.nxt = seq_sub(good.snd.una, 1),
           rig.c.snd.nxt = good.snd.nxt);
    broken("RCV.NXT beyond the edge", rig.c.rcv.adv = seq_sub(good.rcv.nxt, 1),
           rig.c.rcv.adv = good.rcv.adv);
    broken("the queue is not SND.UNA's", rig.c.queue->base.v++, rig.c.queue->base.v--);
    broken("the records end before SND.NXT", rig.c.snd.nxt.v++, rig.c.snd.nxt.v--);
    broken("a FIN that has no number", rig.c.flags |= CONN_FIN_SENT, rig.c.flags = good.flags);
}

static void a_scoreboard_that_does_not_add_up_is_noticed(void **state)
{
    (void)state;
    busy();
    struct queue *q = rig.c.queue;
    const uint32_t len = q->len;
    broken("bytes in flight", q->out++, q->out--);
    broken("bytes reported", q->sacked++, q->sacked--);
    broken("bytes lost", q->lost++, q->lost--);
    broken("a hole between records", queue_at(q, 1)->first.v++, queue_at(q, 1)->first.v--);
    broken("a record of nothing", queue_at(q, 2)->len = 0, queue_at(q, 2)->len = eff_mss());
    broken("an empty queue", q->len = 0, q->len = len);
    broken("more in flight than held", q->len = q->out - 1, q->len = len);
}

static void a_connection_that_nothing_wakes_is_noticed(void **state)
{
    (void)state;
    busy();
    const wave_time at = rig.c.timer[TIMER_REXMT];
    burst();
    queue_retransmitted(rig.c.queue, 0, rig.now);
    burst();
    broken("no timer", rig.c.timer[TIMER_REXMT] = WAVE_NEVER, rig.c.timer[TIMER_REXMT] = at);
    rig.env.config.no_third_ack = true; /* but as was asked for */
    rig.c.timer[TIMER_REXMT] = WAVE_NEVER;
    check(conn_check(&rig.c) == NULL, "a handshake left hanging is called broken");
    rig.c.timer[TIMER_REXMT] = at;
}

static void a_run_that_should_have_been_joined_is_noticed(void **state)
{
    (void)state;
    busy();
    broken("a run at RCV.NXT", rig.c.reasm->run[0].first = rig.c.rcv.nxt,
           rig.c.reasm->run[0].first = seq_add(rig.c.rcv.nxt, 100));
}

/*
 * The user's calls.
 */

static void a_connection_opens_once(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    const struct seg syn = make(SYN, 0, 0, WND, 0);
    check(conn_open(&rig.c, rig.now, seq_of(1)) == WAVE_ESTATE, "OPEN is taken in ESTABLISHED");
    check(conn_listen(&rig.c, seq_of(1)) == WAVE_ESTATE, "a passive OPEN is");
    check(conn_rebuild(&rig.c, rig.now, &syn, seq_of(1)) == WAVE_ESTATE, "a cookie is");
    expect_state(STATE_ESTABLISHED);
    check(snd_nxt() == 1 && rcv_nxt() == 1, "the numbers moved");
    in(RST, 1, 0, 0, 0);
    expect_closed(END_RESET);
    /* How it ended stands until conn_init(). */
    check(conn_open(&rig.c, rig.now, seq_of(1)) == WAVE_ESTATE, "OPEN is taken after the end");
    check(conn_listen(&rig.c, seq_of(1)) == WAVE_ESTATE, "a passive OPEN is");
    check(conn_rebuild(&rig.c, rig.now, &syn, seq_of(1)) == WAVE_ESTATE, "a cookie is");
    expect_closed(END_RESET);
    renew();
    check(conn_open(&rig.c, rig.now, seq_of(rig.iss)) == 0, "OPEN is refused after conn_init()");
}

/* 3.9.1.2: SEND takes what there is room for, however much is offered. */
static void conn_send_takes_what_fits(void **state)
{
    (void)state;
    static uint8_t zeros[4096];
    rig.env.config.sndbuf = sizeof zeros;
    drive(STATE_ESTABLISHED);
    rig.sends_itself = true;
    check(conn_send(&rig.c, rig.now, zeros, SIZE_MAX) == sizeof zeros,
          "not all that fits is taken");
    check(conn_send_room(&rig.c) == 0, "and there is still room");
    check(conn_send(&rig.c, rig.now, zeros, 1) == 0, "and more is taken");
    check(conn_unacked(&rig.c) == sizeof zeros, "%zu bytes are queued", conn_unacked(&rig.c));
    rig_start(&variants[1]);
    rig.env.config.sndbuf = UINT32_MAX;
    rig.env.mem_max = 1 << 20;
    drive(STATE_ESTABLISHED);
    check(conn_send(&rig.c, rig.now, zeros, SIZE_MAX) == 0, "more than there is memory is taken");
}

static void conn_consume_gives_back_no_more_than_was_shown(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK | PSH, 1, 1, WND, 1000);
    in(ACK | PSH, 2001, 1, WND, 500);
    burst();
    check(readable() == 1000, "%u bytes are readable", readable());
    conn_consume(&rig.c, rig.now, SIZE_MAX);
    rig.read += 1000;
    check(readable() == 0, "%u bytes are readable", readable());
    in(ACK | PSH, 1001, 1, WND, 1000); /* what lay beyond the gap is there as it was */
    acknowledges(2501);
    take(1500);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_state_that_does_not_exist_is_noticed),
        cmocka_unit_test(a_queue_without_a_connection_is_noticed),
        cmocka_unit_test(numbers_out_of_order_are_noticed),
        cmocka_unit_test(a_scoreboard_that_does_not_add_up_is_noticed),
        cmocka_unit_test(a_connection_that_nothing_wakes_is_noticed),
        cmocka_unit_test(a_run_that_should_have_been_joined_is_noticed),
        cmocka_unit_test(a_connection_opens_once),
        cmocka_unit_test(conn_send_takes_what_fits),
        cmocka_unit_test(conn_consume_gives_back_no_more_than_was_shown),
    };
    return run_cases(cases, COUNT(cases));
}
