/* Tests that a flow of a session is followed without an engine, gets one while it lives, loses it
 * and gets another. The segments that no engine makes are made here, field by field, and the peer
 * is a simulated host, which would reset a connection whose numbers do not go on. */
#include "lib/run/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/diag.h"
#include "lib/core/err.h"
#include "tests/unit/network.h"

#define STEP (100 * WAVE_MS)
#define ISS 5000
#define TSVAL 70000

static struct follow_rig {
    struct session *session;
    struct session_conn *conn;
    wave_time begun;
    unsigned step;
    uint32_t ours; /* segments of ours that were captured when the engine was given up */
} rig;

static const struct addr far_end = {{192, 0, 2, 80}};

/* Sends a segment of the flow that no engine has made. */
static void put(uint16_t flags, uint32_t len, uint32_t tsval)
{
    static const uint8_t bytes[16];
    const struct session_record *r = rig.conn->record;
    struct seg seg = {.seq = r->flow.has_iss ? r->flow.track.half[0].next : seq_of(ISS),
                      .ack = r->flow.track.half[1].next,
                      .flags = flags,
                      .wnd = 60000,
                      .len = len,
                      .data = len ? bytes : NULL};
    struct diag d;

    seg.opt.has = OPT_TIMESTAMP;
    seg.opt.tsval = tsval;
    seg.opt.tsecr = r->ts_recent;
    if (flags & SEG_SYN) {
        seg.opt.has |= OPT_MSS;
        seg.opt.mss = 1460;
    }
    assert_int_equal(rig.session->port->ops->send(rig.session->port, &r->flow.flow, &seg, NULL, &d),
                     0);
}

/* Returns whether the peer has acknowledged all that we sent. */
static bool all_acknowledged(void)
{
    const struct track *t = &rig.conn->record->flow.track;

    return seq_eq(t->half[1].acked, t->half[0].next);
}

static void engine_sends(struct session *s, wave_time now, const char *text)
{
    struct conn *e = session_engine(s, rig.conn);

    assert_non_null(e);
    assert_int_equal(conn_send(e, now, text, strlen(text)), strlen(text));
    session_changed(s, rig.conn, now);
}

static void give_up(struct session *s)
{
    rig.ours = rig.conn->record->flow.segments[0];
    assert_int_equal(session_give_up(s, rig.conn), 0);
    assert_int_equal(session_give_up(s, rig.conn), WAVE_ESTATE);
    assert_null(session_engine(s, rig.conn));
}

static void act(struct session *s, wave_time now)
{
    switch (rig.step++) {
    case 0:
        put(SEG_SYN, 0, TSVAL);
        break;
    case 1: /* the SYN-ACK is not acknowledged yet */
        assert_int_equal(session_adopt(s, rig.conn), WAVE_ESTATE);
        put(SEG_ACK, 0, TSVAL + 100);
        break;
    case 2:
        assert_int_equal(session_adopt(s, rig.conn), 0);
        assert_int_equal(session_adopt(s, rig.conn), WAVE_ESTATE);
        engine_sends(s, now, "hello");
        break;
    case 3:
        assert_true(all_acknowledged());
        assert_int_equal(conn_unacked(session_engine(s, rig.conn)), 0);
        give_up(s);
        put(SEG_ACK | SEG_PSH, 3, TSVAL + 300);
        break;
    case 4: /* the one segment, and no RST for its acknowledgement */
        assert_int_equal(rig.conn->record->flow.segments[0], rig.ours + 1);
        assert_true(all_acknowledged());
        assert_int_equal(session_adopt(s, rig.conn), 0);
        engine_sends(s, now, "and on");
        break;
    case 5:
        assert_true(all_acknowledged());
        conn_close(session_engine(s, rig.conn), now);
        session_changed(s, rig.conn, now);
        break;
    default:
        session_stop(s, STOP_ASKED);
        break;
    }
}

static wave_time turn(struct session *s, wave_time now)
{
    while (!s->loop.done && now >= rig.begun + rig.step * STEP)
        act(s, now);
    return rig.begun + rig.step * STEP;
}

static const struct session_ops ops = {.turn = turn};

static void begin(bool shows)
{
    struct port_sim_config network = network_with(HOST_DISCARD);
    struct session_config config = {
        .command = "test", .max_connections = 1, .shows = shows, .linger = WAVE_S, .signals = -1};
    struct port *port;
    struct diag d;

    memset(&rig, 0, sizeof rig);
    conn_config_default(&config.engine, 1500, false);
    config.engine.time_wait = false;
    assert_int_equal(port_sim_open(&port, &network, &d), 0);
    rig.begun = port_now(port);
    assert_int_equal(session_open(&rig.session, port, &config, &ops, &rig, &d), 0);
}

static void a_flow_gets_an_engine_loses_it_and_gets_another(void **state)
{
    const struct report_flow *f;
    (void)state;

    begin(true);
    assert_int_equal(session_follow(rig.session, 0, &far_end, 80, &rig.conn), 0);
    session_run(rig.session);
    assert_int_equal(rig.step, 7);
    f = session_flow(rig.conn);
    assert_int_not_equal(f->fin_seen[0], 0);
    assert_int_not_equal(f->fin_seen[1], 0);
    assert_int_equal(conn_end(session_engine(rig.session, rig.conn)), END_CLOSED);
    assert_int_equal(f->peer.state, STATE_CLOSED);
    session_close(rig.session);
}

static void a_flow_is_followed_once(void **state)
{
    struct session_conn *second = NULL;
    (void)state;

    begin(true);
    assert_int_equal(session_follow(rig.session, 0, &far_end, 80, &rig.conn), 0);
    assert_int_equal(session_follow(rig.session, 0, &far_end, 80, &second), WAVE_EINUSE);
    assert_null(second);
    session_release(rig.session, rig.conn);
    assert_int_equal(rig.session->followed, 0);
    session_close(rig.session);
}

static void nothing_is_followed_where_nothing_is_shown(void **state)
{
    struct session_conn *c = NULL;
    (void)state;

    begin(false);
    assert_int_equal(session_follow(rig.session, 0, &far_end, 80, &c), WAVE_ESTATE);
    assert_null(c);
    session_close(rig.session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_gets_an_engine_loses_it_and_gets_another),
        cmocka_unit_test(a_flow_is_followed_once),
        cmocka_unit_test(nothing_is_followed_where_nothing_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
